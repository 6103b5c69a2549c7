/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: every leaf, in accord with the others, with what works, and with the mode. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define EXTENDED    0x80000000u
#define CR4_OSXSAVE (1ull << 18)
#define CR4_PKE     (1ull << 22)

CODE16(ask16, "cpuid\n");
CODE32(ask32, "cpuid\n");
CODE64(ask64, "cpuid\n");
CODE64(set_xcr0,
       "mov %cr4, %rsi\n bts $18, %rsi\n mov %rsi, %cr4\n xor %ecx, %ecx\n xsetbv\n"
       "xgetbv\n mov %eax, %edi\n mov $0xd, %eax\n mov $1, %ecx\n cpuid\n mov %ebx, %esi\n"
       "mov $0xd, %eax\n xor %ecx, %ecx\n cpuid\n");
CODE64(toggle_cr4, "mov %cr4, %rsi\n mov %rsi, %rdi\n or %r8, %rsi\n mov %rsi, %cr4\n cpuid\n"
		   "mov %rdi, %cr4\n");

/* --- The leaves as they are, but for what Plinth does not offer. --- */

/*
 * The bits of each register that a guest sees as they are. Those it may see otherwise are shown on
 * lines of their own, with the reason.
 */
static const struct {
	uint32_t leaf, subleaf;
	uint32_t same[4];
	const char *reason;
} leaves[] = {
	{0,	    0,    {0, ~0u, ~0u, ~0u},                    "the last leaf is 0Dh"                 },
	{1,	    0,    {~0u, 0xff00, 0x76da3203, 0x0f8bfdff}, "no local APIC, VMX, counters, tracing"},
	{2,	    0,    {0xff00ffff, ~0u, ~0u, ~0u},           "leaf 18h is not shown"                },
	{3,	    0,    {~0u, ~0u, ~0u, ~0u},                  0				      },
	{4,	    0,    {0x3fff, ~0u, ~0u, ~0u},               "one processor, that shares no cache"  },
	{4,	    1,    {0x3fff, ~0u, ~0u, ~0u},               "one processor, that shares no cache"  },
	{4,	    2,    {0x3fff, ~0u, ~0u, ~0u},               "one processor, that shares no cache"  },
	{4,	    3,    {0x3fff, ~0u, ~0u, ~0u},               "one processor, that shares no cache"  },
	{4,	    4,    {~0u, ~0u, ~0u, ~0u},                  0				      },
	{5,	    0,    {0, 0, 0, 0},                          "no MONITOR"                           },
	{6,	    0,    {0, 0, 0, 0},                          "power is the host's"                  },
	{7,	    0,    {~0u, 0xd19f27eb, 0x18405f6e, 0x4510}, "no TSX, no protection of speculation" },
	{7,	    1,    {~0u, ~0u, ~0u, ~0u},                  0				      },
	{8,	    0,    {~0u, ~0u, ~0u, ~0u},                  0				      },
	{9,	    0,    {~0u, ~0u, ~0u, ~0u},                  0				      },
	{0xa,          0,    {0, 0, 0, 0},                          "no performance counters"              },
	{0xb,          0,    {0, 0, 0xff, ~0u},                     "one processor"                        },
	{0xb,          1,    {0, 0, 0xff, ~0u},                     "one processor"                        },
	{0xb,          2,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{0xb,          0xff, {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED,     0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 1, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 2, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 3, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 4, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 5, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 6, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 7, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
	{EXTENDED + 8, 0,    {~0u, ~0u, ~0u, ~0u},                  0                                      },
};

static void as_they_are(void)
{
	uint32_t max = cpuid(0, 0).eax;

	for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		uint32_t leaf = leaves[i].leaf, subleaf = leaves[i].subleaf;
		const uint32_t *m = leaves[i].same;
		struct cpuid r = cpuid(leaf, subleaf);

		if (leaf < EXTENDED && leaf > max)
			continue;
		check(true, "leaf %x.%x: %x %x %x %x", leaf, subleaf, r.eax & m[0], r.ebx & m[1],
		      r.ecx & m[2], r.edx & m[3]);
		if (leaves[i].reason)
			check_virtual(true, leaves[i].reason, "leaf %x.%x, else: %x %x %x %x", leaf,
				      subleaf, r.eax & ~m[0], r.ebx & ~m[1], r.ecx & ~m[2],
				      r.edx & ~m[3]);
	}
}

static bool equal(const struct cpuid *a, const struct cpuid *b)
{
	return a->eax == b->eax && a->ebx == b->ebx && a->ecx == b->ecx && a->edx == b->edx;
}

/* SDM "CPUID": "the data for the highest basic information leaf is returned". */
static void beyond_the_last(void)
{
	static const uint32_t subleaves[] = {0, 1, 2, 5, 0xffffffff};
	uint32_t max = cpuid(0, 0).eax, extended = cpuid(EXTENDED, 0).eax, wrong = 0;
	const uint32_t beyond[] = {max + 1,    0x20,       0x1000,       0x3fffffff,
				   0x40000100, 0x7fffffff, extended + 1, 0x8000ffff,
				   0x80860000, 0xc0000000, 0xffffffff};

	for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		for (unsigned s = 0; s < sizeof(subleaves) / sizeof(subleaves[0]); s++) {
			struct cpuid last = cpuid(max, subleaves[s]),
				     r = cpuid(beyond[i], subleaves[s]);

			if (!equal(&last, &r) && wrong++ < 5)
				print("# leaf %x.%x\n", beyond[i], subleaves[s]);
		}
	check(!wrong, "what is above the last leaf answers as that: %u do not", wrong);
}

static void hypervisor_leaves(void)
{
	struct cpuid r = cpuid(0x40000000, 0);

	if (under_plinth())
		check_virtual((cpuid(1, 0).ecx >> 31 & 1) && r.eax == 0x40000001,
			      "the leaves of a hypervisor", "40000000: %x %x %x %x", r.eax, r.ebx,
			      r.ecx, r.edx);
	else
		check_virtual(!(cpuid(1, 0).ecx >> 31 & 1), "the leaves of a hypervisor",
			      "no hypervisor");
}

/* --- Who asks, and how. --- */

/* In each mode and at each CPL, with nothing but EAX and ECX counting, and all four zero-extended.
 */
static void everywhere(void)
{
	static const uint32_t asked[] = {1, 7, EXTENDED + 1};

	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct cpuid want = cpuid(asked[i], 0);

		for (enum place place = REAL; place < PLACES; place++) {
			uint32_t edx = want.edx, ecx = want.ecx;
			struct machine m;
			const char *how;

			machine_init(&m, place);
			m.rax = 0xffffffff00000000 | asked[i];
			m.rcx = 0xffffffff00000000;
			m.rdx = m.rbx = ~0ull;
			how = place_bits(place) == 64   ? RUN(&m, ask64)
			      : place_bits(place) == 32 ? RUN(&m, ask32)
							: RUN(&m, ask16);
			/* "SYSCALL ... always enumerated as 0 outside 64-bit mode" */
			if (asked[i] == EXTENDED + 1 && place_bits(place) != 64)
				edx &= ~(1u << 11);
			check(same(how, "done") && (uint32_t)m.rax == want.eax &&
				      (uint32_t)m.rbx == want.ebx && (uint32_t)m.rcx == ecx &&
				      (uint32_t)m.rdx == edx &&
				      (place_bits(place) != 64 ||
				       (m.rax | m.rbx | m.rcx | m.rdx) >> 32 == 0),
			      "%s: leaf %x: %s, EDX is other by %x", place_name(place), asked[i],
			      how, (uint32_t)m.rdx ^ want.edx);
		}
	}
}

static void mirrors(void)
{
	static const struct {
		uint32_t leaf, bit;
		uint64_t cr4;
		uint32_t feature;
		const char *name;
	} rows[] = {
		{1, 27, CR4_OSXSAVE, 26, "OSXSAVE"},
                {7, 4,  CR4_PKE,     3,  "OSPKE"  }
        };

	for (unsigned i = 0; i < 2; i++)
		for (unsigned on = 0; on < 2; on++) {
			bool has = cpuid(rows[i].leaf, 0).ecx >> rows[i].feature & 1;
			struct machine m;
			const char *how;

			machine_init(&m, LONG64);
			m.rax = rows[i].leaf;
			m.rcx = 0;
			m.r8 = on ? rows[i].cr4 : 0;
			how = RUN(&m, toggle_cr4);
			check(has || !on ? same(how, "done") && (m.rcx >> rows[i].bit & 1) == on
					 : same(how, "#GP(0) at +9"),
			      "%s with its bit in CR4 %u: %s", rows[i].name, on, how);
		}
}

/* --- XCR0, and the sizes that go with it. --- */

static bool components_valid(uint64_t xcr0, uint64_t supported)
{
	return xcr0 & 1 && !(xcr0 & ~supported) && (!(xcr0 & 4) || xcr0 & 2) &&
	       (!(xcr0 & 0xe0) || (xcr0 & 0xe4) == 0xe4) && (!(xcr0 & 0x18) || !(~xcr0 & 0x18));
}

static uint32_t area_size(uint64_t xcr0)
{
	uint32_t size = 576;

	for (unsigned i = 2; i < 32; i++) {
		struct cpuid component = cpuid(0xd, i);

		if (xcr0 >> i & 1 && component.ebx + component.eax > size)
			size = component.ebx + component.eax;
	}
	return size;
}

/* Bochs knows no size of PKRU. */
static bool sizes_known(uint64_t xcr0)
{
	for (unsigned i = 2; i < 32; i++)
		if (xcr0 >> i & 1 && !cpuid(0xd, i).eax)
			return false;
	return true;
}

static uint32_t compact_size(uint64_t xcr0)
{
	uint32_t size = 576;

	for (unsigned i = 2; i < 32; i++) {
		struct cpuid component = cpuid(0xd, i);

		if (!(xcr0 >> i & 1))
			continue;
		if (component.ecx & 2)
			size = (size + 63) & ~63u;
		size += component.eax;
	}
	return size;
}

static void xcr0_values(void)
{
	struct cpuid leaf = cpuid(0xd, 0), one = cpuid(0xd, 1);
	uint64_t supported = (uint64_t)leaf.edx << 32 | leaf.eax;
	unsigned taken = 0, refused = 0, wrong = 0, compact = 0;
	struct machine m;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		check(cpuid(0, 0).eax < 0xd || !leaf.eax, "no XSAVE, no components");
		return;
	}
	check(leaf.ecx == area_size(supported) ||
		      (!sizes_known(supported) && leaf.ecx > area_size(supported)),
	      "components %lx: %u bytes at most", supported, leaf.ecx);
	check(!(one.eax & ~0xfu) && !one.ecx && !one.edx, "leaf d.1: %x, no supervisor components",
	      one.eax);
	for (unsigned i = 2; i < 64; i++) {
		struct cpuid c = cpuid(0xd, i);

		if (supported >> i & 1)
			check_bochs(c.eax && c.ebx >= 576, "tells no size of PKRU",
				    "component %u: %u bytes at %u, %x %x", i, c.eax, c.ebx, c.ecx,
				    c.edx);
		else
			wrong += c.eax || c.ebx || c.ecx || c.edx;
	}
	check(!wrong, "of components that are not there, %u have a size", wrong);
	wrong = 0;
	for (uint64_t xcr0 = 0; xcr0 < 0x400; xcr0++) {
		bool ok = components_valid(xcr0, supported);
		const char *how;

		machine_init(&m, LONG64);
		m.rax = xcr0;
		m.rdx = 0;
		how = RUN(&m, set_xcr0);
		taken += same(how, "done");
		compact += same(how, "done") &&
			   (uint32_t)m.rsi == (one.eax & 0xa ? compact_size(xcr0) : 0);
		refused += same(how, "#GP(0) at +d");
		if (ok ? !same(how, "done") || (uint32_t)m.rdi != xcr0 ||
				    (sizes_known(xcr0) && (uint32_t)m.rbx != area_size(xcr0))
		       : !same(how, "#GP(0) at +d"))
			if (wrong++ < 5)
				print("# XCR0 %lx: %s, %lx, sizes %lx %lx\n", xcr0, how, m.rdi,
				      m.rbx, m.rsi);
	}
	check(!wrong, "XCR0: %u values taken, %u refused, %u otherwise", taken, refused, wrong);
	check_bochs(compact == taken, "says 0", "the compacted size is right for %u of them",
		    compact);
	wrong = 0;
	for (unsigned bit = 10; bit < 64; bit++) {
		machine_init(&m, LONG64);
		m.rax = (1ull << bit & 0xffffffff) | 1;
		m.rdx = 1ull << bit >> 32;
		wrong += !same(RUN(&m, set_xcr0), "#GP(0) at +d");
	}
	check(!wrong, "XCR0: of the bits above, %u are taken", wrong);
	machine_init(&m, LONG64);
	m.rax = 1;
	m.rdx = 0;
	RUN(&m, set_xcr0);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	as_they_are();
	beyond_the_last();
	hypervisor_leaves();
	everywhere();
	mirrors();
	xcr0_values();
	return checks_done();
}
