/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map: order, overlaps, absurd entries, reservations; and random maps against a plain
 * model. */
/* UNITS: kernel/memory_map.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/compiler.h"
#include "tests/fake/log.h"
#include "tests/fake/memory_map_check.h"

static struct memory_map map;

static void build(const struct memory_map_entry *entries, unsigned entry_count,
		  const struct memory_reservation *reservations, unsigned reservation_count)
{
	err_t err =
		memory_map_build(&map, entries, entry_count, reservations, reservation_count, 46);

	if (err)
		fail_msg("%s", err);
	check_memory_map(&map, entries, entry_count, reservations, reservation_count);
}

static void assert_range(struct memory_range range, uint64_t start, uint64_t end)
{
	assert_int_equal(range.start, start);
	assert_int_equal(range.end, end);
}

/* What SeaBIOS gives, out of order, with a kernel and a module. */
static void pc(void **state)
{
	/* clang-format off */
	static const struct memory_map_entry entries[] = {
		{0x100000,    0x7ee0000,  MEMORY_USABLE},
		{0x7fe0000,   0x20000,    MEMORY_ACPI_RECLAIMABLE},
		{0,           0x9fc00,    MEMORY_USABLE},
		{0x100000000, 0x80000000, MEMORY_USABLE},
		{0x9fc00,     0x400,      MEMORY_RESERVED},
		{0xf0000,     0x10000,    MEMORY_RESERVED},
		{0xfffc0000,  0x40000,    MEMORY_RESERVED},
	};
	/* clang-format on */
	/* clang-format off */
	static const struct memory_reservation used[] = {
		{HPA(0x400000), 0x1001,  "module"},
		{HPA(0x100000), 0x80000, "Plinth"},
		{HPA(0x180008), 0x100,   "information"},
	};
	/* clang-format on */

	(void)state;
	build(entries, ARRAY_COUNT(entries), used, ARRAY_COUNT(used));
	assert_int_equal(map.usable_count, 3);
	assert_range(map.usable[0], 0x181000, 0x400000);
	assert_range(map.usable[1], 0x402000, 0x7fe0000);
	assert_range(map.usable[2], 0x100000000, 0x180000000);
	assert_int_equal(map.region_count, 7);
	assert_int_equal(map.ram_count, 3);
	assert_range(map.ram[0], 0, 0x9f000);
	assert_range(map.ram[1], 0x100000, 0x8000000);
	assert_int_equal(map.usable_bytes, 0x9f000 + 0x7ee0000 + 0x80000000);
	assert_true(memory_map_is_ram(&map, HPA(0x7fdf000), 0x2000));
	assert_false(memory_map_is_ram(&map, HPA(0x7fff000), 0x1001));
	assert_false(memory_map_is_ram(&map, HPA(0x100000), UINT64_MAX));
	assert_false(memory_map_is_ram(&map, HPA(0x100000), 0));
	memory_map_log(&map);
	assert_string_equal(
		fake_log_last(),
		"plinth: memory: 2175 MiB usable, of which Plinth, modules and low memory "
		"take 1160 KiB");
	assert_true(fake_log_contains("ACPI tables"));
}

/* Of two types in one place the more restrictive wins, whichever comes first. */
static void overlap(void **state)
{
	static const uint32_t order[] = {MEMORY_USABLE, MEMORY_ACPI_RECLAIMABLE, MEMORY_ACPI_NVS,
					 MEMORY_RESERVED, MEMORY_BAD};

	(void)state;
	for (unsigned a = 0; a < ARRAY_COUNT(order); a++) {
		for (unsigned b = 0; b < ARRAY_COUNT(order); b++) {
			/* clang-format off */
			const struct memory_map_entry entries[] = {
				{0x1000000, 0x100000, MEMORY_USABLE},
				{0x2000000, 0x3000,   order[a]},
				{0x2001000, 0x3000,   order[b]},
			};
			/* clang-format on */
			uint32_t expected = order[a > b ? a : b], found = 0;

			build(entries, ARRAY_COUNT(entries), NULL, 0);
			for (unsigned i = 0; i < map.region_count; i++) {
				if (map.regions[i].range.start <= 0x2001000 &&
				    map.regions[i].range.end >= 0x2003000)
					found = map.regions[i].type;
			}
			assert_int_equal(found, expected);
		}
	}
}

