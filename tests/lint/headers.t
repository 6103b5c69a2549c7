#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each header compiles alone: it includes what it uses. Those of the hypervisor with its flags, by both compilers; the
# fakes as the unit tests see them.
source "$(dirname "$0")/../tap.sh"

read -ra flags <<<"$(make -s --no-print-directory print-flags)"
warnings=(-Wall -Wextra -Wconversion -Werror -Wno-pragma-once-outside-header)

alone()
{
	local compiler=$1 header=$2
	shift 2
	echo "#include \"$header\"" | "$compiler" "$@" -fsyntax-only -x c -
}

while IFS= read -r header; do
	case $header in
	tests/fake/*)
		runs "$header" alone gcc "$header" -std=gnu17 -DHOST_TEST -Itests/fake -I. "${warnings[@]:0:4}"
		;;
	*)
		runs "$header, gcc" alone gcc "$header" "${flags[@]}"
		runs "$header, clang" alone clang "$header" "${flags[@]}"
		;;
	esac
done < <(project_files '*.h')

done_testing
