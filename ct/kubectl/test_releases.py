"""Pods of more than one release, and of an old and a new one: what deploy.sh waits for, and which pod the pages take."""

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest
from apiserver.cluster import Cluster
from apiserver.server import ApiServer
from client import DEADLINE
from conftest import LABELS, NAMESPACE

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "ct"))
import docs  # noqa: E402

# Deletes at once, as helm does, while the pods drain.
HELM = """#!/bin/sh
echo "helm $1" >> "$CALLS"
"""


class Pod:
    """A pod without a container. It is gone at a time, if one is given."""

    container_name = "h1mock"

    def __init__(self, name, created, instance="h1mock", phase="Running", end=None):
        self.name, self.created, self.phase, self.end = name, created, phase, end
        self.labels = {**LABELS, "app.kubernetes.io/instance": instance}

    def manifest(self):
        if self.end and time.monotonic() > self.end:
            return None
        ready = self.phase == "Running"
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.name, "namespace": NAMESPACE, "labels": self.labels, "uid": self.name, "resourceVersion": "1",
                         "creationTimestamp": f"2026-01-01T00:00:{self.created:02}Z"},
            "spec": {"nodeName": "none", "containers": [{"name": "h1mock", "image": "i"}]},
            "status": {"phase": self.phase, "podIP": "10.0.0.2", "conditions": [{"type": "Ready", "status": str(ready)}],
                       "containerStatuses": [{"name": "h1mock", "ready": ready, "restartCount": 0}]},
        }


@pytest.fixture
def run(tmp_path):
    """Runs a command with the real kubectl, in a cluster of pods."""
    (tmp_path / "kubectl").symlink_to(os.environ["KUBECTL"])
    (tmp_path / "helm").write_text(HELM)
    (tmp_path / "helm").chmod(0o755)

    def call(pods, *command):
        with ApiServer(Cluster(NAMESPACE, "h1mock", pods)) as server:
            server.write_kubeconfig(tmp_path / "config")
            environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "KUBECONFIG": str(tmp_path / "config"),
                           "NAMESPACE": NAMESPACE, "CALLS": str(tmp_path / "calls"), "HOME": str(tmp_path)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_deploy_waits_for_the_pods_that_drain(run, tmp_path):
    """Not for one that has ended, nor for those of another release."""
    end = time.monotonic() + 2
    run([Pod("old", 1, end=end), Pod("tested", 2, phase="Succeeded"), Pod("other", 3, instance="other")], PROJECT / "deploy.sh")
    assert time.monotonic() >= end
    assert (tmp_path / "calls").read_text().split("\n") == ["helm status", "helm delete", "helm install", ""]


def test_deploy_waits_for_no_pod_that_is_not_there(run, tmp_path):
    run([Pod("other", 3, instance="other")], PROJECT / "deploy.sh")
    assert "helm install" in (tmp_path / "calls").read_text()


def shown():
    """The lines of all pages that take a pod, and that of the chart's notes, without its namespace."""
    lines = [(page, command) for page in docs.pages() for block in docs.blocks(page) for command, _ in docs.commands(block.text)]
    found = [(page, command) for page, command in lines if command.startswith("POD=")]
    install = ["helm", "install", "h1mock", PROJECT / "helm/h1mock", "--namespace", NAMESPACE, "--dry-run=client"]
    notes = subprocess.run(install, capture_output=True, text=True, check=True).stdout
    return [*found, ("NOTES.txt", re.search(r"^ *(POD=.*)", notes, re.M).group(1).replace(f" -n {NAMESPACE}", ""))]


@pytest.mark.parametrize("place, command", shown())
def test_the_pod_is_the_newest_of_the_release_that_runs(run, place, command):
    pods = [Pod("a-older", 0), Pod("b-other", 5, instance="other"), Pod("c-newest", 3), Pod("d-coming", 4, phase="Pending"), Pod("e-old", 1)]
    assert run(pods, "bash", "-c", f"{command}; echo $POD") == "c-newest\n"
