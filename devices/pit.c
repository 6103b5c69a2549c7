/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254's ports, and port 61h, through which kernels calibrate their clocks. */

#include "devices/pit.h"

#include "kernel/string.h"

#define PIT_PORT    0x40
#define PIT_CONTROL 3 /* the fourth port; the others are the counters */
#define PORT_61     0x61

/* Time begins here, so that a start computed backwards from it is not negative. */
#define PIT_FIRST_TICK 0x100000

/* The refresh request that bit 4 of port 61h shows toggles each 15 microseconds. */
#define REFRESH_TICKS 18

enum {
	CONTROL_READ_BACK = 3, /* instead of a counter's number */
	READ_BACK_NOT_COUNT = 0x20,
	READ_BACK_NOT_STATUS = 0x10,

	PORT_61_GATE = 0x01,
	PORT_61_WRITABLE = 0x0f, /* gate, speaker, and the enables of two checks */
	PORT_61_REFRESH = 0x10,
	PORT_61_OUTPUT = 0x20,
};

static int64_t pit_now(const struct pit *pit)
{
	return (int64_t)(device_clock_ticks(&pit->clock) + PIT_FIRST_TICK);
}

static void update_irq(struct pit *pit, int64_t now)
{
	bool level = pit_counter_output(&pit->counters[0], now);

	if (level == pit->irq_level)
		return;
	pit->irq_level = level;
	if (pit->set_irq)
		pit->set_irq(pit->irq_context, level);
}

static uint32_t pit_read(void *device, uint16_t port, unsigned size)
{
	struct pit *pit = device;
	unsigned number = port - PIT_PORT;

	(void)size;
	if (number >= PIT_COUNTERS)
		return UINT32_MAX; /* the control word cannot be read */
	return pit_counter_read(&pit->counters[number], pit_now(pit));
}

static void write_control(struct pit *pit, uint8_t control, int64_t now)
{
	unsigned number = control >> 6;

	if (number == CONTROL_READ_BACK) {
		for (unsigned i = 0; i < PIT_COUNTERS; i++) {
			if (!(control & (2u << i)))
				continue;
			if (!(control & READ_BACK_NOT_COUNT))
				pit_counter_latch_count(&pit->counters[i], now);
			if (!(control & READ_BACK_NOT_STATUS))
				pit_counter_latch_status(&pit->counters[i], now);
		}
	} else if ((control >> PIT_ACCESS_SHIFT) & 3) {
		pit_counter_set_mode(&pit->counters[number], control, now);
	} else {
		pit_counter_latch_count(&pit->counters[number], now);
	}
}

static void pit_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pit *pit = device;
	unsigned number = port - PIT_PORT;
	int64_t now = pit_now(pit);

	(void)size;
	if (number == PIT_CONTROL)
		write_control(pit, (uint8_t)value, now);
	else if (number < PIT_COUNTERS)
		pit_counter_write(&pit->counters[number], (uint8_t)value, now);
	update_irq(pit, now);
}

static uint32_t port_61_read(void *device, uint16_t port, unsigned size)
{
	struct pit *pit = device;
	int64_t now = pit_now(pit);
	uint32_t value = pit->port_61;

	(void)port;
	(void)size;
	value |= ((uint64_t)now / REFRESH_TICKS & 1) * PORT_61_REFRESH;
	value |= pit_counter_output(&pit->counters[2], now) * PORT_61_OUTPUT;
	return value;
}

static void port_61_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pit *pit = device;

	(void)port;
	(void)size;
	uint8_t changed = (uint8_t)(pit->port_61 ^ value);

	pit->port_61 = value & PORT_61_WRITABLE;
	if (changed & PORT_61_GATE)
		pit_counter_set_gate(&pit->counters[2], value & PORT_61_GATE, pit_now(pit));
}

void pit_poll(struct pit *pit)
{
	update_irq(pit, pit_now(pit));
}

void pit_reset(struct pit *pit)
{
	/* Control word and count of each counter. */
	static const struct {
		uint8_t control, low, high;
		bool gate;
	} setup[PIT_COUNTERS] = {
		{0x36, 0,             0, true },
		{0x54, REFRESH_TICKS, 0, true },
		{0xb6, 0,             0, false},
	};
	int64_t now;

	device_clock_start(&pit->clock, PIT_HZ);
	now = pit_now(pit);
	pit->port_61 = 0;
	for (unsigned i = 0; i < PIT_COUNTERS; i++) {
		struct pit_counter *counter = &pit->counters[i];

		memset(counter, 0, sizeof(*counter));
		counter->gate = setup[i].gate;
		pit_counter_set_mode(counter, setup[i].control, now);
		pit_counter_write(counter, setup[i].low, now);
		if (counter->write_high)
			pit_counter_write(counter, setup[i].high, now);
	}
	update_irq(pit, now);
}

err_t pit_create(struct pit *pit, struct bus *bus)
{
	err_t err;

	memset(pit, 0, sizeof(*pit));
	pit_reset(pit);
	err = bus_add_ports(bus, &(struct port_range){
					 .name = "pit",
					 .first = PIT_PORT,
					 .count = PIT_COUNTERS + 1,
					 .sizes = BUS_1,
					 .read = pit_read,
					 .write = pit_write,
					 .device = pit,
				 });
	if (err)
		return err;
	return bus_add_ports(bus, &(struct port_range){
					  .name = "port-61",
					  .first = PORT_61,
					  .count = 1,
					  .sizes = BUS_1,
					  .read = port_61_read,
					  .write = port_61_write,
					  .device = pit,
				  });
}
