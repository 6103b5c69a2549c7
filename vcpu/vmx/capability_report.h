/* SPDX-License-Identifier: BSD-2-Clause */
/* The capability report: every VMX capability MSR of the processor decoded, for a developer. */
#pragma once

#include "kernel/error.h"
#include "vcpu/vmx/feature_gate.h"

/*
 * Writes the report in log lines that no loglevel hides, also for a processor that the feature gate
 * refuses. Changes nothing on the processor. Errors: there is no VMX to report on.
 */
CHECKED err_t capability_report(const struct feature_gate_input *input);
