/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the processor from 64-bit mode into any other mode with a given state, and back from there at the first exception or
 * interrupt, whose frame and registers it leaves in struct machine.
 */
#include "guest/lib/selectors.h"

#define FIELD(n) (MACHINE + 8 * (n))
#define REG(n)   FIELD(n)

#define EFER     0xc0000080
#define CR0_PE   0x00000001
#define CR0_PG   0x80000000
#define RFLAGS_VM 0x00020000

	.macro	efer_write_low from	/* keeps nothing of EAX, ECX, EDX */
	mov	$EFER, %ecx
	mov	\from, %eax
	xor	%edx, %edx
	wrmsr
	.endm

	/* --- Down: from 64-bit mode to where the state belongs. --- */

	.text
	.code64
	.globl	machine_enter
machine_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushfq
	cli
	mov	%rsp, home_rsp
	sidt	home_idt
	mov	%cr0, %rax
	mov	%rax, home_cr0
	mov	%cr3, %rax
	mov	%rax, home_cr3
	mov	%cr4, %rax
	mov	%rax, home_cr4
	mov	$EFER, %ecx
	rdmsr
	mov	%eax, home_efer
	cmpl	$KIND_LONG, FIELD(M_KIND)
	je	enter_long
	ljmp	*to_leave_long

enter_long:
	lidt	machine_idt64_pointer
	mov	FIELD(M_CR4), %rax
	mov	%rax, %cr4
	mov	FIELD(M_CR3), %rax
	mov	%rax, %cr3
	efer_write_low FIELD(M_EFER)
	mov	FIELD(M_CR0), %rax
	mov	%rax, %cr0
	mov	$hub_stack_top, %esp
	pushq	FIELD(M_SS)
	pushq	FIELD(M_RSP)
	pushq	FIELD(M_RFLAGS)
	pushq	FIELD(M_CS)
	pushq	FIELD(M_RIP)
	mov	FIELD(M_ES), %eax
	mov	%eax, %es
	mov	FIELD(M_DS), %eax
	mov	%eax, %ds
	mov	FIELD(M_FS), %eax
	mov	%eax, %fs
	mov	FIELD(M_GS), %eax
	mov	%eax, %gs
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	REG(\n), %r\n
	.endr
	mov	REG(1), %rcx
	mov	REG(2), %rdx
	mov	REG(3), %rbx
	mov	REG(5), %rbp
	mov	REG(6), %rsi
	mov	REG(7), %rdi
	mov	REG(0), %rax
	iretq

	.code32
leave_long:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$hub_stack_top, %esp
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	efer_write_low FIELD(M_EFER)
	mov	FIELD(M_CR4), %eax
	mov	%eax, %cr4
	mov	FIELD(M_CR3), %eax
	mov	%eax, %cr3
	cmpl	$KIND_REAL, FIELD(M_KIND)
	je	enter_real
	mov	FIELD(M_CR0), %eax
	mov	%eax, %cr0
	jmp	1f
1:	lidt	machine_idt32_pointer
	andb	$0xfd, guest_gdt + SEL_TSS32 + 5	/* no longer busy */
	mov	$SEL_TSS32, %eax
	ltr	%ax
	testl	$RFLAGS_VM, FIELD(M_RFLAGS)
	jz	1f
	pushl	FIELD(M_GS)
	pushl	FIELD(M_FS)
	pushl	FIELD(M_DS)
	pushl	FIELD(M_ES)
	jmp	2f
1:	testl	$3, FIELD(M_CS)
	jnz	2f
	mov	FIELD(M_SS), %eax
	mov	FIELD(M_RSP), %esp
	mov	%eax, %ss
	jmp	3f
2:	pushl	FIELD(M_SS)
	pushl	FIELD(M_RSP)
