"""The servers that `mocks.py` compares, each configured for the workloads as its manual shows. This file has their base class,
h1mock and nginx; npm_peers.py, crate_peers.py and python_peers.py have the others.

All listen on 127.0.0.1 if they can be configured to. Logs with a line for each request are off, as in h1mock; journals stay on if
they are on by default. A workload that a server can't express is in its `lacks`, with the reason.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from subject import START_DEADLINE, Subject, free_port, make_folder
from workload import DELAY_MS, ENTRIES, FORWARDED, MOST_EVENTS, SHOWN, WORD, articles, compact, events

PEERS = pathlib.Path(__file__).resolve().parent / ".peers"
# Servers that ct/bench/peers could not install, with the reason.
SKIPPED = PEERS / "skipped"
RELOAD_RULES = 20
JSON = {"Content-Type": "application/json"}


def greeting(word):
    return compact({"greeting": word})


def others(count):
    """The rules before the one that matches."""
    return [f"/other/{number}" for number in range(count)]


def write_entries(folder, count):
    """The data of W7 and W8, for servers that read files."""
    (folder / "events.json").write_text(compact(events(count)))
    (folder / "articles.json").write_text(compact(articles(count)))


class Peer(Subject):
    """A mock server with a configuration file, its own ports, and possibly ways to get new rules while it runs.

    `count` are other rules before the one that answers, `entries` the events and articles of W7 and W8, which are rules only then.
    """

    title = ""
    lacks = {}
    # The port of the server to which W9 is forwarded; without it, there is no rule for W9.
    upstream = None
    # CPU time of an idle runtime counts as rest, up to 2 % of a core.
    resting = 1_000_000
    # Files and folders to ship, and those that must be on the machine besides.
    ships, runtime = [], []
    # Whether the server has `post` and `copy`.
    posts = copies = False

    def __init__(self, count=0, word=WORD, reload=False, entries=0):
        self.port, self.admin, self.reload, self.entries = free_port(), free_port(), reload, entries
        folder = make_folder()
        self.configure(folder, count, word)
        super().__init__(self.title, folder, self.command(folder), stdout=subprocess.DEVNULL)

    @classmethod
    def missing(cls):
        """The reason why the server can't be measured, or None."""
        for file in [*cls.ships, *cls.runtime]:
            if not file or not os.path.exists(file):
                told = [line.partition(": ")[2] for line in SKIPPED.read_text().splitlines() if line.startswith(f"{cls.title}:")] \
                    if SKIPPED.exists() else []
                return told[0] if told else "is not there; ct/bench/peers installs it"
        return None

    @classmethod
    def version(cls):
        return (PEERS / cls.title / "version").read_text().strip().rpartition("@")[2]

    def sends(self, word):
        """Whether the first workload is answered with that word, on a new connection."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                got = b""
                while part := connection.recv(65536):
                    got += part
                    if got.startswith(b"HTTP/1.1 200 ") and greeting(word).encode() in got:
                        return True
                return False
        except OSError:
            return False

    def await_answer(self, word=WORD, since=None, deadline=START_DEADLINE * 6):
        """Seconds since the start, or since that moment, until the word is served. The pauses between requests grow."""
        since = since or self.began
        while not self.sends(word):
            passed = time.perf_counter() - since
            if passed > deadline or self.process.poll() is not None:
                log = (self.folder / "log").read_text(errors="replace")[-500:].strip()
                raise RuntimeError(f"{self.name}: does not answer {word} after {passed:.0f} s: {log or 'it says nothing'}")
            time.sleep(min(max(passed / 100, 0.0002), 0.05))
        return time.perf_counter() - since

    def await_ready(self):
        """Prepares for `post`, while the rules of the file serve."""
        self.await_answer("started")

    def send(self, method, path, body, headers=JSON, port=None):
        """Sends a request to the administrative interface."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.admin, timeout=START_DEADLINE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{self.name}: {method} {path} answers {answer.status} {text[:300]!r}")
            return text
        finally:
            connection.close()


