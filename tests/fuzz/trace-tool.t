#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tools/plinth-trace on damaged input: it never breaks off, finds every frame that the damage did not touch, and takes none
for good that was not sent. The same short run each time; with PLINTH_LONG set, a long one by another seed."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import random
import struct
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tools"))
loader = importlib.machinery.SourceFileLoader("plinth_trace", os.path.join(ROOT, "tools/plinth-trace"))
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("plinth_trace", loader))
loader.exec_module(tool)

LONG = bool(os.environ.get("PLINTH_LONG"))
SEED = int(os.environ.get("PLINTH_SEED", random.randrange(1 << 32) if LONG else 1))
ROUNDS = 20000 if LONG else 400
rng = random.Random(SEED)
count = failed = 0


def ok(holds, name):
    global count, failed
    count += 1
    failed += not holds
    print(f"{'' if holds else 'not '}ok {count} - {name}", flush=True)


def stuff(data):
    """The encoder, written from docs/trace-format.md alone."""
    out, data, at = bytearray(), data + b"\0", 0
    while at < len(data):
        zeros = len(data[at:at + 64]) - len(data[at:at + 64].lstrip(b"\0"))
        if zeros:
            out.append(1 if zeros == 1 else 0xBF + zeros)
            at += zeros
            continue
        literals = data[at:at + 191].split(b"\0")[0]
        at += len(literals)
        if len(literals) == 191:
            out.append(0xC0)
        else:
            out.append(len(literals) + 1)
            at += 1
        out += literals
    return bytes(out) + b"\0"


def frame(kind, cpu, body):
    payload = bytes([kind, cpu]) + body
    return stuff(payload + struct.pack("<H", tool.binascii.crc_hqx(payload, 0xFFFF)))


def header(head, records, command_line=b"trace=all"):
    return tool.HEADER.pack(tool.MAGIC, 1, tool.COMMAND_LINE + len(command_line), 64, 0, 20000000, head, records - 1, 0x306c3,
                            0, b"A processor", 0, len(command_line)).ljust(tool.COMMAND_LINE, b"\0") + command_line


def number():
    return rng.getrandbits(rng.choice((0, 4, 8, 16, 32, 64)))


def record(tsc):
    return tool.RECORD.pack(tsc, tsc + 1 + rng.getrandbits(12), number(), rng.choice((0, 1, 10, 18, 28, 30, 31, 32, 48, 55, 12)),
                            rng.choice((0, 0, 0, rng.getrandbits(16))), rng.randrange(3), 0, rng.randrange(4),
                            rng.getrandbits(6), number(), number(), number(), number())


def start(vm, tsc, at):
    return tool.RECORD.pack(tsc, at, 0, tool.VM_STARTED, 0, vm, 0, 0, 0, 0, 0, 0, 0)[:32] + f"vm-{vm}".encode().ljust(32, b"\0")


def sent(data):
    """A record as it is sent: the cost for the time of entry."""
    tsc_exit, tsc_entry = struct.unpack_from("<QQ", data)
    return data[:8] + struct.pack("<Q", tsc_entry - tsc_exit & tool.MASK) + data[16:]


def make_stream(records):
    """The stream, and where each of its frames begins and ends."""
    bodies = [start(vm, 1000 + vm, vm) for vm in range(3)] + [record(2000 + 5000 * i) for i in range(records)]
    frames = [frame(tool.FRAME_HEADER, 0, header(0, 1024))]
    frames += [frame(tool.FRAME_RECORD, 0, struct.pack("<Q", i) + sent(body)) for i, body in enumerate(bodies)]
    frames.append(frame(tool.FRAME_END, 0, struct.pack("<QQ", len(bodies), 0)))
    return b"\0" + b"".join(frames), bodies


def make_ring(records, written):
    data = bytearray(header(written + 3, records).ljust(tool.STARTED, b"\0"))
    starts = [start(vm, 1000 + vm, vm) for vm in range(3)]
    data += b"".join(starts).ljust(tool.RECORDS - tool.STARTED, b"\0") + bytes(64 * records)
    for i in range(written + 3):
        at = tool.RECORDS + 64 * (i % records)
        data[at:at + 64] = starts[i] if i < 3 else record(2000 + 5000 * i)
    return bytes(data)


def run(source, show):
    """What the tool prints; a wrong version is the only reason to give up."""
    options = types.SimpleNamespace(top=list(tool.TOPS), count=5)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            show(tool.Trace(source, None), options)
        except SystemExit as reason:
            assert "version" in str(reason)
    return out.getvalue()


SHOWS = (tool.show_lines, tool.show_histogram, tool.show_json, tool.show_csv, tool.show_info, tool.show_top)


