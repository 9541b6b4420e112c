"""A play says a move with its arguments, and two that say the same are equal."""

from enum import Enum

import pytest

from netcode.turns import Game, Play, move
from netcode.turns.language.plays import answer


class Suit(Enum):
    CLUBS = 1


class Cards(Game):
    @move(rank=range(13))
    def lay(self, suit: Suit, rank: int = 3) -> None: ...


def test_a_move_on_the_class_makes_a_play() -> None:
    play = Cards.lay(Suit.CLUBS)

    assert (play.name, play.arguments, play.wire()) == (
        "lay",
        {"suit": Suit.CLUBS, "rank": 3},
        {"suit": "CLUBS", "rank": 3},
    )
    assert str(play) == "lay(suit=<Suit.CLUBS: 1>, rank=3)"
    assert play == Play("lay", {"suit": "CLUBS", "rank": 3})
    assert {play, Cards.lay(Suit.CLUBS, rank=3)} == {play}


@pytest.mark.parametrize("other", [Cards.lay(Suit.CLUBS, 4), answer("1-a", 3), 3])
def test_what_says_something_else_is_another_play(other: object) -> None:
    assert Cards.lay(Suit.CLUBS) != other


def test_an_answer_has_its_question() -> None:
    said = answer("1-a", Suit.CLUBS)

    assert (said.question, said.option, said.wire(), str(said)) == ("1-a", Suit.CLUBS, {"answer": "CLUBS"}, "CLUBS")
