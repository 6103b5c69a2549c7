/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a loader puts things in guest memory: ranges taken so far, and places found that overlap
 * none of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "vcpu/vm.h"

#define PLACEMENT_RANGES_MAX 48

/* The fixed places of a PC's first MiB. */
#define BIOS_DATA_END 0x1000ul   /* interrupt vectors and BIOS data area, rounded up to a page */
#define EBDA_START    0x9fc00ul  /* extended BIOS data area, 1 KiB below the video memory */
#define HIGH_MEMORY   0x100000ul /* behind video memory and BIOS */
#define FOUR_GIB      0x100000000ul

struct placed_range {
	uint64_t first;
	uint64_t size;
	const char *what;
};

struct placement {
	const struct vm *vm;
	struct placed_range taken[PLACEMENT_RANGES_MAX];
	unsigned taken_count;
};

/* Begins a placement in which only the fixed places above are taken. */
void placement_init(struct placement *placement, const struct vm *vm);

/* Takes [first, first + size). Errors: outside RAM, not below 4 GiB, overlap with a range taken
 * before, too many ranges. */
CHECKED err_t placement_take(struct placement *placement, uint64_t first, uint64_t size,
			     const char *what);

/* Takes the lowest free place for size bytes in [from, FOUR_GIB). align is a power of two. */
CHECKED err_t placement_place_low(struct placement *placement, uint64_t from, uint64_t size,
				  uint64_t align, const char *what, gpa_t *place);

/* Takes the highest free place for size bytes that ends at or below `limit` and below 4 GiB. */
CHECKED err_t placement_place_high(struct placement *placement, uint64_t limit, uint64_t size,
				   uint64_t align, const char *what, gpa_t *place);

/*
 * Takes a place for a small structure of the boot protocol: in low memory from 64 KiB up, where
 * guests seldom put their own things; if that is full, wherever room is below 4 GiB.
 */
CHECKED err_t placement_place_structure(struct placement *placement, uint64_t size, uint64_t align,
					const char *what, gpa_t *place);

/* Bytes of RAM that follow gpa without a gap, up to `most`. */
uint64_t placement_ram_run(const struct vm *vm, uint64_t gpa, uint64_t most);

/* Fills [first, first + size), which was taken before, with zeros. */
CHECKED err_t placement_zero(const struct placement *placement, uint64_t first, uint64_t size);

/* Copies to a place that was taken before. */
CHECKED err_t placement_write(const struct placement *placement, uint64_t first, const void *from,
			      uint64_t size);
