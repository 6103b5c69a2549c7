/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to reset a PC: port 92h and the reset control register at CF9h; and the A20 gate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/error.h"
#include "vcpu/vm.h"

#define RESET_CONTROL_PORT 0xcf9

/*
 * The A20 gate is a bit that programs can set and read. Memory is not wrapped while it is closed:
 * no program of this century counts on that.
 */
struct reset {
	struct vm *vm;
	bool a20;
	uint8_t control; /* CF9h */
};

/* Claims port 92h. CF9h lies amid the ports of PCI configuration: devices/pci.c passes its bytes
 * on. */
CHECKED err_t reset_create(struct reset *reset, struct vm *vm);
void reset_reset(struct reset *reset);

/* Resets the machine, which here ends the VM. `by` says what did it. */
void reset_machine(struct reset *reset, const char *by);

uint8_t reset_control_read(const struct reset *reset);
void reset_control_write(struct reset *reset, uint8_t value);
