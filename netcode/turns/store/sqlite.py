"""A store in one SQLite file: nothing to install, and every answer is on the disk before it is told."""

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netcode.loop.forks import keep_from_children
from netcode.turns.store import (
    AT_THE_START,
    EXPIRED_AT_ONCE,
    EXPIRING,
    Claim,
    Entry,
    Listing,
    Lost,
    NewTable,
    Node,
    Saved,
    State,
    Store,
    Unavailable,
    check_table_id,
    is_table_id,
)
from netcode.turns.store.file_lock import has_lock, lock_of, take_lock
from netcode.turns.store.sqlite_errors import explained
from netcode.turns.store.sqlite_files import Files
from netcode.turns.store.sqlite_sql import APPLICATION, MOVE, OLD, VERSION, make_tables

BUSY = 0.25
"""Seconds to wait for another program that holds the database; a server that waits serves nobody."""
CHUNK = 500
"""Ids in one query: below the number of parameters that any SQLite takes."""

UNSEEN = 3600.0
"""Seconds that may lie between two looks for old tables: a time further on is not believed."""
IDLE = 86_400.0
"""Seconds without any change that count as served, when the database is opened."""
_INHERITED: list[sqlite3.Connection | None] = []
"""Databases that the parent of this process had open."""


class SqliteStore(Store):
    """Tables in the SQLite database at `path`, which is made if it is not there.

    The lock on the file `<path>.lock` is the whole ownership: one process at a time, and the system frees the lock of
    one that died. It is beside the database itself, also where `path` is a symbolic link, and a forked child has no
    part in it: there the store is not open.

    Args:
        keep_log: whether entries that a state covers are kept; replays need them.
        clock: seconds that never go back. The age of a table is counted in seconds for which a server ran: no wall
            clock that is set wrong can make all tables old at once.
    """

    def __init__(self, path: str | Path, *, keep_log: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path)
        self._keep_log = keep_log
        self._clock = clock
        self._ahead = 0.0
        """By how much the time of the database is ahead of the clock."""
        self._lock, self._lock_path = -1, self._path
        self._files: Files | None = None
        self._database: sqlite3.Connection | None = None
        self._address = ""
        self._claimed: dict[str, _Row | None] = {}
        """Tables that were claimed here, and where those are that were written since: nobody else writes."""
        self._making: set[str] = set()
        """Tables that an attempt was to make of which it is not known whether it did."""
        keep_from_children(self)

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path}>"

    def open(self, address: str, rules: Mapping[str, bytes] | None = None) -> None:  # noqa: ARG002 - the contract's
        self.close()
        self._address, self._claimed, self._making = address, {}, set()
        try:
            self._lock_path = lock_of(self._path)
            self._lock = take_lock(self._path)
            self._check_names()
            with explained(self._path, AT_THE_START):
                self._database = self._connect()
                self._prepare(self._database)
            self._files = Files(self._path)
        except BaseException:
            self.close()
            raise

    def _check_names(self) -> None:
        """Raise `Unavailable` for a file of several names: SQLite keeps what was written last beside each of them."""
        if self._path.is_file() and self._path.stat().st_nlink > 1:
            raise Unavailable(
                f"{self._path} has another name, a hard link, by which another server may use it; delete that name, "
                "and copy a database where there are to be two"
            )

    def _connect(self) -> sqlite3.Connection:
        # Calls come from one thread at a time, which need not be this one.
        path = self._path.absolute()  # which is no URI, whatever it begins with
        return sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA trusted_schema = OFF")
        database.text_factory = _text
        [(application,)] = database.execute("PRAGMA application_id")
        [(version,)] = database.execute("PRAGMA user_version")
        [(tables,)] = database.execute("SELECT count(*) FROM sqlite_master")
        if (application != APPLICATION and (application or tables)) or (application == APPLICATION and not version):
            raise Unavailable(f"{self._path} is the database of another program; give this server a file of its own")
        if application == APPLICATION and version > VERSION:
            raise Unavailable(
                f"{self._path} was written by a newer netcode (its tables are version {version}, this one knows "
                f"{VERSION}); install that version, or give this server another file"
            )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        make_tables(database, version)
        self._ahead = _served(database) - self._clock()

    def _now(self) -> float:
        return self._clock() + self._ahead

    def renew(self, load: int) -> list[Node]:
        database = self._connected()
        with explained(self._path):
            self._opened_files().check_log(database)
        self._check_files()
        return [Node(self._address, load)]

    def _check_files(self) -> None:
        """Raise `Lost` where what we have open is not what is there: whoever starts next would not find it."""
        self._opened_files().check()
        if not has_lock(self._lock, self._lock_path):  # another server would find nobody here
            raise Lost(f"{self._lock_path} was deleted, moved or replaced while it was in use; start the server again")

    def _opened_files(self) -> Files:
        assert self._files is not None
        return self._files

    def create(self, tables: Sequence[NewTable]) -> set[str]:
        made: set[str] = set()
        now, before = self._now(), frozenset(self._making)
        for new in tables:
            check_table_id(new.table)
        self._making.update(new.table for new in tables if new.table not in self._claimed)
        with self._transaction() as database:
            for new in tables:
                cursor = database.execute(
                    "INSERT INTO game_table VALUES (NULL, ?, ?, 0, 0, ?, ?, ?, ?, NULL, 1) ON CONFLICT DO NOTHING",
                    (new.table, new.game, new.state, new.listing, now, now),
                )
                again = "SELECT 1 FROM game_table WHERE (id, game, version, state) = (?, ?, 0, ?)"
                ours = new.table in self._claimed or new.table in before
                if cursor.rowcount == 1 or (ours and database.execute(again, new[:3]).fetchone() is not None):
                    made.add(new.table)
        self._making.clear()
        self._claimed |= dict.fromkeys(made)
        return made

    def claim(self, tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        database = self._connected()
        with explained(self._path):
            query = "SELECT id FROM game_table WHERE id IN ({})"
            found = {table for (table,) in _each(database, query, tables)}
        if take:
            self._claimed |= dict.fromkeys(found)
        return {table: Claim.OURS if table in self._claimed else Claim.FREE for table in found}

    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        found: dict[str, Saved] = {}
        database, now = self._connected(), self._now()
        with explained(self._path):
            query = "SELECT id, version, state_version, state, wake FROM game_table WHERE id IN ({})"
            for table, version, at, state, wake in _each(database, query, tables):
                later = "SELECT version, body FROM move WHERE game_table = ? AND version > ? ORDER BY version"
                entries = database.execute(later, (table, at)).fetchall()
                damage = _damage(version, at, state, wake, entries)
                if damage:
                    found[table] = Saved(0, b"", (), None, damage)
                else:
                    bodies = tuple(body for _, body in entries)
                    found[table] = Saved(at, state, bodies, None if wake is None else wake - now)
        return found

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        # A commit of many tables is a handful of statements: each has a price of its own.
        tables = {*(one.table for one in entries), *(one.table for one in states), *(one.table for one in listings)}
        known = {table: row for table in tables if (row := self._claimed.get(table)) is not None}
        self._claimed |= dict.fromkeys(known)  # until all is stored
        with self._transaction() as database:
            rows = known | _rows(database, tables - known.keys())
            for table in tables - self._claimed.keys():
                raise Lost(f"table {table} is not ours: it was given back, or another process has it")
            fresh: dict[tuple[int, int], bytes] = {}
            for table, version, body in entries:
                row = rows[table]
                if version == row.version + 1:
                    row.version = version
                    fresh[row.number, version] = body
                elif not 0 < version <= row.version or not _is_same(database, fresh, row.number, version, body):
                    raise Lost(f"table {table} has something else as its entry {version}: another process wrote")
            for state in states:
                self._put(database, rows[state.table], state)
            now = self._now()
            database.executemany("INSERT INTO entry VALUES (?, ?, ?)", [(*key, body) for key, body in fresh.items()])
            _move_on(database, rows, now)
            _set_wakes(database, rows, states, now)
            for table, listed, waits in listings:
                database.execute("UPDATE game_table SET (listing, waits) = (?, ?) WHERE id = ?", (listed, waits, table))
        for table, row in rows.items():
            if table in self._claimed:
                row.stored, row.state = row.version, None
                self._claimed[table] = row

    def _put(self, database: sqlite3.Connection, row: "_Row", state: State) -> None:
        table, version, body, _ = state
        if version > row.version:
            raise Lost(f"table {table} is not where its state {version} was: another process wrote")
        if version == row.state_version:
            stored = row.state
            if stored is None:
                [(stored,)] = database.execute("SELECT state FROM game_table WHERE id = ?", (table,))
            if stored != body:
                raise Lost(f"table {table} has another state {version}: another process wrote")
        if version > row.state_version:
            if not self._keep_log:  # what the state before covered: the last batch must stay comparable
                covered = (row.number, row.state_version)
                database.execute("DELETE FROM entry WHERE number = ? AND version <= ?", covered)
            row.state_version, row.state = version, body

    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        database = self._connected()
        with explained(self._path):
            query = "SELECT id, listing FROM game_table WHERE listing IS NOT NULL AND game = ifnull(?, game) "
            found = database.execute(query + "ORDER BY waits DESC, created, id LIMIT ?", (game, limit)).fetchall()
        return {table: body if isinstance(body, bytes) else b"" for table, body in found if isinstance(table, str)}

    def due(self, limit: int = 100, games: Collection[str] | None = None) -> set[str]:
        database = self._connected()
        with explained(self._path):
            rows = database.execute("SELECT id, game FROM game_table WHERE wake <= ?", (self._now(),)).fetchall()
        free = [row for row in rows if isinstance(row[0], str) and row[0] not in self._claimed]
        return {*[table for table, game in free if games is None or game in games][:limit]}

    def release(self, tables: Collection[str]) -> None:
        self._connected()
        for table in tables:
            self._claimed.pop(table, None)

    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        now, begun, gone = self._now(), time.monotonic(), set[str]()
        with self._transaction() as database:
            most = EXPIRED_AT_ONCE + len(spare)
            found = database.execute(OLD, (*[now - keep] * 2, most, *[now - waiting] * 2, most, most)).fetchall()
            database.execute("UPDATE served SET seconds = ?", (now,))
            for table, number in found:
                if table not in spare:
                    database.execute("DELETE FROM entry WHERE number = ?", (number,))
                    database.execute("DELETE FROM game_table WHERE number = ?", (number,))
                    gone.add(table)
                if time.monotonic() - begun > EXPIRING:
                    break
        for table in gone:
            self._claimed.pop(table, None)
        return gone

    def close(self) -> None:
        database, self._database = self._database, None
        try:
            if database is not None:
                database.close()
        finally:
            lock, self._lock = self._lock, -1
            if lock >= 0:
                os.close(lock)

    def _abandon(self) -> None:
        """Be over in a forked child: the system frees a lock only where nobody has its descriptor any more."""
        _INHERITED.append(self._database)  # which must not be closed here, nor used: it is the parent's
        lock, self._lock, self._database = self._lock, -1, None
        if lock >= 0:
            os.close(lock)

    def _connected(self) -> sqlite3.Connection:
        if self._database is None:
            raise Lost(f"{self._path} is not open")
        return self._database

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        database = self._connected()
        with explained(self._path):
            self._opened_files().check_log(database)
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
                self._check_files()
            except BaseException:
                if database.in_transaction:  # SQLite itself rolls some of them back
                    database.execute("ROLLBACK")
                raise


@dataclass(slots=True)
class _Row:
    """Where a table is: as it is stored, and as it becomes with what is being appended."""

    number: int
    version: int
    state_version: int
    stored: int
    wake: float | None
    state: bytes | None = None
    """The new state; None while there is none."""


def _text(data: bytes) -> str:
    """Read a text that may be damaged: then it is the id of no table."""
    return data.decode("utf-8", "replace")


def _served(database: sqlite3.Connection) -> float:
    """Return for how many seconds servers ran so far: none of the times that say so is believed alone.

    They are the hour of the last look for old tables, and those at which each table changed. One that a bad disk set far
    ahead would make every table old at once.
    """
    [(seconds,)] = database.execute("SELECT max(seconds) FROM served")
    looked = seconds if isinstance(seconds, float | int) else 0.0
    query = "SELECT max(changed) FROM game_table WHERE typeof(changed) = 'real' AND changed <= ?"
    [(changed,)] = database.execute(query, (looked + UNSEEN,))
    return looked if changed is None else max(changed, min(looked, changed + IDLE))


def _damage(version: Any, at: Any, state: Any, wake: Any, entries: Sequence[tuple[Any, Any]]) -> str:
    """Return what a table has that no server stored: SQLite takes a value of any type in any column."""
    if not isinstance(version, int) or not isinstance(at, int) or not 0 <= at <= version:
        return "its versions are not those of a table"
    if not isinstance(state, bytes) or not isinstance(wake, float | int | None):
        return "its state is not what was stored"
    if [number for number, _ in entries] != [*range(at + 1, version + 1)]:
        return "entries after its state are missing"
    return "" if all(isinstance(body, bytes) for _, body in entries) else "an entry is not what was stored"


def _rows(database: sqlite3.Connection, tables: Collection[str]) -> dict[str, _Row]:
    query = "SELECT id, number, version, state_version, wake FROM game_table WHERE id IN ({})"
    found = _each(database, query, tables)
    rows = {table: _Row(number, version, at, version, wake) for table, number, version, at, wake in found}
    for table in tables:
        if table not in rows:
            raise Lost(f"table {table} is not stored here: another process deleted it")
    return rows


def _move_on(database: sqlite3.Connection, rows: Mapping[str, _Row], now: float) -> None:
    """Write the rows that have come further; raise `Lost` where one is not as it was here."""
    moved = [
        (row.version, now, row.version, row.state_version, row.state, row.number, row.stored)
        for row in rows.values()
        if row.version > row.stored or row.state is not None
    ]
    cursor = database.executemany(MOVE, moved)
    if moved and cursor.rowcount != len(moved):
        raise Lost("a table is not stored as it was here: another process wrote")


def _set_wakes(database: sqlite3.Connection, rows: Mapping[str, _Row], states: Sequence[State], now: float) -> None:
    changed: list[tuple[float | None, str]] = []
    for table, version, _, wake in states:
        row = rows[table]
        if version == row.state_version and (wake, row.wake) != (None, None):
            row.wake = None if wake is None else now + wake
            changed.append((row.wake, table))
    database.executemany("UPDATE game_table SET wake = ? WHERE id = ?", changed)


def _is_same(
    database: sqlite3.Connection, fresh: Mapping[tuple[int, int], bytes], number: int, version: int, body: bytes
) -> bool:
    """Tell whether an entry is stored as it is; one that was dropped because a state covers it counts as such."""
    if (number, version) in fresh:
        return fresh[number, version] == body
    row = database.execute("SELECT body FROM entry WHERE number = ? AND version = ?", (number, version)).fetchone()
    return row is None or bool(row[0] == body)


def _each(database: sqlite3.Connection, query: str, tables: Collection[str]) -> Generator[tuple[Any, ...], None, None]:
    ids = [*filter(is_table_id, tables)]
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        yield from database.execute(query.format(", ".join("?" * len(part))), part).fetchall()
