"""One connection: its states, its buffers and its deadlines, over the network in memory and real descriptors."""

import errno
import gc
import math
import os
import select
import socket
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from bounds import as_long_as
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]  # it has no annotations
)

from netcode import connection as module
from netcode.address import Address
from netcode.buffer import JOIN_BELOW, SendQueue
from netcode.clock import Timeline
from netcode.connection import (
    CONNECT_TIMEOUT,
    LARGE,
    LINGER,
    MAX_RECEIVE_BUFFER,
    SCRATCH,
    Connection,
    State,
    connect,
    custom,
)
from netcode.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted
from netcode.testing import FakeClock, MemoryNetwork
from netcode.testing.network import MemoryTransport
from netcode.transport import Heard, Ready, Transport
from netcode.transport.tcp import TCP, TcpNetwork
from netcode.waiting import Descriptors, wait

CONNECTING, CONNECTED, DISCONNECTING, DISCONNECTED = State

CLOSED = Reason(ReasonCode.CLOSED, "closed by this program")
BY_PEER = Reason(ReasonCode.CLOSED_BY_PEER, "server:7777 closed the connection")


class Line:
    """A connection over the network in memory, and the bare other end."""

    def __init__(self, timeout: float | None = None, ping: bytes | None = None, capacity: int = 65_536) -> None:
        self.clock = FakeClock()
        self.network = MemoryNetwork(self.clock, capacity=capacity)
        self.door = self.network.listen("", 7777)
        self.connection = connect(
            "server", 7777, "data", timeout=timeout, ping=ping, network=self.network, clock=self.clock
        )
        self.heard = b""

    def opened(self) -> "Line":
        self.connection.update()
        assert self.connection.state is CONNECTED
        return self

    @property
    def far(self) -> MemoryTransport:
        """The other end."""
        if not hasattr(self, "_far"):
            newcomer = self.door.accept(0.0)
            assert newcomer is not None
            far = newcomer.advance(0.0)
            assert isinstance(far, MemoryTransport)
            self._far = far
        return self._far

    def hear(self) -> bytes | None:
        """Receive at the other end: bytes, b"" for the end, None for nothing yet."""
        buffer = memoryview(bytearray(1 << 20))
        try:
            return bytes(buffer[: self.far.receive_into(buffer)])
        except BlockingIOError:
            return None

    def later(self, seconds: float, tick: float = 0.25) -> None:
        """Let time pass, with updates."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.clock.advance(min(tick, end - self.clock()))
            self.connection.update()


def in_state(state: State, buffered: bytes = b"") -> Line:
    """Make a connection in any state, with something received where that can be."""
    line = Line()
    if state is CONNECTING:
        return line
    line.opened()
    line.far.send(buffered or b"")
    line.connection.update()
    if state is DISCONNECTING:
        line.connection.close_nicely()
        line.connection.update()
    elif state is DISCONNECTED:
        line.connection.close()
    assert line.connection.state is state
    return line


every_state = pytest.mark.parametrize("state", State)


# Connecting.


def test_a_connection_is_connected_by_an_update() -> None:
    line = Line()
    connection = line.connection

    before = connection.state, connection.alive, connection.reason
    connection.update()

    assert before == (CONNECTING, True, None)
    assert (connection.state, connection.alive, connection.reason) == (CONNECTED, True, None)
    assert connection.remote_address == Address("server", 7777)
    assert (connection.data, connection.timeout, connection.ping) == ("data", None, None)


def test_a_refused_connect_is_a_reason() -> None:
    connection = connect("server", 7777, network=MemoryNetwork(FakeClock()), clock=FakeClock())

    connection.update()

    assert (connection.state, connection.alive) == (DISCONNECTED, False)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.REFUSED


@pytest.mark.parametrize(("timeout", "given_up_after"), [(None, CONNECT_TIMEOUT), (60.0, CONNECT_TIMEOUT), (2.0, 2.0)])
def test_a_connect_without_an_answer_is_given_up(timeout: float | None, given_up_after: float) -> None:
    line = Line(timeout=timeout)
    line.network.down = True

    line.later(given_up_after - 0.01)
    before = line.connection.state
    line.later(0.02)

    assert before is CONNECTING
    assert line.connection.reason == Reason(
        ReasonCode.CONNECT_TIMEOUT, "server:7777 did not answer; the network in memory is down"
    )


def test_a_pause_of_ours_is_not_held_against_who_is_to_answer() -> None:
    line = Line()

    line.clock.advance(1000)
    line.connection.update()

    assert line.connection.state is CONNECTED


def test_what_was_sent_while_connecting_arrives() -> None:
    line = Line()

    line.connection.send(b"early ")
    line.connection.send(b"bird")
    waiting = line.connection.send_buffer_length
    line.connection.update()

    assert waiting == 10
    assert line.hear() == b"early bird"
    assert line.connection.send_buffer_length == 0


def test_a_look_up_that_never_ends_does_not_stop_an_update() -> None:
    told = threading.Event()

    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        assert told.wait(10)
        return []

    connection = connect("game.example", 7777, network=TcpNetwork(resolve))
    connection.update()
    waits = connection.instantiate(), connection._seconds_left()
    connection.close()
    told.set()
    connection.update()

    assert len(waits[0][0]) == 1
    assert waits[1] is not None
    assert 4 < waits[1] <= CONNECT_TIMEOUT
    assert connection.reason == CLOSED


def test_misuse_raises_at_the_call() -> None:
    network = MemoryNetwork(FakeClock())
    for timeout in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"timeout must be seconds above 0, or None, not {timeout}"):
            connect("server", 7777, timeout=timeout, network=network)
    for ping in (5, "ping"):
        with pytest.raises(TypeError):
            connect("server", 7777, ping=ping, network=network)  # type: ignore[call-overload]  # pyright: ignore
    with pytest.raises(ValueError, match="both must be given"):
        connect("", 7777)
    with pytest.raises(TypeError):
        Line().connection.send("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    line = Line()
    with pytest.raises(ValueError, match="timeout must be seconds from 0 up, or None, not -1"):
        line.connection.close_nicely(-1)


# Sending.


@pytest.mark.parametrize("data", [b"bytes", bytearray(b"bytes"), memoryview(b"bytes"), memoryview(b"b_y_t_e_s")[::2]])
def test_anything_like_bytes_can_be_sent(data: bytes | bytearray | memoryview) -> None:
    line = Line().opened()

    line.connection.send(data)
    line.connection.update()

    assert line.hear() == b"bytes"


def test_what_is_changed_after_send_is_sent_as_it_was() -> None:
    line = Line().opened()
    data = bytearray(b"before")

    line.connection.send(data)
    data[:] = b"after!"
    line.connection.update()

    assert line.hear() == b"before"


@pytest.mark.parametrize("state", [DISCONNECTING, DISCONNECTED])
def test_what_is_sent_after_the_end_is_ignored(state: State) -> None:
    line = in_state(state)

    line.connection.send(b"too late")
    line.connection.update()

    assert line.connection.send_buffer_length == 0
    assert line.hear() == b""


def test_sending_nothing_is_nothing() -> None:
    line = Line().opened()

    line.connection.send(b"")
    line.connection.update()

    assert (line.connection.send_buffer_length, line.hear()) == (0, None)


def test_what_the_network_does_not_take_waits() -> None:
    line = Line(capacity=1000).opened()

    line.connection.send(bytes(2500))
    lengths: list[tuple[int, int]] = []
    for _ in range(4):
        line.connection.update()
        waiting = line.connection.send_buffer_length
        lengths.append((waiting, len(line.hear() or b"")))

    assert lengths == [(1500, 1000), (500, 1000), (0, 500), (0, 0)]


def test_large_and_small_chunks_keep_their_order() -> None:
    line = Line(capacity=300_000).opened()
    chunks = [b"a" * 10, b"b" * 70_000, b"c" * 10, b"d" * 100_000]

    for chunk in chunks:
        line.connection.send(chunk)
    line.connection.update()

    assert line.hear() == b"".join(chunks)
    assert line.connection.send_buffer_length == 0


def test_who_takes_nothing_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SEND_BUFFER", 1000)
    line = Line().opened()

    line.connection.send(bytes(1000))
    line.connection.update()
    line.hear()
    line.connection.send(bytes(1000))
    before = line.connection.state, line.connection._seconds_left()
    line.connection.send(b"x")
    line.connection.send(b"ignored")
    between = line.connection.state, line.connection._seconds_left(), line.connection.send_buffer_length
    line.connection.update()

    assert before == (CONNECTED, None)
    assert between == (CONNECTED, 0.0, 1001)  # only an update changes the state, so that its end is seen
    assert line.connection.reason == Reason(
        ReasonCode.TOO_SLOW,
        "server:7777 does not take what is sent: 1001 bytes are waiting, over MAX_SEND_BUFFER = 1000",
    )


# Receiving: seven ways, in every state.


@every_state
def test_receive_takes_exactly_so_many_bytes_or_none(state: State) -> None:
    connection = in_state(state, b"abcdef").connection
    there = state is not CONNECTING

    results = [connection.receive(length) for length in (7, 0, 4, 3, 2, 1)]

    assert results == ([None, b"", b"abcd", None, b"ef", None] if there else [None, b"", *[None] * 4])


@every_state
def test_receive_poll_leaves_what_it_returns(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    results = [connection.receive_poll(*where) for where in ((0, 6), (2, 3), (2, 4), (2, 5), (6, 0), (0, 0))]

    expected = [b"abcdef", b"cde", b"cdef", None, b"", b""]
    assert results == (expected if state is not CONNECTING else [None] * 5 + [b""])
    assert connection.receive_buffer_length == (6 if state is not CONNECTING else 0)


@every_state
def test_receive_poll_part_returns_what_is_there(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    results = [connection.receive_poll_part(*where) for where in ((0, 3), (4, 100_000), (6, 5), (100_000, 5), (0, 0))]

    assert results == ([b"abc", b"ef", b"", b"", b""] if state is not CONNECTING else [b""] * 5)
    assert connection.receive_buffer_length == (6 if state is not CONNECTING else 0)


@every_state
def test_receive_all_takes_everything(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    results = [connection.receive_all() for _ in range(2)]

    assert results == ([b"abcdef", b""] if state is not CONNECTING else [b"", b""])


@every_state
def test_receive_part_takes_up_to_so_many_bytes(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    results = [connection.receive_part(length) for length in (0, 4, 100_000, 1)]

    assert results == ([b"", b"abcd", b"ef", b""] if state is not CONNECTING else [b""] * 4)


@every_state
def test_receive_forget_drops_exactly_so_many_bytes_or_none(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    lengths: list[int] = []
    for length in (7, 2, 5, 4):
        connection.receive_forget(length)
        lengths.append(connection.receive_buffer_length)

    assert lengths == ([6, 4, 4, 0] if state is not CONNECTING else [0] * 4)


@every_state
def test_the_receive_buffer_tells_what_it_holds(state: State) -> None:
    connection = in_state(state, b"abcdef").connection

    held = 6 if state is not CONNECTING else 0
    assert (connection.receive_buffer_length, connection.receive_buffer_empty) == (held, not held)


def test_lengths_that_can_never_be_there_are_refused() -> None:
    connection = in_state(CONNECTED, b"abc").connection
    calls: list[Callable[[], object]] = [
        lambda: connection.receive(MAX_RECEIVE_BUFFER + 1),
        lambda: connection.receive_forget(MAX_RECEIVE_BUFFER + 1),
        lambda: connection.receive_poll(1, MAX_RECEIVE_BUFFER),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="the receive buffer holds MAX_RECEIVE_BUFFER = 65536"):
            call()
    negative: list[Callable[[], object]] = [
        lambda: connection.receive(-1),
        lambda: connection.receive_forget(-1),
        lambda: connection.receive_part(-1),
        lambda: connection.receive_poll(-1, 2),
        lambda: connection.receive_poll(0, -1),
        lambda: connection.receive_poll_part(-1, 1),
        lambda: connection.receive_poll_part(0, -1),
    ]
    for call in negative:
        with pytest.raises(ValueError, match="must be 0 or more, not -1"):
            call()

    assert connection.receive_all() == b"abc"


@every_state
def test_lengths_that_are_none_are_refused(state: State) -> None:
    connection: Any = in_state(state, b"abc").connection
    calls: list[Callable[[], object]] = [
        lambda: connection.receive(1.5),
        lambda: connection.receive_forget(1.5),
        lambda: connection.receive_part(1.5),
        lambda: connection.receive_poll(0, 2.5),
        lambda: connection.receive_poll(2.5, 0),
        lambda: connection.receive_poll_part(0.5, 1),
        lambda: connection.receive_poll_part(0, 1.0),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="a length or an offset must be an int, not float"):
            call()


def test_a_full_receive_buffer_stops_reading_until_something_is_taken() -> None:
    line = Line(capacity=200_000).opened()
    line.far.send(bytes(MAX_RECEIVE_BUFFER) + b"rest")

    line.connection.update()
    line.connection.update()
    full = line.connection.receive_buffer_length
    first = line.connection.receive(MAX_RECEIVE_BUFFER)
    line.connection.update()

    assert full == MAX_RECEIVE_BUFFER
    assert first == bytes(MAX_RECEIVE_BUFFER)
    assert line.connection.receive_all() == b"rest"


# Silence.


def test_silence_ends_a_connection_after_a_ping_at_half_time() -> None:
    line = Line(timeout=10.0, ping=b"ping").opened()

    line.later(4.9)
    before = line.hear()
    line.later(0.2)
    pinged = line.hear()
    line.later(4.8)
    still = line.hear(), line.connection.state
    line.later(0.2)

    assert (before, pinged, still) == (None, b"ping", (None, CONNECTED))
    assert line.connection.reason == Reason(ReasonCode.TIMEOUT, "nothing was heard from server:7777 for timeout = 10 s")
    assert line.hear() == b""


def test_whatever_is_heard_keeps_a_connection_and_each_silence_has_its_ping() -> None:
    line = Line(timeout=10.0, ping=b"!").opened()

    for _ in range(5):
        line.later(6.0)
        line.far.send(b"here")
    line.connection.update()

    assert line.connection.state is CONNECTED
    assert line.hear() == b"!!!!!"
    assert line.connection.receive_all() == b"here" * 5


def test_without_a_ping_the_timeout_is_the_same() -> None:
    line = Line(timeout=10.0).opened()

    line.later(9.9)
    before = line.connection.state, line.hear()
    line.later(0.2)

    assert before == (CONNECTED, None)
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


def test_after_a_pause_of_ours_it_reads_first_and_judges_then() -> None:
    line = Line(timeout=10.0).opened()
    line.later(9.5)

    line.far.send(b"I was there all the time")
    line.clock.advance(60.0)
    line.connection.update()

    assert line.connection.state is CONNECTED
    assert line.connection.receive_all() == b"I was there all the time"


@pytest.mark.fault(83, "memory")
@pytest.mark.parametrize("timeout", [0.25, 1.0])
def test_after_a_pause_of_ours_it_pings_first_and_gives_time_to_answer(timeout: float) -> None:
    line = Line(timeout=timeout, ping=b"ping").opened()

    line.clock.advance(60.0)
    line.connection.update()
    pinged = line.hear(), line.connection.state
    line.clock.advance(timeout * 0.4)
    line.far.send(b"here")
    line.connection.update()
    answered = line.connection.state
    line.clock.advance(60.0)
    line.connection.update()
    line.hear()
    line.clock.advance(timeout * 0.4)
    line.connection.update()
    before = line.connection.state
    line.clock.advance(timeout * 0.2)
    line.connection.update()

    assert pinged == (b"ping", CONNECTED)
    assert (answered, before) == (CONNECTED, CONNECTED)
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


def test_without_a_ping_a_pause_of_ours_leaves_time_to_be_heard_too() -> None:
    line = Line(timeout=1.0).opened()

    line.clock.advance(60.0)
    line.connection.update()
    due = line.connection._deadline()
    line.clock.advance(0.5)
    line.connection.update()

    assert due == line.connection._timeline.now
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


def test_bytes_that_nobody_takes_are_not_held_against_who_sent_them() -> None:
    line = Line(timeout=10.0, ping=b"!", capacity=200_000).opened()
    line.far.send(bytes(MAX_RECEIVE_BUFFER) + b"more")

    line.later(35.0)
    pings = line.hear()
    taken = line.connection.receive_all()
    line.connection.update()

    assert line.connection.state is CONNECTED
    assert pings == b"!!!"
    assert (len(taken), line.connection.receive_all()) == (MAX_RECEIVE_BUFFER, b"more")


# Ending.


@every_state
def test_close_ends_at_once_in_every_state_and_twice(state: State) -> None:
    line = in_state(state, b"last")
    connection = line.connection
    held = connection.receive_buffer_length

    connection.close()
    connection.close()
    connection.update()
    connection.close_nicely()

    assert (connection.state, connection.reason, connection.alive) == (DISCONNECTED, CLOSED, False)
    assert connection.receive_buffer_length == held
    assert connection.instantiate() == ([], [], [])
    assert wait(connection) is True


def test_close_loses_what_waits() -> None:
    line = Line().opened()

    line.connection.send(b"lost")
    line.connection.close()

    assert line.hear() == b""
    assert line.connection.send_buffer_length == 0


def test_close_nicely_sends_everything_then_waits_for_the_other_end() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))

    line.connection.close_nicely()
    states: list[State] = [line.connection.state]
    heard = b""
    for _ in range(4):
        line.connection.update()
        states.append(line.connection.state)
        heard += line.hear() or b""
    end = line.hear()
    line.far.close()
    line.connection.update()

    assert states == [DISCONNECTING] * 5
    assert (heard, end) == (bytes(2500), b"")
    assert line.connection.reason == CLOSED


def test_close_nicely_still_receives() -> None:
    line = Line().opened()
    line.connection.close_nicely()

    line.far.send(b"wait, one more thing")
    line.connection.update()

    assert line.connection.state is DISCONNECTING
    assert line.connection.receive_all() == b"wait, one more thing"


def test_close_nicely_with_nothing_queued_while_connecting_ends_at_once() -> None:
    line = Line()

    line.connection.close_nicely()

    assert line.connection.reason == CLOSED


def test_close_nicely_with_something_queued_while_connecting_connects_to_send_it() -> None:
    line = Line()
    line.connection.send(b"hello and goodbye")

    line.connection.close_nicely()
    before = line.connection.state
    line.connection.update()
    heard = line.hear(), line.hear()
    line.far.close()
    line.connection.update()

    assert before is DISCONNECTING
    assert heard == (b"hello and goodbye", b"")
    assert line.connection.reason == CLOSED


def test_without_a_timeout_the_other_end_has_a_moment_to_finish() -> None:
    line = Line().opened()
    line.connection.send(b"bye")
    line.connection.close_nicely()
    line.connection.update()

    line.later(LINGER - 0.1)
    before = line.connection.state
    line.later(0.2)

    assert before is DISCONNECTING
    assert line.connection.reason == CLOSED


def test_who_does_not_finish_in_time_is_given_up() -> None:
    line = Line().opened()

    line.connection.close_nicely(3.0)
    line.later(2.9)
    before = line.connection.state
    line.later(0.2)

    assert before is DISCONNECTING
    assert line.connection.reason == Reason(
        ReasonCode.CLOSE_TIMEOUT,
        "gave up closing the connection to server:7777 nicely: it did not finish within timeout = 3 s",
    )


def test_who_does_not_read_in_time_is_given_up() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))

    line.connection.close_nicely(3.0)
    line.later(3.1)

    assert line.connection.reason == Reason(
        ReasonCode.CLOSE_TIMEOUT,
        "gave up closing the connection to server:7777 nicely: 1500 bytes were not sent within timeout = 3 s",
    )


def test_who_sends_for_ever_is_given_up_with_bounded_memory() -> None:
    line = Line().opened()
    line.connection.close_nicely(3.0)

    rounds = 0
    for _ in as_long_as(lambda: line.connection.alive):
        line.far.send(bytes(60_000))
        line.later(0.1)
        rounds += 1

    assert rounds in (30, 31)
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.CLOSE_TIMEOUT
    assert line.connection.receive_buffer_length == MAX_RECEIVE_BUFFER


@pytest.mark.parametrize(
    ("timeouts", "ends_after", "code"),
    [
        ((5.0, 2.0), 2.0, ReasonCode.CLOSE_TIMEOUT),
        ((2.0, 5.0), 2.0, ReasonCode.CLOSE_TIMEOUT),
        ((None, 1.0), 1.0, ReasonCode.CLOSE_TIMEOUT),
        ((None, 5.0), LINGER, ReasonCode.CLOSED),
        ((None, None), LINGER, ReasonCode.CLOSED),
        ((1.0, None), 1.0, ReasonCode.CLOSE_TIMEOUT),
    ],
)
def test_of_two_timeouts_the_shorter_one_counts(
    timeouts: tuple[float | None, float | None], ends_after: float, code: ReasonCode
) -> None:
    line = Line().opened()

    line.connection.close_nicely(timeouts[0])
    line.connection.update()
    line.connection.close_nicely(timeouts[1])
    line.later(ends_after - 0.01)
    before = line.connection.state
    line.later(0.02)

    assert before is DISCONNECTING
    assert line.connection.reason is not None
    assert line.connection.reason.code is code


def test_close_ends_a_nice_close() -> None:
    line = in_state(DISCONNECTING)

    line.connection.close()

    assert line.connection.reason == CLOSED


def test_the_other_ends_end_is_the_reason_after_its_last_bytes() -> None:
    line = Line().opened()
    line.far.send(b"last words")
    line.far.finish()

    line.connection.update()
    before = line.connection.state
    line.connection.update()

    assert before is CONNECTED
    assert line.connection.reason == BY_PEER
    assert line.connection.receive_all() == b"last words"


def test_at_the_other_ends_end_what_waits_is_sent_once_more() -> None:
    line = Line().opened()
    line.connection.send(b"my last words")
    line.far.finish()

    line.connection.update()

    assert line.connection.reason == BY_PEER
    assert line.hear() == b"my last words"


def test_an_end_with_a_broken_way_out_is_still_an_end() -> None:
    line = Line().opened()
    line.connection.send(b"nobody hears")
    line.far.close()

    line.connection.update()

    assert line.connection.reason == BY_PEER


def test_when_both_close_nicely_both_are_closed() -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    door = network.listen("", 7777)
    one = connect("server", 7777, network=network, clock=clock)
    one.update()
    newcomer = door.accept(0.0)
    assert newcomer is not None
    other = Connection(newcomer, None, timeout=None, ping=None, timeline=Timeline(clock))
    other.update()

    for connection, data in ((one, b"bye"), (other, b"see you")):
        connection.send(data)
        connection.close_nicely()
    for _ in range(3):
        one.update()
        other.update()

    assert (one.reason, other.reason) == (CLOSED, CLOSED)
    assert (one.receive_all(), other.receive_all()) == (b"see you", b"bye")


def test_a_half_closed_end_still_gets_what_waits_for_it() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))
    line.far.finish()

    line.connection.close_nicely()
    heard = b""
    for _ in range(3):
        line.connection.update()
        heard += line.hear() or b""

    assert heard == bytes(2500)
    assert line.connection.reason == CLOSED


def test_silence_ends_a_half_closed_connection_too() -> None:
    line = Line(capacity=10, timeout=4.0).opened()
    line.connection.send(bytes(25))
    line.far.finish()

    line.connection.close_nicely()
    line.later(4.5)

    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


def test_a_reset_is_the_reason_after_complete_bytes() -> None:
    line = Line().opened()
    line.far.send(b"whole")
    line.connection.update()

    line.network.cut()
    line.connection.update()

    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.RESET
    assert line.connection.receive_all() == b"whole"


def test_a_reset_after_everything_was_sent_is_no_failure() -> None:
    line = in_state(DISCONNECTING)

    line.network.cut()
    line.connection.update()

    assert line.connection.reason == CLOSED


def test_when_sending_fails_what_came_before_is_read_first() -> None:
    line = Line(capacity=200_000).opened()
    line.far.send(b"sorry, " * 10_000)
    line.far.close()

    line.connection.update()
    line.connection.send(b"anybody?")
    line.connection.update()
    received = line.connection.receive_all()

    assert received == (b"sorry, " * 10_000)[: len(received)]
    assert len(received) == MAX_RECEIVE_BUFFER
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.RESET


class Scripted:
    """A transport that does what a list says."""

    read_fd = write_fd = -1
    lingers = True
    grain = 0
    drains = False
    address: Address | None = None

    def __init__(self, *receives: bytes | OSError, sends: OSError | int | None = None) -> None:
        self.receives: list[bytes | OSError] = [*receives]
        self.sends = sends
        self.calls: list[str] = []

    def receive_into(self, buffer: memoryview) -> int:
        if not self.receives:
            raise BlockingIOError
        item = self.receives.pop(0)
        if isinstance(item, OSError):
            raise item
        count = min(len(item), len(buffer))
        buffer[:count] = item[:count]
        if count < len(item):
            self.receives.insert(0, item[count:])
        return count

    def send(self, data: bytes | memoryview) -> int:
        if isinstance(self.sends, OSError):
            raise self.sends
        self.calls.append(f"send {len(data)}")
        return len(data) if self.sends is None else self.sends

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        self.calls.append(f"send {[len(chunk) for chunk in chunks]}")
        return sum(map(len, chunks))

    def probe(self) -> None:
        self.calls.append("probe")

    def finish(self) -> None:
        self.calls.append("finish")

    def close(self) -> None:
        self.calls.append("close")


def scripted(transport: Transport, sink: "Taker | None" = None) -> Connection[None]:
    connection: Connection[None] = Connection(
        Ready(transport), None, timeout=None, ping=None, timeline=Timeline(FakeClock()), sink=sink
    )
    connection.update()
    return connection


def test_who_is_heard_without_a_byte_is_not_silent() -> None:
    clock = FakeClock()
    transport = Scripted(*[Heard()] * 40)
    connection: Connection[None] = Connection(
        Ready(transport), None, timeout=1.0, ping=b"?", timeline=Timeline(clock), sink=None
    )
    for _ in range(41):
        clock.advance(0.3)
        connection.update()
    alive = connection.alive
    for _ in range(4):
        clock.advance(0.3)
        connection.update()

    assert alive
    assert connection.receive_all() == b""
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.TIMEOUT


def test_a_goodbye_behind_a_broken_way_out_is_read() -> None:
    transport = Scripted(BlockingIOError(), b"you are ", b"banned", b"", sends=BrokenPipeError(errno.EPIPE, "broken"))
    connection = scripted(transport)

    connection.send(b"hello?")
    transport.receives.insert(0, BlockingIOError())
    connection.update()

    assert connection.receive_all() == b"you are banned"
    assert connection.reason == Reason(ReasonCode.CLOSED_BY_PEER, "the other end closed the connection")


def test_a_broken_way_out_with_nothing_to_read_is_a_reset() -> None:
    connection = scripted(Scripted(sends=BrokenPipeError(errno.EPIPE, "broken")))

    connection.send(b"hello?")
    connection.close_nicely()
    connection.update()

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_the_reading_behind_a_broken_way_out_has_an_end() -> None:
    transport = Scripted(sends=BrokenPipeError(errno.EPIPE, "broken"))
    connection = scripted(transport)

    transport.receives = [BlockingIOError(), *(b"x" for _ in range(1000))]
    connection.send(b"hello?")
    connection.update()

    assert connection.receive_all() == b"x" * module.DRAIN_READS
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_everything_queued_leaves_in_one_call() -> None:
    transport = Scripted()
    connection = scripted(transport)

    for _ in range(100):
        connection.send(b"12345")
    connection.update()
    for length in (10, 70_000):
        connection.send(bytes(length))
    connection.update()

    assert transport.calls == ["send 500", "send [10, 70000]"]


def test_a_transport_with_a_grain_is_given_so_much_room() -> None:
    transport = Scripted(bytes(MAX_RECEIVE_BUFFER - 10))
    transport.grain = 16_384
    connection = scripted(transport)

    transport.receives = [bytes(16_384), b"more"]
    connection.update()
    full = connection.receive_buffer_length
    connection.update()

    assert full == connection.receive_buffer_length == MAX_RECEIVE_BUFFER - 10 + 16_384


# A sink takes the bytes instead of the buffer.


class Taker:
    """A sink that takes as much as it is told to."""

    connection: Connection[Any]

    def __init__(self, room: int = 1 << 30) -> None:
        self.missing = 0
        self.room = room
        self.taken = b""
        self.heard: list[str] = []
        self.deadline_at = math.inf

    def feed(self, data: memoryview, size: int) -> int:
        count = min(self.room, size)
        self.taken += data[:count]
        self.room -= count
        return count

    def opened(self) -> None:
        self.heard.append("opened")

    def ended(self) -> None:
        self.heard.append("ended")

    def deadline(self) -> float:
        return self.deadline_at

    def due(self, now: float) -> float:
        self.heard.append("due")
        return self.deadline_at


def test_a_sink_hears_of_the_beginning_and_the_end_once() -> None:
    sink = Taker()
    connection = scripted(Scripted(), sink)

    connection.close()
    connection.close()
    connection.update()

    assert sink.connection is connection
    assert sink.heard == ["opened", "due", "ended"]


def test_a_sink_takes_what_it_can_and_is_offered_the_rest_with_what_follows() -> None:
    sink = Taker(room=4)
    transport = Scripted(b"abcdef")
    connection = scripted(transport, sink)
    first, left = sink.taken, connection.receive_buffer_length

    sink.room = 100
    transport.receives = [b"ghi"]
    connection.update()
    second = sink.taken, connection.receive_buffer_length
    transport.receives = [b"jkl"]
    connection.update()

    assert (first, left) == (b"abcd", 2)
    assert second == (b"abcdefghi", 0)
    assert (sink.taken, connection._incoming) == (b"abcdefghijkl", None)


def test_a_hungry_connection_is_fed_before_more_is_read() -> None:
    sink = Taker(room=0)
    transport = Scripted(b"abc")
    connection = scripted(transport, sink)
    connection._hungry = True

    wants = connection._wants_input(), connection._seconds_left()
    transport.receives = [b"def"]
    sink.room = 2
    connection.update()

    assert wants == (False, 0.0)
    assert (sink.taken, transport.receives) == (b"ab", [b"def"])
    assert connection._hungry is False


def test_a_hungry_connection_with_nothing_left_is_fed_nothing() -> None:
    sink = Taker()
    connection = scripted(Scripted(), sink)
    connection._hungry = True

    connection.update()

    assert (sink.taken, connection._hungry) == (b"", False)


def test_the_rest_of_a_large_message_is_received_in_place() -> None:
    sink = Taker(room=0)
    transport = Scripted(b"head")
    connection = scripted(transport, sink)
    sink.missing = 3 * LARGE

    transport.receives = [b"x" * (2 * LARGE)]
    connection.update()
    held = connection.receive_buffer_length
    connection.update()
    sink.room, sink.missing = 1 << 30, LARGE
    transport.receives = [b"y" * LARGE]
    connection.update()

    assert held == 4 + 2 * LARGE > SCRATCH
    assert sink.taken == b"head" + b"x" * (2 * LARGE) + b"y" * LARGE
    assert connection.receive_buffer_length == 0


@pytest.mark.parametrize(
    ("end", "code"), [(b"", ReasonCode.CLOSED_BY_PEER), (ConnectionResetError(errno.ECONNRESET, "x"), ReasonCode.RESET)]
)
def test_a_large_message_may_never_be_completed(end: bytes | OSError, code: ReasonCode) -> None:
    sink = Taker(room=0)
    transport = Scripted(b"head")
    connection = scripted(transport, sink)
    sink.missing = LARGE

    transport.receives = [end]
    connection.update()

    assert connection.reason is not None
    assert connection.reason.code is code


def test_what_a_sink_does_not_take_while_it_ends_the_connection_is_dropped() -> None:
    class Ender(Taker):
        def feed(self, data: memoryview, size: int) -> int:
            self.connection.close()
            return 0

    connection = scripted(Scripted(b"abc"), Ender())

    assert (connection.reason, connection.receive_buffer_length) == (CLOSED, 0)


class Giver:
    """A source that was given what is to be sent."""

    def __init__(self, *batch: bytes) -> None:
        self._batch = [*batch]

    def _collect(self) -> bytes:
        data = b"".join(self._batch)
        self._batch.clear()
        return data


def test_what_a_source_has_gathered_is_collected_and_sent_at_once() -> None:
    transport = Scripted()
    connection = scripted(transport)
    connection._source = Giver(b"one", b"two")

    sends = connection._has_to_send()
    connection.update()

    assert sends is True
    assert transport.calls == ["send 6"]
    assert connection._has_to_send() is False
    assert connection._outgoing is None


def test_what_a_source_has_gathered_leaves_behind_what_waits_already() -> None:
    transport = Scripted()
    connection = scripted(transport)
    connection._source = Giver(b"three")
    connection.send(b"onetwo")

    connection.update()

    assert transport.calls == ["send 11"]


@pytest.mark.parametrize("taken", [0, 2])
def test_what_the_network_did_not_take_of_it_waits(taken: int) -> None:
    transport = Scripted(sends=taken or BlockingIOError())
    connection = scripted(transport)
    connection._source = Giver(b"one", b"two")

    connection.update()

    assert connection.send_buffer_length == 6 - taken
    assert connection._has_to_send() is True


def test_a_way_out_that_breaks_under_what_a_source_gave_is_the_reason() -> None:
    transport = Scripted(sends=EPIPE)
    connection = scripted(transport)
    connection._source = Giver(b"one")

    connection.update()

    assert connection.reason is not None
    assert (connection.reason.code, connection.send_buffer_length) == (ReasonCode.RESET, 0)


def test_a_sink_has_deadlines_of_its_own() -> None:
    sink = Taker()
    connection = scripted(Scripted(), sink)

    before = connection._deadline()
    sink.deadline_at = 1234.0

    assert (before, connection._deadline()) == (math.inf, 1234.0)


EPIPE = BrokenPipeError(errno.EPIPE, "broken")


@pytest.mark.parametrize(
    "end", [b"", BlockingIOError(), ConnectionResetError(errno.ECONNRESET, "reset")], ids=["end", "nothing", "reset"]
)
@pytest.mark.parametrize("large", [False, True])
def test_behind_a_broken_way_out_a_sink_is_fed_share_by_share(end: bytes | OSError, large: bool) -> None:
    sink = Taker(room=4)
    transport = Scripted(b"head12")
    connection = scripted(transport, sink)
    sink.room, sink.missing = 1 << 30, LARGE if large else 0
    transport.receives = [BlockingIOError(), b"you are ", b"banned", end]
    transport.sends = EPIPE

    connection._queue(b"hello?")
    states: list[tuple[bytes, State]] = []
    for _ in range(3):
        connection.update()
        states.append((sink.taken, connection.state))

    assert states == [
        (b"head12you are ", CONNECTED),
        (b"head12you are banned", CONNECTED),
        (b"head12you are banned", DISCONNECTED),
    ]
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_a_nice_close_whose_way_out_broke_has_failed() -> None:
    transport = Scripted(sends=EPIPE)
    connection = scripted(transport, Taker())

    connection._queue(b"goodbye")
    connection.close_nicely()
    transport.receives = [BlockingIOError(), b"more", b"and more", b""]
    for _ in range(4):
        connection.update()

    assert "finish" not in transport.calls
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_a_hungry_sink_is_not_fed_by_a_broken_way_out() -> None:
    sink = Taker()
    transport = Scripted(sends=EPIPE)
    connection = scripted(transport, sink)

    connection._hungry = True
    transport.receives = [b"later"]
    connection._queue(b"hello?")
    connection._flush(0.0)

    assert (sink.taken, connection.state, connection._hungry) == (b"", CONNECTED, True)


# A keeper, usually a set, hears what it has to know.


class Entries(list[Connection[Any]]):
    """A list that notes when something is entered."""

    def __init__(self, heard: list[str | tuple[str, float]], note: str) -> None:
        super().__init__()
        self._heard = heard
        self._note = note

    def append(self, entry: Connection[Any]) -> None:
        super().append(entry)
        self._heard.append(self._note)


class Notes:
    """A keeper that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str | tuple[str, float]] = []
        self._with_output: list[Connection[Any]] = Entries(self.heard, "has output")
        self._answering: list[Connection[Any]] = Entries(self.heard, "answers")

    def _forget(self, connection: Connection[Any]) -> None:
        assert connection._transport is not None
        self.heard.append("forget")

    def _schedule(self, connection: Connection[Any], when: float) -> None:
        self.heard.append(("schedule", when))

    def _watch(self, connection: Connection[Any]) -> None:
        self.heard.append(f"watch, input {'wanted' if connection._wants_input() else 'not wanted'}")

    def _interrupted(self) -> None:
        self.heard.append("interrupted")

    def _tell_again(self, connection: Connection[Any]) -> None:
        self.heard.append("there may be more")

    def take(self) -> list[str | tuple[str, float]]:
        heard = [*self.heard]
        self.heard.clear()
        return heard


