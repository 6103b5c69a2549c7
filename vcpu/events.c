/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of a vCPU's pending events, and what of it goes in at the next entry. */
#include "vcpu/events.h"

#include "arch/x86_64/exceptions.h"

/* What becomes of an exception met while an event is on its way: only exceptions make double
 * faults. */
static enum exception_combination combine(const struct event *first, uint8_t second)
{
	if (!first->valid || first->type != EVENT_EXCEPTION)
		return COMBINE_SERIAL;
	return exception_combine(first->vector, second);
}

enum event_raise events_combine(struct events *events, const struct event *second)
{
	switch (combine(&events->now, second->vector)) {
	case COMBINE_SHUTDOWN:
		return RAISED_TRIPLE_FAULT;
	case COMBINE_DOUBLE_FAULT:
		events->now = (struct event){
			.valid = true,
			.vector = EXCEPTION_DF,
			.type = EVENT_EXCEPTION,
			.has_error = true,
		};
		return RAISED_DOUBLE_FAULT;
	case COMBINE_SERIAL:
		break;
	}
	/*
	 * The second is handled alone. The instruction raises the first again when it is repeated.
	 * An interrupt or NMI is lost to the fault that its delivery met, as it was acknowledged
	 * before; but #DB is a trap behind the delivery.
	 */
	if (events->now.valid && second->vector == EXCEPTION_DB) {
		if (events->now.type == EVENT_EXTERNAL)
			events_raise_interrupt(events, events->now.vector);
		else if (events->now.type == EVENT_NMI)
			events_raise_nmi(events);
	}
	events->now = *second;
	return RAISED;
}

void events_redeliver(struct events *events, const struct event *event)
{
	events->now = *event;
	events->work |= EVENT_WORK_NOW;
}

void events_raise_nmi(struct events *events)
{
	events->nmi = true;
	events->work |= EVENT_WORK_NMI;
}

void events_raise_interrupt(struct events *events, uint8_t vector)
{
	events->interrupts[vector / 64] |= 1ull << (vector % 64);
	events->work |= EVENT_WORK_INTERRUPT;
}

/* The pending interrupt of the highest vector, or -1. */
static int highest_interrupt(const struct events *events)
{
	for (int word = 3; word >= 0; word--)
		if (events->interrupts[word])
			return word * 64 + 63 - __builtin_clzll(events->interrupts[word]);
	return -1;
}

bool events_wake(const struct events *events, const struct event_gates *gates)
{
	return events->now.valid || (events->nmi && gates->nmi_open) ||
	       (gates->interrupts_open && highest_interrupt(events) >= 0);
}

void events_plan(struct events *events, const struct event_gates *gates, struct event_plan *plan)
{
	int vector = highest_interrupt(events);

	*plan = (struct event_plan){0};
	if (events->now.valid) {
		plan->inject = events->now;
		plan->inject.has_error &= gates->error_codes;
		events->now.valid = false;
	} else if (events->nmi && gates->nmi_open) {
		plan->inject = (struct event){.valid = true, .vector = 2, .type = EVENT_NMI};
		events->nmi = false;
	} else if (vector >= 0 && gates->interrupts_open) {
		plan->inject = (struct event){
			.valid = true,
			.vector = (uint8_t)vector,
			.type = EVENT_EXTERNAL,
		};
		events->interrupts[vector / 64] &= ~(1ull << (vector % 64));
	}
	plan->nmi_window = events->nmi;
	plan->interrupt_window = highest_interrupt(events) >= 0;
	events->work = ((plan->nmi_window ? EVENT_WORK_NMI : 0) |
			(plan->interrupt_window ? EVENT_WORK_INTERRUPT : 0));
}
