#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs tiny guests twice in the same Bochs model, straight from GRUB and under Plinth, and compares what they print:
the processor is the oracle. Only lines that the guest marks "# virtual REASON" may differ. Of the two boots each serves
all guests: under Plinth they are its VMs, and without it guest/starter resets the machine between them."""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("B", "build")
GUESTS = BUILD / "guest/tests"
KEPT = BUILD / "oracle"
GRUB = pathlib.Path("/usr/lib/grub/i386-pc")
GRUB_MODULES = ["biosdisk", "memdisk", "tar", "multiboot"]
CYLINDER = 16 * 63 * 512
# A slow machine: its firmware waits less, in instructions, and so does a guest for its UART.
NATIVE_IPS = 1000000
PLINTH_IPS = 4000000
# A machine that prints nothing for so long will not go on.
NATIVE_QUIET_SECONDS = 20
RESETS_EACH = 4
VMS_AT_ONCE = 60
VM_MEMORY = "4M"

STARTED = re.compile(r"starter: ([a-z0-9_-]+)$")
MARK = re.compile(r" # virtual \S")
TODO = re.compile(r" # TODO Bochs \S")
CHECK = re.compile(r"(not )?ok (\d+) - ")
MAY_DIE = "# may die"
SILENT = "(the machine was still on, but silent)"
PLAN = re.compile(r"1\.\.(\d+)$")
VM_LINE = re.compile(r"plinth\[([a-z0-9_-]+)\]: (.*)")
NAMED_LINE = re.compile(r"\[([a-z0-9_-]+)\]([ +])(.*)")


# Of each guest by name: its folder, and its command line.
COMMANDS = {}


def fail(text):
    sys.exit(f"oracle: {text}")


def run(command, **options):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))} ended with status {done.returncode}:\n{done.stderr.decode()}")
    return done.stdout


def guest_given(text):
    """The name of a guest that is given as a folder of guest/tests, with a command line behind a space or without."""
    folder, _, arguments = text.partition(" ")
    name = "-".join([folder, *re.findall(r"\d+", arguments)])
    COMMANDS[name] = folder, arguments
    if not image_of(name).exists():
        fail(f"there is no {image_of(name)}: is there a folder guest/tests/{folder}, and did `make` run?")
    return name


def image_of(name):
    return GUESTS / f"{COMMANDS[name][0]}.elf"


def text_of(path):
    """The lines that came out of a serial port."""
    return path.read_bytes().decode("latin-1").replace("\r", "").splitlines()


# --- On the processor itself ---

def make_disk(names, work):
    """A hard disk whose boot sector loads GRUB, which carries guest/starter and the guests with it."""
    shutil.copy(BUILD / "guest/starter.elf", work / "starter")
    config = ["multiboot (memdisk)/starter"]
    for name in names:
        folder, arguments = COMMANDS[name]
        shutil.copy(image_of(name), work / folder)
        config.append(f"module (memdisk)/{folder} {name} {arguments}")
    (work / "config").write_text("\n".join([*config, "boot", ""]))
    run(["tar", "-C", work, "--format=ustar", "-cf", work / "memdisk", "starter", *{COMMANDS[name][0] for name in names}])
    run(["grub-mkimage", "-O", "i386-pc", "-p", "(memdisk)/", "-m", work / "memdisk", "-c", work / "config",
         "-o", work / "core", *GRUB_MODULES])
    image = (GRUB / "boot.img").read_bytes() + (work / "core").read_bytes()
    (work / "disk").write_bytes(image.ljust(-(-len(image) // CYLINDER) * CYLINDER, b"\0"))


def prints_or_ends(machine, serial):
    """Waits until the machine is off. Returns False when it is not, but does not print any more."""
    size, since = 0, time.monotonic()
    while machine.poll() is None:
        if serial.exists() and serial.stat().st_size > size:
            size, since = serial.stat().st_size, time.monotonic()
        elif time.monotonic() - since > NATIVE_QUIET_SECONDS:
            return False
        time.sleep(0.1)
    return True


def boot_native(names, cpu):
    """What each guest prints, up to the first with which the machine ended or did not go on."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="plinth-oracle.") as directory:
        work = pathlib.Path(directory)
        make_disk(names, work)
        (work / "bochsrc").write_bytes(run(["tools/bochsrc.sh", "--iso", work / "disk", "--dir", work, "--disk",
                                            "--cpu", cpu, "--ips", str(NATIVE_IPS), "--ram", "64"]))
        # Each reset stops in the debugger of Bochs.
        (work / "commands").write_text("c\n" * (RESETS_EACH * len(names) + 1))
        late = []
        # A triple fault is a reset, as on most machines.
        with subprocess.Popen(["bochs-bin", "-q", "-f", work / "bochsrc", "-rc", work / "commands",
                               f"com1: enabled=1, mode=file, dev={work}/serial", "cpu: reset_on_triple_fault=1"],
                              cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}) as machine:
            if not prints_or_ends(machine, work / "serial"):
                late = [SILENT]
                machine.kill()
        name = names[0]
        for line in text_of(work / "serial"):
            if match := STARTED.match(line):
                name = match[1]
                found[name] = []
            elif name in found:
                found[name].append(line)
    if late:
        found.setdefault(name, []).extend(late)
    return found or {name: ["(nothing)"]}


