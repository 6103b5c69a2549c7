/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows what a guest sends to a terminal just enough to know where another line may come between.
 */
#include "kernel/terminal.h"

/* As in ECMA-48: ESC, then intermediate bytes and a final one; or CSI or a string, each with an end
 * of its own. */
enum state { GROUND, ESCAPE, CSI, STRING, STRING_ESCAPE };

/* Nothing sensible is longer: whoever sends only half a sequence does not keep others waiting for
 * ever. */
#define SEQUENCE_MAX 256

#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b

static uint8_t after_escape(uint8_t byte)
{
	switch (byte) {
	case '[':
		return CSI;
	case ']': /* OSC */
	case 'P': /* DCS */
	case 'X': /* SOS */
	case '^': /* PM */
	case '_': /* APC */
		return STRING;
	default:
		return byte >= 0x20 && byte < 0x30 ? ESCAPE : GROUND;
	}
}

static uint8_t next_state(uint8_t state, uint8_t byte)
{
	if (byte == CAN || byte == SUB)
		return GROUND;
	switch (state) {
	case ESCAPE:
		return byte == ESC ? ESCAPE : after_escape(byte);
	case CSI:
		if (byte == ESC)
			return ESCAPE;
		return byte >= 0x40 && byte < 0x7f ? GROUND : CSI;
	case STRING:
		if (byte == ESC)
			return STRING_ESCAPE;
		return byte == BEL ? GROUND : STRING;
	case STRING_ESCAPE:
		return byte == '\\' ? GROUND : after_escape(byte);
	default:
		return byte == ESC ? ESCAPE : GROUND;
	}
}

/* How many bytes follow a first byte of UTF-8. */
static uint8_t utf8_rest(uint8_t byte)
{
	if (byte >= 0xc2 && byte < 0xe0)
		return 1;
	if (byte >= 0xe0 && byte < 0xf0)
		return 2;
	return byte >= 0xf0 && byte < 0xf5 ? 3 : 0;
}

void terminal_byte(struct terminal *terminal, uint8_t byte)
{
	bool continues = terminal->rest && (byte & 0xc0) == 0x80;

	terminal->line_open = byte != '\n';
	terminal->rest = continues ? (uint8_t)(terminal->rest - 1) : utf8_rest(byte);
	terminal->state = next_state(terminal->state, byte);
	terminal->length = terminal->state == GROUND ? 0 : (uint16_t)(terminal->length + 1);
	if (terminal->length >= SEQUENCE_MAX) {
		terminal->state = GROUND;
		terminal->length = 0;
	}
}

bool terminal_is_split(const struct terminal *terminal)
{
	return terminal->state != GROUND || terminal->rest;
}
