#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A dead guest explains itself: a triple fault with its chain of exceptions, a hang that the watchdog ends, task switches;
# and exceptions without end hold nobody.
source "$(dirname "$0")/lib.sh"

guests=build/guest/tests

boot triple 60 bochs --elf "$elf" --trace exception --kernel $guests/triple-fault.elf --name dead --mem 8M </dev/null
status_is $FAIL
matches '^plinth\[dead\]: 64-bit mode, CPL 0, RIP [0-9a-f]+$' "mode and RIP"
matches '^plinth\[dead\]:   code at RIP: 0f 0b ' "the bytes at RIP are those of UD2"
matches '^plinth\[dead\]:   cr0 .*\(PE .*PG\)' "control registers by name"
matches '^plinth\[dead\]:     level 2, entry at [0-9a-f]+: [0-9a-f]+ \(P W U A D PS\)' "the page walk down to a 2 MiB page"
matches 'rip=[0-9a-f]+ .*#UD => #UD$' "the first exception"
matches '#GP error=33 => #GP$' "the second, for the IDT has no entry for #UD"
matches '#GP error=6b => #DF$' "the third makes a double fault"
matches '^plinth\[dead\]: ended .*: triple fault' "and the fourth is the end"

boot untraced 60 bochs --elf "$elf" --kernel $guests/triple-fault.elf --name dead --mem 8M </dev/null
status_is $FAIL
matches 'its last [0-9]+ exits' "its last exits come out without a trace too"
matches ' triple fault$' "the triple fault is the last of them"

tools/make-iso.sh -o "$work/hang.iso" -k "$elf" -m $guests/hang.elf -c "kernel name=hang mem=8M watchdog=1"
boot hang 60 bochs --iso "$work/hang.iso" </dev/null
status_is $FAIL
matches '^plinth\[hang\]: ended .*watchdog: no exit of its own for 1[0-9]{3} ms' "a hang is ended by the watchdog"

# Each stops for a reason that is told, up to two that never end by themselves: exceptions whose delivery meets the same
# exception. They hold their CPUs no longer than to the next exit, so Ctrl-A X ends them. (CVE-2015-5307, CVE-2015-8104)
kernels=()
for word in call jmp iret gate alignment breakpoint; do
	kernels+=(--kernel "$guests/ends.elf" --name "$word" --mem 4M --append "$word")
done
boot_until ends 120 '^(\[breakpoint\] )?# next: breakpoint' bochs --elf "$elf" --cpus 2 --ips 4000000 --plinth records=0 "${kernels[@]}"
status_is $FAIL
for word in call:CALL jmp:JMP iret:IRET 'gate:a gate of the IDT'; do
	matches "^plinth\[${word%:*}\]: ended .*a task switch to selector 70 by ${word#*:}: " "the task switch by ${word#*:}"
done
for word in alignment breakpoint; do
	matches "^plinth\[$word\]: exception or NMI +[0-9]{3,}" "$word: exceptions without end exit again and again"
	matches "^plinth\[$word\]: ended .*Ctrl-A X" "$word: and the run could be ended"
done

done_testing
