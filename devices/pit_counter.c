/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing ticks here: what a counter holds follows from when it was started and from the time now.
 */

#include "devices/pit_counter.h"

#include <stddef.h>

enum {
	ON_TERMINAL_COUNT, /* mode 0: output rises once the count is through */
	ONE_SHOT,          /* mode 1: the same, started by the gate */
	RATE_GENERATOR,    /* mode 2: one tick low in each period */
	SQUARE_WAVE,       /* mode 3 */
	SOFTWARE_STROBE,   /* mode 4: one tick low at the end */
	HARDWARE_STROBE,   /* mode 5: the same, started by the gate */
};

enum {
	ACCESS_LOW = 1,
	ACCESS_HIGH = 2,
	ACCESS_BOTH = 3,

	STATUS_OUTPUT = 0x80,
	STATUS_NULL_COUNT = 0x40,
};

static bool is_periodic(const struct pit_counter *c)
{
	return c->mode == RATE_GENERATOR || c->mode == SQUARE_WAVE;
}

/* Modes that the gate's rising edge starts, and its level does not stop. */
static bool is_triggered(const struct pit_counter *c)
{
	return c->mode == ONE_SHOT || c->mode == HARDWARE_STROBE;
}

static int64_t elapsed_at(const struct pit_counter *c, int64_t now)
{
	if (!c->counting)
		return c->elapsed;
	return now > c->start ? now - c->start : 0;
}

/* Takes over a count whose time has come. */
static void settle(struct pit_counter *c, int64_t now)
{
	if (!c->next_waits || !c->counting || !is_periodic(c) || now < c->next_at)
		return;
	c->next_waits = false;
	c->count = c->next_count;
	c->start = c->next_start;
}

/* Starts from `count`: the counter is loaded at the next tick of its clock. */
static void start(struct pit_counter *c, uint32_t count, int64_t now)
{
	c->count = count;
	c->start = now + 1;
	c->elapsed = 0;
	c->counting = true;
	c->next_waits = false;
}

static void stop(struct pit_counter *c, int64_t now)
{
	c->elapsed = elapsed_at(c, now);
	c->counting = false;
}

static uint32_t from_bcd(uint16_t value)
{
	uint32_t number = 0;

	for (int shift = 12; shift >= 0; shift -= 4)
		number = number * 10 + ((value >> shift) & 0xf);
	return number % 10000;
}

static uint16_t to_bcd(uint32_t number)
{
	uint32_t value = 0;

	for (unsigned shift = 0; shift < 16; shift += 4, number /= 10)
		value |= number % 10 << shift;
	return (uint16_t)value;
}

/* The first tick of the high half of a square wave of `count`, seen from the start of its low half.
 */
static int64_t high_half(uint32_t count)
{
	return (count + 1) / 2;
}

/* A new count in a running periodic mode is taken at the end of the period, or half period. */
static void wait_for_period(struct pit_counter *c, uint32_t count, int64_t now)
{
	int64_t elapsed = elapsed_at(c, now);
	int64_t period = c->count;
	int64_t begin = c->start + elapsed / period * period;
	int64_t half = high_half(c->count);

	c->next_waits = true;
	c->next_count = count;
	if (c->mode == SQUARE_WAVE && elapsed % period < half) {
		/* The low half comes next, of the new count. */
		c->next_at = begin + half;
		c->next_start = c->next_at - high_half(count);
	} else {
		c->next_at = begin + period;
		c->next_start = c->next_at;
	}
}

static void load(struct pit_counter *c, uint16_t value, int64_t now)
{
	uint32_t count = c->bcd ? from_bcd(value) : value;

	if (!count)
		count = c->bcd ? 10000 : 65536;

	if (is_triggered(c) || (is_periodic(c) && !c->gate)) {
		/* It waits for the gate. */
		c->next_waits = true;
		c->next_count = count;
	} else if (is_periodic(c) && c->loaded) {
		wait_for_period(c, count, now);
	} else {
		start(c, count, now);
		if (!c->gate)
			stop(c, now);
	}
	c->loaded = true;
}

void pit_counter_set_mode(struct pit_counter *c, uint8_t control, int64_t now)
{
	uint8_t mode = (control >> PIT_MODE_SHIFT) & 7;

	settle(c, now);
	stop(c, now);
	c->mode = mode > HARDWARE_STROBE ? mode & 3 : mode; /* 6 and 7 are other names of 2 and 3 */
	c->access = (control >> PIT_ACCESS_SHIFT) & 3;
	c->bcd = control & 1;
	c->loaded = false;
	c->next_waits = false;
	c->write_high = false;
	c->read_high = false;
	c->count_latched = false;
	c->status_latched = false;
	if (!c->count)
		c->count = 65536;
}

