/* SPDX-License-Identifier: BSD-2-Clause */
/* A clock of a device: so many ticks a second, counted from the host's time-stamp counter. */
#pragma once

#include <stdint.h>

#include "arch/x86_64/instructions.h"
#include "kernel/time.h"

struct device_clock {
	uint64_t start;    /* the TSC at tick 0 */
	uint64_t whole;    /* device ticks for each of the TSC's: the integer part, */
	uint64_t fraction; /* and the rest in units of 2^-64 */
};

/* Starts a clock of `hz` ticks a second at tick 0. */
void device_clock_start(struct device_clock *clock, uint32_t hz);

/* Ticks since the start. Exact to one tick for as long as the TSC runs; no division. */
static inline uint64_t device_clock_ticks(const struct device_clock *clock)
{
	uint64_t passed = rdtsc() - clock->start;

	return passed * clock->whole +
	       (uint64_t)((unsigned __int128)passed * clock->fraction >> 64);
}
