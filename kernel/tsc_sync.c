/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how far the time-stamp counters of two processors are apart, by exchanges in memory. */
#include "kernel/tsc_sync.h"

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "arch/x86_64/msr.h"
#include "kernel/time.h"

#define EXCHANGES 32u

/* Both are bounds of one wait; the second one in case that the counter stands still. */
#define WAIT_MS   1000u
#define LOOKS_MAX 100000000u

enum question { NOTHING, READ, ADJUST, END };

/* A question stands until its answer. Each in a cache line of its own. */
static struct {
	uint32_t number ALIGNED(64); /* of the question; the last one's when all are answered */
	enum question question;
	int64_t ticks;
	uint32_t answered ALIGNED(64); /* the number of the question that was answered last */
	uint64_t counter;
	bool done;
} exchange;

struct tsc_difference tsc_difference_of(const struct tsc_sample *samples, unsigned count)
{
	struct tsc_difference best = {0};

	for (unsigned i = 0; i < count; i++) {
		const struct tsc_sample *s = &samples[i];
		uint64_t width = s->after - s->before;

		/* The other's counter was read at some time between. The shorter, the better known.
		 */
		if (i > 0 && width / 2 >= best.doubt)
			continue;
		best.doubt = width / 2 + 1;
		best.ticks = (int64_t)(s->other - (s->before + width / 2));
	}
	return best;
}

/* SDM "Time-Stamp Counter": RDTSC does not wait for the loads before it; LFENCE does. */
static uint64_t read_counter(void)
{
	uint64_t value;

	lfence();
	value = rdtsc();
	lfence();
	return value;
}

static bool wait_for(const uint32_t *word, uint32_t value)
{
	uint64_t start = rdtsc(), limit = time_frequency() / 1000 * WAIT_MS;

	for (unsigned i = 0; i < LOOKS_MAX && rdtsc() - start < limit; i++) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
			return true;
		pause();
	}
	return false;
}

void tsc_sync_begin(void)
{
	__atomic_store_n(&exchange.answered, exchange.number, __ATOMIC_RELEASE);
}

static bool ask(enum question question, int64_t ticks)
{
	uint32_t number = exchange.number + 1;

	exchange.question = question;
	exchange.ticks = ticks;
	__atomic_store_n(&exchange.number, number, __ATOMIC_RELEASE);
	return wait_for(&exchange.answered, number);
}

bool tsc_sync_measure(struct tsc_difference *difference)
{
	struct tsc_sample samples[EXCHANGES];

	for (unsigned i = 0; i < EXCHANGES; i++) {
		samples[i].before = read_counter();
		if (!ask(READ, 0))
			return false;
		samples[i].after = read_counter();
		samples[i].other = exchange.counter;
	}
	*difference = tsc_difference_of(samples, EXCHANGES);
	return true;
}

bool tsc_sync_adjust(int64_t ticks)
{
	return ask(ADJUST, ticks) && exchange.done;
}

void tsc_sync_end(void)
{
	/* One that does not answer has left already. */
	(void)ask(END, 0);
}

/* SDM "IA32_TSC_ADJUST Register and TSC Synchronization": what is added there is added to the
 * counter. */
static bool adjust(int64_t ticks)
{
	if (!cpuid_has(cpuid, CPUID_TSC_ADJUST))
		return false;
	wrmsr(IA32_TSC_ADJUST, rdmsr(IA32_TSC_ADJUST) + (uint64_t)ticks);
	return true;
}

void tsc_sync_follow(void)
{
	uint32_t number = __atomic_load_n(&exchange.answered, __ATOMIC_ACQUIRE);

	while (wait_for(&exchange.number, ++number)) {
		enum question question = exchange.question;

		if (question == READ)
			exchange.counter = read_counter();
		else if (question == ADJUST)
			exchange.done = adjust(exchange.ticks);
		__atomic_store_n(&exchange.answered, number, __ATOMIC_RELEASE);
		if (question == END)
			return;
	}
}
