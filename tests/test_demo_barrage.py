"""Tests of when shots fly and land on the screen."""

from demo_game.rules import Cell, Fired, Shot
from demo_game.window.barrage import FLIGHT, IMPACT, Barrage

SHOTS = [Fired(number % 2, Shot(Cell(number, 0), hit=False)) for number in range(6)]


def test_a_new_shot_flies_then_lands_then_rests() -> None:
    barrage = Barrage()
    barrage.follow(SHOTS[:1], 100.0)
    (shell,) = barrage.shells

    assert shell.flight(100.0) == 0
    assert (barrage.landed(1, 100.0), barrage.last_landed(100.0)) == ([], None)
    assert shell.impact_age(100.0) is None
    landed = 100.0 + FLIGHT + 0.01
    assert shell.flight(landed) is None
    assert shell.impact_age(landed) is not None
    assert barrage.landed(1, landed) == [shell]
    assert barrage.landed(0, landed) == []
    assert barrage.last_landed(landed) == SHOTS[0]
    assert not barrage.quiet(landed)
    assert barrage.quiet(landed + IMPACT)
    assert shell.impact_age(landed + IMPACT) is None


def test_shots_are_taken_from_the_log_once() -> None:
    barrage = Barrage()
    barrage.follow(SHOTS[:1], 100.0)
    barrage.follow(SHOTS[:1], 101.0)
    barrage.follow(SHOTS[:2], 102.0)

    assert [shell.start for shell in barrage.shells] == [100.0, 102.0]


def test_who_comes_late_sees_the_old_shots_landed() -> None:
    barrage = Barrage()
    barrage.follow(SHOTS, 100.0)

    assert [shell.flight(100.0) is None for shell in barrage.shells] == [True] * 4 + [False] * 2


def test_a_sea_without_shots_is_quiet() -> None:
    assert Barrage().quiet(0.0)
