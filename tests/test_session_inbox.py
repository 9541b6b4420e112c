"""Where events wait: taken once and in order, what was not reached again, within a bound."""

import copy
import itertools
import operator
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from netcode import Away, Back, Event, Joined, Left, Reason, ReasonCode, Received
from netcode.session.inbox import EVENT_SIZE, LONG_PAUSE, Inbox


class Somebody:
    """Whom events are about."""

    told: object = None


PEER: Any = Somebody()
OTHER: Any = Somebody()


class Sender:
    """Whose messages come."""

    peer = PEER
    received = 0


TOLD = PEER
REASON = Reason(ReasonCode.CLOSED, "closed")
EVENTS: list[Event] = [Joined(PEER), Received(PEER, "hi"), Away(PEER, REASON), Back(PEER), Left(PEER, REASON)]


def test_events_are_taken_once_in_order() -> None:
    inbox = Inbox[Event](1000, Received)
    for event in EVENTS:
        inbox.put(event, TOLD, None)

    first, second = inbox.take(), inbox.take()

    assert (first, second, inbox.room) == (EVENTS, [], 1000)


def test_messages_are_delivered_as_their_senders_and_counted_there() -> None:
    inbox, sender = Inbox[Event](1000, Received), Sender()

    inbox.deliver(["one", 2], sender)
    inbox.deliver([None], sender)

    assert inbox.take() == [Received(PEER, "one"), Received(PEER, 2), Received(PEER, None)]
    assert sender.received == 3


def full_inbox(limit: int = 10_000) -> Inbox[Event]:
    inbox = Inbox[Event](limit, Received)
    for event in EVENTS:
        inbox.put(event, TOLD, None)
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
    inbox.put(Joined(PEER), TOLD, None)

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


def each(events: list[Event], *, backwards: bool = False) -> list[Event]:
    order = range(len(events))
    return [events[-1 - i] if backwards else events[i] for i in order]


WHOLE: dict[str, Callable[[list[Event]], object]] = {
    "by their indices": each,
    "by their indices from the end": lambda events: each(events, backwards=True),
    "a slice of all": lambda events: events[:],
    "slices": lambda events: [events[:2], events[2:]],
    "copied": lambda events: events.copy(),
    "added": lambda events: EVENTS + events,
    "added to": lambda events: events + EVENTS,
    "reversed": lambda events: [*reversed(events)],
    "popped": lambda events: [events.pop() for _ in EVENTS],
    "popped from the front": lambda events: [events.pop(0) for _ in EVENTS],
    "cleared": lambda events: events.clear(),
    "found": lambda events: [event in events for event in EVENTS],
    "counted": lambda events: [events.count(event) for event in EVENTS],
    "looked for": lambda events: [events.index(event) for event in EVENTS],
}


@pytest.mark.parametrize("peek", [1, 3])
@pytest.mark.parametrize("way", WHOLE.values(), ids=WHOLE)
def test_what_was_looked_at_first_and_read_otherwise_then_comes_once(
    way: Callable[[list[Event]], object], peek: int
) -> None:
    inbox = full_inbox()
    events = inbox.take()
    read(events, peek)

    way(events)

    assert (inbox.unread(), inbox.has_news(), inbox.take()) == (0, False, [])


SOME: dict[str, tuple[Callable[[list[Event]], object], list[Event]]] = {
    "the next": (lambda events: events[1], EVENTS[2:]),
    "the last": (lambda events: events[-1], EVENTS[1:-1]),
    "some": (lambda events: events[2:4], [EVENTS[1], EVENTS[4]]),
    "the first from the end": (lambda events: next(reversed(events)), EVENTS[1:-1]),
    "whether one is there": (lambda events: EVENTS[3] in events, [EVENTS[1], EVENTS[2], EVENTS[4]]),
    "where one is": (lambda events: events.index(EVENTS[3], 1), [EVENTS[1], EVENTS[2], EVENTS[4]]),
    "taken from the front": (lambda events: [events.pop(0) for _ in range(2)], EVENTS[2:]),
    "taken from the end": (lambda events: events.pop(), EVENTS[1:-1]),
    "deleted": (lambda events: operator.delitem(events, 0), EVENTS[1:]),
    "deleted in a slice": (lambda events: operator.delitem(events, slice(0, 3, 2)), [EVENTS[1], *EVENTS[3:]]),
    "removed": (lambda events: events.remove(EVENTS[1]), EVENTS[2:]),
    "none": (lambda events: Joined(OTHER) in events, EVENTS[1:]),
}


@pytest.mark.parametrize(("way", "left"), SOME.values(), ids=SOME)
def test_what_was_read_neither_in_a_loop_nor_otherwise_comes_again(
    way: Callable[[list[Event]], object], left: list[Event]
) -> None:
    inbox = full_inbox()
    events = inbox.take()
    read(events, 1)

    way(events)

    assert (inbox.unread(), inbox.take()) == (len(left), left)


