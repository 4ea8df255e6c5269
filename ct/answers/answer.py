"""An answer of either side, and the parts of it that a case compares."""

import html
import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return " | ".join(values) if values else None

    def part(self, what: str) -> str:
        """Returns the part of this name, as text. A name with `?` asks whether the header is there."""
        if what == "status":
            return str(self.status)
        if what == "reason":
            return self.reason
        if what == "body":
            return shown(self.body)
        if what == "page":
            return page(self.body)
        if what == "json":
            return as_json(self.body)
        if what == "cookies":
            return cookies(self.headers)
        if what.endswith("?"):
            return f"{what[:-1]}: {'yes' if self.header(what[:-1]) is not None else 'no'}"
        if what.endswith("~"):
            return f"{what[:-1]}: {unordered(self.header(what[:-1]))}"
        return f"{what}: {self.header(what) or '-'}"

    def parts(self, names: list[str]) -> list[str]:
        return [self.part(name) for name in names]


def shown(body: bytes) -> str:
    """Returns a body as text. Bytes that are no UTF-8 are shown as escapes."""
    text = repr(body.decode(errors="backslashreplace"))
    return text if len(text) <= 400 else f"{text[:60]}… ({len(body)} bytes, sum {sum(body)})"


def page(body: bytes) -> str:
    """Returns the titles of an error page. The sentence below is in words of our own."""
    return " / ".join(re.findall(r"<(?:title|h1)>(.*?)<", html.unescape(body.decode(errors="replace")))) or shown(body)


def as_json(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True)
    except ValueError:
        return f"no JSON: {shown(body)}"


def unordered(value: str | None) -> str:
    """Returns a list in a header, with its items sorted and in lower case."""
    return "-" if value is None else ", ".join(sorted(item.strip().lower() for item in value.replace("|", ",").split(",")))


def cookies(headers: list[tuple[str, str]]) -> str:
    """Returns the `Set-Cookie` lines, with their attributes sorted."""
    lines = []
    for name, value in headers:
        if name.lower() == "set-cookie":
            first, *rest = [until(part.strip()) for part in value.split(";")]
            lines.append("; ".join([first, *sorted(rest)]))
    return "Set-Cookie: " + (" | ".join(lines) or "-")


def until(attribute: str) -> str:
    """Returns `Expires=` of a time near the present as seconds from now: both sides answer at different times."""
    name, _, value = attribute.partition("=")
    if name.lower() != "expires":
        return attribute
    seconds = parsedate_to_datetime(value).timestamp() - time.time()
    return f"Expires=in {round(seconds / 10) * 10} s" if abs(seconds) < 3600 else attribute


def parse(received: bytes, method: str) -> Answer:
    """Reads the answer to a request with `Connection: close`. Bytes behind a body that must not be there count as body."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        return Answer(0, f"no answer: {received[:40]!r}", [], b"")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
    if chunked and method != "HEAD":
        body = unchunked(body)
    return Answer(int(words[1]), words[2] if len(words) > 2 else "", headers, body)


def unchunked(body: bytes) -> bytes:
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        content, body = content + body[:length], body[length + 2 :]
    return content

