"""Probes of the administrative interface."""


def test_admin_is_alive(admin):
    response = admin.get("healthz")
    assert response.status_code == 200
    assert response.text == ""


def test_admin_is_ready(admin):
    assert admin.get("readyz").status_code == 200
