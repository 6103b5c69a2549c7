/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From CPL 3 to CPL 0 and back by SYSENTER, SYSCALL and call gates, with instructions that exit on
 * the other side, where segments are as no descriptor has them; and the 16-bit TSS.
 */
#include "guest/lib/guest.h"
#include "guest/lib/machine.h"

#define SYSENTER_CS  0x174
#define SYSENTER_ESP 0x175
#define SYSENTER_EIP 0x176
#define STAR         0xc0000081
#define LSTAR        0xc0000082
#define FMASK        0xc0000084
#define SCE          1
#define IF           0x200
#define TF           0x100
#define IOPL_3       0x3000

/* Descriptors in the order that SYSEXIT and SYSRET want them. */
enum { KERNEL_CODE, KERNEL_DATA, USER_CODE32, USER_DATA, USER_CODE64, USER_DATA_2, GATE, GATE_2 };
#define SEL(n) (SEL_TEST + 8 * (n))
#define BIG    (ACCESS_BIG | ACCESS_4K)

#define INNER       0x40   /* where the inner code begins, from TEST_CODE on */
#define INNER_STACK 0x5f00 /* in the page of TEST_DATA */
#define TSS16       0x5400
#define TSS16_SIZE  0x2c
#define TSS16_SP0   2
#define TSS16_SS0   4

/* Instructions that exit, with what they change put back: ECX and EDX wait in EBP and ESI. */
#define EXITS                                                                                      \
	"mov %ecx, %ebp\n mov %edx, %esi\n cpuid\n out %al, $0x80\n mov $0x277, %ecx\n rdmsr\n"    \
	"mov %ebp, %ecx\n mov %esi, %edx\n in $0x80, %al\n mov %cs, %edi\n mov %ss, %ebx\n"
#define EXITS64                                                                                    \
	"mov %rcx, %rbp\n mov %rdx, %rsi\n cpuid\n out %al, $0x80\n mov $0x277, %ecx\n rdmsr\n"    \
	"mov %rbp, %rcx\n mov %rsi, %rdx\n in $0x80, %al\n mov %cs, %edi\n mov %ss, %ebx\n"
#define INNER_OF(name) ".skip 0x40 - (. - " #name "), 0x90\n"
#define AT(name)       "$(0x2000 + 1f - " #name ")"

CODE32(sysenter32, "mov " AT(sysenter32) ", %edx\n mov %esp, %ecx\n sysenter\n" INNER_OF(sysenter32)
			   EXITS "sysexit\n 1: nop\n");
CODE64(sysenter64, "mov " AT(sysenter64) ", %edx\n mov %rsp, %rcx\n sysenter\n" INNER_OF(sysenter64)
			   EXITS64 "sysexitq\n 1: nop\n");
CODE64(sysenter_wrong,
       "mov $1, %edx\n ror $1, %rdx\n mov %rsp, %rcx\n sysenter\n" INNER_OF(sysenter_wrong) EXITS64
       "sysexitq\n");
CODE64(sysenter_wrong_stack,
       "mov " AT(sysenter_wrong_stack) ", %edx\n mov $1, %ecx\n ror $1, "
				       "%rcx\n sysenter\n" INNER_OF(sysenter_wrong_stack) EXITS64
       "sysexitq\n 1: nop\n");
/* From 64-bit code to compatibility mode and back to where that is an INC, then. */
CODE64(sysexit_to_32,
       "mov " AT(sysexit_to_32) ", %edx\n mov %rsp, %rcx\n sysenter\n" INNER_OF(sysexit_to_32)
	       EXITS64 "sysexitl\n 1: .byte 0x48, 0xff, 0xc0\n");
CODE32(sysenter_compat, "mov " AT(sysenter_compat) ", %edx\n mov %esp, %ecx\n sysenter\n" INNER_OF(
				sysenter_compat) ".code64\n" EXITS64 "sysexitl\n 1: nop\n");
CODE16(sysenter_v86,
       "mov $0x2000, %dx\n mov %sp, %cx\n sysenter\n" INNER_OF(sysenter_v86) ".code32\n" EXITS
									     "nop\n");
