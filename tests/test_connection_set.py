"""Many connections: accepted, added, dropped when dead, and changed while they are iterated."""

import errno
import gc
import os
import socket
import ssl
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, cast

import bounds
import pytest
from crowd import LOOPBACK, POLLERS, ROUNDS, call, pair, set_of, until
from interrupts import Press

from netcode import waiting
from netcode.address import Address
from netcode.connection import Connection, State, connect, custom, stream_of
from netcode.connection_set import REFUSE, ConnectionSet
from netcode.loop.poller import Poller
from netcode.reasons import ReasonCode
from netcode.stream import watcher
from netcode.stream.closing import LINGER
from netcode.stream.contract import ACCEPTS_PER_UPDATE
from netcode.stream.stream_set import StreamSet
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport.tcp_listener import Listener
from netcode.waiting import CustomWaiter, wait

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


def close_in_make_data(everybody: ConnectionSet[Any], door: Any, callers: list[socket.socket]) -> list[Address]:
    """Close the set while somebody comes in, and return who did."""
    asked: list[Address] = []

    def close(address: Address) -> str:
        asked.append(address)
        everybody.close()
        return "a player"

    for _ in bounds.until(lambda: asked):
        everybody.accept(door, close)
    assert callers[0].recv(1) == b""
    for caller in callers:
        caller.close()
    return asked


def test_nobody_comes_in_once_make_data_has_closed_the_set(everybody: ConnectionSet[Any], listener: Listener) -> None:
    asked = close_in_make_data(everybody, listener, [call(listener) for _ in range(3)])

    assert (len(asked), len(everybody)) == (1, 0)


