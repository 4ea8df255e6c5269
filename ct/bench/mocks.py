#!/usr/bin/env python3
"""Compares h1mock with nginx and other mock servers: nine workloads on 127.0.0.1, starts, memory, new rules, sizes.

    ct/bench/mocks.py [--subjects nginx,h1mock,...] [--workloads W1,W2,...] [--rounds 3] [--seconds 1] [--quick] [--out FILE]

Prints markdown. ct/bench/README.md explains the figures; ct/bench/peers installs the other servers.
"""

import argparse
import contextlib
import io
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys

import lifetime
import page
import report
from crate_peers import Apate, Httpmock, Rift
from npm_peers import Mockoon, Mountebank, Wiremock
from load import measure
from openloop import open_loop
from peer import H1mock, Nginx, Other, Peer
from python_peers import Flask
from subject import make_folder, stop_on_signal
from workload import DELAY_MS, WORKLOADS

KINDS = {kind.title: kind for kind in (Nginx, H1mock, Flask, Wiremock, Mountebank, Mockoon, Httpmock, Apate, Rift)}
WARMING = 32
# Seconds in which a slow server may finish the requests that wrk left unanswered.
REST = 30
RATE = 1_000


class Field(contextlib.ExitStack):
    """Runs all servers, each with its configuration, until the end."""

    def __init__(self, kinds):
        super().__init__()
        self.kinds, self.running, self.faults = kinds, {}, {}
        self.scripts = make_folder()
        self.callback(shutil.rmtree, self.scripts, ignore_errors=True)

    def takes(self, workload):
        return [kind for kind in self.kinds if workload.name not in kind.lacks]

    def start(self, workload):
        """The servers of a workload. Each must send the right answer."""
        if source := workload.script():
            (self.scripts / workload.name).write_text(source)
        for kind in self.takes(workload):
            if place(kind, workload) not in self.running:
                subject = self.enter_context(kind(workload.others, entries=workload.entries))
                subject.await_answer()
                self.running[place(kind, workload)] = subject
            workload.check(self.subject(kind, workload))

    def subject(self, kind, workload):
        return self.running[place(kind, workload)]

    def load(self, kind, workload, connections, seconds):
        """Runs wrk. Records a failure of the server and returns None then."""
        script = self.scripts / workload.name
        with self.noting(kind, workload, f"{connections} connections"):
            return measure(self.subject(kind, workload), connections, seconds, workload.path,
                           str(script) if script.exists() else None, REST)

    def pace(self, kind, workload, seconds):
        """Sorted milliseconds of lateness, CPU us for each request, and the largest delay of the sender."""
        subject = self.subject(kind, workload)
        with self.noting(kind, workload, f"{RATE} requests/s"):
            before = subject.cpu()
            took, late = open_loop(subject.port, workload.path, RATE, seconds)
            subject.settle(REST)
            return report.Paced([each - DELAY_MS for each in took], (subject.cpu() - before) / 1000 / len(took), late)

    @contextlib.contextmanager
    def noting(self, kind, workload, how):
        try:
            yield
        except (RuntimeError, OSError, subprocess.SubprocessError) as fault:
            if kind in (H1mock, Nginx):
                raise
            text = " ".join(str(fault).split())[:120]
            self.faults.setdefault(f"{kind.title}, {workload.name}, {how}: {text}", 0)
            self.faults[f"{kind.title}, {workload.name}, {how}: {text}"] += 1


def place(kind, workload):
    """A key of the configuration: workloads with the same configuration share a server."""
    return kind.title, workload.others, workload.entries


def turned(kinds, turn):
    """Rotates the servers, so that in each round another one is first and none always follows the same one in the CPU caches."""
    turn %= len(kinds)
    return kinds[turn:] + kinds[:turn]


def compare(options, kinds):
    """Runs all workloads in rounds. Returns runs by workload, connections and name; paced runs; failures."""
    runs, paced = {}, {}
    closed = [workload for workload in options.workloads if workload.name != "W5"]
    with Field(kinds) as field:
        for workload in options.workloads:
            field.start(workload)
        for workload in closed:
            for kind in field.takes(workload):
                field.load(kind, workload, WARMING, options.warm)
        for turn in range(options.rounds):
            for workload in closed:
                for count in (count for count in options.connections if count <= workload.most):
                    for kind in turned(field.takes(workload), turn):
                        runs.setdefault((workload.name, count, kind.title), []).append(
                            field.load(kind, workload, count, options.seconds))
            for workload in (workload for workload in options.workloads if workload.name == "W5"):
                for kind in turned(field.takes(workload), turn):
                    paced.setdefault(kind.title, []).append(field.pace(kind, workload, options.paced))
        return report.Compared(runs, paced, field.faults)


def loaded(options, kinds):
    """PSS at rest after load, by name. Each server runs alone, since others of its kind would share its pages."""
    found = {kind.title: [] for kind in kinds}
    workloads = [workload for workload in options.workloads if not workload.others and not workload.entries and workload.name != "W5"]
    for _ in range(options.rounds):
        for kind in kinds:
            with Field([kind]) as field:
                for workload in workloads:
                    field.start(workload)
                for workload in filter(lambda workload: workload.name not in kind.lacks, workloads):
                    field.load(kind, workload, min(options.connections[-1], workload.most), options.seconds)
                found[kind.title] += [subject.proportional() for subject in field.running.values()]
    return found


