"""One stream: its states, its way in and out, and who ended what first."""

import errno
import itertools
import math
import threading
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from bounds import as_long_as
from interrupts import Press
from line import BY_PEER, CLOSED, CONNECTED, CONNECTING, DISCONNECTED, DISCONNECTING, Half, Line, every_state, in_state

from netcode.address import Address
from netcode.connection import (
    CONNECT_TIMEOUT,
    LINGER,
    MAX_RECEIVE_BUFFER,
    Connection,
    State,
    connect,
    stream_of,
)
from netcode.loop.clock import Timeline
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted, reason_from_error
from netcode.stream import driver
from netcode.stream.buffer import JOIN_BELOW, LEAST_ROOM, ReceiveBuffer, SendQueue
from netcode.stream.connecting import Connecting
from netcode.stream.contract import ALONE, SCRATCH
from netcode.stream.draining import DRAIN
from netcode.stream.stream import DRAIN_READS, LOOSE, Stream
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Heard, Ready, Transport
from netcode.transport.tcp import TcpNetwork
from netcode.waiting import wait

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


def test_what_carries_it_knows_best_where_the_other_end_is() -> None:
    transport = Scripted()
    transport.address = Address("whom a proxy speaks for", 1)
    connector = Ready(transport)
    connector.address = Address("a proxy", 2)

    connection: Connection[None] = Connection(connector, None, timeout=None, ping=None, timeline=Timeline(FakeClock()))
    before = connection.remote_address
    connection.update()

    assert (before, connection.remote_address) == (Address("a proxy", 2), Address("whom a proxy speaks for", 1))


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
        assert told.wait(60)
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
        with suppress(BlockingIOError):  # while it may still be that somebody takes what is there
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


def test_an_end_with_a_broken_way_out_is_still_an_end_and_says_what_was_not_sent() -> None:
    line = Line().opened()
    line.connection.send(b"nobody hears")
    line.far.close()

    line.connection.update()

    text = "server:7777 closed the connection; 12 bytes were not sent"
    assert line.connection.reason == Reason(ReasonCode.CLOSED_BY_PEER, text)


def test_who_has_ended_its_side_is_still_sent_what_was_queued_for_it() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))
    line.far.finish()

    line.connection.update()
    state = line.connection.state
    line.connection.send(b"ignored")
    heard = b""
    for _ in range(3):
        heard += line.hear() or b""
        line.connection.update()

    assert state is DISCONNECTING
    assert (heard, line.hear()) == (bytes(2500), b"")
    assert line.connection.reason == BY_PEER


def test_who_has_ended_its_side_and_goes_in_the_middle_of_what_it_is_sent_has_closed() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))
    line.far.finish()

    line.connection.update()
    line.far.close()
    line.connection.update()

    text = "server:7777 closed the connection; 1500 bytes were not sent"
    assert line.connection.reason == Reason(ReasonCode.CLOSED_BY_PEER, text)


def test_who_has_ended_its_side_may_be_given_up() -> None:
    line = Line(capacity=1000).opened()
    line.connection.send(bytes(2500))
    line.far.finish()
    line.connection.update()

    line.connection.close_nicely(1.0)
    line.later(1.0)

    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.CLOSE_TIMEOUT


def test_a_link_of_messages_that_ends_without_a_goodbye_is_broken_at_once() -> None:
    taker = Taker()
    transport = Scripted(b"", sends=1)
    connection = driven(transport, taker)
    connection.send(b"later")

    connection.update()

    assert connection.reason == Reason(ReasonCode.CLOSED_BY_PEER, "the other end closed the connection")


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


def test_who_takes_nothing_of_a_goodbye_any_more_ends_it_though_it_had_ended_its_side() -> None:
    class OneWay(Scripted):
        def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
            return self.send(b"".join(chunks))

    transport = OneWay(BlockingIOError(), b"", sends=BlockingIOError())
    connection = scripted(transport)
    connection.send(b"goodbye")
    connection.close_nicely(60.0)
    connection.update()
    before = connection.state

    transport.sends = ConnectionResetError(errno.ECONNRESET, "reset")
    connection.update()

    assert (before, connection.state) == (DISCONNECTING, DISCONNECTED)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


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
    full, state = line.connection.receive_all(), line.connection.state
    line.connection.send(b"nobody?")
    line.connection.update()
    rest = line.connection.receive_all()

    assert len(full) == MAX_RECEIVE_BUFFER
    assert full + rest == b"sorry, " * 10_000
    assert (state, line.connection.state) == (CONNECTED, DISCONNECTED)
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


