"""What happens at a server, counted for those who look on: a status file, metrics. A server without them pays nothing."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from weakref import ReferenceType, WeakKeyDictionary, ref

from netcode.address import Address
from netcode.loop.clock import Clock
from netcode.peer import Peer
from netcode.reasons import Reason
from netcode.stream.contract import State


class Observable(Protocol):
    """What those who look on ask of a server."""

    address: Address

    @property
    def state(self) -> State:
        """Whether it serves."""
        ...

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The players."""
        ...


class Listed(Protocol):
    """Numbers with names."""

    def _asdict(self) -> dict[str, Any]: ...


class Tables(NamedTuple):
    """What a server of tables has to tell besides. Any thread may ask."""

    stats: Callable[[], Listed]
    clock: Clock
    """What gives the time at which the numbers are as they are."""


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

    def __init__(self, server: Observable, about: About) -> None:
        super().__init__()
        self._server = ref(server)
        self.about = about
        self.tables: Tables | None = None
        """What tells of the tables, where the server has such."""

    @property
    def server(self) -> Observable:
        """Whom they look on at."""
        server = self._server()
        assert server is not None  # it keeps them
        return server


_onlookers: WeakKeyDictionary[object, ReferenceType[Onlookers]] = WeakKeyDictionary()


def invite_onlookers(server: Observable, about: About) -> Onlookers:
    """Return the list of those who will look on at `server`, which is empty yet, and is the server's to keep."""
    onlookers = Onlookers(server, about)
    _onlookers[server] = ref(onlookers)
    return onlookers


def share_onlookers(above: object, server: Observable, tables: Tables) -> None:
    """Have those who look on at `above`, which has tables, look on at `server`, on which it stands."""
    onlookers = onlookers_of(server)
    onlookers.tables = tables
    _onlookers[above] = ref(onlookers)


def onlookers_of(server: object) -> Onlookers:
    """Return those who look on at `server`. Raises `TypeError` for what is no server."""
    try:
        found = _onlookers[server]
    except (KeyError, TypeError):  # nobody's, or nothing that can be a key there
        raise TypeError(f"expected a netcode.Server, not {type(server).__name__}") from None
    onlookers = found()
    assert onlookers is not None  # the server keeps it
    return onlookers


class Observer:
    """Counts what a server does; whoever shows it, inherits from this.

    Args:
        server: whom to observe, from now on; one of tables is observed by the one of messages on which it stands.
        clock: gives the seconds by which updates are measured.
    """

    def __init__(self, server: object, clock: Clock = time.perf_counter) -> None:
        self._onlookers = onlookers_of(server)
        self.server = self._onlookers.server
        self.about = self._onlookers.about
        self.left: Counter[str] = Counter()
        """How many peers left, by the name of the reason's code."""
        self.refused: Counter[str] = Counter()
        """How many links ended before they were anybody's, likewise."""
        self.joined = 0
        self._departed = Totals()
        self._clock = clock
        self._began = clock()
        self._onlookers.append(self)

    @property
    def tables(self) -> Tables | None:
        """What tells of the tables, where the server has such."""
        return self._onlookers.tables

    def stop(self) -> None:
        """Observe no more."""
        if self in self._onlookers:
            self._onlookers.remove(self)

    def totals(self) -> Totals:
        """Return what went over all links so far."""
        return _sum(self._departed, *(peer.stats[:4] for peer in self.server.peers))

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

    def went(self, peer: Peer, reason: Reason) -> None:
        """Hear that it is over with a peer."""
        self.left[reason.code.name] += 1
        self._departed = _sum(self._departed, peer.stats[:4])

    def turned_away(self, reason: Reason) -> None:
        """Hear that a link ended that was nobody's."""
        self.refused[reason.code.name] += 1

    def closed(self) -> None:
        """Hear that the server is closed."""


def _sum(*some: tuple[int, ...]) -> Totals:
    return Totals(*map(sum, zip(*some, strict=True)))
