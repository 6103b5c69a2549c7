/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables for tests, and a walk through them. */
#include "tests/fake/ept_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/direct_map.h"
#include "tests/fake/physical.h"

struct ept ept;
unsigned invalidations;

static void count_invalidation(void *context)
{
	assert_ptr_equal(context, &invalidations);
	invalidations++;
}

void ept_walk_create(const struct ept_features *features, uint64_t gpa, uint64_t size)
{
	const struct gpa_range range = {GPA(gpa), size};

	fake_physical_reset();
	assert_null(ept_create(&ept, features, &range, 1));
	ept.invalidate = count_invalidation;
	ept.context = &invalidations;
	invalidations = 0;
}

uint64_t leaf_of(uint64_t gpa, unsigned *level)
{
	uint64_t table = ept_pointer(&ept) & ~0xfffull;

	for (*level = 4;; (*level)--) {
		uint64_t *entries = direct_map(HPA(table));
		uint64_t entry = entries[gpa >> (12 + 9 * (*level - 1)) & 0x1ff];

		if ((entry & 7) == 0)
			return 0;
		/* SDM "EPT Misconfigurations" */
		assert_true(entry & R);
		assert_int_equal(entry >> 48 & 0xf, 0);
		if (*level == 1 || (*level < 4 && entry & PS)) {
			assert_int_equal(entry >> 3 & 7, 6);
			if (*level > 1)
				assert_int_equal(
					entry & ((1ull << (12 + 9 * (*level - 1))) - 0x1000), 0);
			return entry;
		}
		assert_int_equal(entry & 0xf8, 0);
		table = entry & 0xffffffffff000;
	}
}

void expect_mapped(uint64_t gpa, uint64_t hpa, unsigned rights, uint64_t page_size)
{
	unsigned level;
	uint64_t leaf = leaf_of(gpa, &level), size = 1ull << (12 + 9 * (level - 1));
	struct ept_mapping mapping;

	if (!leaf)
		fail_msg("%llx is not mapped", (unsigned long long)gpa);
	assert_int_equal(size, page_size);
	assert_int_equal((leaf & 0xffffffffff000) + gpa % size, hpa);
	assert_int_equal(leaf & 7, rights);
	assert_true(ept_translate(&ept, GPA(gpa), &mapping));
	assert_int_equal(mapping.hpa.raw, hpa);
	assert_int_equal(mapping.rights, rights);
	assert_int_equal(mapping.page_size, page_size);
}

void expect_unmapped(uint64_t gpa)
{
	struct ept_mapping mapping;
	unsigned level;

	assert_int_equal(leaf_of(gpa, &level), 0);
	assert_false(ept_translate(&ept, GPA(gpa), &mapping));
}
