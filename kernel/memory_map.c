/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the firmware's memory map in order by a sweep over the ends of its entries. */
#include "kernel/memory_map.h"

#include <stddef.h>

#include "kernel/log.h"
#include "kernel/string.h"

#define TYPE_COUNT (MEMORY_BAD + 1)

/* Where several entries lie over each other, the first of these wins. */
static const enum memory_kind by_restriction[] = {
	MEMORY_BAD, MEMORY_RESERVED, MEMORY_ACPI_NVS, MEMORY_ACPI_RECLAIMABLE, MEMORY_USABLE,
};

static const char *const type_names[TYPE_COUNT] = {
	[MEMORY_USABLE] = "usable",
	[MEMORY_RESERVED] = "reserved",
	[MEMORY_ACPI_RECLAIMABLE] = "ACPI tables",
	[MEMORY_ACPI_NVS] = "ACPI NVS",
	[MEMORY_BAD] = "bad",
};

/* An entry begins or ends here. */
struct boundary {
	uint64_t at;
	uint8_t type;
	bool begins;
};

/* Scratch, too large for a stack. */
static struct boundary boundaries[2 * MEMORY_MAP_ENTRIES_MAX];
static struct memory_range holes[MEMORY_MAP_RESERVATIONS_MAX + 1];

static enum memory_kind known_type(uint32_t type)
{
	return type >= MEMORY_USABLE && type <= MEMORY_BAD ? (enum memory_kind)type
							   : MEMORY_RESERVED;
}

/* base + size, but at most limit, also when the sum wraps. */
static uint64_t end_of(uint64_t base, uint64_t size, uint64_t limit)
{
	uint64_t end;

	if (__builtin_add_overflow(base, size, &end) || end > limit)
		return limit;
	return end;
}

static void insert_boundary(unsigned count, struct boundary boundary)
{
	unsigned i = count;

	for (; i > 0 && boundaries[i - 1].at > boundary.at; i--)
		boundaries[i] = boundaries[i - 1];
	boundaries[i] = boundary;
}

/* Returns the number of boundaries. */
static unsigned collect_boundaries(const struct memory_map_entry *entries, unsigned entry_count,
				   uint64_t limit)
{
	unsigned count = 0;

	for (unsigned i = 0; i < entry_count; i++) {
		uint64_t start = entries[i].base;
		uint64_t end = end_of(start, entries[i].length, limit);
		uint8_t type = (uint8_t)known_type(entries[i].type);

		if (start >= end)
			continue;
		insert_boundary(count++, (struct boundary){start, type, true});
		insert_boundary(count++, (struct boundary){end, type, false});
	}
	return count;
}

static void add_region(struct memory_map *map, uint64_t start, uint64_t end, enum memory_kind type)
{
	struct memory_region *last =
		map->region_count > 0 ? &map->regions[map->region_count - 1] : NULL;

	if (last && last->range.end == start && last->type == type) {
		last->range.end = end;
		return;
	}
	map->regions[map->region_count++] = (struct memory_region){
		{start, end},
                type
        };
}

static void sweep(struct memory_map *map, unsigned boundary_count)
{
	unsigned open[TYPE_COUNT] = {0}; /* how many entries of each type cover this place */

	for (unsigned i = 0; i < boundary_count; i++) {
		const struct boundary *here = &boundaries[i];

		if (here->begins)
			open[here->type]++;
		else
			open[here->type]--;
		if (i + 1 == boundary_count || boundaries[i + 1].at == here->at)
			continue;
		for (unsigned t = 0; t < ARRAY_COUNT(by_restriction); t++) {
			if (open[by_restriction[t]] == 0)
				continue;
			add_region(map, here->at, boundaries[i + 1].at, by_restriction[t]);
			break;
		}
	}
}

/* The whole pages inside a range; false when there are none. */
static bool pages_inside(struct memory_range *range)
{
	uint64_t start = align_up(range->start, PAGE_SIZE);

	if (start < range->start)
		return false;
	range->start = start;
	range->end = align_down(range->end, PAGE_SIZE);
	return range->start < range->end;
}

static bool is_ram(enum memory_kind type)
{
	return type == MEMORY_USABLE || type == MEMORY_ACPI_RECLAIMABLE || type == MEMORY_ACPI_NVS;
}

/* A page that usable memory and ACPI tables share is RAM as a whole, so neighbours are merged
 * first. */
