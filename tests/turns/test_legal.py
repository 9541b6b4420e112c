"""What a seat may do is listed by trying it, and how much that may cost."""

import enum
import random
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, ClassVar, NamedTuple

import pytest

from netcode.turns import Free, Game, move
from netcode.turns.language.fields import pack_fields
from netcode.turns.runtime.legal import SURE, Budget, Listing, _Spent
from netcode.turns.table import Step, Table
from netcode.turns.values.several import Fixed


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


class Entry(NamedTuple):
    """Whose move it was, and where."""

    seat: int
    cell: tuple[int, int]


class Logged(Game):
    """Keeps what was done, in lists and dicts that can be written to, of values that cannot."""

    log: list[Entry] = [Entry(0, (0, 1)), Entry(1, (2, 3))]
    marks: dict[int, list[Entry]] = {0: [Entry(0, (4, 5))]}

    @move(cell=range(50))
    def go(self, cell: int) -> None:
        self.log.append(Entry(self.mover, (cell, 0)))
        self.marks[0].append(Entry(self.mover, (cell, 0)))
        self.require((len(self.log), len(self.marks[0])) == (3, 2), "a trial before has left something")


def test_what_trials_cannot_write_to_is_revived_once_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = list[object]()
    load = Fixed.load

    def count(shape: Fixed, data: object) -> object:
        loaded.append(data)
        return load(shape, data)

    monkeypatch.setattr(Fixed, "load", count)
    table = Table.create(Logged, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)
    loaded.clear()

    legal = table.legal_all(table.to_move[0])

    assert len(legal.plays) == 50
    assert len(loaded) == 2 * 3 * 2  # three entries, with a tuple in each: before the first trial, and for all others


class Hands(Game):
    """A move with a dependent argument, one that lists nothing at times, and one whose argument is free."""

    hand: list[int] = [3, 1]

    def cards(self) -> list[int]:
        return self.hand

    def lower(self, card: int) -> range:
        self.require(card != 99, "never")
        return range(card)

    def never(self) -> list[int]:
        self.require(False, "there is none")
        return [1]

    @move(card=cards, to=lower)
    def give(self, card: int, to: int) -> None:
        self.require(to != 1, "not to them")

    @move(what=never)
    def wish(self, what: int) -> None: ...

    @move(words=Free(str, lambda dice: f"word {dice.randrange(3)}", lambda _text: None))
    def say(self, words: str) -> None: ...

    @move(card=cards)
    def fail(self, card: int) -> None:
        raise ZeroDivisionError

    @move(card=cards)
    def roll(self, card: int) -> None:
        self.random.random()


class Long(Game):
    """A move that refuses before it does anything, and one that refuses when it has."""

    runs: ClassVar[list[str]] = []
    total: int = 0

    def first(self) -> range:
        self.require(self.total < 9, "a domain, before what the move itself demands")
        return range(4)

    @move(by=first)
    def add(self, by: int) -> None:
        self.require(by > 0, "nothing")
        self.runs.append(f"between {by}")
        self.require(by > 1, "too little")
        self.runs.append(f"after {by}")
        self.total += by

    @move(by=first)
    def take(self, by: int) -> None:
        self.total -= by
        self.runs.append(f"take {by}")
        self.require(self.total >= -1, "too much")


def begin() -> Table:
    table = Table.create(Hands, 2, secret=bytes(32))
    table.start(0.0)
    return table


def test_each_candidate_is_tried_until_it_refuses_fails_or_draws() -> None:
    listing = begin().legal(0)

    assert listing.plays == (
        ("give", {"card": 3, "to": 0}),
        ("give", {"card": 3, "to": 2}),
        ("give", {"card": 1, "to": 0}),
        ("roll", {"card": 3}),
        ("roll", {"card": 1}),
    )
    assert listing.unlisted == ("say",)


