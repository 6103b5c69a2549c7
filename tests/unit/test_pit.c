/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 and port 61h: each mode against the data sheet, and the loops with which kernels
 * calibrate. */
/* UNITS: devices/pit.c devices/pit_counter.c devices/clock.c vcpu/bus.c tests/fake/devices.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/pit.h"
#include "tests/fake/devices.h"
#include "tests/fake/log.h"

static struct pit pit;
static struct pit_counter counter;

static int setup(void **state)
{
	(void)state;
	fake_devices_reset();
	fake_log_reset();
	assert_null(pit_create(&pit, &fake_vm.bus));
	return 0;
}

/* A counter with both access bytes, gate high, a mode and a count written at tick 1000. */
static void start(unsigned mode, unsigned count)
{
	counter = (struct pit_counter){.gate = true};
	pit_counter_set_mode(&counter, (uint8_t)(0x30 | mode << 1), 1000);
	pit_counter_write(&counter, (uint8_t)count, 1000);
	pit_counter_write(&counter, (uint8_t)(count >> 8), 1000);
}

static unsigned value_at(int64_t now)
{
	unsigned low = pit_counter_read(&counter, now);

	return low | (unsigned)pit_counter_read(&counter, now) << 8;
}

static bool output_at(int64_t now)
{
	return pit_counter_output(&counter, now);
}

static void mode_0_rises_after_the_count(void **state)
{
	(void)state;
	start(0, 4);
	/* The count is in the counter with the next tick of the clock. */
	for (int i = 0; i <= 4; i++) {
		assert_int_equal(value_at(1001 + i), 4 - i);
		assert_int_equal(output_at(1001 + i), i == 4);
	}
	assert_int_equal(value_at(1006), 0xffff);
	assert_true(output_at(1006));
	assert_true(output_at(1005 + 0x10000));
	/* A new count lowers it with its first byte. */
	pit_counter_write(&counter, 10, 2000);
	assert_false(output_at(2000));
	assert_false(output_at(5000));
	pit_counter_write(&counter, 0, 6000);
	assert_false(output_at(6010));
	assert_true(output_at(6011));
}

static void mode_0_pauses_with_the_gate(void **state)
{
	(void)state;
	start(0, 100);
	pit_counter_set_gate(&counter, false, 1041);
	assert_int_equal(value_at(1041), 60);
	assert_int_equal(value_at(90000), 60);
	assert_false(output_at(90000));
	pit_counter_set_gate(&counter, true, 90000);
	assert_int_equal(value_at(90010), 50);
	assert_false(output_at(90059));
	assert_true(output_at(90060));
}

static void mode_1_is_started_by_the_gate(void **state)
{
	(void)state;
	start(1, 3);
	assert_true(output_at(2000));
	pit_counter_set_gate(&counter, false, 2000);
	pit_counter_set_gate(&counter, true, 2000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(value_at(2001 + i), 3 - i);
		assert_false(output_at(2001 + i));
	}
	assert_true(output_at(2004));
	/* It can be started again before the end, and a new count waits for that. */
	pit_counter_set_gate(&counter, false, 3000);
	pit_counter_set_gate(&counter, true, 3000);
	pit_counter_write(&counter, 5, 3001);
	pit_counter_write(&counter, 0, 3001);
	assert_false(output_at(3003));
	pit_counter_set_gate(&counter, false, 3003);
	pit_counter_set_gate(&counter, true, 3003);
	assert_false(output_at(3008));
	assert_true(output_at(3009));
}

static void mode_2_divides(void **state)
{
	(void)state;
	start(2, 3);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(value_at(1001 + i), 3 - i % 3);
		assert_int_equal(output_at(1001 + i), i % 3 != 2);
	}
	/* A new count is taken at the end of the period. */
	pit_counter_write(&counter, 5, 1032);
	pit_counter_write(&counter, 0, 1032);
	assert_int_equal(value_at(1033), 1);
	assert_int_equal(value_at(1034), 5);
	assert_int_equal(value_at(1038), 1);
	assert_false(output_at(1038));
	/* The gate stops it, with the output high, and starts it over. */
	pit_counter_set_gate(&counter, false, 1043);
	assert_true(output_at(1043));
	pit_counter_set_gate(&counter, true, 2000);
	assert_int_equal(value_at(2001), 5);
	assert_false(output_at(2005));
	/* A count written while it is stopped is the one it starts with. */
	pit_counter_set_gate(&counter, false, 2006);
	pit_counter_write(&counter, 7, 2007);
	pit_counter_write(&counter, 0, 2007);
	pit_counter_set_gate(&counter, true, 2010);
	assert_int_equal(value_at(2011), 7);
}

