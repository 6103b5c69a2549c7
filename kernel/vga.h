/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA text mode, 80 by 25, as one more place for the console's bytes. */
#pragma once

#include <stddef.h>

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

#define VGA_ADDRESS 0xb8000u /* physical */
#define VGA_SIZE    (2ul * VGA_COLUMNS * VGA_ROWS)

/* Takes the text memory over, mapped at `memory`, clears it and hides the cursor. */
void vga_init(void *memory);

/*
 * Writes bytes as a terminal does: CR, LF, BS, TAB, and of the escape sequences those for position,
 * erasing and colours; others are left out. Scrolls at the end of the screen.
 */
void vga_write(const char *bytes, size_t size);
