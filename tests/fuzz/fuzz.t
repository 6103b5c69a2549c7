#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the fuzz targets that are built in build/fuzz (all, or those named): a short run that is always the same, or,
# with PLINTH_LONG set, five minutes each that go on from what earlier long runs found.
source "$(dirname "$0")/../tap.sh"

limits=(-seed=1 -runs=20000 -max_total_time=10)
[[ -z ${PLINTH_LONG:-} ]] || limits=(-max_total_time="${PLINTH_FUZZ_SECONDS:-300}")

# fuzz NAME: the target survives its seeds and what libFuzzer makes of them.
fuzz()
{
	local name=$1 program=build/fuzz/fuzz_$1 corpus=$work/$1 seeds=tests/fuzz/corpus/$1
	local artifacts=build/fuzz/crashes/$1
	if [[ ! -x $program ]]; then
		ok 1 "$name"
		note "$program is not built: say make fuzz"
		return 1
	fi
	[[ -z ${PLINTH_LONG:-} ]] || corpus=build/fuzz/corpus/$name
	mkdir -p "$corpus" "$artifacts"
	[[ ! -d $seeds ]] || cp "$seeds"/* "$corpus"/
	# A slow input counts as a hang: none of this code has a reason to take seconds.
	if "$program" "${limits[@]}" -timeout=5 -rss_limit_mb=1024 -artifact_prefix="$artifacts/" "$corpus" \
		>"$work/$name.log" 2>&1; then
		ok 0 "$name: $(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' "$work/$name.log")"
	else
		ok 1 "$name"
		note "$(grep -vE '^#[0-9]+[[:space:]]' "$work/$name.log" | tail -n 40)"
		note "the input that did it: $(sed -n 's/.*Test unit written to //p' "$work/$name.log" | tail -n 1)"
		note "to see it again: $program FILE"
	fi
}

if (($#)); then
	names=("$@")
else
	names=(tests/fuzz/fuzz_*.c)
	names=("${names[@]##*/fuzz_}")
	names=("${names[@]%.c}")
fi
for name in "${names[@]}"; do
	fuzz "$name"
done
done_testing
