"""The image of the component tests, as far as it can be tested without its base: podman copies what ct/Dockerfile copies, and
the tests run from that against a mock. A file that is missing in the image is missing there."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
from podman import DEADLINE, PROJECT, laid

DOCKERFILE = (PROJECT / "ct/Dockerfile").read_text()


def instructions(text):
    """Name and rest of each instruction."""
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The file system that ct/Dockerfile makes on an empty base without its RUN lines, and the image's configuration."""
    folder = tmp_path_factory.mktemp("ct") / "root"
    kept = [(name, rest) for name, rest in instructions(DOCKERFILE) if name not in ("FROM", "RUN")]
    return folder, laid("FROM scratch\n" + "".join(f"{name} {rest}\n" for name, rest in kept), folder)


def test_it_waits_as_a_user_that_is_not_root(copied):
    _, config = copied
    assert config["User"] == "65532:65532"
    assert config["WorkingDir"] == "/pytest"
    assert config["Cmd"] == ["sleep", "infinity"]
    assert "Entrypoint" not in config


def test_any_user_can_read_its_files(copied):
    root, _ = copied
    for path in root.rglob("*"):
        wanted = 0o555 if path.is_dir() else 0o444
        assert path.stat().st_mode & wanted == wanted, path


def test_pip_installs_the_requirements_before_the_tests_are_copied(copied):
    steps = [rest for name, rest in instructions(DOCKERFILE) if name in ("RUN", "COPY")]
    install = next(step for step in steps if "pip3 install" in step)
    assert install.endswith("pip3 install --no-cache-dir -r requirements.txt")
    assert steps.index("ct/src/requirements.txt ./") < steps.index(install) < steps.index("ct/src ./")
    root, _ = copied
    assert (root / "pytest/requirements.txt").read_text() == (PROJECT / "ct/src/requirements.txt").read_text()


@pytest.fixture
def pytest_folder(copied):
    """The image's /pytest, as there one level below `/`: its files may look at the folders above."""
    root, _ = copied
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pytest-", dir="/"))
    try:
        shutil.copytree(root / "pytest", folder, dirs_exist_ok=True)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_its_tests_pass_against_the_mock(copied, pytest_folder, start):
    _, config = copied
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    resources = variables["H1MOCK_RESOURCES"]
    assert resources == "/pytest/resources"
    mock = start()
    environment = {
        **os.environ,
        "PYTEST_ADDOPTS": variables["PYTEST_ADDOPTS"],
        "PYTHONDONTWRITEBYTECODE": variables["PYTHONDONTWRITEBYTECODE"],
        "H1MOCK_RESOURCES": str(pytest_folder / "resources"),
        # As a Service gives them to a pod.
        "H1MOCK_SERVICE_HOST": "127.0.0.1",
        "H1MOCK_SERVICE_PORT_HTTP_TRAFFIC": str(mock.traffic),
        "H1MOCK_SERVICE_PORT_HTTP_ADMIN": str(mock.admin),
    }
    environment.pop("H1MOCK_PROVISION_DIR", None)
    command = [sys.executable, "-m", "pytest", "-q"]
    done = subprocess.run(command, cwd=pytest_folder, env=environment, capture_output=True, text=True, timeout=3 * DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout).group(1))
    defined = (PROJECT / "ct/src").glob("test_*.py")
    assert passed >= sum(file.read_text().count("\ndef test_") for file in defined if file.name != "test_files.py")
