"""The two sides: Flask as a WSGI application without a server, and a running h1mock.

No server stands before Flask, since each distorts something: Werkzeug's development server decodes the path as UTF-8,
waitress and gunicorn refuse heads that Flask would read. The environ is made as PEP 3333 says: all texts are Latin-1.
"""

import io
import os
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote_to_bytes

from .answer import Answer, parse
from .table import Case, Group

DEADLINE = 20


def environ(raw: bytes) -> dict:
    """Returns the WSGI environ of a request."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    made = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        made[key] = f"{made[key]},{value.strip()}" if key in made else value.strip()
    return made


class Flask:
    """The application of a group."""

    def __init__(self, group: Group, files: Path):
        import flask
        import flask_cors
        from werkzeug.middleware.proxy_fix import ProxyFix

        app = flask.Flask("mock", static_folder=None, root_path=str(files))
        # JSON of answers is UTF-8 in h1mock. That is stated in docs/from-flask.md, and not a row of its own for each case.
        app.json.ensure_ascii = False
        names = {**vars(flask), "CORS": flask_cors.CORS, "ProxyFix": ProxyFix, "app": app, "FILES": files}
        exec(compile(group.application(), f"<{group.title}>", "exec"), names)
        self.app = app

    def ask(self, raw: bytes) -> Answer:
        method = raw.split(b" ", 1)[0].decode()
        seen = []
        pieces = self.app(environ(raw), lambda status, headers, _=None: seen.append((status, headers)))
        body = b"".join(pieces)
        pieces.close() if hasattr(pieces, "close") else None
        status, headers = seen[-1]
        code, _, reason = status.partition(" ")
        return Answer(int(code), reason, list(headers), b"" if method == "HEAD" else body)


class Mock:
    """A running h1mock with the provision of a group. `fault` says why it does not run."""

    def __init__(self, program: str, group: Group, folder: Path):
        (folder / "initial").write_text(group.provision())
        checked = subprocess.run([program, "check", "initial"], cwd=folder, capture_output=True, text=True)
        self.fault = None if checked.returncode == 0 else f"does not load: {checked.stderr.splitlines()[0]}"
        command = [program, "--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0", "--provision-dir", str(folder)]
        self.log = folder.parent / "log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command + group.flags, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        words = line.replace(",", "").split()
        if "mock" in words:
            host, _, port = words[words.index("mock") + 1].rpartition(":")
            self.address = (host, int(port))
        else:
            self.process.wait(DEADLINE)
            self.fault = "no such flag" if "--" in self.log.read_text() else "does not start"

    def ask(self, raw: bytes) -> Answer:
        if self.fault:
            return Answer(0, self.fault, [], b"")
        received = b""
        with socket.create_connection(self.address, DEADLINE) as connection:
            connection.sendall(raw)
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (ConnectionResetError, TimeoutError):
                received += b""
        return parse(received, raw.split(b" ", 1)[0].decode())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()


def ask_case(side, case: Case) -> Answer:
    """Sends the case. Where it names `{ETag}`, a plain GET of the same target comes first."""
    remembered = {}
    if any("{" in line for line in case.headers if isinstance(line, str)):
        target = case.request.split(" ")[1]
        plain = side.ask(Case("", f"GET {target}", [], b"", [], None).raw({}))
        remembered = {name: plain.header(name) or "" for name in ("ETag", "Last-Modified")}
    return side.ask(case.raw(remembered))


def write_files(folder: Path, files: dict[str, bytes], modified: float) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified, modified))
