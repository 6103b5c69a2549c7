/* SPDX-License-Identifier: BSD-2-Clause */
/* How far the time-stamp counters of two processors are apart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/* One exchange: the asking processor's counter before and after, and the other's in between. */
struct tsc_sample {
	uint64_t before, other, after;
};

struct tsc_difference {
	int64_t ticks;  /* the other's counter minus one's own */
	uint64_t doubt; /* it may be that much more or less */
};

/* The best that can be said after some exchanges (at least one). */
struct tsc_difference tsc_difference_of(const struct tsc_sample *samples, unsigned count);

/* True when it may well be none. */
static inline bool tsc_is_same(struct tsc_difference difference)
{
	uint64_t distance = (uint64_t)(difference.ticks < 0 ? -difference.ticks : difference.ticks);

	return distance <= difference.doubt;
}

/* Before the other processor is started: whatever an earlier one did not answer is forgotten. */
void tsc_sync_begin(void);

/*
 * The first processor measures the difference of one that runs tsc_sync_follow() meanwhile. False:
 * that one does not answer.
 */
CHECKED bool tsc_sync_measure(struct tsc_difference *difference);

/* Has that one move its counter, where it has IA32_TSC_ADJUST. False: it has not, or does not
 * answer. */
CHECKED bool tsc_sync_adjust(int64_t ticks);

/* Ends the other one's tsc_sync_follow(). */
void tsc_sync_end(void);

/* Answers until the end, or until nothing was asked for a second. */
void tsc_sync_follow(void);