def test_an_answer_waits_for_something_to_go_with_where_a_keeper_knows_of_it() -> None:
    notes = Notes()
    alone, kept = scripted(Scripted()), scripted(Scripted())
    kept._keeper = notes

    alone._queue_answer(b"pong")
    kept._queue_answer(b"pong")
    waits = notes.take()
    kept._source = Giver(b"hit")
    kept._announce_output()
    kept._queue_answer(b"more")
    goes = notes.take()

    assert (waits, goes) == (["answers"], ["has output"])
    assert (alone.send_buffer_length, kept.send_buffer_length) == (4, 8)


def test_an_answer_keeps_its_place_before_and_behind_what_is_queued() -> None:
    transport = Scripted()
    before, behind = scripted(transport), scripted(Scripted())

    before._queue_answer(b"pong")
    before._queue(b"bye")
    behind._queue(b"hello")
    behind._queue_answer(b"pong")
    queues = [[*connection._outgoing.chunks] for connection in (before, behind) if connection._outgoing is not None]

    assert queues == [[b"pong", b"bye"], [b"hello", b"pong"]]
    assert before._answer == behind._answer == b""


def test_an_answer_goes_ahead_of_what_the_source_gives_in_one_send() -> None:
    transport = Scripted()
    connection = scripted(transport)
    connection._source = Giver(b"hit")

    connection._queue_answer(b"pong")
    connection._flush(0.0)

    assert transport.calls == ["send 7"]
    assert connection.send_buffer_length == 0