def scripted(transport: Transport, clock: FakeClock | None = None) -> Connection[None]:
    timeline = Timeline(clock or FakeClock())
    connection: Connection[None] = Connection(Ready(transport), None, timeout=None, ping=None, timeline=timeline)
    connection.update()
    return connection


def test_who_is_heard_without_a_byte_is_not_silent() -> None:
    clock = FakeClock()
    transport = Scripted(*[Heard()] * 40)
    connection: Connection[None] = Connection(Ready(transport), None, timeout=1.0, ping=b"?", timeline=Timeline(clock))
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
    text = "the other end closed the connection; 6 bytes were not sent"
    assert connection.reason == Reason(ReasonCode.CLOSED_BY_PEER, text)


def test_a_nice_close_behind_a_broken_way_out_is_over_at_the_end_and_no_clean_one() -> None:
    error = BrokenPipeError(errno.EPIPE, "broken")
    connection = scripted(Scripted(BlockingIOError(), BlockingIOError(), b"bye", b"", sends=error))

    connection.send(b"hello?")
    connection.close_nicely()
    connection.update()
    connection.update()

    assert connection.receive_all() == b"bye"
    assert connection.reason == reason_from_error(error, "the other end")


def test_what_a_failed_write_has_lost_is_counted_where_a_close_takes_too_long() -> None:
    clock, more = FakeClock(), [b"more"] * DRAIN_READS
    transport = Scripted(BlockingIOError(), BlockingIOError(), *more, *more, sends=BrokenPipeError(errno.EPIPE, ""))
    connection = scripted(transport, clock)

    connection.send(b"hello?")
    connection.close_nicely(3.0)
    connection.update()
    lost = connection.send_buffer_length
    for _ in range(8):
        connection.update()
        clock.advance(0.5)

    assert (lost, connection.send_buffer_length) == (6, 0)
    assert connection.reason is not None
    assert connection.reason.text.endswith("6 bytes were not sent within timeout = 3 s")


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

    transport.receives = [BlockingIOError(), *(b"x" for _ in range(DRAIN_READS + 1)), *([bytes(SCRATCH)] * 1000)]
    connection.send(b"hello?")
    connection.update()
    at_once, state = connection.receive_all(), connection.state
    later = 0
    for _ in as_long_as(lambda: connection.alive):
        connection.update()
        later += len(connection.receive_all())

    assert (at_once, state) == (b"x" * DRAIN_READS, CONNECTED)
    assert DRAIN < len(at_once) + later <= DRAIN + SCRATCH
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


# A receiver takes the bytes instead of the buffer.


class Taker:
    """A receiver and an owner that takes as much as it is told to."""

    believes_ends: ClassVar[bool] = False

    def __init__(self, room: int = 1 << 30) -> None:
        self.rest: ReceiveBuffer | None = None
        self.hungry = self.full = False
        self.missing = 0
        self.room = room
        self.taken = b""
        self.heard: list[str] = []
        self.deadline_at = math.inf

    def __len__(self) -> int:
        return 0 if self.rest is None else len(self.rest)

    @property
    def waits_for_game(self) -> bool:
        return False

    def has_room(self) -> bool:
        return not self.full

    def space(self, scratch: memoryview) -> memoryview | None:
        room = None if self.rest is None else self.rest.room(self.missing)
        return scratch[:] if room is None else room

    def received(self, room: memoryview, count: int) -> bool:
        if self.rest is not None and self.rest.owns(room):
            room.release()
            self.rest.added(count)
        else:
            self.rest = self.rest or ReceiveBuffer()
            self.rest.append(room[:count])
        return self.resume()

    def resume(self) -> bool:
        self.hungry = False
        if self.rest is not None:
            with self.rest.view() as view:
                taken = bytes(view[: self.room])
            self.rest.drop(self.room)
            self.taken += taken
            self.room -= len(taken)
            if not len(self.rest):
                self.rest = None
        return self.hungry

    def opened(self, stream: Stream) -> None:
        self.heard.append("opened")

    def ended(self, stream: Stream) -> None:
        self.heard.append("ended")

    def deadline(self, stream: Stream) -> float:
        return self.deadline_at

    def due(self, stream: Stream, now: float) -> float:
        self.heard.append("due")
        return self.deadline_at


