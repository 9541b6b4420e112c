"""Three hosts: two that serve tables, and one with their database and everybody who plays. The first is cut off from it.

Usage: `python partition.py FIRST SECOND WAYS SECONDS`: the namespaces of the two hosts, which ways of the first's link to
the database are cut (`both`, `in` or `out`), and for how long. It runs on the third host, and prints what came of it.

The players' links are others, and stay whole. Each plays numbers of its own; a number that its player read is in has to
be at its table once when all is over.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.databases import PASSWORD, USER, Postgres
from netcode import say
from netcode.turns import Game, Refused, Seat, join, move

HERE = Path(__file__)
PORT = 7771
TABLES = 6
LEASE = 5.0
PAUSE = 0.3
"""Seconds between two frames of the players: each move costs both hosts and the database something."""
SETTLE = 40.0
"""Seconds in which every table must have gone on once the link is whole again."""
RULES = {
    "both": ("input iifname base drop", "output oifname base drop"),
    "in": ("input iifname base drop",),
    "out": ("output oifname base drop",),
}
PLAY = "10.78.1.1", "10.78.2.1"
"""Where players reach the two hosts."""
BASE = "10.78.11.2", "10.78.12.2"
"""Where the two hosts reach the database."""


class Numbers(Game):
    """Players write numbers in turn."""

    written: list[int] = []  # noqa: RUF012 - a default is copied for each table

    @move(number=range(1_000_000))
    def write(self, number: int) -> None:
        """Write one."""
        self.written.append(number)


class Host:
    """One of the two, and its process, which is started again whenever it ends."""

    def __init__(self, namespace: str, number: int, port: int) -> None:
        self.namespace, self.ends = namespace, 0
        self.address = PLAY[number], PORT
        where = f"{PLAY[number]}:{PORT}"
        options = ["--host", PLAY[number], "--port", str(PORT), "--address", where, "--peers", "500"]
        store = ["--store", f"postgresql://{USER}@{BASE[number]}:{port}/postgres"]
        program = [sys.executable, "-u", "-m", "netcode.turns", "serve", f"{HERE}:Numbers", *options, *store]
        self._command = ["ip", "netns", "exec", namespace, *program]
        self._process: subprocess.Popen[bytes] | None = None
        self.look_after()

    def look_after(self) -> None:
        """Start the process if it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        self.ends += self._process is not None
        self._process = subprocess.Popen(self._command, env={**os.environ, "PGPASSWORD": PASSWORD})

    def listens(self) -> bool:
        """Tell whether somebody can connect."""
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(self.address) == 0

    def filter(self, *rules: str) -> None:
        """Drop what these rules say at the link to the database, and nothing else."""
        chains = "".join(
            f"add chain inet cut {chain} {{ type filter hook {chain} priority 0; }}\n" for chain in ("input", "output")
        )
        text = f"add table inet cut\nflush table inet cut\n{chains}" + "".join(
            f"add rule inet cut {r}\n" for r in rules
        )
        command = ["ip", "netns", "exec", self.namespace, "nft", "-f", "-"]
        subprocess.run(command, input=text, text=True, check=True)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Table:
    """Two who play at one table, and what they know is in."""

    def __init__(self, number: int, hosts: list[Host]) -> None:
        self.room = f"table {number}"
        ours, other = hosts[number % 2].address, hosts[1 - number % 2].address
        self.seats: list[Seat[Numbers]] = [
            join(ours, Numbers, room=self.room, addresses=[other], legal=False, timeout=3.0, ping_interval=0.5)
            for _ in range(2)
        ]
        self.known: list[int] = []
        self.refused: list[str] = []
        self._pending: list[int | None] = [None, None]
        self._next = number * 100_000

    def update(self, *, goes: bool) -> None:
        """Do one frame of both."""
        for index, seat in enumerate(self.seats):
            seat.update()
            pending = self._pending[index]
            for event in seat.events():
                if isinstance(event, Refused):
                    self.refused.append(event.text)
                    pending = None
            if pending is not None and seat.pending is None:
                self.known.append(pending)
                pending = None
            if goes and pending is None and seat.started and seat.my_turn and seat.pending is None:
                self._next += 1
                pending = self._next
                seat.play("write", number=pending)
            self._pending[index] = pending

    def state(self) -> tuple[object, ...]:
        """Return what may explain that a table does not go on."""
        return self.room, len(self.known), self.refused[-1:], [(seat.reason, seat.address.host) for seat in self.seats]

    def is_quiet(self) -> bool:
        """Tell whether nothing is under way."""
        return all(seat.pending is None and seat.connected for seat in self.seats)

    def wrong(self) -> list[str]:
        """Return what is not as it was told."""
        written = self.seats[0].view.written
        if self.seats[1].view.written != written:
            return [f"{self.room}: the two see different numbers"]
        found = [f"{self.room}: {number} is lost" for number in self.known if number not in written]
        return found + [f"{self.room}: {number} is there twice" for number in {*written} if written.count(number) > 1]


