/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's memory map, put in order: sorted, disjoint, without what must stay untouched. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"

/* The types of Multiboot2 and ACPI; every other value counts as reserved. */
enum memory_kind {
	MEMORY_USABLE = 1,
	MEMORY_RESERVED = 2,
	MEMORY_ACPI_RECLAIMABLE = 3,
	MEMORY_ACPI_NVS = 4,
	MEMORY_BAD = 5,
};

/* As the boot loader tells it: unsorted, overlapping, perhaps absurd. */
struct memory_map_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
};

/* Memory that is in use already and must not be handed out. */
struct memory_reservation {
	hpa_t base;
	uint64_t size;
	const char *name;
};

/* [start, end), not empty. */
struct memory_range {
	uint64_t start;
	uint64_t end;
};

struct memory_region {
	struct memory_range range;
	enum memory_kind type;
};

#define MEMORY_MAP_ENTRIES_MAX      512u
#define MEMORY_MAP_RESERVATIONS_MAX 160u

/* n ranges have 2n ends, and what lies between two ends is at most one region. */
#define MEMORY_MAP_REGIONS_MAX (2 * MEMORY_MAP_ENTRIES_MAX)
#define MEMORY_MAP_RANGES_MAX  (MEMORY_MAP_ENTRIES_MAX + MEMORY_MAP_RESERVATIONS_MAX + 1)

/* All of the first MiB is left alone: BIOS data, start-up code of other CPUs, VGA. */
#define MEMORY_LOW_END MIB

/* 64 TiB: what lies above is as good as absent. */
#define MEMORY_BITS_MAX 46u

struct memory_map {
	/* What the machine has, to the byte: sorted, disjoint, neighbours of one type merged. */
	struct memory_region regions[MEMORY_MAP_REGIONS_MAX];
	unsigned region_count;

	/* RAM of any kind (usable, ACPI, NVS) in whole pages, in use or not. */
	struct memory_range ram[MEMORY_MAP_REGIONS_MAX];
	unsigned ram_count;

	/* RAM in whole pages that nobody uses: free for the taking. */
	struct memory_range usable[MEMORY_MAP_RANGES_MAX];
	unsigned usable_count;

	uint64_t usable_bytes; /* of type usable, before reservations */
	uint64_t free_bytes;   /* the sum of usable[] */
};

/*
 * Builds the map. Where entries overlap, the most restrictive type wins. What lies beyond the CPU's
 * physical addresses (physical_bits wide, CPUID 80000008h) is cut off. An error leaves an empty
 * map. Not reentrant.
 */
CHECKED err_t memory_map_build(struct memory_map *map, const struct memory_map_entry *entries,
			       unsigned entry_count, const struct memory_reservation *reservations,
			       unsigned reservation_count, unsigned physical_bits);

/* True when all of [base, base + size) is RAM of the map (whole pages of ram[]). */
bool memory_map_is_ram(const struct memory_map *map, hpa_t base, uint64_t size);

/* Writes the regions (at level debug) and a summary line to the log. */
void memory_map_log(const struct memory_map *map);
