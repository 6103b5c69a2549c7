/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/format.c against the C library's snprintf. */
/* UNITS: kernel/format.c */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/format.h"

/* Formats are made at run time, and faulty ones are tried, on purpose. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

/* A format that the compiler does not check. */
static __attribute__((noinline)) const char *unchecked(const char *text)
{
	const char *volatile hidden = text;

	return hidden;
}

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char own_[160], library_[160];                                                     \
		size_t length_ = format(own_, sizeof(own_), __VA_ARGS__);                          \
		int wanted_ = snprintf(library_, sizeof(library_), __VA_ARGS__);                   \
		assert_string_equal(own_, library_);                                               \
		assert_int_equal(length_, wanted_);                                                \
	} while (0)

static void test_plain(void **state)
{
	(void)state;
	SAME(unchecked(""));
	SAME("abc");
	SAME("100%%");
	SAME("%%%%x%%");
	SAME("%c%c%c", 'a', 0xe9, '%');
	SAME("[%5c|%-5c]", 'x', 'y');
	SAME("%s and %s", "one", "");
	SAME("[%8s|%-8s|%.2s|%8.3s|%-8.0s]", "text", "text", "text", "text", "text");
	SAME("[%*s|%-*s|%*s|%.*s|%.*s]", 7, "a", 7, "b", -7, "c", 2, "defg", -1, "hijk");
}

static void test_numbers(void **state)
{
	(void)state;
	SAME("%d %i %u %x %X %o", -5, 6, 7u, 0xabcu, 0xdefu, 8u);
	SAME("%d %d %ld %ld", INT_MAX, INT_MIN, LONG_MAX, LONG_MIN);
	SAME("%u %lu %llx %lo", UINT_MAX, ULONG_MAX, ULLONG_MAX, ULONG_MAX);
	SAME("%hhd %hhu %hd %hu %hhx", 300, 300, 70000, 70000, -1);
	SAME("%zu %td %jd %zx", (size_t)-1, (ptrdiff_t)-3, (intmax_t)-4, (size_t)0xff);
	SAME("%#x %#X %#o %#x %#o", 255u, 255u, 8u, 0u, 0u);
	SAME(unchecked("[%.0d|%.0x|%#.0o|%5.0d|%+.0d]"), 0, 0u, 0u, 0, 0);
	SAME("[%08x|%-8x|%8x|%#010x|%+d|% d|%+08d]", 0x1fu, 0x1fu, 0x1fu, 0x1fu, 5, 6, 7);
	SAME(unchecked("[%08.3d|%-08d|%.10d|%12.10d|%#12.10x]"), 5, 6, 7, 8, 9u);
	SAME("%016lx %3d%%", 0xfee00000ul, 42);
	SAME("%p %20p %-20p|", (void *)0x1234, (void *)0xffffffff80000000, (void *)1);
}

#define GIVES(wanted, ...)                                                                         \
	do {                                                                                       \
		char text_[64];                                                                    \
		size_t length_ = format(text_, sizeof(text_), __VA_ARGS__);                        \
		assert_string_equal(text_, wanted);                                                \
		assert_int_equal(length_, strlen(wanted));                                         \
	} while (0)

static void test_differs_from_library(void **state)
{
	(void)state;
	/* The C library writes "(nil)"; an address is an address. */
	GIVES("0x0", "%p", NULL);
	GIVES("[     0x0]", "[%8p]", NULL);
	GIVES("(null)", unchecked("%s"), (char *)NULL);
	GIVES("(nu|  (null)", unchecked("%.3s|%8s"), (char *)NULL, (char *)NULL);
	/* What it does not know stays as it is, with all that follows. */
	GIVES("1 %5.1f %d", unchecked("%d %5.1f %d"), 1, 2.0, 3);
	GIVES("a%n", unchecked("a%n"), (int *)NULL);
	GIVES("50%", unchecked("50%"));
	GIVES("50%-08.3l", unchecked("50%-08.3l"));
}

static void test_every_buffer_size(void **state)
{
	static const char wanted[] = "ab    12 0x00ff xyz  END";

	(void)state;
	for (size_t size = 1; size < 32; size++) {
		/* On the heap, so that ASan sees a byte too many. */
		char *text = malloc(size);
		size_t shown = size <= strlen(wanted) ? size - 1 : strlen(wanted);
		size_t length;

		assert_non_null(text);
		length = format(text, size, "%s%6d %#06x %-5sEND", "ab", 12, 0xffu, "xyz");
		assert_int_equal(length, strlen(wanted));
		assert_int_equal(strlen(text), shown);
		assert_int_equal(memcmp(text, wanted, shown), 0);
		free(text);
	}
	assert_int_equal(format(NULL, 0, "%d", 12345), 5);
}

