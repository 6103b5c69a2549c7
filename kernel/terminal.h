/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows what a guest sends to a terminal just enough to know where another line may come between.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zeros is the state at the beginning. */
struct terminal {
	uint8_t state;
	uint8_t rest;    /* bytes that the UTF-8 character still lacks */
	uint16_t length; /* of the escape sequence so far */
	bool line_open;  /* something stands on the line */
};

/* The byte was sent. */
void terminal_byte(struct terminal *terminal, uint8_t byte);

/* True in the middle of an escape sequence or of a UTF-8 character. */
bool terminal_is_split(const struct terminal *terminal);
