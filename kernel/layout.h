/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the hypervisor itself lies: the base of its addresses and the bounds that boot/plinth.ld
 * gives its parts. */
#pragma once

#ifdef __ASSEMBLER__
#define KERNEL_BASE 0xffffffff80000000
#else

#include <stdint.h>

/* Kernel address = KERNEL_BASE + physical address, for everything in the image. */
#define KERNEL_BASE 0xffffffff80000000ul

/* All of the image from the first byte loaded to the end of the BSS. */
extern char kernel_start[], kernel_end[];

/* Its parts, each in pages of its own. Data includes the BSS. */
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[];
extern char kernel_data_start[], kernel_data_end[];

/* The stack that boot/entry.S starts on, and that kernel_main leaves once there are stacks with a
 * guard page. */
extern char boot_stack_bottom[], boot_stack_top[];

/* The root of the page tables of boot/entry.S: the first 4 GiB where they are, and the image. */
extern char boot_pml4[];

/* The physical address of something in the image. */
static inline uint64_t kernel_physical(const void *address)
{
	return (uint64_t)address - KERNEL_BASE;
}

#endif
