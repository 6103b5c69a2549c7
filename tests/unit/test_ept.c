/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables, entry by entry: sizes, splits, rights, the pool, what is refused. */
/* UNITS: vcpu/vmx/ept.c kernel/string.c tests/fake/ept_walk.c tests/fake/physical.c */
/* UNITS: tests/fake/direct_map.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fake/ept_walk.h"
#include "tests/fake/physical.h"

static const struct ept_features plain_features = {.pages_2m = true, .pages_1g = true};

static int setup(void **state)
{
	(void)state;
	ept_walk_create(&plain_features, 0, 4 * GIB);
	return 0;
}

static void the_pointer(void **state)
{
	(void)state;
	assert_int_equal(ept_pointer(&ept) & 0xfff, 6 | 3 << 3);
	assert_int_equal(ept_pointer(&ept) >> 12, ept.root.raw >> 12);
	ept_destroy(&ept);
	assert_int_equal(fake_physical_used, 0);
	ept_destroy(&ept);
}

static void the_largest_pages_that_fit(void **state)
{
	(void)state;
	assert_null(ept_map(&ept, GPA(0x1ff000), HPA(0x801ff000), GIB + 0x40201000, EPT_ALL));
	expect_unmapped(0x1fe000);
	expect_mapped(0x1ff123, 0x801ff123, 7, PAGE_SIZE);
	expect_mapped(0x200000, 0x80200000, 7, PAGE_2M);
	expect_mapped(0x3fffffff, 0xbfffffff, 7, PAGE_2M);
	expect_mapped(0x40000000, 0xc0000000, 7, PAGE_1G);
	expect_mapped(0x80000000, 0x100000000, 7, PAGE_2M);
	expect_mapped(0x803fffff, 0x1003fffff, 7, PAGE_2M);
	expect_unmapped(0x80400000);
}

/* Both addresses must be those of a large page. */
static void pages_fit_on_both_sides(void **state)
{
	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0x40200000), GIB, EPT_ALL));
	expect_mapped(0, 0x40200000, 7, PAGE_2M);
	assert_null(ept_map(&ept, GPA(GIB), HPA(0x1000), PAGE_2M, EPT_ALL));
	expect_mapped(GIB, 0x1000, 7, PAGE_SIZE);
}

static void pages_that_the_processor_has_not(void **state)
{
	static const struct ept_features only_2m = {.pages_2m = true}, only_4k;

	(void)state;
	ept_walk_create(&only_2m, 0, 2 * GIB);
	assert_null(ept_map(&ept, GPA(0), HPA(GIB), GIB, EPT_ALL));
	expect_mapped(0, GIB, 7, PAGE_2M);
	ept_walk_create(&only_4k, 0, 2 * GIB);
	assert_null(ept_map(&ept, GPA(0), HPA(GIB), PAGE_2M, EPT_ALL));
	expect_mapped(PAGE_2M - 1, GIB + PAGE_2M - 1, 7, PAGE_SIZE);
	expect_unmapped(PAGE_2M);
}

static void splits(void **state)
{
	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0x40000000), GIB, EPT_ALL));
	assert_null(ept_protect(&ept, GPA(0x345000), PAGE_SIZE, EPT_READ));
	assert_int_equal(invalidations, 1);
	expect_mapped(0x345000, 0x40345000, R, PAGE_SIZE);
	expect_mapped(0x344000, 0x40344000, 7, PAGE_SIZE);
	expect_mapped(0x346000, 0x40346000, 7, PAGE_SIZE);
	expect_mapped(0x200000, 0x40200000, 7, PAGE_SIZE);
	expect_mapped(0x400000, 0x40400000, 7, PAGE_2M);
	expect_mapped(0x3fffffff, 0x7fffffff, 7, PAGE_2M);
	/* Whole large pages stay whole. */
	assert_null(ept_protect(&ept, GPA(0x400000), PAGE_2M, EPT_READ | EPT_EXECUTE));
	expect_mapped(0x400000, 0x40400000, R | X, PAGE_2M);
}

