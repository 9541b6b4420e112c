"""`python -m netcode top`: what a server does, live: as it writes it to its status file, or tells it to Prometheus.

A server writes the one only if it was asked to, by `Server(..., status=True)` or the path of a file, and serves the
other where `netcode.metrics` was asked to. That can be read from elsewhere, and has no line for each player.
"""

import argparse
import json
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeGuard, cast

from netcode.loop.clock import Clock, monotonic, sleep_of
from netcode.observing.status import default_path
from netcode.reasons import printable
from netcode.tools.output import Output, complain, in_bytes, milliseconds
from netcode.tools.scrape import MOST, PORT, Numbers
from netcode.tools.where import positive, server_address

DESCRIPTION = "Show what a server does: who plays, how much, how far away, what waits."
EPILOG = """\
The server must have been asked to tell: netcode.Server(..., status=True), or status="a/file.json". SERVER is the
number of its process (12, or 12-2 for the second server in it), or that file; without it, the only server that tells
is shown. Of a server elsewhere, SERVER is HOST or HOST:PORT where its program serves netcode.metrics (port 9100 if none
is given). Ctrl-C ends it.
"""

STALE = 3.0
"""Seconds without a new status after which the server is said to be silent: it writes one a second."""

ABANDONED = 30.0
"""Seconds after which the file of a server that was killed is no longer in the way of another's."""

MAX_FILE = 4_194_304
"""Bytes of a status file that are read at most."""

TOTALS = {
    "messages_received": "messages in",
    "messages_sent": "messages out",
    "bytes_received": "in",
    "bytes_sent": "out",
}

_TIME = int | float | None
WRITTEN: dict[str, type | UnionType] = {
    **dict.fromkeys((*TOTALS, "pid", "max_peers", "peers", "away", "joined", "updates"), int),
    **dict.fromkeys(("game", "address", "state"), str),
    **dict.fromkeys(("left", "refused"), dict),
    **dict.fromkeys(("update_mean", "update_worst"), _TIME),
    "uptime": int | float,
    "players": list,
}
"""What a server writes of itself, and of what kind that is."""

WRITTEN_OF_PLAYERS: dict[str, type | UnionType] = {
    **dict.fromkeys(("id", "bytes_received", "bytes_sent", "queued"), int),
    **dict.fromkeys(("rtt", "jitter", "silence"), _TIME),
    "queued_for": int | float,
    "address": str,
    "away": bool,
}
WRITTEN_OF_TABLES: dict[str, type | UnionType] = {
    **dict.fromkeys(("tables", "waiting", "people", "moves", "entries", "commits"), int),
    **dict.fromkeys(("redirects", "unavailable", "lost"), int),
    **dict.fromkeys(("commit_seconds", "unstored", "renewed", "outage"), int | float),
    "trouble": str,
}
LATER = {"outage": 0.0}
"""What servers of before do not write, and what is shown of them."""

_PROCESS = re.compile(r"([0-9]+)(?:-([0-9]+))?").fullmatch
"""The number of a process, and of one of several servers that it has."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `top`."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("server", metavar="SERVER", nargs="?", help="its process, its status file, or the HOST[:PORT] of its metrics")
    add("--interval", type=positive, default=1.0, metavar="SECONDS", help="between two looks: %(default)s")
    add("--once", action="store_true", help="look once, and end")
    add("--json", action="store_true", help="print the status as one JSON object a line, for scripts")


def find_status(server: str | None, folder: Path | None = None) -> Path:
    """Return the status file that is meant.

    Raises:
        FileNotFoundError: there is none, or there are several.
    """
    if server is not None:
        process = _PROCESS(server)
        path = Path(server) if process is None else default_path(int(process[1]), int(process[2] or 1))
        if path.exists():
            return path
        raise FileNotFoundError(f"there is no {path}: was that server started with status=?")
    folder = Path(tempfile.gettempdir()) if folder is None else folder
    found = [path for path in folder.glob("netcode-*.json") if _PROCESS(path.stem.removeprefix("netcode-"))]
    newest = max((path.stat().st_mtime for path in found), default=0.0)
    found = [path for path in found if newest - path.stat().st_mtime < ABANDONED]
    if len(found) == 1:
        return found[0]
    numbers = ", ".join(sorted(path.stem.removeprefix("netcode-") for path in found))
    raise FileNotFoundError(
        f"several servers tell, say which: {numbers}" if found else "no server here was started with status=True"
    )


class StatusReader:
    """A status file, look by look."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any] | None:
        """Return what the server wrote last; None if it is gone. Raises `ValueError` for a file of something else."""
        try:
            status: Any = None
            if stat.S_ISREG(self._path.stat().st_mode):  # of a pipe, nobody may ever write the other end
                with self._path.open("rb") as file:
                    status = json.loads(file.read(MAX_FILE))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):  # of JSON, or of text
            status = None
        if not is_status(status):
            raise ValueError(f"{self._path} is no status file of a server")
        return cast("dict[str, Any]", status)


