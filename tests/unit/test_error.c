/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/error.c: texts made, wrapped and cut. */
/* UNITS: kernel/error.c kernel/format.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/error.h"

static void test_formats(void **state)
{
	err_t e = error("port 0x%x is %s", 0x3f8, "taken");

	(void)state;
	assert_string_equal(e, "port 0x3f8 is taken");
}

static void test_wraps(void **state)
{
	err_t inner = error("no room for %d", 7);
	err_t outer = error("module 2: %s", inner);

	(void)state;
	assert_string_equal(outer, "module 2: no room for 7");
	assert_string_equal(inner, "no room for 7");
	/* Even around the text in whose buffer the new one will lie. */
	outer = error("vm: %s (%s)", outer, inner);
	assert_string_equal(outer, "vm: module 2: no room for 7 (no room for 7)");
	outer = error("plinth: %s", outer);
	outer = error("%s!", outer);
	assert_string_equal(outer, "plinth: vm: module 2: no room for 7 (no room for 7)!");
}

static void test_cuts(void **state)
{
	err_t e = error("%0500d", 1);

	(void)state;
	assert_int_equal(strlen(e), 319);
	assert_string_equal(e + 310, "000000...");
	e = error("%0319d", 1);
	assert_string_equal(e + 310, "000000001");
	e = error("%0320d", 1);
	assert_string_equal(e + 310, "000000...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
