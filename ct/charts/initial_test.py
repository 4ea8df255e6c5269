"""The first provision: where the chart gives one a pod must load it, unless the values say what to require."""

import shutil
import unittest

import helm
from names_test import parent

CONTAINER = "spec template spec containers 0"
INITIAL = {"provisions": {"initial": "1"}}
RHAI = {"provisions": {"initial.rhai": "1"}}


def command(values=None, name=None, of="h1mock", release="h1mock"):
    """What the startup probe runs; None where it asks /healthz or connects."""
    return helm.at(helm.template(values, of=of, release=release).one("Deployment", name), f"{CONTAINER} startupProbe exec command")


def loads(name):
    return ["h1mock", "wait", "--timeout", "500ms", "--provision", name]


def variables(values):
    return {one["name"]: one.get("value") for one in helm.at(helm.template(values).one("Deployment"), f"{CONTAINER} env")}


class Given(unittest.TestCase):
    def test_by_values(self):
        self.assertIsNone(command())
        self.assertIsNone(command({"provisions": {"other": "1", "initial.json": "{}"}}))
        self.assertEqual(command(INITIAL), loads("initial"))
        self.assertEqual(command(RHAI), loads("initial.rhai"))
        self.assertEqual(command(helm.merged(INITIAL, RHAI)), loads("initial"))

    def test_by_a_folder_of_the_chart_itself(self):
        chart = helm.folder / "own/initial"
        shutil.copytree(helm.chart("h1mock"), chart)
        for folder, expected in (("initial", loads("initial")), ("initial.rhai", loads("initial.rhai")), ("other", None)):
            (chart / f"of-{folder}").mkdir()
            (chart / f"of-{folder}" / folder).write_text("1")
            self.assertEqual(command({"service": {"provisionsDir": f"of-{folder}/"}}, of=chart), expected)

    def test_by_a_folder_of_the_parent(self):
        shop = parent("initial")
        for name in ("server1", "server2"):
            self.assertEqual(command(name=name, of=shop, release="shop"), loads("initial"))
        self.assertEqual(command(name="h1mock", of="ct-h1mock", release="ct-h1mock"), loads("initial"))

    def test_what_a_configmap_from_elsewhere_holds_is_not_known(self):
        self.assertIsNone(command({"provisionsConfigMap": "mine"}))
        self.assertEqual(command({"provisionsConfigMap": "mine", **INITIAL}), loads("initial"))
        self.assertIsNone(command({"provisionsConfigMap": "mine", **RHAI}))

    def test_the_times_of_the_probe_stay(self):
        probe = helm.at(helm.template({**INITIAL, "startupProbe": {"failureThreshold": 9}}).one("Deployment"), f"{CONTAINER} startupProbe")
        del probe["exec"]
        self.assertEqual(probe, {"periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 9})

    def test_a_mock_without_the_admin_port_can_not_be_asked(self):
        self.assertIsNone(command({**INITIAL, "service": {"admin": {"enabled": False}}}))


class Required(unittest.TestCase):
    def test_a_provision_may_take_the_place_of_initial_later(self):
        self.assertNotIn("H1MOCK_REQUIRE_PROVISION", variables(INITIAL))
        self.assertIn("httpGet", helm.at(helm.template(INITIAL).one("Deployment"), f"{CONTAINER} readinessProbe"))

    def test_one_that_is_named_is_required_all_the_time_and_the_reason_is_shown(self):
        values = {**INITIAL, "settings": {"requireProvision": "a"}}
        self.assertIsNone(command(values))
        self.assertEqual(variables(values)["H1MOCK_REQUIRE_PROVISION"], "a")
        self.assertEqual(helm.at(helm.template(values).one("Deployment"), f"{CONTAINER} readinessProbe"),
                         {"exec": {"command": ["h1mock", "probe"]}, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 2})

    def test_false_requires_none(self):
        values = {**INITIAL, "settings": {"requireProvision": False}}
        self.assertIsNone(command(values))
        self.assertNotIn("H1MOCK_REQUIRE_PROVISION", variables(values))
        self.assertIn("httpGet", helm.at(helm.template(values).one("Deployment"), f"{CONTAINER} readinessProbe"))

    def test_null_is_as_empty(self):
        self.assertEqual(command({**INITIAL, "settings": {"requireProvision": None}}), loads("initial"))


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

    def test_true_is_none(self):
        with self.assertRaises(helm.Failure) as caught:
            helm.template({"settings": {"requireProvision": True}})
        self.assertIn("- at '/settings/requireProvision': 'not' failed", str(caught.exception))


class Unseen(unittest.TestCase):
    """A dependency waits for `initial`, whatever the folder of its parent holds."""

    def shop(self, name, file):
        shop = parent(name)
        (shop / "server1/initial").rename(shop / "server1" / file)
        return shop

    def test_a_folder_with_another_name_for_it_is_refused(self):
        shop = self.shop("rhai", "initial.rhai")
        with self.assertRaises(helm.Failure) as caught:
            helm.template(of=shop, release="shop")
        self.assertIn("failed to make ConfigMap `server1-provision-config`: a dependency can't see that its first provision is named "
                      "`initial.rhai`, and its pods would wait for `initial`: rename it to `initial`, or set settings.requireProvision to "
                      "false", str(caught.exception))
        for required in (False, "initial.rhai"):
            helm.template({"server1": {"settings": {"requireProvision": required}}}, of=shop, release="shop")
        helm.template({"server1": {"provisions": {"initial": "1"}}}, of=shop, release="shop")

    def test_a_folder_without_any_is_not(self):
        shop = self.shop("none-first", "other")
        self.assertEqual(command(name="server1", of=shop, release="shop"), loads("initial"))
        with self.assertRaises(helm.Failure):
            helm.template({"server1": {"provisions": {"initial.rhai": "1"}}}, of=shop, release="shop")
