"""The options of one table: what strangers choose, and what is found again when it is restored."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from netcode.diagnostics import log
from netcode.turns import Clock, Free, Game, move, options
from netcode.turns.language.table_options import read_options, revive_options
from netcode.turns.values import pack, unpack


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


def first_is_small(sizes: list[int]) -> str | None:
    return None if sizes[0] < 9 else "the first is to be small"


class Sized(Game):
    cells: list[int]

    @options(sizes=Free(list[int], lambda dice: [dice.randrange(9)], first_is_small))
    def setup(self, sizes: list[int] = [1]) -> None:  # noqa: B006 - each table gets its own
        self.cells = sizes

    @move
    def wait(self) -> None: ...


def test_an_option_at_which_rules_fail_is_none_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})

    with pytest.raises(ValueError, match="sizes: the rules failed at this, which is a bug in them"):
        read_options(Sized, {"sizes": []})

    [said] = caplog.messages
    assert said.startswith("the option sizes of Sized failed:\nTraceback")
    assert "IndexError: list index out of range" in said
    assert revive_options(Sized, {"sizes": []}) == {"sizes": []}


@pytest.mark.parametrize(
    "times",
    [
        *({}, {"minutes": "5"}, {"per_move": None}, {"minutes": -1}, {"minutes": 5, "per_move": 30}),
        *({"minutes": Decimal("sNaN")}, {"per_move": Fraction(10**400)}, {"per_move": float("nan")}),
    ],
)
def test_what_is_no_clock_is_told_with_one_that_is(times: Any) -> None:
    with pytest.raises(ValueError, match=r"a clock is Clock\(minutes=5, increment=3\) or Clock\(per_move=30\), not"):
        Clock(**times)


def test_a_clock_takes_numbers_of_any_kind_and_has_such_as_can_be_stored() -> None:
    times: list[Any] = [Fraction(5, 2), Decimal("2.5"), 2]
    clocks = [Clock(minutes=time, increment=time) for time in times]

    assert [repr(clock.minutes) for clock in clocks] == ["2.5", "2.5", "2"]
    assert unpack(pack([clock.increment for clock in clocks])) == [2.5, 2.5, 2]
