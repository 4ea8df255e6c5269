"""Each way in which provisions come into a container."""

import io
import os
import shutil
import tarfile

import pytest
from conftest import answering
from podman import HARDENED, WRITABLE, podman


def test_by_podman_cp(mock, tmp_path, provisions):
    (tmp_path / "copied").write_text(answering("copied"))
    podman("cp", tmp_path / "copied", f"{mock.name}:/app/provision")
    mock.eventually("/a", "copied")
    podman("cp", provisions / "healthz", f"{mock.name}:/app/provision/renamed")
    mock.eventually("/healthz", "I'm here!")
    assert mock.ledger()["active"]["name"] == "renamed"


def test_by_podman_cp_of_a_folder(mock, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "text.txt").write_text("from a file")
    (folder / "reading").write_text('fn registerRules() { app.get("/a", a); }\nfn a() { read_text("text.txt") }\n')
    podman("cp", f"{folder}/.", f"{mock.name}:/app/provision")
    mock.eventually("/a", "from a file")


def test_by_tar_through_exec_as_kubectl_cp_does(mock):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as files:
        source = answering("unpacked").encode()
        member = tarfile.TarInfo("unpacked")
        member.size = len(source)
        files.addfile(member, io.BytesIO(source))
    mock.exec("test", "-d", "/app/provision")
    mock.exec("tar", "-xmf", "-", "-C", "/app/provision", data=archive.getvalue())
    mock.eventually("/a", "unpacked")


def test_by_post(mock):
    assert mock.post_provision("sent", answering("posted")).status == 201
    assert mock.get("/a").text == "posted"


class ConfigMap:
    """A folder as the kubelet mounts one: files are links through `..data`, which is swapped when the ConfigMap changes."""

    def __init__(self, folder):
        self.folder = folder
        self.version = 0
        folder.mkdir()
        folder.chmod(0o755)

    def set(self, **files):
        self.version += 1
        before = self.folder / f"..{self.version - 1}"
        data = self.folder / f"..{self.version}"
        data.mkdir(mode=0o755)
        for name, text in files.items():
            (data / name).write_text(text)
        (self.folder / "..data_tmp").symlink_to(data.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        shutil.rmtree(before, ignore_errors=True)


@pytest.fixture
def config_map(tmp_path):
    before = os.umask(0o022)
    yield ConfigMap(tmp_path / "config")
    os.umask(before)


def test_by_a_mounted_config_map_that_changes(start, config_map, user):
    config_map.set(initial=answering("first"), other=answering("other"))
    mock = start(*HARDENED, WRITABLE, f"--volume={config_map.folder}:/config:ro,z", user=user)
    assert mock.get("/a").text == "first"
    assert {file["name"] for file in mock.ledger()["files"]} == {"initial", "other"}

    config_map.set(initial=answering("second"))
    mock.eventually("/a", "second")
    assert {file["name"] for file in mock.ledger()["files"]} == {"initial"}


def test_a_broken_config_map_leaves_the_last_good_provision(start, config_map):
    config_map.set(initial=answering("first"))
    mock = start(*HARDENED, WRITABLE, f"--volume={config_map.folder}:/config:ro,z")
    config_map.set(initial="fn registerRules( {\n")
    config_map.set(initial=answering("third"))
    mock.eventually("/a", "third")
