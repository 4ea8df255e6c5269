"""A mock that runs: one that this process started, or one that others started."""

from __future__ import annotations

import json
import os
import pathlib
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Optional

from h1mock.admin import Admin
from h1mock.errors import Error
from h1mock.mock import Mock
from h1mock.program import program

# Seconds until a server listens: far more than it takes, so that a slow machine is no failure.
DEADLINE = 30.0
# The provision that serves while no test has sent one.
EMPTY = ("empty", "fn registerRules() {}\n")


class Server:
    """A running mock. `Server.start()` starts one on free ports of 127.0.0.1; `Server(url, admin_url)` uses another one.

    As a context manager, it ends with the block if it was started here.
    """

    def __init__(self, url: str, admin_url: str) -> None:
        self.url = url.rstrip("/")
        self.admin_url = admin_url.rstrip("/")
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None

    @classmethod
    def start(cls, *options: str, config_dir: Optional[os.PathLike[str]] = None) -> Server:
        """Starts a server. `options` are flags of the program, such as `--explain`.

        `config_dir` has the files that its scripts read or import; if one is called `initial`, it serves first.
        """
        folder = tempfile.TemporaryDirectory(prefix="h1mock-")
        try:
            process, banner = launch(pathlib.Path(folder.name), options, config_dir)
        except BaseException:
            folder.cleanup()
            raise
        server = cls(f"http://{banner['mock']}", f"http://{banner['admin']}")
        server._process, server._folder = process, folder
        try:
            # It is ready now, or `initial` does not load.
            server.wait(timeout=0)
            server.prepare()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def started(self) -> bool:
        """Whether this object has started the server, so that it has no other users."""
        return self._process is not None

    def wait(self, timeout: float = DEADLINE) -> None:
        """Waits until the mock is ready. After `timeout` seconds the error says why it is not."""
        end, admin = time.monotonic() + timeout, Admin(self.admin_url)
        while True:
            try:
                admin.send("GET", "/readyz").checked()
                return
            except Error:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def prepare(self) -> None:
        """Lets an empty provision serve in place of the built-in one, since a test could not go back to that one."""
        admin = Admin(self.admin_url)
        if admin.ask("GET", "/app/v1/provision")["active"]["name"] == "built-in":
            name, source = EMPTY
            admin.send("POST", f"/app/v1/provision/{name}", source.encode(), kind="text/plain").checked()

    def mock(self, *, baggage: Optional[str] = None) -> Mock:
        """Returns a mock for one test: the whole server, or the requests with a member of `baggage`, such as `test=17`."""
        return Mock(self.url, self.admin_url, baggage=baggage)

    def stop(self) -> None:
        """Ends a server that was started here, without waiting for its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.stop()


def launch(
    folder: pathlib.Path, options: Sequence[str], config_dir: Optional[os.PathLike[str]]
) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """Starts the program with its files in `folder`. Returns the process, and what it announced."""
    config = pathlib.Path(config_dir) if config_dir is not None else folder / "config"
    if config_dir is None:
        config.mkdir()
    elif not config.is_dir():
        raise Error(f"there is no folder `{config}` for the mock's provisions")
    command = [program(), "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--log-format", "json"]
    command += ["--provision-dir", str(folder / "provision"), "--config-dir", str(config), "--report", os.devnull, *options]
    # Variables of the mock are for servers that run: here they would change its ports and limits. Flags go into `options`.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("H1MOCK_") or name == "H1MOCK_ADMIN_TOKEN"}
    log = folder / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment)
    assert process.stdout is not None
    with process.stdout:
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
        line = process.stdout.readline() if ready else b""
    if not line:
        process.kill()
        process.wait()
        raise Error(f"failed to start the mock: {log.read_text(errors='replace').strip() or f'no answer within {DEADLINE:g} s'}")
    return process, json.loads(line)
