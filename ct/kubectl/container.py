"""The mock in a container, as strictly confined as a pod of the chart: its own user, no capabilities, a read-only root, and a
folder that anyone may write to as the provision directory, which is what an emptyDir is."""

import json
import subprocess
import urllib.error
import urllib.request
import uuid

CONFINED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "65532:65532",
            "--memory", "64m", "--pids-limit", "64"]
TIMEOUT = 10


def podman(*arguments):
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


class Container:
    def __init__(self, image, folder):
        self.name = f"h1m-kubectl-{uuid.uuid4().hex[:8]}"
        self.provisions = folder / "emptydir"
        config = folder / "configmap"
        config.mkdir()
        self.provisions.mkdir()
        self.provisions.chmod(0o777)
        podman("run", "--detach", "--name", self.name, "--pull", "never", *CONFINED, "--volume", f"{self.provisions}:/app/provision",
               "--volume", f"{config}:/config:ro", "--publish", "127.0.0.1::8000", "--publish", "127.0.0.1::8074", image)

    def remove(self):
        podman("rm", "--force", "--time", "0", "--volumes", self.name)

    def root(self, port):
        return f"http://{podman('port', self.name, f'{port}/tcp').splitlines()[0]}"


class Mock:
    """Its two ports, as their clients see them."""

    def __init__(self, traffic, admin):
        self.traffic = traffic
        self.admin = admin

    def get(self, path):
        return answer(self.traffic + path)

    def ledger(self):
        status, text = answer(f"{self.admin}/app/v1/provision")
        assert status == 200, text
        return json.loads(text)

    def generation(self):
        return self.ledger()["active"]["generation"]

    def file(self, name):
        """The row of a file in the ledger; None where there is none."""
        return next((file for file in self.ledger()["files"] if file["name"] == name), None)

    def source(self, name):
        with urllib.request.urlopen(f"{self.admin}/app/v1/source/{name}", timeout=TIMEOUT) as response:
            return response.read()

    def post(self, name, source):
        """The generation that it became."""
        request = urllib.request.Request(f"{self.admin}/app/v1/provision/{name}", source.encode(), {"Content-Type": "text/plain"})
        status, text = answer(request)
        assert status == 201, text
        return json.loads(text)["generation"]


def answer(request):
    """Status and text of any answer."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
