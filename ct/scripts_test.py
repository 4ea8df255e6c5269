#!/usr/bin/env python3
"""Tests deploy.sh and ct/test.sh without a cluster: fake programs replace helm and kubectl, and record their arguments.

    ct/scripts_test.py
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[1]
# Other programs that the scripts need. The PATH of the tests has only these, so a missing program shows.
BASE = ("bash", "sh", "env", "dirname", "id", "cat", "awk", "grep", "cmp", "mktemp", "seq", "sleep", "sed", "rm", "mkdir", "python3")

FAKE = """#!/bin/sh
echo "${0##*/} $*" >> "$CALLS"
case "$*" in *" --values -"*) cat > "$CALLS.values" ;; esac
case "${0##*/} $1 $2" in
%s
esac
exit 0
"""
# A cluster without a release and without the namespace.
FRESH = """"helm status "*) exit 1 ;;
"kubectl get namespace") exit 1 ;;
"kubectl get pod") echo "old 1/1 Terminating 0 1m"; echo "new 1/1 Running 0 1m" ;;"""
# A cluster with a release in the namespace.
THERE = """"helm list "*) echo ct-h1mock ;;
"kubectl get pod") echo "pod-1 1/1 Running 0 1m"; echo "pod-2 1/1 Running 0 1m" ;;"""
NO_POD = """"helm list "*) echo ct-h1mock ;;
"kubectl get pod") echo "pod-1 0/1 Init:0/1 0 1m" ;;"""

SELECTOR = "app.kubernetes.io/name=ct-h1mock,app.kubernetes.io/instance=ct-h1mock"
LOOK = f"kubectl get pod -n ns-ct-h1mock -l {SELECTOR} --no-headers"
CHART = PROJECT / "helm/ct-h1mock"
# Messages of old and new kubectl if no pod is left, and if a pod does not end.
NONE_LEFT = ('"kubectl wait "*) echo "error: no matching resources found" >&2; exit 1 ;;', '"kubectl wait "*) exit 0 ;;')
ONE_STAYS = '"kubectl wait "*) echo "error: timed out waiting for the condition on pods/old" >&2; exit 1 ;;'


def end_of_pods(release, namespace):
    return (f"kubectl wait --for=delete pod -n {namespace} -l app.kubernetes.io/instance={release} "
            "--field-selector=status.phase=Running --timeout=5m")


def install(sets=""):
    return f"helm install ct-h1mock {CHART} -n ns-ct-h1mock --wait --values -{sets}"


def tags(tag):
    return f'test: {{ image: {{ tag: "{tag}" }} }}\nh1mock: {{ image: {{ tag: "{tag}" }} }}\n'


def execute(pod, arguments=""):
    return f"kubectl exec -i {pod} -c test -n ns-ct-h1mock -- pytest{arguments}"


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-scripts-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in BASE:
            (self.folder / name).symlink_to(shutil.which(name))

    def run_script(self, script, *arguments, world=FRESH, fakes=("helm", "kubectl"), **variables):
        for name in fakes:
            (self.folder / name).write_text(FAKE % world)
            (self.folder / name).chmod(0o755)
        calls = self.folder / "calls"
        calls.write_text("")
        self.values = self.folder / "calls.values"
        environment = {"PATH": str(self.folder), "CALLS": str(calls), "USER": "me", **variables}
        done = subprocess.run([str(PROJECT / script), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, cwd="/")
        return done, calls.read_text().splitlines()


class Deploy(Scripts):
    CHART = PROJECT / "helm/h1mock"

    def test_it_makes_a_namespace_of_the_user_and_installs(self):
        done, calls = self.run_script("deploy.sh")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, ["helm status h1mock -n me-h1mock", "kubectl get namespace me-h1mock",
                                 "kubectl create namespace me-h1mock", f"helm install h1mock {self.CHART} -n me-h1mock --wait"])

    def test_it_takes_the_place_of_what_is_there_and_passes_arguments_on(self):
        done, calls = self.run_script("deploy.sh", "--set", "podAnnotations.a=b c", world=THERE, NAMESPACE="mine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, ["helm status h1mock -n mine", "helm delete h1mock -n mine --wait", end_of_pods("h1mock", "mine"),
                                 "kubectl get namespace mine", f"helm install h1mock {self.CHART} -n mine --wait --set podAnnotations.a=b c"])

    def test_the_pods_of_the_old_release_are_gone_before_the_new_one_comes(self):
        for world in NONE_LEFT:
            done, calls = self.run_script("deploy.sh", world=f"{world}\n{THERE}")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("helm install", calls[-1])
        done, calls = self.run_script("deploy.sh", world=f"{ONE_STAYS}\n{THERE}")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "deploy.sh: failed to wait for the end of the pods of release `h1mock` in namespace `me-h1mock`: error: timed "
                             "out waiting for the condition on pods/old\n"))
        self.assertEqual(calls[-1], end_of_pods("h1mock", "me-h1mock"))

    def test_a_failure_of_helm_is_the_script_s(self):
        done, _ = self.run_script("deploy.sh", world='"helm install "*) echo "Error: no" >&2; exit 3 ;;')
        self.assertEqual((done.returncode, done.stderr), (3, "Error: no\n"))

    def test_a_namespace_that_can_not_be_made_is_said(self):
        world = FRESH + '\n"kubectl create namespace") echo "error: forbidden" >&2; exit 1 ;;'
        done, calls = self.run_script("deploy.sh", world=world)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "error: forbidden\ndeploy.sh: failed to create namespace `me-h1mock`: see above\n"))
        self.assertNotIn("install", " ".join(calls))

    def test_a_missing_tool_is_named(self):
        for fakes, message in (((), "`helm` is needed: see https://helm.sh/docs/intro/install"),
                               (("helm",), "`kubectl` is needed: see https://kubernetes.io/docs/tasks/tools")):
            done, calls = self.run_script("deploy.sh", fakes=fakes)
            self.assertEqual((done.returncode, done.stderr, calls), (1, f"deploy.sh: {message}\n", []))


class Test(Scripts):
    def test_it_deploys_and_runs_pytest_in_the_pod_that_runs(self):
        done, calls = self.run_script("ct/test.sh", "-k", "a or b")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, [
            "helm status ct-h1mock -n ns-ct-h1mock", "kubectl get namespace ns-ct-h1mock", "kubectl create namespace ns-ct-h1mock",
            f"helm dependency update {CHART}", install(), LOOK, execute("new", " -k a or b")])
        self.assertEqual(self.values.read_text(), tags("latest"))

    def test_what_is_there_is_deleted_first(self):
        done, calls = self.run_script("ct/test.sh", world=THERE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls[:3], ["helm status ct-h1mock -n ns-ct-h1mock", "helm delete ct-h1mock -n ns-ct-h1mock --wait",
                                     end_of_pods("ct-h1mock", "ns-ct-h1mock")])
        self.assertEqual(calls[-3:], [install(), LOOK, execute("pod-1")])
        for world in NONE_LEFT:
            done, _ = self.run_script("ct/test.sh", world=f"{world}\n{THERE}")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        done, calls = self.run_script("ct/test.sh", world=f"{ONE_STAYS}\n{THERE}")
        self.assertIn("ct/test.sh: failed to wait for the end of the pods of release `ct-h1mock` in namespace `ns-ct-h1mock`: error: timed "
                      "out waiting for the condition on pods/old\n", done.stderr)
        self.assertEqual((done.returncode, calls[-1]), (1, end_of_pods("ct-h1mock", "ns-ct-h1mock")))

    def test_the_variables_of_the_original(self):
        sets = "--set h1mock.service.verbosity.enabled=false --set test.name=x"
        done, calls = self.run_script("ct/test.sh", TAG="1.10", XTRA_HELM_SETS=sets, SKIP_HELM_DEPS="yes", NO_TEST="yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls[-1], install(f" {sets}"))
        self.assertEqual(self.values.read_text(), tags("1.10"))
        self.assertNotIn("dependency", " ".join(calls))
        self.assertIn("Tests skipped\n", done.stdout)

    def test_what_is_there_can_be_reused(self):
        done, calls = self.run_script("ct/test.sh", world=THERE, REUSE="true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, ["helm list -q --deployed -n ns-ct-h1mock", LOOK, execute("pod-1")])
        done, calls = self.run_script("ct/test.sh", world=THERE, REUSE="true", TAG="test1")
        self.assertEqual(calls[2], install().replace("install", "upgrade --reset-then-reuse-values", 1))
        self.assertEqual(self.values.read_text(), tags("test1"))
        done, calls = self.run_script("ct/test.sh", world=THERE, REUSE="true", XTRA_HELM_SETS="--set test.replicaCount=2")
        self.assertEqual(calls[2], f"helm upgrade --reset-then-reuse-values ct-h1mock {CHART} -n ns-ct-h1mock --wait --set test.replicaCount=2")
        done, calls = self.run_script("ct/test.sh", REUSE="true")
        self.assertIn(install(), calls)

    def test_the_exit_code_is_that_of_pytest(self):
        done, _ = self.run_script("ct/test.sh", world=THERE + '\n"kubectl exec "*) exit 5 ;;', REUSE="true")
        self.assertEqual(done.returncode, 5)

    def test_failures_before_the_tests_end_it(self):
        for step in ('"helm dependency "*)', '"helm install "*)'):
            done, calls = self.run_script("ct/test.sh", world=f"{step} echo no >&2; exit 4 ;;\n{FRESH}")
            self.assertEqual((done.returncode, done.stderr), (4, "no\n"))
            self.assertNotIn("exec", " ".join(calls))

    def test_without_a_pod_it_says_so(self):
        done, _ = self.run_script("ct/test.sh", world=NO_POD, REUSE="true")
        self.assertEqual((done.returncode, done.stderr), (1, "ct/test.sh: no pod of `ct-h1mock` runs in namespace `ns-ct-h1mock`: see "
                                                             "kubectl get pod -n ns-ct-h1mock\n"))

    def test_the_help_needs_no_tools_and_tells_the_variables(self):
        for option in ("-h", "--help"):
            done, calls = self.run_script("ct/test.sh", option, fakes=())
            self.assertEqual((done.returncode, done.stderr, calls), (0, "", []))
            for word in ("XTRA_HELM_SETS", "SKIP_HELM_DEPS", "TAG", "REUSE", "NO_TEST", "--local", "H1MOCK_SERVICE_HOST"):
                self.assertIn(word, done.stdout)

    def test_a_missing_tool_is_named(self):
        for fakes, message in (((), "`helm` is needed: see https://helm.sh/docs/intro/install"),
                               (("helm",), "`kubectl` is needed: see https://kubernetes.io/docs/tasks/tools")):
            done, calls = self.run_script("ct/test.sh", fakes=fakes)
            self.assertEqual((done.returncode, done.stderr, calls), (1, f"ct/test.sh: {message}\n", []))

    def test_a_mock_that_is_named_is_tested_from_here(self):
        done, calls = self.run_script("ct/test.sh", H1MOCK_SERVICE_HOST="127.0.0.1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("H1MOCK_SERVICE_PORT_HTTP_ADMIN: set it to the admin port of the mock", done.stderr)
        self.assertEqual(calls, [])

    def test_local_needs_cargo_and_no_cluster(self):
        done, calls = self.run_script("ct/test.sh", "--local", fakes=())
        self.assertEqual((done.returncode, done.stderr, calls), (1, "ct/test.sh: `cargo` is needed: see https://rustup.rs\n", []))


if __name__ == "__main__":
    unittest.main()
