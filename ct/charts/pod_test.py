"""Tests the mock's pod: security, probes, links, ports."""

import unittest

import helm

POD = "spec template spec"
CONTAINER = f"{POD} containers 0"
SYSCTL = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]


def deployment(**values):
    return helm.template(values).one("Deployment")


class Security(unittest.TestCase):
    def test_pods_meet_restricted_without_a_fixed_user(self):
        objects = helm.template()
        for spec in (helm.at(objects.one("Deployment"), POD), objects.one("Pod")["spec"]):
            self.assertEqual(spec["securityContext"], {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
            self.assertEqual(spec["containers"][0]["securityContext"], {
                "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True})
            self.assertIs(spec["automountServiceAccountToken"], False)
            self.assertIs(spec["enableServiceLinks"], False)

    def test_a_port_below_1024_adds_the_safe_sysctl(self):
        context = f"{POD} securityContext sysctls"
        self.assertIsNone(helm.at(deployment(service={"traffic_port": 1024}), context))
        for service in ({"traffic_port": 80}, {"admin_port": 1023}):
            self.assertEqual(helm.at(deployment(service=service), context), SYSCTL)
        closed = deployment(service={"admin_port": 81, "admin": {"enabled": False}})
        self.assertIsNone(helm.at(closed, context))

    def test_sysctls_that_are_given_stay(self):
        own = [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]
        given = deployment(service={"traffic_port": 80}, podSecurityContext={"sysctls": own})
        self.assertEqual(helm.at(given, f"{POD} securityContext sysctls"), own + SYSCTL)
        given = deployment(service={"traffic_port": 80}, podSecurityContext={"sysctls": SYSCTL})
        self.assertEqual(helm.at(given, f"{POD} securityContext sysctls"), SYSCTL)

    def test_a_default_can_be_taken_out(self):
        objects = helm.template({"securityContext": None, "podSecurityContext": {"seccompProfile": None}}, safe=False)
        self.assertIsNone(helm.at(objects.one("Deployment"), f"{CONTAINER} securityContext"))
        self.assertEqual(helm.at(objects.one("Deployment"), f"{POD} securityContext"), {"runAsNonRoot": True})


class Probes(unittest.TestCase):
    def test_none_has_an_initial_delay(self):
        container = helm.at(deployment(), CONTAINER)
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertNotIn("initialDelaySeconds", container[name])
            self.assertIn("httpGet", container[name])
        self.assertEqual(container["startupProbe"]["periodSeconds"], 1)

    def test_without_the_admin_port_they_are_tcp_on_the_traffic_port(self):
        container = helm.at(deployment(service={"admin": {"enabled": False}}), CONTAINER)
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(container[name]["tcpSocket"], {"port": "http-traffic"})
            self.assertNotIn("httpGet", container[name])

    def test_a_token_is_none_of_their_business(self):
        with_token = helm.at(deployment(adminToken={"existingSecret": "s"}), CONTAINER)
        without = helm.at(deployment(), CONTAINER)
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(with_token[name], without[name])


class Failures(unittest.TestCase):
    def test_what_a_container_says_when_it_fails_is_in_the_description_of_its_pod(self):
        objects = [*helm.template(), helm.template(of="ct-h1mock", release="ct-h1mock").one("Deployment", "ct-h1mock")]
        pods = [helm.at(item, POD) or item["spec"] for item in objects if item["kind"] in ("Deployment", "Pod")]
        containers = [one for pod in pods for one in pod.get("initContainers", []) + pod["containers"]]
        ours = [one for one in containers if one["image"].startswith("testillano/h1mock:")]
        self.assertLessEqual({"h1mock", "test", "test-init"}, {one["name"] for one in ours})
        for container in ours:
            self.assertEqual(container.get("terminationMessagePolicy"), "FallbackToLogsOnError", container["name"])


class HelmTest(unittest.TestCase):
    def test_it_sends_the_mock_no_request_that_counts(self):
        """Checks that the pod of `helm test` leaves no request by default: `/readyz` is on the admin port, and a connection is no request."""
        pod = helm.template().one("Pod")["spec"]
        self.assertEqual([one["args"] for one in pod["initContainers"] + pod["containers"]],
                         [["probe", "h1mock:8074"], ["probe", "tcp://h1mock:8000"]])

    def test_its_log_can_be_read_and_its_pod_be_found(self):
        """Checks that the pod has one container, since `helm test --logs` names none, and no hook-succeeded, since helm 3 would delete it."""
        pod = helm.template().one("Pod")
        self.assertEqual(len(pod["spec"]["containers"]), 1)
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook-delete-policy"], "before-hook-creation")
        self.assertEqual(pod["metadata"]["labels"]["app.kubernetes.io/component"], "test")


class Rollout(unittest.TestCase):
    def test_a_new_pod_is_ready_before_the_old_one_goes(self):
        self.assertEqual(deployment()["spec"]["strategy"], {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})

    def test_a_stopping_pod_has_time_for_drain_and_grace(self):
        self.assertEqual(helm.at(deployment(), f"{POD} terminationGracePeriodSeconds"), 15)
