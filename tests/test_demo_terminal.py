"""Tests of Broadside told in a terminal."""

import pytest

from demo_game.messages import (
    Anew,
    Fired,
    Missing,
    News,
    Over,
    Paired,
    Placed,
    Refused,
    Returned,
    Silent,
    Turn,
    Waiting,
    Yours,
)
from demo_game.rules import Cell, Ship, Shot
from demo_game.terminal import Narrator, draw_seas

DESTROYER = Ship(2, Cell(0, 0))


@pytest.mark.parametrize(
    ("news", "line"),
    [
        (Placed(1), "Bob has hidden the fleet"),
        (Turn(0), None),
        (Anew(), None),
        (Yours((DESTROYER,)), None),
        (Fired(0, Shot(Cell(2, 6), hit=False)), "   1. Anne fires at C7: miss"),
        (Fired(1, Shot(Cell(2, 6), hit=True)), "   1. Bob fires at C7: hit"),
        (Fired(1, Shot(Cell(0, 0), True, DESTROYER)), "   1. Bob fires at A1: hit, and the destroyer sinks"),
        (Silent(1, 4, 10), "Bob has been silent for 4 s; the link ends at 10 s"),
        (Silent(1, 0, 10), "Bob is heard again"),
        (Missing(0), "Anne has lost the connection; waiting for the return"),
        (Returned(0), "Anne is back"),
        (Refused("not your turn"), "refused: not your turn"),
        (Over(1, "Anne is gone", ((), ())), "Bob wins: Anne is gone"),
        (Waiting(), "waiting for a game"),
        (Paired(4, ("Carl", "Dora"), None), "game 4: Carl against Dora"),
    ],
)
def test_each_piece_of_news_is_a_line(news: News, line: str | None) -> None:
    narrator = Narrator()
    narrator.tell(Paired(1, ("Anne", "Bob"), None))

    assert narrator.tell(news) == line


def test_both_seas_are_drawn_side_by_side() -> None:
    narrator = Narrator()
    for news in (
        Paired(1, ("Anne", "Bob"), None),
        Fired(0, Shot(Cell(9, 0), hit=False)),
        Fired(1, Shot(Cell(0, 0), hit=True)),
        Over(0, "Bob is gone", ((DESTROYER,), ())),
    ):
        narrator.tell(news)

    assert draw_seas(narrator.view).splitlines()[:4] == [
        "Anne                       Bob                    ",
        "   A B C D E F G H I J        A B C D E F G H I J ",
        " 1 X # . . . . . . . .      1 . . . . . . . . . o ",
        " 2 . . . . . . . . . .      2 . . . . . . . . . . ",
    ]
