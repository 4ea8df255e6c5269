"""Tests lint, packages, installation without a cluster, and the snippets of the documentation (ct/charts/snippets)."""

import pathlib
import re
import tarfile
import unittest

import yaml

import helm
import manifests
import restricted
from names_test import SNIPPETS, parent

FIRST_WITH_SIDECARS = manifests.VERSIONS.index("1.29")


class Package(unittest.TestCase):
    def test_the_charts_pass_lint(self):
        for path in (helm.chart("h1mock"), helm.chart("ct-h1mock"), parent("linted")):
            self.assertIn("1 chart(s) linted, 0 chart(s) failed", helm.run("lint", "--strict", str(path)))

    def test_the_versions_are_that_of_the_program(self):
        program = re.search(r'^version = "(.*)"$', (helm.PROJECT / "Cargo.toml").read_text(), re.M).group(1)
        for name in ("h1mock", "ct-h1mock"):
            chart = yaml.safe_load((helm.chart(name) / "Chart.yaml").read_text())
            self.assertEqual((chart["version"], chart["appVersion"]), (program, program))
        self.assertEqual(chart["dependencies"], [{"name": "h1mock", "version": program, "repository": "file://../h1mock"}])

    def test_a_package_has_the_files_behind_links(self):
        helm.run("package", str(helm.chart("ct-h1mock")), "--destination", str(helm.folder))
        with tarfile.open(helm.folder / "ct-h1mock-1.0.0.tgz") as package:
            initial = package.extractfile("ct-h1mock/provisions/initial").read().decode()
            self.assertIn("ct-h1mock/charts/h1mock/Chart.yaml", package.getnames())
        self.assertEqual(initial, (helm.PROJECT / "provisions/default").read_text())
        objects = helm.template(of=helm.folder / "ct-h1mock-1.0.0.tgz", release="ct-h1mock")
        self.assertEqual(objects.one("ConfigMap")["data"]["initial"], initial)

    def test_installation_without_a_cluster(self):
        for path, release in ((helm.chart("h1mock"), "h1mock"), (helm.chart("ct-h1mock"), "ct-h1mock"), (parent("dry"), "shop")):
            self.assertIn("STATUS: pending-install", helm.run("install", release, str(path), "--dry-run=client"))

    def test_the_versions_of_kubernetes_that_are_too_old_are_refused(self):
        with self.assertRaises(helm.Failure) as caught:
            helm.template(arguments=["--kube-version", "1.22.0"])
        self.assertIn("chart requires kubeVersion: >=1.23.0-0", str(caught.exception))


class Snippets(unittest.TestCase):
    def load(self, name):
        return yaml.load((SNIPPETS / name).read_text(), Loader=helm.Strict)

    def test_manifests_are_right_for_kubernetes(self):
        for name, versions in (("configmap.yaml", manifests.VERSIONS), ("token.yaml", manifests.VERSIONS),
                               ("sidecar.yaml", manifests.VERSIONS[FIRST_WITH_SIDECARS:]),
                               ("job.yaml", manifests.VERSIONS[FIRST_WITH_SIDECARS:])):
            with self.subTest(name):
                self.assertEqual(manifests.check([(SNIPPETS / name).read_text()], versions), ([], 1))
                self.assertEqual(restricted.problems(self.load(name)), [])

    def test_the_sidecar_is_like_the_container_of_the_chart(self):
        sidecar = self.load("sidecar.yaml")["spec"]["initContainers"][0]
        container = helm.at(helm.template().one("Deployment"), "spec template spec containers 0")
        for key in ("image", "imagePullPolicy", "terminationMessagePolicy", "args", "securityContext", "volumeMounts"):
            self.assertEqual(sidecar[key], container[key])
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertEqual(sidecar["startupProbe"]["httpGet"], container["readinessProbe"]["httpGet"])

    def test_containers_of_our_image_take_it_from_the_node_and_say_why_they_fail(self):
        """Checks the pull policy: for the tag `latest` Kubernetes would always pull, and not use an image that was loaded onto the node."""
        count = 0
        items = [(path, item) for path in SNIPPETS.glob("*.yaml") for item in yaml.safe_load_all(path.read_text())]
        for path, item in items:
            pod = helm.at(item, "spec template spec") or item.get("spec") or {}
            for container in pod.get("initContainers", []) + pod.get("containers", []):
                if container["image"].startswith("testillano/"):
                    self.assertEqual((container.get("imagePullPolicy"), container.get("terminationMessagePolicy")),
                                     ("IfNotPresent", "FallbackToLogsOnError"), path.name)
                    count += 1
        self.assertEqual(count, 4)

    def test_the_job_has_the_sidecar_without_names_for_its_ports(self):
        pod, job = self.load("sidecar.yaml")["spec"], helm.at(self.load("job.yaml"), "spec template spec")
        sidecar, mock = pod["initContainers"][0], job["initContainers"][0]
        del sidecar["ports"], sidecar["livenessProbe"]
        sidecar["startupProbe"]["httpGet"]["port"] = 8074
        self.assertEqual(mock, sidecar)
        self.assertEqual(job["volumes"], pod["volumes"])

    def test_values_for_several_pods(self):
        deployment = helm.template(self.load("replicas.yaml")).one("Deployment")
        self.assertEqual(deployment["spec"]["replicas"], 3)
        configmap = self.load("configmap.yaml")["metadata"]["name"]
        self.assertEqual(helm.at(deployment, "spec template spec volumes 1 projected sources 1 configMap name"), configmap)

    def test_the_token_is_found_in_its_secret(self):
        secret = self.load("token.yaml")
        env = helm.at(helm.template({"adminToken": {"existingSecret": secret["metadata"]["name"]}}).one("Deployment"),
                      "spec template spec containers 0 env 6 valueFrom secretKeyRef")
        self.assertIn(env["key"], secret["stringData"])

    def test_no_snippet_is_left_out(self):
        names = {path.name for path in pathlib.Path(SNIPPETS).iterdir()}
        self.assertEqual(names, {"parent", "configmap.yaml", "token.yaml", "replicas.yaml", "sidecar.yaml", "dependency.yaml", "waiting.yaml",
                                 "networkpolicy.yaml", "job.yaml", "https.yaml", "tls.yaml"})
