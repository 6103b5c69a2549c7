/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/terminal.c: where a guest's output may be interrupted. */
/* UNITS: kernel/terminal.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/terminal.h"

/* For each byte of the text a letter: S where it leaves the terminal split, else '.'. */
static void assert_split(const char *text, const char *wanted)
{
	struct terminal terminal = {.state = 0};

	assert_int_equal(strlen(text), strlen(wanted));
	for (size_t i = 0; text[i]; i++) {
		terminal_byte(&terminal, (uint8_t)text[i]);
		assert_int_equal(terminal_is_split(&terminal), wanted[i] == 'S');
	}
}

static void test_sequences(void **state)
{
	(void)state;
	assert_split("plain\r\n", ".......");
	assert_split("\x1b[1;31mred", "SSSSSS....");
	assert_split("\x1b(Bx", "SS..");
	assert_split("\x1b"
		     "7x\x1b"
		     "M",
		     "S..S.");
	assert_split("\x1b]0;title\ax", "SSSSSSSSS..");
	assert_split("\x1bPq#\x1b\\x", "SSSSS..");
	assert_split("\x1b[12\x1b[Hx", "SSSSSS..");
	assert_split("\x1b[12\x18x", "SSSS..");
	assert_split("\x1b\x1b[Hx", "SSS..");
	assert_split("\x1b]a\x1b[Hx", "SSSSS..");
}

static void test_utf8(void **state)
{
	(void)state;
	assert_split("\xc3\xa9x", "S..");
	assert_split("\xe2\x82\xacx", "SS..");
	assert_split("\xf0\x9f\x98\x80x", "SSS..");
	/* Not UTF-8: held up for one byte at most. */
	assert_split("\xc3xx", "S..");
	assert_split("\xff\x80\xc1x", "....");
	assert_split("\xe2\xc3\xa9x", "SS..");
	assert_split("\xe2\x1b[Hx", "SSS..");
}

static void test_lines(void **state)
{
	struct terminal terminal = {.state = 0};

	(void)state;
	assert_false(terminal.line_open);
	terminal_byte(&terminal, 'a');
	assert_true(terminal.line_open);
	terminal_byte(&terminal, '\r');
	assert_true(terminal.line_open);
	terminal_byte(&terminal, '\n');
	assert_false(terminal.line_open);
}

static void test_unfinished_sequences_end(void **state)
{
	struct terminal terminal = {.state = 0};
	unsigned split = 0;
	unsigned longest = 0;

	(void)state;
	terminal_byte(&terminal, 0x1b);
	terminal_byte(&terminal, ']');
	for (unsigned i = 0; i < 1000; i++) {
		terminal_byte(&terminal, 'a');
		split += terminal_is_split(&terminal);
	}
	assert_in_range(split, 200, 260);

	/* Whatever comes without an ESC, sooner or later there is a gap. */
	srand(1);
	split = 0;
	for (unsigned i = 0; i < 1000000; i++) {
		terminal_byte(&terminal, (uint8_t)rand());
		split = terminal_is_split(&terminal) ? split + 1 : 0;
		longest = split > longest ? split : longest;
	}
	assert_true(longest < 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_unfinished_sequences_end),
	};

	return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