static void mode_3_is_a_square_wave(void **state)
{
	(void)state;
	static const uint8_t even[] = {6, 4, 2, 6, 4, 2};
	static const uint8_t odd[] = {4, 2, 0, 4, 2};

	start(3, 6);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(value_at(1001 + i), even[i % 6]);
		assert_int_equal(output_at(1001 + i), i % 6 < 3);
	}
	start(3, 5);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(value_at(1001 + i), odd[i % 5]);
		assert_int_equal(output_at(1001 + i), i % 5 < 3);
	}
	/* Taken over in the high half: the low one is the new count's. */
	start(3, 100);
	pit_counter_write(&counter, 10, 1011);
	pit_counter_write(&counter, 0, 1011);
	assert_true(output_at(1050));
	assert_false(output_at(1051));
	assert_int_equal(value_at(1051), 10);
	assert_false(output_at(1055));
	assert_true(output_at(1056));
	assert_true(output_at(1060));
	assert_false(output_at(1061));
	/* In the low half: the new one begins with its high half. */
	pit_counter_write(&counter, 4, 1062);
	pit_counter_write(&counter, 0, 1062);
	assert_false(output_at(1065));
	assert_true(output_at(1066));
	assert_true(output_at(1067));
	assert_false(output_at(1068));
}

static void modes_4_and_5_strobe(void **state)
{
	(void)state;
	start(4, 3);
	assert_true(output_at(1003));
	assert_false(output_at(1004));
	assert_true(output_at(1005));
	assert_int_equal(value_at(1005), 0xffff);
	start(5, 3);
	assert_true(output_at(1004));
	pit_counter_set_gate(&counter, false, 2000);
	pit_counter_set_gate(&counter, true, 2000);
	assert_true(output_at(2003));
	assert_false(output_at(2004));
	assert_true(output_at(2005));
}

static void bcd_counts_in_decimal(void **state)
{
	(void)state;
	counter = (struct pit_counter){.gate = true};
	pit_counter_set_mode(&counter, 0x31, 1000);
	pit_counter_write(&counter, 0x00, 1000);
	pit_counter_write(&counter, 0x12, 1000); /* 1200 */
	assert_int_equal(value_at(1002), 0x1199);
	assert_false(output_at(2200));
	assert_true(output_at(2201));
	assert_int_equal(value_at(2202), 0x9999);
	pit_counter_set_mode(&counter, 0x35, 1000);
	pit_counter_write(&counter, 0, 1000);
	pit_counter_write(&counter, 0, 1000); /* 10000 */
	assert_int_equal(value_at(1001), 0);
	assert_int_equal(value_at(1002), 0x9999);
	/* No digits: some count, and no harm. */
	pit_counter_set_mode(&counter, 0x37, 1000);
	pit_counter_write(&counter, 0xff, 1000);
	pit_counter_write(&counter, 0xff, 1000);
	value_at(5000);
	output_at(5000);
}

static void single_bytes(void **state)
{
	(void)state;
	counter = (struct pit_counter){.gate = true};
	pit_counter_set_mode(&counter, 0x14, 1000); /* low byte, mode 2 */
	pit_counter_write(&counter, 200, 1000);
	assert_int_equal(pit_counter_read(&counter, 1002), 199);
	assert_int_equal(pit_counter_read(&counter, 1003), 198);
	pit_counter_set_mode(&counter, 0x20, 1000); /* high byte, mode 0 */
	pit_counter_write(&counter, 0x02, 1000);
	assert_int_equal(pit_counter_read(&counter, 1001), 2);
	assert_int_equal(pit_counter_read(&counter, 1002), 1);
	assert_true(output_at(1001 + 0x200));
}

static void illegal_count_of_one(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 8; mode++) {
		start(mode, 1);
		for (int i = 0; i < 5; i++) {
			value_at(1000 + i);
			output_at(1000 + i);
		}
	}
}

