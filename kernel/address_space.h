/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's virtual address space: kernel, direct map of RAM, devices, stacks, a window a VM. All
 * CPUs have the same page tables, and any may change them; what one takes out, the others forget as
 * kernel/tlb.c tells. Only the CPU that runs a VM uses its window.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/direct_map.h"
#include "kernel/error.h"
#include "kernel/layout.h"
#include "kernel/memory_map.h"

/*
 * The layout; each region starts at a PML4 entry of its own. The low half, and with it the null
 * page, is never mapped.
 *
 *	0xffff800000000000  DIRECT_MAP_BASE  all RAM but guests': read, write, no execute
 *	0xffffc00000000000  WINDOW_BASE      one window a VM: hva = window + gpa
 *	0xfffffe8000000000  STACKS_BASE      stacks, an unmapped page below each
 *	0xffffff0000000000  DEVICES_BASE     device registers, and firmware tables outside RAM
 *	0xffffffff80000000  KERNEL_BASE      the kernel image in 4 KiB pages, W^X
 */
#define WINDOW_BASE  0xffffc00000000000ul
#define WINDOW_SIZE  0x0000008000000000ul /* 512 GiB */
#define WINDOW_COUNT 120u
#define STACKS_BASE  0xfffffe8000000000ul
#define DEVICES_BASE 0xffffff0000000000ul
#define REGION_SIZE  0x0000008000000000ul /* of stacks and of devices */

/* Where the linker put the kernel's parts (kernel/layout.h): starts and ends of whole pages. */
struct kernel_image {
	hva_t text_start, text_end;
	hva_t rodata_start, rodata_end;
	hva_t data_start, data_end;
};

/*
 * Builds the page tables and switches to them; afterwards the boot loader's and the entry code's
 * mappings are gone, and pointers from direct_map() before are void. Page tables come from the
 * physical allocator. On an error the old page tables are still in use.
 */
CHECKED err_t address_space_init(const struct memory_map *map, const struct kernel_image *image);

/* Switches this CPU to the page tables (address_space_init has done so on the first one). */
void address_space_activate(void);

/* The value of CR3 for them: the host state of a VMCS wants it. */
uint64_t address_space_cr3(void);

/* What the page tables say of any address. False: not mapped. */
CHECKED bool address_space_translate(hva_t at, hpa_t *where);

/*
 * Takes guest RAM out of the direct map, and gives it back. Whole pages; only a piece that is no
 * whole 2 MiB page needs memory, and what was taken out can always be given back. Neither minds
 * what is out, or back, already.
 */
CHECKED err_t direct_map_remove(hpa_t at, uint64_t size);
CHECKED err_t direct_map_restore(hpa_t at, uint64_t size);

/* The window of the VM in `slot` (below WINDOW_COUNT). */
hva_t address_space_window(unsigned slot);

/* Maps RAM (read, write, no execute) inside a window, and takes it out again. Whole pages. */
CHECKED err_t address_space_map_window(hva_t at, hpa_t from, uint64_t size);
CHECKED err_t address_space_unmap_window(hva_t at, uint64_t size);

/* Maps device registers, uncached, for good. Any address and size will do. */
CHECKED err_t address_space_map_device(hpa_t at, uint64_t size, void **where);

/*
 * Makes firmware tables readable, wherever they lie: through the direct map if it is RAM, else
 * mapped until physical_unmap_readonly. The address and the size may come from an untrusted table;
 * more than PHYSICAL_MAP_MAX bytes are refused.
 */
#define PHYSICAL_MAP_MAX (16 * MIB)
CHECKED err_t physical_map_readonly(hpa_t at, uint64_t size, const void **where);
void physical_unmap_readonly(const void *where, uint64_t size);

/* A stack of `size` bytes in whole pages, with an unmapped page below. *top is its upper end. */
CHECKED err_t stack_create(uint64_t size, void **top);

/* True for an address in the unmapped page below a stack: the stack has overflowed. */
bool stack_is_guard(hva_t at);
