/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From GRUB's 32-bit protected mode to kernel_main in long mode. Speaks on COM1 from its first instructions, and
 * refuses a processor or a loader that cannot serve with one line and a stop.
 *
 * What GRUB leaves (Multiboot2, "I386 machine state") and what is left over of the firmware: paging off, interrupts off,
 * flat segments with selectors of its own, no stack. After UEFI, EFER and CR4 hold old bits and IDTR points to memory
 * that is no more; some emulators leave CR0.CD and CR0.NW set. So every register that counts gets a known value.
 *
 * This file is linked where it is loaded; what lies elsewhere in the image is reached through PHYSICAL().
 */
#include "kernel/layout.h"

#define PHYSICAL(symbol)  ((symbol) - KERNEL_BASE)

#define BOOT_MAGIC        0x36d76289
#define BOOT_STACK_SIZE   0x8000

#define COM1              0x3f8
#define UART_DIVISOR_LOW  (COM1 + 0)
#define UART_IER          (COM1 + 1)
#define UART_FCR          (COM1 + 2)
#define UART_LCR          (COM1 + 3)
#define UART_MCR          (COM1 + 4)
#define UART_LSR          (COM1 + 5)
#define LSR_THRE          0x20     /* room for a byte */
#define LSR_TEMT          0x40     /* the last bit is on the wire */
#define UART_WAIT         100000   /* reads of LSR: about a tenth of a second, a thousand times what a byte takes */

#define VGA_TEXT          0xb8000
#define VGA_SIZE          (80 * 25)
#define DEBUG_PORT        0xe9

#define EFLAGS_ID         (1 << 21)
#define CPUID_LONG_MODE   (1 << 29) /* CPUID 80000001h:EDX */
#define CPUID_NX          (1 << 20)

#define CR0_PE            (1 << 0)
#define CR0_MP            (1 << 1)
#define CR0_ET            (1 << 4)
#define CR0_NE            (1 << 5)
#define CR0_WP            (1 << 16)
#define CR0_PG            (1 << 31)
#define CR4_PAE           (1 << 5)
#define IA32_EFER         0xc0000080
#define EFER_LME          (1 << 8)
#define EFER_NXE          (1 << 11)

#define PAGE_TABLE        0x003    /* present, writable */
#define PAGE_2M           0x083    /* present, writable, large */

	.section .boot, "ax"
	.code32
	.globl boot_entry
boot_entry:
	cli
	cld
	movl	%eax, %ebp               /* kept throughout: EBP the magic, EBX the information */
	movl	$PHYSICAL(boot_stack_top), %esp
	lidt	no_idt                   /* a fault from here on is a clean reset */

	call	uart_init
	movl	$text_starting, %esi
	call	print

	cmpl	$BOOT_MAGIC, %ebp
	jne	wrong_magic

	/* SDM "Identifying the processor": CPUID exists when EFLAGS.ID can be changed. */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$EFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	xorl	%ecx, %eax
	testl	$EFLAGS_ID, %eax
	jz	no_cpuid

	movl	%ebx, %edi
	movl	$0x80000000, %eax
	cpuid
	xorl	%edx, %edx
	cmpl	$0x80000001, %eax
	jb	1f
	movl	$0x80000001, %eax
	cpuid
1:	movl	%edi, %ebx
	testl	$CPUID_LONG_MODE, %edx
	jz	no_long_mode
	testl	$CPUID_NX, %edx
	jz	no_nx

	/* The BSS, which holds the page tables, but also the stack in use: that one lies outside the cleared part. */
	movl	$PHYSICAL(kernel_bss_start), %edi
	movl	$PHYSICAL(kernel_bss_end), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl

	/*
	 * Page tables for the way up: the first 4 GiB where they are, and the first 1 GiB again at KERNEL_BASE.
	 * kernel/address_space.c replaces them; the other processors pass through them as well.
	 */
	movl	$PHYSICAL(boot_pd), %edi
	movl	$PAGE_2M, %eax
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b

	movl	$PHYSICAL(boot_pd) + PAGE_TABLE, %eax
	movl	%eax, PHYSICAL(boot_pdpt_high) + 510 * 8
	movl	$PHYSICAL(boot_pdpt_low), %edi
	movl	$4, %ecx
1:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movl	$PHYSICAL(boot_pdpt_low) + PAGE_TABLE, PHYSICAL(boot_pml4)
	movl	$PHYSICAL(boot_pdpt_high) + PAGE_TABLE, PHYSICAL(boot_pml4) + 511 * 8

	/* SDM "Initializing IA-32e Mode". */
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$IA32_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
	movl	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$8, $long_mode

	.code64
long_mode:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	lldt	%ax

	/* kernel_main(magic, information), on the same stack seen from above, with an end for backtraces. */
	movl	%ebp, %edi
	movl	%ebx, %esi
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
	pushq	$0
	movq	$kernel_main, %rax
	jmp	*%rax

	.code32

/* The refusals. Each: what, why, what to do; then the verdict, on the debug port too. */
wrong_magic:
	movl	%ebp, %eax
	movl	$text_magic_digits, %edi
	call	hexadecimal
	movl	$error_magic, %esi
	jmp	refuse
no_cpuid:
	movl	$error_cpuid, %esi
	jmp	refuse
no_long_mode:
	movl	$error_long_mode, %esi
	jmp	refuse
no_nx:
	movl	$error_nx, %esi

/* ESI: two strings, the error line and the verdict line. Does not return. */
refuse:
	call	vga_clear
	call	print_everywhere
	pushl	%esi
	call	print_everywhere
	popl	%esi

	/* The verdict alone goes to the debug port, without its CR. */
1:	lodsb
	testb	%al, %al
	jz	2f
	cmpb	$'\r', %al
	je	1b
	outb	%al, $DEBUG_PORT
	jmp	1b

	/* All must be on the wire before the power goes. */
