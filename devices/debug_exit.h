/* SPDX-License-Identifier: BSD-2-Clause */
/* The port through which a guest ends its VM with a status. */
#pragma once

#include "vcpu/vm.h"

#define DEBUG_EXIT_PORT 0xf4

struct debug_exit {
	struct vm *vm;
};

/* A write of 1, 2 or 4 bytes to DEBUG_EXIT_PORT ends the VM with that value. Reads give zero. */
CHECKED err_t debug_exit_create(struct debug_exit *debug_exit, struct vm *vm);
