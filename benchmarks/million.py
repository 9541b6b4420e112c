"""What a million players of turn-based games take, reckoned from what was measured: processes, databases, log, cost.

`python -m benchmarks.million` prints the table for a million players who move once in 20 seconds; `--players`,
`--every` and the other options change what is asked, and `--core`, `--gigabyte` what is paid. Nothing is measured
here: each figure that goes in names the program that measured it.
"""

import argparse
import math
from typing import NamedTuple

DAY = 86_400.0
MONTH = 30.4 * DAY


class Measured(NamedTuple):
    """What was measured, on a core of the machine that the documents name."""

    pings: float = 19.0e-6
    """Seconds of processor for a ping and its answer: 19.9 µs a link and second at one a second, 4.7 at one in five."""
    link: float = 0.9e-6
    """Seconds of processor that a link costs in a second beside its pings."""
    move: float = 256e-6
    """Seconds of processor that one durable move costs the server: `python -m benchmarks.turns_durable`."""
    told: float = 329.0
    """Bytes that the players of a table receive for one move; likewise."""
    wal: float = 912.0
    """Bytes that one move adds to the log of the database; likewise."""
    kept: float = 233.0
    """Bytes that one move adds to the tables and indexes of the database while its entry is kept; likewise."""
    entry: float = 11e-6
    """Seconds of the database's processor for a move: it took 150 µs with 10 in a commit, 53 with 31, 20 with 151."""
    commit: float = 1.4e-3
    """Seconds of the database's processor for a commit: the rest of that."""
    between: float = 0.017
    """Seconds between two commits of a process at which some 1,400 moves are made in one; likewise."""
    peer: float = 2.3 * 1024
    """Bytes of memory for a silent link: `python -m benchmarks`."""
    table: float = 2_800.0
    """Bytes of memory for a table of tic-tac-toe: `python -m benchmarks.turns`."""
    lease: float = 5.0
    """Seconds after which the tables of a process that died may be taken over."""
    drained: float = 1.4
    """Seconds until the next move of a player whose process was drained, at the most."""


class Asked(NamedTuple):
    """What is to be carried, and how."""

    players: int = 1_000_000
    every: float = 20.0
    """Seconds between two moves of a player."""
    ping: float = 5.0
    """Seconds between two pings of a link."""
    seats: int = 2
    """Players at a table."""
    busy: float = 0.6
    """The share of its core that a process may use: the rest is for the evening, and for those who return at once."""
    database_cores: int = 4
    full: float = 0.25
    """The share of its cores that a database may use for moves: upkeep, backups and its standby want theirs."""
    processes_on_a_host: int = 8
    core: float = 15.0
    """Paid for a core and its memory in a month."""
    gigabyte: float = 0.1
    """Paid for a gigabyte of disk in a month."""
    traffic: float = 0.01
    """Paid for a gigabyte to players."""


class Reckoned(NamedTuple):
    """What follows."""

    moves: float
    """A second."""
    links: float
    """Cores for links."""
    rules: float
    """Cores for moves."""
    processes: int
    in_one: int
    """Players in one process."""
    hosts: int
    stores: float
    """Cores that commits take."""
    databases: int
    commits: float
    """A second, of all databases."""
    wal: float
    """Bytes a day."""
    kept: float
    """Bytes a day, with everything kept that replays need."""
    told: float
    """Bytes a second to players."""
    memory: float
    """Bytes of memory of one process, beside Python's own."""
    servers: float
    """Paid for cores in a month."""
    disks: float
    """Paid for what a month of kept moves takes."""
    network: float
    """Paid for what players receive in a month."""


def reckon(asked: Asked = Asked(), measured: Measured = Measured()) -> Reckoned:  # noqa: B008 - both never change
    """Work it out."""
    moves = asked.players / asked.every
    one_link = measured.link + measured.pings / asked.ping
    links, rules = asked.players * one_link, moves * measured.move
    processes = math.ceil((links + rules) / asked.busy)
    in_one = math.ceil(asked.players / processes)
    hosts = math.ceil(processes / asked.processes_on_a_host)
    # A process whose moves come faster than commits end has one commit under way all the time.
    commits = processes * min(moves / processes, 1 / measured.between)
    stores = commits * measured.commit + moves * measured.entry
    databases = math.ceil(stores / (asked.database_cores * asked.full))
    tables = in_one / asked.seats
    cores = processes + 2 * asked.database_cores * databases  # each with a standby
    return Reckoned(
        moves=moves,
        links=links,
        rules=rules,
        processes=processes,
        in_one=in_one,
        hosts=hosts,
        stores=stores,
        databases=databases,
        commits=commits,
        wal=moves * measured.wal * DAY,
        kept=moves * measured.kept * DAY,
        told=moves * measured.told,
        memory=in_one * measured.peer + tables * measured.table,
        servers=cores * asked.core,
        disks=moves * measured.kept * MONTH / 1e9 * asked.gigabyte,
        network=moves * measured.told * MONTH / 1e9 * asked.traffic,
    )


