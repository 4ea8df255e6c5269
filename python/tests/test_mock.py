"""The fixture, used by the tests themselves."""

import datetime
import threading
import urllib.error

import pytest
from client import call

import h1mock as package

ONE = 'fn registerRules() { app.get("/one", || "one"); }'


def get(h1mock, path, **headers):
    return call("GET", h1mock.url + path, headers={**h1mock.headers, **headers})


@pytest.fixture(params=["alone", "shared"])
def mock(request):
    """A mock of one test: a whole server, and one that others share."""
    with package.Server.start() as server:
        if request.param == "shared":
            with server.mock(baggage="test=17") as mock:
                yield mock
        else:
            with server.mock() as mock:
                yield mock


def test_the_provision_serves(mock):
    mock.provision(ONE)
    assert get(mock, "/one") == (200, "one")
    mock.provision('fn registerRules() { app.get("/two", || "two"); }', name="other")
    assert get(mock, "/one")[0] == 404
    assert get(mock, "/two") == (200, "two")


def test_a_provision_of_a_file(mock, tmp_path):
    (tmp_path / "shop.rhai").write_text(ONE)
    mock.folder = tmp_path
    mock.provision("shop.rhai")
    assert get(mock, "/one") == (200, "one")
    mock.provision(tmp_path / "shop.rhai")
    with pytest.raises(FileNotFoundError, match=f"there is no file `none.rhai` in `{tmp_path}`"):
        mock.provision("none.rhai")


def test_an_overlay_ends_with_its_block(mock):
    mock.provision(ONE)
    with mock.overlay('fn registerRules() { app.get("/one", || "busy"); }', name="busy"):
        assert get(mock, "/one") == (200, "busy")
    assert get(mock, "/one") == (200, "one")
    mock.verify("GET /one", overlay="busy", count=1)


def test_requests_are_entries(mock):
    mock.provision('fn registerRules() { app.post("/orders/<int:id>", |id| [`order ${id}`, 201]); }')
    call("POST", f"{mock.url}/orders/7?page=2", '{"name": "a", "n": 1}', {**mock.headers, "X-Trace": "t"})
    get(mock, "/none")
    first, second = mock.requests()
    assert (first.method, first.path, first.target, first.status) == ("POST", "/orders/7", "/orders/7?page=2", 201)
    assert (first.header("x-trace"), first.header("x-none"), first.rule) == ("t", None, "/orders/<int:id>")
    assert (first.json(), first.text, first.answer_body) == ({"name": "a", "n": 1}, '{"name": "a", "n": 1}', b"order 7")
    assert (first.unmatched, first.closest, first.raw["endpoint"]) == (None, (), "closure_1_26") or first.raw["endpoint"]
    assert second.unmatched == "no rule matches the path"


@pytest.mark.parametrize(
    "filter, conditions, numbers",
    [
        ("POST /a", {}, [1]),
        ("/a", {}, [1, 2]),
        ({"method!": "POST"}, {}, [2]),
        (None, {"json": {"/name": "7"}}, [1]),
        (None, {"json": {"/name": 7}}, [1]),
        (None, {"json": {"/n": "1"}}, []),
        (None, {"json": {"/list": [1, {"a": None}]}}, [1]),
        ({"json~": {"/name": ["^7", "7$"]}}, {}, [1]),
        (None, {"json": ["/n", "/name"]}, [1]),
        (None, {"header": {"X-Trace": "a b"}, "query": {"tag": ["a", "b+c"]}}, [1]),
        ({"header!": "X-Trace"}, {"status": 404}, [2]),
        ({"status!": [200, 201]}, {"method": "GET"}, [2]),
        (None, {"baggage": {"lane": "left"}}, [1]),
    ],
)
def test_filters_mean_the_same_in_a_list_a_wait_and_a_verification(mock, filter, conditions, numbers):
    begin = mock._since
    body = '{"name": "7", "n": 1, "list": [1, {"a": null}]}'
    baggage = ",".join([*mock.headers.values(), "lane=left"])
    call("POST", f"{mock.url}/a?tag=a&tag=b%2Bc", body, {"X-Trace": "a b", "baggage": baggage})
    get(mock, "/a")
    found = [entry.number - begin for entry in mock.requests(filter, **conditions)]
    assert found == numbers
    if numbers:
        waited = mock.wait(filter, count=len(numbers), timeout=0, **conditions)
        assert [entry.number - begin for entry in waited] == numbers
    # In a query, 7 is the text of these digits as well; in JSON it is the number alone.
    count = 0 if conditions == {"json": {"/name": 7}} else len(numbers)
    mock.verify(filter, count=count, **conditions)


