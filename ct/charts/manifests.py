"""Checks all rendered objects strictly against the schemas of Kubernetes, and by yamllint."""

import functools
import json

import kubernetes_validate
import kubernetes_validate.utils
import yaml
import yamllint.config
import yamllint.linter

import helm

VERSIONS = [f"1.{minor}" for minor in range(27, 35)]
# The schemas of Kubernetes have no custom resources.
SKIPPED = {"ServiceMonitor"}
RULES = yamllint.config.YamlLintConfig("{rules: {key-duplicates: enable}}")

# Caches the definitions, since the validator would read their 2 MB for each object.
kubernetes_validate.utils.schema_contents = functools.lru_cache(None)(kubernetes_validate.utils.schema_contents)


def problems_of_schema(item, versions):
    for version in versions:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(map(str, error.path))
            yield f"{item['kind']} {item['metadata']['name']}: {version}: {place}: {error.message}"


def problems_of_text(text):
    for problem in yamllint.linter.run(text, RULES):
        yield f"line {problem.line}: {problem.desc}: {text.splitlines()[problem.line - 1]}"


def check(texts, versions=VERSIONS):
    """Returns all problems, and the number of different objects."""
    objects, problems = {}, []
    for text in texts:
        problems += problems_of_text(text)
        for item in yaml.load_all(text, Loader=helm.Strict):
            if item and item["kind"] not in SKIPPED:
                objects[json.dumps(item, sort_keys=True)] = item
    for item in objects.values():
        problems += problems_of_schema(item, versions)
    return problems, len(objects)
