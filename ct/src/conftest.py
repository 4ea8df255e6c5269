"""What the component tests share: the two endpoints of the mock, the provisions to send, waiting with a deadline."""

import os
import pathlib
import time

import pytest
import requests

HOST = os.environ["H1MOCK_SERVICE_HOST"]
ADMIN = os.environ["H1MOCK_SERVICE_PORT_HTTP_ADMIN"]
TRAFFIC = os.environ["H1MOCK_SERVICE_PORT_HTTP_TRAFFIC"]

# Beside the tests in the image, whose folder has no grandparent; in the project's folder otherwise.
RESOURCES = pathlib.Path(os.environ.get("H1MOCK_RESOURCES") or pathlib.Path(__file__).parents[2] / "provisions")
# Seconds: far more than a reload takes, so that a slow machine is no failure.
DEADLINE = 10


class Endpoint:
    """One port of the mock. Paths are relative to its root; every request has a timeout."""

    def __init__(self, port):
        host = f"[{HOST}]" if ":" in HOST else HOST
        self.root = f"http://{host}:{port}/"

    def __getattr__(self, method):
        def send(path, **options):
            return requests.request(method.upper(), self.root + path, timeout=DEADLINE, **options)

        return send


@pytest.fixture(scope="session")
def admin():
    return Endpoint(ADMIN)


@pytest.fixture(scope="session")
def traffic():
    return Endpoint(TRAFFIC)


@pytest.fixture(scope="session")
def resources():
    """The text of a provision in `provisions/`."""
    return lambda name: (RESOURCES / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def directory():
    """The provision directory of the mock, where it is on this machine."""
    path = os.environ.get("H1MOCK_PROVISION_DIR")
    if not path:
        pytest.skip("H1MOCK_PROVISION_DIR is not set: the mock's provision directory is elsewhere")
    return pathlib.Path(path)


@pytest.fixture
def provision(admin):
    """Posts a provision and checks that it is taken."""

    def post(name, source):
        response = admin.post(f"app/v1/provision/{name}", data=source.encode(), headers={"Content-Type": "text/plain"})
        assert response.status_code == 201, response.text
        assert response.json()["result"] == f"success: basename file '{name}' has been loaded"
        return response.json()["generation"]

    return post


@pytest.fixture
def eventually():
    """Asks again until the answer is right; the last answer is in the failure."""

    def wait(ask, right):
        end = time.monotonic() + DEADLINE
        while True:
            answer = ask()
            if right(answer):
                return answer
            assert time.monotonic() < end, f"still {answer.status_code}: {answer.text}"
            time.sleep(0.02)

    return wait
