/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws characters in dots. A cell is 8 by 16 pixels; on a wide display a pixel becomes a square of
 * several, so that a line has at most SCREEN_COLUMNS_MAX characters.
 */
#include "kernel/framebuffer.h"

#include <stddef.h>

#include "kernel/font.h"
#include "kernel/screen.h"

#define CELL_WIDTH      8u
#define CELL_HEIGHT     16u
#define ROW_DOTS        2u /* a row of the font is so high */
#define TOP_DOTS        1u
#define SIDE_MAX        16384u /* pixels; a larger display is not believed */
#define SCALE_MAX       (SIDE_MAX / (CELL_WIDTH * SCREEN_COLUMNS_MAX) + 1)
#define PIXEL_BYTES_MAX 4u
#define UNKNOWN_GLYPH   '?'

/* Lines of pixels may start anywhere. */
struct PACKED word {
	uint64_t value;
};

static struct {
	uint8_t *memory;
	uint32_t pitch;
	unsigned scale;
	unsigned pixel_bytes;
	uint32_t pixels[16]; /* the colours of VGA's text mode */
} display;

/* Red, green, blue. */
static const uint8_t palette[16][3] = {
	{0x00, 0x00, 0x00},
        {0x00, 0x00, 0xaa},
        {0x00, 0xaa, 0x00},
        {0x00, 0xaa, 0xaa},
	{0xaa, 0x00, 0x00},
        {0xaa, 0x00, 0xaa},
        {0xaa, 0x55, 0x00},
        {0xaa, 0xaa, 0xaa},
	{0x55, 0x55, 0x55},
        {0x55, 0x55, 0xff},
        {0x55, 0xff, 0x55},
        {0x55, 0xff, 0xff},
	{0xff, 0x55, 0x55},
        {0xff, 0x55, 0xff},
        {0xff, 0xff, 0x55},
        {0xff, 0xff, 0xff},
};

static bool colour_fits(const struct boot_framebuffer *fb, unsigned position, unsigned size)
{
	return size >= 1 && size <= 8 && position + size <= fb->bits_per_pixel;
}

err_t framebuffer_check(const struct boot_framebuffer *fb, uint64_t *size)
{
	uint64_t pixel_bytes = (fb->bits_per_pixel + 7u) / 8u;

	if (fb->type != FRAMEBUFFER_RGB)
		return "the framebuffer is not in RGB colours";
	if (fb->bits_per_pixel < 15 || fb->bits_per_pixel > 32)
		return error("the framebuffer has %u bits a pixel; 15 to 32 can be drawn on",
			     fb->bits_per_pixel);
	if (!colour_fits(fb, fb->red_position, fb->red_size) ||
	    !colour_fits(fb, fb->green_position, fb->green_size) ||
	    !colour_fits(fb, fb->blue_position, fb->blue_size))
		return "the framebuffer's colours do not lie inside its pixels";
	if (fb->width < 40 * CELL_WIDTH || fb->height < 10 * CELL_HEIGHT || fb->width > SIDE_MAX ||
	    fb->height > SIDE_MAX)
		return error("the framebuffer has %u by %u pixels, which is no display", fb->width,
			     fb->height);
	if (fb->pitch < fb->width * pixel_bytes || fb->pitch > SIDE_MAX * 2 * PIXEL_BYTES_MAX)
		return error("a line of the framebuffer has %u bytes for %u pixels of %u bits",
			     fb->pitch, fb->width, fb->bits_per_pixel);
	*size = (uint64_t)fb->pitch * fb->height;
	return NULL;
}

static uint32_t pixel(const struct boot_framebuffer *fb, const uint8_t rgb[3])
{
	return (uint32_t)rgb[0] >> (8 - fb->red_size) << fb->red_position |
	       (uint32_t)rgb[1] >> (8 - fb->green_size) << fb->green_position |
	       (uint32_t)rgb[2] >> (8 - fb->blue_size) << fb->blue_position;
}

/* One line of pixels of a cell, from the dots of the font (bit 7 is the leftmost). */
static unsigned make_line(uint8_t dots, uint16_t cell, uint64_t *line)
{
	uint32_t colours[2] = {display.pixels[cell >> 12 & 7], display.pixels[cell >> 8 & 15]};
	uint8_t *at = (uint8_t *)line;

	for (unsigned dot = 0; dot < CELL_WIDTH; dot++) {
		uint32_t colour = colours[dots >> (CELL_WIDTH - 1 - dot) & 1];

		for (unsigned i = 0; i < display.scale; i++) {
			for (unsigned byte = 0; byte < display.pixel_bytes; byte++)
				*at++ = (uint8_t)(colour >> 8 * byte);
		}
	}
	return CELL_WIDTH * display.scale * display.pixel_bytes / 8;
}

static uint8_t dots_of(uint8_t character, unsigned cell_line)
{
	unsigned row = (cell_line - TOP_DOTS) / ROW_DOTS;

	if (cell_line < TOP_DOTS || row >= FONT_HEIGHT)
		return 0;
	if (character < FONT_FIRST || character > FONT_LAST)
		character = UNKNOWN_GLYPH;
	return (uint8_t)(font_rows[character - FONT_FIRST][row] << (CELL_WIDTH - FONT_WIDTH - 1));
}

static void draw(unsigned row, unsigned column, uint16_t cell)
{
	uint64_t line[CELL_WIDTH * SCALE_MAX * PIXEL_BYTES_MAX / 8];
	uint8_t *at = display.memory + (uint64_t)row * CELL_HEIGHT * display.scale * display.pitch +
		      (uint64_t)column * CELL_WIDTH * display.scale * display.pixel_bytes;

	for (unsigned y = 0; y < CELL_HEIGHT; y++) {
		unsigned words = make_line(dots_of((uint8_t)cell, y), cell, line);

		for (unsigned i = 0; i < display.scale; i++) {
			volatile struct word *to = (volatile struct word *)(void *)at;

			for (unsigned n = 0; n < words; n++)
				to[n].value = line[n];
			at += display.pitch;
		}
	}
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void framebuffer_start(const struct boot_framebuffer *fb, void *memory)
{
	unsigned widest = CELL_WIDTH * SCREEN_COLUMNS_MAX;
	struct screen_surface surface = {.draw = draw};

	display.memory = memory;
	display.pitch = fb->pitch;
	display.pixel_bytes = (fb->bits_per_pixel + 7u) / 8u;
	display.scale = (fb->width + widest - 1) / widest;
	for (unsigned i = 0; i < 16; i++)
		display.pixels[i] = pixel(fb, palette[i]);

	surface.columns = smaller(fb->width / (CELL_WIDTH * display.scale), SCREEN_COLUMNS_MAX);
	surface.rows = smaller(fb->height / (CELL_HEIGHT * display.scale), SCREEN_ROWS_MAX);
	/* Drawing is slow, so the text moves seldom and far. */
	surface.scroll_rows = surface.rows / 2;
	screen_init(&surface);
}
