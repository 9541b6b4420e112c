"""Kill a server of tables again and again, at random moments, and see that nothing it told is lost or done twice.

`python -m benchmarks.turns_kill coup --tables 100 --players 4 --kills 50`. Half of the kills come within 0.3 seconds of the
start, when everybody is just coming back.
"""

import argparse
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.ports import free_port
from netcode.turns import TakenBack
from netcode.turns.client import join
from netcode.turns.language.plays import Play, answer
from netcode.turns.seat import Seat
from netcode.turns.terminal.game_file import load_game

ROOT = Path(__file__).parent.parent
SERVE = """
import sys
from netcode.turns import serve
from netcode.turns.terminal.game_file import load_game

file, port, store, players = sys.argv[1:]
limits = {"max_peers": 2 * int(players) + 100, "max_pending": 2 * int(players) + 100}
serve(load_game(file), host="127.0.0.1", port=int(port), store=store, max_peers_per_address=int(players) + 100, **limits)
"""
"""The server: that of the command line, and all players may come from this one computer."""
HURRY = 0.01
"""Of a player to move, how likely it is to move in a frame, so that games last until the last kill."""
GAMES = ROOT / "examples" / "turns"


@dataclass
class Player:
    """One seat, and what its owner knows for sure."""

    seat: Seat[Any]
    game: type[Any]
    told: int = 0
    """Plays that the server has said are in."""
    pending: Play | None = None
    ticket: str | None = None


@dataclass
class Outcome:
    """What was found."""

    kills: int = 0
    plays: int = 0
    tables: int = 0
    over: int = 0
    frozen: Counter[str] = field(default_factory=Counter[str])
    """Why tables take no more plays, and how many do not."""
    taken_back: int = 0
    """Moves that were taken back, as the seats at the tables were told."""
    wrong: list[str] = field(default_factory=list[str])

    def all_over(self) -> bool:
        """Tell whether nothing was wrong, and every game is over."""
        return not self.wrong and self.over == self.tables


