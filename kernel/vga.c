/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws cells in VGA text memory, which has the same form. */
#include "kernel/vga.h"

#include <stdint.h>

#include "arch/x86_64/instructions.h"
#include "kernel/screen.h"

#define CRTC_INDEX         0x3d4
#define CRTC_DATA          0x3d5
#define CRTC_CURSOR_START  0x0a
#define CRTC_CURSOR_HIDDEN 0x20

static volatile uint16_t *text;

static void draw(unsigned row, unsigned column, uint16_t cell)
{
	text[row * VGA_COLUMNS + column] = cell;
}

void vga_start(void *memory)
{
	const struct screen_surface surface = {
		.rows = VGA_ROWS,
		.columns = VGA_COLUMNS,
		/* Each time writes all cells, and a guest's output waits for it. */
		.scroll_rows = VGA_ROWS / 2,
		.draw = draw,
	};

	text = memory;
	out8(CRTC_INDEX, CRTC_CURSOR_START);
	out8(CRTC_DATA, CRTC_CURSOR_HIDDEN);
	screen_init(&surface);
}
