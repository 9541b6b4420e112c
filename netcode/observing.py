"""What happens at a server, counted for those who look on: a status file, metrics. A server without them pays nothing."""

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ReferenceType, WeakKeyDictionary, ref

from netcode.clock import Clock
from netcode.reasons import Reason

if TYPE_CHECKING:
    from netcode.peer import Peer
    from netcode.server import Server
    from netcode.turns.server import Server as TurnServer
    from netcode.turns.stats import Stats as TableStats


class Totals(NamedTuple):
    """What went over all links of a server so far, those of peers included that have left."""

    messages_sent: int = 0
    messages_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


class About(NamedTuple):
    """What a server says of itself."""

    game: str
    version: str
    max_peers: int


class Onlookers(list["Observer"]):
    """Those who look on at a server. It keeps them; they are found by it, and do not keep it."""

    def __init__(self, about: About) -> None:
        super().__init__()
        self.about = about


_onlookers: WeakKeyDictionary[object, ReferenceType[Onlookers]] = WeakKeyDictionary()


def invite_onlookers(server: object, about: About) -> Onlookers:
    """Return the list of those who will look on at `server`, which is empty yet, and is the server's to keep."""
    onlookers = Onlookers(about)
    _onlookers[server] = ref(onlookers)
    return onlookers


def onlookers_of(server: object) -> Onlookers:
    """Return those who look on at `server`."""
    onlookers = _onlookers[server]()
    assert onlookers is not None  # the server keeps it
    return onlookers


class Observer:
    """Counts what a server does; whoever shows it, inherits from this.

    Args:
        server: whom to observe, from now on.
        clock: gives the seconds by which updates are measured.
    """

    def __init__(self, server: "Server", clock: Clock = time.perf_counter) -> None:
        self.server = server
        self.tables: Callable[[], TableStats] | None = None
        """What tells of the tables, where the server has such. Any thread may ask."""
        self.left: Counter[str] = Counter()
        """How many peers left, by the name of the reason's code."""
        self.refused: Counter[str] = Counter()
        """How many links ended before they were anybody's, likewise."""
        self.joined = 0
        self._departed = Totals()
        self._clock = clock
        self._began = clock()
        self._onlookers = onlookers_of(server)
        self.about = self._onlookers.about
        self._onlookers.append(self)

    def stop(self) -> None:
        """Observe no more."""
        if self in self._onlookers:
            self._onlookers.remove(self)

    def totals(self) -> Totals:
        """Return what went over all links so far."""
        return _sum(self._departed, *(peer.stats[:4] for peer in self.server.peers))

    # What the server tells.

    def begin(self) -> None:
        """Hear that an update begins."""
        self._began = self._clock()

    def end(self) -> None:
        """Hear that it is done."""
        self.took(self._clock() - self._began)

    def took(self, seconds: float) -> None:
        """Hear how long an update took."""

    def came(self) -> None:
        """Hear that a peer joined."""
        self.joined += 1

    def went(self, peer: "Peer", reason: Reason) -> None:
        """Hear that it is over with a peer."""
        self.left[reason.code.name] += 1
        self._departed = _sum(self._departed, peer.stats[:4])

    def turned_away(self, reason: Reason) -> None:
        """Hear that a link ended that was nobody's."""
        self.refused[reason.code.name] += 1

    def closed(self) -> None:
        """Hear that the server is closed."""


def network_of(server: "Server | TurnServer") -> "Server":
    """Return what has the links of a server: one of tables stands on one of messages."""
    anything: Any = server
    links: Server = getattr(anything, "_net", anything)
    return links


def _sum(*some: tuple[int, ...]) -> Totals:
    return Totals(*map(sum, zip(*some, strict=True)))
