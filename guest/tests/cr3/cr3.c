/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV to CR3 in long mode, with PCIDs and without; and what INVLPG, INVPCID and CR3 must throw out
 * of the TLB. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define PCIDE    (1ull << 17)
#define PGE      (1ull << 7)
#define NO_FLUSH (1ull << 63)
#define PRESENT  0x87 /* a 2 MiB page for all */
#define GLOBAL   0x100

#define WINDOW 0x40000000ull /* where the tests map one page, then another */
#define PAGE_A 0x0ull        /* TEST_DATA is in it */
#define PAGE_B 0x200000ull

CODE64(write, "mov %rax, %cr3\n mov %cr3, %rbx\n");
CODE64(write_under_pcid,
       "mov %cr4, %rcx\n bts $17, %rcx\n mov %rcx, %cr4\n mov %rax, %cr3\n mov %cr3, %rbx\n");
CODE64(pcid_on, "mov %rax, %cr3\n mov %cr4, %rcx\n bts $17, %rcx\n mov %rcx, %cr4\n");
CODE64(pcid_paging_off,
       "mov %cr4, %rcx\n bts $17, %rcx\n mov %rcx, %cr4\n mov %cr0, %rax\n btr $31, %rax\n"
       "mov %rax, %cr0\n");
CODE64(pcid_pae_off,
       "mov %cr4, %rcx\n bts $17, %rcx\n mov %rcx, %cr4\n btr $5, %rcx\n mov %rcx, %cr4\n");
CODE64(invlpg_odd, "invlpg (%rdi)\n");
CODE64(invpcid, "invpcid (%rdi), %rax\n");

/* Reads the window, has its entry changed to RDX, does one thing, reads again. */
#define SWITCH "mov (%rsi), %ebx\n mov %rdx, (%rdi)\n"
CODE64(by_invlpg, SWITCH "invlpg (%rsi)\n mov (%rsi), %ecx\n");
CODE64(by_cr3, SWITCH "mov %cr3, %rax\n mov %rax, %cr3\n mov (%rsi), %ecx\n");
CODE64(by_cr4_pge, SWITCH "mov %cr4, %rax\n btc $7, %rax\n mov %rax, %cr4\n mov (%rsi), %ecx\n btc "
			  "$7, %rax\n mov %rax, %cr4\n");
CODE64(by_invpcid_all, SWITCH "mov $2, %eax\n invpcid (%r8), %rax\n mov (%rsi), %ecx\n");
CODE64(by_invpcid_single, SWITCH "mov $1, %eax\n invpcid (%r8), %rax\n mov (%rsi), %ecx\n");
CODE64(by_invpcid_address, SWITCH "xor %eax, %eax\n invpcid (%r8), %rax\n mov (%rsi), %ecx\n");
CODE64(by_other_pcid, SWITCH "mov %cr3, %rax\n or $1, %rax\n mov %rax, %cr3\n mov (%rsi), %ecx\n");

static __attribute__((aligned(4096))) uint64_t directory[512];
static uint64_t descriptor[2];

static void load(uint64_t set, const char *wanted, const char *what)
{
	struct machine m;
	const char *how;

	machine_init(&m, LONG64);
	m.rax = m.cr3 | set;
	how = RUN(&m, write);
	check(same(how, wanted) && (!same(how, "done") || m.rbx == m.rax),
	      "CR3 with %s: %s, reads %lx", what, how, m.rbx - (m.rax & ~set));
}

static void without_pcid(void)
{
	unsigned width = cpuid(0x80000008, 0).eax & 0xff;
	unsigned refused = 0;

	load(0, "done", "nothing else");
	load(0x18, "done", "PWT and PCD");
	load(NO_FLUSH, "#GP(0)", "bit 63");
	for (unsigned bit = width; bit < 64; bit++) {
		struct machine m;

		machine_init(&m, LONG64);
		m.rax = m.cr3 | 1ull << bit;
		refused += same(RUN(&m, write), "#GP(0)");
	}
	check(refused == 64 - width, "%u bits above the physical width of %u are refused", refused,
	      width);
}

