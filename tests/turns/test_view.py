"""A view is a game for reading: what its seat sees, by the types of the class, and nothing that can be played."""

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import pytest

from netcode.turns import Game, Hidden, Others, Owned, Result, move, shown
from netcode.turns.errors import Unfit
from netcode.turns.player.sight import fields_of
from netcode.turns.runtime.view import make_view
from netcode.turns.table import Step, Table
from netcode.turns.values import pack, same


class Card(NamedTuple):
    suit: str
    rank: int


class Deal(Game):
    stock: Hidden[list[Card]]
    hands: Owned[dict[int, set[str]]] = {0: {"a"}, 1: {"b", "c"}}
    shields: Others[list[list[Card]]]
    top: Hidden[Card] = Card("h", 1)
    word: Hidden[str] = "secret"
    seen: tuple[Card, ...] = (Card("s", 3),)
    _inside: int = 3

    def setup(self) -> None:
        self.stock = [Card("c", 4)]
        self.shields = [[Card("d", seat)] for seat in self.players]

    def held(self) -> list[str]:
        return sorted(self.hands[self.mover])

    @shown
    def sight(self, seat: int) -> list[int]:
        return [seat, self._inside]

    @move(card=held)
    def lay(self, card: str) -> None:
        self.hands[self.mover].remove(card)
        self.finish(self.mover)


def begin() -> Table:
    table = Table.create(Deal, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)
    return table


def view(table: Table, seat: int | None) -> Any:
    known: dict[str, Any] = {
        "names": ["ann", "bob"],
        "options": {},
        "to_move": table.to_move,
        "result": table.result,
    }
    return make_view(Deal, table.view(seat), seat, **known)


def test_a_seat_sees_its_own_and_of_the_rest_the_size() -> None:
    seen = view(begin(), 1)

    assert issubclass(type(seen), Deal)
    assert vars(seen) == {
        "stock": [None],
        "hands": {0: [None], 1: {"b", "c"}},
        "shields": [[Card("d", 0)], [None]],
        "top": None,
        "word": None,
        "seen": (Card("s", 3),),
    }
    assert (seen.sight(1), seen.sight(0), [*seen.players], seen.names) == ([1, 3], None, [0, 1], ["ann", "bob"])
    assert (seen.mover, seen.to_move, seen.alive, seen.result, seen.options) == (0, (0,), [0, 1], None, {})
    assert view(begin(), 0).held() == ["a"]


def test_a_spectator_sees_sizes() -> None:
    seen = view(begin(), None)

    assert (seen.hands, seen.shields, seen.sight(0)) == ({0: [None], 1: [None, None]}, [[None], [None]], None)


def test_the_end_opens_everything_but_what_is_private() -> None:
    table = begin()
    table.play(0, "lay", {"card": "a"}, 1, now=0.0)

    seen = view(table, None)

    assert (seen.stock, seen.hands, seen.word, seen.result) == (
        [Card("c", 4)],
        {0: set(), 1: {"b", "c"}},
        "secret",
        Result((0,)),
    )
    assert "_inside" not in vars(seen)


class Unset(Game, ABC):
    laid: list[int]
    _kept: int


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "laid",
            "the view of Unset has no 'laid': setup() has yet to set it, or what is there does not fit these rules",
        ),
        ("_kept", "the view of Unset has no '_kept': it is private"),
        ("trump", "'Unset' object has no attribute 'trump'"),
    ],
)
def test_a_view_says_why_a_field_is_not_there(name: str, why: str) -> None:
    seen = make_view(Unset, {}, 0, names=["ann", "bob"], options={}, to_move=(0,), result=None)

    with pytest.raises(AttributeError) as caught:
        getattr(seen, name)

    assert str(caught.value) == why


def test_nothing_is_played_or_written_on_a_view() -> None:
    seen = view(begin(), 0)

    with pytest.raises(TypeError, match="a view is for reading: seen cannot be assigned"):
        seen.seen = ()
    uses: list[Callable[[], object]] = [
        lambda: seen.lay("a"),
        lambda: seen.random,
        lambda: seen.turn_to(0),
        lambda: seen.out(0),
        lambda: seen.finish(0),
        lambda: seen.tell("x"),
        lambda: seen.ask(0, [1]),
        lambda: seen.ask_all([0], [1]),
        lambda: seen.ask_any([0], [1]),
    ]
    for use in uses:
        with pytest.raises(TypeError, match="a view is for reading"):
            use()


def test_fields_that_do_not_fit_the_class_are_told() -> None:
    fields = {**begin().view(0), "seen": pack(3)}

    with pytest.raises(Unfit, match="seen must be tuple"):
        make_view(Deal, fields, 0, names=[], options={})


class Fog(Enum):
    NONE = 0
    FULL = 1


@dataclass(frozen=True)
class Spot:
    at: tuple[int, int]
    fog: Fog


