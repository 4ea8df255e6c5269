#!/usr/bin/env python3
"""Fails if an operation of docs/openapi.json was never sent by schemathesis, or never with success.

    ct/openapi_operations.py HAR...

Operations that ct/schemathesis.toml disables don't count. Each success that the document names for an operation (200, 201, ...) is
counted and shown, so that a reader sees which of them no request reached.
"""

import json
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
METHODS = ("get", "put", "post", "delete", "patch")


def disabled() -> set[str]:
    settings = tomllib.loads((PROJECT / "ct/schemathesis.toml").read_text())
    names = [row["include-operation-id"] for row in settings["operations"] if row.get("enabled") is False]
    return {name for one in names for name in ([one] if isinstance(one, str) else one)}


def operations() -> list[tuple[str, re.Pattern, dict]]:
    """Returns method, pattern of the path and description. Paths without variables come first."""
    paths = json.loads((PROJECT / "docs/openapi.json").read_text())["paths"]
    found = []
    for path in sorted(paths, key=lambda path: path.count("{")):
        pattern = re.compile(re.sub(r"\\{[^}]*\\}", ".+", re.escape(path)))
        found += [(method.upper(), pattern, paths[path][method]) for method in METHODS if method in paths[path]]
    return found


def main():
    described = operations()
    statuses = {operation["operationId"]: Counter() for _, _, operation in described}
    for name in sys.argv[1:]:
        for entry in json.loads(Path(name).read_text())["log"]["entries"]:
            method, path = entry["request"]["method"], urlsplit(entry["request"]["url"]).path
            for wanted, pattern, operation in described:
                if method == wanted and pattern.fullmatch(path):
                    statuses[operation["operationId"]][entry["response"]["status"]] += 1
                    break
    missed = []
    for method, _, operation in described:
        name, counted = operation["operationId"], statuses[operation["operationId"]]
        if name in disabled():
            continue
        successes = [int(status) for status in operation["responses"] if status.startswith("2")]
        reached = ", ".join(f"{status} {counted[status]} times" for status in successes)
        print(f"{name}: {sum(counted.values())} requests, {reached}")
        if not any(counted[status] for status in successes):
            missed.append(f"{method} {name}: {'no request' if not counted else f'no success, only {sorted(counted)}'}")
    if missed:
        sys.exit("operations of docs/openapi.json that schemathesis does not exercise:\n  " + "\n  ".join(missed))


if __name__ == "__main__":
    main()
