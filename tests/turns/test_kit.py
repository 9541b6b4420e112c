"""What stands behind the names of the kit says at once where a rule uses it wrongly."""

import math
from typing import Any, cast

import pytest

from netcode.turns import Game, RulesError
from netcode.turns.language.kit import DryKit, ImaginedKit, Kit, ViewKit
from netcode.turns.language.questions import Kind
from netcode.turns.rules import move

SECRET = bytes(range(32))


class OfNumpy(int):
    """A number of numpy, as far as it is looked at."""

    dtype, shape = "int64", ()


class Plain(Game):
    total: int = 0

    @move
    def go(self) -> None: ...


def game(kit: Kit | None = None) -> Plain:
    made = Plain.__new__(Plain)
    made._kit = kit or Kit(["Ann", "Bob", "Eve"], {}, SECRET)
    return made


@pytest.mark.parametrize(
    ("verb", "given", "text"),
    [
        ("turn_to", (3,), "turn_to(3) is no seat; seats are numbered from 0 to 2"),
        ("turn_to", (2,), "seat 2 is out; write `self.turn_to(self.after(2))`"),
        ("out", (True,), "out(True) is no seat"),
        ("after", (-1,), "after(-1) is no seat"),
        ("finish", (9,), "finish(9) is no seat"),
        ("finish", (None,), "numbered from 0 to 2; where nobody wins it is `self.finish()`"),
        ("finish", ([0, 1],), "numbered from 0 to 2; several are `self.finish(*…)`"),
        ("turn_to", (range(2),), "numbered from 0 to 2; several are `self.turn_to(*…)`"),
        ("turn_to", (OfNumpy(1),), "numbered from 0 to 2; `.item()` makes it one of Python's"),
        ("ask", ("which?", [1]), 'first comes who is asked: `self.ask(self.mover, […], "…")`'),
        ("tell", ("psst", [0, 7]), "tell(7) is no seat"),
        ("tell", ("psst", 1.5), "tell(1.5) is no seat"),
        ("tell", ("psst", "all"), "tell(to='all') is no seat; to tell all, leave it out: `self.tell(text)`"),
        ("ask_all", ((), "ab"), "ask_all() asks nobody"),
        ("ask_all", (2, "ab"), "ask_all(2) is asked of several seats: `self.ask_all(self.alive, […])`"),
        ("ask", (0, ()), "ask() gives seat 0 nothing to choose from"),
        ("ask", (0, "ab", "", "c"), "ask(default='c') is none of its options"),
    ],
)
def test_misuse_is_told_with_what_to_write(verb: str, given: tuple[object, ...], text: str) -> None:
    made = game()
    made.out(2)

    with pytest.raises(RulesError) as error:
        getattr(made, verb)(*given)

    assert text in str(error.value)


def test_who_moves_and_what_the_scores_are_has_to_be_known() -> None:
    with pytest.raises(RulesError, match="`mover` is asked for where nobody moves"):
        _ = game().mover
    with pytest.raises(RulesError, match="has 1 scores for 3 seats"):
        game().finish(0, scores=[1.0])
    with pytest.raises(RulesError, match=r"finish\(scores=3\) has no score for each seat"):
        game().finish(0, scores=cast("Any", 3))
    with pytest.raises(RulesError, match="has nan among its scores; a score is a number"):
        game().finish(0, scores=[1, math.nan, -math.inf])  # there is no order with it, and a search goes by it


@pytest.mark.parametrize("scores", [[True, False, 2.5], {1: False, 0: True, 2: 2.5}])
def test_a_score_that_is_true_is_the_number_that_players_are_told(scores: Any) -> None:
    made = game()
    made.finish(0, scores=scores)

    assert repr(made._kit.result) == "Result(winners=(0,), scores=(1, 0, 2.5), text='')"


def test_the_turn_passes_by_who_is_out() -> None:
    made = game()
    made.out(1)
    made.out(1)

    assert (made.after(0), made.after(2), made.alive) == (2, 0, [0, 2])
    made.out(0)
    made.out(2)
    with pytest.raises(RulesError, match="every seat is out"):
        made.after(0)


def test_dice_are_drawn_again_the_same_and_require_after_them_is_noticed() -> None:
    made = game()
    made.require(True, "never")
    assert (made._kit.drew(), made._kit.careless) == (False, False)

    drawn = made.random.random()
    made.require(True, "never")

    assert (made._kit.drew(), made._kit.careless) == (True, True)
    made._kit.begin(0)
    assert (made.random.random(), made.mover) == (drawn, 0)


def test_in_a_world_that_is_imagined_what_was_seen_is_drawn_again_and_the_rest_is_not() -> None:
    def draw(until: tuple[int, int]) -> float:
        kit = ImaginedKit(["Ann", "Bob"], {}, SECRET)
        kit.other, kit.until, kit.number = bytes(32), until, 5
        made = game(kit)
        made.require(True, "never")
        return made.random.random()

    real = Kit(["Ann", "Bob"], {}, SECRET)
    real.number = 5
    seen, unseen = draw((5, 0)), draw((4, 0))

    assert seen == game(real).random.random() != unseen


def test_a_trial_tells_nobody_anything() -> None:
    kit = DryKit(["Ann", "Bob"], {}, b"")

    game(kit).tell("psst", to=99)

    assert kit.tells == []


@pytest.mark.parametrize(
    ("verb", "given"),
    [("turn_to", (0,)), ("out", (0,)), ("finish", ()), ("tell", ("psst",)), ("ask", (0, "ab")), ("go", ())],
)
def test_a_view_plays_nothing(verb: str, given: tuple[object, ...]) -> None:
    kit = ViewKit(["Ann", "Bob"], {}, b"")

    assert (game(kit).mover, kit.whose()) == (0, 0)
    with pytest.raises(TypeError, match="a view is for reading"):
        getattr(game(kit), verb)(*given)
    with pytest.raises(TypeError, match="a view is for reading"):
        _ = game(kit).random


def test_the_verbs_of_questions_are_what_a_rule_writes() -> None:
    assert [(kind.verb, kind.word == kind.value) for kind in Kind] == [
        ("ask", True),
        ("ask_all", True),
        ("ask_any", True),
    ]