def test_what_is_left_of_a_bulk_is_offered_as_its_beginning_was() -> None:
    class Narrow(Scripted):
        def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
            super().send_chunks(chunks)
            return 10

    transport = Narrow()
    connection = scripted(transport)

    connection._queue(bytes(JOIN_BELOW + 5))
    connection._flush(0.0)
    connection._flush(0.0)

    assert transport.calls == [f"send [{JOIN_BELOW + 5}]", f"send [{JOIN_BELOW - 5}]"]


def test_what_an_exception_came_into_ends_with_the_next_update() -> None:
    class Pressed(Taker):
        def feed(self, data: memoryview, size: int) -> int:
            raise KeyboardInterrupt

    sink = Pressed()
    connection = scripted(Scripted(), sink)
    connection._keep(memoryview(b"left over"))
    connection._hungry = True

    with pytest.raises(KeyboardInterrupt):
        connection.update()
    connection.update()

    assert connection.state is State.DISCONNECTED
    assert connection.reason == interrupted(connection._describe())
    assert sink.heard.count("ended") == 1


def test_an_end_that_an_exception_came_into_is_finished_by_the_next_update() -> None:
    class Clumsy(Scripted):
        def close(self) -> None:
            super().close()
            if self.calls.count("close") == 1:
                raise KeyboardInterrupt

    transport, sink = Clumsy(), Taker()
    connection = scripted(transport, sink)

    with pytest.raises(KeyboardInterrupt):
        connection.close()
    before = sink.heard.count("ended")
    connection.update()
    connection.update()

    assert (before, sink.heard.count("ended"), transport.calls.count("close")) == (0, 1, 2)
    assert connection.reason == closed_here()