def test_a_failed_verification_names_the_nearest_request(mock):
    mock.provision(ONE)
    get(mock, "/one")
    with pytest.raises(AssertionError, match=r"^0 requests came, not at least 1; nearest: number 1 `GET /one`: method is `GET`, not `POST`$"):
        mock.verify("POST /one")
    with pytest.raises(AssertionError, match="^1 request came, not 2"):
        mock.verify("/one", count=2)
    with pytest.raises(AssertionError, match="^step 2 of 2 did not come"):
        mock.verify(sequence=["GET /one", "/two"])
    mock.verify(sequence=["GET /one"])
    mock.verify("/one", min=1, max=3)


def test_a_wait_returns_the_requests(mock):
    mock.provision(ONE)
    with pytest.raises(AssertionError, match="^0 of 1 request came within 10ms"):
        mock.wait("/one", timeout=0.01)
    thread = threading.Thread(target=get, args=(mock, "/one"))
    thread.start()
    (entry,) = mock.wait("GET /one", timeout=20)
    thread.join()
    assert (entry.path, entry.answer_body) == ("/one", b"one")


def test_chaos_breaks_answers(mock):
    mock.provision(ONE)
    assert len(mock.chaos(path="/one", status=503, times=1, for_="30s")) == 1
    assert get(mock, "/one")[0] == 503
    assert get(mock, "/one")[0] == 200
    mock.chaos({"path": "/one"}, fault="reset")
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        get(mock, "/one")


def test_the_clock_and_the_seed(mock):
    mock.provision('fn registerRules() { app.get("/now", || text(time.time())); app.get("/draw", || text(random.randint(1, 1000000))); }'.replace("text(", "str("))
    mock.clock.freeze("2026-01-01T00:00:00Z")
    assert get(mock, "/now")[1] == "1767225600.0"
    mock.clock.advance(datetime.timedelta(hours=1))
    mock.clock.advance("1s")
    assert mock.clock.now() == datetime.datetime(2026, 1, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)
    mock.clock.freeze(datetime.datetime(2030, 6, 1, 12, 0, 0, 500000))
    assert mock.clock.now() == datetime.datetime(2030, 6, 1, 12, 0, 0, 500000, tzinfo=datetime.timezone.utc)
    mock.clock.at(datetime.date(2031, 1, 1))
    mock.clock.reset()
    assert abs(mock.clock.now() - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)
    mock.clock.speed(60)
    mock.clock.shift("-2h")
    mock.seed(7)
    first = get(mock, "/draw")
    mock.seed(7)
    assert get(mock, "/draw") == first


def test_the_store_is_a_mapping(mock):
    mock.provision(
        'fn registerRules() { app.get("/<key>", |key| jsonify(store.scope(request.baggage.get("test")).get(key))); }'
    )
    mock.store["a/b"] = {"n": [1, None]}
    mock.store["none"] = None
    assert get(mock, "/none") == (200, "null\n")
    assert dict(mock.store) == {"a/b": {"n": [1, None]}, "none": None}
    assert (mock.store["a/b"], "a/b" in mock.store, "b" in mock.store, len(mock.store)) == ({"n": [1, None]}, True, False, 2)
    del mock.store["none"]
    with pytest.raises(KeyError):
        del mock.store["none"]
    mock.store.clear()
    assert mock.store.get("a/b") is None
    assert repr(mock.store) == "Store({})"


def test_an_error_of_a_provision_shows_its_place(mock):
    with pytest.raises(package.ProvisionError) as caught:
        mock.provision('fn registerRules() {\n\tapp.get("/foo", foo);\n}', name="shop")
    name = caught.value.file
    assert str(caught.value) == (
        f"failed to load {'provision' if mock.baggage is None else 'overlay'} `{name}`: line 2, column 18: no variable `foo`\n"
        f"  --> {name}:2:18\n"
        '2 | \tapp.get("/foo", foo);\n'
        "  | \t                ^"
    )
    assert (caught.value.status, caught.value.line, caught.value.column, caught.value.message) == (422, 2, 18, "no variable `foo`")
    assert name.endswith("shop")


def test_a_warning_of_a_provision_is_one_of_python(mock):
    with pytest.warns(package.ProvisionWarning, match=r":2:13: no function `jsonfy`: did you mean `jsonify`\?$") as caught:
        mock.provision('fn registerRules() { app.get("/x", show); }\nfn show() { jsonfy(1) }\n')
    assert caught[0].filename == __file__


