#!/usr/bin/env python3
"""Measures how h1mock's costs grow with rules, connections, bodies, workers and lines of a provision.

    ct/bench/growth.py [BINARY] [rules connections requests responses workers lines ...] [--rounds 3] [--seconds 2] [--page]

Prints markdown, or writes it and a picture into docs/performance.md and docs/performance.svg.
"""

import argparse
import contextlib
import http.client
import io
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import load
import page
from lifetime import MIB
from peer import H1mock
from picture import Panel, draw
from subject import Mock, stop_on_signal
from table import milliseconds, print_table, spread
from workload import WORKLOADS

PICTURE = "docs/performance.svg"
RULES = [1, 10, 100, 1_000, 10_000]
CONNECTIONS = [1, 10, 100, 1_000, 10_000]
REQUESTS = [1, 1 << 10, 1 << 16, 1 << 20, 8 << 20]
RESPONSES = [1, 1 << 10, 1 << 16, 1 << 20, 8 << 20, 64 << 20]
WORKERS = [1, 2, 4, 8, 16, 32]
LINES = [10, 100, 1_000, 10_000, 50_000]
USUAL, FEW = 32, 4
SAMPLING = 0.02


class Peak(threading.Thread):
    """Records the largest RSS of a subject while the block runs."""

    def __init__(self, subject):
        super().__init__(daemon=True)
        self.subject, self.bytes, self.over = subject, subject.resident(), threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(SAMPLING):
            with contextlib.suppress(OSError):
                self.bytes = max(self.bytes, self.subject.resident())


class Bench:
    """The program, the duration and number of rounds, and a folder for wrk's scripts."""

    def __init__(self, options, folder):
        self.binary, self.rounds, self.seconds, self.folder = options.binary, options.rounds, options.seconds, folder

    def mock(self, source, *arguments, path="/hello"):
        return Mock(self.binary, source, *arguments, path=path)

    def script(self, name, text):
        file = self.folder / name
        file.write_text(text)
        return str(file)

    def rounds_of(self, runs):
        """Runs the named calls in turn, round by round. Returns their results by name."""
        found = {name: [] for name in runs}
        for _ in range(self.rounds):
            for name, run in runs.items():
                found[name].append(run())
        return found


def figures(measured):
    """Table cells for runs of wrk."""
    return [spread([one.cpu for one in measured]), spread([one.run.rate for one in measured], "{:,.0f}"),
            spread([one.run.p50 for one in measured], milliseconds), spread([one.run.p99 for one in measured], milliseconds),
            sum(one.run.errors for one in measured)]


HEAD = ["CPU us/request", "requests/s", "p50 ms", "p99 ms", "errors"]


def middle(measured):
    return statistics.median(one.cpu for one in measured)


def post_until(mock, source, word):
    """Seconds from the POST to the first answer of the new provision."""
    began = time.perf_counter()
    admin = http.client.HTTPConnection("127.0.0.1", mock.admin, timeout=60)
    admin.request("POST", "/app/v1/provision/grown", source, {"Content-Type": "text/plain"})
    answer = admin.getresponse()
    text = answer.read()
    admin.close()
    if answer.status != 201:
        raise RuntimeError(f"h1mock: answers {answer.status} {text[:300]!r}")
    with load.Connection(mock) as connection:
        while word not in connection.ask().body.decode():
            if time.perf_counter() - began > 60:
                raise RuntimeError(f"h1mock: {word} does not serve after 60 s")
    return time.perf_counter() - began


def rules(bench):
    with contextlib.ExitStack() as stack:
        mocks = {count: stack.enter_context(bench.mock(H1mock.provision(count - 1, "hello"))) for count in RULES}
        idle = {count: mock.resident() for count, mock in mocks.items()}
        found = bench.rounds_of({count: lambda mock=mock: load.measure(mock, USUAL, bench.seconds) for count, mock in mocks.items()})
        posts = bench.rounds_of({count: lambda count=count: posted_rules(mocks[count], count) for count in RULES})
    print(f"### Rules\n\nThe last of so many rules answers `GET` with a small JSON, {USUAL} connections.\n")
    print_table(["rules", *HEAD, "POST to new behaviour, ms", "RSS, MiB"],
                [[f"{count:,}", *figures(found[count]), spread(posts[count], milliseconds), f"{idle[count] / MIB:.1f}"]
                 for count in RULES])
    return [Panel("CPU us/request by rules", "rules", [("", [(count, middle(found[count])) for count in RULES])])]


def posted_rules(mock, count):
    word = f"posted{time.monotonic_ns()}"
    return post_until(mock, H1mock.provision(count - 1, word), word)