static void unknown_types_are_reserved(void **state)
{
	static const uint32_t types[] = {0, 6, 7, 12, 20, 0x80000001, UINT32_MAX};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(types); i++) {
		/* clang-format off */
		const struct memory_map_entry entries[] = {
			{0x100000, 0x100000, MEMORY_USABLE},
			{0x180000, 0x1000,   types[i]},
		};
		/* clang-format on */

		build(entries, ARRAY_COUNT(entries), NULL, 0);
		assert_int_equal(map.region_count, 3);
		assert_int_equal(map.regions[1].type, MEMORY_RESERVED);
		assert_int_equal(map.ram_count, 2);
	}
}

static void absurd(void **state)
{
	/* clang-format off */
	static const struct memory_map_entry entries[] = {
		{0x200000,           0,                  MEMORY_RESERVED},
		{UINT64_MAX,         UINT64_MAX,         MEMORY_USABLE},
		{UINT64_MAX - 0xfff, 0x1000,             MEMORY_USABLE},
		{0xfffffffffffff000, 0x2000,             MEMORY_USABLE},
		{1ul << 46,          0x100000,           MEMORY_USABLE},
		{(1ul << 46) - 4096, UINT64_MAX - 0x100, MEMORY_USABLE},
		{0x300800,           0x1000,             MEMORY_USABLE},
		{0x400001,           0x1fff,             MEMORY_USABLE},
	};
	/* clang-format on */

	(void)state;
	build(entries, ARRAY_COUNT(entries), NULL, 0);
	assert_int_equal(map.usable_count, 2);
	assert_range(map.usable[0], 0x401000, 0x402000);
	assert_range(map.usable[1], (1ul << 46) - 4096, 1ul << 46);

	assert_null(memory_map_build(&map, entries, ARRAY_COUNT(entries), NULL, 0, 36));
	assert_int_equal(map.usable_count, 1);
}

/* A page that two usable entries share is no whole page of either, but of both together. */
static void adjacent_pieces_make_a_page(void **state)
{
	/* clang-format off */
	static const struct memory_map_entry entries[] = {
		{0x200000, 0x800,  MEMORY_USABLE},
		{0x200800, 0x800,  MEMORY_USABLE},
		{0x300000, 0x1800, MEMORY_USABLE},
		{0x301800, 0x800,  MEMORY_ACPI_RECLAIMABLE},
	};
	/* clang-format on */

	(void)state;
	build(entries, ARRAY_COUNT(entries), NULL, 0);
	assert_int_equal(map.usable_count, 2);
	assert_range(map.usable[0], 0x200000, 0x201000);
	assert_range(map.usable[1], 0x300000, 0x301000);
	assert_range(map.ram[1], 0x300000, 0x302000);
}

static void reservations(void **state)
{
	static const struct memory_map_entry entries[] = {
		{0, 0x10000000, MEMORY_USABLE}
        };
	/* clang-format off */
	static const struct memory_reservation used[] = {
		{HPA(0x3000000),  0x2000,     "two"},
		{HPA(0x2000fff),  2,          "edges"},
		{HPA(0x3001000),  0x2000,     "overlap"},
		{HPA(0x4000000),  0,          "empty"},
		{HPA(0x20000000), 0x1000,     "outside"},
		{HPA(0xfff0000),  UINT64_MAX, "wrapping"},
	};
	/* clang-format on */

	(void)state;
	build(entries, 1, used, ARRAY_COUNT(used));
	assert_int_equal(map.usable_count, 3);
	assert_range(map.usable[0], 0x100000, 0x2000000);
	assert_range(map.usable[1], 0x2002000, 0x3000000);
	assert_range(map.usable[2], 0x3003000, 0xfff0000);
}

static void too_much(void **state)
{
	static struct memory_map_entry entries[MEMORY_MAP_ENTRIES_MAX + 1];
	static struct memory_reservation used[MEMORY_MAP_RESERVATIONS_MAX + 1];
	err_t err;

	(void)state;
	/* One large usable entry with as many holes and reservations in it as can be. */
	entries[0] = (struct memory_map_entry){0x100000, 0x40000000, MEMORY_USABLE};
	for (unsigned i = 1; i < ARRAY_COUNT(entries); i++)
		entries[i] = (struct memory_map_entry){0x200000 + i * 0x2000ul, 0x1000, 2};
	for (unsigned i = 0; i < ARRAY_COUNT(used); i++)
		used[i] = (struct memory_reservation){HPA(0x10000000 + i * 0x2000ul), 1, "x"};
	build(entries, MEMORY_MAP_ENTRIES_MAX, used, MEMORY_MAP_RESERVATIONS_MAX);
	assert_int_equal(map.usable_count, MEMORY_MAP_ENTRIES_MAX + MEMORY_MAP_RESERVATIONS_MAX);

	err = memory_map_build(&map, entries, ARRAY_COUNT(entries), NULL, 0, 46);
	assert_non_null(strstr(err, "513 entries"));
	assert_int_equal(map.usable_count, 0);
	err = memory_map_build(&map, entries, 1, used, ARRAY_COUNT(used), 46);
	assert_non_null(strstr(err, "fewer modules"));
}