@pytest.mark.parametrize("closing", [False, True])
def test_a_sink_is_asked_what_is_due_and_when_it_wants_to_be_asked_again(closing: bool) -> None:
    sink = Taker()
    connection = scripted(Scripted(), sink)
    if closing:
        connection.close_nicely(1000.0)
    sink.deadline_at = 1234.0
    sink.heard.clear()

    again = connection._check(1000.0)

    assert (again, sink.heard) == (1234.0, ["due"])


@pytest.mark.parametrize(("size", "heard"), [(SCRATCH, ["there may be more"]), (SCRATCH - 1, [])])
def test_a_keeper_hears_that_there_may_be_more_where_a_share_was_full(size: int, heard: list[str]) -> None:
    notes = Notes()
    connection = scripted(Scripted(BlockingIOError(), bytes(size)), Taker())
    connection._keeper = notes

    connection._receive(0.0, memoryview(bytearray(SCRATCH)))

    assert notes.take() == heard


def test_what_a_source_gave_is_followed_by_our_end_where_we_are_closing() -> None:
    transport = Scripted()
    connection = scripted(transport)
    connection._source = Giver(b"last")
    connection.close_nicely()

    connection.update()

    assert transport.calls == ["send 4", "finish"]


def test_a_keeper_hears_of_every_change_once() -> None:
    notes = Notes()
    line = Line(timeout=10.0, capacity=100_000)
    connection = line.connection
    connection._keeper = notes
    now = line.clock()

    connection.update()
    connected = notes.take()
    connection.send(b"x")
    connection.send(b"y")
    queued = notes.take()
    connection.update()
    line.far.send(bytes(MAX_RECEIVE_BUFFER))
    connection.update()
    full = notes.take()
    connection.receive_forget(1)
    connection.receive(1)
    connection.receive(0)
    taken = notes.take()
    connection.close_nicely(1.0)
    connection.close_nicely(2.0)
    closing = notes.take()
    connection.close()

    assert connected == ["watch, input wanted"]
    assert queued == ["has output"]
    assert full == ["there may be more", "watch, input not wanted"]
    assert taken == ["watch, input wanted"] * 2
    assert closing == [("schedule", now + 1.0), "has output"]
    assert notes.take() == ["forget"]


