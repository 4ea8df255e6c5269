"""The examples of python/README.md and docs/python.md."""

import urllib.error

from h1mock import Entry, Mock

import urllib.request

ORDERS = """
fn registerRules() {
    app.post("/orders", || [#{ state: "new" }, 201]);
}
"""


def test_an_order_is_sent_once(h1mock):
    h1mock.provision(ORDERS)

    # What the program under test does:
    urllib.request.urlopen(f"{h1mock.url}/orders", data=b'{"id": 7}')

    h1mock.verify("POST /orders", json={"/id": 7}, count=1)


def test_the_first_answer_is_late_and_the_second_is_lost(h1mock):
    h1mock.provision(ORDERS)
    h1mock.chaos(path="/orders", delay=20, times=1)
    with h1mock.overlay('fn registerRules() { app.post("/orders", || ["busy", 503]); }', name="busy"):
        try:
            urllib.request.urlopen(f"{h1mock.url}/orders", data=b"{}")
        except urllib.error.HTTPError as error:
            assert error.code == 503
    h1mock.verify(overlay="busy", count=1)


def test_filters(h1mock):
    h1mock.provision(ORDERS)
    request = urllib.request.Request(f"{h1mock.url}/orders?page=2", b'{"id": 7}', {"X-Trace": "t"})
    urllib.request.urlopen(request)
    h1mock.verify("POST /orders", header={"X-Trace": "t"}, query={"page": 2}, json={"/id": 7}, count=1)
    h1mock.verify({"method!": "GET", "body~": "id"}, status=201)
    assert [entry.json()["id"] for entry in h1mock.requests("/orders")] == [7]


def test_without_pytest():
    import h1mock

    with h1mock.Server.start("--explain") as server, server.mock() as mock:
        mock.provision('fn registerRules() { app.get("/hello", || "hello"); }')
        assert urllib.request.urlopen(f"{mock.url}/hello").read() == b"hello"


def test_with_types(h1mock: Mock) -> None:
    requests: list[Entry] = h1mock.requests("GET /orders")
    assert requests == []
