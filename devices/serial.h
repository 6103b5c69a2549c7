/* SPDX-License-Identifier: BSD-2-Clause */
/* A serial port: a 16550A UART whose line is the console of the VM. Characters take no time: what
 * is written has left. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/console.h"
#include "kernel/error.h"
#include "vcpu/bus.h"

#define SERIAL_COM1      0x3f8
#define SERIAL_FIFO_SIZE 16

struct serial_character {
	uint8_t byte;
	uint8_t errors; /* of LSR: parity, framing, break */
};

struct serial {
	struct console_stream *console;             /* NULL: nothing is connected */
	void (*set_irq)(void *context, bool level); /* the interrupt line; NULL: not connected */
	void *irq_context;
	bool irq_level;

	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t msr;         /* lines in the high half, changes in the low */
	uint8_t line_errors; /* LSR bits 1-4, until LSR is read */
	bool thre_pending;   /* the transmitter became empty, and nobody was told yet */

	struct serial_character received[SERIAL_FIFO_SIZE];
	unsigned received_first, received_count;
	uint8_t last_received; /* what RBR shows when there is nothing new */
};

/* Puts a UART at eight ports from `base` up. `name` and `console` must outlive it. */
CHECKED err_t serial_create(struct serial *serial, struct bus *bus, const char *name, uint16_t base,
			    struct console_stream *console);

void serial_reset(struct serial *serial);

/* Takes input that has arrived and brings the interrupt line up to date. */
void serial_poll(struct serial *serial);

/* The line goes to break, as a person at a terminal can ask for: a character of zeros with BI set.
 */
void serial_receive_break(struct serial *serial);
