/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo guest's image, inside Plinth. */
	.section .rodata
	.globl	demo_image, demo_image_end
	.balign	4096
demo_image:
	.incbin	"guest/demo.elf"
demo_image_end:
	.section .note.GNU-stack, "", @progbits
