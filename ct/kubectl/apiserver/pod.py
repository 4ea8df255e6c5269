"""A pod: a podman container under the name and labels of a pod, in the forms that the API has for it."""

import datetime
import json
import re
import subprocess

from .workload import PORTS

NODE = "podman"


class Pod:
    """Its state is asked from podman each time."""

    def __init__(self, name, container, namespace, labels, container_name):
        self.name = name
        self.container = container
        self.namespace = namespace
        self.labels = labels
        self.container_name = container_name

    def manifest(self):
        """The Pod object; None where the container is gone."""
        container = self.inspect()
        if container is None:
            return None
        state = container["State"]
        running = state["Status"] == "running"
        ready = running and self.ready()
        started = timestamp(state["StartedAt"])
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": self.labels, "uid": container["Id"],
                         "resourceVersion": "1", "creationTimestamp": timestamp(container["Created"])},
            "spec": {"nodeName": NODE, "restartPolicy": "Always",
                     "containers": [{"name": self.container_name, "image": container["ImageName"],
                                     "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()]}]},
            "status": {
                "phase": "Running" if running else "Failed", "podIP": container["NetworkSettings"]["IPAddress"], "startTime": started,
                "conditions": [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")],
                "containerStatuses": [{
                    "name": self.container_name, "image": container["ImageName"], "imageID": container["Image"],
                    "ready": ready, "restartCount": container["RestartCount"],
                    "state": {"running": {"startedAt": started}} if running
                             else {"terminated": {"exitCode": state["ExitCode"], "reason": "Error"}}}]},
        }

    def inspect(self):
        """What podman knows of the container; None where it is gone."""
        inspected = subprocess.run(["podman", "container", "inspect", self.container], capture_output=True, text=True)
        return None if inspected.returncode else json.loads(inspected.stdout)[0]

    def address(self):
        """Where its ports are."""
        container = self.inspect()
        return container["NetworkSettings"]["IPAddress"] if container else "0.0.0.0"

    def ready(self):
        """What the kubelet's readiness probe would find."""
        probe = ["podman", "exec", self.container, "/bin/h1mock", "probe"]
        return subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def timestamp(text):
    """podman's time as the API writes it: RFC 3339 in UTC, whole seconds."""
    if text.startswith("0001"):
        # It has not happened.
        return None
    moment = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
