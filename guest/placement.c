/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a loader puts things in guest memory: ranges taken so far, and places found that overlap
 * none of them. */
#include "guest/placement.h"
#include "kernel/string.h"

#define STRUCTURES_FROM 0x10000ul

void placement_init(struct placement *placement, const struct vm *vm)
{
	static const struct placed_range fixed[] = {
		{0,          BIOS_DATA_END,            "the BIOS data area"                },
		{EBDA_START, HIGH_MEMORY - EBDA_START, "the PC's EBDA, video and BIOS area"},
	};

	*placement = (struct placement){.vm = vm, .taken_count = ARRAY_COUNT(fixed)};
	memcpy(placement->taken, fixed, sizeof(fixed));
}

uint64_t placement_ram_run(const struct vm *vm, uint64_t gpa, uint64_t most)
{
	uint64_t run = 0;

	/* Each turn passes one extent's end. */
	for (unsigned turn = 0; turn < VM_EXTENTS_MAX && run < most; turn++) {
		uint64_t before = run;

		for (unsigned i = 0; i < vm->extent_count && i < VM_EXTENTS_MAX; i++) {
			const struct vm_extent *extent = &vm->extents[i];
			uint64_t offset = gpa + run - extent->gpa.raw;

			if (gpa + run >= extent->gpa.raw && offset < extent->size) {
				run += extent->size - offset;
				break;
			}
		}
		if (run == before || gpa + run < gpa)
			break;
	}
	return run < most ? run : most;
}

static uint64_t ram_size(const struct vm *vm)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < vm->extent_count && i < VM_EXTENTS_MAX; i++)
		size += vm->extents[i].size;
	return size;
}

/* size > 0, and first + size does not wrap. */
static const struct placed_range *find_overlap(const struct placement *placement, uint64_t first,
					       uint64_t size)
{
	for (unsigned i = 0; i < placement->taken_count; i++) {
		const struct placed_range *range = &placement->taken[i];

		if (first < range->first + range->size && range->first < first + size)
			return range;
	}
	return NULL;
}

static err_t add_range(struct placement *placement, uint64_t first, uint64_t size, const char *what)
{
	if (placement->taken_count == PLACEMENT_RANGES_MAX)
		return error("no room for %s: the image has too many pieces (at most %u)", what,
			     PLACEMENT_RANGES_MAX - 16);
	placement->taken[placement->taken_count++] =
		(struct placed_range){.first = first, .size = size, .what = what};
	return NULL;
}

err_t placement_take(struct placement *placement, uint64_t first, uint64_t size, const char *what)
{
	const struct placed_range *other;

	if (size == 0)
		return error("%s at 0x%lx is empty", what, first);
	if (first >= FOUR_GIB || size > FOUR_GIB - first)
		return error("%s (0x%lx bytes at 0x%lx) does not end below 4 GiB", what, size,
			     first);
	other = find_overlap(placement, first, size);
	if (other)
		return error("%s at 0x%lx-0x%lx overlaps %s at 0x%lx-0x%lx", what, first,
			     first + size - 1, other->what, other->first,
			     other->first + other->size - 1);
	if (placement_ram_run(placement->vm, first, size) < size)
		return error("%s at 0x%lx-0x%lx lies outside the VM's RAM of %lu KiB; give it more "
			     "memory (mem=)",
			     what, first, first + size - 1, ram_size(placement->vm) / KIB);
	return add_range(placement, first, size, what);
}

static bool is_free(const struct placement *placement, uint64_t first, uint64_t size)
{
	return first < FOUR_GIB && size <= FOUR_GIB - first &&
	       !find_overlap(placement, first, size) &&
	       placement_ram_run(placement->vm, first, size) == size;
}

static err_t no_place(const struct placement *placement, uint64_t size, const char *what,
		      uint64_t from, uint64_t limit)
{
	return error("no room for %s: 0x%lx bytes between 0x%lx and 0x%lx in a VM with %lu KiB of "
		     "RAM; give it more memory (mem=)",
		     what, size, from, limit, ram_size(placement->vm) / KIB);
}

/*
 * The lowest place begins at `from`, where an extent begins, or where a taken range ends: no others
 * need be tried.
 */
err_t placement_place_low(struct placement *placement, uint64_t from, uint64_t size, uint64_t align,
			  const char *what, gpa_t *place)
{
	const struct vm *vm = placement->vm;
	uint64_t best = FOUR_GIB;

	for (unsigned i = 0; size > 0 && i <= VM_EXTENTS_MAX + placement->taken_count; i++) {
		uint64_t first = from;

		if (i < vm->extent_count && i < VM_EXTENTS_MAX)
			first = vm->extents[i].gpa.raw;
		else if (i >= VM_EXTENTS_MAX && i < VM_EXTENTS_MAX + placement->taken_count)
			first = placement->taken[i - VM_EXTENTS_MAX].first +
				placement->taken[i - VM_EXTENTS_MAX].size;
		if (first < from || first >= FOUR_GIB)
			continue;
		first = align_up(first, align);
		if (first < best && is_free(placement, first, size))
			best = first;
	}
	if (best == FOUR_GIB)
		return no_place(placement, size, what, from, FOUR_GIB);
	*place = GPA(best);
	return add_range(placement, best, size, what);
}

/* The highest place ends at the limit, where an extent ends, or where a taken range begins. */
err_t placement_place_high(struct placement *placement, uint64_t limit, uint64_t size,
			   uint64_t align, const char *what, gpa_t *place)
{
	const struct vm *vm = placement->vm;
	uint64_t best = 0;

	if (limit > FOUR_GIB)
		limit = FOUR_GIB;
	for (unsigned i = 0; size > 0 && i <= VM_EXTENTS_MAX + placement->taken_count; i++) {
		uint64_t end = limit;

		if (i < vm->extent_count && i < VM_EXTENTS_MAX)
			end = vm->extents[i].gpa.raw + vm->extents[i].size;
		else if (i >= VM_EXTENTS_MAX && i < VM_EXTENTS_MAX + placement->taken_count)
			end = placement->taken[i - VM_EXTENTS_MAX].first;
		if (end > limit)
			continue;
		if (end < size)
			continue;
		end = align_down(end - size, align);
		/* Address 0 is never free, so that it can stand for "none". */
		if (end > best && is_free(placement, end, size))
			best = end;
	}
	if (best == 0)
		return no_place(placement, size, what, 0, limit);
	*place = GPA(best);
	return add_range(placement, best, size, what);
}

err_t placement_place_structure(struct placement *placement, uint64_t size, uint64_t align,
				const char *what, gpa_t *place)
{
	err_t err = placement_place_low(placement, STRUCTURES_FROM, size, align, what, place);

	if (err)
		err = placement_place_low(placement, BIOS_DATA_END, size, align, what, place);
	return err;
}

err_t placement_zero(const struct placement *placement, uint64_t first, uint64_t size)
{
	/* Page by page: no page crosses from one extent into another. */
	while (size > 0) {
		uint64_t rest = PAGE_SIZE - first % PAGE_SIZE;
		uint64_t piece = rest < size ? rest : size;
		void *memory = vm_memory(placement->vm, GPA(first), piece);

		if (!memory)
			return error("0x%lx is not RAM of the VM", first);
		memset(memory, 0, piece);
		first += piece;
		size -= piece;
	}
	return NULL;
}

err_t placement_write(const struct placement *placement, uint64_t first, const void *from,
		      uint64_t size)
{
	if (!vm_write(placement->vm, GPA(first), from, size))
		return error("0x%lx bytes at 0x%lx are not RAM of the VM", size, first);
	return NULL;
}
