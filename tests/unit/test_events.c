/* SPDX-License-Identifier: BSD-2-Clause */
/* The event queue: double faults, what goes in first, and which windows are asked for. */
/* UNITS: vcpu/events.c arch/x86_64/exceptions.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "vcpu/events.h"

static struct events events;

static const struct event_gates open_gates = {
	.interrupts_open = true, .nmi_open = true, .error_codes = true};
static const struct event_gates closed_gates = {.error_codes = true};

static int setup(void **state)
{
	(void)state;
	memset(&events, 0, sizeof(events));
	return 0;
}

static struct event_plan plan(const struct event_gates *gates)
{
	struct event_plan plan;

	events_plan(&events, gates, &plan);
	return plan;
}

static void expect_event(const struct event *event, enum event_type type, uint8_t vector)
{
	assert_true(event->valid);
	assert_int_equal(event->type, type);
	assert_int_equal(event->vector, vector);
}

static struct event of_type(enum event_type type, uint8_t vector)
{
	return (struct event){.valid = true, .type = (uint8_t)type, .vector = vector};
}

static void an_exception_goes_in_whatever_the_flags(void **state)
{
	struct event_plan p;

	(void)state;
	assert_false(events.work);
	assert_int_equal(events_raise(&events, 13, true, 0x1234), RAISED);
	assert_true(events.work);
	p = plan(&closed_gates);
	expect_event(&p.inject, EVENT_EXCEPTION, 13);
	assert_true(p.inject.has_error);
	assert_int_equal(p.inject.error, 0x1234);
	assert_false(p.interrupt_window || p.nmi_window);
	assert_false(events.work);
	assert_false(plan(&open_gates).inject.valid);
}

/* SDM "Interrupt 8 -- Double Fault Exception (#DF)", its table written out once more. */
static enum event_raise by_the_table(uint8_t first, uint8_t second)
{
	static const uint8_t contributory[] = {0, 10, 11, 12, 13, 21};
	static const uint8_t page_fault[] = {14, 20};
	bool first_is_contributory = memchr(contributory, first, sizeof(contributory)) != NULL;
	bool second_is_contributory = memchr(contributory, second, sizeof(contributory)) != NULL;
	bool first_is_page = memchr(page_fault, first, sizeof(page_fault)) != NULL;
	bool second_is_page = memchr(page_fault, second, sizeof(page_fault)) != NULL;

	if (first == 8 && (second_is_contributory || second_is_page || second == 8))
		return RAISED_TRIPLE_FAULT;
	if (first_is_contributory && second_is_contributory)
		return RAISED_DOUBLE_FAULT;
	if (first_is_page && (second_is_contributory || second_is_page))
		return RAISED_DOUBLE_FAULT;
	return RAISED;
}

static void check_pair(uint8_t first, uint8_t second)
{
	enum event_raise expected = by_the_table(first, second), got;
	struct event one = of_type(EVENT_EXCEPTION, first);

	memset(&events, 0, sizeof(events));
	one.has_error = true;
	one.error = 0x77;
	events_redeliver(&events, &one);
	got = events_raise(&events, second, true, 0x5500);
	if (got != expected)
		fail_msg("%u then %u gives %u, not %u", first, second, got, expected);
	switch (expected) {
	case RAISED:
		expect_event(&events.now, EVENT_EXCEPTION, second);
		assert_int_equal(events.now.error, 0x5500);
		break;
	case RAISED_DOUBLE_FAULT:
		expect_event(&events.now, EVENT_EXCEPTION, 8);
		assert_true(events.now.has_error);
		assert_int_equal(events.now.error, 0);
		break;
	case RAISED_TRIPLE_FAULT:
		expect_event(&events.now, EVENT_EXCEPTION, first);
		assert_int_equal(events.now.error, 0x77);
		break;
	}
}

static void pairs_of_exceptions(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 32; first++)
		for (unsigned second = 0; second < 32; second++)
			if (first != 2 && second != 2)
				check_pair((uint8_t)first, (uint8_t)second);
}

/* Only a hardware exception makes a double fault: INT 13 that meets a #GP is a #GP. */
static void other_events_make_no_double_fault(void **state)
{
	static const enum event_type types[] = {EVENT_EXTERNAL, EVENT_NMI, EVENT_SOFTWARE_INTERRUPT,
						EVENT_PRIVILEGED_EXCEPTION,
						EVENT_SOFTWARE_EXCEPTION};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct event first = of_type(types[i], 14);

		memset(&events, 0, sizeof(events));
		events_redeliver(&events, &first);
		assert_int_equal(events_raise(&events, 13, true, 1), RAISED);
		expect_event(&events.now, EVENT_EXCEPTION, 13);
	}
}

/* In real mode there are no error codes, with #DF as with the exceptions that made it. */
static void no_error_codes_in_real_mode(void **state)
{
	const struct event_gates real_mode = {.interrupts_open = true, .nmi_open = true};
	struct event_plan p;

	(void)state;
	assert_int_equal(events_raise(&events, 13, true, 0), RAISED);
	p = plan(&real_mode);
	expect_event(&p.inject, EVENT_EXCEPTION, 13);
	assert_false(p.inject.has_error);
	assert_int_equal(events_raise(&events, 13, true, 0), RAISED);
	assert_int_equal(events_raise(&events, 0, false, 0), RAISED_DOUBLE_FAULT);
	p = plan(&real_mode);
	expect_event(&p.inject, EVENT_EXCEPTION, 8);
	assert_false(p.inject.has_error);
}

