"""Tests names of the plain chart, of aliases in one parent, long and unusual names, and selectors."""

import pathlib
import shutil
import unittest

import yaml

import helm

SNIPPETS = pathlib.Path(__file__).parent / "snippets"


def parent(name, aliases=None):
    """Copies the parent chart of the snippets, with the chart of this project in place of the published one."""
    folder = helm.folder / "parents" / name
    shutil.copytree(SNIPPETS / "parent", folder)
    description = yaml.safe_load((folder / "Chart.yaml").read_text())
    for dependency, alias in zip(description["dependencies"], aliases or ("server1", "server2")):
        dependency.update(repository=f"file://{helm.chart('h1mock')}", alias=alias, condition=f"{alias}.enabled")
    (folder / "Chart.yaml").write_text(yaml.safe_dump(description))
    helm.run("dependency", "build", str(folder))
    return folder


def selected(objects, service):
    """The names of the pods that a Service selects."""
    wanted = service["spec"]["selector"].items()
    labels = {item["metadata"]["name"]: helm.at(item, "spec template metadata labels") for item in objects.all("Deployment")}
    labels.update({item["metadata"]["name"]: item["metadata"]["labels"] for item in objects.all("Pod")})
    return sorted(name for name, own in labels.items() if wanted <= own.items())


class Plain(unittest.TestCase):
    def test_pods_have_the_labels_that_scripts_of_the_original_ask_for(self):
        labels = helm.at(helm.template(release="h1mock").one("Deployment"), "spec template metadata labels")
        self.assertEqual(labels, {"app.kubernetes.io/name": "h1mock", "app.kubernetes.io/instance": "h1mock"})

    def test_a_pod_label_can_not_take_the_place_of_a_selected_one(self):
        objects = helm.template({"podLabels": {"app.kubernetes.io/name": "x"}})
        self.assertEqual(selected(objects, objects.one("Service")), ["h1mock"])

    def test_the_service_leads_to_the_mock_and_not_to_the_pod_of_helm_test(self):
        objects = helm.template()
        self.assertEqual(selected(objects, objects.one("Service")), ["h1mock"])

    def test_all_other_objects_take_the_full_name(self):
        values = {"fullnameOverride": "Full_1", "provisions": {"initial": "x"}, "adminToken": {"value": "x"}, **{
            section: {"enabled": True} for section in ("ingress", "autoscaling", "podDisruptionBudget", "networkPolicy", "serviceMonitor")}}
        objects = helm.template(values)
        self.assertEqual(objects.names(), [
            "ConfigMap/full-1-provisions", "Deployment/full-1", "HorizontalPodAutoscaler/full-1", "Ingress/full-1",
            "NetworkPolicy/full-1", "Pod/full-1-test", "PodDisruptionBudget/full-1", "Secret/full-1-admin-token", "Service/h1mock",
            "ServiceAccount/full-1", "ServiceMonitor/full-1"])
        self.assertEqual(helm.at(objects.one("HorizontalPodAutoscaler"), "spec scaleTargetRef name"), "full-1")
        for item in (objects.one("PodDisruptionBudget"), objects.one("ServiceMonitor")):
            self.assertEqual(helm.at(item, "spec selector matchLabels"), helm.at(objects.one("Service"), "spec selector"))
        self.assertEqual(helm.at(objects.one("NetworkPolicy"), "spec podSelector matchLabels"), helm.at(objects.one("Service"), "spec selector"))

    def test_names_that_yaml_takes_for_something_else_stay_text(self):
        on = {"service": {"name": "on"}, "nameOverride": "1e3", "serviceAccount": {"name": "1"}, "provisionsConfigMap": "2",
              "priorityClassName": "3", "adminToken": {"value": "4", "key": "5"}, "provisionVolume": {"sizeLimit": "6"}, "ingress": {"enabled": True, "className": "7"}}
        objects = helm.template(on, release="8")
        pod = helm.at(objects.one("Deployment"), "spec template spec")
        self.assertEqual([objects.one("Service")["metadata"]["name"], pod["serviceAccountName"], pod["priorityClassName"],
                          helm.at(objects.one("Ingress"), "spec ingressClassName"), *objects.one("Secret")["data"]],
                         ["on", "1", "3", "7", "5"])
        self.assertEqual(helm.at(pod, "volumes 1 projected sources 1 configMap name"), "2")

    def test_long_names_are_cut_to_what_kubernetes_takes(self):
        objects = helm.template({"service": {"name": "a" * 62 + "-b"}, "nameOverride": "c" * 70}, release="r" * 53)
        self.assertEqual(objects.one("Service")["metadata"]["name"], "a" * 62)
        self.assertEqual(objects.one("Deployment")["metadata"]["name"], "a" * 62)
        for item in objects:
            for label in item["metadata"]["labels"].values():
                self.assertLessEqual(len(label), 63)
        self.assertEqual(objects.one("Pod")["metadata"]["labels"]["app.kubernetes.io/name"], "c" * 58 + "-test")
        self.assertEqual(selected(objects, objects.one("Service")), ["a" * 62])