class Driven(Stream):
    """A stream that its test updates by itself."""

    __slots__ = ()

    def update(self) -> None:
        driver.update(self, memoryview(bytearray(SCRATCH)))


def driven(transport: Transport, taker: Taker) -> Driven:
    stream = Driven(Connecting(Ready(transport), 0.0), taker, taker, Timeline(FakeClock()))
    stream.update()
    return stream


def test_a_receiver_hears_of_the_beginning_and_the_end_once() -> None:
    taker = Taker()
    connection = driven(Scripted(), taker)

    connection.close()
    connection.close()
    connection.update()

    assert taker.heard == ["opened", "due", "ended"]


def test_a_receiver_takes_what_it_can_and_is_offered_the_rest_with_what_follows() -> None:
    taker = Taker(room=4)
    transport = Scripted(b"abcdef")
    connection = driven(transport, taker)
    first, left = taker.taken, len(taker)

    taker.room = 100
    transport.receives = [b"ghi"]
    connection.update()
    second = taker.taken, len(taker)
    transport.receives = [b"jkl"]
    connection.update()

    assert (first, left) == (b"abcd", 2)
    assert second == (b"abcdefghi", 0)
    assert (taker.taken, taker.rest) == (b"abcdefghijkl", None)


def test_a_hungry_connection_is_fed_before_more_is_read() -> None:
    taker = Taker(room=0)
    transport = Scripted(b"abc")
    connection = driven(transport, taker)
    taker.hungry = True

    wants = connection.wants_input(), driver.seconds_left(connection)
    transport.receives = [b"def"]
    taker.room = 2
    connection.update()

    assert wants == (False, 0.0)
    assert (taker.taken, transport.receives) == (b"ab", [b"def"])
    assert taker.hungry is False


def test_a_hungry_connection_with_nothing_left_is_fed_nothing() -> None:
    taker = Taker()
    connection = driven(Scripted(), taker)
    taker.hungry = True

    connection.update()

    assert (taker.taken, taker.hungry) == (b"", False)


def test_the_rest_of_a_large_message_is_received_in_place() -> None:
    taker = Taker(room=0)
    transport = Scripted(b"head", b"x" * SCRATCH)
    connection = driven(transport, taker)
    taker.missing = 3 * SCRATCH

    connection.update()
    transport.receives = [b"y" * (SCRATCH + 4)]
    connection.update()
    held = len(taker)
    connection.update()
    taker.room, taker.missing = 1 << 30, SCRATCH
    transport.receives = [b"z" * SCRATCH]
    connection.update()

    assert held == 8 + 2 * SCRATCH  # more than goes through the scratch at once
    assert taker.taken == b"head" + b"x" * SCRATCH + b"y" * (SCRATCH + 4) + b"z" * SCRATCH
    assert len(taker) == 0


@pytest.mark.parametrize(
    ("end", "code"), [(b"", ReasonCode.CLOSED_BY_PEER), (ConnectionResetError(errno.ECONNRESET, "x"), ReasonCode.RESET)]
)
def test_a_large_message_may_never_be_completed(end: bytes | OSError, code: ReasonCode) -> None:
    taker = Taker(room=0)
    transport = Scripted(b"h" * LEAST_ROOM)
    connection = driven(transport, taker)
    taker.missing = LEAST_ROOM

    transport.receives = [end]
    connection.update()

    assert connection.reason is not None
    assert connection.reason.code is code


def test_what_a_receiver_does_not_take_while_it_ends_the_connection_is_dropped() -> None:
    class Ender(Taker):
        def received(self, room: memoryview, count: int) -> bool:
            connection.close()
            return True

    taker = Ender()
    transport = Scripted()
    connection = driven(transport, taker)
    transport.receives = [b"abc"]
    connection.update()

    assert (connection.reason, len(taker)) == (CLOSED, 0)


class Giver:
    """A source that was given what is to be sent."""

    def __init__(self, *batch: bytes) -> None:
        self.batch = [*batch]

    def collect(self) -> bytes:
        data = b"".join(self.batch)
        self.batch.clear()
        return data

    def collect_apart(self) -> list[bytes]:
        chunks, self.batch = self.batch, []
        return chunks