def native(names, cpu):
    """What each guest prints without Plinth; kept, since it depends on nothing but guest, emulator and model."""
    found, digests, missing = {}, {}, []
    common = (BUILD / "guest/starter.elf").read_bytes() + pathlib.Path(__file__).read_bytes()
    (KEPT / cpu).mkdir(parents=True, exist_ok=True)
    for name in names:
        digests[name] = hashlib.sha256(image_of(name).read_bytes() + COMMANDS[name][1].encode() + common).hexdigest()
        kept, key = (KEPT / cpu / f"{name}.{kind}" for kind in ("native", "key"))
        if kept.exists() and key.exists() and key.read_text() == digests[name]:
            found[name] = kept.read_text().splitlines()
        else:
            missing.append(name)
    while missing:
        for name, lines in boot_native(missing, cpu).items():
            # Each has an empty line behind it, before the next.
            found[name] = lines[:-1] if lines and not lines[-1] else lines
            missing.remove(name)
            (KEPT / cpu / f"{name}.native").write_text("".join(line + "\n" for line in found[name]))
            (KEPT / cpu / f"{name}.key").write_text(digests[name])
    return found


# --- Under Plinth ---

def sort_lines(lines):
    """The lines of each VM. The one with the raw console has no name before its lines."""
    found, raw = {}, None
    for line in lines:
        if match := VM_LINE.match(line):
            vm, text = match.groups()
            if vm not in found:
                found[vm], raw = [], vm
            if text.startswith("ended after") and raw == vm:
                raw = None
        elif match := NAMED_LINE.match(line):
            vm, sign, text = match.groups()
            if sign == "+" and found.get(vm):
                found[vm][-1] += text
            else:
                found.setdefault(vm, []).append(text)
        elif raw and not line.startswith("plinth: "):
            found[raw].append(line)
    return found


def under_plinth(names, cpu, options, suffix=""):
    """What each guest prints as one of many VMs of one boot. With a suffix, under which it is kept."""
    found = {}
    for first in range(0, len(names), VMS_AT_ONCE):
        some = names[first:first + VMS_AT_ONCE]
        console = KEPT / cpu / f"plinth-{first}{suffix}.console"
        console.parent.mkdir(parents=True, exist_ok=True)
        command = ["./run-bochs.sh", "--elf", BUILD / "plinth.elf", "--cpu", cpu, "--ips", str(PLINTH_IPS),
                   "--timeout", str(120 + 4 * len(some)), "--serial", console, *options]
        for name in some:
            command += ["--kernel", image_of(name), "--name", name, "--mem", VM_MEMORY]
            command += ["--append", COMMANDS[name][1]] if COMMANDS[name][1] else []
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        lines = sort_lines(text_of(console)) if console.exists() else {}
        for name in some:
            found[name] = lines.get(name, [])
            (KEPT / cpu / f"{name}{suffix}.plinth").write_text("".join(line + "\n" for line in found[name]))
    return found


# --- The comparison ---

def complete(lines):
    """Whether the TAP has its plan, and as many checks as that says."""
    checks = sum(1 for line in lines if CHECK.match(line))
    return any((match := PLAN.match(line)) and int(match[1]) == checks for line in lines)


