#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processors that have VMX, but not all that Plinth needs: the refusal names feature, MSR and bit, and what to do.
source "$(dirname "$0")/lib.sh"

boot penryn 60 bochs --elf "$elf" --cpu penryn </dev/null
status_is $ERROR
matches '^plinth: verdict: error 3 .*"enable EPT": IA32_VMX_PROCBASED_CTLS2 \(0x48b\) bit 33 is clear; .*; use an Intel' \
	"no EPT: feature, MSR, bit, and what to do"

boot lynnfield 60 bochs --elf "$elf" --cpu lynnfield </dev/null
status_is $ERROR
matches '^plinth: verdict: error 3 .*"unrestricted guest": IA32_VMX_PROCBASED_CTLS2 \(0x48b\) bit 39 is clear; .*; use an' \
	"no unrestricted guest: feature, MSR, bit, and what to do"

boot amd 60 bochs --elf "$elf" --cpu ryzen </dev/null
status_is $ERROR
matches '^plinth: verdict: error 3 VMX is missing: .*AMD.*; use an Intel' "no VMX at all"

done_testing