def test_a_keeper_hears_of_a_blocked_way_out_and_its_freedom() -> None:
    notes = Notes()
    line = Line(timeout=10.0, capacity=10).opened()
    line.connection._keeper = notes

    line.connection.send(bytes(15))
    line.connection.update()
    blocked = notes.take(), line.connection._blocked
    line.hear()
    line.connection.update()

    assert blocked == (["has output", "watch, input wanted", ("schedule", line.clock() + 5.0)], True)
    assert (notes.take(), line.connection._blocked) == (["watch, input wanted"], False)


def test_a_keeper_hears_that_a_half_closed_end_gives_no_input() -> None:
    notes = Notes()
    line = Line(capacity=10).opened()
    line.connection._keeper = notes
    line.connection.send(bytes(25))
    line.connection.close_nicely()
    line.far.finish()

    line.connection.update()

    assert "watch, input not wanted" in notes.take()


def test_a_keeper_may_ask_too_early_to_send() -> None:
    notes = Notes()
    line = Line()
    line.connection._keeper = notes

    line.connection.send(b"early")
    line.connection._flush(0.0)
    line.connection.send(b" bird")
    line.connection.update()

    assert notes.take()[:1] == ["has output"]
    assert line.hear() == b"early bird"


def test_a_keeper_may_know_first_that_the_way_out_broke() -> None:
    connection = scripted(Scripted())

    connection._send_failed(EPIPE, 0.0)

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


