#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy has nothing to say about any file of the hypervisor.
source "$(dirname "$0")/../tap.sh"

expect_version clang-tidy 14
make -s -k --no-print-directory tidy >"$work/output" 2>&1
for file in $(make -s --no-print-directory print-tidy-sources); do
	[[ build/tidy/$file.ok -nt $file ]]
	ok $? "$file" || note "$(cat "build/tidy/$file.ok.log" 2>/dev/null || tail "$work/output")"
done

done_testing
