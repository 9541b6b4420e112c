"""The five events that `events()` gives."""

from typing import Any, NamedTuple, TypeVar

from netcode.diagnostics.mistakes import hint, tell_from_classes
from netcode.diagnostics.vocabulary import ENDING, EVENT
from netcode.peer import Peer
from netcode.reasons import Reason
from netcode.session.inbox import Inbox
from netcode.session.session import Session, Told

E = TypeVar("E")


def _distinct(event: type[E]) -> type[E]:
    """Make events of different types differ: plain tuples with the same content are equal."""

    def same(self: Any, other: Any) -> bool:
        return type(self) is type(other) and (*self,) == (*other,)

    def differs(self: Any, other: Any) -> bool:
        return not self.__eq__(other)

    def digest(self: Any) -> int:
        return hash((event.__name__, *self))

    for name, method in (("__eq__", same), ("__ne__", differs), ("__hash__", digest)):
        setattr(event, name, method)
    return event


@_distinct
class Joined(NamedTuple):
    """`peer` is in: at the server a player, at a client the server."""

    peer: Peer


@_distinct
class Received(NamedTuple):
    """`message` came from `peer`. Each comes once, whole, in the order in which it was sent."""

    peer: Peer
    message: Any


@_distinct
class Away(NamedTuple):
    """The link to `peer` broke for `reason`, and may come back: what is sent to it meanwhile is kept.

    `Back` or `Left` follows.
    """

    peer: Peer
    reason: Reason


@_distinct
class Back(NamedTuple):
    """`peer` is back at its seat after `Away`, and nothing was lost."""

    peer: Peer


@_distinct
class Left(NamedTuple):
    """It is over with `peer`, for `reason`. The last event of a peer."""

    peer: Peer
    reason: Reason


Event = Joined | Received | Away | Back | Left

for _event in (Joined, Received, Away, Back, Left):
    hint(_event, EVENT)
hint(Away, ENDING)
hint(Left, ENDING)
tell_from_classes("netcode", Joined, Received, Away, Back, Left)


class Teller:
    """Tells a game what happens to sessions, by events about the peers that stand for them."""

    def __init__(self, inbox: Inbox[Event]) -> None:
        self._inbox = inbox

    def joined(self, session: Session) -> None:
        """Tell that it is in."""
        self._inbox.put(Joined(session.peer), session, Told.IN)

    def away(self, session: Session, reason: Reason) -> None:
        """Tell that its link broke, and may come back."""
        self._inbox.put(Away(session.peer, reason), session, Told.AWAY)

    def back(self, session: Session) -> None:
        """Tell that it is back."""
        self._inbox.put(Back(session.peer), session, Told.IN)

    def left(self, session: Session, reason: Reason) -> None:
        """Tell that it is over, unless the game knows that."""
        if session.told is not Told.LEFT:
            self._inbox.put(Left(session.peer, reason), session, Told.LEFT)
