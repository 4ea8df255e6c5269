"""Tests ct/test.sh with the real helm, which renders instead of installing: the values of the script and of the user must arrive."""

import os
import shutil
import subprocess
import unittest

import yaml

import helm

# A wrapper of helm that skips commands which need a cluster.
HELM = """#!/bin/sh
case "$1" in
  install) shift; exec %s template "$@" --show-only templates/deployment.yaml ;;
  *) exit 1 ;;
esac
"""


class Setters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = helm.folder / "programs"
        cls.programs.mkdir()
        (cls.programs / "helm").write_text(HELM % shutil.which("helm"))
        (cls.programs / "kubectl").write_text("#!/bin/sh\n")
        for name in ("helm", "kubectl"):
            (cls.programs / name).chmod(0o755)
        # The wrapper is next to the copies of the charts.
        (helm.folder / "ct").mkdir()
        shutil.copy(helm.PROJECT / "ct/test.sh", helm.folder / "ct")

    def images(self, **variables):
        """The images of the test pod: the mock's image, which waits, and the image of the tests."""
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}", "SKIP_HELM_DEPS": "yes", "NO_TEST": "yes",
                       "KUBECONFIG": "/dev/null", **variables}
        done = subprocess.run([helm.folder / "ct/test.sh"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = done.stdout.partition("\n---\n")[2].partition("Tests skipped")[0]
        pod = helm.at(yaml.safe_load(text), "spec template spec")
        return [container["image"].rpartition(":")[2] for container in pod["initContainers"] + pod["containers"]]

    def test_a_tag_is_text(self):
        self.assertEqual(self.images(), ["latest", "latest"])
        self.assertEqual(self.images(TAG="1.10"), ["1.10", "1.10"])

    def test_setters_of_the_user_win(self):
        for setter in ("--set test.image.tag=x", "--set-string test.image.tag=x", '--set-json test.image.tag="x"'):
            self.assertEqual(self.images(TAG="test1", XTRA_HELM_SETS=setter), ["test1", "x"])
        values = helm.folder / "user.yaml"
        values.write_text("test: {image: {tag: x}}\n")
        self.assertEqual(self.images(TAG="test1", XTRA_HELM_SETS=f"--values {values}"), ["test1", "x"])