2:	movl	$UART_WAIT, %ecx
	movw	$UART_LSR, %dx
3:	inb	%dx, %al
	testb	$LSR_TEMT, %al
	jnz	4f
	loop	3b

	/* The emulators' power-off ports; a machine that has none waits for its user. */
4:	movw	$0x2000, %ax
	movw	$0x604, %dx
	outw	%ax, %dx
	movw	$0xb004, %dx
	outw	%ax, %dx
	movl	$text_shutdown, %esi
	movl	$8, %ecx
	movw	$0x8900, %dx
	rep outsb
5:	cli
	hlt
	jmp	5b

/* 115200 baud, 8 bits, no parity, 1 stop bit, FIFOs on, no interrupts. */
uart_init:
	movl	$uart_settings, %esi
1:	lodsw
	testw	%ax, %ax
	jz	2f
	movw	%ax, %dx
	lodsb
	outb	%al, %dx
	jmp	1b
2:	ret

/* Prints the string at ESI on COM1, and leaves ESI behind it. Changes EAX, ECX, EDX. */
print:
	lodsb
	testb	%al, %al
	jz	1f
	call	uart_write
	jmp	print
1:	ret

/* The same on COM1 and on the text screen, from EDI on. */
print_everywhere:
	lodsb
	testb	%al, %al
	jz	3f
	call	uart_write
	cmpb	$'\r', %al
	je	print_everywhere
	cmpb	$'\n', %al
	je	1f
	movb	$0x07, %ah
	stosw
	jmp	print_everywhere

	/* To the start of the next line. */
1:	leal	-VGA_TEXT(%edi), %eax
	xorl	%edx, %edx
	movl	$160, %ecx
	divl	%ecx
	incl	%eax
	imull	$160, %eax, %edi
	addl	$VGA_TEXT, %edi
	jmp	print_everywhere
3:	ret

/* Sends AL, after a bounded wait; a port that once did not get ready is not waited for again. */
uart_write:
	pushl	%eax
	movw	$UART_LSR, %dx
	movl	$UART_WAIT, %ecx
	testb	$1, uart_dead
	jnz	2f
1:	inb	%dx, %al
	testb	$LSR_THRE, %al
	jnz	2f
	loop	1b
	movb	$1, uart_dead
2:	movl	(%esp), %eax
	movw	$COM1, %dx
	outb	%al, %dx
	popl	%eax
	ret

/* Clears the text screen and points EDI at it. Where there is none, nobody sees the writes. */
vga_clear:
	movl	$VGA_TEXT, %edi
	movl	$VGA_SIZE, %ecx
	movl	$0x0720, %eax
	rep stosw
	movl	$VGA_TEXT, %edi
	ret

/* Writes EAX as 8 hexadecimal digits to EDI. */
hexadecimal:
	movl	$8, %ecx
1:	roll	$4, %eax
	movl	%eax, %edx
	andl	$15, %edx
	movb	hexadecimal_digits(%edx), %dl
	movb	%dl, (%edi)
	incl	%edi
	loop	1b
	ret

	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff /* 8: 64-bit code */
	.quad	0x00cf93000000ffff /* 16: data */
boot_gdt_end:

	.balign 4
boot_gdtr:
	.short	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt
no_idt:
	.short	0
	.long	0

	/* Port, value. */
uart_settings:
	.short	UART_IER
	.byte	0x00
	.short	UART_LCR
	.byte	0x80               /* the divisor comes next */
	.short	UART_DIVISOR_LOW
	.byte	1
	.short	UART_IER           /* the divisor's high byte */
	.byte	0
	.short	UART_LCR
	.byte	0x03
	.short	UART_FCR
	.byte	0xc7               /* FIFOs on and emptied */
	.short	UART_MCR
	.byte	0x03               /* DTR, RTS */
	.short	0

uart_dead:
	.byte	0

hexadecimal_digits:
	.ascii	"0123456789abcdef"
text_shutdown:
	.ascii	"Shutdown"
text_starting:
	.asciz	"\r\nplinth: starting\r\n"

	/* The two strings of a refusal: what happened, why and what to do; the same in short as the verdict. */
	.macro	refusal short, long
	.asciz	"plinth: error: \short\long\r\n"
	.asciz	"plinth: verdict: error 3 \short\r\n"
	.endm

error_magic:
	.ascii	"plinth: error: the boot loader is not Multiboot2: EAX is 0x"
text_magic_digits:
	.ascii	"00000000 instead of 0x36d76289; "
	.asciz	"start Plinth with GRUB's command multiboot2\r\n"
	.asciz	"plinth: verdict: error 3 the boot loader is not Multiboot2\r\n"
error_cpuid:
	refusal	"the processor has no CPUID instruction", \
		": it is older than VT-x; use an Intel processor with VT-x"
error_long_mode:
	refusal	"the processor has no 64-bit mode", \
		": bit 29 of CPUID 80000001h EDX is clear; use a 64-bit Intel processor with VT-x"
error_nx:
	refusal	"the processor has no execute-disable", \
		": bit 20 of CPUID 80000001h EDX is clear; enable Execute Disable Bit in the firmware setup"

	/* Cleared above. */
	.bss
	.balign	4096
	.globl	boot_pml4
boot_pml4:
	.skip	4096
boot_pdpt_low:
	.skip	4096
boot_pdpt_high:
	.skip	4096
boot_pd:
	.skip	4 * 4096

	/* Not cleared, since it is in use then; nobody reads what he did not write. */
	.section .boot_stack, "aw", @nobits
	.balign	4096
	.globl	boot_stack_bottom
	.globl	boot_stack_top
boot_stack_bottom:
	.skip	BOOT_STACK_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
