#!/usr/bin/env python3
"""Counts h1mock's instructions for a request with valgrind. The count is the same on every run, even on a busy machine.

    ct/bench/instructions.py [BINARY] [--check | --write]

Instructions of the kernel are not counted. `--check` compares with instructions.json and fails beyond 5 %; `--write` writes that
file. The binary must have the feature `callgrind` (ct/bench/README.md).
"""

import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from peer import H1mock
from workload import WORD, WORKLOADS, HEADERS

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "instructions.json"
BINARY = HERE.parent.parent / "target/release/h1mock"
# Numbers of requests of the two runs for each workload. Their difference excludes start and stop.
RUNS = {"W1": (200, 1200), "W2": (200, 1200), "W3-1000": (200, 1200), "W4": (20, 120), "W6": (20, 70),
        "W7": (200, 3200), "W8": (200, 3200)}
BAND = 0.05
DEADLINE = 120


def compiler():
    """The version of the compiler, since another one generates other instructions."""
    return subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def request(workload):
    body = workload.body.encode()
    fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()) + f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{workload.method} {workload.path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{fields}\r\n".encode() + body


def answered(connection):
    """Reads one answer. Returns whether its status is 200."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = connection.readline()
        if not line:
            raise RuntimeError("the connection ended")
        head += line
    length = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
    connection.read(length)
    return head.startswith(b"HTTP/1.1 200 ")


def count(binary, workload, requests):
    """Instructions from start to stop of a server that answers so many requests on one connection."""
    with tempfile.TemporaryDirectory(prefix="h1mock-bench-") as folder:
        folder = pathlib.Path(folder)
        H1mock.write(folder, workload.others, WORD, workload.entries)
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, "serve", "--bind", "127.0.0.1",
                   "--traffic-port", "0", "--admin-port", "0", "--workers", "1", "--config-dir", "config",
                   # Under valgrind each instruction takes the time of fifty, so 1,000 rules exceed the default time.
                   "--load-time", "60s", "--script-timeout", "60s"]
        with open(folder / "log", "w+") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                line = process.stdout.readline()
                found = re.search(r"mock 127\.0\.0\.1:(\d+)", line)
                if not found:
                    log.seek(0)
                    raise RuntimeError(f"{binary} did not start under valgrind: {log.read()[-500:]}")
                with socket.create_connection(("127.0.0.1", int(found.group(1))), timeout=DEADLINE) as client:
                    stream = client.makefile("rb")
                    for _ in range(requests):
                        client.sendall(request(workload))
                        if not answered(stream):
                            raise RuntimeError(f"{workload.name}: the answer is no 200")
                process.terminate()
                process.wait(DEADLINE)
            finally:
                process.kill()
                process.wait(DEADLINE)
                process.stdout.close()
            log.seek(0)
            return int(re.search(r"Collected : (\d+)", log.read()).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=str(BINARY))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    # The path must be absolute, since each server runs in its own folder.
    binary, counts = str(pathlib.Path(options.binary).resolve()), {}
    for name, (few, many) in RUNS.items():
        workload = WORKLOADS[name]
        difference = count(binary, workload, many) - count(binary, workload, few)
        counts[name] = round(difference / (many - few))
    if options.write:
        BASELINE.write_text(json.dumps({"compiler": compiler(), "instructions": counts}, indent=2) + "\n")
    known = json.loads(BASELINE.read_text())
    judged = options.check and known["compiler"] == compiler()
    bad = False
    for name, instructions in counts.items():
        before = known["instructions"][name]
        change = instructions / before - 1
        bad |= judged and abs(change) > BAND
        print(f"{name}: {instructions:,} instructions a request, {change:+.1%} against {before:,}")
    if options.check and not judged:
        print(f"not judged: {compiler()} is here, the counts are of {known['compiler']}")
    if bad:
        sys.exit(f"more than {BAND:.0%} away: where that is meant, {pathlib.Path(__file__).name} --write")


main()
