#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Makes the image of the outer system of the nested test, L0: Debian's kernel for clouds, and an initial RAM disk with
# busybox, this machine's QEMU, and init.sh. The packages are unpacked and not installed. The same packages give the
# same bytes.
set -euo pipefail

die()
{
	printf 'make-l0: %s\n' "$*" >&2
	exit 1
}

(($# == 1)) || { echo "Usage: tests/nested/make-l0.sh IMAGE" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$(dirname "$1")"
folder=$(cd "$(dirname "$1")" && pwd)
image=$folder/$(basename "$1")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600} LC_ALL=C TZ=UTC

for tool in apt-get cpio lz4 ldd objcopy grub-mkrescue qemu-system-x86_64; do
	command -v $tool >/dev/null || die "$tool is missing; make check-nested installs it on Debian"
done

stage=$(mktemp -d "${TMPDIR:-/tmp}/plinth-l0.XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# unpack PACKAGE DIRECTORY: fetches it, unless an earlier run has.
unpack()
{
	local sandbox=() files=("$folder/$1"_*.deb)
	if [[ ! -e ${files[0]} ]]; then
		echo "make-l0: apt-get download $1"
		# As root, apt would hand the download to a user who may not write here.
		((EUID)) || sandbox=(-o APT::Sandbox::User=root)
		mkdir "$stage/download"
		(cd "$stage/download" && apt-get download -q "${sandbox[@]}" "$1" >../log 2>&1) || {
			cat "$stage/log" >&2
			die "the package $1 could not be fetched; if apt does not know it: sudo apt-get update"
		}
		mv "$stage/download"/*.deb "$folder"
		rmdir "$stage/download"
		files=("$folder/$1"_*.deb)
	fi
	dpkg-deb -x "${files[-1]}" "$2"
}

# The newest kernel of this system's release; one that was fetched before will do.
cached=("$folder"/linux-image-*-cloud-amd64_*.deb)
if [[ -e ${cached[0]} ]]; then
	kernel=$(basename "${cached[-1]}")
	kernel=${kernel%%_*}
else
	kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[^ ]*\)/\1/p')
	[[ -n $kernel ]] || die "apt knows no package linux-image-cloud-amd64: it is Debian's; try: sudo apt-get update"
fi
unpack "$kernel" "$stage/kernel"
unpack busybox-static "$stage/busybox"

# The image holds it all. The initial RAM disk has only what it takes to mount the image; the rest are links into that,
# since an emulated machine reads what it needs sooner than it unpacks everything.
disk=$stage/disk tree=$stage/tree
mkdir -p "$disk"/{boot/grub,usr/share/qemu,modules} "$tree"/{bin,dev,proc,sys,tmp,modules,image}
cp "$stage/kernel"/boot/vmlinuz-* "$disk/boot/vmlinuz"
cp "$stage/busybox/bin/busybox" "$tree/bin/busybox"
cp "$here/init.sh" "$tree/init"
chmod 755 "$tree/init"

# install_module FOLDER NAME: the module behind those that it needs, numbered in the order in which they load.
count=10
declare -A installed=()
install_module()
{
	local folder=$1 file packed needed
	shift
	[[ -z ${installed[$1]-} ]] || return 0
	installed[$1]=yes
	packed=$(find "$stage/kernel" -name "$1.ko*" -o -name "${1//_/-}.ko*" | head -n 1)
	[[ -n $packed ]] || return 0 # built into the kernel
	file=$stage/$1.ko
	case $packed in
	*.xz) xz -dc "$packed" ;;
	*.zst) zstd -qdc "$packed" ;;
	*) cat "$packed" ;;
	esac >"$file"
	for needed in $(objcopy -O binary --only-section=.modinfo "$file" /dev/stdout | tr '\0' '\n' |
		sed -n 's/^depends=//p' | tr ',' ' '); do
		install_module "$folder" "$needed"
	done
	objcopy --strip-debug --remove-section=.BTF "$file" "$folder/$count-$1.ko"
	count=$((count + 1))
}
install_module "$tree/modules" ata_piix
install_module "$tree/modules" sr_mod
install_module "$tree/modules" isofs
install_module "$disk/modules" kvm_intel

# QEMU, its libraries, and the files that it looks for in its own folder.
qemu=$(command -v qemu-system-x86_64)
mkdir -p "$disk$(dirname "$qemu")"
strip -o "$disk$qemu" "$qemu"
ldd "$qemu" | grep -oE '/[^ ]+' | while IFS= read -r library; do
	mkdir -p "$disk$(dirname "$library")"
	cp -L "$library" "$disk$library"
done
for rom in bios-256k.bin kvmvapic.bin linuxboot_dma.bin vgabios-stdvga.bin; do
	for file in /usr/share/{qemu,seabios}/$rom ""; do
		[[ ! -e $file ]] || break
	done
	[[ -n $file ]] || die "QEMU's file $rom is in none of /usr/share/qemu and /usr/share/seabios"
	cp -L "$file" "$disk/usr/share/qemu"
done
for name in "$disk"/*; do
	[[ -e $tree/${name##*/} ]] || ln -s "image/${name##*/}" "$tree/${name##*/}"
done

find "$tree" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) | lz4 -q -l -9 - "$disk/boot/initrd"
# A panic ends in a triple fault, which ends the emulator. From nokaslr on: a shorter start.
cat >"$disk/boot/grub/grub.cfg" <<-'CFG'
	linux /boot/vmlinuz console=ttyS0,115200 loglevel=4 panic=-1 reboot=triple nokaslr mitigations=off tsc=reliable ipv6.disable=1 audit=0 cryptomgr.notests lsm=capability
	initrd /boot/initrd
	boot
CFG
find "$disk" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

grub-mkrescue -o "$stage/image" -d /usr/lib/grub/i386-pc --themes= --fonts= --locales= \
	--install-modules="normal linux iso9660 part_msdos part_gpt search configfile" "$disk" -- \
	-volid L0 -volume_date uuid 2025010100000000 -volume_date all_file_dates "$SOURCE_DATE_EPOCH" \
	>"$stage/log" 2>&1 || { cat "$stage/log" >&2; die "grub-mkrescue failed; its messages stand above"; }
mv "$stage/image" "$image"