static void unmapping(void **state)
{
	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0x40000000), 2 * PAGE_2M, EPT_ALL));
	assert_null(ept_unmap(&ept, GPA(0x1ff000), 2 * PAGE_SIZE));
	assert_int_equal(invalidations, 1);
	expect_mapped(0x1fe000, 0x401fe000, 7, PAGE_SIZE);
	expect_unmapped(0x1ff000);
	expect_unmapped(0x200fff);
	expect_mapped(0x201000, 0x40201000, 7, PAGE_SIZE);
	/* What is not mapped stays so, and takes nothing away. */
	assert_null(ept_unmap(&ept, GPA(0), 4 * GIB));
	assert_int_equal(invalidations, 2);
	assert_null(ept_unmap(&ept, GPA(0), 4 * GIB));
	assert_null(ept_protect(&ept, GPA(0), 4 * GIB, EPT_READ));
	assert_int_equal(invalidations, 2);
	expect_unmapped(0);
	/* And can be mapped again, elsewhere. */
	assert_null(ept_map(&ept, GPA(0), HPA(0x1000), PAGE_SIZE, EPT_READ));
	expect_mapped(0, 0x1000, R, PAGE_SIZE);
	assert_int_equal(invalidations, 2);
}

/* INVEPT is asked for when a right goes, and only then. */
static void rights_that_go(void **state)
{
	static const unsigned all[] = {EPT_READ, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXECUTE,
				       EPT_ALL};

	(void)state;
	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++) {
			ept_walk_create(&plain_features, 0, GIB);
			assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, all[from]));
			assert_int_equal(invalidations, 0);
			assert_null(ept_protect(&ept, GPA(0), PAGE_2M, all[to]));
			assert_int_equal(invalidations, (all[from] & ~all[to]) != 0);
			expect_mapped(0, 0, all[to], PAGE_2M);
		}
	/* A split alone takes nothing away. */
	ept_walk_create(&plain_features, 0, GIB);
	assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_READ));
	assert_null(ept_protect(&ept, GPA(0x1000), PAGE_SIZE, EPT_ALL));
	assert_int_equal(invalidations, 0);
	expect_mapped(0x1000, 0x1000, 7, PAGE_SIZE);
	expect_mapped(0x2000, 0x2000, R, PAGE_SIZE);
}

static void what_is_refused(void **state)
{
	(void)state;
	assert_non_null(ept_map(&ept, GPA(0x800), HPA(0), PAGE_SIZE, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(0), HPA(0x800), PAGE_SIZE, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(0), HPA(0), 0x800, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(0), HPA(0), 0, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(1ull << 48), HPA(0), PAGE_SIZE, EPT_ALL));
	assert_non_null(
		ept_map(&ept, GPA((1ull << 48) - PAGE_SIZE), HPA(0), 2 * PAGE_SIZE, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(~0xfffull), HPA(0), PAGE_2M, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(0x1000), HPA(0), ~0xfffull, EPT_ALL));
	for (unsigned rights = 0; rights < 16; rights++)
		if (!(rights & EPT_READ) || rights > 7) {
			assert_non_null(ept_map(&ept, GPA(0), HPA(0), PAGE_SIZE, rights));
			assert_non_null(ept_protect(&ept, GPA(0), PAGE_SIZE, rights));
		}
	assert_non_null(ept_protect(&ept, GPA(0x10), PAGE_SIZE, EPT_READ));
	assert_non_null(ept_unmap(&ept, GPA(0), 0x10));
	assert_non_null(ept_unmap(&ept, GPA(1ull << 48), PAGE_SIZE));
	expect_unmapped(0);
	assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_READ));
	assert_string_equal(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_ALL),
			    "guest address 0 is mapped already");
	assert_non_null(ept_map(&ept, GPA(0x1000), HPA(0), PAGE_SIZE, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(0), HPA(0), GIB, EPT_ALL));
	expect_mapped(0, 0, R, PAGE_2M);
}

static void addresses_beyond_48_bits(void **state)
{
	struct ept_mapping mapping;

	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_ALL));
	for (unsigned bit = 48; bit < 64; bit++) {
		assert_false(ept_translate(&ept, GPA(1ull << bit), &mapping));
		assert_false(ept_grant_execute(&ept, GPA(1ull << bit)));
	}
}

static void the_top_of_the_address_space(void **state)
{
	const uint64_t top = (1ull << 48) - PAGE_2M;

	(void)state;
	ept_walk_create(&plain_features, top, PAGE_2M);
	assert_null(ept_map(&ept, GPA(top), HPA(0), PAGE_2M, EPT_ALL));
	expect_mapped(top + 0x1234, 0x1234, 7, PAGE_2M);
	assert_null(ept_unmap(&ept, GPA(top + PAGE_2M - PAGE_SIZE), PAGE_SIZE));
	expect_unmapped((1ull << 48) - 1);
	expect_mapped(top, 0, 7, PAGE_SIZE);
}

/* --- The pool. --- */

