/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel and the direct map in the page tables: rights, removal, splits, lack of memory. */
/* UNITS: kernel/address_space.c kernel/page_table.c kernel/physical.c kernel/memory_map.c */
/* UNITS: arch/x86_64/cpuid.c tests/fake/paged_machine.c tests/fake/direct_map.c tests/fake/log.c */
/* UNITS: kernel/tlb.c tests/fake/cpus.c tests/fake/error.c tests/fake/panic.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/address_space.h"
#include "kernel/physical.h"
#include "kernel/tlb.h"
#include "tests/fake/cpus.h"
#include "tests/fake/direct_map.h"
#include "tests/fake/paged_machine.h"

static void switched(void **state)
{
	uint64_t efer;

	(void)state;
	assert_int_equal(fake_machine.cr3, address_space_cr3());
	assert_true(fake_machine.cr0 & CR0_WP);
	assert_int_equal(fake_machine.cr4, CR4_PAE | CR4_PGE);
	assert_true(fake_msr_get(IA32_EFER, &efer));
	assert_int_equal(efer, EFER_LME | EFER_LMA | EFER_NXE);
	assert_true(fake_direct_map_active);
}

static void kernel_image_mapped(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 0x10000; at += 0x800) {
		if (at < 0x5000)
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, 0, PAGE_SIZE);
		else if (at < 0x8000)
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, XD, PAGE_SIZE);
		else if (at < 0x9000)
			assert_unmapped(KERNEL_BASE + CODE + at);
		else
			assert_maps(KERNEL_BASE + CODE + at, CODE + at, W | XD, PAGE_SIZE);
	}
	assert_unmapped(KERNEL_BASE);
	assert_unmapped(KERNEL_BASE + CODE - 1);
	assert_unmapped(KERNEL_BASE + CODE + 0x10000);
	assert_unmapped(UINT64_MAX);
	assert_write_xor_execute();
}

static void low_half_is_empty(void **state)
{
	const uint64_t *root = direct_map(HPA(address_space_cr3()));

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(root[i], 0);
	assert_unmapped(0);
	assert_unmapped(0xb8000);
}

static void ram_is_in_the_direct_map(void **state)
{
	(void)state;
	assert_maps(DIRECT_MAP_BASE, 0, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x9efff, 0x9efff, W | XD, PAGE_SIZE);
	assert_unmapped(DIRECT_MAP_BASE + 0x9f000);
	assert_unmapped(DIRECT_MAP_BASE + 0xb8000);
	assert_unmapped(DIRECT_MAP_BASE + 0xf0000);
	assert_maps(DIRECT_MAP_BASE + CODE, CODE, XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + CODE + 0x7000, CODE + 0x7000, XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + CODE + 0x8000, CODE + 0x8000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x200000, 0x200000, W | XD, PAGE_2M);
	assert_maps(DIRECT_MAP_BASE + 0x7fe0000, 0x7fe0000, W | XD, PAGE_2M);
	assert_maps(DIRECT_MAP_BASE + 0x7ffffff, 0x7ffffff, W | XD, PAGE_2M);
	assert_unmapped(DIRECT_MAP_BASE + 0x8000000);
	assert_unmapped(DIRECT_MAP_BASE + 0xfee00000);
	assert_maps(DIRECT_MAP_BASE + 0x17fffffff, 0x17fffffff, W | XD, PAGE_2M);
	assert_unmapped(DIRECT_MAP_BASE + 0x180000000);
}

static void processor_must_have_no_execute(void **state)
{
	(void)state;
	processor_lacks_nx = true;
	assert_non_null(strstr(address_space_init(&paged_machine_map, &paged_machine_image),
			       "firmware setup"));
	assert_int_equal(fake_machine.cr3, 0);
	processor_lacks_nx = false;
	processor_address_bits = 64;
	assert_non_null(
		strstr(address_space_init(&paged_machine_map, &paged_machine_image), "64 bits"));
}

static void guest_ram_leaves_the_direct_map(void **state)
{
	const uint64_t guest = 0x110000000, size = 0x10000000;
	struct physical_totals before = physical_totals();

	(void)state;
	assert_null(direct_map_remove(HPA(guest), size));
	assert_maps(DIRECT_MAP_BASE + guest - 1, guest - 1, W | XD, PAGE_2M);
	for (uint64_t at = guest; at < guest + size; at += PAGE_SIZE)
		assert_unmapped(DIRECT_MAP_BASE + at);
	assert_maps(DIRECT_MAP_BASE + guest + size, guest + size, W | XD, PAGE_2M);
	/* The flush of a large range toggles CR4.PGE and leaves it on. */
	assert_int_equal(fake_machine.invlpg_count, 0);
	assert_true(fake_machine.cr4 & CR4_PGE);

	assert_null(direct_map_restore(HPA(guest), size));
	for (uint64_t at = guest; at < guest + size; at += PAGE_2M)
		assert_maps(DIRECT_MAP_BASE + at, at, W | XD, PAGE_2M);
	assert_int_equal(physical_totals().free, before.free);
	assert_write_xor_execute();

	/* All that a table covers: the table stays for the way back. */
	assert_null(direct_map_remove(HPA(0x100000000), 2 * GIB));
	assert_unmapped(DIRECT_MAP_BASE + 0x100000000);
	assert_int_equal(physical_totals().free, before.free);
	assert_null(direct_map_restore(HPA(0x100000000), 2 * GIB));
	assert_maps(DIRECT_MAP_BASE + 0x17fffffff, 0x17fffffff, W | XD, PAGE_2M);
}

