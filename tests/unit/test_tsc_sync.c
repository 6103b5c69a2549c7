/* SPDX-License-Identifier: BSD-2-Clause */
/* The difference of two time-stamp counters from exchanges, and exchanges between two threads. */
/* UNITS: kernel/tsc_sync.c arch/x86_64/cpuid.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/time.h"
#include "kernel/tsc_sync.h"

/* kernel/time.c is not needed for more than this. */
uint64_t time_frequency(void)
{
	return 1000000000;
}

static void difference_is(const struct tsc_sample *samples, unsigned count, int64_t ticks,
			  uint64_t doubt)
{
	struct tsc_difference d = tsc_difference_of(samples, count);

	assert_int_equal(d.ticks, ticks);
	assert_int_equal(d.doubt, doubt);
}

static void the_shortest_exchange_counts(void **state)
{
	static const struct tsc_sample same[] = {
		{100, 150, 200},
                {300, 304, 310},
                {400, 480, 500}
        };
	static const struct tsc_sample ahead[] = {
		{100,  1000150, 1000},
                {2000, 1002040, 2080}
        };
	static const struct tsc_sample behind[] = {
		{1000000, 5, 1000010}
        };
	/* A counter that wraps meanwhile. */
	static const struct tsc_sample wraps[] = {
		{UINT64_MAX - 9, 0, 10}
        };

	(void)state;
	difference_is(same, 3, -1, 6);
	assert_true(tsc_is_same(tsc_difference_of(same, 3)));
	difference_is(ahead, 2, 1000000, 41);
	assert_false(tsc_is_same(tsc_difference_of(ahead, 2)));
	difference_is(behind, 1, -1000000, 6);
	assert_false(tsc_is_same(tsc_difference_of(behind, 1)));
	difference_is(wraps, 1, 0, 11);
}

/* No exchange can tell more than that the other's counter was read in between. */
static void the_truth_is_within_the_doubt(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct tsc_sample samples[4];
		int64_t truth;
		struct tsc_difference d;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		truth = (int64_t)(seed >> 20) - (1ll << 43);
		for (unsigned i = 0; i < 4; i++) {
			uint64_t width, at;

			seed = seed * 6364136223846793005ul + 1442695040888963407ul;
			width = seed >> 50;
			at = width ? (seed >> 10) % (width + 1) : 0;
			samples[i].before = seed >> 8;
			samples[i].after = samples[i].before + width;
			samples[i].other = samples[i].before + at + (uint64_t)truth;
		}
		d = tsc_difference_of(samples, 4);
		d.ticks -= truth;
		assert_true(tsc_is_same(d));
	}
}

static void nobody_answers(void **state)
{
	struct tsc_difference d;

	(void)state;
	fake_machine_reset();
	fake_machine.tsc_step = 100000;
	tsc_sync_begin();
	assert_false(tsc_sync_measure(&d));
	assert_false(tsc_sync_adjust(5));
	tsc_sync_end();
	/* Nor does one wait for questions for ever. */
	tsc_sync_begin();
	tsc_sync_follow();
}

static void *follow(void *unused)
{
	(void)unused;
	tsc_sync_follow();
	return NULL;
}

static struct cpuid_result with_adjust(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid_result){.eax = 7};
	return (struct cpuid_result){.ebx = leaf == 7 ? 2 : 0};
}

/* Both threads read one clock that stands still; the questions left over from before are forgotten.
 */
static void two_exchange(void **state)
{
	struct tsc_difference d;
	pthread_t thread;

	(void)state;
	fake_machine_reset();
	fake_machine.tsc = 1000;
	fake_machine.cpuid = with_adjust;
	fake_msr_set(IA32_TSC_ADJUST, 100);
	for (unsigned round = 0; round < 3; round++) {
		tsc_sync_begin();
		assert_int_equal(pthread_create(&thread, NULL, follow, NULL), 0);
		assert_true(tsc_sync_measure(&d));
		assert_int_equal(d.ticks, 0);
		assert_true(tsc_sync_adjust(-30));
		tsc_sync_end();
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
	assert_int_equal(rdmsr(IA32_TSC_ADJUST), 10);

	fake_machine.cpuid = NULL;
	tsc_sync_begin();
	assert_int_equal(pthread_create(&thread, NULL, follow, NULL), 0);
	assert_false(tsc_sync_adjust(-30));
	tsc_sync_end();
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(rdmsr(IA32_TSC_ADJUST), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_exchange_counts),
		cmocka_unit_test(the_truth_is_within_the_doubt),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(two_exchange),
	};

	return cmocka_run_group_tests_name("TSC synchronisation", tests, NULL, NULL);
}
