"""Tests the chart ct-h1mock: its values, the values of the mock in it, the init container."""

import unittest

import helm
import values

POD = "spec template spec"
TEST = f"{POD} containers 0"
INIT = f"{POD} initContainers 0"

# A value, its setting, a place in the Deployment of the tests, and the expected content of that place.
EFFECTS = [
    ("test.name", "unit", f"{INIT} name", "unit-init"),
    ("test.replicaCount", 2, "spec replicas", 2),
    ("test.image.repository", "r/ct", f"{TEST} image", "r/ct:latest"),
    ("test.image.tag", "test1", f"{TEST} image", "testillano/ct-h1mock:test1"),
    ("test.image.tag", "", f"{TEST} image", "testillano/ct-h1mock:1.0.0"),
    ("test.image.pullPolicy", "Always", f"{TEST} imagePullPolicy", "Always"),
    ("test.podAnnotations", {"a": "b"}, "spec template metadata annotations", {"a": "b", "sidecar.istio.io/inject": "true"}),
    ("podAnnotations", {"sidecar.istio.io/inject": "false"}, "spec template metadata annotations", {"sidecar.istio.io/inject": "false"}),
    ("test.resources", {"limits": {"cpu": 1}}, f"{TEST} resources", {"limits": {"cpu": 1}}),
    ("test.podSecurityContext", {"runAsUser": 1}, f"{POD} securityContext runAsUser", 1),
    ("test.securityContext", {"runAsUser": 1}, f"{TEST} securityContext runAsUser", 1),
    ("test.securityContext", {"runAsUser": 1}, f"{INIT} securityContext runAsUser", 1),
    ("test.extraEnv", [{"name": "A", "value": "b"}], f"{TEST} env", [{"name": "A", "value": "b"}]),
    ("initContainer.image.repository", "r/h1mock", f"{INIT} image", "r/h1mock:latest"),
    ("initContainer.image.tag", "9", f"{INIT} image", "testillano/h1mock:9"),
    ("initContainer.image.pullPolicy", "Always", f"{INIT} imagePullPolicy", "Always"),
    ("initContainer.command", ["sh", "-c", "true"], f"{INIT} command", ["sh", "-c", "true"]),
    ("initContainer.command", ["sh", "-c", "true"], f"{INIT} args", None),
    ("initContainer.args", ["wait", "--provision", "initial", "h1mock"], f"{INIT} args", ["wait", "--provision", "initial", "h1mock"]),
    ("imagePullSecrets", [{"name": "s"}], f"{POD} imagePullSecrets", [{"name": "s"}]),
    ("nameOverride", "other", "spec selector matchLabels app.kubernetes.io/name", "other"),
    ("fullnameOverride", "full", "metadata name", "full"),
    ("h1mock.image.tag", "test1", f"{INIT} image", "testillano/h1mock:test1"),
    ("h1mock.service.name", "prices", f"{INIT} args 3", "prices:8074"),
    ("h1mock.service.name", "prices", f"{TEST} env 0", {"name": "H1MOCK_SERVICE_HOST", "value": "prices"}),
    ("h1mock.service.traffic_port", 81, f"{INIT} env 0", {"name": "H1MOCK_TRAFFIC_PORT", "value": "81"}),
    ("h1mock.service.admin_port", 82, f"{INIT} args 3", "h1mock:82"),
]
# A value, its setting, an object of the mock, a place in it, and the expected content of that place.
OF_THE_MOCK = [
    ("h1mock.image.tag", "test1", "Deployment", f"{TEST} image", "testillano/h1mock:test1"),
    ("h1mock.service.name", "prices", "Service", "metadata name", "prices"),
    ("h1mock.service.traffic_port", 81, "Service", "spec ports 0 port", 81),
    ("h1mock.service.admin_port", 82, "Service", "spec ports 1 port", 82),
    ("h1mock.service.verbosity.enabled", False, "Deployment", f"{TEST} args", ["8000", "8074"]),
    ("h1mock.networkPolicy", {"enabled": True}, "NetworkPolicy", "spec ingress 1 from 0 podSelector matchLabels",
     {"app.kubernetes.io/name": "ct-h1mock"}),
]


