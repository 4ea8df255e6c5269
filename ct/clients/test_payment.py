"""provisions/payment.rhai, as a shop sees it whose receiver of webhooks fails twice."""

import hashlib
import hmac
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest
from mock import DEADLINE, Mock, eventually

KEY = b"secret"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes each webhook, and answers it with the next status of the server's list; at its end with the last."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def shop():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received, server.statuses = [], [200]
        server.url = f"http://127.0.0.1:{server.server_port}/webhooks"
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def mock():
    mock = Mock("payment.rhai")
    yield mock
    mock.close()


def pay(mock, order):
    request = urllib.request.Request(f"{mock.url}/payments", json.dumps(order).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        assert answer.status == 202
        return json.load(answer)


def status(mock, payment):
    with urllib.request.urlopen(f"{mock.url}/payments/{payment['id']}", timeout=DEADLINE) as answer:
        return json.load(answer)["status"]


def advance(mock, seconds):
    mock.ask("PUT", "/clock", {"advance": f"{round(seconds * 1000)}ms"})


def test_a_signed_webhook_comes_after_the_answer_and_again_until_the_shop_takes_it(mock, shop):
    shop.statuses = [500, 503, 200]
    payment = pay(mock, {"amount": 4200, "webhook": shop.url})
    assert payment["status"] == status(mock, payment) == "pending" and not shop.received
    for attempt, seconds in enumerate([2, 0.5, 1], 1):
        advance(mock, seconds)
        eventually(lambda: len(shop.received) == attempt)
        eventually(lambda: len(mock.requests("kind=callback")) == attempt)

    assert status(mock, payment) == "succeeded"
    path, headers, body = shop.received[2]
    assert (path, headers["Content-Type"]) == ("/webhooks", "application/json")
    at, signature = (part.split("=")[1] for part in headers["X-Signature"].split(","))
    assert signature == hmac.new(KEY, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    event = json.loads(body)
    assert event["type"] == "payment.succeeded" and event["payment"]["id"] == payment["id"]
    assert event["payment"]["status"] == "succeeded"
    assert {body for _, _, body in shop.received} == {body}, "each attempt has the same bytes"

    attempts = mock.requests("kind=callback")
    assert [(entry["attempt"], entry["status"], entry["cause"]) for entry in attempts] == [(1, 500, 1), (2, 503, 1), (3, 200, 1)]
    assert {f"http://{dict(entry['headers'])['Host']}{entry['target']}" for entry in attempts} == {shop.url}
    assert len(mock.requests("method=POST")) == 1, "a callback is no request that came"
    assert mock.ask("GET", "/report")["callbacks"] == {"sent": 1, "failed": 0, "waiting": 0}


def test_a_webhook_leaves_two_seconds_after_the_answer_by_itself(mock, shop):
    pay(mock, {"amount": 4200, "webhook": shop.url})
    eventually(lambda: shop.received)


def test_an_amount_that_ends_in_99_is_declined(mock, shop):
    pay(mock, {"amount": 1099, "webhook": shop.url})
    advance(mock, 2)
    eventually(lambda: shop.received)
    assert json.loads(shop.received[0][2])["type"] == "payment.declined"


def test_a_shop_that_never_takes_it_gets_four_attempts(mock, shop):
    shop.statuses = [500]
    pay(mock, {"amount": 4200, "webhook": shop.url})
    for attempt, seconds in enumerate([2, 0.5, 1, 2], 1):
        advance(mock, seconds)
        eventually(lambda: len(mock.requests("kind=callback")) == attempt)
    report = eventually(lambda: (report := mock.ask("GET", "/report"))["callbacks"]["failed"] and report)
    assert report["callbacks"] == {"sent": 1, "failed": 1, "waiting": 0}
    assert len(shop.received) == 4


def test_a_payment_without_an_amount_is_refused_with_the_reason(mock):
    with pytest.raises(urllib.error.HTTPError) as refused:
        pay(mock, {"webhook": "http://shop/webhooks"})
    assert refused.value.code == 400 and "a payment is JSON such as" in refused.value.read().decode()
