"""A table with those around it: who sits, with which key, who is there, and what is stored of it.

No network and no disk: the server carries what comes in and what goes out.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from netcode.peer import Peer
from netcode.turns.errors import BUGS, Unfit
from netcode.turns.protocol import MAX_NAME
from netcode.turns.runtime.absence import matters
from netcode.turns.runtime.soundness import DAMAGED
from netcode.turns.runtime.storing import OtherVersion
from netcode.turns.serving.games import seats_of, still_chosen, with_defaults
from netcode.turns.serving.lobby import Listing
from netcode.turns.store import Saved
from netcode.turns.table import Happening, Table
from netcode.turns.values import pack, unpack

FORMAT = 1
"""Of what `Room.stored` makes."""


def digest_of_key(key: str) -> bytes:
    """Return what is stored of a seat's key: who reads the database can sit down nowhere."""
    return hashlib.blake2b(key.encode(), digest_size=16, person=b"netcode seat").digest()


def id_of_room(game: str, code: str) -> str:
    """Return the id of the table that a code leads to, typed in capitals or not: strangers choose codes, ids are keys."""
    return hashlib.blake2b(f"{game}\0{code.upper()}".encode(), digest_size=15, person=b"netcode room").hexdigest()


@dataclass(slots=True)
class Seat:
    """A seat that is taken."""

    name: str
    key: bytes
    """Its digest."""
    away_since: float | None = None
    left: bool = False


@dataclass(slots=True, eq=False)
class Viewer:
    """Somebody at a table, and what was sent there already."""

    peer: Peer
    table: str
    seat: int | None
    name: str
    legal: bool
    fields: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    public: Mapping[str, Any] = field(default_factory=dict[str, Any])
    own: dict[str, Any] = field(default_factory=dict[str, Any])
    key: bytes = b""
    unheard: bool = False
    """Whether they were given a seat that nobody had, and have yet to hear of it: that waits for the store."""


@dataclass(slots=True)
class _Past:
    """What entries say of the table."""

    snapshot: bytes | None
    """As it began, or as it was stored last; None before."""
    steps: list[bytes] = field(default_factory=list[bytes])
    asleep: bool = False
    """Whether a clock ran on while nobody had it."""
    left: list[float] | None = None
    """What was left on clocks that stood."""


_LIST: Any = list  # of unknown types to the type checkers, as what is stored is
_DICT: Any = dict
_HERE = ["here", None]
OTHER_VERSION = "this table was stored by another version of netcode"


class Damaged(str):
    """Why a table cannot be brought back, for those who ask for it; `what` is what was found, for whoever runs the server."""

    what = ""

    @classmethod
    def found(cls, what: str) -> "Damaged":
        """Make one."""
        damaged = cls(DAMAGED)
        damaged.what = what
        return damaged


