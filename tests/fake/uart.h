/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated 16550 on the fake machine, as fast or as broken as a test wants it. Link
 * tests/fake/uart.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_UART_OUTPUT_MAX (1u << 21)

/* The TSC runs at 1 GHz: a character at 115200 baud takes 86.8 us. */
struct fake_uart {
	/* What a test sets, after fake_uart_reset(). */
	uint16_t port;
	bool is_absent;      /* every register reads as ones */
	bool is_dead;        /* takes bytes into its FIFO, but never sends them */
	bool is_instant;     /* sends in no time, as an emulator may */
	bool has_no_scratch; /* the register reads as 0 */
	bool has_no_loopback;
	bool has_no_fifo;      /* a 16450 */
	bool sends_break;      /* the next byte received comes with one */
	uint64_t access_ticks; /* what an access of a register takes; 1000 after a reset */

	/* What a test looks at. */
	char output[FAKE_UART_OUTPUT_MAX];
	size_t output_size;
	unsigned garbled;   /* bytes that were on their way while the speed changed, or FIFOs were
			       cleared */
	unsigned overflows; /* bytes written that found no room */
	unsigned accesses;

	/* The machine. */
	uint8_t ier, lcr, mcr, scratch, fcr;
	uint16_t divisor;
	uint8_t fifo[16];
	unsigned fifo_count;
	bool is_shifting;
	uint8_t shifted;
	uint64_t shifted_at;
	uint8_t input[4096];
	size_t input_head, input_tail;
	bool was_overrun;
};

extern struct fake_uart fake_uart;

/* Makes the fake machine one with only this UART, working, at 3f8. */
void fake_uart_reset(void);

/* Bytes arrive. */
void fake_uart_receive(const char *bytes, size_t size);

/* Lets time pass. */
void fake_uart_run(uint64_t ticks);
