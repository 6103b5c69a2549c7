#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Several processors: all are started, several VMs run side by side, those without a processor or memory wait, reports
# stay in one piece, and restart= has its limit. Few instructions a second make these machines quick to emulate.
source "$(dirname "$0")/lib.sh"

demo=build/guest/demo.elf
dies=build/guest/tests/triple-fault.elf
hangs=build/guest/tests/hang.elf

# in_one_piece NAME: no other VM's line stands in the VM's report.
in_one_piece()
{
	local others
	others=$(sed -nE "/^plinth\\[$1\\]: exits by reason/,/^plinth\\[$1\\]: ended after/p" "$console" | grep -v "^plinth\\[$1\\]: ")
	is "$others" "" "$name: the report on $1 is in one piece"
	matches "^plinth\\[$1\\]: exits by reason" "there is a report on $1"
}

# started_on NAME NUMBER: the first VMs get a processor each, in order.
started_on()
{
	matches "^plinth\\[$1\\]: .* on CPU $2\$" "$1 runs on CPU $2"
}

boot eight 240 bochs --cpus 8 --ips 2000000 --iso build/plinth.iso </dev/null
status_is $PASS
says "plinth: CPUs: 8 of 8 run"
lacks '^plinth: (warning|error): ' "nothing to complain about"

# The demo has the raw console, as it comes first, and the others are marked. More VMs than processors.
tools/make-iso.sh -o "$work/six.iso" -k "$elf" -a "records=0" \
	-m $demo -c "kernel name=first mem=16M restart=3" \
	-m $dies -c "kernel name=dies mem=2M restart=2" \
	-m $demo -c "kernel name=third mem=4M" \
	-m $dies -c "kernel name=once mem=3M" \
	-m $demo -c "kernel name=fifth mem=2M" \
	-m $demo -c "kernel name=sixth mem=24M"
boot six-on-two 240 bochs --cpus 2 --ips 4000000 --iso "$work/six.iso" </dev/null
status_is $FAIL
says "plinth: CPUs: 2 of 2 run"
started_on first 0
started_on dies 1
is "$(grep -oE '^plinth\[[a-z]+\]: Multiboot' "$console" | sort -u | wc -l)" 6 "$name: all six start"
matches '^ok 1 - ' "the first has the raw console"
matches '^\[third\] ok 1 - ' "the others' lines are marked"
lacks '^\[first\] ' "the first's are not"
for vm in first third fifth sixth; do
	in_one_piece $vm
	matches "^plinth\\[$vm\\]: ended .* code 0 " "$vm passes"
done
lacks '^plinth\[first\]: .*restart' "a VM that passes is not started again"
is "$(grep -cE '^plinth\[dies\]: ended .*triple fault' "$console")" 3 "$name: a VM that dies runs three times with restart=2"
says "plinth[dies]: restart 1 of 2" "plinth[dies]: restart 2 of 2" "plinth[dies]: no restart: restart=2 is used up"
is "$(grep -cE '^plinth\[once\]: ended ' "$console")" 1 "$name: and once without"
matches '^plinth: verdict: fail .*4 of 6 VMs passed' "the verdict counts VMs, not runs"
lacks '^plinth: (warning|error): ' "nothing to complain about"

# A named VM has the console, whenever it runs. Wrong numbers stop their VM alone.
tools/make-iso.sh -o "$work/four.iso" -k "$elf" -a "records=0 console=vm:fourth" \
	-m $dies -c "kernel name=first mem=2M" \
	-m $demo -c "kernel name=second mem=2M restart=-1" \
	-m $demo -c "kernel name=third mem=2M restart=many" \
	-m $demo -c "kernel name=fourth mem=100M" \
	-m $demo -c "kernel name=fifth mem=100M" \
	-m $demo -c "kernel name=sixth mem=80M" \
	-m $demo -c "kernel name=seventh mem=1G"
boot on-four 240 bochs --cpus 4 --ips 4000000 --ram 256M --iso "$work/four.iso" </dev/null
status_is $FAIL
matches '^plinth: error: .*second.*restart' "restart=-1 is refused"
matches '^plinth: error: .*third.*restart' "restart=many is refused"
matches '^ok 1 - ' "the VM that console=vm: names has the raw console"
matches '^\[fifth\] ok 1 - ' "others have not"
lacks '^\[fourth\] ' "all of its lines are raw"
says "plinth[sixth]: waits until other VMs give back enough memory"
matches '^plinth\[sixth\]: ended .* code 0 ' "a VM that waited for memory runs"
matches '^plinth: error: VM seventh does not start: no memory for 1024 MiB' "one that can never get it is refused"
matches '^plinth: verdict: fail .*3 of 7 VMs passed' "the others pass"

# Ctrl-A X ends all, also guests that never exit; those that wait do not start any more.
tools/make-iso.sh -o "$work/hang.iso" -k "$elf" -a "records=0" -m $hangs -c "kernel name=one mem=2M" \
	-m $hangs -c "kernel name=two mem=2M restart=9" -m $hangs -c "kernel name=three mem=2M"
boot_until ended 120 '\[two\] # next comes a loop' bochs --cpus 2 --ips 4000000 --iso "$work/hang.iso"
status_is $FAIL
for vm in one two; do
	matches "^plinth\\[$vm\\]: ended .*stopped by the user" "$vm is ended"
done
lacks '^plinth\[three\]' "the third does not start"
matches '^plinth: verdict: fail 1 0 of 3 VMs passed' "the verdict"

# The start of processors where there is no VMX: QEMU's own emulation, under both firmwares.
boot qemu-bios 60 qemu --no-kvm --elf "$elf" --cpus 4 </dev/null
says "plinth: CPUs: 4 of 4 run"
boot qemu-uefi 120 qemu --no-kvm --elf "$elf" --uefi --cpus 3 </dev/null
says "plinth: CPUs: 3 of 3 run"

# A bug of the host on one processor stops the others first, whatever they do; even when they panic themselves.
boot panic 60 qemu --no-kvm --elf "$root/build/tests/host.elf" --cpus 4 --trace among-others </dev/null
status_is $ERROR
matches '^plinth: CPU [123] talks' "the others are at work"
is "$(sed -n '/panic: among 3 others/,$p' "$console" | grep -c talks)" 0 "$name: after the panic none of them says a word"
matches '^plinth: verdict: error 4 panic: among 3 others' "the verdict"
boot panics 60 qemu --no-kvm --elf "$root/build/tests/host.elf" --cpus 4 --trace at-once </dev/null
status_is $ERROR
is "$(grep -c '^plinth: error: panic: at once' "$console")" 1 "$name: the first one speaks for all"
lacks 'panic in a panic' "it is no panic in a panic"

done_testing
