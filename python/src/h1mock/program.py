"""The program of the mock: the file, and the command `h1mock`."""

from __future__ import annotations

import os
import pathlib
import platform
import sys
from typing import NoReturn

from h1mock.errors import NoProgram

PACKAGED = pathlib.Path(__file__).parent / "bin" / "h1mock"


def program() -> str:
    """Returns the path of the program: `H1MOCK_BINARY`, or the one of the package.

    Raises `NoProgram` on machines for which the package has none.
    """
    chosen = os.environ.get("H1MOCK_BINARY")
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise NoProgram(f"`{chosen}` (H1MOCK_BINARY) is not a program")
        return chosen
    if not PACKAGED.is_file():
        raise NoProgram(
            f"the package `h1mock` has no program for {platform.system()} on {platform.machine()}, only for Linux on x86_64 and "
            "aarch64. Use docker: `docker run -p 8000:8000 -p 8074:8074 testillano/h1mock`. For pytest, set "
            "H1MOCK_URL=http://localhost:8000 and H1MOCK_ADMIN_URL=http://localhost:8074"
        )
    return str(PACKAGED)


def main() -> NoReturn:
    """Becomes the program, with the same arguments."""
    try:
        path = program()
    except NoProgram as error:
        sys.exit(f"h1mock: {error}")
    os.execv(path, [path, *sys.argv[1:]])
