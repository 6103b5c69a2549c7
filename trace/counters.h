/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits counted by reason, with what they cost; and the set of reasons that a trace shows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"

#define EXIT_REASONS 128 /* basic reasons that are told apart; more than the SDM has */

/* The costs of one reason's exits, in TSC ticks from the exit to the next entry. */
struct exit_counter {
	uint64_t count, total, min, max;
};

struct exit_counters {
	struct exit_counter by_reason[EXIT_REASONS + 1]; /* the last takes what came before the first exit */
};

/* A set of exit reasons. */
struct trace_mask {
	uint64_t bits[EXIT_REASONS / 64];
};

static inline void counter_add(struct exit_counter *counter, uint64_t ticks)
{
	counter->count++;
	counter->total += ticks;
	if (ticks < counter->min)
		counter->min = ticks;
	if (ticks > counter->max)
		counter->max = ticks;
}

void counters_reset(struct exit_counters *counters);
uint64_t counters_sum(const struct exit_counters *counters);

static inline bool trace_mask_has(const struct trace_mask *mask, uint32_t reason)
{
	return mask->bits[reason / 64 % 2] >> (reason % 64) & 1;
}

/* Reads "none", "all" or "CLASS,CLASS,...", a class being a name of trace_classes or "-NAME" to leave one out again. */
CHECKED err_t trace_mask_parse(const char *text, struct trace_mask *mask);

/* Prints the table of exits by reason: count, share, min, mean and max ticks. The lines are tagged with the VM. */
void counters_print(const struct exit_counters *counters, const char *vm_name);
