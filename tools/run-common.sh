# SPDX-License-Identifier: BSD-2-Clause
# What run-qemu.sh and run-bochs.sh share: options, the image of a run, and its start. Sourced by both.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for the scripts that source this file
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=$(basename "$0" .sh)

common_usage()
{
	cat <<'END'
What runs (without --kernel: the demo guest):
  --kernel FILE      a guest: a bzImage (Linux, memtest86+) or a Multiboot 1 image. Given several times, each starts
                     a VM of its own, and the four options below belong to the kernel named last
  --append "LINE"    its command line
  --initrd FILE      its initial RAM disk, or a module for a Multiboot image
  --mem SIZE         its memory, for example 64M (the default) or 1G; a bare number means MiB
  --name NAME        its name on the console (default: guest, guest2, ...)

How Plinth runs:
  --report           run no guest: tell bit by bit what the processor's VMX can do, what Plinth makes of it, and end
  --trace CLASSES    which VM exits are shown: all, none, or classes such as cpuid,io,msr
  --trace-file FILE  keep the trace in FILE, as records that tools/plinth-trace reads, instead of showing it (all exits,
                     unless --trace chooses)
  --plinth "OPTIONS" more options on Plinth's command line, for example "loglevel=debug"
  --elf FILE         the hypervisor to boot (default: build/plinth.elf, brought up to date first)
  --iso FILE         boot this image as it is, with none of the options above

The machine:
  --cpu MODEL        the processor (below)
  --cpus N           how many processors (default: 1)
  --ram SIZE         memory of the whole machine (default: what the guests need, at least 256M)
  --disk             attach the image as a hard disk, not as a CD

The run:
  --serial FILE      keep a copy of the console, COM1, in FILE
  --timeout SECONDS  end the run after so much time (default: no limit)
  -h, --help         this text

QEMU's spellings -kernel, -append, -initrd, -m, -smp, -cpu, and --option=VALUE are understood too.
END
}

status_usage()
{
	cat <<'END'
The console appears on standard output, and keys go to the guest; on a terminal Ctrl-A X ends the run and Ctrl-A H
helps. The exit status tells Plinth's verdict, which it writes to port E9h where no guest can:
  0 pass   1 fail   2 error (Plinth could not do what it was asked to; wrong usage too)
  3 no verdict (a crash)   4 time limit reached
END
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 2
}

# A size such as 64M, 1G, 65536K or 64 (MiB) in MiB.
to_mib()
{
	local number unit
	[[ $2 =~ ^([1-9][0-9]{0,6})([KkMmGg]?)$ ]] || die "$1 needs a size such as 64M or 1G, not '$2'"
	number=${BASH_REMATCH[1]} unit=${BASH_REMATCH[2]}
	case $unit in
	[Kk]) printf '%d\n' $(((number + 1023) / 1024)) ;;
	[Gg]) printf '%d\n' $((number * 1024)) ;;
	*) printf '%d\n' "$number" ;;
	esac
}

