/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/screen.c and kernel/vga.c on text memory of the test's own. */
/* UNITS: kernel/screen.c kernel/vga.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/screen.h"
#include "kernel/vga.h"

static uint16_t *memory;

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	free(memory);
	memory = malloc(VGA_SIZE);
	assert_non_null(memory);
	memset(memory, 0x55, VGA_SIZE);
	vga_start(memory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	memory = NULL;
	return 0;
}

static void say(const char *text)
{
	screen_write(text, strlen(text));
}

/* One row as a string, without the blanks at its end. */
static const char *row(unsigned n)
{
	static char text[VGA_COLUMNS + 1];
	size_t length = VGA_COLUMNS;

	for (unsigned i = 0; i < VGA_COLUMNS; i++)
		text[i] = (char)memory[n * VGA_COLUMNS + i];
	while (length > 0 && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
	return text;
}

static uint8_t colour(unsigned r, unsigned column)
{
	return (uint8_t)(memory[r * VGA_COLUMNS + column] >> 8);
}

static void test_lines(void **state)
{
	(void)state;
	for (unsigned n = 0; n < VGA_ROWS; n++)
		assert_string_equal(row(n), "");
	say("one\r\ntwo\r\n\tx\b\by");
	assert_string_equal(row(0), "one");
	assert_string_equal(row(1), "two");
	assert_string_equal(row(2), "       yx");
	assert_int_equal(colour(0, 0), 7);
}

static void test_scrolls(void **state)
{
	char line[16];

	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(line, sizeof(line), "%sline %d", i ? "\r\n" : "", i);
		say(line);
	}
	/* By half a screen. */
	assert_string_equal(row(0), "line 12");
	assert_string_equal(row(12), "line 24");
	assert_string_equal(row(17), "line 29");
	for (unsigned n = 18; n < VGA_ROWS; n++)
		assert_string_equal(row(n), "");
	say("\r\n\r\n\r\n\r\n\r\n\r\n\r\n");
	assert_string_equal(row(0), "line 12");
	say("\r\nlast");
	assert_string_equal(row(0), "line 24");
	assert_string_equal(row(5), "line 29");
	assert_string_equal(row(13), "last");
	assert_string_equal(row(14), "");
}

static void test_wraps(void **state)
{
	char line[VGA_COLUMNS + 1];

	(void)state;
	memset(line, 'a', VGA_COLUMNS);
	line[VGA_COLUMNS] = '\0';
	say(line);
	say("\r\nb");
	assert_string_equal(row(0), line);
	assert_string_equal(row(1), "b");
	say("\r\n");
	say(line);
	say("c");
	assert_string_equal(row(2), line);
	assert_string_equal(row(3), "c");
}

static void test_sequences(void **state)
{
	(void)state;
	say("\x1b[3;5Hx\x1b[A\x1b[2Dy\x1b[2B\x1b[10Cz");
	assert_string_equal(row(2), "    x");
	assert_string_equal(row(1), "   y");
	assert_string_equal(row(3), "              z");
	say("\x1b[HABCDEF\x1b[1;3H\x1b[K");
	assert_string_equal(row(0), "AB");
	say("\x1b[3;3H\x1b[1Kw");
	assert_string_equal(row(2), "  w x");
	say("\x1b[2J");
	for (unsigned n = 0; n < VGA_ROWS; n++)
		assert_string_equal(row(n), "");
	say("\x1b[H\x1b[1;37;44mC\x1b[0mD\x1b[7mE\x1b[?25l\x1b[99qF");
	assert_int_equal(colour(0, 0), 0x1f);
	assert_int_equal(colour(0, 1), 0x07);
	assert_int_equal(colour(0, 2), 0x70);
	assert_string_equal(row(0), "CDEF");
}

static void test_positions_are_held_in(void **state)
{
	(void)state;
	say("\x1b[999;999Hx\x1b[999Ay\x1b[999Dz\x1b[999Bq\x1b[999Cr\x1b[0;0Hs");
	assert_int_equal(memory[0] & 0xff, 's');
	assert_int_equal(memory[VGA_COLUMNS - 1] & 0xff, 'y');
	assert_string_equal(row(24) + VGA_COLUMNS - 1, "r");
	assert_int_equal(row(24)[1], 'q');
	say("\x1b[99999999999999999999;4294967297Hv\x1b[1;2;3;4;5;6;7;8;9;10;11;12m");
	assert_int_equal(memory[VGA_ROWS * VGA_COLUMNS - 1] & 0xff, 'v');
}

/* Under the address sanitizer: nothing may be written outside the screen, whatever comes. */
static void test_survives_garbage(void **state)
{
	uint32_t seed = 1;
	char bytes[64];

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = seed >> 30 ? "\x1b[;0129HJKABCDfm\r\n\b\t c"[seed >> 24 & 15]
					      : (char)(seed >> 16);
		}
		screen_write(bytes, sizeof(bytes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines, setup),
		cmocka_unit_test_setup(test_scrolls, setup),
		cmocka_unit_test_setup(test_wraps, setup),
		cmocka_unit_test_setup(test_sequences, setup),
		cmocka_unit_test_setup(test_positions_are_held_in, setup),
		cmocka_unit_test_setup(test_survives_garbage, setup),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, teardown);
}