def main() -> None:
    """Play, cut, play on, and print what came of it."""
    first, second, ways, seconds = sys.argv[1:]
    with Postgres(settings=("listen_addresses=*",)) as database:
        with (database.folder / "data" / "pg_hba.conf").open("a", encoding="ascii") as known:
            known.write("host all all 10.78.0.0/16 scram-sha-256\n")
        database.execute("SELECT pg_reload_conf()")
        hosts = [Host(name, number, database.port) for number, name in enumerate((first, second))]
        try:
            say(json.dumps(run(hosts, ways, float(seconds))))
        finally:
            for host in hosts:
                host.close()


def run(hosts: list[Host], ways: str, seconds: float) -> dict[str, Any]:
    """Play while the first host is cut off, and return what came of it."""
    tables: list[Table] = []
    guests: list[Seat[Any]] = []

    def play(until: Any, patience: float, *, goes: bool = True) -> float:
        began = time.monotonic()
        while not until():
            if time.monotonic() > began + patience:
                raise TimeoutError(f"it did not come to it: {[table.state() for table in tables]}")
            for host in hosts:
                host.look_after()
            for table in tables:
                table.update(goes=goes)
            for guest in guests:
                guest.update()
                guest.events()
            time.sleep(PAUSE)
        return time.monotonic() - began

    def after(wait: float) -> Any:
        end = time.monotonic() + wait
        return lambda: time.monotonic() >= end

    play(lambda: all(host.listens() for host in hosts), 60.0)
    tables += [Table(number, hosts) for number in range(TABLES)]
    play(lambda: all(len(table.known) > 10 for table in tables), 60.0)
    say("all play")
    hosts[0].filter(*RULES[ways])
    play(after(LEASE + 1.0), seconds)
    # Somebody asks the other host for half of the tables of the one that is cut off, and so they are taken over.
    taken = tables[0:TABLES:4]
    guests += [join(hosts[1].address, Numbers, room=table.room, watch=True, legal=False) for table in taken]
    before = [len(table.known) for table in tables]
    play(after(max(0.0, seconds - LEASE - 1.0)), seconds)
    others = [*zip(tables, before, strict=True)][1::2]  # at the host that is not cut off
    play(lambda: all(len(table.known) > count for table, count in others), SETTLE)
    play(lambda: all(guest.seated for guest in guests), SETTLE)  # or the first lost nothing while it was cut off
    meanwhile = [len(table.known) - count for table, count in zip(tables, before, strict=True)]
    hosts[0].filter()
    say("the link is whole again")
    counts = [len(table.known) for table in tables]
    back = play(lambda: all(len(t.known) > count + 5 for t, count in zip(tables, counts, strict=True)), SETTLE)
    say("all go on")
    play(lambda: all(table.is_quiet() for table in tables), SETTLE, goes=False)
    play(after(1.0), 10.0, goes=False)
    wrong = [text for table in tables for text in table.wrong()]
    seated = [guest.seated for guest in guests]
    for seat in (*guests, *(seat for table in tables for seat in table.seats)):
        seat.close()
    return {
        "moves": sum(len(table.known) for table in tables),
        "meanwhile": meanwhile,
        "back": back,
        "wrong": wrong,
        "ends": [host.ends for host in hosts],
        "guests": seated,
    }


if __name__ == "__main__":
    main()
