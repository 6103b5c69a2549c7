#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs Plinth in Bochs, which emulates a processor with VMX in software: it needs nothing of this machine.
# shellcheck source=tools/run-common.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools/run-common.sh"

usage()
{
	cat <<'END'
Usage: ./run-bochs.sh [OPTION...]
Boots Plinth in Bochs, which has VMX whatever this machine's processor is.

END
	common_usage
	cat <<'END'

Of Bochs:
  --cpu MODEL        a model of Bochs, or a part of its name (default: haswell). With what Plinth needs: arrandale,
                     sandy, ivy, haswell, broadwell, skylake_x, cnl, icelake, tigerlake. `--cpu help` lists all
  --ips N            instructions a second of the machine's own time, and its TSC frequency (default: 20000000)
  --firmware NAME    bochs: locks IA32_FEATURE_CONTROL with VMX on (the default); seabios: leaves it unlocked

END
	status_usage
}

ips=20000000 firmware=bochs

emulator_option()
{
	case $1 in
	--uefi) die "Bochs' firmware is a BIOS, there is no UEFI for it; use ./run-qemu.sh --uefi" ;;
	--usb) die "Bochs' firmware cannot boot from USB; use ./run-qemu.sh --usb, or --disk, which shows the same image" ;;
	--gdb) die "this build of Bochs has no GDB server; use ./run-qemu.sh --gdb" ;;
	--kvm) die "Bochs emulates every instruction, KVM is for ./run-qemu.sh" ;;
	--ips | --firmware)
		(($# > 1)) || die "$1 needs a value; see --help"
		[[ $1 != --ips ]] || need_number "$1" "$2"
		[[ $1 != --firmware || $2 == bochs || $2 == seabios ]] || die "there is no firmware '$2'; there are bochs and seabios"
		printf -v "${1#--}" %s "$2"
		used=2
		;;
	esac
}

parse_options "$@"
command -v bochs-bin >/dev/null || die "bochs is missing; install it with: make setup"
if [[ $cpu == help ]]; then
	exec "$root/tools/bochsrc.sh" --models
fi
prepare_run

more_options=()
[[ $kind == cdrom ]] || more_options=(--disk)
[[ -z $trace_file ]] || more_options+=(--com2 "$trace_file")
"$root/tools/bochsrc.sh" --iso "$(realpath "$iso")" --dir "$dir" --cpu "${cpu:-haswell}" --cpus "$cpus" --ips "$ips" \
	--ram "$ram" --firmware "$firmware" "${more_options[@]}" >"$dir/bochsrc" || exit 2
# Bochs' debugger is always there; it has one thing to do.
echo c >"$dir/commands"
export SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy
start_run stdout bochs.log bochs-bin -q -f "$dir/bochsrc" -rc "$dir/commands" \
	"com1: enabled=1, mode=socket-client, dev=127.0.0.1:@PORT@"
