"""A user's terminal: commands as a document shows them, one after the other."""

import os
import re
import subprocess

from client import DEADLINE


class Session:
    """Variables last, and so do ports that are forwarded in the background: on free ports, since those that a document shows
    may be taken."""

    def __init__(self, environment, folder):
        self.environment = dict(environment)
        self.folder = folder
        self.ports = {}
        self.background = []

    def run(self, command):
        """What the command prints; it must succeed."""
        if forwarding := re.fullmatch(r"(kubectl port-forward .*) (?:\d+:)?(\d+) &", command):
            return self.forward(*forwarding.groups())
        if assignment := re.fullmatch(r"(\w+)=(.*)", command, re.S):
            name, value = assignment.groups()
            self.environment[name] = self.bash(f'{name}={value}; printf %s "${name}"')
            return ""
        for shown, port in self.ports.items():
            command = command.replace(f"localhost:{shown}/", f"localhost:{port}/")
        return self.bash(command)

    def bash(self, command):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.folder, env=self.environment, capture_output=True,
                              text=True, timeout=DEADLINE)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def forward(self, command, port):
        process = subprocess.Popen(["bash", "-c", f"exec {command} :{port}"], cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, text=True)
        self.background.append(process)
        line = process.stdout.readline()
        local = re.search(r":(\d+) -> ", line)
        assert local, f"{command}: {line}"
        self.ports[port] = local.group(1)
        return line

    def end(self):
        for process in self.background:
            process.terminate()
            process.wait()
            process.stdout.close()


def environment_of(kubectl, folder):
    """In which `kubectl` is ours."""
    (folder / "kubectl").symlink_to(kubectl.program)
    return {**kubectl.environment, "PATH": f"{folder}:{os.environ['PATH']}"}
