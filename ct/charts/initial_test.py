"""Tests the readiness of a pod with provisions: the kubelet shows the reason. Tests names of the required provision too."""

import unittest

import helm
from names_test import parent

CONTAINER = "spec template spec containers 0"


def probe(values=None, name=None, of="h1mock", release="h1mock", kind="readinessProbe"):
    return helm.at(helm.template(values, of=of, release=release).one("Deployment", name), f"{CONTAINER} {kind}")


def variables(values):
    return {one["name"]: one.get("value") for one in helm.at(helm.template(values).one("Deployment"), f"{CONTAINER} env")}


class Shown(unittest.TestCase):
    def test_the_reason_is_that_of_a_command_where_provisions_are_given_or_required(self):
        for values in ({"provisions": {"initial": "1"}}, {"provisionsConfigMap": "mine"}, {"settings": {"requireProvision": "a"}}):
            with self.subTest(values):
                self.assertEqual(probe(values), {"exec": {"command": ["h1mock", "probe"]}, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 2})
                for kind in ("startupProbe", "livenessProbe"):
                    self.assertIn("httpGet", probe(values, kind=kind))
        shop = parent("initial")
        for name in ("server1", "server2"):
            self.assertIn("exec", probe(name=name, of=shop, release="shop"))

    def test_nothing_is_to_show_otherwise(self):
        self.assertIn("httpGet", probe())
        self.assertIn("tcpSocket", probe({"provisions": {"initial": "1"}, "service": {"admin": {"enabled": False}}}))

    def test_no_provision_is_required_unless_it_is_named(self):
        for required in ("", None):
            self.assertNotIn("H1MOCK_REQUIRE_PROVISION", variables({"provisions": {"initial": "1"}, "settings": {"requireProvision": required}}))
        self.assertEqual(variables({"settings": {"requireProvision": "a"}})["H1MOCK_REQUIRE_PROVISION"], "a")


class Names(unittest.TestCase):
    def test_that_can_be_a_provision_are_taken(self):
        for name in ("a", "initial", "a.rhai", "a.b.rhai", "sub/a", "v1.d/plain", "my file", "ünï", "-rf", "a~b", "a~.rhai", "sub~/a"):
            with self.subTest(name):
                self.assertEqual(variables({"settings": {"requireProvision": name}})["H1MOCK_REQUIRE_PROVISION"], name)

    def test_that_can_not_be_one_are_refused(self):
        for name in ("/a", "a/", "a//b", ".", "..", ".a", "..data", "a/../b", "a/.b", "a\nb", "a\u0085b", "a\x00b", "a~", "~", "a/b~", "a.tmp",
                     "a.swp", "data.json", "v1.2", "a.", "a.rhai.bak", ".rhai", "a/.rhai"):
            with self.subTest(name):
                with self.assertRaises(helm.Failure) as caught:
                    helm.template({"settings": {"requireProvision": name}})
                self.assertIn("- at '/settings/requireProvision': ", str(caught.exception))
                self.assertIn("does not match pattern", str(caught.exception))
