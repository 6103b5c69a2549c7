# SPDX-License-Identifier: BSD-2-Clause
# For tests that boot: runs Plinth in an emulator with a time limit, and looks at the console and the exit status.
# shellcheck shell=bash
# shellcheck disable=SC2034  # some variables are for the tests
# shellcheck source=tests/tap.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

elf=$root/build/plinth.elf
stub=$root/build/tests/stub.elf

# The exit statuses of the run scripts.
PASS=0 FAIL=1 ERROR=2 NO_VERDICT=3 TIMEOUT=4

# boot NAME SECONDS SCRIPT [OPTION...]: runs run-SCRIPT.sh. Afterwards $console is a file with what appeared on COM1,
# without the CR of each line's end, $words what the script itself said, $status its exit status, $name the run's name.
# Standard input goes to the guest.
boot()
{
	name=$1
	local seconds=$2 script=$3
	shift 3
	console=$work/$name.console
	# On a slow machine a line on the console, and what waits for a time, takes fewer instructions.
	[[ $script == bochs && " $* " != *" --ips "* ]] && set -- "$@" --ips 4000000
	"./run-$script.sh" --timeout "$seconds" --serial "$work/$name.raw" "$@" >"$work/$name.stdout" 2>"$work/$name.words"
	status=$?
	echo $status >"$work/$name.status"
	words=$(<"$work/$name.words")
	tr -d '\r' <"$work/$name.raw" >"$console" 2>/dev/null || : >"$console"
}

# boot_until NAME SECONDS REGEX SCRIPT [OPTION...]: the same for a guest that does not end by itself: when the extended
# regular expression matches what was on the console so far, Ctrl-A X is typed, which ends the run.
boot_until()
{
	local regex=$3 keys=$work/$1.keys pid
	set -- "$1" "$2" "${@:4}"
	mkfifo "$keys"
	boot "$@" <"$keys" &
	pid=$!
	exec {typing}>"$keys"
	while kill -0 $pid 2>/dev/null; do
		if grep -qaE -- "$regex" "$work/$1.raw" 2>/dev/null; then
			printf '\001x' >&"$typing"
			break
		fi
		sleep 0.5
	done
	wait $pid
	exec {typing}>&-
	name=$1 console=$work/$1.console
	words=$(<"$work/$1.words")
	status=$(<"$work/$1.status")
}

# The end of the console, for the reader of a failure.
show_console()
{
	note "the run said: $words (status $status). The console's end ($console):"
	note "$(tail -n 12 "$console" | cat -v)"
}

status_is()
{
	is "$status" "$1" "$name: ${2:-exit status $1}" || show_console
}

# says TEXT...: each text stands on the console, as it is.
says()
{
	local text
	for text; do
		grep -qF -- "$text" "$console"
		ok $? "$name: says \"$text\"" || show_console
	done
}

# matches REGEX NAME: a line of the console matches the extended regular expression.
matches()
{
	grep -qE -- "$1" "$console"
	ok $? "$name: $2" || { note "no line matches: $1"; show_console; }
}

lacks()
{
	! grep -qE -- "$1" "$console"
	ok $? "$name: ${2:-nothing says \"$1\"}" || note "$(grep -E -m 3 -- "$1" "$console" | cat -v)"
}

# in_order NAME FILE: the lines of FILE, extended regular expressions that match whole lines, match lines of the console
# in this order; other lines may stand between them. A line that begins with "+" must match the very next line. Empty
# lines and lines that begin with "#" are for the reader.
in_order()
{
	local missing
	missing=$(awk -v patterns="$2" '
		BEGIN {
			while ((getline pattern <patterns) > 0)
				if (pattern !~ /^(#|$)/) {
					next_line[++count] = sub(/^\+/, "", pattern)
					wanted[count] = pattern
				}
			i = 1
		}
		i <= count && $0 ~ "^" wanted[i] "$" { i++; last = FNR; next }
		i <= count && i > 1 && next_line[i] { broken = 1; print i ": " wanted[i] "\nbut there stands: " $0; exit }
		END { if (!broken && i <= count) print i ": " wanted[i] }
	' "$console")
	is "$missing" "" "$name: $1" || show_console
}
