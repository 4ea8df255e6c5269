"""The workloads W1 to W5: what is asked, what has to come back, and the script by which wrk asks it."""

import http.client
import json
from typing import NamedTuple

HEADERS = {"Content-Type": "application/json"}
DEADLINE = 20
WORD = "hello"
DELAY_MS = 100

# 1 KB of JSON, as a client of an order service would send it.
ORDER = json.dumps({"customer": "ann", "note": "x" * 866, "positions": [{"article": number, "count": 2} for number in range(4)]})
# Fifty items, of which the answer's 2 KB are made.
ITEMS = [{"name": f"item-{number}", "price": number * 10} for number in range(50)]
LINES = {"lines": [{"label": f"{item['name']} costs {item['price']}", "number": number} for number, item in enumerate(ITEMS)]}


class Workload(NamedTuple):
    name: str
    what: str
    method: str
    path: str
    body: str = ""
    # Rules that a server has to pass over before the one that answers.
    others: int = 0

    def script(self):
        """For wrk; a plain GET needs none."""
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
        """Whether the server sends what the others send: else something else would be compared."""
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
        return {"W2": is_json({"accepted": True}), "W4": is_json(LINES)}.get(self.name, is_json({"greeting": WORD}))(body)


def is_json(expected):
    def test(body):
        try:
            return json.loads(body) == expected
        except ValueError:
            return False
    return test


WORKLOADS = {workload.name: workload for workload in (
    Workload("W1", "GET, a small constant JSON", "GET", "/hello"),
    Workload("W2", "POST of 1 KB of JSON, two headers, one of them random", "POST", "/orders", ORDER),
    Workload("W3-1000", "W1 behind 1,000 other rules", "GET", "/hello", others=1_000),
    Workload("W3-10000", "W1 behind 10,000 other rules", "GET", "/hello", others=10_000),
    Workload("W4", "POST, a body of 2 KB made in a loop from parsed JSON", "POST", "/lines", json.dumps({"items": ITEMS})),
    Workload("W5", "1,000 requests/s over 500 connections, each answered after 100 ms", "GET", "/slow"),
)}