def template(values=None, release="ct-h1mock"):
    return helm.template(values, of="ct-h1mock", release=release)


class Component(unittest.TestCase):
    def test_each_value_has_its_effect(self):
        for value, to, place, expected in EFFECTS:
            with self.subTest(value, to=to, place=place):
                name = {"fullnameOverride": "full", "nameOverride": "ct-h1mock-other"}.get(value, "ct-h1mock")
                self.assertEqual(helm.at(template(helm.nested(value, to)).one("Deployment", name), place), expected)
        for value, to, kind, place, expected in OF_THE_MOCK:
            with self.subTest(value, to=to, kind=kind):
                found = [helm.at(item, place) for item in template(helm.nested(value, to)).all(kind)]
                self.assertIn(expected, found)

    def test_no_value_is_missing_in_the_tables(self):
        shown = {value for value, *_ in EFFECTS + OF_THE_MOCK}
        missing = {row.name for row in values.rows("ct-h1mock")} - shown
        self.assertEqual(missing, {"h1mock.service.provisionsDir", "h1mock.networkPolicy.adminFrom"})

    def test_the_provisions_of_the_project_are_mounted(self):
        objects = template()
        configmap = objects.one("ConfigMap", "h1mock-provision-config")
        files = {path.name: path.read_text() for path in (helm.PROJECT / "provisions").iterdir()}
        self.assertEqual(configmap["data"], files)
        self.assertEqual(files["initial"], files["default"])
        mock = objects.one("Deployment", "h1mock")
        self.assertEqual(helm.at(mock, f"{POD} volumes 1 projected sources 0 configMap name"), "h1mock-provision-config")
        self.assertEqual(template({"h1mock": {"service": {"provisionsDir": ""}}}).all("ConfigMap"), [])

    def test_the_init_container_waits_with_our_image(self):
        init = helm.at(template().one("Deployment", "ct-h1mock"), INIT)
        self.assertNotIn("command", init)
        self.assertEqual(init["image"], "testillano/h1mock:latest")
        self.assertEqual(init["args"], ["wait", "--timeout", "300s", "h1mock:8074"])

    def test_the_test_pod_keeps_the_links_that_its_tests_read(self):
        objects = template()
        self.assertIs(helm.at(objects.one("Deployment", "ct-h1mock"), f"{POD} enableServiceLinks"), True)
        self.assertIs(helm.at(objects.one("Deployment", "h1mock"), f"{POD} enableServiceLinks"), False)

    def test_the_selectors_of_mock_and_tests_differ(self):
        objects = template()
        for kind, name in (("Service", "h1mock"), ("Deployment", "h1mock")):
            item = objects.one(kind, name)
            selector = helm.at(item, "spec selector matchLabels") or helm.at(item, "spec selector")
            self.assertEqual(selector["app.kubernetes.io/name"], "h1mock")

    def test_the_name_is_made_of_release_and_chart(self):
        self.assertIn("Deployment/ct-h1mock", template().names())
        self.assertIn("Deployment/x-ct-h1mock", template(release="x").names())

    def test_tests_without_the_admin_port_are_refused(self):
        with self.assertRaises(helm.Failure) as caught:
            template({"h1mock": {"service": {"admin": {"enabled": False}}}})
        self.assertIn("failed to make the test pod: its tests call the administrative interface, and h1mock.service.admin.enabled is "
                      "false", str(caught.exception))

    def test_typos_are_refused_here_and_in_the_dependency(self):
        for wrong, message in (({"tset": {}}, "ct-h1mock:\n- at '': additional properties 'tset' not allowed"),
                               ({"h1mock": {"imgae": {}}}, "h1mock:\n- at '': additional properties 'imgae' not allowed")):
            with self.assertRaises(helm.Failure) as caught:
                template(wrong)
            self.assertIn(message, str(caught.exception))
