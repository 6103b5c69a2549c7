#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs Plinth in QEMU: with KVM, where the processor offers VMX to guests of this machine, else without VMX.
# shellcheck source=tools/run-common.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools/run-common.sh"

usage()
{
	cat <<'END'
Usage: ./run-qemu.sh [OPTION...]
Boots Plinth in QEMU. With nested KVM on an Intel processor it runs guests there; without, QEMU has no VMX, and Plinth
starts up to the line that says so (./run-bochs.sh has VMX everywhere).

END
	common_usage
	cat <<'END'

Of QEMU:
  --cpu MODEL        a model of QEMU (default: host with KVM, max without). `--cpu help` lists all
  --kvm              use KVM or refuse (default: KVM if it offers VMX)
  --no-kvm           emulate the processor
  --uefi             UEFI firmware (OVMF) instead of a BIOS
  --usb              attach the image as a USB stick
  --gdb              wait at the first instruction for a debugger: gdb build/plinth.elf -ex 'target remote :1234'

END
	status_usage
}

accel= uefi= usb= gdb=

emulator_option()
{
	used=1
	case $1 in
	--kvm) accel=kvm ;;
	--no-kvm) accel=tcg ;;
	--uefi) uefi=1 ;;
	--usb) usb=1 ;;
	--gdb) gdb=1 ;;
	--ips) die "QEMU's processor has no fixed speed; --ips is for ./run-bochs.sh" ;;
	--firmware) die "QEMU has SeaBIOS, and with --uefi OVMF; --firmware is for ./run-bochs.sh" ;;
	*) used=0 ;;
	esac
}

# OVMF in one file, with its variables: packages put it in several places.
ovmf()
{
	local file
	for file in /usr/share/ovmf/OVMF.fd /usr/share/qemu/OVMF.fd /usr/share/OVMF/OVMF.fd; do
		[[ ! -e $file ]] || { printf '%s\n' "$file"; return; }
	done
	die "--uefi: there is no OVMF firmware; install it with: make setup"
}

parse_options "$@"
qemu=qemu-system-x86_64
command -v "$qemu" >/dev/null || die "$qemu is missing; install it with: make setup"
if [[ $cpu == help ]]; then
	exec "$qemu" -cpu help
fi
if [[ -n $cpu && $cpu != host ]]; then
	"$qemu" -cpu help | awk '{ print $1 == "x86" ? $2 : $1 }' | grep -qxF -- "${cpu%%,*}" ||
		die "QEMU has no CPU model '$cpu'; --cpu help lists those that it has"
fi
why=$("$root/tools/has-nested-kvm.sh") || {
	[[ $accel != kvm ]] || die "--kvm: $why"
	accel=tcg
}
accel=${accel:-kvm}
[[ -z $usb || $kind == cdrom ]] || die "--usb and --disk exclude each other: the image is attached once"
prepare_run

command=("$qemu" -machine pc -accel "$accel" -smp "$cpus" -m "$ram" -nodefaults -display none -vga std -no-reboot)
command+=(-cpu "${cpu:-$([[ $accel == kvm ]] && echo host || echo max)}")
command+=(-serial "tcp:127.0.0.1:@PORT@" -debugcon "file:$dir/e9" -global isa-debugcon.iobase=0xe9)
[[ -z $trace_file ]] || command+=(-serial "file:${trace_file//,/,,}")
[[ -z $uefi ]] || command+=(-bios "$(ovmf)")
[[ -z $gdb ]] || command+=(-S -gdb tcp:127.0.0.1:1234)
# A comma in a path is doubled for QEMU.
image=$(realpath "$iso")
drive="file=${image//,/,,},format=raw,if=none,id=image,snapshot=on"
if [[ -n $usb ]]; then
	command+=(-drive "$drive" -device qemu-xhci -device usb-storage,drive=image,bootindex=0)
elif [[ $kind == disk ]]; then
	command+=(-drive "$drive" -device ide-hd,drive=image,bootindex=0)
else
	command+=(-drive "$drive,media=cdrom" -device ide-cd,drive=image,bootindex=0)
fi
[[ -z $gdb ]] || printf '%s: waiting for: gdb %s -ex "target remote :1234"\n' "$me" "${elf:-build/plinth.elf}" >&2
export TMPDIR=$dir # the snapshot's file
start_run e9 qemu.log "${command[@]}"
