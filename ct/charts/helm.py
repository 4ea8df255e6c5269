"""Runs helm on copies of the charts and parses the rendered objects. All of them are kept for the checks of manifests."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

import restricted

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "ct"))
HOOK = "helm.sh/hook"


class Strict(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
    """A YAML loader that refuses duplicate keys. Kubernetes would use one of them."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        assert not twice, f"{sorted(twice)} twice{node.start_mark}"
        return super().construct_mapping(node, deep)


class Failure(Exception):
    """A failure of helm. The text is helm's standard error."""


class Rendered(list):
    """The objects of one `helm template`."""

    def all(self, kind):
        return [item for item in self if item["kind"] == kind]

    def one(self, kind, name=None):
        found = [item for item in self.all(kind) if name in (None, item["metadata"]["name"])]
        assert len(found) == 1, f"{len(found)} {kind} {name or ''} in {self.names()}"
        return found[0]

    def names(self):
        return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in self)


# All rendered texts, without duplicates.
rendered = set()
folder = pathlib.Path(tempfile.mkdtemp(prefix="h1mock-charts-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)


def copy_charts():
    """Copies the charts, since `helm dependency` writes into them. The link to the provisions stays a link."""
    for name in ("helm", "provisions"):
        shutil.copytree(PROJECT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("charts", "*.lock", "*.tgz"))
    run("dependency", "build", str(folder / "helm/ct-h1mock"))


def run(*arguments, **options):
    # helm must not use plugins, repositories or caches of the machine, nor a cluster.
    home = {f"HELM_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    environment = {**os.environ, **home, "KUBECONFIG": "/dev/null"}
    done = subprocess.run(["helm", *arguments], env=environment, capture_output=True, text=True, timeout=60, **options)
    if done.returncode:
        raise Failure(done.stderr)
    return done.stdout


def chart(name):
    return folder / "helm" / name


@functools.lru_cache(None)
def rendering(release, path, values, arguments):
    """The output of `helm template`, cached for tests with the same values."""
    return run("template", release, str(path), "--namespace", "mocks", "--values", "-", *arguments, input=values)


def template(values=None, *, of="h1mock", release="h1mock", arguments=(), safe=True):
    """The objects of a chart (a name or a folder) with `values`. All pods must meet Pod Security `restricted`, unless `safe` is
    false."""
    path = of if isinstance(of, pathlib.Path) else chart(of)
    text = rendering(release, path, json.dumps(values or {}), tuple(arguments))
    objects = Rendered(item for item in yaml.load_all(text, Loader=Strict) if item)
    rendered.add(text)
    if safe:
        for item in objects:
            problems = restricted.problems(item)
            assert not problems, f"{item['kind']} {item['metadata']['name']}: {problems}"
    return objects


def notes(values=None, release="h1mock"):
    text = run("install", release, str(chart("h1mock")), "--namespace", "mocks", "--dry-run=client", "--values", "-",
               input=json.dumps(values or {}))
    return text.partition("\nNOTES:\n")[2]


def at(item, path):
    """The part of an object at a path of keys and indices, separated by blanks. None if there is no such part."""
    for key in path.split():
        try:
            item = item[int(key) if isinstance(item, list) else key]
        except (KeyError, IndexError, TypeError):
            return None
    return item


def nested(path, value):
    """{"a": {"b": value}} of `a.b`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def merged(*maps):
    result = {}
    for one in maps:
        for key, value in one.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result
