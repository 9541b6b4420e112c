"""Kill, stop and drain one of several server processes that share PostgreSQL, again and again, while people play.

`python -m benchmarks.turns_cluster --kills 20 --stops 5 --drains 10` starts PostgreSQL, three processes that are started
again whenever they end, and two players for each of 120 tables. Every play is numbered by its player, and every view is
compared with all that was seen before: nothing that was told may be lost, changed, doubled or left out.

`python -m benchmarks.turns_cluster --stops 5 --without fence key` takes away what keeps a process from writing that was
taken for dead, in an evening for each stop, and shows that it would be noticed: each must find tables with two histories.
"""

import argparse
import math
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.databases import Missing, Postgres
from benchmarks.ports import free_port
from netcode import ReasonCode
from netcode.turns import Game, Lost, Refused, Seat, join, move, serve
from netcode.turns.language.domains import Free
from netcode.turns.serving.draining import DRAIN
from netcode.turns.store import Unavailable

ROOT = Path(__file__).parent.parent
SEATS = 2
THINK = 1.0
"""Seconds for which a player thinks at most; not at all where it is measured when a table goes on."""
STOPPED = 3.0
"""Seconds beyond the lease for which a process is stopped."""
PATIENCE = 60.0
"""Seconds in which whatever is waited for has to come."""
ENDS = 30.0
"""Seconds in which a process ends that went on after it was taken for dead."""
SHORTEST = 1.5
"""Seconds of silence that end a link, and so seldom happen on a busy machine where nobody stands still."""
FENCED = 3
"""How a process ends whose tables are another's."""
GUARDS = {
    "fence": {
        "AND NOT fenced FOR SHARE OF node": "FOR SHARE OF node",
        "AND NOT fenced RETURNING id, address, load": "RETURNING id, address, load",
        "SELECT NOT fenced FROM node": "SELECT true FROM node",
        "AND g.owner = fence.id": "",
    },
    "key": {
        "AND (batch.before IS NULL OR g.version = batch.before)": "",
        "AND (batch.at IS NULL OR g.state_version < batch.at OR (g.state_version, g.state) = (batch.at, batch.state))": "",
    },
}
"""What keeps two processes from writing one table, as it is said to the database: that nobody declared us dead and the
table is ours; and that no version is there. A key of the database itself says the second once more."""


class Ledger(Game):
    """Whoever's turn it is writes the next number of theirs."""

    plays: list[int]

    def setup(self) -> None:
        """Begin with an empty page."""
        self.plays = []

    @move(
        number=Free(
            int,
            sample=lambda chance: chance.randrange(1 << 20),
            check=lambda number: None if number > 0 else "numbers count from 1",
        )
    )
    def write(self, number: int) -> None:
        """Write `number`."""
        self.plays.append(number * SEATS + self.mover)


def link(lease: float) -> dict[str, Any]:
    """Return the times of links with which a process that stands still is noticed about as soon as its lease is over."""
    timeout = max(SHORTEST, lease)
    return {"timeout": timeout, "ping_interval": timeout / 4, "handshake_timeout": timeout * 2 / 3}


def run_server(port: int, address: str, lease: float, without: Collection[str]) -> int:
    """Be one of the processes, without some of the guards."""
    from netcode.turns.store.postgres import PostgresStore

    guards = {said: instead for name in without for said, instead in GUARDS[name].items()}

    class Unguarded(PostgresStore):
        """Leaves out of every statement what is not to guard it."""

        def _run(self, statement: str, parameters: Mapping[str, Any], *, always: bool = False) -> list[tuple[Any, ...]]:
            for said, instead in guards.items():
                statement = statement.replace(said, instead)
            return super()._run(statement, parameters, always=always)

    try:
        serve(
            Ledger,
            host="127.0.0.1",
            port=port,
            store=Unguarded(address, lease=lease) if guards else PostgresStore(address, lease=lease),
            moves_per_second=1000,
            **link(lease),
        )
    except Lost as lost:
        print(lost, file=sys.stderr)
        return FENCED
    except Unavailable as trouble:  # the database is not back yet; whoever supervises starts us again
        print(trouble, file=sys.stderr)
        return 1
    return 0


