#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The processor is the oracle: each tiny guest prints under Plinth what it prints straight from GRUB. With PLINTH_LONG=1 on
# several models.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Where exceptions matter, also with all of them exiting and given back.
exceptions="deliveries faults nmi priorities shadows single-step software-interrupts"

# One boot at a time: other tests run beside this one.
[[ -n ${PLINTH_LONG-} ]] || exec tools/oracle.py --tap --jobs 1 --all --exceptions "$exceptions"
models="arrandale haswell skylake_x"
printf '1..%d\n' "$(wc -w <<<"$models")"
number=0
for model in $models; do
	number=$((number + 1))
	if tools/oracle.py --jobs 2 --all --exceptions "$exceptions" --cpu "$model" >&2; then
		echo "ok $number - $model"
	else
		echo "not ok $number - $model"
	fi
done
