#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Wrong options: each is named, with those that exist, and stops the VM that it belongs to and no other.
source "$(dirname "$0")/lib.sh"

boot host 120 bochs --elf "$elf" --plinth "colour=green loglevel=loud onexit= trace=cpuid,teapot console=com9" </dev/null
status_is $PASS "the demo runs all the same"
matches "^plinth: error: .*colour" "the unknown option is named"
matches "^plinth: .*onexit=poweroff\|reboot\|halt" "the options that exist are listed"
matches "^plinth: error: .*teapot" "the unknown trace class is named"
lacks 'panic'

boot host-long 120 bochs --elf "$elf" --plinth "$(printf 'word%.0s ' {1..200})$(printf 'x%.0s' {1..1500})" </dev/null
status_is $PASS "a very long line does no harm"

tools/make-iso.sh -o "$work/modules.iso" -k "$elf" \
	-m "$stub" -c "kernel name=unknown color=red" \
	-m "$stub" -c "kernel name=many cpus=3" \
	-m "$stub" -c "kernel name=odd mem=5000" \
	-m "$stub" -c "kernel name=minus mem=-1" \
	-m "$stub" -c "kernel name=vast mem=99999999999999999999G" \
	-m "$stub" -c "kernel name=../../etc" \
	-m "$stub" -c "kernel name=twin -- first" \
	-m "$stub" -c "kernel name=twin -- second" \
	-m "$stub" -c "" \
	-m "$stub" -c "kernel name=good -- color=red \"two words\" -- mem=1"
boot modules 120 bochs --iso "$work/modules.iso" </dev/null
status_is $FAIL
matches "^plinth: error: .*unknown.*color" "an unknown option is named"
matches "^plinth: error: .*many.*cpus" "too many CPUs"
matches "^plinth: error: .*odd.*mem" "a size that is not whole pages"
matches "^plinth: error: .*minus.*mem" "a size below zero"
matches "^plinth: error: .*vast.*mem" "a size beyond all numbers"
matches "^plinth: error: .*name" "a name with other characters"
matches "^plinth: error: .*twin.*another VM has this name" "a name that is taken"
lacks "stub: guest with command line: .*second" "the second of two with one name does not run"
says "color=red" "-- mem=1"
matches '^plinth\[good\]: ended .* code 0' "the good one runs and ends"
lacks 'panic'

done_testing