3:	pushl	FIELD(M_RFLAGS)
	pushl	FIELD(M_CS)
	pushl	FIELD(M_RIP)
	testl	$RFLAGS_VM, FIELD(M_RFLAGS)
	jnz	4f
	mov	FIELD(M_ES), %eax
	mov	%eax, %es
	mov	FIELD(M_FS), %eax
	mov	%eax, %fs
	mov	FIELD(M_GS), %eax
	mov	%eax, %gs
	mov	FIELD(M_DS), %eax
	mov	%eax, %ds
4:	mov	%cs:REG(1), %ecx
	mov	%cs:REG(2), %edx
	mov	%cs:REG(3), %ebx
	mov	%cs:REG(5), %ebp
	mov	%cs:REG(6), %esi
	mov	%cs:REG(7), %edi
	mov	%cs:REG(0), %eax
	iret

	/* Unreal mode is real mode with the limits of the segments that were loaded last. */
enter_real:
	lidt	real_idt_pointer
	mov	$SEL_DATA16, %eax
	mov	%eax, %ss
	cmpl	$0, FIELD(M_FLAT)
	jne	1f
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	jmp	2f
1:	mov	$SEL_DATA, %eax
	mov	%eax, %fs
	mov	%eax, %gs
2:	ljmp	$SEL_CODE16, $LOW_BASE

	/* --- Up: back to 64-bit mode. --- */

	/* An entry of the 32-bit IDT has pushed error code and vector. */
trap32_common:
	push	%ds
	push	%eax
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	cmpl	$0, FIELD(M_SKIP_LEFT)
	jne	skip32
	.globl	trap32_end
trap32_end:
	popl	REG(0)
	popl	FIELD(M_DS)
	mov	%ecx, REG(1)
	mov	%edx, REG(2)
	mov	%ebx, REG(3)
	mov	%ebp, REG(5)
	mov	%esi, REG(6)
	mov	%edi, REG(7)
	mov	%es, FIELD(M_ES)
	mov	%fs, FIELD(M_FS)
	mov	%gs, FIELD(M_GS)
	popl	FIELD(M_VECTOR)
	popl	FIELD(M_ERROR)
	popl	FIELD(M_RIP)
	popl	FIELD(M_CS)
	popl	FIELD(M_RFLAGS)
	testl	$RFLAGS_VM, FIELD(M_RFLAGS)
	jnz	1f
	testl	$3, FIELD(M_CS)
	jnz	1f
	mov	%esp, FIELD(M_RSP)
	mov	%ss, FIELD(M_SS)
	jmp	back
1:	popl	FIELD(M_RSP)
	popl	FIELD(M_SS)
	testl	$RFLAGS_VM, FIELD(M_RFLAGS)
	jz	back
	popl	FIELD(M_ES)
	popl	FIELD(M_DS)
	popl	FIELD(M_FS)
	popl	FIELD(M_GS)

	/* With DS flat. */
back:
	mov	$SEL_DATA, %eax
	mov	%eax, %es
	mov	%eax, %ss
	mov	$hub_stack_top, %esp
	mov	%cr0, %eax
	cmpl	$KIND_REAL, FIELD(M_KIND)
	je	1f			/* stored before PE was set for the way back */
	mov	%eax, FIELD(M_CR0)
1:	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	%cr2, %eax
	mov	%eax, FIELD(M_CR2)
	mov	%cr3, %eax
	mov	%eax, FIELD(M_CR3)
	mov	%cr4, %eax
	mov	%eax, FIELD(M_CR4)
	mov	%dr6, %eax
	mov	%eax, FIELD(M_DR6)
	mov	$EFER, %ecx
	rdmsr
	mov	%eax, FIELD(M_EFER)
	lgdt	guest_gdt_pointer
	andb	$0xfd, guest_gdt + SEL_TSS32 + 5	/* long mode is not entered with a 16-bit TSS */
	mov	$SEL_TSS32, %eax
	ltr	%ax
	mov	home_cr4, %eax
	mov	%eax, %cr4
	mov	home_cr3, %eax
	mov	%eax, %cr3
	efer_write_low home_efer
	mov	home_cr0, %eax
	mov	%eax, %cr0
	ljmp	$SEL_CODE64, $home

	/* An entry of the 64-bit IDT has pushed error code and vector, on a stack of its own. */
	.code64