def test_what_a_source_has_gathered_is_collected_and_sent_at_once() -> None:
    transport = Scripted()
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"one", b"two")

    sends = stream_of(connection).has_to_send()
    connection.update()

    assert sends is True
    assert transport.calls == ["send 6"]
    assert stream_of(connection).has_to_send() is False
    assert stream_of(connection).outgoing is None


def test_what_a_source_has_gathered_leaves_behind_what_waits_already() -> None:
    transport = Scripted()
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"three")
    connection.send(b"onetwo")

    connection.update()

    assert transport.calls == ["send 11"]


def test_what_a_source_has_gathered_meanwhile_leaves_behind_a_queue() -> None:
    transport = Scripted(sends=BlockingIOError())
    connection = scripted(transport)
    source = stream_of(connection).source = Giver()
    connection.send(bytes(LOOSE + 1))
    connection.update()
    source.batch += [b"one", b"two"]

    connection.update()

    assert transport.calls == [f"send [{LOOSE + 7}]"]  # it refused the first


@pytest.mark.parametrize("taken", [0, 2])
def test_what_the_network_did_not_take_of_it_waits(taken: int) -> None:
    transport = Scripted(sends=taken or BlockingIOError())
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"one", b"two")

    connection.update()

    assert connection.send_buffer_length == 6 - taken
    assert stream_of(connection).has_to_send() is True


def test_a_way_out_that_breaks_under_what_a_source_gave_is_the_reason() -> None:
    transport = Scripted(sends=EPIPE)
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"one")

    connection.update()

    assert connection.reason is not None
    assert (connection.reason.code, connection.send_buffer_length) == (ReasonCode.RESET, 0)


def test_a_receiver_has_deadlines_of_its_own() -> None:
    taker = Taker()
    connection = driven(Scripted(), taker)

    before = connection.deadline()
    taker.deadline_at = 1234.0

    assert (before, connection.deadline()) == (math.inf, 1234.0)


EPIPE = BrokenPipeError(errno.EPIPE, "broken")


@pytest.mark.parametrize(
    "end", [b"", BlockingIOError(), ConnectionResetError(errno.ECONNRESET, "reset")], ids=["end", "nothing", "reset"]
)
@pytest.mark.parametrize("large", [False, True])
def test_behind_a_broken_way_out_a_receiver_is_fed_share_by_share(end: bytes | OSError, large: bool) -> None:
    head = b"h" * LEAST_ROOM
    taker = Taker(room=0)
    transport = Scripted(head)
    connection = driven(transport, taker)
    taker.room, taker.missing = 1 << 30, LEAST_ROOM if large else 0
    transport.receives = [BlockingIOError(), b"you are ", b"banned", end]
    transport.sends = EPIPE

    connection.send(b"hello?")
    states: list[tuple[bytes, State]] = []
    for _ in range(3):
        connection.update()
        states.append((taker.taken, connection.state))

    assert states == [
        (head + b"you are ", CONNECTED),
        (head + b"you are banned", CONNECTED),
        (head + b"you are banned", DISCONNECTED),
    ]
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_a_nice_close_whose_way_out_broke_has_failed() -> None:
    transport = Scripted(sends=EPIPE)
    connection = driven(transport, Taker())

    connection.send(b"goodbye")
    connection.close_nicely(None)
    transport.receives = [BlockingIOError(), b"more", b"and more", b""]
    for _ in range(4):
        connection.update()

    assert "finish" not in transport.calls
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_a_hungry_receiver_is_not_fed_by_a_broken_way_out() -> None:
    taker = Taker()
    transport = Scripted(sends=EPIPE)
    connection = driven(transport, taker)

    taker.hungry = True
    transport.receives = [b"later"]
    connection.send(b"hello?")
    connection.flush(0.0)

    assert (taker.taken, connection.state, taker.hungry) == (b"", CONNECTED, True)


# A host, usually a set, hears what it has to know.


