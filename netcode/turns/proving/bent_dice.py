"""Dice of which one throw falls otherwise: what a rule could have drawn before it asked, a little beside what it drew."""

from random import Random
from typing import Any

from netcode.turns.language.kit import Kit, give_kit
from netcode.turns.language.randomness import seed
from netcode.turns.runtime.pending import Turn
from netcode.turns.table import Table


class BentDice(Random):
    """The dice of a rule, of which all throws fall as they did but for the one that its kit wants otherwise.

    Of a shuffle that is one step, which moves three cards at most: most of what somebody sees stays as it was.
    """

    def __init__(self, kit: "BentKit", where: int) -> None:
        super().__init__(where)
        self._kit = kit

    def random(self) -> float:
        thrown = super().random()
        return self._kit.fall().random() if self._kit.is_bent() else thrown

    def _randbelow(self, n: int) -> int:  # what the library has everything else draw from
        thrown = self.getrandbits(n.bit_length())
        while thrown >= n:
            thrown = self.getrandbits(n.bit_length())
        return self._kit.fall().randrange(n) if self._kit.is_bent() else thrown


class BentKit(Kit):
    """A kit whose dice are bent in one rule, and there at one throw, each time that the rule runs again."""

    __slots__ = ("bent", "thrown", "where")
    where: int
    """The number of the rule."""
    bent: int | None
    """Which of its throws; None for none."""
    thrown: int
    """How many throws the rule that ran last has made."""

    def begin(self, *of: Any, **more: Any) -> None:
        super().begin(*of, **more)
        self.thrown = 0

    def random(self) -> Random:
        if self.generator is None:
            self.generator = BentDice(self, seed(self.secret, self.number, self.step))
        return self.generator

    def is_bent(self) -> bool:
        """Count a throw, and tell whether it is the one."""
        self.thrown += 1
        return self.thrown - 1 == self.bent and self.number == self.where

    def fall(self) -> Random:
        """Return what a bent throw falls by: the same each time."""
        return Random(self.bent)  # noqa: S311 - of a world that nobody plays in


def give_bent(table: Table, where: int, bent: int | None = None) -> BentKit:
    """Give a table a kit whose dice are bent in the rule of the number `where`, at the throw `bent`, and return it."""
    kit = table.course.kit
    with_bent = BentKit(kit.names, kit.options, kit.secret)
    Turn.of(kit).give(with_bent)
    with_bent.where, with_bent.bent = where, bent
    table.course.kit = with_bent
    give_kit(table.course.game, with_bent)
    return with_bent