static void with_pcid(void)
{
	struct machine m;
	const char *how;

	if (!(cpuid(1, 0).ecx >> 17 & 1)) {
		print("# this processor has no PCID\n");
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t set[] = {0xfff, NO_FLUSH, NO_FLUSH | 5};

		machine_init(&m, LONG64);
		m.rax = m.cr3 | set[i];
		how = RUN(&m, write_under_pcid);
		check(same(how, "done") && m.rbx == (m.rax & ~NO_FLUSH),
		      "CR3 with PCID and %lx: %s", set[i], how);
	}
	machine_init(&m, LONG64);
	m.rax = m.cr3 | 1ull << 62;
	check(same(RUN(&m, write_under_pcid), "#GP(0) at +b"), "with bit 62: %s",
	      machine_outcome(&m));
	machine_init(&m, LONG64);
	m.rax = m.cr3 | 8;
	check(same(RUN(&m, pcid_on), "#GP(0) at +b"), "PCIDE on while CR3 bits 11:0 are not 0: %s",
	      machine_outcome(&m));
	machine_init(&m, LONG64);
	check(same(RUN(&m, pcid_paging_off), "#GP(0) at +13"), "paging off while PCIDE is 1: %s",
	      machine_outcome(&m));
	machine_init(&m, LONG64);
	check(same(RUN(&m, pcid_pae_off), "#GP(0) at +10"), "PAE off while PCIDE is 1: %s",
	      machine_outcome(&m));
}

static void invalidations(void)
{
	static const uint64_t odd[] = {0, 0x123456789abc, 0x800000000000, 0xdead000000000000,
				       ~0ull};
	static const struct {
		uint64_t type, first, second;
		const char *wanted;
	} rows[] = {
		{0,     0,          0x5000,         "done"  },
		{0,     0,          0x900000000000, "#GP(0)"},
		{0,     1,          0,              "#GP(0)"}, /* a PCID while PCIDE is 0 */
		{1,     0,          0,              "done"  },
		{1,     7,          0,              "#GP(0)"},
		{1,     0x1000,     0,              "#GP(0)"},
		{2,     0,          0,              "done"  },
		{3,     0,          0,              "done"  },
		{2,     0x1000,     0,              "#GP(0)"},
		{3,     1ull << 63, 0,              "#GP(0)"},
		{4,     0,          0,              "#GP(0)"},
		{~0ull, 0,          0,              "#GP(0)"},
	};
	struct machine m;

	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		machine_init(&m, LONG64);
		m.rdi = odd[i];
		check(same(RUN(&m, invlpg_odd), "done"), "INVLPG of %lx: %s", odd[i],
		      machine_outcome(&m));
	}
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool has = cpuid(7, 0).ebx >> 10 & 1;

		machine_init(&m, LONG64);
		descriptor[0] = rows[i].first;
		descriptor[1] = rows[i].second;
		m.rdi = (uint64_t)descriptor;
		m.rax = rows[i].type;
		check(same(RUN(&m, invpcid), has ? rows[i].wanted : "#UD"),
		      "INVPCID type %lx of %lx %lx: %s", rows[i].type, rows[i].first,
		      rows[i].second, machine_outcome(&m));
	}
}

static void throws_out(const uint8_t *code, const uint8_t *end, const char *name, uint64_t flags,
		       uint64_t cr4)
{
	struct machine m;
	const char *how;

	*memory32(PAGE_A + TEST_DATA) = 0xaaaaaaaa;
	*memory32(PAGE_B + TEST_DATA) = 0xbbbbbbbb;
	descriptor[0] = 0;
	descriptor[1] = WINDOW;
	directory[0] = PAGE_A | PRESENT | flags;
	machine_init(&m, LONG64);
	m.rsi = WINDOW + TEST_DATA;
	m.rdi = (uint64_t)directory;
	m.rdx = PAGE_B | PRESENT | flags;
	m.r8 = (uint64_t)descriptor;
	m.cr4 |= cr4;
	how = machine_try(&m, code, end);
	check(same(how, "done") && (uint32_t)m.rbx == 0xaaaaaaaa && (uint32_t)m.rcx == 0xbbbbbbbb,
	      "%s: %s, reads %lx, then %lx", name, how, m.rbx & 0xffffffff, m.rcx & 0xffffffff);
}
#define THROWS_OUT(name, flags, cr4) throws_out(name, name##_end, #name, flags, cr4)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	uint64_t *pdpt = (uint64_t *)(pml4[0] & ~0xfffull), second = pdpt[1];

	(void)boot_magic;
	(void)boot_info;
	without_pcid();
	with_pcid();
	invalidations();
	pdpt[1] = (uint64_t)directory | 7;
	write_cr3(read_cr3());
	THROWS_OUT(by_invlpg, 0, 0);
	THROWS_OUT(by_invlpg, GLOBAL, PGE);
	THROWS_OUT(by_cr3, 0, 0);
	THROWS_OUT(by_cr4_pge, GLOBAL, PGE);
	THROWS_OUT(by_cr4_pge, 0, 0);
	if (cpuid(7, 0).ebx >> 10 & 1) {
		THROWS_OUT(by_invpcid_all, GLOBAL, PGE);
		THROWS_OUT(by_invpcid_single, 0, 0);
		THROWS_OUT(by_invpcid_address, 0, 0);
		THROWS_OUT(by_other_pcid, 0, PCIDE);
	}
	pdpt[1] = second;
	return checks_done();
}
