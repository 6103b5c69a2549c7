/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends a VM, or never ends by itself, by a word of the command line: "call", "jmp", "iret" and
 * "gate" switch tasks; "alignment" and "breakpoint" are exceptions whose delivery meets the same
 * exception, without end.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define TASK     SEL_TEST
#define GATE     0x41
#define NT       0x4000
#define TF       0x100
#define AC       0x40000
#define CR0_AM   0x40000
#define STACK_2  0x5c00
#define TSS_IST2 44

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};
extern struct table_pointer machine_idt32_pointer, machine_idt64_pointer;

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

CODE32(by_call, "lcall $0x70, $0\n");
CODE32(by_jmp, "ljmp $0x70, $0\n");
CODE32(by_iret, "iret\n");
CODE32(by_gate, "int $0x41\n");
CODE32(odd_read, "mov 1(%esi), %eax\n");
CODE64(step, "nop\n");

static void switch_task(const uint8_t *code, const uint8_t *end, bool busy)
{
	struct machine m;

	machine_init(&m, PAGED32);
	descriptor_set(0, TEST_DATA, 0x67, busy ? 0x8b : 0x89);
	machine_tss32.link = TASK;
	*memory64(machine_idt32_pointer.base + 8 * GATE) = TASK << 16 | 0xe500ull << 32;
	if (busy)
		m.rflags |= NT;
	machine_load(code, end);
	machine_run(&m);
	print("# it came back: %s\n", machine_outcome(&m));
}

/* CVE-2015-5307: the handler runs at CPL 3, on a stack that is not aligned. */
static void alignment(void)
{
	struct machine m;

	machine_init(&m, USER32);
	*memory64(machine_idt32_pointer.base + 8 * 17) =
		TEST_CODE | (uint64_t)SEL_USER_CODE32 << 16 | 0xee00ull << 32;
	m.cr0 |= CR0_AM;
	m.rflags |= AC;
	m.rsp = TEST_STACK - 2;
	m.rsi = TEST_DATA;
	machine_load(odd_read, odd_read_end);
	machine_run(&m);
}

/* CVE-2015-8104: a breakpoint on the frame that #DB pushes. */
static void breakpoint(void)
{
	uint64_t tss = guest_gdt[SEL_TSS64 / 8], base;
	struct machine m;

	machine_init(&m, LONG64);
	tss = guest_gdt[SEL_TSS64 / 8];
	base = (tss >> 16 & 0xffffff) | tss >> 56 << 24;
	*memory32(base + TSS_IST2) = STACK_2;
	*memory8(machine_idt64_pointer.base + 16 + 4) = 2;
	asm volatile("mov %0, %%dr0" : : "r"(STACK_2 - 8ull));
	asm volatile("mov %0, %%dr7" : : "r"(0x90402ull));
	m.rflags |= TF;
	machine_load(step, step_end);
	machine_run(&m);
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	const struct multiboot_info *info = (const struct multiboot_info *)(uint64_t)boot_info;
	const char *word = (const char *)(uint64_t)info->cmdline;

	(void)boot_magic;
	print("# next: %s\n", word);
	if (same(word, "call"))
		switch_task(by_call, by_call_end, false);
	else if (same(word, "jmp"))
		switch_task(by_jmp, by_jmp_end, false);
	else if (same(word, "iret"))
		switch_task(by_iret, by_iret_end, true);
	else if (same(word, "gate"))
		switch_task(by_gate, by_gate_end, false);
	else if (same(word, "alignment"))
		alignment();
	else if (same(word, "breakpoint"))
		breakpoint();
	return 1;
}
