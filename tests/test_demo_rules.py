"""Tests of the rules of Broadside."""

from collections.abc import Sequence
from random import Random

import pytest
from broadside import TIDY_FLEET
from hypothesis import given
from hypothesis import strategies as st

from demo_game.rules import (
    ALL_CELLS,
    FLEET,
    Broadside,
    Cell,
    Chart,
    Ship,
    Shot,
    all_places,
    in_sea,
    random_fleet,
    ship_fits,
    shoot,
    wrong_with,
)
from netcode.turns import check, simulate
from netcode.turns.runtime.view import make_view

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
    assert wrong_with(TIDY_FLEET) is wrong_with(TIDY_FLEET[::-1]) is None


@pytest.mark.parametrize(
    ("fleet", "why"),
    [
        ((), "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        (TIDY_FLEET[1:], "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        ((*TIDY_FLEET, TIDY_FLEET[0]), "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        ((Ship(2**62, Cell(0, 0)), *TIDY_FLEET[1:]), "a fleet is ships of lengths 5, 4, 3, 3, 2"),
        ((Ship(5, Cell(6, 0)), *TIDY_FLEET[1:]), "the carrier lies outside the sea or across another ship"),
        ((Ship(5, Cell(-1, 0)), *TIDY_FLEET[1:]), "the carrier lies outside the sea or across another ship"),
        (
            (*TIDY_FLEET[:4], Ship(2, Cell(4, 0), upright=True)),
            "the destroyer lies outside the sea or across another ship",
        ),
    ],
)
def test_an_illegal_fleet_is_refused_with_its_fault(fleet: Sequence[Ship], why: str) -> None:
    assert wrong_with(fleet) == why


@given(fleets)
def test_a_random_fleet_is_legal(fleet: list[Ship]) -> None:
    assert wrong_with(fleet) is None
    assert len({cell for ship in fleet for cell in ship.cells}) == sum(FLEET)


def test_a_shot_hits_misses_or_sinks() -> None:
    chart = Chart()

    assert shoot(TIDY_FLEET, chart, Cell(9, 9)) == Shot(Cell(9, 9), hit=False)
    assert shoot(TIDY_FLEET, chart, Cell(0, 4)) == Shot(Cell(0, 4), hit=True)
    assert shoot(TIDY_FLEET, chart, Cell(1, 4)) == Shot(Cell(1, 4), hit=True, sunk=TIDY_FLEET[4])
    assert chart == Chart({Cell(0, 4), Cell(1, 4)}, {Cell(9, 9)}, [TIDY_FLEET[4]])


def test_the_chart_knows_what_floats_and_what_is_wounded() -> None:
    chart = Chart()
    for cell in (Cell(0, 4), Cell(1, 4), Cell(0, 0), Cell(9, 9)):
        shoot(TIDY_FLEET, chart, cell)

    assert chart.afloat == (5, 4, 3, 3)
    assert chart.open_hits == {Cell(0, 0)}
    assert len(chart.hits | chart.misses) == 4
    assert chart.knows(Cell(9, 9))
    assert not chart.knows(Cell(9, 8))


@given(fleets, st.permutations(ALL_CELLS))
def test_the_shots_of_any_order_add_up_to_the_fleet(fleet: list[Ship], order: list[Cell]) -> None:
    chart = Chart()
    for cell in order:
        shoot(fleet, chart, cell)

    assert sorted(chart.sunk) == sorted(fleet)
    assert chart.hits == {cell for ship in fleet for cell in ship.cells}
    assert chart.open_hits == set()
    assert chart.afloat == ()


def test_the_kit_finds_nothing_wrong_and_shots_and_the_end_tell_of_fleets() -> None:
    report = check(Broadside, games=1)

    assert report.ok, report
    assert report.flow_lines() == ["fire: fleets, log"]


@pytest.mark.parametrize("seed", range(3))
def test_who_sinks_the_last_ship_has_fired_in_turns_at_no_cell_twice(seed: int) -> None:
    table = simulate(Broadside, seed).table
    names, result = [*table.names], table.result
    game = make_view(Broadside, table.view(None), None, names=names, options={}, result=result)
    seats = [fired.seat for fired in game.log]

    assert seats == [seats[0], 1 - seats[0]] * (len(seats) // 2) + seats[:1] * (len(seats) % 2)
    for seat in (0, 1):
        assert len(game.chart(seat).hits | game.chart(seat).misses) == seats.count(1 - seat)
    assert game.result.winners == (seats[-1],)
    assert (game.chart(1 - seats[-1]).afloat, game.chart(seats[-1]).afloat != ()) == ((), True)
    assert game.result.text == f"{game.names[seats[-1]]} has sunk the whole fleet of {game.names[1 - seats[-1]]}"
