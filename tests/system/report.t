#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --report: every capability MSR decoded, also on a processor that Plinth refuses; no guest runs.
source "$(dirname "$0")/lib.sh"

# The values in the report, in the form of tests/unit/vmx-capabilities.txt.
reported()
{
	sed -nE 's/^plinth: IA32_VMX_[A-Z0-9_]+ \(0x(4[0-9a-f]{2})\) = 0x([0-9a-f]{16})$/  \1:\2/p' "$console" | sort
}

# Those that were recorded for a model, less the two MSRs that nothing announces and those that fault.
recorded()
{
	sed -nE "/^[a-z0-9_]*$1[a-z0-9_]* FEATURE_CONTROL=/,/^\$/p" tests/unit/vmx-capabilities.txt |
		grep -E '^  4[0-9a-f]{2}:[0-9a-f]{16}$' | grep -vE '^  49[23]:' | sort
}

for model in haswell tigerlake penryn; do
	boot $model 60 bochs --elf "$elf" --report --cpu $model </dev/null
	status_is $PASS
	is "$(reported)" "$(recorded $model)" "$name: the values of all MSRs can be cut out, and are the processor's"
	is "$(sed -n '/== VMX capabilities/,$p' "$console" | grep -E '^.{101}')" "" "$name: no line is longer than 100 columns"
	says "plinth: IA32_FEATURE_CONTROL (0x3a) = 0x0000000000000005"
	matches '^plinth: bit control +may be Plinth why$' "the tables of controls have headings"
	matches '^plinth:  29 MONITOR exiting +0 or 1 on +keep a guest from MONITOR, as from MWAIT$' "a control with its reason"
	matches '^plinth: the host now has 0x[0-9a-f]+: PE,.* NE, WP, PG$' "CR0 as it is"
	lacks '^plinth\[|^ok 1' "no guest runs"
	is "$(tail -n 1 "$console")" "plinth: verdict: pass 0 the VMX capabilities are reported above" \
		"$name: the last line is the verdict"
	lacks '^plinth: (error|warning)' "there is nothing to complain about"
done
# Of the last of them, which is refused.
matches '^plinth:   1 enable EPT +only 0 needs  confine a guest to its own memory$' "what is needed and missing is marked"
says "plinth: Plinth runs no guests here: this processor lacks \"enable EPT\": IA32_VMX_PROCBASED_CTLS2"

# Nothing hides the report, and nothing is changed: firmware's unlocked register stays so.
boot unlocked 60 bochs --elf "$elf" --report --firmware seabios --plinth loglevel=error </dev/null
status_is $PASS
says "plinth: IA32_FEATURE_CONTROL (0x3a) = 0x0000000000000000" \
	"plinth: unlocked: when Plinth runs guests, it first sets and locks bit 2" \
	"plinth: Plinth runs guests here"

# Without VMX there is nothing to report.
boot amd 60 bochs --elf "$elf" --report --cpu ryzen </dev/null
status_is $ERROR
matches '^plinth: verdict: error 3 VMX is missing: .*AMD' "the usual refusal"
boot qemu 60 qemu --elf "$elf" --report --no-kvm </dev/null
status_is $ERROR
matches '^plinth: verdict: error 3 VMX is missing: .*TCG' "the usual refusal"

# What makes no sense beside it is refused.
for other in "--trace all" "--kernel $stub" "--iso $stub"; do
	read -ra words_of_other <<<"$other"
	out=$(./run-bochs.sh --report "${words_of_other[@]}" 2>&1 </dev/null)
	is $? $ERROR "refuses --report $other"
	[[ $out == *"give one or the other" ]]
	ok $? "says why" || note "$out"
done

done_testing
