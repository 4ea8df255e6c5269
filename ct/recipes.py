#!/usr/bin/env python3
"""Works through docs/tutorial.md and docs/cookbook.md as a reader does, and compares the output with the pages.

    ct/recipes.py [BINARY [WORDS]]

With WORDS, only recipes run whose heading has these words. A recipe has a folder of its own; the tutorial is one recipe.

    ```rhai NAME.rhai        a file of the reader. The first script of a recipe is served, and must pass `check --strict`. A block with
                             the name of an earlier one has functions and constants: they replace those of the same name, or are added
    ```rhai NAME.rhai slip   the same with an intended mistake: `check` must refuse it
    ```LANGUAGE NAME         any other file
    ```console               commands and their whole output. `...` matches any text
    ```text                  what the mock prints meanwhile to its own terminal

The ports of the pages are replaced by free ones.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import docs

TUTORIAL = "docs/tutorial.md"
DEADLINE = 60
PORTS = ("8000", "8074", "8443", "9000", "9074")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?(?: (slip))?\n(.*?)^```$", re.M | re.S)
START = re.compile(r"h1mock (\S+\.rhai)(?: (\d+) (\d+))?((?: \S+)*)")

Recipe = collections.namedtuple("Recipe", "page title text")


def recipes(page):
    """The sections of a page that have blocks; of the tutorial, all of them as one."""
    text = (docs.PROJECT / page).read_text(encoding="utf-8")
    if page == TUTORIAL:
        return [Recipe(page, "all steps", text)]
    parts = re.split(r"^## (.*)\n", text, flags=re.M)
    assert not FENCE.search(parts[0]), f"{page}: a block before the first recipe"
    return [Recipe(page, title, part) for title, part in zip(parts[1::2], parts[2::2]) if FENCE.search(part)]


def items(source):
    """The functions and constants of a script by name, in order, each with the comment before it."""
    parts = re.split(r"^(?=(?:// .*\n)*(?:fn|const) \w+)", source, flags=re.M)
    return {re.search(r"^(?:fn|const) (\w+)", part, re.M).group(1): part.strip("\n") for part in parts if part.strip()}


def merged(old, new):
    """Replaces functions and constants of a script, and adds those that it does not have. Constants stand first."""
    found = {**items(old), **items(new)}
    order = sorted(found.values(), key=lambda item: not re.search("^const ", item, re.M))
    return "\n\n".join(order).replace(";\n\nconst", ";\nconst") + "\n"


def free_ports(count):
    """Numbers of free ports. All sockets are open until the last number is known, so the numbers differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return numbers


