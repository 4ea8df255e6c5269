"""Tests NOTES.txt: its commands have the right names and need neither a shell nor curl in the pod; warnings appear when they apply."""

import re
import unittest

import helm

SEVERAL = "WARNING: there can be more than one pod. The administrative interface, store and journal are each pod's own"


class Notes(unittest.TestCase):
    def test_the_commands_of_the_plain_chart(self):
        text = helm.notes()
        for command in (
            "kubectl rollout status -n mocks deployment/h1mock",
            "POD=$(kubectl get pods -n mocks -l app.kubernetes.io/name=h1mock,app.kubernetes.io/instance=h1m "
            "--field-selector=status.phase=Running --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')",
            "kubectl cp -n mocks provisions/foo-bar $POD:/app/provision",
            "kubectl exec -n mocks $POD -- h1mock get /app/v1/foo/bar",
            "kubectl exec -n mocks $POD -- touch provision/initial",
            "kubectl exec -n mocks $POD -- h1mock get :8074/app/v1/provision",
            "kubectl port-forward -n mocks $POD 8074 &",
            "curl -H 'Content-Type: text/plain' --data-binary @provisions/foo-bar http://localhost:8074/app/v1/provision/foo-bar",
            "kubectl port-forward -n mocks service/h1mock 8000 &",
        ):
            self.assertIn(f"\n  {command}\n", helm.notes(release="h1m") if "instance=h1m " in command else text)
        self.assertNotIn("WARNING", text)

    def test_what_runs_in_the_pod_is_h1mock_or_an_applet(self):
        text = helm.notes({"adminToken": {"value": "x"}, "service": {"verbosity": {"enabled": True}}})
        run = re.findall(r"kubectl exec .* -- (\S+)", text)
        self.assertEqual(sorted(set(run)), ["h1mock", "touch"])

    def test_names_and_ports_are_those_of_the_values(self):
        text = helm.notes({"service": {"name": "prices", "traffic_port": 81, "admin_port": 82}, "nameOverride": "other"})
        for part in ("http://prices.mocks:81", "deployment/prices", "name=other,", "get :82/app", "service/prices 81"):
            self.assertIn(part, text)

    def test_without_the_admin_port_nothing_is_said_of_it(self):
        text = helm.notes({"service": {"admin": {"enabled": False}}, "replicaCount": 2})
        self.assertNotIn("8074", text)
        self.assertNotIn("dministrative", text)
        self.assertIn("WARNING: there can be more than one pod. Store and journal are each pod's own", text)

    def test_a_token_is_read_from_its_secret(self):
        text = helm.notes({"adminToken": {"existingSecret": "s", "key": "my.key"}})
        self.assertIn("""TOKEN=$(kubectl get secret -n mocks s -o go-template='{{index .data "my.key" | base64decode}}')""", text)
        self.assertIn('curl -H "Authorization: Bearer $TOKEN" http://localhost:8074/app/v1/provision/initial', text)

    def test_more_than_one_pod_is_warned_of(self):
        for values in ({"replicaCount": 2}, {"autoscaling": {"enabled": True}}):
            self.assertIn(SEVERAL, helm.notes(values))

    def test_scaling_by_cpu_without_a_request_is_warned_of(self):
        warning = "WARNING: autoscaling by CPU needs `resources.requests.cpu`"
        self.assertIn(warning, helm.notes({"autoscaling": {"enabled": True}}))
        self.assertNotIn(warning, helm.notes({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": "10m"}}}))

    def test_an_admin_port_that_is_published_without_a_token_is_warned_of(self):
        for kind in ("NodePort", "LoadBalancer"):
            warning = f"WARNING: a Service of type {kind} publishes the administrative port, too, and no token guards it"
            self.assertIn(warning, helm.notes({"service": {"type": kind}}))
            self.assertNotIn(warning, helm.notes({"service": {"type": kind}, "adminToken": {"value": "x"}}))

    def test_how_to_reach_it_depends_on_the_values(self):
        hosts = [{"host": "a", "paths": ["/x", {"path": "/y"}]}, {"host": "b"}]
        text = helm.notes({"ingress": {"enabled": True, "hosts": hosts, "tls": [{"secretName": "s", "hosts": ["a"]}]}})
        for url in ("https://a/x", "https://a/y", "https://b/"):
            self.assertIn(f"\n  {url}\n", text + "\n")
        self.assertIn("get service -n mocks h1mock -o jsonpath='{.spec.ports[0].nodePort}'", helm.notes({"service": {"type": "NodePort"}}))
        self.assertIn("get service -n mocks h1mock --watch", helm.notes({"service": {"type": "LoadBalancer"}}))
