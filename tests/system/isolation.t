#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A guest sees only its own memory and registers: VMs that follow each other on one processor, each of which leaves a pattern
# in all that it can write; and addresses at which a VM has no memory. With PLINTH_LONG=1 on several models.
source "$(dirname "$0")/lib.sh"

isolation=build/guest/tests/isolation.elf
outside=build/guest/tests/outside.elf
CHECKS="2[23]" # one of them is of XCR0, where there is one

# stopped VM TEXT: Plinth stopped it, and said this.
stopped()
{
	matches "^plinth\\[$1\\]: ended .*: stopped by Plinth, code 0 \\($2" "$1 is stopped: $2"
}

# The last one is larger, and gets memory that several had.
tools/make-iso.sh -o "$work/vms.iso" -k "$elf" -a "records=0" \
	-m $isolation -c "kernel name=first mem=2M -- msrs" \
	-m $isolation -c "kernel name=again mem=2M restart=1 -- fail" \
	-m $isolation -c "kernel name=dies mem=2M -- die" \
	-m $outside -c "kernel name=page-table mem=4M -- page-table" \
	-m $outside -c "kernel name=idt mem=4M -- idt" \
	-m $outside -c "kernel name=push mem=4M -- push" \
	-m $outside -c "kernel name=frame mem=4M -- frame" \
	-m $isolation -c "kernel name=last mem=6M"

models=skylake_x
[[ -z ${PLINTH_LONG-} ]] || models="arrandale haswell skylake_x"
for model in $models; do
	boot "$model" 120 bochs --cpu "$model" --iso "$work/vms.iso" </dev/null
	status_is $FAIL "the verdict is that of VMs which end badly"
	matches '^plinth\[first\]: ended .* code 0 ' "the first VM finds nothing of the host"
	is "$(grep -cE '^plinth\[again\]: ended .* code 7 ' "$console")" 2 "$name: nor does it after a restart"
	matches '^plinth\[dies\]: ended .*: triple fault' "a VM dies with everything in use"
	matches '^plinth\[last\]: ended .* code 0 ' "the last one finds nothing of those before"
	lacks '^(\[[a-z]+\] )?not ok' "no check fails"
	is "$(grep -cE "^(\\[[a-z]+\\] )?1\\.\\.$CHECKS\$" "$console")" 5 "$name: five runs have made their checks"

	for vm in page-table idt; do
		matches "^plinth\\[$vm\\]: ended .*: triple fault" "$vm: all are ones where there is no memory"
	done
	stopped push "access to 8000038, where there is no memory"
	stopped frame "the delivery of an event meets guest-physical address 8000038, where there is no memory: writes"
	lacks 'panic' "nothing of it is the host's trouble"
done

done_testing