def test_a_candidate_is_tried_up_to_where_nothing_can_refuse_it_any_more() -> None:
    table = Table.create(Long, 2, secret=bytes(32))
    table.start(0.0)
    Long.runs.clear()

    listing = table.legal(0)

    assert listing.plays == (("add", {"by": 2}), ("add", {"by": 3}), ("take", {"by": 0}), ("take", {"by": 1}))
    assert Long.runs == [*(f"between {by}" for by in (1, 2, 3)), *(f"take {by}" for by in range(4))]
    table.play(0, "add", {"by": 3}, 1, now=0.0)
    assert Long.runs[-1] == "after 3"
    assert table.course.values == {"total": 3}


def test_what_a_domain_lists_twice_is_one_play_and_one_option() -> None:
    class Pairs(Game):
        hand: list[str] = ["7", "7", "8"]
        spots: list[list[int]] = [[1, 2], [1, 2]]

        def held(self) -> list[str]:
            return self.hand

        def places(self) -> list[list[int]]:
            return self.spots

        @move(card=held)
        def lay(self, card: str) -> None:
            self.hand.remove(card)
            self.ask(self.mover, ["a", "a", "b"], "which?")

        @move(place=places, colour=("red", "red"))
        def go(self, place: list[int], colour: str) -> None: ...

    table = Table.create(Pairs, 2, secret=bytes(32))
    table.start(0.0)

    assert table.legal(0).plays == (
        ("lay", {"card": "7"}), ("lay", {"card": "8"}), ("go", {"place": [1, 2], "colour": "red"})
    )  # fmt: skip
    assert isinstance(table.play(0, "lay", {"card": "7"}, 1, now=0.0), Step)
    asked = table.question(0)
    assert asked is not None
    assert asked.options == ("a", "b")
    assert table.course.values["hand"] == ["7", "8"]


def test_what_a_domain_lists_and_nobody_could_tell_apart_is_told() -> None:
    class Colour(enum.Enum):
        RED = 1

    class Mixed(Game):
        def ways(self) -> list[Any]:
            return ["RED", Colour.RED]

        @move(way=ways)
        def go(self, way: Any) -> None: ...

    table = Table.create(Mixed, 2, secret=bytes(32))
    table.start(0.0)

    assert table.legal(0).plays == ()
    assert "holds 'RED' and <Colour.RED: 1>, which are one thing once they are sent: 'RED'" in str(table.complaints)


def test_a_move_with_too_many_candidates_is_unlisted_and_hides_no_other() -> None:
    listing = begin().legal(0, Budget(candidates=5, clock=lambda: 0.0))

    assert listing.unlisted == ("give", "say")
    assert [name for name, _ in listing.plays] == ["roll", "roll"]


def test_arguments_are_drawn_one_after_the_other() -> None:
    table, dice = begin(), random.Random(1)

    drawn = [table.draw(0, "give", dice) for _ in range(30)]

    assert all(one is not None and one["to"] < one["card"] for one in drawn)
    assert table.draw(0, "say", dice) in [{"words": f"word {number}"} for number in range(3)]
    table.course.values["hand"] = []
    table.course.packed = pack_fields(table.course.game)
    assert table.draw(0, "give", dice) is None


@dataclass
class Card:
    name: str
    tapped: bool = False


class Tapping(Game):
    """Rules that write to what they are given before they refuse: a card of the game, and a list of a stranger."""

    hand: list[Card] = [Card("elf"), Card("imp"), Card("orc")]
    most: int = 1

    def untapped(self) -> list[Card]:
        return [card for card in self.hand if not card.tapped]

    @move(card=untapped)
    def tap(self, card: Card) -> None:
        card.tapped = True
        self.require(sum(one.tapped for one in self.hand) <= self.most, "too many")

    @move(first=untapped, second=untapped)
    def both(self, first: Card, second: Card) -> None:
        first.tapped = second.tapped = True
        self.require(sum(one.tapped for one in self.hand) == 2, "one card twice")

    @move(names=Free(list[str], lambda dice: dice.sample(["elf", "imp", "orc"], 2), lambda _names: None))
    def drop(self, names: list[str]) -> None:
        while names:
            name = names.pop()
            self.require(any(card.name == name for card in self.hand), "no such card")
            self.hand = [card for card in self.hand if card.name != name]


