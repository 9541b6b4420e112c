"""What drives a stream of which no poller tells: each thing in its turn, and what is waited for in between."""

import errno
from collections.abc import Callable

import pytest
from line import CONNECTED, CONNECTING, DISCONNECTED, Line

from netcode.address import Address
from netcode.connection import stream_of
from netcode.loop.clock import Timeline
from netcode.reasons import interrupted
from netcode.stream.connecting import Connecting
from netcode.stream.contract import SCRATCH
from netcode.stream.driver import descriptors, seconds_left, send_now, step, together, update
from netcode.stream.intake import MAX_RECEIVE_BUFFER, TAKES, Intake
from netcode.stream.stream import Stream
from netcode.testing import FakeClock
from netcode.transport import Ready


class Wire:
    """A transport with descriptors, and what is to come over it."""

    lingers = drains = False
    grain = 0
    address: Address | None = None

    def __init__(self, read: int, write: int) -> None:
        self.read_fd, self.write_fd = read, write
        self.coming: list[Callable[[], bytes]] = []
        self.sent = b""
        self.room = 1 << 20

    def receive_into(self, buffer: memoryview) -> int:
        if not self.coming:
            raise BlockingIOError
        data = self.coming.pop(0)()
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        count = min(self.room, len(data))
        self.sent += data[:count]
        self.room -= count
        return count

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return self.send(chunks[0])

    def probe(self) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...


def scratch() -> memoryview:
    return memoryview(bytearray(SCRATCH))


def over(wire: Wire, clock: FakeClock | None = None, timeout: float | None = None) -> Stream:
    intake = Intake(timeout, None)
    stream = Stream(Connecting(Ready(wire), 0.0), intake, intake, Timeline(clock or FakeClock()))
    update(stream, scratch())
    assert stream.state is CONNECTED
    return stream


def test_one_step_connects_receives_and_sends() -> None:
    wire, intake = Wire(3, 3), Intake(None, None)
    stream = Stream(Connecting(Ready(wire), 0.0), intake, intake, Timeline(FakeClock()))
    stream.send(b"hi")
    wire.coming = [lambda: b"ahoy"]

    step(stream, stream.timeline.now, scratch())

    assert (stream.state, intake.peek(0, 9), wire.sent) == (CONNECTED, b"ahoy", b"hi")


def test_what_is_still_on_its_way_has_nothing_to_receive_or_to_send() -> None:
    line = Line()
    line.network.down = True
    stream = stream_of(line.connection)
    stream.send(b"hi")

    step(stream, stream.timeline.now, scratch())

    assert (stream.state, stream.waiting) == (CONNECTING, 2)


def test_what_ends_in_the_middle_of_a_step_sends_nothing_any_more() -> None:
    wire = Wire(3, 3)
    stream = over(wire)
    stream.send(b"more")

    def end() -> bytes:
        stream.close()
        return b""

    wire.coming = [end]
    step(stream, stream.timeline.now, scratch())

    assert (stream.state, wire.sent) == (DISCONNECTED, b"")


def test_what_an_exception_leaves_half_way_ends_with_the_next_update_and_later_ones_do_nothing() -> None:
    wire = Wire(-1, -1)
    stream = over(wire)

    def press() -> bytes:
        raise KeyboardInterrupt

    wire.coming = [press, lambda: b"never read"]
    with pytest.raises(KeyboardInterrupt):
        update(stream, scratch())
    torn = stream.torn, stream.state
    update(stream, scratch())
    update(stream, scratch())

    assert torn == (True, CONNECTED)
    assert (stream.torn, stream.state, len(wire.coming)) == (False, DISCONNECTED, 1)
    assert stream.reason == interrupted("the other end")


def test_it_waits_for_the_connect_then_for_input_while_there_is_room_and_output_while_there_is_any() -> None:
    wire, other = Wire(3, 4), Wire(5, 5)
    intake = Intake(None, None)
    stream = Stream(Connecting(Ready(wire), 0.0), intake, intake, Timeline(FakeClock()))
    told = [descriptors(stream)]

    update(stream, scratch())
    told.append(descriptors(stream))
    wire.room = 1
    stream.send(b"xyz")
    told.append(descriptors(stream))
    told.append(together([stream, over(other)]))
    wire.coming = [lambda: bytes(MAX_RECEIVE_BUFFER)]
    update(stream, scratch())
    told.append(descriptors(stream))
    stream.close()
    told.append(descriptors(stream))

    assert told == [
        ([3], [4], []),
        ([3], [], []),
        ([3], [4], []),
        ([3, 5], [4], []),
        ([], [4], []),
        ([], [], []),
    ]


def test_one_without_descriptors_has_none_to_wait_on() -> None:
    stream = over(Wire(-1, -1))
    stream.send(b"x")

    assert descriptors(stream) == ([], [], [])


def test_there_is_nothing_to_do_before_something_is_due() -> None:
    clock = FakeClock()
    connecting, idle, guarded = Line(), over(Wire(-1, -1)), over(Wire(-1, -1), clock, timeout=10.0)
    clock.advance(1.0)

    left = [seconds_left(stream) for stream in (stream_of(connecting.connection), idle, guarded)]
    assert isinstance(guarded.receiver, Intake)
    guarded.receiver.hungry = True

    assert connecting.connection.state is CONNECTING
    assert left == [0.0, None, 4.0]
    assert seconds_left(guarded) == 0.0


def test_there_is_nothing_to_do_for_who_waits_for_the_game() -> None:
    class Full(Intake):
        @property
        def waits_for_game(self) -> bool:
            return True

    full = Full(None, None)
    full.hungry = True

    assert seconds_left(Stream(Connecting(Ready(Wire(-1, -1)), 0.0), full, full, Timeline(FakeClock()))) == 0.0
    stream = over(Wire(-1, -1))
    stream.receiver = full
    assert seconds_left(stream) is None


def test_what_came_before_a_write_failed_is_read_without_a_sleep_once_there_is_room() -> None:
    wire = Wire(3, 4)
    stream = over(wire)
    wire.coming = [lambda: bytes(MAX_RECEIVE_BUFFER), lambda: b"the rest"]
    stream.send_failed(BrokenPipeError(errno.EPIPE, "broken"), 0.0)
    assert isinstance(stream.receiver, Intake)
    left = [seconds_left(stream)]

    stream.receiver.forget(stream, 10)
    left.append(seconds_left(stream))
    stream.send(b"nobody hears")
    told = descriptors(stream)

    assert left == [TAKES, 0.0]
    assert told == ([3], [], [])


def test_before_a_sleep_it_sends_what_there_is_unless_the_network_is_full() -> None:
    wire = Wire(3, 3)
    stream = over(wire)

    send_now(stream)
    stream.answer(b"pong")
    wire.room = 2
    send_now(stream)
    wire.room = 2
    send_now(stream)  # what is blocked waits for who tells that there is room

    assert (wire.sent, stream.waiting) == (b"po", 2)
