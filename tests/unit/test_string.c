/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/string.c against the C library's functions, over all small sizes, offsets and overlaps. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Under names of their own, so that the test's library keeps its functions. */
#define memcpy  own_memcpy
#define memmove own_memmove
#define memset  own_memset
#define memcmp  own_memcmp
#define memchr  own_memchr
#define strlen  own_strlen
#define strnlen own_strnlen
#define strcmp  own_strcmp
#define strncmp own_strncmp
#define strchr  own_strchr
#define strrchr own_strrchr
#define strstr  own_strstr
#include "kernel/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr

#define SIZE 96

static void fill(uint8_t *buffer)
{
	for (unsigned i = 0; i < SIZE; i++)
		buffer[i] = (uint8_t)(i * 7 + 1);
}

static void test_memmove_all_overlaps(void **state)
{
	uint8_t own[SIZE], library[SIZE];

	(void)state;
	for (unsigned from = 0; from < 24; from++) {
		for (unsigned to = 0; to < 24; to++) {
			for (unsigned size = 0; size <= 40; size++) {
				fill(own);
				fill(library);
				memmove(library + to, library + from, size);
				assert_ptr_equal(own_memmove(own + to, own + from, size), own + to);
				assert_memory_equal(own, library, SIZE);
			}
		}
	}
}

static void test_memcpy_and_memset(void **state)
{
	uint8_t own[SIZE], library[SIZE], source[SIZE];

	(void)state;
	fill(source);
	for (unsigned to = 0; to < 9; to++) {
		for (unsigned size = 0; size <= 64; size++) {
			memset(own, 0xee, SIZE);
			memset(library, 0xee, SIZE);
			memcpy(library + to, source + 3, size);
			assert_ptr_equal(own_memcpy(own + to, source + 3, size), own + to);
			assert_memory_equal(own, library, SIZE);

			memset(library + to, (int)size - 32, size);
			assert_ptr_equal(own_memset(own + to, (int)size - 32, size), own + to);
			assert_memory_equal(own, library, SIZE);
		}
	}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void test_compare(void **state)
{
	static const char *const texts[] = {"",    "a",    "b",     "ab",  "abc",
					    "abd", "\xff", "a\x80", "abc "};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (unsigned j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
			const char *a = texts[i];
			const char *b = texts[j];

			assert_int_equal(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
			for (unsigned n = 0; n < 5; n++)
				assert_int_equal(sign(own_strncmp(a, b, n)),
						 sign(strncmp(a, b, n)));
		}
	}
	assert_int_equal(own_memcmp("abc", "abd", 2), 0);
	assert_true(own_memcmp("ab\x80", "ab\x01", 3) > 0);
	assert_true(own_memcmp("a\0b", "a\0c", 3) < 0);
	assert_int_equal(own_memcmp("x", "y", 0), 0);
}

static void test_search(void **state)
{
	static const char text[] = "abcabcd\xe9";

	(void)state;
	for (int c = 0; c < 256; c++) {
		assert_ptr_equal(own_strchr(text, c), strchr(text, c));
		assert_ptr_equal(own_strrchr(text, c), strrchr(text, c));
		assert_ptr_equal(own_memchr(text, c, 5), memchr(text, c, 5));
	}
	assert_ptr_equal(own_strstr(text, "abcd"), text + 3);
	assert_ptr_equal(own_strstr(text, ""), text);
	assert_null(own_strstr(text, "abce"));
	assert_null(own_strstr("", "a"));
	assert_ptr_equal(own_strstr(text, text), text);
}

static void test_length(void **state)
{
	char exact[4] = {'a', 'b', 'c', 'd'};

	(void)state;
	assert_int_equal(own_strlen(""), 0);
	assert_int_equal(own_strlen("abc"), 3);
	assert_int_equal(own_strnlen("abc", 2), 2);
	assert_int_equal(own_strnlen("abc", 9), 3);
	/* No byte beyond the bound is looked at: ASan would tell. */
	assert_int_equal(own_strnlen(exact, sizeof(exact)), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memmove_all_overlaps),
		cmocka_unit_test(test_memcpy_and_memset),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
