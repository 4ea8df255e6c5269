"""What a test asks of the mock: whether the requests came that should have."""

import pytest

ORDERS = """
fn registerRules() { app.post("/orders", create); }
fn create() { ["made", 201] }
"""


@pytest.fixture
def since(admin):
    """The number of the last request before the test."""
    return admin.get("app/v1/requests?limit=0").json()["last"]


def test_an_order_is_sent_once(provision, traffic, admin, since):
    provision("orders", ORDERS)
    traffic.post("orders", json={"id": 7})  # what the program under test does

    came = admin.get("app/v1/requests/wait", params={"path": "/orders", "since": since, "timeout": 5})
    assert came.status_code == 200, came.json()["result"]

    order = {"method": "POST", "path": "/orders", "json": "/id=7", "count": 1, "since": since}
    verdict = admin.get("app/v1/verify", params=order).json()
    assert verdict["verdict"] == "pass", verdict["result"]


def test_a_failure_says_what_came_instead(provision, traffic, admin, since):
    provision("orders", ORDERS)
    traffic.post("orders", json={"id": 8})

    verdict = admin.get("app/v1/verify", params={"path": "/orders", "json": "/id=7", "since": since}).json()
    assert verdict["verdict"] == "fail"
    assert verdict["result"].endswith("`POST /orders`: json /id is `8`, not `7`")
    assert verdict["near"][0]["differs"] == [{"part": "json /id", "expected": "7", "found": "8"}]


def test_requests_come_in_order(provision, traffic, admin, since):
    provision("orders", ORDERS)
    traffic.get("stock")
    traffic.post("orders")

    steps = [{"path": "/stock"}, {"method": "POST", "path": "/orders", "status": 201}]
    verdict = admin.post("app/v1/verify", json={"sequence": steps, "since": since}).json()
    assert verdict["verdict"] == "pass", verdict["result"]
    verdict = admin.post("app/v1/verify", json={"sequence": steps[::-1], "since": since}).json()
    assert verdict["verdict"] == "fail"
    assert verdict["near"][0]["differs"][0]["part"] == "order"


def test_a_wait_tells_what_is_missing(provision, traffic, admin, since):
    provision("orders", ORDERS)
    traffic.post("orders")
    late = admin.get("app/v1/requests/wait", params={"path": "/orders", "count": 2, "since": since, "timeout": 0.1})
    assert late.status_code == 408
    assert late.json()["result"] == "failed: 1 of 2 requests came within 100ms"


def test_filters_that_do_not_parse_are_400(admin):
    response = admin.get("app/v1/verify", params={"path": "orders"})
    assert response.status_code == 400
    assert response.json()["result"].startswith("failed: failed to parse filter `path=orders`: character 6: ")
