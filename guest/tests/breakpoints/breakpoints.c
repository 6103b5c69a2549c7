/* SPDX-License-Identifier: BSD-2-Clause */
/* Breakpoints on instructions, data and ports, around instructions that exit; RF; and #DB that
 * waits behind MOV SS. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define BOTH     "tells the next instruction's breakpoint along with the step"
#define REPEATED "pushes RF as 0 between the elements of a repeated instruction"
#define CR4_DE   8
#define RF       0x10000
#define TF       0x100

/* DR7: breakpoint 0 globally on, with exactness asked for. Type and length of it: */
#define ON        0x602
#define EXECUTE   (0x0 << 16)
#define WRITE     (0x1 << 16)
#define PORT      (0x2 << 16)
#define READWRITE (0x3 << 16)
#define WORD      (0x1 << 18)
#define LONGWORD  (0x3 << 18)

CODE64(cpuid_nop, "cpuid\n nop\n nop\n");
CODE64(nop_cpuid, "nop\n cpuid\n nop\n");
CODE64(out_nop, "out %al, $0x80\n nop\n");
CODE64(in_nop, "in $0x80, %al\n nop\n");
CODE64(out_dx, "out %eax, %dx\n nop\n");
CODE64(outs, "mov %rdi, %rsi\n mov $0x80, %dx\n outsb\n nop\n");
CODE64(ins, "mov $0x80, %dx\n insb\n nop\n");
CODE64(rep_outs, "mov %rdi, %rsi\n mov $0x80, %dx\n mov $3, %ecx\n rep outsb\n nop\n");
CODE64(write_byte, "mov %al, (%rdi)\n nop\n");
CODE64(read_byte, "mov (%rdi), %al\n nop\n");
CODE64(write_before, "mov %al, -1(%rdi)\n nop\n");
CODE64(write_around, "mov %eax, -2(%rdi)\n nop\n");
CODE64(write_cpuid, "mov %al, (%rdi)\n cpuid\n");
CODE64(device_read, "mov $0xfeb00000, %ebx\n mov (%rbx), %eax\n nop\n");
CODE64(device_string, "mov $0xfeb00000, %esi\n mov $5, %ecx\n rep lodsb\n nop\n");
CODE64(ss_nop, "mov (%rdi), %ss\n nop\n nop\n");
CODE64(ss_cpuid, "mov (%rdi), %ss\n cpuid\n nop\n");
CODE64(ss_out, "mov (%rdi), %ss\n out %al, $0x80\n nop\n");
CODE64(ss_wrmsr, "mov (%rdi), %ss\n wrmsr\n nop\n");
CODE64(ss_cr0, "mov (%rdi), %ss\n mov %rax, %cr0\n nop\n");
CODE64(ss_ud2, "mov (%rdi), %ss\n ud2\n nop\n");
CODE64(ss_vmxoff, "mov (%rdi), %ss\n vmxoff\n nop\n");
CODE64(ss_bad_msr, "mov (%rdi), %ss\n rdmsr\n nop\n");
CODE64(ss_ss_nop, "mov (%rdi), %ss\n mov %rbx, %ss\n nop\n nop\n");
CODE64(rep_outs_many, "mov $0x2a0, %dx\n rep outsb\n nop\n nop\n");
CODE64(rep_outs_alone, "rep outsb\n nop\n");
CODE64(rep_ins_many, "mov $0x2a0, %dx\n rep insb\n nop\n nop\n");
CODE64(device_many, "mov $0xfeb00000, %esi\n rep lodsb\n nop\n nop\n");
CODE64(rdmsr_nop, "rdmsr\n nop\n nop\n");
CODE64(wbinvd_nop, "wbinvd\n nop\n nop\n");
CODE64(vmxoff_nop, "vmxoff\n nop\n");
CODE64(cr0_nop, "mov %rax, %cr0\n nop\n");
CODE64(cr3_nop, "mov %cr3, %rax\n nop\n");
CODE64(dr7_read, "mov %dr7, %rax\n nop\n");
CODE64(device_modify, "mov $0xfeb00000, %ebx\n lock addl $1, (%rbx)\n nop\n");
CODE64(device_write, "mov $0xfeb00000, %ebx\n mov %eax, 2(%rbx)\n nop\n");
CODE64(device_to_memory, "mov $0xfeb00000, %esi\n movsb\n nop\n");
CODE64(outs_wide, "mov %rdi, %rsi\n mov $0x2a0, %dx\n outsl\n nop\n");
CODE64(ins_wide, "mov $0x2a0, %dx\n insl\n nop\n");
CODE64(rep_ins, "mov $0x80, %dx\n mov $3, %ecx\n rep insb\n nop\n");
CODE64(hlt_nop, "hlt\n nop\n");
CODE32(out_32, "out %al, $0x80\n nop\n");
CODE32(device_read_32, "mov $0xfeb00000, %ebx\n mov (%ebx), %eax\n nop\n");
CODE16(outs_16, "mov %di, %si\n mov $0x80, %dx\n outsb\n nop\n");
CODE32(cpuid_nop_32, "cpuid\n nop\n nop\n");
CODE32(ss_cpuid_32, "mov (%edi), %ss\n cpuid\n nop\n");
CODE16(ss_cpuid_16, "mov (%di), %ss\n cpuid\n nop\n");

