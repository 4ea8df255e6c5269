#!/usr/bin/env python3
"""Records what Werkzeug answers to the requests of src/routing/router/tests/werkzeug.txt, or checks it with --check.

Scripts follow Werkzeug 2.0.3, so this needs `pip install werkzeug==2.0.3` in an environment of its own. Not a part of CI:
the Rust test reads the recorded answers.
"""

import pathlib
import sys
from urllib.parse import unquote, urlsplit

import werkzeug
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

FILE = pathlib.Path(__file__).parent.parent / "src/routing/router/tests/werkzeug.txt"


def rule(place, line):
    endpoint, methods, pattern, *defaults = line.split()
    values = dict(default.split("=") for default in defaults)
    made = Rule(
        pattern,
        endpoint=endpoint,
        methods=methods.split(","),
        defaults={name: int(value) for name, value in values.items()},
    )
    # What the mock adds to each rule, as Flask does.
    made.methods.add("OPTIONS")
    made.place = place
    return made


def answer(lines, request):
    method, path = request.split(" ", 1)
    rules = Map([rule(place, line) for place, line in enumerate(lines)])
    try:
        found, values = rules.bind("localhost").match(path, method, return_rule=True)
    except RequestRedirect as redirect:
        return f"308 {unquote(urlsplit(redirect.new_url).path)}"
    except MethodNotAllowed as refusal:
        return f"405 {','.join(sorted(refusal.valid_methods))}"
    except NotFound:
        return "404"
    return " ".join([str(found.place), *(f"{name}={value}" for name, value in sorted(values.items()))])


def recorded(block):
    lines = []
    rules = []
    for line in block.split("\n"):
        request, equals, _ = line.partition(" =")
        if line.startswith("#") or not line:
            lines.append(line)
        elif equals and line.split()[0].isupper():
            lines.append(f"{request} = {answer(rules, request)}")
        else:
            rules.append(line)
            lines.append(line)
    return "\n".join(lines)


def main():
    assert werkzeug.__version__ == "2.0.3", werkzeug.__version__
    before = FILE.read_text()
    after = "\n\n".join(recorded(block) for block in before.split("\n\n"))
    if "--check" in sys.argv:
        sys.exit(before != after and f"{FILE} is not what Werkzeug answers")
    FILE.write_text(after)


main()
