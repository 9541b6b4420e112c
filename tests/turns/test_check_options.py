"""What `check` does with the options that a game has: whole games with each value of each, as a stranger may choose it."""

import itertools
import random
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from netcode.turns import Free, Game, Hidden, Owned, check, move, options
from netcode.turns.check import Checker
from netcode.turns.proving import playtest
from netcode.turns.proving.variants import EACH, FEW, Variant, Variants, spread

pytestmark = pytest.mark.usefixtures("forks_for_twins")


class Board(Game):
    """Is over when every cell is taken; fails where a subclass says."""

    seats = 2, 4
    cells: list[bool]
    fails_with: int = 0

    @options(board_size=range(2, 8), quick=[False, True])
    def setup(self, board_size: int = 3, quick: bool = False) -> None:
        self.cells = [False] * (2 * board_size if quick else board_size**2)

    def empty(self) -> list[int]:
        return [cell for cell, taken in enumerate(self.cells) if not taken]

    @move(cell=empty)
    def take(self, cell: int) -> None:
        self.cells[cell] = True
        if len(self.cells) == self.fails_with**2 and sum(self.cells) == 10:
            self.cells[99] = True
        if all(self.cells):
            self.finish(self.mover)


class Fives(Board):
    """Fails with five rows, in the tenth move."""

    fails_with: int = 5


def test_whole_games_are_played_with_each_value_of_each_option() -> None:
    report = check(Board, 12)

    assert report.problems == {}
    assert report.unproved == []
    assert (report.games, report.others.total()) == (12, 12)
    assert {*report.others} == {*(f"board_size={size}" for size in (2, 4, 5, 6, 7)), "quick=True"}
    assert {*report.others.values()} == {2}
    assert "  besides, 12 games with quick=True, board_size=2, board_size=4" in str(report)


def test_a_rule_that_fails_with_one_value_alone_is_found_whenever_in_a_game_that_is() -> None:
    report = check(Fives, 12)

    [(problem, where)] = report.problems.items()
    assert problem.startswith("Fives fails: IndexError: list assignment index out of range, at ")
    assert where == "with the option board_size=5, seed 1 and 2 players, after 9 moves"
    assert report.others["board_size=5"] == 0
    assert report.others.total() == 10  # and no more are played with what fails


def test_options_that_are_given_are_kept_where_another_one_is_chosen() -> None:
    report = check(Fives, 4, options={"board_size": 4, "quick": True})

    assert report.problems == {}  # five rows are no twenty-five cells
    assert "quick=False" in report.others
    assert "board_size=3" in report.others
    assert "board_size=4" not in report.others


def test_what_one_game_has_no_time_for_is_said_and_no_value_is_left_out_for_want_of_games() -> None:
    few, many = Variants(Board, {}).plan(1), Variants(Board, {}).plan(1000)

    assert len({one for _, _, one in few}) == len(few) == 6
    assert len(many) == 6 * EACH


class Wide(Game):
    """May have any of five hundred sizes, and one of three lengths."""

    @options(size=range(500), length=("short", "long", "endless"))
    def setup(self, size: int = 0, length: str = "short") -> None:
        self.require(length != "endless" or size > 9, "a small game has an end")

    @move
    def go(self) -> None:
        self.finish()


def test_of_many_values_some_are_tried_from_the_first_to_the_last_and_it_is_said_how_many_are_not() -> None:
    report = check(Wide, 4)

    assert report.problems == {}
    assert report.others.total() == FEW - 1  # of all values one is refused by setup()
    assert {"length='long'", "size=5", "size=499"} <= {*report.others}
    (unproved,) = report.unproved
    assert unproved == (
        "that all goes well with another size: with 481 of 499 values no game came to its end; play more, or allow more time; "
        "100 are tried at most, so check again with those that matter as options"
    )
    assert " and 11 more" in str(report)