trap64_common:
	cmpl	$0, FIELD(M_SKIP_LEFT)
	jne	skip64
	.globl	trap64_end
trap64_end:
	mov	%rax, REG(0)
	mov	%rcx, REG(1)
	mov	%rdx, REG(2)
	mov	%rbx, REG(3)
	mov	%rbp, REG(5)
	mov	%rsi, REG(6)
	mov	%rdi, REG(7)
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	%r\n, REG(\n)
	.endr
	mov	%es, FIELD(M_ES)
	mov	%ds, FIELD(M_DS)
	mov	%fs, FIELD(M_FS)
	mov	%gs, FIELD(M_GS)
	popq	FIELD(M_VECTOR)
	popq	FIELD(M_ERROR)
	popq	FIELD(M_RIP)
	popq	FIELD(M_CS)
	popq	FIELD(M_RFLAGS)
	popq	FIELD(M_RSP)
	popq	FIELD(M_SS)
	mov	%cr0, %rax
	mov	%rax, FIELD(M_CR0)
	mov	%cr2, %rax
	mov	%rax, FIELD(M_CR2)
	mov	%cr3, %rax
	mov	%rax, FIELD(M_CR3)
	mov	%cr4, %rax
	mov	%rax, FIELD(M_CR4)
	mov	%dr6, %rax
	mov	%rax, FIELD(M_DR6)
	mov	$EFER, %ecx
	rdmsr
	mov	%eax, FIELD(M_EFER)
	lgdt	guest_gdt_pointer
	mov	home_cr4, %rax
	mov	%rax, %cr4
	mov	home_cr3, %rax
	mov	%rax, %cr3
	efer_write_low home_efer
	mov	home_cr0, %rax
	mov	%rax, %cr0
home:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	lidt	home_idt
	andb	$0xfd, guest_gdt + SEL_TSS64 + 5
	mov	$SEL_TSS64, %eax
	ltr	%ax
	mov	home_rsp, %rsp
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* Which vectors push an error code of their own. */
	.macro	vector_entries common
	vector = 0
	.rept	256
	.balign	16
	.if	!((vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21))
	push	$0
	.endif
	push	$vector
	jmp	\common
	vector = vector + 1
	.endr
	.endm

	.balign	16
	.globl	machine_entries64
machine_entries64:
	vector_entries trap64_common

	.code32
	.balign	16
	.globl	machine_entries32
machine_entries32:
	vector_entries trap32_common

	/* --- Real mode. Copied to LOW_BASE, for which it is written. --- */

#define LOW(label) ((label) - machine_low + LOW_BASE)

	.section .rodata
	.code16
	.globl	machine_low, machine_low_end, machine_entries16
machine_low:
	/* In 16-bit protected mode, with a flat or a 64 KiB DS. */
	mov	%cs:FIELD(M_CR0), %eax
	mov	%eax, %cr0
	ljmp	$0, $LOW(1f)
1:	mov	%cs:FIELD(M_SS), %ax
	mov	%ax, %ss
	mov	%cs:REG(M_RSP), %esp
	pushl	%cs:FIELD(M_RFLAGS)
	pushl	%cs:FIELD(M_CS)
	pushl	%cs:FIELD(M_RIP)
	mov	%cs:FIELD(M_ES), %ax
	mov	%ax, %es
	mov	%cs:FIELD(M_DS), %ax
	mov	%ax, %ds
	mov	%cs:FIELD(M_FS), %ax
	mov	%ax, %fs
	mov	%cs:FIELD(M_GS), %ax
	mov	%ax, %gs
	mov	%cs:REG(1), %ecx
	mov	%cs:REG(2), %edx
	mov	%cs:REG(3), %ebx
	mov	%cs:REG(5), %ebp
	mov	%cs:REG(6), %esi
	mov	%cs:REG(7), %edi
	mov	%cs:REG(0), %eax
	iretl

