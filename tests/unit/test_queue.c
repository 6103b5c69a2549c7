/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that wait for a processor or for memory, restarts, and the result of a run. */
/* UNITS: guest/queue.c kernel/string.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/queue.h"

static struct guest_queue queue;

static void module_order(void **state)
{
	unsigned index = 99;

	(void)state;
	queue_init(&queue, 0);
	assert_false(queue_take(&queue, &index));
	assert_int_equal(index, 99);
	queue_init(&queue, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(queue_take(&queue, &index));
		assert_int_equal(index, i);
	}
	assert_false(queue_take(&queue, &index));
	queue_finish(&queue, 1, true, 0);
	assert_false(queue_take(&queue, &index));
	/* More than there can be. */
	queue_init(&queue, 1000);
	for (unsigned i = 0; i < GUESTS_MAX; i++)
		assert_true(queue_take(&queue, &index));
	assert_int_equal(index, GUESTS_MAX - 1);
	assert_false(queue_take(&queue, &index));
}

static void the_first_of_those_under_way(void **state)
{
	unsigned index;

	(void)state;
	queue_init(&queue, 64);
	for (unsigned i = 0; i < 64; i++)
		assert_true(queue_take(&queue, &index));
	assert_true(queue_is_first(&queue, 0));
	assert_false(queue_is_first(&queue, 1));
	assert_false(queue_is_first(&queue, 63));
	queue_finish(&queue, 1, true, 0);
	assert_false(queue_is_first(&queue, 2));
	queue_finish(&queue, 0, true, 0);
	assert_true(queue_is_first(&queue, 2));
	for (unsigned i = 2; i < 63; i++)
		queue_finish(&queue, i, true, 0);
	assert_true(queue_is_first(&queue, 63));
}

static void result_is(unsigned passed, uint32_t code)
{
	struct queue_result result = queue_result(&queue);

	assert_int_equal(result.passed, passed);
	assert_int_equal(result.count, queue.count);
	if (passed < result.count)
		assert_int_equal(result.first_code, code);
}

static void results(void **state)
{
	unsigned index;

	(void)state;
	queue_init(&queue, 4);
	result_is(0, 1);
	for (unsigned i = 0; i < 4; i++)
		assert_true(queue_take(&queue, &index));
	/* The first in module order counts, not the first in time. */
	queue_finish(&queue, 3, false, 33);
	result_is(0, 1);
	queue_finish(&queue, 0, true, 0);
	queue_finish(&queue, 2, false, 22);
	result_is(1, 1);
	queue_finish(&queue, 1, true, 0);
	result_is(2, 22);
	queue_init(&queue, 1);
	assert_true(queue_take(&queue, &index));
	queue_finish(&queue, 0, true, 7);
	result_is(1, 0);
}

/* One alone that fails need not wait. */
static void alone(void **state)
{
	struct memory_try try;

	(void)state;
	queue_init(&queue, 2);
	queue_memory_try(&queue, &try);
	assert_int_equal(queue_memory_failed(&queue, &try), MEMORY_NEVER);
	assert_int_equal(queue.holders, 0);
	/* After one that had memory and gave it back as well. */
	queue_memory_try(&queue, &try);
	queue_memory_returned(&queue);
	queue_memory_try(&queue, &try);
	assert_int_equal(queue_memory_failed(&queue, &try), MEMORY_NEVER);
}

static void behind_one_that_runs(void **state)
{
	struct memory_try first, second;
	uint64_t changes;

	(void)state;
	queue_init(&queue, 2);
	queue_memory_try(&queue, &first);
	queue_memory_try(&queue, &second);
	assert_int_equal(queue_memory_failed(&queue, &second), MEMORY_LATER);
	changes = queue.changes;
	queue_memory_returned(&queue);
	assert_int_not_equal(queue.changes, changes);
	queue_memory_try(&queue, &second);
	assert_int_equal(queue_memory_failed(&queue, &second), MEMORY_NEVER);
}

