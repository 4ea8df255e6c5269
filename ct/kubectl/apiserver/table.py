"""The Table form of lists, which kubectl prints where no other output is asked for."""

import datetime

POD = (("Name", 0), ("Ready", 0), ("Status", 0), ("Restarts", 0), ("Age", 0), ("IP", 1), ("Node", 1))
DEPLOYMENT = (("Name", 0), ("Ready", 0), ("Up-to-date", 0), ("Available", 0), ("Age", 0))
SERVICE = (("Name", 0), ("Type", 0), ("Cluster-IP", 0), ("External-IP", 0), ("Port(s)", 0), ("Age", 0))


def table(items):
    """The Table of some objects of one kind."""
    kind = items[0]["kind"] if items else "Pod"
    columns, cells = {"Pod": (POD, pod_cells), "Deployment": (DEPLOYMENT, deployment_cells), "Service": (SERVICE, service_cells)}[kind]
    return {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
        "columnDefinitions": [{"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "",
                               "priority": priority} for name, priority in columns],
        "rows": [{"cells": cells(item), "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                                   "metadata": item["metadata"]}} for item in items],
    }


def pod_cells(pod):
    status = pod["status"]
    containers = status["containerStatuses"]
    ready = sum(container["ready"] for container in containers)
    return [pod["metadata"]["name"], f"{ready}/{len(containers)}", status["phase"] if status["phase"] == "Running" else "Error",
            str(containers[0]["restartCount"]), age(pod), status["podIP"], pod["spec"]["nodeName"]]


def deployment_cells(deployment):
    status = deployment["status"]
    return [deployment["metadata"]["name"], f'{status["readyReplicas"]}/{status["replicas"]}', str(status["updatedReplicas"]),
            str(status["availableReplicas"]), age(deployment)]


def service_cells(service):
    spec = service["spec"]
    ports = ",".join(f'{port["port"]}/{port["protocol"]}' for port in spec["ports"])
    return [service["metadata"]["name"], spec["type"], spec["clusterIP"], "<none>", ports, age(service)]


def age(item):
    created = datetime.datetime.strptime(item["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    seconds = int((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - created).total_seconds())
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"