def test_a_refused_call_names_its_reason(mock):
    with pytest.raises(package.AdminError, match="^POST /app/v1/verify: 400: failed to parse filter `header=X=1`: `X=1` is no name of a header: write `X: 1`$"):
        mock.verify(header="X=1")
    with pytest.raises(TypeError, match="the condition `path` is given twice"):
        mock.verify("/a", path="/a")


def test_files_last_as_long_as_the_test(tmp_path):
    (tmp_path / "users.json").write_text('["ann"]')
    with package.Server.start() as server:
        with server.mock() as mock:
            mock.folder = tmp_path
            mock.file("users.json", tmp_path / "users.json")
            mock.file("common.rhai", 'fn hello() { "hello" }')
            mock.provision('import "common" as common; fn registerRules() { app.get("/", || [common::hello(), 200]); app.get("/u", || read_json("users.json")); }')
            assert get(mock, "/u") == (200, '["ann"]\n')
            mock.file("users.json", b'["bob"]')
            assert get(mock, "/u") == (200, '["bob"]\n')
        ledger = server.mock().admin.ask("GET", "/app/v1/provision")
        assert ledger["active"]["name"] == "initial"
        assert not {"users.json", "common.rhai", "test"} & {file["name"] for file in ledger["files"]}


def test_a_provision_that_was_there_serves_again(tmp_path):
    (tmp_path / "initial").write_text(ONE)
    with package.Server.start(config_dir=tmp_path) as server:
        for name in ("initial", "test"):
            with server.mock() as mock:
                mock.provision('fn registerRules() { app.get("/two", || "two"); }', name=name)
                mock.provision('fn registerRules() { app.get("/three", || "three"); }', name=name)
                assert get(mock, "/three") == (200, "three")
            assert call("GET", f"{server.url}/one") == (200, "one")
            assert call("GET", f"{server.url}/three")[0] == 404


def test_tests_that_share_a_mock_do_not_meet():
    with package.Server.start() as server, server.mock(baggage="test=a") as a, server.mock(baggage="test=b") as b:
        a.provision(ONE)
        b.provision(ONE.replace('"one"', '"other"'))
        a.overlay('fn registerRules() { app.get("/late", || "late"); }')
        b.overlay('fn registerRules() { app.get("/late", || "later"); }')
        a.chaos(overlay="overlay", status=503)
        assert [get(a, "/late")[0], get(b, "/late")[0]] == [503, 200]
        a.clock.freeze("2026-01-01")
        assert [get(a, "/one"), get(b, "/one")] == [(200, "one"), (200, "other")]
        a.verify("/one", count=1)
        b.reset()
        b.verify(count=0)
        a.verify(count=2)
        assert (b.clock.now().year > 2026 or b.clock.now().month > 1) and a.clock.now().year == 2026
        with pytest.raises(package.Error, match="this test has 2 overlays: name one, such as chaos"):
            a.chaos(fault="reset")
        with pytest.raises(package.Error, match="call provision\\(\\) or overlay\\(\\) before"):
            b.chaos(fault="reset")
        with pytest.raises(package.Error, match="other tests share this mock and its files"):
            b.file("a.json", "{}")
    assert server.started is False


def test_nothing_of_a_test_stays_on_a_shared_mock():
    with package.Server.start() as server:
        with server.mock(baggage="test=a") as mock:
            mock.provision(ONE)
            mock.overlay(ONE, seconds=30)
            mock.chaos(overlay="", status=503)
            mock.clock.freeze()
            mock.seed(1)
            mock.store["a"] = 1
        admin = server.mock().admin
        assert admin.ask("GET", "/app/v1/provision")["overlays"] == []
        assert admin.ask("GET", "/app/v1/chaos")["chaos"] == []
        assert not admin.ask("GET", "/app/v1/clock").get("baggage")
        assert not admin.ask("GET", "/app/v1/random").get("baggage")
        assert admin.ask("GET", "/app/v1/store") == {}


def test_an_initial_that_does_not_load_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "initial").write_text("fn registerRules() { app.get(1, 2) }")
    with pytest.raises(package.Error, match="^GET /readyz: 503: `built-in` is active in place of `initial`: failed to load provision `initial`: line 1"):
        package.Server.start(config_dir=tmp_path)
    # The same on a mock that others started: a test goes back to an empty provision.
    monkeypatch.setattr(package.Server, "wait", lambda *_, **__: None)
    with package.Server.start(config_dir=tmp_path) as server:
        with server.mock() as mock:
            mock.provision(ONE)
            assert get(mock, "/one") == (200, "one")
        assert call("GET", f"{server.url}/one")[0] == 404
        assert mock.admin.ask("GET", "/app/v1/provision")["active"]["name"] == "empty"