/* They were acknowledged before the fault, and the processor does not deliver them again. */
static void interrupts_are_lost_to_a_fault_in_their_delivery(void **state)
{
	struct event external = of_type(EVENT_EXTERNAL, 0x55), nmi = of_type(EVENT_NMI, 2);
	struct event_plan p;

	(void)state;
	events_redeliver(&events, &external);
	assert_int_equal(events_raise(&events, 17, true, 0), RAISED);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_EXCEPTION, 17);
	assert_false(events.work);
	events_redeliver(&events, &nmi);
	assert_int_equal(events_raise(&events, 11, true, 0), RAISED);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_EXCEPTION, 11);
	assert_false(events.work);
}

/* A breakpoint on the stack of the delivery: a trap. */
static void interrupts_are_not_lost_to_a_trap(void **state)
{
	struct event external = of_type(EVENT_EXTERNAL, 0x55), nmi = of_type(EVENT_NMI, 2);
	struct event_plan p;

	(void)state;
	events_redeliver(&events, &external);
	assert_int_equal(events_raise(&events, 1, false, 0), RAISED);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_EXCEPTION, 1);
	assert_true(p.interrupt_window);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_EXTERNAL, 0x55);

	events_redeliver(&events, &nmi);
	assert_int_equal(events_raise(&events, 1, false, 0), RAISED);
	p = plan(&closed_gates);
	expect_event(&p.inject, EVENT_EXCEPTION, 1);
	assert_true(p.nmi_window);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_NMI, 2);
	assert_false(events.work);
}

static void redelivery_keeps_error_code_and_length(void **state)
{
	struct event event = of_type(EVENT_SOFTWARE_INTERRUPT, 0x80);
	struct event_plan p;

	(void)state;
	event.length = 2;
	event.error = 0xabc;
	event.has_error = true;
	events_redeliver(&events, &event);
	assert_true(events.work);
	p = plan(&closed_gates);
	assert_memory_equal(&p.inject, &event, sizeof(event));
}

static void the_nmi_comes_before_interrupts(void **state)
{
	struct event_plan p;

	(void)state;
	events_raise_interrupt(&events, 0xff);
	events_raise_nmi(&events);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_NMI, 2);
	assert_true(p.interrupt_window);
	assert_false(p.nmi_window);
	assert_true(events.work);
	p = plan(&open_gates);
	expect_event(&p.inject, EVENT_EXTERNAL, 0xff);
	assert_false(p.interrupt_window || p.nmi_window || events.work);
}

/* Blocking of NMIs is no blocking of interrupts, and the other way round. */
static void each_gate_is_its_own(void **state)
{
	const struct event_gates nmi_only = {.nmi_open = true};
	const struct event_gates interrupts_only = {.interrupts_open = true};
	struct event_plan p;

	(void)state;
	events_raise_interrupt(&events, 0x20);
	events_raise_nmi(&events);
	p = plan(&closed_gates);
	assert_false(p.inject.valid);
	assert_true(p.interrupt_window && p.nmi_window && events.work);
	p = plan(&interrupts_only);
	expect_event(&p.inject, EVENT_EXTERNAL, 0x20);
	assert_true(p.nmi_window);
	assert_false(p.interrupt_window);
	events_raise_interrupt(&events, 0x20);
	p = plan(&nmi_only);
	expect_event(&p.inject, EVENT_NMI, 2);
	assert_true(p.interrupt_window);
	assert_false(p.nmi_window);
}

static void interrupts_by_priority(void **state)
{
	static const uint8_t vectors[] = {16, 63, 64, 65, 127, 128, 200, 255};
	const size_t count = sizeof(vectors);

	(void)state;
	for (size_t i = 0; i < count; i++)
		events_raise_interrupt(&events, vectors[(i * 3) % count]);
	for (size_t i = count; i-- > 0;) {
		struct event_plan p = plan(&open_gates);

		expect_event(&p.inject, EVENT_EXTERNAL, vectors[i]);
		assert_int_equal(p.interrupt_window, i > 0);
		assert_int_equal(events.work != 0, i > 0);
	}
	assert_false(plan(&open_gates).inject.valid);
}

static void an_interrupt_is_pending_once(void **state)
{
	(void)state;
	events_raise_interrupt(&events, 0x30);
	events_raise_interrupt(&events, 0x30);
	events_raise_nmi(&events);
	events_raise_nmi(&events);
	assert_true(plan(&open_gates).inject.valid);
	assert_true(plan(&open_gates).inject.valid);
	assert_false(plan(&open_gates).inject.valid);
}

static void what_wakes(void **state)
{
	(void)state;
	assert_false(events_wake(&events, &open_gates));
	events_raise_interrupt(&events, 0x20);
	assert_true(events_wake(&events, &open_gates));
	assert_false(events_wake(&events, &closed_gates));
	/* An NMI that is blocked, as in a handler of another, wakes nobody. */
	events_raise_nmi(&events);
	assert_false(events_wake(&events, &closed_gates));
	assert_true(events_wake(&events, &(struct event_gates){.nmi_open = true}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_exception_goes_in_whatever_the_flags, setup),
		cmocka_unit_test_setup(pairs_of_exceptions, setup),
		cmocka_unit_test_setup(other_events_make_no_double_fault, setup),
		cmocka_unit_test_setup(no_error_codes_in_real_mode, setup),
		cmocka_unit_test_setup(interrupts_are_lost_to_a_fault_in_their_delivery, setup),
		cmocka_unit_test_setup(interrupts_are_not_lost_to_a_trap, setup),
		cmocka_unit_test_setup(redelivery_keeps_error_code_and_length, setup),
		cmocka_unit_test_setup(the_nmi_comes_before_interrupts, setup),
		cmocka_unit_test_setup(each_gate_is_its_own, setup),
		cmocka_unit_test_setup(interrupts_by_priority, setup),
		cmocka_unit_test_setup(an_interrupt_is_pending_once, setup),
		cmocka_unit_test_setup(what_wakes, setup),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
