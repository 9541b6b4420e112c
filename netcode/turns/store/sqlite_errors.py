"""What SQLite raises, as sentences: one for whoever runs the server, and what players may know of it."""

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from netcode.turns.store import AT_THE_START, LATER, Unavailable

_WHY = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program keeps the database locked",
    sqlite3.SQLITE_LOCKED: "another program keeps the database locked",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the database is damaged",
    sqlite3.SQLITE_IOERR: "the disk failed",
}
"""What players may know of an error of SQLite."""

ROOM = 65_536
"""Bytes that a disk has free at least, or it is full."""


@contextmanager
def explained(path: Path, then: str = LATER) -> Generator[None, None, None]:
    """Turn what SQLite raises for what is no bug of ours into `Unavailable`, with a sentence.

    Args:
        path: where the database is.
        then: what happens once the trouble is over.
    """
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        code = _code(path, error, then)
        text = _sentence(path, error, code, then)
        if text is None:
            raise
        raise Unavailable(text, _WHY.get(code, "")) from error


def _code(path: Path, error: sqlite3.Error | UnicodeDecodeError, then: str) -> int:
    """Return the code of an error. Where there is no room for the files beside the database, SQLite says the disk failed."""
    if isinstance(error, UnicodeDecodeError):  # what it quotes of a damaged schema is no text
        return sqlite3.SQLITE_CORRUPT
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code == sqlite3.SQLITE_ERROR and then == AT_THE_START:  # its tables are not as we made them
        return sqlite3.SQLITE_CORRUPT
    return sqlite3.SQLITE_FULL if code == sqlite3.SQLITE_IOERR and _is_full(path) else code


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.resolve().parent).free < ROOM
    except OSError:
        return False


def _sentence(path: Path, error: Exception, code: int, then: str) -> str | None:
    """Return what is wrong and what to do; None for what only a bug of ours can cause."""
    match code:
        case sqlite3.SQLITE_FULL:
            return f"the disk of {path} is full; free some space, and {then}"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another program keeps {path} locked; close it, and {then}"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return (
                f"{path} is damaged, or no database: delete the files with -wal and -shm beside it, put a copy from before "
                "in its place, and start again"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"{path} may not be written; change the permissions of the file and of its folder"
        case sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be opened; is its folder there, and may this program write there?"
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOLFS | sqlite3.SQLITE_PROTOCOL | sqlite3.SQLITE_NOMEM:
            return f"the disk of {path} failed ({error}); {then} once it works again"
        case _:
            return None
