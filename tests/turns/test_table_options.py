"""The options of one table: what strangers choose, and what is found again when it is restored."""

import pytest

from netcode.turns import Clock, Game, move, options
from netcode.turns.language.table_options import read_options, revive_options


class Board(Game):
    clock = Clock(minutes=5)
    cells: list[int]

    @options(size=range(3, 6), wrap=(False, True))
    def setup(self, size: int = 3, wrap: bool = False) -> None:
        self.cells = [int(wrap)] * size

    @move
    def wait(self) -> None: ...


def test_what_is_not_chosen_is_as_the_rules_have_it() -> None:
    assert read_options(Board, {}) == ({"size": 3, "wrap": False}, Clock(minutes=5))
    assert read_options(Board, {"size": 5, "clock": {"per_move": 30}}) == (
        {"size": 5, "wrap": False},
        Clock(per_move=30),
    )
    assert read_options(Board, {"clock": None})[1] is None


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"size": 9}, "size must be one of 3, 4, 5"),
        ({"colour": 1}, "Board has no option of that name; it has size, wrap, clock"),
        ({"wrap": 1}, "wrap must be one of False, True"),
        ({"size": [0] * 5000}, "it holds more than"),
    ],
)
def test_what_is_no_option_is_said(chosen: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_options(Board, chosen)


def test_stored_options_are_found_again_but_for_those_that_the_rules_dropped() -> None:
    stored: dict[str, object] = {"size": 4, "colour": 1}
    assert revive_options(Board, stored) == {"size": 4, "wrap": False}


def test_a_value_that_changed_rules_no_longer_take_stays_as_the_game_began_with_it() -> None:
    stored: dict[str, object] = {"size": 9, "wrap": True}

    assert revive_options(Board, stored) == {"size": 9, "wrap": True}