CODE64(syscall64, "syscall\n jmp 1f\n" INNER_OF(syscall64) EXITS64 "sysretq\n 1: nop\n");
CODE64(syscall_to_32, "syscall\n .byte 0x48, 0xff, 0xc0\n jmp 1f\n" INNER_OF(syscall_to_32) EXITS64
       "sysretl\n 1: nop\n");
CODE64(syscall_wrong,
       "syscall\n" INNER_OF(syscall_wrong) EXITS64 "mov $1, %ecx\n ror $1, %rcx\n sysretq\n");
CODE64(syscall_last,
       "syscall\n" INNER_OF(syscall_last) EXITS64 "mov $1, %ecx\n shl $47, %rcx\n sysretq\n");
CODE64(sysret_at_3, "sysretq\n");
CODE32(syscall_compat,
       "syscall\n jmp 1f\n" INNER_OF(syscall_compat) ".code64\n" EXITS64 "sysretl\n 1: nop\n");
CODE32(gate32, "push $1\n push $2\n lcall $0xa0, $0\n jmp 1f\n" INNER_OF(gate32) EXITS
       "lret $8\n 1: nop\n");
CODE32(gate16, "pushw $1\n pushw $2\n lcall $0xa0, $0\n jmp 1f\n" INNER_OF(gate16) EXITS
       "lretw $4\n 1: nop\n");
CODE64(gate64, "lcall *(%rdi)\n jmp 1f\n" INNER_OF(gate64) EXITS64 "lretq\n 1: nop\n");
CODE32(gate_compat,
       "lcall $0xa0, $0\n jmp 1f\n" INNER_OF(gate_compat) ".code64\n" EXITS64 "lretq\n 1: nop\n");

/* LTR, then IRET to CPL 3 or virtual-8086 mode; what is there stands behind. */
#define TO_USER "ltr %ax\n push %ebx\n push $0x4000\n push %ecx\n push %edx\n push %esi\n iret\n"
#define TO_V86                                                                                     \
	"ltr %ax\n push $0\n push $0\n push $0\n push $0\n push %ebx\n push $0x4000\n"             \
	"push %ecx\n push %edx\n push %esi\n iret\n"
CODE32(tss_ud2, TO_USER INNER_OF(tss_ud2));
CODE32(tss_int3, TO_USER INNER_OF(tss_int3) "int3\n");
CODE32(tss_int, TO_USER INNER_OF(tss_int) "int $0x41\n");
CODE32(tss_cpuid_step, TO_USER INNER_OF(tss_cpuid_step) "cpuid\n");
CODE32(tss_in, TO_USER INNER_OF(tss_in) "in $0x80, %al\n");
CODE32(tss_out, TO_USER INNER_OF(tss_out) "out %al, $0x80\n");
CODE32(tss_ins, TO_USER INNER_OF(tss_ins) "mov $0x80, %edx\n insb\n");
CODE32(tss_outs, TO_USER INNER_OF(tss_outs) "mov $0x80, %edx\n outsb\n");
CODE32(tss_gate,
       TO_USER INNER_OF(
	       tss_gate) "mov %cs, %edi\n test $3, %edi\n jnz 2f\n mov %ss, %ebx\n cpuid\n"
			 "mov %cs, %edi\n mov %ss, %ebx\n lret\n 2: lcall $0xa0, $0\n nop\n");
CODE32(tss_v86_in, TO_V86 INNER_OF(tss_v86_in) "in $0x80, %al\n");
CODE32(tss_v86_outs, TO_V86 INNER_OF(tss_v86_outs) ".byte 0xba, 0x80, 0\n outsb\n");
CODE32(tss_v86_int3, TO_V86 INNER_OF(tss_v86_int3) "int3\n");
CODE32(tss_v86_cpuid, TO_V86 INNER_OF(tss_v86_cpuid) "cpuid\n");

static void tell(const struct machine *m, enum place place, const char *name, const char *how,
		 const char *wanted)
{
	check(!wanted || same(how, wanted),
	      "%s, %s: %s, rip %lx cs %lx ss %lx rsp %lx flags %lx, inside cs %lx ss %lx",
	      place_name(place), name, how, m->rip, m->cs, m->ss, m->rsp, m->rflags, m->rdi,
	      m->rbx);
}

