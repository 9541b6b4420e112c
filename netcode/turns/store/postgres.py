"""A store in PostgreSQL: many processes serve the same tables, each table by one of them at a time.

Safety comes from `append`, liveness from a lease. A process is a row of `node`; what it writes is written under a lock
on that row, and only while nobody declared it dead there: it is «fenced». Past its lease anybody may do so, in order to
take its tables. The database's `now()` is the only clock.

Every call is one statement in a transaction of its own, or several such: nothing belongs to a connection, and so a
pooler may stand between.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

from netcode.diagnostics import log
from netcode.loop.forks import keep_from_children
from netcode.turns.store import (
    AT_THE_START,
    EXPIRED_AT_ONCE,
    EXPIRING,
    LATER,
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
from netcode.turns.store import postgres_sql as sql
from netcode.turns.store.postgres_batch import AGES, Change, Stored, columns_of, what_is_lacking, what_is_new
from netcode.turns.store.postgres_link import FAR_AHEAD, NOT_AS_THOUGHT, Link
from netcode.turns.store.postgres_tables import make_tables

_T = TypeVar("_T")

LEASE = 5.0
"""Seconds after `renew` for which a node counts as alive."""
PATIENCE = 4.0
"""Seconds of silence after which the database counts as unavailable: less than a lease."""
CHUNK = 500
"""Tables in one statement: whoever claims thousands must not hold up those who play."""
DELETED = 100
"""Tables that one statement deletes: each may have thousands of entries."""
ATTEMPTS = 4
"""How often a batch is compared with what is stored, each time because that has changed since."""


class PostgresStore(Store):
    """Tables in the PostgreSQL database at `address`, whose schema is made if it is not there.

    Args:
        address: `postgresql://user:password@host:port/name`, or whatever PostgreSQL's own programs take.
        keep_log: whether entries that a state covers are kept; replays need them.
        lease: seconds after `renew` for which this node counts as alive; much the same at all nodes.
        patience: seconds of silence after which the database counts as unavailable.

    Raises:
        ImportError: the extra `postgres` is not installed.
        ValueError: the address cannot be read.
    """

    def __init__(
        self, address: str, *, keep_log: bool = True, lease: float = LEASE, patience: float = PATIENCE
    ) -> None:
        self.lease = lease
        self._link = Link(address, patience=patience)
        self._append = sql.append_statement(keep_log=keep_log)
        self._id: int | None = None
        self._rules: dict[str, int] | None = None
        """Of each game, how new its rules are here; None for those who take any."""
        keep_from_children(self)

    def __repr__(self) -> str:
        return f"<PostgresStore {self._link.name}>"

    def open(self, address: str, rules: Mapping[str, bytes] | None = None) -> None:
        self.close()
        self._link.then = AT_THE_START
        try:
            make_tables(self._link)
            self._rules = None if rules is None else self._learn(rules)
            known = None if self._rules is None else [*self._rules.values()]
            [(self._id,)] = self._run(sql.OPEN, {"address": address, "rules": known})
            self._link.then = LATER
        except BaseException:
            self._link.close()
            raise

    def _learn(self, rules: Mapping[str, bytes]) -> dict[str, int]:
        """Return how new these rules are, of each game: numbers in the order in which they were first heard of."""
        marks = {"games": [*rules], "marks": [*rules.values()]}
        known: dict[str, int] = {}
        while len(known) < len(rules):  # the number of one may have been taken by another process in the same moment
            self._run(sql.LEARN, marks)
            known = dict(self._run(sql.KNOWN, marks))
        return known

    def renew(self, load: int) -> list[Node]:
        node = self._node()
        rows = self._run(sql.RENEW, {"node": node, "load": load, "rules": [*(self._rules or {}).values()]}, always=True)
        if all(one != node for one, *_ in rows):
            raise _fenced()
        return [Node(*row) for _, *row in rows]

    def create(self, tables: Sequence[NewTable]) -> set[str]:
        node = self._node()
        wanted: dict[str, NewTable] = {}
        for new in tables:
            check_table_id(new.table)
            wanted.setdefault(new.table, new)
        new_tables = [*wanted.values()]
        parameters = {
            "node": node,
            "ids": [*wanted],
            "games": [new.game for new in new_tables],
            "rules": [self._age(new.game) for new in new_tables],
            "states": [new.state for new in new_tables],
            "listings": [new.listing for new in new_tables],
        }
        [(alive, made)] = self._run(sql.CREATE, parameters)
        if not alive:
            raise _fenced()
        if len(made) < len(wanted):
            made = [table for (table,) in self._run(sql.CREATED, parameters)]
        return {*made}

    def claim(self, tables: Collection[str], *, take: bool = True) -> dict[str, Claim | str]:
        node = self._node()
        found: dict[str, Claim | str] = {}
        for ids in _chunks(filter(is_table_id, tables)):
            found.update(self._claim(node, ids, take))
        return found

    def _claim(self, node: int, ids: list[str], take: bool) -> dict[str, Claim | str]:
        self._check(node)
        found: dict[str, Claim | str] = {}
        free: dict[str, tuple[str, int, int | None]] = {}
        for table, game, rules, owner, address, lives in self._owners(node, ids):
            if lives:
                found[table] = Claim.OURS if owner == node else address
            else:
                free[table] = (game, rules, owner)
        for table, better in self._better(free):
            found[table] = better
            del free[table]
        if not take:
            return {**found, **dict.fromkeys(free, Claim.FREE)}
        if free:
            self._take(node, free)
            for table, _, _, owner, address, lives in self._owners(node, [*free]):
                found[table] = Claim.OURS if owner == node else address if lives else Claim.ASK_AGAIN
        return found

    def _owners(self, node: int, ids: list[str]) -> list[tuple[Any, ...]]:
        return self._run(sql.OWNERS, {"node": node, "ids": ids})

    def _better(self, free: Mapping[str, tuple[str, int, int | None]]) -> list[tuple[str, str]]:
        """Return which tables somebody alive should take because our rules are older, and who."""
        newer = {
            table: (game, rules)
            for table, (game, rules, _) in free.items()
            if self._rules is not None and self._age(game) < rules
        }
        living = self._run(sql.LIVING, {}) if newer else []
        return [
            (table, next(iter(able)))
            for table, (game, rules) in newer.items()
            if (able := [address for address, _, theirs, age in living if theirs == game and age >= rules])
        ]

    def _take(self, node: int, free: Mapping[str, tuple[str, int, int | None]]) -> None:
        dead = self._dead(owner for _, _, owner in free.values())
        [(alive,)] = self._run(
            sql.TAKE,
            {
                "node": node,
                "ids": [*free],
                "rules": [rules for _, rules, _ in free.values()],
                "mine": [self._age(game) for game, _, _ in free.values()],
                "dead": [*dead],
            },
        )
        if not alive:
            raise _fenced()

    def _dead(self, owners: Iterable[int | None]) -> set[int]:
        """Return which of these may not write any more, after declaring dead those past their lease."""
        known = {owner for owner in owners if owner is not None}
        for owner in sorted(known):
            for address, ahead in self._run(sql.FENCE_EXPIRED, {"node": self._id, "owner": owner}):
                if ahead > 0:
                    log.warn("lease", FAR_AHEAD, address, ahead)
        return known - {one for (one,) in self._run(sql.UNFENCED, {"owners": [*known]})}

    def load(self, tables: Collection[str]) -> dict[str, Saved]:
        self._node()
        found: dict[str, Saved] = {}
        for ids in _chunks(filter(is_table_id, tables)):
            for table, version, state_version, state, wake, entries in self._run(sql.LOAD, {"ids": ids}):
                if len(entries) == version - state_version:
                    found[table] = Saved(state_version, state, tuple(entries), wake)
                else:
                    found[table] = Saved(0, b"", (), None, "entries after its state are missing")
        return found

    def append(self, entries: Sequence[Entry], states: Sequence[State] = (), listings: Sequence[Listing] = ()) -> None:
        node = self._node()
        changes = what_is_new(entries, states, listings)
        for _ in range(ATTEMPTS):
            if changes is None:
                changes = self._compared(node, entries, states, listings)
            if not changes:
                return
            try:
                self._run(self._append, {"node": node, **columns_of(changes)})
            except NOT_AS_THOUGHT:
                changes = None  # not what we thought: some of it may be stored, or somebody else wrote
            else:
                return
        text = f"what is stored in {self._link.name} changes while it is being compared; the games go on"
        raise Unavailable(text, "")

    def _compared(
        self, node: int, entries: Sequence[Entry], states: Sequence[State], listings: Sequence[Listing]
    ) -> dict[str, Change]:
        """Return what is not stored of a batch.

        Raises:
            Lost: this process was fenced, or what is stored is not what we stored.
        """
        self._check(node)
        ids = {*(one.table for one in entries), *(one.table for one in states), *(one.table for one in listings)}
        asked = {"ids": [one.table for one in entries], "versions": [one.version for one in entries]}
        bodies = {(table, version): body for table, version, body in self._run(sql.STORED_ENTRIES, asked)}
        rows = {row[0]: Stored(*row[1:]) for row in self._run(sql.STORED, {"ids": [*ids]})}
        for table in ids:
            if table not in rows:
                raise Lost(f"table {table} is not stored here: another process deleted it")
            if rows[table].owner != node:
                raise Lost(f"table {table} is not ours: it was given back, or another process has it")
        return what_is_lacking(entries, states, listings, rows, bodies)

    def open_tables(self, game: str | None = None, limit: int = 100) -> dict[str, bytes]:
        self._node()
        return dict(self._run(sql.OPEN_TABLES, {"game": game, "limit": limit}))

    def due(self, limit: int = 100, games: Collection[str] | None = None) -> set[str]:
        asked = {"node": self._node(), "limit": limit, "games": None if games is None else [*games]}
        return {table for (table,) in self._run(sql.DUE, asked)}

    def release(self, tables: Collection[str]) -> None:
        node = self._node()
        for ids in _chunks(filter(is_table_id, tables)):
            self._run(sql.RELEASE, {"node": node, "ids": ids})

    def expire(self, keep: float, waiting: float, spare: Collection[str] = ()) -> set[str]:
        times = {"node": self._node(), "keep": min(keep, AGES), "waiting": min(waiting, AGES)}
        rows = self._run(sql.OLD, {**times, "spare": [*filter(is_table_id, spare)], "limit": EXPIRED_AT_ONCE})
        gone, begun = set[str](), monotonic()
        for part in _chunks(rows, DELETED):
            dead = self._dead(owner for _, owner in part if owner != times["node"]) | {times["node"]}
            [(alive, deleted)] = self._run(
                sql.EXPIRE, {**times, "ids": [table for table, _ in part], "owners": [*dead]}
            )
            if not alive:
                raise _fenced()
            gone.update(deleted)
            if monotonic() - begun > EXPIRING:
                break
        self._run(sql.FORGET, times)
        return gone

    def close(self) -> None:
        node, self._id = self._id, None
        try:
            if node is not None:
                self._run(sql.LEAVE, {"node": node})  # whose row is not there is dead
        except (Lost, Unavailable):
            pass  # then its lease runs out
        finally:
            self._link.close()

    def _abandon(self) -> None:
        """Be over in a forked child: this node is the parent's."""
        self._id = None
        self._link.abandon()

    def _run(self, statement: str, parameters: Mapping[str, Any], *, always: bool = False) -> list[tuple[Any, ...]]:
        return self._link.run(statement, {**parameters, "lease": self.lease}, always=always)

    def _node(self) -> int:
        if self._id is None:
            raise Lost("this store is not open")
        return self._id

    def _check(self, node: int) -> None:
        if self._run(sql.ALIVE, {"node": node}) != [(True,)]:
            raise _fenced()

    def _age(self, game: str) -> int:
        """Return how new our rules of a game are: later ones have larger numbers."""
        return 0 if self._rules is None else self._rules.get(game, 0)


def _fenced() -> Lost:
    return Lost("fenced: this process was silent for too long, and another process has taken its tables over")


def _chunks(things: Iterable[_T], size: int = 0) -> Iterator[list[_T]]:
    rest = iter(things)
    while part := [*islice(rest, size or CHUNK)]:
        yield part
