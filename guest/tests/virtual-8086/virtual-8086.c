/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual-8086 mode: what IOPL, the I/O bitmap and the interrupt redirection of CR4.VME decide,
 * around instructions that exit. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define IF      0x200
#define VIF     0x80000
#define VIP     0x100000
#define IOPL_3  0x3000
#define VME     1
#define MONITOR 0x2180 /* a handler of the virtual machine */

CODE16(cli_sti, "cli\n pushf\n pop %ax\n sti\n pushf\n pop %bx\n");
CODE16(push_pop, "pushf\n pop %ax\n push %ax\n popf\n");
CODE16(iret_code, "pushf\n push %cs\n push $(0x2000 + 1f - iret_code)\n iret\n 1: nop\n");
CODE16(int_40, "int $0x40\n");
CODE16(int3, "int3\n");
CODE16(into, "into\n");
CODE16(cpuid_code, "mov $0x80000002, %eax\n cpuid\n");
CODE16(out_80, "out %al, $0x80\n");
CODE16(out_81, "out %al, $0x81\n");
CODE16(in_word_80, "in $0x80, %ax\n xor %ax, %ax\n");
CODE16(outs_80, "mov $0x80, %dx\n outsb\n");
CODE16(hlt_code, "hlt\n");
CODE16(rdmsr_code, "rdmsr\n");
CODE16(from_cr0, "mov %cr0, %eax\n");
CODE16(smsw_code, "smsw %ax\n");
CODE16(lidt_code, "lidt (%si)\n");
CODE16(read_end, "mov (%si), %ax\n");
CODE16(rdtsc_code, "rdtsc\n xor %ax, %ax\n");
CODE16(undefined, "vmcall\n");
CODE16(segment_load,
       "mov $0x1234, %ax\n mov %ax, %ds\n mov $0x80000000, %eax\n cpuid\n mov %ds, %bx\n");

static uint64_t rflags, cr4, rsi;

static void defaults(void)
{
	rflags = cr4 = 0;
	rsi = TEST_DATA;
	for (unsigned i = 0; i < sizeof(machine_tss32.io); i++)
		machine_tss32.io[i] = 0xff;
	for (unsigned i = 0; i < sizeof(machine_tss32.redirection); i++)
		machine_tss32.redirection[i] = 0xff;
}

static void try(const uint8_t *code, const uint8_t *end, const char *name, const char *wanted)
{
	struct machine m;
	const char *how;

	*memory16(MONITOR) = 0x0b0f;
	*memory32(4 * 0x40) = MONITOR;
	machine_init(&m, V86);
	m.rflags |= rflags;
	m.cr4 |= cr4;
	m.rsi = rsi;
	how = machine_try(&m, code, end);
	check(same(how, wanted), "%s, flags %lx, VME %lx: %s, flags then %lx, ax %lx bx %lx sp %lx",
	      name, rflags, cr4, how, m.rflags, m.rax & 0xffff, m.rbx & 0xffff, m.rsp & 0xffff);
	defaults();
}
#define TRY_V86(name, wanted) try(name, name##_end, #name, wanted)

static void without_iopl(void)
{
	TRY_V86(cli_sti, "#GP(0)");
	TRY_V86(push_pop, "#GP(0)");
	TRY_V86(iret_code, "#GP(0)");
	TRY_V86(int_40, "#GP(0)");
	TRY_V86(int3, "#BP at +1");
	rflags = 0x800;
	TRY_V86(into, "#OF at +1");
	TRY_V86(cpuid_code, "done");
	TRY_V86(hlt_code, "#GP(0)");
	TRY_V86(rdmsr_code, "#GP(0)");
	TRY_V86(from_cr0, "#GP(0)");
	TRY_V86(smsw_code, "done");
	TRY_V86(lidt_code, "#GP(0)");
	TRY_V86(rdtsc_code, "done");
	TRY_V86(undefined, "#UD");
	rsi = 0xffff;
	TRY_V86(read_end, "#GP(0)");
	TRY_V86(segment_load, "done");
}

static void with_iopl(void)
{
	rflags = IOPL_3;
	TRY_V86(cli_sti, "done");
	rflags = IOPL_3;
	TRY_V86(push_pop, "done");
	rflags = IOPL_3;
	TRY_V86(iret_code, "done");
	rflags = IOPL_3;
	TRY_V86(int_40, "interrupt 40 at +2");
	/* IOPL is no right to ports here: the bitmap alone is. */
	rflags = IOPL_3;
	TRY_V86(out_80, "#GP(0)");
}

static void ports(void)
{
	machine_tss32.io[0x80 / 8] = 0xfe;
	TRY_V86(out_80, "done");
	machine_tss32.io[0x80 / 8] = 0xfe;
	TRY_V86(out_81, "#GP(0)");
	machine_tss32.io[0x80 / 8] = 0xfe;
	TRY_V86(in_word_80, "#GP(0)");
	machine_tss32.io[0x80 / 8] = 0xfc;
	TRY_V86(in_word_80, "done");
	machine_tss32.io[0x80 / 8] = 0xfe;
	TRY_V86(outs_80, "done");
	TRY_V86(outs_80, "#GP(0) at +3");
}

static void redirected(void)
{
	machine_tss32.redirection[0x40 / 8] = 0xfe;
	rflags = IF;
	cr4 = VME;
	TRY_V86(int_40, "#UD at +180");
	machine_tss32.redirection[0x40 / 8] = 0xfe;
	rflags = IF | IOPL_3;
	cr4 = VME;
	TRY_V86(int_40, "#UD at +180");
	cr4 = VME;
	TRY_V86(int_40, "#GP(0)");
	cr4 = VME;
	TRY_V86(cli_sti, "done");
	cr4 = VME;
	rflags = VIF;
	TRY_V86(push_pop, "done");
	cr4 = VME;
	rflags = VIP;
	TRY_V86(cli_sti, "#GP(0) at +3");
	cr4 = VME;
	rflags = VIF | VIP;
	TRY_V86(cpuid_code, "#GP(0)");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	struct machine m;

	(void)boot_magic;
	(void)boot_info;
	machine_init(&m, V86);
	defaults();
	without_iopl();
	with_iopl();
	ports();
	redirected();
	return checks_done();
}
