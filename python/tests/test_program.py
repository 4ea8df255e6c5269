"""The program of the package, and the wheels."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from conftest import PROJECT

import h1mock

# What a wheel for other machines says.
DOCKER = "Use docker: `docker run -p 8000:8000 -p 8074:8074 testillano/h1mock`"


@pytest.fixture(scope="module")
def wheel():
    return pathlib.Path(os.environ["H1MOCK_WHEEL"])


@pytest.fixture
def version(project):
    return tomllib.loads((project / "Cargo.toml").read_text())["package"]["version"]


def run(*command, **variables):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **variables})


def test_the_command_is_the_program(version):
    script = pathlib.Path(sys.executable).parent / "h1mock"
    for command in ([script], [sys.executable, "-m", "h1mock"], [h1mock.program()]):
        assert run(*command, "--version").stdout == f"h1mock {version}\n"
    assert run(script, "--traffic-prot").returncode == 2


def test_a_variable_overrides_the_program(tmp_path):
    other = tmp_path / "other"
    other.write_text('#!/bin/sh\necho "other $*"\n')
    other.chmod(0o755)
    assert run(sys.executable, "-m", "h1mock", "a", "b", H1MOCK_BINARY=str(other)).stdout == "other a b\n"


def test_the_wheel_is_for_every_linux_of_its_machine(wheel, version):
    machine = os.uname().machine
    tags = [f"manylinux2014_{machine}", f"musllinux_1_1_{machine}"]
    assert wheel.name == f"h1mock-{version}-py3-none-{'.'.join(tags)}.whl"
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        folder = f"h1mock-{version}.dist-info"
        assert {"h1mock/bin/h1mock", "h1mock/py.typed", f"{folder}/licenses/LICENSE", f"{folder}/entry_points.txt"} <= names
        assert not [name for name in names if "test" in name]
        assert files.getinfo("h1mock/bin/h1mock").external_attr >> 16 & 0o111 == 0o111
        lines = files.read(f"{folder}/WHEEL").decode().splitlines()
        metadata = files.read(f"{folder}/METADATA").decode()
    assert [f"Tag: py3-none-{tag}" for tag in tags] == [line for line in lines if line.startswith("Tag:")]
    assert "Root-Is-Purelib: false" in lines
    assert "Requires-Dist" not in metadata


@pytest.fixture(scope="module")
def dist(tmp_path_factory, wheel):
    """A folder with the wheel of this machine, and the one for other machines."""
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, str(PROJECT / "python/build.py"), str(folder))
    (other,) = folder.iterdir()
    assert (built.stdout, built.stderr) == (f"{other}\n", "")
    shutil.copy(wheel, folder)
    return folder


@pytest.mark.parametrize(
    "platform, tag",
    [
        ("manylinux2014_{machine}", "manylinux2014_{machine}.musllinux_1_1_{machine}"),
        ("musllinux_1_1_{machine}", "manylinux2014_{machine}.musllinux_1_1_{machine}"),
        ("macosx_14_0_arm64", "any"),
        ("win_amd64", "any"),
    ],
)
def test_pip_chooses_the_wheel_of_the_machine(tmp_path, dist, version, platform, tag):
    platform, tag = (text.format(machine=os.uname().machine) for text in (platform, tag))
    command = ["-m", "pip", "download", "-q", "--no-index", "--no-deps", f"--find-links={dist}", f"--dest={tmp_path}"]
    done = run(sys.executable, *command, "--only-binary=:all:", f"--platform={platform}", "h1mock")
    assert [file.name for file in tmp_path.iterdir()] == [f"h1mock-{version}-py3-none-{tag}.whl"], done.stderr


def test_the_wheel_for_other_machines_says_to_use_docker(tmp_path, dist, version):
    with zipfile.ZipFile(dist / f"h1mock-{version}-py3-none-any.whl") as files:
        assert "h1mock/bin/h1mock" not in files.namelist()
        files.extractall(tmp_path)
    done = run(sys.executable, "-m", "h1mock", PYTHONPATH=str(tmp_path), H1MOCK_BINARY="")
    assert done.returncode == 1
    assert f"the package `h1mock` has no program for Linux on {os.uname().machine}" in done.stderr and DOCKER in done.stderr


def test_a_program_for_another_machine_is_in_a_wheel_of_that_machine(tmp_path, project, version):
    content = bytearray(pathlib.Path(h1mock.program()).read_bytes())
    # The machine in the ELF header.
    content[18:20] = (183).to_bytes(2, "little")
    program = tmp_path / "h1mock-linux-aarch64"
    program.write_bytes(content)
    built = run(sys.executable, str(project / "python/build.py"), str(tmp_path / "dist"), str(program))
    name = f"h1mock-{version}-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl"
    assert built.stdout == f"{tmp_path / 'dist' / name}\n", built.stderr
    with zipfile.ZipFile(tmp_path / "dist" / name) as files:
        assert files.read("h1mock/bin/h1mock") == content
        assert files.getinfo("h1mock/bin/h1mock").external_attr >> 16 & 0o111 == 0o111


def test_the_package_has_the_syntax_of_the_oldest_python(project):
    metadata = tomllib.loads((project / "python/pyproject.toml").read_text())["project"]
    oldest = tuple(map(int, re.fullmatch(r">=(\d+)\.(\d+)", metadata["requires-python"]).groups()))
    files = list((project / "python/src/h1mock").glob("*.py"))
    assert files
    for file in files:
        ast.parse(file.read_text(), file.name, feature_version=oldest)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"#!/bin/sh\n", "is no program for 64-bit Linux"),
        (None, "is not static: it would not run on every Linux"),
    ],
)
def test_a_wheel_needs_a_static_program(tmp_path, project, content, message):
    program = pathlib.Path("/bin/ls")
    if content is not None:
        program = tmp_path / "program"
        program.write_bytes(content)
    done = run(sys.executable, str(project / "python/build.py"), str(tmp_path), str(program))
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
