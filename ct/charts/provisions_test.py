"""Tests the sources of provisions: a folder with the helper `h1mock.configmap`, a map of values, an external ConfigMap."""

import base64
import os
import pathlib
import shutil
import unittest

import helm
from names_test import parent


def with_folder(name, files, template='{{- include "h1mock.configmap" ( list $ $.Values ) }}'):
    """The chart h1mock with a folder of provisions and a template of its user, as in the README of the original."""
    chart = helm.folder / "own" / name
    shutil.copytree(helm.chart("h1mock"), chart)
    (chart / "examples").mkdir()
    for file, content in files.items():
        (chart / "examples" / file).write_bytes(content)
    (chart / "templates" / "provision-config.yaml").write_text(template + "\n")
    return chart


class Folder(unittest.TestCase):
    def configmap(self, name, files, directory="examples"):
        chart = with_folder(name, files)
        return helm.template({"service": {"provisionsDir": directory}}, of=chart).one("ConfigMap")

    def refused(self, name, files, directory="examples"):
        with self.assertRaises(helm.Failure) as caught:
            self.configmap(name, files, directory)
        return str(caught.exception)

    def test_the_files_are_the_keys(self):
        for number, directory in enumerate(("examples", "examples/", "./examples")):
            with self.subTest(directory):
                configmap = self.configmap(f"keys{number}", {"initial": b"{{ .x }}\n  a: |\n", "data.json": b"{}", "empty": b""}, directory)
                self.assertEqual(configmap["metadata"]["name"], "h1mock-provision-config")
                self.assertEqual(configmap["data"], {"initial": "{{ .x }}\n  a: |\n", "data.json": "{}", "empty": ""})
                self.assertNotIn("binaryData", configmap)

    def test_files_that_are_not_utf_8_are_binary_data(self):
        files = {"text": "é\ufffd\u2028\n".encode(), "image": b"\x89PNG\xff\x00", "cut": b"\xc3"}
        configmap = self.configmap("binary", files)
        self.assertEqual(configmap["data"], {"text": "é\ufffd\u2028\n"})
        self.assertEqual({key: base64.b64decode(value) for key, value in configmap["binaryData"].items()},
                         {"image": b"\x89PNG\xff\x00", "cut": b"\xc3"})

    def test_hidden_files_are_left_out_as_the_mock_leaves_them_out(self):
        self.assertEqual(self.configmap("hidden", {"a": b"1", ".gitkeep": b""})["data"], {"a": "1"})

    def test_links_are_followed(self):
        chart = with_folder("links", {"default": b"1"})
        os.symlink("default", chart / "examples/initial")
        os.symlink(chart / "examples", chart / "linked")
        objects = helm.template({"service": {"provisionsDir": "linked"}}, of=chart)
        self.assertEqual(objects.one("ConfigMap")["data"], {"default": "1", "initial": "1"})

    def test_nothing_is_made_without_a_folder(self):
        self.assertEqual(helm.template(of=with_folder("nothing", {"a": b"1"})).all("ConfigMap"), [])

    def test_a_folder_without_files_is_refused(self):
        self.assertIn(
            "failed to make ConfigMap `h1mock-provision-config`: no file matches `wrong/*`: the folder `wrong` (service.provisionsDir) "
            "must be inside of the chart `h1mock`, copied or as a symbolic link, and not left out by its .helmignore",
            self.refused("missing", {"a": b"1"}, "wrong"))
        self.assertIn("no file matches `../x/*`", self.refused("outside", {"a": b"1"}, "../x"))

    def test_a_name_that_can_not_be_a_key_is_refused(self):
        self.assertIn(
            "failed to make ConfigMap `h1mock-provision-config`: `examples/a b` can't be a key of it: only letters, digits, `-`, `_` "
            "and `.` can, at most 253", self.refused("key", {"a b": b"1"}))

    def test_more_than_a_configmap_holds_is_refused(self):
        self.assertIn("failed to make ConfigMap `h1mock-provision-config`: its files are 1048578 bytes in all: a ConfigMap holds at "
                      "most 1048576", self.refused("large", {"ab": b"x" * 1048576}))

    def test_the_plain_chart_has_the_call_already(self):
        chart = helm.folder / "own/plain"
        shutil.copytree(helm.chart("h1mock"), chart)
        shutil.copytree(helm.folder / "provisions", chart / "examples", symlinks=True)
        data = helm.template({"service": {"provisionsDir": "examples"}}, of=chart).one("ConfigMap")["data"]
        self.assertEqual(data["initial"], (helm.PROJECT / "provisions/default").read_text())


