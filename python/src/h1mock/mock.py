"""The mock as one test sees it: the fixture `h1mock`.

`__tracebackhide__` lets pytest show the line of the test in place of the lines here.
"""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, Callable, Optional, Union

from h1mock import filters
from h1mock.admin import Admin, Pairs, quote
from h1mock.errors import Error, ProvisionWarning, warning
from h1mock.filters import Filter
from h1mock.journal import Entry
from h1mock.state import Clock, Store

#: A provision: its text, or the path of its file. A text has a `{`; a relative path is that of a file beside the test.
Source = Union[str, "os.PathLike[str]"]

# Most entries of one list, as the admin port allows.
MOST_ENTRIES = 10_000
NO_OVERLAY = "other tests share this mock, so chaos is for the rules of an overlay: call provision() or overlay() before"


class Overlay:
    """Rules before those of the provision. As a context manager, they end with the block."""

    def __init__(self, admin: Admin, name: str, query: Pairs) -> None:
        self.name = name
        self._admin, self._query = admin, query

    def remove(self) -> None:
        """Removes the overlay, if it is still there."""
        reply = self._admin.send("DELETE", f"/app/v1/provision/{quote(self.name)}", query=self._query)
        if reply.status != 404:
            reply.checked()

    def __enter__(self) -> Overlay:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.remove()


