/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds who answers at a port or an address, splits what does not fit, and answers for nobody with
 * ones. */

#include "vcpu/bus.h"

#include <stddef.h>

#include "kernel/compiler.h"
#include "kernel/log.h"
#include "kernel/string.h"

#define PORT_SIZES (BUS_1 | BUS_2 | BUS_4)
#define MMIO_SIZES (PORT_SIZES | BUS_8)

/* The low `size` bytes, 1 to 8. */
static uint64_t size_mask(unsigned size)
{
	return ~0ull >> (64 - 8 * size);
}

void bus_init(struct bus *bus, const char *vm_name)
{
	memset(bus, 0, sizeof(*bus));
	bus->vm_name = vm_name;
}

CHECKED static err_t check_port_range(const struct port_range *range)
{
	if (!range->count)
		return error("%s asks for no port at all", range->name);
	if ((uint32_t)range->first + range->count > PORT_COUNT)
		return error("the ports of %s reach beyond ffffh", range->name);
	if (!range->sizes || (range->sizes & ~PORT_SIZES))
		return error("%s takes no access sizes that ports have", range->name);
	if (!range->read || !range->write)
		return error("%s lacks a function for reading or writing its ports", range->name);
	return NULL;
}

/* The sizes in which an access that begins at a port is taken whole: aligned ones that stay inside
 * the range. */
static uint8_t whole_sizes(const struct port_range *range, uint32_t port)
{
	uint8_t sizes = 0;

	for (unsigned size = 4; size; size /= 2)
		if ((range->sizes & size) && !(port & (size - 1)) &&
		    port - range->first + size <= range->count)
			sizes |= (uint8_t)size;
	return sizes;
}

err_t bus_add_ports(struct bus *bus, const struct port_range *range)
{
	err_t err = check_port_range(range);

	if (err)
		return err;
	if (bus->port_range_count == PORT_RANGES_MAX)
		return error("no room for the ports of %s: all %u ranges are in use", range->name,
			     PORT_RANGES_MAX);
	for (unsigned i = 0; i < range->count; i++) {
		const char *owner = bus_port_name(bus, (uint16_t)(range->first + i));

		if (owner)
			return error("port %xh of %s belongs to %s already", range->first + i,
				     range->name, owner);
	}

	unsigned index = ++bus->port_range_count;

	bus->ports[index] = *range;
	memset(&bus->port_owner[range->first], (int)index, range->count);
	for (unsigned i = 0; i < range->count; i++)
		bus->port_sizes[range->first + i] = whole_sizes(range, range->first + i);
	return NULL;
}

const char *bus_port_name(const struct bus *bus, uint16_t port)
{
	return bus->ports[bus->port_owner[port]].name;
}

/* The largest piece of an access that one device takes whole; 0: nobody takes its first byte. */
static unsigned port_piece(const struct bus *bus, uint32_t port, unsigned left)
{
	if (port >= PORT_COUNT)
		return 0;

	for (unsigned size = 4; size; size /= 2)
		if (size <= left && (bus->port_sizes[port] & size))
			return size;
	return 0;
}

/* How many bytes from here on nobody takes, of which the first is one. */
static unsigned port_gap(const struct bus *bus, uint32_t port, unsigned left)
{
	unsigned gap = 1;

	while (gap < left && !port_piece(bus, port + gap, left - gap))
		gap++;
	return gap;
}

/* Says, once a port, that nobody answered there. True: the line is to be written. */
static bool tell_port(struct bus *bus, uint32_t port)
{
	if (port >= PORT_COUNT || bus->port_told_count > PORTS_TOLD_MAX)
		return false;

	uint8_t *told = &bus->port_told[port / 8];
	uint8_t bit = (uint8_t)(1u << (port % 8));

	if (*told & bit)
		return false;
	*told |= bit;
	if (bus->port_told_count++ < PORTS_TOLD_MAX)
		return true;
	log_vm(bus->vm_name, "%u unclaimed ports told; further ones are not", PORTS_TOLD_MAX);
	return false;
}

