/* SPDX-License-Identifier: BSD-2-Clause */
/* The string forms of IN and OUT. */
#include "arch/x86_64/control_registers.h"
#include "arch/x86_64/instructions.h"
#include "vcpu/breakpoints.h"
#include "vcpu/linear.h"
#include "vcpu/vcpu.h"

/* Elements of a REP that are done before the guest may be interrupted. */
#define ELEMENTS_AT_ONCE 256

/*
 * One element. The memory side is checked first, so that a fault finds the port untouched; what a
 * device then does about a memory address of its own is up to it.
 */
static enum linear_result element(struct linear_context *context, const struct string_io *io)
{
	struct vcpu *vcpu = context->vcpu;
	unsigned index = io->in ? REG_RDI : REG_RSI;
	uint64_t offset = register_read(&vcpu->regs, index, io->address_size), linear;
	uint64_t step = context->rflags & RFLAGS_DF ? -(uint64_t)io->size : io->size;
	enum linear_result result = linear_address(context, offset, io->size, io->in, &linear);
	uint32_t value = 0;

	if (result == LINEAR_OK && io->in) {
		result = linear_probe(context, linear, io->size, true);
		if (result == LINEAR_OK) {
			value = bus_port_read(&vcpu->vm->bus, io->port, io->size);
			result = linear_write(context, linear, &value, io->size);
		}
	} else if (result == LINEAR_OK) {
		result = linear_read(context, linear, &value, io->size);
		if (result == LINEAR_OK)
			bus_port_write(&vcpu->vm->bus, io->port, io->size, value);
	}
	if (result != LINEAR_OK)
		return result;
	if (unlikely(context->breakpoints))
		breakpoints_check(vcpu, BREAKPOINT_PORT, io->port, io->size);
	register_write(&vcpu->regs, index, io->address_size, offset + step);
	if (unlikely(vcpu_records(vcpu))) {
		vcpu->record->detail[0] = value;
		vcpu->record->detail[1]++;
	}
	return LINEAR_OK;
}

/* The pointer has the size of an address even when there was nothing to do. */
static void end_repeat(struct vcpu *vcpu, const struct string_io *io)
{
	unsigned index = io->in ? REG_RDI : REG_RSI;

	if (io->address_size == 4)
		vcpu->regs.by_index[index] = (uint32_t)vcpu->regs.by_index[index];
}

enum outcome vcpu_io_string(struct vcpu *vcpu, const struct string_io *io)
{
	uint64_t left = io->rep ? register_read(&vcpu->regs, REG_RCX, io->address_size) : 1;
	struct linear_context context;
	unsigned batch = ELEMENTS_AT_ONCE;

	linear_begin(vcpu, (enum segment_index)io->segment, &context);
	/* A single step or a breakpoint is due after each element. */
	if (context.rflags & RFLAGS_TF || context.breakpoints)
		batch = 1;
	while (left > 0 && batch-- > 0) {
		if (element(&context, io) != LINEAR_OK)
			return OUTCOME_STAY;
		left--;
		if (io->rep)
			register_write(&vcpu->regs, REG_RCX, io->address_size, left);
		if (vcpu->requests & REQUEST_STOP)
			return OUTCOME_STAY;
	}
	if (left == 0) {
		end_repeat(vcpu, io);
		return OUTCOME_NEXT;
	}
	/* RF keeps an instruction breakpoint, which has fired, from firing again at each batch. */
	backend_set_resume_flag(vcpu);
	backend_instruction_done(vcpu);
	return OUTCOME_STAY;
}
