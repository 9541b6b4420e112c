"""Games on the local network: what a server says of itself, and what a player finds.

What is found was said by strangers: all of it is bounded, and what is shown is escaped.
"""

from collections.abc import Mapping
from typing import NamedTuple

from netcode.address import Address
from netcode.diagnostics.calls import explain_update
from netcode.lan import MAX_ENTRY, MAX_SIGHTINGS, Lan, Sighting
from netcode.limits import check_name
from netcode.loop.forks import keep_from_children
from netcode.reasons import Reason, ReasonCode, printable
from netcode.transport import Network
from netcode.transport.tcp import TCP
from netcode.waiting import ClosingWaiter, Descriptors, wait
from netcode.wire.protocol import MAX_NAME

MAX_COUNT = 1_000_000
"""Players above which a stranger's number means nothing."""


class FoundGame(NamedTuple):
    """A server that was found on the local network. All of it is a stranger's word, and safe to print."""

    name: str
    """What the server calls itself: `Server(..., announce=name)`."""
    game: str
    """What is played there."""
    version: str
    """Its version."""
    players: int | None
    """How many are playing; None if the server does not tell."""
    max_players: int | None
    """How many there is room for."""
    tls: bool
    """Whether a client needs `tls=`."""
    addresses: tuple[Address, ...]
    """Where it is, the likeliest first."""

    @property
    def address(self) -> Address:
        """Where it is most likely reached: `Client(*found.address, game=found.game, version=found.version)`."""
        return self.addresses[0]


class Discovery(ClosingWaiter):
    """Games on the local network, as `discover` finds them. Driven by `update()`, like everything else.

    It belongs to the process that made it.
    """

    __slots__ = ("__weakref__", "_closed", "_game", "_games", "_lookout", "_seen")

    def __init__(self, lan: Lan, game: str | None) -> None:
        self._game = game
        self._lookout = lan.look_out()
        self._seen: Mapping[str, Sighting] | None = None
        self._games: tuple[FoundGame, ...] = ()
        self._closed = False
        keep_from_children(self)

    @property
    def games(self) -> tuple[FoundGame, ...]:
        """What is there, as of the last `update()`, sorted by name; 256 at most."""
        return self._games

    @property
    def reason(self) -> Reason | None:
        """Why nothing can be found at present: there is no network, say. None while that is not so."""
        error = None if self._closed else self._lookout.error
        return None if error is None else Reason(ReasonCode.NETWORK, error)

    def __repr__(self) -> str:
        return f"<Discovery of {len(self._games)} games>"

    def update(self) -> None:
        """See what came, changed and went. Never blocks. Call it once a frame, or as often as you look at `games`."""
        if self._closed:
            return
        self._lookout.hush()
        sightings = self._lookout.sightings
        if sightings is not self._seen:
            self._seen = sightings
            found = map(_read, [*sightings.values()][:MAX_SIGHTINGS])
            games = [one for one in found if one is not None and self._game in (None, one.game)]
            self._games = tuple(sorted(games, key=_place))

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until `update()` has something to do.

        Args:
            timeout: seconds to sleep at most; None for as long as it takes.

        Returns:
            False if the time passed first.

        Raises:
            TypeError, ValueError: `timeout` is no finite number. A negative one counts as 0.
        """
        return wait(self, timeout=timeout)

    def close(self) -> None:
        """Stop looking. `games` stay as they are."""
        if not self._closed:
            self._closed = True
            self._lookout.close()

    def instantiate(self) -> Descriptors:
        number = -1 if self._closed else self._lookout.fileno()
        return ([number] if number >= 0 else []), [], []

    def _seconds_left(self) -> float | None:
        return 0.0 if self._closed or self._lookout.sightings is not self._seen else None

    def _is_over(self) -> bool:
        return self._closed

    def _abandon(self) -> None:
        """Be over in a child of the process that made it."""
        if not self._closed:
            self._closed = True
            self._lookout.abandon()


explain_update(Discovery)


def discover(game: str | None = None, *, network: Network = TCP) -> Discovery:
    """Look for games on the local network that were started with `Server(..., announce=name)`.

    Usage::

        with netcode.discover("chess") as discovery:
            while True:
                discovery.update()
                for found in discovery.games: ...

    The first are there within about a second. It needs the extra `lan`.

    Args:
        game: what the servers must play; None for whatever there is.
        network: where to look, for tests.

    Raises:
        TypeError, ValueError: `game` can be none.
        ImportError: the extra `lan` is not installed.
        OSError: no descriptor is left.
    """
    if game is not None:
        check_name("game", game)
    return Discovery(lan_of(network), game)


class Announcer:
    """What a server says of itself on the local network, until it closes its door."""

    __slots__ = ("_announcement", "_players", "_said")

    def __init__(self, lan: Lan, host: str, address: Address, said: Mapping[str, str]) -> None:
        self._players = 0
        self._said = said
        self._announcement = lan.announce(said["name"], host, address, {**said, "players": "0"})

    def count(self, players: int) -> None:
        """Hear how many are playing."""
        if players != self._players:
            self._players = players
            self._announcement.tell({**self._said, "players": str(players)})

    def close(self) -> None:
        """Tell everybody that the server is gone."""
        self._announcement.close()

    def abandon(self) -> None:
        """Be over in a child of the process that made it."""
        self._announcement.abandon()


def lan_of(network: Network) -> Lan:
    """Return where the servers of `network` are announced and found.

    Raises:
        ImportError: what it takes is not installed.
    """
    if isinstance(network, Lan):
        return network
    try:
        from netcode.lan.mdns import Mdns
    except ImportError as error:
        raise ImportError('finding games on the LAN needs zeroconf: python -m pip install "netcode[lan]"') from error
    return Mdns()


def make_notice(name: str, game: str, version: str, max_peers: int, tls: bool) -> dict[str, str]:
    """Return what a server says of itself.

    Raises:
        TypeError, ValueError: it cannot be said.
    """
    if not check_name("announce", name):
        raise ValueError("announce must be a name for this server, or None for no announcement")
    said = {"name": name, "game": game, "version": version, "max_players": str(max_peers), "tls": str(int(tls))}
    for key, value in said.items():
        if len(f"{key}={value}".encode("utf-8", "replace")) > MAX_ENTRY:
            what = "announce" if key == "name" else key
            raise ValueError(f"{what} is too long to be announced: {MAX_ENTRY - len(key) - 1} bytes of UTF-8 at most")
    return said


def _read(sighting: Sighting) -> FoundGame | None:
    """Make what players are shown of what a stranger said; None if it is none of our servers."""
    said = sighting.said
    if "game" not in said:
        return None
    name, game, version = (printable(said.get(key, ""), MAX_NAME) for key in ("name", "game", "version"))
    players, most = (_number(said.get(key, "")) for key in ("players", "max_players"))
    return FoundGame(name or "?", game, version, players, most, said.get("tls") == "1", sighting.addresses)


def _place(found: FoundGame) -> tuple[str, str, tuple[Address, ...], str]:
    """Return what sorts games for players. `repr` decides for the rest, because what a server does not tell has no order."""
    return found.name.casefold(), found.name, found.addresses, repr(found)


def _number(text: str) -> int | None:
    if len(text) > 7 or not text.isascii() or not text.isdecimal():
        return None
    return min(int(text), MAX_COUNT)
