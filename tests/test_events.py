"""The five events, and the inbox in which they wait."""

import itertools
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from netcode import Address, Away, Back, Event, Joined, Left, Peer, Reason, ReasonCode, Received
from netcode.codec import make_codec
from netcode.engine import Act, Engine
from netcode.events import EVENT_SIZE, LONG_PAUSE, Inbox
from netcode.limits import Limits


class Nobody:
    """An owner of peers."""

    def __init__(self) -> None:
        self._engine = Engine()

    def _do(self, act: Act) -> None:
        act()

    def _drop(self, peer: Peer, reason: Reason) -> None:
        """It is nobody's."""

    def _kept(self) -> None:
        """Nobody keeps it."""


def make_peer() -> Peer:
    return Peer(Nobody(), 1, Address("here", 1), Limits(), make_codec())


PEER = make_peer()
REASON = Reason(ReasonCode.CLOSED, "closed")
EVENTS: list[Event] = [Joined(PEER), Received(PEER, "hi"), Away(PEER, REASON), Back(PEER), Left(PEER, REASON)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_equals_only_its_like(event: Event) -> None:
    like = event._replace()

    assert event == like
    assert not event != like  # noqa: SIM202 - the other operator
    assert hash(event) == hash(like)
    assert [other for other in EVENTS if other == event] == [event]
    assert event != (*event,)
    assert event != event._replace(peer=make_peer())


def describe(event: Event) -> tuple[Any, ...]:
    match event:
        case Joined(peer):
            return "joined", peer
        case Received(peer, message):
            return "received", peer, message
        case Away(peer, reason):
            return "away", peer, reason
        case Back(peer):
            return "back", peer
        case Left(peer, reason):
            return "left", peer, reason


def test_match_takes_events_apart() -> None:
    assert [describe(event) for event in EVENTS] == [
        ("joined", PEER),
        ("received", PEER, "hi"),
        ("away", PEER, REASON),
        ("back", PEER),
        ("left", PEER, REASON),
    ]


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Joined(PEER).peer = make_peer()  # type: ignore[misc]


def test_events_are_taken_once_in_order() -> None:
    inbox = Inbox(1000)
    for event in EVENTS:
        inbox.put(event)

    first, second = inbox.take(), inbox.take()

    assert (first, second, inbox.room) == (EVENTS, [], 1000)


def full_inbox(limit: int = 10_000) -> Inbox:
    inbox = Inbox(limit)
    for event in EVENTS:
        inbox.put(event)
    return inbox


def read(events: list[Event], count: int) -> list[Event]:
    """Read `count` of `events` in a loop that is left then."""
    got: list[Event] = []
    for event in events:
        got.append(event)
        if len(got) == count:
            break
    return got


@pytest.mark.parametrize("reached", range(1, len(EVENTS) + 1))
def test_what_a_loop_did_not_reach_comes_first_the_next_time(reached: int) -> None:
    inbox = full_inbox()
    first = read(inbox.take(), reached)
    inbox.put(Joined(PEER))

    second = [*inbox.take()]

    assert first + second == [*EVENTS, Joined(PEER)]
    assert inbox.take() == []


@pytest.mark.fault(86, "memory")
def test_what_follows_an_exception_in_a_handler_is_not_lost() -> None:
    inbox = full_inbox()

    def handle(events: list[Event]) -> None:
        for event in events:
            raise ValueError(event)

    with pytest.raises(ValueError, match="Joined"):
        handle(inbox.take())

    assert inbox.take() == EVENTS[1:]


def test_a_loop_may_be_left_again_and_again() -> None:
    inbox = full_inbox()
    got: list[Event] = []

    for _ in range(len(EVENTS)):
        got += read(inbox.take(), 1)

    assert (got, inbox.take()) == (EVENTS, [])


def extend(events: list[Event]) -> list[Event]:
    got: list[Event] = []
    got += events
    return got


def all_then_some(events: list[Event]) -> None:
    read(events, len(EVENTS) + 1)
    read(events, 1)


def some_then_all(events: list[Event]) -> None:
    read(events, 1)
    read(events, len(EVENTS) + 1)


READS: dict[str, Callable[[list[Event]], object]] = {
    "a list of it": list,
    "unpacked": lambda events: [*events],
    "added": lambda events: EVENTS + events,
    "extended by it": extend,
    "a tuple of it": tuple,
    "sorted": lambda events: sorted(events, key=str),
    "not at all": lambda events: None,
    "counted": len,
    "by its index": lambda events: events[0],
    "compared": lambda events: events == EVENTS,
    "reversed": lambda events: next(reversed(events)),
    "popped": lambda events: events.pop(0),
    "copied": lambda events: events.copy(),
    "as arguments": lambda events: itertools.chain(*[[event] for event in events]),
    "twice, once to its end": all_then_some,
    "twice, at last to its end": some_then_all,
}


@pytest.mark.parametrize("way", READS.values(), ids=READS)
def test_what_was_read_to_its_end_or_in_no_loop_counts_as_taken(way: Callable[[list[Event]], object]) -> None:
    inbox = full_inbox()

    way(inbox.take())

    assert (inbox.unread(), inbox.take()) == (0, [])


def test_who_asks_again_within_the_loop_gets_the_rest_there() -> None:
    inbox = full_inbox()
    got: list[Event] = []

    for event in inbox.take():
        got.append(event)
        got += inbox.take()

    assert got == EVENTS


def test_what_is_not_reached_takes_room_until_it_is() -> None:
    limit = len(EVENTS) * EVENT_SIZE + 100
    inbox = full_inbox(limit)
    read(inbox.take(), 1)
    at_first = inbox.room

    rooms: list[int] = []
    for _ in range(3):
        read(inbox.take(), 1)
        rooms.append(inbox.room)
    for _ in range(2):
        list(inbox.take())

    assert (at_first, rooms, inbox.room) == (limit, [100, 100, 100], limit)


def test_what_nobody_reaches_is_bounded() -> None:
    inbox = Inbox(10 * EVENT_SIZE)
    most = 0
    for _ in range(100):
        for _ in range(20):
            if not inbox.is_full():
                inbox.put(Joined(PEER))
        events = inbox.take()
        most = max(most, len(events))
        read(events, 1)

    assert most <= 2 * 11


def test_an_event_that_was_read_is_kept_no_longer() -> None:
    class Message:
        pass

    inbox, message = Inbox(1000), Message()
    gone = weakref.ref(message)
    inbox.events.append(Received(PEER, message))
    del message

    for event in inbox.take():
        del event

    assert gone() is None


def test_an_inbox_is_full_above_its_limit() -> None:
    inbox = Inbox(EVENT_SIZE)
    inbox.put(Joined(PEER))
    at_the_limit = inbox.is_full()

    inbox.put(Away(PEER, REASON))

    assert (at_the_limit, inbox.is_full()) == (False, True)


def test_there_is_room_again_where_only_pings_came() -> None:
    inbox = Inbox(1000)
    inbox.room -= 900

    assert inbox.take() == []
    assert inbox.room == 1000


def test_events_that_are_never_taken_are_told_of_once_and_by_the_log_where_some_were() -> None:
    def forget(inbox: Inbox, start: float) -> None:
        for frame in range(round(2 * LONG_PAUSE)):
            inbox.leave(start + frame, "server")

    inbox = Inbox(1000)
    inbox.put(Joined(PEER))
    fresh = inbox.has_news()
    with pytest.warns(RuntimeWarning, match=r"server\.events\(\) has not been called") as caught:
        forget(inbox, 0.0)
    old = inbox.has_news()
    inbox.take()
    inbox.put(Back(PEER))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forget(inbox, 1000.0)
    excused = Inbox(1000)
    excused.put(Joined(PEER))
    excused.excuse()
    forget(excused, 0.0)

    assert (fresh, old, len(caught)) == (True, False, 1)
