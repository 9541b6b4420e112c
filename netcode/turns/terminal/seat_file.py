"""Where a terminal keeps the ticket of its seat, so that it finds it again, and no other window does."""

import contextlib
import glob
import itertools
import os
from collections.abc import Generator, Iterator
from pathlib import Path

from netcode.turns.protocol import MAX_NAME
from netcode.turns.store import Unavailable
from netcode.turns.store.file_lock import InUse, lock_of, take_lock


class SeatFile:
    """Keeps a ticket beside the game, so that a window that was closed finds its seat again.

    It is for whoever is at one of `addresses`, since they may serve the same tables.
    """

    def __init__(self, game: Path, name: str, *addresses: tuple[str, int]) -> None:
        plain = "".join(character for character in name[:MAX_NAME] if character.isalnum()) or "me"
        self._path = game.with_name(f".{game.stem}.{plain}.seat")
        self._addresses = [f"{host}:{port}" for host, port in addresses]

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Have a file for ourselves meanwhile: a window takes what a closed one left, and never the seat of another."""
        lock = -1
        for path in self._paths():
            self._path = path
            try:
                lock = take_lock(path)
            except InUse:  # another window has it
                continue
            except Unavailable:
                pass  # nothing can be kept here, or nobody can have it alone
            break
        try:
            yield
        finally:
            if lock >= 0:
                with contextlib.suppress(OSError):  # Windows deletes nothing that is open, and the file may stay
                    lock_of(self._path).unlink()
                os.close(lock)

    def _paths(self) -> Iterator[Path]:
        """Yield where a ticket may be: first those that are kept, then where there is none, also not for other servers."""
        first = self._path
        named = first.with_suffix("").name
        further = first.parent.glob(f"{glob.escape(named)}.*.seat")
        in_order = first, *sorted(further, key=lambda path: (len(path.name), path.name))
        yield from (path for path in in_order if self._ticket_in(path) is not None)
        numbered = (first.with_suffix(f".{number}.seat") for number in itertools.count(2))
        yield from (path for path in itertools.chain([first], numbered) if not path.exists())

    def read(self) -> str | None:
        """Return the ticket for these servers, if there is one."""
        return self._ticket_in(self._path)

    def write(self, ticket: str) -> None:
        """Keep a ticket, beside and then in place, for a kill in between; whoever reads it can sit there."""
        beside = self._path.with_suffix(".new")
        try:
            beside.touch(mode=0o600)
            beside.write_text(f"{','.join(self._addresses)} {ticket}\n", encoding="utf-8")
            beside.replace(self._path)
        except OSError:
            pass  # the game goes on without

    def forget(self) -> None:
        """Drop the ticket."""
        self._path.unlink(missing_ok=True)

    def _ticket_in(self, path: Path) -> str | None:
        try:
            addresses, ticket = path.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return None if {*addresses.split(",")}.isdisjoint(self._addresses) else ticket