static void init(struct machine *m, enum place place)
{
	bool is_long = place_is_long(place);

	machine_init(m, place);
	descriptor_set(KERNEL_CODE, 0, 0xfffff,
		       ACCESS_CODE | ACCESS_4K | (is_long ? ACCESS_L : ACCESS_BIG));
	descriptor_set(KERNEL_DATA, 0, 0xfffff, ACCESS_DATA | BIG);
	descriptor_set(USER_CODE32, 0, 0xfffff, ACCESS_CODE | ACCESS_USER | BIG);
	descriptor_set(USER_DATA, 0, 0xfffff, ACCESS_DATA | ACCESS_USER | BIG);
	descriptor_set(USER_CODE64, 0, 0xfffff, ACCESS_CODE | ACCESS_USER | ACCESS_L | ACCESS_4K);
	descriptor_set(USER_DATA_2, 0, 0xfffff, ACCESS_DATA | ACCESS_USER | BIG);
	m->rflags |= IOPL_3;
}

static void try(enum place place, const uint8_t *code, const uint8_t *end, uint64_t rflags,
		const char *wanted, const char *name)
{
	struct machine m;
	const char *how;

	init(&m, place);
	wrmsr(SYSENTER_CS, SEL(KERNEL_CODE));
	wrmsr(SYSENTER_ESP, INNER_STACK);
	wrmsr(SYSENTER_EIP, TEST_CODE + INNER);
	if (place_is_long(place)) {
		m.efer |= SCE;
		wrmsr(0xc0000080, rdmsr(0xc0000080) | SCE);
		wrmsr(STAR, (uint64_t)SEL(USER_CODE32) << 48 | (uint64_t)SEL_CODE64 << 32);
		wrmsr(LSTAR, TEST_CODE + INNER);
		wrmsr(FMASK, 0x47700);
	}
	m.rflags |= rflags;
	*memory32(TEST_DATA) = 0;
	*memory16(TEST_DATA + 4) = SEL(GATE) | 3;
	m.rdi = TEST_DATA;
	how = machine_try(&m, code, end);
	tell(&m, place, name, how, wanted);
}
#define CROSS(place, name, flags, wanted) try(place, name, name##_end, flags, wanted, #name)

static void fast_calls(void)
{
	CROSS(USER32, sysenter32, 0, "done");
	CROSS(PAGED32, sysenter32, 0, "done");
	CROSS(USER32, sysenter32, TF, NULL);
	CROSS(V86, sysenter_v86, 0, "done");
	CROSS(LONG_USER64, sysenter64, 0, "done");
	CROSS(LONG_USER64, sysenter_wrong, 0, NULL);
	CROSS(LONG_USER64, sysenter_wrong_stack, 0, NULL);
	CROSS(LONG_USER64, sysexit_to_32, 0, "done");
	CROSS(COMPAT_USER32, sysenter_compat, 0, "done");
	CROSS(LONG_USER64, syscall64, 0, "done");
	CROSS(LONG_USER64, syscall64, TF, NULL);
	CROSS(LONG_USER64, syscall64, IF, "done");
	CROSS(LONG64, syscall64, 0, "done");
	CROSS(LONG_USER64, syscall_to_32, 0, "done");
	CROSS(LONG_USER64, syscall_wrong, 0, NULL);
	CROSS(LONG_USER64, syscall_last, 0, NULL);
	CROSS(LONG_USER64, sysret_at_3, 0, "#GP(0)");
	CROSS(COMPAT_USER32, syscall_compat, 0, NULL);
}

static void set_gate(uint32_t type, uint32_t count, uint16_t selector)
{
	guest_gdt[SEL(GATE) / 8] = (TEST_CODE + INNER) | (uint64_t)selector << 16 |
				   (uint64_t)count << 32 | (uint64_t)type << 40;
	guest_gdt[SEL(GATE_2) / 8] = 0;
}

