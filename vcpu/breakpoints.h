/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints of the guest on memory and ports that Plinth accesses for it: the processor, which
 * does not execute the instruction, cannot find them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/compiler.h"
#include "vcpu/vcpu.h"

/* R/W0 to R/W3 of DR7. SDM "Debug Control Register (DR7)" */
enum breakpoint_type {
	BREAKPOINT_EXECUTE = 0,
	BREAKPOINT_WRITE = 1,
	BREAKPOINT_PORT = 2, /* with CR4.DE */
	BREAKPOINT_READ_WRITE = 3,
};

/* Whether any breakpoint is on. */
static inline bool breakpoints_on(uint64_t dr7)
{
	return dr7 & 0xff;
}

/*
 * Those in DR7 that an access to [address, address + size) meets: bit n for DRn, whose values are
 * live. A type of BREAKPOINT_WRITE stands for a write, BREAKPOINT_READ_WRITE for a read.
 */
unsigned breakpoints_met(uint64_t dr7, enum breakpoint_type access, uint64_t address,
			 unsigned size);

/* Makes #DB pending, for the end of the current instruction, if this access meets a breakpoint. */
void breakpoints_check(struct vcpu *vcpu, enum breakpoint_type access, uint64_t address,
		       unsigned size);
