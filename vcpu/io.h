/* SPDX-License-Identifier: BSD-2-Clause */
/* IN and OUT with the accumulator: inline, since they are the exits that guests make most. */
#pragma once

#include "vcpu/vcpu.h"

/* What an IN of `size` bytes leaves in RAX: 32 bits clear the upper half, fewer keep the rest. */
static inline void io_set_accumulator(struct vcpu *vcpu, unsigned size, uint32_t value)
{
	if (likely(size == 1))
		vcpu->regs.rax = (vcpu->regs.rax & ~0xffull) | (uint8_t)value;
	else if (size == 2)
		vcpu->regs.rax = (vcpu->regs.rax & ~0xffffull) | (uint16_t)value;
	else
		vcpu->regs.rax = value;
}

static inline enum outcome vcpu_in(struct vcpu *vcpu, uint16_t port, unsigned size)
{
	uint32_t value = bus_port_read(&vcpu->vm->bus, port, size);

	io_set_accumulator(vcpu, size, value);
	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = value & bus_port_mask(size);
	return OUTCOME_NEXT;
}

static inline enum outcome vcpu_out(struct vcpu *vcpu, uint16_t port, unsigned size)
{
	uint32_t value = (uint32_t)vcpu->regs.rax & bus_port_mask(size);

	if (unlikely(vcpu_records(vcpu)))
		vcpu->record->detail[0] = value;
	bus_port_write(&vcpu->vm->bus, port, size, value);
	return OUTCOME_NEXT;
}
