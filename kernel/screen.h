/* SPDX-License-Identifier: BSD-2-Clause */
/* A small terminal: what the console's bytes make of the cells of a screen. Drawing is the
 * surface's work. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SCREEN_ROWS_MAX    64u
#define SCREEN_COLUMNS_MAX 160u

/* What the screen is shown on. A cell is as VGA has it: the character, and its colours in the high
 * byte. */
struct screen_surface {
	unsigned rows, columns;
	unsigned scroll_rows; /* by so many the text moves up when the screen is full */
	void (*draw)(unsigned row, unsigned column, uint16_t cell);
};

/* Starts with an empty screen, all of which is drawn. The surface is copied. */
void screen_init(const struct screen_surface *surface);

/*
 * Writes bytes as a terminal does: CR, LF, BS, TAB, and of the escape sequences those for position,
 * erasing and colours; others are left out.
 */
void screen_write(const char *bytes, size_t size);
