"""kubectl cp from here into the pod."""

import hashlib
import os

import pytest
from client import eventually

FOLDER = "/app/provision"
LONG = "long-" + "name-" * 25


def provision(path):
    return f'fn registerRules() {{ app.get("{path}", show); }}\nfn show() {{ "{path} serves" }}\n'


def serves(run, mock, name, path):
    """The copied provision is active, and its rule answers; as a result of the run."""
    (status, text), took = eventually(lambda: mock.get(path), lambda answer: answer[0] == 200)
    assert (status, text) == (200, f"{path} serves")
    assert mock.ledger()["active"]["name"] == name
    run.succeeded(f"serves {took * 1000:.0f} ms later")


@pytest.mark.parametrize("name, what", [
    ("plain", "a file into the folder"), ("with some blanks", "a name with blanks"), ("prüfung-試験", "a name that is not ASCII"),
    (LONG, f"a name of {len(LONG)} characters"), ("with-extension.rhai", "a name with an extension"),
])
def test_a_file_into_the_folder_serves(kubectl, pod, mock, folder, name, what):
    path = f"/in/{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    (folder / name).write_text(provision(path))
    serves(kubectl(what, "cp", name, f"{pod}:{FOLDER}"), mock, name, path)


def test_a_slash_at_the_end_is_the_folder_too(kubectl, pod, mock, folder):
    (folder / "slash").write_text(provision("/slash"))
    serves(kubectl("a file into the folder, with a slash", "cp", "slash", f"{pod}:{FOLDER}/"), mock, "slash", "/slash")


def test_a_relative_path_is_that_of_the_working_folder(kubectl, pod, mock, folder):
    (folder / "relative").write_text(provision("/relative"))
    serves(kubectl("a file into the folder, by a relative path", "cp", "relative", f"{pod}:provision"), mock, "relative", "/relative")


def test_a_file_can_be_renamed(kubectl, pod, mock, folder):
    (folder / "here").write_text(provision("/renamed"))
    serves(kubectl("a file, renamed", "cp", "here", f"{pod}:{FOLDER}/there"), mock, "there", "/renamed")
    assert mock.file("here") is None


def test_a_file_can_be_replaced(kubectl, pod, mock, folder):
    for path in ("/before", "/after"):
        (folder / "replaced").write_text(provision(path))
        serves(kubectl("a file, new" if path == "/before" else "the same file, changed", "cp", "replaced", f"{pod}:{FOLDER}"), mock,
               "replaced", path)
    assert mock.get("/before")[0] == 404


def test_options_of_cp(kubectl, pod, mock, folder):
    for option in ("--no-preserve", "--retries=3"):
        name = option.strip("-").split("=")[0]
        (folder / name).write_text(provision(f"/{name}"))
        serves(kubectl(f"with {option}", "cp", option, name, f"{pod}:{FOLDER}"), mock, name, f"/{name}")


def test_a_folder_arrives_with_all_that_is_in_it(kubectl, pod, mock, container, folder):
    tree = folder / "tree"
    (tree / "deep/er").mkdir(parents=True)
    (tree / "hollow").mkdir()
    (tree / "default").write_text(provision("/default"))
    (tree / "initial").symlink_to("default")
    (tree / "deep/er/data.json").write_text('{"a": 1}')
    (tree / "none").write_bytes(b"")
    generation = mock.generation()
    run = kubectl("a folder", "cp", "tree", f"{pod}:{FOLDER}")
    copied = container.provisions / "tree"
    assert (copied / "deep/er/data.json").read_text() == '{"a": 1}'
    assert (copied / "hollow").is_dir()
    assert (copied / "none").read_bytes() == b""
    assert os.readlink(copied / "initial") == "default"
    eventually(lambda: mock.file("tree/default"), bool)
    assert mock.generation() == generation, "files in sub-folders are not activated by being copied"
    run.succeeded("files, folders, links arrive; none is activated")


def test_the_content_of_a_folder(kubectl, pod, mock, folder):
    content = folder / "content"
    content.mkdir()
    (content / "first").write_text(provision("/content"))
    (content / "users.json").write_text("[]")
    serves(kubectl("the content of a folder", "cp", "content/.", f"{pod}:{FOLDER}"), mock, "first", "/content")
    assert mock.file("users.json")["kind"] == "auxiliary"


def test_an_empty_file(kubectl, pod, mock, container, folder):
    (folder / "empty.txt").write_bytes(b"")
    run = kubectl("an empty file", "cp", "empty.txt", f"{pod}:{FOLDER}")
    assert (container.provisions / "empty.txt").read_bytes() == b""
    run.succeeded()


def test_a_link_stays_one(kubectl, pod, mock, container, folder):
    (folder / "target").write_text(provision("/link"))
    (folder / "link").symlink_to("target")
    kubectl("what a link points to", "cp", "target", f"{pod}:{FOLDER}").succeeded()
    run = kubectl("a link", "cp", "link", f"{pod}:{FOLDER}")
    assert os.readlink(container.provisions / "link") == "target"
    serves(run, mock, "link", "/link")


def test_five_megabytes(kubectl, pod, mock, folder):
    data = os.urandom(5_000_000)
    (folder / "big.bin").write_bytes(data)
    run = kubectl("5 MB", "cp", "big.bin", f"{pod}:{FOLDER}")
    eventually(lambda: mock.file("big.bin"), lambda file: file and file["size"] == len(data))
    assert mock.file("big.bin")["sha256"] == hashlib.sha256(data).hexdigest()
    run.succeeded("the checksums are equal")


@pytest.mark.parametrize("size", [100, 5_000_000])
@pytest.mark.parametrize("where, what, message", [
    ("/config", "into a read-only mount", "tar: failed to extract `refused`: read-only file system\n"),
    ("/app", "into the read-only root", "tar: failed to extract `refused`: read-only file system\n"),
    ("/nowhere/x", "into a folder that does not exist", "tar: failed to open folder `/nowhere`: no such file or directory\n"),
])
def test_where_nothing_can_be_written(kubectl, pod, folder, where, what, message, size):
    (folder / "refused").write_bytes(os.urandom(size))
    kubectl(f"{size} bytes {what}", "cp", "refused", f"{pod}:{where}").failed(1, message)
