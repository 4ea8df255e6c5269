"""Load on a subject: wrk to measure time and CPU, own keep-alive connections to count or hold requests."""

import contextlib
import re
import selectors
import socket
import subprocess
import time
from typing import NamedTuple

# wrk's units in seconds.
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
ANSWER_DEADLINE = 5
# When wrk's connections are checked, in seconds before the end of its run; and when a missing answer is a fault, in milliseconds.
BEFORE_END = 0.3
UNSERVED_AFTER = 500
# Least answers for each connection. With fewer, the requests that wrk leaves unanswered at its end would distort the figures.
SLOW = 20
# Python's socket module has this constant since 3.12. With it, connect chooses the port, by the whole address.
IP_BIND_ADDRESS_NO_PORT = 24


class Run(NamedTuple):
    """wrk's results for one subject."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int
    # Connections that had waited for an answer for half a second or longer, near the end.
    unserved: int


def wrk(port, path, connections, seconds, script=None):
    """Runs one thread of wrk with so many keep-alive connections. With a script, wrk sends other requests than GET."""
    scripted = ["-s", script] if script else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *scripted, f"http://127.0.0.1:{port}{path}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds - BEFORE_END)
        unserved = count_unserved(port)
        out, fault = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=10)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {fault.strip() or out.strip()}")
    return read_wrk(out, unserved)


def count_unserved(port):
    """Counts connections without an answer by `ss`, which shows the time since the server last sent. wrk counts only late answers."""
    command = ["ss", "-Htnio", "state", "established", "sport", "=", f":{port}"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    return sum(int(since) >= UNSERVED_AFTER for since in re.findall(r"lastsnd:(\d+)", text))


def read_wrk(text, unserved=0):
    """Parses wrk's report. Errors are socket errors, answers after more than 2 s, and other statuses."""
    def percentile(number):
        value, unit = re.search(rf"^\s+{number}%\s+([\d.]+)(\w+)\s*$", text, re.M).groups()
        return float(value) * UNITS[unit]

    errors = 0
    if line := re.search(r"Socket errors: (.*)", text):
        errors += sum(map(int, re.findall(r"\d+", line.group(1))))
    if line := re.search(r"Non-2xx or 3xx responses: (\d+)", text):
        errors += int(line.group(1))
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if not requests:
        raise RuntimeError(f"wrk: no request was answered:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return Run(requests, rate, percentile(50), percentile(99), errors, unserved)


class Measured(NamedTuple):
    """Runs wrk. Also returns the CPU microseconds of the server for each request."""

    cpu: float
    run: Run


def measure(subject, connections, seconds, path=None, script=None, rest=5):
    """The CPU time until the server is at rest, or for `rest` seconds more. Includes opening and closing of connections.

    A slow server answers for a while what wrk does not wait for any more; then its CPU counts to the end of wrk.
    """
    before = subject.cpu()
    run = wrk(subject.port, path or subject.path, connections, seconds, script)
    ended = subject.cpu()
    subject.settle(rest)
    after = ended if run.requests < SLOW * connections else subject.cpu()
    return Measured((after - before) / 1000 / run.requests, run)


class Answer(NamedTuple):
    status: int
    head: str
    body: bytes


class Connection:
    """A keep-alive connection that requests the same path repeatedly."""

    def __init__(self, subject, source=None, timeout=ANSWER_DEADLINE):
        self.subject = subject
        self.request = f"GET {subject.path} HTTP/1.1\r\nHost: 127.0.0.1:{subject.port}\r\n\r\n".encode()
        self.got = b""
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source:
                self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                self.socket.bind((source, 0))
            self.socket.connect(("127.0.0.1", subject.port))
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self):
        self.socket.sendall(self.request)

    def receive(self):
        """Reads once. Returns the answer when it is complete, else None."""
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError(f"{self.subject.name}: closed the connection")
        self.got += got
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return None
        length = re.search(rb"(?im)^content-length:\s*(\d+)\s*$", head)
        if not length:
            raise ConnectionError(f"{self.subject.name}: an answer without Content-Length: {head!r}")
        length = int(length.group(1))
        if len(body) < length:
            return None
        self.got = body[length:]
        return Answer(int(head.split(b" ", 2)[1]), head.decode("latin-1"), body[:length])

    def ask(self):
        """Sends a request and returns its answer."""
        self.send()
        while True:  # Each round reads something or ends by the socket's timeout.
            if answer := self.receive():
                return answer


def ask_all(connections, times, seconds=60):
    """Sends `times` requests on each connection, on all connections at once. The next request follows each answer."""
    left = dict.fromkeys(connections, times)
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        while any(left.values()):
            ready = selector.select(ANSWER_DEADLINE)
            if not ready or time.monotonic() > end:
                raise TimeoutError(f"{connections[0].subject.name}: {sum(map(bool, left.values()))} connections wait for an answer")
            for key, _ in ready:
                connection = key.data
                if connection.receive():
                    left[connection] -= 1
                    if left[connection]:
                        connection.send()