@pytest.mark.parametrize("at", [-1, 0])
def test_what_is_taken_out_within_a_loop_comes_once_and_leaves_nothing_out(at: int) -> None:
    inbox = full_inbox()
    events = inbox.take()
    got: list[Event] = []
    taken: list[Event] = []

    for event in events:
        got.append(event)
        if event == EVENTS[1]:
            taken.append(events.pop(at))
            break

    rest = inbox.take()
    assert got + rest + [event for event in taken if event not in got] == EVENTS


def test_a_loop_leaves_nothing_out_where_it_takes_away_what_it_reached() -> None:
    inbox = full_inbox()
    events = inbox.take()
    got: list[Event] = []

    for event in events:
        got.append(event)
        events.remove(event)

    assert (got, events, inbox.take()) == (EVENTS, [], [])


def test_who_keeps_a_list_and_reads_it_in_each_frame_keeps_no_more_for_that() -> None:
    inbox = full_inbox()
    events: Any = inbox.take()

    for _ in range(1000):
        read(events, 1)
        _ = events[0], events[1:], events.count(events[2])

    assert len(events.readers) + len(events.handed) < 300
    assert inbox.take() == []


def test_of_many_loops_that_were_left_the_one_that_came_furthest_counts() -> None:
    inbox = full_inbox()
    events = inbox.take()
    read(events, 2)

    for _ in range(200):
        read(events, 1)

    assert inbox.take() == EVENTS[2:]


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy], ids=["copied", "deeply"])
def test_a_copy_is_a_plain_list(way: Callable[[list[Event]], list[Event]]) -> None:
    inbox = full_inbox()

    found = way(inbox.take())

    assert (type(found), [*map(type, found)], inbox.take()) == (list, [*map(type, EVENTS)], [])


def test_nothing_can_be_popped_from_none() -> None:
    inbox = full_inbox()
    events = inbox.take()

    with pytest.raises(IndexError, match="out of range"):
        events.pop(5)
    events.clear()
    with pytest.raises(IndexError, match="pop from empty list"):
        events.pop()


@pytest.mark.parametrize("peek", [0, 1])
def test_a_list_to_which_it_is_added_stays_the_same_list(peek: int) -> None:
    inbox, got = full_inbox(), list[Event]()
    events, same = inbox.take(), got
    if peek:
        read(events, peek)

    got += events
    added = EVENTS + events
    both = events + events
    events += [Joined(OTHER)]

    assert got is same
    assert (got, added, both) == (EVENTS, 2 * EVENTS, 2 * EVENTS)
    assert (type(added), type(both), type(events)) == (list, list, type(inbox.events))
    assert len(events) == len(EVENTS) + 1


def test_what_was_looked_at_before_it_was_taken_has_not_come_yet() -> None:
    inbox = full_inbox()
    looked_at = inbox.events[-1]

    read(inbox.take(), 1)

    assert looked_at == EVENTS[-1]
    assert inbox.take() == EVENTS[1:]


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
    inbox = Inbox[Event](10 * EVENT_SIZE, Received)
    most = 0
    for _ in range(100):
        for _ in range(20):
            if not inbox.is_full():
                inbox.put(Joined(PEER), TOLD, None)
        events = inbox.take()
        most = max(most, len(events))
        read(events, 1)

    assert most <= 2 * 11


def test_an_event_that_was_read_is_kept_no_longer() -> None:
    class Message:
        pass

    inbox, message = Inbox[Event](1000, Received), Message()
    gone = weakref.ref(message)
    inbox.events.append(Received(PEER, message))
    del message

    for event in inbox.take():
        del event

    assert gone() is None


def test_an_inbox_is_full_above_its_limit() -> None:
    inbox = Inbox[Event](EVENT_SIZE, Received)
    inbox.put(Joined(PEER), TOLD, None)
    at_the_limit = inbox.is_full()

    inbox.put(Away(PEER, REASON), TOLD, None)

    assert (at_the_limit, inbox.is_full()) == (False, True)


def test_there_is_room_again_where_only_pings_came() -> None:
    inbox = Inbox[Event](1000, Received)
    inbox.room -= 900

    assert inbox.take() == []
    assert inbox.room == 1000


def test_events_that_are_never_taken_are_told_of_once_and_by_the_log_where_some_were() -> None:
    def forget(inbox: Inbox[Event], start: float) -> None:
        for frame in range(round(2 * LONG_PAUSE)):
            inbox.leave(start + frame, "server")

    inbox = Inbox[Event](1000, Received)
    inbox.put(Joined(PEER), TOLD, None)
    fresh = inbox.has_news()
    with pytest.warns(RuntimeWarning, match=r"server\.events\(\) has not been called") as caught:
        forget(inbox, 0.0)
    old = inbox.has_news()
    inbox.take()
    inbox.put(Back(PEER), TOLD, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forget(inbox, 1000.0)
    excused = Inbox[Event](1000, Received)
    excused.put(Joined(PEER), TOLD, None)
    excused.excuse()
    forget(excused, 0.0)

    assert (fresh, old, len(caught)) == (True, False, 1)
