"""Whose descriptor is whose, on every poller: full, blocked, broken and forgotten ones, plain files, and doors."""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import bounds
import pytest
from crowd import LOOPBACK, POLLERS, call, fill, pair, set_of, until

from netcode.connection import MAX_RECEIVE_BUFFER, Connection, State, connect, custom, stream_of
from netcode.connection_set import ConnectionSet
from netcode.loop.poller import READ
from netcode.reasons import ReasonCode
from netcode.stream import watcher
from netcode.stream.contract import SCRATCH
from netcode.testing import FakeClock
from netcode.transport.tcp_listener import Listener
from netcode.waiting import any_of, wait

# What an update does.


def number_of(connection: Connection[Any]) -> int:
    """Return the number of the descriptor from which it receives."""
    transport = stream_of(connection).transport
    assert transport is not None
    return transport.read_fd


needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")


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


def test_who_takes_nothing_is_listened_to_meanwhile(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    connection.send(bytes(8_000_000))
    on_any_poller.update()

    other.send(b"meanwhile")
    until(on_any_poller, lambda: connection.receive_buffer_length == 9)

    assert stream_of(connection).blocked
    assert connection.receive_all() == b"meanwhile"
    other.close()


def test_who_was_asked_is_watched_again_where_that_is_possible(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    watcher = set_of(on_any_poller).watcher

    watcher.ask(stream_of(connection))
    asked = [*watcher.unwatched]
    watcher.watch(stream_of(connection))
    other.send(b"told of")
    until(on_any_poller, lambda: connection.receive_buffer_length == 7)

    assert (asked, watcher.unwatched) == ([stream_of(connection)], {})
    other.close()


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
    assert set_of(on_any_poller).watcher.unwatched == {}


@needs_pipes
@pytest.mark.parametrize("poller", ["make_poller", "selectors", "select"])
def test_pipes_live_in_a_set(poller: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "make_poller", POLLERS[poller])
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
    assert not any(set_of(everybody).watcher.streams)
    os.close(back)
    everybody.close()


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
    assert (len(everybody), any(set_of(everybody).watcher.streams), set_of(everybody).watcher.unwatched) == (
        0,
        False,
        {},
    )


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
    assert not any(set_of(everybody).watcher.streams)
    connection.close_nicely()
    everybody.update()
    os.close(write)
    assert target.read_bytes() == b"logged"


# Waiting.


@pytest.mark.skipif(sys.platform != "linux", reason="epoll does not take plain files")
@pytest.mark.parametrize("beyond", [0, 1, 5])
def test_a_plain_file_behind_the_last_descriptor_that_is_watched_is_read(
    everybody: ConnectionSet[Any], tmp_path: Path, beyond: int
) -> None:
    (tmp_path / "file").write_bytes(b"read me")
    file = (tmp_path / "file").open("rb")
    set_of(everybody).watcher.streams = [None] * (file.fileno() - beyond)

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


def test_an_empty_set_has_nothing_to_wait_for_but_the_rest(on_any_poller: ConnectionSet[Any]) -> None:
    listener = Listener(LOOPBACK, 0)
    caller = call(listener)

    assert wait(any_of(on_any_poller, listener), timeout=10.0) is True
    caller.close()
    listener.close()


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


def test_a_share_that_was_full_is_told_of_again(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    other.sendall(bytes(SCRATCH + 100))
    taken: list[bytes] = []

    for _ in bounds.as_long_as(lambda: sum(map(len, taken)) < SCRATCH + 100):
        wait(on_any_poller, timeout=0.1)
        on_any_poller.update()
        taken.append(connection.receive_all())

    assert sum(map(len, taken)) == SCRATCH + 100
    other.close()


def test_a_door_is_noted_that_somebody_knocks_at(everybody: ConnectionSet[Any]) -> None:
    one, other = socket.socketpair()
    doors = set_of(everybody).watcher
    doors.watch_doors((one.fileno(),))
    doors.watch_doors((one.fileno(), other.fileno()))
    doors.watch_doors((one.fileno(),))
    other.send(b"knock")

    everybody.update()
    knocked, doors.knocked = doors.knocked, False
    doors.watch_doors(())
    everybody.update()

    assert (knocked, doors.knocked, doors.knows(one.fileno())) == (True, False, False)
    one.close()
    other.close()


def test_whether_somebody_knocks_is_asked_and_what_else_is_told_is_kept(everybody: ConnectionSet[Any]) -> None:
    connection, bare = pair(everybody)
    one, other = socket.socketpair()
    doors = set_of(everybody).watcher
    doors.watch_doors((one.fileno(),))

    quiet = doors.knocks((one.fileno(),))
    bare.send(b"x")
    beside = doors.knocks((one.fileno(),))
    other.send(b"knock")
    knocked = doors.knocks((one.fileno(),))
    everybody.update()

    assert (quiet, beside, knocked, doors.knocked, connection.receive_all()) == (False, False, True, True, b"x")
    for sock in (one, other, bare):
        sock.close()


def test_what_was_told_before_is_kept_when_somebody_knocks(everybody: ConnectionSet[Any], listener: Listener) -> None:
    caller = call(listener)
    for _ in bounds.as_long_as(lambda: not len(everybody)):
        everybody.accept(listener, lambda _: None)
    [connection] = everybody
    everybody.update()
    caller.send(b"x")
    wait(listener, everybody, timeout=10.0)
    another = call(listener)
    wait(listener, timeout=10.0)

    everybody.accept(listener, lambda _: None)
    everybody.update()

    assert (len(everybody), connection.receive_all()) == (2, b"x")
    caller.close()
    another.close()


def test_what_is_told_when_one_asks_who_knocks_is_kept(everybody: ConnectionSet[Any], listener: Listener) -> None:
    caller = call(listener)
    for _ in bounds.as_long_as(lambda: not len(everybody)):
        everybody.accept(listener, lambda _: None)
    [connection] = everybody
    everybody.update()
    wait(listener, everybody, timeout=0.0)
    caller.send(b"x")
    wait(connection, timeout=10.0)

    everybody.accept(listener, lambda _: None)
    everybody.update()

    assert connection.receive_all() == b"x"
    caller.close()


def test_the_number_of_a_closed_door_is_that_of_who_got_it_next(everybody: ConnectionSet[Any]) -> None:
    one, other = socket.socketpair()
    doors = set_of(everybody).watcher
    doors.watch_doors((one.fileno(), other.fileno()))
    number = one.fileno()
    one.close()

    connection, bare = pair(everybody)
    left = doors.doors
    doors.watch_doors(())
    bare.send(b"x")
    until(everybody, lambda: connection.receive_buffer_length == 1)

    assert (doors.streams[number], left) == (stream_of(connection), (other.fileno(),))
    other.close()
    bare.close()


@pytest.mark.parametrize("end", ["blocks", "closes"])
def test_who_got_the_number_of_a_descriptor_that_was_closed_behind_our_back_is_still_heard(
    on_any_poller: ConnectionSet[Any], end: str
) -> None:
    one, other = socket.socketpair()
    robbed = custom(input=one, output=one)
    on_any_poller.add(robbed)
    on_any_poller.update()
    number = one.fileno()
    one.close()

    connection, bare = pair(on_any_poller)
    watched = set_of(on_any_poller).watcher
    if end == "blocks":
        stream_of(robbed).blocked = True
        watched.watch(stream_of(robbed))
    else:
        robbed.close()
        on_any_poller.update()
    ready = wait(on_any_poller, timeout=0.0)
    bare.send(b"x")
    until(on_any_poller, lambda: connection.receive_buffer_length == 1)

    assert (watched.streams[number], ready) == (stream_of(connection), False)
    other.close()
    bare.close()


def test_what_was_told_of_one_who_left_is_not_told_of_who_got_its_number(everybody: ConnectionSet[Any]) -> None:
    (leaver, one), (stayer, other) = pair(everybody), pair(everybody)
    watched, lost, kept = set_of(everybody).watcher, number_of(leaver), number_of(stayer)
    watched.ready = [(lost, READ), (kept, READ)]  # as a sleep leaves it

    leaver.close()
    here, there = socket.socketpair()
    os.dup2(here.fileno(), lost)
    newcomer = custom(input=socket.socket(fileno=lost))
    set_of(everybody).take_in(stream_of(newcomer), newcomer)

    assert number_of(newcomer) == lost
    assert watched.ready == [(kept, READ)]
    for sock in (one, other, here, there):
        sock.close()


@pytest.mark.parametrize("closed", [False, True])
def test_what_started_anew_knows_nobody_and_has_a_poller_unless_it_is_closed(
    everybody: ConnectionSet[Any], closed: bool
) -> None:
    connection, other = pair(everybody)
    watching = set_of(everybody).watcher

    watching.start_anew(closed)

    assert (any(watching.streams), watching.unwatched, watching.doors) == (False, {}, ())
    stream_of(connection).watched = -1
    if closed:
        set_of(everybody).closed = True
    else:
        watching.watch(stream_of(connection))
        other.send(b"x")
        until(everybody, lambda: connection.receive_buffer_length == 1)
        connection.close()
    other.close()


@needs_pipes
def test_with_an_output_alone_who_stopped_reading_is_noticed_without_sending(on_any_poller: ConnectionSet[Any]) -> None:
    read, write = os.pipe()
    connection = custom(output=write)
    on_any_poller.add(connection)
    connection.send(bytes(200_000))
    for _ in range(3):
        on_any_poller.update()
    blocked = stream_of(connection).blocked
    while stream_of(connection).blocked:
        os.read(read, 65_536)
        on_any_poller.update()

    os.close(read)
    until(on_any_poller, lambda: not connection.alive)

    assert blocked
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_what_has_no_descriptors_is_not_watched(everybody: ConnectionSet[Any]) -> None:
    connection = custom()
    everybody.add(connection)
    everybody.update()

    assert [*set_of(everybody).watcher.unwatched] == [stream_of(connection)]
    assert stream_of(connection).watched == -1


def test_what_is_told_but_once_is_told_again_where_a_share_was_full(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    caller = call(listener)
    for _ in bounds.as_long_as(lambda: not len(everybody)):
        everybody.accept(listener, lambda address: None)
    [connection] = everybody
    caller.sendall(bytes(SCRATCH + 100))
    taken: list[bytes] = []

    for _ in bounds.as_long_as(lambda: sum(map(len, taken)) < SCRATCH + 100):
        wait(everybody, timeout=0.1)
        everybody.update()
        taken.append(connection.receive_all())

    assert sum(map(len, taken)) == SCRATCH + 100
    caller.close()
