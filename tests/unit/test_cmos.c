/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's clock chip and its memory, and the reading of the host's. */
/* UNITS: devices/cmos.c devices/clock.c kernel/rtc.c vcpu/bus.c tests/fake/devices.c */
/* UNITS: tests/fake/log.c tests/fake/error.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "arch/x86_64/instructions.h"
#include "devices/cmos.h"
#include "kernel/rtc.h"
#include "tests/fake/devices.h"

#define SECOND_NS 1000000000ull

static struct cmos cmos;
static const struct rtc_time start = {2026, 12, 31, 23, 59, 50};

static uint8_t in(uint8_t index)
{
	fake_out8(0x70, index);
	return fake_in8(0x71);
}

static void out(uint8_t index, unsigned value)
{
	fake_out8(0x70, index);
	fake_out8(0x71, (uint8_t)value);
}

static void create(const struct rtc_time *date)
{
	fake_devices_reset();
	fake_vm.extents[0] = (struct vm_extent){.gpa = GPA(0), .size = 0xa0000};
	fake_vm.extents[1] = (struct vm_extent){.gpa = GPA(MIB), .size = 31 * MIB};
	fake_vm.extent_count = 2;
	assert_null(cmos_create(&cmos, &fake_vm, date));
}

static int setup(void **state)
{
	(void)state;
	create(&start);
	return 0;
}

static void expect_time(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
			unsigned second)
{
	assert_int_equal(in(0x32), year >> 8);
	assert_int_equal(in(9), year & 0xff);
	assert_int_equal(in(8), month);
	assert_int_equal(in(7), day);
	assert_int_equal(in(4), hour);
	assert_int_equal(in(2), minute);
	assert_int_equal(in(0), second);
}

static void time_goes_on(void **state)
{
	(void)state;
	expect_time(0x2026, 0x12, 0x31, 0x23, 0x59, 0x50);
	assert_int_equal(in(6), 5); /* a Thursday */
	fake_time_pass(9 * SECOND_NS + SECOND_NS / 2);
	expect_time(0x2026, 0x12, 0x31, 0x23, 0x59, 0x59);
	fake_time_pass(SECOND_NS);
	expect_time(0x2027, 0x01, 0x01, 0x00, 0x00, 0x00);
	assert_int_equal(in(6), 6);
	fake_time_pass(366 * 86400 * SECOND_NS);
	expect_time(0x2028, 0x01, 0x02, 0x00, 0x00, 0x00);
}

static void formats(void **state)
{
	(void)state;
	static const struct {
		uint8_t hour, bcd_24, bcd_12, binary_12;
	} hours[] = {
		{0,  0x00, 0x12, 12       },
                {1,  0x01, 0x01, 1        },
                {11, 0x11, 0x11, 11       },
		{12, 0x12, 0x92, 0x80 | 12},
                {13, 0x13, 0x81, 0x81     },
                {23, 0x23, 0x91, 0x80 | 11},
	};

	for (unsigned i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		create(&(struct rtc_time){1999, 10, 28, hours[i].hour, 34, 56});
		out(0x0b, 0x02);
		assert_int_equal(in(4), hours[i].bcd_24);
		out(0x0b, 0x00);
		assert_int_equal(in(4), hours[i].bcd_12);
		out(0x0b, 0x04);
		assert_int_equal(in(4), hours[i].binary_12);
		assert_int_equal(in(9), 99);
		assert_int_equal(in(2), 34);
		out(0x0b, 0x06);
		assert_int_equal(in(4), hours[i].hour);
		/* And set in each. */
		for (unsigned b = 0; b < 8; b += 2) {
			out(0x0b, b);
			uint8_t hour = in(4);
			out(0x0b, 0x80 | b);
			out(4, hour);
			out(0x0b, b);
			assert_int_equal(in(4), hour);
			out(0x0b, 0x06);
			assert_int_equal(in(4), hours[i].hour);
		}
	}
}

/* What a kernel does: waits for the update in progress to begin and end, then it has most of a
 * second. */
