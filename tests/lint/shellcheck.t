#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No complaint of shellcheck about any script, and the programs in Python compile.
source "$(dirname "$0")/../tap.sh"

while IFS= read -r script; do
	runs "$script" shellcheck -x "$script"
done < <(project_files '*.sh' '*.t' .ci/run)

while IFS= read -r program; do
	runs "$program" python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$program"
done < <(project_files '*.py')

is "$(project_files '*.t' 'run-*.sh' .ci/run | while IFS= read -r f; do [[ -x $f ]] || echo "$f"; done)" "" \
	"scripts that are run by name may be executed"

done_testing
