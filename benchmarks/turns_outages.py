"""Stop PostgreSQL under load, as a crash would, again and again, and see that nothing is lost, doubled or left out.

`python -m benchmarks.turns_outages --outages 5`. Several processes' worth of stores write as fast as they can, and say the
same again until it is stored; beside them people play, and have to read that nothing is stored at the moment.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.databases import Missing, Pooler, Postgres
from netcode.turns import Seat, Server, join
from netcode.turns.store import Entry, NewTable, State, Unavailable
from netcode.turns.store.postgres import PostgresStore
from netcode.turns.terminal.game_file import load_game

GAME = Path(__file__).parent.parent / "examples" / "turns" / "tictactoe.py"
PATIENCE = 60.0
"""Seconds in which whatever is waited for has to come."""
LOAD = 10
"""Batches that each writer has written before an outage, at least: a busy machine may give it no time at first."""


class Writer(threading.Thread):
    """A process that writes to its tables, batch after batch, and remembers what it was told is stored."""

    def __init__(self, address: str, name: str, tables: int) -> None:
        super().__init__(daemon=True)
        self.known: dict[str, list[bytes]] = {f"{name}-{number}": [] for number in range(tables)}
        """The bodies that are stored, as the store said."""
        self.outages = self.batches = 0
        self.trouble: BaseException | None = None
        self.store = PostgresStore(address)
        self._chance = random.Random(name)
        self._ended = threading.Event()
        self.store.open(f"{name}:1")
        self.store.create([NewTable(table, "Load", b"", None) for table in self.known])

    def run(self) -> None:
        """Write until `stop`."""
        try:
            while not self._ended.is_set():
                self.write()
        except BaseException as error:  # noqa: BLE001 - it is told where the outcome is
            self.trouble = error
        finally:
            self.store.close()

    def stop(self) -> None:
        """Finish the batch that is under way, and end."""
        self._ended.set()
        self.join(PATIENCE)

    def write(self) -> None:
        """Write one batch, however often it takes."""
        entries: list[Entry] = []
        states: list[State] = []
        for table, bodies in self.known.items():
            for version in range(len(bodies) + 1, len(bodies) + 1 + self._chance.randrange(3)):
                entries.append(Entry(table, version, self._chance.randbytes(40)))
                if self._chance.random() < 0.5:
                    states = [state for state in states if state.table != table] + [State(table, version, b"state")]
        end = time.monotonic() + PATIENCE
        down = False
        while True:
            try:
                self.store.append(entries, states)
            except Unavailable:
                down = True
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                break
        self.outages += down
        self.batches += 1
        for table, _, body in entries:
            self.known[table].append(body)


@dataclass
class Outcome:
    """What was found."""

    outages: int = 0
    moves: int = 0
    lost: int = 0
    extra: int = 0
    gaps: int = 0
    read: int = 0
    """How many players read, in an outage, that nothing is stored."""
    games: int = 0
    """Games that went on after an outage, to their end."""
    wrong: list[str] = field(default_factory=list[str])

    def good(self) -> bool:
        """Tell whether all of it is as it has to be."""
        found = (self.lost, self.extra, self.gaps, self.read, self.games)
        return not self.wrong and found == (0, 0, 0, 2 * self.outages, self.outages)


class Evening:
    """A server of tic-tac-toe in this process, and two who play a game there."""

    def __init__(self, address: str) -> None:
        self._game = load_game(str(GAME))
        self._server = Server(self._game, host="127.0.0.1", port=0, store=PostgresStore(address))
        self.seats: list[Seat[Any]] = []

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let everybody do what is to be done until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} never came")
            self._server.update()
            for seat in self.seats:
                seat.update()
                seat.events()
            time.sleep(0.002)

    def begin(self, room: str) -> None:
        """Have two sit down at a new table."""
        self.leave()
        port = self._server.address.port
        self.seats = [join(("127.0.0.1", port), self._game, room, players=2) for _ in range(2)]
        self.until(lambda: any(seat.legal for seat in self.seats), "a legal play")

    def move(self) -> None:
        """Have whoever is to move ask for it."""
        self.until(lambda: any(seat.legal for seat in self.seats), "a legal play")
        mover = next(seat for seat in self.seats if seat.legal)
        mover.play(mover.legal[0])

    def finish(self) -> None:
        """Play on until the game is over."""
        for _ in range(9):
            self.until(lambda: all(seat.pending is None for seat in self.seats), "the answer to a play")
            if all(seat.over for seat in self.seats):
                return
            self.until(lambda: any(seat.legal or seat.over for seat in self.seats), "a legal play")
            if not any(seat.over for seat in self.seats):
                self.move()
        self.until(lambda: all(seat.over for seat in self.seats), "the end of a game")

    def leave(self) -> None:
        """Have everybody leave."""
        for seat in self.seats:
            seat.close()
        self.seats = []

    def close(self) -> None:
        """End it."""
        self.leave()
        self._server.close()


def run(
    *, outages: int, writers: int = 3, tables: int = 40, seconds: float = 2.0, seed: int = 1, pooled: bool = False
) -> Outcome:
    """Stop and start a server of its own `outages` times.

    Args:
        outages: how often.
        writers: stores that write at the same time.
        tables: of each.
        seconds: of load before each outage, at most.
        seed: of the moments.
        pooled: whether PgBouncer is between, in transaction mode.
    """
    chance, outcome = random.Random(seed), Outcome()
    with ExitStack() as programs:
        server = programs.enter_context(Postgres(durable=True))
        address = server.address(port=programs.enter_context(Pooler(server)).port if pooled else None)
        loads = [Writer(address, f"writer{number}", tables) for number in range(writers)]
        evening = Evening(address)
        try:
            for load in loads:
                load.start()
            for number in range(outages):
                evening.begin(f"room {number}")
                evening.move()
                evening.until(lambda: all(seat.pending is None for seat in evening.seats), "the answer to a play")
                time.sleep(chance.uniform(0.2, 1.0) * seconds)
                least = LOAD * (number + 1)
                evening.until(lambda least=least: all(load.batches >= least for load in loads), "enough of a load")  # type: ignore[misc]
                server.crash()
                outcome.outages += 1
                evening.move()
                evening.until(
                    lambda: all("nothing can be stored" in seat.frozen for seat in evening.seats), "the sentence"
                )
                outcome.read += len(evening.seats)
                server.start()
                evening.finish()
                outcome.games += 1
            time.sleep(0.2)
        except AssertionError as error:
            outcome.wrong.append(str(error))
        finally:
            for load in loads:
                load.stop()
            evening.close()
        judge(server, loads, outcome)
    return outcome


def judge(server: Postgres, loads: list[Writer], outcome: Outcome) -> None:
    """Compare what is in the database with what every writer was told."""
    stored: dict[str, dict[int, bytes]] = {}
    for table, version, body in server.execute("SELECT game_table, version, body FROM move ORDER BY 1, 2"):
        stored.setdefault(table, {})[version] = body
    for load in loads:
        if load.trouble is not None:
            outcome.wrong.append(f"a writer ended: {load.trouble!r}")
        if load.outages < outcome.outages:
            outcome.wrong.append(f"a writer noticed {load.outages} of {outcome.outages} outages")
        for table, bodies in load.known.items():
            there = stored.get(table, {})
            outcome.moves += len(bodies)
            outcome.lost += sum(there.get(version) != body for version, body in enumerate(bodies, 1))
            outcome.extra += sum(version > len(bodies) for version in there)
            outcome.gaps += sorted(there) != [*range(1, len(there) + 1)]


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_outages", description=__doc__)
    parser.add_argument("--outages", type=int, default=5)
    parser.add_argument("--writers", type=int, default=3, help="that write at the same time (%(default)s)")
    parser.add_argument("--tables", type=int, default=40, help="of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load before each, at most (%(default)g)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pooled", action="store_true", help="through PgBouncer in transaction mode")
    chosen = parser.parse_args()
    try:
        outcome = run(**vars(chosen))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    print(
        f"{outcome.outages} outages, {outcome.moves} moves: lost {outcome.lost}, extra {outcome.extra}, "
        f"gaps {outcome.gaps}; {outcome.read} times a player read that nothing is stored, {outcome.games} games went on"
    )
    for wrong in outcome.wrong[:10]:
        print(f"WRONG: {wrong}")
    return 0 if outcome.good() else 1


if __name__ == "__main__":
    sys.exit(main())
