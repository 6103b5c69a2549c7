/* SPDX-License-Identifier: BSD-2-Clause */
/* Which breakpoints an access meets. */
#include "vcpu/breakpoints.h"

#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"

#define BREAKPOINTS 4

/* LEN0 to LEN3: 1, 2, 8, 4 bytes. */
static const uint8_t lengths[] = {1, 2, 8, 4};

static uint64_t breakpoint_address(unsigned n)
{
	switch (n) {
	case 0:
		return read_dr0();
	case 1:
		return read_dr1();
	case 2:
		return read_dr2();
	default:
		return read_dr3();
	}
}

static bool type_meets(enum breakpoint_type type, enum breakpoint_type access)
{
	if (type == BREAKPOINT_READ_WRITE)
		return access == BREAKPOINT_WRITE || access == BREAKPOINT_READ_WRITE;
	return type == access && type != BREAKPOINT_EXECUTE;
}

unsigned breakpoints_met(uint64_t dr7, enum breakpoint_type access, uint64_t address, unsigned size)
{
	unsigned met = 0;

	for (unsigned n = 0; n < BREAKPOINTS; n++) {
		unsigned control = (unsigned)(dr7 >> (16 + 4 * n)) & 0xf;
		uint64_t length = lengths[control >> 2], first;

		if (!(dr7 >> (2 * n) & 3) || !type_meets(control & 3, access))
			continue;
		/* The low bits that the length covers do not count. */
		first = breakpoint_address(n) & ~(length - 1);
		if (first < address + size && address < first + length)
			met |= 1u << n;
	}
	return met;
}

void breakpoints_check(struct vcpu *vcpu, enum breakpoint_type access, uint64_t address,
		       unsigned size)
{
	unsigned met;

	/* Without CR4.DE that type is undefined, and meets nothing. */
	if (access == BREAKPOINT_PORT && !(backend_cr4(vcpu) & CR4_DE))
		return;
	met = breakpoints_met(backend_dr7(vcpu), access, address, size);
	if (met)
		backend_breakpoints_met(vcpu, met);
}
