/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8042 keyboard controller at ports 60h and 64h, with no keyboard and no mouse attached. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "devices/reset.h"
#include "kernel/error.h"

#define I8042_RAM_SIZE 32

struct i8042 {
	struct reset *reset;
	uint8_t ram[I8042_RAM_SIZE]; /* byte 0 is the command byte */
	uint8_t output;              /* the output buffer, while OBF is set */
	uint8_t status;
	uint8_t awaited; /* the command whose data byte is due, or 0 */
};

CHECKED err_t i8042_create(struct i8042 *i8042, struct bus *bus, struct reset *reset);
void i8042_reset(struct i8042 *i8042);
