"""The ceiling of Love Letter is computed by the rules of the example, and a bound is one."""

import itertools
import random

import pytest

from benchmarks.love_letter import (
    BARON,
    COUNTESS,
    DECK,
    GUARD,
    PRINCE,
    PRINCESS,
    Act,
    Fair,
    Known,
    Solver,
    acts,
    plays,
)
from benchmarks.turns import begin, example
from netcode.turns import Game
from netcode.turns.language.fields import pack_fields
from netcode.turns.simulate import act
from netcode.turns.table import Step, Table

NAMES = ("guard", "priest", "baron", "handmaid", "prince", "king", "countess", "princess")


def position(game: type[Game], hand: tuple[int, int], theirs: int, order: tuple[int, ...]) -> Table:
    """Return a table at which seat 0 is to act; the first card of the order lies aside, the last is drawn first."""
    table = begin(game)
    aside, *deck = (NAMES[card] for card in order)
    hands = [[NAMES[card] for card in hand], [NAMES[theirs]]]
    table.course.values.update({"deck": deck, "aside": [aside], "hands": hands})
    table.course.packed = pack_fields(table.course.game)
    table.forget()
    return table


def won_at_random(table: Table) -> float:
    """Return how often seat 0 wins alone if both do anything, by playing everything that can happen."""
    if table.result is not None:
        return float(table.result.winners == (0,))
    (seat,), total = table.to_move, 0.0
    choices = table.legal(seat).plays
    for choice in choices:
        after = Table.restore(table.game, table.snapshot())
        assert isinstance(act(after, seat, choice), Step)
        total += won_at_random(after)
    return total / len(choices)


@pytest.mark.parametrize("seed", range(6))
def test_the_sums_follow_the_rules_of_the_example(seed: int) -> None:
    game, dice = example("love_letter"), random.Random(seed)
    pile = [card for card, many in enumerate(DECK) for _ in range(many)]
    one, other, theirs, *unseen = dice.sample(pile, 5 if seed else 6)
    cards = tuple(unseen.count(card) for card in range(8))

    orders = [*itertools.permutations(unseen)]
    played = sum(won_at_random(position(game, (one, other), theirs, order)) for order in orders) / len(orders)

    assert Solver(careless=True).we(one, other, theirs, cards, safe=False) == pytest.approx(played)


def test_the_best_is_found_where_it_can_be_seen() -> None:
    solver = Solver()

    assert solver.we(GUARD, BARON, PRINCESS, (0, 1, 1, 0, 0, 0, 0, 0), safe=False) == 1.0  # guess it
    assert solver.we(BARON, PRINCESS, GUARD, (0, 1, 1, 0, 0, 0, 0, 0), safe=False) == 1.0  # compare
    assert solver.we(PRINCE, COUNTESS, PRINCESS, (1, 0, 0, 0, 0, 0, 0, 0), safe=False) == 0.0  # forced to compare
    assert solver.we(GUARD, GUARD, BARON, (1, 0, 0, 0, 0, 0, 0, 0), safe=True) == 0.0


def test_who_is_shown_the_hand_later_wins_less() -> None:
    unseen = (1, 1, 0, 0, 0, 0, 1, 1)
    known = Known((GUARD, BARON), unseen, {card: 0.25 for card, many in enumerate(unseen) if many})
    fair = Fair(Solver())

    worth = [fair.we(known, depth) for depth in range(4)]

    assert worth == sorted(worth, reverse=True)
    assert worth[0] > worth[2] == worth[3]  # by then it is over
    assert fair.choose(known) == Act(GUARD, False, PRINCESS)  # which a baron would lose against


@pytest.mark.parametrize("seed", range(8))
def test_a_round_is_played_to_its_end_with_the_odds_kept(seed: int) -> None:
    dice = random.Random(seed)

    class Careful(Fair):
        def choose(self, known: Known) -> Act:
            assert all(odds > 0.0 and known.unseen[card] > 0 for card, odds in known.odds.items())
            return dice.choice(acts(known.hand[0], known.hand[1], known.safe))

    assert {plays(Careful(Solver()), number % 2 == 0, dice) for number in range(60)} == {True, False}
