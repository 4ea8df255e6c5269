#!/usr/bin/env python3
"""Compares the engine with nginx and the published tiny_http 0.12.0: all answer "hello" on 127.0.0.1.

    ct/bench/engine.py [compare] [syscalls] [idle] [size] [options]

Prints markdown. ct/bench/README.md explains what each command measures. All loops and processes have a time limit.
"""

import argparse
import contextlib
import os
import pathlib
import platform
import re
import resource
import shutil
import subprocess
import sys

import held
import load
import traced
from subject import Hello, Mock, Nginx, process_clock, process_ticks, stop_on_signal
from table import milliseconds, print_table, spread, verdict

VIEW = 'fn registerRules() { app.get("/hello", hello); }\nfn hello() { "hello" }\n'
WORKERS = 4
NGINX, NGINX_2, PUBLISHED, HELLO, H1MOCK = "nginx", "nginx-2", "published", "hello", "h1mock"
SUBJECTS = [NGINX, NGINX_2, PUBLISHED, HELLO, H1MOCK]
# Goals: most CPU time of a request, as a multiple of nginx's.
CPU_GOALS = {HELLO: 1.1, H1MOCK: 1.3}
GROWTH_GOAL = 150_000


def start(name, options):
    return {
        NGINX: lambda: Nginx(name=name),
        NGINX_2: lambda: Nginx(workers=2, name=name),
        PUBLISHED: lambda: Hello(options.published, name),
        HELLO: lambda: Hello(options.hello, name),
        H1MOCK: lambda: Mock(options.h1mock, VIEW, "--workers", str(WORKERS), name=name, path="/hello"),
    }[name]()


def print_answers(subjects):
    """Checks that each subject sends "hello", since different answers can't be compared. Returns the answers."""
    rows = []
    for subject in subjects:
        with load.Connection(subject) as connection:
            answer = connection.ask()
        if (answer.status, answer.body) != (200, b"hello"):
            raise RuntimeError(f"{subject.name}: answers {answer.status} {answer.body!r}")
        names = [line.split(":")[0] for line in answer.head.splitlines()[1:]]
        rows.append([subject.name, len(answer.head) + 4 + len(answer.body), ", ".join(names)])
    print("Answers:\n")
    print_table(["subject", "bytes", "headers"], rows)


def compare(options):
    """Runs wrk on all subjects in turn, for several rounds and each number of connections."""
    print("## CPU, throughput and latency\n")
    with contextlib.ExitStack() as stack:
        subjects = [stack.enter_context(start(name, options)) for name in options.subjects]
        print_answers(subjects)
        runs = {(subject.name, count): [] for subject in subjects for count in options.connections}
        clocks = {clock: [sum(subject.cpu(clock) for subject in subjects)] for clock in (process_clock, process_ticks)}
        print(f"Load average before: {os.getloadavg()[0]:.2f}")
        for round in range(options.rounds):
            # Each round begins with another subject, so that none always follows the same one in the CPU caches.
            turn = round % len(subjects)
            for count in options.connections:
                for subject in subjects[turn:] + subjects[:turn]:
                    runs[subject.name, count].append(load.measure(subject, count, options.seconds))
        print(f"Load average after: {os.getloadavg()[0]:.2f} (one subject and wrk are part of it)\n")
        for clock, total in clocks.items():
            total.append(sum(subject.cpu(clock) for subject in subjects))
    exact, ticks = ((after - before) / 1e9 for before, after in clocks.values())
    print(f"CPU time is that of the process clocks (clock_getcpuclockid, nanoseconds, all threads, ended ones too): {exact:.2f} s "
          f"in all; utime + stime of /proc/PID/stat say {ticks:.2f} s. {options.rounds} rounds of {options.seconds} s for each "
          "figure: median (min-max). Ratios are taken within a round.\n")
    for count in options.connections:
        print_runs(count, {subject.name: runs[subject.name, count] for subject in subjects})
    print_goals(options, runs)


def ratios(values, bases):
    return [value / base for value, base in zip(values, bases)]


def cpu_ratios(runs, nginx):
    return ratios([run.cpu for run in runs], [run.cpu for run in nginx])


def print_runs(count, runs):
    print(f"### {count} connection{'s' * (count > 1)}\n")
    rows = []
    for name, measured in runs.items():
        nginx = runs.get(NGINX)
        rows.append([
            "nginx, 2 workers (information)" if name == NGINX_2 else name,
            spread([run.cpu for run in measured]),
            spread(cpu_ratios(measured, nginx), "{:.2f}") if nginx else "",
            spread([run.run.rate for run in measured], "{:,.0f}"),
            spread([run.run.p50 for run in measured], milliseconds),
            spread([run.run.p99 for run in measured], milliseconds),
            sum(run.run.errors for run in measured),
            max(run.run.unserved for run in measured),
        ])
    print_table(["subject", "CPU us/request", "x nginx", "requests/s", "p50 ms", "p99 ms", "errors", "unserved"], rows)


def print_goals(options, runs):
    """Judges each goal at each number of connections by the median of the rounds' ratios."""
    rows = []
    for count in options.connections:
        for name in filter(CPU_GOALS.get, options.subjects):
            if nginx := runs.get((NGINX, count)):
                rows.append([count, f"CPU of {name} / nginx", *verdict(cpu_ratios(runs[name, count], nginx), CPU_GOALS[name]), ""])
            if published := runs.get((PUBLISHED, count)):
                rows.append([count, f"p99 of {name} / published", *compare_p99(runs[name, count], published)])
            most = max(run.run.unserved for run in runs[name, count])
            rows.append([count, f"unserved connections of {name}", most, 0, "NOT met" if most else "met", ""])
    print("### Goals\n")
    print_table(["connections", "what", "measured", "goal", "met", "note"], rows)