static void update_in_progress(void **state)
{
	(void)state;
	unsigned shown = 0;

	for (unsigned i = 0; i < 10000; i++) {
		fake_time_pass(100000);
		if (!(in(0x0a) & 0x80))
			continue;
		shown++;
		/* The time changes only while it is shown, or just after. */
		assert_true(fake_tsc % SECOND_NS > 997700000);
	}
	assert_in_range(shown, 21, 24);
	assert_int_equal(in(0x0a), 0x26);
	fake_time_pass(SECOND_NS - fake_tsc % SECOND_NS - 1000000);
	assert_int_equal(in(0x0a), 0xa6);
	out(0x0b, 0x82); /* while the time is set, there are no updates */
	assert_int_equal(in(0x0a), 0x26);
}

static void time_can_be_set(void **state)
{
	(void)state;
	fake_time_pass(SECOND_NS / 4);
	out(0x0b, 0x82);
	fake_time_pass(5 * SECOND_NS);
	expect_time(0x2026, 0x12, 0x31, 0x23, 0x59, 0x50);
	out(0x32, 0x20);
	out(9, 0x24);
	out(8, 0x02);
	out(7, 0x28);
	out(6, 0x04);
	out(4, 0x23);
	out(2, 0x59);
	out(0, 0x59);
	out(0x0b, 0x02);
	expect_time(0x2024, 0x02, 0x28, 0x23, 0x59, 0x59);
	fake_time_pass(SECOND_NS * 7 / 10);
	expect_time(0x2024, 0x02, 0x28, 0x23, 0x59, 0x59);
	fake_time_pass(SECOND_NS / 10);
	expect_time(0x2024, 0x02, 0x29, 0x00, 0x00, 0x00);
	assert_int_equal(in(6), 5);
	/* One register at a time, on the fly. */
	out(2, 0x30);
	expect_time(0x2024, 0x02, 0x29, 0x00, 0x30, 0x00);
	/* A weekday of the guest's own counting. */
	out(6, 7);
	fake_time_pass(86400 * SECOND_NS);
	assert_int_equal(in(6), 1);
}

static void divider_reset_holds_the_time(void **state)
{
	(void)state;
	out(0x0a, 0x76);
	fake_time_pass(3 * SECOND_NS);
	assert_int_equal(in(0), 0x50);
	assert_int_equal(in(0x0a), 0x76);
	out(0x0a, 0x26);
	assert_int_equal(in(0), 0x50);
	fake_time_pass(SECOND_NS * 49 / 100);
	assert_int_equal(in(0), 0x50);
	fake_time_pass(SECOND_NS * 2 / 100);
	assert_int_equal(in(0), 0x51);
}

static void flags_follow_the_time(void **state)
{
	(void)state;
	in(0x0c);
	assert_int_equal(in(0x0c), 0);
	fake_time_pass(SECOND_NS / 1024 + 1000);
	assert_int_equal(in(0x0c), 0x40);
	assert_int_equal(in(0x0c), 0);
	out(0x0a, 0x20);
	fake_time_pass(SECOND_NS);
	assert_int_equal(in(0x0c), 0x10);
	/* An alarm at 23:59:53, of which the request bit tells. */
	out(0x05, 0x23);
	out(0x03, 0x59);
	out(0x01, 0x53);
	out(0x0b, 0x22);
	fake_time_pass(SECOND_NS);
	assert_int_equal(in(0x0c), 0x10);
	fake_time_pass(SECOND_NS);
	assert_int_equal(in(0x0c), 0xb0);
	/* Each minute. */
	out(0x05, 0xff);
	out(0x03, 0xc0);
	out(0x01, 0x10);
	fake_time_pass(16 * SECOND_NS);
	assert_int_equal(in(0x0c), 0x10);
	fake_time_pass(SECOND_NS);
	assert_int_equal(in(0x0c), 0xb0);
	/* Never, and looked for over years. */
	out(0x05, 0x77);
	fake_time_pass(3 * 366 * 86400 * SECOND_NS);
	assert_int_equal(in(0x0c), 0x10);
	out(0x05, 0x12);
	fake_time_pass(86401 * SECOND_NS);
	assert_int_equal(in(0x0c), 0xb0);
}

