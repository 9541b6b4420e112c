"""Try to foretell dice by linear algebra: it works on a Mersenne Twister that lives on, and not on a table's dice.

`python -m benchmarks.turns_dice` reads a die of eight sides from each of 7,000 moves. Each of its three bits is a sum,
modulo two, of bits of the twister's state, so that 21,000 equations determine the 19,937 unknowns; whoever solves them
knows every die to come. Against `random.Random` that foretells all of the next dice. Against a game of the kit, whose
generator begins anew with each move, the equations contradict each other, and the guesses are as good as any.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from netcode.turns import Game, move
from netcode.turns.simulate import secret_of
from netcode.turns.table import Step, Table

WIDTH, BITS = 32, 3
UPPER, LOWER, TWIST = 0x80000000, 0x7FFFFFFF, 0x9908B0DF
BLOCK = 8
"""Unknowns that are eliminated at once, by a table of all sums of their equations (the method of the four Russians)."""


@dataclass(frozen=True, slots=True)
class Twister:
    """A Mersenne Twister by the size of its state in words; 624 and 397 is the one in `random`."""

    words: int = 624
    middle: int = 397

    @property
    def unknowns(self) -> int:
        """How many bits its state has."""
        return self.words * WIDTH

    def dice(self, state: Sequence[int]) -> Iterator[int]:
        """Yield the dice that follow a state: the three highest bits of each word."""
        words = list(state)
        for place in range(sys.maxsize):
            here, following, far = (words[(place + step) % self.words] for step in (0, 1, self.middle))
            mixed = (here & UPPER) | (following & LOWER)
            words[place % self.words] = far ^ (mixed >> 1) ^ (TWIST if mixed & 1 else 0)
            yield temper(words[place % self.words]) >> (WIDTH - BITS)

    def sums(self) -> Iterator[tuple[int, ...]]:
        """Yield, for each die, which unknowns each of its bits is the sum of; the highest bit first.

        Unknown `n` is bit `n + 1` of a sum, for bit 0 is what the sum comes to.
        """
        words = [[1 << (WIDTH * word + bit + 1) for bit in range(WIDTH)] for word in range(self.words)]
        parts = [[bit for bit in range(WIDTH) if temper(1 << bit) >> (WIDTH - 1 - top) & 1] for top in range(BITS)]
        for place in range(sys.maxsize):
            here, following, far = (words[(place + step) % self.words] for step in (0, 1, self.middle))
            mixed = [*following[: WIDTH - 1], here[WIDTH - 1], 0]
            made = [far[bit] ^ mixed[bit + 1] ^ (mixed[0] if TWIST >> bit & 1 else 0) for bit in range(WIDTH)]
            words[place % self.words] = made
            yield tuple(total(made[bit] for bit in part) for part in parts)


def temper(word: int) -> int:
    """Return what the twister gives for a word of its state (Matsumoto and Nishimura, 1998)."""
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    return word ^ (word >> 18)


def total(sums: Iterator[int]) -> int:
    """Return the sum, modulo two, of several sums."""
    result = 0
    for one in sums:
        result ^= one
    return result


def solve(equations: list[int], unknowns: int, progress: Callable[[int], None]) -> tuple[int, int]:
    """Return a solution, unknown `n` in its bit `n + 1`, and how many equations contradict the others."""
    rows, pivots = equations, list[int]()
    for bottom in range(unknowns + 1 - BLOCK, 0, -BLOCK):
        progress(unknowns - bottom)
        found: dict[int, int] = {}
        for row in rows:
            reduced = row
            while (key := reduced >> bottom) and (length := key.bit_length()) in found:
                reduced ^= found[length]
            if key:
                found[reduced.bit_length() - bottom] = reduced
                if len(found) == BLOCK:
                    break
        sums = {0: 0}
        for pivot in found.values():
            sums |= {key ^ (pivot >> bottom): row ^ pivot for key, row in sums.items()}
        rows = [left for row in rows if (left := row ^ sums[row >> bottom])]
        pivots += sorted(found.values(), reverse=True)
    solution = 1
    for pivot in reversed(pivots):
        place = pivot.bit_length() - 1
        if (pivot & solution).bit_count() & 1:
            solution |= 1 << place
    return solution, len(rows)


@dataclass(frozen=True, slots=True)
class Attack:
    """How well the dice of some moves told the following ones."""

    told: int
    of: int
    contradictions: int

    @property
    def succeeds(self) -> bool:
        """Whether every die was foretold."""
        return self.told == self.of


def attack(
    dice: Sequence[int], shown: int, twister: Twister, progress: Callable[[int], None] = lambda _done: None
) -> Attack:
    """Foretell dice from the first of them.

    Args:
        dice: of eight sides, from 0.
        shown: how many of them the attacker sees.
        twister: what they are taken to come from.
        progress: called with how many unknowns are eliminated.
    """
    equations = [
        (one & ~1) | (die >> (BITS - 1 - top) & 1)
        for die, sums in zip(dice[:shown], twister.sums(), strict=False)
        for top, one in enumerate(sums)
    ]
    solution, contradictions = solve(equations, twister.unknowns, progress)
    state = [solution >> (WIDTH * word + 1) & 0xFFFFFFFF for word in range(twister.words)]
    guesses = list(zip(dice, twister.dice(state), strict=False))[shown:]
    return Attack(sum(die == guess for die, guess in guesses), len(guesses), contradictions)


class Rolls(Game):
    """A game that shows one die a move."""

    die: int = 0

    @move
    def roll(self) -> None:
        """Roll."""
        self.die = self.random.getrandbits(BITS)


def dice_of_a_table(count: int, seed: int) -> list[int]:
    """Return the dice of so many moves at one table."""
    table = Table.create(Rolls, 2, secret=secret_of(seed))
    assert isinstance(table.start(0.0), Step)
    dice: list[int] = []
    for turn in range(count):
        assert isinstance(table.play(turn % 2, "roll", {}, turn // 2 + 1, now=0.0), Step)
        dice.append(table.view(None)["die"][0])  # a small number is its own msgpack
    return dice


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns_dice", description=__doc__)
    parser.add_argument("--moves", type=int, default=7000, help="of which the attacker sees the dice (%(default)s)")
    parser.add_argument("--foretell", type=int, default=100, help="dice after those (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    twister, count = Twister(), chosen.moves + chosen.foretell
    living = random.Random(chosen.seed)
    sources = {
        "random.Random": [living.getrandbits(BITS) for _ in range(count)],
        "a table": dice_of_a_table(count, chosen.seed),
    }
    outcomes: list[Attack] = []
    for name, dice in sources.items():
        begun = time.monotonic()

        def progress(done: int, name: str = name) -> None:
            print(f"\r{name}: {done} of {twister.unknowns} unknowns", end="", file=sys.stderr, flush=True)

        outcome = attack(dice, chosen.moves, twister, progress)
        outcomes.append(outcome)
        print("\r", end="", file=sys.stderr, flush=True)
        print(
            f"{name}: {outcome.told} of {outcome.of} dice foretold from {chosen.moves}, "
            f"{outcome.contradictions} contradictions, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    return 0 if [outcome.succeeds for outcome in outcomes] == [True, False] else 1


if __name__ == "__main__":
    sys.exit(main())
