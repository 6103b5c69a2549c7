/* SPDX-License-Identifier: BSD-2-Clause */
/* A small font for screens that have none of their own. */
#pragma once

#include <stdint.h>

#define FONT_FIRST  ' '
#define FONT_LAST   '~'
#define FONT_WIDTH  5u
#define FONT_HEIGHT 7u

/* [character - FONT_FIRST][row]: bit 4 is the leftmost dot. */
extern const uint8_t font_rows[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];
