/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/symbols.c on a table made by hand, at the edges of each function. */
/* UNITS: kernel/symbols.c kernel/format.c kernel/string.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/layout.h"
#include "kernel/symbols.h"

/* As the link would make them: functions at 10h, 20h and 80h of a text of 100h bytes. */
asm(".pushsection .data\n"
    ".balign 16\n"
    ".globl kernel_text_start, kernel_text_end\n"
    "kernel_text_start: .skip 0x100\n"
    "kernel_text_end: .byte 0\n"
    ".balign 8\n"
    ".globl symbol_entries_start, symbol_entries_end\n"
    "symbol_entries_start: .long 0x10, 0, 0x20, 6, 0x80, 11\n"
    "symbol_entries_end:\n"
    ".globl symbol_names_start, symbol_names_end\n"
    "symbol_names_start: .asciz \"first\", \"next\", \"last\"\n"
    "symbol_names_end: .byte 0\n"
    ".popsection\n");

static void assert_named(uint64_t at, const char *name, uint64_t offset)
{
	uint64_t found = 0;
	const char *text = symbol_name((uint64_t)kernel_text_start + at, &found);

	if (!name) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, name);
	assert_int_equal(found, offset);
}

static void test_finds_functions(void **state)
{
	(void)state;
	assert_named(0x10, "first", 0);
	assert_named(0x1f, "first", 0xf);
	assert_named(0x20, "next", 0);
	assert_named(0x7f, "next", 0x5f);
	assert_named(0x80, "last", 0);
	assert_named(0xff, "last", 0x7f);
}

static void test_knows_what_is_none(void **state)
{
	uint64_t offset;

	(void)state;
	assert_named(0, NULL, 0);
	assert_named(0xf, NULL, 0);
	assert_named(0x100, NULL, 0);
	assert_named((uint64_t)-1, NULL, 0);
	assert_null(symbol_name(0, &offset));
	assert_null(symbol_name(UINT64_MAX, &offset));
}

static void test_texts(void **state)
{
	char text[SYMBOL_TEXT_MAX];

	(void)state;
	assert_string_equal(symbol_text(0x1234, text), "0x0000000000001234");
	symbol_text((uint64_t)kernel_text_start + 0x21, text);
	assert_string_equal(text + 18, " next+0x1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_functions),
		cmocka_unit_test(test_knows_what_is_none),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
