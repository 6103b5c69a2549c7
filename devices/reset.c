/* SPDX-License-Identifier: BSD-2-Clause */
/* Port 92h and the reset control register. */

#include "devices/reset.h"

#define PORT_92 0x92

enum {
	PORT_92_RESET = 0x01,
	PORT_92_A20 = 0x02,

	/* A hard reset is SYSTEM with RESET going from 0 to 1; without SYSTEM it resets the
	   processor alone. */
	CONTROL_SYSTEM = 0x02,
	CONTROL_RESET = 0x04,
	CONTROL_FULL = 0x08, /* with the power off and on again */
	CONTROL_WRITABLE = CONTROL_SYSTEM | CONTROL_RESET | CONTROL_FULL,
};

void reset_machine(struct reset *reset, const char *by)
{
	vm_stop(reset->vm, VM_ENDED_RESET, 0, "the guest reset the machine through %s", by);
}

static uint32_t port_92_read(void *device, uint16_t port, unsigned size)
{
	const struct reset *reset = device;

	(void)port;
	(void)size;
	return reset->a20 ? PORT_92_A20 : 0;
}

static void port_92_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct reset *reset = device;

	(void)port;
	(void)size;
	reset->a20 = value & PORT_92_A20;
	if (value & PORT_92_RESET)
		reset_machine(reset, "port 92h");
}

uint8_t reset_control_read(const struct reset *reset)
{
	return reset->control;
}

void reset_control_write(struct reset *reset, uint8_t value)
{
	bool rises = (value & ~reset->control) & CONTROL_RESET;

	reset->control = value & CONTROL_WRITABLE;
	if (rises)
		reset_machine(reset, value & CONTROL_SYSTEM ? "port CF9h (hard reset)"
							    : "port CF9h (soft reset)");
}

void reset_reset(struct reset *reset)
{
	reset->a20 = true; /* as every loader leaves it */
	reset->control = 0;
}

err_t reset_create(struct reset *reset, struct vm *vm)
{
	reset->vm = vm;
	reset_reset(reset);
	return bus_add_ports(&vm->bus, &(struct port_range){
					       .name = "port-92",
					       .first = PORT_92,
					       .count = 1,
					       .sizes = BUS_1,
					       .read = port_92_read,
					       .write = port_92_write,
					       .device = reset,
				       });
}
