/* SPDX-License-Identifier: BSD-2-Clause */
/* The empty ROM area below 1 MiB, which programs search for tables and signatures. */
#include "devices/rom.h"

static uint64_t rom_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return ~0ull;
}

static void rom_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	(void)offset;
	(void)size;
	(void)value;
}

err_t rom_create(struct bus *bus)
{
	const struct mmio_range range = {
		.name = "rom",
		.first = GPA(ROM_GPA),
		.size = ROM_SIZE,
		.sizes = BUS_1 | BUS_2 | BUS_4 | BUS_8,
		.read = rom_read,
		.write = rom_write,
	};

	return bus_add_mmio(bus, &range);
}