def test_values_that_are_tried_of_no_option_are_told_as_such() -> None:
    variants = Variants(Wide, {})
    for variant in variants.others:
        variants.has_played(variant)

    (unproved,) = variants.unproved()
    assert unproved == (
        "that all goes well with another size: with 400 of 499 values no game came to its end; 100 are tried at most, so check "
        "again with those that matter as options"
    )


class Picky(Game):
    """Has a move that fails with one size, wherever it is tried."""

    size: int = 0
    moves: int = 0

    @options(size=[1, 2, 3])
    def setup(self, size: int = 1) -> None:
        self.size = size

    @move(by=[1, 2])
    def go(self, by: int) -> None:
        if self.size == 2:
            raise LookupError("no such size")
        self.moves += by
        if self.moves > 4:
            self.finish()


def test_a_value_with_which_nothing_can_be_played_is_tried_once_and_no_more_games_are_asked_for() -> None:
    report = check(Picky, 6)

    ((problem, where),) = report.problems.items()
    assert problem.startswith("Picky.go fails: LookupError: no such size, at ")
    assert where == "with the option size=2, seed 1 and 2 players, after 0 moves"
    assert (report.others, report.unproved) == ({"size=3": 3}, [])


@pytest.mark.parametrize(
    ("things", "most", "some"), [(5, 9, [0, 1, 2, 3, 4]), (5, 3, [0, 2, 4]), (5, 1, [0]), (5, 0, [])]
)
def test_some_of_many_things_are_spread_over_all_of_them(things: int, most: int, some: list[int]) -> None:
    assert spread(range(things), most) == some


def test_games_with_other_options_have_their_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0.0)
    monkeypatch.setattr(sys.modules["netcode.turns.check"], "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    report = check(Board, 100, seconds=500.0)

    assert report.notes[:2] == [
        "stopped after 30 of 100 games, for want of time",
        "stopped in game 6 of 100 with other options, for want of time",
    ]
    assert report.others.total() == 5


def test_a_game_that_takes_all_the_time_is_played_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0.0)
    monkeypatch.setattr(sys.modules["netcode.turns.check"], "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    report = check(Board, 9, seconds=13.0)

    assert (report.games, report.others.total()) == (1, 0)
    assert [one for one in report.unproved if one.startswith("that all goes well with another")] == [
        "that all goes well with another board_size: with 5 of 5 values no game came to its end; play more, or allow more time",
        "that all goes well with another quick: with 1 of 1 values no game came to its end; play more, or allow more time",
    ]


@pytest.mark.games
def test_games_without_an_end_are_not_begun_with_value_after_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playtest, "MAX_MOVES", 300)

    class Endless(Game):
        @options(size=range(9))
        def setup(self, size: int = 0) -> None: ...

        @move
        def go(self, note: bool) -> None:
            if self.options["size"] == 0:
                self.finish()
            self.require(note, "it goes on for ever")

    checker = Checker(Endless, {}, float("inf"))
    checker.run(3, 1, None)

    assert [*checker.report.problems] == ["a game does not end within 300 moves"]
    assert (
        checker.report.notes[0]
        == "stopped after 3 of 8 games with other options, since 3 of them did not come to their end"
    )
    assert checker.variants.failed == [Variant("size", 1), Variant("size", 2), Variant("size", 3)]


def test_progress_counts_the_games_with_other_options() -> None:
    told: list[tuple[int, int]] = []

    check(Board, 2, progress=lambda done, of: told.append((done, of)))

    assert told == [(done, 8) for done in range(1, 9)]


class Decks(Game):
    """Deals from one of two decks: what is legal depends on whether a card could be in it, which everybody knows."""

    deck: str
    stock: Hidden[list[str]]
    hands: Owned[list[list[str]]]

    @options(deck=("low", "high"))
    def setup(self, deck: str = "low") -> None:
        self.deck = ""
        self.stock = [*("abcdefgh" if deck == "low" else "mnopqrst")]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop() for _ in range(3)] for _ in self.players]

    def held(self) -> list[str]:
        high = any(card >= "m" for card in (*self.stock, *self.hands[1 - self.mover]))
        return [card for card in self.hands[self.mover] if (card >= "m") is high or not self.stock]

    @move(card=held)
    def lay(self, card: str) -> None:
        self.hands[self.mover].remove(card)
        if not any(self.hands):
            self.finish()


