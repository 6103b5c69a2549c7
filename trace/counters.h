/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits counted by reason, with what they cost: always on, so each instruction of counter_add()
 * counts. */
#pragma once

#include <stdint.h>

#include "trace/classes.h"

/*
 * Costs are in TSC ticks, from the exit to the next entry. They fall into buckets by their highest
 * bit: ticks from 2^n to 2^(n + 1) - 1. Bucket 4 takes fewer as well; the places of buckets 0 to 3
 * hold the rest, so that a counter is 64 words and its address a shift.
 */
#define COUNTER_BUCKETS 64
#define COUNTER_LEAST   4

struct exit_counter {
	union {
		struct {
			uint64_t total, min, max;
		};
		uint64_t buckets[COUNTER_BUCKETS]; /* from COUNTER_LEAST on */
	};
};

_Static_assert(sizeof(struct exit_counter) == 512, "a power of two");

struct exit_counters {
	struct exit_counter
		by_reason[EXIT_REASONS + 1]; /* the last takes what came before the first exit */
};

/* BSR itself: what the compiler makes of its builtin is an instruction longer. */
static inline uint64_t counter_bucket(uint64_t ticks)
{
	uint64_t bucket;

	asm("bsr %1, %0" : "=r"(bucket) : "r"(ticks | 1ull << COUNTER_LEAST) : "cc");
	return bucket;
}

static inline void counter_add(struct exit_counter *counter, uint64_t ticks)
{
	counter->buckets[counter_bucket(ticks)]++;
	counter->total += ticks;
	if (ticks < counter->min)
		counter->min = ticks;
	if (ticks > counter->max)
		counter->max = ticks;
}

void counters_reset(struct exit_counters *counters);

/* How many exits there were: the sum of the buckets. */
uint64_t counter_count(const struct exit_counter *counter);
uint64_t counters_sum(const struct exit_counters *counters);

/* Prints the table of exits by reason, each with the shape of its costs. The lines are tagged with
 * the VM. */
void counters_print(const struct exit_counters *counters, const char *vm_name);
