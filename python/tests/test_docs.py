"""The pages python/README.md and docs/python.md."""

import os
import pathlib
import re
import subprocess
import sys

PAGES = ["python/README.md", "docs/python.md"]


def test_the_examples_of_the_pages_are_in_the_tests(project):
    tests = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    # Within a function the examples are indented.
    tests += re.sub("^    ", "", tests, flags=re.M)
    for page in PAGES:
        shown = re.findall(r"^```python\n(.*?)^```$", (project / page).read_text(), re.M | re.S)
        assert shown
        for example in shown:
            assert example in tests, f"no test has this of {page}:\n{example}"


def test_the_commands_of_the_page_print_what_it_shows(project, tmp_path):
    sys.path.append(str(project / "ct"))
    import docs

    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "80"}
    blocks = list(docs.blocks("docs/python.md"))
    assert blocks
    for block in blocks:
        assert docs.runner(block) == "python/tests/test_docs.py"
        for command, output in docs.commands(block.text):
            done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
            assert docs.same(done.stdout.rstrip("\n"), "\n".join(output)), f"{command}\n{done.stdout}{done.stderr}"


def test_the_table_of_the_fixture_names_what_there_is(project):
    import h1mock

    known = {name for name in dir(h1mock.Mock("http://a", "http://a")) if not name.startswith("_")} - {"admin", "close"}
    for page, left_out in {"python/README.md": {"baggage", "folder", "entry", "reset"}, "docs/python.md": set()}.items():
        text = (project / page).read_text()
        cells = " ".join(re.findall(r"^\| (.*?) \|", text, re.M))
        assert {name for name in known if re.search(rf"[`.]{name}\b", cells)} | left_out == known, page
