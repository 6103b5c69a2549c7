/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator of physical memory: a sorted list of free ranges. Any CPU may use it. */
#pragma once

#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"
#include "kernel/memory_map.h"

/* Takes the map's usable ranges as free memory. The map is not needed afterwards. */
CHECKED err_t physical_init(const struct memory_map *map);

/*
 * Takes `size` bytes (rounded up to whole pages), aligned to `align` (a power of two; less than a
 * page means a page). Small pieces come from the low end of memory and big ones (PAGE_2M and more)
 * from the high end, so that big pieces stay whole. The contents are whatever was there before.
 */
CHECKED err_t physical_allocate(uint64_t size, uint64_t align, hpa_t *where);

/* As above, but only from memory below `limit`, lowest first. */
CHECKED err_t physical_allocate_below(uint64_t size, uint64_t align, uint64_t limit, hpa_t *where);

/* Gives back what was taken, or whole pages of it. Giving back what is free already is a bug. */
void physical_free(hpa_t where, uint64_t size);

struct physical_totals {
	uint64_t usable;   /* RAM that the firmware calls usable */
	uint64_t reserved; /* of it, in use: by Plinth, modules, low memory, or allocated */
	uint64_t free;     /* of it, not in use */
	uint64_t largest;  /* the largest free piece */
};

struct physical_totals physical_totals(void);
