/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that reads and writes any port with any size at any time, on a whole PC. The input is a
 * row of records: a byte of what to do, two of the port, one to four of the value.
 */
/* UNITS: devices/pc.c devices/acpi_pm.c devices/clock.c devices/cmos.c devices/debug_exit.c */
/* UNITS: devices/i8042.c devices/pci.c devices/pic.c devices/pit.c devices/pit_counter.c */
/* UNITS: devices/post.c devices/reset.c devices/rom.c devices/serial.c devices/vga.c */
/* UNITS: kernel/rtc.c vcpu/bus.c */
/* UNITS: tests/fake/devices.c tests/fake/log.c tests/fake/error.c */
#include <stdlib.h>
#include <string.h>

#include "devices/pc.h"
#include "tests/fake/devices.h"
#include "tests/fake/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ports that devices stand at, so that most records find one. */
static const struct {
	uint16_t first, count;
} places[] = {
	{0x20,  2 },
        {0x40,  4 },
        {0x60,  5 },
        {0x70,  2 },
        {0x80,  16},
        {0x92,  1 },
        {0xa0,  2 },
	{0xed,  8 },
        {0x3b0, 48},
        {0x3f8, 8 },
        {0x4d0, 2 },
        {0x600, 12},
        {0xcf8, 8 },
};

struct input {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct input *input, unsigned count)
{
	uint32_t value = 0;

	while (count--) {
		value <<= 8;
		if (input->left) {
			value |= *input->data++;
			input->left--;
		}
	}
	return value;
}

static uint16_t take_port(struct input *input)
{
	uint32_t value = take(input, 2);
	unsigned place = value >> 8;

	if (place >= ARRAY_COUNT(places))
		return (uint16_t)value;
	return (uint16_t)(places[place].first + (value & 0xff) % places[place].count);
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What the rest of the project relies on. */
static void check_pc(const struct pc *pc)
{
	check(pc->com1.received_count <= SERIAL_FIFO_SIZE);
	for (unsigned i = 0; i < PIT_COUNTERS; i++)
		check(pc->pit.counters[i].count >= 1 && pc->pit.counters[i].count <= 65536);
	check(fake_log_count() <= PORTS_TOLD_MAX + 1);
}

static void one_record(struct input *input, struct pc *pc)
{
	static const uint8_t sizes[] = {1, 1, 2, 4};
	uint8_t what = (uint8_t)take(input, 1);
	unsigned size = sizes[what & 3];

	switch (what >> 2 & 7) {
	case 0:
		fake_time_pass((uint64_t)take(input, 4) << (what >> 5) * 3);
		break;
	case 1:
		if (fake_output_size < 1000)
			fake_type("typed");
		serial_poll(&pc->com1);
		pit_poll(&pc->pit);
		break;
	case 2:
		pic_set_irq(&pc->pic, what >> 4, take(input, 1) & 1);
		break;
	case 3:
		if (what == 0xff)
			pc_reset(pc);
		else if (pic_pending(&pc->pic))
			check(pic_acknowledge(&pc->pic) <= 0xff);
		break;
	case 4:
	case 5: {
		uint32_t value = bus_port_read(&fake_vm.bus, take_port(input), size);

		check(size == 4 || value >> (8 * size) == 0);
		break;
	}
	default: {
		uint16_t port = take_port(input);

		bus_port_write(&fake_vm.bus, port, size, take(input, size));
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pc pc;
	static const struct pc_options options = {
		.console = &fake_console,
		.date = {2026, 11, 21, 12, 0, 0},
	};
	struct input input = {data, size < 4096 ? size : 4096};

	fake_devices_reset();
	fake_log_reset();
	fake_tsc_hz = 1 + (uint64_t)take(&input, 4) * (1 + take(&input, 1));
	fake_tsc_step = 100;
	memset(&pc, 0, sizeof(pc));
	check(!pc_create(&fake_vm, &pc, &options));
	while (input.left) {
		one_record(&input, &pc);
		check_pc(&pc);
	}
	return 0;
}
