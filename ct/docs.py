#!/usr/bin/env python3
"""Runs the console blocks of README.md and of the pages on the administrative port, and compares their output with the pages.

    ct/docs.py [BINARY]

The server runs on free ports in a temporary folder. `h1mock` alone is that server, `h1mock FILE` another one for the rest of its
page. `...` in the output matches any text. Other tests run the blocks that need a container or a cluster (`runner`). A block without a runner is a failure, and so
are Python that is not part of a component test and a broken link (ct/links.py).
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time

import contents
import links

PROJECT = pathlib.Path(__file__).resolve().parents[1]
DEADLINE = 20
HERE = "ct/docs.py"
# Pages, and the arguments of the server that answers all blocks of a page.
PAGES = {"README.md": [], "docs/admin.md": [], "docs/callbacks.md": [], "docs/cli.md": [], "docs/clock.md": [],
         "docs/editors.md": [], "docs/forwarding.md": [], "docs/requests.md": [], "docs/security.md": [],
         "docs/streams.md": [], "docs/testing.md": ["--explain"], "docs/troubleshooting.md": []}
# Pages whose blocks ct/recipes.py runs.
RECIPES = ("docs/tutorial.md", "docs/cookbook.md")
NEEDS_A_CLUSTER = "<!-- needs a cluster -->"
# Pages with tests in Python, and the folders that have the same tests.
TESTS = {"docs/testing.md": "ct/src", "docs/ci.md": "ct/testcontainers"}

# A console block: its page and section, whether it is marked to need a cluster, and the text before it.
Block = collections.namedtuple("Block", "page section marked before text")


def pages():
    """Names of all pages."""
    return ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md"))]


def blocks(page, text=None):
    """The console blocks of a page."""
    section, before = "", []
    lines = iter((text or (PROJECT / page).read_text(encoding="utf-8")).splitlines())
    for line in lines:
        if line == "```console":
            content = []
            for line in lines:
                if line == "```":
                    break
                content.append(line)
            marked = before[-1:] == [NEEDS_A_CLUSTER]
            prose = [one for one in before if one and one != NEEDS_A_CLUSTER]
            yield Block(page, section, marked, prose[-1] if prose else "", "\n".join(content) + "\n")
            before = []
        elif line.startswith("```"):
            before = ["```"] if any(line.startswith("```") for line in lines) else []
        else:
            if line.startswith("## "):
                section = line[3:]
            before.append(line)


def commands(text):
    """Splits a block into commands and their expected output. A command continues after a backslash, and in a here document."""
    for command, output in re.findall(r"^\$ ((?:.*\\\n)*(?:.*<< '(?:\w+)'\n(?:.*\n)*?(?:EOF)|.*))\n((?:(?!\$ ).*\n)*)", text, re.M):
        yield command, output.splitlines()


def calls(block, *programs):
    """Whether a block calls one of the programs."""
    return any(re.search(rf"(^|[|;] *){re.escape(program)} ", command + " ") for command, _ in commands(block.text) for program in programs)


def runner(block):
    """The test that runs a block, or None. A block that needs a cluster may say so to the reader instead."""
    if block.marked:
        return "a cluster"
    if block.page == "CONTRIBUTING.md":
        return "CI"
    if "kubectl " in block.text:
        return "ct/kubectl/test_docs.py"
    if calls(block, "helm"):
        return "ct/charts/docs_test.py"
    if calls(block, "docker", "./build.sh"):
        return "ct/image/test_docs.py"
    if block.page == "docs/python.md":
        return "python/tests/test_docs.py"
    if block.page in RECIPES:
        return "ct/recipes.py"
    if block.page in PAGES:
        return HERE
    if f'"{block.page}"' in (PROJECT / "tests/it/reference.rs").read_text():
        return "tests/it/reference.rs"
    return None


def check_runners():
    """Checks that each block has a runner or says that it needs a cluster, and that the scripts of the runners exist."""
    for block in (block for page in pages() for block in blocks(page)):
        where = f"{block.page}, section {block.section}:\n{block.text}"
        assert runner(block), f"nobody runs this block of {where}"
        assert not block.marked or re.search("needs a cluster:$", block.before, re.I), f"the text before does not end with `needs a cluster:`: {where}"
        if runner(block) == "CI":
            for command, _ in commands(block.text):
                script = re.match(r"(?:\w+=\S+ )*(\.?/?\.?(?:ct|ci|build|deploy)\S*)", command)
                assert not script or os.access(PROJECT / script.group(1), os.X_OK), f"there is no `{script.group(1)}`: {where}"


def check_provisions(binary):
    """Checks that provisions in YAML and in files load."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for page in pages():
            text = (PROJECT / page).read_text(encoding="utf-8")
            sources = re.findall(r"^```rhai \S+/initial\n(.*?)^```$", text, re.M | re.S)
            sources += map(textwrap.dedent, re.findall(r"^ *initial: \|\n((?: +.*\n|\n)+)", text, re.M))
            for source in sources:
                (pathlib.Path(folder) / "initial").write_text(source)
                done = subprocess.run([binary, "check", "initial"], cwd=folder, capture_output=True, text=True, timeout=DEADLINE)
                assert done.returncode == 0, f"{page}: {done.stdout}{done.stderr}"
                count += 1
    print(f"{count} provisions in YAML and beside it load")