def survives(name, make_damaged):
    """All outputs of some damaged inputs, and of each the kind that was found out or not."""
    for i in range(ROUNDS):
        data = make_damaged()
        try:
            dump = tool.Dump(data)
            run(dump if dump.rings else tool.Stream(data), SHOWS[i % len(SHOWS)])
        except Exception as problem:  # pylint: disable=broad-except
            path = os.path.join(ROOT, "build", "trace-tool.failed")
            with open(path, "wb") as file:
                file.write(data)
            print(f"# round {i} of seed {SEED}: {problem!r}; the input is in {path}", file=sys.stderr)
            ok(False, name)
            return
    ok(True, name)


def damage(data):
    """One to ten times: bytes lost, added, changed; blocks lost, doubled, moved; the end cut off."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 10)):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 1, 2, 10, 100, 500))
        kind = rng.randrange(6)
        if kind == 0:
            del data[at:at + size]
        elif kind == 1:
            data[at:at] = rng.randbytes(size)
        elif kind == 2:
            data[at:at + size] = bytes(byte ^ 1 << rng.randrange(8) for byte in data[at:at + size])
        elif kind == 3:
            data[at:at] = data[at:at + size]
        elif kind == 4:
            data[at:at + size] = bytes(len(data[at:at + size]))
        else:
            del data[max(at, len(data) // 2):]
        if not data:
            data += b"\0"
    return bytes(data)


def lose_one_piece():
    """What is left when one piece is lost or overwritten: all frames outside it, but one more whose delimiter went."""
    data, bodies = make_stream(60)
    for i in range(ROUNDS):
        at, size = rng.randrange(1, len(data)), rng.choice((1, 1, 2, 7, 40, 300))
        middle = rng.choice((b"", rng.randbytes(size)))
        damaged = data[:at] + middle + data[at + size:]
        found = {item.number: tool.RECORD.pack(
            item.tsc_exit, item.tsc_entry, item.rip, item.reason, item.injected, item.vm, item.vcpu, item.mode, item.flags,
            item.qualification, *item.detail) for kind, item in tool.Stream(damaged).read() if kind == "record"}
        wrong = [n for n in found if found[n] != bodies[n]]
        touched = data[:at + size].count(b"\0") - data[:at].count(b"\0") + 1
        if wrong or len(found) < len(bodies) - touched:
            print(f"# round {i} of seed {SEED}: {size} bytes at {at}: wrong {wrong}, "
                  f"{len(bodies) - len(found)} of {len(bodies)} missing", file=sys.stderr)
            return False
    return True


def gaps_add_up():
    """Whole frames that are lost are told, as many as they are."""
    data, bodies = make_stream(60)
    frames = data[1:].split(b"\0")[:-1]
    for _ in range(ROUNDS // 4):
        left = [f for i, f in enumerate(frames) if i in (0, len(frames) - 1) or rng.random() < 0.7]
        texts = [item for kind, item in tool.Stream(b"\0" + b"\0".join(left) + b"\0").read() if kind == "gap"]
        lost = len(frames) - len(left)
        if lost and f"CPU 0: of {lost} missing records 0 were overwritten before they could be sent, and {lost} did not " \
                f"arrive" != texts[-1]:
            print(f"# {lost} of {len(bodies)} were lost, but it is told: {texts[-1]}", file=sys.stderr)
            return False
    return True


whole, whole_bodies = make_stream(500)
ok(sum(kind == "record" for kind, _ in tool.Stream(whole).read()) == len(whole_bodies), "a whole stream is read whole")
ok(len(run(tool.Dump(make_ring(64, 30)), tool.show_lines).splitlines()) == 30, "so is a ring")
ok(lose_one_piece(), "what is lost takes no more with it than the frames it touches")
ok(gaps_add_up(), "lost frames are counted")
with open(os.path.join(ROOT, "tests/fuzz/corpus/trace_stream/demo"), "rb") as sample:
    recorded = sample.read()
ok("CPUID leaf" in run(tool.Stream(recorded), tool.show_lines), "a stream of the demo is read")
small, _ = make_stream(30)
survives("damaged streams", lambda: damage(small))
survives("a damaged stream of the demo", lambda: damage(recorded))
survives("damaged rings", lambda: damage(make_ring(rng.choice((1, 16, 64)), rng.randrange(100))))
survives("random bytes", lambda: rng.randbytes(rng.randrange(2000)))
survives("rings in junk", lambda: rng.randbytes(rng.randrange(100)) + damage(make_ring(16, 40)) + make_ring(4, 9))
print(f"1..{count}")
sys.exit(failed > 0)
