#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# The first program of L0: runs the images of Plinth, which are the CDs in the other drives, in QEMU with KVM, and powers
# off.
# COM1, the standard output, tells how each run ended; COM2 is Plinth's console in all of them.

/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin

say()
{
	echo "l0: $*"
}

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tracefs tracing /sys/kernel/tracing
say "Linux $(uname -r)"
for module in /modules/*.ko; do
	insmod "$module"
done
# The drives are found in the background. The first one has the image of this system, with QEMU.
for _ in $(seq 100); do
	[ ! -e /dev/sr3 ] || break
	usleep 100000
done
mount -t iso9660 -o ro /dev/sr0 /image
for module in /image/modules/*.ko; do
	case $module in
	*-kvm_intel.ko) insmod "$module" nested=1 ;;
	*) insmod "$module" ;;
	esac
done
# Should KVM refuse an entry of its guest hypervisor, it tells which check failed.
echo 1 >/sys/kernel/tracing/events/kvm/kvm_nested_vmenter_failed/enable
say "nested KVM: $(cat /sys/module/kvm_intel/parameters/nested)"
say "ready after $(cut -d ' ' -f 1 /proc/uptime) seconds"

# run NAME CD SECONDS OPTION...: one boot of Plinth, with more options for QEMU. What port E9h gets, no guest of
# Plinth can write.
run()
{
	name=$1 cd=$2 seconds=$3
	shift 3
	echo "l0: run $name" >/dev/ttyS1
	: >/tmp/e9
	: >/sys/kernel/tracing/trace
	timeout -k 2 "$seconds" qemu-system-x86_64 -accel kvm -cpu host -m 64 -nodefaults -vga none -display none -no-reboot \
		-serial /dev/ttyS1 -debugcon file:/tmp/e9 -global isa-debugcon.iobase=0xe9 \
		-drive "if=none,id=cd,file=$cd,media=cdrom,readonly=on,format=raw" "$@" >/tmp/words 2>&1
	status=$?
	sed "s/^/l0: $name: /" /tmp/words
	grep -v '^#' /sys/kernel/tracing/trace | sed "s/^/l0: $name: KVM: /"
	tr -d '\r' </tmp/e9 | sed "s/^/l0: $name: port E9h: /"
	say "$name: QEMU ended with status $status, $(cut -d ' ' -f 1 /proc/uptime) seconds after the start"
}

# What the kernel has to complain about KVM so far.
complaints()
{
	dmesg -r | grep -E '^<[0-4]>' | grep -i kvm | sed 's/^/l0: kernel: /'
}

# From a CD whose controller does DMA: word by word, as from the older kind, GRUB would load for long.
run bios /dev/sr1 30 -machine pc -device ahci,id=ahci -device ide-cd,drive=cd,bus=ahci.0
run smp-2 /dev/sr1 30 -machine q35 -smp 2 -device ide-cd,drive=cd
run guests /dev/sr2 200 -machine q35 -smp 2 -device ide-cd,drive=cd
complaints
# Of entries that are to be refused there is nothing to tell.
echo 0 >/sys/kernel/tracing/events/kvm/kvm_nested_vmenter_failed/enable
run entry /dev/sr3 300 -machine q35 -device ide-cd,drive=cd
say "all done"
poweroff -f
