#!/usr/bin/env python3
"""Measures how exact delays are, and how many answers can wait at once.

    ct/bench/delays.py [BINARY] [--rate 1000] [--seconds 10] [--delay 100] [--held 10000] [--by delay,sleep,chaos]

Requests are sent at fixed times, independent of the answers, each on its own connection from a pool. A time begins when the
kernel takes the request and ends when its answer is read. The exit status is 1 if a goal is missed.
"""

import argparse
import http.client
import json
import pathlib
import resource
import socket
import sys
import time

from openloop import Pool, open_loop, percentile, request
from subject import Mock, stop_on_signal
from table import print_table

GOAL_P99_MS = 5.0
TARGETS = {"delay": "/delay", "sleep": "/sleep", "chaos": "/plain"}


def provision(delay, by):
    # Builds without chaos can be measured too.
    by_response = f'app.get("/delay", || make_response("late").delay({delay}));' if "delay" in by else ""
    return f"""
fn registerRules() {{
    app.get("/ping", || "pong");
    app.get("/plain", || "late");
    {by_response}
    app.get("/sleep", || {{ time.sleep({delay / 1000}); "late" }});
    app.get("/held", || {{ time.sleep(request.args.get("ms", 0, "int") / 1000.0); "held" }});
}}
"""


def held(subject, count, ms):
    """Lets `count` answers wait at once, and sends other requests meanwhile. Returns figures by name."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < count + 100:
        raise RuntimeError(f"{count} connections need as many descriptors; `ulimit -Hn` is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pool, line, sent = Pool(subject.port), request(f"/held?ms={ms}"), {}
    clients = [pool.connection() for _ in range(count)]
    subject.settle()
    before, threads = subject.resident(), subject.threads()
    began = time.monotonic()
    for one in clients:
        sent[one.fileno()] = time.monotonic()
        one.sendall(line)
    asked = time.monotonic() - began
    others = []
    with socket.create_connection(("127.0.0.1", subject.port), timeout=20) as other:
        for _ in range(200):
            since = time.monotonic()
            other.sendall(request("/ping"))
            other.recv(4096)
            others.append((time.monotonic() - since) * 1000)
    meanwhile, growth = subject.threads(), subject.resident() - before
    early = sum(1 for _ in pool.poll.poll(0, count + 1))
    late = []
    while len(late) < count:
        ready = pool.poll.poll(20, count + 1)
        if not ready:
            raise RuntimeError(f"{count - len(late)} answers of {count} did not come")
        for number, _ in ready:
            answer = pool.opened[number].recv(4096)
            if not answer.endswith(b"\r\n\r\nheld"):
                raise RuntimeError(f"not the answer: {answer[:200]!r}")
            late.append((time.monotonic() - sent[number]) * 1000 - ms)
    pool.close()
    return {
        "answers that waited at once": f"{count - early:,}",
        "seconds to ask for them": f"{asked:.2f}",
        "threads before, meanwhile": f"{threads}, {meanwhile}",
        "growth of RSS, bytes for each": f"{growth // count:,}",
        "others meanwhile, p50 and p99 ms": f"{percentile(sorted(others), 50):.2f}, {percentile(sorted(others), 99):.2f}",
        "ms later than asked, least, p50, p99 and greatest": ", ".join(
            f"{each:.2f}" for each in (min(late), percentile(sorted(late), 50), percentile(sorted(late), 99), max(late))),
    }


def set_chaos(port, entry):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("PUT", "/app/v1/chaos", json.dumps(entry))
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"chaos was not set: {answer.read()!r}")
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", nargs="?", default="target/release/h1mock")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--delay", type=int, default=100, help="milliseconds")
    parser.add_argument("--held", type=int, default=10_000, help="answers that wait at once; 0 leaves this out")
    parser.add_argument("--by", default="delay,sleep,chaos", help="how the delay is asked for")
    arguments = parser.parse_args()
    stop_on_signal()
    print(f"{arguments.rate}/s for {arguments.seconds:g} s, delay {arguments.delay} ms, {arguments.binary}\n")
    rows, met = [], True
    with Mock(str(pathlib.Path(arguments.binary).resolve()), provision(arguments.delay, arguments.by), path="/ping") as subject:
        for by in filter(None, arguments.by.split(",")):
            if by == "chaos":
                set_chaos(subject.admin, {"rule": "/plain", "delay": arguments.delay})
            before = subject.cpu()
            took, late = open_loop(subject.port, TARGETS[by], arguments.rate, arguments.seconds)
            cpu = (subject.cpu() - before) / 1000 / len(took)
            over = [each - arguments.delay for each in took]
            p99 = percentile(over, 99)
            met &= 0 <= over[0] and p99 <= GOAL_P99_MS
            rows.append([by, *(f"{each:.2f}" for each in (over[0], percentile(over, 50), percentile(over, 90), p99, over[-1])),
                         f"{late:.2f}", f"{cpu:.0f}"])
        print_table(["by", "least", "p50", "p90", "p99", "greatest", "sending late at most", "CPU us each"], rows)
        print("\nMilliseconds later than asked for.\n")
        if arguments.held:
            print_table(["held", "figure"], list(held(subject, arguments.held, 15_000).items()))
    print(f"\np99 within {GOAL_P99_MS:g} ms, none early: {'met' if met else 'NOT met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
