"""Conditions on requests, as the admin port takes them: JSON for `verify`, a query for lists and waits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

#: `"POST /orders"`, `"/orders"`, or conditions by name, such as `{"path": "/orders", "status!": 200}`.
Filter = Union[str, Mapping[str, Any], None]

# The separator between name and value, where it is not `=`.
SEPARATORS = {"header": ": "}


def conditions(given: Filter, more: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the conditions of a filter and of keyword arguments together."""
    if isinstance(given, str):
        method, blank, path = given.strip().partition(" ")
        given = {"method": method, "path": path.strip()} if blank else {"path": method}
    merged = {**(given or {})}
    for name, value in more.items():
        if name in merged:
            raise TypeError(f"the condition `{name}` is given twice")
        merged[name] = value
    return merged


def all_of(*values: Any) -> Any:
    """Returns a condition that holds if all of `values` hold. None stands for no condition."""
    items = [item for value in values if value is not None for item in (value if isinstance(value, list) else [value])]
    return items[0] if len(items) == 1 else items


def pairs(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the pairs of a query that mean the same as the conditions in JSON.

    >>> pairs({"status!": 200, "json": {"/id": 7}})
    [('status!', '200'), ('json', '/id=7')]
    """
    return [(key, text) for key, value in given.items() for text in texts(key, value)]


def texts(key: str, value: Any) -> Iterator[str]:
    """Yields a text for each condition of one member."""
    name = key.rstrip("!~")
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(item, Mapping):
            for part, wanted in item.items():
                yield from named(name, "~" in key, str(part), wanted)
        else:
            yield scalar(item)


def named(name: str, search: bool, part: str, wanted: Any) -> Iterator[str]:
    """Yields the texts of the conditions on one header, parameter, pointer, ..."""
    if name == "part" and isinstance(wanted, Mapping):
        for aspect, value in wanted.items():
            yield from (f"{part};{aspect}={scalar(one)}" for one in several(value))
    elif name == "json" and not search:
        # In quotes a text is itself, and not a number of the same digits.
        yield f"{part}={json.dumps(wanted, ensure_ascii=False)}"
    else:
        yield from (f"{part}{SEPARATORS.get(name, '=')}{scalar(one)}" for one in several(wanted))


def several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