class Process:
    """A server that is started again when it ends, as a supervisor would."""

    def __init__(self, port: int, address: str, lease: float, log: Path, without: Collection[str] = ()) -> None:
        self.port, self.log = port, log
        self._command = [sys.executable, "-m", "benchmarks.turns_cluster", "--serve", str(port)]
        self._command += ["--store", address, "--lease", str(lease)]
        self._command += ["--without", *without] if without else []
        self.ends: Counter[int] = Counter()
        self.running = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, cwd=ROOT)

    def keep_up(self) -> None:
        """Start it again if it ended."""
        if (code := self.running.poll()) is not None:
            self.ends[code] += 1
            self.running = self._start()

    def close(self) -> None:
        """End it for good."""
        self.running.send_signal(signal.SIGCONT)
        self.running.kill()
        self.running.wait(PATIENCE)


@dataclass
class Player:
    """Somebody at a table."""

    seat: Seat[Any]
    number: int = 0
    """Of the last play that was begun."""
    begun_at: float = 0.0
    """When that was."""
    think_until: float = 0.0
    answered: list[int] = field(default_factory=list[int])
    seen: list[int] = field(default_factory=list[int])
    codes: Counter[ReasonCode] = field(default_factory=Counter[ReasonCode])


@dataclass
class Outcome:
    """What was found."""

    moves: int = 0
    lost: int = 0
    wrong: int = 0
    doubled: int = 0
    gaps: int = 0
    returned: int = 0
    """Owners that had a table again after another had it."""
    split: int = 0
    """Tables with two histories: some version of them is there twice."""
    resume_lost: int = 0
    refused: int = 0
    """Plays that were to be made again: the store could not store."""
    fenced: int = 0
    """Processes that ended because their tables were another's, of those that were stopped."""
    kills: list[float] = field(default_factory=list[float])
    """Seconds from each kill to the answer to the next play that was begun after it, of each table that was there."""
    stops: list[float] = field(default_factory=list[float])
    drains: list[float] = field(default_factory=list[float])
    """The same from the goodbye of a drained table."""
    cuts: list[float] = field(default_factory=list[float])
    """The same from when a drain was cut short."""
    frames: list[float] = field(default_factory=list[float])
    """Seconds that the frames of all players together took: where they are long, all of the above is the machine's."""
    troubles: list[str] = field(default_factory=list[str])

    def exact(self) -> bool:
        """Tell whether nothing was lost, changed, doubled, left out, or had two owners."""
        found = (self.lost, self.wrong, self.doubled, self.gaps, self.split, self.returned, self.resume_lost)
        return not self.troubles and not any(found)


def most(seconds: list[float]) -> float:
    """Return within how many seconds 90 % came back."""
    return statistics.quantiles(seconds, n=10, method="inclusive")[8] if len(seconds) > 1 else sum(seconds)


