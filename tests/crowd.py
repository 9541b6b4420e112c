"""Sets of connections on real sockets, and the bare other ends."""

import selectors
import socket
from collections.abc import Callable
from typing import Any

import bounds

from netcode.connection import MAX_RECEIVE_BUFFER, Connection, State, custom
from netcode.connection_set import ConnectionSet
from netcode.loop.poller import Poller, SelectorsPoller, SelectPoller, make_poller
from netcode.stream.stream_set import StreamSet
from netcode.transport import Connector
from netcode.transport.tcp_listener import Listener
from netcode.waiting import wait

LOOPBACK = "127.0.0.1"
ROUNDS = 2000

POLLERS: dict[str, Callable[[], Poller]] = {
    "make_poller": make_poller,
    "selectors": SelectorsPoller,
    "select": lambda: SelectorsPoller(selectors.SelectSelector()),
    "parts": SelectPoller,
}


def call(listener: Listener) -> socket.socket:
    """Connect a bare socket."""
    sock = socket.create_connection(listener.address, timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def newcomer_at(listener: Listener) -> Connector:
    """Wait for somebody who has called, and who may still be on its way through the kernel."""
    for _ in range(ROUNDS):
        newcomer = listener.accept(0.0)
        if newcomer is not None:
            return newcomer
        wait(listener, timeout=0.1)
    raise AssertionError("nobody came")


def pair(everybody: ConnectionSet[Any], data: object = None, **options: Any) -> tuple[Connection[Any], socket.socket]:
    """Add a connection over a socketpair, and return it and the bare other end."""
    one, other = socket.socketpair()
    connection = custom(data, input=one, output=one, **options)
    everybody.add(connection)
    everybody.update()
    assert connection.state is State.CONNECTED
    other.settimeout(10)
    return connection, other


def until(everybody: ConnectionSet[Any], done: Callable[[], bool]) -> None:
    """Update as a program does that waits, until something is so."""
    for _ in range(ROUNDS):
        if done():
            return
        wait(everybody, timeout=0.05)
        everybody.update()
    raise AssertionError("it does not happen")


def fill(everybody: ConnectionSet[Any], connection: Connection[Any], other: socket.socket) -> None:
    """Fill the receive buffer, and leave «more» in the kernel."""
    patient = bounds.Patience()
    while patient() and (missing := MAX_RECEIVE_BUFFER - connection.receive_buffer_length):
        other.send(bytes(min(missing, 8192)))
        until(everybody, lambda: MAX_RECEIVE_BUFFER - connection.receive_buffer_length < missing)
    other.send(b"more")


def set_of(everybody: ConnectionSet[Any]) -> StreamSet[Connection[Any]]:
    """Return the engine of a set of connections."""
    return everybody._streams
