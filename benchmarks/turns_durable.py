"""How many moves a second a process stores in PostgreSQL, and how long its updates take while the database hangs.

`python -m benchmarks.turns_durable --tables 500 --seconds 20` starts a database of its own, with everything synced, one
server, and a program that plays tic-tac-toe at all tables at once: rules, views, lists of legal moves. A move counts
when its player reads that it is stored. Then the processes of the database are stopped where they stand for three
seconds, and go on.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.children import Child
from benchmarks.databases import Missing, Postgres

MOVES = 3_000.0
"""Moves a second that one process stores at least."""
UPDATE = 0.005
"""Seconds that 99 of 100 updates take at most while the database hangs."""
HANG = 3.0


class Measured(NamedTuple):
    """What was measured."""

    moves: float
    """A second."""
    half: float
    """Seconds after which half of the moves were in."""
    most: float
    """Seconds after which 99 of 100 were."""
    server: float
    """Microseconds of the server's processor for each move, in all its threads."""
    load: float
    """The same of the program that plays."""
    database: float
    """The same of all processes of the database."""
    commits: float
    """A second."""
    batch: float
    """Entries in one commit."""
    commit: float
    """Seconds that one took."""
    update: float
    """Seconds that 99 of 100 updates took while it played."""
    hanging: float
    """Seconds that 99 of 100 updates took while the database hung."""
    updates: int
    """Updates while it hung."""
    after: float
    """Moves a second once it went on."""
    told: float
    """Bytes that the players of a table receive for one move."""
    wal: float
    """Bytes that one move adds to the database's write-ahead log."""
    kept: float
    """Bytes that one move adds to the tables of the database."""


def measure(tables: int, seconds: float, hang: float = HANG, *, durable: bool = True) -> Measured:
    """Play, hang, and play on."""
    with Postgres(durable=durable) as database:
        store, own = database.address(), {"game": "tictactoe"}
        with (
            Child("servers.ours_durable", part="server", store=store, **own) as server,
            Child("clients.ours_durable", part="load", port=server.facts["port"]) as load,
        ):
            load.ask("sit_down", within=120.0, count=tables)
            load.ask("play", within=60.0, seconds=min(2.0, seconds))  # what is made once is made now
            server.ask("durations")
            logged, stored = _written(database)
            cpu_database = _cpu(database)
            before, cpu, cpu_load = server.ask("stats"), server.ask("cpu"), load.ask("cpu")
            played = load.ask("play", within=seconds + 60.0, seconds=seconds)
            logged, stored = (now - then for now, then in zip(_written(database), (logged, stored), strict=True))
            cpu_database = _cpu(database) - cpu_database
            cpu, cpu_load = server.ask("cpu") - cpu, load.ask("cpu") - cpu_load
            durations = server.ask("durations")
            time.sleep(1.1)  # so that the numbers are written down
            after = server.ask("stats")
            hanging = _hang(database, server, load, hang)
            again = load.ask("play", within=seconds + 60.0, seconds=min(3.0, seconds))
    if played["refused"] or again["refused"]:
        raise RuntimeError(f"moves were refused: {played['refused']} {again['refused']}")
    commits, entries = after["commits"] - before["commits"], after["entries"] - before["entries"]
    moves = max(1, played["moves"])
    return Measured(
        moves=played["moves"] / played["seconds"],
        half=played["latencies"]["50"],
        most=played["latencies"]["99"],
        server=cpu / moves * 1e6,
        load=cpu_load / moves * 1e6,
        database=cpu_database / moves * 1e6,
        commits=commits / played["seconds"],
        batch=entries / max(1, commits),
        commit=(after["commit_seconds"] - before["commit_seconds"]) / max(1, commits),
        update=_percentile(durations),
        hanging=_percentile(hanging),
        updates=len(hanging),
        after=again["moves"] / again["seconds"],
        told=played["bytes"] / moves,
        wal=logged / moves,
        kept=stored / moves,
    )


def _hang(database: Postgres, server: Child, load: Child, seconds: float) -> list[float]:
    """Stop the database while everybody plays, and return how long the updates took meanwhile."""
    load.tell("play", seconds=seconds + 1.0)
    time.sleep(0.5)
    database.hang()
    try:
        server.ask("durations")
        time.sleep(seconds)
        took: list[float] = server.ask("durations")
    finally:
        database.go_on()
    load.answer(60.0)
    return took


def _cpu(database: Postgres) -> float:
    """Return the seconds of processor that the processes of a database have used; what has ended counts as well."""
    used = 0
    for process in database.processes():
        try:
            fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        own, waited_for = fields[11:13], fields[13:15]
        used += sum(map(int, own if process != database.process.pid else (*own, *waited_for)))
    return used / os.sysconf("SC_CLK_TCK")


def _written(database: Postgres) -> tuple[float, float]:
    """Return how many bytes of log the database wrote so far, and how many its tables have."""
    [(logged, stored)] = database.execute(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), pg_database_size(current_database())"
    )
    return float(str(logged)), float(str(stored))


def _percentile(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100] if values else 0.0


def report(measured: Measured) -> list[str]:
    """Return what is printed, each bar beside its figure."""
    rows: list[tuple[str, Any]] = [
        (f"durable moves a second; bar: at least {MOVES:,.0f}", f"{measured.moves:,.0f}"),
        ("half of them, 99 of 100, were in after", f"{measured.half * 1e3:.0f} ms, {measured.most * 1e3:.0f} ms"),
        (
            "processor for one move: server, database, players",
            f"{measured.server:.0f} µs, {measured.database:.0f} µs, {measured.load:.0f} µs",
        ),
        ("commits a second, entries in one", f"{measured.commits:.0f}, {measured.batch:.0f}"),
        ("one commit took", f"{measured.commit * 1e3:.1f} ms"),
        ("99 of 100 updates took, playing", f"{measured.update * 1e3:.1f} ms"),
        (
            f"99 of 100 updates took, database hanging ({measured.updates}); bar: below {UPDATE * 1e3:g} ms",
            f"{measured.hanging * 1e3:.1f} ms",
        ),
        ("moves a second after it went on", f"{measured.after:,.0f}"),
        ("bytes for one move: to players, log, kept", f"{measured.told:.0f}, {measured.wal:.0f}, {measured.kept:.0f}"),
    ]
    width = max(len(row[0]) for row in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def main() -> int:
    """Measure, print, and return 0 if both bars hold."""
    parser = argparse.ArgumentParser(description="How many moves a second are stored in PostgreSQL?")
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--hang", type=float, default=HANG, help="seconds for which the database hangs")
    chosen = parser.parse_args()
    try:
        measured = measure(chosen.tables, chosen.seconds, chosen.hang)
    except Missing as error:
        print(error)
        return 1
    print("\n".join(report(measured)))
    return 0 if measured.moves >= MOVES and measured.hanging < UPDATE else 1


if __name__ == "__main__":
    sys.exit(main())
