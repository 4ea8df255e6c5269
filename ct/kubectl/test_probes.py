"""The commands that the chart's probes run: what the kubelet would see of them, and show where they fail."""

import json
import pathlib
import subprocess

CHART = pathlib.Path(__file__).resolve().parents[2] / "helm/h1mock"


def probe(name, values):
    """The command of a probe of the chart with some values. Its list stands in lines of their own, so no YAML need be parsed."""
    shown = subprocess.run(["helm", "template", "h1mock", CHART, "--values", "-", "--show-only", "templates/deployment.yaml"],
                           input=json.dumps(values), capture_output=True, text=True, check=True).stdout
    lines = iter(shown.partition(f"{name}:\n")[2].splitlines())
    assert [next(lines).strip(), next(lines).strip()] == ["exec:", "command:"]
    command = []
    for line in lines:
        if not line.strip().startswith("- "):
            return command
        command.append(line.strip()[2:])
    return command


def test_the_readiness_probe_says_whether_it_is_ready(kubectl, pod):
    command = probe("readinessProbe", {"provisions": {"initial": "1"}})
    kubectl("the readiness probe", "exec", pod, "--", *command).succeeded()
