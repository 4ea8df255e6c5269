"""What else users ask kubectl about the mock's pod."""

import json
import re
import subprocess
import urllib.request

from client import DEADLINE

SELECTOR = "app.kubernetes.io/name=h1mock,app.kubernetes.io/instance=h1mock"


def test_pods_are_listed(kubectl, pod):
    run = kubectl("pods", "get", "pods")
    assert re.fullmatch(rf"NAME +READY +STATUS +RESTARTS +AGE\n{pod} +1/1 +Running +0 +\d+[sm]\n", run.text), run.text
    run.succeeded("1/1 Running")
    run = kubectl("pods with labels", "get", "pods", "-l", SELECTOR, "--no-headers")
    assert re.fullmatch(rf"{pod} +1/1 +Running +0 +\d+[sm]\n", run.text), run.text
    run.succeeded("1/1 Running")
    run = kubectl("more columns", "get", "pods", "-o", "wide")
    assert "podman" in run.text
    run.succeeded()
    run = kubectl("pods with other labels", "get", "pods", "-l", "app.kubernetes.io/name=other")
    assert (run.text, run.stderr) == ("", "No resources found in ct namespace.\n")
    run.succeeded("none")


def test_names_for_scripts(kubectl, pod):
    run = kubectl("name of the pod", "get", "pods", "-l", SELECTOR, "-o", "name")
    assert run.text == f"pod/{pod}\n"
    run.succeeded("pod/POD")
    run = kubectl("the same, bare", "get", "pods", "-l", SELECTOR, "-o", "jsonpath={.items[0].metadata.name}")
    assert run.text == pod
    run.succeeded("POD")
    run = kubectl("all of it", "get", "pod", pod, "-o", "json")
    assert json.loads(run.text)["status"]["phase"] == "Running"
    run.succeeded()


def test_a_service_stands_for_its_pod(kubectl, pod):
    run = kubectl("services", "get", "services")
    assert re.fullmatch(r"NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nh1mock +ClusterIP +10.0.0.1 +<none> +8000/TCP,8074/TCP +\d+[sm]\n", run.text), run.text
    run.succeeded()


def test_waiting(kubectl, pod):
    for what, target in (("wait for the pod", [f"pod/{pod}"]), ("wait for its labels", ["pod", "-l", SELECTOR])):
        run = kubectl(what, "wait", "--for=condition=ready", *target, "--timeout=30s")
        assert run.text == f"pod/{pod} condition met\n"
        run.succeeded()
    run = kubectl("wait for the deployment", "rollout", "status", "deployment/h1mock", "--timeout=30s")
    assert run.text == 'deployment "h1mock" successfully rolled out\n'
    run.succeeded()


def test_a_deployment_stands_for_its_pod(kubectl, pod):
    run = kubectl("exec by deployment", "exec", "deploy/h1mock", "--", "h1mock", "probe")
    run.succeeded()
    run = kubectl("log by deployment", "logs", "deploy/h1mock", "--tail=1")
    assert run.text.count("\n") == 1
    run.succeeded()


def test_logs_can_be_followed(kubectl, pod, mock):
    with kubectl.running("follow the log", "logs", "-f", pod, stdout=subprocess.PIPE, text=True) as (process, row):
        generation = mock.post("followed", "fn registerRules() {}\n")
        line = next(line for line in process.stdout if "`followed`" in line)
        assert f"generation {generation}" in line
        row.code, row.result = "(stopped)", "shows the activation"


def test_ports_can_be_forwarded(kubectl, pod, mock):
    mock.post("forwarded", 'fn registerRules() { app.get("/f", f); }\nfn f() { let text = ""; text.pad(100000, "x"); text }\n')
    with kubectl.running("forward both ports", "port-forward", pod, ":8000", ":8074", stdout=subprocess.PIPE, text=True) as (process, row):
        ports = {}
        while len(ports) < 2:
            local, remote = re.search(r":(\d+) -> (\d+)", process.stdout.readline()).groups()
            ports[remote] = local
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{ports['8000']}/f", timeout=DEADLINE) as response:
                assert response.read() == b"x" * 100000
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['8074']}/readyz", timeout=DEADLINE) as response:
            assert response.status == 200
        row.code, row.result = "(stopped)", "traffic and admin answer"


def test_mistakes_are_named(kubectl, pod):
    kubectl("a pod that does not exist", "exec", "other", "--", "ls").failed(1, 'Error from server (NotFound): pods "other" not found',
                                                                              result="NotFound")
    kubectl("a container that does not exist", "exec", pod, "-c", "other", "--", "ls").failed(
        1, f"container other is not valid for pod {pod}", result="BadRequest")
    kubectl("a namespace that does not exist", "exec", "-n", "other", pod, "--", "ls").failed(
        1, 'Error from server (NotFound): namespaces "other" not found', result="NotFound")
