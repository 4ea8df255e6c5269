#!/usr/bin/env python3
"""Builds wheels of the package `h1mock` with pip, and prints their paths.

    python/build.py OUT BINARY...    a wheel for the machine of each BINARY, which must be static
    python/build.py OUT              the wheel for all other machines: the pytest plugin without a program
"""

import importlib.util
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent
# Names of the machines by their number in the ELF header.
MACHINES = {62: "x86_64", 183: "aarch64"}
# The type of the program header that names a dynamic linker.
PT_INTERP = 3


def die(text):
    sys.exit(f"python/build.py: {text}")


def machine(program):
    """The machine of a static program, as wheels name it."""
    content = program.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        die(f"`{program}` is no program for 64-bit Linux")
    (number,) = struct.unpack_from("<H", content, 18)
    if number not in MACHINES:
        die(f"`{program}` is for machine {number} of ELF; there are wheels for {' and '.join(MACHINES.values())}")
    (table,), (size, count) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<HH", content, 54)
    if any(struct.unpack_from("<I", content, table + row * size) == (PT_INTERP,) for row in range(count)):
        die(f"`{program}` is not static: it would not run on every Linux. `.ci/static-build` makes a static one")
    return MACHINES[number]


def build(out, program=None):
    """Builds one wheel into the folder `out`, and returns its path."""
    with tempfile.TemporaryDirectory() as work:
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        environment.pop("H1MOCK_WHEEL_PROGRAM", None)
        if program:
            # A copy, because a program that was downloaded is not executable.
            copy = pathlib.Path(shutil.copy(program, work))
            copy.chmod(0o755)
            name = machine(program)
            # A static program needs no C library, so it runs on the systems of both tags.
            tag = f"py3-none-manylinux2014_{name}.musllinux_1_1_{name}"
            environment.update(H1MOCK_WHEEL_PROGRAM=str(copy), H1MOCK_WHEEL_TAG=tag)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", f"--wheel-dir={work}/out"]
        # Without hatchling here, pip downloads it for this build alone.
        command += ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
        command.append(str(PROJECT))
        if subprocess.run(command, env=environment).returncode:
            die("pip failed to build the wheel: see above")
        (wheel,) = pathlib.Path(work, "out").glob("*.whl")
        return pathlib.Path(shutil.copy(wheel, out))


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    out = pathlib.Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    for program in map(pathlib.Path, arguments[1:]):
        if not program.is_file():
            die(f"there is no file `{program}`")
        print(build(out, program))
    if not arguments[1:]:
        print(build(out))


if __name__ == "__main__":
    main(sys.argv[1:])
