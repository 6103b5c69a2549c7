#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No complaint of shellcheck about any script, and the programs in Python compile.
source "$(dirname "$0")/../tap.sh"

# Names do not tell the language of tests and tools, their first lines do.
shell=() python=()
while IFS= read -r script; do
	if [[ $script == *.py ]] || head -n 1 "$script" | grep -q '^#!.*python3$'; then
		python+=("$script")
	else
		shell+=("$script")
	fi
done < <(project_files '*.sh' '*.t' '*.py' .ci/run tools/plinth-trace)
runs "shellcheck: ${#shell[@]} scripts" shellcheck -x "${shell[@]}"
runs "Python: ${#python[@]} programs" python3 -c 'import sys
for name in sys.argv[1:]:
	compile(open(name).read(), name, "exec")' "${python[@]}"

is "$(project_files '*.t' 'run-*.sh' .ci/run | while IFS= read -r f; do [[ -x $f ]] || echo "$f"; done)" "" \
	"scripts that are run by name may be executed"

done_testing
