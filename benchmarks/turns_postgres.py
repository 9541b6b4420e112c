"""Measure the store in PostgreSQL: what its fence costs, what batches save, and whether claims hold up those who play.

`python -m benchmarks.turns_postgres` starts a server of its own, with everything synced, and prints each figure beside
the bar that it has to reach. What is compared is measured in turn, and the middle of the rounds counts.
"""

import argparse
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Missing, Pooler, Postgres
from netcode.turns.store import Claim, Entry, NewTable, State
from netcode.turns.store import postgres_sql as sql
from netcode.turns.store.postgres import PostgresStore

ROOT = Path(__file__).parent.parent
BODY, STATE = bytes(range(60)), bytes(range(250))
"""What a move of tic-tac-toe and its table take."""
UNFENCED = "fence AS MATERIALIZED (SELECT %(node)s::bigint AS id)"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and what it has to be."""

    what: str
    value: float
    bar: float
    most: bool = False
    note: str = ""

    @property
    def good(self) -> bool:
        """Whether it reaches its bar."""
        return self.value <= self.bar if self.most else self.value >= self.bar

    def __str__(self) -> str:
        sign = "at most" if self.most else "at least"
        end = "" if self.good else "   MISSED"
        return f"{self.what:<64} {self.value:7.2f} x  ({sign} {self.bar:g}){end}  {self.note}"


class Players:
    """Tables at which move follows move."""

    def __init__(self, store: PostgresStore, prefix: str, count: int) -> None:
        self._store = store
        self.tables = [f"{prefix}{number}" for number in range(count)]
        self._version = 0
        store.create([NewTable(table, "TicTacToe", STATE, None) for table in self.tables])

    def move(self, *, at_once: bool = True) -> float:
        """Make a move at each table, in one batch or one after the other, and return the seconds that it took."""
        self._version += 1
        batch = [(Entry(table, self._version, BODY), State(table, self._version, STATE, 30.0)) for table in self.tables]
        begun = time.perf_counter()
        if at_once:
            self._store.append([entry for entry, _ in batch], [state for _, state in batch])
        else:
            for entry, state in batch:
                self._store.append([entry], [state])
        return time.perf_counter() - begun


def opened(address: str, name: str) -> PostgresStore:
    """Return a process of its own, as the database sees it."""
    store = PostgresStore(address)
    store.open(f"{name}:1")
    return store


def ratio(rounds: int, slow: Callable[[], float], quick: Callable[[], float]) -> tuple[float, float, float]:
    """Measure two things in turn; return how much longer the first takes, and the seconds of both."""
    pairs = [(slow(), quick()) for _ in range(rounds)]
    return (
        statistics.median(one / other for one, other in pairs),
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
    )


def fence(address: str, rounds: int) -> Figure:
    """Compare batches under the fence with batches without it."""
    fenced, free = opened(address, "fenced"), opened(address, "free")
    assert sql.FENCE.strip() in free._append  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    free._append = free._append.replace(sql.FENCE.strip(), UNFENCED)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    some, others = Players(fenced, "f", 50), Players(free, "u", 50)

    pairs = [(others.move(), some.move()) for _ in range(rounds * 40)]
    # A sync takes a multiple of what the disk takes for one, so that a median jumps; the mean of most does not.
    without, within = (_mean_of_most(taken) for taken in zip(*pairs, strict=True))
    for store in (fenced, free):
        store.close()
    return Figure(
        "moves a second under the fence, to those without it",
        without / within,
        0.9,
        note=f"{50 / within:,.0f} to {50 / without:,.0f} a second",
    )


def _mean_of_most(taken: Sequence[float]) -> float:
    return statistics.fmean(sorted(taken)[: len(taken) * 9 // 10])


def batch(address: str, rounds: int) -> Figure:
    """Compare moves at 50 tables in one batch with the same one by one."""
    store = opened(address, "batch")
    players = Players(store, "b", 50)
    value, single, together = ratio(rounds, lambda: players.move(at_once=False), players.move)
    store.close()
    return Figure(
        "moves of 50 tables in one batch, to one by one",
        value,
        20,
        note=f"{together * 1000:.1f} to {single * 1000:.1f} ms",
    )


def claims(address: str, rounds: int) -> Figure:
    """Compare a claim of 500 tables with claims of one."""
    owner, heir = opened(address, "owner"), opened(address, "heir")
    tables = Players(owner, "c", 500).tables
    owner.close()

    def claimed(each: int) -> float:
        begun = time.perf_counter()
        parts = [tables[start : start + each] for start in range(0, 100 if each == 1 else len(tables), each)]
        for part in parts:
            assert {*heir.claim(part).values()} == {Claim.OURS}
        spent = (time.perf_counter() - begun) / sum(map(len, parts))
        heir.release(tables)
        return spent

    value, single, together = ratio(rounds, lambda: claimed(1), lambda: claimed(500))
    heir.close()
    return Figure(
        "tables claimed a second, 500 at once to one by one",
        value,
        20,
        note=f"{together * 1000:.3f} to {single * 1000:.2f} ms a table",
    )


CLAIMER = """
import sys
from netcode.turns.store import Claim
from netcode.turns.store.postgres import PostgresStore

heir = PostgresStore(sys.stdin.readline().strip())
tables = sys.stdin.readline().split()
heir.open("heir:1")
print("ready", flush=True)
for _ in sys.stdin:
    assert {*heir.claim(tables).values()} == {Claim.OURS}
    print("done", flush=True)
    heir.release(tables)
    heir.renew(0)
    print("ready", flush=True)
heir.close()
"""
"""Claims the tables when told to, says when that is done, and gives them back."""


def disturbed(address: str, rounds: int) -> Figure:
    """Compare how long moves take while another process claims 2,000 tables, and while none does."""
    player, owner = opened(address, "player"), opened(address, "owner")
    players = Players(player, "p", 50)
    tables = Players(owner, "d", 2000).tables
    owner.close()
    process = subprocess.Popen(
        (sys.executable, "-c", CLAIMER), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{address}\n{' '.join(tables)}\n")
    quiet: list[float] = []
    busy: list[float] = []
    try:
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        for _ in range(rounds * 4):
            process.stdin.write("claim\n")
            process.stdin.flush()
            begun, before = time.perf_counter(), len(busy)
            while not select.select([process.stdout], [], [], 0)[0]:
                busy.append(players.move())
            spent = time.perf_counter() - begun
            assert [process.stdout.readline(), process.stdout.readline()] == ["done\n", "ready\n"]
            begun = time.perf_counter()
            while time.perf_counter() - begun < spent or len(quiet) < len(busy) - before:
                quiet.append(players.move())
            player.renew(0)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        player.close()
    without, during = (sorted(taken)[int(len(taken) * 0.99)] for taken in (quiet, busy))
    return Figure(
        "99th percentile of moves while 2,000 tables are claimed, to without",
        during / without,
        5,
        most=True,
        note=f"{during * 1000:.1f} to {without * 1000:.1f} ms, {len(busy)} batches of 50 moves",
    )


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_postgres", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="in which what is compared alternates (%(default)s)")
    parser.add_argument("--pooled", action="store_true", help="through PgBouncer in transaction mode")
    chosen = parser.parse_args()
    figures: list[Figure] = []
    try:
        with Postgres(durable=True) as server:
            pooler = Pooler(server) if chosen.pooled else None
            address = server.address(port=pooler.port if pooler is not None else None)
            try:
                for measure in (fence, batch, claims, disturbed):
                    figures.append(measure(address, chosen.rounds))
                    print(figures[-1], flush=True)
            finally:
                if pooler is not None:
                    pooler.close()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0 if all(figure.good for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
