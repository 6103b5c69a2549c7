/* SPDX-License-Identifier: BSD-2-Clause */
/* An MC146818: the time as its registers show it, the flags of its interrupts, and sizes for old
 * programs. */

#include "devices/cmos.h"

#include <stdbool.h>

#include "kernel/string.h"

#define CMOS_PORT     0x70
#define CRYSTAL_SHIFT 15 /* 32768 Hz */
#define CRYSTAL_HZ    (1u << CRYSTAL_SHIFT)
#define DAY_SECONDS   86400u
/* UIP rises 244 us before an update, which takes 1984 us. */
#define UPDATE_TICKS 73

enum {
	SECOND = 0x00,
	SECOND_ALARM = 0x01,
	MINUTE = 0x02,
	MINUTE_ALARM = 0x03,
	HOUR = 0x04,
	HOUR_ALARM = 0x05,
	WEEKDAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REGISTER_A = 0x0a,
	REGISTER_B = 0x0b,
	REGISTER_C = 0x0c,
	REGISTER_D = 0x0d,
	SUM_FIRST = 0x10,
	SUM_LAST = 0x2d,
	SUM_HIGH = 0x2e,
	SUM_LOW = 0x2f,
	CENTURY = 0x32,

	A_UPDATE = 0x80,
	A_DIVIDER = 0x70,
	A_STOPPED = 0x60, /* the divider chain held in reset: 6 and 7 */
	A_RATE = 0x0f,
	A_DEFAULT = 0x26, /* 32768 Hz, 1024 periodic interrupts a second */

	B_SET = 0x80,
	B_INTERRUPTS = 0x70,
	B_BINARY = 0x04,
	B_24_HOURS = 0x02,

	C_REQUEST = 0x80,
	C_PERIODIC = 0x40,
	C_ALARM = 0x20,
	C_UPDATE = 0x10,

	D_VALID = 0x80,

	HOUR_PM = 0x80,
	ALARM_ANY = 0xc0, /* an alarm register with both bits set matches always */
};

