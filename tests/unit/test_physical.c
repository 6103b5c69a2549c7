/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator of physical memory: ends, alignment, coalescing, and random use against a plain
 * model. */
/* UNITS: kernel/physical.c tests/fake/log.c tests/fake/error.c tests/fake/panic.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/physical.h"
#include "tests/fake/log.h"
#include "tests/fake/panic.h"

static struct memory_map map;

static void set_ranges(const struct memory_range *ranges, unsigned count)
{
	memset(&map, 0, sizeof(map));
	for (unsigned i = 0; i < count; i++) {
		map.usable[i] = ranges[i];
		map.usable_bytes += ranges[i].end - ranges[i].start;
	}
	map.usable_count = count;
	map.free_bytes = map.usable_bytes;
	map.usable_bytes += MIB;
	assert_null(physical_init(&map));
}

static int setup(void **state)
{
	/* clang-format off */
	static const struct memory_range ranges[] = {
		{0x100000,    0x105000},
		{0x200000,    0x40000000},
		{0x100000000, 0x180000000},
	};
	/* clang-format on */

	(void)state;
	fake_log_reset();
	set_ranges(ranges, ARRAY_COUNT(ranges));
	return 0;
}

static uint64_t allocate(uint64_t size, uint64_t align)
{
	hpa_t where;
	err_t err = physical_allocate(size, align, &where);

	if (err)
		fail_msg("%s", err);
	return where.raw;
}

static void ends(void **state)
{
	struct physical_totals totals = physical_totals();

	(void)state;
	assert_int_equal(totals.usable, totals.free + MIB);
	assert_int_equal(totals.reserved, MIB);
	assert_int_equal(totals.largest, 0x80000000);
	assert_int_equal(allocate(1, 1), 0x100000);
	assert_int_equal(allocate(PAGE_SIZE, 0), 0x101000);
	assert_int_equal(allocate(0x3001, 0x1000), 0x200000);
	assert_int_equal(allocate(PAGE_2M, PAGE_2M), 0x180000000 - PAGE_2M);
	assert_int_equal(allocate(0x201000, PAGE_2M), 0x180000000 - 3 * PAGE_2M);
	assert_int_equal(allocate(0x3000, PAGE_SIZE), 0x102000);
	assert_int_equal(physical_totals().free, totals.free - 0x9000 - 0x401000);
}

static void below(void **state)
{
	hpa_t where;
	err_t err;

	(void)state;
	assert_null(physical_allocate_below(PAGE_2M, PAGE_2M, 4 * GIB, &where));
	assert_int_equal(where.raw, 0x200000);
	assert_null(physical_allocate_below(0x5000, PAGE_SIZE, 0x105000, &where));
	assert_int_equal(where.raw, 0x100000);
	err = physical_allocate_below(PAGE_SIZE, PAGE_SIZE, 0x400fff, &where);
	assert_non_null(strstr(err, "below 0x400fff"));
	assert_null(physical_allocate_below(PAGE_SIZE, PAGE_SIZE, 0x401000, &where));
}

static void refusals(void **state)
{
	uint64_t before = physical_totals().free;
	hpa_t where;

	(void)state;
	assert_non_null(physical_allocate(0, PAGE_SIZE, &where));
	assert_non_null(physical_allocate(UINT64_MAX, PAGE_SIZE, &where));
	assert_non_null(physical_allocate(UINT64_MAX - 0x1fff, PAGE_2M, &where));
	assert_non_null(physical_allocate(PAGE_SIZE, 0x3000, &where));
	assert_non_null(physical_allocate(PAGE_SIZE, 1ul << 63, &where));
	assert_non_null(strstr(physical_allocate(3 * GIB, PAGE_2M, &where), "at most 2097152 KiB"));
	assert_int_equal(physical_totals().free, before);
}

static void freed_memory_grows_together(void **state)
{
	struct physical_totals before = physical_totals(), after;
	uint64_t a = allocate(PAGE_2M, PAGE_2M), b = allocate(PAGE_2M, PAGE_2M),
		 c = allocate(PAGE_2M, PAGE_2M);

	(void)state;
	physical_free(HPA(a), PAGE_2M);
	physical_free(HPA(c), PAGE_2M);
	physical_free(HPA(b), PAGE_SIZE);
	physical_free(HPA(b + PAGE_SIZE), PAGE_2M - PAGE_SIZE);
	after = physical_totals();
	assert_int_equal(after.free, before.free);
	assert_int_equal(after.largest, before.largest);

	/* One VM after another. */
	for (unsigned i = 0; i < 50; i++) {
		uint64_t memory = allocate(GIB, PAGE_2M), table = allocate(PAGE_SIZE, PAGE_SIZE);

		assert_int_equal(memory, 0x180000000 - GIB);
		physical_free(HPA(memory), GIB);
		physical_free(HPA(table), PAGE_SIZE);
	}
	assert_int_equal(physical_totals().largest, before.largest);
}

