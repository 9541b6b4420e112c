"""Where tables are kept: the contract that every store fulfils, and the two ways in which one fails.

A batch is stored whole or not at all, durably, and only while this process may write. Calls block, and come from one
thread at a time. What bodies say is no business of a store.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from netcode.errors import NetcodeError

MAX_TABLE_ID = 64
"""Characters of a table's id at most: it is a key, and whoever lets players choose names hashes them into one."""

EXPIRED_AT_ONCE = 5_000
"""Tables that one call of `expire` deletes: meanwhile nothing is stored, and nobody hears that we live."""
EXPIRING = 0.5
"""Seconds after which it leaves the rest for the next call, for the same reason: tables may have very many entries."""

AT_THE_START = "start again"
"""What a sentence promises once its trouble is over, as long as a store is being opened."""
LATER = "the games go on"
"""What it promises of a store that was open."""


class Lost(NetcodeError):
    """Somebody else writes these tables now, or what is stored is not what we stored.

    Give up every table at once, end the process, and have it started again.
    """


class Unavailable(NetcodeError):
    """The store cannot be reached or cannot write, and nothing is known: do the same again later. The text says why.

    Args:
        text: for whoever runs the server.
        why: what players may know of it, without paths, addresses and names; "" for nothing. None where they may read
            the text itself.
    """

    def __init__(self, text: str = "", why: str | None = None) -> None:
        super().__init__(text)
        because = f", because {why}" if why else ""
        self.told = text if why is None else f"nothing can be stored at present{because}; the game goes on when it can"
        """What players read."""


class NewTable(NamedTuple):
    """A table to create: its first state, which is version 0, and what a lobby shows of it."""

    table: str
    game: str
    state: bytes
    listing: bytes | None


class Entry(NamedTuple):
    """What happened at a table, counted by versions: 1, 2, 3 and so on."""

    table: str
    version: int
    body: bytes


class State(NamedTuple):
    """What a table was after the entry of this version: where `load` starts from."""

    table: str
    version: int
    body: bytes
    wake: float | None = None
    """In how many seconds something happens there by itself, a clock that runs out, say; None for never."""


class Listing(NamedTuple):
    """What a lobby shows of a table, or by what those who sit there find it again; None once nobody needs either."""

    table: str
    body: bytes | None
    waits: bool = True
    """Whether its game has not begun."""


class Saved(NamedTuple):
    """A table as it is stored: its last state, of `version`, and the bodies of the entries after it."""

    version: int
    state: bytes
    entries: tuple[bytes, ...]
    wake: float | None = None
    """In how many seconds something happens there by itself, as that state said; below 0 where it is late."""
    damage: str = ""
    """What is wrong with what is stored of it, where that is not what was stored; "" where it is."""


class Claim(Enum):
    """What became of a claim; in place of one of these, an address says who has the table."""

    OURS = "ours"
    ASK_AGAIN = "ask again"
    FREE = "free"


class Node(NamedTuple):
    """A process that is alive: where others send players for its tables, and how many it has."""

    address: str
    load: int
    suits: bool = True
    """Whether it plays each of our games, by rules that are at least as new as ours."""


class Store(ABC):
    """Keeps tables.

    Every method may raise `Lost` and `Unavailable`, and nothing else that is not a bug. After `Unavailable` the same
    call again is right, whether or not the first one was stored: an answer may get lost.
    """

    lease: float | None = None
    """Seconds after `renew` for which a node counts as alive; None where one process has the store for itself."""

    @abstractmethod
    def open(self, address: str, rules: Mapping[str, bytes] | None = None) -> None:
        """Make this process a node that others can find at `address`: one per incarnation, dead once declared dead.

        Args:
            address: public, since players are sent there.
            rules: the fingerprint of each game's rules here, for `claim`; None to take tables of whatever rules.
        """

    @abstractmethod
    def renew(self, load: int) -> list[Node]:
        """Say that this node lives and how many tables it has, and return all that live; call it once a second."""

    @abstractmethod
    def create(self, tables: Sequence[NewTable]) -> set[str]:
        """Make new tables, ours from the start, and return the ids of those that did not exist.

        Many in one call, because each call is one commit, which costs the same for one and for a hundred.
        """

    @abstractmethod
    def claim(self, tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        """Take the tables that nobody alive owns: ours, or an address, or ask again. Unknown ones are left out.

        A table remembers the rules of who had it last, and rules have an order: that in which a node was first opened
        with them. One whose rules are newer than ours is not taken while a node lives whose rules are at least as new;
        the answer is the address of the one of these that has the fewest tables.

        Args:
            tables: of any number.
            take: False to change nothing: what would be taken is `FREE`.
        """

    @abstractmethod
    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        """Return the last state of tables that are ours, and what came after it. Unknown ones are left out.

        One of which something is missing, or is not what was stored, says so: it ends nobody else's game.
        """

    @abstractmethod
    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        """Store all of it or nothing, durably on return.

        The same again succeeds. A version that leaves a gap, another body for a version that is stored, or a table
        that is not ours is `Lost`. A state older than the stored one changes nothing.
        """

    @abstractmethod
    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        """Return what is listed of tables, also those of other nodes: first those that wait for players, the oldest first."""

    @abstractmethod
    def due(self, limit: int = 100, games: Collection[str] | None = None) -> set[str]:
        """Return tables that nobody alive owns and at which something was to happen by now, as their `State` said.

        Args:
            limit: how many at most.
            games: of these alone; None for all.
        """

    @abstractmethod
    def release(self, tables: Collection[str]) -> None:
        """Give tables back, so that another node may claim them."""

    @abstractmethod
    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        """Delete tables to which nothing happened for `keep` seconds; return their ids.

        For those that are listed, and whose game has not begun, it is `waiting` seconds. Those of other nodes that live stay,
        and so do some, for the next call, where there are very many, where that takes long, or where the clock may have leapt.

        Args:
            spare: tables that stay, because somebody is there.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave: give everything back. A second time does nothing."""


def check_table_id(table: str) -> None:
    """Raise `ValueError` for what cannot be the id of a table."""
    if not 0 < len(table) <= MAX_TABLE_ID:
        raise ValueError(f"the id of a table has 1 to {MAX_TABLE_ID} characters, not {len(table)}")
    if not is_table_id(table):
        raise ValueError(f"{table!r} cannot be the id of a table: it has a character that no database keeps")


_TABLE_ID = re.compile(rf"[^\0\ud800-\udfff]{{1,{MAX_TABLE_ID}}}")


def is_table_id(table: str) -> bool:
    """Tell whether this can be the id of a table; what strangers ask for need not be."""
    return _TABLE_ID.fullmatch(table) is not None


def is_address(where: str) -> bool:
    """Tell whether this is where a PostgreSQL database is, and no path."""
    return where.startswith(("postgresql://", "postgres://"))
