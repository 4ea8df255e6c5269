"""A mock that serves a file of `provisions/`, on free ports."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# Seconds: far more than any step takes, so that a slow machine is no failure.
DEADLINE = 30


class Mock:
    def __init__(self, provision):
        self.folder, self.empty = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
        shutil.copy(PROJECT / "provisions" / provision, f"{self.folder.name}/initial")
        command = [os.environ["H1MOCK_BINARY"], "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--log-format", "json"]
        command += ["--provision-dir", self.folder.name, "--config-dir", self.empty.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        banner = json.loads(self.process.stdout.readline())
        self.url, self.admin = f"http://{banner['mock']}", f"http://{banner['admin']}/app/v1"

    def ask(self, method, path, value=None):
        """Sends a request to the admin port, and returns the JSON of its answer."""
        body = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(urllib.request.Request(self.admin + path, body, method=method), timeout=DEADLINE) as answer:
            return json.load(answer)

    def set(self, key, value):
        self.ask("PUT", f"/store/{key}", value)

    def requests(self, filters=""):
        """The journal's entries, from the oldest on."""
        return self.ask("GET", f"/requests?{filters}")["requests"]

    def close(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.folder.cleanup()


def eventually(ask):
    """Returns the first true value that `ask` gives."""
    end = time.monotonic() + DEADLINE
    while not (value := ask()):
        assert time.monotonic() < end, f"not within {DEADLINE} s"
        time.sleep(0.02)
    return value