def is_status(status: object) -> bool:
    """Tell whether a server wrote this: it has what is shown of one, each of its kind."""
    if not _has(status, WRITTEN) or not all(_has(player, WRITTEN_OF_PLAYERS) for player in status["players"]):
        return False
    tables = status.get("tables")
    return tables is None or _has(tables, WRITTEN_OF_TABLES)


def _has(found: object, kinds: Mapping[str, type | UnionType]) -> TypeGuard[dict[str, Any]]:
    if not isinstance(found, dict):
        return False
    told = LATER | cast("dict[str, Any]", found)
    return all(isinstance(told.get(key), kind) and _is_shown(told[key]) for key, kind in kinds.items())


def _is_shown(value: object) -> bool:
    """Tell whether a number can be shown: whoever may write into the folder may write any."""
    return not isinstance(value, (int, float)) or abs(value) < MOST


def find_server(server: str | None) -> "StatusReader | Numbers":
    """Return where to read what the server does that is meant.

    Raises:
        FileNotFoundError: there is none, or there are several.
        ValueError: it can be neither a process nor a file nor a host.
    """
    if server is not None and not _PROCESS(server) and not Path(server).exists() and Path(server).suffix != ".json":
        try:
            return Numbers(server_address(server, PORT))
        except argparse.ArgumentTypeError as error:
            raise ValueError(f"{server!r:.100} is neither a process nor a file nor a host") from error
    return StatusReader(find_status(server))


