/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes this processor through the feature gate: the part that reads and writes its registers. */
#include "arch/x86_64/instructions.h"
#include "kernel/msr_safe.h"
#include "vcpu/vmx/feature_gate.h"

err_t feature_gate_open(const struct feature_gate *gate, msr_writer wrmsr)
{
	if (!gate->must_write_feature_control)
		return NULL;
	if (wrmsr(IA32_FEATURE_CONTROL, gate->feature_control))
		return NULL;
	return error("writing %#llx to IA32_FEATURE_CONTROL (0x3a) faults though it is not locked; "
		     "enable Intel Virtualization Technology in the firmware setup",
		     (unsigned long long)gate->feature_control);
}

/* Not on a stack, for its size; the processors take the gate one after the other. */
static struct feature_gate gate;

static err_t check_and_open(void)
{
	const struct feature_gate_input input = {
		.cpuid = cpuid,
		.rdmsr = rdmsr_safe,
		.cr0 = read_cr0(),
		.cr4 = read_cr4(),
	};
	err_t err = feature_gate_check(&input, &gate);

	if (!err)
		err = feature_gate_open(&gate, wrmsr_safe);
	return err;
}

err_t feature_gate_pass(struct vmx_capabilities *capabilities, struct vmx_controls *controls)
{
	err_t err = check_and_open();

	if (err)
		return err;
	feature_gate_report(&gate);
	*capabilities = gate.capabilities;
	*controls = gate.controls;
	return NULL;
}

err_t feature_gate_follow(const struct vmx_capabilities *first)
{
	err_t err = check_and_open();

	return err ? err : vmx_capabilities_compare(first, &gate.capabilities);
}
