#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The trace in its binary form: sent to COM2, kept in a file, and read by tools/plinth-trace.
source "$(dirname "$0")/lib.sh"

# The exits of the demo as the console shows them, in a form that does not depend on when the host's heartbeat came: what each
# was, without its number, time and cost, the privilege level, and the TSC's frequency as it was measured.
words_of_exits()
{
	sed -nE 's/^plinth\[[a-z]+\]: +[0-9]+ +[0-9]+ (rip=[0-9a-f]+) +(cpl[0-3] [0-9]+ )? *[0-9]+  (.*)/\1 \3/p' "$@" |
		grep -v 'preemption timer$' | sed -E 's/(VMCALL tsc-hz.*) -> .*/\1/'
}

boot file 120 bochs --elf "$elf" --trace-file "$work/demo.trace" </dev/null
status_is $PASS
lacks '^plinth\[demo\]: +[0-9]+ +[0-9]+ rip=' "no exit is shown on the console"
matches '^plinth: trace: [0-9]+ bytes to COM2, no record was lost$' "the end is told"
is "$(wc -c <"$work/demo.trace")" "$(sed -nE 's/^plinth: trace: ([0-9]+) bytes.*/\1/p' "$console")" "every byte is in the file"
runs "plinth-trace reads it" tools/plinth-trace "$work/demo.trace"
cp "$work/output" "$work/demo.lines"
lacks_damage=$(grep -vc '^plinth\[demo\]: ' "$work/demo.lines")
is "$lacks_damage" 0 "there is nothing in it but exits"
is "$(grep -c . "$work/demo.lines")" "$(sed -nE 's/^plinth\[demo\]: all +([0-9]+) .*/\1/p' "$console")" "no exit is missing"
wrong=$(sed -E 's/^plinth\[demo\]: +([0-9]+) +([0-9]+) .*/\1 \2/' "$work/demo.lines" |
	awk '$1 != NR || $2 <= last { print; exit } { last = $2 }')
is "$wrong" "" "they are numbered, and time goes on"
is "$(tools/plinth-trace --histogram "$work/demo.trace")" \
	"$(sed -n '/: exits by reason/,/: all /p' "$console")" "the table of costs is the console's, to the last digit"
tools/plinth-trace --info "$work/demo.trace" >"$work/demo.info"
for text in "CPU 0: Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz, signature 0x306c3, TSC " "command line: trace=all trace.out=com2" \
	"IA32_VMX_EPT_VPID_CAP " "VMs: demo"; do
	grep -qF -- "$text" "$work/demo.info"
	ok $? "--info tells: $text"
done
is "$(tools/plinth-trace --json "$work/demo.trace" | python3 -c '
import json, sys
print(sum(json.loads(line)["words"].startswith("CPUID") for line in sys.stdin))')" \
	"$(sed -nE 's/^plinth\[demo\]: CPUID +([0-9]+) .*/\1/p' "$console")" "--json: as many CPUID exits as were counted"
is "$(tools/plinth-trace --csv "$work/demo.trace" | wc -l)" "$(($(wc -l <"$work/demo.lines") + 1))" "--csv: a line each, and its head"
is "$(tools/plinth-trace --top ports "$work/demo.trace" | sed -nE '2s/^ +([0-9a-f]+) .*/\1/p')" 3f8 "--top: the most frequent port"

# The same exits on the console, with the privilege level.
boot console 120 bochs --elf "$elf" --trace all+cpl </dev/null
status_is $PASS
is "$(diff <(words_of_exits "$work/demo.lines") <(words_of_exits "$console"))" "" \
	"file and console show the same exits in the same words"
matches '^plinth\[demo\]: .* rip=[0-9a-f]+ +cpl0 64 +[0-9]+  CPUID' "with +cpl the level and the code's width are told"
matches '^plinth\[demo\]: .* rip=[0-9a-f]+ +cpl0 32 +[0-9]+  MOV CR0' "also before long mode"

# Two VMs through a ring that is too small for what they do: what is lost is counted, and the rest is right.
boot small 120 bochs --elf "$elf" --kernel build/guest/demo.elf --name first --kernel build/guest/demo.elf --name second \
	--trace-file "$work/small.trace" --plinth records=8 </dev/null
status_is $PASS
matches '^plinth\[second\]: [0-9]+ exits were recorded, the last 8 are kept \(records=N keeps more\):$' "the ring was too small"
matches '^plinth: trace: [0-9]+ bytes to COM2; [0-9]+ records were lost, as' "losses are told on the console"
runs "plinth-trace reads what is there" tools/plinth-trace "$work/small.trace"
cp "$work/output" "$work/small.lines"
lost=$(sed -nE 's/^# CPU 0: of [0-9]+ missing records ([0-9]+) were overwritten before they could be sent, and 0 did not arrive$/\1/p' \
	"$work/small.lines")
is "$lost" "$(sed -nE 's/.* bytes to COM2; ([0-9]+) records were lost.*/\1/p' "$console")" "and in the stream, as many"
exits=$(sed -nE 's/^plinth\[[a-z]+\]: all +([0-9]+) .*/\1/p' "$console" | awk '{ sum += $1 } END { print sum }')
starts_lost=$((lost + $(grep -c '^plinth' "$work/small.lines") - exits))
ok $((starts_lost < 0 || starts_lost > 2)) "exits that are there and those that are lost make all exits"
for vm in first second; do
	grep -q "^plinth\[$vm\]: " "$work/small.lines"
	ok $? "VM $vm is known by its name"
done
is "$(words_of_exits "$work/small.lines" | grep -vFxf <(words_of_exits "$work/demo.lines"))" "" \
	"each exit that came through is one of the demo's"

# Two processors, each with a ring of its own, through one line.
boot two 120 bochs --elf "$elf" --cpus 2 --kernel build/guest/demo.elf --name first --kernel build/guest/demo.elf --name second \
	--trace-file "$work/two.trace" </dev/null
status_is $PASS
matches '^plinth: trace: [0-9]+ bytes to COM2, no record was lost$' "the end is told"
for vm in first second; do
	is "$(tools/plinth-trace --vm $vm "$work/two.trace" | grep -c "^plinth\[$vm\]: ")" \
		"$(sed -nE "s/^plinth\\[$vm\\]: all +([0-9]+) .*/\\1/p" "$console")" "all exits of VM $vm are there"
done
is "$(tools/plinth-trace --info "$work/two.trace" | grep -c '^CPU [01]: ')" 2 "and both processors are described"

# Without the port the run goes on, and says what it does without.
boot none 120 bochs --elf "$elf" --trace all --plinth trace.out=com2 </dev/null
status_is $PASS
says "plinth: error: trace.out=com2: no serial port answers at I/O port 0x2f8; the records are kept in memory only"
matches '^plinth\[demo\]: [0-9]+ exits were recorded:$' "and there they are"

done_testing
