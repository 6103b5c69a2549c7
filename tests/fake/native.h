/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one 64-bit instruction on the machine that runs the test: the oracle for what is emulated.
 * Link tests/fake/native.c. */
#pragma once

#include <stdint.h>

#include "arch/x86_64/registers.h"

struct native {
	struct general_registers regs; /* rsp is left alone */
	uint64_t rflags;               /* the arithmetic flags and DF */
};

/* The instruction must neither jump nor use RSP, and its memory must be there. */
void native_run(const void *bytes, unsigned length, struct native *state);