def connections(bench):
    def run(mock, count):
        # The measured time includes the opening of wrk's connections.
        with Peak(mock) as peak:
            return load.measure(mock, count, bench.seconds + count // 2_000), peak

    with contextlib.ExitStack() as stack:
        mocks = {count: stack.enter_context(bench.mock(H1mock.provision(0, "hello"))) for count in CONNECTIONS}
        found = bench.rounds_of({count: lambda mock=mock, count=count: run(mock, count) for count, mock in mocks.items()})
    print("### Connections\n\nSo many keep-alive connections, each asking as soon as it is answered; a second more for every 2,000 of them.\n")
    rows = [[f"{count:,}", *figures([one for one, _ in found[count]]), spread([peak.bytes / MIB for _, peak in found[count]])]
            for count in CONNECTIONS]
    print_table(["connections", *HEAD, "largest RSS, MiB"], rows)
    return [Panel("CPU us/request by connections", "connections",
                  [("", [(count, middle([one for one, _ in found[count]])) for count in CONNECTIONS])])]


BODIES = """fn registerRules() {
    app.post("/take", || #{ accepted: true });
    app.get("/give/<name>", |name| send_file(name));
}
"""


def refusal(mock, method, path, body, length):
    """The reason why the answer is wrong, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", mock.port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/octet-stream"} if body else {})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status == 200 and (length is None or len(text) == length):
        return None
    return f"{answer.status}: {text[:160].decode(errors='replace').splitlines()[0]}"


def bodies(bench, sizes, ask, title, prose):
    """Measures each size on a new server, since a server keeps memory for a while. `ask` returns method, path, body and length."""
    def run(mock, size):
        method, path, body, _ = ask(size)
        script = bench.script(f"{method}-{size}", f'wrk.method = "POST"\nwrk.body = string.rep("x", {size})\n') if body else None
        with Peak(mock) as peak:
            return load.measure(mock, FEW, bench.seconds, path, script, 10), peak

    refused, found = {}, {}
    with contextlib.ExitStack() as stack:
        runs = {}
        for size in sizes:
            mock = stack.enter_context(bench.mock(BODIES))
            (mock.directory / "body.bin").write_bytes(b"x" * size)
            before = mock.resident()
            if reason := refusal(mock, *ask(size)):
                refused[size] = reason
            else:
                runs[size] = lambda mock=mock, size=size: run(mock, size)
                found[size] = before
        measured = bench.rounds_of(runs)
    print(f"### {title}\n\n{prose}, {FEW} connections.\n")
    rows = []
    for size in sizes:
        if size in refused:
            rows.append([named(size), *["-"] * 8])
            continue
        runs, peaks = [one for one, _ in measured[size]], [peak.bytes for _, peak in measured[size]]
        rows.append([named(size), *figures(runs), spread([one.run.rate * size / 1e6 for one in runs], "{:,.1f}"),
                     f"{found[size] / MIB:.1f}", spread([peak / MIB for peak in peaks])])
    print_table(["body", *HEAD, "MB/s", "RSS before, MiB", "largest RSS, MiB"], rows)
    for size, reason in refused.items():
        print(f"- {named(size)}: {reason}\n")
    return [(size, middle([one for one, _ in measured[size]])) for size in measured], \
        [(size, statistics.median(peak.bytes / MIB for _, peak in measured[size])) for size in measured]


def requests(bench):
    cpu, peak = bodies(bench, REQUESTS, lambda size: ("POST", "/take", b"x" * size, None), "Request bodies",
                       "`POST` of such a body up to `--max-body`, answered with a small JSON")
    return [Panel("By bytes of the request body", "bytes", [("CPU us", cpu), ("RSS MiB", peak)])]


def responses(bench):
    cpu, peak = bodies(bench, RESPONSES, lambda size: ("GET", "/give/body.bin", None, size), "Response bodies",
                       "`GET` of a file of that size by `send_file`")
    return [Panel("By bytes of the response body", "bytes", [("CPU us", cpu), ("RSS MiB", peak)])]


def workers(bench):
    asked = {name: WORKLOADS[name] for name in ("W1", "W4")}
    scripts = {name: bench.script(name, text) if (text := workload.script()) else None for name, workload in asked.items()}
    with contextlib.ExitStack() as stack:
        source = H1mock.provision(0, "hello")
        mocks = {count: stack.enter_context(bench.mock(source, "--workers", str(count))) for count in WORKERS}
        found = bench.rounds_of({(name, count): lambda mock=mock, name=name: load.measure(
            mock, USUAL, bench.seconds, asked[name].path, scripts[name]) for name in asked for count, mock in mocks.items()})
    print(f"### Workers\n\n`--workers`, on {os.cpu_count()} CPUs that wrk shares, {USUAL} connections.\n")
    print_table(["workers", "workload", *HEAD], [[count, name, *figures(found[name, count])] for name in asked for count in WORKERS])
    return [Panel("Requests/s by workers", "workers", [
        (name, [(count, statistics.median(one.run.rate for one in found[name, count])) for count in WORKERS]) for name in asked])]


FUNCTION = """fn other{number}(id) {{
    let price = id * {number};
    let label = `article ${{id}}`;
    if price > 100 {{
        label += " (dear)";
    }}
    // What is left of the stock.
    let left = 100 - id % 100;
    #{{ id: id, label: label, price: price, left: left }}
}}
"""


def of_lines(count, word):
    """A provision of so many lines: the view function and other functions of ten lines."""
    head = ["fn registerRules() {", '    app.get("/hello", hello);', "}", "", f'fn hello() {{ #{{ greeting: "{word}" }} }}']
    functions = "".join(FUNCTION.format(number=number) for number in range((count - len(head)) // 10))
    return "\n".join(head) + "\n" + functions


def lines(bench):
    def run(count):
        word = f"posted{time.monotonic_ns()}"
        return post_until(mocks[count], of_lines(count, word), word)

    refused = {}
    with contextlib.ExitStack() as stack:
        mocks = {count: stack.enter_context(bench.mock(of_lines(10, "hello"))) for count in LINES}
        for count in LINES:
            try:
                run(count)
            except RuntimeError as reason:
                refused[count] = str(reason)
        kept = [count for count in LINES if count not in refused]
        posts = bench.rounds_of({count: lambda count=count: run(count) for count in kept})
        found = bench.rounds_of({count: lambda count=count: load.measure(mocks[count], USUAL, bench.seconds) for count in kept})
        memory = {count: mocks[count].resident() for count in kept}
    print(f"### Lines of a provision\n\nFunctions of ten lines beside the one that answers, {USUAL} connections.\n")
    rows = [[f"{count:,}", spread(posts[count], milliseconds), *figures(found[count]), f"{memory[count] / MIB:.1f}"]
            if count in kept else [f"{count:,}", *["-"] * 7] for count in LINES]
    print_table(["lines", "POST to new behaviour, ms", *HEAD, "RSS, MiB"], rows)
    for count, reason in refused.items():
        print(f"- {count:,} lines: {reason}\n")
    return [Panel("ms from POST to new behaviour", "lines of the provision",
                  [("", [(count, statistics.median(posts[count]) * 1000) for count in kept])])]


def named(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


COMMANDS = {each.__name__: each for each in (rules, connections, requests, responses, workers, lines)}


def read_options():
    project = pathlib.Path(__file__).resolve().parents[2]
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("commands", nargs="*", metavar="|".join(COMMANDS), help="default: all")
    line.add_argument("--h1mock", dest="binary", default=project / "target/musl/x86_64-unknown-linux-musl/release/h1mock",
                      help="the program; .ci/static-build makes it")
    line.add_argument("--rounds", type=int, default=3)
    line.add_argument("--seconds", type=int, default=2, help="of each run of wrk, default 2")
    line.add_argument("--page", action="store_true", help=f"write into {page.PAGE} and {PICTURE}")
    options = line.parse_args()
    options.commands = options.commands or list(COMMANDS)
    if unknown := [name for name in options.commands if name not in COMMANDS]:
        line.error(f"unknown: {', '.join(unknown)}")
    if not os.path.isfile(options.binary):
        line.error(f"--h1mock: no such file: {options.binary}; .ci/static-build makes it")
    options.binary = str(pathlib.Path(options.binary).resolve())
    return options


def main():
    stop_on_signal()
    options = read_options()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    out, panels = io.StringIO() if options.page else sys.stdout, []
    try:
        with tempfile.TemporaryDirectory(prefix="h1mock-bench-") as folder, contextlib.redirect_stdout(out):
            print(f"`{page.command('growth.py')}`: {options.rounds} rounds, {options.seconds} s for each run of wrk; "
                  "all limits at their defaults.\n")
            for name in options.commands:
                panels += COMMANDS[name](Bench(options, pathlib.Path(folder)))
                sys.stdout.flush()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"growth.py: {error}")
    if options.page:
        page.write("growth.py", out.getvalue())
        (page.PROJECT / PICTURE).write_text(draw(panels, "How the costs of h1mock grow"))


if __name__ == "__main__":
    main()
