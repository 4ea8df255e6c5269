"""The pages of the project that show kubectl: their console blocks are run, each page in one session with one pod. Blocks after
a line `<!-- needs a cluster -->` are not (ct/docs.py)."""

import pathlib
import shutil
import sys

import pytest
from client import eventually
from conftest import PROVISIONS
from session import Session, environment_of

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "ct"))
import docs  # noqa: E402

OURS = "ct/kubectl/test_docs.py"
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
$ kubectl apply -f other
```

```console
$ ls
```
"""


def steps(page, text=None):
    """Commands and what they are shown to print, of each block with kubectl in it that needs no cluster."""
    for block in docs.blocks(page, text):
        if docs.runner(block) == OURS:
            for command, shown in docs.commands(block.text):
                yield command, "\n".join(shown)


def pages():
    """Those that show kubectl."""
    return [page for page in docs.pages() if list(steps(page))]


def same(printed, shown):
    """Whether `printed` is what is shown; where nothing is shown anything will do."""
    return not shown or docs.same(printed.rstrip("\n"), shown)


def test_commands_are_found():
    assert list(steps("docs/sample.md", SAMPLE)) == [("kubectl get pods \\\n    -o name", "pod/..."),
                                                     ("cat > other << 'EOF'\nfn registerRules() {}\nEOF", "")]


@pytest.mark.parametrize("page", pages())
def test_a_page(kubectl, pod, container, mock, tmp_path, page):
    mock.post("before", (PROVISIONS / "default").read_text())
    before = {path.name for path in container.provisions.iterdir()}
    shutil.copytree(PROVISIONS, tmp_path / "provisions", symlinks=True)
    session = Session({**environment_of(kubectl, tmp_path), "POD": pod}, tmp_path)
    try:
        for command, shown in steps(page):
            # Again where a file event has to arrive first.
            eventually(lambda: session.run(command), lambda printed: same(printed, shown))
    finally:
        session.end()
        restore(container.provisions, before, mock)


def restore(folder, names, mock):
    """For the tests that follow: files that came are gone, and `initial` is the default one, and no link."""
    for path in folder.iterdir():
        if path.is_symlink() or path.name not in names:
            path.unlink()
    # By the mock, whose file it has to be.
    mock.post("initial", (PROVISIONS / "default").read_text())
