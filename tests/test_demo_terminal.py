"""Tests of Broadside told in a terminal."""

from dataclasses import replace

import pytest
from broadside import changed, firing, placing

from demo_game.rules import Cell, Chart, Fired, Ship, Shot
from demo_game.terminal import Narrator, draw_seas
from demo_game.view import Phase, View
from netcode import Reason, ReasonCode
from netcode.turns import Event, Moved, Over, Presence, Refused, Result, Said, Started

DESTROYER = Ship(2, Cell(0, 0))
ON = placing(None)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Moved(1, None, None, None), "Blackbeard has hidden the fleet"),
        (Moved(1, "fire", None, None), None),
        (Presence(0, "away", 30.0), "Anne Bonny has lost the connection; waiting for the return"),
        (Presence(0, "here", None), "Anne Bonny is back"),
        (Presence(0, "left", None), "Anne Bonny has left"),
        (Presence(None, "away", None), "the connection is lost; looking for the server"),
        (Presence(None, "here", None), None),
        (Said(None, "Carl", "ahoy"), "Carl: «ahoy»"),
        (Refused(None, "not your turn"), "refused: not your turn"),
        (Started(), None),
    ],
)
def test_each_event_is_a_line(event: Event, line: str | None) -> None:
    narrator = Narrator()
    assert [*narrator.tell(ON, [])] == ["Anne Bonny against Blackbeard"]

    assert [*narrator.tell(ON, [event])] == ([] if line is None else [line])


def test_a_link_that_is_lost_is_told_once_and_so_is_its_return() -> None:
    narrator = Narrator()
    events = [Presence(None, state, None) for state in ("away", "away", "here", "here")]

    trouble = Reason(ReasonCode.SHUTDOWN, "server is shutting down")

    assert [*narrator.tell(View(), events, trouble)] == [
        "server is shutting down; looking for the server",
        "the connection is back",
    ]


def test_shots_are_told_once_and_those_before_we_came_at_the_beginning() -> None:
    narrator = Narrator()
    shots = [
        Fired(0, Shot(Cell(2, 6), hit=False)),
        Fired(1, Shot(Cell(2, 6), hit=True)),
        Fired(1, Shot(Cell(0, 0), True, DESTROYER)),
    ]
    over = replace(ON, phase=Phase.OVER, log=shots, winner=1, why="Anne Bonny is gone")

    assert [*narrator.tell(View(), [])] == []
    assert [*narrator.tell(replace(ON, log=shots[:2]), [])] == [
        "Anne Bonny against Blackbeard",
        "   1. Anne Bonny fires at C7: a miss",
        "   2. Blackbeard fires at C7: a hit",
    ]
    assert [*narrator.tell(over, [Over(Result((1,)))])] == [
        "   3. Blackbeard fires at A1: the destroyer sinks",
        "Blackbeard wins: Anne Bonny is gone",
    ]
    assert [*narrator.tell(replace(ON, number=2), [Started()])] == ["Anne Bonny against Blackbeard"]


def test_both_seas_are_drawn_side_by_side() -> None:
    view = changed(firing(), 0, name="Anne", fleet=(DESTROYER,), chart=Chart(hits={Cell(0, 0)}))
    view = changed(view, 1, name="Bob", chart=Chart(misses={Cell(9, 0)}))

    assert draw_seas(view).splitlines()[:4] == [
        "Anne                       Bob                    ",
        "   A B C D E F G H I J        A B C D E F G H I J ",
        " 1 X # . . . . . . . .      1 . . . . . . . . . o ",
        " 2 . . . . . . . . . .      2 . . . . . . . . . . ",
    ]
