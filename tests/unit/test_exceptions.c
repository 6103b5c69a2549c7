/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions: error codes, names, and the double-fault rules. */
/* UNITS: arch/x86_64/exceptions.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/exceptions.h"

static void test_error_codes(void **state)
{
	(void)state;
	for (unsigned vector = 0; vector < 256; vector++) {
		bool expected = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
				vector == 21;

		assert_int_equal(exception_has_error_code((uint8_t)vector), expected);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(exception_name(14), "#PF");
	assert_string_equal(exception_name(21), "#CP");
	assert_string_equal(exception_name(2), "NMI");
	assert_string_equal(exception_name(9), "reserved");
	assert_string_equal(exception_name(31), "reserved");
	assert_string_equal(exception_name(32), "interrupt");
	assert_string_equal(exception_name(255), "interrupt");
}

static void test_combinations(void **state)
{
	(void)state;
	assert_int_equal(exception_combine(EXCEPTION_GP, EXCEPTION_GP), COMBINE_DOUBLE_FAULT);
	assert_int_equal(exception_combine(EXCEPTION_GP, EXCEPTION_PF), COMBINE_SERIAL);
	assert_int_equal(exception_combine(EXCEPTION_PF, EXCEPTION_PF), COMBINE_DOUBLE_FAULT);
	assert_int_equal(exception_combine(EXCEPTION_PF, EXCEPTION_NP), COMBINE_DOUBLE_FAULT);
	assert_int_equal(exception_combine(EXCEPTION_CP, EXCEPTION_DE), COMBINE_DOUBLE_FAULT);
	assert_int_equal(exception_combine(EXCEPTION_DF, EXCEPTION_PF), COMBINE_SHUTDOWN);
	assert_int_equal(exception_combine(EXCEPTION_DF, EXCEPTION_SS), COMBINE_SHUTDOWN);
	assert_int_equal(exception_combine(EXCEPTION_DF, EXCEPTION_DB), COMBINE_SERIAL);
	assert_int_equal(exception_combine(EXCEPTION_UD, EXCEPTION_PF), COMBINE_SERIAL);
	assert_int_equal(exception_combine(0x80, EXCEPTION_PF), COMBINE_SERIAL);
	assert_int_equal(exception_combine(EXCEPTION_AC, EXCEPTION_AC), COMBINE_SERIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_codes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_combinations),
	};

	return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