def test_a_rule_that_writes_to_what_it_is_given_is_tried_with_each_candidate_as_it_was() -> None:
    table = Table.create(Tapping, 2, secret=bytes(32))
    table.start(0.0)
    listing = table.legal(0)
    elf, imp, orc = ({"name": name, "tapped": False} for name in ("elf", "imp", "orc"))

    assert [play for play in listing.plays if play[0] == "tap"] == [("tap", {"card": card}) for card in (elf, imp, orc)]
    assert [arguments for name, arguments in listing.plays if name == "both"] == [
        {"first": first, "second": second} for first, second in permutations((elf, imp, orc), 2)
    ]
    assert isinstance(table.play(0, *listing.plays[0], 1, now=0.0), Step)
    drawn = table.draw(1, "drop", random.Random(2))
    assert drawn is not None
    assert len(drawn["names"]) == 2


class Branches(Game):
    """A domain that refuses after one earlier value and has nothing after another, and one that fails at times."""

    broken: bool = False

    def first(self) -> list[int]:
        return [0, 1, 2]

    def second(self, a: int) -> list[int]:
        self.require(a != 1, "not after 1")
        return [7, 8] if a else []

    def failing(self) -> list[int]:
        return [1 // (not self.broken)]

    @move(c=failing)
    def risk(self, c: int) -> None:
        self.broken = True

    @move(a=first, b=second)
    def go(self, a: int, b: int) -> None: ...

    @move
    def wait(self) -> None: ...


def branching() -> Table:
    table = Table.create(Branches, 2, secret=bytes(32))
    table.start(0.0)
    return table


def test_a_domain_that_refuses_after_one_value_leaves_the_others() -> None:
    table = branching()

    assert table.legal(0).plays == (
        ("risk", {"c": 1}),
        *(("go", {"a": 2, "b": b}) for b in (7, 8)),
        ("wait", {}),
    )
    drawn = [table.draw(0, "go", random.Random(seed)) for seed in range(20)]
    assert {tuple((one or {}).values()) for one in drawn} == {(2, 7), (2, 8)}


def test_a_domain_that_fails_hides_its_own_move_alone() -> None:
    table = branching()
    assert isinstance(table.play(0, "risk", {"c": 1}, 1, now=0.0), Step)

    listing = table.legal(1)

    assert [name for name, _ in listing.plays] == ["go", "go", "wait"]
    assert listing.unlisted == ()
    line = Branches.failing.__code__.co_firstlineno + 1
    fails = "the domain of c fails: ZeroDivisionError: integer division or modulo by zero"
    assert table.complaints == {"Branches.risk:": f"{fails}, at {__file__}:{line}"}


@dataclass
class Half:
    """A card of which a part was never set."""

    rank: int
    suit: str = field(init=False)


@dataclass(frozen=True)
class Touchy:
    """A card that fails when it is compared."""

    rank: int

    def __hash__(self) -> int:
        raise LookupError("no hash")


class Lists(Game):
    """Lists what cannot be told, or not be compared."""

    CARDS: ClassVar[list[Any]] = []

    def cards(self) -> list[Any]:
        return self.CARDS

    @move(card=cards)
    def lay(self, card: Any) -> None: ...

    @move
    def wait(self) -> None: ...


HELD: list[Any] = []
HELD.append(HELD)


@pytest.mark.parametrize(
    ("cards", "fails"),
    [
        ([Half(1), Half(2)], "AttributeError: 'Half' object has no attribute 'suit'"),
        ([Touchy(1), Touchy(2)], "LookupError: no hash"),
        ([HELD], "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_what_is_listed_may_fail_and_hides_its_own_move_alone(
    cards: list[Any], fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lists, "CARDS", cards)
    table = Table.create(Lists, 2, secret=bytes(32))
    table.start(0.0)

    listing = table.legal(0)

    assert listing == Listing((("wait", {}),))
    assert table.complaints["Lists.lay"].startswith(f"fails: {fails}")
