"""Runs the server until it is told to stop:

    cd ct/kubectl && python3 -m apiserver --kubeconfig PATH --pod POD=CONTAINER

The file that --kubeconfig names is there when the server listens."""

import argparse
import pathlib
import signal
import threading

from .cluster import Cluster
from .pod import Pod
from .server import ApiServer

# Those of the chart.
LABELS = ["app.kubernetes.io/name=h1mock", "app.kubernetes.io/instance=h1mock"]


def options():
    parser = argparse.ArgumentParser(prog="apiserver", description="A small Kubernetes API whose pods are podman containers.")
    parser.add_argument("--kubeconfig", type=pathlib.Path, required=True, help="file to write for kubectl")
    parser.add_argument("--pod", action="append", required=True, metavar="POD=CONTAINER", help="a pod and its container; may be repeated")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--name", default="h1mock", help="of the deployment and the service of the pods")
    parser.add_argument("--container", default="h1mock", help="name of the container in each pod")
    parser.add_argument("--label", action="append", metavar="KEY=VALUE", help=f"labels of the pods; without it {' '.join(LABELS)}")
    return parser.parse_args()


def main():
    given = options()
    labels = dict(label.split("=", 1) for label in given.label or LABELS)
    pods = [Pod(*pod.split("=", 1), given.namespace, labels, given.container) for pod in given.pod]
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    with ApiServer(Cluster(given.namespace, given.name, pods)) as server:
        server.write_kubeconfig(given.kubeconfig)
        print(f"apiserver: {server.url}, pods {', '.join(pod.name for pod in pods)}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
