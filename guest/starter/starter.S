/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way into the starter: from GRUB once, and from the firmware after each reset. That jumps to code in low memory, and it
 * to here.
 */

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000001 /* modules at whole pages */
#define LOW_CODE        0x9f000
#define OFFSET(label)   ((label) - starter_low)

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl	starter_start
starter_start:
	mov	$stack_top, %esp
	push	%ebx
	call	starter_first
	call	starter_next

from_reset:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$stack_top, %esp
	call	starter_next

	/* A guest's state as Multiboot 1 has it. */
	.globl	starter_enter
starter_enter:
	mov	4(%esp), %ecx
	mov	8(%esp), %ebx
	mov	$0x2badb002, %eax
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	jmp	*%ecx

	/* Copied to LOW_CODE, the base of CS there. */
	.section .rodata
	.globl	starter_low, starter_low_end
	.code16
starter_low:
	cli
	lgdtl	%cs:OFFSET(gdt_pointer)
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $from_reset
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	LOW_CODE + OFFSET(gdt)
starter_low_end:

	.bss
	.balign	16
	.skip	8192
stack_top:

	.section .note.GNU-stack, "", @progbits
