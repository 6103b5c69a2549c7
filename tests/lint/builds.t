#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Both compilers build Plinth, and a second build at another place, at another time, gives the same bytes.
source "$(dirname "$0")/../tap.sh"

runs "gcc builds it, and the image" make -s all
runs "clang builds it" make -s CC=clang B=build/clang build/clang/plinth.elf
runs "GRUB takes the hypervisor for a multiboot2 kernel" grub-file --is-x86-multiboot2 build/plinth.elf
runs "and clang's as well" grub-file --is-x86-multiboot2 build/clang/plinth.elf

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
project_files "*" | tar -c --files-from=- | tar -x -C "$copy"
if runs "a copy of the tree at another path builds" env TZ=Asia/Tokyo make -s -C "$copy" all; then
	runs "the hypervisor has the same bytes there" cmp build/plinth.elf "$copy/build/plinth.elf"
	runs "the image has the same bytes there" cmp build/plinth.iso "$copy/build/plinth.iso"
fi

done_testing
