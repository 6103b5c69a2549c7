/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses of instructions to guest-physical addresses without memory. */
#include "vcpu/vcpu.h"

enum outcome vcpu_mmio(struct vcpu *vcpu, gpa_t gpa, bool write)
{
	if (vcpu->record)
		vcpu->record->detail[2] = EPT_STOPPED << 8;
	vm_stop(vcpu->vm, VM_ENDED_STOPPED, 0, "%s guest-physical address %llx, where there is no memory",
		write ? "a write to" : "a read of", (unsigned long long)gpa.raw);
	return OUTCOME_STAY;
}
