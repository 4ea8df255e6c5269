"""One mock in podman, one API server that has it as a pod, one kubectl that knows only that server."""

import os
import pathlib

import pytest
from apiserver.cluster import Cluster
from apiserver.pod import Pod
from apiserver.server import ApiServer
from client import Kubectl, eventually
from container import Container, Mock
from matrix import Matrix

POD = "h1mock-7d9c5b6f4-x2k8p"
NAMESPACE = "ct"
LABELS = {"app.kubernetes.io/name": "h1mock", "app.kubernetes.io/instance": "h1mock"}
MATRIX = pytest.StashKey[Matrix]()
PROVISIONS = pathlib.Path(__file__).resolve().parents[2] / "provisions"


def pytest_configure(config):
    config.stash[MATRIX] = Matrix()


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.section("kubectl")
    for line in config.stash[MATRIX].lines(POD):
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def container(tmp_path_factory):
    container = Container(os.environ["H1MOCK_IMAGE"], tmp_path_factory.mktemp("container"))
    yield container
    container.remove()


@pytest.fixture(scope="session")
def mock(container):
    mock = Mock(container.root(8000), container.root(8074))
    eventually(lambda: ready(mock), bool)
    return mock


def ready(mock):
    try:
        return mock.generation()
    except OSError:
        return None


@pytest.fixture(scope="session")
def kubeconfig(container, mock, tmp_path_factory):
    path = tmp_path_factory.mktemp("kube") / "config"
    with ApiServer(Cluster(NAMESPACE, "h1mock", [Pod(POD, container.name, NAMESPACE, LABELS, "h1mock")])) as server:
        server.write_kubeconfig(path)
        yield path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where kubectl runs; the examples are there as `provisions`."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "provisions").symlink_to(PROVISIONS)
    return folder


@pytest.fixture(scope="session")
def kubectl(kubeconfig, folder, pytestconfig):
    return Kubectl(os.environ.get("KUBECTL", "kubectl"), kubeconfig, folder, pytestconfig.stash[MATRIX])


@pytest.fixture
def pod():
    return POD
