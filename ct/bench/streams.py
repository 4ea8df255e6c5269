#!/usr/bin/env python3
"""Measures how exact the pieces of many streams are, and how many long polls can wait at once.

    ct/bench/streams.py [BINARY] [--streams 2000] [--every 0.2] [--seconds 10] [--check] [--page]

Each stream sends a piece every `--every` seconds; the streams begin one after the other within one such time. Meanwhile other
requests are sent at a fixed rate. Then the same connections wait for a key of `store`, and one request sets it. With `--check`, the
exit status is 1 if a bound is missed three times.
"""

import argparse
import contextlib
import functools
import gc
import http.client
import io
import pathlib
import re
import resource
import socket
import sys
import time
from typing import NamedTuple

import page
from arrivals import Arrivals
from openloop import percentile, request
from subject import Mock, stop_on_signal
from table import print_table

# Other requests: how many a second, over how many connections at first, and for how many seconds before the streams.
RATE, CONNECTIONS, BEFORE = 200, 20, 3
# Bounds of `--check` in milliseconds. On a quiet machine the first is a tenth of this.
P99_OF_PIECE, P99_OF_OTHERS, LAST_OF_WAITS = 50, 20, 500
# Bytes by which memory may grow while streams are open, and those for each stream: the journal keeps the times of 100 pieces.
GROWTH, TIMES, TIMES_KEPT = 512 << 10, 800, 100
# Requests that fill the journal, so that it doesn't grow while memory is measured.
FILLING = 10_000


def provision(pieces, every, waits):
    return f"""
fn registerRules() {{
    app.get("/ping", || "pong");
    app.get("/tokens", || stream(|n| if n < {pieces} {{ `${{n}} ${{time.time_ns()}}` }}, #{{ every: {every} }}));
{waits}}}
"""


WAITS = """    app.get("/wait", || wait_for("key", 60.0, |value| value));
    app.post("/set", || { store["key"] = "found"; "set" });
"""


class Stream:
    """An answer in chunks: the time of its request, and for each piece its number, the time of its making and that of its arrival."""

    def __init__(self, arrivals):
        self.asked, self.got, self.pieces, self.ended = None, b"", [], False
        self.client = arrivals.connection(self.took)

    def ask(self):
        self.asked = time.time()
        self.client.sendall(request("/tokens"))

    def took(self, data, at):
        if not data or self.ended:
            raise RuntimeError(f"after {len(self.pieces)} pieces the connection ended, or had more than its stream: {data!r}")
        data = self.got + data
        if data.startswith(b"HTTP/"):
            head, end, data = data.partition(b"\r\n\r\n")
            if not end or not head.startswith(b"HTTP/1.1 200 ") or b"\r\ntransfer-encoding: chunked" not in head.lower():
                raise RuntimeError(f"not a stream: {head!r}")
        while data and not self.ended:
            length, line, rest = data.partition(b"\r\n")
            if not line or len(rest) < int(length, 16) + 2:
                break
            piece, data = rest[:int(length, 16)], rest[int(length, 16) + 2:]
            if piece:
                number, made = piece.split()
                self.pieces.append((int(number), int(made) / 1e9, at))
            self.ended = not piece
        self.got = data


class Others:
    """Plain requests at fixed times, and the milliseconds until their answers."""

    def __init__(self, arrivals):
        self.arrivals, self.clients, self.sent, self.times = arrivals, [], {}, []
        self.free = [self.connect() for _ in range(CONNECTIONS)]

    def connect(self):
        number = len(self.clients)
        self.clients.append(self.arrivals.connection(functools.partial(self.took, number)))
        return number

    def ask(self):
        number = self.free.pop(0) if self.free else self.connect()
        self.sent[number] = time.time()
        self.clients[number].sendall(request("/ping"))

    def took(self, number, data, at):
        if not data.startswith(b"HTTP/1.1 200 ") or not data.endswith(b"\r\n\r\npong"):
            raise RuntimeError(f"not the answer: {data!r}")
        self.times.append((at - self.sent.pop(number)) * 1000)
        self.free.append(number)

    def actions(self, begin, seconds):
        return [(begin + count / RATE, self.ask) for count in range(int(seconds * RATE))]

    def measured(self):
        """The times since the last call, in order of size."""
        times, self.times = sorted(self.times), []
        return times

    def measure_alone(self, seconds):
        self.arrivals.run(self.actions(time.time() + 0.1, seconds), lambda: not self.sent)
        return self.measured()


