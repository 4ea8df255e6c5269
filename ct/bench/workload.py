"""The workloads W1 to W9: the requests, the right answers, and the script for wrk."""

import http.client
import json
from typing import NamedTuple

HEADERS = {"Content-Type": "application/json"}
DEADLINE = 20
WORD = "hello"
DELAY_MS = 100


def compact(value):
    return json.dumps(value, separators=(",", ":"))


# 1 KB of JSON, typical for a client of an order service.
ORDER = json.dumps({"customer": "ann", "note": "x" * 866, "positions": [{"article": number, "count": 2} for number in range(4)]})
# The answer of 2 KB is made of these fifty items.
ITEMS = [{"name": f"item-{number}", "price": number * 10} for number in range(50)]
LINES = {"lines": [{"label": f"{item['name']} costs {item['price']}", "number": number} for number, item in enumerate(ITEMS)]}

# 20 KB of JSON with three hundred articles. A report shows those in stock by kind, cheapest first. Prices repeat, so that the order
# of equal prices is checked.
STOCK = [{"id": number, "name": f"article-{number}", "kind": f"kind-{number * 7 % 10}", "status": "open" if number % 3 else "sold",
          "price": number * 37 % 101} for number in range(300)]
# The stored data before the first request of W7 and W8, and the length of the list of events at which it is cut.
ENTRIES, MOST_EVENTS = 10_000, 20_000
SHOWN = 20
# The answer of the server to which W9 is forwarded: 1 KB. Why only two servers have it.
FORWARDS = "W9 is set up for h1mock and nginx, whose proxy is the measure"
FORWARDED = {"from": "the other server", "text": "x" * 980}


def event(number):
    return {"number": number, "type": "order.changed", "customer": f"customer-{number % 100}", "note": "paid by invoice"}


def events(count):
    return [event(number) for number in range(count)]


def articles(count):
    return {str(number): {"name": f"article-{number}", "price": number * 10, "kind": f"kind-{number % 10}"} for number in range(count)}


class Workload(NamedTuple):
    name: str
    what: str
    method: str
    path: str
    body: str = ""
    # Rules before the one that matches.
    others: int = 0
    # Events and articles in the server.
    entries: int = 0
    # Most connections. For CPU-bound requests, more connections show nothing new.
    most: int = 10_000

    def script(self):
        """The script for wrk. A plain GET needs none."""
        if self.method == "GET":
            return None
        fields = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in HEADERS.items())
        return f"wrk.method = \"{self.method}\"\nwrk.body = [==[{self.body}]==]\n{fields}"

    def ask(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            connection.request(self.method, self.path, self.body or None, HEADERS if self.body else {})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def check(self, subject):
        """Checks that the server sends the same answer as the others, since different answers can't be compared."""
        answers = [self.ask(subject.port) for _ in range(2)]
        for answer, body in answers:
            if answer.status != 200 or not self.right(body):
                raise RuntimeError(f"{subject.name}: {self.name} answers {answer.status} {body[:200]!r}")
            if not answer.getheader("Content-Type", "").startswith("application/json"):
                raise RuntimeError(f"{subject.name}: {self.name} has the type {answer.getheader('Content-Type')}")
        if self.name == "W2":
            tags = {answer.getheader("X-Id") for answer, _ in answers}
            if None in tags or len(tags) < 2 or any(answer.getheader("X-Mock") != "bench" for answer, _ in answers):
                raise RuntimeError(f"{subject.name}: W2 has not the headers X-Mock and a random X-Id")

    def right(self, body):
        try:
            answer = json.loads(body)
        except ValueError:
            return False
        return ends_in_posted(answer) if self.name == "W7" else answer == RIGHT.get(self.name, {"greeting": WORD})


def report():
    """The right answer of W6."""
    there = [item for item in STOCK if item["status"] == "open"]
    kinds = {}
    for item in sorted(there, key=lambda item: item["price"]):
        kinds.setdefault(item["kind"], []).append(item)
    return {"count": len(there), "total": sum(item["price"] for item in there), "kinds": kinds}


def ends_in_posted(shown):
    """Checks that these are the last twenty events: one or more posted ones after those from the start."""
    return any(shown == events(ENTRIES)[ENTRIES - SHOWN + posted:] + [event(ENTRIES)] * posted for posted in range(1, SHOWN + 1))


# The answer of W1, W3 and W5 is the greeting; the answer of W7 must satisfy `ends_in_posted`.
RIGHT = {"W2": {"accepted": True}, "W4": LINES, "W6": report(), "W8": {"id": "7777", "name": "article-7777", "price": 77770},
         "W9": FORWARDED}

WORKLOADS = {workload.name: workload for workload in (
    Workload("W1", "GET, a small constant JSON", "GET", "/hello"),
    Workload("W2", "POST of 1 KB of JSON, two headers, one of them random", "POST", "/orders", ORDER),
    Workload("W3-1000", "W1 behind 1,000 other rules", "GET", "/hello", others=1_000),
    Workload("W3-10000", "W1 behind 10,000 other rules", "GET", "/hello", others=10_000),
    Workload("W4", "POST, a body of 2 KB made in a loop from parsed JSON", "POST", "/lines", json.dumps({"items": ITEMS})),
    Workload("W5", "1,000 requests/s over 500 connections, each answered after 100 ms", "GET", "/slow"),
    Workload("W6", "POST, 300 items of 20 KB of JSON, filtered, sorted and grouped", "POST", "/report", compact({"items": STOCK}), most=32),
    Workload("W7", "POST of an event to a list of 10,000, answered with the last 20", "POST", "/events", compact(event(ENTRIES)),
             entries=ENTRIES, most=32),
    Workload("W8", "GET, one of 10,000 entries of a constant", "GET", "/articles/7777", entries=ENTRIES, most=32),
    Workload("W9", "GET of 1 KB, forwarded to another server", "GET", "/forwarded"),
)}
