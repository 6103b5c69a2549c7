/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock: the time-stamp counter, its frequency, and conversions between ticks and time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"

/* The ACPI power-management timer as the FADT tells it. */
struct pm_timer {
	uint16_t port; /* 0: there is none */
	bool wide;     /* 32 bits, else 24 */
};

/*
 * Finds the TSC's frequency and says in a log line how. `pm` may be NULL. Always ends; without any
 * timer that works the frequency is CPUID's claim, or an assumed one, with a warning. Takes 10 to
 * 50 ms.
 */
void time_init(const struct pm_timer *pm);

/* Now, in ticks. Works before time_init. */
uint64_t time_now(void);

/* Ticks a second; 1 GHz before time_init. Never 0. */
uint64_t time_frequency(void);

/* True when the TSC runs at one rate in all power states (CPUID 80000007h:EDX bit 8). */
bool time_is_invariant(void);

/* Conversions, rounded down; results beyond 64 bits become UINT64_MAX. No division. */
uint64_t time_ticks_from_ns(uint64_t ns);
uint64_t time_ticks_from_us(uint64_t us);
uint64_t time_ns_from_ticks(uint64_t ticks);
uint64_t time_us_from_ticks(uint64_t ticks);

/* Spins for at least that long. */
void time_delay_us(uint64_t us);
