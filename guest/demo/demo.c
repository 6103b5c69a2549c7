/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demo guest: causes each kind of VM exit once, in the plainest way, and checks what comes
 * back. Read it beside the trace: each check is announced by the lines that its instruction makes
 * there.
 */
#define PLINTH_GUEST
#include "guest/lib/guest.h"
#include "vcpu/hypercall.h"

#define MSR_EFER       0xc0000080
#define MSR_PAT        0x277
#define MSR_TSC_ADJUST 0x3b
#define MSR_UNKNOWN    0x12345

#define CR0_CD      (1ull << 30)
#define CR4_OSXSAVE (1ull << 18)
#define NOBODY      0xfeb00000ull /* device space where nothing answers */
#define TEST_VECTOR 0x40

static volatile unsigned interrupts, nmis, steps;
static bool nmi_again;

static bool same(const char *a, const uint32_t *words)
{
	const char *b = (const char *)words;

	for (unsigned i = 0; i < 12; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static void demo_cpuid(void)
{
	struct cpuid leaf = cpuid(0x40000000, 0);
	uint32_t name[3] = {leaf.ebx, leaf.ecx, leaf.edx};

	check(same(PLINTH_SIGNATURE, name), "CPUID: the hypervisor calls itself " PLINTH_SIGNATURE);
	check(cpuid(1, 0).ecx >> 31 == 1, "CPUID: leaf 1 says that this is a virtual machine");
	check((cpuid(1, 0).ecx >> 5 & 1) == 0, "CPUID: and that it has no VMX of its own");
}

static void demo_vmcall(void)
{
	check(plinth_call(PLINTH_VERSION, 0, 0, 0) == PLINTH_ABI_VERSION,
	      "VMCALL: the ABI is version 1");
	check(plinth_call(PLINTH_MARK, 1, 0x600d, 0) == 0, "VMCALL: a mark in the trace");
	check(plinth_call((enum plinth_call)999, 0, 0, 0) == PLINTH_ENOSYS,
	      "VMCALL: there is no call 999");
}

static void demo_ports(void)
{
	static const char text[] = "# REP OUTSB wrote this line to the serial port\r\n";
	const char *at = text;
	uint64_t count = sizeof(text) - 1;
	uint16_t words[2] = {0, 0};
	void *to = words;

	out8(0x80, 0x5a);
	check(in8(0x80) == 0x5a, "OUT and IN: port 80h keeps a byte");
	out32(0xcf8, 0x80000000);
	check(in32(0xcf8) == 0x80000000,
	      "OUT and IN, 32 bits: the PCI address register reads back");
	check(in32(0xcfc) == 0xffffffff, "IN: no PCI device answers");
	check(in16(0x2e8) == 0xffff, "IN, 16 bits: a port that nobody claims reads as ones");
	asm volatile("rep outsb" : "+S"(at), "+c"(count) : "d"((uint16_t)0x3f8) : "memory");
	check(count == 0 && at == text + sizeof(text) - 1, "REP OUTSB: RCX and RSI have moved on");
	count = 2;
	asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"((uint16_t)0x2e8) : "memory");
	check(count == 0 && words[0] == 0xffff && words[1] == 0xffff,
	      "REP INSW: two words of ones");
}

static void demo_msrs(void)
{
	uint64_t pat = rdmsr(MSR_PAT);

	check((rdmsr(MSR_EFER) & 0x500) == 0x500, "RDMSR: IA32_EFER has LME and LMA");
	wrmsr(MSR_PAT, pat ^ 0x0100000000000000);
	check(rdmsr(MSR_PAT) == (pat ^ 0x0100000000000000), "WRMSR: IA32_PAT takes another type");
	wrmsr(MSR_PAT, pat);
	TRY("rdmsr", : : "c"(MSR_UNKNOWN) : "eax", "edx");
	check(last_fault.happened && last_fault.vector == 13 && last_fault.error == 0,
	      "RDMSR: an MSR that does not exist is #GP(0)");
	TRY("wrmsr", : : "c"(MSR_PAT), "a"(2), "d"(0));
	check(last_fault.happened && last_fault.vector == 13,
	      "WRMSR: a reserved memory type is #GP(0)");
}

static void demo_control_registers(void)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4();

	write_cr0(cr0 | CR0_CD);
	check(read_cr0() & CR0_CD, "MOV to CR0: CD reads back as set");
	write_cr0(cr0);
	TRY("mov %0, %%cr0", : : "r"(cr0 & ~1ull));
	check(last_fault.happened && last_fault.vector == 13,
	      "MOV to CR0: paging without protection is #GP(0)");
	check((cr4 & 1 << 13) == 0, "MOV from CR4: VMXE, which the host needs, is not to be seen");
	write_cr8(5);
	check(read_cr8() == 5, "MOV to and from CR8: the task priority");
	write_cr8(0);
	if (!(cpuid(1, 0).ecx >> 26 & 1))
		return;
	write_cr4(cr4 | CR4_OSXSAVE);
	check(cpuid(1, 0).ecx >> 27 & 1, "MOV to CR4: CPUID mirrors OSXSAVE");
	TRY("xsetbv", : : "c"(0), "a"(3), "d"(0));
	check(!last_fault.happened && xgetbv() == 3, "XSETBV: x87 and SSE state on");
	TRY("xsetbv", : : "c"(0), "a"(2), "d"(0));
	check(last_fault.happened && last_fault.vector == 13, "XSETBV: without x87 is #GP(0)");
}

static void demo_instructions(void)
{
	asm volatile("wbinvd" : : : "memory");
	asm volatile("invd" : : : "memory");
	check(true, "WBINVD and INVD: nothing is lost");
	TRY("vmxoff", : : : "cc");
	check(last_fault.happened && last_fault.vector == 6,
	      "VMXOFF: #UD, as on a processor without VMX");
	TRY("rsm");
	check(last_fault.happened && last_fault.vector == 6,
	      "RSM: #UD outside system-management mode");
	TRY("mwait", : : "a"(0), "c"(0));
	check(last_fault.happened && last_fault.vector == 6,
	      "MWAIT: #UD, as CPUID does not offer it");
	TRY("rdpmc", : : "c"(0) : "eax", "edx");
	check(last_fault.happened && last_fault.vector == 13,
	      "RDPMC: #GP(0), there are no counters");
}

static void demo_memory(void)
{
	volatile uint32_t *nobody = (volatile uint32_t *)NOBODY;

	check(*nobody == 0xffffffff, "EPT violation: device space without a device reads as ones");
	*nobody = 1;
	check(*nobody == 0xffffffff, "EPT violation: what is written there is gone");
}

static void on_interrupt(struct trap_frame *frame)
{
	(void)frame;
	interrupts++;
}

static void on_nmi(struct trap_frame *frame)
{
	(void)frame;
	nmis++;
	if (nmi_again) {
		nmi_again = false;
		plinth_call(PLINTH_NMI, 0, 0, 0);
	}
}

static void on_debug(struct trap_frame *frame)
{
	steps++;
	frame->rflags &= ~(1ull << 8);
}

static void demo_events(void)
{
	trap_handlers[TEST_VECTOR] = on_interrupt;
	trap_handlers[2] = on_nmi;
	trap_handlers[1] = on_debug;

	plinth_call(PLINTH_INTERRUPT, TEST_VECTOR, 0, 0);
	check(interrupts == 0, "interrupt: stays pending while interrupts are off");
	asm volatile("sti; nop; nop; cli");
	check(interrupts == 1, "interrupt window: delivered once they are on");
	plinth_call(PLINTH_INTERRUPT, TEST_VECTOR, 0, 0);
	asm volatile("sti; hlt; cli");
	check(interrupts == 2, "HLT: the pending interrupt wakes it");
	nmi_again = true;
	plinth_call(PLINTH_NMI, 0, 0, 0);
	check(nmis == 2, "NMI and NMI window: the second waits for the end of the first");
	asm volatile("pushf; orl $0x100, (%%rsp); popf; nop" : : : "cc", "memory");
	check(steps == 1, "#DB: a single step goes through the host and back to the guest");
	asm volatile(".byte 0xf1"); /* INT1 */
	check(steps == 2, "INT1: likewise");
}

static void demo_timer(void)
{
	uint64_t hz = plinth_call(PLINTH_TSC_HZ, 0, 0, 0), start = rdtsc();

	while (rdtsc() - start < hz / 400)
		;
	check(true, "VMX-preemption timer: the host looked in during a loop of 2.5 ms");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_info;
	print("# The demo guest: every kind of VM exit, once.\n");
	check(boot_magic == 0x2badb002, "started by a Multiboot 1 loader");
	demo_cpuid();
	demo_vmcall();
	demo_ports();
	demo_msrs();
	demo_control_registers();
	demo_instructions();
	demo_memory();
	demo_events();
	demo_timer();
	return checks_done();
}
