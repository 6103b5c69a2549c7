#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Modules that are no guests: each is refused with a reason, and its neighbours run.
source "$(dirname "$0")/lib.sh"

: >"$work/empty"
echo "just text" >"$work/text"
head -c 700 build/memtest86+x64.bin >"$work/short"
head -c 40000 build/memtest86+x64.bin >"$work/half"
head -c 100 "$stub" >"$work/elf"
head -c 65536 /dev/urandom >"$work/noise"

boot refused 120 bochs --elf "$elf" --ram 256M \
	--kernel "$work/empty" --name empty \
	--kernel "$work/text" --name text \
	--kernel "$work/short" --name short \
	--kernel "$work/half" --name half \
	--kernel "$work/elf" --name elf \
	--kernel "$work/noise" --name noise \
	--kernel build/plinth.elf --name plinth \
	--kernel "$stub" --name small --mem 1M \
	--kernel "$stub" --name huge --mem 64G \
	--kernel "$stub" --name good --append "from the command line" --initrd "$work/text" </dev/null
status_is $FAIL
for vm in empty text short half elf noise plinth small huge; do
	matches "^plinth: error: .*$vm.*: .{12,}" "$vm is refused with a reason"
done
says "stub: guest with command line: " "from the command line" "stub: modules: 1"
matches '^plinth\[good\]: ended .* code 0' "the good one runs and ends"
matches '^plinth: verdict: fail .*1 of 10' "the verdict counts them"
lacks 'panic'

# What GRUB could not load never comes to Plinth's eyes: GRUB says so, and the machine goes off without a verdict.
cp "$work/text" "$work/some-module"
tools/make-iso.sh -o "$work/whole.iso" -k "$elf" -m "$work/some-module" -c "kernel name=absent"
LC_ALL=C sed 's,/boot/some-module,/boot/lost-module,' "$work/whole.iso" >"$work/missing.iso"
boot missing 120 bochs --iso "$work/missing.iso" </dev/null
status_is $NO_VERDICT
says "error: file" "/boot/lost-module" "plinth: error: GRUB could not start Plinth"

# Initial RAM disks that belong to no kernel, or twice to one; and a module without a role.
tools/make-iso.sh -o "$work/roles.iso" -k "$elf" -m "$work/text" -c "initrd" -m "$stub" -c "kernel name=first" \
	-m "$work/text" -c "initrd" -m "$work/text" -c "initrd" -m "$stub" -c "name=none" -m "$stub" -c "kernel initrd" \
	-m "$stub" -c "kernel name=last -- end"
boot roles 120 bochs --iso "$work/roles.iso" </dev/null
status_is $FAIL
matches '^plinth: error: .*initrd.*before any kernel' "an initrd without a kernel"
matches '^plinth: error: .*first.*has an initrd already' "a second initrd"
matches "^plinth: error: .*neither 'kernel' nor 'initrd'" "a module without a role"
matches "^plinth: error: .*both 'kernel' and 'initrd'" "a module with two roles"
matches '^plinth\[last\]: ended .* code 0' "the last one runs"

done_testing