static void latches_hold(void **state)
{
	(void)state;
	start(2, 0x1234);
	pit_counter_latch_count(&counter, 1001);
	pit_counter_latch_count(&counter, 1500); /* a second latch does not count */
	assert_int_equal(pit_counter_read(&counter, 1600), 0x34);
	assert_int_equal(pit_counter_read(&counter, 1700), 0x12);
	assert_int_equal(value_at(1701), 0x1234 - 700);
	/* Status first, then the count. */
	pit_counter_latch_count(&counter, 1001);
	pit_counter_latch_status(&counter, 1001);
	assert_int_equal(pit_counter_read(&counter, 1900), 0x80 | 0x34);
	assert_int_equal(value_at(1900), 0x1234);
	/* A count that is not taken over yet. */
	pit_counter_write(&counter, 0, 2000);
	pit_counter_write(&counter, 1, 2000);
	pit_counter_latch_status(&counter, 2000);
	assert_int_equal(pit_counter_read(&counter, 2000), 0xc0 | 0x34);
	pit_counter_latch_status(&counter, 1001 + 0x1234);
	assert_int_equal(pit_counter_read(&counter, 9999), 0x80 | 0x34);
}

static void read_back_command(void **state)
{
	(void)state;
	fake_out8(0x43, 0xb0);
	fake_out8(0x42, 0x11);
	fake_out8(0x42, 0x22);
	fake_out8(0x43, 0xc8); /* both, of counter 2 */
	assert_int_equal(fake_in8(0x42), 0x30 | 0x00);
	fake_in8(0x42);
	fake_in8(0x42);
	fake_out8(0x43, 0xe2); /* status of counter 0 */
	assert_int_equal(fake_in8(0x40) & 0x3f, 0x36);
	assert_int_equal(fake_in8(0x43), 0xff);
	/* The gate of counter 2 is closed: it has its count, and does not count. */
	fake_time_pass(1000000);
	fake_out8(0x43, 0x80);
	assert_int_equal(fake_in8(0x42), 0x11);
	assert_int_equal(fake_in8(0x42), 0x22);
}

static void firmware_left_counters_running(void **state)
{
	(void)state;
	fake_time_pass(10000000);
	fake_out8(0x43, 0x00);
	unsigned count = fake_in8(0x40);
	count |= (unsigned)fake_in8(0x40) << 8;
	/* 11931 ticks by two, from 65536. */
	assert_in_range(count, 65536 - 2 * 11932, 65536 - 2 * 11929);
	assert_in_range(fake_in8(0x41), 1, 18);
}

static unsigned rises;

static void set_irq(void *context, bool level)
{
	(void)context;
	rises += level;
}

static void counter_0_has_an_interrupt_line(void **state)
{
	(void)state;
	pit.set_irq = set_irq;
	rises = 0;
	fake_out8(0x43, 0x30);
	fake_out8(0x40, 0xa9);
	fake_out8(0x40, 0x04); /* 1 ms */
	pit_poll(&pit);
	assert_int_equal(rises, 0);
	fake_time_pass(1002000);
	pit_poll(&pit);
	pit_poll(&pit);
	assert_int_equal(rises, 1);
}

static void port_61_reads_back(void **state)
{
	(void)state;
	fake_out8(0x61, 0xff);
	assert_int_equal(fake_in8(0x61) & 0xcf, 0x0f);
	fake_out8(0x61, 0x00);
	assert_int_equal(fake_in8(0x61) & 0xcf, 0x00);
}

/* Delay loops of old programs count the changes of bit 4: two in 30.2 us. */
static void refresh_bit_toggles(void **state)
{
	(void)state;
	unsigned changes = 0;
	uint8_t last = fake_in8(0x61) & 0x10;

	for (unsigned us = 0; us < 15085; us++) {
		fake_time_pass(1000);
		if ((fake_in8(0x61) & 0x10) != last) {
			last ^= 0x10;
			changes++;
		}
	}
	assert_in_range(changes, 999, 1001);
}

