#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Prints a configuration for Bochs: a machine that shows no window, opens no port, and behaves the same in each run.
# COM1 is left to the caller, who gives it on Bochs' command line.
set -euo pipefail

usage()
{
	cat <<'END'
Usage: tools/bochsrc.sh --iso FILE --dir DIRECTORY [--cpu MODEL] [--cpus N] [--ips N] [--ram MIB]
                        [--disk] [--firmware bochs|seabios] [--com2 FILE] [--log FILE]
       tools/bochsrc.sh --models

  --iso FILE         the image to boot
  --dir DIRECTORY    where files of the run belong
  --cpu MODEL        a CPU model of Bochs; a part of its name will do (default: haswell)
  --cpus N           processors (default: 1)
  --ips N            instructions a second of emulated time; also the TSC's frequency (default: 20000000)
  --ram MIB          memory of the machine (default: 256)
  --disk             the image is a hard disk, not a CD
  --firmware bochs   Bochs' own BIOS: it enables VT-x and locks IA32_FEATURE_CONTROL (default)
  --firmware seabios SeaBIOS: it leaves IA32_FEATURE_CONTROL unlocked
  --com2 FILE        what is sent to COM2 goes there (default: there is no COM2)
  --models           lists the CPU models
END
}

die()
{
	printf 'bochsrc: %s\n' "$*" >&2
	exit 2
}

models()
{
	bochs-bin --help cpu 2>&1 | sed -n '/^Supported CPU models/,/^[0-9]\{11\}/p' | grep -x '[a-z0-9_]\+'
}

# The full name of a model, from the name or from a part of it that only one has.
model_name()
{
	local all match
	all=$(models) || die "bochs is missing; install it with: make setup"
	if grep -qxF -- "$1" <<<"$all"; then
		printf '%s\n' "$1"
		return
	fi
	match=$(grep -F -- "$1" <<<"$all") || die "Bochs has no CPU model '$1'; it has: $(tr '\n' ' ' <<<"$all")"
	[[ $match != *$'\n'* ]] || die "'$1' is not the name of one CPU model: $(tr '\n' ' ' <<<"$match")"
	printf '%s\n' "$match"
}

# The first of some files that exists.
first_of()
{
	local file
	for file; do
		[[ ! -e $file ]] || { printf '%s\n' "$file"; return; }
	done
	die "none of these files is there: $*; install them with: make setup"
}

number()
{
	[[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number, not '$2'"
}

iso= dir= cpu=haswell cpus=1 ips=20000000 ram=256 kind=cdrom firmware=bochs com2= log=
while (($#)); do
	case $1 in
	--disk) kind=disk; shift; continue ;;
	--models) models; exit ;;
	-h | --help) usage; exit 0 ;;
	esac
	(($# > 1)) || die "$1 needs a value, or is unknown; see --help"
	case $1 in
	--iso) iso=$2 ;;
	--dir) dir=$2 ;;
	--cpu) cpu=$2 ;;
	--cpus) cpus=$2; number "$1" "$2" ;;
	--ips) ips=$2; number "$1" "$2" ;;
	--ram) ram=$2; number "$1" "$2" ;;
	--firmware) firmware=$2 ;;
	--com2) com2=$2 ;;
	--log) log=$2 ;;
	*) die "there is no option '$1'; see --help" ;;
	esac
	shift 2
done
[[ -n $iso && -n $dir ]] || { usage >&2; exit 2; }
cpu=$(model_name "$cpu")

case $firmware in
bochs)
	rom=$(first_of /usr/share/bochs/BIOS-bochs-latest)
	vga=$(first_of /usr/share/bochs/VGABIOS-lgpl-latest /usr/share/vgabios/vgabios.bin)
	;;
seabios)
	rom=$(first_of /usr/share/seabios/bios.bin)
	vga=$(first_of /usr/share/seabios/vgabios-stdvga.bin)
	;;
*) die "there is no firmware '$firmware'; there are bochs and seabios" ;;
esac

if [[ $kind == cdrom ]]; then
	drive="ata0-master: type=cdrom, path=\"$iso\", status=inserted"
	boot=cdrom
else
	# volatile: writes go to a file in the run's directory, and are forgotten
	drive="ata0-master: type=disk, mode=volatile, path=\"$iso\", journal=\"$dir/disk\""
	boot=disk
fi

com2=${com2:+enabled=1, mode=file, dev=\"$com2\"}

# More than 2 GiB for the guest takes a smaller resident part.
resident=$((ram > 2048 ? 2048 : ram))

# reset_on_triple_fault=0: a triple fault ends the run.  ignore_bad_msrs=0: an unknown MSR faults, as in hardware.
# sync=none and a fixed date: a run does not depend on the clock of this machine.
cat <<END
display_library: sdl2
plugin_ctrl: voodoo=0, usb_uhci=0
config_interface: textconfig
romimage: file="$rom"
vgaromimage: file="$vga"
cpu: model=$cpu, count=1:$cpus:1, ips=$ips, reset_on_triple_fault=0, ignore_bad_msrs=0, cpuid_limit_winnt=0
memory: guest=$ram, host=$resident
clock: sync=none, time0=946681200
$drive
boot: $boot
port_e9_hack: enabled=1
com2: ${com2:-enabled=0}
magic_break: enabled=0
speaker: enabled=0
sound: waveoutdrv=dummy
mouse: enabled=0
log: ${log:-$dir/bochs.log}
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
END
