"""A server that is killed with SIGKILL at random moments loses nothing that it told, and does nothing twice."""

from pathlib import Path

import pytest
from programs import ROOT

from benchmarks.turns_kill import run


@pytest.mark.process
def test_five_kills_lose_no_play_and_no_seat(tmp_path: Path) -> None:
    game = ROOT / "examples" / "turns" / "crazy_eights.py"

    outcome = run(game, tables=10, kills=5, seed=7, folder=tmp_path, seconds=240.0)

    assert outcome.wrong == []
    assert (outcome.kills, outcome.over) == (5, 10)
    assert outcome.plays > 50
    assert "Traceback" not in (tmp_path / "server.log").read_text(encoding="utf-8")
