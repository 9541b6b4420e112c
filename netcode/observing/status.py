"""A server's status file: what `python -m netcode top` shows, rewritten once a second by a server that was asked to."""

import errno
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from netcode.diagnostics import log
from netcode.loop.clock import Clock
from netcode.observing import Observable, Observer
from netcode.peer import Peer
from netcode.reasons import printable

INTERVAL = 1.0
"""Seconds between two writes."""

MAX_ROWS = 100
"""Peers of whom more than a number is written: those whose bytes wait longest, and who are farthest."""


def default_path(pid: int, number: int = 1) -> Path:
    """Return where the server of a process writes that was not told where; of several, each has a number."""
    return Path(tempfile.gettempdir()) / (f"netcode-{pid}.json" if number == 1 else f"netcode-{pid}-{number}.json")


_written: WeakValueDictionary[Path, "StatusFile"] = WeakValueDictionary()
"""Who writes where, of those that were not told where."""


class StatusFile(Observer):
    """Writes what a server does to a file, which appears and changes as a whole, and goes with the server.

    Args:
        server: whose status it is.
        path: where to write it; True for a place in the folder for temporary files, by the number of the process, and
            of the server where that has several.
        clock: gives the seconds by which updates are measured, and the server's age.
    """

    def __init__(
        self,
        server: Observable,
        path: str | os.PathLike[str] | bool,
        clock: Clock = time.perf_counter,
    ) -> None:
        if not isinstance(path, (str, os.PathLike, bool)):
            raise TypeError(f"status must be the path of a file, or True, not {type(path).__name__}")
        place = default_path(os.getpid()) if isinstance(path, bool) else Path(path)
        if "\0" in str(place):
            raise ValueError(f"status must be the path of a file, and none has a null in it, not {str(place)!r:.100}")
        self.path = place.absolute()  # wherever the game may go from here
        self._shares = isinstance(path, bool)  # the place may be that of another server of the process
        if not self.path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such folder for the status", str(self.path.parent))
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "status must be the path of a file, not of a folder", str(self.path))
        if self.path.exists() and not self.path.is_file():  # whose place it would take
            raise OSError(errno.EINVAL, "status must be the path of a file, not of a device or a pipe", str(self.path))
        super().__init__(server, clock)
        self._failing = False
        self._since = clock()
        self._updates, self._busy, self._worst = 0, 0.0, 0.0
        self._write_at = clock()

    def took(self, seconds: float) -> None:
        self._updates += 1
        self._busy += seconds
        self._worst = max(self._worst, seconds)
        if self._began >= self._write_at:
            self._write_at = self._began + INTERVAL
            if self._shares:
                self._find_place()
            self._write(json.dumps(self.report()))
            self._updates, self._busy, self._worst = 0, 0.0, 0.0

    def closed(self) -> None:
        if self._shares:
            return  # nothing was written
        _written.pop(self.path, None)
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warn("status", "cannot remove %s: %s", self.path, error)

    def report(self) -> dict[str, Any]:
        """Return what is written: the numbers since the last write for updates, since the start for all else."""
        server = self.server
        peers = server.peers
        shown = sorted(peers, key=lambda peer: (-peer.stats.queued_for, -(peer.rtt or 0.0)))[:MAX_ROWS]
        return {
            "pid": os.getpid(),
            "uptime": self._clock() - self._since,
            "game": printable(f"{self.about.game} {self.about.version}".strip(), 128),
            "address": str(server.address),
            "state": server.state.value,
            "max_peers": self.about.max_peers,
            "peers": len(peers),
            "away": sum(peer.away for peer in peers),
            "joined": self.joined,
            "left": {**self.left},
            "refused": {**self.refused},
            **self.totals()._asdict(),
            "updates": self._updates,
            "update_mean": self._busy / self._updates if self._updates else None,
            "update_worst": self._worst,
            "players": [_row(peer) for peer in shown],
            **({} if self.tables is None else {"tables": self.tables.stats()._asdict()}),
        }

    def _find_place(self) -> None:
        """Find a place of its own: not before something is to be written, because a server may come to nothing."""
        number = 1
        while (path := default_path(os.getpid(), number).absolute()) in _written:
            number += 1
        self.path, self._shares = path, False
        _written[path] = self

    def _write(self, text: str) -> None:
        """Put `text` where it belongs: a reader sees all of it, and a link that waits there is not followed."""
        name = ""
        try:
            number, name = tempfile.mkstemp(prefix=".netcode-", dir=self.path.parent)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self.path)
            name = ""
            self._failing = False
        except OSError as error:
            if not self._failing:  # else a log of days had nothing but this
                log.warn("status", "cannot write %s: %s; it is tried every second", self.path, error)
            self._failing = True
        finally:
            if name:  # it was not put in its place: also where Ctrl-C came, say
                with suppress(OSError):  # of a file system that takes nothing any more
                    Path(name).unlink(missing_ok=True)


def _row(peer: Peer) -> dict[str, Any]:
    stats = peer.stats
    return {
        "id": peer.id,
        "address": str(peer.address),
        "away": peer.away,
        "rtt": peer.rtt,
        "jitter": peer.jitter,
        "silence": peer.silence,
        **stats._asdict(),
    }
