"""Descriptors of the caller's own: pipes, standard input and output, socketpairs, one direction only."""

import errno
import os
import select
import socket
import stat
import sys
from collections.abc import Callable
from typing import Any, Protocol

from netcode.address import Address
from netcode.loop.poller import BROKEN
from netcode.transport import ReceiveInto, Send, SendChunks, send_each
from netcode.transport.sockets import check_plain, check_stream, hold, let_go
from netcode.transport.tcp_socket import NO_SIGNAL, silence
from netcode.waiting import _number


class _Side(Protocol):
    """One descriptor in use for receiving, sending or both."""

    fd: int
    is_socket: bool

    @property
    def receive_into(self) -> ReceiveInto: ...
    @property
    def send(self) -> Send: ...
    @property
    def send_chunks(self) -> SendChunks: ...
    def start(self) -> None:
        """Make the descriptor non-blocking."""

    def finish(self) -> None:
        """End our side of the stream, where it has one of its own to end."""

    def abandon(self) -> None:
        """Leave the descriptor as it is: it is the caller's, who may use it in a child of this process."""

    def close(self) -> None:
        """Close the descriptor; once is enough, twice is fine."""


class _SocketSide:
    is_socket = True

    def __init__(self, descriptor: object, sock: socket.socket) -> None:
        self._descriptor = descriptor
        self._socket = sock
        self.fd = sock.fileno()
        self._closed = False
        self.receive_into: ReceiveInto = sock.recv_into

    def start(self) -> None:
        hold(self)
        self._socket.setblocking(False)
        silence(self._socket)

    def send(self, data: bytes | memoryview) -> int:
        return self._socket.send(data, NO_SIGNAL)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        if sys.platform == "win32":
            return send_each(self.send, chunks)
        return self._socket.sendmsg(chunks, (), NO_SIGNAL)

    def finish(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end is gone: there is no side left to end

    def abandon(self) -> None:
        let_go(self)
        self._closed = True
        if self._descriptor is not self._socket:
            self._socket.detach()

    def close(self) -> None:
        let_go(self)
        if self._closed:
            return
        self._closed = True
        if self._descriptor is not self._socket:
            self._socket.detach()
        _close(self._descriptor, self.fd)


class _FileSide:
    is_socket = False

    def __init__(self, descriptor: object, fd: int) -> None:
        self._descriptor = descriptor
        self.fd = fd
        self._was_blocking = os.get_blocking(fd)
        self._closed = False

    def start(self) -> None:
        hold(self)
        os.set_blocking(self.fd, False)

    def receive_into(self, buffer: memoryview) -> int:
        try:
            return os.readv(self.fd, [buffer])
        except OSError as error:
            if error.errno == errno.EIO and _is_broken(self.fd):
                return 0  # Linux tells the end of whatever ran in a pseudo-terminal so
            raise

    def send(self, data: bytes | memoryview) -> int:
        return self._write(os.write, data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return self._write(os.writev, chunks)

    def _write(self, write: Callable[[int, Any], int], what: Any) -> int:
        try:
            return write(self.fd, what)
        except BlockingIOError:
            _check_reader(self.fd)  # a pseudo-terminal in which nothing runs any more is full for ever
            raise

    def finish(self) -> None:
        """Do nothing: only closing ends it."""

    def abandon(self) -> None:
        let_go(self)
        self._closed = True

    def close(self) -> None:
        """Close, and give the terminal back as it was: whoever shares it shares its blocking mode."""
        let_go(self)
        if self._closed:
            return
        self._closed = True
        try:
            os.set_blocking(self.fd, self._was_blocking)
        except OSError:
            pass  # somebody closed it already
        _close(self._descriptor, self.fd)


class PipeTransport:
    """Receives from one descriptor and sends to another, or to the same; either may be missing."""

    grain = 0
    drains = False

    def __init__(self, input: object | None, output: object | None, address: Address | None) -> None:
        self._sides: list[_Side] = []
        if address is not None and not (isinstance(address, Address) and isinstance(address.host, str)):
            raise TypeError(f"remote_address must be netcode.Address(host, port), or None, not {address!r:.100}")
        self.address = address
        # Both are looked at before either is touched: what raises leaves them as they are, and where both are the
        # same terminal, the blocking mode to give back is the one from before.
        sides: list[_Side] = []
        self._input = self._output = None
        if input is not None:
            self._input = _open(input)
            sides.append(self._input)
        if output is not None and self._input is not None and _number(output) == self._input.fd:
            self._output = self._input
        elif output is not None:
            self._output = _open(output)
            sides.append(self._output)
        for side in sides:
            side.start()
        self._sides = sides
        self.read_fd = -1 if self._input is None else self._input.fd
        self.write_fd = -1 if self._output is None else self._output.fd
        self.lingers = _are_one_socket(self._input, self._output)

    def receive_into(self, buffer: memoryview) -> int:
        if self._input is None:
            if self._output is not None:
                _check_reader(self._output.fd)  # nothing else tells before a write
            raise BlockingIOError
        return self._input.receive_into(buffer)

    def send(self, data: bytes | memoryview) -> int:
        if self._output is None:
            return len(data)  # nowhere to send: ignored
        return self._output.send(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return sum(map(len, chunks)) if self._output is None else self._output.send_chunks(chunks)

    def probe(self) -> None:
        """Nobody answers by itself at the end of a pipe."""

    def finish(self) -> None:
        if self._output is not None:
            self._output.finish()

    def abandon(self) -> None:
        for side in self._sides:
            side.abandon()

    def close(self) -> None:
        for side in self._sides:
            side.close()

    __del__ = close


def _open(descriptor: object) -> _Side:
    """Look at `descriptor` without changing it."""
    check_plain(descriptor)
    if isinstance(descriptor, socket.socket):
        check_stream(descriptor)
        return _SocketSide(descriptor, descriptor)
    fd = _number(descriptor)
    if sys.platform == "win32":
        raise ValueError("on Windows, custom() takes sockets only: nothing else can be waited for there")
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        borrowed = _Borrowed(fileno=fd)
        check_stream(borrowed)
        return _SocketSide(descriptor, borrowed)
    return _FileSide(descriptor, fd)


def _are_one_socket(input: _Side | None, output: _Side | None) -> bool:
    """Tell whether both directions are one socket, perhaps under two numbers, as inetd gives it to its programs."""
    if input is None or output is None or not (input.is_socket and output.is_socket):
        return False
    return input is output or os.path.sameopenfile(input.fd, output.fd)


def _is_broken(fd: int) -> bool:
    """Tell whether nobody is at the other end any more, as far as this system tells."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, 0)  # for nothing but its breaking
    return any(bits & BROKEN for _, bits in poll.poll(0))


def _check_reader(fd: int) -> None:
    """Raise `BrokenPipeError` if nobody is left who reads what is written there."""
    if _is_broken(fd):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class _Borrowed(socket.socket):
    """A socket on a descriptor of somebody else's."""

    def __del__(self) -> None:
        self.detach()


def _close(descriptor: object, fd: int) -> None:
    """Close the caller's object, which would close its descriptor a second time if it did not know."""
    close = getattr(descriptor, "close", None)
    try:
        if close is None:
            os.close(fd)
        else:
            close()
    except OSError:
        pass  # what could not be flushed is lost, or somebody closed it already
