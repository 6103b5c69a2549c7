/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo guest's image. */
	.section .rodata
	.globl demo_image, demo_image_end
	.balign 4
#define BASE 0x100000
demo_image:
	.long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	.long BASE, BASE, 0, 0, BASE + (start - demo_image)
	.code32
start:
	mov $0x3f8, %dx
	mov $'H', %al
	out %al, %dx
	mov $'\n', %al
	out %al, %dx
	xor %eax, %eax
	cpuid
	mov $0x277, %ecx
	rdmsr
	xor %eax, %eax
	out %eax, $0xf4
	.code64
demo_image_end:
	.section .note.GNU-stack, "", @progbits
