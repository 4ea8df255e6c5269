"""Tests the effect of each value of the chart h1mock with a table, and checks that the table has all values."""

import unittest

import helm
import values

P = "spec template spec"
C = f"{P} containers 0"
PEER = {"podSelector": {"matchLabels": {"app": "x"}}}
TERM = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}


def variable(name, value):
    return lambda deployment: {"name": name, "value": value} in helm.at(deployment, f"{C} env")


# A value, its setting, the kind of an object, a place in it or a test of it, the expected content of that place, further values.
EFFECTS = [
    ("replicaCount", 3, "Deployment", "spec replicas", 3),
    ("image.repository", "my.host:5000/h1mock", "Deployment", f"{C} image", "my.host:5000/h1mock:latest"),
    ("image.tag", "9.9", "Deployment", f"{C} image", "testillano/h1mock:9.9"),
    ("image.tag", "", "Deployment", f"{C} image", "testillano/h1mock:1.0.0"),
    ("image.pullPolicy", "Never", "Deployment", f"{C} imagePullPolicy", "Never"),
    ("imagePullSecrets", [{"name": "s"}], "Deployment", f"{P} imagePullSecrets", [{"name": "s"}]),
    ("nameOverride", "other", "Deployment", "spec selector matchLabels app.kubernetes.io/name", "other"),
    ("nameOverride", "other", "Service", "spec selector app.kubernetes.io/name", "other"),
    ("fullnameOverride", "full", "Deployment", "metadata name", "full"),
    ("fullnameOverride", "full", "Service", "metadata name", "h1mock"),
    ("serviceAccount.create", True, "ServiceAccount", "automountServiceAccountToken", False),
    ("serviceAccount.create", False, "Deployment", f"{P} serviceAccountName", "default"),
    ("serviceAccount.annotations", {"a": "b"}, "ServiceAccount", "metadata annotations", {"a": "b"}),
    ("serviceAccount.name", "me", "ServiceAccount", "metadata name", "me"),
    ("serviceAccount.name", "me", "Deployment", f"{P} serviceAccountName", "me"),
    ("podAnnotations", {"a": "b"}, "Deployment", "spec template metadata annotations", {"a": "b"}),
    ("podLabels", {"a": "b"}, "Deployment", "spec template metadata labels a", "b"),
    ("podSecurityContext", {"fsGroup": 2000}, "Deployment", f"{P} securityContext",
     {"fsGroup": 2000, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}),
    ("securityContext", {"runAsUser": 1000}, "Deployment", f"{C} securityContext",
     {"runAsUser": 1000, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}),
    ("service.name", "Web_1", "Service", "metadata name", "web-1"),
    ("service.name", "Web_1", "Deployment", "metadata name", "web-1"),
    ("service.name", "Web_1", "Deployment", f"{C} name", "web-1"),
    ("service.type", "NodePort", "Service", "spec type", "NodePort"),
    ("service.traffic_port", 8001, "Service", "spec ports 0",
     {"name": "http-traffic", "port": 8001, "targetPort": "http-traffic", "protocol": "TCP"}),
    ("service.traffic_port", 8001, "Deployment", f"{C} ports 0", {"name": "http-traffic", "containerPort": 8001, "protocol": "TCP"}),
    ("service.traffic_port", 8001, "Deployment", f"{C} args", ["8001", "8074"]),
    ("service.traffic_port", 8001, "Deployment", variable("H1MOCK_TRAFFIC_PORT", "8001"), True),
    ("service.traffic_port", 8001, "Pod", "spec containers 0 args", ["probe", "tcp://h1mock:8001"]),
    ("service.admin_port", 8075, "Service", "spec ports 1",
     {"name": "http-admin", "port": 8075, "targetPort": "http-admin", "protocol": "TCP"}),
    ("service.admin_port", 8075, "Deployment", f"{C} ports 1", {"name": "http-admin", "containerPort": 8075, "protocol": "TCP"}),
    ("service.admin_port", 8075, "Deployment", f"{C} args", ["8000", "8075"]),
    ("service.admin_port", 8075, "Deployment", variable("H1MOCK_ADMIN_PORT", "8075"), True),
    ("service.admin_port", 8075, "Pod", "spec initContainers 0 args", ["probe", "h1mock:8075"]),
    ("service.admin.enabled", False, "Deployment", variable("H1MOCK_NO_ADMIN", "true"), True),
    ("service.admin.enabled", False, "Deployment", f"{C} ports 1", None),
    ("service.admin.enabled", False, "Service", "spec ports 1", None),
    ("service.admin.enabled", False, "Pod", "spec initContainers", None),
    ("service.verbosity.enabled", True, "Deployment", f"{C} args", ["8000", "8074", "verbose"]),
    ("service.ipv6.enabled", True, "Deployment", f"{C} args", ["8000", "8074", "", "true"]),
    ("service.ipv6.enabled", True, "Deployment", f"{C} args", ["8000", "8074", "verbose", "true"], {"service": {"verbosity": {"enabled": True}}}),
    ("service.ipv6.enabled", True, "Service", "spec ipFamilyPolicy", "PreferDualStack"),
    ("service.ipFamilyPolicy", "SingleStack", "Service", "spec ipFamilyPolicy", "SingleStack", {"service": {"ipv6": {"enabled": True}}}),
    ("service.ipFamilies", ["IPv6", "IPv4"], "Service", "spec ipFamilies", ["IPv6", "IPv4"]),
    ("service.annotations", {"a": "b"}, "Service", "metadata annotations", {"a": "b"}),
    ("service.nodePorts.traffic", 30080, "Service", "spec ports 0 nodePort", 30080, {"service": {"type": "NodePort"}}),
    ("service.nodePorts.admin", 30081, "Service", "spec ports 1 nodePort", 30081, {"service": {"type": "NodePort"}}),
    ("provisions", {"initial": "x\n", "data.json": "{}"}, "ConfigMap", "data", {"initial": "x\n", "data.json": "{}"}),
    ("provisions", {"initial": "x"}, "Deployment", f"{P} volumes 1 projected sources 1 configMap",
     {"name": "h1mock-provisions", "optional": True}),
    ("provisionsConfigMap", "mine", "Deployment", f"{P} volumes 1 projected sources 1 configMap", {"name": "mine", "optional": True}),
    ("provisionVolume.sizeLimit", "1Gi", "Deployment", f"{P} volumes 0 emptyDir", {"sizeLimit": "1Gi"}),
    ("provisionVolume.medium", "Memory", "Deployment", f"{P} volumes 0 emptyDir", {"sizeLimit": "64Mi", "medium": "Memory"}),
    ("settings.workers", 7, "Deployment", variable("H1MOCK_WORKERS", "7"), True),
    ("settings.onError", "initial", "Deployment", variable("H1MOCK_ON_ERROR", "initial"), True),
    ("settings.requireProvision", "a", "Deployment", variable("H1MOCK_REQUIRE_PROVISION", "a"), True),
    ("settings.keepStore", True, "Deployment", variable("H1MOCK_KEEP_STORE", "true"), True),
    ("settings.storeBytes", "16M", "Deployment", variable("H1MOCK_STORE_BYTES", "16M"), True),
    ("settings.storeBytes", 16777216, "Deployment", variable("H1MOCK_STORE_BYTES", "16777216"), True),
    ("settings.journalBytes", "16M", "Deployment", variable("H1MOCK_JOURNAL_BYTES", "16M"), True),
    ("settings.journalBytes", 16777216, "Deployment", variable("H1MOCK_JOURNAL_BYTES", "16777216"), True),
    ("settings.journalBytes", 0, "Deployment", variable("H1MOCK_JOURNAL_BYTES", "0"), True),
    ("settings.clock", "+2h", "Deployment", variable("H1MOCK_CLOCK", "+2h"), True),
    ("settings.seed", 0, "Deployment", variable("H1MOCK_SEED", "0"), True),
    ("settings.seed", "-7", "Deployment", variable("H1MOCK_SEED", "-7"), True),
    ("settings.explain", True, "Deployment", variable("H1MOCK_EXPLAIN", "true"), True),
    ("settings.cors", ["https://a.example", "*"], "Deployment", variable("H1MOCK_CORS", "https://a.example,*"), True),
    ("settings.trustProxy", 2, "Deployment", variable("H1MOCK_TRUST_PROXY", "2"), True),
    ("settings.compress", True, "Deployment", variable("H1MOCK_COMPRESS", "true"), True),
    ("settings.allowOutgoing", ["default", "*.example.com", "192.0.2.0/24"], "Deployment",
     variable("H1MOCK_ALLOW_OUTGOING", "default,*.example.com,192.0.2.0/24"), True),
    ("settings.callbackWorkers", 8, "Deployment", variable("H1MOCK_CALLBACK_WORKERS", "8"), True),
    ("settings.forwardUnmatched", "http://real:8080", "Deployment", variable("H1MOCK_FORWARD_UNMATCHED", "http://real:8080"), True),
    ("settings.failOn", ["unmatched", "unused"], "Deployment", variable("H1MOCK_FAIL_ON", "unmatched,unused"), True),
    ("settings.logFormat", "json", "Deployment", variable("H1MOCK_LOG_FORMAT", "json"), True),
    ("settings.drainSeconds", 20, "Deployment", variable("H1MOCK_DRAIN", "20s"), True),
    ("settings.drainSeconds", 20, "Deployment", f"{P} terminationGracePeriodSeconds", 30),
    ("settings.graceSeconds", 40, "Deployment", variable("H1MOCK_GRACE", "40s"), True),
    ("settings.graceSeconds", 40, "Deployment", f"{P} terminationGracePeriodSeconds", 50),
    ("terminationGracePeriodSeconds", 90, "Deployment", f"{P} terminationGracePeriodSeconds", 90),
    ("adminToken.existingSecret", "s", "Deployment", f"{C} env 6",
     {"name": "H1MOCK_ADMIN_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}),
    ("adminToken.key", "k", "Deployment", f"{C} env 6 valueFrom secretKeyRef key", "k", {"adminToken": {"existingSecret": "s"}}),
    ("adminToken.value", "secret", "Secret", "data", {"token": "c2VjcmV0"}),
    ("adminToken.value", "secret", "Deployment", f"{C} env 6 valueFrom secretKeyRef name", "h1mock-admin-token"),
    ("adminToken.value", "secret", "Deployment", "spec template metadata annotations", {"checksum/admin-token": "2bb80d53"}),
    ("admin.hosts", ["a.example", "*.b.example"], "Deployment",
     variable("H1MOCK_ADMIN_HOST", "h1mock.mocks,a.example,*.b.example"), True),
    ("extraArgs", ["--max-body", "16M"], "Deployment", f"{C} args", ["8000", "8074", "--max-body", "16M"]),
    ("extraEnv", [{"name": "A", "value": "b"}], "Deployment", variable("A", "b"), True),
    ("extraEnv", [{"name": "H1MOCK_DRAIN", "value": "1m"}], "Deployment", variable("H1MOCK_DRAIN", "5s"), False),
    ("extraEnvFrom", [{"secretRef": {"name": "s"}}], "Deployment", f"{C} envFrom", [{"secretRef": {"name": "s"}}]),
    ("extraVolumes", [{"name": "v", "emptyDir": {}}], "Deployment", f"{P} volumes 2", {"name": "v", "emptyDir": {}}),
    ("extraVolumeMounts", [{"name": "provision", "mountPath": "/v"}], "Deployment", f"{C} volumeMounts 2",
     {"name": "provision", "mountPath": "/v"}),
    ("startupProbe", {"failureThreshold": 9}, "Deployment", f"{C} startupProbe",
     {"httpGet": {"path": "/healthz", "port": "http-admin"}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 9}),
    ("readinessProbe", {"periodSeconds": 9}, "Deployment", f"{C} readinessProbe",
     {"httpGet": {"path": "/readyz", "port": "http-admin"}, "periodSeconds": 9, "timeoutSeconds": 2, "failureThreshold": 2}),
    ("livenessProbe", {"timeoutSeconds": 9}, "Deployment", f"{C} livenessProbe",
     {"httpGet": {"path": "/healthz", "port": "http-admin"}, "periodSeconds": 10, "timeoutSeconds": 9, "failureThreshold": 3}),
    ("lifecycle", {"preStop": {"exec": {"command": ["ls"]}}}, "Deployment", f"{C} lifecycle preStop exec command", ["ls"]),
    ("strategy", {"type": "Recreate"}, "Deployment", "spec strategy", {"type": "Recreate"}),
    ("resources", {"limits": {"memory": "32Mi"}}, "Deployment", f"{C} resources", {"limits": {"memory": "32Mi"}}),
    ("nodeSelector", {"a": "b"}, "Deployment", f"{P} nodeSelector", {"a": "b"}),
    ("tolerations", [{"key": "a", "operator": "Exists"}], "Deployment", f"{P} tolerations", [{"key": "a", "operator": "Exists"}]),
    ("affinity", TERM, "Deployment", f"{P} affinity", TERM),
    ("topologySpreadConstraints", [SPREAD], "Deployment", f"{P} topologySpreadConstraints", [SPREAD]),
    ("priorityClassName", "high", "Deployment", f"{P} priorityClassName", "high"),
    ("ingress.enabled", True, "Ingress", "spec rules 0 host", "chart-example.local"),
    ("ingress.className", "nginx", "Ingress", "spec ingressClassName", "nginx"),
    ("ingress.annotations", {"a": "b"}, "Ingress", "metadata annotations", {"a": "b"}),
    ("ingress.hosts", [{"host": "h", "paths": ["/a"]}], "Ingress", "spec rules 0", {"host": "h", "http": {"paths": [
        {"path": "/a", "pathType": "Prefix", "backend": {"service": {"name": "h1mock", "port": {"name": "http-traffic"}}}}]}}),
    ("ingress.hosts", [{"host": "h", "paths": [{"path": "/a", "pathType": "Exact"}]}], "Ingress", "spec rules 0 http paths 0 pathType", "Exact"),
    ("ingress.hosts", [{"host": "h"}], "Ingress", "spec rules 0 http paths 0 path", "/"),
    ("ingress.tls", [{"secretName": "s", "hosts": ["h"]}], "Ingress", "spec tls", [{"secretName": "s", "hosts": ["h"]}]),
    ("autoscaling.enabled", True, "HorizontalPodAutoscaler", "spec scaleTargetRef",
     {"apiVersion": "apps/v1", "kind": "Deployment", "name": "h1mock"}),
    ("autoscaling.enabled", True, "Deployment", "spec replicas", None),
    ("autoscaling.minReplicas", 2, "HorizontalPodAutoscaler", "spec minReplicas", 2),
    ("autoscaling.maxReplicas", 5, "HorizontalPodAutoscaler", "spec maxReplicas", 5),
    ("autoscaling.targetCPUUtilizationPercentage", 50, "HorizontalPodAutoscaler", "spec metrics",
     [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]),
    ("autoscaling.targetMemoryUtilizationPercentage", 60, "HorizontalPodAutoscaler", "spec metrics 1",
     {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}}}),
    ("autoscaling.behavior", {"scaleDown": {"stabilizationWindowSeconds": 5}}, "HorizontalPodAutoscaler", "spec behavior",
     {"scaleDown": {"stabilizationWindowSeconds": 5}}),
    ("podDisruptionBudget.enabled", True, "PodDisruptionBudget", "spec selector matchLabels app.kubernetes.io/name", "h1mock"),
    ("podDisruptionBudget.maxUnavailable", "50%", "PodDisruptionBudget", "spec maxUnavailable", "50%"),
    ("podDisruptionBudget.minAvailable", 0, "PodDisruptionBudget", "spec minAvailable", 0),
    ("podDisruptionBudget.minAvailable", "1%", "PodDisruptionBudget", "spec maxUnavailable", None),
    ("networkPolicy.enabled", True, "NetworkPolicy", "spec ingress", [{"ports": [{"port": 8000, "protocol": "TCP"}]}]),
    ("networkPolicy.enabled", True, "Pod", "spec initContainers", None),
    ("networkPolicy.adminFrom", [PEER], "NetworkPolicy", "spec ingress 1", {"from": [PEER], "ports": [{"port": 8074, "protocol": "TCP"}]}),
    ("networkPolicy.metricsFrom", [PEER], "NetworkPolicy", "spec ingress 1", {"from": [PEER], "ports": [{"port": 8074, "protocol": "TCP"}]}),
    ("networkPolicy.metricsFrom", [PEER], "NetworkPolicy", "spec ingress 1", None, {"service": {"admin": {"enabled": False}}}),
    ("serviceMonitor.enabled", True, "ServiceMonitor", "spec endpoints", [{"port": "http-admin", "path": "/metrics"}]),
    ("serviceMonitor.labels", {"release": "p"}, "ServiceMonitor", "metadata labels release", "p"),
    ("serviceMonitor.interval", "30s", "ServiceMonitor", "spec endpoints 0 interval", "30s"),
    ("serviceMonitor.scrapeTimeout", "5s", "ServiceMonitor", "spec endpoints 0 scrapeTimeout", "5s"),
    ("serviceMonitor.relabelings", [{"action": "drop"}], "ServiceMonitor", "spec endpoints 0 relabelings", [{"action": "drop"}]),
    ("serviceMonitor.metricRelabelings", [{"action": "drop"}], "ServiceMonitor", "spec endpoints 0 metricRelabelings", [{"action": "drop"}]),
    ("serviceMonitor.enabled", True, "ServiceMonitor", "spec endpoints 0 authorization",
     {"type": "Bearer", "credentials": {"name": "s", "key": "token"}}, {"adminToken": {"existingSecret": "s"}}),
    ("helmTest.enabled", True, "Pod", "metadata annotations",
     {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation"}),
    ("helmTest.path", "/ping", "Pod", "spec containers 0 args", ["get", "--any-status", "http://h1mock:8000/ping"]),
    ("helmTest.path", "/ping", "Pod", "spec initContainers", None),
    ("helmTest.path", "", "Pod", "spec containers 0 args", ["probe", "tcp://h1mock:8000"]),
]

# Values whose effect is the absence of an object, or shows in a template of the chart with the files.
ELSEWHERE = {"service.provisionsDir": "provisions_test.py"}
OPTIONAL = ("ingress", "autoscaling", "podDisruptionBudget", "networkPolicy", "serviceMonitor")


class Effects(unittest.TestCase):
    def test_each_value_has_its_effect(self):
        for value, to, kind, place, expected, *besides in EFFECTS:
            with self.subTest(value, to=to, kind=kind, place=place):
                section = value.split(".")[0]
                switch = helm.nested(f"{section}.enabled", True) if section in OPTIONAL else {}
                item = helm.template(helm.merged(switch, *besides, helm.nested(value, to))).one(kind)
                self.assertEqual(place(item) if callable(place) else helm.at(item, place), expected)

    def test_no_value_is_missing_in_the_table(self):
        shown = {value for value, *_ in EFFECTS} | set(ELSEWHERE)
        self.assertEqual({row.name for row in values.rows("h1mock")} - shown, set())

    def test_what_is_off_makes_no_object(self):
        kinds = {item["kind"] for item in helm.template()}
        self.assertEqual(kinds, {"ServiceAccount", "Service", "Deployment", "Pod"})
        off = helm.template({"serviceAccount": {"create": False}, "helmTest": {"enabled": False}})
        self.assertEqual(off.names(), ["Deployment/h1mock", "Service/h1mock"])
        self.assertEqual(helm.template({"adminToken": {"value": "x"}, "service": {"admin": {"enabled": False}}}).all("Secret"), [])