def check_python():
    """Checks that the Python tests in the pages are those of CI."""
    count = 0
    for page, folder in TESTS.items():
        tests = [path.read_text(encoding="utf-8") for path in (PROJECT / folder).glob("test_*.py")]
        for source in re.findall(r"^```python\n(.*?)^```$", (PROJECT / page).read_text(encoding="utf-8"), re.M | re.S):
            assert any(source in test for test in tests), f"no test of {folder} has this of {page}:\n{source}"
            count += 1
    print(f"{count} blocks of Python are tests")


def same(printed, shown):
    """Whether the output matches the page; `...` matches any text."""
    return re.fullmatch(".*?".join(map(re.escape, shown.split("..."))), printed, re.S) is not None


def start(binary, folder, options):
    process = subprocess.Popen([binary, "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--config-dir",
                                "provisions", *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    banner = process.stdout.readline()
    traffic, admin = re.findall(r"127\.0\.0\.1:(\d+)", banner)
    return process, banner, traffic, admin


class Served:
    """A server that a page starts by `h1mock FILE`. Its output is that of its terminal: both streams."""

    def __init__(self, command, folder, environment):
        self.file = folder / ".printed"
        ports = {"H1MOCK_TRAFFIC_PORT": "0", "H1MOCK_ADMIN_PORT": "0"}
        with self.file.open("w") as file:
            self.process = subprocess.Popen(command.split(), cwd=folder, env={**environment, **ports}, stdout=file, stderr=file)

    def ports(self):
        """The ports of the mock and of the admin interface, once the banner is there."""
        end = time.monotonic() + DEADLINE
        while len(found := re.findall(r"0\.0\.0\.0:(\d+)", self.file.read_text())) < 2:
            assert time.monotonic() < end and self.process.poll() is None, f"no banner, but {self.file.read_text()}"
            time.sleep(0.05)
        return found[:2]

    def check(self, output):
        """Compares the output, until the deadline while it differs."""
        end, (traffic, admin) = time.monotonic() + DEADLINE, self.ports()
        while True:
            printed = re.sub(rf":{admin}\b", ":8074", re.sub(rf":{traffic}\b", ":8000", self.file.read_text()))
            if same(printed.rstrip("\n"), "\n".join(output)):
                return
            assert time.monotonic() < end, f"the server shows:   {output}\n  printed: {printed.splitlines()}"
            time.sleep(0.05)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def run(command, output, folder, environment):
    """Runs a command. Repeats it until the deadline if it depends on a file event."""
    end = time.monotonic() + DEADLINE
    while True:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE)
        printed = done.stdout.splitlines()
        if not output or same("\n".join(printed), "\n".join(output)):
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            return
        if time.monotonic() > end:
            sys.exit(f"{command}\n  shows:   {output}\n  printed: {printed} {done.stderr}")
        time.sleep(0.05)


def check(page, binary):
    """Runs the blocks of one page against one server."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-docs-"))
    (folder / "provisions").symlink_to(PROJECT / "provisions")
    if source := re.search(r"```rust\n(.*?)```", (PROJECT / page).read_text(encoding="utf-8"), re.S):
        (folder / "foo-bar").write_text(source.group(1))
        (folder / "data.json").write_text("{}")
    environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}"}
    process, banner, traffic, admin = start(binary, folder, PAGES[page])
    count, served = 0, None
    try:
        for command, output in (pair for block in blocks(page) if runner(block) == HERE for pair in commands(block.text)):
            if re.fullmatch(r"h1mock (serve )?\S+\.rhai", command):
                assert not served, f"{page} starts two servers: {command}"
                served = Served(command, folder, environment)
                traffic, admin = served.ports()
                served.check(output)
            elif command == "h1mock":
                shown = output[0].replace("0.0.0.0:8000", f"127.0.0.1:{traffic}").replace("0.0.0.0:8074", f"127.0.0.1:{admin}")
                assert banner.strip() == shown, f"{banner} in place of {shown}"
            else:
                # Replaces `curl ` only as a command, since the text of an answer contains it too.
                command = command.replace("localhost:8000", f"127.0.0.1:{traffic}").replace("localhost:8074", f"127.0.0.1:{admin}")
                command = command.replace("target/release/h1mock", str(binary))
                run(re.sub(r"(^|\| )curl ", r"\1curl -s ", command), output, folder, environment)
            count += 1
    finally:
        process.terminate()
        process.wait(10)
        if served:
            served.end()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{page}: {count} commands print what it shows")


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/h1mock").resolve()
    check_runners()
    print(f"{links.check()} links lead somewhere")
    print(f"{contents.check()} pages begin with their contents")
    check_provisions(binary)
    check_python()
    for page in PAGES:
        check(page, binary)


if __name__ == "__main__":
    main()
