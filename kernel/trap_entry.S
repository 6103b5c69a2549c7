/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of the IDT: each brings the stack into the form of struct trap_frame and calls trap_dispatch. */

	.text

/* 256 entries of 16 bytes each, so that entry n lies at trap_entries + 16 * n. */
	.globl	trap_entries
	.balign	16
trap_entries:
	.set	vector, 0
	.rept	256
	.balign	16
	/* Vectors with an error code of the processor's (SDM "Exception and Interrupt Reference"). */
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.type	trap_common, @function
trap_common:
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rdi
	pushq	%rsi
	pushq	%rbp
	subq	$8, %rsp                 /* the gap for rsp */
	pushq	%rbx
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	cld
	movq	%rsp, %rdi
	subq	$8, %rsp                 /* the processor aligned its frame to 16; 23 words came since */
	call	trap_dispatch
	addq	$8, %rsp
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rbx
	addq	$8, %rsp
	popq	%rbp
	popq	%rsi
	popq	%rdi
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r11
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	addq	$16, %rsp                /* vector and error code */
	iretq
	.size	trap_common, . - trap_common

	.section .note.GNU-stack, "", @progbits
