#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# memtest86+, a program that nobody here wrote, as a guest: its tests 0 to 5 run once without an error, its screen is on
# COM1, and keys reach it. With PLINTH_LONG=1 a full pass.
source "$(dirname "$0")/lib.sh"

memtest=(--kernel build/memtest86+x64.bin --name memtest --mem 32M --append console=ttyS0,115200)

# The escape sequences that paint its screen become ends of lines.
unpaint()
{
	sed -E 's/\x1b\[[0-9]+;[0-9]+H/\n/g; s/\x1b\[[0-9;?]*[A-Za-z]//g' "$work/$name.raw" | tr -d '\r' >"$console"
}

# Tests come in order, so the first sight of the next one tells that test 5 is over.
if [[ -z ${PLINTH_LONG-} ]]; then
	boot_until tests-0-to-5 480 '#(6|7|8|9|10) +\[' bochs --ips 20000000 --elf "$elf" "${memtest[@]}"
else
	boot_until full-pass 3600 'Pass: +1 ' bochs --ips 20000000 --elf "$elf" "${memtest[@]}"
fi
unpaint
status_is $FAIL "ended by Ctrl-A X, which is not a pass"
says "plinth[memtest]: Linux bzImage" "Memtest86+ v6.10" "#0  [Address test, walking ones, no cache]" "Status: Testing"
matches '(MB|KB) of 3[0-9.]+MB\]' "it tests its 32 MiB"
matches 'Errors: 0 ' "it counts errors"
lacks 'Errors: *[1-9]' "it finds none"
lacks '(Unexpected interrupt|FAIL)' "it meets no exception"
matches '^plinth\[memtest\]: ended .*user' "Plinth tells how it ended"
matches '^plinth: verdict: fail ' "and gives a verdict"
lacks 'plinth: (error|warning): ' "Plinth has nothing to complain about"

if [[ -n ${PLINTH_LONG-} ]]; then
	says "#10 [Bit fade test, 2 patterns]"
fi

done_testing
