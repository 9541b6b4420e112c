"""Tests of the rules of Broadside."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_game.rules import (
    ALL_CELLS,
    FLEET,
    Cell,
    Chart,
    Game,
    RuleError,
    Sea,
    Ship,
    Shot,
    all_places,
    check_fleet,
    in_sea,
    random_fleet,
    ship_fits,
)

TIDY_FLEET = tuple(Ship(length, Cell(0, row)) for row, length in enumerate(FLEET))
fleets = st.integers(0, 10_000).map(lambda seed: random_fleet(Random(seed)))


def test_a_cell_is_named_like_on_a_map() -> None:
    assert [str(Cell(0, 0)), str(Cell(9, 9))] == ["A1", "J10"]


def test_a_ship_covers_cells_from_its_bow_on() -> None:
    flat, upright = Ship(3, Cell(1, 2)), Ship(2, Cell(1, 2), upright=True)

    assert flat.cells == (Cell(1, 2), Cell(2, 2), Cell(3, 2))
    assert upright.cells == (Cell(1, 2), Cell(1, 3))


@pytest.mark.parametrize("cell", [Cell(-1, 0), Cell(0, -1), Cell(10, 0), Cell(0, 10)])
def test_the_sea_ends_at_ten_by_ten(cell: Cell) -> None:
    assert not in_sea(cell)
    assert len(ALL_CELLS) == 100
    assert all(in_sea(each) for each in ALL_CELLS)


def test_ships_may_touch_but_not_cross() -> None:
    others = [Ship(5, Cell(0, 0))]

    assert ship_fits(Ship(3, Cell(0, 1)), others)
    assert not ship_fits(Ship(3, Cell(4, 0), upright=True), others)
    assert not ship_fits(Ship(3, Cell(8, 5)), others)


@pytest.mark.parametrize(("length", "places"), [(5, 120), (2, 180)])
def test_every_place_of_a_ship_is_listed_once(length: int, places: int) -> None:
    listed = list(all_places(length))

    assert len(listed) == len(set(listed)) == places
    assert all(in_sea(cell) for ship in listed for cell in ship.cells)


def test_a_tidy_fleet_is_legal() -> None:
    check_fleet(TIDY_FLEET)
    check_fleet(TIDY_FLEET[::-1])


@pytest.mark.parametrize(
    ("fleet", "why"),
    [
        ((), "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        (TIDY_FLEET[1:], "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        ((*TIDY_FLEET, TIDY_FLEET[0]), "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        ((Ship(5, Cell(6, 0)), *TIDY_FLEET[1:]), "the carrier at G1 does not lie in the sea"),
        ((Ship(5, Cell(-1, 0)), *TIDY_FLEET[1:]), "the carrier at @1 does not lie in the sea"),
        ((*TIDY_FLEET[:4], Ship(2, Cell(4, 0), upright=True)), "the destroyer at E1 lies across another ship"),
    ],
)
def test_an_illegal_fleet_is_refused_with_its_fault(fleet: Sequence[Ship], why: str) -> None:
    with pytest.raises(RuleError) as refusal:
        check_fleet(fleet)

    assert str(refusal.value) == why


@given(fleets)
def test_a_random_fleet_is_legal(fleet: tuple[Ship, ...]) -> None:
    check_fleet(fleet)

    assert len({cell for ship in fleet for cell in ship.cells}) == sum(FLEET)


def test_a_shot_hits_misses_or_sinks() -> None:
    sea = Sea(TIDY_FLEET)

    assert sea.fire(Cell(9, 9)) == Shot(Cell(9, 9), hit=False)
    assert sea.fire(Cell(0, 4)) == Shot(Cell(0, 4), hit=True)
    assert sea.fire(Cell(1, 4)) == Shot(Cell(1, 4), hit=True, sunk=TIDY_FLEET[4])
    assert sea.chart == Chart({Cell(0, 4), Cell(1, 4)}, {Cell(9, 9)}, [TIDY_FLEET[4]])


def test_a_cell_cannot_be_fired_at_twice_nor_outside_the_sea() -> None:
    sea = Sea(TIDY_FLEET)
    sea.fire(Cell(0, 0))

    with pytest.raises(RuleError, match="A1 has been fired at already"):
        sea.fire(Cell(0, 0))
    with pytest.raises(RuleError, match="leave the sea"):
        sea.fire(Cell(10, 0))


def test_the_chart_knows_what_floats_and_what_is_wounded() -> None:
    sea = Sea(TIDY_FLEET)
    for cell in (Cell(0, 4), Cell(1, 4), Cell(0, 0), Cell(9, 9)):
        sea.fire(cell)

    assert sea.chart.afloat == (5, 4, 3, 3)
    assert sea.chart.open_hits == {Cell(0, 0)}
    assert sea.chart.shots == 4
    assert sea.chart.knows(Cell(9, 9))
    assert not sea.chart.knows(Cell(9, 8))
    assert not sea.lost


@given(fleets, st.permutations(ALL_CELLS))
def test_the_shots_of_any_order_add_up_to_the_fleet(fleet: tuple[Ship, ...], order: list[Cell]) -> None:
    sea, chart = Sea(fleet), Chart()
    while not sea.lost:
        chart.mark(sea.fire(order[chart.shots]))

    assert chart == sea.chart
    assert sorted(chart.sunk) == sorted(fleet)
    assert chart.hits == {cell for ship in fleet for cell in ship.cells}
    assert chart.open_hits == set()
    assert chart.afloat == ()


def test_the_first_turn_begins_when_both_have_placed() -> None:
    game = Game(first=1)

    game.place(0, TIDY_FLEET)
    assert game.turn is None
    game.place(1, TIDY_FLEET)
    assert game.turn == 1


def test_turns_alternate_whether_hit_or_miss() -> None:
    game = _game()

    game.fire(0, Cell(0, 0))
    game.fire(1, Cell(9, 9))

    assert game.turn == 0


def test_a_shot_falls_into_the_other_sea() -> None:
    game = _game()

    game.fire(0, Cell(9, 9))

    assert [sea.chart.shots for sea in game.seas if sea] == [0, 1]


def test_moves_against_the_rules_change_nothing() -> None:
    game = Game()
    with pytest.raises(RuleError, match="wait until both fleets are placed"):
        game.fire(0, Cell(0, 0))
    game.place(0, TIDY_FLEET)
    with pytest.raises(RuleError, match="placed already"):
        game.place(0, TIDY_FLEET)
    with pytest.raises(RuleError, match="a fleet is ships"):
        game.place(1, ())
    game.place(1, TIDY_FLEET)
    with pytest.raises(RuleError, match="not your turn"):
        game.fire(1, Cell(0, 0))

    assert (game.turn, game.winner) == (0, None)


def test_whoever_sinks_the_last_ship_wins() -> None:
    game = _game()
    targets = [cell for ship in TIDY_FLEET for cell in ship.cells]
    for target, wasted in zip(targets, ALL_CELLS[::-1], strict=False):
        assert game.winner is None
        game.fire(0, target)
        if game.winner is None:
            game.fire(1, wasted)

    assert (game.turn, game.winner) == (None, 0)
    with pytest.raises(RuleError, match="the game is over"):
        game.fire(1, Cell(5, 5))


@pytest.mark.parametrize("seat", [0, 1])
def test_who_gives_up_loses_at_any_time(seat: int) -> None:
    game = Game()

    game.forfeit(seat)
    game.forfeit(1 - seat)

    assert (game.turn, game.winner) == (None, 1 - seat)
    with pytest.raises(RuleError, match="the game is over"):
        game.place(0, TIDY_FLEET)


def _game() -> Game:
    game = Game()
    game.place(0, TIDY_FLEET)
    game.place(1, TIDY_FLEET)
    return game