need_number()
{
	[[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die "$1 needs a number above 0, not '$2'"
}

# The file must be there and readable.
need_file()
{
	[[ -f $2 && -r $2 ]] || die "$1: there is no file '$2' that can be read"
}

need_kernel()
{
	((${#kernels[@]})) || die "$1 says something about a guest's kernel: give --kernel FILE before it"
}

kernels=() appends=() initrds=() mems=() names=()
report= trace= trace_file= plinth= elf= iso= cpu= cpus=1 ram= kind=cdrom serial= timeout=

# Options that both emulators know; those of one are taken by its function emulator_option, which sets `used` to the
# number of words that it took (0: not its option).
parse_options()
{
	local option value
	while (($#)); do
		case $1 in
		-m) option=--mem ;;
		-smp) option=--cpus ;;
		-h | --help) usage; exit 0 ;;
		--*) option=$1 ;;
		-?*) option=-$1 ;;
		*) die "'$1' is not an option; see --help" ;;
		esac
		shift
		if [[ $option == --*=* ]]; then
			value=${option#*=}
			option=${option%%=*}
			set -- "$value" "$@"
		fi

		used=0
		emulator_option "$option" "$@"
		if ((used)); then
			shift $((used - 1))
			continue
		fi
		if [[ $option == --disk ]]; then
			kind=disk
			continue
		fi
		if [[ $option == --report ]]; then
			report=report=vmx
			continue
		fi
		case $option in
		--kernel | --append | --initrd | --mem | --name | --trace | --trace-file | --plinth | --elf | --iso | --cpu | --cpus | --ram | \
			--serial | --timeout) ;;
		*) die "there is no option $option; see --help" ;;
		esac
		(($#)) || die "$option needs a value; see --help"
		common_option "$option" "$1"
		shift
	done
}

common_option()
{
	case $1 in
	--kernel)
		need_file "$@"
		kernels+=("$2") appends+=("") initrds+=("") mems+=(64)
		names+=("guest$((${#kernels[@]} > 1 ? ${#kernels[@]} : 0))")
		names[-1]=${names[-1]%0}
		;;
	--append) need_kernel "$1"; appends[-1]=$2 ;;
	--initrd) need_kernel "$1"; need_file "$@"; initrds[-1]=$2 ;;
	--mem) need_kernel "$1"; mems[-1]=$(to_mib "$@") ;;
	--name)
		need_kernel "$1"
		[[ $2 =~ ^[a-z0-9_-]{1,31}$ ]] || die "--name: '$2' is not 1 to 31 of a to z, 0 to 9, '-' and '_'"
		names[-1]=$2
		;;
	--trace) trace=$2 ;;
	--trace-file)
		: >"$2" || die "--trace-file: '$2' cannot be written"
		trace_file=$(realpath "$2")
		;;
	--plinth) plinth=$2 ;;
	--elf) need_file "$@"; elf=$2 ;;
	--iso) need_file "$@"; iso=$2 ;;
	--cpu) cpu=$2 ;;
	--cpus) need_number "$@"; cpus=$2 ;;
	--ram) ram=$(to_mib "$@") ;;
	--serial) serial=$2 ;;
	--timeout)
		[[ $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "--timeout needs seconds, not '$2'"
		timeout=$2
		;;
	esac
}

# Makes the run's directory, $dir, and its image, $iso; sets $ram.
prepare_run()
{
	local i mib=128 arguments=() options=$plinth
	if [[ -n $iso && (${#kernels[@]} -gt 0 || -n $report$trace$plinth$elf) ]]; then
		die "--iso boots an image as it is; --kernel, --report, --trace, --plinth and --elf make a new one: give one or the" \
			"other"
	fi
	[[ -z $report || (${#kernels[@]} -eq 0 && -z $trace) ]] ||
		die "--report runs no guest, so --kernel and --trace have nothing to say with it: give one or the other"
	command -v python3 >/dev/null || die "python3 is missing; install it with: make setup"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/plinth-run.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM

	for i in "${!kernels[@]}"; do
		arguments+=(-m "${kernels[i]}" -c "kernel name=${names[i]} mem=${mems[i]}M${appends[i]:+ -- ${appends[i]}}")
		mib=$((mib + mems[i] + $(stat -Lc %s "${kernels[i]}") / 1048576))
		[[ -n ${initrds[i]} ]] || continue
		arguments+=(-m "${initrds[i]}" -c initrd)
		mib=$((mib + $(stat -Lc %s "${initrds[i]}") / 1048576))
	done
	ram=${ram:-$((mib > 256 ? mib : 256))}

	[[ -z $iso ]] || return 0
	if [[ -z $elf ]]; then
		elf=$root/build/plinth.elf
		MAKEFLAGS='' make -s -C "$root" build/plinth.elf >&2 || die "Plinth could not be built; the messages stand above"
	fi
	[[ -z $trace_file ]] || options="trace.out=com2${options:+ $options}" trace=${trace:-all}
	[[ -z $trace ]] || options="trace=$trace${options:+ $options}"
	[[ -z $report ]] || options="$report${options:+ $options}"
	iso=$dir/plinth.iso
	"$root/tools/make-iso.sh" -o "$iso" -k "$elf" -a "$options" "${arguments[@]}" || exit 2
}

# start_run VERDICT-FILE LOG-FILE COMMAND...: becomes the program that watches over the emulator.
start_run()
{
	local verdict=$1 log=$2
	shift 2
	exec python3 "$root/tools/run-emulator.py" --name "$me" --dir "$dir" --verdict "$verdict" --log "$log" \
		${serial:+--serial "$serial"} ${timeout:+--timeout "$timeout"} -- "$@"
}
