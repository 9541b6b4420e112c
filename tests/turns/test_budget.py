"""How much a list of legal plays may cost."""

import pytest

from netcode.turns.legal import SURE, Budget, _Spent


def spent_after(budget: Budget) -> int:
    """Return how many candidates a budget pays for; it ends, because so many are no listing any more."""
    for count in range(30_000):
        try:
            budget.spend()
        except _Spent:
            return count
    raise AssertionError("it never ends")


def test_so_many_candidates_are_tried_and_no_more() -> None:
    assert spent_after(Budget(candidates=100, clock=lambda: 0.0)) == 100


def test_a_short_list_is_whole_however_long_it_takes() -> None:
    slow = iter(range(10_000))

    assert SURE <= spent_after(Budget(clock=lambda: next(slow) * 10.0)) < SURE + 16


@pytest.mark.parametrize("seconds", [0.05, 1.0])
def test_a_long_list_ends_when_its_time_is_up(seconds: float) -> None:
    ticks = iter(range(10_000))

    count = spent_after(Budget(seconds=seconds, clock=lambda: next(ticks) * 0.01))

    assert SURE < count < 2000
