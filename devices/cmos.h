/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock and its battery-backed memory at ports 70h and 71h. */
#pragma once

#include <stdint.h>

#include "devices/clock.h"
#include "kernel/error.h"
#include "kernel/rtc.h"
#include "vcpu/vm.h"

#define CMOS_SIZE 128

struct cmos {
	uint8_t index;
	uint8_t memory[CMOS_SIZE]; /* registers A to D and the time included */
	struct device_clock clock; /* the crystal: 32768 Hz */
	uint64_t base_seconds;     /* the date, as rtc_to_seconds() counts, */
	uint64_t base_ticks;       /* when the crystal stood there */
	uint64_t flags_ticks;      /* until when register C's flags are up to date */
	uint8_t weekday_shift; /* added to the weekday of the date, for guests that count otherwise
				*/
};

/* Starts at `start`, with sizes of memory as the VM's extents are: they must be in place. */
CHECKED err_t cmos_create(struct cmos *cmos, struct vm *vm, const struct rtc_time *start);

/* A reset of the machine: the clock runs on and memory stays, interrupts are off. */
void cmos_reset(struct cmos *cmos);
