"""ct/ktest.sh, whose deployment needs a cluster and whose tests do not."""

import os
import pathlib
import subprocess

import pytest
from client import DEADLINE
from conftest import NAMESPACE

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "ktest.sh"


@pytest.fixture
def ktest(kubectl, tmp_path):
    """Runs the script with our kubectl on PATH."""
    (tmp_path / "kubectl").symlink_to(kubectl.program)

    def run(*arguments, **variables):
        environment = {**kubectl.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}", "NAMESPACE": NAMESPACE, **variables}
        return subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=2 * DEADLINE)

    return run


def test_it_passes(ktest, pod):
    for _ in range(2):
        done = ktest("--pod", pod)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [line.rsplit(" -> ")[-1] for line in done.stdout.splitlines() if " -> " in line] == ["OK"] * 4


def test_it_names_what_is_wrong(ktest, container, mock, pod):
    """An `initial` that is not the default one."""
    initial = container.provisions / "initial"
    default = initial.read_bytes()
    initial.write_text('fn registerRules() { app.get("/any/path/", f); }\nfn f() { "other" }\n')
    try:
        done = ktest("--pod", pod)
    finally:
        initial.write_bytes(default)
    assert done.returncode == 1
    assert "ct/ktest.sh: StatusCode is not what was expected\n  expected: 404 Not Found\n  received: 200 OK\n" in done.stderr


@pytest.mark.parametrize("arguments, code, message", [
    (["--pod", "other"], 1, "ct/ktest.sh: the pod `other` is not ready\n"),
    (["--pod"], 2, "ct/ktest.sh: `--pod` needs the name of one pod\n"),
    (["--pods"], 2, "ct/ktest.sh: there is no option `--pods`\n"),
])
def test_it_names_mistakes(ktest, arguments, code, message):
    done = ktest(*arguments, DEADLINE="5")
    assert done.returncode == code
    assert message in done.stderr


def test_it_names_missing_tools(ktest, tmp_path):
    for tool in ("bash", "dirname", "id"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    (tmp_path / "kubectl").unlink()
    done = ktest("--pod", "any", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "ct/ktest.sh: `kubectl` is needed: see https://kubernetes.io/docs/tasks/tools\n"
