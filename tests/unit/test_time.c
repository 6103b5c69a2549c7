/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC's frequency on simulated machines with timers that run, lie or are dead; and conversions.
 */
/* UNITS: kernel/time.c kernel/time_measure.c arch/x86_64/cpuid.c kernel/format.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/instructions.h"
#include "kernel/time.h"
#include "tests/fake/log.h"

#define PM_PORT 0x608

/* The machine; all zero: no timer works, CPUID says nothing, and the TSC stands still. */
static struct {
	uint64_t frequency; /* of the TSC */
	uint64_t read_cost; /* of a port, in ticks */

	bool pit;            /* it counts */
	bool pit_stuck_low;  /* it takes commands but never gets there */
	bool pit_stuck_high; /* its output is high always */
	uint64_t pit_skew;   /* its clock runs that many per mille of the right speed; 0: 1000 */
	bool pm;
	bool pm_wide;
	uint32_t pm_first; /* its value at tick 0 */

	uint64_t pause_at; /* the TSC jumps by pause_ticks here: system management */
	uint64_t pause_ticks;
	const uint64_t *late_pauses; /* one for each start of the PIT: just before it is done */

	struct cpuid_result ratio, nominal;
	uint32_t last_leaf;
	bool invariant;

	/* State. */
	uint8_t control, low;
	bool low_given, mode_set, late_armed;
	uint64_t pit_started;
	uint32_t pit_count;
	uint64_t reads;
} machine;

static uint64_t scaled(uint64_t ticks, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)ticks * hz / machine.frequency);
}

static bool pit_output(void)
{
	uint64_t hz = 1193182 * (machine.pit_skew ? machine.pit_skew : 1000) / 1000;

	if (machine.pit_stuck_high)
		return true;
	if (!machine.pit || machine.pit_stuck_low || !machine.pit_started)
		return false;
	return scaled(fake_machine.tsc - machine.pit_started, hz) > machine.pit_count;
}

static void spend(void)
{
	fake_machine.tsc += machine.read_cost;
	machine.reads++;
	if (machine.late_pauses && machine.late_armed && machine.pit_started &&
	    fake_machine.tsc - machine.pit_started > machine.frequency / 101) {
		fake_machine.tsc += *machine.late_pauses++;
		machine.late_armed = false;
	}
	if (machine.pause_at && fake_machine.tsc >= machine.pause_at) {
		fake_machine.tsc += machine.pause_ticks;
		machine.pause_at = 0;
	}
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	spend();
	if (port == 0x61 && size == 1)
		return machine.control | (pit_output() ? 0x20u : 0);
	if (port == PM_PORT && size == 4) {
		uint32_t value = machine.pm_first;

		if (machine.pm)
			value += (uint32_t)scaled(fake_machine.tsc, 3579545);
		return machine.pm_wide ? value : value & 0xffffff;
	}
	return UINT32_MAX;
}

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
	spend();
	assert_int_equal(size, 1);
	switch (port) {
	case 0x61:
		machine.control = (uint8_t)value & 0x0f;
		break;
	case 0x43:
		assert_int_equal(value, 0xb0);
		machine.mode_set = true;
		machine.low_given = false;
		machine.pit_started = 0;
		break;
	case 0x42:
		assert_true(machine.mode_set);
		if (machine.low_given) {
			assert_int_equal(machine.control & 3, 1);
			machine.pit_count = machine.low | value << 8;
			machine.pit_started = fake_machine.tsc;
			machine.late_armed = true;
		}
		machine.low = (uint8_t)value;
		machine.low_given = !machine.low_given;
		break;
	default:
		fail_msg("port %#x is written", port);
	}
}

static struct cpuid_result processor(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	switch (leaf) {
	case 0:
		return (struct cpuid_result){.eax = machine.last_leaf};
	case 0x15:
		return machine.ratio;
	case 0x16:
		return machine.nominal;
	case 0x80000000:
		return (struct cpuid_result){.eax = 0x80000008};
	case 0x80000007:
		return (struct cpuid_result){.edx = machine.invariant ? 1u << 8 : 0};
	default:
		return (struct cpuid_result){.eax = 0};
	}
}

