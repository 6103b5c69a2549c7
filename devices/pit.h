/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 timer at ports 40h to 43h, and port 61h with the gate and the output of its counter 2.
 */
#pragma once

#include "devices/clock.h"
#include "devices/pit_counter.h"
#include "kernel/error.h"
#include "vcpu/bus.h"

#define PIT_HZ       1193182
#define PIT_COUNTERS 3

struct pit {
	struct device_clock clock;
	struct pit_counter counters[PIT_COUNTERS];
	uint8_t port_61;                            /* the bits that a program can set */
	void (*set_irq)(void *context, bool level); /* counter 0's output; NULL: not connected */
	void *irq_context;
	bool irq_level;
};

CHECKED err_t pit_create(struct pit *pit, struct bus *bus);

/* Counters 0 and 1 then run as firmware leaves them: 65536 in mode 3, and 18 in mode 2. */
void pit_reset(struct pit *pit);

/* Tells set_irq when the output of counter 0 has changed. */
void pit_poll(struct pit *pit);
