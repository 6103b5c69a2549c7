#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs one emulator for run-qemu.sh and run-bochs.sh: joins the guest's COM1 to the terminal, keeps the time limit,
ends the emulator with this program, and turns the verdict into the exit status."""

import argparse
import ctypes
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

PASS, FAIL, ERROR, NO_VERDICT, TIMEOUT = range(5)
STATUS = {b"pass": PASS, b"fail": FAIL, b"error": ERROR}
VERDICT = re.compile(rb"plinth: verdict: (pass|fail|error)\b[^\r\n]*")
ESCAPE = 0x01  # Ctrl-A; Plinth ends the run at Ctrl-A X
ESCAPE_GRACE = 5.0
GATHER = 0.01  # seconds, too short to be felt
KILL_GRACE = 2.0


class Stopped(Exception):
    """A signal asked for the end."""


class Terminal:
    """Standard input: a terminal in raw mode, so that every key reaches the guest; else a pipe or file."""

    def __init__(self):
        self.fd = sys.stdin.fileno()
        self.saved = None
        self.usable = True
        if os.isatty(self.fd):
            if os.tcgetpgrp(self.fd) != os.getpgrp():
                self.usable = False  # in the background: reading would stop us
            else:
                self.saved = termios.tcgetattr(self.fd)

    def raw(self):
        if self.saved:
            tty.setraw(self.fd)

    def restore(self):
        if self.saved:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)


def die_with_parent():
    """In the child: no emulator outlives this program, even if that is killed."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def end_child(child):
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(KILL_GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class Relay:
    """Moves bytes between the emulator's COM1 (a TCP connection) and our standard input and output."""

    def __init__(self, listener, terminal, copy):
        self.selector = selectors.DefaultSelector()
        self.listener = listener
        self.terminal = terminal
        self.copy = copy
        self.com1 = None
        self.to_guest = b""
        self.escape_seen = False
        self.escape_time = None
        self.line_open = False
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, self.accept)

    def accept(self, _events):
        self.com1, _ = self.listener.accept()
        self.selector.unregister(self.listener)
        self.com1.setblocking(False)
        self.selector.register(self.com1, selectors.EVENT_READ, self.com1_ready)
        if self.terminal.usable:
            try:
                self.selector.register(self.terminal.fd, selectors.EVENT_READ, self.read_input)
            except PermissionError:  # a regular file is always readable: not for epoll
                self.to_guest += sys.stdin.buffer.read()
                self.want_write()

    def want_write(self):
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.to_guest else 0)
        self.selector.modify(self.com1, events, self.com1_ready)

    def read_input(self, _events):
        data = os.read(self.terminal.fd, 1024)
        if not data:
            self.selector.unregister(self.terminal.fd)
            return
        for byte in data:
            if self.escape_seen and byte in b"xX":
                self.escape_time = time.monotonic()
            self.escape_seen = byte == ESCAPE
        if self.com1:
            self.to_guest += data
            self.want_write()

    def com1_ready(self, events):
        if events & selectors.EVENT_WRITE and self.to_guest:
            self.to_guest = self.to_guest[self.com1.send(self.to_guest):]
            self.want_write()
        if events & selectors.EVENT_READ:
            try:
                data = self.com1.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.selector.unregister(self.com1)
                self.com1.close()
                self.com1 = None
                if self.terminal.usable and self.terminal.fd in self.selector.get_map():
                    self.selector.unregister(self.terminal.fd)
                return
            os.write(sys.stdout.fileno(), data)
            self.line_open = data[-1:] not in b"\r\n"
            if self.copy:
                self.copy.write(data)
                self.copy.flush()

    def step(self, seconds):
        for key, events in self.selector.select(seconds):
            key.data(events)
        time.sleep(GATHER)  # the emulators send each byte alone

    def escape_expired(self):
        return self.escape_time and time.monotonic() - self.escape_time > ESCAPE_GRACE


def run(options, terminal):
    """Returns None when the emulator ended by itself, else a reason why it was ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    copy = open(options.serial, "wb") if options.serial else None
    relay = Relay(listener, terminal, copy)
    command = [word.replace("@PORT@", port) for word in options.command]
    with open(os.path.join(options.dir, "stdout"), "wb") as out, open(os.path.join(options.dir, "stderr"), "wb") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 start_new_session=True, preexec_fn=die_with_parent)
    deadline = time.monotonic() + options.timeout if options.timeout else None
    try:
        terminal.raw()
        while child.poll() is None:
            relay.step(0.1)
            if deadline and time.monotonic() > deadline:
                return "timeout"
            if relay.escape_expired():
                return "escape"
        while relay.com1:  # what it wrote last
            relay.step(0.1)
        return None
    finally:
        end_child(child)
        terminal.restore()
        if relay.line_open and sys.stdout.isatty():
            print(flush=True)
        if copy:
            copy.close()


def show_logs(options):
    """Without a verdict the emulator's own messages are the only trace."""
    for name in ["stderr"] + (["stdout"] if options.verdict != "stdout" else []) + options.log:
        path = os.path.join(options.dir, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                lines = file.read().decode(errors="replace").splitlines()
            # Of Bochs' many lines, those that are neither information nor ornament.
            lines = [line for line in lines if line and not re.match(r"\d{11}[di]\[|=+$", line)]
            for line in lines[-15:]:
                print(f"{options.name}: {name}: {line}", file=sys.stderr)


def judge(options, ended):
    def say(text):
        print(f"{options.name}: {text}", file=sys.stderr)

    found = []
    path = os.path.join(options.dir, options.verdict)
    if os.path.exists(path):
        with open(path, "rb") as file:
            found = list(VERDICT.finditer(file.read()))
    verdict = found[-1].group(0).decode(errors="replace") if found else None
    if ended == "timeout":
        say(f"timeout: ended after {options.timeout:g} seconds; " +
            (f"the machine was still on after \"{verdict}\"" if verdict else "no verdict was given until then"))
        return TIMEOUT
    if not verdict:
        if ended == "escape":
            say("ended by Ctrl-A X; Plinth itself did not answer it and gave no verdict")
            return NO_VERDICT
        say("no verdict: the machine stopped without one (a crash, or Plinth did not start)")
        show_logs(options)
        return NO_VERDICT
    status = STATUS[found[-1].group(1)]
    meaning = ("the run passed", "the run failed", "Plinth could not do what it was asked to")[status]
    say(f"{meaning}: {verdict.removeprefix('plinth: verdict: ')}")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="who speaks in messages")
    parser.add_argument("--dir", required=True, help="directory of the run; removed at the end")
    parser.add_argument("--verdict", required=True, help="file in it that shows what was written to port E9h")
    parser.add_argument("--log", action="append", default=[], help="file in it with the emulator's messages")
    parser.add_argument("--serial", help="file for a copy of the console")
    parser.add_argument("--timeout", type=float, default=0, help="seconds")
    parser.add_argument("command", nargs="+", help="the emulator; @PORT@ stands for the TCP port of COM1")
    options = parser.parse_args()

    def stop(number, _frame):
        raise Stopped(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    terminal = Terminal()
    try:
        ended = run(options, terminal)
        return judge(options, ended)
    except Stopped as reason:
        number = reason.args[0]
        print(f"{options.name}: ended by {signal.Signals(number).name}", file=sys.stderr)
        return 128 + number
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except OSError as reason:
        print(f"{options.name}: {reason}", file=sys.stderr)
        return NO_VERDICT
    finally:
        shutil.rmtree(options.dir, ignore_errors=True)


sys.exit(main())
