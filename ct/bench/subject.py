"""The measured servers: starts each one, reads its figures from the system, and always ends it.

A subject is a context manager. Its exit ends the process and its children, even after an error. With `stop_on_signal`, SIGTERM
causes the exit too.
"""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_DEADLINE = 20
STOP_DEADLINE = 10


def stop_on_signal():
    """Makes a signal end the script through its `with` blocks, as Control-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def process_clock(pid):
    """CPU nanoseconds of all threads of a process, including ended ones, by clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def process_ticks(pid):
    """CPU nanoseconds by utime + stime of /proc/PID/stat, which counts in steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICK


class Subject:
    """A running server in a temporary folder."""

    # CPU nanoseconds in 50 ms up to which the server counts as at rest.
    resting = 0

    def __init__(self, name, folder, command, path="/hello", **options):
        self.name, self.folder, self.path = name, folder, path
        self.log = open(folder / "log", "w")
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stderr=self.log, text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Sends SIGTERM, and after a deadline SIGKILL to the process and its children."""
        pids = self.pids() if self.process.poll() is None else []
        self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            print(f"{self.name}: did not end by SIGTERM within {STOP_DEADLINE} s, killed", file=sys.stderr)
            for pid in reversed(pids):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(STOP_DEADLINE)
        self.log.close()
        if self.process.stdout:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def announced(self, count):
        """Reads `count` ports from the first line of output. A process without such a line is ended."""
        readable, _, _ = select.select([self.process.stdout], [], [], START_DEADLINE)
        line = self.process.stdout.readline() if readable else ""
        ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", line)]
        if len(ports) != count:
            log = (self.folder / "log").read_text().strip()
            self.stop()
            raise RuntimeError(f"{self.name}: did not start: {log or line or 'it printed no address'}")
        return ports

    def pids(self):
        """The process and all its descendants, parents first."""
        found = [self.process.pid]
        for pid in found:
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    found += map(int, children.read_text().split())
                except OSError:
                    pass  # A thread that ended meanwhile.
        return found

    def cpu(self, clock=process_clock):
        """CPU nanoseconds of the process and its descendants."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name}: ended with status {self.process.returncode}")
        return sum(map(clock, self.pids()))

    def settle(self, seconds=5):
        """Waits until the server uses no CPU for 50 ms, at most `seconds`. Work that a load began is done then."""
        end, before = time.monotonic() + seconds, self.cpu()
        while time.monotonic() < end:
            time.sleep(0.05)
            if -before + (before := self.cpu()) <= self.resting:
                break

    def threads(self):
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in self.pids())

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    def resident(self):
        """Bytes of RSS. Pages shared by its processes count for each process."""
        return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()) * PAGE

    def proportional(self):
        """Bytes of PSS. Pages shared by several processes count in parts."""
        texts = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids())
        return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) for text in texts) * 1024

    def status(self, key):
        """A number from /proc/PID/status."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+)", text).group(1))


def make_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="h1mock-bench-"))


class Mock(Subject):
    """h1mock with one provision and its data files."""

    def __init__(self, binary, source=None, *arguments, name="h1mock", path="/word", files=None):
        folder = make_folder()
        self.directory = folder / "provision"
        self.directory.mkdir()
        (folder / "config").mkdir()
        if source:
            (self.directory / "initial").write_text(source)
        for file, text in (files or {}).items():
            (self.directory / file).write_text(text)
        command = [binary, "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--config-dir", "config", *arguments]
        super().__init__(name, folder, command, path, stdout=subprocess.PIPE)
        self.traffic, self.admin = self.announced(2)
        self.port = self.traffic


class Hello(Subject):
    """A program that answers "hello" and prints its address: the example of our engine, or the same source with the published crate."""

    def __init__(self, binary, name):
        super().__init__(name, make_folder(), [binary], stdout=subprocess.PIPE)
        (self.port,) = self.announced(1)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Nginx(Subject):
    """nginx that answers "hello" without reading files, writing logs or limiting the requests of a connection."""

    def __init__(self, workers=1, name="nginx"):
        folder, port = make_folder(), free_port()
        (folder / "nginx.conf").write_text(f"""daemon off; worker_processes {workers}; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 16384; }}
http {{ access_log off; keepalive_requests 1000000000; default_type text/plain;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "hello"; }} }} }}
""")
        super().__init__(name, folder, ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
        self.port = port
        # Waits for an answer and not only for a connection, since the master listens before its workers run.
        end = time.monotonic() + START_DEADLINE
        while self.threads() <= workers or not self.answers():
            if time.monotonic() > end or self.process.poll() is not None:
                log = "".join(file.read_text() for file in folder.glob("*log"))
                self.stop()
                raise RuntimeError(f"{name}: did not start: {log.strip()}")
            time.sleep(0.01)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return bool(connection.recv(1))
        except OSError:
            return False