/* Two that take what the other would need: one waits, and the other tries once more alone. */
static void two_in_each_others_way(void **state)
{
	struct memory_try first, second;
	uint64_t changes;

	(void)state;
	queue_init(&queue, 2);
	queue_memory_try(&queue, &first);
	queue_memory_try(&queue, &second);
	assert_int_equal(queue_memory_failed(&queue, &first), MEMORY_LATER);
	changes = queue.changes;
	assert_int_equal(queue_memory_failed(&queue, &second), MEMORY_AGAIN);
	queue_memory_try(&queue, &second);
	assert_int_equal(queue_memory_failed(&queue, &second), MEMORY_NEVER);
	/* Who waits is not forgotten. */
	assert_int_not_equal(queue.changes, changes);
	queue_memory_try(&queue, &first);
	assert_int_equal(queue_memory_failed(&queue, &first), MEMORY_NEVER);

	/* The other came and went while the first one tried. */
	queue_memory_try(&queue, &first);
	queue_memory_try(&queue, &second);
	queue_memory_returned(&queue);
	assert_int_equal(queue_memory_failed(&queue, &first), MEMORY_AGAIN);
}

/*
 * Guests of random sizes on some processors: each that fits alone runs in the end, the others fail,
 * and nobody waits for ever.
 */
struct worker {
	enum { FREE, TRIES, RUNS, WAITS } what;
	unsigned guest;
	struct memory_try try;
	uint64_t changes;
};

static void everybody_ends(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct worker workers[4] = {{FREE}};
		unsigned sizes[12], ran = 0, failed = 0, fit = 0;
		int left = 100;

		queue_init(&queue, ARRAY_COUNT(sizes));
		for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
			seed = seed * 6364136223846793005ul + 1442695040888963407ul;
			sizes[i] = 1 + (unsigned)(seed >> 40) % 120;
			fit += sizes[i] <= 100;
		}
		for (unsigned step = 0; ran + failed < ARRAY_COUNT(sizes); step++) {
			struct worker *w;

			assert_true(step < 100000);
			seed = seed * 6364136223846793005ul + 1442695040888963407ul;
			w = &workers[(seed >> 40) % ARRAY_COUNT(workers)];
			if (w->what == FREE && queue_take(&queue, &w->guest)) {
				queue_memory_try(&queue, &w->try);
				w->what = TRIES;
			} else if (w->what == TRIES && left >= (int)sizes[w->guest]) {
				left -= (int)sizes[w->guest];
				w->what = RUNS;
			} else if (w->what == TRIES) {
				switch (queue_memory_failed(&queue, &w->try)) {
				case MEMORY_NEVER:
					w->what = FREE;
					failed++;
					break;
				case MEMORY_AGAIN:
					queue_memory_try(&queue, &w->try);
					break;
				case MEMORY_LATER:
					w->changes = queue.changes;
					w->what = WAITS;
				}
			} else if (w->what == RUNS) {
				left += (int)sizes[w->guest];
				queue_memory_returned(&queue);
				w->what = FREE;
				ran++;
			} else if (w->what == WAITS && w->changes != queue.changes) {
				queue_memory_try(&queue, &w->try);
				w->what = TRIES;
			}
		}
		assert_int_equal(ran, fit);
		assert_int_equal(left, 100);
		assert_int_equal(queue.holders, 0);
	}
}

static void restarts(void **state)
{
	static const struct {
		enum vm_end end;
		uint32_t code;
		bool passes;
	} ends[] = {
		{VM_ENDED_EXIT,         0, true },
                {VM_ENDED_EXIT,         1, false},
		{VM_ENDED_POWEROFF,     0, true },
                {VM_ENDED_RESET,        0, false},
		{VM_ENDED_HALT,         0, false},
                {VM_ENDED_TRIPLE_FAULT, 0, false},
		{VM_ENDED_STOPPED,      0, false},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(ends); i++) {
		assert_int_equal(guest_passed(ends[i].end, ends[i].code), ends[i].passes);
		assert_false(guest_restarts(ends[i].end, ends[i].code, 0, 0));
		assert_int_equal(guest_restarts(ends[i].end, ends[i].code, 0, 1), !ends[i].passes);
		assert_int_equal(guest_restarts(ends[i].end, ends[i].code, 4, 5), !ends[i].passes);
		assert_false(guest_restarts(ends[i].end, ends[i].code, 5, 5));
	}
	/* The user meant it. */
	assert_false(guest_passed(VM_ENDED_USER, 0));
	assert_false(guest_restarts(VM_ENDED_USER, 0, 0, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_order),
		cmocka_unit_test(the_first_of_those_under_way),
		cmocka_unit_test(results),
		cmocka_unit_test(alone),
		cmocka_unit_test(behind_one_that_runs),
		cmocka_unit_test(two_in_each_others_way),
		cmocka_unit_test(everybody_ends),
		cmocka_unit_test(restarts),
	};

	return cmocka_run_group_tests_name("queue of guests", tests, NULL, NULL);
}
