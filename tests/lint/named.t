#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Documents that say where something is done or tested tell the truth: `FILE` exists, and `FILE: WORDS` are words in it.
source "$(dirname "$0")/../tap.sh"

# exists PLACE: the file is there, and so are the words behind its colon.
exists()
{
	local file=${1%%: *}

	[[ $1 != *': '* ]] || grep -qwF -- "${1#*: }" "$file" && [[ -f $file ]]
}

tick='`'
place="${tick}[A-Za-z0-9_./-]+/[A-Za-z0-9_.-]+\\.(c|h|S|t|py|md)(: [^$tick]+)?$tick"
documents=(docs/security.md tests/README.md)
for document in "${documents[@]}"; do
	mapfile -t named < <(grep -oE -- "$place" "$document" | tr -d "$tick" | sort -u)
	[[ ${#named[@]} -gt 30 ]]
	ok $? "$document names places"
	for where in "${named[@]}"; do
		runs "$document: $where" exists "$where"
	done
done

numbers=$(sed -nE 's/^\| ([0-9]+) \|.*/\1/p' tests/README.md | tr '\n' ' ')
is "$numbers" "$(seq -s ' ' 30) " "tests/README.md has a row for each of the 30 faults"

done_testing
