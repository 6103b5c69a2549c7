#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Plinth under real KVM, which checks VM entries by rules of its own: a Linux with nested KVM boots in Bochs, and runs
# the demo in QEMU, with one processor and with two, and then tiny guests, two at a time. Then the rules for VM entries are
# compared with KVM's, and EPT changes under a guest.
source "$(dirname "$0")/../tap.sh"

# Seconds of this machine, with room for other work that keeps it busy. L0 itself ends a boot
# of Plinth that takes 30 seconds of its own time.
limit=1200
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
	"ata0-slave: type=cdrom, path=$root/build/plinth.iso, status=inserted" \
	"ata1-master: type=cdrom, path=$root/build/nested/guests.iso, status=inserted" \
	"ata1-slave: type=cdrom, path=$root/build/nested/entry.iso, status=inserted" \
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

# part RUN: makes $console the file with what the run wrote.
part()
{
	console=$work/$1.console
	tr -d '\r' <"$work/com2" | sed -n "/^l0: run $1\$/,/^l0: run /{/^l0: run /!p}" >"$console"
}

for run in bios smp-2; do
	part $run
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
	lacks "$console" '^plinth(\[[a-z]+\])?: (error|warning|panic|bug)' "$run: Plinth has nothing to complain about"
done
part smp-2
has "$console" 'CPUID leaf 1\.0 -> ' "smp-2: the exits are shown"
has "$console" '^plinth: CPUs: 2 of 2 run' "smp-2: both processors run"
part guests
lacks "$work/l0.console" "^l0: guests: KVM: " "guests: KVM refuses no VM entry"
has "$console" '^plinth\[first\]: .* on CPU 0$' "guests: the first runs on the one processor"
has "$console" '^plinth\[second\]: .* on CPU 1$' "guests: the second on the other, at the same time"
# Bochs has one blocking of NMIs for all VMCSs: its VM entries end none that another has left, and here L0 switches between
# two. And its EPT violations leave a single step pending, with which L0 enters after one of its own. So checks of these may
# fail.
sed -E '/not ok .*(NMI|single steps)/d' "$console" >"$work/guests.checks"
lacks "$work/guests.checks" '^(\[[a-z0-9-]+\].)?not ok ' "guests: they find nothing wrong"
is "$(grep -cE '^plinth\[[a-z0-9-]+\]: ended .*: exit, code [01] ' "$console")" \
	"$(sed -nE 's/^plinth: verdict: .* of ([0-9]+) VMs passed$/\1/p' "$console")" "guests: each comes to its end"

part entry
has "$work/l0.console" "^l0: entry: port E9h: plinth: verdict: pass 0 " \
	"entry: KVM answers as the table of rules, or is known not to" || show "$console"
lacks "$console" '^plinth: not ok' "entry: no answer is another"
is "$(grep -cE '^plinth: ok [0-9]+ - ' "$console")" "$(sed -n 's/^plinth: 1\.\.//p' "$console")" \
	"entry: each mutation was looked at"
# KVM keeps translations that Bochs by itself does not.
has "$console" '^plinth: ok: its write does not exit' "entry: without INVEPT a right that is gone still holds"
has "$console" '^plinth: ok: with INVEPT, a write exits' "entry: with it, it does not"

grep -E ' seconds ?' "$work/l0.console" | sed 's/^/# /'
done_testing
