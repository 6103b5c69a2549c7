/* SPDX-License-Identifier: BSD-2-Clause */
/* PAE paging keeps four PDPTEs in the processor: when they are loaded, what they may hold, and that
 * they are not looked up otherwise. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define WINDOW 0x40000000u /* the first address behind the second PDPTE */
#define PAGE_A 0x0ull
#define PAGE_B 0x200000ull
#define LARGE  0x87

CODE32(load, "mov %eax, %cr3\n mov %cr3, %ebx\n");
/* Reads the window, changes the PDPTE in memory, does one thing, reads again. */
#define SWITCH "mov (%esi), %ebx\n mov %edx, (%edi)\n"
CODE32(by_nothing, SWITCH "mov (%esi), %ecx\n");
CODE32(by_invlpg, SWITCH "invlpg (%esi)\n mov (%esi), %ecx\n");
CODE32(by_cpuid, SWITCH "push %ebx\n cpuid\n pop %ebx\n invlpg (%esi)\n mov (%esi), %ecx\n");
CODE32(by_cr3, SWITCH "mov %cr3, %eax\n mov %eax, %cr3\n mov (%esi), %ecx\n");
CODE32(by_cr0_cd, SWITCH "mov %cr0, %eax\n btc $30, %eax\n mov %eax, %cr0\n invlpg (%esi)\n mov "
			 "(%esi), %ecx\n btc $30, %eax\n mov %eax, %cr0\n");
CODE32(by_cr0_ts, SWITCH
       "mov %cr0, %eax\n btc $3, %eax\n mov %eax, %cr0\n invlpg (%esi)\n mov (%esi), %ecx\n");
CODE32(by_cr0_pg, SWITCH "mov %cr0, %eax\n btc $31, %eax\n mov %eax, %cr0\n jmp 1f\n 1: btc $31, "
			 "%eax\n mov %eax, %cr0\n mov (%esi), %ecx\n");
CODE32(by_cr4_pge, SWITCH "mov %cr4, %eax\n btc $7, %eax\n mov %eax, %cr4\n mov (%esi), %ecx\n");
CODE32(by_cr4_pse, SWITCH
       "mov %cr4, %eax\n btc $4, %eax\n mov %eax, %cr4\n invlpg (%esi)\n mov (%esi), %ecx\n");
CODE32(by_cr4_de, SWITCH
       "mov %cr4, %eax\n btc $3, %eax\n mov %eax, %cr4\n invlpg (%esi)\n mov (%esi), %ecx\n");
CODE32(paging_on, "mov %eax, %cr0\n nop\n");
CODE32(by_clts, SWITCH "clts\n invlpg (%esi)\n mov (%esi), %ecx\n");

static __attribute__((aligned(32))) uint64_t pdpt[4];
static __attribute__((aligned(4096))) uint64_t first[512], second[512];

static void reset(void)
{
	for (unsigned i = 0; i < 4; i++)
		pdpt[i] = (uint64_t)&directories[512 * i] | 1;
}

/* MOV to CR3 with bit `bit` of one entry set, which is present or not. */
static const char *load_with(struct machine *m, unsigned entry, unsigned bit, bool present)
{
	reset();
	if (!present)
		pdpt[entry] = 0;
	pdpt[entry] |= 1ull << bit;
	machine_init(m, PAE32);
	m->rax = (uint64_t)pdpt;
	return RUN(m, load);
}

static void reserved_bits(void)
{
	unsigned width = cpuid(0x80000008, 0).eax & 0xff;

	for (unsigned entry = 0; entry < 4; entry += 3) {
		for (unsigned bit = 1; bit < 64; bit++) {
			bool reserved =
				bit == 1 || bit == 2 || (bit >= 5 && bit <= 8) || bit >= width;
			struct machine m;
			const char *how;

			/* Those of the address lead elsewhere; that is not loaded from. */
			if (entry == 0 && bit >= 12 && bit < width)
				continue;
			how = load_with(&m, entry, bit, true);
			check(same(how, reserved ? "#GP(0)" : "done"), "PDPTE %u with bit %u: %s",
			      entry, bit, how);
		}
	}
	for (unsigned bit = 1; bit < 64; bit += 2) {
		struct machine m;
		const char *how = load_with(&m, 2, bit, false);

		if (!same(how, "done"))
			check(false, "PDPTE 2, not present, with bit %u: %s", bit, how);
	}
	check(true, "in an entry that is not present nothing is reserved");
	reset();
}