static void test_huge_widths_cost_no_time(void **state)
{
	char text[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_true(format(text, sizeof(text), unchecked("%2147483646d"), 1) ==
			    INT_MAX - 1);
		assert_string_equal(text, "               ");
		assert_true(format(text, sizeof(text), unchecked("%.*d"), INT_MAX, 1) == INT_MAX);
		assert_string_equal(text, "000000000000000");
		assert_true(format(text, sizeof(text), unchecked("%*s"), INT_MIN, "a") ==
			    2147483648u);
	}
	assert_true(format(text, sizeof(text), unchecked("%99999999999999999999d"), 1) == INT_MAX);
	assert_true(format(text, sizeof(text), unchecked("%.99999999999999999999s"), "abc") == 3);
}

static uint64_t random_value(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* A random directive for one number, of which the C standard defines the meaning. */
static void make_directive(char *text, char conversion, const char *length)
{
	static const char flags[] = "-0 +#";

	*text++ = '%';
	for (unsigned i = 0; i < 5; i++) {
		if (random_value() % 4 == 0)
			*text++ = flags[i];
	}
	if (random_value() % 2)
		text += sprintf(text, "%u", (unsigned)(1 + random_value() % 40));
	if (random_value() % 3 == 0)
		text += sprintf(text, ".%u", (unsigned)(random_value() % 40));
	else if (random_value() % 8 == 0)
		text += sprintf(text, ".");
	sprintf(text, "%s%c", length, conversion);
}

static void test_random_numbers(void **state)
{
	static const char conversions[] = "diuxXo";
	static const char *const lengths[] = {"", "h", "hh", "l", "ll", "j", "z", "t"};

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char directive[48], own[128], library[128];
		unsigned length = (unsigned)(random_value() % 8);
		uint64_t value = random_value() >> (random_value() % 64);
		size_t size = random_value() % 4 ? sizeof(own) : random_value() % 24;
		size_t made;
		int wanted;

		if (random_value() % 2)
			value = 0 - value;
		make_directive(directive, conversions[random_value() % 6], lengths[length]);
		memset(own, 'Q', sizeof(own));
		memset(library, 'Q', sizeof(library));
		if (length < 3) {
			made = format(own, size, directive, (int)value);
			wanted = snprintf(library, size, directive, (int)value);
		} else {
			made = format(own, size, directive, (long)value);
			wanted = snprintf(library, size, directive, (long)value);
		}
		if (made != (size_t)wanted || memcmp(own, library, sizeof(own)) != 0)
			fail_msg("\"%s\" of 0x%lx, size %zu: \"%s\", not \"%s\"", directive, value,
				 size, own, library);
	}
}

static void test_random_strings(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[32], own[64], library[64];
		size_t length = random_value() % sizeof(text);
		int width = (int)(random_value() % 41) - 20;
		int precision = (int)(random_value() % 24) - 2;
		size_t size = random_value() % sizeof(own);

		memset(text, 'a' + (int)(random_value() % 26), length);
		text[length] = '\0';
		assert_int_equal(format(own, size, "<%*.*s>", width, precision, text),
				 snprintf(library, size, "<%*.*s>", width, precision, text));
		if (size)
			assert_string_equal(own, library);
	}
}

/* A text made of the characters of directives never reads beyond its end. Arguments are plain
 * numbers. */
static void test_random_text_without_arguments(void **state)
{
	static const char characters[] = "%-0 +#.123hlzjtq$% ";

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t length = random_value() % 12;
		char *text = malloc(length + 1);
		char out[64];

		assert_non_null(text);
		for (size_t j = 0; j < length; j++)
			text[j] = characters[random_value() % (sizeof(characters) - 1)];
		text[length] = '\0';
		format(out, sizeof(out), text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_differs_from_library),
		cmocka_unit_test(test_every_buffer_size),
		cmocka_unit_test(test_huge_widths_cost_no_time),
		cmocka_unit_test(test_random_numbers),
		cmocka_unit_test(test_random_strings),
		cmocka_unit_test(test_random_text_without_arguments),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