def measured(options, kinds):
    found = report.Figures(options.workloads, options.connections, [kind.title for kind in kinds])
    found.lacks = {(kind.title, name): reason for kind in kinds for name, reason in kind.lacks.items()}
    if options.starts:
        found.starts, found.least = lifetime.starts(kinds, options.starts)
    found.compared = compare(options, kinds)
    found.memory = loaded(options, kinds)
    if options.reloads:
        found.reloads = lifetime.reloads(kinds, options.reloads)
    found.sizes = lifetime.sizes(kinds)
    return found


def version(tool, *arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout + done.stderr).split("\n")[0].strip()


def processor():
    names = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return names[0] if names else platform.machine()


def print_machine(options, kinds, skipped, before):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    print(f"`{page.command('mocks.py')}`: {options.rounds} rounds, {options.seconds} s for each run of wrk.\n")
    print(f"- machine: {os.cpu_count()} CPUs ({processor()}), {memory} GiB, Linux {platform.release()}; "
          f"load average {before:.2f} before, {os.getloadavg()[0]:.2f} after (subjects and wrk are part of it)")
    print(f"- versions: {', '.join(f'{kind.title} {kind.version()}' for kind in kinds)}; {version('wrk', '-v').split(' [')[0]}"
          + (f"; Python {platform.python_version()}" if Flask in kinds else "")
          + (f"; node {version('node', '--version')}" if {Mountebank, Mockoon} & set(kinds) else "")
          + (f"; {version('java', '-version')}" if Wiremock in kinds else ""))
    for name, reason in skipped.items():
        print(f"- not measured: {name}: {reason}")
    print()


def read_options():
    project = pathlib.Path(__file__).resolve().parents[2]
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def words(text):
        return text.split(",")

    line.add_argument("--h1mock", default=project / "target/musl/x86_64-unknown-linux-musl/release/h1mock",
                      help="the program; .ci/static-build makes it")
    line.add_argument("--subjects", type=words, default=list(KINDS), help=f"default: {','.join(KINDS)}")
    line.add_argument("--workloads", type=words, default=list(WORKLOADS), help=f"default: {','.join(WORKLOADS)}")
    line.add_argument("--connections", type=lambda text: [int(count) for count in text.split(",")], default=[1, 32, 256])
    line.add_argument("--rounds", type=int, default=3)
    line.add_argument("--seconds", type=int, default=1, help="of each run of wrk, default 1")
    line.add_argument("--warm", type=int, default=3, help="seconds of load before the rounds, for each server and workload; default 3")
    line.add_argument("--paced", type=float, default=5, help="seconds of each run of W5, default 5")
    line.add_argument("--starts", type=int, default=10, help="default 10; 0 leaves starts out")
    line.add_argument("--reloads", type=int, default=20, help="default 20; 0 leaves new rules out")
    line.add_argument("--quick", action="store_true", help="one short round with nginx and h1mock: whether the scripts work")
    line.add_argument("--out", help="a file for the markdown")
    line.add_argument("--page", action="store_true", help=f"write into {page.PAGE}")
    options = line.parse_args()
    if options.quick:
        options.subjects, options.workloads, options.connections = ["nginx", "h1mock"], ["W1", "W6", "W7", "W8", "W9"], [32]
        options.rounds = options.seconds = options.warm = 1
        options.starts, options.reloads = 2, 2
    for given, known in ((options.subjects, KINDS), (options.workloads, WORKLOADS)):
        if unknown := [name for name in given if name not in known]:
            line.error(f"unknown: {', '.join(unknown)}")
    options.workloads = [WORKLOADS[name] for name in options.workloads]
    if not os.path.isfile(options.h1mock):
        line.error(f"--h1mock: no such file: {options.h1mock}; .ci/static-build makes it")
    for tool in ("wrk", "ss"):
        if not shutil.which(tool):
            line.error(f"{tool} is needed: apt-get install wrk iproute2")
    H1mock.ships = [str(pathlib.Path(options.h1mock).resolve())]
    return options


def main():
    stop_on_signal()
    options = read_options()
    # Subjects inherit this limit, since nginx and Node don't raise theirs.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    chosen = [KINDS[name] for name in options.subjects]
    skipped = {kind.title: reason for kind in chosen if (reason := kind.missing())}
    kinds = [kind for kind in chosen if kind.title not in skipped]
    before = os.getloadavg()[0]
    try:
        with contextlib.ExitStack() as others:
            if any(workload.name == "W9" for workload in options.workloads):
                other = others.enter_context(Other())
                other.await_answer()
                Peer.upstream = other.port
            found = measured(options, kinds)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"mocks.py: {error}")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_machine(options, kinds, skipped, before)
        report.print_figures(found)
    if options.page:
        page.write("mocks.py", out.getvalue())
    if options.out:
        pathlib.Path(options.out).write_text(out.getvalue())
    if not options.page and not options.out:
        print(out.getvalue())


if __name__ == "__main__":
    main()
