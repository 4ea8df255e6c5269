#!/usr/bin/env python3
"""Runs the console blocks of README.md, docs/admin.md and docs/testing.md and compares what they print: what they show is what happens.

    ct/docs.py [BINARY]

The server runs on free ports in a folder of its own; `cargo run` stands for the built binary. `...` in the output stands for
anything. The last section of the README (Develop) is what CI runs anyway. The other pages are tested by tests/it/reference.rs.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[1]
DEADLINE = 20


def blocks(text):
    """Commands and expected output of each console block."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        command, output = None, []
        lines = iter(block.splitlines())
        for line in lines:
            if line.startswith("$ "):
                if command is not None:
                    yield command, output
                command, output = line[2:], []
                if here := re.search(r"<< '(\w+)'", command):
                    for line in lines:
                        command += "\n" + line
                        if line == here.group(1):
                            break
            else:
                output.append(line)
        if command is not None:
            yield command, output


def same(printed, shown):
    """Whether `printed` is what is shown, `...` being anything."""
    return re.fullmatch(".*?".join(map(re.escape, shown.split("..."))), printed, re.S) is not None


def start(binary, folder):
    process = subprocess.Popen([binary, "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--config-dir",
                                "provisions"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    banner = process.stdout.readline()
    traffic, admin = re.findall(r"127\.0\.0\.1:(\d+)", banner)
    return process, banner, traffic, admin


def run(command, output, folder, environment):
    """Runs one command; again until the deadline where a file event has to arrive first."""
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


def check(page, text, binary):
    """Runs the blocks of one page against one server."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-docs-"))
    (folder / "provisions").symlink_to(PROJECT / "provisions")
    if source := re.search(r"```rust\n(.*?)```", text, re.S):
        (folder / "foo-bar").write_text(source.group(1))
        (folder / "data.json").write_text("{}")
    environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}"}
    process, banner, traffic, admin = start(binary, folder)
    count = 0
    try:
        for command, output in blocks(text):
            if command.startswith("cargo run"):
                shown = output[0].replace("0.0.0.0:8000", f"127.0.0.1:{traffic}").replace("0.0.0.0:8074", f"127.0.0.1:{admin}")
                assert banner.strip() == shown, f"{banner} in place of {shown}"
            else:
                # `curl ` only as a command: one stands in the text of an answer, too.
                command = command.replace("localhost:8000", f"127.0.0.1:{traffic}").replace("localhost:8074", f"127.0.0.1:{admin}")
                command = command.replace("target/release/h1mock", str(binary))
                run(re.sub(r"(^|\| )curl ", r"\1curl -s ", command), output, folder, environment)
            count += 1
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{page}: {count} commands print what it shows")


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/h1mock").resolve()
    for page in ("README.md", "docs/admin.md", "docs/testing.md"):
        check(page, (PROJECT / page).read_text(encoding="utf-8").split("## Develop")[0], binary)


if __name__ == "__main__":
    main()
