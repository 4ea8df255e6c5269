#!/usr/bin/env python3
"""Checks that each page of docs/ with more than 150 lines begins with its contents: before the first section, there is a link to
every section.

    ct/contents.py [--write]

A list between `<!-- contents -->` and `<!-- end of contents -->` is made here: --write writes it again, and adds it to a page that
has no contents. Other contents, such as the table of docs/testing.md, are written by hand.
"""

import pathlib
import re
import sys

import links

PROJECT = pathlib.Path(__file__).resolve().parents[1]
LONG = 150
BEGIN, END = "<!-- contents -->", "<!-- end of contents -->"
MADE = re.compile(rf"{BEGIN}\n.*?{END}\n", re.S)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def sections(text):
    """The titles of the sections, each with its anchor."""
    headings = re.findall(r"^(##+) +(.*?) *$", FENCED.sub("", text), re.M)
    anchors = links.anchors_of([title for _, title in headings])
    return [(title, anchor) for (level, title), anchor in zip(headings, anchors) if level == "##"]


def head(text):
    """The text before the first section."""
    return re.split(r"^## ", text, maxsplit=1, flags=re.M)[0]


def made(text):
    """The contents of a page."""
    return "".join([f"{BEGIN}\n", *(f"- [{title}](#{anchor})\n" for title, anchor in sections(text)), f"{END}\n"])


def written(text):
    """The page with its contents, or as it is if it needs none or has contents of its own."""
    if MADE.search(text):
        return MADE.sub(lambda _: made(text), text)
    if len(text.splitlines()) <= LONG or not missing(text):
        return text
    first = head(text)
    return first.rstrip("\n") + f"\n\n{made(text)}\n" + text[len(first):]


def missing(text):
    """Sections to which no link leads from the head of the page."""
    return [title for title, anchor in sections(text) if f"](#{anchor})" not in head(text)]


def problems(name, text):
    """What is wrong with the contents of a page, if anything."""
    if MADE.search(text):
        return [f"{name}: its contents are not those of its sections: run ct/contents.py --write"] if written(text) != text else []
    if len(text.splitlines()) <= LONG or not missing(text):
        return []
    return [f"{name}: no link in its head leads to {', '.join(f'`{title}`' for title in missing(text))}: run ct/contents.py --write"]


def check_itself():
    """Checks this check."""
    long = "# T\n\nText.\n\n## A `b`\n\n### B\n\n## B\n" + "\n" * LONG
    assert len(problems("long", long)) == 1 and not problems("short", "# T\n\n## A\n")
    with_contents = written(long)
    assert "- [A `b`](#a-b)\n- [B](#b-1)\n" in with_contents and not problems("long", with_contents), with_contents
    assert written(with_contents) == with_contents
    stale = with_contents.replace("## A `b`", "## C")
    assert len(problems("long", stale)) == 1 and not problems("long", written(stale))
    assert not problems("by hand", long.replace("Text.", "[a](#a-b) [b](#b-1)"))


def check():
    """Returns the number of pages with contents. Ends the program if those of a page are missing or stale."""
    check_itself()
    pages = sorted((PROJECT / "docs").glob("*.md"))
    found = [problem for page in pages for problem in problems(page.name, page.read_text(encoding="utf-8"))]
    if found:
        sys.exit("\n".join(found))
    return sum(bool(re.search(r"\]\(#", head(page.read_text(encoding="utf-8")))) for page in pages)


def main():
    if sys.argv[1:] == ["--write"]:
        for page in sorted((PROJECT / "docs").glob("*.md")):
            page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{check()} pages begin with their contents")


if __name__ == "__main__":
    main()
