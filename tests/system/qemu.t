#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# QEMU without KVM has no VMX: from each firmware and each kind of medium Plinth boots up to the refusal, which says what
# is missing, and ends with the status for it.
source "$(dirname "$0")/lib.sh"

refuses()
{
	status_is $ERROR
	says "plinth: starting"
	matches '^plinth: verdict: error 3 VMX is missing: CPUID leaf 1 ECX bit 5 is clear, .*; start QEMU with' \
		"the refusal says what, where it is announced, and what to do"
	lacks '^plinth: .*(panic|bug)'
	[[ $words == "run-qemu: Plinth could not do what it was asked to: error 3 "* ]]
	ok $? "$name: the script says so" || note "$words"
}

boot bios-cd 60 qemu --no-kvm --elf "$elf" </dev/null
refuses
matches '^plinth: Plinth.* under BIOS' "knows its firmware"

boot bios-disk 60 qemu --no-kvm --elf "$elf" --disk </dev/null
refuses

boot bios-usb 60 qemu --no-kvm --elf "$elf" --usb --plinth "loglevel=debug" </dev/null
refuses

boot uefi-cd 120 qemu --no-kvm --elf "$elf" --uefi </dev/null
refuses
matches '^plinth: Plinth.* under UEFI' "knows its firmware"

boot uefi-usb 120 qemu --no-kvm --elf "$elf" --uefi --usb --cpus 2 </dev/null
refuses

# The image as `make iso` leaves it.
boot image 60 qemu --no-kvm --iso build/plinth.iso </dev/null
refuses

# No 64-bit mode: told by the first instructions.
boot no-long-mode 60 qemu --no-kvm --elf "$elf" --cpu coreduo </dev/null
status_is $ERROR
says "plinth: error: the processor has no 64-bit mode" "plinth: verdict: error 3 the processor has no 64-bit mode"

done_testing
