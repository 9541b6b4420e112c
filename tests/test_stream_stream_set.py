"""Many streams: read when ready, looked at when due, in portions where there is a hurry, and whole after an interrupt."""

import errno
import gc
import math
import os
import socket
import sys
import time
import weakref
from typing import Any, ClassVar, cast

import bounds
import pytest
from crowd import ROUNDS, call, fill, newcomer_at, pair, set_of, until
from inside import transport_of

from netcode.connection import MAX_RECEIVE_BUFFER, Connection, State, connect, custom, stream_of
from netcode.connection_set import ConnectionSet
from netcode.loop.clock import MAX_GAP
from netcode.loop.poller import NAP, READ
from netcode.reasons import ReasonCode
from netcode.stream.buffer import ReceiveBuffer
from netcode.stream.contract import SCRATCH
from netcode.stream.stream import Stream
from netcode.stream.stream_set import HURRY, PAUSE, PORTION, StreamSet
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Connector
from netcode.transport.tcp_listener import Listener
from netcode.waiting import Descriptors, any_of, wait

# Receivers, as the message floors use them.


class Eater:
    """A receiver and an owner that eats so many bytes a time, and stays hungry while there are more."""

    believes_ends: ClassVar[bool] = False
    connection: Connection[Any]

    def __init__(self, bite: int) -> None:
        self.rest: ReceiveBuffer | None = None
        self.hungry = self.waits_for_game = False
        self.bite = bite
        self.eaten = b""
        self.bites = 0

    def has_room(self) -> bool:
        return True

    def space(self, scratch: memoryview) -> memoryview:
        return scratch[:]

    def received(self, room: memoryview, count: int) -> bool:
        self.rest = self.rest or ReceiveBuffer()
        self.rest.append(room[:count])
        return self.resume()

    def resume(self) -> bool:
        self.hungry = False
        if self.rest is not None:
            self.eat(self.rest)
            self.hungry = len(self.rest) > 0
            self.rest = self.rest if self.hungry else None
        return self.hungry

    def eat(self, rest: ReceiveBuffer) -> None:
        self.bites += 1
        with rest.view() as view:
            self.eaten += bytes(view[: self.bite])
        rest.drop(self.bite)

    def opened(self, stream: Stream) -> None:
        pass

    def ended(self, stream: Stream) -> None:
        self.rest = None

    def deadline(self, stream: Stream) -> float:
        return math.inf

    def due(self, stream: Stream, now: float) -> float:
        return math.inf


def give(connection: Connection[Any], eater: Eater) -> None:
    """Have `eater` take what comes over `connection`."""
    stream = stream_of(connection)
    stream.receiver, stream.owner, eater.connection = eater, eater, connection


def take_in(everybody: ConnectionSet[Any], newcomer: Connector, eater: Eater) -> Connection[Any]:
    """Have `eater` take what comes over a new connection."""
    timeline = set_of(everybody).timeline
    connection: Connection[Any] = Connection(newcomer, None, timeout=None, ping=None, timeline=timeline)
    give(connection, eater)
    set_of(everybody).take_in(stream_of(connection), connection)
    return connection


