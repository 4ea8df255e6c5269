"""A small part of the Kubernetes API, with podman containers in the place of pods: what kubectl asks for exec, cp, get, logs,
wait and port-forward. Python's standard library only."""
