/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures what an exit costs: ticks an operation, the loop's own taken off, the least of several
 * batches. */
#define PLINTH_GUEST
#include "guest/lib/guest.h"
#include "vcpu/hypercall.h"

#define BATCHES    10
#define OPERATIONS 200

#define MSR_EFER    0xc0000080
#define MSR_UNKNOWN 0x12345
#define CR0_CD      (1ull << 30)
#define CR4_OSXSAVE (1ull << 18)
#define NOBODY      0xfeb00000ull

static volatile uint32_t *const nobody = (volatile uint32_t *)NOBODY;
static uint64_t cr0, cr4, efer;

/* One kind of operation: `count` of them in a loop. */
#define OPERATION(name, ...)                                                                       \
	static void name(unsigned count)                                                           \
	{                                                                                          \
		for (unsigned i = 0; i < count; i++) {                                             \
			asm volatile("" : : : "memory");                                           \
			__VA_ARGS__;                                                               \
		}                                                                                  \
	}

#define CLOBBERED : "rax", "rbx", "rcx", "rdx", "memory"

/* clang-format off */
OPERATION(nothing, )
OPERATION(op_cpuid, asm volatile("xor %%eax, %%eax; cpuid" : : CLOBBERED))
OPERATION(op_vmcall, asm volatile("xor %%eax, %%eax; vmcall" : : CLOBBERED))
OPERATION(op_rdmsr, asm volatile("mov $0x1a0, %%ecx; rdmsr" : : CLOBBERED))
OPERATION(op_wrmsr, asm volatile("mov $0x1a0, %%ecx; mov $1, %%eax; xor %%edx, %%edx; wrmsr" : : CLOBBERED))
OPERATION(op_wrmsr_efer, wrmsr(MSR_EFER, i & 1 ? efer : efer ^ 1))
OPERATION(op_in_61, asm volatile("inb $0x61, %%al" : : : "rax"))
OPERATION(op_out_61, asm volatile("outb %%al, $0x61" : : "a"(0)))
OPERATION(op_in_scratch, in8(0x3ff))
OPERATION(op_out_scratch, out8(0x3ff, 0x55))
OPERATION(op_cr0, write_cr0(i & 1 ? cr0 : cr0 | CR0_CD))
OPERATION(op_cr4, write_cr4(i & 1 ? cr4 : cr4 ^ CR4_OSXSAVE))
OPERATION(op_xsetbv, asm volatile("xsetbv" : : "c"(0), "a"(3), "d"(0)))
OPERATION(op_wbinvd, asm volatile("wbinvd" : : : "memory"))
OPERATION(op_ept, (void)*nobody)
OPERATION(op_msr_gp, asm volatile("rdmsr" : : "c"(MSR_UNKNOWN) : "rax", "rdx"))
/* clang-format on */

/* The shortest handler of #GP that there can be: past the two bytes of RDMSR. */
asm(".text\n"
    "skip_rdmsr:\n\t"
    "add $8, %rsp\n\t"
    "addq $2, (%rsp)\n\t"
    "iretq\n");
extern const uint8_t skip_rdmsr[];

/* clang-format off */
static const struct {
	const char *name;
	void (*run)(unsigned count);
	bool needs_xsave;
} operations[] = {
	{"CPUID",                      op_cpuid,       false},
	{"VMCALL",                     op_vmcall,      false},
	{"RDMSR trapped",              op_rdmsr,       false},
	{"WRMSR trapped",              op_wrmsr,       false},
	{"WRMSR EFER",                 op_wrmsr_efer,  false},
	{"IN port 61h",                op_in_61,       false},
	{"OUT port 61h",               op_out_61,      false},
	{"IN UART scratch",            op_in_scratch,  false},
	{"OUT UART scratch",           op_out_scratch, false},
	{"MOV CR0 (CD)",               op_cr0,         false},
	{"MOV CR4 (OSXSAVE)",          op_cr4,         true },
	{"XSETBV",                     op_xsetbv,      true },
	{"WBINVD",                     op_wbinvd,      false},
	{"EPT violation (unclaimed)",  op_ept,         false},
	{"unknown MSR to #GP handled", op_msr_gp,      false},
};
/* clang-format on */

static uint64_t least(void (*run)(unsigned count))
{
	uint64_t best = ~0ull;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t start = rdtsc(), ticks;

		run(OPERATIONS);
		ticks = rdtsc() - start;
		if (ticks < best)
			best = ticks;
	}
	return best;
}

/* Instructions of the host for one operation, of one kind. */
static uint64_t dear(void (*run)(unsigned count), unsigned kind)
{
	uint64_t best = ~0ull;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t start = plinth_call(PLINTH_DEAR_COUNT, kind, 0, 0), none, count;

		run(OPERATIONS);
		count = plinth_call(PLINTH_DEAR_COUNT, kind, 0, 0) - start;
		/* What the call itself takes, which the difference holds once. */
		start = plinth_call(PLINTH_DEAR_COUNT, kind, 0, 0);
		none = plinth_call(PLINTH_DEAR_COUNT, kind, 0, 0) - start;
		if (count - none < best)
			best = count - none;
	}
	return best;
}

static void measure(const char *name, void (*run)(unsigned count), uint64_t empty)
{
	if (plinth_call(PLINTH_DEAR_COUNT, 0, 0, 0) == PLINTH_ENOSYS) {
		print("bench: %s: %lu ticks\n", name,
		      (least(run) - empty + OPERATIONS / 2) / OPERATIONS);
		return;
	}
	print("bench: %s: %lu vmreads %lu vmwrites %lu others\n", name, dear(run, 0) / OPERATIONS,
	      dear(run, 1) / OPERATIONS, dear(run, 2) / OPERATIONS);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	bool xsave = cpuid(1, 0).ecx >> 26 & 1;
	uint64_t empty = least(nothing);

	(void)boot_magic;
	(void)boot_info;
	cr0 = read_cr0();
	cr4 = read_cr4() | (xsave ? CR4_OSXSAVE : 0);
	write_cr4(cr4);
	trap_set_entry(13, skip_rdmsr);
	efer = rdmsr(MSR_EFER);
	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (xsave || !operations[i].needs_xsave)
			measure(operations[i].name, operations[i].run, empty);
	return 0;
}