static int setup(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_log_reset();
	memset(&machine, 0, sizeof(machine));
	fake_machine.cpuid = processor;
	fake_machine.port_read = port_read;
	fake_machine.port_write = port_write;
	fake_machine.tsc = 1000;
	machine.control = 0x0c;
	machine.last_leaf = 0x16;
	return 0;
}

/* A machine on which a port costs a microsecond (but at least 20 ticks) and rdtsc some ticks. */
static void run_at(uint64_t frequency)
{
	machine.frequency = frequency;
	machine.read_cost = frequency / 1000000 < 20 ? 20 : frequency / 1000000;
	fake_machine.tsc_step = 2;
}

static void assert_about(uint64_t actual, uint64_t expected, uint64_t parts)
{
	uint64_t off = actual > expected ? actual - expected : expected - actual;

	if (off > expected / parts)
		fail_msg("%lu is not about %lu", actual, expected);
}

static const struct pm_timer narrow = {.port = PM_PORT, .wide = false};
static const struct pm_timer wide = {.port = PM_PORT, .wide = true};

static void pit_at_all_speeds(void **state)
{
	static const uint64_t speeds[] = {4000000,    20000000,   100000000, 1000000000,
					  2592000000, 3500000000, 6000000000};

	for (unsigned i = 0; i < ARRAY_COUNT(speeds); i++) {
		setup(state);
		machine.pit = true;
		run_at(speeds[i]);
		time_init(&narrow);
		assert_about(time_frequency(), speeds[i], 500);
		assert_true(fake_log_contains("measured with the PIT; not invariant"));
		assert_int_equal(fake_log_count(), 1);
		/* The speaker and the enables are as they were. */
		assert_int_equal(machine.control, 0x0c);
	}
}

static void lying_cpuid_is_not_believed(void **state)
{
	(void)state;
	machine.pit = true;
	machine.invariant = true;
	machine.ratio = (struct cpuid_result){.eax = 2, .ebx = 280, .ecx = 25000000};
	machine.nominal.eax = 3500;
	run_at(100000000);
	time_init(NULL);
	assert_about(time_frequency(), 100000000, 500);
	assert_true(
		fake_log_contains("measured with the PIT; CPUID 15h claims 3.500 GHz and is not "
				  "believed; invariant"));
	assert_true(time_is_invariant());
}

static void honest_cpuid_is_exact(void **state)
{
	(void)state;
	machine.pit = true;
	machine.ratio = (struct cpuid_result){.eax = 2, .ebx = 216, .ecx = 24000000};
	run_at(2592000000);
	time_init(NULL);
	assert_int_equal(time_frequency(), 2592000000);
	assert_string_equal(fake_log_last(), "plinth: time: TSC 2.592 GHz by CPUID 15h, confirmed "
					     "with the PIT; not invariant");
}

/* Nominal MHz agree, but are not what the TSC runs at. */
static void nominal_frequency_is_coarse(void **state)
{
	(void)state;
	machine.pit = true;
	machine.ratio = (struct cpuid_result){.eax = 2, .ebx = 216};
	machine.nominal.eax = 2600;
	run_at(2592000000);
	time_init(NULL);
	assert_about(time_frequency(), 2592000000, 800);
	assert_true(fake_log_contains("CPUID 16h agrees with 2.600 GHz"));

	/* Leaves beyond the last one are not looked at. */
	setup(state);
	machine.pit = true;
	machine.last_leaf = 0x14;
	machine.ratio = (struct cpuid_result){.eax = 2, .ebx = 216, .ecx = 24000000};
	machine.nominal.eax = 2600;
	run_at(2592000000);
	time_init(NULL);
	assert_false(fake_log_contains("CPUID"));
}

static void pm_timer_takes_over(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		setup(state);
		machine.pit_stuck_low = i % 2;
		machine.pit_stuck_high = !machine.pit_stuck_low;
		machine.pm = true;
		machine.pm_wide = i / 2;
		/* It wraps during the measurement. */
		machine.pm_first = UINT32_MAX - 20000;
		run_at(2000000000);
		time_init(machine.pm_wide ? &wide : &narrow);
		/* One measurement of 10 ms is enough. */
		if (machine.pit_stuck_high)
			assert_true(machine.reads < 12000);
		assert_about(time_frequency(), 2000000000, 500);
		assert_true(fake_log_contains("measured with the ACPI PM timer"));
		assert_true(fake_log_contains(i % 2 ? "the PIT is of no use: its output never rises"
						    : "the PIT is of no use: its output is high"));
	}
}

