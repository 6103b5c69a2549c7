/* SPDX-License-Identifier: BSD-2-Clause */
/* Costs counted by powers of two, and the table of them. */
/* UNITS: trace/counters.c arch/x86_64/vmx.c kernel/format.c tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/vmx.h"
#include "tests/fake/log.h"
#include "trace/counters.h"

static struct exit_counters counters;

static int setup(void **state)
{
	(void)state;
	counters_reset(&counters);
	fake_log_reset();
	return 0;
}

static void buckets(void **state)
{
	(void)state;
	for (uint64_t ticks = 0; ticks < 32; ticks++)
		assert_int_equal(counter_bucket(ticks), ticks < 32 ? 4 : 5);
	for (unsigned n = 5; n < 64; n++) {
		assert_int_equal(counter_bucket(1ull << n), n);
		assert_int_equal(counter_bucket((1ull << n) - 1), n - 1);
	}
	assert_int_equal(counter_bucket(~0ull), 63);
}

static void sums(void **state)
{
	static const uint64_t costs[] = {0, 1, 15, 16, 31, 32, 100, 5000, 1ull << 40};
	struct exit_counter *counter = &counters.by_reason[VMX_EXIT_CPUID];
	uint64_t total = 0;

	(void)state;
	assert_int_equal(counter_count(counter), 0);
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		counter_add(counter, costs[i]);
		total += costs[i];
		assert_int_equal(counter_count(counter), i + 1);
		assert_int_equal(counter->total, total);
		assert_int_equal(counter->max, costs[i]);
		assert_int_equal(counter->min, 0);
	}
	assert_int_equal(counter->buckets[4], 5);
	/* What came before the first exit is in no sum. */
	counter_add(&counters.by_reason[EXIT_REASONS], 77);
	assert_int_equal(counters_sum(&counters), 9);
}

static void exits_that_cost_nothing(void **state)
{
	(void)state;
	counter_add(&counters.by_reason[3], 0);
	assert_int_equal(counter_count(&counters.by_reason[3]), 1);
	counters_print(&counters, "vm");
	assert_true(fake_log_contains("INIT signal"));
}

static void an_empty_table(void **state)
{
	(void)state;
	counters_print(&counters, "vm");
	assert_string_equal(fake_log_last(), "plinth[vm]: no exits");
}

static void the_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		counter_add(&counters.by_reason[VMX_EXIT_HLT], 100);
	for (unsigned i = 0; i < 5; i++)
		counter_add(&counters.by_reason[VMX_EXIT_CPUID], 40 + 10 * i);
	counter_add(&counters.by_reason[127], 700);
	counters_print(&counters, "vm");
	/* Heading, three reasons, the sum, what it means. */
	assert_int_equal(fake_log_count(), 6);
	assert_non_null(strstr(fake_log_text(0), "exits by reason"));
	assert_non_null(strstr(fake_log_text(1), "CPUID "));
	assert_non_null(strstr(fake_log_text(1), "    5  55.5%  23.0%  40   60  80  |"));
	assert_non_null(strstr(fake_log_text(2), "HLT "));
	assert_non_null(strstr(fake_log_text(2), " 3  33.3%  23.0% 100  100 100  |"));
	assert_non_null(strstr(fake_log_text(3), "unknown exit reason"));
	assert_non_null(strstr(fake_log_text(4), "all "));
	assert_non_null(strstr(fake_log_text(4), " 9 100.0% 100.0%  40  144 700  |"));
	assert_non_null(strstr(fake_log_text(5), "1300 ticks in all"));
	/* The charts stand below each other. */
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(strlen(fake_log_text(i)), strlen(fake_log_text(4)));
}

static void add(unsigned reason, unsigned count, uint64_t ticks)
{
	while (count--)
		counter_add(&counters.by_reason[reason], ticks);
}

static void expect(unsigned number, const char *text)
{
	assert_string_equal(fake_log_text(number), text);
}

/* To the letter, as a person reads it. */
static void the_table_as_a_person_sees_it(void **state)
{
	(void)state;
	add(VMX_EXIT_CPUID, 90, 130);
	add(VMX_EXIT_CPUID, 10, 260);
	add(VMX_EXIT_HLT, 1, 40000);
	add(VMX_EXIT_IO_INSTRUCTION, 899, 200);
	counters_print(&counters, "vm");
	assert_int_equal(fake_log_count(), 6);
	expect(0, "plinth[vm]: exits by reason count  share   time   min  mean   max   128 512 2k  "
		  "8k  32k ticks");
	expect(1, "plinth[vm]: I/O instruction   899  89.9%  76.8%   200   200   200  |@@          "
		  "      |");
	expect(2, "plinth[vm]: CPUID             100  10.0%   6.1%   130   143   260  |@@..        "
		  "      |");
	expect(3, "plinth[vm]: HLT                 1   0.1%  17.0% 40000 40000 40000  |            "
		  "    @@|");
	expect(4, "plinth[vm]: all              1000 100.0% 100.0%   130   234 40000  |@@..        "
		  "    ..|");
	expect(5, "plinth[vm]: 234100 ticks in all; the charts show how the exits' costs spread, "
		  "one column "
		  "a power of two");
}

/* A guest that idles for minutes has buckets far apart: then each has one character. */
static void a_wide_chart(void **state)
{
	(void)state;
	add(VMX_EXIT_CPUID, 1, 16);
	add(VMX_EXIT_HLT, 1, 1ull << 40);
	counters_print(&counters, "vm");
	assert_non_null(
		strstr(fake_log_text(0), "   16 128 2k 16k 256k 8M 64M 1G 8G 64G 1T ticks"));
	assert_non_null(strstr(fake_log_text(1), "|@                                    |"));
	assert_non_null(strstr(fake_log_text(2), "|                                    @|"));
}

/* All reasons with all costs at once: the widest table that there can be. */
static void the_largest_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EXIT_REASONS; i++)
		for (unsigned n = 0; n < 64; n++)
			counter_add(&counters.by_reason[i], 1ull << n);
	memset(counters.by_reason[5].buckets + COUNTER_LEAST, 0xff, 8 * 4);
	counters_print(&counters, "vm");
	assert_true(fake_log_count() >= EXIT_REASONS + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(buckets, setup),
		cmocka_unit_test_setup(sums, setup),
		cmocka_unit_test_setup(exits_that_cost_nothing, setup),
		cmocka_unit_test_setup(an_empty_table, setup),
		cmocka_unit_test_setup(the_table, setup),
		cmocka_unit_test_setup(the_table_as_a_person_sees_it, setup),
		cmocka_unit_test_setup(a_wide_chart, setup),
		cmocka_unit_test_setup(the_largest_table, setup),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
