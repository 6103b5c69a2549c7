/* SPDX-License-Identifier: BSD-2-Clause */
/* Long random sequences of what can be done to extended page tables, against a plain model. */
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

#define PAGES 4096u /* 16 MiB from 1 GiB - 8 MiB, across the edge */
#define FIRST (GIB - 8 * MIB)

static struct {
	uint64_t hpa;
	unsigned rights;
} model[PAGES];

static uint64_t seed = 88172645463325252u;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A range of pages, often on the edges of large ones. */
static void random_range(unsigned *page, unsigned *count)
{
	unsigned step = random64() % 3 ? 512 : 1;

	*page = (unsigned)random64() % PAGES / step * step;
	*count = 1 + (unsigned)random64() % (random64() % 2 ? 8 : 2048);
	if (step > 1)
		*count = (*count + step - 1) / step * step;
	if (*count > PAGES - *page)
		*count = PAGES - *page;
}

static void model_map(unsigned page, unsigned count, unsigned rights)
{
	uint64_t hpa = (random64() % 2 ? 512 : 1) * (1 + random64() % 4096) * PAGE_SIZE;
	bool free = true;
	err_t err;

	for (unsigned i = 0; i < count; i++)
		free &= !model[page + i].rights;
	if (!free)
		return;
	err = ept_map(&ept, GPA(FIRST + page * PAGE_SIZE), HPA(hpa), count * PAGE_SIZE, rights);
	if (err)
		fail_msg("%s", err);
	for (unsigned i = 0; i < count; i++) {
		model[page + i].hpa = hpa + i * PAGE_SIZE;
		model[page + i].rights = rights;
	}
}

static void model_change(unsigned page, unsigned count, unsigned rights)
{
	uint64_t size = count * PAGE_SIZE;
	gpa_t gpa = GPA(FIRST + page * PAGE_SIZE);
	unsigned before = invalidations;
	bool gone = false;

	for (unsigned i = 0; i < count; i++)
		if (model[page + i].rights) {
			gone |= (model[page + i].rights & ~rights) != 0;
			model[page + i].rights = rights;
		}
	if (rights)
		assert_null(ept_protect(&ept, gpa, size, rights));
	else
		assert_null(ept_unmap(&ept, gpa, size));
	/* With the erratum a right that is withheld cannot go. */
	if (!ept.features.no_large_execute)
		assert_int_equal(invalidations - before, gone);
}

static void check_model(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t gpa = FIRST + i * PAGE_SIZE + random64() % PAGE_SIZE;
		unsigned level, rights = model[i].rights;
		uint64_t leaf = leaf_of(gpa, &level);

		if (!rights) {
			assert_int_equal(leaf, 0);
			continue;
		}
		if (level > 1 && ept.features.no_large_execute)
			rights &= ~(unsigned)X;
		assert_int_equal(leaf & 7, rights);
		expect_mapped(gpa, model[i].hpa + gpa % PAGE_SIZE, rights,
			      1ull << (12 + 9 * (level - 1)));
	}
}

static void random_step(void)
{
	static const unsigned rights[] = {EPT_READ, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXECUTE,
					  EPT_ALL};
	unsigned page, count, what = (unsigned)random64() % 8, level;

	random_range(&page, &count);
	if (what < 4) {
		model_map(page, count, rights[random64() % 4]);
	} else if (what < 6) {
		model_change(page, count, rights[random64() % 4]);
	} else if (what == 6) {
		model_change(page, count, EPT_NONE);
	} else {
		gpa_t gpa = GPA(FIRST + page * PAGE_SIZE);
		uint64_t leaf = leaf_of(gpa.raw, &level);
		bool withheld = leaf && level > 1 && model[page].rights & X && !(leaf & X);

		assert_int_equal(ept_grant_execute(&ept, gpa), withheld);
		if (withheld)
			assert_int_equal(leaf_of(gpa.raw, &level) & X, X);
	}
}

static void random_sequences(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 40; run++) {
		const struct ept_features features = {.pages_2m = run & 1,
						      .pages_1g = (run & 3) == 3,
						      .no_large_execute = run & 4};

		ept_walk_create(&features, FIRST, PAGES * PAGE_SIZE);
		memset(model, 0, sizeof(model));
		for (unsigned n = 0; n < 120; n++) {
			random_step();
			if (n % 8 == 0)
				check_model();
		}
		check_model();
		assert_true(ept.pool_used <= ept.pool_size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sequences),
	};

	return cmocka_run_group_tests_name("ept_model", tests, NULL, NULL);
}