def compare_p99(ours, published):
    """Drops rounds in which the published crate left connections without an answer: its p99 covers only the other connections, which
    had less competition. If that holds for all rounds, all are compared."""
    pairs = list(zip(ours, published))
    fair = [pair for pair in pairs if not pair[1].run.unserved]
    ratio = [our.run.p99 / their.run.p99 for our, their in fair or pairs]
    unfair = len(pairs) - len(fair)
    note = f"published left connections unserved in {unfair} of {len(pairs)} rounds" if unfair else ""
    return (*verdict(ratio, 1.0), note + ", all compared nevertheless" * (not fair))


def syscalls(options):
    """Counts the system calls of each subject for keep-alive requests with strace."""
    print("## System calls per request\n")
    for count in (1, 32):
        counted = {}
        for name in options.subjects:
            with start(name, options) as subject:
                counted[name] = traced.count(subject, count, max(options.requests // count, 1))
        traced.print_counts(count, counted)


def idle(options):
    """Opens many idle connections to each subject of this project."""
    held.raise_descriptors(options.held)
    print(f"## {options.held:,} idle keep-alive connections\n")
    found = {}
    for name in options.idle_subjects:
        with start(name, options) as subject:
            found[name] = held.hold(subject, options.held, options.rest)
    held.print_found(found, options.held)


def size(options):
    """Measures the size of the binaries, and the growth of h1mock against another build."""
    print("## Sizes\n")
    files = {H1MOCK: options.h1mock, HELLO: options.hello, PUBLISHED: options.published}
    if options.against:
        files["h1mock, against"] = options.against
    print_table(["binary", "bytes", "file"], [[name, f"{os.path.getsize(file):,}", file] for name, file in files.items()])
    if options.against:
        growth = os.path.getsize(options.h1mock) - os.path.getsize(options.against)
        print(f"h1mock grew by {growth:,} bytes; goal under {GROWTH_GOAL:,}: {'met' if growth < GROWTH_GOAL else 'NOT met'}\n")


COMMANDS = {"compare": compare, "syscalls": syscalls, "idle": idle, "size": size}
TOOLS = {"compare": ["wrk", "nginx", "ss"], "syscalls": ["strace", "nginx"], "idle": [], "size": []}


def read_options():
    project = pathlib.Path(__file__).resolve().parents[2]
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("commands", nargs="*", metavar="compare|syscalls|idle|size", help="default: compare")
    line.add_argument("--h1mock", default=project / "target/release/h1mock", help="the program")
    line.add_argument("--hello", default=project / "target/release/examples/hello", help="the example of crates/tiny_http")
    line.add_argument("--published", default=project / "ct/bench/published/target/release/published-hello",
                      help="the same example on tiny_http 0.12.0")
    line.add_argument("--against", help="size: another build of h1mock, from which the growth is counted")
    line.add_argument("--subjects", type=lambda text: text.split(","), default=SUBJECTS, help=f"default: {','.join(SUBJECTS)}")
    line.add_argument("--rounds", type=int, default=5, help="compare: default 5")
    line.add_argument("--seconds", type=int, default=3, help="compare: of each run of wrk, default 3")
    line.add_argument("--connections", type=lambda text: [int(count) for count in text.split(",")], default=[1, 32, 256, 1000],
                      help="compare: default 1,32,256,1000")
    line.add_argument("--requests", type=int, default=3200, help="syscalls: of each subject, default 3200")
    line.add_argument("--held", type=int, default=10_000, help="idle: connections, default 10000")
    line.add_argument("--rest", type=float, default=5, help="idle: seconds without a request, default 5")
    options = line.parse_args()
    options.commands = options.commands or ["compare"]
    for given, known in ((options.commands, COMMANDS), (options.subjects, SUBJECTS)):
        if unknown := [name for name in given if name not in known]:
            line.error(f"unknown: {', '.join(unknown)}")
    # A thread for each connection needs higher limits than most machines have, so the published crate is only tested on request.
    options.idle_subjects = [HELLO, H1MOCK] if options.subjects is SUBJECTS else options.subjects
    check_files(line, options)
    return options


def check_files(line, options):
    """Reports missing programs before the first measurement. Binaries that no command uses may be missing."""
    needed = {H1MOCK, HELLO, PUBLISHED} if "size" in options.commands else set(options.subjects)
    for name in sorted({H1MOCK, HELLO, PUBLISHED} & needed | {"against"}):
        if file := getattr(options, name):
            if not os.path.isfile(file):
                line.error(f"--{name}: no such file: {file}")
            setattr(options, name, str(pathlib.Path(file).resolve()))
    for tool in sorted({tool for command in options.commands for tool in TOOLS[command]}):
        if not shutil.which(tool):
            line.error(f"{tool} is needed: apt-get install wrk nginx-light strace iproute2")


def version(tool):
    """The version of nginx or wrk. They print it to standard error or output, and wrk exits with a failure."""
    if not shutil.which(tool):
        return "none"
    done = subprocess.run([tool, "-v"], capture_output=True, text=True, timeout=10, check=False)
    found = re.search(rf"{tool}[ /](?:version: )?(?:nginx/)?(\S+)", done.stdout + done.stderr)
    return found.group(1) if found else "unknown"


def main():
    stop_on_signal()
    options = read_options()
    # Subjects inherit this limit, since nginx and the published crate don't raise theirs.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    print(f"{os.cpu_count()} CPUs, Linux {platform.release()}, nginx {version('nginx')}, wrk {version('wrk')}; "
          f"{WORKERS} workers for all but nginx.\n")
    try:
        for name in options.commands:
            COMMANDS[name](options)
            sys.stdout.flush()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"engine.py: {error}")


if __name__ == "__main__":
    main()