class Foggy(Game):
    """What it shows is of types of its own, and one thing is another than it says."""

    @shown
    def best(self, seat: int) -> Fog:
        return Fog.FULL

    @shown
    def cells(self, seat: int) -> list[tuple[int, int]]:
        return [(1, seat)]

    @shown
    def spots(self, seat: int) -> set[Spot]:
        return {Spot((0, seat), Fog.NONE)}

    @shown
    def by_fog(self, seat: int) -> dict[Fog, int]:
        return {Fog.NONE: seat}

    @shown
    def other(self, seat: int) -> int | None:
        return (1, 2)  # type: ignore[return-value] # pyright: ignore

    @shown
    def bare(self, seat: int):  # type: ignore[no-untyped-def] # noqa: ANN201
        return (1, Fog.FULL)

    @shown
    def lost(self, seat: int) -> "Nowhere":  # type: ignore[name-defined] # noqa: F821 # pyright: ignore
        return (1, 2)

    @move
    def go(self) -> None: ...


def test_what_is_shown_is_what_its_method_says() -> None:
    table = Table.create(Foggy, 2, secret=bytes(32))
    table.start(0.0)

    seen = make_view(Foggy, table.view(1), 1, names=["ann", "bob"], options={})

    assert (seen.best(1), seen.cells(1), seen.spots(1)) == (Fog.FULL, [(1, 1)], {Spot((0, 1), Fog.NONE)})
    assert (seen.by_fog(1), seen.other(1), seen.bare(1), seen.lost(1)) == ({"NONE": 1}, [1, 2], [1, "FULL"], [1, 2])
    assert (seen.best(0), fields_of(seen)["best"]) == (None, Fog.FULL)


@pytest.mark.parametrize("key", [(1, 2), frozenset({1}), Spot((0, 0), Fog.NONE)])
def test_a_dict_that_cannot_be_shown_says_what_to_write(key: Any) -> None:
    class Mapped(Game):
        @shown
        def sight(self, seat: int) -> dict[Any, int]:
            return {key: seat}

        @move
        def go(self) -> None: ...

    table = Table.create(Mapped, 2, secret=bytes(32))
    table.start(0.0)

    assert table.view(0) == {"sight": pack(None)}
    complaint = table.complaints["Mapped.sight"]
    assert complaint == (
        f"returned what cannot be sent: the keys of a dict are int or str, not a {type(key).__name__}; "
        'write keys such as f"{x},{y}"'
    )


class Entries(Game):
    """Entries for seats, in everything that has some."""

    pair: Owned[tuple[Card, set[int]]] = (Card("h", 1), {2})
    line: Owned[tuple[Card, ...]] = (Card("h", 1), Card("h", 2))
    shields: Others[tuple[frozenset[int], frozenset[int]]] = (frozenset({1}), frozenset({2}))
    hands: Owned[dict[int, tuple[int, ...]]] = {0: (1, 2), 1: (3,)}

    @move
    def go(self) -> None:
        pass


def entries(seat: int | None, **changed: Any) -> Any:
    table = Table.create(Entries, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)
    fields = {**table.view(seat), **{name: pack(data) for name, data in changed.items()}}
    return make_view(Entries, fields, seat, names=["ann", "bob"], options={})


def test_a_tuple_of_entries_for_seats_is_one_in_each_view() -> None:
    assert vars(entries(0)) == {
        "pair": (Card("h", 1), [None]),
        "line": (Card("h", 1), None),
        "shields": ([None], frozenset({2})),
        "hands": {0: (1, 2), 1: [None]},
    }
    assert vars(entries(1)) == {
        "pair": (None, {2}),
        "line": (None, Card("h", 2)),
        "shields": (frozenset({1}), [None]),
        "hands": {0: [None, None], 1: (3,)},
    }
    assert (entries(None).pair, entries(None).shields) == ((None, [None]), ([None], [None]))


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("pair", 5, r"pair must be tuple\[Card, set\[int\]\]"),
        ("pair", [["h", 1]], "pair must have 2 entries, not 1"),
        ("pair", [["h"], None], "pair must have 2 entries, not 1"),
        ("line", {0: ["h", 1]}, r"line must be tuple\[Card, ...\]"),
        ("hands", [[1]], "hands must be dict"),
        ("hands", {"a": None}, "a key of hands must be int"),
    ],
)
def test_entries_for_seats_that_do_not_fit_the_class_are_told(name: str, data: Any, text: str) -> None:
    with pytest.raises(Unfit, match=f"^{text}"):
        entries(0, **{name: data})


def test_a_view_shows_what_is_there_where_it_is_less_than_the_annotation_says() -> None:
    class Race(Game):
        ahead: int = 0
        pace: float = 0.5
        hits: list[int | None] = []
        wins: dict[int, int] = {}

        @move
        def run(self) -> None:
            self.ahead, self.pace = True, 2
            self.hits = [False, None]
            self.wins[True] = 1

    table = Table.create(Race, 2, secret=bytes(32))
    table.start(0.0)
    table.play(0, "run", {}, 1, now=0.0)

    seen = make_view(Race, table.view(1), 1, names=["ann", "bob"], options={})

    assert same(vars(seen), {"ahead": True, "pace": 2, "hits": [False, None], "wins": {True: 1}})


def test_a_view_that_is_printed_tells_what_the_seat_sees() -> None:
    class Signed(Deal):
        def __repr__(self) -> str:
            return f"deal of {self.top}"

    table = begin()
    seen = make_view(Signed, table.view(1), 1, names=["ann", "bob"], options={})

    assert repr(view(table, 1)).startswith("<view of Deal: stock=[None], hands={0: [None], 1: {'")
    assert repr(seen) == "deal of None"
