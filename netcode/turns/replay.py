"""Stored games, read back move by move, also while a server writes on."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netcode.turns.player.sight import make_view
from netcode.turns.store import Lost, Unavailable, is_address
from netcode.turns.table import Table
from netcode.turns.values import unpack


@dataclass(frozen=True, slots=True)
class Frame:
    """A game after one of its entries."""

    text: str
    names: list[str]
    view: Any


PATIENCE = 30.0
"""Seconds of silence after which a database server is not waited for any more."""


def _read(path: str | Path, query: str, arguments: tuple[Any, ...]) -> list[Any]:
    if isinstance(path, str) and is_address(path):
        return _ask(path, query.replace("?", "%s"), arguments)
    if not Path(path).is_file():
        raise Unavailable(f"{path} is not there; give the database of a server")
    try:
        database = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
        try:
            return database.execute(query, arguments).fetchall()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be read: {error}") from error


def _ask(address: str, query: str, arguments: tuple[Any, ...]) -> list[Any]:
    from netcode.turns.store.postgres_link import Link

    link = Link(address, patience=PATIENCE)
    try:
        return link.run(query, arguments)
    except Lost as error:
        raise Unavailable(f"{link.name} has no tables of games; give the database of a server") from error
    finally:
        link.close()


def stored_tables(path: str | Path, game: type[Any]) -> list[tuple[str, int]]:
    """Return the ids of the tables of a game, and how many entries each has, the oldest first."""
    query = "SELECT id, version FROM game_table WHERE game = ? ORDER BY created"
    return [(table, version) for table, version in _read(path, query, (game.__name__,))]


def frames(path: str | Path, table: str, game: type[Any]) -> Iterator[Frame]:
    """Yield the games of a table, entry by entry, as a spectator sees them.

    Raises:
        Unavailable: the database cannot be read, or has no such table.
    """
    rows = _read(path, "SELECT body FROM move WHERE game_table = ? ORDER BY version", (table,))
    if not rows:
        where = "the database" if isinstance(path, str) and is_address(path) else path  # an address has a password
        raise Unavailable(f"{where} has no table {table}, or its log was not kept")
    snapshot, steps = b"", list[bytes]()
    for (body,) in rows:
        match unpack(body):
            case ["begin", bytes(begun)]:
                snapshot, steps = begun, []
            case ["step", bytes(entry)] if snapshot:
                steps.append(entry)
                played = Table.restore(game, snapshot, steps)
                if played.frozen:
                    raise Unavailable(f"the rules have changed since: {played.frozen}")
                status = played.status(0.0)
                state = {
                    "names": played.names,
                    "to_move": status.to_move,
                    "mover": status.mover,
                    "out": status.out,
                }
                whose = " and ".join(played.names[seat] for seat in status.to_move)
                text = "over" if status.result is not None else f"{whose} to move"
                yield Frame(text, [*played.names], make_view(game, played.view(None), None, state))
            case _:
                pass
