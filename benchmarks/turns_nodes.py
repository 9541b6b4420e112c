"""Let processes fight for tables in PostgreSQL while they and the database fail at random, and look for two histories.

`python -m benchmarks.turns_nodes --seconds 60`. Each node claims, writes and gives back as chance has it, sleeps beyond
its lease now and then and goes on as if nothing had been, is killed, or says the same again after no answer came. The
database hangs, crashes, and drops connections. At the end each entry that somebody was told is stored has to be there.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.databases import Missing, Pooler, Postgres
from netcode.turns.store import Claim, Entry, Lost, NewTable, State, Unavailable
from netcode.turns.store.postgres import PostgresStore

LEASE, PATIENCE, RENEW = 0.6, 0.4, 0.15
"""Seconds, all of them short, so that much goes wrong in a minute."""
LONGEST = 60.0
"""Seconds that are added at most where a busy machine stores less than is wanted."""
AT_ONCE = 8
"""Tables in one claim."""


@dataclass
class Outcome:
    """What was found."""

    stored: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes])
    """What somebody was told is stored."""
    tried: dict[tuple[str, int], set[bytes]] = field(default_factory=dict[tuple[str, int], set[bytes]])
    """What somebody tried to store."""
    counts: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    lost: int = 0
    extra: int = 0
    gaps: int = 0

    def good(self) -> bool:
        """Tell whether there is one history of each table, with all in it that is stored."""
        return not self.wrong and (self.lost, self.extra, self.gaps) == (0, 0, 0)


class Killed(Exception):
    """A process ends here, and says goodbye to nobody."""


class Node(threading.Thread):
    """A process, one incarnation after the other, until it is told to stop."""

    def __init__(self, number: int, address: str, tables: list[str], outcome: Outcome, seed: int) -> None:
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self._number, self._address, self._tables, self._outcome = number, address, tables, outcome
        self._chance = random.Random(f"{seed} {number}")
        self._versions: dict[str, int] = {}
        """Of the tables that are ours."""
        self._renew_at = 0.0

    def run(self) -> None:
        """Live and die."""
        while not self.ending.is_set():
            store = PostgresStore(self._address, lease=LEASE, patience=PATIENCE)
            self._versions, self._renew_at = {}, 0.0
            try:
                store.open(f"node:{self._number}")
                while not self.ending.is_set():
                    self._step(store)
            except Killed:
                self._outcome.counts["killed"] += 1
                store._id = None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - and so it says no goodbye
            except Lost as lost:
                self._outcome.counts["fenced" if "fenced" in str(lost) else "lost"] += 1
            except Unavailable:
                self._outcome.counts["unavailable"] += 1  # in the middle of a claim: all is given up, as by a crash
            except BaseException as error:  # noqa: BLE001 - it is told where the outcome is
                self._outcome.wrong.append(repr(error))
                return
            finally:
                store.close()

    def _step(self, store: PostgresStore) -> None:
        chance = self._chance
        if chance.random() < 0.003:
            raise Killed
        if time.monotonic() > self._renew_at:
            store.renew(len(self._versions))
            self._renew_at = time.monotonic() + RENEW
        if chance.random() < 0.01:  # and what follows is what somebody does who does not know that time has passed
            time.sleep(chance.uniform(0.5, 4.0) * LEASE)
        what = chance.random()
        if what < 0.15 or not self._versions:
            self._claim(store)
        elif what < 0.18:
            given = chance.sample(sorted(self._versions), max(1, len(self._versions) // 3))
            store.release(given)
            for table in given:
                del self._versions[table]
        else:
            self._write(store)

    def _claim(self, store: PostgresStore) -> None:
        others = [table for table in self._tables if table not in self._versions]
        answers = store.claim(self._chance.sample(others, min(AT_ONCE, len(others))))
        ours = [table for table, answer in answers.items() if answer is Claim.OURS]
        for table, saved in store.load(ours).items():
            self._versions[table] = saved.version + len(saved.entries)
        self._outcome.counts["claims"] += len(ours)

    def _write(self, store: PostgresStore) -> None:
        chance, entries, states = self._chance, list[Entry](), list[State]()
        for table in chance.sample(sorted(self._versions), chance.randint(1, len(self._versions))):
            for _ in range(chance.randint(1, 2)):
                self._versions[table] += 1
                entries.append(Entry(table, self._versions[table], b"%d %d" % (self._number, chance.getrandbits(64))))
            if chance.random() < 0.5:
                states.append(State(table, self._versions[table], b"state"))
        for table, version, body in entries:
            self._outcome.tried.setdefault((table, version), set()).add(body)
        while True:
            try:
                store.append(entries, states)
            except Unavailable:
                self._outcome.counts["unavailable"] += 1
                if self.ending.is_set() or chance.random() < 0.1:
                    raise Killed from None
                time.sleep(0.05)
            else:
                break
        for table, version, body in entries:
            if (table, version) in self._outcome.stored:
                self._outcome.wrong.append(f"two were told that entry {version} of {table} is theirs")
            self._outcome.stored[table, version] = body


def run(
    *, seconds: float, nodes: int = 6, tables: int = 40, seed: int = 1, pooled: bool = False, least: int = 0
) -> Outcome:
    """Let `nodes` fight for `tables` for so many seconds, or until `least` entries are stored, and judge."""
    chance, outcome = random.Random(seed), Outcome()
    with ExitStack() as programs:
        server = programs.enter_context(Postgres())
        address = server.address(port=programs.enter_context(Pooler(server)).port if pooled else None)
        founder = PostgresStore(address)
        founder.open("founder:1")
        names = [f"table {number}" for number in range(tables)]
        founder.create([NewTable(name, "Game", b"", None) for name in names])
        founder.close()
        processes = [Node(number, address, names, outcome, seed) for number in range(nodes)]
        try:
            for process in processes:
                process.start()
            end = time.monotonic() + seconds
            while (now := time.monotonic()) < end or (now < end + LONGEST and len(outcome.stored) < least):
                time.sleep(chance.uniform(0.2, 1.5))
                disturb(server, chance, outcome.counts)
        finally:
            for process in processes:
                process.ending.set()
            for process in processes:
                process.join(30.0)
        judge(server, names, outcome)
    return outcome


def disturb(server: Postgres, chance: random.Random, counts: Counter[str]) -> None:
    """Do something to the database, as chance has it."""
    match chance.randrange(10):
        case 0 | 1 | 2:
            counts["hung"] += 1
            server.hang()
            time.sleep(chance.uniform(0.1, 2.0) * LEASE)
            server.go_on()
        case 3 | 4 | 5:
            counts["cut off"] += 1
            some = "WHERE application_name = 'netcode' AND random() < 0.5"
            server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {some}")  # noqa: S608 - no input
        case 6:
            counts["crashed"] += 1
            server.crash()
            server.start()
        case _:
            pass


def judge(server: Postgres, tables: list[str], outcome: Outcome) -> None:
    """Compare what is in the database with what everybody was told."""
    versions: dict[str, int] = dict(server.execute("SELECT id, version FROM game_table"))
    moves = server.execute("SELECT game_table, version, body FROM move")
    there: dict[tuple[str, int], bytes] = {(table, version): body for table, version, body in moves}
    outcome.lost = sum(there.get(key) != body for key, body in outcome.stored.items())
    outcome.extra = sum(
        outcome.stored.get(key) != body and body not in outcome.tried.get(key, ()) for key, body in there.items()
    )
    for table in tables:
        numbers = sorted(version for name, version in there if name == table)
        outcome.gaps += numbers != [*range(1, versions[table] + 1)]


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_nodes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--nodes", type=int, default=6)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pooled", action="store_true", help="through PgBouncer in transaction mode")
    chosen = parser.parse_args()
    try:
        outcome = run(**vars(chosen))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    counted = ", ".join(f"{count} {what}" for what, count in sorted(outcome.counts.items()))
    print(f"{len(outcome.stored)} entries stored; {counted}")
    print(f"lost {outcome.lost}, extra {outcome.extra}, gaps {outcome.gaps}")
    for wrong in outcome.wrong[:10]:
        print(f"WRONG: {wrong}")
    return 0 if outcome.good() else 1


if __name__ == "__main__":
    sys.exit(main())
