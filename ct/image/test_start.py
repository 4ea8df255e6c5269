"""The image starts for any user under the strictest security, serves, is found healthy, stops."""

import socket

import pytest
import web
from conftest import answering
from podman import HARDENED, WRITABLE, finished, free_ports, podman

HELP = '<a href="https://github.com/testillano/h1mock#how-it-works">help here for mock provisions</a>'
# From SIGTERM until process 1 is gone, podman's own call included.
MOST_SECONDS_TO_STOP = 1


def test_under_the_strictest_security_it_serves_both_ports_and_stops(start, user, figure):
    mock = start(*HARDENED, WRITABLE, user=user)
    assert (mock.get("/any").status, mock.get("/any").text) == (404, HELP)
    assert web.request(mock.admin, "GET", "/readyz").status == 200
    assert mock.post_provision("sent", answering("posted")).status == 201
    assert mock.get("/a").text == "posted"
    # A client that keeps its connection open for a next request delays nothing.
    with socket.create_connection(("127.0.0.1", mock.traffic)):
        seconds, code = mock.stop()
    assert code == 143
    assert seconds < MOST_SECONDS_TO_STOP
    figure(f"SIGTERM to end, user {user}", f"{seconds * 1000:.0f} ms")


def test_the_folder_of_the_image_is_writable_for_any_user(start, user):
    mock = start(user=user)
    assert mock.post_provision("sent", answering("posted")).status == 201
    assert {file["name"] for file in mock.ledger()["files"]} == {"initial", "sent"}
    assert mock.stop()[1] == 143


def test_without_a_writable_folder_it_serves_what_it_has_and_says_so(start):
    mock = start(*HARDENED)
    assert mock.get("/any").text == HELP
    refused = "to the provision directory `/app/provision`: read-only file system; mount a writable volume there or choose another"
    assert f"WARN  failed to write `initial` {refused} folder by `--provision-dir`" in mock.logs()
    answer = mock.post_provision("sent", answering("posted"))
    assert answer.status >= 500
    assert f"failed to write `sent` {refused}" in answer.json()["result"]
    assert mock.get("/any").text == HELP


def test_more_workers_than_the_system_grants_is_no_failure(start):
    mock = start(*HARDENED, WRITABLE, arguments=("--workers", "64"))
    assert "of 64 mock workers serve: resource temporarily unavailable" in mock.logs()
    # Some threads are left for what kubectl runs in the container.
    for _ in range(5):
        mock.exec("h1mock", "probe")
    assert mock.get("/any").status == 404
    assert mock.post_provision("sent", answering("posted")).status == 201
    assert mock.get("/a").text == "posted"
    assert mock.stop()[1] == 143


def test_without_a_network_it_is_reached_by_exec(start):
    mock = start(*HARDENED, WRITABLE, network="none")
    mock.exec("h1mock", "probe")
    mock.exec("h1mock", "wait", "--timeout", "5")
    out, err = mock.exec("h1mock", "get", "http://localhost:8000/any", code=1)
    assert (out, err) == (HELP, "h1mock: failed to get `http://localhost:8000/any`: 404 Not Found\n")


def test_its_ports_can_be_published(start):
    traffic, admin = free_ports()
    mock = start(f"--publish=127.0.0.1:{traffic}:8000", f"--publish=127.0.0.1:{admin}:8074", network="bridge")
    mock.traffic, mock.admin = traffic, admin
    assert mock.get("/any").text == HELP
    assert mock.post_provision("sent", answering("posted")).status == 201
    assert mock.get("/a").text == "posted"


def health(mock):
    """Exit code of the check that the image has, and the status that podman takes from it."""
    done = finished("healthcheck", "run", mock.name, code=None)
    return done.returncode, mock.inspect("{{.State.Health.Status}}")


@pytest.mark.parametrize("network", ["none", "host"])
def test_it_is_found_healthy(start, network):
    # On the host's network its ports are arguments of process 1, and the probe has to find them there.
    assert health(start(*HARDENED, WRITABLE, network=network)) == (0, "healthy")


def test_it_is_not_healthy_while_it_is_not_ready(start, tmp_path):
    mock = start(*HARDENED, WRITABLE, network="none", arguments=("--require-provision", "late"))
    # Not `unhealthy` yet: that takes three failures after the start period.
    assert health(mock) == (1, "starting")
    (tmp_path / "late").write_text(answering("here"))
    podman("cp", tmp_path / "late", f"{mock.name}:/app/provision")
    mock.exec("h1mock", "wait", "--timeout", "10")
    assert health(mock) == (0, "healthy")


@pytest.mark.parametrize("arguments", [("8000", "8074", "verbose"), ("8000", "8074", "verbose", "true"), ("8001",), ()])
def test_arguments_are_the_positions_of_the_original(start, arguments):
    mock = start(network="none", arguments=arguments)
    banner = mock.logs()
    traffic = arguments[0] if arguments else "8000"
    address = "[::]" if len(arguments) > 3 else "0.0.0.0"
    assert f"mock {address}:{traffic}, admin {address}:8074" in banner
    _, err = mock.exec("h1mock", "get", f"http://127.0.0.1:{traffic}/any", code=1)
    assert err == f"h1mock: failed to get `http://127.0.0.1:{traffic}/any`: 404 Not Found\n"
    assert ("/any" in mock.logs()) == (len(arguments) > 2)


def test_wrong_usage_ends_with_2(image):
    done = finished("run", "--rm", "--pull=never", "--network=none", image, "--trafic-port", "1", code=2)
    assert b"--traffic-port" in done.stderr
    assert podman("run", "--rm", "--pull=never", "--network=none", image, "--version").startswith(b"h1mock 1.")


def test_a_broken_initial_is_served_as_not_ready_with_the_reason(start, tmp_path):
    config = tmp_path / "config"
    config.mkdir(mode=0o755)
    (config / "initial").write_text('fn registerRules() { app.get("/x", shwo); }')
    mock = start(*HARDENED, WRITABLE, f"--volume={config}:/config:ro,z")
    # As the readiness probe of the chart; its output is in `kubectl describe`.
    _, reason = mock.exec("h1mock", "probe", code=1)
    assert reason.endswith("`built-in` is active in place of `initial`: failed to load provision `initial`: line 1, column 36: no variable `shwo`\n")
    assert mock.post_provision("mended", answering("mended")).status == 201
    assert mock.exec("h1mock", "probe") == ("", "")
