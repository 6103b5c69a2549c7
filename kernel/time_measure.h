/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the TSC's frequency with a timer whose own frequency is known. */
#pragma once

#include <stdint.h>

#include "kernel/error.h"
#include "kernel/time.h"

struct tsc_measurement {
	uint64_t frequency;   /* Hz */
	uint64_t uncertainty; /* Hz: how far off it may be, as seen from the gaps between reads */
};

/* Channel 2 of the 8254, gated and read through port 61h. An error says what is wrong with it. */
CHECKED err_t tsc_measure_pit(struct tsc_measurement *result);

/* The ACPI power-management timer. */
CHECKED err_t tsc_measure_pm_timer(const struct pm_timer *pm, struct tsc_measurement *result);
