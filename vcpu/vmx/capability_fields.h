/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of those VMX capability MSRs that are no control words, for the capability report. */
#pragma once

#include <stdint.h>

/*
 * Writes a line for each field of IA32_FEATURE_CONTROL, IA32_VMX_BASIC, _MISC, _VMCS_ENUM,
 * _EPT_VPID_CAP or _VMFUNC, with its bits, value, and what Plinth makes of it; then a line with
 * bits that are set and have no meaning known here, if there are any. Other MSRs: nothing.
 */
void capability_fields_report(uint32_t msr, uint64_t value);
