"""Memory while clients send large bodies: what `--max-buffered` promises holds on the static program, in a container too."""

import pathlib
import re
import socket
import subprocess
import threading
import time
from collections import Counter

import pytest
import web
from podman import HARDENED, WRITABLE, free_ports, wait_until

SECONDS = 2
BODY = 7 << 20
POST = b"POST /any HTTP/1.1\r\nHost: 127.0.0.1\r\n"
BY_LENGTH = POST + b"Content-Length: %d\r\n\r\n" % BODY + b"x" * BODY
IN_CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * (BODY // 65536) + b"0\r\n\r\n"
# MiB.
BUFFERED, JOURNAL, REST = 8, 2, 8
MOST_RESIDENT = 1.5 * BUFFERED + JOURNAL + REST


def send(port, request):
    """Sends a request on a connection of its own; gives the status, or the error that came in its place."""
    with socket.create_connection(("127.0.0.1", port), timeout=web.DEADLINE) as connection:
        try:
            connection.sendall(request)
        except ConnectionError:
            # It was refused before all of it was sent; the answer may be there all the same.
            pass
        try:
            return connection.recv(12)[9:].decode()
        except ConnectionError as error:
            return type(error).__name__


def crowd(port, clients, request):
    """So many clients send the request again and again for some seconds; gives how often each status came."""
    statuses, lock, end = Counter(), threading.Lock(), time.monotonic() + SECONDS

    def client():
        while time.monotonic() < end:
            status = send(port, request)
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def most_resident(pid):
    """The most MiB that a process has had."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M).group(1)) / 1024


@pytest.fixture
def program(binary, tmp_path):
    """The program outside of a container: its process and its port. 404 answers each request, so none is kept by a script."""
    traffic, admin = free_ports()
    limits = [f"--max-buffered={BUFFERED}M", f"--journal-bytes={JOURNAL}M", "--workers=4"]
    command = [binary, "--bind=127.0.0.1", *limits, str(traffic), str(admin)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: web.request(admin, "GET", "/readyz").status == 200, lambda: "the mock does not start")
            yield process, traffic
        finally:
            process.kill()


@pytest.mark.parametrize("request_", [BY_LENGTH, IN_CHUNKS], ids=["length", "chunks"])
@pytest.mark.parametrize("clients", [1, 4, 8, 16, 32, 64])
def test_memory_of_bodies_is_bounded(program, clients, request_, figure):
    process, port = program
    statuses = crowd(port, clients, request_)
    most = most_resident(process.pid)
    figure(f"most RSS, {clients} clients with bodies of 7 MB", f"{most:.1f} MiB, {dict(statuses)}")
    assert most <= MOST_RESIDENT
    assert statuses["404"] > 0, statuses
    if clients == 1:
        assert set(statuses) == {"404"}


def test_a_body_of_the_full_limit_fits(program):
    _, port = program
    body = 8 << 20
    assert send(port, POST + b"Content-Length: %d\r\n\r\n" % body + b"x" * body) == "404"


def test_a_container_of_32_mib_survives_64_clients(start):
    mock = start(*HARDENED, WRITABLE)
    statuses = crowd(mock.traffic, 64, BY_LENGTH)
    assert statuses["404"] > 0, statuses
    assert mock.inspect("{{.State.Running}} {{.State.OOMKilled}}") == "true false"
    assert mock.get("/any").status == 404
