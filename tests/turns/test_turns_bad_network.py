"""The sample games over links that break at any byte: each play once, each game over, and the same as over good ones."""

from dataclasses import replace
from typing import Any

import pytest
from programs import ROOT

from benchmarks.turns_cuts import Wrong, compare, files, played
from netcode.turns.protocol import MakePlay
from netcode.turns.serving.playing import Playing
from netcode.turns.terminal.game_file import load_game

FILES = [path.name for path in files()]
SEEDS = {"chess_game.py": 1}
"""Of a game that is over soon, where most go on for hundreds of plays; of the others it is `SEED`."""
SEED = 5
CUT_EVERY = {"battleship.py": 4000.0, "traders.py": 3000.0}
"""Bytes, of games with so much to tell that little would come through between two cuts; of the others it is `BYTES`."""
BYTES = 1000.0


def test_all_sample_games_are_played() -> None:
    assert len(FILES) == 14


@pytest.mark.parametrize("where", FILES)
def test_a_game_goes_over_bad_links_as_over_good_ones(where: str) -> None:
    if where.startswith("chess"):
        pytest.importorskip("chess")
    game = load_game(str(ROOT / "examples" / "turns" / where))

    plays, broken = compare(game, SEEDS.get(where, SEED), cut_every=CUT_EVERY.get(where, BYTES))

    assert plays > 2
    assert broken > 0


def test_a_play_that_is_made_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof can fail: here a server takes each resend for a new play."""
    game = load_game(str(ROOT / "examples" / "turns" / "pig.py"))
    answer = Playing._answer

    def twice(self: Playing, room: Any, viewer: Any, request: Any, now: float) -> str:
        refused = answer(self, room, viewer, request, now)
        if isinstance(request, MakePlay):
            answer(self, room, viewer, replace(request, number=request.number + 1), now)
        return refused

    monkeypatch.setattr(Playing, "_answer", twice)

    with pytest.raises(Wrong, match="the server counts"):
        played(game, SEED)
