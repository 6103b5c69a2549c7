/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/framebuffer.c: what is refused, and what is drawn, in memory that is exactly as long as it
 * was told. */
/* UNITS: kernel/framebuffer.c kernel/font.c kernel/screen.c tests/fake/error.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/compiler.h"
#include "kernel/font.h"
#include "kernel/framebuffer.h"
#include "kernel/screen.h"

static const struct boot_framebuffer usual = {
	.present = true,
	.type = FRAMEBUFFER_RGB,
	.address = {0x80000000},
	.width = 640,
	.height = 320,
	.pitch = 640 * 4,
	.bits_per_pixel = 32,
	.red_position = 16,
	.red_size = 8,
	.green_position = 8,
	.green_size = 8,
	.blue_position = 0,
	.blue_size = 8,
};

static uint8_t *memory;

static void start(const struct boot_framebuffer *fb)
{
	uint64_t size = 0;

	assert_null(framebuffer_check(fb, &size));
	assert_int_equal(size, (uint64_t)fb->pitch * fb->height);
	free(memory);
	memory = malloc(size);
	assert_non_null(memory);
	memset(memory, 0x55, size);
	framebuffer_start(fb, memory);
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

static uint32_t pixel(const struct boot_framebuffer *fb, unsigned x, unsigned y)
{
	unsigned bytes = (fb->bits_per_pixel + 7u) / 8u;
	uint32_t value = 0;

	memcpy(&value, memory + (size_t)y * fb->pitch + (size_t)x * bytes, bytes);
	return value;
}

static void test_draws(void **state)
{
	(void)state;
	start(&usual);
	/* The bar is the middle one of the five dots that begin at pixel 1. */
	say("\r\n \x1b[1;33;44m|");
	for (unsigned x = 0; x < 8; x++)
		assert_int_equal(pixel(&usual, x, 20), 0);
	assert_int_equal(pixel(&usual, 8 + 3, 16 + 5), 0xffff55);
	assert_int_equal(pixel(&usual, 8 + 2, 16 + 5), 0x0000aa);
	assert_int_equal(pixel(&usual, 8 + 3, 16 + 0), 0x0000aa);
	assert_int_equal(pixel(&usual, 16, 16), 0);
}

/* Every size of pixel and many sizes of display, under the address sanitizer. */
static void test_stays_inside(void **state)
{
	static const uint8_t depths[] = {15, 16, 24, 32};
	static const struct {
		uint32_t width, height;
	} sizes[] = {
		{320,   160 },
                {321,   167 },
                {1279,  1023},
                {1281,  720 },
                {3840,  160 },
                {16384, 640 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(depths) * ARRAY_COUNT(sizes); i++) {
		struct boot_framebuffer fb = usual;

		fb.bits_per_pixel = depths[i % ARRAY_COUNT(depths)];
		if (fb.bits_per_pixel < 24)
			fb.red_size = fb.green_size = fb.blue_size = 5;
		if (fb.bits_per_pixel < 24)
			fb.red_position = 10, fb.green_position = 5;
		fb.width = sizes[i / ARRAY_COUNT(depths)].width;
		fb.height = sizes[i / ARRAY_COUNT(depths)].height;
		fb.pitch = fb.width * ((fb.bits_per_pixel + 7u) / 8u) + i % 5;
		start(&fb);
		say("\x1b[999;999Hxy\x1b[1;1H");
		for (unsigned n = 0; n < 100; n++)
			say("a line\r\n");
	}
}

static void test_scrolls_by_half(void **state)
{
	(void)state;
	/* 20 rows: the 21st line moves the text up by 10. */
	start(&usual);
	say("|");
	for (unsigned n = 0; n < 10; n++)
		say("\r\n");
	say("|");
	for (unsigned n = 0; n < 9; n++)
		say("\r\n");
	assert_int_equal(pixel(&usual, 3, 5), 0xaaaaaa);
	assert_int_equal(pixel(&usual, 3, 165), 0xaaaaaa);
	say("\r\n|");
	assert_int_equal(pixel(&usual, 3, 5), 0xaaaaaa);
	assert_int_equal(pixel(&usual, 3, 165), 0xaaaaaa);
	assert_int_equal(pixel(&usual, 3, 181), 0);
	say("\x1b[1;1H ");
	assert_int_equal(pixel(&usual, 3, 5), 0);
}

static void test_other_bytes_are_shown(void **state)
{
	(void)state;
	start(&usual);
	say("\xff?");
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 8; x++)
			assert_int_equal(pixel(&usual, x, y), pixel(&usual, x + 8, y));
	}
}

#define ASSERT_REFUSED(...)                                                                        \
	do {                                                                                       \
		struct boot_framebuffer fb = usual;                                                \
		uint64_t size;                                                                     \
		__VA_ARGS__;                                                                       \
		assert_non_null(framebuffer_check(&fb, &size));                                    \
	} while (0)

static void test_refuses_the_absurd(void **state)
{
	(void)state;
	ASSERT_REFUSED(fb.type = FRAMEBUFFER_INDEXED);
	ASSERT_REFUSED(fb.type = FRAMEBUFFER_EGA_TEXT);
	ASSERT_REFUSED(fb.bits_per_pixel = 8);
	ASSERT_REFUSED(fb.bits_per_pixel = 33);
	ASSERT_REFUSED(fb.bits_per_pixel = 255);
	ASSERT_REFUSED(fb.width = 0);
	ASSERT_REFUSED(fb.width = UINT32_MAX);
	ASSERT_REFUSED(fb.width = 641);
	ASSERT_REFUSED(fb.height = 0);
	ASSERT_REFUSED(fb.height = UINT32_MAX);
	ASSERT_REFUSED(fb.pitch = 640 * 4 - 1);
	ASSERT_REFUSED(fb.pitch = 0);
	ASSERT_REFUSED(fb.pitch = UINT32_MAX);
	ASSERT_REFUSED(fb.red_size = 0);
	ASSERT_REFUSED(fb.red_size = 9);
	ASSERT_REFUSED(fb.green_position = 25);
	ASSERT_REFUSED(fb.blue_position = 255);
	ASSERT_REFUSED(fb.bits_per_pixel = 16);
}

static void test_font(void **state)
{
	(void)state;
	/* No two characters look the same, and only the blank is empty. */
	for (unsigned a = 0; a <= FONT_LAST - FONT_FIRST; a++) {
		static const uint8_t empty[FONT_HEIGHT];

		assert_int_equal(memcmp(font_rows[a], empty, FONT_HEIGHT) == 0, a == 0);
		for (unsigned b = 0; b < a; b++)
			assert_memory_not_equal(font_rows[a], font_rows[b], FONT_HEIGHT);
		for (unsigned row = 0; row < FONT_HEIGHT; row++)
			assert_true(font_rows[a][row] < 1u << FONT_WIDTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_stays_inside),
		cmocka_unit_test(test_scrolls_by_half),
		cmocka_unit_test(test_other_bytes_are_shown),
		cmocka_unit_test(test_refuses_the_absurd),
		cmocka_unit_test(test_font),
	};

	return cmocka_run_group_tests_name("framebuffer", tests, NULL, teardown);
}
