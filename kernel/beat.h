/* SPDX-License-Identifier: BSD-2-Clause */
/* What each processor does every millisecond, in a guest or asleep. */
#pragma once

#include <stdint.h>

#define BEAT_US 1000u

/* The console, what other processors ask for, NMIs. */
void beat(uint64_t now);

/*
 * Sleeps until an interrupt, or the time for the next beat, and has it: for a processor that waits
 * for something which may take long.
 */
void beat_sleep(void);
