"""What a seat sees and may do, as numbers: each place is always the same, and what has none is left out."""

import math
from typing import Any

import pytest

from benchmarks.turns import example
from netcode.turns import Free, Game, Hidden, move
from netcode.turns.language.sources import can_ask
from netcode.turns.numbers import ANYTHING_ELSE, MAX_NUMBER, Action, Layout, Place, seen_by, survey
from netcode.turns.simulate import simulate


def laid_out(*seen: Any, tokens: tuple[str, ...] = (), nothing: float = -1.0) -> Layout:
    root = Place()
    for one in seen:
        root.see(one, set())
    return Layout(root, tokens, nothing)


def test_each_place_has_its_number_and_its_name() -> None:
    layout = laid_out(
        {"cells": [None, 1, 0], "hand": ["AC"], "suit": "C"},
        {"cells": [None, 1, 0], "hand": ["AC", "8D"], "suit": None},
        tokens=("8D", "AC", "C"),
    )

    names = ["cells[0]", "cells[1]", "cells[2]", "len(hand)", *(f"hand[{place}]" for place in range(4)), "suit"]
    assert [*layout.labels] == names
    assert layout.encode({"cells": [None, 1, 0], "hand": ["8D"], "suit": "C"}) == [-1, 1, 0, 1, 1, -1, -1, -1, 3]


def test_what_was_never_seen_before_is_zero_or_left_out_and_a_list_keeps_its_end() -> None:
    layout = laid_out({"pile": ["a"], "bids": {0: 5}}, {"pile": ["a", "b"], "bids": {}}, tokens=("a", "b"))

    assert layout.encode({"pile": [*"aaaabb?"], "bids": {0: 7, 1: 8}, "new": 3}) == [7, 1, 2, 2, 0, 7]
    assert layout.encode({"pile": None, "bids": None}) == [-1] * 6


def test_numbers_stay_finite() -> None:
    layout = laid_out([1, 2, 3])

    assert layout.encode([math.inf, -1e30, math.nan]) == [MAX_NUMBER, -MAX_NUMBER, -1]
    assert laid_out([1, 2, 3], nothing=-6.0).encode([math.nan, True, -5.5]) == [-6, 1, -5.5]


class Debts(Game):
    """Pay, or say anything; a question comes once in a long while, and too late to be met in a few games."""

    coins: list[int] = [3, 3]
    turns: int = 0
    sealed: Hidden[list[str]] = ["x"] * 4

    @move(text=Free(str, lambda dice: dice.choice("abc"), lambda text: None))
    def say(self, text: str) -> None:
        self.turns += 1
        if self.turns > 400:
            self.finish()

    @move(sum=range(1, 3))
    def pay(self, sum: int) -> None:  # noqa: A002 - as an author would call it
        self.turns += 1
        self.coins[self.mover] -= sum
        if self.coins[self.mover] == -200:
            self.ask(self.mover, range(3), "how come?")
        if self.turns > 400:
            self.finish()


def test_nothing_is_less_than_anything_that_there_is() -> None:
    found = survey(Debts, 2, {}, 1)
    played = simulate(Debts, 0)

    assert found.layout.nothing < -100
    assert min(found.layout.encode(seen_by(played.table, 0))) > found.layout.nothing


def test_a_move_that_says_all_of_itself_is_listed_whole_and_a_free_one_is_drawn() -> None:
    found = survey(Debts, 2, {}, 1)

    assert found.actions == (("say", None), ("pay", {"sum": 1}), ("pay", {"sum": 2}), ANYTHING_ELSE)
    assert not [label for label in found.layout.labels if label.startswith("sealed")]


THROWS: list[Action] = [("", {"answer": throw}) for throw in ("rock", "paper", "scissors")]
CELLS: list[Action] = [("mark", {"cell": cell}) for cell in range(9)]
SMALL: list[tuple[str, bool, list[Action]]] = [
    ("tictactoe", False, CELLS),
    ("pig", False, [("roll", {}), ("hold", {})]),
    ("rock_paper_scissors", True, [*THROWS, ANYTHING_ELSE]),
]


@pytest.mark.parametrize(("name", "asks", "actions"), SMALL)
def test_the_actions_of_small_games(name: str, asks: bool, actions: list[Action]) -> None:
    game = example(name)

    assert can_ask(game) == asks
    assert [*survey(game, 2, {}, 20).actions] == actions


def test_a_survey_that_takes_long_says_once_that_it_is_at_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("netcode.turns.numbers.PATIENCE", -1.0)

    survey(example("tictactoe"), 2, {}, 3)

    (told,) = caplog.messages
    assert told.startswith(
        "TicTacToe is played 3 times to find out what there is to be seen and done, so far 0 times; "
    )


def test_a_survey_is_the_same_each_time_and_ends_in_time() -> None:
    game = example("crazy_eights")

    one, other = survey(game, 3, {}, 4), survey(game, 3, {}, 4)

    assert (one.actions, one.layout.labels, one.layout.tokens) == (
        other.actions,
        other.layout.labels,
        other.layout.tokens,
    )
    assert len(one.layout.labels) == len(one.layout.encode(seen_by(simulate(game, 9, players=3).table, 1)))
