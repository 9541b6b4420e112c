"""Descriptors that get closed even if the game forgets to.

A connection that is simply dropped must not leak, nor warn. `__del__` of its transport closes what it has; but where
both are garbage of one cycle, Python may finalise a socket first, and that warns. So every socket and file in use is
also held here, and only its transport's end, or the interpreter's, lets go of it.
"""

import atexit
import socket
from typing import TypeVar

from netcode.transport import Holder

T = TypeVar("T", bound=Holder)

_in_use: set[Holder] = set()


def check_plain(sock: object) -> None:
    """Raise `TypeError` for a socket that encrypts: its calls wait for a handshake, or for more than can be waited for.

    Not asked by its type, because that would load `ssl`.
    """
    if hasattr(sock, "do_handshake"):
        kind = type(sock).__name__
        raise TypeError(
            f"a connection of bytes takes no {kind}: it encrypts nothing; netcode.Server(..., tls=context) and "
            "netcode.Client(..., tls=True) do"
        )


def check_stream(sock: socket.socket) -> None:
    """Raise `ValueError` for a socket that carries no stream of bytes: datagrams are cut and lost, a listener has none.

    Raises:
        OSError: it is closed.
    """
    if sock.type != socket.SOCK_STREAM:
        kind = getattr(sock.type, "name", sock.type)  # Python has no name for some
        raise ValueError(f"a connection needs a socket of type SOCK_STREAM, not {kind}")
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ValueError("that socket listens: give it to ConnectionSet.accept, or what its accept() returns to custom")


def hold(thing: T) -> T:
    """Keep `thing` from being finalised before it is closed."""
    _in_use.add(thing)
    return thing


def let_go(thing: T) -> T:
    """Hand `thing` to somebody else, who closes it."""
    _in_use.discard(thing)
    return thing


def shut(thing: Holder) -> None:
    """Close `thing`; once is enough, twice is fine, and so is what somebody else has closed by its number."""
    _in_use.discard(thing)
    try:
        thing.close()
    except OSError:
        pass


@atexit.register
def _close_all() -> None:
    for thing in [*_in_use]:
        shut(thing)
