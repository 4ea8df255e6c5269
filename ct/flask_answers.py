#!/usr/bin/env python3
"""Sends requests to real Flask and to h1mock, and writes a table of their answers in Markdown.

    ct/flask_answers.py [--check] [--before PROGRAM] [--only WORD] [PROGRAM]

PROGRAM is `target/debug/h1mock` if it isn't given. Flask and flask-cors of `.ci/requirements.txt` must be installed. With `--check`
only rows that differ without a reason are written, and there must be none; a reason must belong to a row that differs.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from answers import GROUPS  # noqa: E402
from answers.files import FILES, MODIFIED  # noqa: E402
from answers.sides import Flask, Mock, ask_case, write_files  # noqa: E402

PROJECT = Path(__file__).resolve().parent.parent


def answers_of(make, group):
    """Returns the compared parts of each case of `group`, of the side that `make` makes of a folder with the files."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "provisions"
        folder.mkdir()
        write_files(folder, FILES, MODIFIED)
        side = make(group, folder)
        try:
            return [parts(ask_case(side, case), case) for case in group.cases]
        finally:
            getattr(side, "close", lambda: None)()


def parts(answer, case):
    return [answer.reason] if answer.status == 0 else answer.parts(case.compare)


def short(part):
    """Returns a part that fits a cell: pages without their tags, an error of a script without its place."""
    if error := re.match(r"'script error in provision `initial`: line \d+, column \d+: (.*?)\\n", part):
        part = f"script error: {error[1]}"
    part = re.sub(r"<[^>]*>|\\n", " ", part) if "<" in part else part
    part = re.sub(" +", " ", part).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
    return part if len(part) <= 100 else part[:97] + "..."


def cell(parts):
    return " · ".join(short(part) for part in parts)


def other(flask, parts):
    """Shows an answer beside Flask's: what differs, or `=`."""
    if len(flask) != len(parts):
        return cell(parts)
    return cell([part for expected, part in zip(flask, parts) if expected != part]) or "="


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default=str(PROJECT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/h1mock"))
    parser.add_argument("--before")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    # Each program is started in the folder of its provision.
    programs = [str(Path(program).resolve()) for program in (options.before, options.program) if program]
    count, same_before, faults, marked = 0, 0, [], 0
    if not options.check:
        columns = ["case", "Flask", *(["before"] if options.before else []), "now"]
        print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for group in GROUPS:
        if options.only not in group.title:
            continue
        flask = answers_of(Flask, group)
        mocks = [answers_of(lambda group, folder, program=program: Mock(program, group, folder), group) for program in programs]
        for number, case in enumerate(group.cases):
            name = f"{group.title}: {case.name}"
            shown = [other(flask[number], mock[number]) for mock in mocks]
            differs = shown[-1] != "="
            count += 1
            same_before += shown[0] == "="
            marked += case.differs is not None
            if differs != (case.differs is not None):
                faults.append((name, case, flask[number], mocks[-1][number]))
            if not options.check:
                reason = f" (expected difference: {case.differs})" if case.differs and differs else ""
                print(f"| {name} | {' | '.join([cell(flask[number]), *shown])}{reason} |")
    sys.stdout.flush()
    before = f", {same_before} before" if options.before else ""
    equal = count - marked - len([fault for fault in faults if fault[1].differs is None])
    print(f"{count} requests: {equal} answered as Flask does{before}, {marked} otherwise on purpose, {len(faults)} faults", file=sys.stderr)
    if options.check:
        for name, case, flask, mock in faults:
            wrong = "the reason is stale, it no longer differs" if case.differs else f"Flask {flask}, h1mock {mock}"
            print(f"{name}: {case.request}: {wrong}", file=sys.stderr)
        sys.exit(bool(faults))


if __name__ == "__main__":
    main()
