/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaves out the instruction that caused an exception, where M_SKIP_NEXT (selectors.h) says where the code goes on. */
#include "guest/lib/selectors.h"

#define FIELD(n) (MACHINE + 8 * (n))

	/* On the stack: DS and EAX as they were, the vector, the error code, the frame. DS is flat. */
	.text
	.code32
	.globl	skip32
skip32:
	push	%ebx
	mov	24(%esp), %eax
	cmp	%eax, FIELD(M_SKIP_CS)
	jne	2f
	mov	20(%esp), %eax
	sub	FIELD(M_SKIP_RIP), %eax
	cmp	$M_SKIP_SIZE, %eax
	jae	2f
	movzwl	M_SKIP_NEXT(, %eax, 2), %ebx
	test	%ebx, %ebx
	jz	2f
	mov	12(%esp), %eax
	cmp	$2, %eax
	je	2f
	incl	M_SKIP_SEEN(, %eax, 4)
	push	%ecx
	mov	FIELD(M_SKIP_LEFT), %ecx
	shl	$4, %ecx
	mov	20(%esp), %eax
	shl	$16, %eax
	or	16(%esp), %eax
	mov	%eax, M_SKIP_LOG(%ecx)
	mov	24(%esp), %eax
	mov	%eax, M_SKIP_LOG + 4(%ecx)
	mov	32(%esp), %eax
	mov	%eax, M_SKIP_LOG + 8(%ecx)
	mov	%cr2, %eax
	mov	%eax, M_SKIP_LOG + 12(%ecx)
	pop	%ecx
	mov	12(%esp), %eax
	decl	FIELD(M_SKIP_LEFT)
	cmp	$32, %eax
	jae	1f
	bt	%eax, faults
	jnc	1f
	add	FIELD(M_SKIP_RIP), %ebx
	mov	%ebx, 20(%esp)
1:	orb	$1, 30(%esp)		/* RF */
	pop	%ebx
	pop	%eax
	pop	%ds
	add	$8, %esp
	iret
2:	pop	%ebx
	jmp	trap32_end

	/* On the stack: the vector, the error code, the frame. */
	.code64
	.globl	skip64
skip64:
	push	%rax
	push	%rbx
	mov	40(%rsp), %rax
	cmp	%rax, FIELD(M_SKIP_CS)
	jne	2f
	mov	32(%rsp), %rax
	sub	FIELD(M_SKIP_RIP), %rax
	cmp	$M_SKIP_SIZE, %rax
	jae	2f
	movzwl	M_SKIP_NEXT(, %rax, 2), %ebx
	test	%ebx, %ebx
	jz	2f
	mov	16(%rsp), %eax
	cmp	$2, %eax
	je	2f
	incl	M_SKIP_SEEN(, %rax, 4)
	push	%rcx
	mov	FIELD(M_SKIP_LEFT), %ecx
	shl	$4, %ecx
	mov	32(%rsp), %eax
	shl	$16, %eax
	or	24(%rsp), %eax
	mov	%eax, M_SKIP_LOG(%rcx)
	mov	40(%rsp), %eax
	mov	%eax, M_SKIP_LOG + 4(%rcx)
	mov	56(%rsp), %eax
	mov	%eax, M_SKIP_LOG + 8(%rcx)
	mov	%cr2, %rax
	mov	%eax, M_SKIP_LOG + 12(%rcx)
	pop	%rcx
	mov	16(%rsp), %eax
	decl	FIELD(M_SKIP_LEFT)
	cmp	$32, %eax
	jae	1f
	bt	%eax, faults
	jnc	1f
	add	FIELD(M_SKIP_RIP), %rbx
	mov	%rbx, 32(%rsp)
1:	orb	$1, 50(%rsp)		/* RF */
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq
2:	pop	%rbx
	pop	%rax
	jmp	trap64_end

	.section .rodata
	.balign	8
faults:	.long	M_SKIP_FAULTS

	.section .note.GNU-stack, "", @progbits
