#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Makes the bootable image: a hybrid for CD and USB, BIOS and UEFI. The same input gives the same bytes.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage()
{
	cat <<'END'
Usage: tools/make-iso.sh -o IMAGE [-k KERNEL] [-a OPTIONS] [-m FILE [-c COMMAND-LINE]]... [-g COMMAND]

  -o IMAGE    the image to write
  -k KERNEL   the hypervisor, an ELF file (default: build/plinth.elf)
  -a OPTIONS  its command line, for example "trace=all loglevel=debug"
  -m FILE     a module; may be given several times
  -c LINE     the command line of the module named last, for example "kernel name=linux mem=256M -- console=ttyS0"
  -g COMMAND  a command of GRUB's before all this, to see Plinth on a machine that is not as usual: "wrmsr 0x277 0x6"

SOURCE_DATE_EPOCH sets the date that the image carries (default: 2025-01-01).
END
}

die()
{
	printf 'make-iso: %s\n' "$*" >&2
	exit 2
}

# Each word of $1 in single quotes, so that GRUB's script language takes it as it is.
grub_words()
{
	local word words=()
	read -ra words <<<"$1"
	for word in "${words[@]}"; do
		printf " '%s'" "${word//\'/\'\\\'\'}"
	done
}

# A command of the configuration, after which the next ones run only if it succeeded.
grub_step()
{
	# shellcheck disable=SC2016  # $loaded is GRUB's
	printf 'if [ "$loaded" = 1 ]; then\n\tif %s; then set loaded=1; else set loaded=0; fi\nfi\n' "$1"
}

image= kernel=$root/build/plinth.elf options= modules=() lines=() before=
while getopts o:k:a:m:c:g:h option; do
	case $option in
	o) image=$OPTARG ;;
	k) kernel=$OPTARG ;;
	a) options=$OPTARG ;;
	m) modules+=("$OPTARG") lines+=("") ;;
	c) ((${#modules[@]})) || die "-c stands behind the -m that it belongs to"; lines[-1]=$OPTARG ;;
	g) before=$OPTARG ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[[ -n $image && $# -eq 0 ]] || { usage >&2; exit 2; }
[[ -f $kernel ]] || die "there is no kernel $kernel; make it with: make build/plinth.elf"
for tool in grub-mkrescue xorriso mformat; do
	command -v $tool >/dev/null || die "$tool is missing; install it with: make setup"
done

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600} LC_ALL=C TZ=UTC
stage=$(mktemp -d "${TMPDIR:-/tmp}/plinth-iso.XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$stage/tree/boot/grub" "$(dirname "$image")"
# Without symbols and debug information, which GRUB would load as well; debuggers read the original.
objcopy --strip-all "$kernel" "$stage/tree/boot/plinth" || die "$kernel is not an ELF file that objcopy can read"
load=${before:+$(grub_step "$before")$'\n'}
load+=$(grub_step "multiboot2 /boot/plinth$(grub_words "$options")")

# The files keep their names where these differ, so that a message of GRUB tells which one it means.
for i in "${!modules[@]}"; do
	file=${modules[i]}
	[[ -f $file ]] || die "there is no module file $file"
	name=${file##*/}
	name=${name//[^A-Za-z0-9._+-]/_}
	while [[ -e $stage/tree/boot/$name ]]; do
		cmp -s "$file" "$stage/tree/boot/$name" && break
		name=$name.x
	done
	cp "$file" "$stage/tree/boot/$name"
	load+=$'\n'$(grub_step "module2 /boot/$name$(grub_words "${lines[i]}")")
done

while IFS= read -r line; do
	if [[ $line == @LOAD@ ]]; then printf '%s\n' "$load"; else printf '%s\n' "$line"; fi
done <"$root/iso/grub.cfg.in" >"$stage/tree/boot/grub/grub.cfg"
chmod -R u=rwX,go=rX "$stage/tree"
find "$stage/tree" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

# grub-mkrescue's own configuration loads every module for partition maps, so all of them come along.
grub_modules="normal multiboot2 serial terminal terminfo echo sleep halt all_video test search configfile iso9660 fat
	part_acorn part_amiga part_apple part_bsd part_dfly part_dvh part_gpt part_msdos part_plan part_sun part_sunpc
	${before%% *}"

# No themes, fonts and translations: there is no menu. The date of the file system is its identity (GRUB searches for
# it), so it must be given, and not taken from the clock.
# The serial number of the EFI system partition would be random: grub-mkrescue finds an mformat that fixes it.
mkdir "$stage/bin"
printf '#!/bin/sh\nexec %q -N 504c494e "$@"\n' "$(command -v mformat)" >"$stage/bin/mformat"
chmod +x "$stage/bin/mformat"
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
if ! PATH=$stage/bin:$PATH grub-mkrescue -o "$stage/image" --themes= --fonts= --locales= \
	--install-modules="$grub_modules" \
	"$stage/tree" -- -volid PLINTH -volume_date uuid "$date" -volume_date all_file_dates "$SOURCE_DATE_EPOCH" \
	>"$stage/log" 2>&1; then
	cat "$stage/log" >&2
	die "grub-mkrescue failed; its messages stand above"
fi
mv "$stage/image" "$image"
