"""A variant is a subclass: it plays by the rules of its base but for what it changes."""

from netcode.turns import Game, move
from netcode.turns.table import Step, Table


class Count(Game):
    total: int = 0

    def steps(self) -> list[int]:
        return [1, 2]

    @move(step=steps)
    def add(self, step: int) -> None:
        self.total += step


class Larger(Count):
    def steps(self) -> list[int]:
        return [3, 4]


class Harsher(Larger):
    absent = "forfeit"


def test_a_variant_of_a_variant_is_played_by_its_own_domain() -> None:
    for game, step in ((Count, 1), (Larger, 3), (Harsher, 4)):
        table = Table.create(game, 2, secret=bytes(32))
        table.start(0.0)

        assert isinstance(table.play(0, "add", {"step": step}, 1, now=0.0), Step)
