"""The little of HTTP/1.1 that a door needs: the head of one request, and one answer, after which the line is closed."""

import re
from collections.abc import Mapping
from typing import NamedTuple

MAX_HEAD = 8192
"""Bytes of the head of a request at most. What browsers send takes 500 to 2,000, cookies of the same host included."""

MAX_HEADERS = 100
"""Headers of a request at most: browsers and proxies send 10 to 30, and each costs as much as 500 bytes of one."""

MAX_TOKENS = 32
"""Elements of a header that is a list that are looked at."""

MAX_NAME = 1024
"""Bytes of a name that are unquoted: each `%20` costs as much as a header."""

END = b"\r\n\r\n"

METHODS = ("GET", "HEAD")
ALLOWED = f"Allow: {', '.join(METHODS)}"

_PHRASES = {  # whoever reads them reads the number
    101: "Switching Protocols",
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    431: "Too Large",
    505: "Not Supported",
}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SINGLE = frozenset({"host", "origin", "upgrade", "sec-websocket-key", "sec-websocket-version"})
"""Headers of which two would be two opinions."""


class BadRequest(Exception):
    """A request that gets no page: the status of the answer, and what to say in it."""

    def __init__(self, status: int, text: str, *headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Request(NamedTuple):
    """The head of a request."""

    method: str
    target: str
    version: str
    headers: Mapping[str, str]
    """By name in small letters. Those that came more than once are joined by commas, as they may be (RFC 9110, 5.3)."""

    def header(self, name: str) -> str:
        """Return a header, or "" where it did not come."""
        return self.headers.get(name, "")

    def tokens(self, name: str) -> list[str]:
        """Return the elements of a header that is a list; of a long one, the first of them."""
        return [token.strip() for token in self.header(name).split(",", MAX_TOKENS)[:MAX_TOKENS]]

    @property
    def name(self) -> str:
        """The last segment of the path: what is before it is the affair of a proxy. Browsers write `%20` for a blank."""
        name = self.target.partition("?")[0].rpartition("/")[2]
        if "%" not in name or len(name) > MAX_NAME:
            return name
        from urllib.parse import unquote  # which few names need

        return unquote(name)


def parse(head: bytes) -> Request:
    """Take the head of a request apart, which ends before its empty line. Raises `BadRequest`."""
    first, *lines = head.decode("latin-1").split("\r\n", MAX_HEADERS + 1)
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if not _NAME.fullmatch(method) or not target.isascii() or not target.isprintable() or "HTTP/" not in version:
        raise BadRequest(400, "that is not HTTP")
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(505, "HTTP/1.1 is spoken here")
    if len(lines) > MAX_HEADERS:
        raise BadRequest(431, f"a request may have {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise BadRequest(400, "a header is broken")
        if name in headers:
            if name in _SINGLE:
                raise BadRequest(400, f"the header {name} came twice")
            value = f"{headers[name]},{value}"
        headers[name] = value
    return Request(method, target, version, headers)


def respond(status: int, body: bytes, kind: str, *headers: str) -> bytes:
    """Return an answer, after which the connection is closed."""
    lines = (
        f"HTTP/1.1 {status} {_PHRASES[status]}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-cache",
        *headers,
    )
    return "\r\n".join(lines).encode("latin-1") + END + body


def head_of(answer: bytes) -> bytes:
    """Return what of an answer goes to who asked for its head alone."""
    return answer[: answer.index(END) + len(END)]


def refuse(error: BadRequest) -> bytes:
    """Return the answer to a request that gets no page."""
    return respond(error.status, f"{error}\n".encode(), "text/plain; charset=utf-8", *error.headers)
