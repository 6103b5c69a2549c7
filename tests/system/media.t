#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The demo from each medium and firmware that Bochs has: the image as CD and as disk; and SeaBIOS, which leaves
# IA32_FEATURE_CONTROL unlocked, so that Plinth must enable VMX and lock it.
source "$(dirname "$0")/lib.sh"

boot cd 120 bochs --iso build/plinth.iso </dev/null
status_is $PASS
lacks IA32_FEATURE_CONTROL "nothing to do about IA32_FEATURE_CONTROL, which this firmware has locked"

boot disk 120 bochs --iso build/plinth.iso --disk </dev/null
status_is $PASS

boot unlocked 120 bochs --iso build/plinth.iso --firmware seabios </dev/null
status_is $PASS
says "plinth: vmx: firmware left IA32_FEATURE_CONTROL (0x3a) unlocked: VT-x enabled and locked"

done_testing
