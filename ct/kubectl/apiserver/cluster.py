"""One namespace with one deployment, its service and its pods."""

from . import workload
from .selector import matches


class Cluster:
    def __init__(self, namespace, name, pods):
        self.namespace = namespace
        # Of the deployment and of the service.
        self.name = name
        self.table = {pod.name: pod for pod in pods}
        self.labels = pods[0].labels

    def has(self, namespace):
        """None stands for all namespaces."""
        return namespace in (None, self.namespace)

    def pod(self, namespace, name):
        """None where there is none of that name."""
        return self.table.get(name) if self.has(namespace) else None

    def pods(self, namespace, labels, fields):
        """The manifests that the selectors leave, as the API lists them."""
        return listing("Pod", "v1", self.manifests() if self.has(namespace) else [], labels, fields)

    def manifests(self):
        return [manifest for manifest in (pod.manifest() for pod in self.table.values()) if manifest]

    def deployment(self):
        return workload.deployment(self.name, self.namespace, self.labels, len(self.table), self.manifests())

    def deployments(self, namespace, labels, fields):
        return listing("Deployment", "apps/v1", [self.deployment()] if self.has(namespace) else [], labels, fields)

    def service(self):
        return workload.service(self.name, self.namespace, self.labels, self.manifests())

    def services(self, namespace, labels, fields):
        return listing("Service", "v1", [self.service()] if self.has(namespace) else [], labels, fields)


def listing(kind, version, manifests, labels, fields):
    """The list of those manifests that the selectors leave."""
    items = [item for item in manifests if matches(labels, item["metadata"]["labels"]) and matches(fields, fields_of(item))]
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}


def fields_of(manifest):
    """The fields that field selectors may name."""
    return {"metadata.name": manifest["metadata"]["name"], "metadata.namespace": manifest["metadata"]["namespace"],
            "status.phase": manifest["status"].get("phase")}
