#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The run scripts: exit statuses, input and output, signals, time limits, and refusals in words. With a stand-in for
# Plinth that does what it is told, so that all of this is known to work whatever Plinth does.
source "$(dirname "$0")/lib.sh"

for script in bochs qemu; do
	boot $script-pass 60 $script --elf "$stub" --trace cpuid,io --plinth "loglevel=debug" \
		--kernel "$stub" --append "console=ttyS0 a=b" --mem 1G --initrd Makefile --kernel tests/tap.sh --name second </dev/null
	status_is $PASS
	says "stub: command line: trace=cpuid,io loglevel=debug" \
		"stub: module: kernel name=guest mem=1024M -- console=ttyS0 a=b" \
		"stub: module: initrd" \
		"stub: module: kernel name=second mem=64M"
	is "$words" "run-$script: the run passed: pass 0 stub" "$name: the verdict in words"
	is "$(tr -d '\r' <"$work/$name.stdout")" "$(<"$console")" "$name: standard output is the console"

	boot $script-crash 60 $script --elf "$stub" --plinth crash </dev/null
	status_is $NO_VERDICT "a crash is not a pass"

	boot $script-input 60 $script --elf "$stub" --plinth echo < <(
		sleep 2
		printf 'typed'
		sleep 1
		printf ' keys q'
	)
	status_is $PASS
	says "typed keys q"
done

# From here on the two scripts share all of their code.
boot qemu-fail 60 qemu --elf "$stub" --plinth fail </dev/null
status_is $FAIL
is "$words" "run-qemu: the run failed: fail 7 stub" "$name: the verdict in words"

boot qemu-error 60 qemu --elf "$stub" --plinth error </dev/null
status_is $ERROR

boot qemu-quiet 60 qemu --elf "$stub" --plinth quiet </dev/null
status_is $NO_VERDICT "no verdict is not a pass"

boot qemu-hang 4 qemu --elf "$stub" --plinth hang </dev/null
status_is $TIMEOUT

# A signal ends everything that a run started.
for run in "bochs TERM 143" "qemu TERM 143" "qemu INT 130"; do
	read -r script signal wanted <<<"$run"
	mkdir -p "$work/tmp"
	# A shell has its background jobs ignore SIGINT; a terminal's user has not.
	TMPDIR=$work/tmp python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.argv[1], sys.argv[1:])' "./run-$script.sh" --elf "$stub" --plinth hang --serial "$work/raw" \
		>/dev/null 2>"$work/words" </dev/null &
	job=$!
	for ((i = 0; i < 100; i++)); do
		grep -q 'command line' "$work/raw" 2>/dev/null && break
		sleep 0.2
	done
	emulator=$(pgrep -P $job)
	kill -s "$signal" $job
	wait $job
	is $? "$wanted" "$script: SIG$signal gives its exit status" || note "$(<"$work/words")"
	[[ -n $emulator ]] && ! kill -0 "$emulator" 2>/dev/null
	ok $? "$script: SIG$signal leaves no emulator behind"
	is "$(ls -A "$work/tmp")" "" "$script: SIG$signal leaves no file behind"
	rm -f "$work/raw"
done

# On a terminal: Ctrl-C is the guest's, and the terminal is afterwards as it was.
cat >"$work/terminal.py" <<'END'
import os, pty, select, sys, termios, time

pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
before = termios.tcgetattr(fd)
keys = [b"a\x03b", b"q"]
seen = b""
while True:
    if select.select([fd], [], [], 1)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:  # the other side is closed
            break
        seen += data
    elif b"echo" in seen and keys:
        os.write(fd, keys.pop(0))
same = termios.tcgetattr(fd) == before
print("seen" if b"a\x03bq" in seen else seen, "same" if same else "changed", os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
END
is "$(python3 "$work/terminal.py" ./run-qemu.sh --elf "$stub" --plinth echo --timeout 60)" "seen same $PASS" \
	"qemu: on a terminal, Ctrl-C goes to the guest, and the terminal's settings come back"

# refused SCRIPT TEXT OPTION...: is not started, and the text is part of the reason.
refused()
{
	local script=$1 text=$2 out
	shift 2
	out=$("./run-$script.sh" --elf "$stub" "$@" 2>&1 </dev/null)
	is $? $ERROR "$script: refuses $*"
	[[ $out == *"$text"* ]]
	ok $? "$script: says \"$text\"" || note "$out"
}

refused bochs "use ./run-qemu.sh --uefi" --uefi
refused bochs "use ./run-qemu.sh --usb" --usb
refused bochs "use ./run-qemu.sh --gdb" --gdb
refused bochs "has no CPU model 'i386'; it has: bx_generic" --cpu i386
refused bochs "is not the name of one CPU model: corei5_lynnfield_750" --cpu corei5
refused qemu "--ips is for ./run-bochs.sh" --ips 1000000
refused qemu "has no CPU model 'i386'" --cpu i386
for script in bochs qemu; do
	refused $script "give --kernel FILE before it" --append x
	refused $script "there is no file 'absent'" --kernel absent
	refused $script "needs a size such as 64M or 1G, not '0'" --kernel "$stub" --mem 0
	refused $script "there is no option --absent" --absent
	refused $script "--trace needs a value" --trace
	refused $script "--cpus needs a number above 0" --cpus none
	refused $script "give one or the other" --iso "$stub"
	runs "$script: --help" "./run-$script.sh" --help
done

done_testing