def lines_agree(first, second):
    if first == second:
        return True
    # Marked on both sides, the same check, and both pass.
    checks = CHECK.match(first), CHECK.match(second)
    return bool(MARK.search(first) and MARK.search(second) and all(checks) and
                checks[0].group() == checks[1].group() and not checks[0][1])


def differences(processor, plinth):
    """What is wrong, in words; empty when nothing is."""
    wrong = []
    both_died = MAY_DIE in processor and not complete(processor) and not complete(plinth)
    if both_died:
        processor = [line for line in processor if line != SILENT]
    if not complete(processor) and not both_died:
        wrong.append(f"straight from GRUB it did not come to its end; the last line: {(processor or ['(none)'])[-1]}")
    if not complete(plinth) and not both_died:
        wrong.append(f"under Plinth it did not come to its end; the last line: {(plinth or ['(none)'])[-1]}")
    wrong += [f"the guest expects something else of the processor: {line}" for line in processor
              if line.startswith("not ok") and not TODO.search(line)]
    for number in range(max(len(processor), len(plinth))):
        pair = [lines[number] if number < len(lines) else "(nothing)" for lines in (processor, plinth)]
        if not lines_agree(*pair):
            wrong.append(f"line {number + 1}\n  processor: {pair[0]}\n  Plinth:    {pair[1]}")
    return wrong


def report(tap, number, name, pair, where):
    """One guest's result. Returns whether it is as it should be."""
    wrong = differences(*pair)
    checks = sum(1 for line in pair[0] if CHECK.match(line))
    result = "not ok" if wrong else "ok"
    count = f"{number} - " if tap else ""
    print(f"{result} {count}{name}{where}: {checks} checks, the same under Plinth as on the processor", flush=True)
    for text in wrong[:20]:
        print("\n".join(f"# {line}" for line in text.splitlines()), file=sys.stderr if tap else sys.stdout)
    return not wrong


def show(name, cpu):
    print(f"{name}: straight from GRUB on the left, under Plinth on the right", flush=True)
    width = str(shutil.get_terminal_size((200, 24)).columns)
    subprocess.run(["diff", "-y", "-t", "-W", width, KEPT / cpu / f"{name}.native", KEPT / cpu / f"{name}.plinth"],
                   check=False)


def compare(options, names, traced, cpu):
    """The results on one model: of each a name, its lines on the processor and under Plinth, and how Plinth ran it."""
    more = shlex.split(options.run)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        plinth = pool.submit(under_plinth, names, cpu, ["--plinth", "records=0", *more])
        again = pool.submit(under_plinth, traced, cpu,
                            ["--plinth", "trace=exception trace.out=ring records=2", *more], "-traced")
        processor = pool.submit(native, sorted({*names, *traced}), cpu).result()
        plinth, again = plinth.result(), again.result()
    return [(name, processor[name], plinth[name], "") for name in names] + \
        [(name, processor[name], again[name], ", all exceptions exiting") for name in traced]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", default="haswell", metavar="MODEL[,...]", help="models of Bochs (default: haswell)")
    parser.add_argument("--all", action="store_true", help="all guests that are for this comparison, before those named")
    parser.add_argument("--tap", action="store_true", help="one line of TAP for each guest, as a test")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="boots at once (default: one a processor)")
    parser.add_argument("--exceptions", default="", metavar="NAMES",
                        help="guests that run once more with trace=exception: all their exceptions exit")
    parser.add_argument("--run", default="", help="more options for run-bochs.sh")
    parser.add_argument("name", nargs="*", help="folders of guest/tests; with a command line: \"FOLDER WORDS\"")
    options = parser.parse_args()

    names = options.name
    if options.all:
        names = run(["make", "-s", "--no-print-directory", "print-oracle-guests"]).decode().split() + names
    names = [guest_given(text) for text in names]
    traced = [guest_given(text) for text in options.exceptions.split()]
    number = failed = 0
    for cpu in options.cpu.split(","):
        for name, processor, plinth, how in compare(options, names, traced, cpu):
            number += 1
            if not options.tap and not options.all:
                show(name, cpu)
            failed += not report(options.tap, number, name, (processor, plinth), f" on {cpu}{how}")
    if options.tap:
        print(f"1..{number}")
    sys.exit(failed > 0 and not options.tap)


main()
