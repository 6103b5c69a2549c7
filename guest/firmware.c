/* SPDX-License-Identifier: BSD-2-Clause */
/* What a PC's firmware and boot loader would have left for a guest: memory map, BIOS data area, a
 * flat GDT. */
#include "guest/firmware.h"

static void add_entry(struct e820_entry *map, unsigned *count, struct e820_entry entry)
{
	unsigned at = *count;

	for (; at > 0 && map[at - 1].first > entry.first; at--)
		map[at] = map[at - 1];
	map[at] = entry;
	++*count;
}

/* Adds the part of an extent that lies in [first, end). */
static void add_ram(struct e820_entry *map, unsigned *count, const struct vm_extent *extent,
		    uint64_t first, uint64_t end)
{
	uint64_t extent_end = extent->gpa.raw + extent->size;

	if (first < extent->gpa.raw)
		first = extent->gpa.raw;
	if (end > extent_end)
		end = extent_end;
	if (first < end)
		add_entry(map, count, (struct e820_entry){first, end - first, E820_RAM});
}

unsigned firmware_memory_map(const struct vm *vm, struct e820_entry map[E820_ENTRIES_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < vm->extent_count && i < VM_EXTENTS_MAX; i++) {
		add_ram(map, &count, &vm->extents[i], 0, EBDA_START);
		add_ram(map, &count, &vm->extents[i], HIGH_MEMORY, UINT64_MAX);
	}
	add_entry(map, &count,
		  (struct e820_entry){EBDA_START, HIGH_MEMORY - EBDA_START, E820_RESERVED});
	return count;
}

uint32_t firmware_low_kib(const struct vm *vm)
{
	return (uint32_t)(placement_ram_run(vm, 0, EBDA_START) / KIB);
}

uint32_t firmware_high_kib(const struct vm *vm)
{
	return (uint32_t)(placement_ram_run(vm, HIGH_MEMORY, FOUR_GIB - HIGH_MEMORY) / KIB);
}

err_t firmware_bios_data(const struct vm *vm)
{
	static const struct {
		uint32_t gpa;
		uint16_t value;
	} words[] = {
		{0x400,      0x3f8           }, /* port of COM1 */
		{0x40e,      EBDA_START >> 4 }, /* segment of the EBDA */
		{0x410,      0x0220          }, /* equipment: one serial port, 80x25 colour text */
		{0x413,      EBDA_START / KIB}, /* base memory in KiB */
		{0x449,      80 << 8 | 3     }, /* video mode 3, 80 columns */
		{EBDA_START, 1               }, /* size of the EBDA in KiB */
	};

	if (!vm_memory(vm, GPA(0), EBDA_START + KIB))
		return NULL;
	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		if (!vm_write(vm, GPA(words[i].gpa), &words[i].value, sizeof(words[i].value)))
			return error("the BIOS data area at 0x%x is not RAM of the VM",
				     words[i].gpa);
	}
	return NULL;
}

err_t firmware_flat_gdt(struct placement *placement, struct vcpu_state *state)
{
	static const uint64_t gdt[] = {
		[0x10 / 8] = 0x00cf9b000000ffff, /* code, 4 GiB, accessed as SEGMENT_CODE32 says */
		[0x18 / 8] = 0x00cf93000000ffff, /* data */
	};
	gpa_t place;
	err_t err;

	err = placement_place_structure(placement, sizeof(gdt), 16, "the boot GDT", &place);
	if (err)
		return err;
	state->gdtr = (struct descriptor_table){.base = place.raw, .limit = sizeof(gdt) - 1};
	return placement_write(placement, place.raw, gdt, sizeof(gdt));
}
