#!/usr/bin/env python3
"""Checks the examples of docs/ci.md, as far as they need neither Docker nor a network.

    ct/ci_page.py [BINARY]

Each YAML file is checked by the schema of its kind, and the workflow by actionlint. The commands with curl in the workflow and in the
GitLab job are run against a server, in a folder that has `mocks/shop.rhai`. Both names of the mock's host lead to that server.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import docs
import yaml

PAGE = docs.PROJECT / "docs/ci.md"
# The files that the page shows, and the schemas of check-jsonschema.
SCHEMAS = {"compose.yaml": "vendor.compose-spec", ".github/workflows/test.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}
SHOP = "fn registerRules() { app.get(\"/prices/<int:id>\", |id| #{ id: id }); }\n"


def shown(text):
    """The YAML files of the page by name."""
    return dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", text, re.M | re.S))


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=docs.DEADLINE)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def steps(files):
    """The commands with curl that jobs run, in their order."""
    workflow = yaml.safe_load(files[".github/workflows/test.yml"])
    gitlab = yaml.safe_load(files[".gitlab-ci.yml"])
    yield [step["run"] for step in workflow["jobs"]["test"]["steps"] if "curl " in step.get("run", "")]
    yield [line for line in gitlab["test"]["script"] if "curl " in line]


def check_files(files, folder):
    """Checks each file by its schema, and the workflow by actionlint."""
    assert files.keys() == SCHEMAS.keys(), f"the page shows {sorted(files)}, and not {sorted(SCHEMAS)}"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        run("check-jsonschema", "--builtin-schema", SCHEMAS[name], folder / name)
    run(docs.PROJECT / "ct/workflows.mjs", folder / ".github/workflows/test.yml")


def check_commands(files, folder, binary):
    """Runs the commands of each job against a server of its own. Returns their number."""
    (folder / "mocks").mkdir()
    (folder / "mocks/shop.rhai").write_text(SHOP)
    (folder / "provisions").mkdir()
    count = 0
    for commands in steps(files):
        assert commands, "a job does not load a provision"
        process, _, _, admin = docs.start(binary, folder, [])
        try:
            for command in commands:
                command = re.sub(r"(localhost|mock):8074", f"127.0.0.1:{admin}", command)
                done = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True, timeout=docs.DEADLINE)
                assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
                count += 1
        finally:
            process.terminate()
            process.wait(10)
    return count


def main():
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/h1mock").resolve()
    files = shown(PAGE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        check_files(files, pathlib.Path(folder))
        count = check_commands(files, pathlib.Path(folder), binary)
    print(f"docs/ci.md: {len(files)} files fit their schemas, {count} commands work")


if __name__ == "__main__":
    main()
