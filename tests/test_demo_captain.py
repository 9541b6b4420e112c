"""Tests of how a bot chooses its targets."""

from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_game.captain import choose_target
from demo_game.rules import ALL_CELLS, Cell, Chart, Ship, random_fleet, shoot


def shots_needed(random: Random) -> int:
    fleet, chart = random_fleet(random), Chart()
    for number in range(1, len(ALL_CELLS) + 1):
        shoot(fleet, chart, choose_target(chart, random))
        if not chart.afloat:
            return number
    raise AssertionError("something floats where everything was fired at")


def test_a_bot_sinks_a_fleet_in_half_of_the_shots_that_chance_needs() -> None:
    # Chance alone needs 95 on average; the best known strategies for these rules need 42 to 45.
    random = Random(1)

    assert mean(shots_needed(random) for _ in range(20)) < 52


def test_a_bot_beats_one_that_fires_at_random_in_95_of_100_games_at_least() -> None:
    won = 0
    for seed in range(100):
        random = Random(seed)
        bot, chance = shots_needed(random), shots_by_chance(random)
        # They take turns in firing first.
        won += bot <= chance if seed % 2 else bot < chance

    assert won >= 95


def shots_by_chance(random: Random) -> int:
    fleet = {cell for ship in random_fleet(random) for cell in ship.cells}
    order = random.sample(ALL_CELLS, len(ALL_CELLS))
    return max(order.index(cell) for cell in fleet) + 1


def test_a_wounded_ship_is_hunted_down() -> None:
    chart = Chart(hits={Cell(4, 4)})

    target = choose_target(chart, Random(1))

    assert target in {Cell(3, 4), Cell(5, 4), Cell(4, 3), Cell(4, 5)}


def test_two_hits_in_line_are_prolonged() -> None:
    chart = Chart(hits={Cell(4, 4), Cell(5, 4)})

    assert choose_target(chart, Random(1)) in {Cell(3, 4), Cell(6, 4)}


def test_a_sunk_ship_draws_no_more_fire() -> None:
    sunk = Ship(2, Cell(0, 0))
    chart = Chart(hits=set(sunk.cells), sunk=[sunk])

    assert choose_target(chart, Random(1)) not in {Cell(2, 0), Cell(0, 1), Cell(1, 1)}


@settings(max_examples=25)
@given(st.sets(st.sampled_from(ALL_CELLS), max_size=99), st.integers(0, 1000))
def test_a_target_is_always_a_cell_that_was_not_fired_at(misses: set[Cell], seed: int) -> None:
    chart = Chart(misses=misses)

    assert choose_target(chart, Random(seed)) not in misses


def test_with_every_cell_fired_at_there_is_nothing_to_choose() -> None:
    with pytest.raises(IndexError):
        choose_target(Chart(misses=set(ALL_CELLS)), Random(1))
