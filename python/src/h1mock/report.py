"""The section `h1mock` of a failed test: the requests without a rule, those whose script failed, and the closest rules."""

from __future__ import annotations

from collections.abc import Iterator

from h1mock.journal import Entry
from h1mock.mock import Mock

# Most requests that the section shows.
MOST = 10


def section(mock: Mock) -> str:
    """Returns the lines of the section."""
    return "\n".join(lines(mock))


def lines(mock: Mock) -> Iterator[str]:
    entries = mock.requests()
    if not entries:
        yield no_request(mock)
    faulty = [entry for entry in entries if entry.unmatched is not None or entry.error is not None]
    for entry in faulty[:MOST]:
        yield from describe(entry)
    if faulty[MOST:]:
        yield f"and {len(faulty) - MOST} more"
    if entries and not faulty:
        yield f"{len(entries)} {'request' if len(entries) == 1 else 'requests'} came, and a rule served each of them:"
        for entry in entries[:MOST]:
            yield f"{entry.method} {entry.target}: {entry.status}"
        if entries[MOST:]:
            yield f"and {len(entries) - MOST} more"


def describe(entry: Entry) -> Iterator[str]:
    yield f"{entry.method} {entry.target}: {entry.status}, {entry.error or entry.unmatched}"
    for rule in entry.closest:
        yield f"    closest: {rule}"


def no_request(mock: Mock) -> str:
    if mock.baggage is None:
        return f"no request came to {mock.url}"
    return f"no request came to {mock.url} with the header `baggage: {mock.baggage}`: the client must send `h1mock.headers`"
