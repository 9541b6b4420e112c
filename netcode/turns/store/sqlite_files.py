"""The files of an open database: whether they are what whoever starts next finds, as SQLite itself never asks."""

import sqlite3
from pathlib import Path

from netcode.turns.store import Lost

HEAD = 32
"""Bytes at the beginning of a log."""
FRAME = 24
"""Bytes before each page in it."""


class Files:
    """A database that was just opened at `path`, and the files that SQLite keeps beside it."""

    def __init__(self, path: Path) -> None:
        itself = path.resolve()
        self._log, index = (itself.with_name(itself.name + end) for end in ("-wal", "-shm"))
        self._path = path.absolute()
        self._numbers = {file: _number_of(file) for file in (self._path, self._log, index) if file.exists()}
        self._size = _size_of(self._log)

    def check(self) -> None:
        """Raise `Lost` where what is open is not what is there; call it after each commit, before it is told."""
        for file, number in self._numbers.items():
            if _number_of(file) != number:  # SQLite would go on writing into what nobody can find any more
                what = "see that the right one is there, or it begins with no tables, and "
                what = what if file == self._path else ""
                raise Lost(f"{file} was deleted, moved or replaced while it was in use; {what}start the server again")
        self._size = _size_of(self._log)

    def check_log(self, database: sqlite3.Connection) -> None:
        """Raise `Lost` where somebody cut the log; call it before each transaction, outside of any.

        SQLite would write on behind the end. The next start would find none of that, and whatever takes pages from the
        log into the database would take zeros out of the gap: then all of it is destroyed.
        """
        size = _size_of(self._log)
        if size < self._size and self._log.exists() and size < _needed(database):
            raise Lost(f"{self._log} was cut while it was in use; start the server again: what was stored last is gone")


def _needed(database: sqlite3.Connection) -> float:
    """Return how many bytes the log has at least: few, once another program took all of it into the database.

    What is asked is to do as much of that as can be done. It fails at the first page which is not there, and what it took
    by then is what the next start would find as well.
    """
    [(page,)] = database.execute("PRAGMA page_size")
    try:
        [(_, frames, _)] = database.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.OperationalError:
        return float("inf")
    return HEAD + frames * (FRAME + page) if frames > 0 else 0


def _number_of(file: Path) -> int:
    """Return by which number the system knows a file; -1 where it is not there."""
    try:
        return file.stat().st_ino
    except OSError:
        return -1


def _size_of(file: Path) -> int:
    """Return how many bytes a file has; 0 where it is not there."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