static uint8_t encode(const struct cmos *cmos, unsigned value)
{
	if (cmos->memory[REGISTER_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t decode(const struct cmos *cmos, uint8_t value)
{
	if (cmos->memory[REGISTER_B] & B_BINARY)
		return value;
	return (uint8_t)((value >> 4) * 10 + (value & 0xf));
}

static uint8_t encode_hour(const struct cmos *cmos, unsigned hour)
{
	if (cmos->memory[REGISTER_B] & B_24_HOURS)
		return encode(cmos, hour);
	return (uint8_t)(encode(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0));
}

static uint8_t decode_hour(const struct cmos *cmos, uint8_t value)
{
	unsigned hour;

	if (cmos->memory[REGISTER_B] & B_24_HOURS)
		return decode(cmos, value);
	hour = decode(cmos, value & (uint8_t)~HOUR_PM) % 12u;
	return (uint8_t)(value & HOUR_PM ? hour + 12 : hour);
}

static bool is_stopped(const struct cmos *cmos)
{
	return (cmos->memory[REGISTER_A] & A_STOPPED) == A_STOPPED;
}

/* False: the registers hold still, since the guest sets them or holds the divider. */
static bool is_running(const struct cmos *cmos)
{
	return !(cmos->memory[REGISTER_B] & B_SET) && !is_stopped(cmos);
}

static uint64_t seconds_at(const struct cmos *cmos, uint64_t ticks)
{
	return cmos->base_seconds + ((ticks - cmos->base_ticks) >> CRYSTAL_SHIFT);
}

/* Brings the registers up to the time. */
static void show_time(struct cmos *cmos, uint64_t ticks)
{
	uint64_t seconds = seconds_at(cmos, ticks);
	struct rtc_time time;
	uint8_t *memory = cmos->memory;

	if (!is_running(cmos))
		return;
	rtc_from_seconds(seconds, &time);
	memory[SECOND] = encode(cmos, time.second);
	memory[MINUTE] = encode(cmos, time.minute);
	memory[HOUR] = encode_hour(cmos, time.hour);
	memory[WEEKDAY] = encode(cmos, (rtc_weekday(seconds) - 1u + cmos->weekday_shift) % 7 + 1);
	memory[DAY] = encode(cmos, time.day);
	memory[MONTH] = encode(cmos, time.month);
	memory[YEAR] = encode(cmos, time.year % 100u);
	memory[CENTURY] = encode(cmos, time.year / 100u % 100);
}

/* Takes over the time that the registers hold; the fraction of the second stays. */
static void set_time(struct cmos *cmos, uint64_t ticks)
{
	const uint8_t *memory = cmos->memory;
	struct rtc_time time = {
		.year = (uint16_t)(decode(cmos, memory[CENTURY]) * 100 +
				   decode(cmos, memory[YEAR])),
		.month = decode(cmos, memory[MONTH]),
		.day = decode(cmos, memory[DAY]),
		.hour = decode_hour(cmos, memory[HOUR]),
		.minute = decode(cmos, memory[MINUTE]),
		.second = decode(cmos, memory[SECOND]),
	};
	uint64_t seconds = rtc_to_seconds(&time);
	unsigned weekday = decode(cmos, memory[WEEKDAY]);

	cmos->base_ticks = ticks - ((ticks - cmos->base_ticks) & (CRYSTAL_HZ - 1));
	cmos->base_seconds = seconds;
	cmos->weekday_shift = (uint8_t)((weekday + 7 - rtc_weekday(seconds)) % 7);
}

static bool alarm_matches(uint8_t alarm, uint8_t value)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == value;
}

/*
 * True if the alarm's time lies in the `count` seconds from `first` on. It takes one step at most
 * for each second that has passed since the last look.
 */
static bool alarm_within(const struct cmos *cmos, uint64_t first, uint64_t count)
{
	const uint8_t *memory = cmos->memory;
	uint64_t last = first + (count < DAY_SECONDS ? count : DAY_SECONDS);
	uint64_t at = first;

	while (at < last) {
		unsigned second = (unsigned)(at % DAY_SECONDS);

		if (!alarm_matches(memory[HOUR_ALARM], encode_hour(cmos, second / 3600)))
			at += 3600 - second % 3600;
		else if (!alarm_matches(memory[MINUTE_ALARM], encode(cmos, second / 60 % 60)))
			at += 60 - second % 60;
		else if (!alarm_matches(memory[SECOND_ALARM], encode(cmos, second % 60)))
			at++;
		else
			return true;
	}
	return false;
}

/* Sets in register C what has happened since the last time. */
static void update_flags(struct cmos *cmos, uint64_t ticks)
{
	uint8_t rate = cmos->memory[REGISTER_A] & A_RATE;
	uint8_t *flags = &cmos->memory[REGISTER_C];
	uint64_t last_second = seconds_at(cmos, cmos->flags_ticks);
	uint64_t second = seconds_at(cmos, ticks);

	if (rate && !is_stopped(cmos)) {
		/* Rates 1 and 2 are those of 8 and 9. */
		unsigned shift = rate < 3 ? rate + 6u : rate - 1u;

		if ((ticks - cmos->base_ticks) >> shift !=
		    (cmos->flags_ticks - cmos->base_ticks) >> shift)
			*flags |= C_PERIODIC;
	}
	if (is_running(cmos) && second != last_second) {
		*flags |= C_UPDATE;
		if (alarm_within(cmos, last_second + 1, second - last_second))
			*flags |= C_ALARM;
	}
	cmos->flags_ticks = ticks;
	/* The flags of C stand at the same places as their enables in B. */
	if (*flags & cmos->memory[REGISTER_B] & B_INTERRUPTS)
		*flags |= C_REQUEST;
}

static uint8_t read_memory(struct cmos *cmos, uint8_t index)
{
	uint64_t ticks = device_clock_ticks(&cmos->clock);
	uint64_t fraction = (ticks - cmos->base_ticks) & (CRYSTAL_HZ - 1);
	uint8_t value;

	switch (index) {
	case REGISTER_A:
		value = cmos->memory[REGISTER_A];
		if (is_running(cmos) && fraction >= CRYSTAL_HZ - UPDATE_TICKS)
			value |= A_UPDATE;
		return value;
	case REGISTER_C:
		update_flags(cmos, ticks);
		value = cmos->memory[REGISTER_C];
		cmos->memory[REGISTER_C] = 0;
		return value;
	case SECOND:
	case MINUTE:
	case HOUR:
	case WEEKDAY ... YEAR:
	case CENTURY:
		show_time(cmos, ticks);
		break;
	}
	return cmos->memory[index];
}

static void write_a(struct cmos *cmos, uint8_t value, uint64_t ticks)
{
	bool was_stopped = is_stopped(cmos);

	show_time(cmos, ticks);
	cmos->memory[REGISTER_A] = value & (uint8_t)~A_UPDATE;
	if (was_stopped && !is_stopped(cmos)) {
		/* The first update comes half a second after the divider is let go. */
		cmos->base_ticks = ticks - CRYSTAL_HZ / 2;
		cmos->flags_ticks = ticks;
		if (is_running(cmos))
			set_time(cmos, ticks);
	}
}

static void write_b(struct cmos *cmos, uint8_t value, uint64_t ticks)
{
	bool was_running = is_running(cmos);

	show_time(cmos, ticks);
	/* SET clears the enable of the update interrupt. */
	if (value & B_SET)
		value &= (uint8_t)~C_UPDATE;
	cmos->memory[REGISTER_B] = value;
	if (!was_running && is_running(cmos))
		set_time(cmos, ticks);
}

static void write_memory(struct cmos *cmos, uint8_t index, uint8_t value)
{
	uint64_t ticks = device_clock_ticks(&cmos->clock);

	update_flags(cmos, ticks);
	switch (index) {
	case REGISTER_A:
		write_a(cmos, value, ticks);
		return;
	case REGISTER_B:
		write_b(cmos, value, ticks);
		return;
	case REGISTER_C: /* these two are read-only */
	case REGISTER_D:
		return;
	case SECOND:
	case MINUTE:
	case HOUR:
	case WEEKDAY ... YEAR:
	case CENTURY:
		show_time(cmos, ticks);
		cmos->memory[index] = value;
		if (is_running(cmos)) {
			set_time(cmos, ticks);
			cmos->flags_ticks = ticks;
		}
		return;
	}
	cmos->memory[index] = value;
}

static uint32_t cmos_read(void *device, uint16_t port, unsigned size)
{
	struct cmos *cmos = device;

	(void)size;
	if (port == CMOS_PORT)
		return UINT32_MAX; /* the index cannot be read */
	return read_memory(cmos, cmos->index);
}

static void cmos_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct cmos *cmos = device;

	(void)size;
	if (port == CMOS_PORT)
		cmos->index = value % CMOS_SIZE; /* bit 7 masks NMIs, of which there are none */
	else
		write_memory(cmos, cmos->index, (uint8_t)value);
}

/* How much of the VM's RAM lies in [first, end). */
static uint64_t ram_within(const struct vm *vm, uint64_t first, uint64_t end)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < vm->extent_count; i++) {
		uint64_t low = vm->extents[i].gpa.raw;
		uint64_t high = low + vm->extents[i].size;

		low = low < first ? first : low;
		high = high > end ? end : high;
		if (low < high)
			size += high - low;
	}
	return size;
}