static void small_pieces_split_large_pages(void **state)
{
	(void)state;
	assert_null(direct_map_remove(HPA(0x401000), 0x3000));
	assert_int_equal(fake_machine.invlpg_count, 3);
	assert_maps(DIRECT_MAP_BASE + 0x400fff, 0x400fff, W | XD, PAGE_SIZE);
	assert_unmapped(DIRECT_MAP_BASE + 0x401000);
	assert_unmapped(DIRECT_MAP_BASE + 0x403fff);
	assert_maps(DIRECT_MAP_BASE + 0x404000, 0x404000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x5fffff, 0x5fffff, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x600000, 0x600000, W | XD, PAGE_2M);
	assert_null(direct_map_restore(HPA(0x401000), 0x3000));
	for (uint64_t at = 0x400000; at < 0x600000; at += PAGE_SIZE)
		assert_maps(DIRECT_MAP_BASE + at, at, W | XD, PAGE_SIZE);

	/* Removing what is partly gone, giving back what is there, and nonsense. */
	assert_null(direct_map_remove(HPA(0x400000), PAGE_2M));
	assert_null(direct_map_remove(HPA(0x400000), 2 * PAGE_2M));
	assert_null(direct_map_restore(HPA(0x400000), 2 * PAGE_2M));
	assert_null(direct_map_restore(HPA(0x3ff000), PAGE_2M));
	for (uint64_t at = 0x200000; at < 0x800000; at += PAGE_SIZE)
		assert_maps(DIRECT_MAP_BASE + at, at, W | XD, at < 0x600000 ? PAGE_SIZE : PAGE_2M);
	assert_non_null(direct_map_remove(HPA(0x400800), PAGE_SIZE));
	assert_non_null(direct_map_remove(HPA(0x400000), 0));
	assert_non_null(direct_map_remove(HPA(0x400000), 0x801));
	assert_non_null(direct_map_remove(HPA(DIRECT_MAP_SIZE), PAGE_SIZE));
	assert_non_null(direct_map_remove(HPA(0x400000), 0 - PAGE_SIZE));
}

/* Page tables that were taken out are not used anew while another CPU may walk through them. */
static void tables_wait_for_other_cpus(void **state)
{
	hva_t window = address_space_window(1);
	uint64_t before = physical_totals().free, mapped;

	(void)state;
	fake_cpus_start(3);
	assert_null(address_space_map_window(window, HPA(0x140000000), PAGE_SIZE));
	mapped = physical_totals().free;
	assert_true(mapped < before);
	assert_null(address_space_unmap_window(window, PAGE_SIZE));
	assert_int_equal(physical_totals().free, mapped);

	fake_cpu_become(1);
	tlb_catch_up();
	fake_cpu_become(0);
	assert_null(direct_map_remove(HPA(0x140000000), PAGE_2M));
	assert_int_equal(physical_totals().free, mapped);
	/* Now there is a newer mark, which CPU 1 has not passed. */
	fake_cpu_become(2);
	tlb_catch_up();
	fake_cpu_become(0);
	assert_null(direct_map_restore(HPA(0x140000000), PAGE_2M));
	assert_int_equal(physical_totals().free, mapped);
	/* A CPU that changes the page tables catches up itself. */
	fake_cpu_become(1);
	assert_null(direct_map_restore(HPA(0x140000000), PAGE_2M));
	assert_int_equal(physical_totals().free, before);

	/* With all others asleep, nothing waits. */
	tlb_park();
	fake_cpu_become(2);
	tlb_park();
	fake_cpu_become(0);
	assert_null(address_space_map_window(window, HPA(0x140000000), PAGE_SIZE));
	assert_null(address_space_unmap_window(window, PAGE_SIZE));
	assert_int_equal(physical_totals().free, before);
}

