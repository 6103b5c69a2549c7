/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/log.c: levels, tags, hostile texts, long lines, and the rate limit. */
/* UNITS: kernel/log.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/time.h"

#define SECOND 1000000000ull

static uint64_t now;
static char last[1024];
static unsigned line_count;

uint64_t time_now(void)
{
	return now;
}

uint64_t time_frequency(void)
{
	return SECOND;
}

void console_write_line(const char *text, size_t size)
{
	assert_true(size <= LOG_LINE_MAX);
	for (size_t i = 0; i < size; i++)
		assert_in_range(text[i], 0x20, 0x7e);
	memcpy(last, text, size);
	last[size] = '\0';
	line_count++;
}

static int setup(void **state)
{
	(void)state;
	now = 5 * SECOND;
	last[0] = '\0';
	line_count = 0;
	log_set_level(LOG_INFO);
	return 0;
}

static void test_tags(void **state)
{
	(void)state;
	log_info("%d CPUs", 2);
	assert_string_equal(last, "plinth: 2 CPUs");
	log_error("no memory");
	assert_string_equal(last, "plinth: error: no memory");
	log_warn("odd");
	assert_string_equal(last, "plinth: warning: odd");
	log_always("verdict: pass");
	assert_string_equal(last, "plinth: verdict: pass");
	log_vm("linux", "started");
	assert_string_equal(last, "plinth[linux]: started");
	log_vm_line(LOG_ERROR, "linux", "lost");
	assert_string_equal(last, "plinth[linux]: error: lost");
	log_info("%s", "");
	assert_string_equal(last, "plinth: ");
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(log_get_level(), LOG_INFO);
	log_debug("a");
	assert_int_equal(line_count, 0);
	log_set_level(LOG_DEBUG);
	log_debug("a");
	assert_int_equal(line_count, 1);
	log_set_level(LOG_ERROR);
	log_warn("a");
	log_info("a");
	log_vm("vm", "a");
	assert_int_equal(line_count, 1);
	log_error("a");
	log_always("a");
	assert_int_equal(line_count, 3);
	log_set_level(LOG_ALWAYS);
	log_error("a");
	assert_int_equal(line_count, 3);
	log_always("a");
	assert_int_equal(line_count, 4);
}

static void test_hostile_texts_are_escaped(void **state)
{
	(void)state;
	log_info("module \"%s\"", "\x1b[2Ja\r\nplinth: verdict: pass\x7f\x80\xff\t");
	assert_string_equal(last, "plinth: module \"\\x1b[2Ja\\x0d\\x0aplinth: verdict: pass"
				  "\\x7f\\x80\\xff\\x09\"");
	log_vm("a\nb", "x");
	assert_string_equal(last, "plinth[a\\x0ab]: x");
}

static void test_long_lines_are_cut(void **state)
{
	char text[2000];

	(void)state;
	for (size_t size = 300; size < sizeof(text); size++) {
		memset(text, 'x', size);
		text[size] = '\0';
		log_info("%s", text);
		if (8 + size <= LOG_LINE_MAX) {
			assert_int_equal(strlen(last), 8 + size);
			assert_int_equal(last[7 + size], 'x');
		} else {
			assert_int_equal(strlen(last), LOG_LINE_MAX);
			assert_string_equal(last + LOG_LINE_MAX - 4, "x...");
		}
	}
	memset(text, 0x1b, 500);
	text[500] = '\0';
	log_info("%s", text);
	assert_true(strlen(last) <= LOG_LINE_MAX);
	assert_string_equal(last + strlen(last) - 3, "...");
	log_vm(text, "x");
	assert_true(strlen(last) <= LOG_LINE_MAX);
	assert_string_equal(last + strlen(last) - 3, "...");
}

static unsigned allowed_of(struct log_limit *limit, unsigned count)
{
	unsigned allowed = 0;

	for (unsigned i = 0; i < count; i++)
		allowed += log_allowed(limit);
	return allowed;
}

static void test_rate_limit(void **state)
{
	struct log_limit limit = {.vm_name = "vm"};

	(void)state;
	assert_int_equal(allowed_of(&limit, 100), LOG_LIMIT_BURST);
	assert_int_equal(limit.suppressed, 80);
	assert_int_equal(line_count, 0);

	now += SECOND / 2;
	assert_int_equal(allowed_of(&limit, 1), 1);
	assert_string_equal(last, "plinth[vm]: (80 more lines of this kind left out)");
	assert_int_equal(line_count, 1);
	assert_int_equal(allowed_of(&limit, 100), LOG_LIMIT_RATE / 2 - 1);
	log_limit_tell(&limit);
	assert_string_equal(last, "plinth[vm]: (96 more lines of this kind left out)");
	log_limit_tell(&limit);
	assert_int_equal(line_count, 2);

	/* However long it was quiet: no more than the burst. */
	now += 1000000 * SECOND;
	assert_int_equal(allowed_of(&limit, 100), LOG_LIMIT_BURST);
}

/* Asked often, it earns its tokens as well as asked seldom. */
static void test_rate_over_time(void **state)
{
	struct log_limit limit = {.vm_name = NULL};
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		now += SECOND / 10000;
		allowed += log_allowed(&limit);
	}
	assert_in_range(allowed, LOG_LIMIT_BURST + 10 * LOG_LIMIT_RATE - 2,
			LOG_LIMIT_BURST + 10 * LOG_LIMIT_RATE + 1);
	assert_int_equal(strncmp(last, "plinth: (", 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tags, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_hostile_texts_are_escaped, setup),
		cmocka_unit_test_setup(test_long_lines_are_cut, setup),
		cmocka_unit_test_setup(test_rate_limit, setup),
		cmocka_unit_test_setup(test_rate_over_time, setup),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