@pytest.mark.parametrize("connected", [False, True])
def test_what_was_noted_by_one_timeline_moves_to_another(connected: bool) -> None:
    line = Line(timeout=10.0)
    if connected:
        line.opened()
        line.connection.close_nicely(4.0)
    other = FakeClock(5.0)

    line.connection._move_to(Timeline(other))
    other.advance(0.5)
    line.connection.update()

    due = 5.0 + (4.0 if connected else 0.5 + 10.0 / 2)
    assert line.connection._deadline() == due


def test_silence_moves_along_to_another_timeline() -> None:
    line = Line(timeout=10.0).opened()
    line.clock.advance(0.5)
    line.connection.update()

    line.connection._move_to(Timeline(FakeClock(5.0)))

    assert line.connection._deadline() == 5.0 - 0.5 + 10.0 / 2


# Waiting, on real descriptors.


@pytest.fixture
def pair() -> Iterator[tuple[Connection[None], socket.socket]]:
    one, other = socket.socketpair()
    connection = custom(input=one, output=one)
    connection.update()
    with other:
        other.settimeout(10)
        yield connection, other
    connection.close()


Pair = tuple[Connection[None], socket.socket]


def test_a_connection_waits_for_what_its_state_needs(pair: Pair) -> None:
    connection, other = pair
    assert connection._transport is not None
    fd = connection._transport.read_fd

    idle = connection.instantiate()
    connection.send(b"x")
    sending = connection.instantiate()
    connection.update()
    connection.close_nicely()
    closing = connection.instantiate()
    connection.update()
    finished = connection.instantiate()
    other.shutdown(socket.SHUT_WR)
    connection.update()

    assert [idle, sending, closing, finished] == [([fd], [], []), ([fd], [fd], []), ([fd], [fd], []), ([fd], [], [])]
    assert connection.instantiate() == ([], [], [])
    assert connection.reason == CLOSED


def test_a_full_receive_buffer_does_not_wake(pair: Pair) -> None:
    connection, other = pair
    other.setblocking(False)
    for _ in as_long_as(lambda: connection.receive_buffer_length < MAX_RECEIVE_BUFFER):
        try:
            other.send(bytes(65_536))
        except BlockingIOError:
            pass
        connection.update()

    other.send(b"more")
    full = wait(connection, timeout=0.01)
    forever = wait(connection)
    connection.receive_forget(1)

    assert (full, forever) == (False, True)
    assert wait(connection, timeout=5.0) is True


def test_a_half_open_end_does_not_wake_while_there_is_nothing_to_do(pair: Pair) -> None:
    connection, other = pair
    other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.send(bytes(4_000_000))
    other.shutdown(socket.SHUT_WR)

    connection.close_nicely()
    for _ in range(5):
        connection.update()

    assert connection._ended_input is True
    assert wait(connection, timeout=0.01) is False


def test_wait_wakes_for_a_ping_that_is_due() -> None:
    one, other = socket.socketpair()
    clock = FakeClock()
    connection = custom(input=one, output=one, timeout=0.04, ping=b"!", clock=clock)
    connection.update()

    woken = wait(connection, timeout=10.0)
    clock.advance(0.02)
    connection.update()

    assert woken is True
    assert other.recv(10) == b"!"
    connection.close()
    other.close()


