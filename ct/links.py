#!/usr/bin/env python3
"""Checks links: relative links must lead to a file, anchors to a heading. The same holds for links to this project on GitHub, in
pages and in sources.

    ct/links.py
"""

import pathlib
import re
import sys
import tempfile
import urllib.parse

PROJECT = pathlib.Path(__file__).resolve().parents[1]
HOME = "https://github.com/testillano/h1mock"
# Sources with links to the pages.
SOURCES = ("src", "provisions", "helm")
CODE = re.compile(r"^```.*?^```", re.M | re.S)


def pages(root):
    return [path for folder in ("", "docs", "ct/bench") for path in sorted((root / folder).glob("*.md"))]


def anchors(page):
    """The anchors that GitHub generates for the headings of a page."""
    return set(anchors_of(re.findall(r"^#+ +(.*?) *$", CODE.sub("", page.read_text(encoding="utf-8")), re.M)))


def anchors_of(headings):
    """The anchor of each heading."""
    found, bare = [], []
    for heading in headings:
        text = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        again = bare.count(anchor)
        bare.append(anchor)
        found.append(f"{anchor}-{again}" if again else anchor)
    return found


def targets(root):
    """The links of a text: the place, the path from the project's folder, and the anchor."""
    for page in pages(root):
        text = re.sub(r"`[^`\n]*`", "", CODE.sub("", page.read_text(encoding="utf-8")))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:", link):
                path, _, anchor = link.partition("#")
                yield page, page.parent / urllib.parse.unquote(path) if path else page, anchor
    for path in (path for folder in SOURCES for path in sorted((root / folder).rglob("*")) if path.is_file()):
        for anchor in re.findall(rf"{re.escape(HOME)}#([\w-]+)", path.read_text(encoding="utf-8", errors="replace")):
            yield path, root / "README.md", anchor


def problems(root):
    for place, target, anchor in targets(root):
        if not target.exists():
            yield f"{place.relative_to(root)}: there is no `{target}`"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{place.relative_to(root)}: `{target.name}` has no heading `#{anchor}`"


def check_itself():
    """Checks this check: in a page with all kinds of faults, it must find all of them and no others."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "README.md").write_text("# A `b`, c\n## Twice\n## Twice\n[1](#a-b-c) [2](#twice-1) [3](#twice-2) [4](no.md)\n"
                                        "[5](README.md#no) [6](https://x/#no) `[7](no)`\n```\n# no\n[8](no)\n```\n")
        found = [problem.rpartition(": ")[2] for problem in problems(root)]
    assert found == ["`README.md` has no heading `#twice-2`", f"there is no `{root / 'no.md'}`", "`README.md` has no heading `#no`"], found


def check():
    """Returns the number of links. Ends the program if a link is broken."""
    check_itself()
    found = list(problems(PROJECT))
    if found:
        sys.exit("\n".join(found))
    return len(list(targets(PROJECT)))


if __name__ == "__main__":
    print(f"{check()} links lead somewhere")