static uint64_t address, second, dr7, cr4, rflags, rcx, rax, rdx;
static const char *in_bochs;

static void defaults(void)
{
	address = TEST_DATA;
	second = 0;
	dr7 = ON;
	cr4 = CR4_DE;
	rflags = rcx = rax = 0;
	rdx = 0x80;
	in_bochs = NULL;
}

static void try(enum place place, const uint8_t *code, const uint8_t *end, const char *wanted,
		const char *name)
{
	struct machine m;
	const char *how;

	machine_init(&m, place);
	m.rdi = TEST_DATA;
	m.rdx = rdx;
	m.rcx = rcx;
	m.rax = rax;
	m.rbx = m.ss;
	m.cr4 |= cr4;
	m.rflags |= rflags;
	*memory16(TEST_DATA) = (uint16_t)m.ss;
	asm volatile("mov %0, %%dr0" : : "r"(address));
	asm volatile("mov %0, %%dr1" : : "r"(second));
	asm volatile("mov %0, %%dr7" : : "r"(dr7));
	how = machine_try(&m, code, end);
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	if (in_bochs)
		check_bochs(same(how, wanted), in_bochs,
			    "%s: %s, breakpoint %x at %lx, flags %lx: %s", place_name(place), name,
			    (uint32_t)dr7 >> 16, address, rflags, how);
	else
		check(same(how, wanted),
		      "%s: %s, breakpoint %x at %lx, flags %lx: %s, pushed RF is %u",
		      place_name(place), name, (uint32_t)dr7 >> 16, address, rflags, how,
		      (uint32_t)(m.rflags >> 16 & 1));
	defaults();
}
#define TRY_IN(place, name, wanted) try(place, name, name##_end, wanted, #name)
#define BREAK(name, wanted)         TRY_IN(LONG64, name, wanted)