class Reader:
    """A reader with an empty folder and a shell, who starts the mock when a command needs it."""

    def __init__(self, binary):
        self.binary = binary
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-recipe-"))
        self.folder = self.root / "folder"
        self.folder.mkdir()
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        # Without the plugins that happen to be installed, pytest starts in a tenth of the time.
        self.environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        self.script = None
        self.servers = {}
        self.seen = 0

    def ours(self, text):
        """Puts our ports in place of those of the page."""
        return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: self.ports[found.group()], text)

    def theirs(self, text):
        """Puts the ports of the page in place of ours."""
        return re.sub("(?<=:)(" + "|".join(self.ports.values()) + r")\b",
                      lambda found: next(shown for shown, real in self.ports.items() if real == found.group()), text)

    def save(self, name, text, slip):
        """Saves a file as an editor does, and waits until the mock has loaded what changed."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        new = self.ours(text)
        if name.endswith(".rhai"):
            self.script = self.script or name
            new = merged(path.read_text(), new) if path.exists() else new
        matters = any(name in one.read_text() for one in self.folder.glob("*.rhai")) or name == self.script
        before = self.generation() if self.servers else None
        path.write_text(new)
        if name.endswith(".rhai"):
            done = subprocess.run([self.binary, "check", "--strict", name], cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE)
            assert (done.returncode == 1) == bool(slip), f"{name}: {done.stdout}{done.stderr}"
        if self.servers and matters and not slip:
            end = time.monotonic() + DEADLINE
            while self.generation() == before:
                assert time.monotonic() < end, f"{name} is saved, and the mock does not load it"
                time.sleep(0.02)

    def generation(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['8074']}/app/v1/provision", timeout=DEADLINE) as answer:
            return json.load(answer)["active"]["generation"]

    def serve(self, script, traffic="8000", admin="8074", *options):
        """Starts the mock with a script, in a terminal of its own."""
        terminal = self.root / f"terminal-{traffic}"
        with terminal.open("w") as output:
            self.servers[traffic] = subprocess.Popen([self.binary, script, self.ports[traffic], self.ports[admin], *options], cwd=self.folder,
                                                     env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        end = time.monotonic() + DEADLINE
        while "loaded again when saved" not in terminal.read_text():
            assert time.monotonic() < end and self.servers[traffic].poll() is None, f"$ h1mock {script}\n{terminal.read_text()}"
            time.sleep(0.01)

    def watch(self, shown):
        """Compares the end of what the mock has printed to its terminal since the last look."""
        end = time.monotonic() + DEADLINE
        while True:
            text = self.theirs((self.root / "terminal-8000").read_text())
            if docs.same("\n" + text[self.seen:].rstrip("\n"), "...\n" + shown.rstrip("\n")):
                self.seen = len(text)
                return
            assert time.monotonic() < end, f"the terminal of the mock\n-- shown:\n{shown}\n-- printed:\n{text[self.seen:]}"
            time.sleep(0.05)

    def type(self, command, shown):
        """Runs a command, and compares all that it prints."""
        if start := START.fullmatch(command):
            script, traffic, admin, options = start.groups()
            self.serve(script, traffic or "8000", admin or "8074", *options.split())
            if shown:
                self.watch("\n".join(shown))
            return
        if "8000" not in self.servers and re.search("localhost:8(000|074)", command):
            self.serve(self.script)
        line = re.sub(r"(^|[|(;&] |[(]|do )curl (?!-s )", r"\1curl -sS ", self.ours(command), flags=re.M)
        # A file, since a program in the background would keep a pipe open.
        with (self.root / "printed").open("w+") as printed:
            code = subprocess.run(["bash", "-c", line], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=printed,
                                  stderr=subprocess.STDOUT, timeout=DEADLINE).returncode
            printed.seek(0)
            text = "\n".join(self.theirs(printed.read()).splitlines())
        wanted = "\n".join(shown)
        assert docs.same(text, wanted), f"$ {command}\n-- shown:\n{wanted}\n-- printed:\n{text}"
        assert code == 0 or re.search(r"curl: \(\d+\)", text), f"$ {command}\nexit code {code}: {text}"

    def leave(self):
        for process in self.servers.values():
            process.terminate()
        for process in self.servers.values():
            process.wait(DEADLINE)
        if (pid := self.folder / "nginx.pid").exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
        shutil.rmtree(self.root, ignore_errors=True)


def missing(text):
    """The program that a recipe needs and this machine does not have, or None. In CI that is a failure."""
    for program in ("nginx", "pytest"):
        if re.search(rf"^\$ {program} ", text, re.M) and not shutil.which(program):
            assert not os.environ.get("H1MOCK_REQUIRE_TOOLS"), f"there is no {program}"
            return program
    return None


def follow(recipe, binary):
    """Does what a recipe says. Returns the number of its commands."""
    reader, count = Reader(binary), 0
    fences = list(FENCE.finditer(recipe.text))
    assert len(fences) * 2 == len(re.findall("^```", recipe.text, re.M)), "a fence has a form that this program does not know"
    try:
        # The files that stand before the first command are there before the mock starts.
        for language, name, slip, text in (fence.groups() for fence in fences):
            if language == "text" and not name:
                reader.watch(text)
                continue
            if language != "console":
                assert name, f"a block of {language} without the name of its file"
                reader.save(name, text, slip)
                continue
            for command, shown in docs.commands(text):
                reader.type(command, shown)
                count += 1
        assert count, "no command"
        return count
    finally:
        reader.leave()


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/h1mock").resolve()
    words, failures = " ".join(sys.argv[2:]).lower(), []
    for page in docs.RECIPES:
        count, began = [], time.monotonic()
        for recipe in (one for one in recipes(page) if words in one.title.lower()):
            if program := missing(recipe.text):
                print(f"skipped: {recipe.title}: no {program}")
                continue
            try:
                count.append(follow(recipe, binary))
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failures.append(f"{page}, {recipe.title}: {error}")
        print(f"{page}: {len(count)} recipes, {sum(count)} commands print what it shows, in {time.monotonic() - began:.1f} s")
    if failures:
        sys.exit("\n\n".join(failures))


if __name__ == "__main__":
    main()
