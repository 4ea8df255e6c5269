"""The image under test, built once; containers; figures, which are printed at the end."""

import os
import pathlib
import secrets

import pytest
from podman import HARDENED, PREFIX, PROJECT, WRITABLE, Container, build, finished

FIGURES = pytest.StashKey()


def pytest_configure(config):
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[FIGURES]:
        terminalreporter.section("figures")
        for name, value in config.stash[FIGURES]:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def figure(pytestconfig):
    """Notes a figure for the end of the run."""
    return lambda name, value: pytestconfig.stash[FIGURES].append((name, value))


@pytest.fixture(scope="session")
def binary():
    return pathlib.Path(os.environ["H1MOCK_BINARY"])


@pytest.fixture(scope="session")
def image(binary):
    tag = f"{PREFIX}-{secrets.token_hex(4)}"
    built = build(tag, f"--prebuilt={binary}")
    name = f"localhost/testillano/h1mock:{tag}"
    try:
        assert built.returncode == 0, built.stdout + built.stderr
        yield name
    finally:
        finished("rmi", "--force", name, code=None)


@pytest.fixture
def start(image):
    """Starts containers, which end with the test."""
    started = []

    def begin(*options, **settings):
        container = Container(image, *options, **settings)
        started.append(container)
        return container

    yield begin
    for container in started:
        container.remove()


@pytest.fixture(params=["65532", "12345:0"])
def user(request):
    """Of the image, and as OpenShift chooses one."""
    return request.param


@pytest.fixture(params=["tmpfs", "own folder"])
def mock(request, start):
    """A running mock with its provision directory on a tmpfs under the strictest security, or in the image's own folder."""
    if request.param == "tmpfs":
        return start(*HARDENED, WRITABLE)
    return start()


@pytest.fixture(scope="session")
def provisions():
    return PROJECT / "provisions"


def answering(text):
    """A provision that answers `text` at /a."""
    return f'fn registerRules() {{ app.get("/a", a); }}\nfn a() {{ "{text}" }}\n'