class H1mock(Peer):
    title = "h1mock"
    posts = copies = True
    resting = 0

    @classmethod
    def version(cls):
        return subprocess.run([*cls.ships, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout.split()[-1]

    # Rules of W7 and W8, and their functions.
    STORED_RULES = """    app.post("/events", add_event);
    app.get("/articles/<id>", article);
    store["events"] = read_json("events.json");
"""
    STORED = f"""
const ARTICLES = read_json("articles.json");

fn add_event() {{
    if store.append("events", request.json) >= {MOST_EVENTS} {{
        store.update("events", |events| events.extract(-{ENTRIES}));
    }}
    store.slice("events", -{SHOWN})
}}

fn article(id) {{
    let article = ARTICLES[id];
    #{{ id: id, name: article.name, price: article.price }}
}}
"""

    @classmethod
    def provision(cls, count, word, entries=0):
        forwards = f'    app.forward("/forwarded", "http://127.0.0.1:{cls.upstream}");\n' if cls.upstream else ""
        rules = "".join(f'    app.get("{path}", other, #{{ endpoint: "{path[1:]}" }});\n' for path in others(count))
        return f"""fn registerRules() {{
{rules}    app.get("/hello", hello);
    app.post("/orders", order);
    app.post("/lines", lines);
    app.get("/slow", slow);
    app.post("/report", report);
{forwards}{cls.STORED_RULES if entries else ""}}}

fn hello() {{ #{{ greeting: "{word}" }} }}
fn other() {{ #{{ greeting: "other" }} }}
fn order() {{ [#{{ accepted: true }}, 200, #{{ "X-Mock": "bench", "X-Id": uuid.uuid4() }}] }}
fn slow() {{ jsonify(#{{ greeting: "{WORD}" }}).delay({DELAY_MS}) }}

fn lines() {{
    let lines = [];
    for (item, number) in request.json.items {{
        lines.push(#{{ label: `${{item.name}} costs ${{item.price}}`, number: number }});
    }}
    #{{ lines: lines }}
}}

fn report() {{
    let items = where(request.json.items, #{{ status: "open" }});
    #{{ count: items.len(), total: sum(items, "price"), kinds: group_by(sorted(items, "price"), "kind") }}
}}
{cls.STORED if entries else ""}"""

    @classmethod
    def write(cls, folder, count, word, entries):
        (folder / "provision").mkdir()
        (folder / "config").mkdir()
        if entries:
            write_entries(folder / "provision", entries)
        (folder / "provision" / "initial").write_text(cls.provision(count, word, entries))

    def configure(self, folder, count, word):
        self.write(folder, count, word, self.entries)

    def command(self, folder):
        return [*self.ships, "--bind", "127.0.0.1", "--traffic-port", str(self.port), "--admin-port", str(self.admin),
                "--config-dir", "config"]

    def post(self, count, word):
        self.send("POST", "/app/v1/provision/posted", self.provision(count, word), {"Content-Type": "text/plain"})

    def copy(self, count, word):
        (self.folder / "provision" / "copied").write_text(self.provision(count, word))


class Nginx(Peer):
    """nginx with exact locations that return a text: no mock server, but the least cost of a request."""

    title = "nginx"
    copies = True
    resting = 0
    ships = [shutil.which("nginx")]
    lacks = {"W4": "nginx has no loop without a module for scripts", "W5": "nginx has no delay of answers without a module",
             "W6": "nginx reads no JSON without a module for scripts", "W7": "nginx keeps nothing between requests without a module",
             "W8": "nginx can map a path to a text, but reads no field of an entry"}

    @classmethod
    def version(cls):
        done = subprocess.run(["nginx", "-v"], capture_output=True, text=True, timeout=10, check=True)
        return done.stderr.strip().rpartition("/")[2]

    def configure(self, folder, count, word):
        to = f"upstream other {{ server 127.0.0.1:{self.upstream}; keepalive 512; keepalive_requests 1000000000; }}"
        forwards = """    location = /forwarded { proxy_pass http://other; proxy_http_version 1.1; proxy_set_header Connection ""; }
"""
        other, forwards = (to, forwards) if self.upstream else ("", "")
        rules = "".join(f"    location = {path} {{ return 200 '{greeting('other')}'; }}\n" for path in others(count))
        (folder / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json; {other}
  server {{ listen 127.0.0.1:{self.port} backlog=4096;
{rules}{forwards}    location = /hello {{ return 200 '{greeting(word)}'; }}
    location = /orders {{ add_header X-Mock bench; add_header X-Id $request_id; return 200 '{{"accepted":true}}'; }} }} }}
""")

    def command(self, folder):
        return [*self.ships, "-p", str(folder), "-c", str(folder / "nginx.conf")]

    def copy(self, count, word):
        """Replaces the file and sends the signal, since nginx does not watch its file."""
        self.configure(self.folder, count, word)
        self.process.send_signal(signal.SIGHUP)


class Other(Nginx):
    """The server to which W9 is forwarded: one nginx for all. Its CPU time counts for nobody."""

    def configure(self, folder, count, word):
        (folder / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json;
  server {{ listen 127.0.0.1:{self.port} backlog=4096; location = /hello {{ return 200 '{greeting(word)}'; }}
    location = /forwarded {{ return 200 '{compact(FORWARDED)}'; }} }} }}
""")


def bytes_of(path):
    """The bytes of a file, or of all files of a folder."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
