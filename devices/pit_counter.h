/* SPDX-License-Identifier: BSD-2-Clause */
/* One counter of an 8254: its modes as functions of time, its latches and its access flip-flops. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Times are ticks of the counter's clock. They never go back, and are small enough to be added. */
struct pit_counter {
	uint8_t mode;   /* 0 to 5 */
	uint8_t access; /* as the control word says it: 1 low byte, 2 high byte, 3 both */
	bool bcd;
	bool gate;

	bool loaded; /* a count was written since the mode was set */
	bool counting;
	uint32_t count;  /* what the counter started from: 1 to 65536 */
	int64_t start;   /* counting: when it held `count` */
	int64_t elapsed; /* not counting: how far it had come */

	bool next_waits; /* a count was written that is taken over at next_at, or at the next
			    trigger */
	uint32_t next_count;
	int64_t next_start; /* the start to assume from next_at on */
	int64_t next_at;

	bool write_high, read_high; /* of access 3: the high byte is due */
	uint8_t written_low;
	bool count_latched, status_latched;
	uint16_t latched_count;
	uint8_t latched_status;
};

/* Control words, with the counter's number cut off. */
#define PIT_ACCESS_SHIFT 4
#define PIT_MODE_SHIFT   1

/* A control word that sets access and mode. */
void pit_counter_set_mode(struct pit_counter *counter, uint8_t control, int64_t now);

/* The latch command, and the two halves of the read-back command. */
void pit_counter_latch_count(struct pit_counter *counter, int64_t now);
void pit_counter_latch_status(struct pit_counter *counter, int64_t now);

/* The data port. */
uint8_t pit_counter_read(struct pit_counter *counter, int64_t now);
void pit_counter_write(struct pit_counter *counter, uint8_t value, int64_t now);

void pit_counter_set_gate(struct pit_counter *counter, bool gate, int64_t now);

/* The output line. */
bool pit_counter_output(struct pit_counter *counter, int64_t now);
