/* SPDX-License-Identifier: BSD-2-Clause */
/* What answers at a guest's I/O ports and at its physical addresses outside RAM: ranges registered
 * by devices. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/address.h"
#include "kernel/error.h"

#define PORT_COUNT      0x10000
#define PORT_RANGES_MAX 64
#define MMIO_RANGES_MAX 32

#define PORTS_TOLD_MAX 64 /* unclaimed ports that get a log line */
#define PAGES_TOLD_MAX 16 /* unclaimed pages that get one */

/*
 * Access sizes that a device takes, as a set. A device sees only these sizes, naturally aligned and
 * inside its range: the bus splits what is wider or unaligned, and answers itself what is narrower
 * than the device takes.
 */
enum bus_sizes {
	BUS_1 = 1,
	BUS_2 = 2,
	BUS_4 = 4,
	BUS_8 = 8,
};

/* A range of ports. A read returns the value in the low `size` bytes; the bus cuts off the rest. */
struct port_range {
	const char *name; /* for messages, such as "com1" */
	uint16_t first;
	uint16_t count;
	uint8_t sizes; /* of enum bus_sizes, 1, 2 and 4 */
	uint32_t (*read)(void *device, uint16_t port, unsigned size);
	void (*write)(void *device, uint16_t port, unsigned size, uint32_t value);
	void *device;
};

/* A range of guest-physical addresses. */
struct mmio_range {
	const char *name;
	gpa_t first;
	uint64_t size;
	uint8_t sizes; /* of enum bus_sizes */
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
	void *device;
};

struct bus {
	const char *vm_name;
	bool unanswered; /* nobody answered an access to memory space since this was cleared */
	uint8_t port_owner[PORT_COUNT];    /* index into ports */
	uint8_t port_sizes[PORT_COUNT];    /* the accesses that begin here and that the owner takes
					      whole */
	uint8_t port_told[PORT_COUNT / 8]; /* unclaimed ports that were logged already */
	unsigned port_told_count;
	struct port_range ports[PORT_RANGES_MAX + 1]; /* row 0 is nobody's: it takes no size */
	unsigned port_range_count;
	struct mmio_range mmio[MMIO_RANGES_MAX]; /* sorted by address */
	unsigned mmio_range_count;
	uint64_t
		page_told[PAGES_TOLD_MAX]; /* numbers of unclaimed pages that were logged already */
	unsigned page_told_count;
};

/* Makes an empty bus. vm_name tags its log lines and must live as long as the bus. */
void bus_init(struct bus *bus, const char *vm_name);

/* Register a range. Errors: overlap (names both), no room, an empty range, one that wraps, no
 * sizes, a missing function. */
CHECKED err_t bus_add_ports(struct bus *bus, const struct port_range *range);
CHECKED err_t bus_add_mmio(struct bus *bus, const struct mmio_range *range);

/*
 * An access of 1, 2 or 4 bytes at a port, as the PC does it: one that its device does not take
 * whole, that is not aligned, or that crosses ranges, is split into smaller ones, lowest address
 * first; bytes that nobody claims, and those beyond port ffffh, read as ones and are dropped when
 * written, with one log line a port for the first PORTS_TOLD_MAX.
 */
static inline uint32_t bus_port_read(struct bus *bus, uint16_t port, unsigned size);
static inline void bus_port_write(struct bus *bus, uint16_t port, unsigned size, uint32_t value);

/* Their slow half: an access that no device takes whole. */
uint32_t bus_port_read_split(struct bus *bus, uint16_t port, unsigned size);
void bus_port_write_split(struct bus *bus, uint16_t port, unsigned size, uint32_t value);

/* The low `size` bytes, 1, 2 or 4, of a port's value. */
static inline uint32_t bus_port_mask(unsigned size)
{
	static const uint32_t masks[] = {0, 0xff, 0xffff, 0, 0xffffffff};

	return masks[size];
}

static inline uint32_t bus_port_read(struct bus *bus, uint16_t port, unsigned size)
{
	const struct port_range *range = &bus->ports[bus->port_owner[port]];

	if (likely(bus->port_sizes[port] & size))
		return range->read(range->device, port, size) & bus_port_mask(size);
	return bus_port_read_split(bus, port, size);
}

static inline void bus_port_write(struct bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	const struct port_range *range = &bus->ports[bus->port_owner[port]];

	if (likely(bus->port_sizes[port] & size))
		range->write(range->device, port, size, value & bus_port_mask(size));
	else
		bus_port_write_split(bus, port, size, value);
}

/* The name of the range at a port, or NULL. For traces. */
const char *bus_port_name(const struct bus *bus, uint16_t port);

/* The same for 1, 2, 4 or 8 bytes of memory space, with one log line a page for the first
 * PAGES_TOLD_MAX. */
uint64_t bus_mmio_read(struct bus *bus, gpa_t gpa, unsigned size);
void bus_mmio_write(struct bus *bus, gpa_t gpa, unsigned size, uint64_t value);
const char *bus_mmio_name(const struct bus *bus, gpa_t gpa);

/* The name of a range that has a part of the page at gpa, or NULL. */
const char *bus_mmio_in_page(const struct bus *bus, gpa_t page);

/* The log line for an access that did not come through here. */
void bus_tell_unclaimed(struct bus *bus, gpa_t gpa, const char *who);
