/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/spinlock.h and the console's lock: tickets, threads that count together, a lock taken
 * twice, a broken one. */
/* UNITS: kernel/console_lock.c */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/console_lock.h"
#include "kernel/cpu.h"
#include "kernel/spinlock.h"

static void tickets(void **state)
{
	struct spinlock lock = {0};

	(void)state;
	assert_true(spin_try_lock(&lock));
	assert_false(spin_try_lock(&lock));
	assert_int_equal(lock.next, 1);
	spin_unlock(&lock);
	spin_lock(&lock);
	assert_false(spin_try_lock(&lock));
	spin_unlock(&lock);

	/* The numbers wrap. */
	lock = (struct spinlock){UINT32_MAX, UINT32_MAX};
	spin_lock(&lock);
	assert_int_equal(lock.next, 0);
	assert_false(spin_try_lock(&lock));
	spin_unlock(&lock);
	assert_true(spin_try_lock(&lock));
	spin_unlock(&lock);
	assert_int_equal(lock.serving, 1);
}

#define THREADS 4
#define ROUNDS  20000

static struct spinlock shared;
static volatile uint64_t count;

static void *count_up(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* Tickets are served in order: yield, for there are fewer CPUs than threads. */
		while (!spin_try_lock(&shared))
			sched_yield();
		count = count + 1;
		spin_unlock(&shared);
	}
	return NULL;
}

static void threads_do_not_meet(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(count, THREADS * ROUNDS);
}

static struct cpu first = {.index = 0}, second = {.index = 1};

static void console_lock_is_the_cpus(void **state)
{
	(void)state;
	fake_machine.gs_self = &first;
	console_lock();
	console_lock();
	assert_true(console_try_lock());
	fake_machine.gs_self = &second;
	assert_false(console_try_lock());
	fake_machine.gs_self = &first;
	console_unlock();
	console_unlock();
	fake_machine.gs_self = &second;
	assert_false(console_try_lock());
	fake_machine.gs_self = &first;
	console_unlock();
	fake_machine.gs_self = &second;
	assert_true(console_try_lock());
	console_unlock();
}

/* The last test: a broken lock stays so. */
static void panic_breaks_it(void **state)
{
	(void)state;
	fake_machine.gs_self = &first;
	console_lock();
	fake_machine.gs_self = &second;
	console_lock_break();
	console_lock();
	assert_true(console_try_lock());
	console_unlock();
	/* And nobody asks which CPU this is. */
	fake_machine.gs_self = (void *)1;
	console_lock();
	console_unlock();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tickets),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(console_lock_is_the_cpus),
		cmocka_unit_test(panic_breaks_it),
	};

	return cmocka_run_group_tests_name("spinlock", tests, NULL, NULL);
}
