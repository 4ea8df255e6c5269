"""What .dockerignore lets through is enough to build from, and no more."""

import pathlib
import re
import shutil
import subprocess

import pytest
from podman import DEADLINE, PROJECT, laid


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """The files that an engine gets for `COPY . .`."""
    folder = tmp_path_factory.mktemp("context") / "root"
    laid('FROM scratch\nCOPY . /src/\nENTRYPOINT ["/none"]\n', folder)
    return folder / "src"


def test_all_sources_and_the_files_that_they_include_are_there(context):
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, timeout=DEADLINE, check=True)
    sources = [name for name in tracked.stdout.splitlines() if re.match(r"(src|crates/tiny_http/src)/.*\.rs$", name)]
    assert sources
    for name in sources:
        assert (context / name).is_file(), name
        for included in re.findall(r'include(?:_str|_bytes)?!\("([^"]+)"\)', (PROJECT / name).read_text()):
            path = pathlib.Path(context / name).parent / included
            assert path.is_file(), f"{name} includes {included}, which .dockerignore keeps out"


def test_cargo_takes_it_for_the_whole_project(context):
    if not shutil.which("cargo"):
        pytest.skip("cargo is not installed")
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1", "--no-deps"]
    done = subprocess.run(command, cwd=context, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr


def test_nothing_else_is_sent(context):
    names = {path.name for path in context.iterdir()}
    assert names == {"Cargo.toml", "Cargo.lock", "src", "crates", "benches", "docs", "provisions", "image", "ct"}
    assert {path.name for path in (context / "ct").iterdir()} == {"src"}
    assert {path.name for path in (context / "docs").iterdir()} == {"openapi.json", "provisions.md"}
    assert [str(path) for path in context.rglob("*") if path.name in ("__pycache__", "target", "fuzz", ".git")] == []
