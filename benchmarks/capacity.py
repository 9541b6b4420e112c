"""How many clients one core carries: `python -m benchmarks capacity`.

Each client sends 20 messages of 100 bytes a second, at moments of its own, and gets each one back. A server carries so
many clients when the 99th percentile of its longest undivided work stays below 5 ms, and it keeps up: 99 % of the
messages are answered before the client's next one. Undivided work is `update()` for ours. An asyncio loop has no such
call, so for the others, and for ours besides, it is the lag: how late the loop comes to a timer that is due every 5 ms.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import require_connections
from benchmarks.paced import percentile
from benchmarks.rows.joining import join, room_for, start_load, start_server

RATE = 20.0
SIZE = 100
BAR = 0.005
"""Seconds: a third of a frame at 60 frames a second."""

KEPT_UP = 0.99
SERVERS = {
    "netcode": ("ours_capacity", "netcode"),
    "uvloop": ("uvloop_echo", "plain"),
    "websockets": ("websockets_echo", "websocket"),
}
ATTEMPTS = 3
"""What else runs on the machine only ever makes a trial worse, so one that succeeds counts."""

FIRST = 250
STEP = 1.5
PRECISION = 0.06
"""The search ends when the smallest number that was too many is so close above the largest that was carried."""


@dataclass(frozen=True)
class Trial:
    """What came of so many clients."""

    clients: int
    update_p99: float | None
    lag_p99: float
    answer_p99: float
    answered: float
    cpu: float
    generator_late: float
    drained: bool

    @property
    def carried(self) -> bool:
        """Whether the server kept up within the bar."""
        work = self.lag_p99 if self.update_p99 is None else max(self.update_p99, self.lag_p99)
        return work < BAR and self.answered >= KEPT_UP

    @property
    def limited_by_generator(self) -> bool:
        """Whether the load generator came so late itself that the server is not to blame."""
        return self.generator_late > 2 * BAR

    def __str__(self) -> str:
        update = "" if self.update_p99 is None else f"update() p99 {self.update_p99 * 1e3:.2f} ms, "
        return (
            f"{self.clients:,} clients: {update}lag p99 {self.lag_p99 * 1e3:.2f} ms, answer p99 "
            f"{self.answer_p99 * 1e3:.1f} ms, {self.answered:.1%} answered in time, {self.cpu:.0%} of a core"
        )


class Arena:
    """One server with its load, to which clients are added as the search goes on."""

    def __init__(self, stack: ExitStack, name: str, most: int, seconds: float) -> None:
        program, dialect = SERVERS[name]
        self._server = start_server(stack, program, limits=room_for(most), probe=True)
        self._load = start_load(stack, self._server, dialect, FIRST, program="paced")
        self._joined, self._seconds, self._updates = FIRST, seconds, name == "netcode"

    def attempts(self, clients: int) -> list[Trial]:
        """Let so many clients send for a while, again where that failed; the last trial counts."""
        trials: list[Trial] = []
        while len(trials) < ATTEMPTS and not (trials and (trials[-1].carried or not trials[-1].drained)):
            trials.append(self._attempt(clients))
        return trials

    def _attempt(self, clients: int) -> Trial:
        if clients > self._joined:
            join(self._load, self._server, clients - self._joined)
            self._joined = clients
        self._run(clients, min(1.0, self._seconds))  # the first second after so many joins is not like the others
        for samples in ("lag", "updates"):
            self._take(samples)
        before = self._server.ask("cpu")
        done = self._run(clients, self._seconds)
        cpu = (self._server.ask("cpu") - before) / self._seconds
        return Trial(
            clients,
            percentile(self._take("updates"), 0.99) if self._updates else None,
            percentile(self._take("lag"), 0.99),
            done["answer_p99"],
            1 - (done["late"] / max(1, done["sent"])),
            cpu,
            done["lateness_p99"],
            done["drained"],
        )

    def _run(self, clients: int, seconds: float) -> dict[str, Any]:
        pace = {"size": SIZE, "rate": RATE, "clients": clients, "seconds": seconds}
        done: dict[str, Any] = self._load.ask("pace", within=seconds + 30.0, **pace)
        return done

    def _take(self, samples: str) -> list[float]:
        if samples == "updates" and not self._updates:
            return []
        values: list[float] = self._server.ask(samples)
        return values


def search(name: str, most: int, seconds: float) -> Iterator[Trial]:
    """Yield trials until it is known how many clients a server carries: more by half each time, then halving."""
    carried, too_many, clients = 0, 0, FIRST
    with ExitStack() as stack:
        arena = Arena(stack, name, most, seconds)
        while True:
            trials = arena.attempts(clients)
            yield from trials
            trial = trials[-1]
            if trial.carried:
                carried = clients
            else:
                too_many = clients
            if carried == most or not trial.drained or (trial.limited_by_generator and not trial.carried):
                return
            if not too_many:
                clients = min(most, round(clients * STEP))
            elif too_many - carried <= max(1, PRECISION * too_many):
                return
            else:
                clients = (carried + too_many) // 2


def capacity(names: list[str], most: int, seconds: float) -> None:
    """Search for each server, and print each trial and what it came to."""
    require_connections(most)
    verdicts: list[str] = []
    for name in names:
        best, last = 0, None
        for trial in search(name, most, seconds):
            print(f"{name}: {trial}", flush=True)
            best, last = max(best, trial.clients if trial.carried else 0), trial
        at_least = last is not None and (best == most or last.limited_by_generator)
        verdicts.append(f"{name}: {'at least ' if at_least else ''}{best:,} clients")
    print(f"one core carries, at {RATE:g} messages of {SIZE} bytes a second each:")
    print("\n".join(verdicts))