class Evening:
    """The processes, and everybody who plays."""

    def __init__(
        self, database: Postgres, folder: Path, *, processes: int, lease: float, seed: int, without: Collection[str]
    ) -> None:
        self.chance = random.Random(seed)
        self.lease, self.outcome = lease, Outcome()
        self._database, self._without = database, without
        ports = [free_port() for _ in range(processes)]
        address = database.address()
        self.processes = [Process(port, address, lease, folder / f"{port}.log", without) for port in ports]
        self._owners: dict[str, list[int]] = {}
        self._look_at = math.inf  # there is nothing to look at yet
        self.tables: list[list[Player]] = []
        self._waiting: dict[int, float] = {}
        self.measured: list[float] = []
        """Seconds until each table went on after what happened last."""
        self._by_loss = self._quiet = False

    def begin(self, tables: int) -> None:
        """Have everybody sit down."""
        ports = [process.port for process in self.processes]
        self.until(lambda: all(map(_answers, ports)), "the start of a process")
        for number in range(tables):
            self.tables.append([Player(self._sit(ports, f"room {number}")) for _ in range(SEATS)])
        self.until(lambda: all(player.seat.started for table in self.tables for player in table), "the first view")
        if "key" in self._without:
            self._database.execute("ALTER TABLE move DROP CONSTRAINT move_pkey")
        self._look_at = time.monotonic()

    def _sit(self, ports: list[int], room: str) -> Seat[Any]:
        places = [("127.0.0.1", port) for port in self.chance.sample(ports, len(ports))]
        return join(places[0], Ledger, room, addresses=places[1:], legal=False, patience=120.0, **link(self.lease))

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Let everybody play until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.outcome.troubles.append(f"{what} never came")
                return
            self.step()

    def play(self, seconds: float) -> None:
        """Let everybody play for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    def step(self) -> None:
        """Do one frame."""
        begin = time.monotonic()
        for process in self.processes:
            process.keep_up()
        for number, table in enumerate(self.tables):
            for player in table:
                self._step(number, player, begin)
        if begin >= self._look_at:
            self._look_at = begin + 0.5
            self._look()
        self.outcome.frames.append(time.monotonic() - begin)
        time.sleep(max(0.0, 0.01 - self.outcome.frames[-1]))

    def _step(self, table: int, player: Player, now: float) -> None:
        seat = player.seat
        seat.update()
        if self._by_loss and table not in self._waiting and seat.started and not seat.seated:
            self._waiting[table] = now
        if events := seat.events():
            self._compare(player)
            self.outcome.refused += sum(isinstance(event, Refused) for event in events)
        if seat.trouble is not None:
            player.codes[seat.trouble.code] += 1
        if seat.reason:
            self.outcome.troubles.append(f"a player has no table any more: {seat.reason}")
            raise RuntimeError(seat.reason)
        if seat.pending is None and player.number > len(player.answered):
            if seat.number < player.number:  # refused
                player.number -= 1
            else:
                player.answered.append(player.number)
                player.think_until = now + self.chance.uniform(0.0, THINK)
                self.outcome.moves += 1
                if 0 <= self._waiting.get(table, -1.0) < player.begun_at:  # no answer that was on its way
                    self.measured.append(now - self._waiting[table])
                    self._waiting[table] = -1.0
        hurries = self._waiting.get(table, -1.0) >= 0
        ready = seat.my_turn and seat.seated and seat.pending is None and not self._quiet
        if ready and (hurries or now >= player.think_until):
            player.number += 1
            player.begun_at = now
            seat.play("write", number=player.number)

    def _compare(self, player: Player) -> None:
        """Compare what a player sees with what it saw before: it may only become longer."""
        if not player.seat.started:
            return
        plays: list[int] = [*player.seat.view.plays]
        common = min(len(plays), len(player.seen))
        if plays[:common] != player.seen[:common]:
            self.outcome.wrong += 1
        if len(plays) < len(player.seen) and player.seat.connected and player.seat.seated:
            self.outcome.lost += 1
        player.seen = plays

    def _look(self) -> None:
        """Note who owns what: who lost a table never has it again."""
        for table, owner in self._database.execute("SELECT id, owner FROM game_table WHERE owner IS NOT NULL"):
            owners = self._owners.setdefault(str(table), [])
            known = int(str(owner))
            if known in owners[:-1]:
                self.outcome.returned += 1
            if not owners or owners[-1] != known:
                owners.append(known)

    def at(self, process: Process) -> set[int]:
        """Return the tables that a process has."""
        return {n for n, table in enumerate(self.tables) if any(one.seat.address.port == process.port for one in table)}

    def measure(self, tables: Iterable[int], what: str, into: list[float]) -> None:
        """Let everybody play until each of these tables went on, and keep how long that took."""
        self.measured = []
        self._waiting = dict.fromkeys(tables, time.monotonic())
        self.until(lambda: all(since < 0 for since in self._waiting.values()), what)
        into += self.measured
        self._waiting = {}

    def kill(self) -> None:
        """Kill a process, which is started again at once."""
        process = self.chance.choice(self.processes)
        tables = self.at(process)
        process.running.kill()
        process.running.wait(PATIENCE)
        self.measure(tables, "play after a kill", self.outcome.kills)

    def stop(self) -> None:
        """Let a process stand still for longer than its lease, and go on: it must end, or split tables if nothing keeps it."""
        process = max(self.processes, key=lambda process: len(self.at(process)))
        tables, stopped = self.at(process), process.running
        stopped.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        self.measure(tables, "play after a stop", self.outcome.stops)
        self.play(max(0.0, begin + self.lease + STOPPED - time.monotonic()))
        before = process.ends[FENCED]
        stopped.send_signal(signal.SIGCONT)
        unkept = {*self._without} == {*GUARDS}
        self.until(
            lambda: process.ends[FENCED] > before or (unkept and self._is_split()),
            "the end of a process that was stopped",
            ENDS,
        )
        self.outcome.fenced += process.ends[FENCED] - before

    def drain(self) -> None:
        """Tell a process to end."""
        process = max(self.processes, key=lambda process: len(self.at(process)))
        tables = self.at(process)
        self._by_loss, self.measured, self._waiting = True, [], {}
        before = process.ends[0]
        process.running.send_signal(signal.SIGTERM)
        self.until(lambda: process.ends[0] > before, "the end of a process that drains")
        self.until(lambda: all(since < 0 for since in self._waiting.values()), "play after a drain")
        if len(self._waiting) < len(tables):
            self.outcome.troubles.append(f"{len(tables) - len(self._waiting)} tables heard nothing of a drain")
        self.outcome.drains += self.measured
        self._by_loss, self._waiting = False, {}

    def cut(self, *, outage: bool) -> None:
        """Tell a process to end, and in the middle of that kill it, or have the database crash and come back."""
        process = max(self.processes, key=lambda process: len(self.at(process)))
        tables, before = self.at(process), process.ends.total()
        process.running.send_signal(signal.SIGTERM)
        self.play(self.chance.uniform(0.02, DRAIN))
        if outage:
            self._look_at = math.inf
            self._database.crash()
            self.play(self.chance.uniform(0.1, 2.0))
            self._database.start()
            self._look_at = time.monotonic()
        else:
            process.running.kill()
        self.until(lambda: process.ends.total() > before, "the end of a process that was cut off as it drained")
        self.measure(range(len(self.tables)) if outage else tables, "play after a drain was cut", self.outcome.cuts)

    def close(self) -> None:
        """Let what is under way come to an end, look at everything once more, and end it."""
        self._quiet = True
        try:
            self.until(lambda: all(one.seat.pending is None for table in self.tables for one in table), "the last play")
            self._look()
            self.judge()
        finally:
            for table in self.tables:
                for player in table:
                    player.seat.close()
            for process in self.processes:
                process.close()

    def _is_split(self) -> bool:
        """Tell whether a table has two histories."""
        return bool(self._database.execute("SELECT FROM move GROUP BY game_table, version HAVING count(*) > 1"))

    def judge(self) -> None:
        """Compare what is in the database and what was seen with what was answered."""
        outcome = self.outcome
        for table in self.tables:
            seen = max((player.seen for player in table), key=len)
            for player in table:
                seat = player.seat.seat
                ours = [play // SEATS for play in seen if play % SEATS == seat]
                outcome.lost += len({*player.answered} - {*ours})
                outcome.doubled += len(ours) - len({*ours})
                outcome.wrong += ours != sorted(ours) or any(number > player.number for number in ours)
                outcome.resume_lost += player.codes[ReasonCode.RESUME_LOST] > 0
        query = "SELECT count(*), count(DISTINCT move.version), max(move.version), min(move.version), t.version FROM move JOIN game_table t ON t.id = game_table GROUP BY t.id"
        for count, different, newest, oldest, version in self._database.execute(query):
            outcome.gaps += not (different == newest == version and oldest == 1)
            outcome.split += count > different
        [(dead,)] = self._database.execute(
            "SELECT count(*) FROM game_table JOIN node ON node.id = owner WHERE node.fenced"
        )
        outcome.returned += int(str(dead))


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def run(
    *,
    kills: int,
    stops: int = 0,
    drains: int = 0,
    cuts: int = 0,
    tables: int = 120,
    processes: int = 3,
    lease: float = 1.5,
    every: float = 5.0,
    seed: int = 1,
    without: Collection[str] = (),
    report: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Have people play, and do all that to the processes, one thing `every` so many seconds.

    Args:
        kills, stops, drains, cuts: how many; of the last, every other one is an outage of the database.
        tables, processes: how many.
        lease: of the store, in seconds.
        every: seconds from one to the next.
        seed: of what the players and the program choose.
        without: names of `GUARDS` that are taken away, and with "key" also the one in the database.
        report: told what was done.
    """
    with Postgres(durable=True) as database, tempfile.TemporaryDirectory() as folder:
        evening = Evening(database, Path(folder), processes=processes, lease=lease, seed=seed, without=without)
        acts: list[tuple[str, Callable[[], None]]] = (
            [("kill", evening.kill)] * kills + [("stop", evening.stop)] * stops + [("drain", evening.drain)] * drains
        )
        acts += [("cut", partial(evening.cut, outage=number % 2 > 0)) for number in range(cuts)]
        try:
            evening.begin(tables)
            evening.play(1.0)
            for name, act in acts:
                begin = time.monotonic()
                act()
                report(f"{name}: the slowest table was back after {max(evening.measured, default=0.0):.2f} s")
                evening.play(max(0.5, begin + every - time.monotonic()))
                if evening.outcome.troubles:
                    break
        finally:
            try:
                evening.close()
            finally:
                for process in evening.processes:
                    said = process.log.read_text(errors="replace")
                    if "Traceback" in said:
                        evening.outcome.troubles.append(said[-2000:])
        return evening.outcome