static void registers_that_are_read_only(void **state)
{
	(void)state;
	assert_int_equal(in(0x0d), 0x80);
	out(0x0d, 0);
	assert_int_equal(in(0x0d), 0x80);
	out(0x0c, 0xff);
	assert_int_equal(in(0x0c) & 0x0f, 0);
	out(0x0a, 0xff);
	assert_int_equal(in(0x0a), 0x7f);
	assert_int_equal(fake_in8(0x70), 0xff);
}

static void memory_keeps_what_is_written(void **state)
{
	(void)state;
	for (unsigned i = 0x33; i < 128; i++)
		out((uint8_t)i, i ^ 0x5a);
	for (unsigned i = 0x33; i < 128; i++)
		assert_int_equal(in((uint8_t)i | 0x80), i ^ 0x5a);
	cmos_reset(&cmos);
	assert_int_equal(in(0x40), 0x40 ^ 0x5a);
}

static unsigned word(uint8_t index)
{
	return in(index) | (unsigned)in(index + 1) << 8;
}

static void sizes_of_memory(void **state)
{
	(void)state;
	unsigned sum = 0;

	assert_int_equal(word(0x15), 640);
	assert_int_equal(word(0x17), 31 * 1024);
	assert_int_equal(word(0x30), 31 * 1024);
	assert_int_equal(word(0x34), 256);
	assert_int_equal(word(0x5b) | in(0x5d), 0);
	for (uint8_t i = 0x10; i <= 0x2d; i++)
		sum += in(i);
	assert_int_equal(sum, in(0x2e) << 8 | in(0x2f));

	fake_devices_reset();
	fake_vm.extents[0] = (struct vm_extent){.gpa = GPA(0), .size = 3 * GIB};
	fake_vm.extents[1] = (struct vm_extent){.gpa = GPA(4 * GIB), .size = 5 * GIB};
	fake_vm.extent_count = 2;
	assert_null(cmos_create(&cmos, &fake_vm, &start));
	assert_int_equal(word(0x15), 640);
	assert_int_equal(word(0x17), 0xffff);
	assert_int_equal(word(0x34), (3 * GIB - 16 * MIB) >> 16);
	assert_int_equal(word(0x5b) | (unsigned)in(0x5d) << 16, (5 * GIB) >> 16);
}

static void dates_without_sense_do_no_harm(void **state)
{
	(void)state;
	for (unsigned format = 0; format < 8; format += 2) {
		for (unsigned value = 0; value < 256; value++) {
			out(0x0b, 0x80 | format);
			for (unsigned i = 0; i < 10; i++)
				out((uint8_t)i, value);
			out(0x32, value);
			out(0x0b, format);
			for (unsigned i = 0; i < 13; i++)
				in((uint8_t)i);
			fake_time_pass(SECOND_NS);
		}
	}
}

/* Against the C library, over four centuries. */
static void dates_are_right(void **state)
{
	(void)state;
	struct rtc_time epoch = {1970, 1, 1, 0, 0, 0}, time;
	uint64_t base = rtc_to_seconds(&epoch);

	for (int64_t days = -200 * 366; days < 400 * 366; days++) {
		time_t seconds = days * 86400 + 3661;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		rtc_from_seconds(base + (uint64_t)seconds, &time);
		assert_int_equal(time.year, tm.tm_year + 1900);
		assert_int_equal(time.month, tm.tm_mon + 1);
		assert_int_equal(time.day, tm.tm_mday);
		assert_int_equal(time.hour, 1);
		assert_int_equal(time.minute, 1);
		assert_int_equal(time.second, 1);
		assert_int_equal(rtc_weekday(base + (uint64_t)seconds), tm.tm_wday + 1);
		assert_true(rtc_to_seconds(&time) == base + (uint64_t)seconds);
	}
}

/* The host's chip: its registers, and how many reads of register A show an update in progress. */
static uint8_t host[128];
static uint8_t host_index;
static unsigned host_updating, host_reads;

