"""A store in memory: for tests, and for servers whose games need not outlive them."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from netcode.turns.store import (
    Claim,
    Entry,
    Listing,
    Lost,
    NewTable,
    Node,
    Saved,
    State,
    Store,
    check_table_id,
)


@dataclass(slots=True)
class _Row:
    game: str
    first: bytes
    state: bytes
    listing: bytes | None
    changed: float
    waits: bool = True
    owner: int = 0
    rules: int = 0
    wake: float | None = None
    state_version: int = 0
    entries: dict[int, bytes] = field(default_factory=dict[int, bytes])
    version: int = 0


@dataclass(slots=True)
class _Node:
    address: str
    rules: dict[str, int] | None
    """Of each game, how new its rules are; None for those who take any."""
    since: float
    """Since when it has been alive without a break."""
    expires: float
    load: int = 0
    fenced: bool = False


@dataclass(slots=True)
class _Shelf:
    """What several nodes have in common."""

    rows: dict[str, _Row] = field(default_factory=dict[str, _Row])
    nodes: dict[int, _Node] = field(default_factory=dict[int, _Node])
    rules: dict[tuple[str, bytes], int] = field(default_factory=dict[tuple[str, bytes], int])
    last: int = 0
    """The number of the node that opened last."""


class MemoryStore(Store):
    """Tables in this process's memory.

    Args:
        keep_log: whether entries that a state covers are kept.
        clock: seconds, to tell how old a table is, and who is alive.
        lease: seconds after `renew` for which a node counts as alive, for tests of several servers; None where there
            is but one.
    """

    def __init__(
        self,
        *,
        keep_log: bool = True,
        clock: Callable[[], float] = time.monotonic,
        lease: float | None = None,
    ) -> None:
        self._shelf = _Shelf()
        self._keep_log = keep_log
        self._clock = clock
        self.lease = lease
        self._takes_over = True
        self._id = 0

    def successor(self) -> "MemoryStore":
        """Make a store of the same tables, as the process sees it that is started after this one."""
        other = type(self)(keep_log=self._keep_log, clock=self._clock, lease=self.lease)
        other._shelf = self._shelf
        return other

    def neighbour(self) -> "MemoryStore":
        """Make a store of the same tables, as another process sees it that runs beside this one."""
        other = self.successor()
        other._takes_over = False
        return other

    def open(self, address: str, rules: Mapping[str, bytes] | None = None) -> None:
        shelf = self._shelf
        if self._takes_over:
            for node in shelf.nodes.values():
                node.fenced = True
        shelf.last += 1
        self._id = shelf.last
        known = None
        if rules is not None:
            known = {game: shelf.rules.setdefault((game, mark), len(shelf.rules) + 1) for game, mark in rules.items()}
        shelf.nodes[self._id] = _Node(address, known, self._clock(), self._expires())

    def renew(self, load: int) -> list[Node]:
        node = self._check()
        if not self._lives(node):
            node.since = self._clock()
        node.load, node.expires = load, self._expires()
        return [Node(one.address, one.load, _suits(one, node)) for one in self._living()]

    def create(self, tables: Sequence[NewTable]) -> set[str]:
        node = self._check()
        made: set[str] = set()
        for new in tables:
            check_table_id(new.table)
        for new in tables:
            row = self._shelf.rows.get(new.table)
            if row is None:
                row = _Row(
                    new.game,
                    new.state,
                    new.state,
                    new.listing,
                    self._clock(),
                    owner=self._id,
                    rules=_age(node, new.game),
                )
                self._shelf.rows[new.table] = row
                made.add(new.table)
            elif row.version == 0 and (row.game, row.first, row.owner) == (new.game, new.state, self._id):
                made.add(new.table)
        return made

    def claim(self, tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        node = self._check()
        return {
            table: self._claim(node, row, take) for table in tables if (row := self._shelf.rows.get(table)) is not None
        }

    def _claim(self, node: _Node, row: _Row, take: bool) -> Claim | str:
        if row.owner == self._id:
            return Claim.OURS
        owner = self._shelf.nodes.get(row.owner)
        if owner is not None and self._lives(owner):
            return owner.address
        if node.rules is not None and _age(node, row.game) < row.rules:
            newer = [one for one in self._living() if one.rules is not None and _age(one, row.game) >= row.rules]
            if newer:
                return min(newer, key=lambda one: one.load).address
        if not take:
            return Claim.FREE
        if owner is not None and not self._fence(node, owner):
            return Claim.ASK_AGAIN
        row.owner, row.rules = self._id, _age(node, row.game)
        return Claim.OURS

    def _fence(self, node: _Node, owner: _Node) -> bool:
        """Declare dead whose lease ran out, unless we were away as well: then others come back first."""
        lease = float("inf") if self.lease is None else self.lease
        owner.fenced = owner.fenced or owner.expires > node.since or node.since + lease < self._clock()
        return owner.fenced

    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        self._check()
        now = self._clock()
        return {table: _saved(row, now) for table in tables if (row := self._shelf.rows.get(table)) is not None}

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        self._check()
        new: list[Entry] = []
        versions: dict[str, int] = {}
        for table, theirs in _by_table(entries).items():
            row = self._row(table)
            version, bodies = row.version, dict[int, bytes]()
            for entry in theirs:
                if entry.version == version + 1:
                    version += 1
                    new.append(entry)
                    bodies[version] = entry.body
                elif not 0 < entry.version <= version or entry.body != _at(bodies, row, entry):
                    raise Lost(f"table {table} has something else as its entry {entry.version}: another process wrote")
            versions[table] = version
        for state in states:
            row = self._row(state.table)
            stored = row.state if state.version == row.state_version else state.body
            if state.version > versions.get(state.table, row.version) or stored != state.body:
                raise Lost(f"table {state.table} is not where its state {state.version} was: another process wrote")
        for listing in listings:
            self._row(listing.table)
        self._write(new, states, listings)

    def _write(self, entries: Sequence[Entry], states: Sequence[State], listings: Sequence[Listing]) -> None:
        rows, now = self._shelf.rows, self._clock()
        for table, version, body in entries:
            rows[table].entries[version] = body
            rows[table].version, rows[table].changed = version, now
        for table, version, body, wake in states:
            row = rows[table]
            if version >= row.state_version:
                row.wake = None if wake is None else now + wake
            if version > row.state_version:
                if not self._keep_log:  # what the state before covered: the last batch must stay comparable
                    row.entries = {number: body for number, body in row.entries.items() if number > row.state_version}
                row.state, row.state_version = body, version
        for table, listed, waits in listings:
            rows[table].listing, rows[table].waits = listed, waits

    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        self._check()
        found = [
            (not row.waits, table, row.listing)
            for table, row in self._shelf.rows.items()
            if row.listing is not None and game in (None, row.game)
        ]
        found.sort(key=itemgetter(0))
        return {table: listing for _, table, listing in found[:limit]}

    def due(self, limit: int = 100, games: Collection[str] | None = None) -> set[str]:
        self._check()
        now, living = self._clock(), self._alive()
        found = [
            table
            for table, row in self._shelf.rows.items()
            if row.wake is not None
            and row.wake <= now
            and row.owner not in living
            and (games is None or row.game in games)
        ]
        return {*found[:limit]}

    def release(self, tables: Collection[str]) -> None:
        self._check()
        for table in tables:
            row = self._shelf.rows.get(table)
            if row is not None and row.owner == self._id:
                row.owner = 0

    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        self._check()
        now, spared = self._clock(), {*spare}
        old = {
            table
            for table, row in self._shelf.rows.items()
            if table not in spared
            and now - row.changed > (min(keep, waiting) if row.waits and row.listing is not None else keep)
            and self._ours_or_nobodys(row)
        }
        for table in old:
            del self._shelf.rows[table]
        return old

    def _ours_or_nobodys(self, row: _Row) -> bool:
        owner = self._shelf.nodes.get(row.owner)
        if row.owner == self._id or owner is None:
            return True
        return not self._lives(owner) and self._fence(self._shelf.nodes[self._id], owner)

    def close(self) -> None:
        self._shelf.nodes.pop(self._id, None)
        self._id = 0

    def _row(self, table: str) -> _Row:
        row = self._shelf.rows.get(table)
        if row is None:
            raise Lost(f"table {table} is not stored here: another process deleted it")
        if row.owner != self._id:
            raise Lost(f"table {table} is not ours: it was given back, or another process has it")
        return row

    def _check(self) -> _Node:
        node = self._shelf.nodes.get(self._id)
        if node is None:
            raise Lost("this store is not open")
        if node.fenced:
            raise Lost("fenced: this process was silent for too long, and another process has taken its tables over")
        return node

    def _expires(self) -> float:
        return float("inf") if self.lease is None else self._clock() + self.lease

    def _lives(self, node: _Node) -> bool:
        return not node.fenced and node.expires > self._clock()

    def _living(self) -> list[_Node]:
        return [node for node in self._shelf.nodes.values() if self._lives(node)]

    def _alive(self) -> set[int]:
        return {number for number, node in self._shelf.nodes.items() if self._lives(node)}


def _age(node: _Node, game: str) -> int:
    """Return how new a node's rules of a game are: later ones have larger numbers."""
    return 0 if node.rules is None else node.rules.get(game, 0)


def _suits(one: _Node, node: _Node) -> bool:
    """Tell whether one plays each of the games of a node, by rules that are at least as new."""
    return one.rules is None or all(_age(one, game) >= age for game, age in (node.rules or {}).items())


def _at(bodies: dict[int, bytes], row: _Row, entry: Entry) -> bytes:
    """Return the body that is there for the version of `entry`; one that was dropped counts as the same."""
    return bodies.get(entry.version, row.entries.get(entry.version, entry.body))


def _saved(row: _Row, now: float) -> Saved:
    later = tuple(row.entries[version] for version in range(row.state_version + 1, row.version + 1))
    return Saved(row.state_version, row.state, later, None if row.wake is None else row.wake - now)


def _by_table(entries: Iterable[Entry]) -> Mapping[str, list[Entry]]:
    """Sort entries by table, each table's in their order."""
    sorted_: dict[str, list[Entry]] = {}
    for entry in entries:
        sorted_.setdefault(entry.table, []).append(entry)
    return sorted_