def test_who_sends_more_than_its_share_is_fed_one_share_an_update(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    caller = call(listener)
    eater = Eater(2)
    newcomer = newcomer_at(listener)
    take_in(everybody, newcomer, eater)
    caller.send(b"abcde")
    until(everybody, lambda: eater.bites == 1)

    left = set_of(everybody).seconds_left(), wait(everybody, timeout=10.0)
    caller.send(b"fgh")
    shares = [eater.eaten]
    for _ in range(3):
        everybody.update()
        shares.append(eater.eaten)
    until(everybody, lambda: len(eater.eaten) == 8)

    assert left == (0.0, True)
    assert shares[:3] == [b"ab", b"abcd", b"abcdefg"]  # what was left over, and a share of what came
    assert eater.hungry is False
    caller.close()


class Hearer(Eater):
    """An eater that takes everything, and makes so many events of each read."""

    def __init__(self, events: list[object], many: int) -> None:
        super().__init__(1 << 20)
        self._events = events
        self._many = many

    def eat(self, rest: ReceiveBuffer) -> None:
        self._events += [self] * self._many
        super().eat(rest)


class Beating(Hearer):
    """An eater to which everything is a ping."""

    def __init__(self, hearing: "Hearing") -> None:
        super().__init__(hearing.events, 0)
        self._hearing = hearing

    def eat(self, rest: ReceiveBuffer) -> None:
        self._hearing.beats += 1
        super().eat(rest)


class Hearing:
    """What many hearers have heard, and the bare other ends."""

    def __init__(self, everybody: ConnectionSet[Any], listener: Listener, count: int, many: int) -> None:
        self.events: list[object] = []
        self.beats = 0
        set_of(everybody)._backlog = self
        self.callers: list[socket.socket] = []
        self.connections: list[Connection[Any]] = []
        for _ in range(count):
            self.callers.append(call(listener))
            newcomer = newcomer_at(listener)
            hearer = Hearer(self.events, many)
            self.connections.append(take_in(everybody, newcomer, hearer))
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
        set_of(everybody).sleep(10.0)
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
    set_of(everybody).sleep(10.0)
    if when == "after it":
        clock.advance(2 * HURRY)
    everybody.update()

    assert len(hearing.events) == 300
    hearing.close()


def test_who_had_its_share_waits_until_all_others_had_theirs(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    greedy = hearing.connections[0]
    eater = Eater(1)
    give(greedy, eater)
    hearing.callers[0].send(bytes(100))
    hearing.call()

    brought = rounds(everybody, hearing, 298)

    assert len(brought) > 2
    assert eater.bites < len(brought)
    hearing.close()


def test_who_left_is_left_out_of_what_is_left_over(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    hearing.call()
    set_of(everybody).sleep(10.0)
    everybody.update()
    left_over = set_of(everybody).watcher.ready

    leaver = set_of(everybody).watcher.streams[left_over[0][0]]
    assert leaver is not None
    leaver.close()
    rounds(everybody, hearing, 298)

    assert len(hearing.events) == 298
    hearing.close()


class Answerer(Hearer):
    """An eater that answers everything."""

    def eat(self, rest: ReceiveBuffer) -> None:
        stream_of(self.connection).answer(b"pong")
        super().eat(rest)


@pytest.mark.parametrize("hurried", [True, False])
def test_an_answer_leaves_with_what_the_game_says_to_it_or_at_once(
    everybody: ConnectionSet[Any], listener: Listener, clock: FakeClock, hurried: bool
) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    for connection in hearing.connections:
        answerer = Answerer(hearing.events, 1)
        give(connection, answerer)
    everybody.update()
    hearing.call()

    set_of(everybody).sleep(10.0)
    clock.advance(0.0 if hurried else 2 * HURRY)
    everybody.update()
    queued = [connection.send_buffer_length for connection in hearing.connections]
    due = set_of(everybody).seconds_left()
    hearing.connections[0].send(b", and hit")
    stream_of(hearing.connections[0]).flush(0.0)  # as the poller has it done where there was no room
    set_of(everybody).sleep(0.0)

    assert (queued, due) == (([4, 4], 0.0) if hurried else ([0, 0], None))
    assert hearing.callers[0].recv(100).startswith(b"pong, and hit" if hurried else b"pong")
    assert hearing.callers[1].recv(100) == b"pong"
    assert set_of(everybody)._answering == []
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
        give(connection, Beating(hearing))
    hearing.callers[0].send(b"!")
    set_of(everybody).sleep(10.0)
    before = [*sleeper.slept]

    everybody.update()
    sleeper.clock.advance(busy)
    hearing.callers[1].send(b"!")
    set_of(everybody).sleep(timeout)

    assert before == []
    assert sleeper.slept == pytest.approx(pauses)
    hearing.close()


def test_a_wake_up_that_brought_half_a_message_may_be_followed_at_once(
    everybody: ConnectionSet[Any], listener: Listener, sleeper: Sleeper
) -> None:
    hearing = Hearing(everybody, listener, 2, 0)

    hearing.callers[0].send(b"!")
    set_of(everybody).sleep(10.0)
    everybody.update()
    set_of(everybody).sleep(0.1)

    assert sleeper.slept == []
    hearing.close()


class Ender(Hearer):
    """An eater that ends somebody else's connection at the first word."""

    victim: Connection[Any]

    def eat(self, rest: ReceiveBuffer) -> None:
        self.victim.close()
        super().eat(rest)


def test_who_is_ended_meanwhile_is_left_out_of_what_is_left_over(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 150, 2)
    hearing.call()
    set_of(everybody).sleep(10.0)
    told = set_of(everybody).watcher.ready
    streams = set_of(everybody).watcher.streams
    by_stream = {stream_of(connection): connection for connection in hearing.connections}
    first, last = streams[told[0][0]], streams[told[-1][0]]
    assert first is not None
    assert last is not None
    ender = Ender(hearing.events, 2)
    ender.victim = by_stream[last]
    give(by_stream[first], ender)

    everybody.update()
    left_over = set_of(everybody).watcher.ready
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
    set_of(everybody).sleep(10.0)
    hearing.callers[1].send(b"!")
    clock.advance(2 * HURRY)
    everybody.update()

    assert len(hearing.events) == 2
    hearing.close()


def test_who_is_told_of_again_is_received_from_once(
    everybody: ConnectionSet[Any], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (early, its_other), (late, other) = pair(everybody), pair(everybody)
    received: list[Stream] = []
    receive = Stream.receive

    def note(stream: Stream, now: float, scratch: memoryview) -> bool:
        received.append(stream)
        return receive(stream, now, scratch)

    monkeypatch.setattr(Stream, "receive", note)
    its_other.send(b"early")
    set_of(everybody).sleep(10.0)
    its_other.send(b" and")
    other.send(b"late")
    clock.advance(2 * HURRY)
    everybody.update()

    assert received == [stream_of(early), stream_of(late)]
    assert (early.receive_all(), late.receive_all()) == (b"early and", b"late")
    its_other.close()
    other.close()


def test_what_does_not_fit_into_one_share_is_received_in_the_next_updates(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    eater = Eater(1 << 20)
    give(hearing.connections[0], eater)

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
    """An eater in which Ctrl-C is pressed once."""

    def __init__(self, bite: int) -> None:
        super().__init__(bite)
        self.presses = 1

    def eat(self, rest: ReceiveBuffer) -> None:
        if self.bites and self.presses:
            self.presses = 0
            raise KeyboardInterrupt
        super().eat(rest)


def test_a_set_sleeps_while_all_who_are_hungry_wait_for_the_game(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    callers, eaters = [call(listener) for _ in range(2)], [Eater(2), Eater(2)]
    for caller, eater in zip(callers, eaters, strict=True):
        take_in(everybody, newcomer_at(listener), eater)
        caller.send(b"abcde")
    until(everybody, lambda: all(eater.bites == 1 for eater in eaters))

    left: list[float | None] = []
    for eater in eaters:
        left.append(set_of(everybody).seconds_left())
        eater.waits_for_game = True
    left.append(set_of(everybody).seconds_left())
    eaters[0].waits_for_game = False
    left.append(set_of(everybody).seconds_left())

    assert left == [0.0, 0.0, None, 0.0]
    for caller in callers:
        caller.close()


def test_who_is_hungry_when_ctrl_c_is_pressed_is_fed_afterwards(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    eaters: list[Eater] = [Interrupted(1), Eater(1)]
    callers = [call(listener) for _ in eaters]
    for eater in eaters:
        newcomer = newcomer_at(listener)
        take_in(everybody, newcomer, eater)
    for caller in callers:
        caller.send(b"abc")
    for _ in bounds.until(lambda: all(eater.bites for eater in eaters)):
        set_of(everybody).sleep(10.0)
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
    poll = set_of(everybody).watcher.poller.poll

    def interrupted(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        monkeypatch.undo()
        poll(timeout, most)
        raise KeyboardInterrupt

    monkeypatch.setattr(set_of(everybody).watcher.poller, "poll", interrupted)


@pytest.mark.parametrize("where", ["while receiving", "while asleep"])
def test_what_the_poller_told_when_ctrl_c_was_pressed_is_told_again(
    everybody: ConnectionSet[Any], listener: Listener, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    hearing = Hearing(everybody, listener, 3, 1)
    everybody.update()

    hearing.call()
    press_after_poll(everybody, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        set_of(everybody).sleep(10.0) if where == "while asleep" else everybody.update()
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
        set_of(everybody).sleep(10.0)

    assert (set_of(everybody).seconds_left(), set_of(everybody).sleep(10.0)) == (0.0, True)
    hearing.close()


def test_what_one_wait_was_told_another_does_not_sleep_over(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 1, 1)
    everybody.update()
    hearing.call()

    set_of(everybody).sleep(10.0)

    assert (set_of(everybody).seconds_left(), wait(everybody, timeout=10.0)) == (0.0, True)
    hearing.close()


def test_ctrl_c_while_a_leftover_is_fed_leaves_nobody_deaf(everybody: ConnectionSet[Any], listener: Listener) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    eaters: list[Eater] = [Interrupted(1), Eater(1)]
    for connection, eater in zip(hearing.connections, eaters, strict=True):
        give(connection, eater)
    everybody.update()

    for caller in hearing.callers:
        caller.send(b"abc")
    for _ in range(ROUNDS):
        set_of(everybody).sleep(0.05)
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
    """An eater that is due at a time of its own, and in which Ctrl-C may be pressed."""

    def __init__(self, when: float, *, interrupt: bool) -> None:
        super().__init__(1)
        self.when = when
        self.interrupt = interrupt
        self.dues = 0

    def deadline(self, stream: Stream) -> float:
        return self.when

    def due(self, stream: Stream, now: float) -> float:
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
    eaters = [Due(set_of(everybody).timeline.now + 1.0, interrupt=index == 1) for index in range(3)]
    for connection, eater in zip(hearing.connections, eaters, strict=True):
        give(connection, eater)
        stream_of(connection).reschedule()

    clock.advance(1.0)
    with pytest.raises(KeyboardInterrupt):
        everybody.update()
    everybody.update()

    assert [eater.dues for eater in eaters] == [1, 0, 1]
    assert [connection.alive for connection in hearing.connections] == [True, False, True]
    hearing.close()


def test_who_was_being_handled_when_ctrl_c_was_pressed_is_broken_off(
    everybody: ConnectionSet[Any], listener: Listener
) -> None:
    hearing = Hearing(everybody, listener, 2, 1)
    eater = Interrupted(1)
    eater.connection = hearing.connections[0]
    eater.bites = 1
    give(hearing.connections[0], eater)
    everybody.update()
    hearing.call()

    set_of(everybody).sleep(10.0)
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
    forget = StreamSet[Any].forget

    def interrupted(streams: StreamSet[Any], stream: Stream) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        forget(streams, stream)

    monkeypatch.setattr(StreamSet, "forget", interrupted)
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
    close = Stream.close
    presses = [1]

    def interrupted(stream: Stream) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        close(stream)

    monkeypatch.setattr(Stream, "close", interrupted)
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
    streams = stream_of(pairs[0][0]).host
    output = streams.output
    presses = [1]

    def interrupted(stream: Stream) -> None:
        if presses:
            presses.clear()
            raise KeyboardInterrupt
        output(stream)

    pairs[1][0].send(b"there")
    monkeypatch.setattr(streams, "output", interrupted)
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

    assert set_of(everybody).sleep(1e12) is True
    hearing.close()


def test_what_is_queued_when_ctrl_c_is_pressed_is_sent_afterwards(
    everybody: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [pair(everybody) for _ in range(3)]
    for connection, _ in pairs:
        connection.send(b"goodbye")
    flush, presses = Stream.flush, [1]

    def interrupted(stream: Stream, now: float) -> None:
        flush(stream, now)
        if presses:
            presses.clear()
            raise KeyboardInterrupt

    monkeypatch.setattr(Stream, "flush", interrupted)
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
    take_in(everybody, newcomer, eater)

    client.send(bytes(range(40)))
    client.update()
    shares: list[int] = []
    for _ in range(10):
        everybody.update()
        shares.append(len(eater.eaten))

    assert shares == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert set_of(everybody).seconds_left() == 0.0
    everybody.close()


def test_a_hungry_link_that_breaks_is_fed_to_its_end(everybody: ConnectionSet[Any], listener: Listener) -> None:
    if sys.platform != "linux":
        pytest.skip("epoll tells")
    caller = call(listener)
    eater = Eater(2)
    newcomer = newcomer_at(listener)
    connection = take_in(everybody, newcomer, eater)
    caller.send(bytes(40))
    until(everybody, lambda: eater.bites == 1)

    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    caller.close()
    until(everybody, lambda: not connection.alive)

    assert eater.eaten == bytes(40)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET


def test_waiting_sends_what_is_queued_before_it_sleeps(everybody: ConnectionSet[Any]) -> None:
    (connection, other), (answering, another) = pair(everybody), pair(everybody)

    connection.send(b"x")
    stream_of(answering).answer(b"y")
    woken = wait(everybody, timeout=0.0)

    assert woken is False
    assert (other.recv(10), another.recv(10)) == (b"x", b"y")
    other.close()
    another.close()


def test_a_set_is_due_when_its_first_deadline_is(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    pairs = [pair(everybody, timeout=timeout) for timeout in (None, 20.0, 10.0)]

    lefts = [set_of(everybody).seconds_left()]
    clock.advance(0.5)
    lefts.append(set_of(everybody).seconds_left())

    assert lefts == [5.0, 4.5]
    for _, other in pairs:
        other.close()


def test_the_descriptors_of_a_set_are_those_of_its_connections(everybody: ConnectionSet[Any]) -> None:
    one, first = pair(everybody)
    two, second = pair(everybody)
    two.send(b"x")
    fds = transport_of(one).read_fd, transport_of(two).read_fd

    assert everybody.instantiate() == ([*fds], [fds[1]], [])
    first.close()
    second.close()


def test_sleeping_counts_as_time_that_passed(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody, timeout=10.0)

    for _ in range(2):  # to the half, at which a ping would be due, and to the end
        clock.advance(5.0)
        everybody._slept(5.0)
        everybody.update()

    assert connection.alive is False
    other.close()


def test_a_sleep_of_a_set_counts_as_time_that_passed(
    everybody: ConnectionSet[Any], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = pair(everybody)
    streams = set_of(everybody)

    def poll(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        clock.advance(timeout or 0.0)
        return []

    monkeypatch.setattr(streams.watcher.poller, "poll", poll)
    begin = streams.timeline.now
    streams.sleep(7.0)
    streams.update()
    after_a_sleep = streams.timeline.now
    clock.advance(7.0)
    streams.update()

    assert after_a_sleep - begin == pytest.approx(7.0)
    assert streams.timeline.now - after_a_sleep == MAX_GAP  # of a pause no more counts
    other.close()


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

    assert len(set_of(everybody)._agenda) <= 65
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


def test_a_thousand_who_come_and_go_leave_nothing(everybody: ConnectionSet[Any], listener: Listener) -> None:
    for _ in range(20):
        callers = [call(listener) for _ in range(50)]
        for _ in bounds.as_long_as(lambda: len(everybody) < 50):
            everybody.accept(listener, lambda address: None)
        for caller in callers:
            caller.close()
        until(everybody, lambda: not len(everybody))

    assert (any(set_of(everybody).watcher.streams), set_of(everybody).watcher.unwatched, set_of(everybody)._dead) == (
        False,
        {},
        [],
    )
    assert (set_of(everybody)._with_output, set_of(everybody)._hungry) == ([], [])


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

    def interrupted(stream: Stream, now: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Stream, "flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        set_of(everybody).sleep(10.0)
    woken = set_of(everybody).sleep(10.0)
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
    transport = stream_of(connection).transport
    assert transport is not None
    read_fd = transport.read_fd

    def poll(timeout: float | None, most: int | None = None) -> list[tuple[int, int]]:
        asked.append(timeout)
        if naps == 0:
            return [(read_fd, READ)]
        if len(asked) == naps:
            connection.send(b"from the handler")
        return []

    monkeypatch.setattr(set_of(everybody).watcher.poller, "poll", poll)

    assert set_of(everybody).sleep(2.5 * NAP) is woken
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

    monkeypatch.setattr(set_of(everybody).watcher.poller, "poll", poll)

    assert set_of(everybody).sleep(10.0) is True
    other.close()


def test_what_does_not_fit_goes_out_when_there_is_room(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    data = os.urandom(3_000_000)

    connection.send(data)
    on_any_poller.update()
    blocked = stream_of(connection).blocked
    connection.send(b"end")
    on_any_poller.update()
    heard = bytearray()
    patient = bounds.Patience()
    while patient() and len(heard) < len(data) + 3:
        heard += other.recv(1 << 20)
        on_any_poller.update()

    assert blocked is True
    assert heard == data + b"end"
    assert (stream_of(connection).blocked, connection.send_buffer_length) == (False, 0)
    other.close()


def test_what_has_more_to_send_while_there_is_no_room_waits_for_the_poller(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    data = os.urandom(3_000_000)
    connection.send(data)
    on_any_poller.update()
    waiting = connection.send_buffer_length

    connection.close_nicely()
    on_any_poller.update()
    still_waiting = connection.send_buffer_length
    heard = bytearray()
    patient = bounds.Patience()
    while patient() and (some := other.recv(1 << 20)):
        heard += some
        on_any_poller.update()

    assert still_waiting == waiting > 0
    assert heard == data
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


def test_the_end_of_who_takes_nothing_is_seen(
    on_any_poller: ConnectionSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.stream.intake.MAX_SEND_BUFFER", 1_000_000)
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

        before = set_of(on_any_poller).sleep(0.0)
        other.send(b"x")
        on_any_poller.update()
        first = connection.receive_all()
        other.send(b"y")
        told = set_of(on_any_poller).sleep(10.0), set_of(on_any_poller).sleep(10.0)
        on_any_poller.update()

        assert (before, first, told, connection.receive_all()) == (False, b"x", (True, True), b"y")
        other.close()

    def test_what_is_queued_leaves_before_it_sleeps(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)

        connection.send(b"x")
        slept = set_of(everybody).sleep(0.0)

        assert (slept, other.recv(10)) == (False, b"x")
        other.close()

    def test_it_wakes_for_a_deadline(self, everybody: ConnectionSet[Any]) -> None:
        _, other = pair(everybody, timeout=0.02)

        assert set_of(everybody).sleep(10.0) is True
        assert set_of(everybody).sleep(None) is True
        other.close()

    def test_it_does_not_sleep_on_the_dead(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)

        connection.close()

        assert set_of(everybody).sleep(10.0) is True
        other.close()

    def test_it_waits_for_what_the_poller_does_not_watch(self, everybody: ConnectionSet[Any], clock: FakeClock) -> None:
        everybody.add(custom(timeout=0.04, clock=clock))
        everybody.update()

        assert set_of(everybody).sleep(10.0) is True

    def test_what_it_was_told_of_a_descriptor_is_not_believed_of_the_next(self, everybody: ConnectionSet[Any]) -> None:
        connection, other = pair(everybody)
        other.send(b"x")
        set_of(everybody).sleep(10.0)
        number = transport_of(connection).read_fd

        connection.close()
        newcomer, another = pair(everybody)

        assert transport_of(newcomer).read_fd == number
        assert newcomer.state is State.CONNECTED
        other.close()
        another.close()

    def test_a_door_shares_the_poller(self, everybody: ConnectionSet[Any]) -> None:
        one, other = socket.socketpair()
        set_of(everybody).watcher.watch_doors((one.fileno(),))
        set_of(everybody).watcher.watch_doors((one.fileno(), other.fileno()))
        set_of(everybody).watcher.watch_doors((one.fileno(),))
        other.send(b"knock")

        everybody.update()
        knocked, set_of(everybody).watcher.knocked = set_of(everybody).watcher.knocked, False
        set_of(everybody).watcher.watch_doors(())
        set_of(everybody).watcher.watch_doors(())
        everybody.update()

        assert (knocked, set_of(everybody).watcher.knocked) == (True, False)
        one.close()
        other.close()


def test_a_connection_that_was_sent_to_before_it_was_added_sends_at_the_next_update(
    everybody: ConnectionSet[Any],
) -> None:
    one, other = socket.socketpair()
    connection = custom(input=one, output=one)
    connection.update()
    connection.send(b"early")

    everybody.add(connection)
    everybody.update()

    assert connection in everybody
    assert other.recv(10) == b"early"
    other.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows waits for sockets only")
def test_what_a_pipe_holds_is_read_out_after_the_other_one_broke(everybody: ConnectionSet[Any]) -> None:
    (read, write), (back, forth) = os.pipe(), os.pipe()
    connection = custom(input=read, output=forth)
    everybody.add(connection)
    numbered = b"".join(number.to_bytes(4, "big") for number in range(25_000))
    os.write(write, numbered[:MAX_RECEIVE_BUFFER])
    until(everybody, lambda: connection.receive_buffer_length == MAX_RECEIVE_BUFFER)
    os.write(write, numbered[MAX_RECEIVE_BUFFER:])
    os.close(back)

    for _ in range(3):
        connection.send(b"nobody hears")
        everybody.update()
    slept, alive, got = not wait(everybody, timeout=0.01), connection.alive, connection.receive_all()
    patient = bounds.Patience()
    while connection.alive and patient():
        wait(everybody, timeout=60.0)  # of the last byte that came nobody tells that it is the last
        everybody.update()
        got += connection.receive_all()

    assert (slept, alive, got == numbered) == (True, True, True)
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.RESET
    os.close(write)


def test_a_full_buffer_in_a_set_keeps_nobody_from_leaving(everybody: ConnectionSet[Any], clock: FakeClock) -> None:
    connection, other = pair(everybody)
    connection.close_nicely(60.0)
    everybody.update()
    other.sendall(bytes(2 * MAX_RECEIVE_BUFFER))
    other.shutdown(socket.SHUT_WR)
    until(everybody, lambda: connection.receive_buffer_length == MAX_RECEIVE_BUFFER)
    still = connection.alive

    patient = bounds.Patience()
    while connection.alive and patient():
        clock.advance(0.1)
        everybody.update()

    assert still
    assert connection.reason is not None
    assert connection.reason.code is ReasonCode.CLOSED
    assert connection.receive_buffer_length == MAX_RECEIVE_BUFFER
    other.close()


def test_who_breaks_while_more_waits_than_it_took_is_over_once(on_any_poller: ConnectionSet[Any]) -> None:
    connection, other = pair(on_any_poller)
    connection.send(bytes(4_000_000))
    on_any_poller.update()
    blocked = stream_of(connection).blocked

    other.close()
    until(on_any_poller, lambda: not connection.alive)

    assert blocked is True


def test_a_deadline_that_was_overtaken_or_outlived_does_nothing(
    everybody: ConnectionSet[Any], clock: FakeClock
) -> None:
    (overtaken, one), (outlived, other) = pair(everybody, timeout=10.0), pair(everybody, timeout=10.0)
    overtaken.close_nicely(0.5)
    outlived.close()

    for _ in range(6):
        clock.advance(1.0)
        everybody.update()

    assert [overtaken.alive, outlived.alive] == [False, False]
    assert len(set_of(everybody)._agenda) == 0
    one.close()
    other.close()


def test_who_was_looked_at_early_is_not_looked_at_twice_later(
    everybody: ConnectionSet[Any], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, other = pair(everybody, timeout=20.0)
    check, looks = Stream.check, list[float]()

    def note(stream: Stream, now: float) -> float:
        looks.append(now)
        return check(stream, now)

    monkeypatch.setattr(Stream, "check", note)
    begin = set_of(everybody).timeline.now
    set_of(everybody).schedule(stream_of(connection), begin + 3.0)
    for _ in range(11):
        clock.advance(1.0)
        everybody.update()

    assert looks == [begin + 3.0, begin + 10.0]
    other.close()


def test_without_descriptors_a_sleep_lasts_its_time(on_any_poller: ConnectionSet[Any]) -> None:
    on_any_poller.add(custom())
    on_any_poller.update()

    assert set_of(on_any_poller).sleep(0.01) is False


def test_after_an_interrupt_a_wait_sends_nothing_and_does_not_sleep(everybody: ConnectionSet[Any]) -> None:
    connection, other = pair(everybody)
    connection.send(b"x")
    set_of(everybody).engine.torn = True

    set_of(everybody).send_now()
    due = set_of(everybody).sleep(10.0)
    queued = connection.send_buffer_length
    everybody.update()

    assert (due, queued, connection.send_buffer_length, other.recv(1)) == (True, 1, 0, b"x")
    other.close()


class Few(StreamSet[None]):
    """Streams of which no poller knows."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(FakeClock())
        self.left: float | None = None
        self.read = [sock.fileno()]
        self.watcher.unwatched[cast("Stream", self)] = None

    def descriptors(self) -> Descriptors:
        return self.read, [], []

    def seconds_left(self) -> float | None:
        return self.left


def test_who_no_poller_knows_wakes_by_bytes_and_by_a_deadline_and_does_not_sleep_for_ever() -> None:
    here, there = socket.socketpair()
    with here, there:
        few = Few(here)
        in_vain = few.sleep(0.0)
        there.send(b"!")
        by_bytes = few.sleep(None)
        here.recv(1)
        few.left = 0.0
        by_deadline = few.sleep(None)
        few.left, few.read = None, []

        assert (in_vain, by_bytes, by_deadline, few.sleep(None)) == (False, True, True, True)