static void low_bits_of_cr3(void)
{
	struct machine m;

	machine_init(&m, PAE32);
	m.rax = (uint64_t)pdpt | 0x1f;
	check(same(RUN(&m, load), "done") && (uint32_t)m.rbx == (uint32_t)m.rax,
	      "CR3 with bits 4:0: %s, kept: %lx", machine_outcome(&m), m.rbx & 0x1f);
}

static void switches(const uint8_t *code, const uint8_t *end, const char *name, uint32_t wanted,
		     const char *in_bochs)
{
	struct machine m;
	const char *how;
	bool ok;

	*memory32(PAGE_A + TEST_DATA) = 0xaaaaaaaa;
	*memory32(PAGE_B + TEST_DATA) = 0xbbbbbbbb;
	first[0] = PAGE_A | LARGE;
	second[0] = PAGE_B | LARGE;
	reset();
	pdpt[1] = (uint64_t)first | 1;
	machine_init(&m, PAE32);
	m.cr3 = (uint64_t)pdpt;
	m.rsi = WINDOW + TEST_DATA;
	m.rdi = (uint64_t)&pdpt[1];
	m.rdx = (uint64_t)second | 1;
	how = machine_try(&m, code, end);
	ok = same(how, "done") && (uint32_t)m.rbx == 0xaaaaaaaa && (uint32_t)m.rcx == wanted;
	if (in_bochs)
		check_bochs(ok, in_bochs, "%s: %s, then %lx", name, how, m.rcx & 0xffffffff);
	else
		check(ok, "%s: %s, then %lx", name, how, m.rcx & 0xffffffff);
}
#define SWITCHES(name, wanted) switches(name, name##_end, #name, wanted, NULL)

/* The table, as far as it is wrong, counts when paging begins as well. */
static void refused_from_32(uint64_t wrong, const char *wanted)
{
	struct machine m;
	const char *how;

	reset();
	pdpt[3] |= wrong;
	machine_init(&m, PROTECTED32);
	m.cr3 = (uint64_t)pdpt;
	m.cr4 = 0x20;
	m.rax = m.cr0 | 0x80000000;
	how = RUN(&m, paging_on);
	check(same(how, wanted) && m.cr0 >> 31 == !wrong,
	      "paging begins, PDPTE 3 with %lx: %s, CR0 %lx", wrong, how, m.cr0);
	reset();
}

/* The same, but what would be loaded has a reserved bit: #GP, and the old ones stay. */
static void refused(const uint8_t *code, const uint8_t *end, const char *name, const char *wanted)
{
	struct machine m;
	const char *how;
	uint64_t cr0, cr4;

	reset();
	pdpt[1] = (uint64_t)first | 1;
	machine_init(&m, PAE32);
	m.cr3 = (uint64_t)pdpt;
	m.rsi = WINDOW + TEST_DATA;
	m.rdi = (uint64_t)&pdpt[1];
	m.rdx = (uint64_t)second | 1 | 0x20;
	cr0 = m.cr0;
	cr4 = m.cr4;
	how = machine_try(&m, code, end);
	check(same(how, wanted) && m.cr3 == (uint64_t)pdpt && m.cr0 == cr0 && m.cr4 == cr4,
	      "%s of a bad PDPTE: %s, nothing changed", name, how);
}
#define REFUSED(name, wanted) refused(name, name##_end, #name, wanted)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	reserved_bits();
	low_bits_of_cr3();
	SWITCHES(by_nothing, 0xaaaaaaaa);
	SWITCHES(by_invlpg, 0xaaaaaaaa);
	SWITCHES(by_cpuid, 0xaaaaaaaa);
	SWITCHES(by_clts, 0xaaaaaaaa);
	switches(by_cr0_ts, by_cr0_ts_end, "by_cr0_ts", 0xaaaaaaaa,
		 "loads them at every MOV to CR0");
	SWITCHES(by_cr4_de, 0xaaaaaaaa);
	SWITCHES(by_cr3, 0xbbbbbbbb);
	SWITCHES(by_cr0_cd, 0xbbbbbbbb);
	SWITCHES(by_cr0_pg, 0xbbbbbbbb);
	SWITCHES(by_cr4_pge, 0xbbbbbbbb);
	SWITCHES(by_cr4_pse, 0xbbbbbbbb);
	REFUSED(by_nothing, "done");
	REFUSED(by_cr3, "#GP(0) at +7");
	REFUSED(by_cr0_cd, "#GP(0) at +b");
	REFUSED(by_cr4_pge, "#GP(0) at +b");
	refused_from_32(0, "done");
	refused_from_32(0x20, "#GP(0)");
	refused_from_32(1ull << 63, "#GP(0)");
	return checks_done();
}
