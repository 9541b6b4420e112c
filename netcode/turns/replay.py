"""Stored games, read back move by move, also while a server writes on."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from netcode.diagnostics import log
from netcode.turns.errors import BUGS, Leave, RulesError, Unfit, sayable
from netcode.turns.language.definition import check_game
from netcode.turns.player.sight import view_at
from netcode.turns.runtime.storing import read_state
from netcode.turns.store import Lost, Unavailable, is_address
from netcode.turns.table import Happening, Table, Told
from netcode.turns.values import pack, unpack


@dataclass(frozen=True, slots=True)
class Frame:
    """A game after one of its entries."""

    text: str
    """Whose move it is, or that it is over."""
    names: list[str]
    view: Any
    happenings: tuple[Happening, ...] = ()
    """Who moved, what was told and how it ended, by that entry."""


class Stored(NamedTuple):
    """A table in a database."""

    table: str
    """Its id."""
    entries: int
    names: tuple[str, ...]
    """Of those who sat there first."""


FIRST = 64
"""Entries of a table in which the names of its players are looked for."""
NAMING = tuple(pack([kind])[1:5] for kind in ("sit", "begin", "anew"))
"""What the bytes behind the first of such entries begin with: of many tables, all the others would fill the memory."""
PATIENCE = 30.0
"""Seconds of silence after which a database server is not waited for any more."""

_NOTHING_MADE = sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN


def _read(path: str | Path, query: str, arguments: tuple[Any, ...]) -> list[Any]:
    if isinstance(path, str) and is_address(path):
        return _ask(path, query.replace("?", "%s"), arguments)
    if not (file := Path(path)).is_file():
        what = "is a folder" if file.is_dir() else "is not there"
        raise Unavailable(f"{path} {what}; give the database of a server")
    file = file.resolve()  # beside which what belongs to it is, by whatever links it is reached
    try:
        try:
            return _query(file, "mode=ro", query, arguments)
        except sqlite3.OperationalError as error:
            # SQLite makes files beside the database to read it. Where nobody may, it needs none if no server writes.
            beside = file.with_name(f"{file.name}-wal")
            if error.sqlite_errorcode & 0xFF not in _NOTHING_MADE or (beside.is_file() and beside.stat().st_size):
                raise
            return _query(file, "immutable=1", query, arguments)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # what it quotes of a damaged schema may be no text
        raise Unavailable(f"{path} cannot be read: {error}") from error


def _query(file: Path, how: str, query: str, arguments: tuple[Any, ...]) -> list[Any]:
    database = sqlite3.connect(f"{file.as_uri()}?{how}", uri=True)
    database.text_factory = _text
    try:
        return database.execute(query, arguments).fetchall()
    finally:
        database.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")  # one table's damaged id hides no other table


def _ask(address: str, query: str, arguments: tuple[Any, ...]) -> list[Any]:
    from netcode.turns.store.postgres_link import Link

    link = Link(address, patience=PATIENCE)
    try:
        return link.run(query, arguments)
    except Lost as error:
        raise Unavailable(f"{link.name} has no tables of games; give the database of a server") from error
    finally:
        link.close()


def stored_tables(path: str | Path, game: type[Any]) -> list[Stored]:
    """Return the tables of a game, the oldest first."""
    check_game(game, "stored_tables")
    query = "SELECT id, version FROM game_table WHERE game = ? ORDER BY created"
    early = (
        "SELECT game_table, body FROM move JOIN game_table ON game_table.id = move.game_table "
        "WHERE game_table.game = ? AND move.version <= ? AND substr(body, 2, 4) IN (?, ?, ?) ORDER BY move.version"
    )
    sat: dict[str, list[str]] = {}
    for table, body in _read(path, early, (game.__name__, FIRST, *NAMING)):
        try:
            match unpack(body):
                case ["sit", str(name), *_]:
                    sat.setdefault(table, []).append(name)
                case ["begin", bytes(begun)]:
                    sat[table] = read_state(begun)["names"]
                case ["anew", *_]:
                    sat[table] = []  # whoever played there has gone
                case _:
                    pass
        except BUGS:  # what a failing disk gives back may be anything: the table is listed without it
            continue
    return [
        Stored(table, version, tuple(sat.get(table, ()))) for table, version in _read(path, query, (game.__name__,))
    ]


def frames(path: str | Path, table: str, game: type[Any]) -> Iterator[Frame]:
    """Yield the games of a table, entry by entry, as a spectator sees them.

    Raises:
        Unavailable: the database cannot be read, has no such table, or that is damaged or one of another game.
    """
    for (other,) in _read(path, "SELECT game FROM game_table WHERE id = ?", (table,)):
        if other != game.__name__:  # its fields would be none of ours, and what begins without them begins anew
            raise Unavailable(
                f"table {table} is one of {other}, not of {game.__name__}; give the file with {other}, or call the class "
                "so again if it was renamed"
            )
    rows = _read(path, "SELECT body FROM move WHERE game_table = ? ORDER BY version", (table,))
    if not rows:
        where = "the database" if isinstance(path, str) and is_address(path) else path  # an address has a password
        raise Unavailable(f"{where} has no table {table}, or its log was not kept")
    played: Table | None = None
    for (body,) in rows:
        match _entry_of(table, body):
            case ["begin", bytes(begun)]:
                try:
                    played = Table.restore(game, begun)
                except ValueError as error:
                    raise _damaged(table, error) from error
                for said in played.dropped:
                    log.warn(said, "%s", said)
            case ["step", bytes(entry)] if played is not None:
                yield _frame(played, _again(table, played, entry))
            case _:
                pass


def _entry_of(table: str, body: Any) -> Any:
    try:
        return unpack(body)
    except BUGS as error:  # what a failing disk gives back may be anything
        raise _damaged(table, error) from error


def _damaged(table: str, error: BaseException) -> Unavailable:
    return Unavailable(f"table {table} is damaged from here on: {sayable(error)}; take a copy from before")


def _again(table: str, played: Table, entry: bytes) -> tuple[Happening, ...]:
    """Do again what an entry says, and return what everybody was told of it."""
    if played.damage:
        raise _damaged(table, ValueError(played.damage))
    _entry_of(table, entry)
    try:
        happenings = () if played.frozen else played.replay(entry, 0.0)
    except (RulesError, Unfit, Leave, *BUGS) as error:  # other rules than those that wrote it may do anything
        raise Unavailable(f"the rules have changed since: {error}") from error
    if played.frozen:
        raise Unavailable(f"the rules have changed since: {played.frozen}")
    return tuple(one for one in happenings if not isinstance(one, Told) or one.to is None)


def _frame(played: Table, happenings: tuple[Happening, ...]) -> Frame:
    whose = " and ".join(played.names[seat] for seat in played.to_move)
    text = "over" if played.result is not None else f"{whose} to move"
    return Frame(text, [*played.names], view_at(played, None), happenings)
