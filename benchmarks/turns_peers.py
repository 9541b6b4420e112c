"""What a durable move costs a server beside boardgame.io: `python -m benchmarks.turns_peers`.

Tic-tac-toe at 50 tables, two real sockets each, whole games, the same moves at the same pace. Counted is the processor
time of the server's process while the games are played, in all its threads; tables are founded and left in between.

- netcode: SQLite with `synchronous=FULL`, each move on the disk before anybody is told; legal moves listed and views
  made for both seats. Once with rules that `require`, once with rules whose domain is exact.
- boardgame.io, from npm: its own server and client, in production mode, over WebSocket alone; the rules of its tutorial.
  No legal moves are listed. Once with matches in memory, and once in its FlatFile store, which does not wait for the
  disk.

The contenders take turns in one run, and a ratio is the median of the rounds' ratios.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.children import Child
from benchmarks.figures import Figure, Series, microseconds
from benchmarks.machine import Unsuited
from benchmarks.table import table

FOLDER = Path(__file__).parent / "boardgame"
CELLS = [0, 1, 2, 4, 3, 5, 7, 6, 8]
"""A whole game that nobody wins."""
INSTALL = 300.0
"""Seconds in which npm must be done."""


@dataclass(frozen=True)
class Run:
    """How much is played: tables, games at each of them in one round, and the pace: 0 for as quick as it goes."""

    tables: int = 50
    games: int = 5
    pace: float = 0.0
    """Moves a second at each table."""


@dataclass
class Contender:
    """A server and its load, and what a move cost it, a value per round."""

    name: str
    server: Child
    load: Child
    cpu: Series = field(default_factory=Series)
    busy: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])

    def play(self, run: Run) -> tuple[float, float, float]:
        """Play one round; return the server's processor time, the time that passed, and the moves."""
        used = seconds = moves = 0.0
        for _ in range(run.games):
            self.load.ask("sit_down", count=run.tables, within=120.0)
            before = self.server.ask("cpu")
            done = self.load.ask("play", pace=run.pace, within=120.0)
            used += self.server.ask("cpu") - before
            self.load.ask("leave", within=120.0)
            seconds += done["seconds"]
            moves += done["moves"]
        return used, seconds, moves

    def measure(self, run: Run) -> None:
        """Play one round, and keep what it cost."""
        used, seconds, moves = self.play(run)
        self.cpu.values.append(used / moves)
        self.busy.append(used / seconds)
        self.rate.append(moves / seconds)


def packages() -> Path:
    """Return the folder with the peer's packages, installed if they are not there yet.

    Raises:
        Unsuited: npm is missing, or could not install them.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Unsuited(f"{program} is not installed; boardgame.io needs Node.js with npm")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netcode-benchmarks" / "boardgame"
    wanted = (FOLDER / "package.json").read_text()
    kept = cache / "package.json"
    if (cache / "complete").exists() and kept.read_text() == wanted:
        return cache / "node_modules"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "complete").unlink(missing_ok=True)
    shutil.rmtree(cache / "node_modules", ignore_errors=True)
    (cache / "package-lock.json").unlink(missing_ok=True)
    kept.write_text(wanted)
    print(f"npm installs boardgame.io into {cache} …", file=sys.stderr, flush=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=cache, capture_output=True, text=True, timeout=INSTALL, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unsuited(f"npm did not install boardgame.io within {INSTALL:g} s; is its registry reachable?") from error
    if done.returncode:
        raise Unsuited(f"npm could not install boardgame.io; is its registry reachable? It says: {done.stderr[-500:]}")
    (cache / "complete").touch()
    return cache / "node_modules"


def ours(stack: ExitStack, name: str, game: str) -> Contender:
    """Start our server and its players."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="netcode-turns-"))
    store = str(Path(folder) / "games.db")
    server = stack.enter_context(Child("servers.ours_turns", part="server", game=game, store=store))
    load = stack.enter_context(
        Child("clients.ours_turns", part="load", game=game, port=server.facts["port"], cells=CELLS)
    )
    return Contender(name, server, load)


def boardgame(stack: ExitStack, name: str, modules: Path, files: bool) -> Contender:
    """Start the server of boardgame.io and its players."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="netcode-turns-", ignore_cleanup_errors=True))

    def start(script: str, part: str, **settings: object) -> Child:
        program = ["node", str(FOLDER / script)]
        return stack.enter_context(Child("program", part=part, program=program, modules=str(modules), **settings))

    server = start("server.js", "server", files=folder if files else None)
    load = start("load.js", "load", port=server.facts["port"], cells=CELLS)
    return Contender(name, server, load)


def compete(run: Run, rounds: int) -> list[Contender]:
    """Let the contenders play in turn."""
    modules = packages()
    with ExitStack() as stack:
        contenders = [
            ours(stack, "netcode, require", "tictactoe"),
            ours(stack, "netcode, exact", "tictactoe_exact"),
            boardgame(stack, "boardgame.io, memory", modules, False),
            boardgame(stack, "boardgame.io, FlatFile", modules, True),
        ]
        for contender in contenders:
            contender.play(run)  # warm, and forgotten
        for _ in range(rounds):
            for contender in contenders:
                contender.measure(run)
    return contenders


def figures(contenders: list[Contender]) -> list[Figure]:
    """Return the ratios that have a bar."""
    require, exact, memory, files = contenders
    pairs = [(require, memory, 0.6), (exact, memory, 0.42), (require, files, 0.15), (exact, files, 0.15)]
    return [
        Figure(
            number,
            f"{mine.name}, against {other.name}",
            mine.cpu.over(other.cpu),
            "×",
            bar,
            ours=microseconds(mine.cpu.median),
            other=microseconds(other.cpu.median),
        )
        for number, (mine, other, bar) in enumerate(pairs, 1)
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.turns_peers", description="Measure a durable move beside boardgame.io."
    )
    parser.add_argument("--tables", type=int, default=50, help="tables of two (%(default)s)")
    parser.add_argument("--games", type=int, default=5, help="games at each table in one round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, in which the contenders alternate (%(default)s)")
    parser.add_argument(
        "--pace", type=float, default=10.0, help="moves a second at each table; 0: as quick as it goes (%(default)s)"
    )
    options = parser.parse_args()
    run = Run(options.tables, options.games, options.pace)
    try:
        contenders = compete(run, options.rounds)
    except Unsuited as unsuited:
        print(f"not measured: {unsuited}", file=sys.stderr)
        return 2
    node = subprocess.check_output([shutil.which("node") or "node", "--version"], text=True).strip()
    print(f"Python {platform.python_version()}, Node.js {node} on {platform.system()} {platform.release()}, "
          f"{platform.machine()}, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{options.tables} tables, {options.games} games each in each of {options.rounds} rounds, "
          f"{f'{run.pace:g} moves a second at each' if run.pace else 'as quick as it goes'}")  # fmt: skip
    for contender in contenders:
        each = " ".join(f"{value * 1e6:.1f}" for value in contender.cpu.values)
        print(f"{contender.name:24} {microseconds(contender.cpu.median):>10} a move ({each}), "
              f"{median(contender.rate):,.0f} moves/s, {median(contender.busy):.0%} of a core")  # fmt: skip
    print(table(figures(contenders)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