static void dead_timers(void **state)
{
	(void)state;
	machine.pit_stuck_low = true;
	run_at(3000000000);
	time_init(&wide);
	assert_int_equal(time_frequency(), 1000000000);
	assert_true(
		fake_log_contains("PIT: its output never rises; ACPI PM timer: it stands still"));
	assert_true(fake_log_contains("TSC 1.000 GHz is assumed: times will be wrong"));
	assert_int_equal(fake_log_level(0), LOG_WARN);
	/* Bounded: a tenth of a second each, at a microsecond a read. */
	assert_true(machine.reads < 600000);

	setup(state);
	machine.nominal.eax = 3100;
	run_at(3000000000);
	machine.pit_stuck_high = true;
	time_init(NULL);
	assert_int_equal(time_frequency(), 3100000000);
	assert_true(fake_log_contains("as CPUID 16h claims, unconfirmed"));
	assert_true(fake_log_contains("ACPI PM timer: there is none"));
	assert_true(machine.reads < 100);
}

/* Ports that nobody answers read as ones. */
static void empty_machine(void **state)
{
	(void)state;
	fake_machine.port_read = NULL;
	fake_machine.port_write = NULL;
	fake_machine.tsc_step = 100;
	time_init(&narrow);
	assert_int_equal(time_frequency(), 1000000000);
}

/* The number of reads bounds the wait as well. */
static void tsc_stands_still(void **state)
{
	(void)state;
	machine.frequency = 1000000000;
	time_init(&narrow);
	assert_int_equal(time_frequency(), 1000000000);
	assert_true(fake_log_contains("nothing to measure"));
	time_delay_us(1000);
}

static void disturbances_are_seen(void **state)
{
	/* 3 ms of system management at any moment of the first measurement. */
	for (uint64_t at = 1; at < 24000000; at += 999999) {
		setup(state);
		machine.pit = true;
		run_at(2000000000);
		machine.pause_at = fake_machine.tsc + at;
		machine.pause_ticks = 6000000;
		time_init(NULL);
		assert_about(time_frequency(), 2000000000, 500);
	}
	/* So long that the output is high at the first look. */
	setup(state);
	machine.pit = true;
	run_at(2000000000);
	machine.pause_at = fake_machine.tsc + 9000;
	machine.pause_ticks = 50000000;
	time_init(NULL);
	assert_about(time_frequency(), 2000000000, 500);
}

/* When every measurement is disturbed, the least disturbed one counts. */
static void best_of_bad_measurements(void **state)
{
	static const uint64_t pauses[] = {6000000, 2000000, 200000, 4000000, 8000000, 8000000};

	(void)state;
	machine.pit = true;
	run_at(2000000000);
	machine.late_pauses = pauses;
	time_init(NULL);
	assert_ptr_equal(machine.late_pauses, pauses + 5);
	assert_about(time_frequency(), 2000000000, 80);
}

/* A PIT that is too fast makes CPUID look wrong; nobody can tell, so the measurement counts. */
static void skewed_pit(void **state)
{
	(void)state;
	machine.pit = true;
	machine.pit_skew = 985;
	machine.ratio = (struct cpuid_result){.eax = 1, .ebx = 80, .ecx = 25000000};
	run_at(2000000000);
	time_init(NULL);
	assert_int_equal(time_frequency(), 2000000000);

	setup(state);
	machine.pit = true;
	machine.pit_skew = 900;
	machine.ratio = (struct cpuid_result){.eax = 1, .ebx = 80, .ecx = 25000000};
	run_at(2000000000);
	time_init(NULL);
	assert_about(time_frequency(), 2222222222, 500);
}

/* CPUID decides exactly, so that conversions can be checked exactly. */
static void set_frequency(void **state, uint32_t hz)
{
	setup(state);
	machine.ratio = (struct cpuid_result){.eax = 1, .ebx = 1, .ecx = hz};
	machine.pit_stuck_high = true;
	machine.frequency = hz;
	time_init(NULL);
	assert_int_equal(time_frequency(), hz);
}

