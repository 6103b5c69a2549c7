/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold for every memory map, whatever it was built from: for the unit test and the fuzz
 * target. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "kernel/memory_map.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline bool ranges_overlap(uint64_t start, uint64_t end, uint64_t base, uint64_t length)
{
	uint64_t other_end = base + length < base ? UINT64_MAX : base + length;

	return start < other_end && base < end;
}

static inline bool entry_is_restrictive(uint32_t type)
{
	return type != MEMORY_USABLE;
}

static inline void check_ranges(const struct memory_range *ranges, unsigned count, uint64_t limit)
{
	for (unsigned i = 0; i < count; i++) {
		MUST(ranges[i].start < ranges[i].end && ranges[i].end <= limit);
		MUST((ranges[i].start | ranges[i].end) % PAGE_SIZE == 0);
		MUST(i == 0 || ranges[i - 1].end <= ranges[i].start);
	}
}

static inline void check_regions(const struct memory_map *map, uint64_t limit)
{
	MUST(map->region_count <= MEMORY_MAP_REGIONS_MAX);
	for (unsigned i = 0; i < map->region_count; i++) {
		const struct memory_region *here = &map->regions[i], *before = here - 1;

		MUST(here->range.start < here->range.end && here->range.end <= limit);
		MUST(here->type >= MEMORY_USABLE && here->type <= MEMORY_BAD);
		MUST(i == 0 || before->range.end <= here->range.start);
		MUST(i == 0 || before->range.end < here->range.start || before->type != here->type);
	}
}

/* Free memory overlaps nothing that anybody claims, and lies in what somebody calls usable. */
static inline void check_usable(const struct memory_map *map,
				const struct memory_map_entry *entries, unsigned entry_count,
				const struct memory_reservation *reservations,
				unsigned reservation_count)
{
	uint64_t sum = 0;

	for (unsigned u = 0; u < map->usable_count; u++) {
		const struct memory_range *range = &map->usable[u];

		sum += range->end - range->start;
		MUST(range->start >= MEMORY_LOW_END);
		MUST(memory_map_is_ram(map, HPA(range->start), range->end - range->start));
		for (unsigned i = 0; i < entry_count; i++)
			MUST(!entry_is_restrictive(entries[i].type) || entries[i].length == 0 ||
			     !ranges_overlap(range->start, range->end, entries[i].base,
					     entries[i].length));
		for (unsigned i = 0; i < reservation_count; i++)
			MUST(reservations[i].size == 0 ||
			     !ranges_overlap(range->start, range->end, reservations[i].base.raw,
					     reservations[i].size));
	}
	MUST(sum == map->free_bytes && sum <= map->usable_bytes);
}

static inline void check_memory_map(const struct memory_map *map,
				    const struct memory_map_entry *entries, unsigned entry_count,
				    const struct memory_reservation *reservations,
				    unsigned reservation_count)
{
	uint64_t limit = 1ul << MEMORY_BITS_MAX;

	MUST(map->usable_count <= MEMORY_MAP_RANGES_MAX &&
	     map->ram_count <= MEMORY_MAP_REGIONS_MAX);
	check_regions(map, limit);
	check_ranges(map->ram, map->ram_count, limit);
	check_ranges(map->usable, map->usable_count, limit);
	check_usable(map, entries, entry_count, reservations, reservation_count);
}
