"""Counts system calls per keep-alive request with strace."""

import contextlib
import pathlib
import re
import signal
import subprocess
import time

import load
from table import print_table

DEADLINE = 20
# Rarer calls come from attaching strace, from the clock, or from the last answer.
LEAST = 0.005


@contextlib.contextmanager
def strace(subject, report):
    """Runs strace on every thread of the subject. Its summary is in `report` at the end."""
    command = ["strace", "-f", "-c", "-U", "calls,errors,name", "-o", str(report)]
    for pid in subject.pids():
        command += ["-p", str(pid)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_attached(subject, process)
        yield
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(DEADLINE)
        process.stderr.close()


def wait_attached(subject, process):
    """Waits until each thread has this tracer."""
    end = time.monotonic() + DEADLINE
    while True:
        tracers = {re.search(r"TracerPid:\s+(\d+)", status.read_text()).group(1)
                   for pid in subject.pids() for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status")}
        if tracers == {str(process.pid)}:
            return
        if process.poll() is not None:
            raise RuntimeError(f"strace: {process.stderr.read().strip()}")
        if time.monotonic() > end:
            raise RuntimeError(f"strace: not attached to {subject.name} after {DEADLINE} s")
        time.sleep(0.01)


def count(subject, connections, times):
    """Calls and failed calls by name, for each of `connections` x `times` requests. Excludes the opening of connections."""
    report = subject.folder / "strace"
    with contextlib.ExitStack() as stack:
        opened = open_served(subject, connections, stack)
        subject.settle()
        with strace(subject, report):
            load.ask_all(opened, times)
    requests = connections * times
    return {name: (calls / requests, errors / requests) for name, calls, errors in read_report(report.read_text())}


def open_served(subject, connections, stack):
    """Opens connections and gets one answer on each. The published crate does not answer on some, which are replaced."""
    opened, unserved = [], 0
    while len(opened) < connections:
        connection = stack.enter_context(load.Connection(subject, timeout=1))
        try:
            connection.ask()
            opened.append(connection)
        except TimeoutError:
            connection.close()
            unserved += 1
            if unserved > connections:
                raise RuntimeError(f"{subject.name}: leaves connections without an answer") from None
    return opened


def read_report(text):
    """Name, calls and errors of each line. The column of errors is empty if there were none."""
    for line in text.splitlines():
        if found := re.fullmatch(r"\s*(\d+)\s+(?:(\d+)\s+)?([a-z_]\w*)", line):
            calls, errors, name = found.groups()
            if name != "total":
                yield name, int(calls), int(errors or 0)


def print_counts(connections, counted):
    def cell(calls, errors):
        if calls < LEAST:
            return ""
        return f"{calls:.2f}" + (f" ({errors:.2f} failed)" if errors >= LEAST else "")

    names = sorted({name for calls in counted.values() for name, (each, _) in calls.items() if each >= LEAST})
    rows = [[name, *(cell(*calls.get(name, (0, 0))) for calls in counted.values())] for name in names]
    rows.append(["all", *(f"{sum(each for each, _ in calls.values()):.2f}" for calls in counted.values())])
    print(f"### {connections} connection{'s' * (connections > 1)}\n")
    print_table(["call", *counted], rows)