def test_what_was_hidden_with_one_option_is_no_other_world_with_another_one() -> None:
    report = check(Decks, 10)

    assert report.problems == {}
    assert report.worlds > 100


def test_an_option_may_be_free_and_is_drawn_by_its_sample() -> None:
    class Drawn(Game):
        sizes: list[int]

        @options(
            sizes=Free(
                list[int],
                lambda dice: [dice.randrange(9) for _ in range(3)],
                lambda sizes: "none" if 8 in sizes else None,
            )
        )
        def setup(self, sizes: list[int] = [1]) -> None:  # noqa: B006 - each table gets its own
            self.sizes = sizes

        @move
        def go(self) -> None:
            self.finish()

    def failing(dice: random.Random) -> list[int]:
        return [dice.randrange(0)]

    class Failing(Drawn):
        @options(sizes=Free(list[int], failing, lambda _: None))
        def setup(self, sizes: list[int] = [1]) -> None:  # noqa: B006 - the same
            self.sizes = sizes

    class Wrong(Drawn):
        @options(sizes=Free(list[int], lambda dice: [dice.randrange(9)], lambda _: 3 if _ != [1] else None))  # type: ignore[arg-type, return-value]
        def setup(self, sizes: list[int] = [1]) -> None:  # noqa: B006 - the same
            self.sizes = sizes

    [refused], [fails], [wrong] = (check(game, 1).problems.items() for game in (Drawn, Failing, Wrong))

    assert refused == ("Drawn.setup: the sample of the option sizes draws what is refused: none", "before any game")
    assert fails[0].startswith("Failing.setup: the sample of the option sizes fails: ValueError: ")
    assert wrong[0] == "the check of a Free returned 3; it says in a text what is wrong, or returns None"


def test_a_free_option_that_is_right_is_played_with() -> None:
    class Drawn(Game):
        @options(size=Free(int, lambda dice: dice.randrange(100), lambda _: None))
        def setup(self, size: int = 0) -> None: ...

        @move
        def go(self) -> None:
            self.finish()

    report = check(Drawn, 1)

    assert (report.problems, report.unproved) == ({}, [])
    assert report.others.total() == 9  # one was drawn twice


class Pairs(Game):
    """Takes options that JSON does not have: bytes, and dicts with numbers for keys."""

    @options(flag=(b"x", b"y"), prices=({1: 2}, {3: 4}))
    def setup(self, flag: bytes = b"x", prices: dict[int, int] = {1: 2}) -> None: ...  # noqa: B006 - each table gets its own

    @move
    def go(self) -> None:
        self.finish()


@pytest.mark.parametrize("given", [{}, {"flag": b"y"}, {"prices": {3: 4}}])
def test_options_reach_another_process_as_they_are(given: dict[str, Any]) -> None:
    report = check(Pairs, 1, options=given)

    assert (report.problems, report.notes, report.others.total()) == ({}, [], 2)


class Ordered(Game):
    """With one option it goes through a set."""

    words: list[str]

    @options(order=("fixed", "any"))
    def setup(self, order: str = "fixed") -> None:
        words = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"}
        self.words = [*words] if order == "any" else sorted(words)

    @move
    def go(self) -> None:
        self.finish()


def test_games_with_other_options_are_compared_with_other_processes() -> None:
    [problem] = check(Ordered, 1).problems

    assert problem.startswith("the same seed gives another game in another process")


def test_options_that_a_game_does_not_have_are_refused_as_ever() -> None:
    with pytest.raises(ValueError, match="Board has no option of that name"):
        check(Board, 1, options={"colour": "red"})
