"""Calls of the admin port."""

from __future__ import annotations

import http.client
import json
import os
import urllib.parse
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

from h1mock.errors import AdminError, Error, ProvisionError

# Seconds for one call: more than any call takes that waits for nothing.
TIMEOUT = 30.0

Pairs = Sequence[tuple[str, str]]


class Reply(NamedTuple):
    """The answer of the admin port."""

    call: str
    status: int
    body: bytes

    def json(self) -> Any:
        """Returns the parsed body."""
        return json.loads(self.body)

    def checked(self) -> Reply:
        """Returns itself, or raises the error that the answer describes."""
        __tracebackhide__ = True
        if self.status < 400:
            return self
        try:
            body = self.json()
        except ValueError:
            raise AdminError(self.call, self.status, self.body.decode(errors="replace")) from None
        reason = str(body.get("result", "")).replace("failed: ", "", 1)
        if "error" in body:
            raise ProvisionError(self.call, self.status, reason, body["error"])
        raise AdminError(self.call, self.status, reason)


class Admin:
    """The admin port of a mock. Sends the token of `H1MOCK_ADMIN_TOKEN`, if there is one. Ignores proxies of the environment."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Error(f"`{url}` is not a URL such as http://localhost:8074")
        self._secure = parts.scheme == "https"
        self._host, self._port, self._root = parts.hostname, parts.port, parts.path

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout)

    def send(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        *,
        query: Pairs = (),
        kind: str = "application/json",
        timeout: float = TIMEOUT,
    ) -> Reply:
        """Sends a request. `path` is percent-encoded; `kind` is the content type of `body`."""
        __tracebackhide__ = True
        target = self._root + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {} if body is None else {"Content-Type": kind}
        token = os.environ.get("H1MOCK_ADMIN_TOKEN")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = self._connect(timeout)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return Reply(f"{method} {path}", answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Error(f"failed to call the admin port `{self.url}`: {method} {path}: {error}") from error
        finally:
            connection.close()

    def ask(self, method: str, path: str, value: Any = None, *, query: Pairs = (), timeout: float = TIMEOUT) -> Any:
        """Sends a value as JSON (None: no body), and returns the JSON of the answer. A refusal raises `AdminError`."""
        __tracebackhide__ = True
        body = None if value is None else json.dumps(value).encode()
        return self.send(method, path, body, query=query, timeout=timeout).checked().json()


def quote(name: str) -> str:
    """Percent-encodes a name or key in a path."""
    return urllib.parse.quote(name, safe="")
