/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints a VMCS for a person: every field that this CPU has, by name. */
#include "kernel/log.h"
#include "vcpu/vmx/vmx.h"

void vmx_dump(const struct vcpu *vcpu)
{
	static const char *const types[] = {"control", "read-only", "guest", "host"};
	unsigned zeros = 0, absent = 0;

	log_vm(vcpu->vm->name, "the VMCS, without fields that are 0:");
	for (size_t i = 0; i < vmcs_field_count; i++) {
		uint32_t field = vmcs_fields[i].field;
		uint64_t value = 0;

		if (vmread_checked(field, &value) != VMX_OK)
			absent++;
		else if (value == 0)
			zeros++;
		else
			log_vm(vcpu->vm->name, "  %04x %-9s %-28s %llx", field,
			       types[vmcs_field_type(field)], vmcs_fields[i].name,
			       (unsigned long long)value);
	}
	log_vm(vcpu->vm->name, "  %u fields are 0, %u are not in this CPU", zeros, absent);
}
