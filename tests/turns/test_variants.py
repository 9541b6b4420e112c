"""A variant is a subclass: it plays by the rules of its base but for what it changes."""

from typing import ClassVar, NamedTuple

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


class Board(Game):
    SIZE: ClassVar[int] = 8
    at: int = 0

    @move
    def go(self) -> None:
        self.at += self.SIZE


class Wide:
    SIZE = 6


def test_a_variant_assigns_what_is_a_classvar_of_its_base() -> None:
    class Small(Board):
        SIZE = 4
        at = 1

    class Smaller(Small):
        SIZE = 2

    class Mixed(Wide, Board):
        pass

    for game, at in ((Board, 8), (Small, 5), (Smaller, 3), (Mixed, 6)):
        table = Table.create(game, 2, secret=bytes(32))
        table.start(0.0)
        table.play(0, "go", {}, 1, now=0.0)

        assert table.course.values["at"] == at


class Plain(NamedTuple):
    suit: frozenset[str]
    rank: int


class Card(Plain):
    def worth(self) -> int:
        return 2 * self.rank


def test_a_card_that_is_more_than_its_base_is_stored_as_what_its_base_says() -> None:
    class Deal(Game):
        cards: list[Card] = [Card(frozenset("h"), 2)]

        @move
        def go(self) -> None:
            self.cards.append(Card(frozenset("s"), 3))

    table = Table.create(Deal, 2, secret=bytes(32))
    table.start(0.0)

    assert isinstance(table.play(0, "go", {}, 1, now=0.0), Step)
    assert table.course.values["cards"] == [Card(frozenset("h"), 2), Card(frozenset("s"), 3)]