def test_a_set_may_be_closed_while_it_accepts_from_a_bare_socket(everybody: ConnectionSet[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        callers = [socket.create_connection(door.getsockname(), timeout=10) for _ in range(3)]
        asked = close_in_make_data(everybody, door, callers)

        assert (len(asked), len(everybody), door.fileno() >= 0) == (1, 0, True)


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
    # Its accept would wait for the handshake of who comes.
    plain = socket.create_server(("127.0.0.1", 0))
    encrypting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(plain, server_side=True)
    with encrypting, pytest.raises(TypeError, match="a connection of bytes takes no SSLSocket"):
        everybody.accept(encrypting, lambda address: None)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ValueError, match=r"^expected a listening socket: call its listen\(\) first"):
            everybody.accept(bound, lambda address: None)


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


def test_a_connection_closed_by_its_owner_stays_until_the_next_update(everybody: ConnectionSet[Any]) -> None:
    connection, other = pair(everybody)

    connection.close()
    before = len(everybody), wait(everybody, timeout=10.0)
    everybody.update()

    assert (before, len(everybody)) == ((1, True), 0)
    assert other.recv(1) == b""
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
    assert (connection.reason, len(set_of(everybody)._agenda)) == (reason, 0)
    other.close()


def test_who_lingers_too_long_is_closed(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody)

    connection.close_nicely()
    everybody.update()
    for _ in range(3):
        clock.advance(LINGER / 2)
        everybody.update()

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
    blocked = stream_of(connection).blocked

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


def test_a_closed_set_takes_nobody_in(everybody: ConnectionSet[Any], listener: Listener) -> None:
    everybody.close()
    late = custom()

    with pytest.raises(ValueError, match="the set is closed"):
        everybody.add(late)
    with pytest.raises(ValueError, match="the set is closed"):
        everybody.accept(listener, lambda address: None)
    late.close()


def test_a_dropped_set_leaves_nothing_open(clock: FakeClock) -> None:
    everybody: ConnectionSet[Any] = ConnectionSet(clock=clock)
    _, other = pair(everybody)

    del everybody, _
    gc.collect()

    assert other.recv(1) == b""
    other.close()


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
        sock.listen()
        everybody.accept(sock, lambda address: None)
        sock.shutdown(socket.SHUT_RDWR)

        with pytest.raises(OSError) as caught:
            everybody.accept(sock, lambda address: None)

    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("interrupted", ["update", "_close_doorways"])
def test_what_an_exception_came_into_is_recovered_from_by_the_next_update(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    connection, other = pair(everybody)

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr(StreamSet if interrupted == "update" else ConnectionSet, interrupted, interrupt)
        with pytest.raises(KeyboardInterrupt):
            (everybody.update if interrupted == "update" else everybody.close)()
    everybody.update()

    assert connection.alive is (interrupted == "update")
    assert (connection in everybody, wait(everybody, timeout=0.0)) == (
        (True, False) if connection.alive else (False, True)
    )
    other.close()


def test_an_update_within_an_update_is_refused() -> None:
    refused: list[str] = []

    class Meddling(FakeClock):
        def __call__(self) -> float:
            if made and not refused:
                refused.append("")
                with pytest.raises(RuntimeError) as caught:
                    made[0].update()
                refused.append(str(caught.value))
            return super().__call__()

    made: list[ConnectionSet[Any]] = []
    everybody = ConnectionSet[Any](clock=Meddling())
    connection, other = pair(everybody)
    made.append(everybody)
    other.send(b"once")
    everybody.update()
    other.send(b", twice")
    everybody.update()

    assert refused == ["", "ConnectionSet.update() is already running: call it from one place, in one thread"]
    assert connection.receive_all() == b"once, twice"
    everybody.close()
    other.close()


def test_a_set_may_be_closed_from_a_signal_handler_at_any_point(listener: Listener, clock: FakeClock) -> None:
    done = True
    at = 0
    while done:
        at += 1
        everybody = ConnectionSet[Any](clock=clock)
        connection, other = pair(everybody)
        further, another = pair(everybody)
        other.send(b"to be read")
        further.send(b"to be sent")
        with Press(at, everybody.close) as press:
            everybody.update()
            wait(everybody, listener, timeout=0.0)
            everybody.update()
        done = bool(press.where)
        everybody.update()

        assert (press.where, connection.alive, further.alive) == (press.where, not done, not done)
        assert (press.where, wait(everybody, timeout=0.0)) == (press.where, done)
        everybody.close()
        other.close()
        another.close()
    assert at > 50


def test_a_set_that_is_closed_in_the_middle_of_an_update_is_closed_at_its_end(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody)
    update, alive = StreamSet[Any].update, list[bool]()

    def pressed(self: StreamSet[Any]) -> None:
        everybody.close()
        alive.append(connection.alive)
        update(self)

    monkeypatch.setattr(StreamSet, "update", pressed)
    everybody.update()

    assert (alive, connection.alive) == ([True], False)
    other.close()


@pytest.mark.parametrize("closes", ["set", "listener", "nothing"])
def test_a_sleep_that_fails_is_over_if_what_it_watched_was_closed(
    closes: str, everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = pair(everybody)

    def sleep(_self: StreamSet[Any], _seconds: float | None) -> bool:
        {"set": everybody.close, "listener": listener.close}.get(closes, lambda: None)()
        raise ValueError("I/O operation on closed epoll object")

    monkeypatch.setattr(StreamSet, "sleep", sleep)
    if closes == "nothing":
        with pytest.raises(ValueError, match="closed epoll"):
            wait(everybody, listener, timeout=0.0)
    else:
        assert wait(everybody, listener, timeout=0.0)
    other.close()


def test_a_listener_may_be_closed_from_a_signal_handler_at_any_point_of_a_wait(
    everybody: ConnectionSet[Any],
) -> None:
    _, other = pair(everybody)
    done, at = True, 0
    while done:
        at += 1
        door = Listener(LOOPBACK, 0)
        with Press(at, door.close) as press:
            wait(everybody, door, timeout=0.0)
            everybody.update()
        done = bool(press.where)
        door.close()
    other.close()
    assert at > 20


def test_a_set_may_be_closed_from_a_signal_handler_while_it_asks_who_is_at_the_door(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = pair(everybody)
    wait(everybody, listener, timeout=0.0)
    knocks = watcher.Watcher.knocks

    def press(self: watcher.Watcher, fds: tuple[int, ...]) -> bool:
        everybody.close()
        return knocks(self, fds)

    monkeypatch.setattr(watcher.Watcher, "knocks", press)
    everybody.accept(listener, lambda address: None)
    everybody.update()

    assert [*everybody] == []
    other.close()


def test_a_closed_set_that_was_waited_for_with_a_listener_is_waited_for(
    on_any_poller: ConnectionSet[Any], listener: Listener
) -> None:
    _, other = pair(on_any_poller)
    wait(on_any_poller, listener, timeout=0.0)

    on_any_poller.close()

    assert wait(on_any_poller, timeout=0.0)
    assert wait(on_any_poller, listener, CustomWaiter(), timeout=0.0)
    other.close()


def test_a_connection_may_be_added_from_a_signal_handler_while_the_set_is_waited_for(clock: FakeClock) -> None:
    done = True
    at = 0
    while done:
        at += 1
        everybody = ConnectionSet[Any](clock=clock)
        silent = custom()
        everybody.add(silent)  # of what has no descriptor, each wait asks when it is due
        one, other = socket.socketpair()
        added = custom(input=one, output=one)
        with Press(at, partial(everybody.add, added)) as press:
            wait(everybody, timeout=0.0)
            everybody.instantiate()
        done = bool(press.where)
        everybody.update()

        assert (press.where, [*everybody]) == (press.where, [silent, added] if done else [silent])
        everybody.close()
        everybody.update()
        added.close()
        other.close()


def test_in_a_child_a_set_is_closed_with_its_own_copies_of_doors(everybody: ConnectionSet[Any]) -> None:
    connection: Connection[Any] = custom()
    everybody.add(connection)
    with socket.create_server((LOOPBACK, 0)) as own:
        everybody.accept(own, lambda _: None)

        everybody._abandon()

        assert own.fileno() >= 0
    assert (connection.alive, len(everybody), everybody._is_over()) == (False, 0, True)


def test_a_set_is_waited_for_with_its_deadlines(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody, timeout=0.02, ping=b"!")
    clock.advance(0.01)

    woken = wait(everybody, timeout=10.0)
    everybody.update()

    assert (woken, connection.alive, other.recv(1)) == (True, True, b"!")
    other.close()


# Waiting with listeners.


def test_a_wait_for_a_set_and_its_listener_asks_the_poller_of_the_set_alone(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody)
    monkeypatch.setattr(waiting, "sleep", None)

    quiet = wait(listener, everybody, timeout=0.0)
    other.send(b"x")
    heard = wait(listener, listener, everybody, timeout=10.0)
    everybody.update()
    caller = call(listener)
    knocked = wait(listener, everybody, timeout=10.0)
    everybody.accept(listener, lambda _: None)

    assert (quiet, heard, connection.receive_all(), knocked, len(everybody)) == (False, True, b"x", True, 2)
    caller.close()
    other.close()


def test_what_came_while_the_door_was_asked_is_heard(everybody: ConnectionSet[Any], listener: Listener) -> None:
    connection, other = pair(everybody)
    wait(listener, everybody, timeout=0.0)
    other.send(b"x")
    everybody.accept(listener, lambda _: None)

    due = wait(listener, everybody, timeout=0.0)
    everybody.update()

    assert (due, connection.receive_all()) == (True, b"x")
    other.close()


@pytest.mark.parametrize("beside", [False, True])
def test_a_knock_wakes_nobody_who_does_not_wait_for_it(
    everybody: ConnectionSet[Any], listener: Listener, beside: bool
) -> None:
    _, other = pair(everybody)
    one, silent = socket.socketpair()
    wait(listener, everybody, timeout=0.0)
    caller = call(listener)

    woken = wait(everybody, *([CustomWaiter(read=[one])] if beside else []), timeout=0.0)
    together = wait(everybody, listener, timeout=10.0)

    assert (woken, together) == (False, True)
    for sock in (one, silent, other, caller):
        sock.close()


def test_a_listener_that_took_the_number_of_a_closed_one_is_waited_for(everybody: ConnectionSet[Any]) -> None:
    _, other = pair(everybody)
    first = Listener(LOOPBACK, 0)
    wait(first, everybody, timeout=0.0)
    numbers = [first.doors()]
    first.close()
    second = Listener(LOOPBACK, 0)
    numbers.append(second.doors())

    callers = [call(second)]
    for _ in bounds.as_long_as(lambda: len(everybody) == 1):
        everybody.accept(second, lambda _: None)
    quiet = wait(second, everybody, timeout=0.0)
    callers.append(call(second))
    woken = wait(second, everybody, timeout=10.0)

    assert (numbers[0], quiet, woken) == (numbers[1], False, True)
    for sock in callers:
        sock.close()
    other.close()
    second.close()


def test_a_number_that_went_to_another_listener_between_two_waits_is_watched_anew(
    everybody: ConnectionSet[Any],
) -> None:
    first = Listener(LOOPBACK, 0)
    wait(first, everybody, timeout=0.0)
    first.close()
    second = Listener(LOOPBACK, 0)
    caller = call(second)

    assert wait(second, everybody, timeout=10.0)
    caller.close()
    second.close()


def test_a_listener_closed_after_a_wait_is_an_error_and_no_empty_door(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    wait(listener, everybody, timeout=0.0)
    listener.close()

    with pytest.raises(OSError) as caught:
        everybody.accept(listener, lambda _: None)

    assert caught.value.errno == errno.EBADF


def test_a_listener_closed_after_a_wait_stops_no_update(on_any_poller: ConnectionSet[Any], listener: Listener) -> None:
    connection, other = pair(on_any_poller)
    wait(listener, on_any_poller, timeout=0.0)
    listener.close()
    other.send(b"x")

    on_any_poller.update()
    until(on_any_poller, lambda: connection.receive_buffer_length == 1)

    assert connection.alive
    other.close()


def test_a_deadline_at_the_end_of_a_wait_is_due(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    _, other = pair(everybody, timeout=0.02)
    clock.advance(0.02)

    assert wait(everybody, timeout=0.0)
    other.close()


@pytest.mark.parametrize("poller", ["make_poller", "selectors"])
def test_a_connection_that_took_the_number_of_a_closed_listener_is_heard(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, poller: str
) -> None:
    monkeypatch.setattr(watcher, "make_poller", POLLERS[poller])
    everybody: ConnectionSet[Any] = ConnectionSet(clock=clock)
    first = Listener(LOOPBACK, 0)
    wait(first, everybody, timeout=0.0)
    [number] = first.doors()
    first.close()
    connection, other = pair(everybody)
    second = Listener(LOOPBACK, 0)
    wait(second, everybody, timeout=0.0)

    other.send(b"x")
    woken = wait(second, everybody, timeout=10.0)
    everybody.update()

    assert [fd for fd, stream in enumerate(set_of(everybody).watcher.streams) if stream is not None] == [number]
    assert (woken, connection.receive_all()) == (True, b"x")
    for holder in (other, second, everybody):
        holder.close()


def test_a_listener_that_is_closed_or_rests_is_waited_for_as_before(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    connection, other = pair(everybody)
    wait(listener, everybody, timeout=0.0)
    listener.close()

    quiet = wait(listener, everybody, timeout=0.0)
    other.send(b"x")
    heard = wait(listener, everybody, timeout=10.0)
    everybody.update()
    with pytest.raises(OSError) as caught:
        everybody.accept(listener, lambda _: None)

    assert (quiet, heard, connection.receive_all()) == (False, True, b"x")
    assert caught.value.errno == errno.EBADF
    other.close()


def test_an_interrupt_while_the_door_is_asked_loses_nothing(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody)
    wait(listener, everybody, timeout=0.0)
    other.send(b"x")
    poller = set_of(everybody).watcher.poller

    class Interrupted:
        def poll(self, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
            poller.poll(timeout, most)
            raise KeyboardInterrupt

        def close(self) -> None:
            poller.close()

    set_of(everybody).watcher.poller = cast("Poller", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        everybody.accept(listener, lambda _: None)
    everybody.update()

    assert connection.receive_all() == b"x"
    other.close()


def test_time_slept_with_a_listener_is_no_pause_of_ours(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody, timeout=5.0)
    wait(listener, everybody, timeout=0.0)
    kind = type(set_of(everybody).watcher.poller)
    poll = kind.poll

    def sleep(poller: Poller, timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        clock.advance(timeout or 0.0)
        return poll(poller, 0, most)

    monkeypatch.setattr(kind, "poll", sleep)

    wait(listener, everybody, timeout=4.0)
    everybody.accept(listener, lambda _: None)
    alive = connection.alive
    everybody.update()
    wait(listener, everybody, timeout=4.0)
    everybody.update()

    assert (alive, connection.reason is not None and connection.reason.code) == (True, ReasonCode.TIMEOUT)
    other.close()
