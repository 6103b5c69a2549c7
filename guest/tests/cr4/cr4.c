/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to CR4: a bit exists if CPUID brings it, and some depend on the mode or on each other. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define PSE       (1ull << 4)
#define PAE       (1ull << 5)
#define PGE       (1ull << 7)
#define PCIDE     (1ull << 17)
#define PAGE_USER 4

CODE32(write32, "mov %cr4, %ecx\n mov %eax, %cr4\n mov %cr4, %ebx\n mov %ecx, %cr4\n");
CODE64(write64, "mov %cr4, %rcx\n mov %rax, %cr4\n mov %cr4, %rbx\n mov %rcx, %cr4\n");
CODE16(write16, "mov %cr4, %ecx\n mov %eax, %cr4\n mov %cr4, %ebx\n mov %ecx, %cr4\n");

/* From which bit of CPUID each of CR4 comes. Leaf 0: from none. */
static const struct {
	uint8_t leaf, bit;
	char reg;
	const char *hidden; /* why Plinth does not show it */
} features[64] = {
	[0] = {1, 1,  'd', 0                    }, /* VME */
	[1] = {1, 1,  'd', 0                    }, /* PVI */
	[2] = {1, 4,  'd', 0                    }, /* TSD */
	[3] = {1, 2,  'd', 0                    }, /* DE */
	[4] = {1, 3,  'd', 0                    }, /* PSE */
	[5] = {1, 6,  'd', 0                    }, /* PAE */
	[6] = {1, 7,  'd', 0                    }, /* MCE */
	[7] = {1, 13, 'd', 0                    }, /* PGE */
	[8] = {1, 5,  'd', 0                    }, /* PCE: as old as RDMSR */
	[9] = {1, 24, 'd', 0                    }, /* OSFXSR */
	[10] = {1, 25, 'd', 0                    }, /* OSXMMEXCPT */
	[11] = {7, 2,  'c', 0                    }, /* UMIP */
	[12] = {7, 16, 'c', "LA57 is not offered"},
	[13] = {1, 5,  'c', "VMX is the host's"  },
	[14] = {1, 6,  'c', "SMX is the host's"  },
	[16] = {7, 0,  'b', 0                    }, /* FSGSBASE */
	[17] = {1, 17, 'c', 0                    }, /* PCID */
	[18] = {1, 26, 'c', 0                    }, /* XSAVE */
	[20] = {7, 7,  'b', 0                    }, /* SMEP */
	[21] = {7, 20, 'b', 0                    }, /* SMAP */
	[22] = {7, 3,  'c', 0                    }, /* PKU */
	[23] = {7, 7,  'c', "CET is not offered" },
};

/* A map of the first GiB that is for CPL 0 alone, as SMEP and SMAP want it. */
static __attribute__((aligned(4096))) uint64_t supervisor[3][512];
static __attribute__((aligned(32))) uint64_t supervisor_pdpt[4];

static void map_for_supervisor(void)
{
	for (unsigned i = 0; i < 512; i++)
		supervisor[2][i] = directories[i] & ~(uint64_t)PAGE_USER;
	supervisor[1][0] = (uint64_t)supervisor[2] | 3;
	supervisor[0][0] = (uint64_t)supervisor[1] | 3;
	supervisor_pdpt[0] = (uint64_t)supervisor[2] | 1;
}

static bool shown(unsigned bit)
{
	struct cpuid c = cpuid(features[bit].leaf, 0);
	uint32_t reg = features[bit].reg == 'b' ? c.ebx : features[bit].reg == 'c' ? c.ecx : c.edx;

	return features[bit].leaf && reg >> features[bit].bit & 1;
}

static const char *write(struct machine *m, enum place place, uint64_t value)
{
	machine_init(m, place);
	if (place_is_long(place))
		m->cr3 = (uint64_t)supervisor[0];
	else if (place == PAE32)
		m->cr3 = (uint64_t)supervisor_pdpt;
	m->rax = m->cr4 ^ value;
	if (place_bits(place) == 64)
		return RUN(m, write64);
	if (place_bits(place) == 32)
		return RUN(m, write32);
	return RUN(m, write16);
}

static void toggle(enum place place, unsigned bit)
{
	bool is_long = place_is_long(place), ok = shown(bit);
	struct machine m;
	const char *how;
	bool as_wanted;

	/* PAE stays in long mode; PCIDE needs it; CET needs CR0.WP. */
	if ((bit == 5 && is_long) || (bit == 17 && !is_long) ||
	    (bit == 23 && (place == REAL || place == PROTECTED32)))
		ok = false;
	how = write(&m, place, 1ull << bit);
	as_wanted = ok ? same(how, "done") && m.rbx == m.rax
		       : same(how, place == REAL ? "#GP at +3" : "#GP(0) at +3");
	if (features[bit].hidden)
		check_virtual(as_wanted, features[bit].hidden, "%s: bit %u: %s", place_name(place),
			      bit, how);
	else
		check(as_wanted, "%s: bit %u: %s, %s", place_name(place), bit, how,
		      ok ? "is offered" : "is not");
}

static void together(enum place place, uint64_t bits, const char *wanted, const char *what)
{
	struct machine m;
	const char *how = write(&m, place, bits);

	check(same(how, wanted), "%s: %s: %s", place_name(place), what, how);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	map_for_supervisor();
	for (unsigned bit = 0; bit < 64; bit++)
		toggle(LONG64, bit);
	for (unsigned bit = 0; bit < 24; bit++) {
		toggle(COMPAT32, bit);
		if (bit != 5) /* its page tables are of the other kind */
			toggle(PAE32, bit);
		toggle(PROTECTED32, bit);
		toggle(REAL, bit);
	}
	together(LONG64, PSE | PGE, "done", "PSE and PGE");
	together(LONG64, PSE | PGE | PAE, "#GP(0) at +3", "PAE off with others");
	together(LONG64, PGE | 1ull << 15, "#GP(0) at +3", "a reserved bit with others");
	together(PROTECTED32, PSE | PAE, "done", "PAE and PSE");
	return checks_done();
}
