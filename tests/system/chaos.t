#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Random code in every mode, a million instructions of it: VMs may end, in ways of their own, but nothing else does. With
# PLINTH_LONG=1 a hundred million, on several models, and some with the rules for VM entries checked before each.
source "$(dirname "$0")/lib.sh"

guest=build/guest/tests/chaos.elf

# A slow machine: its lines cost it fewer instructions, and its watchdog less time.
ips=4000000

# Should VMs end at once, there is an end to boots too.
BOOTS_MAX=400

# chaos NAME CPU VMS COUNT RESTARTS INSTRUCTIONS SECONDS [OPTION]: VMs one after another, COUNT instructions each. One that
# ends before starts again, with another seed, which it tells. One whose code finds a way to end with a pass does not: so
# boots follow each other, with other seeds, until there were so many instructions in all.
chaos()
{
	local modules seed total=0 number=0
	while [[ $total -lt $6 && $number -lt $BOOTS_MAX ]]; do
		modules=()
		for seed in $(seq $((number * $3 + 1)) $(((number + 1) * $3))); do
			modules+=(-m "$guest" -c "kernel name=chaos$seed mem=4M watchdog=1 restart=$5 -- seed=$seed count=$4 mix ${8:+slow}")
		done
		number=$((number + 1))
		tools/make-iso.sh -o "$work/$1.iso" -k "$elf" -a "trace=none records=0 loglevel=warn ${8-}" "${modules[@]}"
		boot "$1-$number" "$7" bochs --iso "$work/$1.iso" --ips $ips --cpu "$2" </dev/null
		rm -f "$work/$1.iso"
		[[ $status == "$PASS" || $status == "$FAIL" ]]
		ok $? "$name: the run comes to its verdict" || { show_console; break; }
		lacks 'panic|plinth: (error|warning)|VM entry|no control of this VMCS|newer than Plinth|misconfiguration|VMPTRLD failed' \
			"nothing ends but VMs, in ways of their own" ||
			note "$(grep -aE 'chaos: seed|ended after|panic|VM entry|rule' "$console" | tail -n 20 | cat -v)"

		# What each start of a VM told last, unless its memory was no longer its own.
		total=$((total + $(LC_ALL=C awk '
			/# chaos: seed [0-9a-f]+, / { sum += last; last = 0 }
			match($0, /# chaos: seed [0-9a-f]+: [0-9]+ instructions/) {
				split(substr($0, RSTART), word)
				if (word[5] > last && word[5] - last < 100000)
					last = word[5]
			}
			END { printf "%d", sum + last }' "$console")))
		note "$name: $total instructions in all, $(grep -ac ': ended after' "$console") VMs"
	done
	[[ $total -ge $6 ]]
	ok $? "$1: it runs as many instructions as it should"
}

# How many exits there were for each reason.
exits()
{
	LC_ALL=C awk -v reason="$1" '
		/^plinth\[/ && (at = index($0, "]: " reason " ")) { split(substr($0, at + 3 + length(reason)), word); sum += word[1] }
		END { print sum + 0 }' "$console"
}

if [[ -z ${PLINTH_LONG-} ]]; then
	chaos short haswell 8 400000 10 1000000 600
	for reason in "exception or NMI" "triple fault" "interrupt window" "NMI window" CPUID HLT INVD RDPMC VMCALL VMCLEAR \
		VMLAUNCH VMPTRLD VMPTRST VMREAD VMRESUME VMWRITE VMXOFF VMXON "control-register access" "I/O instruction" \
		RDMSR WRMSR MWAIT MONITOR "EPT violation" INVEPT INVVPID "WBINVD or WBNOINVD" XSETBV; do
		count=$(exits "$reason")
		[[ $count -gt 0 ]]
		ok $? "exits with the reason: $reason"
		note "$count"
	done
else
	for model in arrandale haswell skylake_x; do
		chaos "$model" $model 4 1000000 1000 33400000 14400
		chaos "$model-checked" $model 4 20000 10 100000 7200 check=entry
	done
fi

done_testing
