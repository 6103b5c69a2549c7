# SPDX-License-Identifier: BSD-2-Clause
# TAP for tests in bash: each check prints its line, and says what it saw when it fails.
# shellcheck shell=bash
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# A make that runs this test has no jobs to share with those that the test runs.
unset MAKEFLAGS MAKELEVEL
tap_count=0
tap_todo=

# Output of this test, kept for a look after a failure.
work=$root/build/tests/$(basename "$0" .t)
rm -rf "$work"
mkdir -p "$work"

# ok STATUS NAME: the check holds when STATUS is 0.
ok()
{
	tap_count=$((tap_count + 1))
	if [[ $1 -eq 0 ]]; then
		printf 'ok %d - %s\n' $tap_count "$2"
	else
		printf 'not ok %d - %s%s\n' $tap_count "$2" "$tap_todo"
	fi
	return "$1"
}

# is GOT WANTED NAME
is()
{
	if [[ $1 == "$2" ]]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		note "got '$1', wanted '$2'"
		return 1
	fi
}

# Lines for a person, which the harness shows.
note()
{
	sed 's/^/# /' <<<"$*" >&2
}

# runs NAME COMMAND...: the command succeeds; its output is shown when it does not.
runs()
{
	local name=$1
	shift
	if "$@" >"$work/output" 2>&1; then
		ok 0 "$name"
	else
		ok 1 "$name"
		note "$(tail -n 30 "$work/output")"
		return 1
	fi
}

# expect_version PROGRAM MAJOR: with another version of the program, what fails from here on is shown but does not
# count, since each version has opinions of its own. Without arguments everything counts again.
expect_version()
{
	local version
	tap_todo=
	(($#)) || return 0
	version=$("$1" --version | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)
	[[ ${version%%.*} == "$2" ]] || tap_todo=" # TODO the project is checked with $1 $2, this is $version"
}

# skip NAME REASON: a check that cannot be made here.
skip()
{
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # skip %s\n' $tap_count "$1" "$2"
}

# The end of each test: without it, harness and reader know that the test broke off.
done_testing()
{
	printf '1..%d\n' $tap_count
}

# The project's files, tracked or not yet, but nothing that is ignored.
project_files()
{
	git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
		[[ ! -f $file ]] || printf '%s\n' "$file"
	done
}