class Aliases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parent = parent("two")
        cls.objects = helm.template(of=cls.parent, release="shop")

    def test_each_alias_has_a_set_of_objects_of_its_own(self):
        self.assertEqual(self.objects.names(), [
            "ConfigMap/server1-provision-config", "ConfigMap/server2-provisions", "Deployment/server1", "Deployment/server2",
            "Pod/server1-test", "Pod/server2-test", "Service/server1", "Service/server2", "ServiceAccount/server1",
            "ServiceAccount/server2"])

    def test_each_service_leads_to_its_own_pods(self):
        for name in ("server1", "server2"):
            self.assertEqual(selected(self.objects, self.objects.one("Service", name)), [name])

    def test_each_pod_mounts_what_was_made_for_it(self):
        for name, expected in (("server1", ["server1-provision-config"]), ("server2", ["server2-provision-config", "server2-provisions"])):
            sources = helm.at(self.objects.one("Deployment", name), "spec template spec volumes 1 projected sources")
            self.assertEqual([source["configMap"]["name"] for source in sources], expected)

    def test_each_helm_test_asks_its_own_service(self):
        for name, port in (("server1", 8000), ("server2", 8080)):
            pod = self.objects.one("Pod", f"{name}-test")
            self.assertEqual(helm.at(pod, "spec containers 0 args 1"), f"tcp://{name}:{port}")
            self.assertEqual(helm.at(pod, "spec initContainers 0 args 1"), f"{name}:8074")

    def test_a_name_that_is_given_wins_over_the_alias(self):
        values = {"server1": {"service": {"name": "prices"}}}
        objects = helm.template(values, of=self.parent, release="shop")
        self.assertEqual([item["metadata"]["name"] for item in objects.all("Service")], ["prices", "server2"])
        self.assertEqual([item["metadata"]["name"] for item in objects.all("ConfigMap")],
                         ["server2-provisions", "prices-provision-config"])

    def test_global_values_and_conditions_pass_the_schema(self):
        objects = helm.template({"global": {"anything": 1}, "server2": {"enabled": False}}, of=self.parent, release="shop")
        self.assertEqual([item["metadata"]["name"] for item in objects.all("Deployment")], ["server1"])

    def test_set_file_fills_a_provision_of_an_alias(self):
        initial, data = helm.folder / "an-initial", helm.folder / "data.json"
        initial.write_text("// 1\n")
        data.write_bytes(b"\xff\xfe\x00")
        objects = helm.template(of=self.parent, release="shop", arguments=[
            "--set-file", f"server1.provisions.initial={initial}", "--set-file", f"server1.provisions.data\\.json={data}"])
        configmap = objects.one("ConfigMap", "server1-provisions")
        self.assertEqual((configmap["data"], configmap["binaryData"]), ({"initial": "// 1\n"}, {"data.json": "//4A"}))

    def test_an_alias_becomes_a_name_that_kubernetes_takes(self):
        odd = parent("odd", ("Price_Server", "server2"))
        call = '{{- include "h1mock.configmap" ( list $ $.Values.Price_Server "Price_Server" ) }}'
        (odd / "templates/provision-config.yaml").write_text(call + "\n")
        objects = helm.template({"Price_Server": {"service": {"provisionsDir": "server1"}}}, of=odd, release="shop")
        mounted = helm.at(objects.one("Deployment", "price-server"), "spec template spec volumes 1 projected sources 0 configMap name")
        self.assertEqual(objects.all("ConfigMap")[-1]["metadata"]["name"], mounted)
        self.assertIn("Service/price-server", objects.names())
        self.assertEqual(selected(objects, objects.one("Service", "price-server")), ["price-server"])
