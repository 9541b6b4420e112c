"""Many connections: accepted, updated when ready or due, dropped when dead, and changed while they are iterated."""

import errno
import gc
import math
import os
import selectors
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bounds
import pytest

from netcode import connection_set as module
from netcode.address import Address
from netcode.connection import LINGER, MAX_RECEIVE_BUFFER, SCRATCH, Connection, State, connect, custom
from netcode.connection_set import ACCEPTS_PER_UPDATE, HURRY, PAUSE, PORTION, REFUSE, ConnectionSet
from netcode.poller import NAP, READ, Poller, SelectorsPoller, SelectPoller, make_poller
from netcode.reasons import ReasonCode
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Connector
from netcode.transport.tcp import Listener
from netcode.waiting import any_of, wait

LOOPBACK = "127.0.0.1"
ROUNDS = 2000

POLLERS: dict[str, Callable[[], Poller]] = {
    "make_poller": make_poller,
    "selectors": SelectorsPoller,
    "select": lambda: SelectorsPoller(selectors.SelectSelector()),
    "parts": SelectPoller,
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def everybody(clock: FakeClock) -> Iterator[ConnectionSet[Any]]:
    made: ConnectionSet[Any] = ConnectionSet(clock=clock)
    yield made
    made.close()


@pytest.fixture(params=[*POLLERS])
def on_any_poller(
    request: pytest.FixtureRequest, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ConnectionSet[Any]]:
    """A set as it is on this system, and as it is on others."""
    monkeypatch.setattr(module, "make_poller", POLLERS[request.param])
    made: ConnectionSet[Any] = ConnectionSet(clock=clock)
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(LOOPBACK, 0)
    yield made
    made.close()


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


# Accepting.


def test_newcomers_are_taken_in_with_their_data_timeout_and_ping(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    callers = [call(listener) for _ in range(3)]
    addresses: list[Address] = []

    def make_data(address: Address) -> str:
        addresses.append(address)
        return f"player {len(addresses)}"

    for _ in bounds.as_long_as(lambda: len(everybody) < 3):
        everybody.accept(listener, make_data, timeout=10.0, ping=b"!")

    assert [connection.data for connection in everybody] == ["player 1", "player 2", "player 3"]
    assert {(c.timeout, c.ping, c.state) for c in everybody} == {(10.0, b"!", State.CONNECTED)}
    assert addresses == [Address(*caller.getsockname()) for caller in callers]
    assert [connection.remote_address for connection in everybody] == addresses
    for caller in callers:
        caller.close()


def test_who_is_refused_is_closed_at_once(everybody: ConnectionSet[Any], listener: Listener) -> None:
    caller = call(listener)
    asked: list[Address] = []

    def refuse(address: Address) -> Any:
        asked.append(address)
        return REFUSE

    for _ in bounds.until(lambda: asked):
        everybody.accept(listener, refuse)

    assert caller.recv(1) == b""
    assert len(everybody) == 0
    assert repr(REFUSE) == "netcode.REFUSE"
    caller.close()


def test_an_error_of_make_data_reaches_its_author_and_nothing_leaks(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    caller = call(listener)

    def fail(address: Address) -> Any:
        raise KeyError(address)

    with pytest.raises(KeyError):  # noqa: PT012 - it may take a moment until the caller is at the door
        for _ in range(ROUNDS):
            everybody.accept(listener, fail)

    assert caller.recv(1) == b""
    assert len(everybody) == 0
    caller.close()


@pytest.mark.parametrize("how", ["accept", "add"])
def test_a_newcomer_is_not_charged_for_the_time_before_it_came(
    everybody: ConnectionSet[Any], clock: FakeClock, how: str
) -> None:
    network = MemoryNetwork(clock)
    door = network.listen("", 7777)
    caller = connect("server", 7777, network=network, clock=clock, timeout=0.8)
    clock.advance(0.9)  # a slow frame
    caller.update()

    if how == "accept":
        everybody.accept(door, lambda address: None, timeout=0.8)
    else:
        everybody.add(caller)
    [connection] = everybody
    clock.advance(0.75)
    everybody.update()
    before = connection.alive
    clock.advance(0.1)
    everybody.update()

    assert (before, connection.alive) == (True, False)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.TIMEOUT
    door.close()


def test_misuse_of_accept_raises_before_anybody_comes(everybody: ConnectionSet[Any], listener: Listener) -> None:
    with pytest.raises(ValueError, match="timeout must be seconds above 0"):
        everybody.accept(listener, lambda address: None, timeout=-1)
    with pytest.raises(TypeError):
        everybody.accept(listener, lambda address: None, ping="!")  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(TypeError, match="make_data must be a function of an address, not NoneType"):
        everybody.accept(listener, None)  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(TypeError, match="expected a Listener or a listening socket, not int"):
        everybody.accept(5, lambda address: None)  # type: ignore[arg-type]  # pyright: ignore


def test_no_more_are_taken_in_at_once_than_a_frame_can_bear(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    door = network.listen("", 7777)
    callers = [connect("server", 7777, network=network, clock=clock) for _ in range(ACCEPTS_PER_UPDATE + 5)]
    for caller in callers:
        caller.update()

    everybody.accept(door, lambda address: None)
    first = len(everybody)
    everybody.accept(door, lambda address: None)

    assert (first, len(everybody)) == (ACCEPTS_PER_UPDATE, ACCEPTS_PER_UPDATE + 5)


def test_a_users_own_socket_is_a_listener_too_and_stays_open(everybody: ConnectionSet[Any]) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        caller = socket.create_connection(server.getsockname())
        for _ in bounds.as_long_as(lambda: len(everybody) < 1):
            everybody.accept(server, lambda address: None)
        descriptors = len(everybody._doorways)
        everybody.close()

        assert (descriptors, server.fileno() >= 0) == (1, True)
        caller.close()


@pytest.mark.parametrize("ours", [False, True])
def test_a_closed_listener_raises_and_is_forgotten(everybody: ConnectionSet[Any], ours: bool) -> None:
    listener = Listener(LOOPBACK, 0) if ours else socket.create_server((LOOPBACK, 0))
    everybody.accept(listener, lambda address: None)
    listener.close()

    for _ in range(2):
        with pytest.raises(OSError):
            everybody.accept(listener, lambda address: None)

    assert everybody._doorways == {}


def test_a_socket_without_an_address_has_a_name(everybody: ConnectionSet[Any], tmp_path: Path) -> None:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("there are no Unix sockets")
    path = str(tmp_path / "door")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as caller:
        server.bind(path)
        server.listen()
        caller.connect(path)
        seen: list[Address] = []
        everybody.accept(server, seen.append)

        assert seen == [Address("local", 0)]


# What an update does.


def test_bytes_go_both_ways(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller, "data")

    connection.send(b"there")
    on_any_poller.update()
    heard = other.recv(100)
    other.send(b"and back")
    until(on_any_poller, lambda: connection.receive_buffer_length == 8)

    assert (heard, connection.receive_all()) == (b"there", b"and back")
    assert connection in on_any_poller
    other.close()


def test_what_does_not_fit_goes_out_when_there_is_room(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    data = os.urandom(3_000_000)

    connection.send(data)
    on_any_poller.update()
    blocked = connection._blocked
    connection.send(b"end")
    on_any_poller.update()
    heard = bytearray()
    patient = bounds.Patience()
    while patient() and len(heard) < len(data) + 3:
        heard += other.recv(1 << 20)
        on_any_poller.update()

    assert blocked is True
    assert heard == data + b"end"
    assert (connection._blocked, connection.send_buffer_length) == (False, 0)
    other.close()


def test_a_full_receive_buffer_is_not_read_until_something_is_taken(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    fill(on_any_poller, connection, other)

    full = wait(on_any_poller, timeout=0.01)
    on_any_poller.update()
    connection.receive_forget(MAX_RECEIVE_BUFFER)
    until(on_any_poller, lambda: connection.receive_buffer_length == 4)

    assert full is False
    assert connection.receive_all() == b"more"
    other.close()


def test_a_link_that_broke_while_nobody_takes_its_bytes_does_not_spin(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    fill(on_any_poller, connection, other)

    other.close()
    for _ in range(3):
        on_any_poller.update()
    spins = [wait(on_any_poller, timeout=0.01) for _ in range(3)]
    state = connection.state
    first = connection.receive_all()
    until(on_any_poller, lambda: not connection.alive)

    assert (spins, state) == ([False] * 3, State.CONNECTED)
    assert (first, connection.receive_all()) == (bytes(MAX_RECEIVE_BUFFER), b"more")
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED_BY_PEER


def test_the_last_bytes_outlive_the_connection_for_one_update(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller, "leaver")
    other.send(b"last words")
    other.close()

    until(on_any_poller, lambda: not connection.alive)
    seen = [(c.data, c.state, c.receive_all()) for c in on_any_poller]
    on_any_poller.update()

    assert seen == [("leaver", State.DISCONNECTED, b"last words")]
    assert (len(on_any_poller), [*on_any_poller], connection in on_any_poller) == (0, [], False)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED_BY_PEER


def test_a_connection_closed_by_its_owner_stays_until_the_next_update(everybody: ConnectionSet[Any]) -> None:
    connection, other = pair(everybody)

    connection.close()
    before = len(everybody), wait(everybody, timeout=10.0)
    everybody.update()

    assert (before, len(everybody)) == ((1, True), 0)
    assert other.recv(1) == b""
    other.close()


def test_the_end_of_who_takes_nothing_is_seen(
    on_any_poller: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.connection.MAX_SEND_BUFFER", 1_000_000)
    connection, other = pair(on_any_poller)
    seen: list[Any] = []
    due: list[bool] = []

    for _ in range(2):
        for one in on_any_poller:
            seen += [] if one.reason is None else [one.reason.code]
            one.send(bytes(2_000_000))
        due += [wait(on_any_poller, timeout=10.0)]
        on_any_poller.update()

    assert due == [True, True]
    assert not connection.alive
    assert seen == [ReasonCode.TOO_SLOW]
    assert len(on_any_poller) == 0
    other.close()


def test_the_set_may_change_while_it_is_iterated(everybody: ConnectionSet[Any]) -> None:
    others = [pair(everybody, number)[1] for number in range(5)]
    more: list[socket.socket] = []

    seen: list[int] = []
    for connection in everybody:
        seen.append(connection.data)
        if connection.data == 1:
            for other in everybody:
                if other.data in (2, 3):
                    other.close()
            everybody.update()
            more.append(pair(everybody, 99)[1])
    everybody.update()

    assert seen == [0, 1, 2, 3, 4]
    assert [connection.data for connection in everybody] == [0, 1, 4, 99]
    for sock in (*others, *more):
        sock.close()


def test_silence_is_noticed_and_pinged_without_traffic(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody, timeout=10.0, ping=b"ping")

    for _ in range(11):
        clock.advance(0.5)
        everybody.update()
    pinged = other.recv(100)
    for _ in range(10):
        clock.advance(0.5)
        everybody.update()

    assert pinged == b"ping"
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.TIMEOUT
    assert other.recv(1) == b""
    other.close()


@pytest.mark.fault(83, "memory")
def test_after_a_pause_of_ours_everybody_is_read_before_anybody_is_judged(
    everybody: ConnectionSet[Any], clock: FakeClock
) -> None:
    pairs = [pair(everybody, timeout=2.0) for _ in range(3)]
    clock.advance(0.99)
    everybody.update()
    for _, other in pairs:
        other.send(b"here")

    clock.advance(3600.0)
    everybody.update()
    clock.advance(3600.0)
    everybody.update()

    assert [connection.alive for connection, _ in pairs] == [True] * 3
    for _, other in pairs:
        other.close()


def test_a_deadline_that_rounding_leaves_open_does_not_hold_the_update(
    everybody: ConnectionSet[Any], clock: FakeClock
) -> None:
    connections = [pair(everybody, timeout=seconds / 7) for seconds in range(1, 50)]

    for _ in range(300):
        clock.advance(0.0371)
        everybody.update()

    assert [connection.alive for connection, _ in connections] == [False] * 49
    for _, other in connections:
        other.close()


def test_an_earlier_deadline_takes_the_place_of_a_later_one(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody, timeout=20.0)

    connection.close_nicely(1.0)
    for _ in range(3):
        clock.advance(0.5)
        everybody.update()
    reason = connection.reason
    for _ in range(12):
        clock.advance(1.0)
        everybody.update()

    assert reason is not None
    assert reason.code is ReasonCode.CLOSE_TIMEOUT
    assert (connection.reason, len(everybody._deadlines)) == (reason, 0)
    other.close()


def test_close_nicely_goes_on_by_itself(on_any_poller: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(on_any_poller)
    connection.send(b"bye")
    connection.close_nicely()

    on_any_poller.update()
    heard = other.recv(100), other.recv(100), connection.state
    other.close()
    until(on_any_poller, lambda: not connection.alive)

    assert heard == (b"bye", b"", State.DISCONNECTING)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED


def test_who_lingers_too_long_is_closed(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody)

    connection.close_nicely()
    everybody.update()
    for _ in range(3):
        clock.advance(LINGER / 2)
        everybody.update()

    assert connection.alive is False
    other.close()


def test_a_half_closed_end_that_is_blocked_does_not_spin(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    connection.send(bytes(3_000_000))
    connection.close_nicely()
    other.shutdown(socket.SHUT_WR)
    for _ in range(3):
        on_any_poller.update()

    spins = [wait(on_any_poller, timeout=0.01) for _ in range(3)]
    heard = 0
    while data := other.recv(1 << 20):
        heard += len(data)
        on_any_poller.update()

    assert spins == [False] * 3
    assert heard == 3_000_000
    assert connection.alive is False
    other.close()


def test_a_reset_behind_a_blocked_way_out_is_noticed(everybody: ConnectionSet[Any], listener: Listener) -> None:
    caller = call(listener)
    for _ in bounds.as_long_as(lambda: len(everybody) < 1):
        everybody.accept(listener, lambda address: None)
    (connection,) = everybody
    connection.send(bytes(20_000_000))
    everybody.update()

    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    caller.close()
    until(everybody, lambda: not connection.alive)

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of urgent data")
def test_urgent_data_ends_nobody(everybody: ConnectionSet[Any], listener: Listener) -> None:
    caller = call(listener)
    for _ in bounds.as_long_as(lambda: len(everybody) < 1):
        everybody.accept(listener, lambda address: None)
    (connection,) = everybody

    caller.send(b"!", socket.MSG_OOB)
    caller.send(b"plain")
    until(everybody, lambda: connection.receive_buffer_length == 5)

    assert (connection.receive_all(), connection.state) == (b"plain", State.CONNECTED)
    caller.close()


# What is added.


def test_a_connect_is_finished_in_the_set(on_any_poller: ConnectionSet[Any], listener: Listener) -> None:
    connection = connect(*listener.address, "client")
    connection.send(b"early")
    on_any_poller.add(connection)
    on_any_poller.accept(listener, lambda address: "server")

    def arrived() -> bool:
        on_any_poller.accept(listener, lambda address: "server")
        return any(c.data == "server" and c.receive_buffer_length == 5 for c in on_any_poller)

    until(on_any_poller, arrived)

    assert connection.state is State.CONNECTED
    assert on_any_poller._unwatched == {}


def test_a_connect_without_an_answer_is_given_up_in_the_set(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    network = MemoryNetwork(clock)
    network.down = True
    connection = connect("server", 7777, network=network, clock=FakeClock(5.0))
    everybody.add(connection)

    for _ in range(6):
        clock.advance(1.0)
        everybody.update()

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CONNECT_TIMEOUT


def test_a_connection_under_way_is_added_as_it_is(everybody: ConnectionSet[Any]) -> None:
    one, other = socket.socketpair()
    connection = custom("late", input=one, output=one)
    connection.update()
    connection.send(bytes(3_000_000))
    connection.update()
    other.send(b"waiting")

    everybody.add(connection)
    everybody.update()
    heard = 0
    patient = bounds.Patience()
    while patient() and heard < 3_000_000:
        heard += len(other.recv(1 << 20))
        everybody.update()

    assert connection.receive_all() == b"waiting"
    connection.close_nicely()
    other.close()
    everybody.update()
    everybody.update()
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED


def test_a_connection_that_is_closing_is_added_as_it_is(everybody: ConnectionSet[Any]) -> None:
    one, other = socket.socketpair()
    connection = custom(input=one, output=one)
    connection.update()
    connection.close_nicely()

    everybody.add(connection)
    everybody.update()
    other.settimeout(10)

    assert other.recv(1) == b""
    other.close()


def test_a_connection_lives_in_one_set_and_only_alive(everybody: ConnectionSet[Any]) -> None:
    connection, other = pair(everybody)
    dead = custom()
    dead.close()

    for wrong in (connection, dead):
        with pytest.raises(ValueError, match="is in a set already, or over"):
            everybody.add(wrong)
    with pytest.raises(TypeError, match="expected a Connection, not int"):
        everybody.add(5)  # type: ignore[arg-type]  # pyright: ignore
    assert len(everybody) == 1
    other.close()


needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")


@needs_pipes
@pytest.mark.parametrize("poller", ["make_poller", "selectors", "select"])
def test_pipes_live_in_a_set(poller: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "make_poller", POLLERS[poller])
    everybody: ConnectionSet[Any] = ConnectionSet(clock=clock)
    (read, write), (back, forth) = os.pipe(), os.pipe()
    connection = custom(input=read, output=forth)
    everybody.add(connection)
    everybody.update()

    os.write(write, b"in")
    connection.send(b"out")
    until(everybody, lambda: connection.receive_buffer_length == 2)
    heard = os.read(back, 10)
    os.close(write)
    until(everybody, lambda: not connection.alive)
    everybody.update()

    assert (heard, connection.receive_all(), len(everybody)) == (b"out", b"in", 0)
    assert not any(everybody._watched)
    os.close(back)
    everybody.close()


@needs_pipes
def test_who_stopped_reading_a_pipe_is_noticed_without_sending(everybody: ConnectionSet[Any]) -> None:
    if sys.platform != "linux":
        pytest.skip("epoll tells")
    (read, write), (back, forth) = os.pipe(), os.pipe()
    connection = custom(input=read, output=forth)
    everybody.add(connection)
    everybody.update()
    os.write(write, b"last")

    os.close(back)
    until(everybody, lambda: not connection.alive)

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET
    assert connection.receive_all() == b"last"
    os.close(write)


@needs_pipes
@pytest.mark.parametrize("broken", [False, True])
def test_a_blocked_pipe_goes_on_or_breaks(everybody: ConnectionSet[Any], broken: bool) -> None:
    read, write = os.pipe()
    connection = custom(output=write)
    connection.send(bytes(200_000))
    everybody.add(connection)
    everybody.update()
    everybody.update()
    blocked = connection._blocked

    if broken:
        os.close(read)
        until(everybody, lambda: not connection.alive)
    else:
        heard = 0
        patient = bounds.Patience()
        while patient() and heard < 200_000:
            heard += len(os.read(read, 65_536))
            everybody.update()
        os.close(read)

    assert blocked is True
    assert connection.send_buffer_length == 0


@needs_pipes
def test_plain_files_which_cannot_be_polled_live_in_a_set(everybody: ConnectionSet[Any], tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"from disk")
    connection = custom(input=source.open("rb"), output=target.open("wb"))
    connection.send(b"to disk")
    everybody.add(connection)

    ready = wait(everybody, timeout=10.0)
    for _ in range(3):
        everybody.update()

    assert ready is True
    assert connection.receive_all() == b"from disk"
    assert target.read_bytes() == b"to disk"
    assert (len(everybody), any(everybody._watched), everybody._unwatched) == (0, False, {})


@needs_pipes
def test_where_one_side_only_can_be_polled_neither_is(everybody: ConnectionSet[Any], tmp_path: Path) -> None:
    read, write = os.pipe()
    target = tmp_path / "log"
    connection = custom(input=read, output=target.open("wb"))
    everybody.add(connection)
    everybody.update()

    os.write(write, bytes(MAX_RECEIVE_BUFFER))
    until(everybody, lambda: connection.receive_buffer_length == MAX_RECEIVE_BUFFER)
    os.write(write, b"more")
    full = wait(everybody, timeout=0.01)
    connection.send(b"logged")
    connection.receive_all()
    until(everybody, lambda: connection.receive_buffer_length == 4)

    assert full is False
    assert not any(everybody._watched)
    connection.close_nicely()
    everybody.update()
    os.close(write)
    assert target.read_bytes() == b"logged"


def test_what_has_no_descriptors_is_updated_each_time(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    silent = custom(timeout=1.5)
    everybody.add(silent)

    everybody.update()
    waits = everybody.instantiate()
    for _ in range(2):
        clock.advance(0.9)
        everybody.update()

    assert waits == ([], [], [])
    assert silent.reason is not None
    assert silent.reason.code is ReasonCode.TIMEOUT


# Sinks, as the message floors use them.


class Eater:
    """A sink that eats so many bytes a time, and stays hungry while there are more."""

    connection: Connection[Any]

    def __init__(self, bite: int) -> None:
        self.missing = 0
        self.bite = bite
        self.eaten = b""
        self.bites = 0

    def feed(self, data: memoryview, size: int) -> int:
        self.bites += 1
        taken = bytes(data[: min(self.bite, size)])
        self.eaten += taken
        self.connection._hungry = len(taken) < size
        return len(taken)

    def opened(self) -> None:
        pass

    def ended(self) -> None:
        pass

    def deadline(self) -> float:
        return math.inf

    def due(self, now: float) -> float:
        return math.inf


def test_who_sends_more_than_its_share_is_fed_one_share_an_update(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    caller = call(listener)
    eater = Eater(2)
    newcomer = newcomer_at(listener)
    connection = everybody._take_in(newcomer, None, eater, None, None)
    caller.send(b"abcde")
    until(everybody, lambda: eater.bites == 1)

    left = everybody._seconds_left(), wait(everybody, timeout=10.0)
    caller.send(b"fgh")
    shares = [eater.eaten]
    for _ in range(3):
        everybody.update()
        shares.append(eater.eaten)
    until(everybody, lambda: len(eater.eaten) == 8)

    assert left == (0.0, True)
    assert shares[:3] == [b"ab", b"abcd", b"abcdefg"]  # what was left over, and a share of what came
    assert connection._hungry is False
    caller.close()


class Hearer(Eater):
    """A sink that takes everything, and makes so many events of each read."""

    def __init__(self, events: list[object], many: int) -> None:
        super().__init__(1 << 20)
        self._events = events
        self._many = many

    def feed(self, data: memoryview, size: int) -> int:
        self._events += [self] * self._many
        return super().feed(data, size)


class Beating(Hearer):
    """A sink to which everything is a ping."""

    def __init__(self, hearing: "Hearing") -> None:
        super().__init__(hearing.events, 0)
        self._hearing = hearing

    def feed(self, data: memoryview, size: int) -> int:
        self._hearing.beats += 1
        return super().feed(data, size)


class Hearing:
    """What many hearers have heard, and the bare other ends."""

    def __init__(self, everybody: ConnectionSet[Any], listener: Listener, count: int, many: int) -> None:
        self.events: list[object] = []
        self.beats = 0
        everybody._backlog = self
        self.callers: list[socket.socket] = []
        self.connections: list[Connection[Any]] = []
        for _ in range(count):
            self.callers.append(call(listener))
            newcomer = newcomer_at(listener)
            hearer = Hearer(self.events, many)
            self.connections.append(everybody._take_in(newcomer, None, hearer, None, None))
        everybody.update()

    def call(self) -> None:
        for caller in self.callers:
            caller.send(b"!")

    def close(self) -> None:
        for caller in self.callers:
            caller.close()


def rounds(everybody: ConnectionSet[Any], hearing: Hearing, count: int) -> list[int]:
    """Wait and update until so many events came, and return how many each update brought."""
    brought: list[int] = []
    for _ in bounds.as_long_as(lambda: len(hearing.events) < count):
        before = len(hearing.events)
        everybody._sleep(10.0)
        everybody.update()
        brought.append(len(hearing.events) - before)
        assert len(brought) < ROUNDS
    return brought


def test_a_hurried_loop_is_given_what_came_in_portions(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    everybody.update()
    hearing.call()

    brought = rounds(everybody, hearing, 300)

    assert max(brought) == PORTION
    assert [hearing.events.count(event) for event in hearing.events] == [2] * 300
    hearing.close()


@pytest.mark.parametrize("when", ["before the wait", "after it"])
def test_a_slow_loop_is_given_everything_at_once(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock, when: str
) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    everybody.update()
    hearing.call()

    if when == "before the wait":
        clock.advance(2 * HURRY)
    everybody._sleep(10.0)
    if when == "after it":
        clock.advance(2 * HURRY)
    everybody.update()

    assert len(hearing.events) == 300
    hearing.close()


def test_who_had_its_share_waits_until_all_others_had_theirs(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    greedy = hearing.connections[0]
    eater = Eater(1)
    eater.connection = greedy
    greedy._sink = eater
    hearing.callers[0].send(bytes(100))
    hearing.call()

    brought = rounds(everybody, hearing, 298)

    assert len(brought) > 2
    assert eater.bites < len(brought)
    hearing.close()


def test_who_left_is_left_out_of_what_is_left_over(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    hearing.call()
    everybody._sleep(10.0)
    everybody.update()
    left_over = everybody._ready or []

    leaver = everybody._watched[left_over[0][0]]
    assert leaver is not None
    leaver.close()
    without = everybody._ready
    rounds(everybody, hearing, 298)

    assert without == left_over[1:]
    assert len(hearing.events) == 298
    hearing.close()


class Answerer(Hearer):
    """A sink that answers everything."""

    def feed(self, data: memoryview, size: int) -> int:
        self.connection._queue_answer(b"pong")
        return super().feed(data, size)


@pytest.mark.parametrize("hurried", [True, False])
def test_an_answer_leaves_with_what_the_game_says_to_it_or_at_once(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock, hurried: bool
) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    for connection in hearing.connections:
        answerer = Answerer(hearing.events, 1)
        answerer.connection = connection
        connection._sink = answerer
    everybody.update()
    hearing.call()

    everybody._sleep(10.0)
    clock.advance(0.0 if hurried else 2 * HURRY)
    everybody.update()
    queued = [connection.send_buffer_length for connection in hearing.connections]
    due = everybody._seconds_left()
    hearing.connections[0].send(b", and hit")
    hearing.connections[0]._flush(0.0)  # as the poller has it done where there was no room
    everybody._sleep(0.0)

    assert (queued, due) == (([4, 4], 0.0) if hurried else ([0, 0], None))
    assert hearing.callers[0].recv(100).startswith(b"pong, and hit" if hurried else b"pong")
    assert hearing.callers[1].recv(100) == b"pong"
    assert everybody._answering == []
    hearing.close()


class Sleeper:
    """Notes who sleeps, and for how long, on the clock of the set."""

    def __init__(self, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = clock
        self.slept: list[float] = []
        monkeypatch.setattr(time, "sleep", self.slept.append)


@pytest.fixture
def sleeper(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(clock, monkeypatch)


@pytest.mark.parametrize(
    ("wait", "pauses"),
    [
        ((0.0, 10.0), [PAUSE]),
        ((0.25 * PAUSE, None), [0.75 * PAUSE]),
        ((2 * PAUSE, 10.0), []),
        ((0.0, PAUSE), []),
    ],
)
def test_a_wake_up_that_brought_but_pings_is_not_followed_by_another_at_once(
    everybody: ConnectionSet[Any],
    listener: Listener,
    sleeper: Sleeper,
    wait: tuple[float, float | None],
    pauses: list[float],
) -> None:
    busy, timeout = wait
    hearing = Hearing(everybody, listener, 2, 0)
    for connection in hearing.connections:
        connection._sink = Beating(hearing)
        connection._sink.connection = connection
    hearing.callers[0].send(b"!")
    everybody._sleep(10.0)
    before = [*sleeper.slept]

    everybody.update()
    sleeper.clock.advance(busy)
    hearing.callers[1].send(b"!")
    everybody._sleep(timeout)

    assert before == []
    assert sleeper.slept == pytest.approx(pauses)
    hearing.close()


def test_a_wake_up_that_brought_half_a_message_may_be_followed_at_once(
    everybody: ConnectionSet[Any], listener: Listener, sleeper: Sleeper
) -> None:
    hearing = Hearing(everybody, listener, 2, 0)

    hearing.callers[0].send(b"!")
    everybody._sleep(10.0)
    everybody.update()
    everybody._sleep(0.1)

    assert sleeper.slept == []
    hearing.close()


class Ender(Hearer):
    """A sink that ends somebody else's connection at the first word."""

    victim: Connection[Any]

    def feed(self, data: memoryview, size: int) -> int:
        self.victim.close()
        return super().feed(data, size)


def test_who_is_ended_meanwhile_is_left_out_of_what_is_left_over(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    hearing.call()
    everybody._sleep(10.0)
    told = everybody._ready or []
    first, last = everybody._watched[told[0][0]], everybody._watched[told[-1][0]]
    assert first is not None
    assert last is not None
    ender = Ender(hearing.events, 2)
    ender.victim, ender.connection = last, first
    first._sink = ender

    everybody.update()
    left_over = everybody._ready
    rounds(everybody, hearing, 298)

    assert left_over
    assert told[-1] not in left_over
    assert len(hearing.events) == 298
    hearing.close()


def test_a_slow_loop_is_given_what_it_was_told_and_what_came_since(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock
) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    everybody.update()

    hearing.callers[0].send(b"!")
    everybody._sleep(10.0)
    hearing.callers[1].send(b"!")
    clock.advance(2 * HURRY)
    everybody.update()

    assert len(hearing.events) == 2
    hearing.close()


def test_what_does_not_fit_into_one_share_is_received_in_the_next_updates(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    eater = Eater(1 << 20)
    eater.connection = hearing.connections[0]
    hearing.connections[0]._sink = eater

    sent = bytes(3 * SCRATCH)
    hearing.callers[0].sendall(sent)
    until(everybody, lambda: len(eater.eaten) == len(sent))

    hearing.close()


def test_an_end_right_behind_the_last_bytes_is_heard(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    everybody.update()

    hearing.callers[0].send(b"!")
    hearing.callers[0].close()
    until(everybody, lambda: not hearing.connections[0].alive)

    assert len(hearing.events) == 1


class Interrupted(Eater):
    """A sink in which Ctrl-C is pressed once."""

    def __init__(self, bite: int) -> None:
        super().__init__(bite)
        self.presses = 1

    def feed(self, data: memoryview, size: int) -> int:
        if self.bites and self.presses:
            self.presses = 0
            raise KeyboardInterrupt
        return super().feed(data, size)


def test_who_is_hungry_when_ctrl_c_is_pressed_is_fed_afterwards(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    eaters: list[Eater] = [Interrupted(1), Eater(1)]
    callers = [call(listener) for _ in eaters]
    for eater in eaters:
        newcomer = newcomer_at(listener)
        everybody._take_in(newcomer, None, eater, None, None)
    for caller in callers:
        caller.send(b"abc")
    for _ in bounds.until(lambda: all(eater.bites for eater in eaters)):
        everybody._sleep(10.0)
        try:
            everybody.update()
        except KeyboardInterrupt:
            pass

    with pytest.raises(KeyboardInterrupt):
        everybody.update()
    until(everybody, lambda: eaters[1].eaten == b"abc")

    for caller in callers:
        caller.close()


def press_after_poll(everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ctrl-C pressed once, when the poller has told what is ready and nobody knows yet."""
    poll = everybody._poller.poll

    def interrupted(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        monkeypatch.undo()
        poll(timeout, most)
        raise KeyboardInterrupt

    monkeypatch.setattr(everybody._poller, "poll", interrupted)


@pytest.mark.parametrize("where", ["while receiving", "while asleep"])
def test_what_the_poller_told_when_ctrl_c_was_pressed_is_told_again(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    hearing = Hearing(everybody, listener, 3, 1)
    everybody.update()

    hearing.call()
    press_after_poll(everybody, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        everybody._sleep(10.0) if where == "while asleep" else everybody.update()
    until(everybody, lambda: len(hearing.events) == 3)

    hearing.close()


def test_a_wait_after_one_that_ctrl_c_ended_does_not_sleep_over_what_came(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    everybody.update()

    hearing.call()
    press_after_poll(everybody, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        everybody._sleep(10.0)

    assert (everybody._seconds_left(), everybody._sleep(10.0)) == (0.0, True)
    hearing.close()


def test_what_one_wait_was_told_another_does_not_sleep_over(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    everybody.update()
    hearing.call()

    everybody._sleep(10.0)

    assert (everybody._seconds_left(), wait(everybody, timeout=10.0)) == (0.0, True)
    hearing.close()


def test_ctrl_c_while_a_leftover_is_fed_leaves_nobody_deaf(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    eaters: list[Eater] = [Interrupted(1), Eater(1)]
    for connection, eater in zip(hearing.connections, eaters, strict=True):
        eater.connection = connection
        connection._sink = eater
    everybody.update()

    for caller in hearing.callers:
        caller.send(b"abc")
    for _ in range(ROUNDS):
        everybody._sleep(0.05)
        try:
            everybody.update()
        except KeyboardInterrupt:
            break
    for caller in hearing.callers:
        caller.send(b"def")
    until(everybody, lambda: eaters[1].eaten == b"abcdef")

    assert not hearing.connections[0].alive
    hearing.close()


class Due(Eater):
    """A sink that is due at a time of its own, and in which Ctrl-C may be pressed."""

    def __init__(self, when: float, *, interrupt: bool) -> None:
        super().__init__(1)
        self.when = when
        self.interrupt = interrupt
        self.dues = 0

    def deadline(self) -> float:
        return self.when

    def due(self, now: float) -> float:
        if self.interrupt:
            self.interrupt = False
            raise KeyboardInterrupt
        self.dues += 1
        self.when = math.inf
        return self.when


def test_who_is_due_when_ctrl_c_is_pressed_is_looked_at_afterwards(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock
) -> None:
    hearing = Hearing(everybody, listener, 3, 1)
    sinks = [Due(everybody._timeline.now + 1.0, interrupt=index == 1) for index in range(3)]
    for connection, sink in zip(hearing.connections, sinks, strict=True):
        sink.connection = connection
        connection._sink = sink
        connection._reschedule()

    clock.advance(1.0)
    with pytest.raises(KeyboardInterrupt):
        everybody.update()
    everybody.update()

    assert [sink.dues for sink in sinks] == [1, 0, 1]
    assert [connection.alive for connection in hearing.connections] == [True, False, True]
    hearing.close()


def test_who_was_being_handled_when_ctrl_c_was_pressed_is_broken_off(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    sink = Interrupted(1)
    sink.connection = hearing.connections[0]
    sink.bites = 1
    hearing.connections[0]._sink = sink
    everybody.update()
    hearing.call()

    everybody._sleep(10.0)
    with pytest.raises(KeyboardInterrupt):
        everybody.update()
    until(everybody, lambda: len(hearing.events) == 1)

    reason = hearing.connections[0].reason
    assert reason is not None
    assert reason.code is ReasonCode.NETWORK
    assert "interrupted" in reason.text
    assert hearing.connections[1].alive
    hearing.close()


def test_a_close_that_ctrl_c_came_into_is_finished_by_the_next_update(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [pair(everybody) for _ in range(2)]
    presses = [1]
    forget = ConnectionSet[Any]._forget

    def interrupted(connections: ConnectionSet[Any], connection: Connection[Any]) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        forget(connections, connection)

    monkeypatch.setattr(ConnectionSet, "_forget", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pairs[0][0].close()
    everybody.update()
    everybody.update()

    assert [*everybody] == [pairs[1][0]]
    assert pairs[0][1].recv(1) == b""
    for _, other in pairs:
        other.close()


def test_a_set_whose_close_ctrl_c_came_into_is_closed_by_the_next_update(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [pair(everybody) for _ in range(2)]
    close = Connection[Any].close
    presses = [1]

    def interrupted(connection: Connection[Any]) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        close(connection)

    monkeypatch.setattr(Connection, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        everybody.close()
    everybody.update()

    assert [other.recv(1) for _, other in pairs] == [b"", b""]
    for _, other in pairs:
        other.close()


@pytest.mark.parametrize("call", ["send", "close_nicely"])
def test_a_call_that_ctrl_c_came_into_leaves_the_others_whole(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    pairs = [pair(everybody) for _ in range(2)]
    announce = Connection[Any]._announce_output
    presses = [1]

    def interrupted(connection: Connection[Any]) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        announce(connection)

    pairs[1][0].send(b"there")
    monkeypatch.setattr(Connection, "_announce_output", interrupted)
    with pytest.raises(KeyboardInterrupt):
        getattr(pairs[0][0], call)(*([b"here"] if call == "send" else []))
    everybody.update()

    assert pairs[1][1].recv(100) == b"there"
    for _, other in pairs:
        other.close()


def test_a_sleep_may_be_as_long_as_anybody_likes(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    everybody.update()
    hearing.call()

    assert everybody._sleep(1e12) is True
    hearing.close()


def test_what_is_queued_when_ctrl_c_is_pressed_is_sent_afterwards(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [pair(everybody) for _ in range(3)]
    for connection, _ in pairs:
        connection.send(b"goodbye")
    flush, presses = Connection[Any]._flush, [1]

    def interrupted(connection: Connection[Any], now: float) -> None:
        flush(connection, now)
        if presses:
            presses.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(Connection, "_flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        everybody.update()
    everybody.update()

    assert [other.recv(100) for _, other in pairs] == [b"goodbye"] * 3
    for _, other in pairs:
        other.close()


def test_without_a_descriptor_a_share_an_update_is_all_the_same(clock: FakeClock) -> None:
    everybody: ConnectionSet[Any] = ConnectionSet(clock=clock)
    network = MemoryNetwork(clock)
    door = network.listen("", 7777)
    client = connect("server", 7777, network=network, clock=clock)
    client.update()
    eater = Eater(2)
    newcomer = door.accept(0.0)
    assert newcomer is not None
    everybody._take_in(newcomer, None, eater, None, None)

    client.send(bytes(range(40)))
    client.update()
    shares: list[int] = []
    for _ in range(10):
        everybody.update()
        shares.append(len(eater.eaten))

    assert shares == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert everybody._seconds_left() == 0.0
    everybody.close()


def test_a_hungry_link_that_breaks_is_fed_to_its_end(everybody: ConnectionSet[Any], listener: Listener) -> None:
    if sys.platform != "linux":
        pytest.skip("epoll tells")
    caller = call(listener)
    eater = Eater(2)
    newcomer = newcomer_at(listener)
    connection = everybody._take_in(newcomer, None, eater, None, None)
    caller.send(bytes(40))
    until(everybody, lambda: eater.bites == 1)

    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    caller.close()
    until(everybody, lambda: not connection.alive)

    assert eater.eaten == bytes(40)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


# Waiting.


@pytest.mark.skipif(sys.platform != "linux", reason="epoll does not take plain files")
@pytest.mark.parametrize("beyond", [0, 1, 5])
def test_a_plain_file_behind_the_last_descriptor_that_is_watched_is_read(
    everybody: ConnectionSet[Any], tmp_path: Path, beyond: int
) -> None:
    (tmp_path / "file").write_bytes(b"read me")
    file = (tmp_path / "file").open("rb")
    everybody._watched = [None] * (file.fileno() - beyond)

    connection: Connection[None] = custom(input=file)
    everybody.add(connection)
    everybody.update()
    everybody.update()

    assert connection.receive_all() == b"read me"


def test_a_set_waits_for_any_of_its_connections(on_any_poller: ConnectionSet[Any]) -> None:
    pairs = [pair(on_any_poller) for _ in range(3)]

    before = wait(on_any_poller, timeout=0.0)
    pairs[1][1].send(b"x")

    assert before is False
    assert wait(on_any_poller, timeout=10.0) is True
    for _, other in pairs:
        other.close()


def test_waiting_sends_what_is_queued_before_it_sleeps(everybody: ConnectionSet[Any]) -> None:
    (connection, other), (answering, another) = pair(everybody), pair(everybody)

    connection.send(b"x")
    answering._queue_answer(b"y")
    woken = wait(everybody, timeout=0.0)

    assert woken is False
    assert (other.recv(10), another.recv(10)) == (b"x", b"y")
    other.close()
    another.close()


def test_a_set_is_due_when_its_first_deadline_is(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    pairs = [pair(everybody, timeout=timeout) for timeout in (None, 20.0, 10.0)]

    lefts = [everybody._seconds_left()]
    clock.advance(0.5)
    lefts.append(everybody._seconds_left())

    assert lefts == [5.0, 4.5]
    for _, other in pairs:
        other.close()


def test_the_descriptors_of_a_set_are_those_of_its_connections(everybody: ConnectionSet[Any]) -> None:
    one, first = pair(everybody)
    two, second = pair(everybody)
    two.send(b"x")
    assert one._transport is not None
    assert two._transport is not None
    fds = one._transport.read_fd, two._transport.read_fd

    assert everybody.instantiate() == ([*fds], [fds[1]], [])
    first.close()
    second.close()


def test_an_empty_set_has_nothing_to_wait_for_but_the_rest(on_any_poller: ConnectionSet[Any]) -> None:
    listener = Listener(LOOPBACK, 0)
    caller = call(listener)

    assert wait(any_of(on_any_poller, listener), timeout=10.0) is True
    caller.close()
    listener.close()


def test_an_empty_set_is_not_waited_for_without_an_end(on_any_poller: ConnectionSet[Any]) -> None:
    assert on_any_poller._descriptors() == ([], [], [])  # else the next line sleeps for ever
    begin = time.monotonic()

    without_an_end = wait(on_any_poller), wait(any_of(on_any_poller, on_any_poller))
    at_once = time.monotonic() - begin
    with_an_end = wait(on_any_poller, timeout=0.05)
    slept = time.monotonic() - begin - at_once
    on_any_poller.close()
    closed = wait(on_any_poller, timeout=10.0)

    assert (without_an_end, with_an_end, closed) == ((True, True), False, True)
    assert at_once < 5.0
    assert slept >= 0.04


class TestSleep:
    """The set's own sleep, which keeps what the poller said for the update after it."""

    def test_what_it_was_told_is_handled_by_the_next_update(self, on_any_poller: ConnectionSet[Any]) -> None:
        connection, other = pair(on_any_poller)

        before = on_any_poller._sleep(0.0)
        other.send(b"x")
        on_any_poller.update()
        first = connection.receive_all()
        other.send(b"y")
        told = on_any_poller._sleep(10.0), on_any_poller._sleep(10.0)
        on_any_poller.update()

        assert (before, first, told, connection.receive_all()) == (False, b"x", (True, True), b"y")
        other.close()

    def test_what_is_queued_leaves_before_it_sleeps(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)

        connection.send(b"x")
        slept = everybody._sleep(0.0)

        assert (slept, other.recv(10)) == (False, b"x")
        other.close()

    def test_it_wakes_for_a_deadline(self, everybody: ConnectionSet[Any]) -> None:
        _, other = pair(everybody, timeout=0.02)

        assert everybody._sleep(10.0) is True
        assert everybody._sleep(None) is True
        other.close()

    def test_it_does_not_sleep_on_the_dead(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)

        connection.close()

        assert everybody._sleep(10.0) is True
        other.close()

    def test_it_waits_for_what_the_poller_does_not_watch(self, everybody: ConnectionSet[Any], clock: FakeClock) -> None:
        everybody.add(custom(timeout=0.04, clock=clock))
        everybody.update()

        assert everybody._sleep(10.0) is True

    def test_what_it_was_told_of_a_descriptor_is_not_believed_of_the_next(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)
        other.send(b"x")
        everybody._sleep(10.0)
        assert connection._transport is not None
        number = connection._transport.read_fd

        connection.close()
        newcomer, another = pair(everybody)

        assert newcomer._transport is not None
        assert newcomer._transport.read_fd == number
        assert newcomer.state is State.CONNECTED
        other.close()
        another.close()

    def test_a_door_shares_the_poller(self, everybody: ConnectionSet[Any]) -> None:
        one, other = socket.socketpair()
        everybody._watch_doors((one.fileno(),))
        everybody._watch_doors((one.fileno(), other.fileno()))
        everybody._watch_doors((one.fileno(),))
        other.send(b"knock")

        everybody.update()
        knocked, everybody._knocked = everybody._knocked, False
        everybody._watch_doors(())
        everybody._watch_doors(())
        everybody.update()

        assert (knocked, everybody._knocked) == (True, False)
        one.close()
        other.close()


def test_sleeping_counts_as_time_that_passed(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody, timeout=10.0)

    for _ in range(2):  # to the half, at which a ping would be due, and to the end
        clock.advance(5.0)
        everybody._slept(5.0)
        everybody.update()

    assert connection.alive is False
    other.close()


# The end, and what is left behind.


def test_close_closes_everybody_and_twice_is_fine(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)

    on_any_poller.close()
    on_any_poller.close()
    before = len(on_any_poller), connection.state, wait(on_any_poller, timeout=10.0)
    on_any_poller.update()

    assert before == (1, State.DISCONNECTED, True)
    assert (len(on_any_poller), wait(on_any_poller, timeout=10.0)) == (0, True)
    assert other.recv(1) == b""
    other.close()


def test_a_closed_set_takes_nobody_in(everybody: ConnectionSet[Any], listener: Listener) -> None:
    everybody.close()
    late = custom()

    with pytest.raises(ValueError, match="the set is closed"):
        everybody.add(late)
    with pytest.raises(ValueError, match="the set is closed"):
        everybody.accept(listener, lambda address: None)
    late.close()


def test_the_dead_are_not_kept_until_their_deadlines(everybody: ConnectionSet[Any]) -> None:
    class Player:
        pass

    gone: list[weakref.ref[Player]] = []
    for _ in range(200):
        player = Player()
        connection, other = pair(everybody, player, timeout=3600.0)
        gone.append(weakref.ref(player))
        connection.close()
        other.close()
        del connection, player
    everybody.update()
    gc.collect()

    assert len(everybody._deadlines) <= 65
    assert sum(ref() is not None for ref in gone) <= 65


def test_the_deadlines_of_the_living_survive_the_dead(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    living, far_end = pair(everybody, timeout=10.0)
    for _ in range(200):
        connection, other = pair(everybody, timeout=3600.0)
        connection.close()
        other.close()

    for _ in range(11):
        clock.advance(1.0)
        everybody.update()

    assert living.reason is not None
    assert living.reason.code is ReasonCode.TIMEOUT
    far_end.close()


def test_a_dropped_set_leaves_nothing_open(clock: FakeClock) -> None:
    everybody: ConnectionSet[Any] = ConnectionSet(clock=clock)
    _, other = pair(everybody)

    del everybody, _
    gc.collect()

    assert other.recv(1) == b""
    other.close()


def test_a_thousand_who_come_and_go_leave_nothing(everybody: ConnectionSet[Any], listener: Listener) -> None:
    for _ in range(20):
        callers = [call(listener) for _ in range(50)]
        for _ in bounds.as_long_as(lambda: len(everybody) < 50):
            everybody.accept(listener, lambda address: None)
        for caller in callers:
            caller.close()
        until(everybody, lambda: not len(everybody))

    assert (any(everybody._watched), everybody._unwatched, everybody._dead) == (False, {}, [])
    assert (everybody._with_output, everybody._hungry) == ([], [])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_more_connections_than_select_can_number() -> None:
    script = """
import resource, socket, netcode
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < 3000 else 3000, hard))
everybody = netcode.ConnectionSet()
pairs = [socket.socketpair() for _ in range(600)]
for one, other in pairs:
    everybody.add(netcode.custom(input=one, output=one))
everybody.update()
for one, other in pairs:
    other.send(b"x")
assert netcode.wait(everybody, timeout=10.0)
everybody.update()
print(sum(connection.receive_buffer_length for connection in everybody), pairs[-1][1].fileno() > 1023)
everybody.close()
for one, other in pairs:
    other.close()
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("600 True\n", "")


def test_the_error_of_a_broken_listener_is_the_systems(everybody: ConnectionSet[Any]) -> None:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))

        with pytest.raises(OSError) as caught:
            everybody.accept(sock, lambda address: None)

    assert caught.value.errno == errno.EINVAL


def test_in_a_child_a_set_with_somebody_in_it_is_closed(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    with socket.create_server(("127.0.0.1", 0)) as own:
        everybody.accept(own, lambda _: None)

        everybody._abandon()

        assert own.fileno() >= 0
    assert not hearing.connections[0].alive
    with pytest.raises(ValueError, match="closed"):
        everybody.accept(listener, lambda _: None)
    hearing.close()


def test_in_a_child_an_empty_set_is_its_own(everybody: ConnectionSet[Any]) -> None:
    everybody._abandon()
    connection, other = pair(everybody)
    other.send(b"hi")

    until(everybody, lambda: connection.receive_buffer_length == 2)

    other.close()


def test_what_a_sleep_was_about_to_send_when_ctrl_c_was_pressed_is_broken_off(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody)
    everybody.update()
    connection.send(b"half")

    def interrupted(connection: Connection[Any], now: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Connection, "_flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        everybody._sleep(10.0)
    woken = everybody._sleep(10.0)
    everybody.update()

    assert (woken, connection.alive) == (True, False)
    other.close()


@pytest.mark.parametrize(
    ("naps", "slept", "woken"), [(9, [NAP, NAP, NAP / 2], False), (2, [NAP, NAP], True), (0, [NAP], True)]
)
def test_a_long_sleep_ends_when_a_signal_handler_has_something_to_send(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch, naps: int, slept: list[float], woken: bool
) -> None:
    connection, other = pair(everybody)
    everybody.update()
    asked: list[float | None] = []

    def poll(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        asked.append(timeout)
        if naps == 0:
            return [(connection._transport.read_fd, READ)] if connection._transport is not None else []
        if len(asked) == naps:
            connection.send(b"from the handler")
        return []

    monkeypatch.setattr(everybody._poller, "poll", poll)

    assert everybody._sleep(2.5 * NAP) is woken
    assert asked == slept
    monkeypatch.undo()
    other.close()


def test_a_sleep_that_a_signal_handler_ends_with_the_set_is_over(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = pair(everybody)
    everybody.update()

    def poll(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        everybody.close()
        raise OSError(errno.EBADF, "closed meanwhile")

    monkeypatch.setattr(everybody._poller, "poll", poll)

    assert everybody._sleep(10.0) is True
    other.close()