static void wrong_frees(void **state)
{
	uint64_t a = allocate(PAGE_2M, PAGE_2M);

	(void)state;
	assert_true(PANICS(physical_free(HPA(a - PAGE_SIZE), PAGE_SIZE)));
	physical_free(HPA(a), PAGE_2M);
	assert_true(PANICS(physical_free(HPA(a), PAGE_2M)));
	assert_true(PANICS(physical_free(HPA(0x200800), PAGE_SIZE)));
	assert_true(PANICS(physical_free(HPA(0x1ff000), 2 * PAGE_SIZE)));
	physical_free(HPA(0x500000), 0);
}

/* So many pieces that the list is full: memory may be lost then, but is told, and nothing is
 * overrun. */
static void too_many_pieces(void **state)
{
	static const struct memory_range all[] = {
		{0x200000, 0x40000000}
        };
	uint64_t before;

	(void)state;
	set_ranges(all, 1);
	before = allocate(GIB / 2, PAGE_SIZE);
	for (uint64_t at = before; at < before + 3000 * PAGE_SIZE; at += 2 * PAGE_SIZE)
		physical_free(HPA(at), PAGE_SIZE);
	assert_true(fake_log_contains("in too many pieces"));
	/* Taking from the middle of a piece would need a place in the list; another fits. */
	assert_int_equal(allocate(PAGE_SIZE, PAGE_SIZE), before);
}

#define MODEL_PAGES 4096u
#define MODEL_BASE  0x200000ul

static uint32_t random_number(uint32_t limit)
{
	static uint64_t seed = 7;

	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (uint32_t)(seed >> 33) % limit;
}

static void against_model(void **state)
{
	static const struct memory_range all[] = {
		{MODEL_BASE, MODEL_BASE + MODEL_PAGES * PAGE_SIZE}
        };
	static bool used[MODEL_PAGES];
	struct {
		uint64_t at, pages;
	} held[64] = {0};
	uint64_t free_pages = MODEL_PAGES;

	(void)state;
	set_ranges(all, 1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned slot = random_number(ARRAY_COUNT(held));
		uint64_t pages = 1 + random_number(random_number(4) ? 8 : 1024), first;
		uint64_t align = random_number(3) ? PAGE_SIZE : PAGE_2M;
		hpa_t where;

		if (held[slot].pages) {
			first = (held[slot].at - MODEL_BASE) / PAGE_SIZE;
			physical_free(HPA(held[slot].at), held[slot].pages * PAGE_SIZE);
			free_pages += held[slot].pages;
			memset(&used[first], 0, held[slot].pages);
			held[slot].pages = 0;
		} else if (!physical_allocate(pages * PAGE_SIZE, align, &where)) {
			first = (where.raw - MODEL_BASE) / PAGE_SIZE;
			assert_int_equal(where.raw % align, 0);
			assert_true(first + pages <= MODEL_PAGES);
			for (uint64_t i = first; i < first + pages; i++)
				assert_false(used[i]);
			memset(&used[first], 1, pages);
			held[slot].at = where.raw;
			held[slot].pages = pages;
			free_pages -= pages;
		}
		assert_int_equal(physical_totals().free, free_pages * PAGE_SIZE);
	}
	for (unsigned i = 0; i < ARRAY_COUNT(held); i++)
		physical_free(HPA(held[i].at), held[i].pages * PAGE_SIZE);
	assert_int_equal(physical_totals().largest, MODEL_PAGES * PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ends, setup),
		cmocka_unit_test_setup(below, setup),
		cmocka_unit_test_setup(refusals, setup),
		cmocka_unit_test_setup(freed_memory_grows_together, setup),
		cmocka_unit_test_setup(wrong_frees, setup),
		cmocka_unit_test_setup(too_many_pieces, setup),
		cmocka_unit_test_setup(against_model, setup),
	};

	return cmocka_run_group_tests_name("physical memory", tests, NULL, NULL);
}
