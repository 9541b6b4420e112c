"""Which tables can be found: those with a free seat, and those whose seats' keys are known."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from netcode.turns.errors import BUGS, Unfit
from netcode.turns.protocol import Join
from netcode.turns.serving.games import seats_of, still_chosen, with_defaults
from netcode.turns.values import pack, unpack

FORMAT = 1
"""Of what `Listing.stored` makes."""
MAX_KEYS = 100_000
"""Keys that are remembered, some 20 MB: those of games that everybody left early would gather until such tables are old."""


@dataclass(slots=True)
class Listing:
    """What is known of a table that somebody may still have to find."""

    table: str
    game: str
    code: str | None
    players: int | None
    options: dict[str, Any]
    names: list[str]
    keys: list[bytes]
    open: bool

    def stored(self) -> bytes:
        """Return what the store keeps."""
        return pack([FORMAT, self.game, self.code, self.players, self.options, self.names, self.keys, self.open])

    @classmethod
    def read(cls, table: str, body: bytes) -> "Listing | None":
        """Read what `stored` made; None for what another version made. Raises `Unfit` for what nobody made."""
        try:
            version, *parts = unpack(body)
            if version != FORMAT and type(version) is int:
                return None
            listing = cls(table, *parts)
        except BUGS as error:  # what a failing disk gives back may be anything
            raise Unfit(f"{type(error).__name__}: {error}") from error
        if not listing._is_sound():
            raise Unfit("its listing cannot be what was stored")
        return listing

    def _is_sound(self) -> bool:
        return (
            isinstance(self.game, str)
            and isinstance(self.code, str | None)
            and (self.players is None or type(self.players) is int)
            and isinstance(self.options, dict)
            and all(isinstance(option, str) for option in self.options)
            and isinstance(self.names, list)
            and all(isinstance(name, str) for name in self.names)
            and isinstance(self.keys, list)
            and all(isinstance(key, bytes) for key in self.keys)
            and isinstance(self.open, bool)
        )

    def shown(self, game: type[Any]) -> dict[str, Any]:
        """Return what is told to whoever asks which tables are open."""
        return {
            "room": f"#{self.table}",
            "game": self.game,
            "players": [*seats_of(game, self.players)],
            "options": self.options,
            "names": self.names,
        }


class Lobby:
    """Tables by game, the oldest first, and by key.

    Args:
        games: those that are played here, by name.
        damaged: called with a table whose listing cannot be read, and what was found.
    """

    def __init__(self, games: Mapping[str, type[Any]], damaged: Callable[[str, str], None]) -> None:
        self._games, self._damaged = games, damaged
        self._open: dict[str, OrderedDict[str, Listing]] = {}
        self._keys: dict[bytes, str] = {}
        self._learned: dict[str, bytes] = {}
        """What the store listed of the tables of others when it was last asked."""

    def learn(self, stored: Iterable[tuple[str, bytes]]) -> None:
        """Take in what a store has listed of our games; what cannot be read is told, and left alone."""
        for table, body in stored:
            try:
                listing = Listing.read(table, body)
            except Unfit as error:
                self._damaged(table, f"its listing cannot be read ({error})")
                continue
            if listing is not None and listing.game in self._games:
                listing.options = still_chosen(self._games[listing.game], listing.options)
                self.put(listing)
                self.know(table, listing.keys)

    def refresh(self, stored: Iterable[tuple[str, bytes]], ours: Collection[str], *, whole: bool) -> None:
        """Take in what a store lists of tables that are not ours, in place of what was known of such.

        Args:
            stored: what is listed, by table.
            ours: tables that are here, and of which we know better.
            whole: whether that is all there is: then whatever else waits for players is not there any more.
        """
        listed = dict(stored)
        gone = self._learned.keys() - listed.keys()
        if whole:
            gone |= {table for tables in self._open.values() for table in tables} - listed.keys()
        self.forget(table for table in gone if table not in ours)
        new = [(table, body) for table, body in listed.items() if self._learned.get(table) != body]
        self._learned = listed
        self.learn(new)

    def put(self, listing: Listing) -> None:
        """Keep what a lobby shows of a table, if it can still be joined."""
        tables = self._open.setdefault(listing.game, OrderedDict())
        if listing.open:
            tables[listing.table] = listing
        else:
            tables.pop(listing.table, None)

    def know(self, table: str, keys: Iterable[bytes]) -> None:
        """Remember which table these keys belong to; of too many, only those that were heard of last."""
        self._keys |= dict.fromkeys(keys, table)
        if len(self._keys) > MAX_KEYS:
            self._keys = dict(islice(self._keys.items(), MAX_KEYS // 2, None))

    def forget_keys(self, keys: Iterable[bytes]) -> None:
        """Drop keys that find their table by their ticket alone."""
        for key in keys:
            self._keys.pop(key, None)

    def forget(self, tables: Iterable[str]) -> None:
        """Drop all that is known of tables that are not stored any more."""
        gone = {*tables}
        if not gone:
            return
        for table in gone:
            self._learned.pop(table, None)
        for listings in self._open.values():
            for table in gone & listings.keys():
                del listings[table]
        self._keys = {key: table for key, table in self._keys.items() if table not in gone}

    def close(self, game: str, table: str) -> None:
        """Hear that a table can be joined no more."""
        if game in self._open:
            self._open[game].pop(table, None)

    def by_key(self, key: bytes) -> str | None:
        """Return the table at which a key opens a seat."""
        return self._keys.get(key)

    @property
    def waiting(self) -> int:
        """How many tables can be joined."""
        return sum(map(len, self._open.values()))

    def match(self, request: Join) -> str | None:
        """Return the oldest table that anybody may join and that is what is wanted."""
        game, listings = self._games[request.game], self._open.get(request.game, OrderedDict[str, Listing]())
        options = with_defaults(game, request.options) if request.options else None
        for listing in listings.values():
            if (
                listing.code is None  # first what is quick to see: there may be thousands
                and options in (None, listing.options)
                and request.players in (None, seats_of(game, listing.players)[1])
            ):
                return listing.table
        return None

    def shown(self, game: str | None, limit: int) -> list[dict[str, Any]]:
        """Return what is told of the tables that anybody may join, of one game or of all."""
        found = (
            listing.shown(self._games[name])
            for name, listings in self._open.items()
            if game in (None, name)
            for listing in listings.values()
            if listing.code is None
        )
        return [*islice(found, limit)]