uint32_t bus_port_read_split(struct bus *bus, uint16_t port, unsigned size)
{
	uint32_t value = 0;

	for (unsigned done = 0; done < size;) {
		uint32_t at = (uint32_t)port + done;
		unsigned bytes = port_piece(bus, at, size - done);
		uint32_t part = UINT32_MAX;

		if (bytes) {
			const struct port_range *range = &bus->ports[bus->port_owner[at]];

			part = range->read(range->device, (uint16_t)at, bytes);
		} else {
			bytes = port_gap(bus, at, size - done);
			if (tell_port(bus, at))
				log_vm(bus->vm_name,
				       "port %xh: nobody answers, %u-byte IN reads ones", at,
				       bytes);
		}
		value |= (uint32_t)((part & size_mask(bytes)) << (8 * done));
		done += bytes;
	}
	return value;
}

void bus_port_write_split(struct bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	for (unsigned done = 0; done < size;) {
		uint32_t at = (uint32_t)port + done;
		unsigned bytes = port_piece(bus, at, size - done);
		uint32_t part = value >> (8 * done);

		if (bytes) {
			const struct port_range *range = &bus->ports[bus->port_owner[at]];

			range->write(range->device, (uint16_t)at, bytes,
				     (uint32_t)(part & size_mask(bytes)));
		} else {
			bytes = port_gap(bus, at, size - done);
			if (tell_port(bus, at))
				log_vm(bus->vm_name,
				       "port %xh: nobody answers, %u-byte OUT of %xh is dropped",
				       at, bytes, (uint32_t)(part & size_mask(bytes)));
		}
		done += bytes;
	}
}

CHECKED static err_t check_mmio_range(const struct mmio_range *range)
{
	if (!range->size)
		return error("%s asks for no memory space at all", range->name);
	if (range->first.raw + (range->size - 1) < range->first.raw)
		return error("the memory space of %s wraps", range->name);
	if (!range->sizes || (range->sizes & ~MMIO_SIZES))
		return error("%s takes no access sizes that memory has", range->name);
	if (!range->read || !range->write)
		return error("%s lacks a function for reading or writing its memory space",
			     range->name);
	return NULL;
}

err_t bus_add_mmio(struct bus *bus, const struct mmio_range *range)
{
	err_t err = check_mmio_range(range);
	uint64_t last = range->first.raw + (range->size - 1);
	unsigned place = bus->mmio_range_count;

	if (err)
		return err;
	if (bus->mmio_range_count == MMIO_RANGES_MAX)
		return error("no room for the memory space of %s: all %u ranges are in use",
			     range->name, MMIO_RANGES_MAX);
	for (unsigned i = 0; i < bus->mmio_range_count; i++) {
		const struct mmio_range *other = &bus->mmio[i];

		if (range->first.raw <= other->first.raw + (other->size - 1) &&
		    other->first.raw <= last)
			return error("the memory space of %s at %lxh overlaps that of %s",
				     range->name, (unsigned long)range->first.raw, other->name);
	}

	for (; place && bus->mmio[place - 1].first.raw > range->first.raw; place--)
		bus->mmio[place] = bus->mmio[place - 1];
	bus->mmio[place] = *range;
	bus->mmio_range_count++;
	return NULL;
}

static const struct mmio_range *mmio_find(const struct bus *bus, uint64_t at)
{
	unsigned low = 0;
	unsigned high = bus->mmio_range_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct mmio_range *range = &bus->mmio[middle];

		if (at < range->first.raw)
			high = middle;
		else if (at - range->first.raw >= range->size)
			low = middle + 1;
		else
			return range;
	}
	return NULL;
}

const char *bus_mmio_name(const struct bus *bus, gpa_t gpa)
{
	const struct mmio_range *range = mmio_find(bus, gpa.raw);

	return range ? range->name : NULL;
}

