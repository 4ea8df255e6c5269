"""Entries of the journal: the requests that the mock received, with its answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class Entry:
    """A request that the mock received, and its answer. `raw` has all fields of the admin port."""

    number: int
    method: str
    target: str
    path: str
    #: Names and values, as sent.
    headers: tuple[tuple[str, str], ...]
    #: The body without its content coding.
    body: bytes
    #: Status of the answer; 0 where the connection was broken on purpose.
    status: int
    #: The rule that served the request.
    rule: Optional[str]
    answer_headers: tuple[tuple[str, str], ...]
    answer_body: bytes
    #: Why no rule served the request.
    unmatched: Optional[str]
    #: The rules nearest to an unmatched request, each with what differs.
    closest: tuple[str, ...]
    #: The error that a script threw, with its place.
    error: Optional[str]
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Entry:
        """Returns the entry of an object of the admin port."""
        return cls(
            number=raw["number"],
            method=raw["method"] or "",
            target=raw["target"] or raw["path"] or "",
            path=raw["path"] or "",
            headers=fields(raw["headers"]),
            body=content(raw, "body"),
            status=raw["status"] or 0,
            rule=raw["rule"],
            answer_headers=fields(raw["answer_headers"]),
            answer_body=content(raw, "answer_body"),
            unmatched=raw["unmatched"],
            closest=tuple(raw.get("closest") or ()),
            error=raw["error"],
            raw=raw,
        )

    def header(self, name: str) -> Optional[str]:
        """Returns the first value of a header of the request, whatever the case of its name."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @property
    def text(self) -> str:
        """The body of the request as text."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Parses the body of the request."""
        return json.loads(self.body)


def fields(pairs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs or ())


def content(raw: Mapping[str, Any], name: str) -> bytes:
    """Returns a body; empty where the journal has let it go."""
    text = raw.get(name)
    if text is not None:
        return str(text).encode()
    return base64.b64decode(raw.get(f"{name}_base64") or "")
