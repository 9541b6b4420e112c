"""Which store it is that a server was given, and what it is called."""

import os
import re
from pathlib import Path

from netcode.turns.store import Store, is_address

MEMORY = ("memory", ":memory:")
"""What is written by who wants no file: SQLite and others call it so."""

KEYWORD = re.compile(
    r"(?:^|\s)(?:host|hostaddr|dbname|password|service)\s*=|(?:^|\s)user\s*=.*\s\w+\s*=|\w\s*=.*\suser\s*=", re.DOTALL
)
"""What is in the other spelling of a PostgreSQL address: as a path it would be a file, named as its password is."""


def open_store(where: Store | str | Path | None) -> Store:
    """Make the store that a server was given.

    Args:
        where: a store; the path of an SQLite database; the address of a PostgreSQL one, `postgresql://…`; None to
            forget all at the end.

    Raises:
        TypeError, ValueError: it is none of these.
        ImportError: what it needs is not installed.
    """
    if isinstance(where, Store):
        return where
    if where is None:
        from netcode.turns.store.memory import MemoryStore

        return MemoryStore()
    if not isinstance(where, str | Path):
        raise TypeError(f"store must be the path of a database, a Store, or None, not {type(where).__name__}")
    if isinstance(where, str) and is_address(where):
        from netcode.turns.store.postgres import PostgresStore

        return PostgresStore(where)
    kind, colon, _ = str(where).partition("://")
    if colon:  # what follows may hold a password
        raise ValueError(f"no store is at {kind}://; store is the path of a database, or postgresql://user@host/name")
    if KEYWORD.search(str(where)):
        raise ValueError(
            "store is the path of a database, or postgresql://user@host/name; what is written as host=… dbname=… is neither"
        )
    if str(where) in MEMORY:
        raise ValueError(f"store=None keeps tables in memory; a database in a file has another name than {where}")
    if not _names_file(where):
        raise ValueError(f"store must be the path of a database, and {str(where)!r} names no file")
    from netcode.turns.store.sqlite import SqliteStore

    return SqliteStore(where)


def _names_file(where: str | Path) -> bool:
    try:
        return bool(Path(where).name) and b"\0" not in os.fsencode(where)
    except UnicodeEncodeError:
        return False


def name_of(where: str | Path) -> str:
    """Return what a store is called: of an address neither who logs in nor what follows, since secrets are in both."""
    kind, colon, rest = str(where).partition("://")
    return f"{kind}://{rest.rpartition('@')[2].partition('?')[0]}" if colon else kind
