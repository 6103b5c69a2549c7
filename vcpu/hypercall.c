/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercalls: what a guest may ask of Plinth. */
#include "vcpu/hypercall.h"

#include "kernel/time.h"
#include "vcpu/vcpu.h"

static enum outcome hypercall_interrupt(struct vcpu *vcpu, uint64_t vector)
{
	if (vector < 16 || vector > 255) {
		vcpu->regs.rax = PLINTH_EINVAL;
		return OUTCOME_NEXT;
	}
	events_raise_interrupt(&vcpu->events, (uint8_t)vector);
	vcpu->regs.rax = 0;
	return OUTCOME_NEXT;
}

enum outcome vcpu_hypercall(struct vcpu *vcpu)
{
	uint32_t number = (uint32_t)vcpu->regs.rax;
	bool wide = vcpu->mode == MODE_LONG;
	uint64_t argument = wide ? vcpu->regs.rbx : (uint32_t)vcpu->regs.rbx;
	enum outcome outcome = OUTCOME_NEXT;

	if (backend_cpl(vcpu) != 0) {
		vcpu_ud(vcpu);
		return OUTCOME_STAY;
	}
	if (vcpu->record) {
		vcpu->record->qualification = number;
		vcpu->record->detail[0] = argument;
	}
	switch (number) {
	case PLINTH_VERSION:
		vcpu->regs.rax = PLINTH_ABI_VERSION;
		break;
	case PLINTH_MARK:
		if (vcpu->record)
			vcpu->record->detail[2] = vcpu->regs.rcx;
		vcpu->regs.rax = 0;
		break;
	case PLINTH_EXIT:
		vm_stop(vcpu->vm, VM_ENDED_EXIT, (uint32_t)argument, "by hypercall");
		break;
	case PLINTH_TSC_HZ:
		vcpu->regs.rax = time_frequency();
		break;
	case PLINTH_INTERRUPT:
		outcome = hypercall_interrupt(vcpu, argument);
		break;
	case PLINTH_NMI:
		events_raise_nmi(&vcpu->events);
		vcpu->regs.rax = 0;
		break;
	case PLINTH_EXIT_COUNT:
		vcpu->regs.rax = counters_sum(&vcpu->counters);
		break;
	default:
		vcpu->regs.rax = PLINTH_ENOSYS;
		break;
	}
	if (!wide)
		vcpu->regs.rax = (uint32_t)vcpu->regs.rax;
	if (vcpu->record)
		vcpu->record->detail[1] = vcpu->regs.rax;
	return outcome;
}
