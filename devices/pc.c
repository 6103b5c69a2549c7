/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the devices on the bus. */

#include "devices/pc.h"

#include <stddef.h>

CHECKED static err_t create_devices(struct vm *vm, struct pc *pc, const struct pc_options *options)
{
	struct bus *bus = &vm->bus;
	err_t err;

	/* Those first that others are given. */
	err = reset_create(&pc->reset, vm);
	if (!err)
		err = pci_create(&pc->pci, bus, &pc->reset);
	if (!err)
		err = i8042_create(&pc->i8042, bus, &pc->reset);
	if (!err)
		err = serial_create(&pc->com1, bus, "com1", SERIAL_COM1, options->console);
	if (!err)
		err = debug_exit_create(&pc->debug_exit, vm);
	if (!err)
		err = post_create(&pc->post, bus);
	if (!err)
		err = pit_create(&pc->pit, bus);
	if (!err)
		err = cmos_create(&pc->cmos, vm, &options->date);
	if (!err)
		err = pic_create(&pc->pic, bus);
	if (!err)
		err = acpi_pm_create(&pc->acpi_pm, vm);
	if (!err)
		err = vga_create(&pc->vga, bus);
	if (!err)
		err = rom_create(bus);
	return err;
}

err_t pc_create(struct vm *vm, struct pc *pc, const struct pc_options *options)
{
	err_t err = create_devices(vm, pc, options);

	if (err)
		return error("the devices of the VM could not be set up: %s", err);
	pc->vm = vm;
	vm->pc = pc;
	return NULL;
}

void pc_reset(struct pc *pc)
{
	reset_reset(&pc->reset);
	pci_reset(&pc->pci);
	i8042_reset(&pc->i8042);
	serial_reset(&pc->com1);
	post_reset(&pc->post);
	pit_reset(&pc->pit);
	cmos_reset(&pc->cmos);
	pic_reset(&pc->pic);
	acpi_pm_reset(&pc->acpi_pm);
	vga_reset(&pc->vga);
}
