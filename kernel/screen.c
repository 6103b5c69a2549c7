/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal's state and its sequences. The cells are kept here too, since reading a card's
 * memory is slow. */
#include "kernel/screen.h"

#include <stdbool.h>

#include "kernel/string.h"

#define COLOUR_NORMAL   0x07
#define PARAMETERS_MAX  8
#define PARAMETER_LIMIT 9999u

enum state { STATE_TEXT, STATE_ESCAPE, STATE_CSI };

static struct {
	struct screen_surface surface;
	uint16_t cells[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	unsigned row, column;
	uint8_t colour;
	enum state state;
	unsigned parameters[PARAMETERS_MAX];
	unsigned parameter; /* the one being read */
} screen;

static uint16_t blank(void)
{
	return (uint16_t)(screen.colour << 8 | ' ');
}

static void put(unsigned row, unsigned column, uint16_t cell)
{
	if (screen.cells[row][column] == cell)
		return;
	screen.cells[row][column] = cell;
	screen.surface.draw(row, column, cell);
}

/* Blanks cells [from, to), counted from the top left. */
static void erase(unsigned from, unsigned to)
{
	for (; from < to; from++)
		put(from / screen.surface.columns, from % screen.surface.columns, blank());
}

static void scroll(unsigned rows)
{
	unsigned kept = screen.surface.rows - rows;

	for (unsigned row = 0; row < kept; row++) {
		for (unsigned column = 0; column < screen.surface.columns; column++)
			put(row, column, screen.cells[row + rows][column]);
	}
	erase(kept * screen.surface.columns, screen.surface.rows * screen.surface.columns);
}

static void line_feed(void)
{
	if (screen.row + 1 == screen.surface.rows) {
		scroll(screen.surface.scroll_rows);
		screen.row -= screen.surface.scroll_rows;
	}
	screen.row++;
}

static void character(uint8_t byte)
{
	/* The line is broken when the next character comes, so that a full line and its end are one
	 * line. */
	if (screen.column == screen.surface.columns) {
		screen.column = 0;
		line_feed();
	}
	put(screen.row, screen.column, (uint16_t)(screen.colour << 8 | byte));
	screen.column++;
}

static void text_byte(uint8_t byte)
{
	switch (byte) {
	case '\r':
		screen.column = 0;
		break;
	case '\n':
		line_feed();
		break;
	case '\b':
		if (screen.column > 0)
			screen.column--;
		break;
	case '\t':
		do
			character(' ');
		while (screen.column % 8 != 0);
		break;
	case 0x1b:
		screen.state = STATE_ESCAPE;
		break;
	default:
		if (byte >= ' ' && byte != 0x7f)
			character(byte);
		break;
	}
}

/* Select Graphic Rendition: ANSI counts red as 1 and blue as 4, VGA the other way round. */
static void set_colour(unsigned what)
{
	static const uint8_t from_ansi[8] = {0, 4, 2, 6, 1, 5, 3, 7};

	if (what == 0)
		screen.colour = COLOUR_NORMAL;
	else if (what == 1)
		screen.colour |= 0x08;
	else if (what == 7)
		screen.colour = (uint8_t)(screen.colour << 4 | screen.colour >> 4) & 0x7f;
	else if (what >= 30 && what <= 37)
		screen.colour = (uint8_t)((screen.colour & 0xf8) | from_ansi[what - 30]);
	else if (what >= 40 && what <= 47)
		screen.colour = (uint8_t)((screen.colour & 0x0f) | from_ansi[what - 40] << 4);
}

static unsigned clamp(unsigned value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

/* One control sequence: `last` is its final byte (ECMA-48 "CUP", "ED" and so on). */
static void control(uint8_t last)
{
	const unsigned *p = screen.parameters;
	unsigned step = p[0] ? p[0] : 1;
	unsigned at;

	screen.column = clamp(screen.column, 0, screen.surface.columns - 1);
	at = screen.row * screen.surface.columns + screen.column;
	switch (last) {
	case 'A':
		screen.row -= clamp(step, 0, screen.row);
		break;
	case 'B':
		screen.row = clamp(screen.row + step, 0, screen.surface.rows - 1);
		break;
	case 'C':
		screen.column = clamp(screen.column + step, 0, screen.surface.columns - 1);
		break;
	case 'D':
		screen.column -= clamp(step, 0, screen.column);
		break;
	case 'H':
	case 'f':
		screen.row = clamp(p[0], 1, screen.surface.rows) - 1;
		screen.column = clamp(p[1], 1, screen.surface.columns) - 1;
		break;
	case 'J':
		erase(p[0] ? 0 : at,
		      p[0] == 1 ? at + 1 : screen.surface.rows * screen.surface.columns);
		break;
	case 'K':
		erase(p[0] ? screen.row * screen.surface.columns : at,
		      p[0] == 1 ? at + 1 : (screen.row + 1) * screen.surface.columns);
		break;
	case 'm':
		for (unsigned i = 0; i <= screen.parameter; i++)
			set_colour(p[i]);
		break;
	default:
		break;
	}
}

static void control_byte(uint8_t byte)
{
	unsigned *p = &screen.parameters[screen.parameter];

	if (byte >= '0' && byte <= '9') {
		if (*p < PARAMETER_LIMIT)
			*p = *p * 10 + byte - '0';
	} else if (byte == ';') {
		if (screen.parameter + 1 < PARAMETERS_MAX)
			screen.parameter++;
	} else if (byte >= 0x40 && byte <= 0x7e) {
		control(byte);
		screen.state = STATE_TEXT;
	} else if (byte == 0x1b) {
		screen.state = STATE_ESCAPE;
	} else if (byte < ' ') {
		text_byte(byte);
	}
}

static void escape_byte(uint8_t byte)
{
	screen.state = STATE_TEXT;
	if (byte == '[') {
		screen.state = STATE_CSI;
		screen.parameter = 0;
		memset(screen.parameters, 0, sizeof(screen.parameters));
	} else if (byte == 'c') {
		screen.colour = COLOUR_NORMAL;
		screen.row = screen.column = 0;
		erase(0, screen.surface.rows * screen.surface.columns);
	}
}

void screen_init(const struct screen_surface *surface)
{
	screen.surface = *surface;
	screen.colour = COLOUR_NORMAL;
	screen.state = STATE_TEXT;
	screen.row = screen.column = 0;
	memset(screen.cells, 0, sizeof(screen.cells));
	erase(0, surface->rows * surface->columns);
}

void screen_write(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)bytes[i];

		switch (screen.state) {
		case STATE_TEXT:
			text_byte(byte);
			break;
		case STATE_ESCAPE:
			escape_byte(byte);
			break;
		case STATE_CSI:
			control_byte(byte);
			break;
		}
	}
}
