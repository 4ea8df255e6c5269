"""Calls of podman and of build.sh, each with a deadline, and containers that are gone at the end whatever happens."""

import json
import os
import pathlib
import secrets
import socket
import subprocess
import tarfile
import time

import web

PROJECT = pathlib.Path(__file__).resolve().parents[2]
# Seconds; far more than anything here takes.
DEADLINE = 20
# Names tell whose containers and images these are.
PREFIX = "h1m-image"
# What clusters of the strictest kind impose.
HARDENED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=32m",
    "--pids-limit=32",
)
WRITABLE = "--tmpfs=/app/provision"


def podman(*arguments, code=0, data=None):
    """Standard output of `podman ARGUMENTS`, which must exit with `code`; `data` is standard input."""
    return finished(*arguments, code=code, data=data).stdout


def finished(*arguments, code=0, data=None):
    """Both outputs of `podman ARGUMENTS`, which must exit with `code`."""
    command = ["podman", *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, timeout=DEADLINE)
    said = f"`{' '.join(command)}` exited {done.returncode}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}"
    assert code is None or done.returncode == code, said
    return done


def wait_until(condition, failure, pause=0.01):
    """Asks until the answer is true, and gives it; `failure()` tells why it never came. `pause` is in seconds."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, failure()
        time.sleep(pause)


def free_ports():
    """Two ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Container:
    """A running mock. On the host's network its ports are free ones of 127.0.0.1; on none it is reached by exec alone."""

    def __init__(self, image, *options, network="host", user=None, arguments=()):
        self.name = f"{PREFIX}-{secrets.token_hex(4)}"
        self.traffic, self.admin = free_ports() if network == "host" else (8000, 8074)
        command = ["run", "--detach", "--pull=never", "--name", self.name, f"--network={network}"]
        if network == "host":
            command += ["--env=H1MOCK_BIND=127.0.0.1"]
            arguments = (self.traffic, self.admin, *arguments)
        if user:
            command += [f"--user={user}"]
        try:
            podman(*command, *options, image, *arguments)
            wait_until(self.serves, lambda: f"the mock does not serve: {self.logs()}")
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def serves(self):
        """Whether it has said so. A container that ended is a failure at once."""
        logs = self.logs()
        assert self.inspect("{{.State.Running}}") == "true", f"the mock ended: {logs}"
        return "h1mock 1." in logs

    def inspect(self, template):
        return podman("inspect", "--format", template, self.name).decode().strip()

    @property
    def pid(self):
        return int(self.inspect("{{.State.Pid}}"))

    def logs(self):
        done = finished("logs", self.name, code=None)
        return (done.stdout + done.stderr).decode(errors="replace")

    def exec(self, *command, code=0, data=None):
        """Standard output and error of a command in the container, as text."""
        done = self.exec_bytes(*command, code=code, data=data)
        return done.stdout.decode(), done.stderr.decode()

    def exec_bytes(self, *command, code=0, data=None):
        return finished("exec", "--interactive", self.name, *command, code=code, data=data)

    def get(self, path):
        return web.request(self.traffic, "GET", path)

    def post_provision(self, name, source):
        return web.request(self.admin, "POST", f"/app/v1/provision/{name}", source, {"Content-Type": "text/plain"})

    def ledger(self):
        return web.request(self.admin, "GET", "/app/v1/provision").json()

    def eventually(self, path, text):
        """Waits until the mock answers `text` at `path`."""
        seen = []

        def right():
            seen[:] = [self.get(path)]
            return seen[0].text == text

        wait_until(right, lambda: f"still {seen[0]}: {self.logs()}")

    def stop(self):
        """SIGTERM. Seconds until process 1 is gone, and the exit code."""
        process = pathlib.Path(f"/proc/{self.pid}")
        begin = time.monotonic()
        podman("kill", "--signal=TERM", self.name)
        wait_until(lambda: not process.exists(), lambda: f"process 1 does not end: {self.logs()}")
        seconds = time.monotonic() - begin
        return seconds, int(podman("wait", self.name))

    def remove(self):
        finished("rm", "--force", "--time=0", "--ignore", self.name, code=None)


def build(tag, *arguments, **variables):
    """Calls build.sh for the mock's image under podman."""
    command = [PROJECT / "build.sh", "--engine=podman", "--only=h1mock", *arguments, tag]
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def laid(dockerfile, folder):
    """Lays the files that an image from scratch gets from the project by `dockerfile` into `folder`; gives its configuration."""
    folder.mkdir(parents=True)
    archive, script = folder.with_suffix(".tar"), folder.with_suffix(".Dockerfile")
    script.write_text(dockerfile)
    image = f"{PREFIX}-{secrets.token_hex(4)}"
    try:
        podman("build", "--format=docker", "--layers=false", f"--file={script}", f"--tag={image}", PROJECT)
        config = json.loads(podman("inspect", "--format", "{{json .Config}}", image))
        container = podman("create", "--pull=never", "--network=none", image).decode().strip()
        podman("export", f"--output={archive}", container)
        podman("rm", container)
    finally:
        finished("rmi", "--force", image, code=None)
    with tarfile.open(archive) as files:
        # Python 3.12 and later ask for a filter; nothing here leaves the folder.
        files.extractall(folder, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))
    return config
