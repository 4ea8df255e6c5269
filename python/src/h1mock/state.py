"""The clock that scripts see, and the values that they keep in `store`."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Callable, Optional, Union

from h1mock.admin import Admin, Pairs, quote

#: RFC 3339, a date, seconds since 1970, or an object of `datetime`. One without a time zone is UTC.
Time = Union[str, float, datetime.datetime, datetime.date]
#: `"90s"`, `"2h"`, `"-30m"`, seconds, or a `timedelta`.
Span = Union[str, float, datetime.timedelta]


class Clock:
    """The clock that scripts see."""

    def __init__(self, admin: Admin, query: Pairs, used: Callable[[], None]) -> None:
        self._admin, self._query, self._used = admin, query, used

    def freeze(self, time: Time = "now") -> None:
        """Stops the clock at a time; by default where it is."""
        self._change(freeze=moment(time))

    def at(self, time: Time) -> None:
        """Sets the time. A frozen clock stays frozen."""
        self._change(at=moment(time))

    def advance(self, span: Span) -> None:
        """Sets the clock forward, also a frozen one."""
        self._change(advance=seconds(span))

    def shift(self, span: Span) -> None:
        """Sets the distance from the real time."""
        self._change(shift=seconds(span))

    def speed(self, factor: float) -> None:
        """Lets the clock go so many times as fast from here on."""
        self._change(speed=factor)

    def reset(self) -> None:
        """Goes back to the real time."""
        reply = self._admin.send("DELETE", "/app/v1/clock", query=self._query)
        if reply.status != 404:
            reply.checked()

    def now(self) -> datetime.datetime:
        """Returns the time that scripts see."""
        reply = self._admin.send("GET", "/app/v1/clock", query=self._query)
        if reply.status == 404:
            # The test has not set its own clock, so that of all holds.
            reply = self._admin.send("GET", "/app/v1/clock")
        # Before Python 3.11, `fromisoformat` takes neither a `Z` nor each number of digits.
        whole, _, fraction = str(reply.checked().json()["now"]).rstrip("Z").partition(".")
        microsecond = int(fraction[:6].ljust(6, "0"))
        return datetime.datetime.fromisoformat(whole).replace(microsecond=microsecond, tzinfo=datetime.timezone.utc)

    def _change(self, **change: Any) -> None:
        self._used()
        self._admin.ask("PUT", "/app/v1/clock", change, query=self._query)


def moment(time: Time) -> Union[str, float]:
    return time.isoformat() if isinstance(time, datetime.date) else time


def seconds(span: Span) -> Union[str, float]:
    return span.total_seconds() if isinstance(span, datetime.timedelta) else span


class Store(MutableMapping[str, Any]):
    """The values of `store`, by key. With a scope, those of `store.scope(...)`."""

    def __init__(self, admin: Admin, scope: Optional[str]) -> None:
        self._admin = admin
        self._prefix = "" if scope is None else f"scope:{scope}/".replace("/", "%2F", scope.count("/"))

    def __getitem__(self, key: str) -> Any:
        reply = self._admin.send("GET", self._path(key))
        if reply.status == 404:
            raise KeyError(key)
        return reply.checked().json()

    def __setitem__(self, key: str, value: Any) -> None:
        self._admin.send("PUT", self._path(key), json.dumps(value).encode()).checked()

    def __delitem__(self, key: str) -> None:
        reply = self._admin.send("DELETE", self._path(key))
        if reply.status == 404:
            raise KeyError(key)
        reply.checked()

    def __iter__(self) -> Iterator[str]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __repr__(self) -> str:
        return f"Store({self.all()!r})"

    def all(self) -> Mapping[str, Any]:
        """Returns all values of one moment."""
        values = self._admin.ask("GET", "/app/v1/store", query=[("prefix", self._prefix)] if self._prefix else ())
        return {key[len(self._prefix) :]: value for key, value in values.items()}

    def clear(self) -> None:
        """Removes all values."""
        self._admin.ask("DELETE", "/app/v1/store", query=[("prefix", self._prefix)] if self._prefix else ())

    def _path(self, key: str) -> str:
        return f"/app/v1/store/{quote(self._prefix + key)}"
