/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts a tiny guest: from Multiboot 1's 32-bit state to 64-bit C code, with an identity map and an IDT. */

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003 /* modules at whole pages, memory information */

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl	guest_start
guest_start:
	mov	%eax, boot_magic
	mov	%ebx, boot_info
	mov	%esp, boot_registers + 8 * 4
	mov	%ecx, boot_registers + 8 * 1
	mov	%edx, boot_registers + 8 * 2
	mov	%edi, boot_registers + 8 * 7
	mov	$stack_top, %esp

	/* The first 4 GiB, in 2 MiB pages, for CPL 3 as well. */
	mov	$pml4, %edi
	lea	pdpt + 7, %eax
	mov	%eax, (%edi)
	mov	$pdpt, %edi
	lea	directories + 7, %eax
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$4096, %eax
	loop	1b
	mov	$directories, %edi
	mov	$0x87, %eax
	mov	$2048, %ecx
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	loop	1b

	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* IA32_EFER: LME, NXE */
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80010020, %eax	/* PG, WP, NE */
	mov	%eax, %cr0
	lgdt	guest_gdt_pointer
	ljmp	$0x08, $long_mode

	.code64
long_mode:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$stack_top, %rsp
	mov	%rbx, boot_registers + 8 * 3	/* not touched yet, so with their upper halves */
	mov	%rbp, boot_registers + 8 * 5
	mov	%rsi, boot_registers + 8 * 6
	mov	%r8, boot_registers + 8 * 8
	mov	%r9, boot_registers + 8 * 9
	mov	%r10, boot_registers + 8 * 10
	mov	%r11, boot_registers + 8 * 11
	mov	%r12, boot_registers + 8 * 12
	mov	%r13, boot_registers + 8 * 13
	mov	%r14, boot_registers + 8 * 14
	mov	%r15, boot_registers + 8 * 15
	call	guest_setup
	mov	boot_magic, %edi
	mov	boot_info, %esi
	call	guest_main
	mov	%eax, %edi
	call	guest_exit
1:	cli
	hlt
	jmp	1b

	/* One entry a vector, 16 bytes each: pushes a zero for an error code that the processor does not push. */
	.balign	16
	.globl	trap_entries
trap_entries:
	vector = 0
	.rept	256
	.balign	16
	.if	!((vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21))
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	%rsp, %rdi
	cld
	call	trap_handle
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.data
	.balign	8
	.globl	guest_gdt, guest_gdt_pointer
guest_gdt:				/* guest/lib/selectors.h */
	.quad	0
	.quad	0x00af9b000000ffff	/* 08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 10: data */
	.quad	0x00cf9b000000ffff	/* 18: 32-bit code */
	.quad	0x00009b000000ffff	/* 20: 16-bit code */
	.quad	0x000093000000ffff	/* 28: 16-bit data */
	.quad	0x00affb000000ffff	/* 30: 64-bit code, CPL 3 */
	.quad	0x00cff3000000ffff	/* 38: data, CPL 3 */
	.quad	0x00cffb000000ffff	/* 40: 32-bit code, CPL 3 */
	.quad	0x0000fb000000ffff	/* 48: 16-bit code, CPL 3 */
	.quad	0x0000f3000000ffff	/* 50: 16-bit data, CPL 3 */
	.skip	8			/* 58: 32-bit TSS */
	.skip	16			/* 60: 64-bit TSS */
	.skip	16 * 8			/* 70: of the tests */
guest_gdt_pointer:
	.word	. - guest_gdt - 1
	.quad	guest_gdt

	.bss
	.balign	4096
	.globl	pml4, directories
pml4:	.skip	4096
pdpt:	.skip	4096
directories:
	.skip	4 * 4096
	.skip	16384
	.globl	stack_top
stack_top:
boot_magic:
	.skip	4
boot_info:
	.skip	4
	.globl	boot_registers
boot_registers:
	.skip	8 * 16

	.section .note.GNU-stack, "", @progbits
