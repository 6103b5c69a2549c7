/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the MC146818-compatible clock of a PC, and turns dates into seconds and back. */

#include "kernel/rtc.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/instructions.h"
#include "kernel/compiler.h"

#define DAY_SECONDS 86400u

/* An update takes 2.2 ms; a port access at least a few hundred ns, about 1 us mostly. */
#define UPDATE_POLLS_MAX 20000
#define ATTEMPTS_MAX     8

enum {
	RTC_INDEX_PORT = 0x70,
	RTC_DATA_PORT = 0x71,
	NMI_DISABLED = 0x80, /* of the index port: left clear */

	SECOND = 0x00,
	MINUTE = 0x02,
	HOUR = 0x04,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REGISTER_A = 0x0a,
	REGISTER_B = 0x0b,
	CENTURY = 0x32,

	A_UPDATE = 0x80,
	B_24_HOURS = 0x02,
	B_BINARY = 0x04,
	HOUR_PM = 0x80,
};

static const uint16_t days_before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

static bool is_leap_year(uint32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_before_year(uint32_t year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

/* `month` counts from 0. */
static uint32_t days_before(uint32_t year, unsigned month)
{
	return days_before_month[month] + (month >= 2 && is_leap_year(year) ? 1u : 0);
}

uint64_t rtc_to_seconds(const struct rtc_time *time)
{
	unsigned month = (time->month + 11u) % 12;
	uint64_t days = (uint64_t)days_before_year(time->year) + days_before(time->year, month) +
			(time->day ? time->day - 1u : 0);

	return days * DAY_SECONDS + time->hour * 3600ull + time->minute * 60ull + time->second;
}

void rtc_from_seconds(uint64_t seconds, struct rtc_time *time)
{
	uint32_t days = (uint32_t)(seconds / DAY_SECONDS);
	uint32_t rest = (uint32_t)(seconds % DAY_SECONDS);
	uint32_t year = days / 366; /* at most some dozens too low */
	unsigned month = 11;

	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	while (days_before(year, month) > days)
		month--;

	time->year = (uint16_t)year;
	time->month = (uint8_t)(month + 1);
	time->day = (uint8_t)(days - days_before(year, month) + 1);
	time->hour = (uint8_t)(rest / 3600);
	time->minute = (uint8_t)(rest / 60 % 60);
	time->second = (uint8_t)(rest % 60);
}

uint8_t rtc_weekday(uint64_t seconds)
{
	/* The first day of year 0 was a Saturday. */
	return (uint8_t)((seconds / DAY_SECONDS + 6) % 7 + 1);
}

static uint8_t read_register(uint8_t index)
{
	out8(RTC_INDEX_PORT, index & (uint8_t)~NMI_DISABLED);
	return in8(RTC_DATA_PORT);
}

static bool wait_for_update_end(void)
{
	for (unsigned i = 0; i < UPDATE_POLLS_MAX; i++)
		if (!(read_register(REGISTER_A) & A_UPDATE))
			return true;
	return false;
}

struct raw_time {
	uint8_t year, month, day, hour, minute, second, century;
};

static struct raw_time read_raw(void)
{
	return (struct raw_time){
		.year = read_register(YEAR),
		.month = read_register(MONTH),
		.day = read_register(DAY),
		.hour = read_register(HOUR),
		.minute = read_register(MINUTE),
		.second = read_register(SECOND),
		.century = read_register(CENTURY),
	};
}

static bool same_raw(const struct raw_time *a, const struct raw_time *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day &&
	       a->hour == b->hour && a->minute == b->minute && a->second == b->second &&
	       a->century == b->century;
}

static uint8_t decode(uint8_t value, bool binary)
{
	return binary ? value : (uint8_t)((value >> 4) * 10 + (value & 0xf));
}

static uint8_t decode_hour(uint8_t value, uint8_t format)
{
	uint8_t hour;

	if (format & B_24_HOURS)
		return decode(value, format & B_BINARY);
	hour = decode(value & (uint8_t)~HOUR_PM, format & B_BINARY) % 12;
	return value & HOUR_PM ? (uint8_t)(hour + 12) : hour;
}

static uint16_t decode_year(const struct raw_time *raw, bool binary)
{
	uint8_t century = decode(raw->century, binary);

	/* Not every machine keeps the century there. */
	if (century < 19 || century > 21)
		century = 20;
	return (uint16_t)(century * 100 + decode(raw->year, binary));
}

static bool is_valid(const struct rtc_time *time)
{
	return time->month >= 1 && time->month <= 12 && time->day >= 1 && time->day <= 31 &&
	       time->hour <= 23 && time->minute <= 59 && time->second <= 59;
}

CHECKED static err_t read_host(struct rtc_time *time)
{
	struct raw_time raw, again;
	uint8_t format;

	/* Two equal readings were not torn by an update in between. */
	for (unsigned i = 0;; i++) {
		if (!wait_for_update_end())
			return "the real-time clock is updating itself without end: there seems to "
			       "be none";
		raw = read_raw();
		again = read_raw();
		if (same_raw(&raw, &again) && !(read_register(REGISTER_A) & A_UPDATE))
			break;
		if (i == ATTEMPTS_MAX)
			return "the real-time clock gives another time at each reading";
	}

	format = read_register(REGISTER_B);
	*time = (struct rtc_time){
		.year = decode_year(&raw, format & B_BINARY),
		.month = decode(raw.month, format & B_BINARY),
		.day = decode(raw.day, format & B_BINARY),
		.hour = decode_hour(raw.hour, format),
		.minute = decode(raw.minute, format & B_BINARY),
		.second = decode(raw.second, format & B_BINARY),
	};
	if (!is_valid(time))
		return error(
			"the real-time clock shows %u-%u-%u %u:%u:%u, which is no date; set it "
			"in the firmware's setup",
			time->year, time->month, time->day, time->hour, time->minute, time->second);
	return NULL;
}

err_t rtc_read_host(struct rtc_time *time)
{
	err_t err = read_host(time);

	if (err)
		*time = (struct rtc_time){.year = 2000, .month = 1, .day = 1};
	return err;
}
