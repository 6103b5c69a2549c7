/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/tlb.c on four processors: marks, and who has passed them. */
/* UNITS: kernel/tlb.c tests/fake/cpus.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/tlb.h"
#include "tests/fake/cpus.h"

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_cpus_start(FAKE_CPUS_MAX);
	for (unsigned i = 0; i < FAKE_CPUS_MAX; i++) {
		fake_cpu_become(i);
		tlb_catch_up();
	}
	fake_cpu_become(0);
	return 0;
}

static void all_must_pass(void **state)
{
	uint64_t mark = tlb_mark();

	(void)state;
	for (unsigned i = 1; i < FAKE_CPUS_MAX; i++) {
		assert_false(tlb_all_passed(mark));
		fake_cpu_become(i);
		tlb_catch_up();
	}
	assert_true(tlb_all_passed(mark));
	assert_true(tlb_all_passed(mark - 1));
	assert_false(tlb_all_passed(mark + 1));
}

static void one_cpu_waits_for_nobody(void **state)
{
	(void)state;
	fake_cpus_start(1);
	assert_true(tlb_all_passed(tlb_mark()));
}

/* A mark of one's own does not stand for what others have taken out before. */
static void own_mark_comes_after_others(void **state)
{
	uint64_t first = tlb_mark(), second;

	(void)state;
	fake_cpu_become(1);
	assert_true(fake_cpus[1].tlb_passed < first);
	second = tlb_mark();
	assert_int_equal(second, first + 1);
	assert_int_equal(fake_cpus[1].tlb_passed, second);
	assert_int_equal(fake_cpus[0].tlb_passed, first);
}

static void the_parked_are_not_waited_for(void **state)
{
	uint64_t mark;

	(void)state;
	for (unsigned i = 1; i < FAKE_CPUS_MAX; i++) {
		fake_cpu_become(i);
		tlb_park();
	}
	fake_cpu_become(0);
	mark = tlb_mark();
	assert_true(tlb_all_passed(mark));
	/* Awake again, it has passed all that was before, and is waited for. */
	fake_cpu_become(2);
	tlb_unpark();
	assert_int_equal(fake_cpus[2].tlb_passed, mark);
	fake_cpu_become(0);
	assert_true(tlb_all_passed(mark));
	mark = tlb_mark();
	assert_false(tlb_all_passed(mark));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_must_pass, setup),
		cmocka_unit_test_setup(one_cpu_waits_for_nobody, setup),
		cmocka_unit_test_setup(own_mark_comes_after_others, setup),
		cmocka_unit_test_setup(the_parked_are_not_waited_for, setup),
	};

	return cmocka_run_group_tests_name("TLB", tests, NULL, NULL);
}
