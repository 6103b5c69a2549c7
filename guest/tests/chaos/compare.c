/* SPDX-License-Identifier: BSD-2-Clause */
/* What random code is compared by: a state before each run that is known in full, and a digest of
 * the one after it. */
#include "guest/lib/guest.h"
#include "guest/tests/chaos/chaos.h"

#define CR4_PGE     0x80ull
#define CR4_OSXSAVE 0x40000ull
#define COMPONENTS  0x2e7ull /* x87, SSE, AVX, AVX-512, PKRU */

#define RFLAGS_RF 0x10000u

#define PAT       0x277
#define PAT_RESET 0x0007040600070406ull

/* MSRs that code may change. */
static const uint32_t msrs[] = {0x174,      0x175,      0x176,      PAT,        0xc0000081,
				0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103};
#define MSRS    (sizeof(msrs) / sizeof(msrs[0]))
#define TSC_AUX (MSRS - 1)

static KEPT bool has_tsc_aux;
static KEPT uint64_t components;
static KEPT uint32_t digest;

/* An image for FXRSTOR and XRSTOR: everything as after a reset. */
static const uint8_t unit_state[4096] __attribute__((aligned(64))) = {
	[0] = 0x7f,
	[1] = 0x03,
	[24] = 0x80,
	[25] = 0x1f,
};

static void add(uint64_t value)
{
	uint64_t sum = digest;

	asm("crc32q %1, %0" : "+r"(sum) : "r"(value));
	digest = (uint32_t)sum;
}

static uint32_t digest_of(uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	for (; from < to; from += 64)
		asm volatile("crc32q (%1), %0\n\tcrc32q 8(%1), %0\n\tcrc32q 16(%1), %0\n\t"
			     "crc32q 24(%1), %0\n\tcrc32q 32(%1), %0\n\tcrc32q 40(%1), %0\n\t"
			     "crc32q 48(%1), %0\n\tcrc32q 56(%1), %0"
			     : "+r"(sum)
			     : "r"(from)
			     : "memory");
	return (uint32_t)sum;
}

/* XCR0 can be had only with CR4.OSXSAVE. */
static uint64_t exchange_xcr0(uint64_t value)
{
	uint64_t cr4 = read_cr4(), old;

	if (!components)
		return 0;
	write_cr4(cr4 | CR4_OSXSAVE);
	old = xgetbv();
	asm volatile("xsetbv" : : "a"((uint32_t)value), "c"(0), "d"(0));
	if (value == components)
		asm volatile("xrstor %0"
			     :
			     : "m"(unit_state), "a"((uint32_t)value), "d"(0)
			     : "memory");
	write_cr4(cr4);
	return old;
}

void compare_start(void)
{
	print("# may die\n# CR4 with %lx", cr4_allowed);
	if (cr4_allowed & CR4_OSXSAVE)
		components = cpuid(0xd, 0).eax & COMPONENTS;
	TRY("rdmsr", : : "c"(msrs[TSC_AUX]) : "rax", "rdx", "memory");
	has_tsc_aux = !last_fault.happened;
	print(", XCR0 with %lx, %s\n", components, has_tsc_aux ? "TSC_AUX" : "no TSC_AUX");
}

void compare_prepare(void)
{
	uint64_t cr4 = read_cr4();

	asm volatile("clts");
	exchange_xcr0(components);
	exchange_xcr0(1);
	asm volatile("fxrstor %0" : : "m"(unit_state));
	asm volatile("mov %0, %%dr0\n\tmov %0, %%dr1\n\tmov %0, %%dr2\n\tmov %0, %%dr3"
		     :
		     : "r"(0ull));
	asm volatile("lldt %w0" : : "r"(0));
	write_cr8(0);
	wrmsr(PAT, PAT_RESET);
	wrmsr(0xc0000084, 0);
	wrmsr(0xc0000102, 0);
	if (has_tsc_aux)
		wrmsr(msrs[TSC_AUX], 0);
	write_cr4(cr4 ^ CR4_PGE); /* no translations are left */
	write_cr4(cr4);
}

