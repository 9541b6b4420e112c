"""A play says a move with its arguments, and two that say the same are equal."""

from enum import Enum
from typing import Any

import pytest

from netcode.turns import Game, Play, move
from netcode.turns.language.plays import answer
from netcode.turns.table import Refused, Step, Table
from turns.hall import Hall


class Suit(Enum):
    CLUBS = 1


class Cards(Game):
    laid: list[tuple[Suit, int]] = []

    @move(rank=range(13))
    def lay(self, suit: Suit, rank: int = 3) -> None:
        self.laid.append((suit, rank))
        self.turn_to(*self.players)

    @move
    def turn(self, *, over: Suit | None = None) -> None: ...


def test_a_move_on_the_class_makes_a_play() -> None:
    play = Cards.lay(Suit.CLUBS)

    assert (play.name, play.arguments, play.wire()) == (
        "lay",
        {"suit": Suit.CLUBS, "rank": 3},
        {"suit": "CLUBS", "rank": 3},
    )
    assert str(play) == "lay(suit=<Suit.CLUBS: 1>, rank=3)"
    assert play == Play("lay", {"suit": "CLUBS", "rank": 3})
    assert {play, Cards.lay(Suit.CLUBS, rank=3), Play("lay", {"rank": 3, "suit": Suit.CLUBS})} == {play}


@pytest.mark.parametrize("other", [Cards.lay(Suit.CLUBS, 4), answer("1-a", 3), 3])
def test_what_says_something_else_is_another_play(other: object) -> None:
    assert Cards.lay(Suit.CLUBS) != other


def test_an_answer_has_its_question() -> None:
    said = answer("1-a", Suit.CLUBS)

    assert (said.question, said.option, said.wire(), str(said)) == ("1-a", Suit.CLUBS, {"answer": "CLUBS"}, "CLUBS")


@pytest.mark.parametrize("given", [("mark", None), ("mark", 4), ("mark", [4]), (4,)])
def test_what_is_no_play_is_told_where_it_is_made(given: tuple[Any, ...]) -> None:
    with pytest.raises(
        TypeError, match=r'a play is a move\'s name and its arguments by name, Play\("mark", {"cell": 4}\)'
    ):
        Play(*given)


def test_what_has_a_default_may_be_left_out_of_a_move_by_name() -> None:
    table = Table.create(Cards, 2, secret=bytes(32))
    table.start(0.0)

    assert isinstance(table.play(0, "lay", {"suit": "CLUBS"}, 1, now=0.0), Step)
    assert isinstance(table.play(1, "turn", {}, 1, now=0.0), Step)  # unseen by the other
    assert isinstance(table.play(0, "lay", {"rank": 5, "suit": "CLUBS"}, 2, now=0.0), Step)
    assert table.course.values["laid"] == [(Suit.CLUBS, 3), (Suit.CLUBS, 5)]


@pytest.mark.parametrize("arguments", [{}, {"rank": 3}, {"suit": "CLUBS", "more": 1}, {"more": 1}, 5, None])
def test_what_has_no_default_is_asked_for(arguments: Any) -> None:
    table = Table.create(Cards, 2, secret=bytes(32))
    table.start(0.0)

    assert table.play(0, "lay", arguments, 1, now=0.0) == Refused("lay takes suit, rank")


def test_a_seat_may_leave_out_what_has_a_default() -> None:
    hall = Hall(Cards)
    try:
        hall.serve()
        ann, bob = hall.join(Cards), hall.join(Cards)
        hall.move(ann, "lay", suit=Suit.CLUBS)

        assert bob.view.laid == [(Suit.CLUBS, 3)]
    finally:
        hall.close()
