#!/usr/bin/env python3
"""Writes docs/values.md, the table of all values of both charts, from the comments in values.yaml.

    ct/values.py [--check]

A comment `# -- text` above a value becomes a row. A list or map with a comment is one value; a map without a comment is a section.
--check writes nothing, and fails if the page is outdated or a value has no comment.
"""

import collections
import json
import pathlib
import re
import sys

import yaml

PROJECT = pathlib.Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs/values.md"
CHARTS = ("h1mock", "ct-h1mock")
HEAD = """# Values of the charts

Made by ct/values.py from the comments in helm/h1mock/values.yaml and helm/ct-h1mock/values.yaml.

In a chart that depends on h1mock, put the name or alias of the dependency in front: `server1.service.type`.
A value that the chart does not know is refused by its values.schema.json.
"""

Row = collections.namedtuple("Row", "name default text")


def comment_above(lines, number):
    """The text of the `# --` comment directly above a line."""
    found = []
    while number > 0 and lines[number - 1].strip().startswith("#"):
        number -= 1
        found.insert(0, lines[number].strip().lstrip("#").strip())
    text = " ".join(found)
    return text[2:].strip() if text.startswith("--") else None


def walk(node, lines, path):
    for key, value in node.value:
        name = ".".join([*path, key.value])
        text = comment_above(lines, key.start_mark.line)
        if text:
            yield Row(name, yaml.safe_load(yaml.serialize(value)), text)
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from walk(value, lines, [*path, key.value])
        else:
            raise SystemExit(f"ct/values.py: value `{name}` has no comment: put `# -- what it does` above it")


def rows(chart):
    source = (PROJECT / "helm" / chart / "values.yaml").read_text(encoding="utf-8")
    return list(walk(yaml.compose(source), source.splitlines(), []))


def cell(text):
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def page():
    parts = [HEAD]
    for chart in CHARTS:
        parts.append(f"\n## {chart}\n\n| Value | Default | What it does |\n| --- | --- | --- |\n")
        for row in rows(chart):
            parts.append(f"| `{row.name}` | `{cell(json.dumps(row.default, ensure_ascii=False))}` | {cell(row.text)} |\n")
    return "".join(parts)


def main():
    made = page()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made:
            sys.exit("ct/values.py: docs/values.md is stale: run ct/values.py")
    elif sys.argv[1:]:
        sys.exit("usage: ct/values.py [--check]")
    else:
        PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
