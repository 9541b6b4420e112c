"""What a friend sends to invite us: an address, or the link that the page of a table shows."""

from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from netcode.address import Address, check_typed, read_address
from netcode.console import shown
from netcode.turns.protocol import MAX_ROOM


class Invitation(NamedTuple):
    """What leads to a table, as `join` takes it: `join(address, game, room, tls=tls)`."""

    address: Address
    room: str | None = None
    """None where only a server is named."""
    tls: bool = False
    """Whether the server encrypts, as far as the text says it."""


def read_invitation(text: str, otherwise: int) -> Invitation:
    """Return what a friend's link leads to, or an address that somebody has typed, as `netcode.read_address` does.

    Usage::

        address, room, tls = read_invitation("http://192.168.1.7:7777/#room=KTQXB&game=TicTacToe", 7777)
        table = join(address, TicTacToe, room, tls=tls)

    Args:
        text: what was typed, or pasted.
        otherwise: the port of an address without one; that of a link is then 80, or 443.

    Raises:
        TypeError: `text` is no str.
        ValueError: it is neither; the sentence says why, and what to write.
    """
    check_typed(text)
    text = text.strip()
    try:
        link = urlsplit(text)
    except ValueError:  # half an IPv6 address, say
        return Invitation(read_address(text, otherwise))
    if link.scheme not in ("http", "https"):
        return Invitation(read_address(text.removesuffix("/"), otherwise))
    room = parse_qs(link.fragment).get("room", [None])[0]
    if room is not None and (len(room) > MAX_ROOM or shown(room, lambda _: "") != room):
        raise ValueError(f"that link leads to no table: its room is no text of at most {MAX_ROOM} characters")
    tls = link.scheme == "https"
    return Invitation(read_address(link.netloc, 443 if tls else 80), room, tls)
