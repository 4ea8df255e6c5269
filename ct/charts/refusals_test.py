"""Tests refused values and their messages, and that the schema and values.yaml have the same values."""

import json
import unittest

import yaml

import helm

SCHEMA = [
    ({"replicaCoutn": 2}, "- at '': additional properties 'replicaCoutn' not allowed"),
    ({"service": {"trafic_port": 1}}, "- at '/service': additional properties 'trafic_port' not allowed"),
    ({"service": {"traffic_port": 0}}, "- at '/service/traffic_port': minimum: got 0, want 1"),
    ({"service": {"traffic_port": 65536}}, "- at '/service/traffic_port': maximum: got 65,536, want 65,535"),
    ({"service": {"admin_port": "8074"}}, "- at '/service/admin_port': got string, want integer"),
    ({"service": {"type": "Clusterip"}}, "- at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'"),
    ({"service": {"name": "a.b"}}, "- at '/service/name': 'a.b' does not match pattern '^[A-Za-z][-_A-Za-z0-9]*$'"),
    ({"service": {"name": ""}}, "- at '/service/name': '' does not match pattern '^[A-Za-z][-_A-Za-z0-9]*$'"),
    ({"service": {"verbosity": True}}, "- at '/service/verbosity': got boolean, want object"),
    ({"image": {"tag": 1.0}}, "- at '/image/tag': got number, want string"),
    ({"image": {"pullPolicy": "always"}}, "- at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"),
    ({"podAnnotations": {"a": True}}, "- at '/podAnnotations/a': got boolean, want string"),
    ({"imagePullSecrets": ["s"]}, "- at '/imagePullSecrets/0': got string, want object"),
    ({"provisions": {"data.json": {}}}, "- at '/provisions/data.json': got object, want string"),
    ({"settings": {"onError": "stop"}}, "- at '/settings/onError': value must be one of 'keep', 'initial'"),
    ({"settings": {"drainSeconds": "5s"}}, "- at '/settings/drainSeconds': got string, want integer"),
    ({"settings": {"storeBytes": "16Mi"}}, "- at '/settings/storeBytes': '16Mi' does not match pattern '^([0-9]+[kMG]?)?$'"),
    ({"settings": {"storeBytes": 1}}, "- at '/settings/storeBytes': minimum: got 1, want 65,536"),
    ({"settings": {"journalBytes": "16Mi"}}, "- at '/settings/journalBytes': '16Mi' does not match pattern '^([0-9]+[kMG]?)?$'"),
    ({"settings": {"failOn": ["erors"]}}, "- at '/settings/failOn/0': value must be one of 'unmatched', 'unused', 'errors', 'loads'"),
    ({"extraEnv": [{"value": "x"}]}, "- at '/extraEnv/0': missing property 'name'"),
    ({"startupProbe": {"exec": {}}}, "- at '/startupProbe': additional properties 'exec' not allowed"),
    ({"ingress": {"hosts": [{"paths": []}]}}, "- at '/ingress/hosts/0': missing property 'host'"),
    ({"autoscaling": {"minReplicas": 0}}, "- at '/autoscaling/minReplicas': minimum: got 0, want 1"),
    ({"podDisruptionBudget": {"maxUnavailable": ""}}, "- at '/podDisruptionBudget/maxUnavailable': 'anyOf' failed"),
    ({"provisionVolume": {"sizeLimit": "64MB"}}, "- at '/provisionVolume/sizeLimit': '64MB' does not match pattern"),
]

TEMPLATE = [
    ({"service": {"traffic_port": 8074}},
     "failed to make Service `h1mock`: service.traffic_port and service.admin_port are both 8074"),
    ({"adminToken": {"existingSecret": "s", "value": "t"}},
     "failed to pass the admin token: adminToken.existingSecret and adminToken.value are both set"),
    ({"serviceMonitor": {"enabled": True}, "service": {"admin": {"enabled": False}}},
     "failed to make the ServiceMonitor: metrics are on the admin port, and service.admin.enabled is false"),
    ({"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 2}},
     "failed to make the HorizontalPodAutoscaler: autoscaling.minReplicas is more than autoscaling.maxReplicas"),
    ({"ingress": {"enabled": True, "hosts": []}}, "failed to make the Ingress: ingress.hosts is empty"),
    ({"terminationGracePeriodSeconds": 9},
     "failed to make the Deployment: terminationGracePeriodSeconds is 9, but drain and grace take 10 s (settings.drainSeconds, "
     "settings.graceSeconds)"),
]


class Refusals(unittest.TestCase):
    def test_the_schema_refuses_wrong_values(self):
        for values, message in SCHEMA:
            with self.subTest(values):
                with self.assertRaises(helm.Failure) as caught:
                    helm.template(values)
                self.assertIn(message, str(caught.exception))

    def test_values_that_contradict_each_other_are_refused(self):
        for values, message in TEMPLATE:
            with self.subTest(values):
                with self.assertRaises(helm.Failure) as caught:
                    helm.template(values)
                self.assertIn(message, str(caught.exception))

    def test_one_port_for_both_is_no_contradiction_without_the_admin_port(self):
        objects = helm.template({"service": {"traffic_port": 8074, "admin": {"enabled": False}}})
        self.assertEqual(helm.at(objects.one("Service"), "spec ports 0 port"), 8074)


def names(schema, root, path=""):
    """The dotted names of a schema's properties."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties", {})
    for key, value in properties.items():
        yield f"{path}{key}"
        yield from names(value, root, f"{path}{key}.")


def keys(values, path=""):
    for key, value in values.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{key}.")


class Schema(unittest.TestCase):
    # Values that values.yaml may omit: those that helm sets, and all fields of probes and similar objects.
    ABSENT = ("global", "enabled", "startupProbe.", "readinessProbe.", "livenessProbe.", "resources.", "test.resources.")

    def test_the_schema_knows_no_value_that_values_yaml_lacks(self):
        for chart in ("h1mock", "ct-h1mock"):
            schema = json.loads((helm.chart(chart) / "values.schema.json").read_text())
            known = set(keys(yaml.safe_load((helm.chart(chart) / "values.yaml").read_text())))
            extra = [name for name in names(schema, schema) if name not in known and not name.startswith(self.ABSENT)]
            self.assertEqual(extra, [])
            self.assertEqual(schema["$schema"], "http://json-schema.org/draft-07/schema#")
            self.assertIs(schema["additionalProperties"], False)
