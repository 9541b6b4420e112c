"""A variant is a subclass: it plays by the rules of its base but for what it changes."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import pytest

from netcode.turns import Game, RulesError, move, shown
from netcode.turns.runtime.view import make_view
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


def plainly(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate without `functools.wraps`."""

    def instead(self: Any, *given: Any) -> Any:
        return rule(self, *given)

    return instead


def twice(game: Any, by: int) -> None:
    game.total += 2 * by


class Called(Count):
    every = plainly(lambda self: [5])  # pyright: ignore
    double = move(by=every)(twice)

    @shown
    @plainly
    def sum(self, seat: int) -> int:
        return self.total + seat


class CalledAnew(Called):
    again = Called.double

    def every(self) -> list[int]:
        return [6]


def test_what_a_decorator_or_a_helper_calls_otherwise_has_the_name_that_it_has_in_the_class() -> None:
    for game, play, total in ((Called, Called.double(5), 10), (CalledAnew, CalledAnew.again(6), 12)):
        table = Table.create(game, 2, secret=bytes(32))
        table.start(0.0)
        assert (play.name, play.wire()) in table.legal(0).plays

        assert isinstance(table.play(0, play.name, play.wire(), 1, now=0.0), Step)
        view = make_view(game, table.view(1), 1, names=table.names, options={})
        assert (play.name, view.total, view.sum(1)) == ("double", total, total + 1)


class Aimed(Game):
    hits: list[int] = []

    def sizes(self) -> list[int]:
        return [1, 2]

    def targets(self, size: int) -> list[int]:
        return [size]

    @move(size=sizes, target=targets)
    def hit(self, size: int, target: int) -> None:
        self.hits.append(size * target)


class AimedAnywhere(Aimed):
    def targets(self) -> list[int]:  # type: ignore[override]  # pyright: ignore
        return [7]


class AimedAtOne(Aimed):
    @staticmethod
    def targets(size: int) -> list[int]:  # pyright: ignore
        return [9 * size]


class AimedAnyhow(AimedAnywhere):
    def targets(self, size: int) -> list[int]:  # type: ignore[override]  # pyright: ignore
        return [size + 1]


def test_what_a_variant_lists_may_take_other_arguments_than_in_its_base() -> None:
    for game, listed in (
        (Aimed, [(1, 1), (2, 2)]),
        (AimedAnywhere, [(1, 7), (2, 7)]),
        (AimedAtOne, [(1, 9), (2, 18)]),
        (AimedAnyhow, [(1, 2), (2, 3)]),
    ):
        table = Table.create(game, 2, secret=bytes(32))
        table.start(0.0)

        assert [tuple(arguments.values()) for _, arguments in table.legal(0).plays] == listed


def test_what_a_variant_lists_by_what_no_argument_is_called_is_told() -> None:
    with pytest.raises(RulesError, match=r"Wrong\.hit: the domain of target asks for colour, .*`lambda self, size: …`"):
        type("Wrong", (Aimed,), {"targets": lambda _, colour: [colour]})  # pyright: ignore


def test_what_two_classes_share_has_in_each_the_name_that_it_has_there() -> None:
    @move(by=range(3))
    def double(game: Any, by: int) -> None:
        game.total += 2 * by

    @shown
    def seen(game: Any, seat: int) -> Any:
        return game.total + seat

    games: list[Any] = [
        type("One", (Count,), {"twofold": double, "sight": seen}),
        type("Other", (Count,), {"double": double, "seen": seen}),
    ]
    for game, name, shows in ((games[0], "twofold", "sight"), (games[1], "double", "seen")):
        table = Table.create(game, 2, secret=bytes(32))
        table.start(0.0)
        play = getattr(game, name)(2)

        assert isinstance(table.play(0, play.name, play.wire(), 1, now=0.0), Step)
        view: Any = make_view(game, table.view(1), 1, names=table.names, options={})
        assert (play.name, getattr(view, shows)(1)) == (name, 5)
