#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs what the goals of the Makefile need, on Debian and Ubuntu: says what is missing and why, then installs it as
# root, or without root prints the command and stops.
set -eu

usage()
{
	cat <<'END'
Usage: tools/setup.sh [--list] [build] [run] [test] [nested]
Installs the packages of the groups named (default: build, run and test). --list only shows them all.
END
}

# package, groups, a file or command that shows that it is there, and what it is for. Where the second field ends in
# '?', the package is left out on systems that do not have it.
packages()
{
	cat <<'END'
gcc                 build      gcc                                         compiles Plinth
binutils            build      objcopy                                     links Plinth
make                build      make                                        follows the Makefile
grub-common         build      grub-mkrescue                               makes the bootable image
grub-pc-bin         build      /usr/lib/grub/i386-pc/multiboot2.mod        GRUB for machines with a BIOS
grub-efi-amd64-bin  build      /usr/lib/grub/x86_64-efi/multiboot2.mod     GRUB for machines with UEFI
xorriso             build      xorriso                                     writes the image's ISO 9660 file system
mtools              build      mformat                                     writes the image's EFI system partition
python3             run        python3                                     joins the emulator's serial port to the terminal
bochs               run        bochs-bin                                   emulates a processor with VMX
bochs-sdl           run        libbx_sdl2_gui.so                           a display for Bochs that opens no window and no port
bochsbios           run        /usr/share/bochs/BIOS-bochs-latest          Bochs' firmware
vgabios             run        /usr/share/vgabios/vgabios.bin              the firmware of Bochs' graphics card
qemu-system-x86     run        qemu-system-x86_64                          runs Plinth with nested KVM, and boots it under UEFI
seabios             run        /usr/share/seabios/bios.bin                 a BIOS that leaves VT-x unlocked, for Bochs
ovmf                run        /usr/share/ovmf/OVMF.fd                     UEFI firmware for QEMU
libc6-dev           test       /usr/include/stdio.h                        compiles the tests that run on this machine
libcmocka-dev       test       /usr/include/cmocka.h                       the unit tests' library
clang               test       clang                                       the second compiler, and the fuzz targets
libclang-rt-dev     test?      libclang_rt.fuzzer-x86_64.a                 the fuzzer that clang links
clang-format        test       clang-format                                checks the layout of the source
clang-tidy          test       clang-tidy                                  checks the source for mistakes
shellcheck          test       shellcheck                                  checks the scripts
perl                test       prove                                       runs the tests and adds them up
cpio                nested     cpio                                        makes the initial RAM disk of the nested test
lz4                 nested     lz4                                         packs it
END
}

# Is the package there? Its command, file, or library says so, whichever way it came.
present()
{
	case $1 in
	/*) [ -e "$1" ] ;;
	*.so) find /usr/lib -name "$1" 2>/dev/null | grep -q . ;;
	*.a) find /usr/lib/clang /usr/lib/llvm-* -name "$1" 2>/dev/null | grep -q . ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

list=
groups=
for word; do
	case $word in
	--list) list=1 ;;
	-h | --help) usage; exit 0 ;;
	build | run | test | nested) groups="$groups $word" ;;
	*) usage >&2; exit 2 ;;
	esac
done
groups=${groups:- build run test}

if [ -n "$list" ]; then
	packages | while read -r package group _ reason; do
		printf '%-20s %-7s %s\n' "$package" "${group%\?}" "$reason"
	done
	exit 0
fi

missing=$(packages | while read -r package group probe reason; do
	case " $groups " in
	*" ${group%\?} "*) ;;
	*) continue ;;
	esac
	present "$probe" && continue
	case $group in
	*\?) echo "?$package $reason" ;;
	*) echo "$package $reason" ;;
	esac
done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "setup: these programs are missing (the names are Debian's; install their like, this system has no apt-get):"
	echo "$missing" | sed 's/^?*\([^ ]*\) \(.*\)/  \1: \2/'
	exit 1
fi

echo "setup: missing on this machine:"
echo "$missing" | sed 's/^?*\([^ ]*\) \(.*\)/  \1: \2/'

root=
[ "$(id -u)" -eq 0 ] || root="sudo "
names=$(echo "$missing" | sed -n 's/^\([^? ]*\) .*/\1/p' | tr '\n' ' ')
optional=$(echo "$missing" | sed -n 's/^?\([^ ]*\) .*/\1/p' | tr '\n' ' ')
install="apt-get install -y --no-install-recommends"

if [ -n "$root" ]; then
	echo "setup: installing takes root. Run this, then the same make command again:"
	echo "  ${root}apt-get update && ${root}$install $names$optional"
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "setup: apt-get update"
apt-get update -q >/dev/null || echo "setup: apt-get update failed; going on with the package lists that are there"
for package in $optional; do
	if apt-cache show "$package" >/dev/null 2>&1; then
		names="$names$package "
	fi
done
[ -n "$names" ] || exit 0
echo "setup: $install $names"
# shellcheck disable=SC2086  # words of their own
$install -q $names >/dev/null
