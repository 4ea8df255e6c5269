"""The one deployment of the one namespace and its pods."""

from .selector import matches


class Cluster:
    def __init__(self, namespace, deployment, pods):
        self.namespace = namespace
        self.deployment = deployment
        self.table = {pod.name: pod for pod in pods}

    def has(self, namespace):
        """None stands for all namespaces."""
        return namespace in (None, self.namespace)

    def pod(self, namespace, name):
        """None where there is none of that name."""
        return self.table.get(name) if self.has(namespace) else None

    def pods(self, namespace, labels, fields):
        """The manifests that the selectors leave, as the API lists them."""
        manifests = [pod.manifest() for pod in self.table.values()] if self.has(namespace) else []
        return listing("Pod", "v1", manifests, labels, fields)

    def deployment_named(self, namespace, name):
        """None where there is none of that name."""
        return self.manifest() if self.has(namespace) and name == self.deployment else None

    def deployments(self, namespace, labels, fields):
        return listing("Deployment", "apps/v1", [self.manifest()] if self.has(namespace) else [], labels, fields)

    def manifest(self):
        """The Deployment object: as available as its pods are ready."""
        pods = self.pods(self.namespace, "", "")["items"]
        size = len(self.table)
        ready = sum(pod["status"]["containerStatuses"][0]["ready"] for pod in pods)
        labels = next(iter(self.table.values())).labels
        return {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": self.deployment, "namespace": self.namespace, "labels": labels, "generation": 1, "uid": self.deployment,
                         "resourceVersion": "1", "creationTimestamp": pods[0]["metadata"]["creationTimestamp"] if pods else None},
            "spec": {"replicas": size, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": pods[0]["spec"] if pods else {}}},
            "status": {"observedGeneration": 1, "replicas": size, "updatedReplicas": size, "readyReplicas": ready, "availableReplicas": ready,
                       "conditions": [{"type": "Available", "status": str(ready == size)}]},
        }


def listing(kind, version, manifests, labels, fields):
    """The list of those manifests that are there and that the selectors leave."""
    items = [item for item in manifests if item and matches(labels, item["metadata"]["labels"]) and matches(fields, fields_of(item))]
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}


def fields_of(manifest):
    """The fields that field selectors may name."""
    return {"metadata.name": manifest["metadata"]["name"], "metadata.namespace": manifest["metadata"]["namespace"],
            "status.phase": manifest["status"].get("phase")}
