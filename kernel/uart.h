/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own 16550 serial port, polled. Nothing here waits without a bound. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/error.h"

#define UART_COM1 0x3f8
#define UART_COM2 0x2f8

#define UART_BAUD_MAX 115200u

/* All zeros: no UART; writes to it take nothing and reads find nothing. */
struct uart {
	uint16_t port;
	bool present;
	uint8_t fifo_depth;      /* bytes that an empty transmitter takes: 16, or 1 without FIFOs */
	uint32_t flush_polls;    /* bound of uart_flush */
	uint32_t input_overruns; /* how often received bytes were lost in the hardware */
};

/*
 * Looks for a UART at the port, lets it finish what it is sending, and sets it to `baud` 8N1 with
 * FIFOs and no interrupts. On an error uart->present is false.
 */
CHECKED err_t uart_init(struct uart *uart, uint16_t port, uint32_t baud);

/* Writes as many bytes as fit at once and returns their number; 0 when the transmitter is busy. */
CHECKED size_t uart_try_write(struct uart *uart, const char *bytes, size_t size);

/* The next byte received, or -1. */
int uart_try_read(struct uart *uart);

/* Waits until the last byte has left the shift register. False: it did not in a generous time. */
bool uart_flush(struct uart *uart);
