"""What is measured for people: cold start, memory. The bounds are far off; the figures are printed at the end."""

import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time

import pytest
import web
from podman import HARDENED, PREFIX, WRITABLE, free_ports, podman, wait_until

STARTS = 5
REQUESTS = 100_000
CONNECTIONS = 10
# Requests that a connection sends ahead.
AHEAD = 20
# MiB, of the 32 that the container has.
MOST_RESIDENT = 24


@pytest.fixture
def config(tmp_path, provisions):
    """A folder for /config whose `initial` answers 200 at /healthz."""
    folder = tmp_path / "config"
    folder.mkdir()
    shutil.copyfile(provisions / "healthz", folder / "initial")
    folder.chmod(0o755)
    (folder / "initial").chmod(0o644)
    return folder


def until_200(port, begin):
    wait_until(lambda: web.request(port, "GET", "/healthz").status == 200, lambda: "no answer 200", pause=0.0005)
    return (time.monotonic() - begin) * 1000


def spread(milliseconds):
    return f"{statistics.median(milliseconds):.1f} ms (median of {len(milliseconds)}, at most {max(milliseconds):.1f} ms)"


def test_cold_start_outside_of_a_container(binary, config, tmp_path, figure):
    taken = []
    for number in range(STARTS):
        traffic, admin = free_ports()
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [binary, "--bind=127.0.0.1", f"--config-dir={config}", str(traffic), str(admin)]
        begin = time.monotonic()
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                taken.append(until_200(traffic, begin))
            finally:
                process.kill()
    figure("cold start, exec to first 200", spread(taken))
    assert statistics.median(taken) < 1000


def test_cold_start_in_podman(image, config, figure):
    taken = []
    for number in range(STARTS):
        traffic, admin = free_ports()
        name = f"{PREFIX}-cold-{os.getpid()}-{number}"
        options = [f"--name={name}", "--network=host", "--env=H1MOCK_BIND=127.0.0.1", f"--volume={config}:/config:ro,z"]
        begin = time.monotonic()
        try:
            podman("run", "--detach", "--pull=never", *HARDENED, WRITABLE, *options, image, traffic, admin)
            taken.append(until_200(traffic, begin))
        finally:
            podman("rm", "--force", "--time=0", "--ignore", name)
    figure("cold start, podman run to first 200", spread(taken))
    assert statistics.median(taken) < 5000


def resident(pid):
    """MiB that process `pid` has now, and the most that it had."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M).group(1)) / 1024 for field in ("VmRSS", "VmHWM"))


def ask(port, count):
    """Sends `count` requests over one connection, some ahead, and looks at each answer."""
    one = f"GET /app/v1/foo/bar HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=web.DEADLINE) as connection:
        rest = b""
        for _ in range(count // AHEAD):
            connection.sendall(one * AHEAD)
            # Each answer ends with this body.
            while (found := rest.count(b'{"resultCode":0,"resultData":"answering a get"}')) < AHEAD:
                data = connection.recv(1 << 16)
                assert data, "the mock closed the connection"
                rest += data
            assert found == AHEAD and rest.count(b"HTTP/1.1 200 OK\r\n") == AHEAD, rest
            rest = b""


def test_memory_after_many_requests(start, provisions, figure):
    mock = start(*HARDENED, WRITABLE)
    assert mock.post_provision("foo-bar", (provisions / "foo-bar").read_text()).status == 201
    before, _ = resident(mock.pid)

    failures = []

    def client():
        try:
            ask(mock.traffic, REQUESTS // CONNECTIONS)
        except (AssertionError, OSError) as error:
            failures.append(error)

    clients = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert failures == []

    assert sum(rule["hits"] for rule in mock.ledger()["rules"]) == REQUESTS
    now, most = resident(mock.pid)
    figure("RSS under --memory 32m, at start", f"{before:.1f} MiB")
    figure(f"RSS under --memory 32m, after {REQUESTS:,} requests", f"{now:.1f} MiB (at most {most:.1f} MiB)")
    assert most < MOST_RESIDENT
    assert mock.inspect("{{.State.Running}} {{.State.OOMKilled}}") == "true false"
