"""Dice that linear algebra does not foretell; `python -m benchmarks.turns_dice` is the whole attack."""

import itertools
import random

import pytest

from benchmarks.turns_dice import BITS, Attack, Twister, attack, dice_of_a_table

SMALL = Twister(16, 7)


def test_the_twister_that_is_attacked_is_that_of_random() -> None:
    generator = random.Random(3)
    state = generator.getstate()[1][:-1]

    dice = [*itertools.islice(Twister().dice(state), 2000)]

    assert dice == [generator.getrandbits(BITS) for _ in range(2000)]


def test_each_bit_of_a_die_is_the_sum_of_bits_of_the_state() -> None:
    generator = random.Random(3)
    words = [generator.getrandbits(32) for _ in range(SMALL.words)]
    state = sum(word << (32 * place + 1) for place, word in enumerate(words))

    for die, sums in itertools.islice(zip(SMALL.dice(words), SMALL.sums(), strict=False), 300):
        assert [(one & state).bit_count() & 1 for one in sums] == [die >> 2, die >> 1 & 1, die & 1]


@pytest.mark.parametrize("seed", range(3))
def test_dice_of_a_generator_that_lives_on_are_foretold(seed: int) -> None:
    generator = random.Random(seed)
    words = [generator.getrandbits(32) for _ in range(SMALL.words)]
    dice = [*itertools.islice(SMALL.dice(words), 350)]

    assert attack(dice, 250, SMALL) == Attack(100, 100, contradictions=0)


@pytest.mark.parametrize("seed", range(3))
def test_dice_of_a_table_are_not(seed: int) -> None:
    outcome = attack(dice_of_a_table(350, seed), 250, SMALL)

    assert not outcome.succeeds
    assert outcome.told < 40
    assert outcome.contradictions > 50