/* Of a square wave the counter holds even numbers, twice through in each period. */
static uint32_t square_wave_value(const struct pit_counter *c, int64_t elapsed)
{
	int64_t phase = elapsed % c->count;
	int64_t half = high_half(c->count);

	if (phase >= half)
		phase -= half;
	return (uint32_t)((c->count & ~1u) - 2 * phase);
}

/* What a read of the counting element gives. */
static uint16_t current_count(struct pit_counter *c, int64_t now)
{
	int64_t elapsed = elapsed_at(c, now);
	int64_t modulus = c->bcd ? 10000 : 65536;
	int64_t value;

	if (c->mode == RATE_GENERATOR)
		value = c->count - elapsed % c->count;
	else if (c->mode == SQUARE_WAVE)
		value = square_wave_value(c, elapsed);
	else
		value = c->count + modulus - elapsed % modulus;
	value %= modulus;
	return c->bcd ? to_bcd((uint32_t)value) : (uint16_t)value;
}

bool pit_counter_output(struct pit_counter *c, int64_t now)
{
	int64_t elapsed;

	/* The periodic modes and those that wait for the gate hold the output up while they do not
	 * count. */
	if (!c->counting && c->mode != ON_TERMINAL_COUNT && c->mode != SOFTWARE_STROBE)
		return true;
	settle(c, now);
	elapsed = elapsed_at(c, now);
	switch (c->mode) {
	case ON_TERMINAL_COUNT:
		return c->loaded && elapsed >= c->count;
	case ONE_SHOT:
		return elapsed >= c->count;
	case RATE_GENERATOR:
		return elapsed % c->count != c->count - 1;
	case SQUARE_WAVE:
		return elapsed % c->count < high_half(c->count);
	case SOFTWARE_STROBE:
		return !c->loaded || elapsed != c->count;
	default: /* HARDWARE_STROBE */
		return elapsed != c->count;
	}
}

void pit_counter_latch_count(struct pit_counter *c, int64_t now)
{
	if (c->count_latched)
		return;
	settle(c, now);
	c->latched_count = current_count(c, now);
	c->count_latched = true;
}

void pit_counter_latch_status(struct pit_counter *c, int64_t now)
{
	bool null_count;

	if (c->status_latched)
		return;
	settle(c, now);
	null_count = !c->loaded || c->next_waits || (c->counting && now < c->start);
	c->latched_status =
		(uint8_t)((pit_counter_output(c, now) ? STATUS_OUTPUT : 0) |
			  (null_count ? STATUS_NULL_COUNT : 0) | c->access << PIT_ACCESS_SHIFT |
			  c->mode << PIT_MODE_SHIFT | (c->bcd ? 1 : 0));
	c->status_latched = true;
}

uint8_t pit_counter_read(struct pit_counter *c, int64_t now)
{
	uint16_t count;
	bool high = c->access == ACCESS_HIGH;

	if (c->status_latched) {
		c->status_latched = false;
		return c->latched_status;
	}
	settle(c, now);
	count = c->count_latched ? c->latched_count : current_count(c, now);
	if (c->access == ACCESS_BOTH) {
		high = c->read_high;
		c->read_high = !c->read_high;
	}
	/* A latched count stays until all of it was read. */
	if (c->access != ACCESS_BOTH || high)
		c->count_latched = false;
	return (uint8_t)(high ? count >> 8 : count);
}

void pit_counter_write(struct pit_counter *c, uint8_t value, int64_t now)
{
	settle(c, now);
	if (c->access == ACCESS_LOW) {
		load(c, value, now);
	} else if (c->access == ACCESS_HIGH) {
		load(c, (uint16_t)(value << 8), now);
	} else if (c->write_high) {
		c->write_high = false;
		load(c, (uint16_t)(value << 8 | c->written_low), now);
	} else {
		c->write_high = true;
		c->written_low = value;
		/* In mode 0 the first byte stops the counter and lowers the output. */
		if (c->mode == ON_TERMINAL_COUNT) {
			stop(c, now);
			c->loaded = false;
		}
	}
}

void pit_counter_set_gate(struct pit_counter *c, bool gate, int64_t now)
{
	settle(c, now);
	if (gate == c->gate)
		return;
	c->gate = gate;
	if (!c->loaded)
		return;
	if (is_triggered(c)) {
		if (gate)
			start(c, c->next_waits ? c->next_count : c->count, now);
	} else if (!gate) {
		stop(c, now);
	} else if (is_periodic(c)) {
		start(c, c->next_waits ? c->next_count : c->count, now);
	} else {
		c->start = now - c->elapsed;
		c->counting = true;
	}
}
