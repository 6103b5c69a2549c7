# SPDX-License-Identifier: BSD-2-Clause
"""An exit record, and what it says in words: the same words as trace/render.c makes, which a test compares."""

import json
import os
import struct

RECORD = struct.Struct("<QQQHHBBBBQQQQ")
VM_STARTED = 0xFFFF

MODES = ("real", "virtual-8086", "protected", "long")
EXCEPTION, INTERRUPT, CPUID, VMCALL, CR, IO, RDMSR, WRMSR, EPT, EPT_BAD, XSETBV = 0, 1, 10, 18, 28, 30, 31, 32, 48, 49, 55

with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "trace-names.json"), encoding="ascii") as names:
    NAMES = json.load(names)
REASONS = {int(number): name for number, name in NAMES["reasons"].items()}
MSRS = {int(number, 16): name for number, name in NAMES["msrs"].items()}


def bits(value, high, low):
    return value >> low & (1 << high - low + 1) - 1


class Record:
    """One exit, or the start of a VM."""

    def __init__(self, data, cpu, number):
        (self.tsc_exit, self.tsc_entry, self.rip, self.reason, self.injected, self.vm, self.vcpu, self.mode, self.flags,
         self.qualification, *self.detail) = RECORD.unpack(data)
        self.cpu = cpu
        self.number = number
        self.name = data[32:64].split(b"\0")[0].decode("ascii", "replace")  # of a start

    @property
    def cost(self):
        """Ticks; None: the guest has not been entered since."""
        return self.tsc_entry - self.tsc_exit if self.tsc_entry > self.tsc_exit else None

    @property
    def cpl(self):
        return bits(self.flags, 5, 4) if self.flags & 2 else None

    @property
    def code(self):
        return 64 if self.flags & 4 else 32 if self.flags & 8 else 16


def exception_name(vector):
    return NAMES["exceptions"][vector] if vector < 32 else "interrupt"


def msr_name(number):
    return MSRS.get(number & 0xFFFFFFFF) or f"{number:x}"


def words_cpuid(r):
    eax, ebx, ecx, edx = (r.detail[i // 2] >> 32 * (i % 2) & 0xFFFFFFFF for i in range(4))
    return (f"CPUID leaf {r.qualification & 0xFFFFFFFF:x}.{r.qualification >> 32:x} -> "
            f"eax={eax:08x} ebx={ebx:08x} ecx={ecx:08x} edx={edx:08x}")


def words_io(r):
    q = r.qualification
    size, port, read = bits(q, 2, 0) + 1, bits(q, 31, 16), bits(q, 3, 3)
    suffix = {1: "", 2: ".w"}.get(size, ".d")
    if bits(q, 4, 4):
        rep = "REP " if bits(q, 5, 5) else ""
        return f"{rep}{'INS' if read else 'OUTS'}{suffix} {port:x}, {r.detail[1]} elements"
    value = r.detail[0]
    text = f"{'IN' if read else 'OUT'}{suffix} {port:x} {'->' if read else '<-'} {value:x}"
    return text + (f" '{chr(value)}'" if size == 1 and 0x20 <= value < 0x7F else "")


def words_rdmsr(r):
    return f"RDMSR {msr_name(r.qualification)}" + ("" if r.injected & 0x8700 == 0x8300 else f" -> {r.detail[0]:x}")


def words_wrmsr(r):
    return f"WRMSR {msr_name(r.qualification)} <- {r.detail[0]:x}"


def words_cr(r):
    q = r.qualification
    kind = bits(q, 5, 4)
    if kind < 2:
        return f"MOV CR{bits(q, 3, 0)} {'->' if kind else '<-'} {r.detail[0]:x}"
    return "CLTS" if kind == 2 else f"LMSW {bits(q, 31, 16):x}"


def words_ept(r):
    q, size, answer = r.qualification, r.detail[2] & 0xFF, r.detail[2] >> 8 & 0xFF
    answers = ("", ", nobody's", ", read-only: dropped", ", page split", ", stopped",
               ", nobody's: ones")
    text = f"EPT {'fetch' if q & 4 else 'write' if q & 2 else 'read'} gpa={r.detail[0]:x}"
    if size:
        text += f" {'<-' if q & 2 else '->'} {r.detail[1]:x} ({size} bytes)"
    return text + (answers[answer] if answer < len(answers) else "")


def words_exception(r):
    vector, kind = r.detail[0] & 0xFF, r.detail[0] >> 8 & 7
    if kind == 2:
        return "NMI of the host"
    text = exception_name(vector)
    if r.detail[0] & 1 << 11:
        text += f" error={r.detail[1]:x}"
    return text + (f" conditions={r.qualification:x}" if vector == 1 else "")


def words_interrupt(r):
    return f"interrupt {r.detail[0] & 0xFF:x} of the host"


def words_vmcall(r):
    calls = NAMES["calls"]
    name = calls[r.qualification] if r.qualification < len(calls) else f"{r.qualification:x}"
    mark = f", {r.detail[2]:x}" if r.qualification == 1 else ""
    return f"VMCALL {name}({r.detail[0]:x}{mark}) -> {r.detail[1]:x}"


def words_xsetbv(r):
    return f"XSETBV XCR{r.qualification} <- {r.detail[0]:x}"


WORDS = {EXCEPTION: words_exception, INTERRUPT: words_interrupt, CPUID: words_cpuid, VMCALL: words_vmcall, CR: words_cr,
         IO: words_io, RDMSR: words_rdmsr, WRMSR: words_wrmsr, EPT: words_ept, EPT_BAD: words_ept, XSETBV: words_xsetbv}


def reason_name(reason):
    return REASONS.get(reason, "unknown exit reason")


def injected_text(injected):
    vector, kind = injected & 0xFF, injected >> 8 & 7
    return {0: f"interrupt {vector:x}", 2: "NMI", 4: f"INT {vector:x}"}.get(kind) or exception_name(vector)


def words(r):
    text = WORDS[r.reason](r) if r.reason in WORDS else reason_name(r.reason)
    return text + (f" => {injected_text(r.injected)}" if r.injected & 0x8000 else "")