static void on_instructions(void)
{
	address = TEST_CODE;
	BREAK(cpuid_nop, "#DB(1)");
	address = TEST_CODE;
	rflags = RF;
	BREAK(cpuid_nop, "done");
	/* RF is for one instruction, whether that exits or not. */
	address = TEST_CODE + 1;
	rflags = RF;
	BREAK(nop_cpuid, "#DB(1) at +1");
	address = TEST_CODE + 2;
	rflags = RF;
	BREAK(cpuid_nop, "#DB(1) at +2");
	address = TEST_CODE + 2;
	rflags = RF;
	BREAK(out_nop, "#DB(1) at +2");
	address = TEST_CODE + 2;
	rflags = RF;
	TRY_IN(PROTECTED32, cpuid_nop_32, "#DB(1) at +2");
	/* On any instruction that exits, before it and its faults; and RF lets it pass. */
	address = TEST_CODE;
	rcx = 0x277;
	BREAK(rdmsr_nop, "#DB(1)");
	address = TEST_CODE + 2;
	rcx = 0x277;
	rflags = RF;
	BREAK(rdmsr_nop, "#DB(1) at +2");
	address = TEST_CODE;
	rcx = 0x12345;
	BREAK(rdmsr_nop, "#DB(1)");
	address = TEST_CODE;
	rcx = 0x12345;
	rflags = RF;
	BREAK(rdmsr_nop, "#GP(0)");
	address = TEST_CODE;
	BREAK(wbinvd_nop, "#DB(1)");
	address = TEST_CODE;
	BREAK(hlt_nop, "#DB(1)");
	address = TEST_CODE;
	BREAK(vmxoff_nop, "#DB(1)");
	address = TEST_CODE;
	rflags = RF;
	BREAK(vmxoff_nop, "#UD");
	address = TEST_CODE;
	rax = 0xc0010031;
	BREAK(cr0_nop, "#DB(1)");
	address = TEST_CODE + 3;
	rax = 0xc0010031;
	rflags = RF;
	BREAK(cr0_nop, "#DB(1) at +3");
	address = TEST_CODE;
	BREAK(cr3_nop, "#DB(1)");
	address = TEST_CODE;
	BREAK(dr7_read, "#DB(1)");
	address = TEST_CODE + 3;
	rflags = RF;
	BREAK(dr7_read, "#DB(1) at +3");
	/* Many elements: it is met before the first alone, and what is behind the last then. */
	address = TEST_CODE + 4;
	rcx = 600;
	BREAK(rep_outs_many, "#DB(1) at +4");
	address = TEST_CODE + 6;
	rcx = 600;
	BREAK(rep_outs_many, "#DB(1) at +6");
	address = TEST_CODE;
	rcx = 600;
	rdx = 0x2a0;
	rflags = RF;
	BREAK(rep_outs_alone, "done");
	address = TEST_CODE + 6;
	rcx = 600;
	BREAK(rep_ins_many, "#DB(1) at +6");
	address = TEST_CODE + 7;
	rcx = 600;
	BREAK(device_many, "#DB(1) at +7");
	/* Both: the step over the first, and the breakpoint on the second. */
	address = TEST_CODE + 2;
	rflags = TF;
	in_bochs = BOTH;
	BREAK(cpuid_nop, "#DB(4000) at +2");
	address = TEST_CODE + 2;
	rflags = RF | TF;
	in_bochs = BOTH;
	BREAK(cpuid_nop, "#DB(4000) at +2");
}

static void on_data(void)
{
	dr7 = ON | WRITE;
	BREAK(write_byte, "#DB(1) at +2");
	dr7 = ON | WRITE;
	BREAK(read_byte, "done");
	dr7 = ON | READWRITE;
	BREAK(read_byte, "#DB(1) at +2");
	dr7 = ON | WRITE;
	BREAK(write_before, "done");
	dr7 = ON | WRITE;
	BREAK(write_around, "#DB(1) at +3");
	dr7 = ON | WRITE | LONGWORD;
	address = TEST_DATA + 2;
	BREAK(write_before, "done");
	dr7 = ON | WRITE;
	rflags = TF;
	BREAK(write_byte, "#DB(4001) at +2");
	dr7 = ON | WRITE;
	BREAK(write_cpuid, "#DB(1) at +2");
	/* The memory side of string I/O. */
	dr7 = ON | READWRITE;
	BREAK(outs, "#DB(1) at +8");
	dr7 = ON | WRITE;
	BREAK(ins, "#DB(1) at +5");
	/* And of accesses to where there is no memory. */
	dr7 = ON | READWRITE;
	address = 0xfeb00003;
	BREAK(device_read, "#DB(1) at +7");
	dr7 = ON | WRITE;
	address = 0xfeb00000;
	BREAK(device_read, "done");
	dr7 = ON | READWRITE;
	address = 0xfeb00004;
	in_bochs = REPEATED;
	BREAK(device_string, "#DB(1) at +c");
}

