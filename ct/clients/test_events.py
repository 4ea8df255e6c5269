"""provisions/events.rhai, as the EventSource of a browser sees it from a page of another origin."""

import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import urllib.request
from functools import partial

import pytest
from mock import DEADLINE, Mock, eventually

HERE = pathlib.Path(__file__).parent


class Page(http.server.SimpleHTTPRequestHandler):
    """Serves the page, and collects its reports."""

    def do_POST(self):
        self.server.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def mock():
    mock = Mock("events.rhai")
    yield mock
    mock.close()


@pytest.fixture
def page():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Page, directory=HERE)) as server:
        server.reports = []
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def browse():
    """Shows a page in a browser without a window."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browsers = []

        def show(url):
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={profile}"]
            program = shutil.which("chromium") or pytest.fail("`chromium` is needed: run .ci/tools chromium")
            browsers.append(subprocess.Popen([program, *options, url], stderr=subprocess.DEVNULL))

        yield show
        for browser in browsers:
            browser.terminate()
            browser.wait(DEADLINE)


def publish(mock, event):
    request = urllib.request.Request(f"{mock.url}/events", json.dumps(event).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)["id"]


def test_a_page_of_another_origin_sees_each_event_once(mock, page, browse):
    browse(f"http://127.0.0.1:{page.server_port}/events.html?mock={mock.url}")

    def wait_for(opened, *ids):
        """Waits until the page has connected so often, and has seen these events and no others."""
        eventually(lambda: sum(report["type"] == "open" for report in page.reports) >= opened and [event["id"] for event in events()] == list(ids))

    def events():
        return [report for report in page.reports if report.get("id")]

    wait_for(1)
    assert publish(mock, {"event": "price", "data": {"tea": 3}}) == 1
    assert publish(mock, {"data": "two\nlines"}) == 2
    # The stream ends after 5 s, and the browser connects again.
    wait_for(2, "1", "2")
    assert publish(mock, {"event": "price", "data": {"tea": 4}}) == 3
    wait_for(2, "1", "2", "3")
    assert [(event["type"], event["data"]) for event in events()] == [("price", '{"tea":3}'), ("message", "two\nlines"), ("price", '{"tea":4}')]
    assert {event["origin"] for event in events()} == {mock.url}
    # 0 is CONNECTING: the browser doesn't give up.
    assert {report["state"] for report in page.reports if report["type"] == "error"} == {0}
    first, *others = [dict(entry["headers"]) for entry in mock.requests("method=GET&path=/events")]
    assert first["Origin"] == f"http://127.0.0.1:{page.server_port}" and "Last-Event-ID" not in first
    assert "2" in [headers.get("Last-Event-ID") for headers in others]