def run_unguarded(chosen: dict[str, Any]) -> int:
    """Have as many evenings as there are to be stops, of one stop each, and tell whether each of them split tables."""
    found = 0
    for number in range(chosen["stops"]):
        one: dict[str, Any] = {
            **chosen,
            "kills": 0,
            "stops": 1,
            "drains": 0,
            "cuts": 0,
            "seed": chosen["seed"] + number,
        }
        outcome = run(**one)
        print(
            f"stop: {outcome.split} tables with two histories, {outcome.gaps} with gaps, {outcome.lost} moves lost; "
            f"{outcome.fenced} of 1 ended fenced",
            flush=True,
        )
        found += outcome.split > 0 and not outcome.fenced
    print(f"{found} of {chosen['stops']} processes that went on after they were taken for dead were noticed")
    return 0 if found == chosen["stops"] else 1


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_cluster", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--drains", type=int, default=10)
    cut = "drains in the middle of which a process is killed, or the database crashes (%(default)s)"
    parser.add_argument("--cuts", type=int, default=4, help=cut)
    parser.add_argument("--tables", type=int, default=120, help="with two players each (%(default)s)")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--lease", type=float, default=1.5, help="seconds (%(default)g)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds from one to the next (%(default)g)")
    parser.add_argument("--seed", type=int, default=1)
    left_out = "what keeps a process from writing that was taken for dead; without both, it must be seen"
    parser.add_argument("--without", nargs="+", choices=GUARDS, default=[], help=left_out)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    chosen = vars(parser.parse_args())
    port, store = chosen.pop("serve"), chosen.pop("store")
    if port is not None:
        return run_server(port, store, chosen["lease"], chosen["without"])
    try:
        if {*chosen["without"]} == {*GUARDS}:
            return run_unguarded(chosen)
        outcome = run(**chosen, report=lambda text: print(text, flush=True))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    print(
        f"{outcome.moves} moves: lost {outcome.lost}, wrong {outcome.wrong}, doubled {outcome.doubled}, gaps "
        f"{outcome.gaps}, tables with two histories {outcome.split}, owners that returned {outcome.returned}, players who read RESUME_LOST {outcome.resume_lost}, plays that were refused {outcome.refused}"
    )
    limits = (("kills", chosen["lease"] + 3.0), ("stops", chosen["lease"] + STOPPED), ("drains", 2.0))
    late = False
    for name, limit in limits:
        seconds: list[float] = getattr(outcome, name)
        if seconds:
            late = late or most(seconds) > limit
            print(
                f"{name}: {len(seconds)} tables back after p50 {statistics.median(seconds):.2f} s, "
                f"p90 {most(seconds):.2f} s, max {max(seconds):.2f} s; 90 % within {limit:g} s is wanted"
            )
    if outcome.cuts:
        print(f"cuts: {len(outcome.cuts)} tables back, the slowest after {max(outcome.cuts):.2f} s")
    frame = statistics.median(outcome.frames)
    print(f"frames of the players: p50 {frame:.3f} s; above 0.05 s this machine has other things to do")
    print(f"{outcome.fenced} of {chosen['stops']} processes that were stopped ended fenced")
    for trouble in outcome.troubles[:5]:
        print(f"WRONG: {trouble}")
    return 0 if outcome.exact() and outcome.fenced == chosen["stops"] and not late else 1


if __name__ == "__main__":
    sys.exit(main())
