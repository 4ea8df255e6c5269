"""Errors and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional


class Error(Exception):
    """Base of the errors of this package. A failed check of `verify` or `wait` is an `AssertionError` instead."""


class NoProgram(Error):
    """There is no program for this machine."""


class AdminError(Error):
    """The admin port refused a call: its status and the reason."""

    def __init__(self, call: str, status: int, reason: str) -> None:
        super().__init__(f"{call}: {status}: {reason}")
        self.call = call
        self.status = status
        self.reason = reason


class ProvisionError(AdminError):
    """A provision does not load. The text shows the place in its source."""

    def __init__(self, call: str, status: int, reason: str, error: Mapping[str, Any]) -> None:
        super().__init__(call, status, reason)
        self.file: str = error["file"]
        self.line: Optional[int] = error.get("line")
        self.column: Optional[int] = error.get("column")
        self.message: str = error["message"]
        self.source: Optional[str] = error.get("source")
        self.hint: Optional[str] = error.get("hint")

    def __str__(self) -> str:
        lines = [self.reason]
        if self.source is not None and self.line is not None:
            lines += [f"  --> {self.file}:{self.line}:{self.column or 1}", *excerpt(self.line, self.column, self.source)]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ProvisionWarning(UserWarning):
    """A provision has loaded, and has a slip in a function that no request has called yet."""


def excerpt(line: int, column: Optional[int], source: str) -> list[str]:
    """Returns the lines that show a place: the source, and a mark below its column."""
    margin = " " * len(str(line))
    shown = [f"{line} | {source}"]
    if column is not None:
        # Tabs stay, so that the mark stands below its character.
        indent = "".join("\t" if character == "\t" else " " for character in source[: column - 1])
        shown.append(f"{margin} | {indent}^")
    return shown


def warning(row: Mapping[str, Any]) -> str:
    """Returns a warning of a load in one line."""
    place = ":".join(str(part) for part in (row.get("file"), row.get("line"), row.get("column")) if part is not None)
    hint = row.get("hint")
    return f"{place}: {row['message']}" + (f": {hint}" if hint else "")