/* All of a range in 4K pages is what the tables are counted for. */
static void the_pool_is_enough(void **state)
{
	static const struct {
		uint64_t gpa, size;
	} ranges[] = {
		{0,			PAGE_SIZE    },
		{0x1ff000,                 2 * PAGE_SIZE},
		{GIB - PAGE_SIZE,          2 * PAGE_SIZE},
		{(1ull << 39) - PAGE_SIZE, 2 * PAGE_SIZE},
		{0,			64 * MIB     },
	};
	static const struct ept_features only_4k;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		ept_walk_create(&only_4k, ranges[i].gpa, ranges[i].size);
		assert_null(ept_map(&ept, GPA(ranges[i].gpa), HPA(0), ranges[i].size, EPT_ALL));
		assert_true(ept.pool_used <= ept.pool_size);
		/* The count for one range is exact, even at its edges. */
		assert_int_equal(ept.pool_used, ept.pool_size);
		/* Unmapping and mapping again needs no more. */
		assert_null(ept_unmap(&ept, GPA(ranges[i].gpa), ranges[i].size));
		assert_null(ept_map(&ept, GPA(ranges[i].gpa), HPA(0), ranges[i].size, EPT_ALL));
	}
}

static void no_memory_for_the_pool(void **state)
{
	const struct gpa_range range = {GPA(0), GIB};

	(void)state;
	fake_physical_reset();
	fake_physical_left = 100 * PAGE_SIZE;
	assert_string_equal(ept_create(&ept, &plain_features, &range, 1),
			    "no memory for extended page tables: there is no memory left");
	/* There is nothing to give back then. */
	ept_destroy(&ept);
}

/* Beyond the ranges that were told there is no table left at some time: an error, and nothing else.
 */
static void the_pool_runs_out(void **state)
{
	(void)state;
	ept_walk_create(&plain_features, 0, PAGE_2M);
	assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_ALL));
	assert_non_null(ept_map(&ept, GPA(1ull << 39), HPA(0), PAGE_SIZE, EPT_ALL));
	expect_unmapped(1ull << 39);
	assert_null(ept_map(&ept, GPA(GIB), HPA(GIB), GIB, EPT_ALL));
	while (ept.pool_used < ept.pool_size)
		ept.pool_used += PAGE_SIZE;
	assert_string_equal(ept_protect(&ept, GPA(GIB + PAGE_SIZE), PAGE_SIZE, EPT_READ),
			    "no extended page table left to split a page of 1048576 KiB");
	expect_mapped(GIB + PAGE_SIZE, GIB + PAGE_SIZE, 7, PAGE_1G);
	assert_int_equal(invalidations, 0);
}

/* --- The iTLB multi-hit erratum. --- */

static const struct ept_features erratum = {
	.pages_2m = true, .pages_1g = true, .no_large_execute = true};

static void execute_rights_on_demand(void **state)
{
	(void)state;
	ept_walk_create(&erratum, 0, 2 * GIB);
	assert_null(ept_map(&ept, GPA(0), HPA(GIB), GIB, EPT_ALL));
	expect_mapped(0x1234, GIB + 0x1234, R | W, PAGE_1G);
	assert_true(ept_grant_execute(&ept, GPA(0x401234)));
	/* The old page may be in the TLB: pages beside would fault though they may be executed. */
	assert_int_equal(invalidations, 1);
	expect_mapped(0x401234, GIB + 0x401234, 7, PAGE_SIZE);
	expect_mapped(0x5ff000, GIB + 0x5ff000, 7, PAGE_SIZE);
	expect_mapped(0x600000, GIB + 0x600000, R | W, PAGE_2M);
	expect_mapped(0x3fe00000, GIB + 0x3fe00000, R | W, PAGE_2M);
	/* Done already: whatever the fault is, it is not this. */
	assert_false(ept_grant_execute(&ept, GPA(0x401234)));
	assert_true(ept_grant_execute(&ept, GPA(0x600000)));
	assert_int_equal(invalidations, 2);
}

static void execute_rights_that_are_not_meant(void **state)
{
	(void)state;
	ept_walk_create(&erratum, 0, 2 * GIB);
	assert_null(ept_map(&ept, GPA(0), HPA(0), PAGE_2M, EPT_READ | EPT_WRITE));
	assert_false(ept_grant_execute(&ept, GPA(0)));
	assert_false(ept_grant_execute(&ept, GPA(GIB)));
	/* Given and taken back again. */
	assert_null(ept_protect(&ept, GPA(0), PAGE_2M, EPT_ALL));
	expect_mapped(0, 0, R | W, PAGE_2M);
	assert_null(ept_protect(&ept, GPA(0), PAGE_2M, EPT_READ));
	assert_false(ept_grant_execute(&ept, GPA(0)));
	/* A page of 4 KiB needs no detour. */
	assert_null(ept_protect(&ept, GPA(0x3000), PAGE_SIZE, EPT_READ | EPT_EXECUTE));
	expect_mapped(0x3000, 0x3000, R | X, PAGE_SIZE);
	assert_false(ept_grant_execute(&ept, GPA(0x3000)));
}

