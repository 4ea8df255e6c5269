"""Provisioning through the administrative interface, and what the mock answers then."""

HELP = '<a href="https://github.com/testillano/h1mock#how-it-works">help here for mock provisions</a>'


def test_post_of_foo_bar_serves_get_and_post(resources, provision, traffic):
    provision("myprovision", resources("foo-bar"))

    response = traffic.get("app/v1/foo/bar")
    assert response.status_code == 200
    assert response.json() == {"resultCode": 0, "resultData": "answering a get"}

    response = traffic.post("app/v1/foo/bar")
    assert response.status_code == 200
    assert response.json() == {"resultCode": 0, "resultData": "answering a post"}
    assert response.headers["x-version"] == "1.1.0"
    number = response.headers["location"].removeprefix("/app/v1/foo/bar/")
    assert 10000 <= int(number) <= 20000


def test_wrong_method_is_405_with_allow(resources, provision, traffic):
    provision("myprovision", resources("foo-bar"))
    response = traffic.delete("app/v1/foo/bar")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_default_answers_404_with_a_link(resources, provision, traffic):
    provision("other_provision", resources("default"))
    response = traffic.get("app/v1/any/path")
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html"
    assert response.text == HELP


def test_healthz_provision(resources, provision, traffic):
    provision("healthz", resources("healthz"))
    response = traffic.get("healthz")
    assert response.status_code == 200
    assert response.text == "I'm here!"


def test_no_content_type_is_accepted(resources, admin):
    response = admin.post("app/v1/provision/untyped", data=resources("foo-bar").encode())
    assert response.status_code == 201, response.text


def test_other_content_types_are_415(resources, admin):
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        body = resources("foo-bar").encode()
        response = admin.post("app/v1/provision/typed", data=body, headers={"Content-Type": kind})
        assert response.status_code == 415
        assert response.json()["result"].startswith("failed: ")
        assert "text/plain" in response.json()["result"]


def test_content_type_may_have_parameters_and_capitals(resources, admin):
    body = resources("foo-bar").encode()
    response = admin.post("app/v1/provision/typed", data=body, headers={"Content-Type": "Text/Plain; charset=UTF-8"})
    assert response.status_code == 201, response.text


def test_broken_provision_is_422_and_the_last_good_one_serves(resources, provision, admin, traffic):
    provision("good", resources("foo-bar"))
    broken = "fn registerRules() {\n    app.get(\"/x\", nowhere);\n}\n"
    response = admin.post("app/v1/provision/broken", data=broken.encode(), headers={"Content-Type": "text/plain"})
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["file"], error["line"]) == ("broken", 2)
    assert error["source"] == '    app.get("/x", nowhere);'
    assert response.json()["result"].startswith("failed: failed to load provision `broken`: line 2, column ")

    assert traffic.get("app/v1/foo/bar").status_code == 200
    assert admin.get("app/v1/provision/broken").status_code == 404


def test_get_reactivates(resources, provision, admin, traffic):
    provision("first", resources("foo-bar"))
    provision("second", resources("healthz"))
    assert traffic.get("app/v1/foo/bar").status_code == 404

    response = admin.get("app/v1/provision/first")
    assert response.status_code == 200
    assert response.json()["result"] == "success: basename file 'first' has been loaded"
    assert traffic.get("app/v1/foo/bar").status_code == 200


def test_get_of_an_unknown_provision_is_404(admin):
    response = admin.get("app/v1/provision/unknown")
    assert response.status_code == 404
    assert response.json()["result"].startswith("failed: ")


def test_names_cannot_leave_the_directory(resources, admin):
    for name in ("..%2Fescaped", "%2e%2e/escaped", "a/../../escaped", ".hidden"):
        body = resources("foo-bar").encode()
        response = admin.post(f"app/v1/provision/{name}", data=body, headers={"Content-Type": "text/plain"})
        # The client resolves plain dot segments itself and asks for another path.
        assert response.status_code in (400, 404), name
