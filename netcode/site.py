"""What a server says to browsers: its page, a few files beside it, and from where else pages may connect."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from netcode.address import Address
from netcode.diagnostics.calls import explains_arguments
from netcode.wire.http import BadRequest, Request, respond

MAX_FILE = 65_536
"""Bytes of the page, and of each file beside it: it is kept in memory, and no file server."""

KINDS = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "webmanifest": "application/manifest+json",
}

SCRIPT = "netcode.js"
"""The file that is always there, if it is part of the package."""

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>netcode</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<p>A game server is here, and no page was given to it: netcode.Web(page=…) is where it goes.</p></html>"
)
_INSIDE = (".localhost", ".local", ".localdomain", ".lan", ".home", ".home.arpa", ".internal")
"""How names end that nobody outside of a network can have."""
_SCRIPT = re.compile(
    rb"""<script((?:\s(?:"[^"]*"|'[^']*'|[^"'>])*)?)>(.*?)</script[\s/>]""",
    re.DOTALL | re.IGNORECASE,
)
_SOURCE = re.compile(rb"\ssrc\s*=", re.IGNORECASE)
_PATH = re.compile(rf"[^<>\n]{{0,260}}\.(?:htm|{'|'.join(KINDS)})", re.IGNORECASE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s?#@]+")
_PORTS = {"http": ":80", "https": ":443"}


class Web:
    """What `Server(web=...)` shows to browsers, and whom it lets in from there.

    A browser that opens the server's address gets the page. Its scripts connect to the same port by WebSocket; so may
    pages of `origins`, and programs that are no browsers. There are no directories: the last part of a path decides, so
    that a proxy may put the whole below any path, and pages should ask for what they need by relative addresses. It all
    travels packed by gzip, to browsers that say that they unpack it.

    Args:
        page: what is shown: HTML as a str or bytes, or the path of a file, which is read now. None for one sentence.
        files: further ones by name, such as `{"game.js": Path("web/game.js")}`. What they are is told by what the name
            ends in: .html, .js, .css, .json, .txt, .svg, .png, .ico or .webmanifest. `netcode.js`, with which a page
            talks to the server, is always there.
        origins: from where else pages may connect, as in ("https://html-classic.itch.zone",). If pages are opened by
            a name of the server, without TLS and from the same network, that too: `http://`, the name, and the port.
        proxies: addresses or networks of proxies of yours, as in ("127.0.0.1", "10.0.0.0/8"). What they say of who
            stands behind them is believed: in `X-Forwarded-For`, or by the PROXY protocol.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be, or a file is larger than 64 KiB.
        OSError: a file cannot be read.
    """

    @explains_arguments("Web")
    def __init__(
        self,
        *,
        page: str | bytes | Path | None = None,
        files: Mapping[str, str | bytes | Path] | None = None,
        origins: Iterable[str] = (),
        proxies: Iterable[str] = (),
    ) -> None:
        from netcode.wire.proxies import Proxies

        if files is not None and not isinstance(files, Mapping):
            kind = type(files).__name__
            raise TypeError(
                f'files must be a dict of names and what they show, as in {{"a.js": Path("a.js")}}, not {kind}'
            )
        self._origins = _check_origins(origins)
        self._proxies = Proxies(proxies)
        self._mates: frozenset[str] = frozenset()
        shown = _read("page", _PAGE if page is None else page)
        own = _own_script()
        given = {**({} if own is None else {SCRIPT: own}), **(files or {})}
        self._files = {"": _Shown(KINDS["html"], shown)}
        for name, content in given.items():
            kind = KINDS[_check_file(name).rpartition(".")[2]]
            self._files[name] = _Shown(kind, _read(name, content))
        self._given = None if page is None else shown, {name: self._files[name].content for name in files or ()}

    def __repr__(self) -> str:
        return f"<Web with {', '.join(sorted(filter(None, self._files))) or 'a page'}>"

    def with_defaults(self, page: str | bytes | Path, files: Mapping[str, str | bytes | Path]) -> "Web":
        """Return one that shows this page where none was given, and these files beside those that were."""
        own_page, own_files = self._given
        web = Web(page=page if own_page is None else own_page, files={**files, **own_files})
        web._origins, web._proxies = self._origins, self._proxies
        return web

    def let_in(self, servers: Iterable[str]) -> None:
        """Let in pages of these servers from now on, and no more those of servers that were named before.

        Who is led on from one server to another keeps the page of the first.

        Args:
            servers: "host:port", by which players reach them.
        """
        schemes = _PORTS.items()
        self._mates = frozenset(
            f"{name}://{one}".lower().removesuffix(port) for one in servers for name, port in schemes
        )

    def _answer(self, request: Request) -> bytes:
        """Return the answer to a request for a page. Raises `BadRequest`."""
        found = self._files.get(request.name)
        if found is None:
            raise BadRequest(404, "there is nothing of that name here")
        headers = [f"Content-Security-Policy: {found.policy}", "Vary: Accept-Encoding"]
        content = found.content
        if found.packed and "gzip" in request.tokens("accept-encoding"):
            content = found.packed
            headers.append("Content-Encoding: gzip")
        return respond(200, content, found.kind, *headers)

    def _objection(self, request: Request, address: Address | None = None) -> str:
        """Return why a page may not connect; "" if it may.

        Args:
            request: what its browser said.
            address: where that came from, if neither TLS nor a proxy of ours vouches for the name of the server.
        """
        origin, host = request.header("origin"), request.header("host")
        if not origin or origin.lower() in self._origins | self._mates:
            return ""
        if origin == "null":
            return "a page without an origin of its own, such as a file, may not connect"
        if _place(origin) != _place(f"{origin.partition(':')[0]}://{host}"):
            return f"pages of {origin} may not connect here; the server can list it in Web(origins=...)"
        if address is not None and _is_inside(address.host) and not _is_name_of_here(host.lower()):
            return f"{origin} may be anybody's name for this server; the server can list it in Web(origins=...)"
        return ""

    def _trusts(self, address: Address | None) -> bool:
        """Tell whether what comes from `address` is a proxy's."""
        return address is not None and self._proxies.trusts(address.host)

    def _client(self, address: Address | None, request: Request) -> Address | None:
        """Return who made a request that came from `address`."""
        forwarded = request.header("x-forwarded-for")
        return self._proxies.client(address, forwarded) if forwarded else address


class _Shown:
    """A page, or a file beside it."""

    def __init__(self, kind: str, content: bytes) -> None:
        import gzip

        self.kind = kind
        self.content = content
        self.policy = _policy(content if kind == KINDS["html"] else b"")
        packed = gzip.compress(content, 9, mtime=0)
        self.packed = packed if len(packed) < len(content) else b""
        """What travels to browsers, which all unpack it; nothing where that would not be shorter."""


def _check_origins(given: Iterable[str]) -> frozenset[str]:
    if isinstance(given, str):
        raise TypeError(f"origins must be several, as in ({given!r},), not one str")
    if not isinstance(given, Iterable):
        raise TypeError(f"origins must be several, as in ('https://example.org',), not {type(given).__name__}")
    origins = [*given]
    for origin in origins:
        if not isinstance(origin, str):
            raise TypeError(f"an origin must be a str such as 'https://example.org', not {type(origin).__name__}")
        if not _ORIGIN.fullmatch(origin.lower()):
            raise ValueError(f"an origin must be like 'https://example.org', without a path, not {origin!r}")
    return frozenset(origin.lower() for origin in origins)


def _place(origin: str) -> str:
    """Return the host and the port of an origin, or of one made of a `Host` header: who is before TLS may not know of it."""
    scheme, _, place = origin.lower().partition("://")
    return place.removesuffix(_PORTS.get(scheme, ""))


def _is_inside(host: str) -> bool:
    """Tell whether an address is of a network that others cannot reach, but the browsers of their visitors can."""
    from netcode.wire.proxies import address_of

    found = address_of(host)
    return found is not None and not found.is_global


def _is_name_of_here(host: str) -> bool:
    """Tell whether what a `Host` header says is an address, or a name that only this network can have given.

    A stranger can have a name of the stranger's own lead here (DNS rebinding), so that a page of theirs, which a
    browser inside has opened, has the same origin as ours.
    """
    name = re.sub(r":\d*$", "", host).removesuffix(".")
    last = name.rpartition(".")[2]
    return "." not in name or last.isdecimal() or name.startswith("[") or name.endswith(_INSIDE)


def _check_file(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a file must be a str, not {type(name).__name__}")
    stem, _, kind = name.rpartition(".")
    if not stem or "/" in name or "?" in name or kind not in KINDS:
        raise ValueError(f"the name of a file must be plain and end in one of .{', .'.join(KINDS)}, not {name!r}")
    return name


def _read(name: str, given: str | bytes | Path) -> bytes:
    if isinstance(given, Path):
        given = given.read_bytes()
    if isinstance(given, str) and _PATH.fullmatch(given):
        raise ValueError(f"{name} is the text {given!r}, not what that file has in it: write Path({given!r})")
    if not isinstance(given, str | bytes):
        raise TypeError(f"{name} must be a str, bytes, or a pathlib.Path, not {type(given).__name__}")
    content = given.encode() if isinstance(given, str) else given
    if len(content) > MAX_FILE:
        raise ValueError(f"{name} has {len(content)} bytes; {MAX_FILE} are the most, for this is no file server")
    return content


def _own_script() -> bytes | None:
    from importlib.resources import files

    script = files("netcode") / "web" / SCRIPT
    return script.read_bytes() if script.is_file() else None


def _policy(page: bytes) -> str:
    """Return what the page may do: run its own scripts, those inside it too, and connect; nothing of anybody else's."""
    import base64
    import hashlib

    read = page.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # as browsers read it, whatever an editor wrote
    inline = [script for attributes, script in _SCRIPT.findall(read) if not _SOURCE.search(attributes)]
    digests = [base64.b64encode(hashlib.sha256(script).digest()).decode("ascii") for script in inline]
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        # 'self' means no WebSocket everywhere, and a server may send its players on to another one.
        "media-src 'self' data:; manifest-src 'self'; connect-src 'self' ws: wss:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
