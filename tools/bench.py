#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures what VM exits cost in Bochs, and compares with the table in docs/performance.md."""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "performance.md"
GUEST = "build/guest/tests/bench.elf"
BEGIN, END = "<!-- table: written by make bench-record -->", "<!-- end of table -->"
# KVM 6.1 in the same Bochs, and an eighth and a tenth of it: the costs required and wanted.
KVM = {
    "CPUID": 994, "VMCALL": 1035, "RDMSR trapped": 1121, "WRMSR trapped": 1142, "WRMSR EFER": 1961,
    "IN port 61h": 1375, "OUT port 61h": 1375, "WBINVD": 882, "unknown MSR to #GP handled": 1781,
}
LINE = re.compile(r"^bench: (.+?): (\d+) (ticks|vmreads)(?: (\d+) vmwrites (\d+) others)?", re.MULTILINE)


def boot(elf, cpu):
    """The lines of the bench guest, as {operation: numbers}."""
    command = ["./run-bochs.sh", "--cpu", cpu, "--elf", elf, "--kernel", GUEST, "--name", "bench", "--mem", "8M",
               "--plinth", "records=0", "--timeout", "120"]
    run = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         errors="replace", check=False)
    found = {m[1]: [int(n) for n in (m[2], m[4], m[5]) if n] for m in LINE.finditer(run.stdout)}
    if run.returncode != 0 or not found:
        sys.exit(f"bench: {' '.join(command)} ended with status {run.returncode}:\n{run.stdout[-2000:]}{run.stderr}")
    return found


def measure(cpu):
    """{operation: (ticks, VMREADs, VMWRITEs, other dear instructions)}"""
    ticks, counts = boot("build/plinth.elf", cpu), boot("build/counted/plinth.elf", cpu)
    return {name: (*ticks[name], *counts[name]) for name in ticks}


def render(rows):
    lines = [f"| {'operation':<26} | {'ticks':>5} | {'VMREADs':>7} | {'VMWRITEs':>8} | {'others':>6} | {'KVM':>5} | "
             f"{'KVM/8':>5} | {'KVM/10':>6} |",
             f"|{'-' * 28}|{'-' * 6}:|{'-' * 8}:|{'-' * 9}:|{'-' * 7}:|{'-' * 6}:|{'-' * 6}:|{'-' * 7}:|"]
    for name, (ticks, reads, writes, others) in rows.items():
        kvm = KVM.get(name)
        shares = (kvm, kvm // 8, kvm // 10) if kvm else ("", "", "")
        lines.append(f"| {name:<26} | {ticks:>5} | {reads:>7} | {writes:>8} | {others:>6} | {shares[0]:>5} | "
                     f"{shares[1]:>5} | {shares[2]:>6} |")
    return "\n".join(lines)


def recorded():
    rows = {}
    for line in TABLE.read_text().split(BEGIN)[1].split(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 8 and cells[1].isdigit():
            rows[cells[0]] = tuple(int(cell) for cell in cells[1:5])
    return rows


def check(rows):
    """TAP: nothing more than 10% dearer than recorded, nothing above an eighth of KVM, and the CPUID exit lean."""
    number = failed = 0

    def tell(passed, text):
        nonlocal number, failed
        number += 1
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {text}")

    for name, (ticks, *_) in recorded().items():
        now = rows.get(name, (10**9,))[0]
        tell(now <= ticks * 1.1, f"{name}: {now} ticks, {ticks} recorded")
        if name in KVM and name != "OUT port 61h":
            tell(now <= KVM[name] // 8, f"{name}: {now} ticks, an eighth of KVM's are {KVM[name] // 8}")
    tell(set(rows) == set(recorded()), "every operation is recorded")
    reads, writes = rows["CPUID"][1:3]
    tell(reads <= 5 and writes <= 1, f"a CPUID exit does {reads} VMREADs and {writes} VMWRITEs")
    print(f"1..{number}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", default="haswell", help="model of the processor (default: haswell)")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--record", action="store_true", help="write the table into docs/performance.md")
    group.add_argument("--check", action="store_true", help="print TAP: compare with the table, fail when dearer")
    options = parser.parse_args()
    rows = measure(options.cpu)
    if options.check:
        sys.exit(1 if check(rows) else 0)
    print(render(rows))
    if options.record:
        head, rest = TABLE.read_text().split(BEGIN)
        TABLE.write_text(head + BEGIN + "\n" + render(rows) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
