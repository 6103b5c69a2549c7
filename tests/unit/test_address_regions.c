/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of VMs, devices, firmware tables and stacks in the address space. */
/* UNITS: kernel/address_space.c kernel/page_table.c kernel/physical.c kernel/memory_map.c */
/* UNITS: arch/x86_64/cpuid.c tests/fake/paged_machine.c tests/fake/direct_map.c tests/fake/log.c */
/* UNITS: kernel/tlb.c tests/fake/cpus.c tests/fake/error.c tests/fake/panic.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/address_space.h"
#include "kernel/physical.h"
#include "tests/fake/direct_map.h"
#include "tests/fake/paged_machine.h"
#include "tests/fake/panic.h"

static void windows(void **state)
{
	uint64_t window = address_space_window(3).raw;
	struct physical_totals before = physical_totals();

	(void)state;
	assert_int_equal(window, WINDOW_BASE + 3 * WINDOW_SIZE);
	assert_true(PANICS(address_space_window(WINDOW_COUNT)));
	for (unsigned i = 0; i < 50; i++) {
		assert_null(address_space_map_window(HVA(window), HPA(0x140000000), 0xa0000));
		assert_null(address_space_map_window(HVA(window + 0x100000), HPA(0x140100000),
						     0x1f00000 + 0x3000));
		assert_maps(window, 0x140000000, W | XD, PAGE_SIZE);
		assert_maps(window + 0x9ffff, 0x14009ffff, W | XD, PAGE_SIZE);
		assert_unmapped(window + 0xa0000);
		assert_maps(window + 0x1fffff, 0x1401fffff, W | XD, PAGE_SIZE);
		assert_maps(window + 0x200000, 0x140200000, W | XD, PAGE_2M);
		assert_maps(window + 0x2002fff, 0x142002fff, W | XD, PAGE_SIZE);
		assert_unmapped(window + 0x2003000);
		assert_null(address_space_unmap_window(HVA(window), 0x2003000));
		assert_unmapped(window);
		assert_unmapped(window + 0x200000);
		assert_int_equal(physical_totals().free, before.free);
	}
	/* A backing that is not aligned as the addresses are. */
	assert_null(address_space_map_window(HVA(window), HPA(0x140001000), PAGE_2M));
	assert_maps(window + 0x1ff123, 0x140200123, W | XD, PAGE_SIZE);
	assert_null(address_space_unmap_window(HVA(window), PAGE_2M));
	assert_int_equal(physical_totals().free, before.free);
	assert_int_equal(physical_totals().largest, before.largest);
}

static void window_refusals(void **state)
{
	uint64_t window = address_space_window(0).raw, last = window + WINDOW_SIZE - PAGE_SIZE;
	struct physical_totals before;

	(void)state;
	assert_null(address_space_map_window(HVA(window + PAGE_2M), HPA(0x140000000), PAGE_SIZE));
	before = physical_totals();
	/* The part before the collision is undone. */
	assert_non_null(strstr(address_space_map_window(HVA(window), HPA(0x150000000), 2 * PAGE_2M),
			       "mapped already"));
	assert_unmapped(window);
	assert_maps(window + PAGE_2M, 0x140000000, W | XD, PAGE_SIZE);
	assert_int_equal(physical_totals().free, before.free);

	assert_non_null(address_space_map_window(HVA(last), HPA(0x140000000), 2 * PAGE_SIZE));
	assert_null(address_space_map_window(HVA(last), HPA(0x140000000), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000000), 0));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000000), UINT64_MAX));
	assert_non_null(address_space_map_window(HVA(window + 1), HPA(0x140000000), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(0x140000001), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(window), HPA(1ul << 40), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(WINDOW_BASE - PAGE_SIZE), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(0), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_map_window(HVA(KERNEL_BASE), HPA(0), PAGE_SIZE));
	assert_non_null(address_space_unmap_window(HVA(KERNEL_BASE + CODE), PAGE_SIZE));
	assert_non_null(address_space_unmap_window(HVA(WINDOW_BASE + WINDOW_COUNT * WINDOW_SIZE),
						   PAGE_SIZE));
}