static void nothing_usable(void **state)
{
	static const struct memory_map_entry low[] = {
		{0, 0x100fff, MEMORY_USABLE}
        };
	err_t err;

	(void)state;
	assert_non_null(memory_map_build(&map, NULL, 0, NULL, 0, 46));
	err = memory_map_build(&map, low, 1, NULL, 0, 46);
	assert_non_null(strstr(err, "no free memory"));
	assert_int_equal(map.region_count, 0);
}

/* The model: a cell is a quarter of a page; CELLS of them from 1 MiB - CELL_LOW cells on. */
#define CELL       0x400ul
#define CELLS      256u
#define CELL_BASE  (MEMORY_LOW_END - 64 * CELL)
#define CELL_AT(i) (CELL_BASE + (i)*CELL)

static uint32_t random_number(uint32_t below)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (uint32_t)(seed >> 33) % below;
}

/* 0: nothing there. Higher is more restrictive. */
static const uint8_t rank_of[] = {
	[MEMORY_USABLE] = 1,   [MEMORY_ACPI_RECLAIMABLE] = 2,
	[MEMORY_ACPI_NVS] = 3, [MEMORY_RESERVED] = 4,
	[MEMORY_BAD] = 5,
};

static bool in_usable(uint64_t at)
{
	for (unsigned i = 0; i < map.usable_count; i++) {
		if (at >= map.usable[i].start && at < map.usable[i].end)
			return true;
	}
	return false;
}

static unsigned rank_in_map(uint64_t at)
{
	for (unsigned i = 0; i < map.region_count; i++) {
		if (at >= map.regions[i].range.start && at < map.regions[i].range.end)
			return rank_of[map.regions[i].type];
	}
	return 0;
}

static void against_model(void **state)
{
	struct memory_map_entry entries[12];
	struct memory_reservation used[3];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t rank[CELLS] = {0};
		bool taken[CELLS] = {0};
		unsigned count = 1 + random_number(ARRAY_COUNT(entries));
		bool usable = false;

		for (unsigned i = 0; i < count; i++) {
			unsigned first = random_number(CELLS), n = random_number(CELLS - first) + 1;
			uint32_t type = random_number(2) ? MEMORY_USABLE : 1 + random_number(5);

			entries[i] = (struct memory_map_entry){CELL_AT(first), n * CELL, type};
			for (unsigned c = first; c < first + n; c++)
				rank[c] = rank_of[type] > rank[c] ? rank_of[type] : rank[c];
		}
		for (unsigned i = 0; i < ARRAY_COUNT(used); i++) {
			unsigned first = random_number(CELLS);

			used[i] = (struct memory_reservation){HPA(CELL_AT(first)), CELL, "x"};
			taken[first] = true;
		}
		for (unsigned page = 16; page < CELLS / 4; page++) {
			bool whole = true;

			for (unsigned c = page * 4; c < page * 4 + 4; c++)
				whole = whole && rank[c] == 1 && !taken[c];
			usable = usable || whole;
		}
		assert_int_equal(!memory_map_build(&map, entries, count, used, 3, 46), usable);
		if (!usable)
			continue;
		check_memory_map(&map, entries, count, used, 3);
		for (unsigned c = 0; c < CELLS; c++) {
			unsigned page = c / 4 * 4;
			bool whole = c >= 64;

			assert_int_equal(rank_in_map(CELL_AT(c)), rank[c]);
			for (unsigned p = page; p < page + 4; p++)
				whole = whole && rank[p] == 1 && !taken[p];
			assert_int_equal(in_usable(CELL_AT(c)), whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pc),
		cmocka_unit_test(overlap),
		cmocka_unit_test(unknown_types_are_reserved),
		cmocka_unit_test(absurd),
		cmocka_unit_test(adjacent_pieces_make_a_page),
		cmocka_unit_test(reservations),
		cmocka_unit_test(too_much),
		cmocka_unit_test(nothing_usable),
		cmocka_unit_test(against_model),
	};

	return cmocka_run_group_tests_name("memory map", tests, NULL, NULL);
}
