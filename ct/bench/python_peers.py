"""A mock in Flask under gunicorn, which h1mock replaces. See peer.py."""

import os
import pathlib
import signal
import sys
import sysconfig

from peer import PEERS, Peer, write_entries
from workload import ENTRIES, FORWARDS, MOST_EVENTS, SHOWN

STANDARD_LIBRARY = pathlib.Path(sysconfig.get_path("stdlib"))


class Flask(Peer):
    title = "flask"
    copies = True
    ships = [PEERS / "flask"]
    # The interpreter and its library, without its tests, files for embedding it in C programs, and additional packages.
    runtime = [os.path.realpath(sys.executable),
               *(path for path in STANDARD_LIBRARY.iterdir() if path.name.split("-")[0] not in ("test", "config", "site", "dist"))]
    # gunicorn's manual advises two to four processes for each core. One process uses one core.
    THREADS = 4
    lacks = {"W5": f"time.sleep holds one of gunicorn's {THREADS} threads, and W5 needs a hundred, with which Flask takes "
                   "a tenth more CPU on the other workloads", "W9": FORWARDS}

    @classmethod
    def version(cls):
        flask, gunicorn = (PEERS / "flask/version").read_text().split()[:2]
        return f"{flask.rpartition('=')[2]} under gunicorn {gunicorn.rpartition('=')[2]}"

    STORED = f"""
with open("events.json") as file:
    EVENTS = json.load(file)
with open("articles.json") as file:
    ARTICLES = json.load(file)


@app.post("/events")
def add_event():
    EVENTS.append(request.json)
    if len(EVENTS) >= {MOST_EVENTS}:
        del EVENTS[:-{ENTRIES}]
    return jsonify(EVENTS[-{SHOWN}:])


@app.get("/articles/<id>")
def article(id):
    article = ARTICLES[id]
    return {{"id": id, "name": article["name"], "price": article["price"]}}
"""

    def program(self, count, word):
        return f"""import json
import uuid

from flask import Flask, jsonify, request

app = Flask(__name__)


def other():
    return {{"greeting": "other"}}


for number in range({count}):
    app.add_url_rule(f"/other/{{number}}", f"other-{{number}}", other)


@app.get("/hello")
def hello():
    return {{"greeting": "{word}"}}


@app.post("/orders")
def order():
    return {{"accepted": True}}, 200, {{"X-Mock": "bench", "X-Id": str(uuid.uuid4())}}


@app.post("/lines")
def lines():
    return {{"lines": [{{"label": f"{{item['name']}} costs {{item['price']}}", "number": number}}
                      for number, item in enumerate(request.json["items"])]}}


@app.post("/report")
def report():
    items = [item for item in request.json["items"] if item["status"] == "open"]
    kinds = {{}}
    for item in sorted(items, key=lambda item: item["price"]):
        kinds.setdefault(item["kind"], []).append(item)
    return {{"count": len(items), "total": sum(item["price"] for item in items), "kinds": kinds}}
{self.STORED if self.entries else ""}"""

    def configure(self, folder, count, word):
        if self.entries:
            write_entries(folder, self.entries)
        (folder / "mock.py").write_text(self.program(count, word))

    def command(self, folder):
        # gunicorn's synchronous workers close each connection, so this uses threads. There is one process, since its variables are the
        # mock's state. -B: for compiled files, Python detects changes only by size and by time in seconds.
        return [str(self.ships[0] / "bin/python"), "-B", "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", "1",
                "--worker-class", "gthread", "--threads", str(self.THREADS), "--log-level", "error", "--no-control-socket", "mock:app"]

    def copy(self, count, word):
        """Replaces the file and sends the signal. By default gunicorn does not watch its files, and otherwise only once a second."""
        self.configure(self.folder, count, word)
        self.process.send_signal(signal.SIGHUP)