/* Bochs pushes RF as 0 for a #DB between the elements of a repeated instruction, but not processors
 * (SDM, "Instruction-Breakpoint Exception Condition"), nor Plinth where it carries them out. */
static void leave_out_rf(unsigned most, unsigned exceptions)
{
	for (unsigned i = 0; i < exceptions; i++) {
		volatile uint32_t *entry = memory32(M_SKIP_LOG + 16ull * (most - i));

		if (entry[0] == 1)
			entry[2] &= ~RFLAGS_RF;
	}
}

static void tell_log(unsigned most, unsigned exceptions)
{
	for (unsigned i = 0; i < exceptions; i++) {
		volatile uint32_t *entry = memory32(M_SKIP_LOG + 16ull * (most - i));

		print("#   %x(%x) at %x, flags %x, CR2 %x\n", entry[0] & 0xffff, entry[0] >> 16,
		      entry[1], entry[2], entry[3]);
	}
}

static void tell_words(const char *name, const uint64_t *words, unsigned count)
{
	print("# %s", name);
	for (unsigned i = 0; i < count; i++)
		print(" %lx", words[i]);
	print("\n");
}

void compare_outcome(struct machine *machine, unsigned most, unsigned exceptions, bool tell)
{
	uint64_t units[4], debug[5], values[MSRS] = {0};
	uint16_t ldt;

	/* First of all, so that no breakpoint is met here. */
	asm volatile("mov %%dr7, %0\n\tmov %1, %%dr7" : "=&r"(debug[4]) : "r"(0x400ull));
	leave_out_rf(most, exceptions);
	if (machine->vector == 1)
		machine->rflags &= ~(uint64_t)RFLAGS_RF;
	asm volatile("sldt %0" : "=r"(ldt));
	units[0] = exchange_xcr0(1);
	units[1] = read_cr8();
	units[2] = ldt;
	units[3] = digest_of(0, MACHINE);
	asm volatile("mov %%dr0, %0\n\tmov %%dr1, %1\n\tmov %%dr2, %2\n\tmov %%dr3, %3"
		     : "=r"(debug[0]), "=r"(debug[1]), "=r"(debug[2]), "=r"(debug[3]));
	for (unsigned i = 0; i < MSRS; i++)
		if (i != TSC_AUX || has_tsc_aux)
			values[i] = rdmsr(msrs[i]);
	for (unsigned i = 0; i < M_WORDS; i++)
		add(((const uint64_t *)machine)[i]);
	for (unsigned i = 0; i < 4; i++)
		add(units[i]);
	for (unsigned i = 0; i < 5; i++)
		add(debug[i]);
	for (unsigned i = 0; i < MSRS; i++)
		add(values[i]);
	add(digest_of(M_SKIP_LOG, M_SKIP_LOG + 0x1000));
	if (!tell)
		return;
	print("# a run, with %u exceptions on its way:\n", exceptions);
	tell_log(most, exceptions);
	print("# %s\n", machine_outcome(machine));
	tell_words("registers", machine->reg, 16);
	tell_words("RIP, flags", &machine->rip, 2);
	tell_words("CR0, CR2, CR3, CR4, EFER", &machine->cr0, 5);
	tell_words("ES, CS, SS, DS, FS, GS", &machine->es, 6);
	tell_words("vector, error code, DR6", &machine->vector, 3);
	tell_words("XCR0, CR8, LDTR, memory", units, 4);
	tell_words("debug registers", debug, 5);
	tell_words("MSRs", values, MSRS);
}

uint32_t compare_digest(void)
{
	uint32_t whole;

	add(digest_of(M_SKIP_LOG, COMPARED_END));
	whole = digest;
	digest = 0;
	return whole;
}
