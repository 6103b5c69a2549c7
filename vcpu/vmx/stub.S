/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit stub: guest registers go straight into the vCPU and come straight from it.
 *
 * HOST_RSP points just past vcpu->regs, which is the start of struct vcpu: the pushes fill it in opcode order, and leave
 * RSP at the vCPU itself. Nothing lies below that for a push to damage, and nothing pushes there: interrupts are off, NMI,
 * #MC and #DF have stacks of their own (IST), and C code runs on vcpu->host_stack.
 *
 * There are two: on processors that keep old data in buffers, these are emptied (VERW) before each entry. After that only
 * the guest's own registers are touched.
 */
#include "vcpu/offsets.h"

/* How many calls a processor remembers, at the most, to guess returns. */
#define RETURNS_GUESSED 32

	.macro save_guest
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	lea	-8(%rsp), %rsp		/* the gap of rsp; LEA keeps the flags */
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	.endm

	.macro load_guest
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	lea	8(%rsp), %rsp
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	.endm

	/* The time of entry is stamped here, last thing before the registers are loaded. RSP is at the vCPU. */
	.macro stamp_entry
	rdtsc
	mov	%eax, VCPU_TSC_ENTRY(%rsp)
	mov	%edx, VCPU_TSC_ENTRY + 4(%rsp)
	.endm

	.text

/*
 * void vmx_enter_guest(struct vcpu *vcpu)
 *
 * Launches the guest of the current VMCS, has its exits handled, and returns when a handler calls vmx_leave_guest(), or when an
 * entry failed. On the host's stack, the vCPU's address is on top while the guest runs.
 */
	.globl	vmx_enter_guest
	.type	vmx_enter_guest, @function
vmx_enter_guest:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp		/* calls from the stub want RSP aligned to 16 */
	push	%rdi
	push	%rdi
	mov	%rsp, VCPU_HOST_STACK(%rdi)
	mov	%rdi, %rsp
	stamp_entry
	load_guest
	vmlaunch
	jmp	entry_failed
	.size	vmx_enter_guest, . - vmx_enter_guest

	.macro exit_entry name, before_entry:vararg
	.globl	\name
	.type	\name, @function
	.balign	64
\name:
	save_guest
	rdtsc
	mov	%rsp, %rdi
	shl	$32, %rdx
	mov	VCPU_HOST_STACK(%rsp), %rsp
	lea	(%rax, %rdx), %rsi
	call	vmx_handle_exit
	mov	(%rsp), %rsp
	\before_entry
	stamp_entry
	load_guest
	vmresume
	.endm

/* HOST_RIP, one or the other. */
	exit_entry vmx_exit_entry_clearing, verw data_selector(%rip)
	jmp	entry_failed
	.size	vmx_exit_entry_clearing, . - vmx_exit_entry_clearing

	exit_entry vmx_exit_entry

	/*
	 * VMLAUNCH and VMRESUME fall through only when they fail before any guest state is loaded: all registers are as before,
	 * RSP is back at HOST_RSP, and CF or ZF say which kind of failure it was.
	 */
entry_failed:
	save_guest
	setc	%sil
	setz	%dl
	mov	%rsp, %rdi
	mov	VCPU_HOST_STACK(%rsp), %rsp
	movzbl	%sil, %esi
	movzbl	%dl, %edx
	call	vmx_entry_instruction_failed
	mov	(%rsp), %rdi
	/* fall through: vmx_leave_guest(vcpu) */

/*
 * void vmx_leave_guest(struct vcpu *vcpu): drops what the handlers have on the stack, and returns from vmx_enter_guest().
 * Its calls were not the last ones, so that the processor might guess where it returns to from calls of the guest: it gets
 * to see so many others first that it has forgotten those.
 */
	.globl	vmx_leave_guest
	.type	vmx_leave_guest, @function
vmx_leave_guest:
	mov	VCPU_HOST_STACK(%rdi), %rsp
	add	$24, %rsp
	.rept	RETURNS_GUESSED
	call	1f
	int3
1:
	.endr
	add	$8 * RETURNS_GUESSED, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	vmx_exit_entry, . - vmx_exit_entry

	.section .rodata
	.balign	2
data_selector:
	.word	HOST_DATA

	.section .note.GNU-stack, "", @progbits
