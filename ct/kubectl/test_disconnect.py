"""What the API server does when kubectl goes before its command has ended."""

import subprocess

from client import eventually


def test_the_command_goes_with_its_client(kubectl, pod, container):
    with kubectl.running("a client that is killed", "exec", "-i", pod, "--", "cat", stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL) as (_, row):
        eventually(lambda: programs(container), lambda names: "cat" in names)
    eventually(lambda: programs(container), lambda names: "cat" not in names)
    row.code, row.result = "(killed)", "the command ends, too"


def programs(container):
    """Names of what runs in the container."""
    shown = subprocess.run(["podman", "top", container.name, "args"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in shown.splitlines()[1:] if line.strip()]
