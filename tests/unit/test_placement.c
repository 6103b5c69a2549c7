/* SPDX-License-Identifier: BSD-2-Clause */
/* UNITS: guest/placement.c guest/firmware.c vcpu/vm_memory.c */
/* UNITS: tests/fake/guest_memory.c tests/fake/error.c */
/* Places in guest memory never overlap, and the memory map says what is RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/firmware.h"
#include "guest/placement.h"
#include "tests/fake/guest_memory.h"

static struct vm vm;
static struct placement placement;

static int setup(void **state)
{
	(void)state;
	fake_guest_memory(&vm, (const struct fake_extent[]){
				       {0x100000, 0x100000},
				       {0,        0xa0000 },
				       {0x200000, 0x100000},
				       {4 * GIB,  MIB     },
				       {0,        0       }
        });
	placement_init(&placement, &vm);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_guest_memory_free(&vm);
	return 0;
}

static void assert_error(err_t err, const char *part)
{
	assert_non_null(err);
	if (!strstr(err, part))
		fail_msg("\"%s\" does not say \"%s\"", err, part);
}

static void take_refuses(void **state)
{
	(void)state;
	assert_null(
		placement_take(&placement, 0x180000, 0x100000, "a")); /* two extents that touch */
	assert_error(placement_take(&placement, 0x27ffff, 1, "b"),
		     "b at 0x27ffff-0x27ffff overlaps a at 0x180000-0x27ffff");
	assert_null(placement_take(&placement, 0x280000, 1, "c"));
	assert_null(placement_take(&placement, 0x17ffff, 1, "d"));
	assert_error(placement_take(&placement, 0x110000, 0x1f0001, "e"), "overlaps");
	assert_error(placement_take(&placement, 0x2f0000, 0x10001, "f"), "outside the VM's RAM");
	assert_error(placement_take(&placement, 0x300000, 1, "f"), "outside the VM's RAM");
	assert_error(placement_take(&placement, 0, 1, "g"), "BIOS data area");
	assert_error(placement_take(&placement, 0x9fbff, 2, "g"), "EBDA");
	assert_error(placement_take(&placement, 0x150000, 0, "h"), "empty");
	assert_error(placement_take(&placement, 4 * GIB, 1, "i"), "below 4 GiB");
	assert_error(placement_take(&placement, 0x110000, UINT64_MAX, "j"), "below 4 GiB");
	assert_error(placement_take(&placement, UINT64_MAX, 2, "j"), "below 4 GiB");
}

static void low_is_lowest(void **state)
{
	gpa_t place;

	(void)state;
	assert_null(placement_place_low(&placement, 0, 16, 16, "a", &place));
	assert_int_equal(place.raw, 0x1000);
	assert_null(placement_place_low(&placement, 0, PAGE_SIZE, PAGE_SIZE, "b", &place));
	assert_int_equal(place.raw, 0x2000);
	assert_null(placement_place_low(&placement, 0, 16, 1, "c", &place)); /* into the gap */
	assert_int_equal(place.raw, 0x1010);
	assert_null(placement_place_low(&placement, 0x9fb00, 0x200, 16, "d", &place));
	assert_int_equal(place.raw, 0x100000);
	assert_null(placement_place_low(&placement, 0x100001, 1, 0x80000, "e", &place));
	assert_int_equal(place.raw, 0x180000);
	assert_error(placement_place_low(&placement, 0x100000, 0x200001, 1, "f", &place),
		     "no room for f");
	assert_error(placement_place_low(&placement, 0xffffffff, 1, 0x80000000, "f", &place),
		     "no room");
	assert_error(placement_place_low(&placement, 0, 0, 1, "f", &place), "no room");
	assert_error(placement_place_low(&placement, 0, UINT64_MAX, 1, "f", &place), "no room");
}

static void high_is_highest(void **state)
{
	gpa_t place;

	(void)state;
	assert_null(placement_place_high(&placement, FOUR_GIB, 1, PAGE_SIZE, "a", &place));
	assert_int_equal(place.raw, 0x2ff000);
	assert_null(placement_place_high(&placement, UINT64_MAX, 0x100001, PAGE_SIZE, "b", &place));
	assert_int_equal(place.raw, 0x1fe000);
	assert_null(placement_place_high(&placement, 0x180000, 0x1000, PAGE_SIZE, "c", &place));
	assert_int_equal(place.raw, 0x17f000);
	assert_null(placement_place_high(&placement, 0xfffff, 1, 1, "d", &place));
	assert_int_equal(place.raw, 0x9fbff);
	assert_error(placement_place_high(&placement, FOUR_GIB, UINT64_MAX, 1, "e", &place),
		     "no room for e");
	assert_error(placement_place_high(&placement, 0x1000, 1, 1, "e", &place), "no room");
	assert_error(placement_place_high(&placement, 0, 1, 1, "e", &place), "no room");
}

static void structures_go_from_64k_up_and_never_overlap(void **state)
{
	gpa_t place, last = GPA(0);
	unsigned count = 0;

	(void)state;
	assert_null(placement_take(&placement, 0x10000, 0x80000, "the image"));
	while (!placement_place_structure(&placement, 0x3001, 16, "a structure", &place)) {
		count++;
		if (count == 1)
			assert_int_equal(place.raw, 0x90000);
		last = place;
	}
	assert_int_equal(count, PLACEMENT_RANGES_MAX - 3);
	assert_true(last.raw > 0x100000);
	for (unsigned i = 0; i < placement.taken_count; i++)
		for (unsigned j = 0; j < i; j++)
			assert_true(placement.taken[i].first >=
					    placement.taken[j].first + placement.taken[j].size ||
				    placement.taken[j].first >=
					    placement.taken[i].first + placement.taken[i].size);
}

