"""The comparison of a durable move with boardgame.io: our side plays whole games, and without npm it says so."""

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the benchmarks keep processes to parts of the machine", allow_module_level=True)

from benchmarks.turns_peers import CELLS, Run, main, ours


@pytest.mark.process
@pytest.mark.parametrize("game", ["tictactoe", "tictactoe_exact"])
def test_our_side_plays_whole_games_and_counts_what_they_cost_the_server(game: str) -> None:
    run = Run(tables=2, games=2)
    with ExitStack() as stack:
        contender = ours(stack, "netcode", game)

        used, seconds, moves = contender.play(run)

    assert moves == 2 * 2 * len(CELLS)
    assert 0 < used < seconds


def test_it_says_so_where_node_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["turns_peers"])

    status = main()

    assert status == 2
    assert "node is not installed" in capsys.readouterr().err
