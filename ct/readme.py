#!/usr/bin/env python3
"""Runs the console blocks of README.md and compares what they print: what the README shows is what happens.

    ct/readme.py [BINARY]

The server runs on free ports in a folder of its own; `cargo run` stands for the built binary, the last section (Develop) is
what CI runs anyway.
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
        if not output or printed == output:
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            return
        if time.monotonic() > end:
            sys.exit(f"README.md: {command}\n  shows:   {output}\n  printed: {printed} {done.stderr}")
        time.sleep(0.05)


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/h1mock").resolve()
    text = (PROJECT / "README.md").read_text(encoding="utf-8").split("## Develop")[0]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-readme-"))
    (folder / "provisions").symlink_to(PROJECT / "provisions")
    environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}"}
    process, banner, traffic, admin = start(binary, folder)
    count = 0
    try:
        for command, output in blocks(text):
            if command.startswith("cargo run"):
                shown = output[0].replace("0.0.0.0:8000", f"127.0.0.1:{traffic}").replace("0.0.0.0:8074", f"127.0.0.1:{admin}")
                assert banner.strip() == shown, f"{banner} in place of {shown}"
            else:
                command = command.replace("localhost:8000", f"127.0.0.1:{traffic}").replace("localhost:8074", f"127.0.0.1:{admin}")
                run(command.replace("curl ", "curl -s ").replace("target/release/h1mock", str(binary)), output, folder, environment)
            count += 1
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"README.md: {count} commands print what it shows")


if __name__ == "__main__":
    main()
