#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Succeeds when QEMU with KVM offers VMX to its guest on this machine; else says in one line why not.

no()
{
	echo "$*"
	exit 1
}

grep -qw vmx /proc/cpuinfo || no "this machine's processor shows no VMX (/proc/cpuinfo has no flag vmx)"
[ -e /dev/kvm ] || no "there is no /dev/kvm; load the module with: sudo modprobe kvm_intel"
if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
	no "/dev/kvm may not be opened by $(id -un); join its group with: sudo adduser $(id -un) kvm"
fi
case $(cat /sys/module/kvm_intel/parameters/nested 2>/dev/null) in
Y | y | 1) ;;
*) no "KVM has nested virtualization off; turn it on with: sudo modprobe -r kvm_intel && sudo modprobe kvm_intel nested=1" ;;
esac
