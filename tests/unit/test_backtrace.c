/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/backtrace.c on chains of frames, whole and damaged. */
/* UNITS: kernel/backtrace.c tests/fake/log.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/backtrace.h"
#include "kernel/cpu.h"
#include "kernel/symbols.h"
#include "kernel/traps.h"
#include "tests/fake/log.h"

#define STACK_BASE  0x10000ull
#define STACK_WORDS 10000u

static uint64_t stack[STACK_WORDS];
static uint64_t unmapped; /* an address that cannot be read, although it lies in the stack */

bool cpu_stack_contains(uint64_t address, uint64_t size)
{
	uint64_t end = STACK_BASE + sizeof(stack);

	return address >= STACK_BASE && address < end && size <= end - address;
}

bool read64_safe(uint64_t address, uint64_t *value)
{
	assert_true(cpu_stack_contains(address, 8));
	assert_int_equal(address % 8, 0);
	if (address == unmapped)
		return false;
	*value = stack[(address - STACK_BASE) / 8];
	return true;
}

const char *symbol_text(uint64_t address, char buffer[SYMBOL_TEXT_MAX])
{
	snprintf(buffer, SYMBOL_TEXT_MAX, "at %llx.", (unsigned long long)address);
	return buffer;
}

static uint64_t word(unsigned n)
{
	return STACK_BASE + 8ull * n;
}

static void set_frame(unsigned at, uint64_t caller, uint64_t return_address)
{
	stack[at] = caller;
	stack[at + 1] = return_address;
}

static int setup(void **state)
{
	(void)state;
	fake_log_reset();
	memset(stack, 0, sizeof(stack));
	unmapped = 0;
	return 0;
}

static void test_names_callers(void **state)
{
	(void)state;
	set_frame(10, word(20), 0x1001);
	set_frame(20, word(30), 0x2001);
	set_frame(30, 0, 0x3001);
	backtrace_log(0x500, word(10));
	assert_int_equal(fake_log_count(), 5);
	assert_string_equal(fake_log_text(1), "plinth:   at 500.");
	assert_string_equal(fake_log_text(2), "plinth:   at 1000.");
	assert_string_equal(fake_log_text(3), "plinth:   at 2000.");
	assert_string_equal(fake_log_text(4), "plinth:   at 3000.");
}

static void test_counts_repeats(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 50; n++)
		set_frame(2 * n, word(2 * n + 2), 0x1001);
	set_frame(100, 0, 0x2001);
	backtrace_log(0x500, word(0));
	assert_int_equal(fake_log_count(), 5);
	assert_string_equal(fake_log_text(2), "plinth:   at 1000.");
	assert_string_equal(fake_log_text(3), "plinth:   ... 49 more of the same");
	assert_string_equal(fake_log_text(4), "plinth:   at 2000.");
}

static void test_is_bounded(void **state)
{
	(void)state;
	for (unsigned n = 0; n < STACK_WORDS / 2 - 1; n++)
		set_frame(2 * n, word(2 * n + 2), 0x1001 + n);
	backtrace_log(0x500, word(0));
	assert_int_equal(fake_log_count(), BACKTRACE_LINES_MAX + 2);
	assert_string_equal(fake_log_last(), "plinth:   ... and more");

	setup(NULL);
	for (unsigned n = 0; n < STACK_WORDS / 2 - 1; n++)
		set_frame(2 * n, word(2 * n + 2), 0x1001);
	backtrace_log(0x500, word(0));
	assert_string_equal(fake_log_last(), "plinth:   ... 4095 more of the same");
}

static void test_ends_at_damage(void **state)
{
	static const uint64_t bad[] = {
		0,
		1,
		STACK_BASE - 8,
		STACK_BASE + 11,
		STACK_BASE + sizeof(stack),
		STACK_BASE + sizeof(stack) - 8,
		UINT64_MAX,
		UINT64_MAX - 7,
		0x8000000000000000,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(NULL);
		backtrace_log(0x500, bad[i]);
		assert_int_equal(fake_log_count(), 2);

		setup(NULL);
		set_frame(10, bad[i], 0x1001);
		backtrace_log(0x500, word(10));
		assert_int_equal(fake_log_count(), 3);
	}

	/* A frame that is its own caller, one with a caller below, and one that cannot be read. */
	setup(NULL);
	set_frame(10, word(10), 0x1001);
	backtrace_log(0x500, word(10));
	assert_int_equal(fake_log_count(), 3);
	setup(NULL);
	set_frame(10, word(2), 0x1001);
	set_frame(2, word(10), 0x2001);
	backtrace_log(0x500, word(10));
	assert_int_equal(fake_log_count(), 3);
	setup(NULL);
	set_frame(10, word(20), 0x1001);
	unmapped = word(21);
	backtrace_log(0x500, word(10));
	assert_int_equal(fake_log_count(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names_callers, setup),
		cmocka_unit_test_setup(test_counts_repeats, setup),
		cmocka_unit_test_setup(test_is_bounded, setup),
		cmocka_unit_test_setup(test_ends_at_damage, setup),
	};

	return cmocka_run_group_tests_name("backtrace", tests, NULL, NULL);
}
