"""kubectl cp from the pod to here."""

import os

import pytest

FOLDER = "/app/provision"


@pytest.fixture
def stored(container):
    """Puts files into the provision directory, as data that is not activated."""

    def store(name, data):
        path = container.provisions / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return data

    return store


@pytest.mark.parametrize("name, what", [("out.json", "a file"), ("out with blanks.json", "a name with blanks"),
                                        ("heraus-é.json", "a name that is not ASCII"), ("long-" * 24 + ".json", "a name of 125 characters")])
def test_a_file(kubectl, pod, folder, stored, name, what):
    data = stored(name, b'{"a": 1}\n')
    run = kubectl(f"{what}, out", "cp", f"{pod}:{FOLDER}/{name}", "fetched")
    assert (folder / "fetched").read_bytes() == data
    run.succeeded()


def test_a_file_by_a_relative_path(kubectl, pod, folder, stored):
    data = stored("relative.json", b"{}")
    run = kubectl("a file by a relative path, out", "cp", f"{pod}:provision/relative.json", "relative.json")
    assert (folder / "relative.json").read_bytes() == data
    run.succeeded()


def test_five_megabytes(kubectl, pod, folder, stored):
    data = stored("five.bin", os.urandom(5_000_000))
    run = kubectl("5 MB, out", "cp", f"{pod}:{FOLDER}/five.bin", "five.bin")
    assert (folder / "five.bin").read_bytes() == data
    run.succeeded("the bytes are equal")


def test_five_megabytes_with_retries(kubectl, pod, folder, stored):
    data = stored("retried.bin", os.urandom(5_000_000))
    run = kubectl("5 MB, out, with --retries", "cp", "--retries=3", f"{pod}:{FOLDER}/retried.bin", "retried.bin")
    assert (folder / "retried.bin").exists(), run.stderr
    assert (folder / "retried.bin").read_bytes() == data
    run.succeeded("the bytes are equal")


def test_a_folder(kubectl, pod, folder, stored):
    stored("shelf/one.json", b"1")
    stored("shelf/two.json", b"2")
    run = kubectl("a folder, out", "cp", f"{pod}:{FOLDER}/shelf", "shelf")
    assert {path.name: path.read_bytes() for path in (folder / "shelf").iterdir()} == {"one.json": b"1", "two.json": b"2"}
    run.succeeded()


def test_the_whole_provision_directory(kubectl, pod, folder, container, stored):
    stored("whole.json", b"{}")
    run = kubectl("the provision directory, out", "cp", f"{pod}:{FOLDER}", "all")
    there = {path.name for path in container.provisions.rglob("*") if path.is_file() and not path.is_symlink()}
    assert there == {path.name for path in (folder / "all").rglob("*") if path.is_file()}
    run.succeeded(f"{len(there)} files")


def test_what_is_not_there(kubectl, pod, folder):
    run = kubectl("a file that does not exist, out", "cp", f"{pod}:{FOLDER}/missing", "missing")
    assert not (folder / "missing").exists()
    # kubectl is done when tar's output ends, and seldom waits for its message and exit code.
    assert run.code in (0, 1)
    run.row.result = "nothing is copied"
