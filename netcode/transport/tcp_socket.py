"""The one TCP socket of a link."""

import socket
import sys
from contextlib import suppress
from typing import Any

from netcode.address import Address
from netcode.transport import send_each
from netcode.wire.speed import KERNEL

USER_TIMEOUT = 30.0
"""Seconds of unacknowledged bytes after which the kernel gives up. A backstop; pings notice sooner."""

NOTSENT_LOWAT = 16_384
"""Unsent bytes that the kernel keeps. Without it, it hides 2.6 to 4.3 MB behind a peer that stopped reading."""

BULK = 1_048_576
"""Bytes waiting here from which on the kernel may keep as many more, until they are gone. At `NOTSENT_LOWAT`, each
wake-up of the sender moves so little that the wake-ups cost a third of the throughput."""

NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
"""For each send: who is gone is an error, and no SIGPIPE, which ends a program that has asked for its default."""

SO_NOSIGPIPE = 0x1022
"""The same once for a whole socket, on macOS, by a number that Python has no name for."""


def tune(sock: socket.socket) -> None:
    """Set what every socket of ours has: no blocking, no Nagle, little hidden in the kernel, and no signals."""
    sock.setblocking(False)
    silence(sock)
    _set(sock, "TCP_NODELAY", 1)
    _set(sock, "TCP_NOTSENT_LOWAT", NOTSENT_LOWAT)
    _set(sock, "TCP_USER_TIMEOUT", int(USER_TIMEOUT * 1000))


def silence(sock: socket.socket) -> None:
    """Have a send to who is gone raise no SIGPIPE, where `NO_SIGNAL` cannot."""
    if sys.platform == "darwin":
        with suppress(OSError):  # the other end is gone already, and nothing will be sent
            sock.setsockopt(socket.SOL_SOCKET, SO_NOSIGPIPE, 1)


def _set(sock: socket.socket, name: str, value: int) -> bool:
    """Set an option of TCP; tell whether the system has it."""
    option = getattr(socket, name, None)
    if option is None:
        return False
    try:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    except OSError:
        return False  # a Unix socket, or a kernel that knows the name but not the option
    return True


def _send(sock: socket.socket, data: bytes | memoryview) -> int:
    return socket.socket.send(sock, data, NO_SIGNAL)


class TcpTransport(socket.socket):
    """One established socket, taken over from `sock`.

    It is the socket itself instead of having one: what is looked up for each message is in one place in memory, which
    counts where thousands of peers take turns. And where it is forgotten, it is its own to finalise.
    """

    __slots__ = ("_in_bulk", "address", "read_fd")

    lingers = True
    grain = 0
    drains = True
    # A socket's own, or nearly, where nothing was built.
    receive_into: Any = getattr(KERNEL, "receive_into", socket.socket.recv_into)
    send: Any = getattr(KERNEL, "send", _send)

    def __init__(self, sock: socket.socket, address: Address) -> None:
        family, kind, proto, number = sock.family, sock.type, sock.proto, sock.fileno()
        try:
            socket.socket.__init__(self, family, kind, proto, number)
            sock.detach()
        except BaseException:  # Ctrl-C, say: the descriptor has one owner all the same
            if self.fileno() == number:
                sock.detach()
            raise
        self.setblocking(False)
        self._in_bulk = False
        self.address: Address | None = address
        self.read_fd = self.fileno()

    @property
    def write_fd(self) -> int:
        return self.read_fd

    def close(self) -> None:
        self.read_fd = -1  # the number may soon be another's
        try:
            super().close()
        except OSError:
            pass  # somebody closed that number already, as who becomes a daemon does with all that there are

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        if sys.platform == "win32":
            return send_each(self.send, chunks)
        size = sum(map(len, chunks))
        if size >= BULK and not self._in_bulk:
            self._in_bulk = _set(self, "TCP_NOTSENT_LOWAT", BULK)
        count = self.sendmsg(chunks, (), NO_SIGNAL)
        if count == size and self._in_bulk:
            self._in_bulk = False
            _set(self, "TCP_NOTSENT_LOWAT", NOTSENT_LOWAT)
        return count

    def probe(self) -> None:
        """TCP's own probes are the kernel's."""

    def be_readable(self) -> None:
        """Have pollers tell of it, and receive nothing more."""
        try:
            self.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # it is broken, of which the kernel tells by itself

    def finish(self) -> None:
        try:
            self.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # ENOTCONN after a reset: there is no side left to end

    def __del__(self) -> None:
        if hasattr(self, "_closed"):  # else it never came to be one
            self.close()
