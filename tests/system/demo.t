#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The demo guest, line by line: its output and the trace of its exits are those of demo.expected, in that order and with
# nothing between, on an old, a usual and a new processor (with PLINTH_LONG=1 on each that Bochs has and Plinth can use).
# The numbers that depend on the processor or on the time are checked by rules.
# "tests/system/demo.t --update" writes demo.expected anew.
source "$(dirname "$0")/lib.sh"

expected=tests/system/demo.expected
models=(arrandale haswell skylake_x)
[[ -z ${PLINTH_LONG-} ]] || models=(arrandale sandy ivy haswell broadwell skylake_x cnl icelake tigerlake)

# The lines of the guest and of its exits, from its start to the table; numbers that may differ have become letters. Where
# the host's heartbeat comes in between depends on the time.
normalize()
{
	sed -nE '/^plinth\[demo\]: Multiboot 1/,/^plinth\[demo\]: exits by reason/p' "$1" | sed -E '
		/VMX-preemption timer$/d
		/^plinth\[demo\]: exits by reason/d
		s/^plinth\[demo\]: +[0-9]+ +[0-9]+ rip=[0-9a-f]+ +[0-9]+  /plinth[demo]: N T rip=R C  /
		s/(CPUID leaf [0-9]\.0 ->).*/\1 .../
		s/(VMCALL tsc-hz.*) -> .*/\1 -> .../
		s/^plinth\[demo\]: Multiboot 1, [0-9]+ KiB/plinth[demo]: Multiboot 1, S KiB/
		s/^(ok|not ok) [0-9]+ /\1 N /
		s/^1\.\.[0-9]+$/1..N/'
}

if [[ ${1-} == --update ]]; then
	for model in arrandale haswell; do
		boot $model 120 bochs --ips 20000000 --elf "$elf" --cpu $model </dev/null
		normalize "$console" >"$work/$model.lines"
	done
	{
		sed -n '1s/.*/# &/p' <<<"What the demo guest shows; demo.t says how numbers appear. @xsave: on a processor with XSAVE."
		diff --old-line-format='@xsave %L' --new-line-format='@no-xsave %L' --unchanged-line-format='%L' \
			"$work/haswell.lines" "$work/arrandale.lines"
	} >$expected
	exit
fi

# Every exit has its number, in order, and time goes on; no exit costs nothing.
check_trace()
{
	local wrong
	wrong=$(sed -nE 's/^plinth\[demo\]: +([0-9]+) +([0-9]+) rip=[0-9a-f]+ +([0-9]+)  .*/\1 \2 \3/p' "$console" | awk '
		$1 != NR || $2 <= last || $3 == 0 { print "at exit " NR ": " $0; exit }
		{ last = $2 }
		END { if (NR < 50) print "only " NR " exits" }')
	is "$wrong" "" "$name: exits are numbered without a gap, and time goes on"
}

# The table's counts add up to the number of exits, its shares to the whole, and min <= mean <= max.
check_table()
{
	local exits wrong
	exits=$(grep -cE '^plinth\[demo\]: +[0-9]+ +[0-9]+ rip=' "$console")
	wrong=$(sed -nE '/: all /d
		s/^plinth\[demo\]: [A-Za-z].* ([0-9]+) +([0-9.]+)% +[0-9.]+% +([0-9]+) +([0-9]+) +([0-9]+)  \|.*\|$/\1 \2 \3 \4 \5/p' \
		"$console" | awk -v exits="$exits" '
		$3 > $4 || $4 > $5 || $3 == 0 { print "row " NR ": " $0 }
		{ count += $1; share += $2 }
		END {
			if (NR < 15) print "only " NR " reasons"
			if (count != exits) print count " exits, but the trace shows " exits
			if (share < 98 || share > 100.001) print "the shares make " share "%"
		}')
	is "$wrong" "" "$name: the table adds up"
	matches "^plinth\[demo\]: all +$exits +100\.0% +100\.0% " "and so does its last line"
	matches "^plinth\[demo\]: $exits exits were recorded:\$" "and none was lost"
	matches "^plinth\[demo\]:   top ports +3f8 x[0-9]+  " "the most frequent port is told"
}

for model in "${models[@]}"; do
	boot "$model" 120 bochs --ips 20000000 --elf "$elf" --cpu "$model" </dev/null
	status_is $PASS
	if [[ $model == arrandale ]]; then
		sed -E '/^(#|@xsave )/{/^# /{1!b};d}; s/^@no-xsave //' $expected >"$work/expected"
	else
		sed -E '/^(#|@no-xsave )/{/^# /{1!b};d}; s/^@xsave //' $expected >"$work/expected"
	fi
	difference=$(diff "$work/expected" <(normalize "$console"))
	is "$difference" "" "$name: every line is as expected (<: expected, >: seen)"
	check_trace
	check_table
	is "$(grep -c '^not ok' "$console")" 0 "$name: no check of the guest failed"
	is "$(sed -nE 's/^ok ([0-9]+) .*/\1/p' "$console" | tail -n 1)" "$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$console")" \
		"$name: the guest made as many checks as it planned"
	matches '^plinth: time: TSC (19\.9|20\.0)[0-9]* MHz, measured' "the clock is that of the machine, whatever CPUID claims"
	matches '^plinth: vmx: revision 0x[0-9a-f]+, ' "capabilities are told"
	matches '^plinth\[demo\]: ended after [0-9]+ ms: exit, code 0' "how it ended"
	is "$(tail -n 1 "$console")" "plinth: verdict: pass 0 1 of 1 VMs passed" "$name: the last line is the verdict"
	lacks '^plinth: (error|warning)' "there is nothing to complain about"
done

# The trace can be chosen by class, and switched off.
boot classes 120 bochs --elf "$elf" --trace cpuid,msr </dev/null
status_is $PASS
matches '^plinth\[demo\]: +[0-9]+ .* CPUID leaf 1\.0' "a class that was asked for"
matches '^plinth\[demo\]: +[0-9]+ .* RDMSR IA32_EFER' "another one"
lacks '^plinth\[demo\]: +[0-9]+ .*(OUT|MOV CR|VMCALL)' "no other class is shown"

boot none 120 bochs --elf "$elf" --trace none </dev/null
status_is $PASS
lacks '^plinth\[demo\]: +[0-9]+ +[0-9]+ rip=' "trace=none shows no exit"
matches '^plinth\[demo\]: all +[0-9]+ +100' "but all are counted"

done_testing
