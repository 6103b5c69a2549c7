#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The SDM's rules for VM entries against the processor: VMCSs that are broken in one way each get the answer that the
# table of rules has for them, or one that is known to differ. And what Plinth says of an entry that fails.
source "$(dirname "$0")/lib.sh"

entry=$root/build/tests/entry.elf

# answers MODEL: every attempt agrees, and most were made.
answers()
{
	local planned skipped
	# It talks a lot: a slow clock makes the serial line cheap.
	boot "$1" 90 bochs --elf "$entry" --cpu "$1" --ips 4000000 </dev/null
	status_is $PASS
	lacks '^plinth: not ok ' "no answer of the processor differs from the table's"
	planned=$(sed -n 's/^plinth: 1\.\.//p' "$console")
	is "$(grep -cE '^plinth: ok [0-9]+ - ' "$console")" "${planned:-a plan}" "$1: each mutation was looked at"
	skipped=$(grep -cE '^plinth: ok .* # skip ' "$console")
	((${planned:-0} - skipped > 450))
	ok $? "$1: more than 450 were tried" || note "$skipped of $planned were skipped"
	note "$1: $skipped of $planned do not fit; known to differ: $(grep -c '; differs: ' "$console")"
}

answers haswell

# report VM RULE VALUES END: the rule is named with its values, and the VM ends with these words.
report()
{
	matches "^plinth\\[$1\\]:   SDM \"Checks? .*\\[$2\\]\$|^plinth\\[$1\\]:   SDM \"VM-.*\\[$2\\]\$" "$1: the rule is named"
	matches "^plinth\\[$1\\]:     $3\$" "$1: with values"
	matches "^plinth\\[$1\\]:   [0-9a-f]{4} (control|guest|host) " "$1: and the VMCS follows"
	matches "^plinth\\[$1\\]: ended: $4" "$1: the VM ends with the processor's word"
}
report guest-state "rflags-reserved, exit 33" 'GUEST_RFLAGS=8; wrong: bit 3 \(reserved\) is 1' \
	'VM-entry failure: invalid guest state'
report guest-state "rflags-one, exit 33" 'GUEST_RFLAGS=8; wrong: bit 1 \(always 1\) is 0' \
	'VM-entry failure: invalid guest state'
report link-pointer "link-aligned, exit 33" 'LINK_POINTER=123; wrong: .*' \
	'VM-entry failure: .*\(exit qualification 4: the VMCS link pointer\)'
report controls "cr3-target-count, error 7" 'CR3_TARGET_COUNT=9' 'VM entry failed, VMfailValid: error 7'
report host-state "host-tr-null, error 8" 'HOST_TR_SELECTOR=0' 'VM entry failed, VMfailValid: error 8'
report check-guest "cs-granularity, exit 33" 'GUEST_CS_ACCESS_RIGHTS=c09b \(type 11, .*GUEST_CS_LIMIT=ffffe; wrong: bit 15 \(G\) is 1' \
	'check=entry: the VMCS breaks 1 rule'
report check-host "host-cr4, error 8" 'HOST_CR4=20; wrong: bit 13 \(VMXE\) is 0' 'check=entry: the VMCS breaks 1 rule'

answers skylake_x
if [[ -n ${PLINTH_LONG:-} ]]; then
	for model in arrandale sandy ivy broadwell cnl icelake tigerlake; do
		answers $model
	done
fi

# All that the demo makes Plinth do leaves a VMCS with which no rule is broken.
boot check 120 bochs --elf "$elf" --ips 4000000 --plinth check=entry --trace none </dev/null
status_is $PASS "the demo runs with check=entry"
lacks 'breaks [0-9]+ rule'

done_testing
