"""A running mock for the tests of the plugin, and the files of the project."""

import pathlib

import pytest

import h1mock

pytest_plugins = ["pytester"]
PROJECT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    """The tests decide themselves which mock the plugin uses."""
    for name in ("H1MOCK_URL", "H1MOCK_ADMIN_URL", "H1MOCK_ADMIN_TOKEN", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def running(monkeypatch):
    """A mock that others started, as the variables name it."""
    with h1mock.Server.start() as server:
        monkeypatch.setenv("H1MOCK_URL", server.url)
        monkeypatch.setenv("H1MOCK_ADMIN_URL", server.admin_url)
        yield server


@pytest.fixture
def project():
    return PROJECT
