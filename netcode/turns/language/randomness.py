"""Dice that nobody predicts: a new generator for each move and each answer, from the table's secret.

A Mersenne Twister that lives on gives all later dice away after some 6,900 of them. These begin anew with each rule,
so what came before says nothing, and a move that is tried again draws the same.
"""

import random
from hashlib import blake2b
from typing import NoReturn

from netcode.turns.errors import Enough

SECRET_SIZE = 32
"""Bytes of a table's secret."""


def dice(secret: bytes, number: int, answers: int) -> random.Random:
    """Return the generator of move `number` after so many answers to its questions."""
    return random.Random(seed(secret, number, answers))  # noqa: S311 - the seed is what nobody knows


def seed(secret: bytes, number: int, answers: int) -> int:
    """Return the seed of move `number` after so many answers, for whoever verifies a game afterwards."""
    where = b"%d.%d" % (number, answers)
    return int.from_bytes(blake2b(where, key=secret, person=b"netcode.turns").digest())


class DryDice(random.Random):
    """What a dry run draws from: it ends there, so that no trial tells what the dice will say."""

    def random(self) -> NoReturn:
        raise Enough

    def getrandbits(self, k: int, /) -> NoReturn:
        raise Enough


DRY = DryDice(0)