class Killed:
    """A server that is killed and started again on the same port and the same database."""

    def __init__(self, game: Path, folder: Path, players: int) -> None:
        self.port = free_port()
        self._command = [sys.executable, "-c", SERVE, str(game), str(self.port), str(folder / "games.db"), str(players)]
        self._log = (folder / "server.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; whoever wants in tries until it listens."""
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, cwd=ROOT)

    def kill(self) -> None:
        """Kill it with SIGKILL, or what the system has in its place."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self._log.close()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server never listened")


def choose(seat: Seat[Any], game: type[Any], chance: random.Random) -> Play | None:
    """Draw a play; drawing a card only where nothing else is left, so that games end."""
    question = seat.question
    if question is not None and question.options is None:  # as the game itself draws it
        return answer(question.id, sys.modules[game.__module__].random_fleet(chance))
    better = [play for play in seat.legal if play.name != "draw"]
    return chance.choice(better or seat.legal) if seat.legal else None


def run(
    game_file: Path,
    *,
    tables: int,
    kills: int,
    seed: int,
    folder: Path,
    players_each: int = 2,
    seconds: float = 600.0,
    first_after: int = 0,
    first_asked: bool = False,
    between: Callable[[int], None] = lambda _kills: None,
) -> Outcome:
    """Play games at `tables` over a server that is killed `kills` times, until all of them are over, or frozen.

    Args:
        game_file: the rules.
        tables, players_each: how many games, and of how many.
        kills: how often it is killed; half of them come within 0.3 seconds of the start.
        seed: of everything that is drawn here.
        folder: where the database and the log of the server are kept.
        seconds: after which it is given up.
        first_after: plays that have to be in before it is killed for the first time.
        first_asked: whether a question has to be open then.
        between: called with the number of kills so far while the server is down.
    """
    chance = random.Random(seed)
    game = load_game(str(game_file))
    server = Killed(game_file, folder, tables * players_each)
    outcome = Outcome(tables=tables)
    players: list[Player] = []
    try:
        server.start()
        wait_for(server.port)
        for number in range(tables):
            for _ in range(players_each):
                seat: Seat[Any] = join(
                    ("127.0.0.1", server.port), game.__name__, f"room {number}", players=players_each
                )
                players.append(Player(seat, game))
        end = time.monotonic() + seconds
        kill_at = time.monotonic() + chance.uniform(0.0, 0.3)
        while not all(player.seat.over or player.seat.frozen for player in players):
            if time.monotonic() > end:
                outcome.wrong.append("time is up")
                break
            for player in players:
                step(player, chance, outcome, in_time=outcome.kills >= kills or chance.random() < HURRY)
            if not server.alive:
                outcome.wrong.append("the server ended by itself")
                break
            due = time.monotonic() >= kill_at and sum(player.told for player in players) >= first_after
            if first_asked and outcome.kills == 0:
                due = due and any(player.seat.question and not player.seat.pending for player in players)
            if outcome.kills < kills and due:
                server.kill()
                outcome.kills += 1
                between(outcome.kills)
                server.start()
                early = outcome.kills % 2 == 0
                wait_for(server.port)
                kill_at = time.monotonic() + (chance.uniform(0.0, 0.3) if early else chance.uniform(0.5, 2.0))
            time.sleep(0.002)
        judge(players, outcome)
    finally:
        for player in players:
            player.seat.close()
        server.close()
    return outcome


def step(player: Player, chance: random.Random, outcome: Outcome, *, in_time: bool) -> None:
    """Do a frame of one player, and hold what it is told against what it knows."""
    seat = player.seat
    seat.update()
    outcome.taken_back += sum(isinstance(event, TakenBack) for event in seat.events())
    if seat.reason:
        outcome.wrong.append(f"a player lost its seat: {seat.reason}")
    if seat.ticket is not None:
        if player.ticket not in (None, seat.ticket):
            outcome.wrong.append("a player came to another seat")
        player.ticket = seat.ticket
    if not seat.seated:
        return
    last = seat.number
    if last < player.told:
        outcome.wrong.append(f"play {player.told} was told to be in, and now the last is {last}")
    if last > player.told + (player.pending is not None):
        outcome.wrong.append(f"{last} plays are in of a seat that made {player.told}")
    player.told = max(player.told, last)
    if player.pending is not None and seat.pending is None:
        player.pending = None
    if in_time and seat.my_turn and seat.pending is None:
        player.pending = choose(seat, player.game, chance)
        if player.pending is not None:
            seat.play(player.pending)


def judge(players: list[Player], outcome: Outcome) -> None:
    """Look at the end of every game."""
    seats = {player.ticket for player in players}
    if len(seats) != len(players):
        outcome.wrong.append(f"{len(players)} players have {len(seats)} seats")
    outcome.plays = sum(player.told for player in players)
    each = len(players) // outcome.tables
    outcome.over = sum(player.seat.over for player in players) // each
    reasons = Counter(player.seat.frozen for player in players if player.seat.frozen and not player.seat.over)
    outcome.frozen = Counter({reason: count // each for reason, count in reasons.items()})


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("game", nargs="?", default="crazy_eights", help="a file in examples/turns")
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--players", type=int, default=2, help="at each table")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800.0, help="after which it is given up")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        path = GAMES / f"{chosen.game}.py"
        outcome = run(
            path,
            tables=chosen.tables,
            kills=chosen.kills,
            seed=chosen.seed,
            folder=Path(folder),
            players_each=chosen.players,
            seconds=chosen.seconds,
        )
        spent = time.monotonic() - begun
    print(f"{outcome.over} of {outcome.tables} games over, {outcome.plays} plays, {outcome.kills} kills, {spent:.0f} s")
    for wrong in outcome.wrong[:10]:
        print(f"WRONG: {wrong}")
    for reason, count in outcome.frozen.items():
        print(f"FROZEN: {count}: {reason}")
    return 0 if outcome.all_over() else 1


if __name__ == "__main__":
    sys.exit(main())
