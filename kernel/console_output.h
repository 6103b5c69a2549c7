/* SPDX-License-Identifier: BSD-2-Clause */
/* The way out of the console: one ring of bytes, the UART that is fed from it, and the other sinks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/error.h"

/* Sets the UART up; see console_init. */
CHECKED err_t output_init(uint16_t port, uint32_t baud);

/* See console_add_sink. */
CHECKED err_t output_add_sink(void (*write)(const char *bytes, size_t size));

/* Puts bytes into the ring and the sinks. Waits for room, unless the UART is dead; then the oldest
 * bytes give way. */
void output_write(const char *bytes, size_t size);

/* True when nothing stands on the current line: after CR LF, or before all else. */
bool output_is_fresh(void);

/* Feeds the UART without waiting. */
void output_poll(void);

/* True when bytes wait for the UART. */
bool output_is_waiting(void);

/* Waits until the UART has everything, and the last bit has left it. Bounded. */
void output_flush(void);

/* Whether output_write returns only when the UART has all. True before output_init. */
void output_set_synchronous(bool synchronous);

/* True while the UART takes nothing and nobody waits for it any more. */
bool output_is_dead(void);

/* The next byte received, or -1. */
int output_read_key(void);

/* How often the UART lost received bytes because nobody took them in time. */
uint32_t output_overruns(void);

/* Bytes that the UART did not take: overwritten in the ring, or still there with a UART that is
 * dead. */
uint64_t output_lost(void);

#ifdef HOST_TEST
void output_reset(void);
#endif