class Notes:
    """A host that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str | tuple[str, float]] = []

    def output(self, stream: Stream) -> None:
        self.heard.append("has output")

    def answer(self, stream: Stream) -> None:
        self.heard.append("answers")

    def forget(self, stream: Stream) -> None:
        assert stream.transport is not None
        self.heard.append("forget")

    def schedule(self, stream: Stream, when: float) -> None:
        if when < stream.wake:
            stream.wake = when
            self.heard.append(("schedule", when))

    def watch(self, stream: Stream) -> None:
        self.heard.append(f"watch, input {'wanted' if stream.wants_input() else 'not wanted'}")

    def hold(self, stream: Stream) -> None:
        self.heard.append(f"hold, input {'wanted' if stream.wants_input() else 'not wanted'}")

    def interrupted(self) -> None:
        self.heard.append("interrupted")

    def tell_again(self, stream: Stream) -> None:
        self.heard.append("there may be more")

    def take(self) -> list[str | tuple[str, float]]:
        heard = [*self.heard]
        self.heard.clear()
        return heard


def test_an_answer_waits_for_something_to_go_with_where_a_host_knows_of_it() -> None:
    notes = Notes()
    alone, kept = scripted(Scripted()), scripted(Scripted())
    stream_of(kept).host = notes

    stream_of(alone).answer(b"pong")
    stream_of(kept).answer(b"pong")
    waits = notes.take()
    stream_of(kept).answer(b"more")
    stream_of(kept).send(b"hit")
    goes_along = notes.take()

    assert (waits, goes_along) == (["answers"], [])
    assert (alone.send_buffer_length, kept.send_buffer_length) == (4, 11)


@pytest.mark.parametrize("size", [1, LOOSE, LOOSE + 1])
@pytest.mark.parametrize("ways", [*itertools.product(["send", "answer"], repeat=3)])
def test_what_is_sent_and_answered_leaves_in_order_and_together(ways: tuple[str, ...], size: int) -> None:
    class Recording(Scripted):
        def send(self, data: bytes | memoryview) -> int:
            sent.append(bytes(data))
            return len(data)

    sent: list[bytes] = []
    connection = scripted(Recording())
    parts = [b"a" * size, b"b", b"c" * size]

    for way, part in zip(ways, parts, strict=True):
        getattr(stream_of(connection), way)(part)
    waiting = connection.send_buffer_length
    connection.update()

    assert waiting == 2 * size + 1
    assert sent == [b"".join(parts)]
    assert connection.send_buffer_length == 0


def test_an_answer_goes_ahead_of_what_the_source_gives_in_one_send() -> None:
    transport = Scripted()
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"hit")

    stream_of(connection).answer(b"pong")
    stream_of(connection).flush(0.0)

    assert transport.calls == ["send 7"]
    assert connection.send_buffer_length == 0


def test_an_answer_behind_a_blocked_queue_waits_in_it() -> None:
    connection = scripted(Scripted(sends=0))
    connection.send(b"hit")
    connection.update()

    stream_of(connection).answer(b"pong")

    assert connection.send_buffer_length == 7


@pytest.mark.parametrize("size", [1, LOOSE + 1])
def test_what_a_broken_way_out_did_not_take_waits_no_more(size: int) -> None:
    taker = Taker()
    stream = driven(Scripted(b"good", b"bye", sends=ConnectionResetError(errno.ECONNRESET, "reset")), taker)

    stream.send(bytes(size))
    stream.send(bytes(size))
    stream.flush(0.0)

    assert (stream.alive, stream.waiting) == (True, 0)


@pytest.mark.parametrize("end", [b"", ConnectionResetError(errno.ECONNRESET, "reset")])
def test_the_room_of_a_receiver_is_its_own_again_when_it_hears_of_the_end(end: bytes | OSError) -> None:
    class Keeper(Taker):
        def ended(self, stream: Stream) -> None:
            super().ended(stream)
            assert self.rest is not None
            self.rest.append(bytes(2 * LEAST_ROOM))  # which moves what it owns: nobody else may hold a part of it

    taker = Keeper()
    taker.rest, taker.missing = ReceiveBuffer(), LEAST_ROOM
    taker.rest.append(bytes(LEAST_ROOM))
    stream = driven(Scripted(end), taker)

    assert (stream.alive, taker.heard) == (False, ["opened", "ended"])


def test_a_nice_close_ends_at_its_limit_and_is_looked_at_by_then() -> None:
    taker = Taker()
    stream = driven(Scripted(sends=0), taker)
    now = stream.timeline.now
    stream.send(b"x")
    stream.close_nicely(1.0)
    stream.flush(now)
    taker.deadline_at = now + 5.0

    before, when = stream.alive, stream.check(now + 0.5)
    over = stream.check(now + 1.0)

    assert (before, when, over, stream.alive) == (True, now + 1.0, math.inf, False)


def test_a_look_notes_since_when_what_came_later_waits() -> None:
    stream = driven(Scripted(sends=0), Taker())
    stream.send(b"x")
    stream.flush(0.0)
    stream.send(b"y")
    stream.check(1.0)
    queue = stream.outgoing
    assert queue is not None

    queue.sent(1, 2.0)

    assert queue.since() == 1.0


def test_who_is_over_and_is_broken_off_hears_of_its_end_once() -> None:
    taker = Taker()
    stream = driven(Scripted(), taker)

    stream.close()
    stream.break_off()

    assert taker.heard.count("ended") == 1


def test_what_is_left_of_a_bulk_is_offered_as_its_beginning_was() -> None:
    class Narrow(Scripted):
        def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
            super().send_chunks(chunks)
            return 10

    transport = Narrow()
    connection = scripted(transport)

    stream_of(connection).send(bytes(JOIN_BELOW + 5))
    stream_of(connection).flush(0.0)
    stream_of(connection).flush(0.0)

    assert transport.calls == [f"send [{JOIN_BELOW + 5}]", f"send [{JOIN_BELOW - 5}]"]


def test_what_an_exception_came_into_ends_with_the_next_update() -> None:
    class Pressed(Taker):
        def resume(self) -> bool:
            raise KeyboardInterrupt

    taker = Pressed()
    connection = driven(Scripted(), taker)
    taker.hungry = True

    with pytest.raises(KeyboardInterrupt):
        connection.update()
    connection.update()

    assert connection.state is State.DISCONNECTED
    assert connection.reason == interrupted(connection.describe())
    assert taker.heard.count("ended") == 1


def test_an_end_that_an_exception_came_into_is_finished_by_the_next_update() -> None:
    class Clumsy(Scripted):
        def close(self) -> None:
            super().close()
            if self.calls.count("close") == 1:
                raise KeyboardInterrupt

    transport, taker = Clumsy(), Taker()
    connection = driven(transport, taker)

    with pytest.raises(KeyboardInterrupt):
        connection.close()
    before = taker.heard.count("ended")
    connection.update()
    connection.update()

    assert (before, taker.heard.count("ended"), transport.calls.count("close")) == (0, 1, 2)
    assert connection.reason == closed_here()


@pytest.mark.parametrize("closing", [False, True])
def test_a_receiver_is_asked_what_is_due_and_when_it_wants_to_be_asked_again(closing: bool) -> None:
    taker = Taker()
    connection = driven(Scripted(), taker)
    if closing:
        connection.close_nicely(1000.0)
    taker.deadline_at = 1234.0
    taker.heard.clear()

    again = connection.check(1000.0)

    assert (again, taker.heard) == (1234.0, ["due"])


@pytest.mark.parametrize(("size", "heard"), [(SCRATCH, ["there may be more"]), (SCRATCH - 1, [])])
def test_a_host_hears_that_there_may_be_more_where_a_share_was_full(size: int, heard: list[str]) -> None:
    notes = Notes()
    connection = driven(Scripted(BlockingIOError(), bytes(size)), Taker())
    connection.host = notes

    connection.receive(0.0, memoryview(bytearray(SCRATCH)))

    assert notes.take() == heard


@pytest.mark.parametrize(("size", "heard"), [(SCRATCH, ["there may be more"]), (SCRATCH - 1, [])])
def test_a_host_hears_so_of_what_came_behind_a_rest_too(size: int, heard: list[str]) -> None:
    notes, taker = Notes(), Taker(0)
    connection = driven(Scripted(BlockingIOError(), b"rest", bytes(size)), taker)
    connection.receive(0.0, memoryview(bytearray(SCRATCH)))
    connection.host = notes

    connection.receive(0.0, memoryview(bytearray(SCRATCH)))

    assert (len(taker), notes.take()) == (4 + size, heard)


def test_what_a_source_gave_is_followed_by_our_end_where_we_are_closing() -> None:
    transport = Scripted()
    connection = scripted(transport)
    stream_of(connection).source = Giver(b"last")
    connection.close_nicely()

    connection.update()

    assert transport.calls == ["send 4", "finish"]


def test_a_host_hears_of_every_change_once() -> None:
    notes = Notes()
    line = Line(timeout=10.0, capacity=100_000)
    connection = line.connection
    stream_of(connection).host = notes
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
    assert full == ["there may be more", "hold, input not wanted"]
    assert taken == ["watch, input wanted"]  # there is room again
    assert closing == ["has output", ("schedule", now + 1.0)]
    assert notes.take() == ["forget"]


def test_a_host_hears_of_a_blocked_way_out_and_its_freedom() -> None:
    notes = Notes()
    line = Line(timeout=10.0, capacity=10).opened()
    stream_of(line.connection).host = notes

    line.connection.send(bytes(15))
    line.connection.update()
    blocked = notes.take(), stream_of(line.connection).blocked
    line.hear()
    line.connection.update()

    assert blocked == (["has output", "watch, input wanted", ("schedule", line.clock() + 5.0)], True)
    assert (notes.take(), stream_of(line.connection).blocked) == (["watch, input wanted"], False)


def test_a_host_hears_that_a_half_closed_end_gives_no_input() -> None:
    notes = Notes()
    line = Line(capacity=10).opened()
    stream_of(line.connection).host = notes
    line.connection.send(bytes(25))
    line.connection.close_nicely()
    line.far.finish()

    line.connection.update()

    assert "watch, input not wanted" in notes.take()


def test_a_host_may_ask_too_early_to_send() -> None:
    notes = Notes()
    line = Line()
    stream_of(line.connection).host = notes

    line.connection.send(b"early")
    stream_of(line.connection).flush(0.0)
    line.connection.send(b" bird")
    line.connection.update()

    assert notes.take()[:1] == ["has output"]
    assert line.hear() == b"early bird"


def test_a_host_may_know_first_that_the_way_out_broke() -> None:
    connection = scripted(Scripted())

    stream_of(connection).send_failed(EPIPE, 0.0)

    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


@pytest.mark.parametrize("connected", [False, True])
def test_what_was_noted_by_one_timeline_moves_to_another(connected: bool) -> None:
    line = Line(timeout=10.0)
    if connected:
        line.opened()
        line.connection.close_nicely(4.0)
    other = FakeClock(5.0)

    stream_of(line.connection).move_to(ALONE, Timeline(other))
    other.advance(0.5)
    line.connection.update()

    due = 5.0 + (4.0 if connected else 0.5 + 10.0 / 2)
    assert stream_of(line.connection).deadline() == due


def test_silence_moves_along_to_another_timeline() -> None:
    line = Line(timeout=10.0).opened()
    line.clock.advance(0.5)
    line.connection.update()

    stream_of(line.connection).move_to(ALONE, Timeline(FakeClock(5.0)))

    assert stream_of(line.connection).deadline() == 5.0 - 0.5 + 10.0 / 2


@pytest.mark.parametrize("connected", [False, True])
def test_in_a_child_a_connection_is_over_and_its_descriptors_are_left_alone(connected: bool) -> None:
    line = Line().opened() if connected else Line()
    line.connection.send(b"to nobody")

    line.connection._abandon()
    line.connection.update()
    line.connection.close()

    assert (line.connection.state, line.connection.send_buffer_length) == (DISCONNECTED, 0)
    assert line.connection.reason == closed_here(TEXT)


def test_an_exception_in_a_call_is_told_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, notes = scripted(Scripted()), Notes()
    stream_of(connection).host = notes

    def interrupt(queue: SendQueue, data: bytes) -> None:
        raise KeyboardInterrupt

    connection.send(b"x" * (LOOSE + 1))
    notes.heard.clear()
    monkeypatch.setattr(SendQueue, "append", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.send(b"x")

    assert notes.heard == ["interrupted"]


def test_a_goodbye_that_an_exception_came_into_is_told_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, notes = scripted(Scripted()), Notes()
    stream_of(connection).host = notes

    def interrupt(stream: Stream, state: State) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Stream, "_become", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.close_nicely()

    assert notes.heard == ["interrupted"]


def test_the_host_of_what_is_over_hears_of_it_again_when_that_was_interrupted() -> None:
    heard: list[Stream] = []

    class Keeping(Notes):
        def forget(self, stream: Stream) -> None:
            heard.append(stream)

    connection = scripted(Scripted())
    stream_of(connection).host = Keeping()
    connection.close()

    stream_of(connection).break_off()
    stream_of(connection).host = ALONE
    stream_of(connection).break_off()

    assert heard == [stream_of(connection)] * 2


def test_of_the_deadlines_of_a_connect_and_of_its_close_the_earlier_one_counts() -> None:
    timeline = Timeline(FakeClock(5.0))
    connection: Connection[None] = Connection(Half(), None, timeout=None, ping=None, timeline=timeline)
    connection.send(b"x")

    connection.close_nicely(60.0)
    later = stream_of(connection).deadline()
    connection.close_nicely(1.0)
    earlier = stream_of(connection).deadline()

    assert (later, earlier) == (5.0 + CONNECT_TIMEOUT, 5.0 + 1.0)


def test_who_is_still_hungry_after_its_share_is_held_again() -> None:
    class Hungry(Taker):
        def resume(self) -> bool:
            return True

    taker, notes = Hungry(), Notes()
    stream = driven(Scripted(), taker)
    stream.host = notes
    taker.hungry = True

    stream.receive(0.0, memoryview(bytearray(SCRATCH)))

    assert notes.take() == ["hold, input not wanted"]


def test_where_its_receiver_takes_no_more_it_reads_nothing() -> None:
    class Full(Taker):
        def space(self, scratch: memoryview) -> memoryview | None:
            return None

    taker = Full(room=0)
    transport = Scripted(b"full")
    stream = driven(transport, taker)
    transport.receives = [b"more", BlockingIOError()]
    scratch = memoryview(bytearray(SCRATCH))

    read = [stream.receive(0.0, scratch)]
    stream.close_nicely(None)
    read += [stream.receive(0.0, scratch) for _ in range(2)]

    assert read == [False, False, False]
    assert (len(taker), len(transport.receives)) == (4, 2)


def test_a_read_that_fails_leaves_the_room_that_it_was_given() -> None:
    taker = Taker(room=0)
    head = b"h" * LEAST_ROOM
    transport = Scripted(head)
    stream = driven(transport, taker)
    taker.missing = LEAST_ROOM
    transport.receives = [BlockingIOError(), b"more"]

    stream.update()
    taker.missing = 0
    stream.update()

    assert taker.rest is not None
    assert bytes(taker.rest.view()) == head + b"more"


@pytest.mark.parametrize("taken", [0, 2, 6])
def test_what_a_signal_handler_sends_in_the_middle_of_a_send_keeps_its_place(taken: int) -> None:
    class Signalled(Scripted):
        """A signal comes while it takes the first bytes."""

        data = b""

        def send(self, data: bytes | memoryview) -> int:
            count = len(data)
            if not self.calls:
                self.calls.append("a signal")
                connection.send(b"handler")
                count = taken
            self.data += data[:count]
            if not count:
                raise BlockingIOError
            return count

        def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
            return self.send(b"".join(chunks))

    transport = Signalled()
    connection = scripted(transport)
    connection.send(b"123456")
    connection.update()
    connection.send(b"later")
    connection.update()
    connection.update()

    assert transport.data == b"123456handlerlater"
    assert connection.send_buffer_length == 0


@pytest.mark.parametrize("handed", [(b"handler",), (b"han", b"dler"), (bytes(LOOSE + 1),)])
@pytest.mark.parametrize("waits", [False, True])
def test_what_a_signal_handler_sends_at_any_point_of_an_update_is_sent_once(
    handed: tuple[bytes, ...], waits: bool
) -> None:
    class Slow(Scripted):
        """Takes two bytes at first."""

        data = b""

        def send(self, data: bytes | memoryview) -> int:
            count = len(data) if self.data else 2
            self.data += data[:count]
            return count

        def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
            return self.send(b"".join(chunks))

    def signal() -> None:
        for data in handed:
            connection.send(data)

    at, where = 0, "the beginning"
    while where:
        at += 1
        transport, press = Slow(), Press(at, signal)
        connection = scripted(transport)
        connection.send(b"123456")
        if waits:
            connection.update()
            connection.send(b"more")
            connection.send(b"still")
        with press:
            connection.update()
        where = press.where
        connection.send(b"later")
        for _ in range(3):
            connection.update()

        before = b"123456morestill" if waits else b"123456"
        assert transport.data == before + (b"".join(handed) if where else b"") + b"later", where
        assert connection.send_buffer_length == 0
    assert at > 10