class Helper(unittest.TestCase):
    """Tests calls of the helper in a parent chart with two aliases."""

    def names(self, name, template, values=None):
        chart = parent(name)
        (chart / "templates/provision-config.yaml").write_text(template + "\n")
        objects = helm.template(values, of=chart, release="shop")
        return [item["metadata"]["name"] for item in objects.all("ConfigMap") if item["metadata"]["name"].endswith("-config")]

    def test_the_third_item_is_the_alias(self):
        self.assertEqual(self.names("third", '{{- include "h1mock.configmap" ( list $ $.Values.server1 "server1" ) }}'),
                         ["server1-provision-config"])

    def test_without_it_the_alias_is_the_one_whose_values_are_given(self):
        self.assertEqual(self.names("none", '{{- include "h1mock.configmap" ( list $ $.Values.server1 ) }}'),
                         ["server1-provision-config"])

    def test_without_it_two_aliases_of_the_same_values_are_refused(self):
        same = {"service": {"provisionsDir": "server1", "traffic_port": 8000}, "provisions": {"initial": "1"}}
        with self.assertRaises(helm.Failure) as caught:
            self.names("same", '{{- include "h1mock.configmap" ( list $ $.Values.server1 ) }}', {"server1": same, "server2": same})
        self.assertIn("failed to make a provision ConfigMap: the values of server1 and server2 are the same, so name the alias as "
                      'third item: `list $ $.Values.server2 "server2"`', str(caught.exception))

    def test_something_else_than_values_is_refused(self):
        for number, item in enumerate(("$.Values.server3", "$.Values.server1.provisions", '"server1"')):
            with self.assertRaises(helm.Failure) as caught:
                self.names(f"else{number}", '{{- include "h1mock.configmap" ( list $ ' + item + " ) }}")
            self.assertIn("failed to make a provision ConfigMap: the second item for `h1mock.configmap` must be the values of the "
                          'mock, such as `list $ $.Values.server1 "server1"`, and the dependency enabled', str(caught.exception))

    def test_a_dependency_that_is_disabled_has_none(self):
        self.assertEqual(self.names("off", '{{- include "h1mock.configmap" ( list $ $.Values.server1 "server1" ) }}',
                                    {"server1": {"enabled": False}}), [])

    def test_a_name_of_its_own_needs_no_alias(self):
        call = '{{- include "h1mock.configmap" ( list $ (dict "service" (dict "name" "NAME" "provisionsDir" "server1")) ) }}'
        for number, (name, expected) in enumerate((("Web_1", "web-1"), ("h1mock", "h1mock"))):
            self.assertEqual(self.names(f"own{number}", call.replace("NAME", name)), [f"{expected}-provision-config"])


class Sources(unittest.TestCase):
    def sources(self, values):
        volume = helm.at(helm.template(values).one("Deployment"), "spec template spec volumes 1")
        self.assertEqual(volume["name"], "provision-config")
        for source in volume["projected"]["sources"]:
            self.assertEqual(set(source["configMap"]), {"name", "optional"})
            self.assertIs(source["configMap"]["optional"], True)
        return [source["configMap"]["name"] for source in volume["projected"]["sources"]]

    def test_what_is_mounted_later_wins(self):
        self.assertEqual(self.sources({}), ["h1mock-provision-config"])
        self.assertEqual(self.sources({"provisionsConfigMap": "mine", "provisions": {"initial": "1"}}),
                         ["h1mock-provision-config", "mine", "h1mock-provisions"])

    def test_the_whole_volume_is_mounted_so_that_changes_arrive(self):
        mounts = helm.at(helm.template().one("Deployment"), "spec template spec containers 0 volumeMounts")
        self.assertEqual(mounts, [{"name": "provision", "mountPath": "/app/provision"},
                                  {"name": "provision-config", "mountPath": "/config", "readOnly": True}])

    def test_a_changed_provision_leaves_the_pods_alone(self):
        pods = [helm.at(helm.template({"provisions": {"initial": text}}).one("Deployment"), "spec template") for text in ("1", "2")]
        self.assertEqual(pods[0], pods[1])

    def test_a_name_that_can_not_be_a_key_is_refused(self):
        with self.assertRaises(helm.Failure) as caught:
            helm.template({"provisions": {"a/b": "1"}})
        self.assertIn("failed to make ConfigMap `h1mock-provisions`: `provisions.a/b` can't be a key of it", str(caught.exception))
