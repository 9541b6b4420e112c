"""What was received and not taken, its bound, and silence."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from bounds import as_long_as
from line import CLOSED, CONNECTED, Line

from netcode import ConnectionSet
from netcode.connection import MAX_RECEIVE_BUFFER, Connection, stream_of
from netcode.reasons import Reason, ReasonCode
from netcode.stream import intake
from netcode.stream.contract import ALONE
from netcode.stream.intake import check_positive, check_receivable, copy_of
from netcode.stream.stream import Stream

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


def test_who_is_leaving_asks_nothing_any_more() -> None:
    line = Line(timeout=10.0, ping=b"?").opened()
    line.network.capacity = 0
    line.connection.send(b"bye")
    line.connection.close_nicely(60.0)

    line.later(6.0)
    line.network.capacity = 100
    line.later(0.1)

    assert (line.hear(), line.hear()) == (b"bye", b"")


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
    due = stream_of(line.connection).deadline()
    line.clock.advance(0.5)
    line.connection.update()

    assert due == stream_of(line.connection).timeline.now
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


def test_too_much_that_waits_ends_the_stream_with_the_next_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_SEND_BUFFER", 1000)
    line = Line(capacity=10).opened()

    line.connection.send(bytes(1000))
    within = line.connection._seconds_left()
    line.connection.send(bytes(1))
    line.connection.send(bytes(1))
    over = line.connection._seconds_left(), line.connection.send_buffer_length
    line.connection.update()

    assert (within, over) == (None, (0.0, 1001))
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TOO_SLOW


def test_a_timeout_that_can_be_none_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout must be seconds above 0, or None, not 0"):
        intake.Intake(0, None)
    for wrong in ("5", True):
        with pytest.raises(TypeError, match=r"^timeout must be a number of seconds, or None, not (str|bool)$"):
            intake.Intake(wrong, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert intake.Intake(None, b"!").ping == b"!"


@pytest.mark.parametrize("ping", ["ping", 1.0])
def test_a_ping_is_bytes(ping: Any) -> None:
    with pytest.raises(TypeError, match=r"^ping must be the bytes to send after half of timeout .*, not (str|float)$"):
        intake.Intake(5.0, ping)


def test_it_is_never_hungry_because_who_takes_does_so_when_it_likes() -> None:
    taker = intake.Intake(None, None)

    assert (taker.hungry, taker.resume(), taker.held(), taker.waits_for_game) == (False, False, 0, False)


def test_one_read_can_fill_it() -> None:
    assert intake.Intake(None, None).received(memoryview(bytes(MAX_RECEIVE_BUFFER)), MAX_RECEIVE_BUFFER)


def test_it_tells_when_it_is_full() -> None:
    taker = intake.Intake(None, None)
    scratch = memoryview(bytes(range(256)) * 256)

    told = [taker.received(scratch, MAX_RECEIVE_BUFFER - 1), taker.received(scratch, 1)]

    assert told == [False, True]
    assert (taker.held(), taker.has_room(), taker.space(scratch)) == (MAX_RECEIVE_BUFFER, False, None)


# Leaving with a full buffer.

NUMBERED = b"".join(number.to_bytes(4, "big") for number in range(50_000))


def leaving(*, timeout: float | None = None) -> Line:
    """Make a connection that has begun to close nicely while 200 kB wait for it, of which a third fills its buffer."""
    line = Line(capacity=len(NUMBERED), timeout=timeout).opened()
    line.far.send(NUMBERED)
    line.far.finish()
    line.connection.update()
    line.clock.advance(5.0)
    line.connection.close_nicely(10.0)
    return line


@pytest.mark.parametrize("every", [1, 3])
def test_who_takes_while_it_leaves_gets_everything(every: int) -> None:
    line = leaving()

    got = b""
    for frame, _ in enumerate(as_long_as(lambda: line.connection.alive)):
        line.later(0.1)
        if frame % every == 0:
            got += line.connection.receive_part(10_000)
    got += line.connection.receive_all()

    assert got == NUMBERED
    assert line.connection.reason == CLOSED


@pytest.mark.parametrize("timeout", [None, 0.3, 60.0])
def test_who_leaves_and_does_not_take_reads_on_for_the_other_end_to_finish(timeout: float | None) -> None:
    line = leaving(timeout=timeout)

    line.later(intake.TAKES, tick=0.05)
    held, still = line.connection.receive_buffer_length, line.connection.alive
    line.later(0.5, tick=0.05)

    assert (held, still) == (MAX_RECEIVE_BUFFER, True)
    assert line.connection.reason == CLOSED
    assert line.connection.receive_all() == NUMBERED[:MAX_RECEIVE_BUFFER]


def test_what_follows_a_dropped_byte_is_not_kept() -> None:
    line = leaving()
    line.later(2 * intake.TAKES, tick=intake.TAKES)

    got = line.connection.receive_all()
    line.later(1.0)

    assert (got, line.connection.receive_all()) == (NUMBERED[:MAX_RECEIVE_BUFFER], b"")


def test_in_a_set_a_full_buffer_keeps_nobody_from_leaving() -> None:
    line = leaving()
    connections: ConnectionSet[str] = ConnectionSet(clock=line.clock)
    connections.add(line.connection)

    for _ in range(8):
        line.clock.advance(0.25)
        connections.update()

    assert line.connection.reason == CLOSED
    connections.close()


def test_who_takes_nothing_is_over_at_the_timeout_though_nobody_takes_what_came_from_it() -> None:
    line = Line(capacity=100_000, timeout=4.0).opened()
    line.far.send(bytes(MAX_RECEIVE_BUFFER))
    line.connection.send(bytes(300_000))

    for _ in range(5):
        line.hear()
        line.later(3.0)
        line.connection.send(bytes(50_000))
    takes = line.connection.alive
    line.later(8.5)

    text = "nothing was taken by server:7777 for timeout = 4 s"
    assert takes
    assert line.connection.reason == Reason(ReasonCode.TIMEOUT, text)


@pytest.mark.parametrize("timeout", [None, 60.0])
@pytest.mark.parametrize("in_a_set", [False, True])
def test_who_only_sends_hears_that_the_other_end_has_gone(timeout: float | None, in_a_set: bool) -> None:
    line = Line(capacity=len(NUMBERED), timeout=timeout).opened()
    line.far.send(NUMBERED)
    line.far.close()
    connections: ConnectionSet[str] = ConnectionSet(clock=line.clock)
    if in_a_set:
        connections.add(line.connection)
    driven = connections if in_a_set else line.connection

    states: list[bool] = []
    for _ in range(4):
        line.connection.send(b"anybody?")
        driven.update()
        states.append(line.connection.alive)
        line.clock.advance(intake.TAKES / 2)
    due = line.connection.receive_buffer_length, line.connection.reason

    assert states == [True, True, True, False]
    assert due[0] == MAX_RECEIVE_BUFFER
    assert due[1] is not None
    assert due[1].code is ReasonCode.RESET
    connections.close()


def test_who_has_ended_its_side_is_not_silent_as_long_as_it_takes_what_it_is_sent() -> None:
    line = Line(capacity=1000, timeout=4.0).opened()
    line.connection.send(bytes(20_000))
    line.far.finish()

    heard = b""
    for _ in range(10):
        heard += line.hear() or b""
        line.later(2.0)
    alive = line.connection.alive
    line.later(4.5)

    assert (alive, len(heard)) == (True, 9000)
    assert line.connection.reason is not None
    assert line.connection.reason.code is ReasonCode.TIMEOUT


# Taking, and what cannot be taken or sent.


def test_what_was_received_is_looked_at_dropped_and_taken() -> None:
    line = Line().opened()
    nothing = line.connection.receive_poll_part(0, 9), line.connection.receive_part(9)
    line.connection.receive_forget(1)

    line.far.send(b"abcdef")
    line.connection.update()
    seen = line.connection.receive_poll_part(1, 2)
    line.connection.receive_forget(9)
    line.connection.receive_forget(2)

    assert nothing == (b"", b"")
    assert (seen, line.connection.receive_part(3), line.connection.receive_all()) == (b"bc", b"cde", b"f")
    assert line.connection.receive_part(1) == b""


TAKES: list[Callable[[Connection[Any]], object]] = [
    lambda connection: connection.receive(1),
    lambda connection: connection.receive_part(1),
    lambda connection: connection.receive_all(),
    lambda connection: connection.receive_forget(1),
]


@pytest.mark.parametrize("take", TAKES)
def test_whoever_takes_from_a_full_buffer_has_more_received(take: Callable[[Connection[Any]], object]) -> None:
    line = Line(capacity=100_000).opened()
    heard: list[Stream] = []
    host: Any = SimpleNamespace(watch=heard.append)
    line.far.send(bytes(MAX_RECEIVE_BUFFER - 1))
    line.connection.update()
    stream = stream_of(line.connection)

    stream.host = host
    line.connection.receive_forget(1)
    before = len(heard)
    stream.host = ALONE
    line.far.send(b"xy")
    line.connection.update()
    stream.host = host
    take(line.connection)

    assert before == 0
    assert heard == [stream]


def test_lengths_that_can_never_be_there_are_refused() -> None:
    check_receivable(MAX_RECEIVE_BUFFER)
    check_positive(MAX_RECEIVE_BUFFER + 1)

    with pytest.raises(ValueError, match="65537 bytes can never be there at once: the receive buffer holds"):
        check_receivable(MAX_RECEIVE_BUFFER + 1)
    with pytest.raises(ValueError, match="a length or an offset must be 0 or more, not -1"):
        check_positive(-1)
    for wrong in ("1", True):
        with pytest.raises(TypeError, match=r"a length or an offset must be an int, not (str|bool)"):
            check_positive(wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_what_is_sent_is_what_it_was_and_is_bytes() -> None:
    data = bytearray(b"before")

    copy = copy_of(data)
    data[:] = b"after."

    assert copy == b"before"


class WideText(str):
    """Text as numpy has it: with a buffer of its own, where Python has a way to give one."""

    __slots__ = ()

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.encode("utf-32"))


@pytest.mark.parametrize("wrong", [{}, "text", WideText("text")])
def test_what_is_not_bytes_is_not_sent(wrong: object) -> None:
    kind = type(wrong).__name__

    with pytest.raises(TypeError, match=f"a connection sends bytes, not {kind}; for messages such as {kind}"):
        copy_of(wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
