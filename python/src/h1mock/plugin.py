"""The pytest plugin: the fixtures `h1mock` and `h1mock_server`, and a section of the report of failed tests.

It starts a server for each process of pytest-xdist, unless `H1MOCK_URL` and `H1MOCK_ADMIN_URL` name a running one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator
from typing import Any, Optional

import pytest

from h1mock.errors import Error
from h1mock.mock import Mock
from h1mock.report import section
from h1mock.server import Server

OPTIONS = "h1mock_options"
CONFIG_DIR = "h1mock_config_dir"
BAGGAGE = "h1mock_baggage"

MOCK = pytest.StashKey[Mock]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(OPTIONS, "flags of the mock that the plugin starts, such as --explain", type="args", default=[])
    parser.addini(CONFIG_DIR, "folder with provisions and the files that they read, for the mock that the plugin starts", type="paths", default=[])
    parser.addini(BAGGAGE, "share the running mock by this member of the header baggage; under xdist `test`", default="")


@pytest.fixture(scope="session")
def h1mock_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The mock of all tests of this process."""
    try:
        server = find(request.config)
    except Error as error:
        # The reason is in its text. The lines of this package say nothing more.
        pytest.fail(str(error), pytrace=False)
    with server:
        yield server


def find(config: pytest.Config) -> Server:
    """Returns the running mock of the variables, or starts one."""
    url, admin_url = os.environ.get("H1MOCK_URL"), os.environ.get("H1MOCK_ADMIN_URL")
    if bool(url) != bool(admin_url):
        missing, given = ("H1MOCK_ADMIN_URL", "H1MOCK_URL") if url else ("H1MOCK_URL", "H1MOCK_ADMIN_URL")
        raise Error(f"{given} is set without {missing}: a running mock has both, one for each port")
    if url and admin_url:
        server = Server(url, admin_url)
        server.wait()
        if member(config, server) is None:
            server.prepare()
        return server
    folders = config.getini(CONFIG_DIR)
    return Server.start(*config.getini(OPTIONS), config_dir=folders[0] if folders else None)


@pytest.fixture
def h1mock(request: pytest.FixtureRequest, h1mock_server: Server) -> Iterator[Mock]:
    """The mock of one test."""
    key = member(request.config, h1mock_server)
    with h1mock_server.mock(baggage=f"{key}={secrets.token_hex(6)}" if key else None) as mock:
        mock.folder = request.path.parent
        request.node.stash[MOCK] = mock
        yield mock


def member(config: pytest.Config, server: Server) -> Optional[str]:
    """Returns the name of the member of `baggage` by which tests share the server, or None if this process has it alone."""
    if server.started:
        return None
    shared = "test" if "PYTEST_XDIST_WORKER" in os.environ else None
    return str(config.getini(BAGGAGE)) or shared


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    mock = item.stash.get(MOCK, None)
    if mock is None or call.when != "call" or not report.failed:
        return
    try:
        text = section(mock)
    except Error as error:
        # The mock is gone, or its journal is off. The failure of the test is what counts.
        text = str(error)
    report.sections.append(("h1mock", text))
