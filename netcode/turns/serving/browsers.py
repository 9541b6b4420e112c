"""What browsers are shown at a table: the page of the kit or the author's own, and the link that leads there."""

import socket
from pathlib import Path

from netcode.address import WILDCARDS, Address
from netcode.site import Web

_FOLDER = Path(__file__).parent.parent / "web"
PAGE = _FOLDER / "table.html"
FILES = {name: _FOLDER / name for name in ("seat.js", "fields.js", "table.js", "table.css")}
_ELSEWHERE = ("192.0.2.1", 9)
"""An address that is nobody's (RFC 5737): nothing is sent there, it is only asked which way that would go."""


def page_of(web: Web | bool | None, own: Address | None = None) -> Web | bool | None:
    """Return what browsers are shown: the page of the kit where none is given, and its scripts beside any page.

    Args:
        web: what the author gave.
        own: an address by which players reach the server, and so may open its page, if that is known.
    """
    if web is True:
        web = Web()
    if not isinstance(web, Web):
        return web
    shown = web.with_defaults(PAGE, FILES)
    shown.let_in([] if own is None else [str(own)])
    return shown


def link_of(address: Address, *, secure: bool) -> str:
    """Return what a friend in the same network types into a browser."""
    return f"http{'s' if secure else ''}://{reachable(address)}/"


def reachable(address: Address) -> Address:
    """Return where others in the same network reach a server that listens there."""
    return Address(_lan_host(), address.port) if address.host in WILDCARDS else address


def _lan_host() -> str:
    """Return the address of this computer that others in the house can reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:  # no network at all
            return "localhost"
        host: str = probe.getsockname()[0]
        return host
