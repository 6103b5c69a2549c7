/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's virtual address space: the kernel, the direct map of RAM, devices, stacks, and a
 * window for each VM. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"
#include "kernel/memory_map.h"

/*
 * The layout, one line a region; each starts at a PML4 entry of its own. Below all of them the low
 * half, and with it the null page, is never mapped.
 */
#define DIRECT_MAP_BASE 0xffff800000000000ul /* all RAM but guests': read, write, no execute */
#define DIRECT_MAP_SIZE 0x0000400000000000ul /* 64 TiB: 46 bits of physical address */
#define WINDOW_BASE	0xffffc00000000000ul /* one window a VM: hva = window + gpa */
#define WINDOW_SIZE	0x0000008000000000ul /* 512 GiB */
#define WINDOW_COUNT	120u
#define STACKS_BASE	0xfffffe8000000000ul /* stacks, an unmapped page below each */
#define DEVICES_BASE	0xffffff0000000000ul /* device memory and firmware tables */
#define KERNEL_BASE	0xffffffff80000000ul /* the kernel: virtual = physical + KERNEL_BASE */

/* The widest physical address that the direct map has room for. */
#define DIRECT_MAP_BITS 46u

/* Where the linker put the kernel (kernel_text_start and so on): virtual addresses, starts and ends
 * at whole pages. */
struct kernel_image {
	hva_t text_start, text_end;
	hva_t rodata_start, rodata_end;
	hva_t data_start, data_end;
};

/*
 * Builds the page tables and switches to them; afterwards the boot loader's and the entry code's
 * mappings are gone. Page tables come from the physical allocator. On an error the old page tables
 * are still in use.
 */
CHECKED err_t address_space_init(const struct memory_map *map, const struct kernel_image *image);

/* Switches this CPU to the page tables (address_space_init has done so on the first one). */
void address_space_activate(void);

/*
 * The address where RAM can be used: identity until address_space_init has switched, in the direct
 * map after. No check is made: what is no RAM, or a guest's, faults when used.
 */
void *direct_map(hpa_t at);

/* The physical address behind an address of the kernel image or of the direct map; another one is a
 * bug. */
hpa_t physical_address(const volatile void *at);

/* What the page tables say of any address. False: not mapped. */
CHECKED bool address_space_translate(hva_t at, hpa_t *where);

/* Takes guest RAM out of the direct map, and gives it back. Whole pages; whole 2 MiB pages cost no
 * memory. */
CHECKED err_t direct_map_remove(hpa_t at, uint64_t size);
CHECKED err_t direct_map_restore(hpa_t at, uint64_t size);

/* The window of the VM in `slot` (below WINDOW_COUNT). */
hva_t address_space_window(unsigned slot);

/* Maps RAM (read, write, no execute) inside a window, and takes it out again. Whole pages. */
CHECKED err_t address_space_map_window(hva_t at, hpa_t from, uint64_t size);
CHECKED err_t address_space_unmap_window(hva_t at, uint64_t size);

/* Maps device registers, uncached, for good. Neither address nor size needs to be that of whole
 * pages. */
CHECKED err_t address_space_map_device(hpa_t at, uint64_t size, void **where);

/*
 * Makes firmware tables readable, wherever they lie: through the direct map if it is RAM, else
 * mapped for as long as needed. The size is bounded by PHYSICAL_MAP_MAX; the addresses may come
 * from an untrusted table.
 */
#define PHYSICAL_MAP_MAX (16 * MIB)
CHECKED err_t physical_map_readonly(hpa_t at, uint64_t size, const void **where);
void physical_unmap_readonly(const void *where, uint64_t size);

/* A new stack of `size` bytes (rounded up to whole pages) with an unmapped page below. *top is its
 * end, aligned to 16. */
CHECKED err_t stack_create(uint64_t size, void **top);

/* Called after this CPU has dropped translations of [at, at + size), so that others do as well.
 * NULL: no others. */
void address_space_set_shootdown(void (*shootdown)(hva_t at, uint64_t size));
