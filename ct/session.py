#!/usr/bin/env python3
"""Draws docs/session.svg, the terminal at the top of the README: runs real commands with the real program.

    ct/session.py [BINARY]            fails if the picture is not what the commands print now
    ct/session.py --write [BINARY]    draws the picture again

The server gets free ports and the picture shows the usual ones. Times are masked. Colours are those that the program prints.
"""

import html
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
from typing import NamedTuple

PROJECT = pathlib.Path(__file__).resolve().parents[1]
PICTURE = PROJECT / "docs/session.svg"
DEADLINE = 20
COLUMNS = 96
HELLO = """\
fn registerRules() {
    app.get("/hello/<name>", hello);
}

fn hello(name) { #{ greeting: "hello " + name } }
"""


class Step(NamedTuple):
    """A command, and the end of what the server prints then: a pattern, or "" if it prints nothing."""

    command: str
    server: str = ""


SERVER = "h1mock hello.rhai"
STEPS = [
    Step("cat hello.rhai"),
    Step(f"{SERVER} &", r"/hello/<name>.*\n"),
    Step("curl localhost:8000/hello/world"),
    Step("sed -i 's/hello);/helo);/' hello.rhai", r"keeps serving\n"),
    Step("""sed -i 's/helo);/hello);\\n    app.get("\\/bye", || "bye");/' hello.rhai""", r"1 new: GET /bye.*\n"),
    Step("curl localhost:8000/bye"),
    Step("curl 'localhost:8074/app/v1/verify?path=/hello/world&count=1'"),
]

WIDTH, HEIGHT, PAD, BAR = 7.8, 18, 16, 28
# Numbers of SGR, the escape sequences for colours, and the classes of the picture.
CLASSES = {1: "b", 2: "d", 31: "red", 32: "green", 33: "yellow", 34: "blue", 35: "pink", 36: "cyan", 90: "d", 91: "red", 92: "green", 93: "yellow",
           94: "blue", 95: "pink", 96: "cyan"}
STYLE = """text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }
.back { fill: #f6f8fa; stroke: #d1d9e0 } .dot { fill: #d1d9e0 } .b { font-weight: 600 } .prompt { fill: #1a7f37; font-weight: 600 } .typed { font-weight: 600 }
.d { fill: #59636e } .red { fill: #cf222e } .green { fill: #1a7f37 } .yellow { fill: #7d4e00 } .blue { fill: #0969da } .pink { fill: #8250df } .cyan { fill: #1b7c83 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .back { fill: #0d1117; stroke: #3d444d } .dot { fill: #3d444d } .prompt { fill: #3fb950 }
.d { fill: #9198a1 } .red { fill: #ff7b72 } .green { fill: #3fb950 } .yellow { fill: #d29922 } .blue { fill: #79c0ff } .pink { fill: #d2a8ff } .cyan { fill: #76e3ea } }"""


