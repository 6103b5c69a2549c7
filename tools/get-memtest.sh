#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches memtest86+ (its 64-bit image for boot loaders) from the distribution's package, without installing it.
set -eu

[ $# -eq 1 ] || { echo "Usage: tools/get-memtest.sh FILE" >&2; exit 2; }
target=$1
mkdir -p "$(dirname "$target")"
work=$(mktemp -d "${TMPDIR:-/tmp}/plinth-memtest.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ -r /boot/memtest86+x64.bin ]; then
	cp /boot/memtest86+x64.bin "$target"
	exit 0
fi

# As root, apt would hand the download to a user who may not write here.
sandbox=
[ "$(id -u)" -ne 0 ] || sandbox="-o APT::Sandbox::User=root"
echo "memtest86+: apt-get download memtest86+"
# shellcheck disable=SC2086  # two words, or none
if ! (cd "$work" && apt-get download -q $sandbox memtest86+ >log 2>&1); then
	cat "$work/log" >&2
	echo "memtest86+: the package could not be fetched; if apt does not know it: sudo apt-get update" >&2
	exit 1
fi
dpkg-deb -x "$work"/memtest86+_*.deb "$work/files"
[ -e "$work/files/boot/memtest86+x64.bin" ] || {
	echo "memtest86+: $(basename "$work"/memtest86+_*.deb) has no boot/memtest86+x64.bin; version 6 or newer has" >&2
	exit 1
}
cp "$work/files/boot/memtest86+x64.bin" "$target"
