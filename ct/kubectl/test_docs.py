"""The pages of the project that show kubectl: their console blocks are run, each page in one session with one pod. Blocks after
a line `<!-- needs a cluster -->` are not."""

import pathlib
import re

import pytest
from client import eventually
from conftest import PROVISIONS
from session import Session, environment_of

PROJECT = pathlib.Path(__file__).resolve().parents[2]
NEEDS_A_CLUSTER = "<!-- needs a cluster -->"
SAMPLE = """\
Text.

```console
$ kubectl get pods \\
    -o name
pod/...
$ cat > other << 'EOF'
fn registerRules() {}
EOF
```

<!-- needs a cluster -->
```console
$ helm install
```

```console
$ ls
```
"""


def steps(text):
    """Commands and what they are shown to print, of each block with kubectl in it that needs no cluster."""
    for marker, block in re.findall(rf"({re.escape(NEEDS_A_CLUSTER)}\n)?```console\n(.*?)```", text, re.S):
        if marker or "kubectl" not in block:
            continue
        # A command goes on after a backslash, and to the end of a here document.
        for command, output in re.findall(r"^\$ ((?:.*\\\n)*(?:.*<< '(?:\w+)'\n(?:.*\n)*?(?:EOF)|.*))\n((?:(?!\$ ).*\n)*)", block, re.M):
            yield command, output


def pages():
    """Those that show kubectl."""
    return [page for page in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))) if list(steps(page.read_text()))]


def same(printed, shown):
    """Whether `printed` is what is shown, `...` being anything; where nothing is shown anything will do."""
    return not shown or re.fullmatch(".*?".join(map(re.escape, shown.rstrip("\n").split("..."))), printed.rstrip("\n"), re.S)


def test_commands_are_found():
    assert list(steps(SAMPLE)) == [("kubectl get pods \\\n    -o name", "pod/...\n"),
                                   ("cat > other << 'EOF'\nfn registerRules() {}\nEOF", "")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page(kubectl, pod, mock, tmp_path, page):
    mock.post("before", (PROVISIONS / "default").read_text())
    (tmp_path / "provisions").symlink_to(PROVISIONS)
    session = Session({**environment_of(kubectl, tmp_path), "POD": pod}, tmp_path)
    try:
        for command, shown in steps(page.read_text()):
            # Again where a file event has to arrive first.
            eventually(lambda: session.run(command), lambda printed: same(printed, shown))
    finally:
        session.end()
