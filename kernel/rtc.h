/* SPDX-License-Identifier: BSD-2-Clause */
/* Calendar time, and the host's real-time clock. */
#pragma once

#include <stdint.h>

#include "kernel/error.h"

struct rtc_time {
	uint16_t year; /* with its century */
	uint8_t month; /* 1 to 12 */
	uint8_t day;   /* 1 to 31 */
	uint8_t hour;  /* 0 to 23 */
	uint8_t minute;
	uint8_t second;
};

/*
 * Reads the host's clock at ports 70h and 71h. Takes a few milliseconds at most; changes nothing
 * there. With an error the time is the beginning of 2000.
 */
CHECKED err_t rtc_read_host(struct rtc_time *time);

/*
 * Seconds since the beginning of year 0 of the Gregorian calendar. Every value has a meaning:
 * fields beyond their range run over into the next larger one (a month is taken modulo 12).
 */
uint64_t rtc_to_seconds(const struct rtc_time *time);
void rtc_from_seconds(uint64_t seconds, struct rtc_time *time);

/* 1 is Sunday, as clock chips count. */
uint8_t rtc_weekday(uint64_t seconds);