/* The largest piece of an access that this device takes whole; 0: there is none. */
static unsigned mmio_piece(const struct mmio_range *range, uint64_t at, unsigned left)
{
	if (!range)
		return 0;
	for (unsigned size = 8; size; size /= 2)
		if (size <= left && (range->sizes & size) && !(at & (size - 1)) &&
		    size <= range->size - (at - range->first.raw))
			return size;
	return 0;
}

static unsigned mmio_gap(const struct bus *bus, uint64_t at, unsigned left)
{
	unsigned gap = 1;

	while (gap < left && !mmio_piece(mmio_find(bus, at + gap), at + gap, left - gap))
		gap++;
	return gap;
}

/* As tell_port, once a page. */
static bool tell_page(struct bus *bus, uint64_t at)
{
	unsigned told_count = bus->page_told_count;

	for (unsigned i = 0; i < told_count && i < PAGES_TOLD_MAX; i++)
		if (bus->page_told[i] == at >> PAGE_SHIFT)
			return false;
	if (told_count > PAGES_TOLD_MAX)
		return false;
	bus->page_told_count++;
	if (told_count == PAGES_TOLD_MAX) {
		log_vm(bus->vm_name, "%u unclaimed pages told; further ones are not",
		       PAGES_TOLD_MAX);
		return false;
	}
	bus->page_told[told_count] = at >> PAGE_SHIFT;
	return true;
}

uint64_t bus_mmio_read(struct bus *bus, gpa_t gpa, unsigned size)
{
	uint64_t value = 0;

	for (unsigned done = 0; done < size;) {
		uint64_t at = gpa.raw + done;
		const struct mmio_range *range = mmio_find(bus, at);
		unsigned bytes = mmio_piece(range, at, size - done);
		uint64_t part = UINT64_MAX;

		if (bytes) {
			part = range->read(range->device, at - range->first.raw, bytes);
		} else {
			bytes = mmio_gap(bus, at, size - done);
			bus->unanswered = true;
			if (tell_page(bus, at))
				log_vm(bus->vm_name,
				       "address %lxh: nobody answers, %u-byte read gives ones",
				       (unsigned long)at, bytes);
		}
		value |= (part & size_mask(bytes)) << (8 * done);
		done += bytes;
	}
	return value;
}

void bus_mmio_write(struct bus *bus, gpa_t gpa, unsigned size, uint64_t value)
{
	for (unsigned done = 0; done < size;) {
		uint64_t at = gpa.raw + done;
		const struct mmio_range *range = mmio_find(bus, at);
		unsigned bytes = mmio_piece(range, at, size - done);
		uint64_t part = value >> (8 * done);

		if (bytes) {
			range->write(range->device, at - range->first.raw, bytes,
				     part & size_mask(bytes));
		} else {
			bytes = mmio_gap(bus, at, size - done);
			bus->unanswered = true;
			if (tell_page(bus, at))
				log_vm(bus->vm_name,
				       "address %lxh: nobody answers, %u-byte write of %lxh is "
				       "dropped",
				       (unsigned long)at, bytes,
				       (unsigned long)(part & size_mask(bytes)));
		}
		done += bytes;
	}
}

const char *bus_mmio_in_page(const struct bus *bus, gpa_t page)
{
	for (unsigned i = 0; i < bus->mmio_range_count; i++) {
		const struct mmio_range *range = &bus->mmio[i];

		if (range->first.raw <= page.raw + (PAGE_SIZE - 1) &&
		    page.raw <= range->first.raw + (range->size - 1))
			return range->name;
	}
	return NULL;
}

void bus_tell_unclaimed(struct bus *bus, gpa_t gpa, const char *who)
{
	if (tell_page(bus, gpa.raw))
		log_vm(bus->vm_name, "address %lxh: nobody answers, %s reads ones there",
		       (unsigned long)gpa.raw, who);
}