static void find_ram(struct memory_map *map)
{
	for (unsigned i = 0; i < map->region_count;) {
		struct memory_range range = map->regions[i].range;

		if (!is_ram(map->regions[i++].type))
			continue;
		while (i < map->region_count && is_ram(map->regions[i].type) &&
		       map->regions[i].range.start == range.end)
			range.end = map->regions[i++].range.end;
		if (pages_inside(&range))
			map->ram[map->ram_count++] = range;
	}
}

static void insert_hole(unsigned count, struct memory_range hole)
{
	unsigned i = count;

	for (; i > 0 && holes[i - 1].start > hole.start; i--)
		holes[i] = holes[i - 1];
	holes[i] = hole;
}

/* Whole pages around everything that is in use. Returns the number of holes. */
static unsigned collect_holes(const struct memory_reservation *reservations, unsigned count)
{
	unsigned hole_count = 0;

	insert_hole(hole_count++, (struct memory_range){0, MEMORY_LOW_END});
	for (unsigned i = 0; i < count; i++) {
		uint64_t start = reservations[i].base.raw;
		uint64_t end = end_of(start, reservations[i].size, UINT64_MAX - PAGE_SIZE);

		if (reservations[i].size == 0 || start >= end)
			continue;
		log_debug("memory: %#14lx - %#14lx taken: %s", start, end - 1,
			  reservations[i].name);
		start = align_down(start, PAGE_SIZE);
		end = align_up(end, PAGE_SIZE);
		insert_hole(hole_count++, (struct memory_range){start, end});
	}
	return hole_count;
}

static void add_usable(struct memory_map *map, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	map->usable[map->usable_count++] = (struct memory_range){start, end};
	map->free_bytes += end - start;
}

/* What of each usable region lies between the holes, which are sorted but may overlap. */
static void find_usable(struct memory_map *map, unsigned hole_count)
{
	for (unsigned i = 0; i < map->region_count; i++) {
		struct memory_range range = map->regions[i].range;

		if (map->regions[i].type != MEMORY_USABLE || !pages_inside(&range))
			continue;
		map->usable_bytes += range.end - range.start;
		for (unsigned h = 0; h < hole_count && range.start < range.end; h++) {
			if (holes[h].end <= range.start)
				continue;
			if (holes[h].start >= range.end)
				break;
			add_usable(map, range.start, holes[h].start);
			range.start = holes[h].end;
		}
		add_usable(map, range.start, range.end);
	}
}

err_t memory_map_build(struct memory_map *map, const struct memory_map_entry *entries,
		       unsigned entry_count, const struct memory_reservation *reservations,
		       unsigned reservation_count, unsigned physical_bits)
{
	uint64_t limit = 1ul << (physical_bits < MEMORY_BITS_MAX ? physical_bits : MEMORY_BITS_MAX);

	memset(map, 0, sizeof(*map));
	if (entry_count > MEMORY_MAP_ENTRIES_MAX)
		return error("the memory map has %u entries, more than the %u that there is room "
			     "for",
			     entry_count, MEMORY_MAP_ENTRIES_MAX);
	if (reservation_count > MEMORY_MAP_RESERVATIONS_MAX)
		return error("%u pieces of memory (modules, mostly) are in use, more than the %u "
			     "that there is room for; load fewer modules",
			     reservation_count, MEMORY_MAP_RESERVATIONS_MAX);

	sweep(map, collect_boundaries(entries, entry_count, limit));
	find_ram(map);
	find_usable(map, collect_holes(reservations, reservation_count));
	if (map->usable_count > 0)
		return NULL;

	memset(map, 0, sizeof(*map));
	return error("the memory map (%u entries) has no free memory above 1 MiB", entry_count);
}

bool memory_map_is_ram(const struct memory_map *map, hpa_t base, uint64_t size)
{
	uint64_t end;

	if (size == 0 || __builtin_add_overflow(base.raw, size, &end))
		return false;
	for (unsigned i = 0; i < map->ram_count; i++) {
		if (base.raw >= map->ram[i].start && end <= map->ram[i].end)
			return true;
	}
	return false;
}

void memory_map_log(const struct memory_map *map)
{
	for (unsigned i = 0; i < map->region_count; i++) {
		const struct memory_region *region = &map->regions[i];

		log_debug("memory: %#14lx - %#14lx %s", region->range.start, region->range.end - 1,
			  type_names[region->type]);
	}
	for (unsigned i = 0; i < map->usable_count; i++)
		log_debug("memory: %#14lx - %#14lx free", map->usable[i].start,
			  map->usable[i].end - 1);
	log_info("memory: %lu MiB usable, of which Plinth, modules and low memory take %lu KiB",
		 map->usable_bytes / MIB, (map->usable_bytes - map->free_bytes) / KIB);
}
