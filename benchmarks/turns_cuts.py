# The one place that draws a table's secret is given a seed here, and the number of the last step is compared.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false
"""Play games over links that break at any byte, and see that they go as the same games over good links go.

`python -m benchmarks.turns_cuts --games 200` plays so many games of each file in examples/turns, each twice: its
players choose by a seed, its dice are seeded, and links, resumes and resends are all that differs. Each play has to be
made once, each game has to be over, and move by move the two have to be the same.
"""

import argparse
import random
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from netcode.address import Address
from netcode.testing import FakeClock, MemoryNetwork
from netcode.testing.network import MemoryTransport
from netcode.turns.client import join
from netcode.turns.language.plays import Play, answer
from netcode.turns.seat import Seat
from netcode.turns.server import Server
from netcode.turns.serving import playing
from netcode.turns.terminal.game_file import load_game

GAMES = Path(__file__).parent.parent / "examples" / "turns"
TICK = 1 / 60
PATIENCE = 600.0
"""Seconds of the game's own time in which each thing that is waited for has to come."""
LONG = {"clock": {"minutes": 1000}}
"""Options of a game with a clock, so that no link is slow enough to lose it."""
MOST_PLAYS = 5000
"""Plays by which a game has to be over."""
CUT_EVERY = 1500.0
"""Bytes that a link carries on average."""


class Wrong(Exception):
    """What went otherwise than it should, as a sentence."""


class Network(MemoryNetwork):
    """A network in memory that counts its links."""

    made = 0

    def make_link(self, server: Address) -> tuple[MemoryTransport, MemoryTransport]:
        self.made += 1
        return super().make_link(server)