class Server:
    """The server of the session. Collects what it prints."""

    def __init__(self, folder, environment):
        self.printed, self.changed = "", threading.Condition()
        self.process = subprocess.Popen(SERVER.split(), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.printed += line
                self.changed.notify_all()

    def take(self, pattern):
        """Waits until the pattern is printed. Returns all text up to its end."""
        with self.changed:
            if not self.changed.wait_for(lambda: re.search(pattern, bare(self.printed)), DEADLINE):
                sys.exit(f"the server does not print `{pattern}`, but:\n{self.printed}")
            text, self.printed = self.printed, ""
            return text

    def ports(self, banner):
        """The real ports, and those that the picture shows."""
        found = re.findall(r"0\.0\.0\.0:(\d+)", bare(banner))
        assert len(found) >= 2, f"no ports in `{banner}`"
        return dict(zip(("8000", "8074"), found))


def bare(text):
    """Removes escape sequences."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def masked(text):
    """Replaces times, which differ from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-01-01T12:00:00Z", text)
    return re.sub(r"\b[\d.]+ ?(ms|us|µs)\b", "1 ms", text)


def run(command, folder, environment, ports):
    """Runs a command of the session. Returns what it prints."""
    for shown, real in ports.items():
        command = command.replace(f"localhost:{shown}", f"127.0.0.1:{real}")
    command = re.sub(r"^curl ", "curl -sS ", command)
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    # A terminal shows the next prompt on a line of its own; bash does not, but a reader expects it.
    return done.stdout if done.stdout.endswith("\n") or not done.stdout else done.stdout + "\n"


def record(binary):
    """Runs the session. Returns its lines: `$ command`, or what was printed."""
    lines, server, ports = [], None, {}
    with tempfile.TemporaryDirectory(prefix="h1mock-session-") as name:
        folder = pathlib.Path(name)
        (folder / "hello.rhai").write_text(HELLO)
        (folder / "bin").mkdir()
        (folder / "bin/h1mock").symlink_to(binary)
        environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "H1MOCK_TRAFFIC_PORT": "0", "H1MOCK_ADMIN_PORT": "0",
                       "H1MOCK_COLOR": "always"}
        environment.pop("NO_COLOR", None)
        try:
            for step in STEPS:
                lines.append(f"$ {step.command}")
                if step.command == f"{SERVER} &":
                    server, text = Server(folder, environment), ""
                else:
                    text = run(step.command, folder, environment, ports)
                if step.server:
                    text += server.take(step.server)
                    ports = ports or server.ports(text)
                for shown, real in ports.items():
                    text = text.replace(f":{real}", f":{shown}")
                lines += masked(text).splitlines()
        finally:
            if server:
                server.process.terminate()
                server.process.wait(DEADLINE)
    return lines


def runs(line):
    """Splits a line at its escape sequences. Yields texts with their classes."""
    classes = set()
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if part.startswith("\x1b"):
            for number in (int(number or 0) for number in part[2:-1].split(";")):
                if number in (0, 22, 39):
                    classes.clear()
                elif number in CLASSES:
                    classes.add(CLASSES[number])
        elif part:
            yield part, " ".join(sorted(classes))


def wrapped(line):
    """The rows of a terminal for a line: pairs of a text and its classes, at most COLUMNS characters together."""
    parts = [("$ ", "prompt"), (line[2:], "typed")] if line.startswith("$ ") else list(runs(line))
    row, left = [], COLUMNS
    for text, classes in parts:
        while len(text) > left:
            row.append((text[:left], classes))
            yield row
            row, text, left = [], text[left:], COLUMNS
        row.append((text, classes))
        left -= len(text)
    yield row


def draw(lines):
    rows = [row for line in lines for row in wrapped(line)]
    width, height = round(COLUMNS * WIDTH + 2 * PAD), BAR + len(rows) * HEIGHT + PAD
    label = "A terminal with this session: " + "; ".join(line[2:] for line in lines if line.startswith("$ "))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{html.escape(label)}">',
             f"<style>{STYLE}</style>", f'<rect class="back" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>']
    parts += [f'<circle class="dot" cx="{PAD + 6 + 18 * number}" cy="16" r="6"/>' for number in range(3)]
    for number, row in enumerate(rows):
        # The length keeps columns in place with any font.
        x, y = 0, BAR + HEIGHT * (number + 1) - 4
        for text, classes in row:
            if text.strip():
                length = round(len(text) * WIDTH, 1)
                named = f' class="{classes}"' if classes else ""
                parts.append(f'<text{named} x="{round(PAD + x * WIDTH, 1)}" y="{y}" textLength="{length}" xml:space="preserve">{html.escape(text, quote=False)}</text>')
            x += len(text)
    return "\n".join([*parts, "</svg>\n"])


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    binary = pathlib.Path(arguments[0] if arguments else PROJECT / "target/debug/h1mock").resolve()
    begin = time.monotonic()
    picture = draw(record(binary))
    if "--write" in sys.argv[1:]:
        PICTURE.write_text(picture, encoding="utf-8")
    elif picture != PICTURE.read_text(encoding="utf-8"):
        sys.exit("docs/session.svg is not what the commands print now: run `ct/session.py --write`, and look at the picture")
    print(f"{len(STEPS)} commands print what docs/session.svg shows ({time.monotonic() - begin:.1f} s)")


if __name__ == "__main__":
    main()
