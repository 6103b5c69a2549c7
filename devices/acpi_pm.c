/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off by SLP_EN, the timer, and its status bit. There are no buttons, and no interrupt yet.
 */

#include "devices/acpi_pm.h"

#define TIMER_BITS 24

enum {
	PM1_STATUS_TIMER = 0x0001, /* the timer's highest bit has changed */
	PM1_ENABLE_ALL = 0x0721,   /* timer, global lock, power and sleep button, RTC */

	PM1_SCI_ENABLED = 0x0001, /* ACPI mode; there is no other */
	PM1_SLEEP_TYPE = 0x1c00,
	PM1_SLEEP_SHIFT = 10,
	PM1_SLEEP_ENABLE = 0x2000,                  /* reads as 0 */
	PM1_CONTROL_KEPT = PM1_SLEEP_TYPE | 0x0002, /* and BM_RLD */

	PM1_ENABLE_PORT = ACPI_PM1_EVENT + 2,
};

static void update_status(struct acpi_pm *pm)
{
	uint64_t ticks = device_clock_ticks(&pm->clock);

	if (ticks >> (TIMER_BITS - 1) != pm->status_ticks >> (TIMER_BITS - 1))
		pm->status |= PM1_STATUS_TIMER;
	pm->status_ticks = ticks;
}

static uint16_t read_register(struct acpi_pm *pm, uint16_t port)
{
	switch (port) {
	case ACPI_PM1_EVENT:
		update_status(pm);
		return pm->status;
	case PM1_ENABLE_PORT:
		return pm->enable;
	case ACPI_PM1_CONTROL:
		return pm->control;
	default: /* reserved */
		return 0;
	}
}

static void write_control(struct acpi_pm *pm, uint16_t value)
{
	unsigned type = (unsigned)(value & PM1_SLEEP_TYPE) >> PM1_SLEEP_SHIFT;

	pm->control = (value & PM1_CONTROL_KEPT) | PM1_SCI_ENABLED;
	if (!(value & PM1_SLEEP_ENABLE))
		return;
	if (type == ACPI_S5_TYPE)
		vm_stop(pm->vm, VM_ENDED_POWEROFF, 0, "the guest powered off through ACPI");
	else
		vm_stop(pm->vm, VM_ENDED_STOPPED, 0,
			"the guest asked ACPI for a sleep state of type %u, and only power-off, "
			"type %u, exists here",
			type, ACPI_S5_TYPE);
}

static void write_register(struct acpi_pm *pm, uint16_t port, uint16_t value)
{
	switch (port) {
	case ACPI_PM1_EVENT: /* a 1 clears */
		update_status(pm);
		pm->status &= (uint16_t)~value;
		break;
	case PM1_ENABLE_PORT:
		pm->enable = value & PM1_ENABLE_ALL;
		break;
	case ACPI_PM1_CONTROL:
		write_control(pm, value);
		break;
	default: /* reserved */
		break;
	}
}

/* The registers have 16 bits; their bytes can be accessed alone. */
static uint32_t event_read(void *device, uint16_t port, unsigned size)
{
	(void)size;
	return (uint32_t)read_register(device, port & 0xfffe) >> (8 * (port % 2));
}

static void event_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	uint16_t whole = (uint16_t)port & 0xfffe;

	if (size == 1) {
		unsigned shift = 8 * (port % 2);
		uint32_t others = whole == ACPI_PM1_EVENT ? 0 : read_register(device, whole);

		value = (others & ~(0xffu << shift)) | value << shift;
	}
	write_register(device, whole, (uint16_t)value);
}

/* The timer's bytes can be read alone too. */
static uint32_t timer_read(void *device, uint16_t port, unsigned size)
{
	struct acpi_pm *pm = device;
	uint32_t ticks = (uint32_t)device_clock_ticks(&pm->clock) & ((1u << TIMER_BITS) - 1);

	(void)size;
	return ticks >> (8 * (port % 4));
}

static void timer_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	(void)device;
	(void)port;
	(void)size;
	(void)value;
}

void acpi_pm_reset(struct acpi_pm *pm)
{
	device_clock_start(&pm->clock, ACPI_PM_TIMER_HZ);
	pm->status_ticks = 0;
	pm->status = 0;
	pm->enable = 0;
	pm->control = PM1_SCI_ENABLED;
}

err_t acpi_pm_create(struct acpi_pm *pm, struct vm *vm)
{
	err_t err;

	pm->vm = vm;
	acpi_pm_reset(pm);
	err = bus_add_ports(&vm->bus, &(struct port_range){
					      .name = "acpi-pm",
					      .first = ACPI_PM1_EVENT,
					      .count = ACPI_PM_TIMER - ACPI_PM1_EVENT,
					      .sizes = BUS_1 | BUS_2,
					      .read = event_read,
					      .write = event_write,
					      .device = pm,
				      });
	if (err)
		return err;
	return bus_add_ports(&vm->bus, &(struct port_range){
					       .name = "acpi-timer",
					       .first = ACPI_PM_TIMER,
					       .count = 4,
					       .sizes = BUS_1 | BUS_2 | BUS_4,
					       .read = timer_read,
					       .write = timer_write,
					       .device = pm,
				       });
}
