"""What outlives a window that is killed: the ticket of its seat."""

import contextlib
import hashlib
import os
import sys
from pathlib import Path

from demo_game.hosting import made, own_folder

SLOTS = 8
"""Windows of one player on one server that can be told apart."""
MOST = 1000  # bytes of a file that are read


class KeptSeat:
    """The ticket of one window. The file is locked while the window lives, however it ends.

    So of two windows of one player, each keeps its own, and a third takes what a killed one has left, and not what
    one that lives still needs. Where nothing can be kept, nothing is: a game does not end for that.
    """

    def __init__(self, server: str, name: str, folder: Path | None = None) -> None:
        """Find a file for `name` on `server` that no living window holds."""
        self.ticket: str | None = None
        self._file = -1
        key = hashlib.sha256(f"{server}\n{name}".encode()).hexdigest()[:16]
        with contextlib.suppress(OSError):
            folder = made(folder or own_folder())
            self._file = next((file for slot in range(SLOTS) if (file := _hold(folder / f"{key}-{slot}")) >= 0), -1)
            if self._file >= 0:
                self.ticket = os.read(self._file, MOST).decode("ascii", "replace") or None

    def keep(self, ticket: str | None) -> None:
        """Keep this ticket from now on, or none."""
        changed, self.ticket = ticket != self.ticket, ticket
        if changed and self._file >= 0:
            with contextlib.suppress(OSError):
                os.lseek(self._file, 0, os.SEEK_SET)
                os.ftruncate(self._file, 0)
                os.write(self._file, (ticket or "").encode())

    def close(self) -> None:
        """Leave the file to others."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


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
