/* SPDX-License-Identifier: BSD-2-Clause */
/* The ratio between a device's frequency and the TSC's, as a fixed-point number. */

#include "devices/clock.h"

void device_clock_start(struct device_clock *clock, uint32_t hz)
{
	uint64_t tsc_hz = time_frequency();
	uint64_t rest = hz % tsc_hz;

	clock->whole = hz / tsc_hz;
	clock->fraction = 0;
	/* Long division, bit by bit: a division of 128 bits would need a library. */
	for (unsigned bit = 64; bit-- > 0;) {
		uint64_t next = rest << 1;

		if (rest >> 63 || next >= tsc_hz) {
			next -= tsc_hz;
			clock->fraction |= 1ull << bit;
		}
		rest = next;
	}
	/* Rounded up, a whole number of TSC ticks that make a tick of the device make all of it. */
	if (rest)
		clock->fraction++;
	clock->start = time_now();
}
