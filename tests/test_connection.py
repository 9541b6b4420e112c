"""The verbs of those who speak bytes, in every state, over the network in memory and real descriptors."""

import gc
import math
import os
import select
import socket
import sys
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
from inside import transport_of
from line import CLOSED, CONNECTED, CONNECTING, DISCONNECTED, DISCONNECTING, Half, Line, every_state, in_state

from netcode.address import Address
from netcode.connection import MAX_RECEIVE_BUFFER, Connection, State, connect, custom, stream_of
from netcode.loop.clock import Timeline
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted
from netcode.stream import intake as module
from netcode.stream.contract import ALONE
from netcode.stream.stream import Stream
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Ready
from netcode.transport.tcp import TCP
from netcode.waiting import wait


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


@pytest.mark.fault(33, "memory")
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
    fd = transport_of(connection).read_fd

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

    assert stream_of(connection).ended_input is True
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


@needs_pipes
def test_who_stopped_reading_a_pipe_is_noticed_without_sending() -> None:
    read, write = os.pipe()
    connection = custom(output=write)
    connection.update()
    alive = connection.alive

    os.close(read)
    connection.update()

    assert alive
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_an_update_within_an_update_is_refused() -> None:
    one, other = socket.socketpair()
    refused: list[str] = []

    class Meddling(FakeClock):
        def __call__(self) -> float:
            if refused or connection is None:
                return super().__call__()
            refused.append("")
            with pytest.raises(RuntimeError) as caught:
                connection.update()
            refused.append(str(caught.value))
            return super().__call__()

    connection: Connection[None] | None = None
    connection = custom(input=one, output=one, clock=Meddling())
    other.send(b"once")
    connection.update()
    other.send(b", twice")
    connection.update()

    assert refused == ["", "Connection.update() is already running: call it from one place, in one thread"]
    assert connection.receive_all() == b"once, twice"
    connection.close()
    other.close()


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
        with pytest.raises(TypeError, match="clock must be a function that tells the time, not int"):
            custom(input=one, output=one, clock=5)  # type: ignore[call-overload]  # pyright: ignore

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

    assert (known.state, known.remote_address) == (CONNECTING, Address("198.51.100.7", 1))


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


@pytest.mark.games
def test_any_sequence_of_calls_keeps_the_states_the_reason_and_the_bytes() -> None:
    AnyCalls.seen.clear()

    run_state_machine_as_test(AnyCalls, settings=settings(max_examples=150, stateful_step_count=40))

    seen = AnyCalls.seen
    assert seen[CONNECTED, True] >= 50, f"the laws were not looked at where they bind: {seen}"


def test_a_connection_has_the_descriptors_of_what_it_connects_with() -> None:
    connection: Connection[None] = Connection(Half(), None, timeout=None, ping=None, timeline=Timeline(FakeClock()))
    connection.update()

    assert connection.instantiate() == ([1], [2], [3])
    assert repr(connection) == "<Connection connecting to half way>"


@pytest.mark.parametrize("call", ["send", "close_nicely"])
def test_a_call_that_an_exception_came_into_is_told_to_the_set(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    line = Line().opened()
    told: list[bool] = []

    def interrupt(host: object, stream: Stream) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(ALONE), "output", interrupt)

    def note(stream: Stream) -> None:
        told.append(stream.alive)

    monkeypatch.setattr(Stream, "interrupted", note)
    with pytest.raises(KeyboardInterrupt):
        getattr(line.connection, call)(*([b"x"] if call == "send" else []))

    assert told == [True]


def test_an_update_that_an_exception_came_into_is_followed_by_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(timeout=10.0, ping=b"!").opened()

    def interrupt(stream: Stream, now: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr(Stream, "flush", interrupt)
        with pytest.raises(KeyboardInterrupt):
            line.connection.update()
    line.connection.update()

    assert (line.connection.timeout, line.connection.ping) == (10.0, b"!")
    assert line.connection.reason == interrupted("server:7777")


def test_in_a_child_it_is_over() -> None:
    line = Line().opened()

    line.connection._abandon()
    line.connection.close_nicely(1.0)

    assert (line.connection.state, line.connection.reason) == (DISCONNECTED, closed_here(TEXT))


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that has an error for this")
def test_a_program_in_a_terminal_that_ends_before_it_has_read_everything_closed_the_connection() -> None:
    import pty

    master, terminal = pty.openpty()
    connection = custom(input=master, output=master)
    connection.send(b"more than it ever reads\n" * 10_000)
    connection.update()

    os.close(terminal)
    for _ in as_long_as(lambda: connection.alive):
        wait(connection, timeout=0.1)
        connection.update()
        connection.receive_all()

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED_BY_PEER
    assert str(connection.reason).endswith(" bytes were not sent")