def test_a_select_of_somebody_elses_drives_a_connection_from_the_beginning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = connect("127.0.0.1", server.getsockname()[1])
        connection.send(b"ready")
        for _ in range(10):
            assert any(select.select(*connection.instantiate(), 10.0))
            connection.update()
            if connection.state is CONNECTED and not connection.send_buffer_length:
                break
        with server.accept()[0] as other:
            heard = other.recv(10)
        connection.close()

    assert heard == b"ready"


def test_waiting_sends_what_is_queued_before_it_sleeps(pair: Pair) -> None:
    connection, other = pair

    connection.send(b"an answer")
    woken = wait(connection, timeout=0.0)

    assert woken is False
    assert other.recv(100) == b"an answer"
    assert connection.send_buffer_length == 0


def test_waiting_goes_on_closing_nicely(pair: Pair) -> None:
    connection, other = pair

    connection.send(b"goodbye")
    connection.close_nicely()
    woken = wait(connection, timeout=0.0)

    assert woken is False
    assert (other.recv(100), other.recv(100)) == (b"goodbye", b"")


def test_waiting_does_not_offer_again_what_the_network_did_not_take() -> None:
    line = Line(capacity=10).opened()
    line.connection.send(b"more than there is room for")
    line.connection.update()
    assert line.hear() == b"more than "

    wait(line.connection, timeout=0.0)

    assert line.hear() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")
def test_who_is_found_to_be_gone_while_waiting_is_no_reason_to_sleep() -> None:
    read, write = os.pipe()
    connection = custom(output=write)
    connection.update()
    os.close(read)

    connection.send(b"anybody?")
    woken = wait(connection)

    assert woken is True
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_a_connect_wakes_when_it_is_decided() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = connect("127.0.0.1", server.getsockname()[1])
        for _ in range(100):
            assert wait(connection, timeout=10.0)
            connection.update()
            if connection.state is CONNECTED:
                break

        assert connection.state is CONNECTED
        connection.close()


def test_sleeping_in_wait_counts_as_time_that_passed() -> None:
    line = Line(timeout=10.0).opened()

    line.connection._slept(8.0)
    line.clock.advance(8.0)
    line.connection._slept(8.0)
    line.later(2.1)

    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


# Descriptors of the caller's own.

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")


@needs_pipes
def test_two_programs_talk_over_pipes() -> None:
    (read, write), (back, forth) = os.pipe(), os.pipe()
    one = custom("one", input=read, output=forth, remote_address=Address("the child", 0))
    other = custom("other", input=back, output=write)

    one.send(b"ping")
    for connection in (one, other):
        connection.update()
    other.send(b"pong")
    other.close_nicely()
    for connection in (other, one, one):
        connection.update()

    assert (one.data, one.remote_address, other.remote_address) == ("one", Address("the child", 0), None)
    assert (other.receive_all(), one.receive_all()) == (b"ping", b"pong")
    assert other.reason == CLOSED
    assert one.reason == Reason(ReasonCode.CLOSED_BY_PEER, "the child:0 closed the connection")


@needs_pipes
def test_a_connection_of_input_only_ignores_what_is_sent() -> None:
    read, write = os.pipe()
    connection = custom(input=read)

    connection.send(b"nobody")
    os.write(write, b"news")
    connection.update()
    waits = connection.instantiate()
    connection.close_nicely()
    connection.update()
    os.close(write)

    assert (connection.receive_all(), waits) == (b"news", ([read], [], []))
    assert connection.reason == CLOSED


@needs_pipes
def test_a_connection_of_output_only_receives_nothing() -> None:
    read, write = os.pipe()
    connection = custom(output=write)

    connection.send(b"news")
    before = connection.instantiate()
    connection.update()
    after = connection.instantiate(), connection.receive_all()
    connection.close()
    heard = os.read(read, 10)
    os.close(read)

    assert before == ([], [write], [])  # that there is room wakes for the first update, which connects it
    assert after == (([], [], []), b"")
    assert heard == b"news"


@needs_pipes
def test_who_stopped_reading_a_pipe_is_noticed() -> None:
    read, write = os.pipe()
    connection = custom(output=write)
    connection.update()

    os.close(read)
    connection.send(b"anybody?")
    connection.update()

    assert connection.reason is not None
    assert (connection.reason.code, connection.reason.text) == (
        ReasonCode.RESET,
        "the connection to the other end broke: the other program stopped or the network cut it",
    )


def test_a_connection_of_neither_is_silent_and_times_out() -> None:
    clock = FakeClock()
    connection = custom(timeout=2.0, clock=clock)
    connection.update()
    described = repr(connection)

    for _ in range(3):
        clock.advance(0.9)
        connection.update()

    assert described == "<Connection connected to None>"
    assert connection.reason == Reason(ReasonCode.TIMEOUT, "nothing was heard from the other end for timeout = 2 s")


def test_custom_checks_before_descriptors_change_hands() -> None:
    one, other = socket.socketpair()

    with one, other:
        with pytest.raises(ValueError, match="timeout must be seconds above 0"):
            custom(input=one, output=one, timeout=0)
        with pytest.raises(TypeError, match="expected a descriptor"):
            custom(input=one, output="stdout")

        assert one.getblocking() is True
        one.send(b"x")
        assert other.recv(1) == b"x"


# What it says of itself, and what it leaves behind.


@every_state
def test_it_says_what_it_is(state: State) -> None:
    connection = in_state(state).connection

    assert repr(connection) == f"<Connection {state.value} to server:7777>"


def test_the_address_of_who_is_still_on_its_way_is_known_where_its_connector_knows_it() -> None:
    transport, _ = MemoryNetwork(FakeClock()).make_link(Address("198.51.100.7", 1))
    timeline = Timeline(FakeClock())

    known: Connection[None] = Connection(Ready(transport), None, timeout=None, ping=None, timeline=timeline)
    given: Connection[None] = Connection(
        Ready(transport), None, timeout=None, ping=None, timeline=timeline, remote_address=Address("given", 2)
    )

    assert (known.state, known.remote_address) == (CONNECTING, Address("198.51.100.7", 1))
    assert given.remote_address == Address("given", 2)


def test_it_says_where_it_is_going() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = connect("127.0.0.1", server.getsockname()[1], network=TCP)

        described = repr(connection), connection.remote_address
        connection.close()

    assert described == (f"<Connection connecting to 127.0.0.1:{server_port(described[0])}>", None)


def server_port(text: str) -> str:
    return text.rpartition(":")[2].rstrip(">")


def test_a_dropped_connection_leaves_nothing_open() -> None:
    one, other = socket.socketpair()

    class Player:
        connection: Connection["Player"]

    player: Any = Player()
    player.connection = custom(player, input=one, output=one)
    player.connection.update()
    gone = weakref.ref(player)
    del player
    gc.collect()

    assert gone() is None
    assert other.recv(1) == b""
    other.close()


# The law of the states.

ALLOWED = {
    CONNECTING: {CONNECTING, CONNECTED, DISCONNECTING, DISCONNECTED},
    CONNECTED: {CONNECTED, DISCONNECTING, DISCONNECTED},
    DISCONNECTING: {DISCONNECTING, DISCONNECTED},
    DISCONNECTED: {DISCONNECTED},
}