static void conversions(void **state)
{
	static const uint32_t speeds[] = {1000000,    1193182,    4000000,    99999999,   100000000,
					  1000000000, 2592000000, 3500000000, 4294967295, 3};
	static const uint64_t values[] = {0,   1,    2,       3,         7,
					  999, 1000, 1000000, 123456789, 10000000000};

	for (unsigned i = 0; i < ARRAY_COUNT(speeds); i++) {
		uint64_t hz = speeds[i];

		set_frequency(state, speeds[i]);
		for (unsigned v = 0; v < ARRAY_COUNT(values); v++) {
			unsigned __int128 value = values[v];

			assert_int_equal(time_ticks_from_us(values[v]),
					 (uint64_t)(value * hz / 1000000));
			assert_int_equal(time_ticks_from_ns(values[v]),
					 (uint64_t)(value * hz / 1000000000));
			assert_int_equal(time_us_from_ticks(values[v]),
					 (uint64_t)(value * 1000000 / hz));
			assert_int_equal(time_ns_from_ticks(values[v]),
					 (uint64_t)(value * 1000000000 / hz));
		}
	}
}

static void conversions_of_large_values(void **state)
{
	set_frequency(state, 3500000000);
	assert_int_equal(time_ticks_from_us(UINT64_MAX), UINT64_MAX);
	assert_int_equal(time_ticks_from_ns(UINT64_MAX), UINT64_MAX);
	assert_about(time_ns_from_ticks(UINT64_MAX), 5270498306774157604ul, 1ul << 60);
	assert_about(time_us_from_ticks(UINT64_MAX), 5270498306774157ul, 1ul << 50);
	/* A hundred years. */
	assert_about(time_ticks_from_us(3155760000000000ul), 11045160000000000000ul, 1ul << 60);
	set_frequency(state, 1000000);
	assert_int_equal(time_ns_from_ticks(UINT64_MAX), UINT64_MAX);
	assert_int_equal(time_us_from_ticks(UINT64_MAX), UINT64_MAX);
}

static void delay(void **state)
{
	uint64_t start;

	set_frequency(state, 100000000);
	fake_machine.tsc_step = 7;
	start = time_now();
	time_delay_us(50);
	assert_in_range(time_now() - start, 5000, 5100);
	start = time_now();
	time_delay_us(0);
	assert_in_range(time_now() - start, 0, 50);
	/* Across the end of the TSC. */
	fake_machine.tsc = UINT64_MAX - 100;
	time_delay_us(50);
	assert_in_range(fake_machine.tsc, 4899, 5100);
}

/* Before anything was measured; the first test that runs. */
static void before_time_init(void **state)
{
	(void)state;
	assert_int_equal(time_frequency(), 1000000000);
	assert_int_equal(time_ticks_from_us(5), 5000);
	assert_int_equal(time_ticks_from_ns(5), 5);
	assert_int_equal(time_us_from_ticks(5000), 5);
	assert_int_equal(time_us_from_ticks(4999), 4);
	assert_int_equal(time_ns_from_ticks(5), 5);
	assert_int_equal(time_now(), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(before_time_init, setup),
		cmocka_unit_test_setup(pit_at_all_speeds, setup),
		cmocka_unit_test_setup(lying_cpuid_is_not_believed, setup),
		cmocka_unit_test_setup(honest_cpuid_is_exact, setup),
		cmocka_unit_test_setup(nominal_frequency_is_coarse, setup),
		cmocka_unit_test_setup(pm_timer_takes_over, setup),
		cmocka_unit_test_setup(dead_timers, setup),
		cmocka_unit_test_setup(empty_machine, setup),
		cmocka_unit_test_setup(tsc_stands_still, setup),
		cmocka_unit_test_setup(disturbances_are_seen, setup),
		cmocka_unit_test_setup(best_of_bad_measurements, setup),
		cmocka_unit_test_setup(skewed_pit, setup),
		cmocka_unit_test_setup(conversions, setup),
		cmocka_unit_test_setup(conversions_of_large_values, setup),
		cmocka_unit_test_setup(delay, setup),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
