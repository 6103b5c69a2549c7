/* SPDX-License-Identifier: BSD-2-Clause */
/* report=vmx: the capability report for the processor that executes this, instead of guests. */
#include "vcpu/report.h"
#include "arch/x86_64/instructions.h"
#include "kernel/msr_safe.h"
#include "kernel/verdict.h"
#include "vcpu/vmx/capability_report.h"

void backend_report(void)
{
	const struct feature_gate_input input = {
		.cpuid = cpuid,
		.rdmsr = rdmsr_safe,
		.cr0 = read_cr0(),
		.cr4 = read_cr4(),
	};
	err_t err = capability_report(&input);

	if (err)
		verdict_end(VERDICT_ERROR, VERDICT_CODE_REFUSED, "%s", err);
	verdict_end(VERDICT_PASS, 0, "the VMX capabilities are reported above");
}