/* At every point where memory can run out, the error leaves all as it was. */
static void no_memory(void **state)
{
	uint64_t window = address_space_window(7).raw;
	static hpa_t taken[16];
	unsigned spare = 0;
	hpa_t all;

	(void)state;
	while (!physical_allocate(64 * MIB, PAGE_SIZE, &all))
		;
	while (!physical_allocate(MIB, PAGE_SIZE, &all))
		;
	while (spare < ARRAY_COUNT(taken) &&
	       !physical_allocate(PAGE_SIZE, PAGE_SIZE, &taken[spare]))
		spare++;
	while (!physical_allocate(PAGE_SIZE, PAGE_SIZE, &all))
		;
	for (unsigned have = 0; have < 5; have++) {
		uint64_t before = physical_totals().free;
		err_t err = address_space_map_window(HVA(window + PAGE_2M - PAGE_SIZE),
						     HPA(0x140000000), 2 * PAGE_SIZE);

		assert_int_equal(before, have * PAGE_SIZE);
		assert_int_equal(err == NULL, have == 4);
		if (err)
			assert_non_null(strstr(err, "no memory for a page table"));
		assert_int_equal(physical_totals().free, err ? before : before - 4 * PAGE_SIZE);
		physical_free(taken[have], PAGE_SIZE);
	}
	assert_null(address_space_unmap_window(HVA(window), WINDOW_SIZE));
	assert_int_equal(physical_totals().free, 5 * PAGE_SIZE);

	/* Two ends to split, and memory for one: nothing is removed. */
	for (unsigned i = 0; i < 4; i++)
		assert_null(physical_allocate(PAGE_SIZE, PAGE_SIZE, &all));
	assert_non_null(direct_map_remove(HPA(0x2001000), 2 * PAGE_2M));
	assert_maps(DIRECT_MAP_BASE + 0x2001000, 0x2001000, W | XD, PAGE_SIZE);
	assert_maps(DIRECT_MAP_BASE + 0x2200000, 0x2200000, W | XD, PAGE_2M);
}

/* Taking out and giving back at random, against a plain list of pages. */
static void against_model(void **state)
{
	static const uint64_t base = 0x800000;
	static bool removed[4096];
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned first, count;
		bool any = false;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		first = (unsigned)(seed >> 33) % 4096;
		count = 1 + (unsigned)(seed >> 50) % (4096 - first);
		if (round % 2)
			count = count % 600 + 1;
		if (first + count > 4096)
			count = 4096 - first;
		for (unsigned i = first; i < first + count; i++)
			any = any || !removed[i];
		if (any)
			assert_null(direct_map_remove(HPA(base + first * PAGE_SIZE),
						      count * PAGE_SIZE));
		else
			assert_null(direct_map_restore(HPA(base + first * PAGE_SIZE),
						       count * PAGE_SIZE));
		memset(&removed[first], any, count);
		if (any && round % 3 == 0) {
			assert_null(direct_map_restore(HPA(base + first * PAGE_SIZE), PAGE_SIZE));
			removed[first] = false;
		}
		for (unsigned i = 0; i < 4096; i++) {
			uint64_t page, at = base + i * PAGE_SIZE;

			assert_int_equal(walk(DIRECT_MAP_BASE + at, &page) == 0, removed[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(switched, paged_machine_setup),
		cmocka_unit_test_setup(kernel_image_mapped, paged_machine_setup),
		cmocka_unit_test_setup(low_half_is_empty, paged_machine_setup),
		cmocka_unit_test_setup(ram_is_in_the_direct_map, paged_machine_setup),
		cmocka_unit_test_setup(processor_must_have_no_execute, paged_machine_prepare),
		cmocka_unit_test_setup(guest_ram_leaves_the_direct_map, paged_machine_setup),
		cmocka_unit_test_setup(small_pieces_split_large_pages, paged_machine_setup),
		cmocka_unit_test_setup(tables_wait_for_other_cpus, paged_machine_setup),
		cmocka_unit_test_setup(no_memory, paged_machine_setup),
		cmocka_unit_test_setup(against_model, paged_machine_setup),
	};

	return cmocka_run_group_tests_name("address space", tests, NULL, NULL);
}
