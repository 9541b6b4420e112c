"""What outlives a window that is killed: the ticket of its seat."""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from demo_game.hosting import made, own_folder

SLOTS = 8
"""Windows of one player on one server that can be told apart."""
MOST = 2000  # bytes of a file that are read
KEY = 16
"""Letters that tell the files of different servers and names apart."""
LONG = 6 * 3600.0
"""Seconds after which nobody is asked any more whether they want to go on with a game."""


class KeptSeat:
    """The ticket of one window. The file is locked while the window lives, however it ends.

    So of two windows of one player, each keeps its own, and a third takes what a killed one has left, and not what
    one that lives still needs. Where nothing can be kept, nothing is: a game does not end for that.
    """

    def __init__(
        self, server: str, name: str, folder: Path | None = None, about: Mapping[str, object] | None = None
    ) -> None:
        """Find a file for `name` on `server` that no living window holds. What is `about` it is for `left_behind`."""
        self.ticket: str | None = None
        self._file = -1
        self._about = {} if about is None else {**about}
        key = hashlib.sha256(f"{server}\n{name}".encode()).hexdigest()[:KEY]
        with contextlib.suppress(OSError):
            folder = made(folder or own_folder())
            self._file = next((file for slot in range(SLOTS) if (file := _hold(folder / f"{key}-{slot}")) >= 0), -1)
            if self._file >= 0:
                self.ticket = _read(self._file)[0]

    def keep(self, ticket: str | None) -> None:
        """Keep this ticket from now on, or none."""
        changed, self.ticket = ticket != self.ticket, ticket
        if changed and self._file >= 0:
            with contextlib.suppress(OSError):
                os.lseek(self._file, 0, os.SEEK_SET)
                if ticket is None:
                    os.ftruncate(self._file, 0)
                else:  # in one call, over the whole of what was there: a kill leaves the one or the other
                    text = f"{ticket}\n{json.dumps(self._about)}".encode()
                    os.write(self._file, text.ljust(os.fstat(self._file).st_size))

    def close(self) -> None:
        """Leave the file to others."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def left_behind(folder: Path | None = None, *, now: Callable[[], float] = time.time) -> list[dict[str, Any]]:
    """Give what is known of seats that windows left without a goodbye within the last hours, the newest first."""
    found: list[tuple[float, dict[str, Any]]] = []
    with contextlib.suppress(OSError):
        for path in (folder or own_folder()).glob("?" * KEY + "-?"):
            with contextlib.suppress(OSError):
                if (file := _hold(path)) < 0:
                    continue
                with os.fdopen(file, "rb", 0):
                    ticket, about = _read(file)
                    when = path.stat().st_mtime
                if ticket and about and now() - when < LONG:
                    found.append((when, about))
    return [about for _, about in sorted(found, key=lambda one: one[0], reverse=True)]


def _read(file: int) -> tuple[str | None, dict[str, Any]]:
    """Read a ticket, and what is known of its seat."""
    ticket, _, known = os.read(file, MOST).decode("ascii", "replace").partition("\n")
    about: dict[str, Any] = {}
    with contextlib.suppress(ValueError, TypeError):
        about.update(json.loads(known))
    return ticket or None, about


def _hold(path: Path) -> int:
    """Open the file and lock it, for ourselves alone; -1 if somebody else has."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(file)
    except OSError:
        os.close(file)
        return -1
    return file


if sys.platform == "win32":  # pragma: no cover - Windows locks its own way
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, 1 << 20, os.SEEK_SET)  # far behind the text, which could not be read else
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
