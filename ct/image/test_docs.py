"""The pages of the project that show docker: their console blocks are run with podman, each page in a session of its own."""

import pathlib
import re
import secrets
import subprocess
import sys
import time

import pytest
from podman import DEADLINE, PREFIX, PROJECT, finished, free_ports

sys.path.insert(0, str(PROJECT / "ct"))
import docs  # noqa: E402

OURS = "ct/image/test_docs.py"


def shown(page):
    """The commands of our blocks, and what they print."""
    return [pair for block in docs.blocks(page) if docs.runner(block) == OURS for pair in docs.commands(block.text)]


class Translation:
    """From what a reader types to what is run here: the image under test, names and ports that nobody else has."""

    def __init__(self, image):
        self.image = image
        self.name = f"{PREFIX}-{secrets.token_hex(4)}"
        self.ports = dict(zip(("8000", "8074"), free_ports()))

    def __call__(self, command):
        command = re.sub(r"(^|[|;] *)docker ", r"\1podman ", command)
        command = re.sub(r"(?<=[ ])mock(?=[ :]|$)", self.name, command)
        command = re.sub(r"\btestillano/h1mock(?=\s|$)", self.image, command)
        command = command.replace("podman run ", "podman run --pull=never ")
        for port, free in self.ports.items():
            command = command.replace(f"-p {port}:{port}", f"-p 127.0.0.1:{free}:{port}").replace(f"localhost:{port}/", f"127.0.0.1:{free}/")
        return command


def test_commands_are_translated():
    translate = Translation("localhost/i:t")
    name, (traffic, admin) = translate.name, translate.ports.values()
    assert translate('docker run --name mock -p 8000:8000 -p 8074:8074 -v "$PWD/mock:/config" testillano/h1mock --verbose') == (
        f"podman run --pull=never --name {name} -p 127.0.0.1:{traffic}:8000 -p 127.0.0.1:{admin}:8074 "
        '-v "$PWD/mock:/config" localhost/i:t --verbose')
    assert translate("docker cp a mock:/app") == f"podman cp a {name}:/app"
    assert translate("curl localhost:8000/docker") == f"curl 127.0.0.1:{traffic}/docker"


@pytest.mark.parametrize("page", [page for page in docs.pages() if shown(page)])
def test_a_page(image, tmp_path, page):
    (tmp_path / "provisions").mkdir()
    for file in (PROJECT / "provisions").iterdir():
        (tmp_path / "provisions" / file.name).write_bytes(file.read_bytes())
    # pytest's folders are closed to others, and the mock runs as another user.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    translate = Translation(image)
    try:
        for command, output in shown(page):
            if command.startswith("./build.sh"):
                # The fixture has called it, with options for a machine without a registry.
                known = subprocess.run([PROJECT / "build.sh", "--help"], capture_output=True, text=True, check=True).stdout
                assert all(f"{option} " in known for option in re.findall(r"--[\w-]+", command)), command
            else:
                run(translate(command), output, tmp_path)
    finally:
        finished("rm", "--force", "--time=0", "--ignore", translate.name, code=None)


def run(command, output, folder: pathlib.Path):
    """Runs a command that must succeed, again until the deadline while it prints something else than is shown."""
    end = time.monotonic() + DEADLINE
    while True:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True, timeout=DEADLINE)
        said = f"{command}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        if not output or docs.same(done.stdout.rstrip("\n"), "\n".join(output)):
            return
        assert time.monotonic() < end, said
        time.sleep(0.05)