class Room:
    """A table as it is served. Whoever changes it stores the entry that the method returns."""

    def __init__(self, table_id: str, game: type[Any], code: str | None, players: int | None, options: Any) -> None:
        self.id = table_id
        self.game = game
        self.code = code
        """The room's, chosen by its founder; None for a table that anybody may join."""
        self.players = players
        """With how many it begins; None: with the most, or when somebody seated says so."""
        self.least, self.most = seats_of(game, players)
        """How many must sit before somebody may start, and how many can sit."""
        self.options = with_defaults(game, options)
        self.seats: list[Seat] = []
        self.table: Table | None = None
        self.frozen = ""
        self.version = self.state_version = 0
        self.settled = 0
        """The version with which everything that is stored of it agrees."""
        self.viewers: list[Viewer] = []
        self.missed: dict[int, tuple[Happening, ...]] = {}
        """What each seat has yet to be told when it is back: what a restart under changed rules took back."""
        self.told: Mapping[str, Any] = {}
        """What all were told of it last beside the fields, so that what changed is found once for all of them."""
        self.rematch: set[int] = set()
        self.listed = True
        self.unsaved = 0
        """Batches under way that hold something of it: until they are through, nothing of it is told."""
        self.touched = 0.0
        self.due: float | None = None
        self.wakes = False
        """Whether the store knows that something is due here by itself."""

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self.table is not None and self.table.result is not None

    @property
    def abandoned(self) -> bool:
        """Whether its game is over, or all have gone for good, and nobody who sat there is connected.

        Never where it is damaged: that is kept as it is.
        """
        if self.table is None or self.frozen or not (self.over or all(seat.left for seat in self.seats)):
            return False
        return not self.table.damage and all(viewer.seat is None for viewer in self.viewers)

    @property
    def staying(self) -> list[int]:
        """The seats of those who have not gone for good."""
        return [number for number, seat in enumerate(self.seats) if not seat.left]

    @property
    def missing(self) -> list[int]:
        """The seats of those who stay and have not asked for another game."""
        return [seat for seat in self.staying if seat not in self.rematch]

    @property
    def agreed(self) -> bool:
        """Whether all who stay have asked for another game, and are enough for one."""
        return self.over and len(self.staying) >= self.game.seats[0] and not self.missing

    def rematch_due(self) -> float | None:
        """Return when another game begins without those who are away and have not asked for it.

        None where nobody is, where somebody who is here has not asked, and where the others are too few.
        """
        waited = [self.seats[seat].away_since for seat in self.missing]
        away = [since for since in waited if since is not None]
        here = sum(self.seats[seat].away_since is None for seat in self.staying)
        if not self.over or not away or len(away) < len(waited) or here < self.game.seats[0]:
            return None
        return max(away) + float(self.game.grace)

    def next_due(self) -> float | None:
        """Return when something happens here by itself."""
        table = self.table
        return None if table is None or self.frozen or table.frozen else table.due()

    def sit(self, name: str, key: bytes) -> bytes:
        """Give somebody the next seat."""
        self.seats.append(Seat(self.distinct(name), key))
        return pack(["sit", self.seats[-1].name, key])

    def distinct(self, name: str) -> str:
        """Return `name`, with a number where somebody who sits here has it: the others have to tell them apart."""
        taken = {seat.name.casefold() for seat in self.seats}
        if name:
            numbered = (f"{name[: MAX_NAME - 1 - len(str(number))]} {number}" for number in count(2))
        else:
            numbered = (f"player {number}" for number in count(len(self.seats) + 1))
        return next(one for one in chain([name] if name else (), numbered) if one.casefold() not in taken)

    def leave(self, seat: int) -> bytes:
        """Free a seat before the game; those behind it move up."""
        del self.seats[seat]
        return pack(["leave", seat])

    def depart(self, seat: int) -> bytes:
        """Have whoever sits there gone for good, though the seat stays in the game."""
        self.seats[seat].left = True
        return pack(["depart", seat])

    def come_back(self, seat: int) -> bytes:
        """Have whoever was gone for good sit there again."""
        self.seats[seat].left = False
        return pack(["come back", seat])

    def close_up(self) -> list[bytes]:
        """Free the seats of those who have gone for good; those behind them move up, also what they have yet to be told."""
        staying = self.staying
        self.missed = {new: self.missed[old] for new, old in enumerate(staying) if old in self.missed}
        return [self.leave(seat) for seat in reversed(range(len(self.seats))) if seat not in staying]

    def want_rematch(self, seat: int) -> bytes:
        """Note that whoever sits there wants another game."""
        self.rematch.add(seat)
        return pack(["rematch", seat])

    def anew(self, players: int | None, options: Any) -> bytes:
        """Wait for others, as they want it: whoever played here before has gone."""
        self.players, self.options = players, with_defaults(self.game, options)
        self.least, self.most = seats_of(self.game, players)
        self.seats, self.table, self.told, self.listed = [], None, {}, True
        self.missed.clear()
        self.rematch.clear()
        return pack(["anew", players, self.options])

    def begin(self, secret: bytes) -> bytes:
        """Make the table for those who sit. Raises `ValueError` if the game cannot be played like that."""
        self.options, names = still_chosen(self.game, self.options), [seat.name for seat in self.seats]
        self.table = Table.create(self.game, len(self.seats), self.options, secret=secret, names=names)
        return pack(["begin", self.table.snapshot()])

    def stepped(self, entry: bytes) -> bytes:
        """Return what is stored of a step of the table."""
        return pack(["step", entry])

    def stand(self, now: float) -> bytes:
        """Leave memory, or end, with the clocks as they are by now: they stand until somebody has the table again."""
        assert self.table is not None
        self.table.stand_clocks(now)
        return pack(["stand", self.table.status(now).clocks])

    def sleep(self) -> bytes:
        """Leave memory while a clock runs, which goes on meanwhile."""
        return pack(["sleep"])

    def stored(self) -> bytes:
        """Return what `restore` starts from."""
        seats = [[seat.name, seat.key, seat.left] for seat in self.seats]
        snapshot = None if self.table is None else self.table.snapshot()
        name = self.game.__name__
        return pack(
            [FORMAT, name, self.code, self.players, self.options, seats, snapshot, self.listed, [*self.rematch]]
        )

    @classmethod
    def restore(cls, table_id: str, saved: Saved, games: Mapping[str, type[Any]], now: float) -> "Room | str":
        """Return the room that is stored, or why it cannot be: a sentence, of the class `Damaged` where it should be."""
        if saved.damage:
            return Damaged.found(saved.damage)
        try:
            return cls._restored(table_id, saved, games, now)
        except BUGS as error:  # what a failing disk gives back may be anything
            return Damaged.found(f"{type(error).__name__}: {error}")

    @classmethod
    def _restored(cls, table_id: str, saved: Saved, games: Mapping[str, type[Any]], now: float) -> "Room | str":
        version, *parts = unpack(saved.state)
        if version != FORMAT:
            return OTHER_VERSION
        name, code, players, options, seats, snapshot, listed, *wishes = parts
        game = games.get(name)
        if game is None:
            return f"this server does not play {name} any more"
        _need(isinstance(code, str | None) and (players is None or type(players) is int), "room")
        _need(isinstance(options, _DICT) and all(isinstance(option, str) for option in options), "options")
        room = cls(table_id, game, code, players, options)
        room.listed = listed is True
        room.rematch.update(*wishes)  # of which tables of older versions have none
        room.seats = [Seat(who, key, None, left) for who, key, left in seats]
        room.version = room.settled = saved.version + len(saved.entries)
        room.state_version = saved.version
        past = room._relive(saved.entries, snapshot)
        if past is None:
            return OTHER_VERSION
        if past.snapshot is not None:
            try:
                room.table = Table.restore(game, past.snapshot, past.steps, now=now)
            except OtherVersion as error:
                return str(error)
            if past.asleep and saved.wake is not None:
                room.table.run_out(now + saved.wake)
            if past.left is not None:
                room.table.set_clocks(past.left, now)
        _need(room.table is not None or not past.steps, "entries")
        _check_seats(room)
        return room

    def _relive(self, entries: Sequence[bytes], snapshot: bytes | None) -> "_Past | None":
        """Have happen to its seats again what is stored, and return what happened to its table; None for what nobody knows."""
        past = _Past(snapshot)
        for body in entries:
            entry = _read_entry(body)
            past.asleep, past.left = entry == ["sleep"], entry[1] if entry[0] == "stand" else None
            if entry[0] == "begin":
                past.snapshot, past.steps = entry[1], []
                self.rematch.clear()
            elif entry[0] == "anew":
                past.snapshot, past.steps = None, []
                self.anew(*entry[1:])
            elif entry[0] == "step":
                past.steps.append(entry[1])
            elif entry[0] == "":
                past.steps.append(body)  # it is none, and freezes the table where there is one
            elif not past.asleep and past.left is None and not self._reseat(entry):
                return None
        return past

    def _reseat(self, entry: list[Any]) -> bool:
        """Have again happen to its seats what is stored of them, and tell whether it is that."""
        match entry:
            case ["sit", who, key]:
                self.seats.append(Seat(who, key))
            case ["leave", seat]:
                del self.seats[seat]
            case ["depart", seat]:
                self.seats[seat].left = True
            case ["rematch", seat]:
                self.rematch.add(seat)
            case ["come back", seat]:
                self.seats[seat].left = False
            case _:
                return False
        return True

    def listing(self) -> Listing | None:
        """Return what the store lists of it; None once nobody needs it to find the table.

        A table stays listed until every seat has made a play: one whose ticket never arrived finds its way by its key.
        """
        if not self.listed:
            return None
        if self.table is not None and all(self.table.numbers):
            self.listed = False
            return None
        is_open = self.table is None and len(self.seats) < self.most
        names, keys = [seat.name for seat in self.seats], [seat.key for seat in self.seats]
        return Listing(self.id, self.game.__name__, self.code, self.players, self.options, names, keys, is_open)

    def seat_of(self, key: bytes) -> int | None:
        """Return the seat that a key opens."""
        for number, seat in enumerate(self.seats):
            if hmac.compare_digest(seat.key, key):
                return number
        return None

    def viewer_of(self, seat: int) -> Viewer | None:
        """Return who sits there, if somebody is connected."""
        return next((viewer for viewer in self.viewers if viewer.seat == seat), None)

    def presence(self, seat: int, now: float) -> list[Any]:
        """Return whether somebody is there, and in how many seconds absence has consequences, if it has."""
        taken = self.seats[seat]
        if taken.left:
            return ["left", None]
        if taken.away_since is None:
            return _HERE
        table, due = self.table, self.rematch_due() if seat in self.missing else None
        if due is None and table is not None and table.is_open() and matters(table.course, seat):
            due = taken.away_since + self.game.grace
        return ["away", None if due is None else max(0.0, due - now)]


def _need(sound: bool, what: str) -> None:
    if not sound:
        raise Unfit(f"its {what} cannot be what was stored")


def _check_seats(room: Room) -> None:
    """Raise `Unfit` for seats that nobody can have taken, or that are not those of the table."""
    for seat in room.seats:
        _need(isinstance(seat.name, str) and isinstance(seat.key, bytes) and isinstance(seat.left, bool), "seats")
    _need(room.table is None or room.table.players == len(room.seats), "seats")
    _need(all(type(seat) is int and 0 <= seat < len(room.seats) for seat in room.rematch), "rematch")


def _read_entry(body: bytes) -> list[Any]:
    """Return what an entry says; one of an unheard-of kind, "", where it says nothing."""
    try:
        entry: list[Any] = unpack(body)
    except BUGS:  # what a failing disk gives back may be anything
        return [""]
    return entry if isinstance(entry, _LIST) and entry and isinstance(entry[0], str) else [""]
