/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides on the frequency of the TSC, and converts between its ticks and time. */
#include "kernel/time.h"

#include <stddef.h>

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/time_measure.h"

#define MHZ 1000000ul
#define GHZ 1000000000ul

#define NS_PER_SECOND 1000000000ul
#define US_PER_SECOND 1000000ul

#define ASSUMED_FREQUENCY GHZ

/* A claim of CPUID is confirmed by a measurement that differs by less than one in this many. */
#define AGREEMENT 50u

/* So often may the TSC be the same in a delay, before it counts as dead. */
#define STILL_READS_MAX 10000000u

/* A factor: multiplier / 2^shift. */
struct scale {
	uint64_t multiplier;
	unsigned shift;
};

static struct {
	uint64_t frequency;
	bool invariant;
	struct scale ticks_per_ns, ticks_per_us;
	struct scale ns_per_tick, us_per_tick;
} tsc = {
	.frequency = ASSUMED_FREQUENCY,
 /* clang-format off */
	.ticks_per_ns = {1, 0},
	.ticks_per_us = {1000, 0},
	.ns_per_tick  = {1, 0},
	.us_per_tick  = {0x83126e978d4fdf3c, 73}, /* 2^73 / 1000, rounded up */
  /* clang-format on */
};

/* What CPUID says of the frequency. */
struct claim {
	uint64_t frequency; /* 0: nothing */
	const char *leaves;
	bool exact; /* from the crystal's own frequency, not rounded to MHz */
};

/*
 * numerator / denominator to 62 bits, by long division. Rounded up, so that an exact multiple does
 * not come out one too small.
 */
static struct scale make_scale(uint64_t numerator, uint64_t denominator)
{
	struct scale scale = {.multiplier = numerator / denominator};
	uint64_t rest = numerator % denominator;

	while (scale.multiplier < 1ul << 61 && rest != 0) {
		rest *= 2;
		scale.multiplier = scale.multiplier * 2 + (rest >= denominator);
		if (rest >= denominator)
			rest -= denominator;
		scale.shift++;
	}
	if (rest != 0)
		scale.multiplier++;
	return scale;
}

static uint64_t apply_scale(struct scale scale, uint64_t value)
{
	unsigned __int128 product = (unsigned __int128)value * scale.multiplier >> scale.shift;

	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

static void set_frequency(uint64_t frequency)
{
	tsc.frequency = frequency;
	tsc.ticks_per_ns = make_scale(frequency, NS_PER_SECOND);
	tsc.ticks_per_us = make_scale(frequency, US_PER_SECOND);
	tsc.ns_per_tick = make_scale(NS_PER_SECOND, frequency);
	tsc.us_per_tick = make_scale(US_PER_SECOND, frequency);
}

/* SDM "Time-Stamp Counter": leaf 15h gives the TSC as a ratio of the crystal, 16h only nominal MHz.
 */
static struct claim read_claim(void)
{
	uint32_t last = cpuid_max_leaf(cpuid, 0);
	struct cpuid_result ratio = {0}, nominal = {0};

	if (last >= CPUID_LEAF_TSC)
		ratio = cpuid(CPUID_LEAF_TSC, 0);
	if (last >= CPUID_LEAF_FREQUENCY)
		nominal = cpuid(CPUID_LEAF_FREQUENCY, 0);
	if (ratio.eax != 0 && ratio.ebx != 0 && ratio.ecx != 0)
		return (struct claim){(uint64_t)ratio.ecx * ratio.ebx / ratio.eax, "CPUID 15h",
				      true};
	return (struct claim){(nominal.eax & 0xffff) * MHZ, "CPUID 16h", false};
}

static bool agrees(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) < b / AGREEMENT;
}

#define FREQUENCY_TEXT_MAX 32