class Streamed(NamedTuple):
    """Results of the streams. Times are milliseconds in order of size, memory is bytes of PSS."""

    first: list
    came: list
    made: list
    before: list
    meanwhile: list
    memory: list
    threads: list
    cpu: float


class Waited(NamedTuple):
    """Results of the long polls, as of the streams."""

    came: list
    setting: float
    meanwhile: list
    memory: list
    threads: list


def fill_journal(port):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
        for _ in range(FILLING // 100):
            one.sendall(request("/ping") * 100)
            got = b""
            while got.count(b"\r\n\r\npong") < 100:
                got += one.recv(1 << 20)


def measure_streams(mock, arrivals, others, options):
    streams = [Stream(arrivals) for _ in range(options.streams)]
    before = others.measure_alone(BEFORE)
    mock.settle()
    memory, threads, cpu = [mock.proportional()], [mock.threads()], mock.cpu()

    def look():
        memory.append(mock.proportional())
        threads.append(mock.threads())

    # All streams are open from `begin` on, and the first ends after `lasting` seconds.
    begin, lasting = time.time() + 0.1 + options.every, options.every * (options.pieces - 1)
    opening = [(begin - options.every * (1 - number / len(streams)), one.ask) for number, one in enumerate(streams)]
    looking = [(begin + lasting * share, look) for share in (0.1, 0.5, 0.95)]
    actions = sorted(opening + looking + others.actions(begin, lasting), key=lambda action: action[0])
    arrivals.run(actions, lambda: not others.sent and all(one.ended for one in streams))
    cpu = (mock.cpu() - cpu) / 1000 / options.pieces / len(streams)
    for one in streams:
        if (numbers := [number for number, _, _ in one.pieces]) != list(range(options.pieces)):
            raise RuntimeError(f"pieces are missing or not in order: {numbers}")
    first = sorted((one.pieces[0][2] - one.asked) * 1000 for one in streams)
    made = lateness([[at for _, at, _ in one.pieces] for one in streams], options.every)
    came = lateness([[at for _, _, at in one.pieces] for one in streams], options.every)
    return [one.client for one in streams], Streamed(first, came, made, before, others.measured(), memory, threads, cpu)


def lateness(streams, every):
    """Milliseconds by which pieces are later than due after the first of their stream, in order of size."""
    return sorted((at - times[0] - number * every) * 1000 for times in streams for number, at in enumerate(times) if number)


def measure_waits(mock, arrivals, others, clients):
    came, set_at = [], []

    def took(data, at):
        if not set_at or not data.endswith(b"\r\n\r\nfound"):
            raise RuntimeError(f"not the answer, or too early: {data!r}")
        came.append(at)

    def set_key():
        set_at.append(time.time())
        with socket.create_connection(("127.0.0.1", mock.port), timeout=20) as one:
            one.sendall(b"POST /set HTTP/1.1\r\nHost: mock\r\nContent-Length: 0\r\n\r\n")
            one.recv(4096)
        set_at.append(time.time())

    mock.settle()
    memory, threads = [mock.proportional()], [mock.threads()]
    for one in clients:
        arrivals.hand_over(one, took)
        one.sendall(request("/wait"))
    wait_until_held(mock, len(clients))
    mock.settle()
    memory.append(mock.proportional())
    threads.append(mock.threads())
    meanwhile = others.measure_alone(1)
    arrivals.run([(time.time(), set_key)], lambda: len(came) == len(clients))
    return Waited(sorted((at - set_at[0]) * 1000 for at in came), (set_at[1] - set_at[0]) * 1000, meanwhile, memory, threads)


def wait_until_held(mock, count):
    end = time.monotonic() + 20
    while (held := metric(mock, "h1mock_waits_open")) != count:
        if time.monotonic() > end:
            raise RuntimeError(f"{held} of {count} requests wait for the key")
        time.sleep(0.02)


def metric(mock, name):
    connection = http.client.HTTPConnection("127.0.0.1", mock.admin, timeout=20)
    connection.request("GET", "/metrics")
    found = re.search(rf"^{name} (\d+)$", connection.getresponse().read().decode(), re.M)
    connection.close()
    return found and int(found.group(1))


def measure(binary, options):
    gc.disable()
    with Mock(binary, provision(options.pieces, options.every, "" if options.without_waits else WAITS), path="/ping") as mock, Arrivals(mock.port) as arrivals:
        fill_journal(mock.port)
        others = Others(arrivals)
        clients, streamed = measure_streams(mock, arrivals, others, options)
        waited = None if options.without_waits else measure_waits(mock, arrivals, others, clients)
        return streamed, waited, sorted(each * 1000 for each in arrivals.read_late)


def show(streamed, waited, read_late, options):
    def row(name, times):
        return [name, f"{len(times):,}", *(f"{each:.2f}" for each in (times[0], *(percentile(times, at) for at in (50, 99)), times[-1]))]

    def kib(memory):
        return ", ".join(f"{each // 1024:,}" for each in memory)

    rows = [
        row("first piece after its request", streamed.first),
        row("piece later than due", streamed.came),
        row("the same, when it was made", streamed.made),
        row("other requests before", streamed.before),
        row("other requests beside streams", streamed.meanwhile),
    ]
    if waited:
        rows += [row("other requests beside waits", waited.meanwhile), row("waits after the key was set", waited.came)]
    print_table(["ms", "number", "least", "p50", "p99", "greatest"], [*rows, row("this client's reading after arrival", read_late)])
    rows = [
        ["PSS before, with all streams open, in the middle, near the end, KiB", kib(streamed.memory)],
        ["bytes for each stream", f"{(streamed.memory[1] - streamed.memory[0]) // options.streams:,}"],
        ["threads before and beside streams", ", ".join(map(str, streamed.threads))],
        ["CPU us of the server for each piece", f"{streamed.cpu:.1f}"],
    ]
    if waited:
        rows += [
            ["PSS before and beside waits, KiB", kib(waited.memory)],
            ["bytes for each wait", f"{(waited.memory[1] - waited.memory[0]) // len(waited.came):,}"],
            ["threads before and beside waits", ", ".join(map(str, waited.threads))],
            ["ms that the request took which set the key", f"{waited.setting:.2f}"],
        ]
    print_table(["figure", "value"], rows)


def missed(streamed, waited, options):
    """The missed bounds, in words."""
    growth = GROWTH + options.streams * TIMES * min(options.pieces, TIMES_KEPT) // TIMES_KEPT
    bounds = [
        ("p99 of pieces, ms", max(percentile(streamed.came, 99), percentile(streamed.first, 99)), P99_OF_PIECE),
        ("p99 of other requests beside streams, ms", percentile(streamed.meanwhile, 99), P99_OF_OTHERS),
        ("growth of PSS while streams are open, bytes", streamed.memory[-1] - streamed.memory[1], growth),
        ("more threads beside streams", max(streamed.threads) - streamed.threads[0], 0),
    ]
    if waited:
        bounds += [
            ("p99 of other requests beside waits, ms", percentile(waited.meanwhile, 99), P99_OF_OTHERS),
            ("last answer after the key was set, ms", waited.came[-1], LAST_OF_WAITS),
            ("more threads beside waits", max(waited.threads) - waited.threads[0], 0),
        ]
    return [f"{name}: {value:,.2f}, over {bound:,}" for name, value, bound in bounds if value > bound]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default="target/release/h1mock")
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--every", type=float, default=0.2, help="seconds between two pieces of a stream")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--without-waits", action="store_true", help="leave the long polls out")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a bound is missed")
    parser.add_argument("--page", action="store_true", help=f"write into {page.PAGE}")
    options = parser.parse_args()
    options.pieces = round(options.seconds / options.every)
    stop_on_signal()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < options.streams + 600:
        sys.exit(f"{options.streams} connections need as many descriptors; `ulimit -Hn` is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    over = []
    for _ in range(3 if options.check else 1):
        streamed, waited, read_late = measure(str(pathlib.Path(options.binary).resolve()), options)
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            print(f"`{page.command('streams.py')}`: {options.streams:,} streams, {options.streams / options.every:,.0f} pieces/s "
                  f"for {options.seconds:g} s.\n")
            show(streamed, waited, read_late, options)
        print(text.getvalue())
        over = missed(streamed, waited, options)
        if not over:
            break
        print("\n".join(over) + "\n")
    if options.page:
        page.write("streams.py", text.getvalue())
    return 1 if over and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