class Evening:
    """A server and those who play one game there, on a network in memory."""

    def __init__(self, game: type[Any], seed: int, **faults: float) -> None:
        self.clock = FakeClock()
        self.network = Network(self.clock, seed=seed)
        link: dict[str, Any] = {"clock": self.clock, "network": self.network}
        dice = random.Random(seed)
        drawn = SimpleNamespace(
            token_bytes=dice.randbytes, token_hex=secrets.token_hex, token_urlsafe=secrets.token_urlsafe
        )
        self.seats: list[Seat[Any]] = []
        self._drawn = mock.patch.object(playing, "secrets", drawn)
        self.server = Server(game, host="hall", on_thread=False, moves_per_second=10_000, **link)
        for name, value in faults.items():
            setattr(self.network, name, value)
        try:
            for number in range(game.seats[0]):
                seat = join(
                    ("hall", 7777),
                    game,
                    "ours",
                    game.seats[0],
                    {} if game.clock is None else LONG,
                    name=f"player {number}",
                    patience=PATIENCE,
                    **link,
                )
                self.seats.append(seat)
                self.until(lambda seat=seat: seat.seated, "a seat")  # type: ignore[misc]
        except BaseException:
            self.close()
            raise

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let time pass until something is so."""
        end = self.clock.now + PATIENCE
        with self._drawn:
            while not condition():
                if self.clock.now > end:
                    raise Wrong(f"{what} never came")
                for seat in self.seats:
                    if seat.reason:
                        raise Wrong(f"a seat was lost: {seat.reason}")
                self.clock.advance(TICK)
                self.server.update()
                for seat in self.seats:
                    seat.update()
                    seat.events()

    def agree(self) -> bool:
        """Tell whether everybody sits, and has heard of the same step."""
        heard = {(seat._known.state.get("number"), seat.to_move, seat.over) for seat in self.seats}
        return len(heard) == 1 and all(seat.seated and "number" in seat._known.state for seat in self.seats)

    def close(self) -> None:
        """Close everybody."""
        for seat in self.seats:
            seat.close()
        with self._drawn:
            self.server.close()


def choose(seat: Seat[Any], chance: random.Random) -> Play:
    """Draw a play that brings the game on, if there is one; a free answer is drawn as the game itself draws it."""
    question = seat.question
    if question is not None and question.options is None:
        return answer(question.id, sys.modules[seat._known.game.__module__].random_fleet(chance))
    better = [play for play in seat.legal if play.name not in ("draw", "roll", "offer", "resign")]
    return chance.choice(better if better and chance.random() < 0.9 else seat.legal)


def played(game: type[Any], seed: int, **faults: float) -> tuple[list[Any], int]:
    """Play one game in which everything comes from a seed; return what happened, play by play, and how many links broke.

    Raises:
        Wrong: a play was made twice or never, a seat was lost, the game did not end.
    """
    evening = Evening(game, seed, **faults)
    happened: list[Any] = []
    chance = random.Random(seed)
    seats = evening.seats
    try:
        evening.until(evening.agree, "the beginning")
        while not seats[0].over:
            if len(happened) >= MOST_PLAYS:
                raise Wrong(f"{MOST_PLAYS} plays, and the game is not over")
            mover = next(seat for seat in seats if seat.seat == seats[0].to_move[0])
            evening.until(lambda mover=mover: mover.legal != () or "" in mover.unlisted, "a legal play")  # type: ignore[misc]
            play, number = choose(mover, chance), mover.number + 1
            mover.play(play)
            evening.until(lambda mover=mover: mover.seated and mover.pending is None, f"the answer to {play}")  # type: ignore[misc]
            if mover.number != number:
                raise Wrong(f"after play {number} of seat {mover.seat} the server counts {mover.number}")
            happened.append((mover.seat, str(play)))
            evening.until(evening.agree, f"{play}, to all,")
        happened.append(seats[0].result)
    finally:
        evening.close()
    return happened, evening.network.made - len(seats)


def compare(game: type[Any], seed: int, cut_every: float = CUT_EVERY) -> tuple[int, int]:
    """Play a game over good links and over bad ones, and return how many plays it had and how many links broke.

    Raises:
        Wrong: it went otherwise.
    """
    good, _ = played(game, seed)
    bad, broken = played(game, seed, cut_every=cut_every, latency=0.01, jitter=0.02)
    for number, (one, other) in enumerate(zip(good, bad, strict=False), 1):
        if one != other:
            raise Wrong(f"play {number} was {one} over good links, and {other} over bad ones")
    if len(good) != len(bad):
        raise Wrong(f"{len(good) - 1} plays over good links, and {len(bad) - 1} over bad ones")
    return len(good) - 1, broken


def files() -> list[Path]:
    """Return the files of the sample games."""
    return sorted(path for path in GAMES.glob("*.py") if path.stem != "window")


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_cuts", description=__doc__)
    parser.add_argument("games", nargs="*", metavar="game", help="files in examples/turns; all without any")
    parser.add_argument("--games", dest="count", type=int, default=200, metavar="N", help="of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first game (%(default)s)")
    parser.add_argument(
        "--cut-every", type=float, default=CUT_EVERY, metavar="BYTES", help="that a link carries (%(default)g)"
    )
    chosen = parser.parse_args()
    wrong = 0
    for path in files():
        if chosen.games and path.stem not in chosen.games:
            continue
        game, plays, broken, found, begun = load_game(str(path)), 0, 0, 0, time.monotonic()
        for number in range(chosen.count):
            print(f"\r{path.stem}: {number} of {chosen.count} games", end="", file=sys.stderr, flush=True)
            try:
                made, cuts = compare(game, chosen.seed + number, chosen.cut_every)
            except Wrong as trouble:
                found += 1
                print(f"\nWRONG: {path.stem}, seed {chosen.seed + number}: {trouble}", flush=True)
            else:
                plays, broken = plays + made, broken + cuts
        spent = time.monotonic() - begun
        print("\r", end="", file=sys.stderr, flush=True)
        print(
            f"{path.stem}: {chosen.count} games, {plays} plays, {broken} links broken, {found} wrong, {spent:.0f} s",
            flush=True,
        )
        wrong += found
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
