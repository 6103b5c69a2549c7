#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The processor is the oracle: each tiny guest prints under Plinth what it prints straight from GRUB. On an old, a usual and
# a new processor; with PLINTH_LONG=1 on each that Bochs has and Plinth can use.
set -u
cd "$(dirname "$0")/../.." || exit 1

models=arrandale,haswell,skylake_x
[[ -z ${PLINTH_LONG-} ]] || models=arrandale,sandy,ivy,haswell,broadwell,skylake_x,cnl,icelake,tigerlake

# Where exceptions matter, also with all of them exiting and given back.
exceptions="deliveries faults nmi priorities shadows single-step software-interrupts"

# Random code, from several seeds.
seeds="11 13" count=8000
[[ -z ${PLINTH_LONG-} ]] || seeds=$(seq 10 39) count=20000
random=()
for seed in $seeds; do
	random+=("chaos compare seed=$seed count=$count")
done

# One boot at a time: other tests run beside this one.
exec tools/oracle.py --tap --jobs 1 --all --exceptions "$exceptions" --cpu "$models" "${random[@]}"
