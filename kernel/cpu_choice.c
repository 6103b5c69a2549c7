/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the processors that the firmware lists can be started, and where their start finds room.
 */
#include "kernel/cpu_choice.h"

#include "kernel/string.h"

/* An xAPIC's ID has 8 bits, and all ones mean everybody. */
#define XAPIC_IDS 255u

/*
 * Firmware keeps its own data at the upper end of the first 640 KiB, and not all of it says so in
 * the memory map: half a mebibyte leaves room for that.
 */
#define LOW_ENOUGH (512 * KIB)

/* Interrupt vectors of real mode, and the BIOS data area. */
#define PAGES_START PAGE_SIZE

void cpu_choice_make(struct cpu_choice *choice, const struct acpi_info *acpi, uint32_t own, bool x2,
		     unsigned limit)
{
	memset(choice, 0, sizeof(*choice));
	for (unsigned i = 0; i < acpi->cpu_count; i++) {
		const struct acpi_cpu *cpu = &acpi->cpus[i];

		if (cpu->apic_id == own)
			continue;
		if (!cpu->enabled)
			choice->off++;
		else if (!x2 && cpu->apic_id >= XAPIC_IDS)
			choice->need_x2++;
		else if (choice->count == limit)
			choice->too_many++;
		else
			choice->apic_ids[choice->count++] = cpu->apic_id;
	}
}

bool cpu_choice_shares_core(const uint32_t *apic_ids, unsigned count, unsigned thread_bits)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (thread_bits > 31 ||
			    apic_ids[i] >> thread_bits == apic_ids[k] >> thread_bits)
				return true;
		}
	}
	return false;
}

bool cpu_choice_page(const struct memory_map *map, hpa_t *page)
{
	bool found = false;

	for (unsigned i = 0; i < map->region_count; i++) {
		const struct memory_region *region = &map->regions[i];
		uint64_t start = region->range.start, end = region->range.end;

		if (region->type != MEMORY_USABLE)
			continue;
		start = align_up(start < PAGES_START ? PAGES_START : start, PAGE_SIZE);
		end = align_down(end < MEMORY_LOW_END ? end : MEMORY_LOW_END, PAGE_SIZE);
		if (start >= end || (found && start >= LOW_ENOUGH))
			continue;
		/* The last page that is low enough, or else the lowest of all. */
		if (start < LOW_ENOUGH)
			*page = HPA((end < LOW_ENOUGH ? end : LOW_ENOUGH) - PAGE_SIZE);
		else
			*page = HPA(start);
		found = true;
	}
	return found;
}
