/* SPDX-License-Identifier: BSD-2-Clause */
/* Free physical memory as a sorted array of ranges: first fit from either end. */
#include "kernel/physical.h"

#include <stddef.h>

#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"

/* Each allocation can split a range, so there is room for far more than the map can hold. */
#define RANGES_MAX (2 * MEMORY_MAP_RANGES_MAX)

static struct {
	struct memory_range ranges[RANGES_MAX]; /* sorted, disjoint, not adjacent, not empty */
	unsigned count;
	uint64_t usable;
	uint64_t free;
	struct spinlock lock;
} memory;

err_t physical_init(const struct memory_map *map)
{
	memset(&memory, 0, sizeof(memory));
	for (unsigned i = 0; i < map->usable_count; i++) {
		memory.ranges[i] = map->usable[i];
		memory.free += map->usable[i].end - map->usable[i].start;
	}
	memory.count = map->usable_count;
	memory.usable = map->usable_bytes;
	return memory.count > 0 ? NULL : "there is no free memory";
}

static void remove_range(unsigned index)
{
	memory.count--;
	memmove(&memory.ranges[index], &memory.ranges[index + 1],
		(memory.count - index) * sizeof(memory.ranges[0]));
}

static bool insert_range(unsigned index, struct memory_range range)
{
	if (memory.count == RANGES_MAX)
		return false;
	memmove(&memory.ranges[index + 1], &memory.ranges[index],
		(memory.count - index) * sizeof(memory.ranges[0]));
	memory.ranges[index] = range;
	memory.count++;
	return true;
}

/* Takes [start, end), which lies inside range `index`, out of it. False: no room for the second
 * half. */
static bool carve(unsigned index, uint64_t start, uint64_t end)
{
	struct memory_range *range = &memory.ranges[index];
	struct memory_range above = {end, range->end};

	if (start == range->start && end == range->end) {
		remove_range(index);
	} else if (start == range->start) {
		range->start = end;
	} else if (end == range->end) {
		range->end = start;
	} else {
		if (!insert_range(index + 1, above))
			return false;
		range->end = start;
	}
	memory.free -= end - start;
	return true;
}

/* The lowest place in the range below `limit`. */
static bool fit_low(const struct memory_range *range, uint64_t size, uint64_t align, uint64_t limit,
		    uint64_t *start)
{
	uint64_t end = range->end < limit ? range->end : limit;
	uint64_t at = align_up(range->start, align);

	if (at < range->start || at >= end || end - at < size)
		return false;
	*start = at;
	return true;
}

/* The highest place in the range. */
static bool fit_high(const struct memory_range *range, uint64_t size, uint64_t align,
		     uint64_t *start)
{
	uint64_t at;

	if (range->end - range->start < size)
		return false;
	at = align_down(range->end - size, align);
	if (at < range->start)
		return false;
	*start = at;
	return true;
}

/* Finds and takes; false when nothing fits. */
static bool take(uint64_t size, uint64_t align, uint64_t limit, bool from_high, uint64_t *start)
{
	for (unsigned n = 0; n < memory.count; n++) {
		unsigned i = from_high ? memory.count - 1 - n : n;
		const struct memory_range *range = &memory.ranges[i];
		bool fits = from_high ? fit_high(range, size, align, start)
				      : fit_low(range, size, align, limit, start);

		if (fits && carve(i, *start, *start + size))
			return true;
	}
	return false;
}

static err_t allocate(uint64_t size, uint64_t align, uint64_t limit, hpa_t *where)
{
	uint64_t pages = align_up(size, PAGE_SIZE);
	bool from_high = align >= PAGE_2M && limit == UINT64_MAX;
	struct physical_totals totals;
	bool taken;

	if (size == 0 || pages < size)
		return error("%#lx bytes of memory cannot be allocated", size);
	if ((align & (align - 1)) != 0)
		return error("memory cannot be aligned to %#lx, which is no power of two", align);
	if (align < PAGE_SIZE)
		align = PAGE_SIZE;
	spin_lock(&memory.lock);
	taken = take(pages, align, limit, from_high, &where->raw);
	spin_unlock(&memory.lock);
	if (taken)
		return NULL;
	totals = physical_totals();
	if (limit != UINT64_MAX)
		return error("no %lu KiB of free memory below %#lx", pages / KIB, limit);
	return error("no %lu KiB of free memory in one piece: %lu KiB are free, at most %lu KiB "
		     "together",
		     pages / KIB, totals.free / KIB, totals.largest / KIB);
}

err_t physical_allocate(uint64_t size, uint64_t align, hpa_t *where)
{
	return allocate(size, align, UINT64_MAX, where);
}

err_t physical_allocate_below(uint64_t size, uint64_t align, uint64_t limit, hpa_t *where)
{
	return allocate(size, align, limit, where);
}

/* The first range that starts at or after `at`. */
static unsigned range_after(uint64_t at)
{
	unsigned low = 0, high = memory.count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (memory.ranges[middle].start < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum give_back { GIVEN_BACK, NOT_TAKEN, NO_ROOM };

static enum give_back give_back(uint64_t start, uint64_t end)
{
	unsigned next = range_after(start);
	struct memory_range *above = next < memory.count ? &memory.ranges[next] : NULL;
	struct memory_range *below = next > 0 ? &memory.ranges[next - 1] : NULL;

	if (start % PAGE_SIZE != 0 || end <= start || (above && above->start < end) ||
	    (below && below->end > start))
		return NOT_TAKEN;
	if (below && below->end == start && above && above->start == end) {
		below->end = above->end;
		remove_range(next);
	} else if (below && below->end == start) {
		below->end = end;
	} else if (above && above->start == end) {
		above->start = start;
	} else if (!insert_range(next, (struct memory_range){start, end})) {
		return NO_ROOM;
	}
	memory.free += end - start;
	return GIVEN_BACK;
}

void physical_free(hpa_t where, uint64_t size)
{
	uint64_t start = where.raw, end = start + align_up(size, PAGE_SIZE);
	enum give_back result;

	if (size == 0)
		return;
	spin_lock(&memory.lock);
	result = give_back(start, end);
	spin_unlock(&memory.lock);
	if (result == NOT_TAKEN)
		panic("physical memory at %#lx, %#lx bytes, is freed but was not allocated", start,
		      size);
	if (result == NO_ROOM)
		log_warn("%lu KiB of memory at %#lx are lost: free memory is in too many pieces",
			 (end - start) / KIB, start);
}

struct physical_totals physical_totals(void)
{
	struct physical_totals totals;

	spin_lock(&memory.lock);
	totals = (struct physical_totals){
		.usable = memory.usable,
		.reserved = memory.usable - memory.free,
		.free = memory.free,
	};
	for (unsigned i = 0; i < memory.count; i++) {
		uint64_t size = memory.ranges[i].end - memory.ranges[i].start;

		if (size > totals.largest)
			totals.largest = size;
	}
	spin_unlock(&memory.lock);
	return totals;
}
