/* SPDX-License-Identifier: BSD-2-Clause */
/* Unreal mode: real mode keeps the limits that protected mode loaded, over exits, interrupts and
 * loads of the segment registers. */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define HIGH 0x110000 /* above what real mode reaches */

CODE16(read_high, "addr32 mov (%esi), %eax\n");
CODE16(write_high, "addr32 mov %ax, (%esi)\n");
CODE16(read_other, "addr32 mov %es:(%esi), %eax\n");
CODE16(read_ss, "addr32 mov %ss:(%esi), %eax\n");
CODE16(after_cpuid,
       "push %eax\n mov $0x80000000, %eax\n cpuid\n pop %eax\n addr32 mov (%esi), %eax\n");
CODE16(after_out, "out %al, $0x80\n addr32 mov (%esi), %eax\n");
CODE16(after_cr0, "mov %cr0, %eax\n mov %eax, %cr0\n addr32 mov (%esi), %eax\n");
CODE16(after_wrmsr, "mov $0x277, %ecx\n rdmsr\n wrmsr\n addr32 mov (%esi), %eax\n");
CODE16(after_load,
       "mov $0x100, %ax\n mov %ax, %ds\n sub $0x1000, %esi\n addr32 mov (%esi), %eax\n");
CODE16(outs_high, "mov $0x80, %dx\n addr32 outsl\n");
CODE16(ins_high, "mov $0xeee0, %dx\n mov %esi, %edi\n addr32 insb\n addr32 mov (%esi), %eax\n");
CODE16(device, "mov $0xfeb00000, %esi\n addr32 mov (%esi), %eax\n");
/* In and out of protected mode without loading anything. */
CODE16(through_protected, "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n and $0xfe, %al\n mov "
			  "%eax, %cr0\n addr32 mov (%esi), %eax\n");
/* With a segment of 64 KiB loaded there. */
CODE16(made_small, "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n mov $0x28, %bx\n mov %bx, %ds\n "
		   "and $0xfe, %al\n mov %eax, %cr0\n"
		   "addr32 mov (%esi), %eax\n");
CODE16(made_large, "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n mov $0x10, %bx\n mov %bx, %ds\n "
		   "and $0xfe, %al\n mov %eax, %cr0\n"
		   "xor %bx, %bx\n mov %bx, %ds\n addr32 mov (%esi), %eax\n");
/* A 32-bit stack segment makes PUSH use ESP. */
CODE16(stack32, "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n mov $0x10, %bx\n mov %bx, %ss\n "
		"and $0xfe, %al\n mov %eax, %cr0\n"
		"xor %bx, %bx\n mov %bx, %ss\n mov %esp, %ebp\n mov %edx, %esp\n push $0x1357\n "
		"mov $0x80000000, %eax\n cpuid\n pop %bx\n mov %ebp, %esp\n");
/* A read-only segment of protected mode can be read, and an entry with it is no error. */
CODE16(read_only, "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n mov $0x70, %bx\n mov %bx, %ds\n "
		  "and $0xfe, %al\n mov %eax, %cr0\n"
		  "cpuid\n mov (%si), %al\n mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n mov "
		  "$0x28, %bx\n mov %bx, %ds\n"
		  "and $0xfe, %al\n mov %eax, %cr0\n");

static void try(enum place place, const uint8_t *code, const uint8_t *end, const char *name,
		const char *wanted, uint32_t wanted_eax)
{
	struct machine m;
	const char *how;

	*memory32(HIGH) = 0x600df00d;
	machine_init(&m, place);
	m.rsi = HIGH;
	m.rdx = HIGH + 0x100;
	m.rax = 0x80000000; /* a leaf that is the same everywhere */
	how = machine_try(&m, code, end);
	check(same(how, wanted) && (!wanted_eax || (uint32_t)m.rax == wanted_eax),
	      "%s: %s: %s, eax %lx, bx %lx", place_name(place), name, how, m.rax, m.rbx & 0xffff);
}
#define TRY_IN(place, name, wanted, eax) try(place, name, name##_end, #name, wanted, eax)

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	TRY_IN(REAL, read_high, "#GP", 0);
	TRY_IN(UNREAL, read_high, "done", 0x600df00d);
	TRY_IN(UNREAL, read_other, "done", 0x600df00d);
	TRY_IN(UNREAL, read_ss, "#SS", 0);
	TRY_IN(UNREAL, write_high, "done", 0);
	TRY_IN(UNREAL, after_cpuid, "done", 0x600df00d);
	TRY_IN(UNREAL, after_out, "done", 0x600df00d);
	TRY_IN(UNREAL, after_cr0, "done", 0x600df00d);
	TRY_IN(UNREAL, after_wrmsr, "done", 0x600df00d);
	TRY_IN(UNREAL, after_load, "done", 0x600df00d);
	TRY_IN(UNREAL, outs_high, "done", 0);
	TRY_IN(REAL, outs_high, "#GP at +3", 0);
	TRY_IN(UNREAL, ins_high, "done", 0x600df0ff);
	TRY_IN(UNREAL, device, "done", 0xffffffff);
	TRY_IN(REAL, through_protected, "#GP at +d", 0);
	TRY_IN(UNREAL, through_protected, "done", 0x600df00d);
	TRY_IN(UNREAL, made_small, "#GP at +12", 0);
	TRY_IN(REAL, made_large, "done", 0x600df00d);
	TRY_IN(REAL, stack32, "done", 0);
	descriptor_set(0, 0, 0xffff, 0x91);
	TRY_IN(REAL, read_only, "done", 0);
	return checks_done();
}