/* As memtest86+ and many a kernel: counter 2 in mode 0, until bit 5 of port 61h rises. */
static void calibration_by_output(void **state)
{
	(void)state;
	static const uint64_t frequencies[] = {4000000, 100000000, 2500000000, 3693157117,
					       9000000000};

	for (unsigned i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
		setup(NULL);
		fake_tsc_hz = frequencies[i];
		fake_tsc_step = fake_tsc_hz / 4000000; /* 250 ns a port access */
		pit_reset(&pit);
		uint64_t ticks = 1193182 / 20; /* 50 ms */

		fake_out8(0x61, (uint8_t)((fake_in8(0x61) & ~0x02) | 0x01));
		fake_out8(0x43, 0xb0);
		fake_out8(0x42, (uint8_t)ticks);
		fake_out8(0x42, (uint8_t)(ticks >> 8));
		uint64_t begin = fake_tsc;
		while (!(fake_in8(0x61) & 0x20))
			;
		uint64_t measured = (fake_tsc - begin) * 20;

		assert_in_range(measured, frequencies[i] - frequencies[i] / 10000,
				frequencies[i] + frequencies[i] / 10000);
	}
}

/* As Linux's quick_pit_calibrate: the high byte of counter 2 goes down once in 256 ticks. */
static void calibration_by_count(void **state)
{
	(void)state;
	fake_tsc_hz = 2000000000;
	fake_tsc_step = 1000;
	pit_reset(&pit);
	fake_out8(0x61, (uint8_t)((fake_in8(0x61) & ~0x02) | 0x01));
	fake_out8(0x43, 0xb0);
	fake_out8(0x42, 0xff);
	fake_out8(0x42, 0xff);
	fake_in8(0x42);
	fake_in8(0x42);

	uint64_t first = 0, last = 0;

	for (unsigned expected = 0xff; expected >= 0xff - 20; expected--) {
		unsigned reads = 0;

		for (;; reads++) {
			fake_in8(0x42);
			if (fake_in8(0x42) != expected)
				break;
		}
		assert_true(reads > 5);
		if (expected == 0xff)
			first = fake_tsc;
		last = fake_tsc;
	}
	uint64_t measured = (last - first) * 1193182 / (20 * 256);

	assert_in_range(measured, fake_tsc_hz - fake_tsc_hz / 1000,
			fake_tsc_hz + fake_tsc_hz / 1000);
}

static void the_clock_is_exact_for_years(void **state)
{
	(void)state;
	struct device_clock clock;

	fake_tsc_hz = 2893202000;
	device_clock_start(&clock, PIT_HZ);
	fake_tsc += fake_tsc_hz * 86400 * 365;
	assert_in_range(device_clock_ticks(&clock), 1193182ull * 86400 * 365 - 1,
			1193182ull * 86400 * 365);
	/* A TSC slower than the device. */
	fake_tsc_hz = 1000000;
	device_clock_start(&clock, 3579545);
	fake_tsc += 1000000;
	assert_in_range(device_clock_ticks(&clock), 3579544, 3579545);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mode_0_rises_after_the_count, setup),
		cmocka_unit_test_setup(mode_0_pauses_with_the_gate, setup),
		cmocka_unit_test_setup(mode_1_is_started_by_the_gate, setup),
		cmocka_unit_test_setup(mode_2_divides, setup),
		cmocka_unit_test_setup(mode_3_is_a_square_wave, setup),
		cmocka_unit_test_setup(modes_4_and_5_strobe, setup),
		cmocka_unit_test_setup(bcd_counts_in_decimal, setup),
		cmocka_unit_test_setup(single_bytes, setup),
		cmocka_unit_test_setup(illegal_count_of_one, setup),
		cmocka_unit_test_setup(latches_hold, setup),
		cmocka_unit_test_setup(read_back_command, setup),
		cmocka_unit_test_setup(firmware_left_counters_running, setup),
		cmocka_unit_test_setup(counter_0_has_an_interrupt_line, setup),
		cmocka_unit_test_setup(port_61_reads_back, setup),
		cmocka_unit_test_setup(refresh_bit_toggles, setup),
		cmocka_unit_test_setup(calibration_by_output, setup),
		cmocka_unit_test_setup(calibration_by_count, setup),
		cmocka_unit_test_setup(the_clock_is_exact_for_years, setup),
	};

	return cmocka_run_group_tests_name("pit", tests, setup, NULL);
}