static void structures_fall_back_below_64k(void **state)
{
	gpa_t place;

	(void)state;
	assert_null(placement_take(&placement, 0x10000, 0x8fc00, "low memory"));
	assert_null(placement_take(&placement, 0x100000, 0x200000, "high memory"));
	assert_null(placement_place_structure(&placement, PAGE_SIZE, PAGE_SIZE, "a", &place));
	assert_int_equal(place.raw, 0x1000);
}

static void zero_and_write_cross_extents(void **state)
{
	static uint8_t bytes[3 * PAGE_SIZE];

	(void)state;
	memset(bytes, 0xee, sizeof(bytes));
	assert_null(placement_write(&placement, 0x1ff000, bytes, sizeof(bytes)));
	assert_null(placement_zero(&placement, 0x1ff010, 0x1ff0));
	assert_true(vm_read(&vm, GPA(0x1ff000), bytes, sizeof(bytes)));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], i >= 0x10 && i < 0x2000 ? 0 : 0xee);
	assert_null(placement_zero(&placement, 0x123, 0));
	assert_error(placement_zero(&placement, 0x2ff000, 0x1001), "0x300000 is not RAM");
	assert_error(placement_write(&placement, 0x2ff000, bytes, 0x1001), "not RAM");
}

static void memory_map(void **state)
{
	static const struct e820_entry expected[] = {
		{0,        0x9fc00,  E820_RAM     },
                {0x9fc00,  0x60400,  E820_RESERVED},
		{0x100000, 0x100000, E820_RAM     },
                {0x200000, 0x100000, E820_RAM     },
		{4 * GIB,  MIB,      E820_RAM     },
	};
	struct e820_entry map[E820_ENTRIES_MAX];

	(void)state;
	assert_int_equal(sizeof(map[0]), 20);
	assert_int_equal(firmware_memory_map(&vm, map), ARRAY_COUNT(expected));
	assert_memory_equal(map, expected, sizeof(expected));
	assert_int_equal(firmware_low_kib(&vm), 639);
	assert_int_equal(firmware_high_kib(&vm), 2048);
}

static void memory_map_of_one_extent(void **state)
{
	struct e820_entry map[E820_ENTRIES_MAX];

	(void)state;
	fake_guest_memory_free(&vm);
	fake_guest_ram(&vm, 32 * MIB);
	assert_int_equal(firmware_memory_map(&vm, map), 3);
	assert_int_equal(map[0].size, 0x9fc00);
	assert_int_equal(map[2].first, 0x100000);
	assert_int_equal(map[2].size, 31 * MIB);
	assert_int_equal(firmware_high_kib(&vm), 31 * 1024);
}

static void memory_map_of_many_extents(void **state)
{
	struct e820_entry map[E820_ENTRIES_MAX];

	(void)state;
	/* As many entries as there can be: each extent crosses the first MiB's reserved area. */
	vm.extent_count = VM_EXTENTS_MAX + 3;
	for (unsigned i = 0; i < VM_EXTENTS_MAX; i++)
		vm.extents[i] = (struct vm_extent){.gpa = GPA(0), .size = 2 * MIB};
	assert_int_equal(firmware_memory_map(&vm, map), E820_ENTRIES_MAX);
	for (unsigned i = 1; i < E820_ENTRIES_MAX; i++)
		assert_true(map[i].first >= map[i - 1].first);
}

static void bios_data_and_gdt(void **state)
{
	struct vcpu_state cpu = {0};
	uint64_t gdt[4];

	(void)state;
	assert_null(firmware_bios_data(&vm));
	assert_int_equal(*(uint16_t *)vm_memory(&vm, GPA(0x400), 2), 0x3f8);
	assert_int_equal(*(uint16_t *)vm_memory(&vm, GPA(0x40e), 2), 0x9fc0);
	assert_int_equal(*(uint8_t *)vm_memory(&vm, GPA(0x413), 1), 639 & 0xff);
	assert_null(firmware_flat_gdt(&placement, &cpu));
	assert_int_equal(cpu.gdtr.limit, 31);
	assert_true(vm_read(&vm, GPA(cpu.gdtr.base), gdt, sizeof(gdt)));
	assert_int_equal(gdt[0] | gdt[1], 0);
	assert_int_equal((gdt[2] >> 40) & 0xf0ff, SEGMENT_CODE32);
	assert_int_equal((gdt[3] >> 40) & 0xf0ff, SEGMENT_DATA32);

	vm.extent_count = 1; /* RAM from 1 MiB only */
	assert_null(firmware_bios_data(&vm));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(take_refuses),
		TEST(low_is_lowest),
		TEST(high_is_highest),
		TEST(structures_go_from_64k_up_and_never_overlap),
		TEST(structures_fall_back_below_64k),
		TEST(zero_and_write_cross_extents),
		TEST(memory_map),
		TEST(memory_map_of_one_extent),
		TEST(memory_map_of_many_extents),
		TEST(bios_data_and_gdt),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
