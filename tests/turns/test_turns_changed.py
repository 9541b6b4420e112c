"""Rules that change under running games: every game goes on, or is frozen with its reason."""

from pathlib import Path

import pytest

from benchmarks.turns_changed import CHANGES, edited, try_change, wrong_with
from benchmarks.turns_kill import GAMES, Outcome
from netcode.turns.terminal.game_file import load_game


@pytest.mark.process
@pytest.mark.parametrize("name", ["field", "options", "renamed", "unfit"])
def test_games_go_on_under_changed_rules_or_say_why_not(name: str, tmp_path: Path) -> None:
    outcome, wrong = try_change(CHANGES[name], tables=4, kills=2, seed=1, folder=tmp_path)

    assert wrong == []
    assert outcome.kills > 0


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_makes_rules_that_can_be_read(name: str, tmp_path: Path) -> None:
    change = CHANGES[name]
    before = (GAMES / f"{change.game}.py").read_text(encoding="utf-8")
    file = tmp_path / f"{change.game}.py"
    file.write_text(edited(before, change), encoding="utf-8")

    assert issubclass(load_game(str(file)), object)
    assert file.read_text(encoding="utf-8") != before


def test_what_went_wrong_is_noticed() -> None:
    change = CHANGES["options"]
    fine = Outcome(tables=2, over=2, taken_back=1)
    lost = Outcome(tables=2, over=1, wrong=["time is up"])
    frozen = Outcome(tables=2, over=1, taken_back=1)
    frozen.frozen["no reason"] = 1

    assert wrong_with(change, fine, "") == []
    assert [len(wrong_with(change, outcome, "")) for outcome in (lost, frozen)] == [3, 2]
    assert len(wrong_with(change, fine, "Traceback")) == 1
