/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processors of a MADT are started, and in which page of low memory. */
/* UNITS: kernel/cpu_choice.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu_choice.h"

static struct acpi_info acpi;
static struct cpu_choice choice;
static struct memory_map map;

static int setup(void **state)
{
	(void)state;
	memset(&acpi, 0, sizeof(acpi));
	memset(&map, 0, sizeof(map));
	memset(&choice, 0xff, sizeof(choice));
	return 0;
}

static void list(uint32_t apic_id, bool enabled)
{
	acpi.cpus[acpi.cpu_count++] = (struct acpi_cpu){
		.apic_id = apic_id, .enabled = enabled, .online_capable = !enabled};
}

static void all_but_the_first(void **state)
{
	(void)state;
	list(4, true);
	list(0, true);
	list(6, false);
	list(2, true);
	cpu_choice_make(&choice, &acpi, 0, false, 63);
	assert_int_equal(choice.count, 2);
	assert_int_equal(choice.apic_ids[0], 4);
	assert_int_equal(choice.apic_ids[1], 2);
	assert_int_equal(choice.off, 1);
	assert_int_equal(choice.need_x2, 0);
	assert_int_equal(choice.too_many, 0);
}

static void nothing_listed(void **state)
{
	(void)state;
	cpu_choice_make(&choice, &acpi, 3, true, 63);
	assert_int_equal(choice.count, 0);
}

/* In xAPIC mode an ID has 8 bits, and 255 means everybody: to start that one would start them all.
 */
static void large_ids_need_x2apic(void **state)
{
	(void)state;
	list(1, true);
	list(254, true);
	list(255, true);
	list(256, true);
	list(0xfffffffe, true);
	cpu_choice_make(&choice, &acpi, 1, false, 63);
	assert_int_equal(choice.count, 1);
	assert_int_equal(choice.apic_ids[0], 254);
	assert_int_equal(choice.need_x2, 3);
	cpu_choice_make(&choice, &acpi, 1, true, 63);
	assert_int_equal(choice.count, 4);
	assert_int_equal(choice.apic_ids[3], 0xfffffffe);
	assert_int_equal(choice.need_x2, 0);
}

static void more_than_fit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ACPI_CPUS_MAX; i++)
		list(i, true);
	cpu_choice_make(&choice, &acpi, 7, true, 63);
	assert_int_equal(choice.count, 63);
	assert_int_equal(choice.too_many, ACPI_CPUS_MAX - 64);
	assert_int_equal(choice.apic_ids[6], 6);
	assert_int_equal(choice.apic_ids[7], 8);
	/* Even when the first processor is not among them. */
	cpu_choice_make(&choice, &acpi, 1000, true, ACPI_CPUS_MAX);
	assert_int_equal(choice.count, ACPI_CPUS_MAX);
}

static void threads_of_one_core(void **state)
{
	static const uint32_t all[] = {0, 1, 2, 3}, cores[] = {0, 2, 4, 6, 16},
			      late[] = {0, 2, 8, 9};

	(void)state;
	assert_true(cpu_choice_shares_core(all, 4, 1));
	assert_false(cpu_choice_shares_core(all, 4, 0));
	assert_false(cpu_choice_shares_core(cores, 5, 1));
	assert_true(cpu_choice_shares_core(cores, 5, 2));
	assert_true(cpu_choice_shares_core(late, 4, 1));
	assert_false(cpu_choice_shares_core(all, 1, 31));
	assert_true(cpu_choice_shares_core(all, 2, 32));
}

static void region(uint64_t start, uint64_t end, enum memory_kind type)
{
	map.regions[map.region_count++] = (struct memory_region){
		.range = {start, end},
                  .type = type
        };
}

static uint64_t page(void)
{
	hpa_t where;

	return cpu_choice_page(&map, &where) ? where.raw : 0;
}

static void page_of_a_pc(void **state)
{
	(void)state;
	region(0, 0x9fc00, MEMORY_USABLE);
	region(0x9fc00, 0xa0000, MEMORY_RESERVED);
	region(0xf0000, 0x100000, MEMORY_RESERVED);
	region(0x100000, 0x8000000, MEMORY_USABLE);
	assert_int_equal(page(), 0x7f000);
}

static void page_of_odd_maps(void **state)
{
	(void)state;
	assert_int_equal(page(), 0);
	/* What is not whole pages, not usable, the first page, above 1 MiB. */
	region(0, 0x1000, MEMORY_USABLE);
	region(0x1800, 0x2800, MEMORY_USABLE);
	region(0x3000, 0x80000, MEMORY_ACPI_RECLAIMABLE);
	region(0x100000, 0x8000000, MEMORY_USABLE);
	assert_int_equal(page(), 0);
	map.regions[0].range.end = 0x1800;
	assert_int_equal(page(), 0);
	map.regions[0].range.end = 0x2000;
	assert_int_equal(page(), 0x1000);
	/* Only high ones: the lowest of these. */
	map.region_count = 0;
	region(0x90000, 0x98000, MEMORY_USABLE);
	region(0x9a000, 0x9f000, MEMORY_USABLE);
	assert_int_equal(page(), 0x90000);
	/* A low one below them counts more, be it in the list before or after. */
	region(0x5000, 0x7000, MEMORY_USABLE);
	assert_int_equal(page(), 0x6000);
	/* One region across the 1 MiB. */
	map.region_count = 0;
	region(0xff000, 0x8000000, MEMORY_USABLE);
	assert_int_equal(page(), 0xff000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_but_the_first, setup),
		cmocka_unit_test_setup(nothing_listed, setup),
		cmocka_unit_test_setup(large_ids_need_x2apic, setup),
		cmocka_unit_test_setup(more_than_fit, setup),
		cmocka_unit_test_setup(threads_of_one_core, setup),
		cmocka_unit_test_setup(page_of_a_pc, setup),
		cmocka_unit_test_setup(page_of_odd_maps, setup),
	};

	return cmocka_run_group_tests_name("choice of CPUs", tests, NULL, NULL);
}
