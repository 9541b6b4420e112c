"""Sockets that get closed even if the game forgets to.

A connection that is simply dropped must not leak, nor warn. `__del__` of its transport closes the socket; but where
both are garbage of one cycle, Python may finalise the socket first, and that warns. So every socket in use is also
held here, and only its transport's end, or the interpreter's, lets go of it.
"""

import atexit
import socket

_in_use: set[socket.socket] = set()


def hold(sock: socket.socket) -> socket.socket:
    """Keep `sock` from being finalised before it is closed."""
    _in_use.add(sock)
    return sock


def let_go(sock: socket.socket) -> socket.socket:
    """Hand `sock` to somebody else, who closes it."""
    _in_use.discard(sock)
    return sock


def shut(sock: socket.socket) -> None:
    """Close `sock`; once is enough, twice is fine."""
    _in_use.discard(sock)
    sock.close()


@atexit.register
def _close_all() -> None:
    for sock in [*_in_use]:
        shut(sock)
