#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The layout of the source: clang-format has nothing to change, and every file says its licence and purpose.
source "$(dirname "$0")/../tap.sh"

expect_version clang-format 14
# One process for many files: starting it is what takes time.
unformatted=$(project_files '*.c' '*.h' | xargs clang-format --dry-run --Werror --ferror-limit=3 2>&1)
is "$unformatted" "" "clang-format has nothing to change"
expect_version

# A file of ours begins with its licence, after the line that names its interpreter at most.
unmarked=$(project_files '*.[chS]' '*.py' '*.sh' '*.t' '*.mk' '*.ld' '*.in' Makefile '.ci/*' | while IFS= read -r file; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || printf '%s\n' "$file"
done)
is "$unmarked" "" "every file says its licence in its first lines"

trailing=$(project_files '*.[chS]' '*.py' '*.sh' '*.t' '*.mk' '*.ld' '*.md' Makefile | xargs grep -nE '[[:space:]]+$')
is "$trailing" "" "no line ends in white space"

long=$(project_files '*.[chS]' | xargs wc -l | awk '$2 != "total" && $1 > ($2 ~ /^tests\// ? 900 : 520) { print $2, $1 }')
is "$long" "" "no source file is longer than about 500 lines, and no test than 900"

done_testing
