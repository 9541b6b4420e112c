"""Tests of what one end knows of its game."""

from demo_game.messages import (
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
)
from demo_game.rules import FLEET, Cell, Chart, Ship, Shot
from demo_game.view import Phase, Side, View, advance

FLEET_AT_THE_TOP = tuple(Ship(length, Cell(0, row)) for row, length in enumerate(FLEET))
MISS = Shot(Cell(9, 9), hit=False)


def told(*news: News) -> View:
    view = View()
    for each in news:
        view = advance(view, each)
    return view


def test_a_view_begins_without_a_game() -> None:
    assert told() == told(Waiting()) == View()


def test_a_pairing_says_who_plays_and_where_we_sit() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 1))

    assert (view.phase, view.number, view.near, view.far) == (Phase.PLACING, 7, 1, 0)
    assert view.sides == (Side("Anne"), Side("Bob"))
    assert view.to_place


def test_a_spectator_places_and_fires_nothing() -> None:
    view = told(Paired(7, ("Anne", "Bob"), None), Placed(0), Placed(1), Turn(0))

    assert (view.near, view.far) == (0, 1)
    assert not view.to_place
    assert not view.my_turn


def test_our_fleet_is_to_be_placed_until_it_is_hidden_or_when_it_was_refused() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0))
    view.hide(FLEET_AT_THE_TOP)
    assert not view.to_place

    view.learn(Refused("a fleet is more than that"))

    assert view.to_place
    assert view.refusal == "a fleet is more than that"


def test_we_fire_once_a_turn() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0), Placed(0), Placed(1), Turn(0))
    assert view.my_turn
    view.aim = Cell(9, 9)
    assert not view.my_turn

    view.learn(Fired(0, MISS))
    assert not told(Paired(7, ("Anne", "Bob"), 0), Turn(1)).my_turn
    view.learn(Turn(0))

    assert view.my_turn
    assert view.sides[1].chart == Chart(misses={Cell(9, 9)})
    assert view.log == [Fired(0, MISS)]


def test_a_refused_shot_gives_the_turn_back() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0), Placed(0), Placed(1), Turn(0))
    view.hide(FLEET_AT_THE_TOP)
    view.aim = Cell(9, 9)

    view.learn(Refused("no"))

    assert view.my_turn
    assert view.sides[0].fleet == FLEET_AT_THE_TOP


def test_trouble_with_a_player_comes_and_goes() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0), Silent(1, 4, 10))
    assert (view.sides[1].silent_for, view.silence_limit) == (4, 10)

    view.learn(Missing(1))
    assert (view.sides[1].silent_for, view.sides[1].missing) == (0, True)

    view.learn(Returned(1))
    assert not view.sides[1].missing


def test_the_end_uncovers_the_fleets_that_were_placed() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0), Silent(1, 4, 10))
    view.learn(Over(0, "Bob is gone", (FLEET_AT_THE_TOP, ())))

    assert (view.phase, view.turn, view.winner, view.why) == (Phase.OVER, None, 0, "Bob is gone")
    assert [side.fleet for side in view.sides] == [FLEET_AT_THE_TOP, ()]
    assert view.sides[1].silent_for == 0


def test_the_next_game_is_a_new_view() -> None:
    view = told(Paired(7, ("Anne", "Bob"), 0), Fired(1, MISS))

    assert advance(view, Waiting()) == View()
    assert advance(view, Paired(8, ("Anne", "Carl"), 1)).log == []
    assert view.log == [Fired(1, MISS)]
