"""Tests the pages: each YAML block must be one of the snippets, which are tested here and in package_test, and helm commands are
run. There is no cluster, so installations are rendered or run with --dry-run."""

import os
import re
import subprocess
import sys
import unittest

import helm
from names_test import SNIPPETS, parent

sys.path.insert(0, str(helm.PROJECT / "ct"))
import docs  # noqa: E402
import manifests  # noqa: E402
import restricted  # noqa: E402

OURS = "ct/charts/docs_test.py"
PAGES = ("README.md", "docs/kubernetes.md")
# These pages show files of CI systems: ct/ci_page.py.
CI = {"docs/ci.md", "docs/cli.md"}
# Snippets that no page shows: data for other snippets.
NOT_SHOWN = {"parent/server1/prices.json"}
# Commands that need the network or a cluster, and use nothing of this project.
NOT_RUN = re.compile(r"helm (repo|test) ")


def fences(page):
    """The language, the snippet and the text of each block of a page."""
    text = (helm.PROJECT / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", text, re.M | re.S)


def offline(command):
    """Rewrites a command so that it needs no cluster. An upgrade becomes an installation, since it asks the cluster even with --dry-run."""
    command = re.sub(r"\berthelm/h1mock\b", "helm/h1mock", command)
    if command.startswith("helm upgrade "):
        return re.sub(" --(install|wait)(?= |$)", "", command.replace("upgrade", "template", 1))
    return re.sub(r"^(helm install .*)", r"\1 --dry-run=client", command)


class Blocks(unittest.TestCase):
    def test_each_is_equal_to_its_snippet(self):
        for page in PAGES:
            for language, snippet, text in fences(page):
                if language in ("yaml", "yml") or snippet:
                    with self.subTest(page, text=text):
                        self.assertTrue(snippet, "the fence does not name the snippet: ```yaml FILE")
                        self.assertEqual(text, (SNIPPETS / snippet).read_text())

    def test_each_snippet_is_shown(self):
        files = {str(path.relative_to(SNIPPETS)) for path in SNIPPETS.rglob("*") if path.is_file()}
        self.assertEqual(files - NOT_SHOWN, {snippet for page in PAGES for _, snippet, _ in fences(page) if snippet})

    def test_no_other_page_has_any(self):
        for page in set(docs.pages()) - set(PAGES) - CI:
            self.assertFalse([block for block in fences(page) if block[0] in ("yaml", "yml")], page)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Makes the folder of a reader: a clone with the chart `shop` and the YAML files of the pages."""
        cls.folder = helm.folder / "reader"
        cls.folder.mkdir()
        for name in ("helm", "provisions"):
            (cls.folder / name).symlink_to(helm.folder / name)
        for snippet in SNIPPETS.glob("*.yaml"):
            (cls.folder / snippet.name).write_text(snippet.read_text())
        (cls.folder / "shop").symlink_to(parent("reader"))

    def run_in_folder(self, command):
        home = {f"HELM_{name}_HOME": str(helm.folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.folder, capture_output=True, text=True, timeout=60,
                              env={**os.environ, **home, "KUBECONFIG": "/dev/null"})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_they_work(self):
        count = 0
        for block in (block for page in docs.pages() for block in docs.blocks(page)):
            for command, output in docs.commands(block.text):
                if (block.marked or docs.runner(block) == OURS) and command.startswith("helm ") and not NOT_RUN.match(command):
                    with self.subTest(block.page, command=command):
                        printed = self.run_in_folder(offline(command))
                        if output:
                            self.assertTrue(docs.same(printed.rstrip("\n"), "\n".join(output)), printed)
                        if "\nkind: " in printed and not re.search("^NOTES:", printed, re.M):
                            helm.rendered.add(printed)
                    count += 1
        self.assertGreaterEqual(count, 9)

    def test_no_release_is_installed_that_a_page_has_installed_before(self):
        """Checks that the commands of a page work in their order: helm refuses a used name, except with `upgrade --install`."""
        count = 0
        for page in docs.pages():
            there = set()
            for command in (command for block in docs.blocks(page) for command, _ in docs.commands(block.text)):
                if found := re.match(r"helm (install|upgrade) (\S+) ", command):
                    namespace = re.search(r" (?:-n|--namespace) (\S+)", command)
                    release = (found.group(2), namespace and namespace.group(1))
                    if found.group(1) == "install":
                        self.assertNotIn(release, there, f"{page}: {command}")
                    there.add(release)
                    count += 1
        self.assertGreaterEqual(count, 5)

    def test_blocks_of_ours_hold_nothing_else(self):
        for block in (block for page in docs.pages() for block in docs.blocks(page)):
            if docs.runner(block) == OURS:
                for command, _ in docs.commands(block.text):
                    self.assertTrue(command.startswith("helm "), f"{block.page}: who runs `{command}`?")

    def test_they_are_turned_into_what_needs_no_cluster(self):
        for command, expected in (
            ("helm install a erthelm/h1mock --wait", "helm install a helm/h1mock --wait --dry-run=client"),
            ("helm upgrade a b --install --wait --set c=d", "helm template a b --set c=d"),
            ("helm upgrade a b", "helm template a b"),
            ("helm template a b", "helm template a b"),
        ):
            self.assertEqual(offline(command), expected)


class Snippets(unittest.TestCase):
    """Tests the snippets that package_test does not test."""

    def load(self, name):
        return helm.yaml.load((SNIPPETS / name).read_text(), Loader=helm.Strict)

    def test_the_dependency_of_the_readme(self):
        chart = helm.folder / "parents/readme"
        chart.mkdir(parents=True)
        text = (SNIPPETS / "dependency.yaml").read_text().replace("alias:erthelm", f"file://{helm.chart('h1mock')}")
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: shop\nversion: 0.1.0\n{text}")
        helm.run("dependency", "build", str(chart))
        self.assertIn("Service/h1mock", helm.template(of=chart, release="shop").names())

    def test_the_pod_that_waits(self):
        self.assertEqual(manifests.check([(SNIPPETS / "waiting.yaml").read_text()]), ([], 1))
        pod = self.load("waiting.yaml")
        self.assertEqual(restricted.problems(pod), [])
        service = helm.template(of=parent("waited"), release="shop").one("Service", "server1")
        admin = next(port["port"] for port in service["spec"]["ports"] if port["name"] == "http-admin")
        self.assertEqual(helm.at(pod, "spec initContainers 0 args 3"), f"server1:{admin}")

    def test_the_proxy_that_adds_tls(self):
        text = (SNIPPETS / "https.yaml").read_text()
        self.assertEqual(manifests.check(text.split("---\n")), ([], 3))
        config, deployment, service = helm.yaml.load_all(text, Loader=helm.Strict)
        self.assertEqual(restricted.problems(deployment), [])
        port = helm.at(service, "spec ports 0 targetPort")
        self.assertEqual(port, helm.at(deployment, "spec template spec containers 0 ports 0 containerPort"))
        self.assertIn(f"listen {port};", config["data"]["default.conf"])

    def test_the_proxy_that_takes_tls_off(self):
        text = (SNIPPETS / "tls.yaml").read_text()
        self.assertEqual(manifests.check(text.split("---\n")), ([], 3))
        config, pod, service = helm.yaml.load_all(text, Loader=helm.Strict)
        self.assertEqual(restricted.problems(pod), [])
        names = {port["name"]: port["containerPort"] for container in pod["spec"]["containers"] for port in container["ports"]}
        self.assertEqual({port["targetPort"] for port in service["spec"]["ports"]}, set(names))
        self.assertIn(f"listen {names['https']} ssl;", config["data"]["default.conf"])
        self.assertEqual(service["spec"]["selector"], pod["metadata"]["labels"])

    def test_the_network_policy(self):
        values = self.load("networkpolicy.yaml")
        ingress = helm.template(values).one("NetworkPolicy")["spec"]["ingress"]
        self.assertEqual(ingress, [{"ports": [{"port": 8000, "protocol": "TCP"}]},
                                   {"from": values["networkPolicy"]["adminFrom"], "ports": [{"port": 8074, "protocol": "TCP"}]}])
