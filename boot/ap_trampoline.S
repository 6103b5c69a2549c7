/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the real mode in which a processor wakes to kernel/start_cpus.c in long mode.
 *
 * SDM "MP Initialization Protocol Algorithm for MP Systems": a start-up IPI with vector VV begins at VV000h, with CS = VV00h
 * and IP = 0. This code is copied there, so it addresses everything relative to its page, which EBX holds from protected mode
 * on. What it needs lies at AP_BOOT_OFFSET in the page. After INIT, CR0.CD and CR0.NW are set; they become clear with paging.
 */
#include "boot/ap_boot.h"

#define CR0_PE     (1 << 0)
#define CR0_MP     (1 << 1)
#define CR0_ET     (1 << 4)
#define CR0_NE     (1 << 5)
#define CR0_WP     (1 << 16)
#define CR0_PG     (1 << 31)
#define CR4_PAE    (1 << 5)
#define IA32_EFER  0xc0000080
#define EFER_LME   (1 << 8)
#define EFER_NXE   (1 << 11)

#define AP(field)  (AP_BOOT_OFFSET + AP_BOOT_##field)

	.section .rodata.ap_trampoline, "a"
	.globl	ap_trampoline
	.globl	ap_trampoline_end
	.globl	ap_trampoline_protected
	.globl	ap_trampoline_long
	.balign	16
	.code16
ap_trampoline:
	cli
	cld
	xorl	%ebx, %ebx
	movw	%cs, %bx
	movw	%bx, %ds
	shll	$4, %ebx
	lgdtl	AP(GDTR)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*AP(PROTECTED)

	.code32
ap_trampoline_protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss

	/* Too late, nobody waits any more: the stack may be another's. */
	movl	$AP_WANTED, %eax
	movl	$AP_TAKEN, %ecx
	lock cmpxchgl %ecx, AP(STATE)(%ebx)
	jne	unwanted

	/* SDM "Initializing IA-32e Mode". */
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	AP(CR3)(%ebx), %eax
	movl	%eax, %cr3
	movl	$IA32_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
	movl	%eax, %cr0
	ljmp	*AP(LONG)(%ebx)

unwanted:
	cli
	hlt
	jmp	unwanted

	.code64
ap_trampoline_long:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebx, %ebx
	movq	AP(KERNEL_CR3)(%rbx), %rdi
	movq	AP(STACK)(%rbx), %rsi
	movq	AP(ENTRY)(%rbx), %rdx
	movabsq	$ap_leave_low_memory, %rax
	jmp	*%rax
ap_trampoline_end:

	/* At the kernel's own address, where both page tables agree. RDI: CR3, RSI: the stack, RDX: where to go. */
	.text
ap_leave_low_memory:
	movq	%rdi, %cr3
	movq	%rsi, %rsp
	xorl	%ebp, %ebp
	pushq	$0
	jmp	*%rdx

	.section .note.GNU-stack, "", @progbits
