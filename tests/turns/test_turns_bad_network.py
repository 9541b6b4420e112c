"""The sample games over links that break at any byte: each play once, each game over, and the same as over good ones."""

import random
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from programs import ROOT

from netcode.turns.__main__ import load_game
from netcode.turns.client import Seat
from netcode.turns.plays import Play, answer
from turns.hall import Hall

FOLDER = ROOT / "examples" / "turns"
FILES = sorted(path.name for path in FOLDER.glob("*.py") if path.stem != "window")
ENOUGH = 400
"""Plays after which a game is left: some are long when nobody tries to win."""


def choose(seat: Seat[Any], chance: random.Random, file: Path) -> Play:
    """Draw a play; a free answer is drawn as the game itself draws it."""
    question = seat.question
    if question is not None and question.options is None:
        return answer(question.id, sys.modules[file.stem].random_fleet(chance))
    better = [play for play in seat.legal if play.name not in ("draw", "roll", "offer")]
    return chance.choice(better or seat.legal)


def played(where: str, seed: int, monkeypatch: pytest.MonkeyPatch, **faults: float) -> list[Any]:
    """Play one game in which everything comes from a seed and return all that happened."""
    file = FOLDER / where
    game = load_game(str(file))
    monkeypatch.setattr(secrets, "token_bytes", random.Random(seed).randbytes)
    hall = Hall(game)
    happened: list[Any] = []
    try:
        hall.serve(moves_per_second=10_000)
        players = game.seats[0]
        seats = [hall.join(game, room="ours", players=players, name=f"player {n}") for n in range(players)]
        for name, value in faults.items():
            setattr(hall.network, name, value)
        chance = random.Random(seed)
        for _ in range(ENOUGH):
            hall.until(lambda: all(seat.seated and seat.started for seat in seats), 300.0)
            if seats[0].over:
                break
            hall.until(lambda: len({(seat.to_move, seat.over) for seat in seats}) == 1, 300.0)
            if seats[0].over:
                break
            mover = next(seat for seat in seats if seat.seat == seats[0].to_move[0])
            hall.until(lambda mover=mover: mover.legal != () or "" in mover.unlisted, 300.0)  # type: ignore[misc]
            play = choose(mover, chance, file)
            count = mover.number
            mover.play(play)
            hall.until(lambda mover=mover: mover.seated and mover.pending is None and mover.number == count + 1, 300.0)  # type: ignore[misc] # noqa: B023 - called at once
            happened.append((mover.seat, str(play)))
            states = [seat._state.get("number") for seat in seats]
            hall.until(lambda: len({seat._state.get("number") for seat in seats}) == 1 or states == [], 300.0)  # noqa: B023 - called at once
        happened.append(seats[0].result)
        assert [seat.reason for seat in seats] == [""] * players
    finally:
        hall.close()
    return happened


@pytest.mark.parametrize("where", FILES)
def test_a_game_goes_over_bad_links_as_over_good_ones(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where.startswith("chess"):
        pytest.importorskip("chess")

    good = played(where, 5, monkeypatch)
    bad = played(where, 5, monkeypatch, cut_every=1500.0, latency=0.01, jitter=0.02)

    assert bad == good
    assert len(good) > 3
