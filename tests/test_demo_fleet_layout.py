"""Tests of laying out a fleet by hand."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from demo_game.rules import ALL_CELLS, Cell, Ship, ship_fits, wrong_with
from demo_game.window.fleet_layout import FleetLayout


def test_ships_come_into_the_hand_one_after_another() -> None:
    layout = FleetLayout()
    for row in range(5):
        assert layout.held == row
        assert not layout.complete
        assert layout.touch(Cell(4, row))

    assert layout.complete
    assert layout.held is None
    assert wrong_with(layout.fleet) is None


def test_the_preview_has_its_middle_at_the_cell_and_stays_in_the_sea() -> None:
    layout = FleetLayout()

    assert layout.preview(Cell(5, 5)) == Ship(5, Cell(3, 5))
    assert layout.preview(Cell(9, 5)) == Ship(5, Cell(5, 5))
    layout.rotate()
    assert layout.preview(Cell(9, 0)) == Ship(5, Cell(9, 0), upright=True)


def test_a_ship_is_not_put_across_another() -> None:
    layout = FleetLayout()
    layout.touch(Cell(4, 4))

    assert not layout.touch(Cell(4, 4))
    assert layout.fleet == (Ship(5, Cell(2, 4)),)
    assert not layout.fits(Ship(4, Cell(3, 4)))


def test_empty_hands_pick_up_what_lies_there_as_it_lies() -> None:
    layout = FleetLayout()
    layout.rotate()
    layout.touch(Cell(0, 2))
    layout.rotate()
    for row in range(4):
        layout.touch(Cell(7, row))

    assert not layout.touch(Cell(9, 9))
    assert layout.touch(Cell(0, 1))
    assert (layout.held, layout.upright) == (0, True)
    assert layout.preview(Cell(0, 2)) == Ship(5, Cell(0, 0), upright=True)


def test_a_ship_can_be_taken_from_the_list() -> None:
    layout = FleetLayout()

    layout.hold(4)
    layout.touch(Cell(4, 4))

    assert layout.fleet == (Ship(2, Cell(3, 4)),)
    assert layout.held == 0


def test_with_empty_hands_there_is_no_preview() -> None:
    layout = FleetLayout()
    layout.randomise(Random(1))

    assert layout.preview(Cell(0, 0)) is None
    assert layout.complete
    assert wrong_with(layout.fleet) is None


def test_clearing_starts_again() -> None:
    layout = FleetLayout()
    layout.randomise(Random(1))

    layout.clear()

    assert (layout.fleet, layout.held) == ((), 0)


@given(st.lists(st.sampled_from(ALL_CELLS) | st.sampled_from(["rotate", "clear", 0, 3, 4])))
def test_no_sequence_of_hands_makes_an_illegal_layout(steps: list[Cell | str | int]) -> None:
    layout = FleetLayout()
    for step in steps:
        match step:
            case Cell():
                layout.touch(step)
            case "rotate":
                layout.rotate()
            case int(number):
                layout.hold(number)
            case _:
                layout.clear()
        fleet = layout.fleet
        assert all(ship_fits(ship, fleet[:number]) for number, ship in enumerate(fleet))
        assert layout.complete == (layout.held is None)
