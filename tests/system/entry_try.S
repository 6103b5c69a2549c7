/* SPDX-License-Identifier: BSD-2-Clause */
/* One VM entry, after which the next exit, or the failure of VMLAUNCH, is the end. */

#define VMCS_HOST_RSP 0x6c14

	.text

/* unsigned entry_try(void): 0 after an exit, 1 after VMfailInvalid, 2 after VMfailValid. HOST_RIP is entry_try_exit. */
	.globl	entry_try
	.type	entry_try, @function
entry_try:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax
	vmlaunch
	mov	$1, %eax
	jc	leave
	mov	$2, %eax
	jmp	leave
	.size	entry_try, . - entry_try

	.globl	entry_try_exit
	.type	entry_try_exit, @function
entry_try_exit:
	xor	%eax, %eax
leave:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	entry_try_exit, . - entry_try_exit

	.section .note.GNU-stack, "", @progbits
