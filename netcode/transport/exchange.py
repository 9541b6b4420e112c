"""What is heard and said at a door that browsers find, step by step, over transports that never block.

Each is a generator that gives what it waits for, `READ` or `WRITE`, and ends with what was heard.
"""

import socket
from collections.abc import Generator

from netcode.loop.poller import READ, WRITE
from netcode.transport import Transport
from netcode.transport.tcp_socket import TcpTransport
from netcode.wire.http import ALLOWED, END, MAX_HEAD, METHODS, BadRequest, Request, parse
from netcode.wire.proxies import MAX_HEADER, measure, source


def introduce(transport: TcpTransport) -> Generator[int, None, None]:
    """Hear from a proxy for whom it speaks, if it says that before anything else. Raises `ValueError`."""
    header, size = b"", 0
    while not size or len(header) < size:
        try:
            seen = transport.recv(MAX_HEADER, socket.MSG_PEEK)
        except BlockingIOError:
            yield READ
            continue
        size = measure(header + seen) if seen else -1
        if size < 0:
            if header:
                raise ValueError
            return  # it is none
        taken = len(seen) if not size else min(len(seen), size - len(header))
        header += transport.recv(taken)
    transport.address = source(header, transport.address)


def peek(transport: Transport) -> Generator[int, None, tuple[bytes, bytes]]:
    """Return the beginning of what somebody says, and what of that is taken. Nothing has to be where it can be left."""
    if not isinstance(transport, TcpTransport):
        room = _room_for(transport)
        count = yield from _receive(transport, room)
        return bytes(room[:count]), bytes(room[:count])
    while True:
        try:
            return transport.recv(1, socket.MSG_PEEK), b""
        except BlockingIOError:
            yield READ


def read_request(transport: Transport, early: bytes) -> Generator[int, None, tuple[Request, bytes]]:
    """Return a request, and what came behind it. Raises `BadRequest`."""
    data, count = bytearray(early), 0
    room = _room_for(transport)
    while (end := data.find(END, max(0, count - 3), MAX_HEAD)) < 0:
        count = len(data)
        if count >= MAX_HEAD:
            raise BadRequest(431, f"the head of a request may have {MAX_HEAD} bytes")
        got = yield from _receive(transport, room)
        if not got:
            raise ConnectionResetError
        data += room[:got]
    request = parse(bytes(data[:end]))
    if request.method not in METHODS:
        raise BadRequest(405, "only GET is done here", ALLOWED)
    return request, bytes(data[end + len(END) :])


def _room_for(transport: Transport) -> memoryview:
    """Return room in which nothing is received that no poller sees."""
    return memoryview(bytearray(max(MAX_HEAD, transport.grain)))


def _receive(transport: Transport, room: memoryview) -> Generator[int, None, int]:
    while True:
        try:
            return transport.receive_into(room)
        except BlockingIOError:
            yield READ


def send_all(transport: Transport, data: bytes) -> Generator[int, None, None]:
    """Send all of `data`."""
    left = memoryview(data)
    while left:
        try:
            left = left[transport.send(left) :]
        except BlockingIOError:
            yield WRITE


def deliver(transport: Transport, answer: bytes) -> Generator[int, None, None]:
    """Send an answer, and wait until it was taken: to close earlier would destroy it."""
    yield from send_all(transport, answer)
    transport.finish()
    room = _room_for(transport)
    while (yield from _receive(transport, room)):
        yield READ  # what more comes is nothing, and must not hold the update
