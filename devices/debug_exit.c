/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the VM when its guest says so. */

#include "devices/debug_exit.h"

static uint32_t debug_exit_read(void *device, uint16_t port, unsigned size)
{
	(void)device;
	(void)port;
	(void)size;
	return 0;
}

static void debug_exit_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct debug_exit *debug_exit = device;

	(void)size;
	if (port == DEBUG_EXIT_PORT)
		vm_stop(debug_exit->vm, VM_ENDED_EXIT, value,
			"the guest wrote %u to the debug-exit port", value);
}

err_t debug_exit_create(struct debug_exit *debug_exit, struct vm *vm)
{
	debug_exit->vm = vm;
	return bus_add_ports(&vm->bus, &(struct port_range){
					       .name = "debug-exit",
					       .first = DEBUG_EXIT_PORT,
					       .count = 4,
					       .sizes = BUS_1 | BUS_2 | BUS_4,
					       .read = debug_exit_read,
					       .write = debug_exit_write,
					       .device = debug_exit,
				       });
}
