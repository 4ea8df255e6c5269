"""Writes results into docs/performance.md, between markers. The text around the markers stays."""

import pathlib
import re
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/performance.md"


def command(script):
    """The command line, without paths of this machine."""
    words = [re.sub(r"^(--h1mock=)?/\S*/", r"\1.../", word) for word in sys.argv[1:]]
    return " ".join([f"ct/bench/{script}", *words])


def write(name, text):
    """Replaces the text between the markers of that name."""
    path = PROJECT / PAGE
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text(encoding="utf-8")
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise RuntimeError(f"{PAGE}: has no markers `{begin}` and `{end}`")
    path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
