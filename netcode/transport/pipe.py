"""Descriptors of the caller's own: pipes, standard input and output, socketpairs, one direction only."""

import os
import socket
import stat
import sys
from typing import Protocol

from netcode.address import Address
from netcode.transport.sockets import hold, shut
from netcode.waiting import _number


class _Side(Protocol):
    """One descriptor in use for receiving, sending or both."""

    fd: int
    is_socket: bool

    def receive_into(self, buffer: memoryview) -> int: ...
    def send(self, data: bytes | memoryview) -> int: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


class _SocketSide:
    is_socket = True

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = hold(sock)
        self.fd = sock.fileno()
        self.receive_into = sock.recv_into
        self.send = sock.send

    def finish(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end is gone: there is no side left to end

    def close(self) -> None:
        shut(self._socket)

    __del__ = close


class _FileSide:
    is_socket = False

    def __init__(self, descriptor: object, fd: int) -> None:
        self._descriptor = descriptor
        self.fd = fd
        self._was_blocking = os.get_blocking(fd)
        os.set_blocking(fd, False)

    def receive_into(self, buffer: memoryview) -> int:
        return os.readv(self.fd, [buffer])

    def send(self, data: bytes | memoryview) -> int:
        return os.write(self.fd, data)

    def finish(self) -> None:
        self.close()

    def close(self) -> None:
        """Close, and give the terminal back as it was: whoever shares it shares its blocking mode."""
        if self.fd < 0:
            return
        try:
            os.set_blocking(self.fd, self._was_blocking)
        except OSError:
            pass
        fd, self.fd = self.fd, -1
        close = getattr(self._descriptor, "close", None)
        try:
            if close is not None:
                close()
            else:
                os.close(fd)
        except OSError:
            pass


class PipeTransport:
    """Receives from one descriptor and sends to another, or to the same; either may be missing."""

    def __init__(self, input: object | None, output: object | None, address: Address | None) -> None:
        self.address = address
        self._input: _Side | None = None if input is None else _open(input)
        if output is None:
            self._output: _Side | None = None
        elif input is not None and _number(input) == _number(output):
            self._output = self._input
        else:
            self._output = _open(output)
        self.read_fd = -1 if self._input is None else self._input.fd
        self.write_fd = -1 if self._output is None else self._output.fd
        self.lingers = self._output is not None and self._output.is_socket and self._output is self._input

    def receive_into(self, buffer: memoryview) -> int:
        if self._input is None:
            raise BlockingIOError
        return self._input.receive_into(buffer)

    def send(self, data: bytes | memoryview) -> int:
        if self._output is None:
            return len(data)  # nowhere to send: ignored
        return self._output.send(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return self.send(chunks[0])

    def finish(self) -> None:
        if self._output is None or (self._output is self._input and not self._output.is_socket):
            return  # a terminal has no side of its own to end
        if not self._output.is_socket:
            self.write_fd = -1
        self._output.finish()

    def close(self) -> None:
        for side in {self._input, self._output}:
            if side is not None:
                side.close()


def _open(descriptor: object) -> _Side:
    if isinstance(descriptor, socket.socket):
        return _SocketSide(descriptor)
    fd = _number(descriptor)
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        detach = getattr(descriptor, "detach", None)
        return _SocketSide(socket.socket(fileno=fd if detach is None else detach()))
    if sys.platform == "win32":
        raise ValueError("on Windows, custom() takes sockets only: its pipes cannot be waited for")
    return _FileSide(descriptor, fd)
