"""The five events that `events()` gives, and the inbox in which they wait."""

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from netcode.reasons import Reason

if TYPE_CHECKING:
    from netcode.peer import Peer

E = TypeVar("E")


def _distinct(event: type[E]) -> type[E]:
    """Make events of different types differ: plain tuples with the same content are equal."""

    def same(self: Any, other: Any) -> bool:
        return type(self) is type(other) and (*self,) == (*other,)

    def differs(self: Any, other: Any) -> bool:
        return not same(self, other)

    def digest(self: Any) -> int:
        return hash((event.__name__, *self))

    for name, method in (("__eq__", same), ("__ne__", differs), ("__hash__", digest)):
        setattr(event, name, method)
    return event


@_distinct
class Joined(NamedTuple):
    """`peer` is in: at the server a player, at a client the server."""

    peer: "Peer"


@_distinct
class Received(NamedTuple):
    """`message` came from `peer`. Each comes once, whole, in the order in which it was sent."""

    peer: "Peer"
    message: Any


@_distinct
class Away(NamedTuple):
    """The link to `peer` broke for `reason`, and may come back: what is sent to it meanwhile is kept.

    `Back` or `Left` follows.
    """

    peer: "Peer"
    reason: Reason


@_distinct
class Back(NamedTuple):
    """`peer` is back at its seat after `Away`, and nothing was lost."""

    peer: "Peer"


@_distinct
class Left(NamedTuple):
    """It is over with `peer`, for `reason`. The last event of a peer."""

    peer: "Peer"
    reason: Reason


Event = Joined | Received | Away | Back | Left


EVENT_SIZE = 256
"""Bytes for which an event without a message counts."""


class Inbox:
    """Events that the game has not taken yet, and how many bytes more may come before it does."""

    __slots__ = ("beats", "events", "limit", "room")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.events: list[Event] = []
        self.room = limit
        """Bytes; what brings it below 0 still comes, and nothing after that."""
        self.beats = 0
        """Reads so far that brought nothing but pings and their answers."""

    def put(self, event: Event) -> None:
        """Add an event that is no message."""
        self.events.append(event)
        self.room -= EVENT_SIZE

    def is_full(self) -> bool:
        """Tell whether no more should come in until the game has taken what is there."""
        return self.room < 0

    def take(self) -> list[Event]:
        """Take out everything."""
        events, self.events = self.events, []
        self.room = self.limit
        return events
