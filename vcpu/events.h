/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits to be delivered to a vCPU: a fault or a re-delivered event, NMIs, external interrupts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"

/* As the SDM numbers interruption types. */
enum event_type {
	EVENT_EXTERNAL = 0,
	EVENT_NMI = 2,
	EVENT_EXCEPTION = 3,
	EVENT_SOFTWARE_INTERRUPT = 4,
	EVENT_PRIVILEGED_EXCEPTION = 5, /* INT1 */
	EVENT_SOFTWARE_EXCEPTION = 6,   /* INT3, INTO */
	EVENT_OTHER = 7,
};

struct event {
	bool valid;
	uint8_t vector;
	uint8_t type; /* enum event_type */
	bool has_error;
	uint8_t length; /* of the instruction, for types 4, 5 and 6 */
	uint32_t error;
};

/* What waits, as a set. */
enum event_work {
	EVENT_WORK_NOW = 1,
	EVENT_WORK_NMI = 2,
	EVENT_WORK_INTERRUPT = 4,
};

struct events {
	uint32_t work;    /* enum event_work, of what is below: all that the exit path looks at */
	struct event now; /* goes in at the next entry, whatever the guest's flags */
	bool nmi;
	uint64_t interrupts[4]; /* external interrupts by vector */
};

/* What the guest's state allows at an entry. */
struct event_gates {
	bool interrupts_open; /* RFLAGS.IF and no blocking by STI or MOV SS */
	bool nmi_open;        /* no blocking by NMI, STI or MOV SS */
	bool error_codes;     /* protected mode: SDM "Real-Address Mode Exceptions" has none */
};

/* What to do at an entry: inject this (if valid), and ask to be told when the others can go in. */
struct event_plan {
	struct event inject;
	bool interrupt_window;
	bool nmi_window;
};

/* How raising an exception ended. */
enum event_raise { RAISED, RAISED_DOUBLE_FAULT, RAISED_TRIPLE_FAULT };

/*
 * Raises a hardware exception; if another event is on its way already, forms what the SDM
 * ("Interrupt 8 -- Double Fault Exception") says. A triple fault leaves the queue as it was.
 */
static inline enum event_raise events_raise(struct events *events, uint8_t vector, bool has_error,
					    uint32_t error);

/* Its slow half: another event is on its way. */
enum event_raise events_combine(struct events *events, const struct event *second);

/* Puts an event whose delivery was interrupted back to be delivered first. */
void events_redeliver(struct events *events, const struct event *event);

void events_raise_nmi(struct events *events);
void events_raise_interrupt(struct events *events, uint8_t vector);

/* True when an event would end HLT now. */
bool events_wake(const struct events *events, const struct event_gates *gates);

/* Takes from the queue what can be delivered at this entry. */
void events_plan(struct events *events, const struct event_gates *gates, struct event_plan *plan);

static inline enum event_raise events_raise(struct events *events, uint8_t vector, bool has_error,
					    uint32_t error)
{
	const struct event event = {
		.valid = true,
		.vector = vector,
		.type = EVENT_EXCEPTION,
		.has_error = has_error,
		.error = error,
	};

	if (unlikely(events->work & EVENT_WORK_NOW))
		return events_combine(events, &event);
	events->now = event;
	events->work |= EVENT_WORK_NOW;
	return RAISED;
}
