"""The verbs that wait, against a server that is a bare socket."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import netcode
from benchmarks.ports import free_port
from netcode import sync
from netcode.connection import MAX_RECEIVE_BUFFER, State, custom
from netcode.reasons import ReasonCode
from netcode.testing import FakeClock, MemoryNetwork


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(10)
        yield made


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_connect_waits_until_it_is_connected(server: socket.socket) -> None:
    connection = sync.connect("localhost", port_of(server), "data", timeout=10.0, ping=b"!")

    assert (connection.state, connection.data) == (State.CONNECTED, "data")
    assert (connection.timeout, connection.ping) == (10.0, b"!")
    connection.close()


def test_connect_waits_until_it_is_refused() -> None:
    connection = sync.connect("127.0.0.1", free_port())

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.REFUSED


def test_send_waits_until_everything_is_taken(server: socket.socket) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()
    received = bytearray()

    def read() -> None:
        while data := peer.recv(1 << 16):
            received.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    sync.send(connection, bytes(5_000_000))
    waiting = connection.send_buffer_length
    connection.close_nicely()
    connection.update()
    reader.join(60)
    peer.close()
    sync.close_nicely(connection)

    assert (waiting, len(received)) == (0, 5_000_000)


def test_send_to_who_sends_much_and_never_reads_ends_at_the_timeout(server: socket.socket) -> None:
    connection = sync.connect("127.0.0.1", port_of(server), timeout=0.05)
    peer, _ = server.accept()
    peer.sendall(bytes(MAX_RECEIVE_BUFFER))

    sync.send(connection, bytes(20_000_000))

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.TIMEOUT
    peer.close()


def test_who_sends_to_who_sends_is_told_once_that_it_could_receive(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()
    peer.sendall(bytes(MAX_RECEIVE_BUFFER))
    patiences = list[float | None]()

    def sleep(connection: netcode.Connection[Any], *, timeout: float | None) -> bool:
        patiences.append(timeout)
        if len(patiences) == 200:
            peer.close()
        return timeout is None or netcode.wait(connection, timeout=0.001)

    monkeypatch.setattr(sync, "wait", sleep)
    with pytest.warns(RuntimeWarning, match=r"^sync\.send\(\) has waited for 5 seconds .* each end waits") as warned:
        sync.send(connection, bytes(20_000_000))

    assert (len(warned), warned[0].filename, {*patiences}) == (1, __file__, {5.0, None})
    assert connection.reason is not None
    assert len(connection.receive_all()) == MAX_RECEIVE_BUFFER


def test_receive_waits_for_exactly_so_many_bytes(server: socket.socket) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()
    peer.sendall(b"hello world")

    received = sync.receive(connection, 5), sync.receive(connection, 6)
    connection.close()
    peer.close()

    assert received == (b"hello", b" world")


def test_receive_at_the_end_takes_what_is_there_or_nothing(server: socket.socket) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()
    peer.sendall(b"short")
    peer.close()

    too_much = sync.receive(connection, 6)

    assert (too_much, sync.receive(connection, 5), connection.state) == (None, b"short", State.DISCONNECTED)


def test_receive_refuses_what_could_never_be_there() -> None:
    connection = custom()

    with pytest.raises(ValueError, match="can never be there at once"):
        sync.receive(connection, MAX_RECEIVE_BUFFER + 1)
    with pytest.raises(TypeError, match="must be an int, not float"):
        sync.receive(connection, 1.5)  # type: ignore[arg-type]  # pyright: ignore
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")
def test_receive_without_an_input_does_not_wait_for_ever() -> None:
    read, write = os.pipe()
    connection = custom(output=write)

    sync.send(connection, b"out")
    received = sync.receive(connection, 1)
    connection.close()
    heard = os.read(read, 10)
    os.close(read)

    assert (received, heard) == (None, b"out")


@pytest.mark.parametrize("queued", [b"", b"goodbye"])
def test_close_nicely_waits_until_it_is_over(server: socket.socket, queued: bytes) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()

    def leave() -> None:
        while peer.recv(100):
            pass
        peer.close()

    leaver = threading.Thread(target=leave)
    leaver.start()
    connection.send(queued)
    sync.close_nicely(connection)
    leaver.join(60)

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED


def test_close_nicely_gives_up_at_its_timeout(server: socket.socket) -> None:
    connection = sync.connect("127.0.0.1", port_of(server))
    peer, _ = server.accept()

    sync.close_nicely(connection, 0.02)
    peer.close()

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSE_TIMEOUT


def test_what_is_no_connection_is_told() -> None:
    network, clock = MemoryNetwork(FakeClock()), FakeClock()
    client: Any = netcode.Client("localhost", 7777, network=network, clock=clock)
    swapped: Any = b"data"

    calls: list[tuple[Any, ...]] = [(sync.send, client, b"x"), (sync.receive, client, 1), (sync.close_nicely, client)]
    for verb, *arguments in calls:
        with pytest.raises(TypeError, match=r"^expected a Connection, not Client; a Client and a Server have a wait"):
            verb(*arguments)
    with pytest.raises(TypeError, match=r"^expected a Connection, not bytes$"):
        sync.send(swapped, client)
