/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/verdict.c: the last line, on the console and on the debug port, and what follows it. */
/* UNITS: kernel/verdict.c tests/fake/log.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/console.h"
#include "kernel/power.h"
#include "kernel/verdict.h"
#include "tests/fake/log.h"

static jmp_buf ended;
static enum power_action action;
static char port[1024];
static size_t port_used, port_used_at_flush;

void console_flush(void)
{
	port_used_at_flush = port_used;
	assert_true(fake_log_contains("verdict: "));
}

void power_end(enum power_action what)
{
	action = what;
	longjmp(ended, 1);
}

static void port_write(uint16_t at, unsigned size, uint32_t value)
{
	assert_int_equal(at, 0xe9);
	assert_int_equal(size, 1);
	assert_true(port_used < sizeof(port) - 1);
	port[port_used++] = (char)value;
}

static int setup(void **state)
{
	(void)state;
	fake_log_reset();
	fake_machine_reset();
	fake_machine.port_write = port_write;
	memset(port, 0, sizeof(port));
	port_used = 0;
	verdict_on_exit(EXIT_POWEROFF);
	return 0;
}

#define END(...)                                                                                   \
	do {                                                                                       \
		if (!setjmp(ended))                                                                \
			verdict_end(__VA_ARGS__);                                                  \
	} while (0)

static void test_says_the_same_twice(void **state)
{
	(void)state;
	sti();
	END(VERDICT_FAIL, 33, "vm %s ended", "demo");
	assert_string_equal(fake_log_last(), "plinth: verdict: fail 33 vm demo ended");
	assert_int_equal(fake_log_level(0), LOG_ALWAYS);
	assert_string_equal(port, "plinth: verdict: fail 33 vm demo ended\n");
	assert_int_equal(port_used_at_flush, 0);
	assert_int_equal(read_rflags() & 0x200, 0);
}

static void test_words(void **state)
{
	(void)state;
	END(VERDICT_PASS, 0, "all");
	assert_string_equal(port, "plinth: verdict: pass 0 all\n");
	setup(NULL);
	END(VERDICT_ERROR, VERDICT_CODE_REFUSED, "no");
	assert_string_equal(port, "plinth: verdict: error 3 no\n");
}

static void test_long_text_is_cut(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	END(VERDICT_PASS, 1, "%s", text);
	assert_true(port_used > 200 && port_used < 400);
	assert_int_equal(port[port_used - 1], '\n');
	assert_int_equal(strlen(fake_log_last()), port_used - 1);
}

static void assert_obeyed(enum exit_action told, enum power_action wanted)
{
	setup(NULL);
	verdict_on_exit(told);
	END(VERDICT_PASS, 0, "done");
	assert_int_equal(action, wanted);
	assert_string_equal(fake_log_last(), "plinth: verdict: pass 0 done");
}

static void test_obeys_onexit(void **state)
{
	(void)state;
	assert_obeyed(EXIT_POWEROFF, POWER_OFF);
	assert_obeyed(EXIT_REBOOT, POWER_REBOOT);
	assert_obeyed(EXIT_HALT, POWER_HALT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_says_the_same_twice, setup),
		cmocka_unit_test_setup(test_words, setup),
		cmocka_unit_test_setup(test_long_text_is_cut, setup),
		cmocka_unit_test_setup(test_obeys_onexit, setup),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