static void devices(void **state)
{
	void *vga, *apic;

	(void)state;
	assert_null(address_space_map_device(HPA(0xb8000), 4000, &vga));
	assert_null(address_space_map_device(HPA(0xfee00ff0), 0x20, &apic));
	assert_maps((uint64_t)vga, 0xb8000, W | XD | PCD | PWT, PAGE_SIZE);
	assert_maps((uint64_t)apic, 0xfee00ff0, W | XD | PCD | PWT, PAGE_SIZE);
	assert_maps((uint64_t)apic + 0x1f, 0xfee0100f, W | XD | PCD | PWT, PAGE_SIZE);
	assert_unmapped((uint64_t)apic + 0x1010);
	assert_non_null(address_space_map_device(HPA((1ul << 40) - 1), 2, &vga));
	assert_non_null(address_space_map_device(HPA(UINT64_MAX), 1, &vga));
	assert_non_null(address_space_map_device(HPA(0xb8000), UINT64_MAX, &vga));
	assert_non_null(address_space_map_device(HPA(0xb8000), 0, &vga));
	assert_null(address_space_map_device(HPA((1ul << 40) - 1), 1, &vga));
	assert_write_xor_execute();
}

static void firmware_tables(void **state)
{
	struct physical_totals before;
	const void *where, *again;

	(void)state;
	/* In RAM, of a type or across types. */
	assert_null(physical_map_readonly(HPA(0x7fe0123), 0x10000, &where));
	assert_ptr_equal(where, direct_map(HPA(0x7fe0123)));
	physical_unmap_readonly((const void *)(DIRECT_MAP_BASE + 0x7fe0123), 0x10000);
	assert_maps(DIRECT_MAP_BASE + 0x7fe0123, 0x7fe0123, W | XD, PAGE_2M);

	/* Outside, or across the end of RAM. */
	assert_null(physical_map_readonly(HPA(0xf6543), 0x20, &where));
	assert_maps((uint64_t)where, 0xf6543, XD, PAGE_SIZE);
	before = physical_totals();
	assert_null(physical_map_readonly(HPA(0x7fffff8), 0x1010, &again));
	assert_maps((uint64_t)again + 8, 0x8000000, XD, PAGE_SIZE);
	assert_maps((uint64_t)again + 0x100f, 0x8001007, XD, PAGE_SIZE);
	physical_unmap_readonly(again, 0x1010);
	assert_unmapped((uint64_t)again);
	assert_unmapped((uint64_t)again + 0x100f);
	assert_int_equal(physical_totals().free, before.free);
	for (unsigned i = 0; i < 1000; i++) {
		assert_null(physical_map_readonly(HPA(0x90000000), PHYSICAL_MAP_MAX, &where));
		physical_unmap_readonly(where, PHYSICAL_MAP_MAX);
	}
	assert_ptr_equal(align_down((uint64_t)again, PAGE_SIZE), where);

	assert_non_null(physical_map_readonly(HPA(0xf6543), 0, &where));
	assert_non_null(physical_map_readonly(HPA(0xf6543), PHYSICAL_MAP_MAX + 1, &where));
	assert_non_null(physical_map_readonly(HPA(UINT64_MAX - 7), 36, &where));
	assert_non_null(physical_map_readonly(HPA(1ul << 40), 36, &where));
	assert_non_null(physical_map_readonly(HPA((1ul << 40) - 35), 36, &where));
	physical_unmap_readonly(NULL, 36);
}

static void stacks(void **state)
{
	void *first, *second;
	uint64_t top;

	(void)state;
	assert_null(stack_create(0x4000, &first));
	assert_null(stack_create(1, &second));
	top = (uint64_t)first;
	for (uint64_t at = top - 0x4000; at < top; at += PAGE_SIZE) {
		uint64_t page, entry = walk(at, &page);

		assert_int_equal(entry & (W | XD), W | XD);
		assert_false(stack_is_guard(HVA(at)));
	}
	assert_unmapped(top - 0x4001);
	assert_true(stack_is_guard(HVA(top - 0x4001)));
	assert_unmapped(top);
	assert_int_equal((uint64_t)second, top + 2 * PAGE_SIZE);
	assert_false(stack_is_guard(HVA((uint64_t)second)));
	assert_false(stack_is_guard(HVA(0)));
	assert_non_null(stack_create(UINT64_MAX, &first));
	assert_non_null(stack_create(64 * GIB, &first));
	assert_non_null(stack_create(REGION_SIZE, &first));
	assert_write_xor_execute();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(windows, paged_machine_setup),
		cmocka_unit_test_setup(window_refusals, paged_machine_setup),
		cmocka_unit_test_setup(devices, paged_machine_setup),
		cmocka_unit_test_setup(firmware_tables, paged_machine_setup),
		cmocka_unit_test_setup(stacks, paged_machine_setup),
	};

	return cmocka_run_group_tests_name("address regions", tests, NULL, NULL);
}
