"""A store in memory: for tests, and for servers whose games need not outlive them."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from netcode.turns.store import (
    Claim,
    Entry,
    Listing,
    Lost,
    NewTable,
    Saved,
    State,
    Store,
    by_table,
    check_table_id,
)


@dataclass(slots=True)
class _Row:
    game: str
    first: bytes
    state: bytes
    listing: bytes | None
    changed: float
    state_version: int = 0
    entries: dict[int, bytes] = field(default_factory=dict[int, bytes])
    version: int = 0


@dataclass(slots=True)
class _Shelf:
    """What several nodes have in common."""

    rows: dict[str, _Row] = field(default_factory=dict[str, _Row])
    node: int = 0
    """The one that may write; the next to open takes over from it."""


class MemoryStore(Store):
    """Tables in this process's memory.

    Args:
        keep_log: whether entries that a state covers are kept.
        clock: seconds, to tell how old a table is.
    """

    def __init__(self, *, keep_log: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._shelf = _Shelf()
        self._keep_log = keep_log
        self._clock = clock
        self._node: int | None = None

    def successor(self) -> "MemoryStore":
        """Make a store of the same tables, as the process sees it that is started after this one."""
        other = MemoryStore(keep_log=self._keep_log, clock=self._clock)
        other._shelf = self._shelf
        return other

    def open(self, address: str) -> None:  # noqa: ARG002 - the contract's
        self._shelf.node += 1
        self._node = self._shelf.node

    def renew(self, load: int) -> None:  # noqa: ARG002 - the contract's
        self._check()

    def create(self, tables: Sequence[NewTable]) -> set[str]:
        self._check()
        made: set[str] = set()
        for new in tables:
            check_table_id(new.table)
            row = self._shelf.rows.get(new.table)
            if row is None:
                self._shelf.rows[new.table] = _Row(new.game, new.state, new.state, new.listing, self._clock())
                made.add(new.table)
            elif row.version == 0 and (row.game, row.first) == (new.game, new.state):
                made.add(new.table)
        return made

    def claim(self, tables: Collection[str]) -> dict[str, Claim | str]:
        self._check()
        return {table: Claim.OURS for table in tables if table in self._shelf.rows}

    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        self._check()
        return {table: _saved(row) for table in tables if (row := self._shelf.rows.get(table)) is not None}

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        self._check()
        new: list[Entry] = []
        versions: dict[str, int] = {}
        for table, theirs in by_table(entries).items():
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
        for table, version, body in states:
            row = rows[table]
            if version > row.state_version:
                if not self._keep_log:  # what the state before covered: the last batch must stay comparable
                    row.entries = {number: body for number, body in row.entries.items() if number > row.state_version}
                row.state, row.state_version = body, version
        for table, listed in listings:
            rows[table].listing = listed

    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        self._check()
        found = [
            (table, row.listing)
            for table, row in self._shelf.rows.items()
            if row.listing is not None and game in (None, row.game)
        ]
        return dict(found[:limit])

    def release(self, tables: Collection[str]) -> None:  # noqa: ARG002 - the contract's
        self._check()

    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        self._check()
        now, spared = self._clock(), {*spare}
        old = {
            table
            for table, row in self._shelf.rows.items()
            if table not in spared and now - row.changed > (keep if row.listing is None else min(keep, waiting))
        }
        for table in old:
            del self._shelf.rows[table]
        return old

    def close(self) -> None:
        self._node = None

    def _row(self, table: str) -> _Row:
        row = self._shelf.rows.get(table)
        if row is None:
            raise Lost(f"table {table} is not stored here: another process deleted it")
        return row

    def _check(self) -> None:
        if self._node is None or self._node != self._shelf.node:
            raise Lost("this store is not open, or another process has taken its tables over")


def _at(bodies: dict[int, bytes], row: _Row, entry: Entry) -> bytes:
    """Return the body that is there for the version of `entry`; one that was dropped counts as the same."""
    return bodies.get(entry.version, row.entries.get(entry.version, entry.body))


def _saved(row: _Row) -> Saved:
    later = tuple(row.entries[version] for version in range(row.state_version + 1, row.version + 1))
    return Saved(row.state_version, row.state, later)