trap16_common:
	pushw	%ds
	pushl	%eax
	xor	%ax, %ax
	mov	%ax, %ds
	cmpl	$0, FIELD(M_SKIP_LEFT)
	jne	skip16
trap16_end:
	popl	REG(0)
	popw	FIELD(M_DS)
	popw	FIELD(M_VECTOR)
	popw	FIELD(M_RIP)
	popw	FIELD(M_CS)
	popw	FIELD(M_RFLAGS)
	mov	%esp, REG(M_RSP)
	mov	%ecx, REG(1)
	mov	%edx, REG(2)
	mov	%ebx, REG(3)
	mov	%ebp, REG(5)
	mov	%esi, REG(6)
	mov	%edi, REG(7)
	mov	%es, FIELD(M_ES)
	mov	%ss, FIELD(M_SS)
	mov	%fs, FIELD(M_FS)
	mov	%gs, FIELD(M_GS)
	mov	%cr0, %eax
	mov	%eax, FIELD(M_CR0)
	lgdtl	LOW(low_gdt_pointer)
	or	$CR0_PE, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $from_real

	/* The stack: EBX, EAX, DS, the vector, IP, CS, flags. */
skip16:
	pushl	%ebx
	movzwl	14(%esp), %eax
	cmp	%eax, FIELD(M_SKIP_CS)
	jne	2f
	movzwl	12(%esp), %eax
	sub	FIELD(M_SKIP_RIP), %eax
	cmp	$M_SKIP_SIZE, %eax
	jae	2f
	movzwl	M_SKIP_NEXT(, %eax, 2), %ebx
	test	%ebx, %ebx
	jz	2f
	movzwl	10(%esp), %eax
	cmp	$2, %eax
	je	2f
	incl	M_SKIP_SEEN(, %eax, 4)
	pushl	%ecx
	mov	FIELD(M_SKIP_LEFT), %ecx
	shl	$4, %ecx
	mov	%eax, M_SKIP_LOG(%ecx)
	movzwl	16(%esp), %eax
	mov	%eax, M_SKIP_LOG + 4(%ecx)
	movzwl	20(%esp), %eax
	mov	%eax, M_SKIP_LOG + 8(%ecx)
	mov	%cr2, %eax
	mov	%eax, M_SKIP_LOG + 12(%ecx)
	popl	%ecx
	movzwl	10(%esp), %eax
	decl	FIELD(M_SKIP_LEFT)
	cmp	$32, %eax
	jae	1f
	bt	%eax, LOW(low_faults)
	jnc	1f
	add	FIELD(M_SKIP_RIP), %ebx
	mov	%bx, 12(%esp)
1:	popl	%ebx
	popl	%eax
	popw	%ds
	add	$2, %sp
	iretw
2:	popl	%ebx
	jmp	trap16_end

low_gdt_pointer:
	.word	SEL_TEST + 16 * 8 - 1
	.long	guest_gdt

	.balign	8
low_faults:
	.long	M_SKIP_FAULTS
	.balign	8
machine_entries16:
	vector = 0
	.rept	256
	.balign	8
	pushw	$vector
	jmp	trap16_common
	vector = vector + 1
	.endr
machine_low_end:

	.text
	.code32
from_real:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	jmp	back

	.data
	.balign	8
to_leave_long:
	.long	leave_long
	.word	SEL_CODE32
	.balign	8
real_idt_pointer:
	.word	0x3ff
	.long	0

	.bss
	.balign	16
home_rsp:	.skip	8
home_cr0:	.skip	8
home_cr3:	.skip	8
home_cr4:	.skip	8
home_efer:	.skip	8
home_idt:	.skip	16
	.balign	4096
	.globl	machine_hub_stack
machine_hub_stack:
	.skip	4096
hub_stack_top:

	.section .note.GNU-stack, "", @progbits
