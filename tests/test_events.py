"""The five events."""

from typing import Any

import pytest
from scene import Scene

import netcode
from netcode import Address, Away, Back, Event, Joined, Left, Peer, Reason, ReasonCode, Received, State
from netcode.events import Teller
from netcode.limits import Limits
from netcode.loop.engine import Act, Engine
from netcode.session.inbox import Inbox
from netcode.session.session import Session
from netcode.wire.typed import make_codec


class Nobody:
    """An owner of peers."""

    def __init__(self) -> None:
        self.engine = Engine()

    def do(self, act: Act) -> None:
        act()

    def drop(self, session: Session, reason: Reason) -> None:
        """It is nobody's."""

    def kept(self) -> None:
        """Nobody keeps it."""


def make_peer() -> Peer:
    codec = make_codec()
    return Peer(Session(Nobody(), 1, Address("here", 1), Limits(), codec), codec)


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


def test_whoever_compares_an_event_with_a_class_is_told_how_to_ask() -> None:
    def look() -> None:
        match EVENTS[0]:
            case netcode.Received:  # an equality, and not a pattern of a class
                pass

    with pytest.raises(TypeError) as caught:
        look()

    assert str(caught.value) == (
        "an event is never equal to a class: "
        "write `case netcode.Received(peer, message):` or `isinstance(event, netcode.Received)`"
    )


def test_an_event_differs_from_everything_that_is_none() -> None:
    assert [event == other for event in EVENTS for other in (str, PEER, None, (PEER,))] == [False] * 20


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Joined(PEER).peer = make_peer()  # type: ignore[misc]


def test_a_game_is_told_what_happens_to_a_session_and_of_its_end_once() -> None:
    scene = Scene()
    server = scene.serve(grace=60.0)
    client = scene.join()
    scene.network.cut()
    scene.until(lambda: client.state is State.CONNECTED)
    scene.play(1.0)
    client.close_nicely()
    scene.play(1.0)
    events = scene.news(server)

    assert events == ["Joined", "Away", "Back", "Left"]
    scene.close()


def test_the_end_of_a_session_is_told_once() -> None:
    inbox: Inbox[Any] = Inbox(1000, Received)
    codec = make_codec()
    session = Session(Nobody(), 1, Address("here", 1), Limits(), codec)
    peer = Peer(session, codec)
    teller = Teller(inbox)

    teller.left(session, REASON)
    teller.left(session, REASON)

    assert [*inbox.take()] == [Left(peer, REASON)]
