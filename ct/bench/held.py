"""Opens many idle keep-alive connections to a subject: measures its threads and memory, and checks that it still serves."""

import contextlib
import resource
import statistics
import time
from typing import NamedTuple

import load
from table import milliseconds, print_table

# Client addresses, used in turn: one address would run out of ports after several runs.
SOURCES = [f"127.0.0.{number}" for number in range(2, 12)]
NEW = 200
FAULTS = 20
OPEN_DEADLINE = 60
GROWTH_GOAL = 64 << 20


class State(NamedTuple):
    threads: int
    resident: int
    descriptors: int


class Found(NamedTuple):
    """The results of one subject."""

    states: dict
    new: dict
    opened: int
    cpu: float
    again: int
    faults: list
    seconds: float


def raise_descriptors(connections):
    """Raises the script's own limit of open files: each connection needs one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < connections + 100:
        raise RuntimeError(f"{connections} connections need as many descriptors; `ulimit -Hn` is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def state(subject):
    subject.settle()
    return State(subject.threads(), subject.resident(), subject.descriptors())


def open_all(subject, connections, stack):
    """Opens connections one after another, and sends a request on each. Stops after some faults or at the deadline."""
    opened, faults, end = [], [], time.monotonic() + OPEN_DEADLINE
    for number in range(connections):
        if len(faults) == FAULTS or time.monotonic() > end:
            break
        try:
            connection = stack.enter_context(load.Connection(subject, SOURCES[number % len(SOURCES)], timeout=1))
            connection.ask()
            opened.append(connection)
        except OSError as error:
            faults.append(f"opening: {error}")
    return opened, faults


def new_latency(subject):
    """Seconds from connect to the answer on new connections, one after another. A lost connection counts as infinite."""
    times = []
    for _ in range(NEW):
        began = time.perf_counter()
        try:
            with load.Connection(subject, timeout=1) as connection:
                connection.ask()
            times.append(time.perf_counter() - began)
        except OSError:
            times.append(float("inf"))
            if times.count(float("inf")) == FAULTS:
                break
    return times


def ask_again(opened):
    """The number of idle connections that still get an answer, and the faults of the others."""
    answered, faults = 0, []
    for number, connection in enumerate(opened, 1):
        try:
            connection.ask()
            answered += 1
        except OSError as error:
            faults.append(f"connection {number} asked again: {error}")
            if len(faults) == FAULTS:
                break
    return answered, faults


def hold(subject, connections, rest):
    began = time.monotonic()
    new = {"before": new_latency(subject)}
    states = {"before": state(subject)}
    with contextlib.ExitStack() as stack:
        opened, faults = open_all(subject, connections, stack)
        states["idle"] = state(subject)
        before = subject.cpu()
        time.sleep(rest)
        cpu = (subject.cpu() - before) / 1e6 / rest
        new["idle"] = new_latency(subject)
        again, lost = ask_again(opened)
        states["asked again"] = state(subject)
    states["closed"] = state(subject)
    return Found(states, new, len(opened), cpu, again, faults + lost, time.monotonic() - began)


def print_found(found, connections):
    rows = [[name, when, f"{each.threads:,}", f"{each.resident / 1024:,.0f}", f"{each.descriptors:,}"]
            for name, one in found.items() for when, each in one.states.items()]
    print_table(["subject", "when", "threads", "RSS KiB", "descriptors"], rows)
    rows = [[name, when, *(milliseconds(figure) for figure in (statistics.median(times), sorted(times)[len(times) * 99 // 100]))]
            for name, one in found.items() for when, times in one.new.items()]
    print_table(["subject", "new connection to answer", "median ms", "p99 ms"], rows)
    rows = [[name, f"{one.opened:,}", f"{one.again:,}", f"{one.cpu:.2f}", f"{one.seconds:.0f}"] for name, one in found.items()]
    print_table(["subject", "held", "answered again", "CPU ms per idle second", "seconds in all"], rows)
    for name, one in found.items():
        for fault in one.faults:
            print(f"- {name}, {fault}")
    print("\n### Goals\n")
    rows = [row for name, one in found.items() for row in goals(name, one, connections)]
    print_table(["subject", "what", "measured", "goal", "met"], rows)


def goals(name, one, connections):
    def row(what, measured, goal, met):
        return [name, what, measured, goal, "met" if met else "NOT met"]

    before, idle = one.states["before"], one.states["idle"]
    threads, growth = idle.threads - before.threads, idle.resident - before.resident
    lost = sum(time == float("inf") for time in one.new["idle"])
    yield row("connections held", f"{one.opened:,}", f"{connections:,}", one.opened == connections)
    yield row("of these answered again", f"{one.again:,}", f"{connections:,}", one.again == connections)
    yield row("new connections lost", lost, 0, not lost)
    yield row("growth of threads", f"{threads:,}", 0, threads == 0)
    yield row("growth of RSS", f"{growth / (1 << 20):.1f} MiB", "< 64 MiB", growth < GROWTH_GOAL)
