"""A request over HTTP, all of whose answer comes within so many seconds or not at all."""

import errno
import http.client
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

LEAST = 0.001
"""Seconds that a request may take to go out, however late it is."""


@contextmanager
def answer_of(
    host: str, port: int, method: str, path: str, *, seconds: float, body: str | None = None
) -> Generator[http.client.HTTPResponse]:
    """Ask once, and yield the answer; what is read of it has to come in time as well.

    Args:
        host, port: where to ask.
        method, path: what for.
        seconds: from the attempt to connect to the last byte.
        body: JSON that is sent along; None for none.

    Raises:
        TimeoutError: it takes too long; also from what reads the answer.
        OSError: nobody answers, or breaks off.
        HTTPException: what answers does not speak HTTP.
        UnicodeError: the host can be no name.
    """
    until = time.monotonic() + seconds
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.connect()
        connection.sock = Hurried(connection.sock, until)
        connection.request(method, path, body, {} if body is None else {"Content-Type": "application/json"})
        yield connection.getresponse()
    finally:
        connection.close()


class Hurried(socket.socket):
    """A socket with a moment by which all has to have come: the timeout of others begins again with every byte."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        super().__init__(sock.family, sock.type, sock.proto, sock.detach())
        self._until = until
        self.settimeout(max(LEAST, until - time.monotonic()))

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)
