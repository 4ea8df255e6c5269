"""What stands for the pods: their Deployment and their Service, both under one name."""

# As the chart names them.
PORTS = {"http-traffic": 8000, "http-admin": 8074}


def metadata(name, namespace, labels, created):
    return {"name": name, "namespace": namespace, "labels": labels, "uid": name, "generation": 1, "resourceVersion": "1",
            "creationTimestamp": created}


def deployment(name, namespace, labels, size, pods):
    """As available as its pods are ready; `size` is how many there should be."""
    ready = sum(pod["status"]["containerStatuses"][0]["ready"] for pod in pods)
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": metadata(name, namespace, labels, created(pods)),
        "spec": {"replicas": size, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": pods[0]["spec"] if pods else {}}},
        "status": {"observedGeneration": 1, "replicas": size, "updatedReplicas": size, "readyReplicas": ready, "availableReplicas": ready,
                   "conditions": [{"type": "Available", "status": str(ready == size)}]},
    }


def service(name, namespace, labels, pods):
    ports = [{"name": port, "port": number, "targetPort": number, "protocol": "TCP"} for port, number in PORTS.items()]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(name, namespace, labels, created(pods)),
            "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": labels, "ports": ports}, "status": {"loadBalancer": {}}}


def created(pods):
    return pods[0]["metadata"]["creationTimestamp"] if pods else None