static uint32_t host_read(uint16_t port, unsigned size)
{
	(void)size;
	assert_int_equal(port, 0x71);
	host_reads++;
	if (host_index != 0x0a || !host_updating)
		return host[host_index];
	host_updating--;
	return host[0x0a] | 0x80;
}

static void host_write(uint16_t port, unsigned size, uint32_t value)
{
	(void)size;
	assert_int_equal(port, 0x70);
	host_index = value & 0x7f;
}

static void host_clock(uint8_t format, const uint8_t *registers)
{
	static const uint8_t places[] = {0x32, 9, 8, 7, 4, 2, 0};

	fake_machine_reset();
	fake_machine.port_read = host_read;
	fake_machine.port_write = host_write;
	for (unsigned i = 0; i < 7; i++)
		host[places[i]] = registers[i];
	host[0x0a] = 0x26;
	host[0x0b] = format;
	host_updating = 0;
	host_reads = 0;
}

static void the_hosts_clock_is_read(void **state)
{
	(void)state;
	struct rtc_time time;

	host_clock(0x02, (const uint8_t[]){0x20, 0x26, 0x11, 0x21, 0x21, 0x30, 0x59});
	host_updating = 100;
	assert_null(rtc_read_host(&time));
	assert_int_equal(time.year, 2026);
	assert_int_equal(time.month, 11);
	assert_int_equal(time.day, 21);
	assert_int_equal(time.hour, 21);
	assert_int_equal(time.minute, 30);
	assert_int_equal(time.second, 59);

	/* Binary, 12 hours, no century. */
	host_clock(0x04, (const uint8_t[]){0, 30, 1, 2, 0x80 | 12, 3, 4});
	assert_null(rtc_read_host(&time));
	assert_int_equal(time.year, 2030);
	assert_int_equal(time.hour, 12);
	host_clock(0x00, (const uint8_t[]){0x20, 0x30, 1, 2, 0x12, 3, 4});
	assert_null(rtc_read_host(&time));
	assert_int_equal(time.hour, 0);
}

static void a_broken_host_clock_is_an_error(void **state)
{
	(void)state;
	struct rtc_time time;

	/* Nothing there: ones. */
	fake_machine_reset();
	assert_non_null(rtc_read_host(&time));
	assert_int_equal(time.year, 2000);
	assert_int_equal(time.month, 1);
	/* Always updating. */
	host_clock(0x02, (const uint8_t[]){0x20, 0x26, 0x11, 0x21, 0x21, 0x30, 0x59});
	host_updating = 0xffffffff;
	assert_non_null(rtc_read_host(&time));
	assert_true(host_reads < 100000);
	/* Zeros are no date. */
	host_clock(0x02, (const uint8_t[]){0, 0, 0, 0, 0, 0, 0});
	assert_non_null(rtc_read_host(&time));
	host_clock(0x02, (const uint8_t[]){0x20, 0x26, 0x13, 0x21, 0x21, 0x30, 0x59});
	assert_non_null(rtc_read_host(&time));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(time_goes_on, setup),
		cmocka_unit_test_setup(formats, setup),
		cmocka_unit_test_setup(update_in_progress, setup),
		cmocka_unit_test_setup(time_can_be_set, setup),
		cmocka_unit_test_setup(divider_reset_holds_the_time, setup),
		cmocka_unit_test_setup(flags_follow_the_time, setup),
		cmocka_unit_test_setup(registers_that_are_read_only, setup),
		cmocka_unit_test_setup(memory_keeps_what_is_written, setup),
		cmocka_unit_test_setup(sizes_of_memory, setup),
		cmocka_unit_test_setup(dates_without_sense_do_no_harm, setup),
		cmocka_unit_test_setup(dates_are_right, setup),
		cmocka_unit_test_setup(the_hosts_clock_is_read, setup),
		cmocka_unit_test_setup(a_broken_host_clock_is_an_error, setup),
	};

	return cmocka_run_group_tests_name("cmos", tests, setup, NULL);
}
