"""What a copy does to the mock: it serves, or says why not."""

import json

from client import eventually
from conftest import PROVISIONS

FOLDER = "/app/provision"


def test_a_copy_is_one_generation(kubectl, pod, mock):
    before = mock.post("other", (PROVISIONS / "default").read_text())
    run = kubectl("the example of the README", "cp", "provisions/foo-bar", f"{pod}:{FOLDER}")
    kubectl("wait until it serves", "exec", pod, "--", "h1mock", "wait", "--generation", str(before + 1)).succeeded()
    status, text = mock.get("/app/v1/foo/bar")
    assert (status, json.loads(text)) == (200, {"resultCode": 0, "resultData": "answering a get"})
    # Events come in order: a second activation by the copy would have taken this number.
    assert mock.post("other", (PROVISIONS / "default").read_text()) == before + 2
    run.succeeded("serves; one generation")


def test_wait_knows_the_provision(kubectl, pod, mock):
    kubectl("an example", "cp", "provisions/healthz", f"{pod}:{FOLDER}").succeeded()
    kubectl("wait until it is active", "exec", pod, "--", "h1mock", "wait", "--provision", "healthz").succeeded()
    assert mock.get("/healthz") == (200, "I'm here!")


def test_touch_activates_again(kubectl, pod, mock):
    before = mock.post("other", (PROVISIONS / "healthz").read_text())
    run = kubectl("activate `initial` again", "exec", pod, "--", "touch", "provision/initial")
    eventually(mock.generation, lambda generation: generation > before)
    assert mock.ledger()["active"] == {"name": "initial", "generation": before + 1}
    run.succeeded("active; one generation")


def test_touch_through_a_shell_that_is_not_there(kubectl, pod, mock):
    before = mock.post("other", (PROVISIONS / "healthz").read_text())
    run = kubectl("the same, as the original had it", "exec", pod, "--", "sh", "-c", "touch provision/initial")
    eventually(mock.generation, lambda generation: generation > before)
    assert mock.ledger()["active"] == {"name": "initial", "generation": before + 1}
    run.succeeded("active; one generation")


def test_a_broken_copy_changes_nothing_and_its_error_can_be_read(kubectl, pod, mock, folder):
    before = mock.post("good", (PROVISIONS / "foo-bar").read_text())
    (folder / "broken").write_text('fn registerRules() { app.get("/x", shwo); }\n')
    copy = kubectl("a broken provision", "cp", "broken", f"{pod}:{FOLDER}")
    eventually(lambda: mock.file("broken"), lambda file: file and file["error"])
    assert mock.get("/app/v1/foo/bar")[0] == 200
    assert mock.ledger()["active"] == {"name": "good", "generation": before}
    copy.succeeded("the old one goes on serving")

    reading = kubectl("its error", "exec", pod, "--", "h1mock", "get", ":8074/app/v1/provision")
    error = next(file["error"] for file in json.loads(reading.text)["files"] if file["name"] == "broken")
    assert (error["line"], error["column"], error["message"]) == (1, 36, "no variable `shwo`")
    reading.succeeded("line 1, column 36: no variable `shwo`")

    logs = kubectl("its error in the log", "logs", pod)
    assert "failed to load provision `broken`: line 1, column 36: no variable `shwo`" in logs.text
    assert "  = note: provision `good` keeps serving" in logs.text
    logs.succeeded("the same")
    kubectl("readiness meanwhile", "exec", pod, "--", "h1mock", "get", ":8074/readyz").succeeded("still ready")
