"""Metrics, read by the parser of Prometheus' own client; the report."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

COUNTED = ("counter", "histogram")


@pytest.fixture
def scrape(admin):
    """All families by name, and their samples by name and labels."""

    def read():
        response = admin.get("metrics")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = list(text_string_to_metric_families(response.text))
        samples = {}
        for family in families:
            assert family.documentation, family.name
            assert family.type in ("counter", "gauge", "histogram"), family
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in samples, key
                samples[key] = (family.type, sample.value)
        assert len({family.name for family in families}) == len(families)
        return samples

    return read


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())), (None, 0.0))[1]


def test_requests_are_counted_by_rule(scrape, provision, resources, traffic):
    provision("foo-bar", resources("foo-bar"))
    labels = {"rule": "/app/v1/foo/bar", "method": "GET", "status": "200"}
    before = scrape()
    for _ in range(3):
        assert traffic.get("app/v1/foo/bar").status_code == 200
    after = scrape()
    assert value(after, "h1mock_requests_total", **labels) == value(before, "h1mock_requests_total", **labels) + 3
    count = "h1mock_request_duration_seconds_count"
    assert value(after, count) >= value(before, count) + 3
    assert value(after, count) == value(after, "h1mock_request_duration_seconds_bucket", le="+Inf")


def test_no_counter_goes_back_at_an_activation(scrape, provision, resources, traffic):
    provision("foo-bar", resources("foo-bar"))
    traffic.get("app/v1/foo/bar")
    before = scrape()
    provision("other", resources("default"))
    after = scrape()
    for key, (kind, was) in before.items():
        if kind in COUNTED:
            assert after[key][1] >= was, key
    assert value(after, "h1mock_generation") == value(before, "h1mock_generation") + 1


def test_a_broken_provision_shows(scrape, admin, provision, resources):
    provision("foo-bar", resources("foo-bar"))
    before = scrape()
    assert value(before, "h1mock_configured_differs_from_serving") == 0
    refused = admin.post("app/v1/provision/broken", data=b"fn registerRules() { x }", headers={"Content-Type": "text/plain"})
    assert refused.status_code == 422
    after = scrape()
    assert value(after, "h1mock_configured_differs_from_serving") == 1
    assert value(after, "h1mock_load_failures_total") == value(before, "h1mock_load_failures_total") + 1
    provision("foo-bar", resources("foo-bar"))
    assert value(scrape(), "h1mock_configured_differs_from_serving") == 0


def test_the_process_is_described(scrape):
    samples = scrape()
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert value(samples, name) > 0, name
    assert [key for key in samples if key[0] == "h1mock_build_info"]


def test_the_report_is_short_and_begins_with_its_verdict(admin, provision, resources, traffic):
    provision("foo-bar", resources("foo-bar"))
    before = admin.get("app/v1/report").json()
    traffic.get("no/such/path")
    response = admin.get("app/v1/report?fail-on=unmatched")
    assert response.text.startswith('{"verdict":"fail","failed":["unmatched"]')
    assert len(response.content) < 1024
    report = response.json()
    assert report["unmatched"]["count"] == before["unmatched"]["count"] + 1
    assert report["provision"] == "foo-bar"