def number(value: float) -> str:
    """Return a number as people read it: two digits that matter, or all of a whole one."""
    if isinstance(value, int):
        return f"{value:,}"
    digits = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{round(value, digits):,.{max(0, digits)}f}"


def percent(share: float) -> str:
    """Return a share as people read it."""
    return f"{number(share * 100) if share < 0.1 else round(share * 100)} %"


def size(value: float) -> str:
    """Return an amount of bytes as people read it."""
    for unit, count in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= count:
            return f"{number(value / count)} {unit}"
    return f"{number(value)} B"


def rows(asked: Asked, measured: Measured = Measured()) -> list[tuple[str, str, str]]:  # noqa: B008 - it never changes
    """Return the table: what, how much, and where that comes from."""
    it = reckon(asked, measured)
    one = number(measured.link * 1e6 + measured.pings * 1e6 / asked.ping)
    often = reckon(asked._replace(ping=1.0), measured)
    lost = it.in_one / asked.players
    return [
        ("moves", f"{number(it.moves)} a second", f"{asked.players:,} players, one move in {asked.every:g} s"),
        ("links", f"{number(it.links)} cores", f"{one} µs a link and second, a ping in {asked.ping:g} s"),
        ("the same with a ping a second", f"{number(often.links)} cores", "why turn-based games ping seldom"),
        ("moves, their rules and views", f"{number(it.rules)} cores", f"{number(measured.move * 1e6)} µs a move"),
        ("processes", f"{it.processes:,}", f"each uses {percent(asked.busy)} of a core"),
        ("hosts", f"{it.hosts:,}", f"{asked.processes_on_a_host} processes on one"),
        ("players in one process", f"{it.in_one:,}", f"{size(it.memory)} of memory for links and tables"),
        ("commits", f"{number(it.commits)} a second", f"{number(it.moves / it.commits)} moves in one"),
        (
            "commits, at the databases",
            f"{number(it.stores)} cores",
            f"{measured.commit * 1e3:g} ms a commit, and {measured.entry * 1e6:g} µs a move",
        ),
        ("databases", f"{it.databases:,}", f"of {asked.database_cores} cores, {percent(asked.full)} of them for moves"),
        ("log of the databases", f"{size(it.wal)} a day", f"{measured.wal:,.0f} bytes a move; what backups ship"),
        ("kept for replays", f"{size(it.kept)} a day", f"{measured.kept:,.0f} bytes a move; `keep_log=False`: none"),
        ("to players", f"{size(it.told)}/s", f"{measured.told:,.0f} bytes a move, to all at a table"),
        ("cores", f"{number(it.servers)} a month", f"at {asked.core:g} a core and month, standbys as well"),
        ("disk for a month of replays", f"{number(it.disks)} a month", f"at {asked.gigabyte:g} a GB and month"),
        ("traffic", f"{number(it.network)} a month", f"at {asked.traffic:g} a GB"),
        (
            "a process dies",
            f"{percent(lost)} wait {measured.lease:g} to {measured.lease + 3:g} s",
            f"{it.in_one:,} players; what was acknowledged is there",
        ),
        (
            "a host dies",
            f"{percent(min(1.0, lost * asked.processes_on_a_host))} wait as long",
            f"{min(asked.players, it.in_one * asked.processes_on_a_host):,} players",
        ),
        ("a process is drained", f"{percent(lost)} wait {measured.drained:g} s at most", "a rolling update"),
        (
            "a database dies",
            f"{percent(1 / it.databases)} cannot move until its standby is promoted",
            "nothing acknowledged is lost if the standby is synchronous",
        ),
    ]


def table(asked: Asked = Asked()) -> str:  # noqa: B008 - it never changes
    """Return the table as a page shows it."""
    lines = ["| what | how much | from |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows(asked))]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What do so many players of turn-based games take?")
    usual = Asked()
    parser.add_argument("--players", type=int, default=usual.players)
    parser.add_argument("--every", type=float, default=usual.every, help="seconds between two moves of a player")
    parser.add_argument("--ping", type=float, default=usual.ping, help="seconds between two pings of a link")
    parser.add_argument("--seats", type=int, default=usual.seats, help="players at a table")
    parser.add_argument("--core", type=float, default=usual.core, help="paid for a core in a month")
    parser.add_argument("--gigabyte", type=float, default=usual.gigabyte, help="paid for a GB of disk in a month")
    parser.add_argument("--traffic", type=float, default=usual.traffic, help="paid for a GB to players")
    chosen = vars(parser.parse_args())
    for name, value in chosen.items():
        if not 0 < value < math.inf:
            parser.error(f"--{name} is {value}: give a number above 0")
    print(table(usual._replace(**chosen)))


if __name__ == "__main__":
    main()
