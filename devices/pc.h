/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC that a guest sees: all of its devices, in one place. */
#pragma once

#include "devices/acpi_pm.h"
#include "devices/cmos.h"
#include "devices/debug_exit.h"
#include "devices/i8042.h"
#include "devices/pci.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/post.h"
#include "devices/reset.h"
#include "devices/rom.h"
#include "devices/serial.h"
#include "devices/vga.h"
#include "kernel/error.h"
#include "kernel/rtc.h"
#include "vcpu/vm.h"

struct pc {
	struct vm *vm;
	struct serial com1;
	struct debug_exit debug_exit;
	struct post post;
	struct pit pit;
	struct cmos cmos;
	struct reset reset;
	struct pci pci;
	struct i8042 i8042;
	struct pic pic;
	struct acpi_pm acpi_pm;
	struct vga vga;
};

struct pc_options {
	struct console_stream *console; /* behind COM1; NULL: nothing is connected */
	struct rtc_time date;           /* what the guest's clock shows at first */
};

/*
 * Builds the PC of a VM: its bus must be empty and its extents in place, and the time known. Sets
 * vm->pc. pc, the VM and the console must outlive the bus.
 */
CHECKED err_t pc_create(struct vm *vm, struct pc *pc, const struct pc_options *options);

/* Every device as after a reset of the machine, and firmware's work. */
void pc_reset(struct pc *pc);
