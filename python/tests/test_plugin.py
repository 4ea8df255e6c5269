"""The plugin in sessions of pytest of its own."""

import pytest

import h1mock

PROVISION = '''
fn registerRules() {
    app.post("/orders", || ["made", 201]);
    app.get("/broken", || { let n = 0; 1 / n });
}
'''
HELPERS = f"""
import urllib.error, urllib.request

PROVISION = '''{PROVISION}'''

def call(h1mock, path, method="GET", headers=None):
    request = urllib.request.Request(h1mock.url + path, method=method, headers=h1mock.headers if headers is None else headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code
"""
ISOLATED = """
import pytest
from helpers import call

@pytest.mark.parametrize("n", range(12))
def test_each_has_its_own_rules(h1mock, n):
    assert call(h1mock, "/n") == 404
    h1mock.provision('fn registerRules() { app.get("/n", || "%d"); }' % n)
    assert call(h1mock, "/n") == str(n)
    h1mock.verify("/n", count=2)
    h1mock.store["n"] = n
    assert dict(h1mock.store) == {"n": n}
    print("baggage", h1mock.baggage)
"""


@pytest.fixture
def session(pytester):
    """Runs pytest on a file of tests; with xdist in a process of its own."""

    def run(tests, *arguments):
        pytester.makepyfile(helpers=HELPERS, test_it=tests)
        run = pytester.runpytest_subprocess if "-n" in arguments else pytester.runpytest_inprocess
        return run("-p", "no:cacheprovider", *arguments)

    return run


def test_a_failure_shows_unmatched_requests_with_their_closest_rules(session):
    result = session(
        """
        from helpers import PROVISION, call

        def test_fails(h1mock):
            h1mock.provision(PROVISION)
            call(h1mock, "/order?page=2", "POST")
            call(h1mock, "/broken")
            h1mock.verify("POST /orders")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>*h1mock.verify("POST /orders")',
            "E*AssertionError: 0 requests came, not at least 1; nearest: number 1 `POST /order?page=2`: path is `/order`, not `/orders`",
            "-* h1mock -*",
            "POST /order[?]page=2: 404, no rule matches the path",
            "    closest: `POST /orders`: `order` is nearly `orders`",
            "GET /broken: 500, *line 4*",
        ]
    )
    # The place is the line of the test, not one of this package.
    result.stdout.no_fnmatch_line("*mock.py:*")


@pytest.mark.parametrize(
    "body, line",
    [
        ("pass", "no request came to http://127.0.0.1:*"),
        ("h1mock.provision(PROVISION); call(h1mock, '/orders', 'POST')", "1 request came, and a rule served each of them:"),
        ("[call(h1mock, f'/{n}') for n in range(12)]", "and 2 more"),
    ],
)
def test_a_failure_says_what_came(session, body, line):
    result = session(f"from helpers import PROVISION, call\ndef test_fails(h1mock):\n    {body}\n    assert False\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["-* h1mock -*", line])


def test_a_test_that_passes_or_needs_no_mock_has_no_section(session):
    result = session("def test_passes(h1mock): pass\ndef test_fails(): assert False\n")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("-* h1mock -*")


def test_each_test_begins_anew(session):
    session(ISOLATED).assert_outcomes(passed=12)


def test_each_worker_of_xdist_has_a_server(session):
    result = session(ISOLATED, "-n", "2", "-rP")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["baggage None"])


def test_a_running_mock_is_used_alone(session, running):
    result = session(ISOLATED, "-rP")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["baggage None"])
    assert running.mock().admin.ask("GET", "/app/v1/report")["requests"] == 24


def test_workers_of_xdist_share_a_running_mock(session, running):
    result = session(ISOLATED, "-n", "2", "-rP")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["baggage test=*"])
    ledger = running.mock().admin.ask("GET", "/app/v1/provision")
    assert (ledger["active"]["name"], ledger["overlays"]) == ("initial", [])
    assert running.mock().admin.ask("GET", "/app/v1/report")["requests"] == 24


def test_one_process_can_share_a_running_mock(session, running):
    result = session(ISOLATED, "-rP", "-o", "h1mock_baggage=lane")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["baggage lane=*"])


def test_a_client_without_the_header_is_told(session, running):
    result = session(
        "from helpers import call\ndef test_fails(h1mock):\n    call(h1mock, '/x', headers={})\n    assert False\n", "-o", "h1mock_baggage=test"
    )
    result.stdout.fnmatch_lines(["no request came to * with the header `baggage: test=*`: the client must send `h1mock.headers`"])


def test_options_and_a_folder_of_the_configuration(session, pytester):
    mocks = pytester.mkdir("mocks")
    (mocks / "initial").write_text('fn registerRules() { app.get("/users", || read_json("users.json")); }')
    (mocks / "users.json").write_text('["ann"]')
    result = session(
        "from helpers import call\ndef test_it(h1mock):\n    assert call(h1mock, '/users') == '[\"ann\"]\\n'\n    h1mock.admin.ask('GET', '/app/v1/clock')\n"
        "    assert h1mock.clock.now().year == 2031\n",
        "-o",
        "h1mock_config_dir=mocks",
        "-o",
        "h1mock_options=--explain --clock 2031-01-01",
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "variables, options, message",
    [
        ({"H1MOCK_URL": "http://127.0.0.1:1"}, (), "H1MOCK_URL is set without H1MOCK_ADMIN_URL: a running mock has both, one for each port"),
        ({"H1MOCK_ADMIN_URL": "http://127.0.0.1:1"}, (), "H1MOCK_ADMIN_URL is set without H1MOCK_URL*"),
        ({"H1MOCK_URL": "a", "H1MOCK_ADMIN_URL": "localhost"}, (), "`localhost` is not a URL such as http://localhost:8074"),
        ({"H1MOCK_BINARY": "/none"}, (), "`/none` (H1MOCK_BINARY) is not a program"),
        ({}, ("-o", "h1mock_options=--traffic-prot 1"), "failed to start the mock: *traffic-prot*"),
        ({}, ("-o", "h1mock_config_dir=none"), "there is no folder `*/none` for the mock's provisions"),
    ],
)
def test_a_mock_that_cannot_be_had_says_why(session, monkeypatch, variables, options, message):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = session("def test_it(h1mock): pass\n", *options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_it*", message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_token_is_sent(session, monkeypatch):
    monkeypatch.setenv("H1MOCK_ADMIN_TOKEN", "secret")
    session("from helpers import call\ndef test_it(h1mock):\n    assert h1mock.admin.send('GET', '/app/v1/provision').status == 200\n").assert_outcomes(passed=1)


def test_variables_of_other_mocks_do_not_count(session, monkeypatch):
    monkeypatch.setenv("H1MOCK_MAX_BODY", "no size")
    session("def test_it(h1mock): pass\n").assert_outcomes(passed=1)


def test_a_server_ends_with_its_session():
    server = h1mock.Server.start()
    server.wait()
    server.stop()
    with pytest.raises(h1mock.Error, match="failed to call the admin port"):
        server.wait(timeout=0)


def test_a_provision_that_does_not_load_is_shown_at_the_line_of_the_test(session):
    result = session("def test_it(h1mock):\n    h1mock.provision('fn registerRules() { app.get(\"/x\", shwo); }')\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*h1mock.provision(*",
            "E*ProvisionError: failed to load provision `test`: line 1, column 36: no variable `shwo`",
            "E * --> test:1:36",
            'E *1 | fn registerRules() { app.get("/x", shwo); }',
            "E * |                                    ^",
        ]
    )
    result.stdout.no_fnmatch_line("*admin.py*")
