"""What decoding may cost in one update: shared out in turn, and the first in line always gets something."""

from dataclasses import dataclass

import pytest

from netcode.loop.budget import Budget


@dataclass(eq=False)
class Player:
    """Somebody who has something to be decoded."""

    reason: object = None


@pytest.fixture
def players() -> list[Player]:
    return [Player(), Player(), Player()]


def test_what_fits_is_allowed_and_what_does_not_stands_in_line(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, three = players

    allowed = [budget.allows(one, 6), budget.allows(two, 4), budget.allows(three, 1)]

    assert allowed == [True, True, False]
    assert [player in budget for player in players] == [False, False, True]


def test_who_is_admitted_has_spent_nothing_and_who_is_not_stands_in_line(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, three = players
    assert budget.admits(one, 20)
    assert (budget.spent, one in budget) == (0, False)

    assert budget.allows(one, 6)
    assert [budget.admits(two, 4), budget.admits(three, 5), budget.admits(two, 1)] == [True, False, False]

    assert [player in budget for player in players] == [False, True, True]


def test_nobody_is_served_before_who_stands_in_front(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, three = players
    assert [budget.allows(one, 10), budget.allows(two, 9), budget.allows(three, 1)] == [True, False, False]

    budget.spent = 0
    early = [budget.holds(one), budget.holds(two), budget.holds(three), budget.allows(three, 1)]
    first = budget.allows(two, 9)
    budget.done(two)
    then = [budget.holds(three), budget.allows(three, 1)]

    assert early == [False, False, True, False]
    assert (first, then) == (True, [False, True])


def test_who_was_served_stays_in_front_until_it_is_done(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, _ = players
    budget.allows(one, 8)
    budget.allows(one, 8)
    budget.allows(two, 8)

    turns: list[list[bool]] = []
    for _ in range(3):
        budget.spent = 0
        turns.append([budget.allows(two, 8), budget.allows(one, 8)])

    assert turns == [[False, True]] * 3


def test_the_first_gets_something_however_much_it_is(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, _ = players

    assert budget.allows(one, 1_000)
    assert not budget.allows(two, 1_000)
    budget.spent = 0
    assert budget.allows(two, 1_000)


def test_who_is_over_holds_up_nobody(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, three = players
    budget.allows(one, 10)
    budget.allows(two, 10)
    budget.allows(three, 10)

    budget.spent = 0
    two.reason = "gone"

    assert not budget.holds(three)
    assert two not in budget
    assert budget.allows(three, 10)


def test_what_cost_less_than_it_looked_like_leaves_room(players: list[Player]) -> None:
    budget = Budget(10)
    one, two, _ = players

    budget.allows(one, 10)
    budget.give_back(8)

    assert budget.allows(two, 8)