/* "3.500 GHz", "100.000 MHz" */
static const char *frequency_text(uint64_t frequency, char text[FREQUENCY_TEXT_MAX])
{
	uint64_t unit = frequency >= GHZ ? GHZ : MHZ;

	format(text, FREQUENCY_TEXT_MAX, "%lu.%03lu %s", frequency / unit,
	       frequency % unit / (unit / 1000), unit == GHZ ? "GHz" : "MHz");
	return text;
}

/* What to say after the measured frequency. */
static void tell_measured(uint64_t measured, const char *timer, struct claim claim)
{
	char now[FREQUENCY_TEXT_MAX], claimed[FREQUENCY_TEXT_MAX];
	const char *steady = tsc.invariant ? "invariant" : "not invariant";

	frequency_text(tsc.frequency, now);
	frequency_text(claim.frequency, claimed);
	if (claim.frequency == 0)
		log_info("time: TSC %s, measured with %s; %s", now, timer, steady);
	else if (!agrees(claim.frequency, measured))
		log_info("time: TSC %s, measured with %s; %s claims %s and is not believed; %s",
			 now, timer, claim.leaves, claimed, steady);
	else if (claim.exact)
		log_info("time: TSC %s by %s, confirmed with %s; %s", now, claim.leaves, timer,
			 steady);
	else
		log_info("time: TSC %s, measured with %s; %s agrees with %s; %s", now, timer,
			 claim.leaves, claimed, steady);
}

static void tell_unmeasured(const char *pit_fault, const char *pm_fault, struct claim claim)
{
	char now[FREQUENCY_TEXT_MAX];

	frequency_text(tsc.frequency, now);
	log_warn("time: nothing to measure the TSC with (PIT: %s; ACPI PM timer: %s)", pit_fault,
		 pm_fault);
	if (claim.frequency)
		log_warn("time: TSC %s as %s claims, unconfirmed: times may be wrong", now,
			 claim.leaves);
	else
		log_warn("time: TSC %s is assumed: times will be wrong", now);
}

void time_init(const struct pm_timer *pm)
{
	struct tsc_measurement measured = {0};
	const char *timer = "the PIT";
	struct claim claim = read_claim();
	err_t pit_fault = tsc_measure_pit(&measured), pm_fault = NULL;

	tsc.invariant = cpuid_has(cpuid, CPUID_INVARIANT_TSC);
	if (pit_fault) {
		timer = "the ACPI PM timer";
		pm_fault = tsc_measure_pm_timer(pm, &measured);
	}
	if (pm_fault) {
		set_frequency(claim.frequency ? claim.frequency : ASSUMED_FREQUENCY);
		tell_unmeasured(pit_fault, pm_fault, claim);
		return;
	}
	if (pit_fault)
		log_info("time: the PIT is of no use: %s", pit_fault);
	/* Nominal MHz are too coarse, even where they are about right. */
	if (claim.exact && agrees(claim.frequency, measured.frequency))
		set_frequency(claim.frequency);
	else
		set_frequency(measured.frequency);
	tell_measured(measured.frequency, timer, claim);
}

uint64_t time_now(void)
{
	return rdtsc();
}

uint64_t time_frequency(void)
{
	return tsc.frequency;
}

bool time_is_invariant(void)
{
	return tsc.invariant;
}

uint64_t time_ticks_from_ns(uint64_t ns)
{
	return apply_scale(tsc.ticks_per_ns, ns);
}

uint64_t time_ticks_from_us(uint64_t us)
{
	return apply_scale(tsc.ticks_per_us, us);
}

uint64_t time_ns_from_ticks(uint64_t ticks)
{
	return apply_scale(tsc.ns_per_tick, ticks);
}

uint64_t time_us_from_ticks(uint64_t ticks)
{
	return apply_scale(tsc.us_per_tick, ticks);
}

void time_delay_us(uint64_t us)
{
	uint64_t ticks = time_ticks_from_us(us), start = rdtsc(), last = start, now;
	unsigned still = 0;

	while ((now = rdtsc()) - start <= ticks) {
		if (now == last && ++still > STILL_READS_MAX)
			return;
		last = now;
		pause();
	}
}
