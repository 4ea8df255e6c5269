"""h1mock with Testcontainers for Python: `pip install pytest requests testcontainers`."""

import os

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

IMAGE = os.environ.get("H1MOCK_IMAGE", "testillano/h1mock")

ORDERS = """
fn registerRules() {
    app.post("/orders", || [#{ id: request.json["id"] }, 201]);
}
"""


@pytest.fixture(scope="session")
def ports():
    """The URLs of a running mock: that of the mock itself, and that of its admin port."""
    ready = HttpWaitStrategy(8074, "/readyz").for_status_code(200)
    with DockerContainer(IMAGE).with_exposed_ports(8000, 8074).waiting_for(ready) as container:
        host = container.get_container_host_ip()
        yield [f"http://{host}:{container.get_exposed_port(port)}" for port in (8000, 8074)]


def test_an_order_is_sent_once(ports):
    mock, admin = ports
    requests.delete(f"{admin}/app/v1/all").raise_for_status()
    posted = requests.post(f"{admin}/app/v1/provision/orders", data=ORDERS, headers={"Content-Type": "text/plain"})
    assert posted.status_code == 201, posted.text

    requests.post(f"{mock}/orders", json={"id": 7})  # what the program under test does

    verdict = requests.post(f"{admin}/app/v1/verify", json={"method": "POST", "path": "/orders", "json": {"/id": 7}, "count": 1}).json()
    assert verdict["verdict"] == "pass", verdict["result"]
