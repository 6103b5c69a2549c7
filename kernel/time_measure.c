/* SPDX-License-Identifier: BSD-2-Clause */
/* Lets the PIT or the PM timer run for 10 ms and counts the ticks of the TSC; every loop is
 * bounded. */
#include "kernel/time_measure.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/instructions.h"

#define PIT_FREQUENCY 1193182ul
#define PIT_COUNT     11931u /* 10 ms */
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND   0x43
#define PIT_MODE_0    0xb0 /* channel 2, both bytes, interrupt on terminal count, binary */

#define CONTROL_PORT    0x61
#define CONTROL_GATE    0x01 /* channel 2 counts */
#define CONTROL_SPEAKER 0x02
#define CONTROL_KEEP    0x0c /* enables of parity and channel checks: left as they are */
#define CONTROL_OUTPUT  0x20 /* channel 2 has reached its terminal count */

#define PM_FREQUENCY 3579545ul
#define PM_COUNT     35795u /* 10 ms */

/*
 * The limits of one wait of 10 ms. The first is 10 ms at 40 GHz. The second is for a TSC that
 * stands still or is slow: a read of a port takes a microsecond on hardware, but only some
 * instructions in an emulator.
 */
#define WAIT_TICKS_MAX 400000000ul
#define WAIT_READS_MAX 10000000u

/* One measurement may be disturbed (system management, a hypervisor below us), so there are more.
 */
#define ATTEMPTS_MAX 5u
#define GOOD_ENOUGH  1000u /* stop when the error is below 1 in that many */

/* No TSC is outside of these. */
#define FREQUENCY_MIN 100000ul
#define FREQUENCY_MAX 100000000000ul

/* When something happened: not before `from`, not after `to`, in ticks of the TSC. */
struct moment {
	uint64_t from, to;
};

/* The timer's `count` ticks lasted from begin to end. */
struct sample {
	struct moment begin, end;
	uint64_t count;
};

static uint64_t middle(struct moment moment)
{
	return moment.from + (moment.to - moment.from) / 2;
}

static bool waited_too_long(const struct sample *sample, uint64_t now, unsigned reads)
{
	return now - sample->begin.from > WAIT_TICKS_MAX || reads >= WAIT_READS_MAX;
}

/* Waits until the PIT's output rises. */
static err_t wait_for_output(struct sample *sample)
{
	uint64_t before = rdtsc(), now;

	if (in8(CONTROL_PORT) & CONTROL_OUTPUT)
		return "its output is high before it has counted";
	for (unsigned reads = 0;; reads++) {
		/* Low when read before, which was after `before`. */
		sample->end.from = before;
		before = rdtsc();
		if (in8(CONTROL_PORT) & CONTROL_OUTPUT)
			break;
		now = rdtsc();
		if (waited_too_long(sample, now, reads))
			return "its output never rises";
	}
	sample->end.to = rdtsc();
	return NULL;
}

static err_t sample_pit(const struct pm_timer *unused, struct sample *sample)
{
	uint8_t old = in8(CONTROL_PORT), keep = old & CONTROL_KEEP;
	err_t err;

	(void)unused;
	out8(CONTROL_PORT, keep | CONTROL_GATE);
	out8(PIT_COMMAND, PIT_MODE_0);
	out8(PIT_CHANNEL_2, PIT_COUNT & 0xff);
	sample->begin.from = rdtsc();
	out8(PIT_CHANNEL_2, PIT_COUNT >> 8);
	sample->begin.to = rdtsc();
	/* In mode 0 the next clock loads the count: the output rises one clock later than it says.
	 */
	sample->count = PIT_COUNT + 1;
	err = wait_for_output(sample);
	out8(CONTROL_PORT, keep | (old & (CONTROL_GATE | CONTROL_SPEAKER)));
	return err;
}

static err_t sample_pm_timer(const struct pm_timer *pm, struct sample *sample)
{
	uint32_t mask = pm->wide ? UINT32_MAX : 0xffffff, first, passed;

	sample->begin.from = rdtsc();
	first = in32(pm->port);
	sample->begin.to = rdtsc();
	for (unsigned reads = 0;; reads++) {
		sample->end.from = rdtsc();
		passed = (in32(pm->port) - first) & mask;
		sample->end.to = rdtsc();
		if (passed >= PM_COUNT)
			break;
		if (waited_too_long(sample, sample->end.to, reads))
			return passed ? "it is far too slow" : "it stands still";
	}
	sample->count = passed;
	return NULL;
}

static err_t evaluate(const struct sample *sample, uint64_t frequency,
		      struct tsc_measurement *result)
{
	uint64_t begin = middle(sample->begin), end = middle(sample->end);
	uint64_t doubt =
		(sample->begin.to - sample->begin.from + sample->end.to - sample->end.from) / 2;

	if (end <= begin || end - begin > 2 * WAIT_TICKS_MAX)
		return "the TSC does not run forward meanwhile";
	*result = (struct tsc_measurement){
		.frequency = (end - begin) * frequency / sample->count,
		.uncertainty = doubt * frequency / sample->count,
	};
	if (result->frequency < FREQUENCY_MIN || result->frequency > FREQUENCY_MAX)
		return error("it makes the TSC run at %lu Hz", result->frequency);
	return NULL;
}

/* The attempt with the least doubt counts; the error is the last one, if none succeeds. */
static err_t measure(err_t (*take)(const struct pm_timer *pm, struct sample *sample),
		     const struct pm_timer *pm, uint64_t frequency, struct tsc_measurement *result)
{
	err_t err = NULL;
	bool found = false;

	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		struct tsc_measurement attempt;
		struct sample sample = {0};

		err = take(pm, &sample);
		/* One that lasted to its limit is not worth a second wait. */
		if (err && rdtsc() - sample.begin.from > WAIT_TICKS_MAX / 2)
			break;
		if (!err)
			err = evaluate(&sample, frequency, &attempt);
		if (err)
			continue;
		if (!found || attempt.uncertainty < result->uncertainty)
			*result = attempt;
		found = true;
		if (result->uncertainty < result->frequency / GOOD_ENOUGH)
			break;
	}
	return found ? NULL : err;
}

err_t tsc_measure_pit(struct tsc_measurement *result)
{
	return measure(sample_pit, NULL, PIT_FREQUENCY, result);
}

err_t tsc_measure_pm_timer(const struct pm_timer *pm, struct tsc_measurement *result)
{
	if (!pm || pm->port == 0)
		return "there is none";
	return measure(sample_pm_timer, pm, PM_FREQUENCY, result);
}