static void without_the_erratum_nothing_is_withheld(void **state)
{
	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0), GIB, EPT_ALL));
	expect_mapped(0, 0, 7, PAGE_1G);
	assert_false(ept_grant_execute(&ept, GPA(0)));
}

/* Pages over nothing: as many as there may be, far from all that is mapped, and then anew. */
static void overlays(void **state)
{
	const uint64_t used = fake_physical_used, far = 0x7f0000000000;
	static const uint64_t beside[] = {0x7f0000000000, 0x7f0000001000, 0x7f0000200000,
					  0x7f0040000000, 0x3000,         0x10000000000,
					  0x20000000000,  0xfffffffff000};

	(void)state;
	assert_null(ept_map(&ept, GPA(0), HPA(0x40000000), 0x3000, EPT_ALL));
	_Static_assert(sizeof(beside) / sizeof(beside[0]) == EPT_OVERLAY_PAGES, "as many");
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < EPT_OVERLAY_PAGES; i++) {
			assert_null(ept_overlay(&ept, GPA(beside[i]), HPA(0x5000),
						EPT_READ | EPT_EXECUTE));
			assert_non_null(ept_overlay(&ept, GPA(0x2000), HPA(0x5000), EPT_READ));
			assert_non_null(ept_overlay(&ept, GPA(beside[i]), HPA(0x5000), EPT_READ));
		}
		assert_int_equal(invalidations, 2 * turn);
		for (unsigned i = 0; i < EPT_OVERLAY_PAGES; i++)
			expect_mapped(beside[i] + 7, 0x5007, 5, PAGE_SIZE);
		/* One too many: that is the only one then. */
		assert_null(ept_overlay(&ept, GPA(far + 0x5000), HPA(0x6000), EPT_READ));
		expect_mapped(far + 0x5000, 0x6000, 1, PAGE_SIZE);
		for (unsigned i = 0; i < EPT_OVERLAY_PAGES; i++)
			expect_unmapped(beside[i]);
		expect_mapped(0x2000, 0x40002000, 7, PAGE_SIZE);
		assert_int_equal(invalidations, 2 * turn + 1);
		for (unsigned i = 1; i < EPT_OVERLAY_PAGES; i++)
			assert_null(ept_overlay(&ept, GPA(far + GIB * i), HPA(0x5000), EPT_READ));
	}
	assert_int_equal(fake_physical_used, used);
	assert_non_null(ept_overlay(&ept, GPA(1ull << 48), HPA(0x5000), EPT_READ));
	assert_non_null(ept_overlay(&ept, GPA(0x123), HPA(0x5000), EPT_READ));
	assert_non_null(ept_overlay(&ept, GPA(GIB), HPA(0x5000), EPT_WRITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_pointer, setup),
		cmocka_unit_test_setup(the_largest_pages_that_fit, setup),
		cmocka_unit_test_setup(pages_fit_on_both_sides, setup),
		cmocka_unit_test_setup(pages_that_the_processor_has_not, setup),
		cmocka_unit_test_setup(splits, setup),
		cmocka_unit_test_setup(unmapping, setup),
		cmocka_unit_test_setup(rights_that_go, setup),
		cmocka_unit_test_setup(what_is_refused, setup),
		cmocka_unit_test_setup(addresses_beyond_48_bits, setup),
		cmocka_unit_test_setup(the_top_of_the_address_space, setup),
		cmocka_unit_test_setup(the_pool_is_enough, setup),
		cmocka_unit_test_setup(no_memory_for_the_pool, setup),
		cmocka_unit_test_setup(the_pool_runs_out, setup),
		cmocka_unit_test_setup(execute_rights_on_demand, setup),
		cmocka_unit_test_setup(execute_rights_that_are_not_meant, setup),
		cmocka_unit_test_setup(without_the_erratum_nothing_is_withheld, setup),
		cmocka_unit_test_setup(overlays, setup),
	};

	return cmocka_run_group_tests_name("ept", tests, NULL, NULL);
}