class AnyCalls(RuleBasedStateMachine):
    """Anybody does anything, in any order."""

    seen: ClassVar[Counter[tuple[State, bool]]] = Counter()
    """How often the invariants were checked in each state, with and without something received."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line(timeout=20.0, ping=b"", capacity=8)
        self.connection = self.line.connection
        self.state = CONNECTING
        self.reason: Reason | None = None
        self.sent = self.heard = b""  # by us, and of it by the other end
        self.said = self.received = b""  # by the other end, and of it by us
        self.nice = False  # closed nicely by us,
        self.rude = False  # and by nobody otherwise

    @initialize(begin=st.sampled_from(["connecting", "open", *["received"] * 4, "leaving", "left", "closed"]))
    def begin(self, begin: str) -> None:
        if begin == "connecting":
            return
        self.connection.update()
        if begin == "open":
            return
        for _ in range(6):
            self.the_other_end_sends(b"8 bytes ", True)
        if begin == "leaving":
            self.close_nicely(0, None)
        elif begin == "left":
            self.the_other_end_finishes(0)
            self.connection.update()
        elif begin == "closed":
            self.close(0)

    @rule(data=st.binary(max_size=30))
    def send(self, data: bytes) -> None:
        if self.connection.state in (CONNECTING, CONNECTED):
            self.sent += data
        self.connection.send(data)

    @rule()
    def update(self) -> None:
        self.connection.update()

    @rule(seconds=st.floats(0.01, 3.0))
    def time_passes(self, seconds: float) -> None:
        self.line.clock.advance(seconds)

    @rule(rarely=st.integers(0, 9))
    def close(self, rarely: int) -> None:
        if rarely == 0:
            self.rude = True
            self.connection.close()

    @rule(rarely=st.integers(0, 4), timeout=st.none() | st.floats(0.0, 3.0))
    def close_nicely(self, rarely: int, timeout: float | None) -> None:
        if rarely:
            return
        self.nice = True
        self.connection.close_nicely(timeout)
        assert self.connection.state in (DISCONNECTING, DISCONNECTED)

    @rule(length=st.integers(0, 40))
    def receive(self, length: int) -> None:
        before = self.connection.receive_buffer_length
        taken = self.connection.receive(length)
        assert (taken is None) is (before < length)
        assert taken is None or len(taken) == length
        self.received += taken or b""

    @rule(length=st.integers(0, 40))
    def receive_part(self, length: int) -> None:
        before = self.connection.receive_buffer_length
        taken = self.connection.receive_part(length)
        assert len(taken) == min(length, before)
        self.received += taken

    @rule(length=st.integers(0, 40))
    def receive_forget(self, length: int) -> None:
        before = self.connection.receive_poll_part(0, length)
        self.connection.receive_forget(length)
        if len(before) == length:
            self.received += before

    @rule(offset=st.integers(0, 40), length=st.integers(0, 40))
    def receive_poll(self, offset: int, length: int) -> None:
        polled = self.connection.receive_poll(offset, length)
        expected = self.said[len(self.received) + offset :][:length]
        if polled is not None:
            assert polled == expected

    @rule()
    def receive_all(self) -> None:
        self.received += self.connection.receive_all()

    def connected(self) -> bool:
        return hasattr(self.line, "_far") or bool(self.line.door.queue)

    @precondition(connected)
    @rule(data=st.binary(min_size=1, max_size=30), heard_at_once=st.booleans())
    def the_other_end_sends(self, data: bytes, heard_at_once: bool) -> None:
        try:
            count = self.line.far.send(data)
        except OSError:
            return
        self.said += data[:count]
        if heard_at_once:
            self.connection.update()

    @precondition(connected)
    @rule()
    def the_other_end_hears(self) -> None:
        try:
            self.heard += self.line.hear() or b""
        except ConnectionResetError:
            pass

    @precondition(connected)
    @rule(rarely=st.integers(0, 4))
    def the_other_end_finishes(self, rarely: int) -> None:
        if rarely == 0:
            self.line.far.finish()

    @precondition(connected)
    @rule(rarely=st.integers(0, 9), close=st.booleans())
    def the_other_end_breaks(self, rarely: int, close: bool) -> None:
        if rarely:
            return
        self.rude = True
        if close:
            self.line.far.close()
        else:
            self.line.network.cut()

    @invariant()
    def the_state_only_moves_down(self) -> None:
        self.seen[self.connection.state, not self.connection.receive_buffer_empty] += 1
        assert self.connection.state in ALLOWED[self.state]
        self.state = self.connection.state

    @invariant()
    def the_first_reason_stays(self) -> None:
        over = self.connection.state is DISCONNECTED
        assert (self.connection.reason is not None, not self.connection.alive) == (over, over)
        if self.reason is not None:
            assert self.connection.reason is self.reason
        self.reason = self.connection.reason

    @invariant()
    def bytes_keep_their_order_both_ways(self) -> None:
        assert self.said.startswith(self.received + self.connection.receive_poll_part(0, 1 << 20))
        assert self.sent.startswith(self.heard)

    @invariant()
    def a_nice_close_loses_nothing(self) -> None:
        if self.connection.reason == CLOSED and self.nice and not self.rude:
            self.heard += (self.line.hear() or b"") if self.connected() else b""
            assert self.heard == self.sent

    @invariant()
    def what_waits_is_what_was_not_heard(self) -> None:
        if not self.connection.alive:
            assert self.connection.send_buffer_length == 0
            assert self.connection.instantiate() == ([], [], [])
        else:
            assert self.connection.send_buffer_length <= len(self.sent) - len(self.heard)


def test_any_sequence_of_calls_keeps_the_states_the_reason_and_the_bytes() -> None:
    AnyCalls.seen.clear()

    run_state_machine_as_test(AnyCalls, settings=settings(max_examples=150, stateful_step_count=40))

    seen = AnyCalls.seen
    assert seen[CONNECTED, True] >= 50, f"the laws were not looked at where they bind: {seen}"


class Half:
    """A connect that gets nowhere."""

    where = "half way"
    address: Address | None = None
    hint = "hangs"

    def advance(self, now: float) -> Transport | Reason | None:
        return None

    def descriptors(self) -> Descriptors:
        return [1], [2], [3]

    def due(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def test_a_connection_has_the_descriptors_of_what_it_connects_with() -> None:
    connection: Connection[None] = Connection(Half(), None, timeout=None, ping=None, timeline=Timeline(FakeClock()))
    connection.update()

    assert connection.instantiate() == ([1], [2], [3])
    assert repr(connection) == "<Connection connecting to half way>"


def test_in_a_child_a_connection_is_over_and_its_descriptors_are_left_alone() -> None:
    line = Line().opened()
    line.connection.send(b"to nobody")

    line.connection._abandon()
    line.connection.update()
    line.connection.close()

    assert (line.connection.state, line.connection.send_buffer_length) == (DISCONNECTED, 0)
    assert line.connection.reason == closed_here(TEXT)


def test_an_exception_in_a_call_is_told_to_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, notes = scripted(Scripted()), Notes()
    connection._keeper = notes

    def interrupt(queue: SendQueue, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SendQueue, "append", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.send(b"x")

    assert notes.heard == ["has output", "interrupted"]


def test_a_goodbye_that_an_exception_came_into_is_told_to_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, notes = scripted(Scripted()), Notes()
    connection._keeper = notes

    def interrupt(connection: Connection[Any], state: State) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Connection, "_become", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.close_nicely()

    assert notes.heard == ["interrupted"]


def test_the_keeper_of_what_is_over_hears_of_it_again_when_that_was_interrupted() -> None:
    heard: list[Connection[Any]] = []

    class Keeping(Notes):
        def _forget(self, connection: Connection[Any]) -> None:
            heard.append(connection)

    connection = scripted(Scripted())
    connection._keeper = Keeping()
    connection.close()

    connection._break()
    connection._keeper = None
    connection._break()

    assert heard == [connection, connection]


def test_of_the_deadlines_of_a_connect_and_of_its_close_the_earlier_one_counts() -> None:
    timeline = Timeline(FakeClock(5.0))
    connection: Connection[None] = Connection(Half(), None, timeout=None, ping=None, timeline=timeline)
    connection.send(b"x")

    connection.close_nicely(60.0)
    later = connection._deadline()
    connection.close_nicely(1.0)
    earlier = connection._deadline()

    assert (later, earlier) == (5.0 + CONNECT_TIMEOUT, 5.0 + 1.0)