/* Stores a size as a little-endian number of `count` bytes, or the largest that fits. */
static void store_size(struct cmos *cmos, unsigned index, unsigned count, uint64_t value)
{
	uint64_t max = (1ull << 8 * count) - 1;

	if (value > max)
		value = max;
	for (unsigned i = 0; i < count; i++)
		cmos->memory[index + i] = (uint8_t)(value >> 8 * i);
}

static void store_sizes(struct cmos *cmos, const struct vm *vm)
{
	uint64_t above_1m = ram_within(vm, MIB, 4 * GIB) / KIB;

	store_size(cmos, 0x15, 2, ram_within(vm, 0, 640 * KIB) / KIB);
	store_size(cmos, 0x17, 2, above_1m);
	store_size(cmos, 0x30, 2, above_1m);
	store_size(cmos, 0x34, 2, ram_within(vm, 16 * MIB, 4 * GIB) / (64 * KIB));
	store_size(cmos, 0x5b, 3, ram_within(vm, 4 * GIB, UINT64_MAX) / (64 * KIB));
}

static void store_sum(struct cmos *cmos)
{
	unsigned sum = 0;

	for (unsigned i = SUM_FIRST; i <= SUM_LAST; i++)
		sum += cmos->memory[i];
	cmos->memory[SUM_HIGH] = (uint8_t)(sum >> 8);
	cmos->memory[SUM_LOW] = (uint8_t)sum;
}

void cmos_reset(struct cmos *cmos)
{
	cmos->index = 0;
	cmos->memory[REGISTER_B] &= (uint8_t)~B_INTERRUPTS;
	cmos->memory[REGISTER_C] = 0;
}

err_t cmos_create(struct cmos *cmos, struct vm *vm, const struct rtc_time *start)
{
	memset(cmos, 0, sizeof(*cmos));
	device_clock_start(&cmos->clock, CRYSTAL_HZ);
	cmos->base_seconds = rtc_to_seconds(start);
	cmos->memory[REGISTER_A] = A_DEFAULT;
	cmos->memory[REGISTER_B] = B_24_HOURS;
	cmos->memory[REGISTER_D] = D_VALID;
	store_sizes(cmos, vm);
	store_sum(cmos);
	return bus_add_ports(&vm->bus, &(struct port_range){
					       .name = "cmos",
					       .first = CMOS_PORT,
					       .count = 2,
					       .sizes = BUS_1,
					       .read = cmos_read,
					       .write = cmos_write,
					       .device = cmos,
				       });
}