class Panel:
    """Shows one status after the other.

    Args:
        source: the status.
        output: where lines go.
        clock: gives seconds that never go back.
    """

    def __init__(self, source: StatusReader | Numbers, output: Output, clock: Clock = monotonic) -> None:
        self._source = source
        self._output = output
        self._sleep = sleep_of(clock)
        self._clock = clock
        self._before: dict[str, Any] | None = None
        self._latest: dict[str, Any] | None = None
        self._came_at = clock()  # the latest
        self.shown = 0

    def run(self, interval: float, *, once: bool) -> None:
        """Show the status every `interval` seconds, until the server is gone or nobody reads any more."""
        while not self._output.is_closed():
            status = self._source.read()
            if status is None:
                self._output.line("the server is gone", event="gone")
                return
            if status != self._latest:
                self._before, self._latest, self._came_at = self._latest, status, self._clock()
            self._show(status)
            self.shown += 1
            if once:
                return
            self._sleep(interval)

    def _show(self, status: dict[str, Any]) -> None:
        if self._output.as_json:
            self._output.line("", **status)
            return
        self._output.clear()
        for line in self._summary(status):
            self._output.line(printable(line, 300))
        if "players" not in status:
            return
        heads = ("ID", "ADDRESS", "ROUND TRIP", "JITTER", "IN", "OUT", "WAITS", "OLDEST", "SILENT")
        self._output.table(heads, [self._row(player) for player in status["players"]])
        hidden = status["peers"] - len(status["players"])
        if hidden > 0:
            self._output.line(f"and {hidden} more, of whom less waits")

    def _summary(self, status: dict[str, Any]) -> list[str]:
        age = self._clock() - self._came_at
        silent = f" -- SILENT for {age:.0f} s: it does not call update()" if age > STALE else ""
        players = (
            f"players {status['peers']} of {status['max_peers']}, {status['away']} away; {status['joined']} joined"
        )
        left, refused = _counted(", left", status["left"]), _counted(", refused", status["refused"])
        rates = [self._rate(key, name, status, self._before, status) for key, name in TOTALS.items()]
        tables: dict[str, Any] | None = status.get("tables")
        mean, worst = milliseconds(status["update_mean"]), milliseconds(status["update_worst"])
        shown = [
            f"{_title(status)}{silent}",
            f"{players}{left}{refused}",
            f"{', '.join(rates)}; {status['updates']} updates, {mean} each, {worst} at most",
            *([] if tables is None else self._tables(tables, status)),
        ]
        if "players" not in status:
            median, largest = milliseconds(status["rtt_median"]), milliseconds(status["rtt_largest"])
            waits = f"{in_bytes(status['queued'])} wait, the oldest for {milliseconds(status['queued_for'])}"
            shown.append(f"round trips {median}, {largest} at most; {waits}")
        return shown

    def _tables(self, tables: dict[str, Any], status: dict[str, Any]) -> list[str]:
        """Return the lines about the tables of a server that has such."""
        before = None if self._before is None else self._before.get("tables")
        commits, entries, seconds = (tables[key] for key in ("commits", "entries", "commit_seconds"))
        if before is not None and commits > before["commits"]:
            commits, entries, seconds = (tables[key] - before[key] for key in ("commits", "entries", "commit_seconds"))
        each = f", {milliseconds(seconds / commits)} and {entries / commits:.3g} entries each" if commits else ""
        people = f"; people {tables['people']}" if "people" in tables else ""  # Prometheus is told of peers alone
        what = f"tables {tables['tables']}, {tables['waiting']} wait for players{people}"
        counts = (f"{count} {name}" for name in ("redirects", "unavailable", "lost") if (count := tables[name]))
        waits = (
            f"the oldest move waits for {milliseconds(tables['unstored'])}" if tables["unstored"] else "no move waits"
        )
        commit_rate = self._rate("commits", "commits", tables, before, status)
        outage = (LATER | tables)["outage"]
        since = f", for {_long(outage)}" if outage else ""
        heard = f"the store heard of it {milliseconds(tables['renewed'])} ago"
        return [
            "; ".join([what, self._rate("moves", "moves", tables, before, status), *counts]),
            f"{commit_rate}{each}; {waits}; {heard}",
            *([f"NOTHING CAN BE STORED{since}: {tables['trouble']}"] if tables["trouble"] else []),
        ]

    def _rate(
        self, key: str, name: str, counts: dict[str, Any], before: dict[str, Any] | None, status: dict[str, Any]
    ) -> str:
        """Return what became of a count since the look before, in a second; the count itself at the first look."""
        seconds = 0.0 if self._before is None else status["uptime"] - self._before["uptime"]
        if before is None or seconds <= 0:
            total = counts[key]
            return f"{name} {in_bytes(total) if 'bytes' in key else total}"
        rate = (counts[key] - before[key]) / seconds
        return f"{name} {in_bytes(rate) if 'bytes' in key else f'{rate:.0f}'}/s"

    def _row(self, player: dict[str, Any]) -> tuple[str, ...]:
        silence = "away" if player["away"] else milliseconds(player["silence"])
        waits = in_bytes(player["queued"]) if player["queued"] else "-"
        oldest = milliseconds(player["queued_for"]) if player["queued"] else "-"
        traffic = (in_bytes(player[key]) for key in ("bytes_received", "bytes_sent"))
        times = (milliseconds(player[key]) for key in ("rtt", "jitter"))
        return str(player["id"]), printable(player["address"], 60), *times, *traffic, waits, oldest, silence


def _title(status: dict[str, Any]) -> str:
    if "players" not in status:
        return f"the server at {status['address']}"
    name = status["game"] or "a game without a name"
    return f"{name} at {status['address']}, process {status['pid']}, {status['state']}, up {_long(status['uptime'])}"


def _long(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _counted(what: str, counts: dict[str, int]) -> str:
    return f"{what} " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) if counts else ""


def run(arguments: argparse.Namespace) -> int:
    """Show it until Ctrl-C; return 0 if there was something to show, else 1."""
    panel = None
    try:
        panel = Panel(find_server(arguments.server), Output(as_json=arguments.json))
        panel.run(arguments.interval, once=arguments.once)
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError) as error:
        return complain("top", error)
    return 0 if panel is not None and panel.shown else 1