static void gates(void)
{
	set_gate(0xec, 2, SEL_CODE32);
	CROSS(USER32, gate32, 0, "done");
	CROSS(USER32, gate32, TF, NULL);
	CROSS(PAGED32, gate32, 0, NULL);
	set_gate(0xe4, 2, SEL_CODE32);
	CROSS(USER32, gate16, 0, "done");
	set_gate(0x8c, 0, SEL_CODE32);
	CROSS(USER32, gate32, 0, "#GP(a0) at +4");
	set_gate(0xec, 0, SEL_CODE64);
	CROSS(LONG_USER64, gate64, 0, "done");
	CROSS(LONG64, gate64, 0, NULL);
	CROSS(COMPAT_USER32, gate_compat, 0, "done");
	set_gate(0xec, 0, SEL_CODE32);
	CROSS(LONG_USER64, gate64, 0, "#GP(18)");
	set_gate(0xe4, 0, SEL_CODE64);
	CROSS(LONG_USER64, gate64, 0, "#GP(a0)");
	set_gate(0x6c, 0, SEL_CODE64);
	CROSS(LONG_USER64, gate64, 0, "#NP(a0)");
}

/* --- The 16-bit TSS --- */

static void with_tss16(uint32_t limit, uint64_t rflags, const uint8_t *code, const uint8_t *end,
		       const char *wanted, const char *name)
{
	bool v86 = rflags & 0x20000;
	struct machine m;
	const char *how;

	init(&m, PAGED32);
	*memory16(TSS16 + TSS16_SP0) = INNER_STACK;
	*memory16(TSS16 + TSS16_SS0) = SEL_DATA;
	descriptor_set(KERNEL_CODE, TSS16, limit, 0x81);
	m.rax = SEL(KERNEL_CODE);
	m.rbx = v86 ? 0 : SEL_USER_DATA;
	m.rcx = rflags | 2;
	m.rdx = v86 ? 0 : SEL_USER_CODE32;
	m.ds = m.es = SEL_USER_DATA;
	m.rsi = TEST_CODE + INNER;
	m.rflags = 2;
	/* Its descriptor is the library's again before 64-bit mode is. */
	how = machine_try(&m, code, end);
	/* What CPUID tells is not the same under Plinth. */
	if (code == tss_cpuid_step || code == tss_v86_cpuid)
		m.rbx = 0;
	tell(&m, PAGED32, name, how, wanted);
}
#define WITH(name, limit, flags, wanted) with_tss16(limit, flags, name, name##_end, wanted, #name)
#define VM                               0x20000

static void tss16(void)
{
	uint32_t limit = TSS16_SIZE - 1;

	WITH(tss_ud2, limit, 0, "done");
	WITH(tss_int3, limit, 0, "#BP at +41");
	WITH(tss_int, limit, 0, NULL);
	WITH(tss_cpuid_step, limit, TF, "#DB(4000) at +42");
	WITH(tss_in, limit, 0, "#GP(0) at +40");
	WITH(tss_out, limit, 0, "#GP(0) at +40");
	WITH(tss_ins, limit, 0, "#GP(0) at +45");
	WITH(tss_outs, limit, 0, "#GP(0) at +45");
	WITH(tss_in, limit, IOPL_3, "done");
	WITH(tss_outs, limit, IOPL_3, "done");
	/* As if there were a bitmap. */
	WITH(tss_in, 0x2fff, 0, "#GP(0) at +40");
	set_gate(0xec, 0, SEL_CODE32);
	WITH(tss_gate, limit, IOPL_3, NULL);
	WITH(tss_v86_in, limit, VM, "#GP(0) at +40");
	WITH(tss_v86_in, 0x2fff, VM | IOPL_3, "#GP(0) at +40");
	WITH(tss_v86_outs, limit, VM | IOPL_3, "#GP(0) at +43");
	WITH(tss_v86_int3, limit, VM | IOPL_3, NULL);
	WITH(tss_v86_cpuid, limit, VM, "done");
}

int guest_main(uint32_t boot_magic, uint32_t boot_info)
{
	(void)boot_magic;
	(void)boot_info;
	fast_calls();
	gates();
	tss16();
	return checks_done();
}
