#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Plinth under real KVM, which checks VM entries by rules of its own: a Linux with nested KVM boots in Bochs, and runs
# the demo in QEMU, with one processor and with two.
source "$(dirname "$0")/../tap.sh"

# Seconds of this machine, with room for other work that keeps it busy. L0 itself ends a boot
# of Plinth that takes 30 seconds of its own time.
limit=500
image=build/nested/l0.iso
[[ -e $image ]] || { note "there is no $image: say make check-nested"; exit 1; }
dir=$work/run
mkdir "$dir"
tools/bochsrc.sh --iso "$root/$image" --dir "$dir" --cpu haswell --ips 100000000 --ram 512 >"$dir/bochsrc" || exit 1
echo c >"$dir/commands"
# ignore_bad_msrs: Linux reads MSRs that Bochs does not have, and would not survive the fault.
: >"$work/com2"
SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy python3 tools/run-emulator.py --name nested --dir "$dir" \
	--verdict "$work/com2" --log bochs.log --serial "$work/com1" --timeout $limit -- \
	bochs-bin -q -f "$dir/bochsrc" -rc "$dir/commands" "com1: enabled=1, mode=socket-client, dev=localhost:@PORT@" \
	"cpu: ignore_bad_msrs=1" "com2: enabled=1, mode=file, dev=$work/com2" \
	"ata1-master: type=cdrom, path=$root/build/plinth.iso, status=inserted" \
	>"$work/stdout" 2>"$work/words" </dev/null
status=$?
tr -d '\r' <"$work/com1" >"$work/l0.console"

# The end of what a file has, for the reader of a failure.
show()
{
	note "the end of $1:"
	note "$(tail -n 12 "$1" | cat -v)"
}

# has FILE REGEX NAME, lacks FILE REGEX NAME: a line, or none, matches the extended regular expression.
has()
{
	grep -qE -- "$2" "$1"
	ok $? "$3" || { note "no line matches: $2"; show "$1"; }
}

lacks()
{
	! grep -qE -- "$2" "$1"
	ok $? "$3" || note "$(grep -E -m 5 -- "$2" "$1" | cat -v)"
}

[[ $status -ne 4 ]]
ok $? "L0 ends within $limit seconds" || note "$(<"$work/words")"
has "$work/l0.console" '^l0: nested KVM: [Y1]' "L0: Linux with nested KVM is there"
has "$work/l0.console" '^l0: all done' "L0: comes to its end"
lacks "$work/l0.console" '^l0: kernel:|Kernel panic|BUG:|Oops|WARNING:' "L0: its kernel has no complaint"

for run in bios smp-2; do
	console=$work/$run.console
	tr -d '\r' <"$work/com2" | sed -n "/^l0: run $run\$/,/^l0: run /{/^l0: run /!p}" >"$console"
	has "$work/l0.console" "^l0: $run: QEMU ended with status 0," "$run: the machine powers off" || show "$console"
	lacks "$work/l0.console" "^l0: $run: KVM: " "$run: KVM refuses no VM entry"
	has "$work/l0.console" "^l0: $run: port E9h: plinth: verdict: pass 0 " "$run: the verdict on port E9h is a pass"
	has "$console" '^plinth: verdict: pass 0 ' "$run: the verdict on the console, too"
	has "$console" '^plinth: Plinth.* under BIOS' "$run: Plinth knows its firmware"
	has "$console" '^plinth: vmx: revision 0x11e57ed0\b' "$run: the VMX is KVM's"
	has "$console" '^ok 1 - ' "$run: the demo runs"
	lacks "$console" '^not ok' "$run: the demo finds nothing wrong"
	is "$(grep -oE '^1\.\.[0-9]+$' "$console")" "1..$(grep -cE '^ok [0-9]+ - ' "$console")" \
		"$run: the demo makes all the checks that it planned"
	has "$console" 'CPUID leaf 1\.0 -> ' "$run: its exits are shown"
	lacks "$console" '^plinth(\[[a-z]+\])?: (error|warning|panic|bug)' "$run: Plinth has nothing to complain about"
done
grep -E ' seconds ?' "$work/l0.console" | sed 's/^/# /'
done_testing