class Mock:
    """A mock for one test. As a context manager, it begins with a reset, and takes back at the end what the test has changed.

    With `baggage` (`test=17`) other tests share the server. The test then has its own rules, journal, clock and values, for requests
    with that member in their header `baggage`.
    """

    def __init__(self, url: str, admin_url: str, *, baggage: Optional[str] = None) -> None:
        #: Root of the mock, such as http://127.0.0.1:8000.
        self.url = url.rstrip("/")
        #: Root of the admin port.
        self.admin_url = admin_url.rstrip("/")
        #: The member of the header `baggage`, if others share the server.
        self.baggage = baggage
        #: Headers that the client under test must send.
        self.headers: dict[str, str] = {} if baggage is None else {"baggage": baggage}
        #: The folder in which `provision` and `overlay` look for files.
        self.folder = pathlib.Path()
        self.admin = Admin(admin_url)
        self._scope: Pairs = () if baggage is None else [("baggage", baggage)]
        self._since = 0
        # Calls that take back what the test has changed; the last one runs first.
        self._undo: list[Callable[[], object]] = []
        # Names of files that are as before once `_undo` has run; "" stands for the active provision.
        self._kept: set[str] = set()
        self._overlays: dict[str, Overlay] = {}
        #: The clock that scripts see.
        self.clock = Clock(self.admin, self._scope, self._clock_is_used)
        #: The values that scripts keep in `store`; of a shared server, those in the scope of this test.
        self.store = Store(self.admin, None if baggage is None else baggage.partition("=")[2])

    # Rules

    def provision(self, source: Source, *, name: Optional[str] = None) -> None:
        """Lets a provision serve until the test ends. One that does not load raises `ProvisionError`.

        On a shared server it is an overlay of this test.
        """
        __tracebackhide__ = True
        text, name = self._read(source, name or "test")
        if self.baggage is not None:
            former = self._overlays.pop("", None)
            if former:
                former.remove()
            self._overlays[""] = self._lay(text, name, ())
            return
        self._keep_active()
        self._keep_file(name)
        self._load("POST", f"/app/v1/provision/{quote(name)}", text, ())

    def overlay(self, source: Source, *, name: Optional[str] = None, seconds: Optional[float] = None) -> Overlay:
        """Lays rules before those of the provision, until the test ends, or for `seconds`."""
        __tracebackhide__ = True
        text, name = self._read(source, name or "overlay")
        overlay = self._lay(text, name, [] if seconds is None else [("for", f"{round(seconds * 1000)}ms")])
        self._overlays[name] = overlay
        return overlay

    def file(self, name: str, content: Union[str, bytes, "os.PathLike[str]"]) -> None:
        """Stores a file that scripts read or import, until the test ends. `content` is a text, bytes, or the path of a file."""
        __tracebackhide__ = True
        if self.baggage is not None:
            raise Error(f"other tests share this mock and its files: put `{name}` into its provision directory before the tests")
        if isinstance(content, os.PathLike):
            content = self._path(content).read_bytes()
        self._keep_file(name)
        self._put_file(name, content.encode() if isinstance(content, str) else content)

    def chaos(self, entry: Optional[Mapping[str, Any]] = None, /, **more: Any) -> list[int]:
        """Delays or breaks answers: `chaos(path="/orders/*", fault="reset", times=1)`. Returns the numbers of the entries.

        Names that Python reserves have an underscore at the end: `for_="30s"`. On a shared server it is for the rules of the overlay
        of this test.
        """
        __tracebackhide__ = True
        fields = {**(entry or {}), **{name.rstrip("_"): value for name, value in more.items()}}
        if self.baggage is not None:
            if not self._overlays:
                raise Error(NO_OVERLAY)
            known = list(self._overlays)
            if "overlay" not in fields and len(known) > 1:
                raise Error(f"this test has {len(known)} overlays: name one, such as chaos(overlay={known[-1]!r}, ...)")
            fields["overlay"] = self._overlay_name(fields.get("overlay", known[0]))
        numbers: list[int] = self.admin.ask("POST", "/app/v1/chaos", fields)["ids"]
        for number in numbers:
            self._after(partial(self.admin.send, "DELETE", "/app/v1/chaos", query=[("id", str(number))]))
        return numbers

    def seed(self, number: int) -> None:
        """Repeats the random numbers of scripts from here on."""
        __tracebackhide__ = True
        self.admin.ask("PUT", "/app/v1/random", {"seed": number}, query=self._scope)
        self._after(partial(self.admin.send, "DELETE", "/app/v1/random", query=self._scope))

    # Requests

    def requests(self, filter: Filter = None, /, **conditions: Any) -> list[Entry]:
        """Returns the requests of this test that fit, the oldest first; at most the last 10,000."""
        __tracebackhide__ = True
        query = filters.pairs(self._conditions(filter, conditions))
        if self._since:
            query.append(("since", str(self._since)))
        answer = self.admin.ask("GET", "/app/v1/requests", query=[*query, ("limit", str(MOST_ENTRIES))])
        return [Entry.parse(raw) for raw in answer["requests"]]

    def verify(self, filter: Filter = None, /, *, sequence: Optional[list[Filter]] = None, **conditions: Any) -> None:
        """Checks how many requests came: `verify("POST /orders", json={"/id": 7}, count=1)`. Without a number, at least one.

        `count`, `min` and `max` say how many. `sequence` has filters for requests that came in this order. A failure is an
        `AssertionError` that names the nearest request.
        """
        __tracebackhide__ = True
        question = self._conditions(filter, conditions)
        question.setdefault("since", self._since)
        if sequence is not None:
            question["sequence"] = [filters.conditions(step, {}) for step in sequence]
        verdict = self.admin.ask("POST", "/app/v1/verify", question)
        if verdict["verdict"] != "pass":
            raise AssertionError(reason(verdict))

    def wait(self, filter: Filter = None, /, *, count: int = 1, timeout: float = 10.0, **conditions: Any) -> list[Entry]:
        """Waits until so many requests came, also before the call, and returns the first ten. After `timeout` seconds it fails."""
        __tracebackhide__ = True
        query = filters.pairs(self._conditions(filter, conditions))
        query += [("since", str(self._since)), ("count", str(count)), ("timeout", f"{timeout:g}")]
        reply = self.admin.send("GET", "/app/v1/requests/wait", query=query, timeout=timeout + 30)
        if reply.status == 408:
            raise AssertionError(reason(reply.json()))
        return [self.entry(number) for number in reply.checked().json()["numbers"]]

    def entry(self, number: int) -> Entry:
        """Returns the request of this number."""
        __tracebackhide__ = True
        return Entry.parse(self.admin.ask("GET", f"/app/v1/requests/{number}"))

    # Begin and end

    def reset(self) -> None:
        """Forgets requests, values, chaos, overlays, clock and seed. The provision goes on serving, except on a shared server."""
        if self.baggage is None:
            self.admin.ask("DELETE", "/app/v1/all")
            self._overlays.clear()
            return
        self._take_back()
        self.store.clear()
        self._since = int(self.admin.ask("GET", "/app/v1/requests", query=[("limit", "0")])["last"])

    def close(self) -> None:
        """Takes back what the test has changed. The provision that served before it serves again."""
        self._take_back()
        self.reset()

    def __enter__(self) -> Mock:
        self.reset()
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    # Inside

    def _read(self, source: Source, name: str) -> tuple[str, str]:
        """Returns the text of a provision and its name: that of its file, or `name`."""
        __tracebackhide__ = True
        if isinstance(source, str) and "{" in source:
            return source, name
        path = self._path(source)
        return path.read_text(encoding="utf-8"), path.name

    def _path(self, path: Source) -> pathlib.Path:
        __tracebackhide__ = True
        found = self.folder / path
        if not found.is_file():
            raise FileNotFoundError(f"there is no file `{path}` in `{self.folder.resolve()}`")
        return found

    def _lay(self, text: str, name: str, more: Pairs) -> Overlay:
        __tracebackhide__ = True
        if self.baggage is not None:
            # Chaos knows overlays by their name alone, so two tests must not have the same.
            name = f"{self.baggage.partition('=')[2]}-{name}"
        self._load("POST", f"/app/v1/provision/{quote(name)}", text, [("overlay", ""), *self._scope, *more])
        overlay = Overlay(self.admin, name, [("overlay", ""), *self._scope])
        self._after(overlay.remove)
        return overlay

    def _load(self, method: str, path: str, text: str, query: Pairs) -> None:
        __tracebackhide__ = True
        answer = self.admin.send(method, path, text.encode(), query=query, kind="text/plain").checked().json()
        for row in answer.get("warnings", ()):
            # At the line of the test that called provision() or overlay().
            warnings.warn(warning(row), ProvisionWarning, stacklevel=4 if query else 3)

    def _put_file(self, name: str, content: bytes) -> None:
        __tracebackhide__ = True
        self.admin.send("PUT", f"/app/v1/file/{quote(name)}", content, kind="application/octet-stream").checked()

    def _keep_active(self) -> None:
        """Lets the provision that serves now serve again at the end."""
        if "" not in self._kept:
            self._kept.add("")
            name = str(self.admin.ask("GET", "/app/v1/provision")["active"]["name"])
            self._undo.append(lambda: self.admin.send("GET", f"/app/v1/provision/{quote(name)}").checked())

    def _keep_file(self, name: str) -> None:
        """Lets the file be at the end as it is now."""
        if name in self._kept:
            return
        self._kept.add(name)
        former = self.admin.send("GET", f"/app/v1/source/{quote(name)}")
        if former.status == 404:
            # Last, because a provision that serves can't be removed.
            self._undo.insert(0, lambda: self.admin.send("DELETE", f"/app/v1/provision/{quote(name)}"))
        else:
            self._undo.append(lambda: self._put_file(name, former.checked().body))

    def _after(self, undo: Callable[[], object]) -> None:
        """Notes a call for the end. On a server that the test has alone, the reset does it."""
        if self.baggage is not None:
            self._undo.append(undo)

    def _clock_is_used(self) -> None:
        self._after(partial(self.admin.send, "DELETE", "/app/v1/clock", query=self._scope))

    def _take_back(self) -> None:
        while self._undo:
            self._undo.pop()()
        self._kept.clear()
        self._overlays.clear()

    def _overlay_name(self, name: str) -> str:
        return self._overlays[name].name if name in self._overlays else name

    def _conditions(self, filter: Filter, more: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the conditions of a test: those given, for its own requests."""
        given = filters.conditions(filter, more)
        if self.baggage is not None:
            given["baggage"] = filters.all_of(given.get("baggage"), self.baggage)
            if isinstance(given.get("overlay"), str):
                given["overlay"] = self._overlay_name(given["overlay"])
        return given


def reason(verdict: Mapping[str, Any]) -> str:
    """Returns the result of a verification in words, without its first one."""
    return str(verdict["result"]).replace("failed: ", "", 1)