/* Two at once, of data and of a port, or that none of the access is in. */
static void on_two(void)
{
	address = TEST_DATA;
	second = 0x2a2;
	dr7 = ON | 8 | READWRITE | PORT << 4;
	BREAK(outs_wide, "#DB(3) at +8");
	address = TEST_DATA;
	second = 0x2a4;
	dr7 = ON | 8 | READWRITE | PORT << 4;
	BREAK(outs_wide, "#DB(1) at +8");
	address = TEST_DATA + 3;
	second = 0x2a3;
	dr7 = ON | 8 | WRITE | PORT << 4;
	BREAK(ins_wide, "#DB(3) at +5");
	address = TEST_DATA + 4;
	second = 0x2a3;
	dr7 = ON | 8 | WRITE | PORT << 4;
	BREAK(ins_wide, "#DB(2) at +5");
	address = TEST_DATA + 4;
	second = 0x29e;
	dr7 = ON | 8 | WRITE | (PORT | WORD) << 4;
	BREAK(ins_wide, "done");
	address = 0xfeb00000;
	second = TEST_DATA;
	dr7 = ON | 8 | READWRITE | WRITE << 4;
	BREAK(device_to_memory, "#DB(3) at +6");
	address = 0xfeb00003;
	second = 0xfeb00000;
	dr7 = ON | 8 | WRITE | (READWRITE | LONGWORD) << 4;
	BREAK(device_modify, "#DB(3) at +9");
	address = 0xfeb00001;
	second = 0xfeb00005;
	dr7 = ON | 8 | WRITE | WRITE << 4;
	BREAK(device_write, "#DB(2) at +8");
	/* By local enables, and by none. */
	dr7 = 0x501 | READWRITE;
	BREAK(outs, "#DB(1) at +8");
	dr7 = 0x700 | READWRITE;
	BREAK(outs, "done");
	/* In other modes. */
	address = 0x80;
	dr7 = ON | PORT;
	TRY_IN(PROTECTED32, out_32, "#DB(1) at +2");
	address = 0x80;
	dr7 = ON | PORT;
	TRY_IN(PAE32, out_32, "#DB(1) at +2");
	address = 0xfeb00001;
	dr7 = ON | READWRITE;
	TRY_IN(COMPAT32, device_read_32, "#DB(1) at +7");
	address = 0xfeb00001;
	dr7 = ON | READWRITE;
	TRY_IN(PROTECTED32, device_read_32, "#DB(1) at +7");
	dr7 = ON | READWRITE;
	TRY_IN(REAL, outs_16, "#DB(1) at +6");
	address = 0x80;
	dr7 = ON | PORT;
	TRY_IN(REAL, outs_16, "#DB(1) at +6");
	/* Without CR4.DE there are none on ports. */
	address = 0x80;
	dr7 = ON | PORT;
	cr4 = 0;
	BREAK(out_nop, "done");
	address = 0x80;
	dr7 = ON | PORT;
	in_bochs = REPEATED;
	BREAK(rep_ins, "#DB(1) at +a");
}

static void on_ports(void)
{
	address = 0x80;
	dr7 = ON | PORT;
	BREAK(out_nop, "#DB(1) at +2");
	address = 0x80;
	dr7 = ON | PORT;
	BREAK(in_nop, "#DB(1) at +2");
	address = 0x82;
	dr7 = ON | PORT | WORD;
	BREAK(out_dx, "#DB(1) at +1");
	address = 0x84;
	dr7 = ON | PORT;
	BREAK(out_dx, "done");
	address = 0x80;
	dr7 = ON | PORT;
	BREAK(outs, "#DB(1) at +8");
	address = 0x80;
	dr7 = ON | PORT;
	in_bochs = REPEATED;
	BREAK(rep_outs, "#DB(1) at +c");
	address = 0x80;
	dr7 = ON | PORT;
	rflags = TF;
	BREAK(out_nop, "#DB(4001) at +2");
}

/* MOV SS from memory with a breakpoint puts #DB off until the next instruction is done. */
static void behind_mov_ss(void)
{
	dr7 = ON | READWRITE;
	BREAK(ss_nop, "#DB(1) at +3");
	dr7 = ON | READWRITE;
	BREAK(ss_cpuid, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	TRY_IN(PROTECTED32, ss_cpuid_32, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	TRY_IN(REAL, ss_cpuid_16, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	BREAK(ss_out, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	rcx = 0x174;
	BREAK(ss_wrmsr, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	rcx = 0xc0000080;
	rax = 0x900;
	rdx = 0;
	BREAK(ss_wrmsr, "#DB(1) at +4");
	dr7 = ON | READWRITE;
	rax = 0xc0010031;
	BREAK(ss_cr0, "#DB(1) at +5");
	dr7 = ON | READWRITE;
	rflags = TF;
	BREAK(ss_cpuid, "#DB(4001) at +4");
	dr7 = ON | READWRITE;
	BREAK(ss_ss_nop, "#DB(1) at +4");
	/* A fault of the next instruction comes first, and nothing is left behind it. */
	dr7 = ON | READWRITE;
	BREAK(ss_ud2, "#UD at +2");
	dr7 = ON | READWRITE;
	BREAK(ss_vmxoff, "#UD at +2");
	dr7 = ON | READWRITE;
	rcx = 0x12345;
	BREAK(ss_bad_msr, "#GP(0) at +2");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	defaults();
	on_instructions();
	on_data();
	on_ports();
	on_two();
	behind_mov_ss();
	return checks_done();
}
