"""Places that a seat does not see: where they are, what is like what, and that a shuffle keeps every collection whole."""

import random
from typing import Any

from benchmarks.turns import begin
from netcode.turns import Game, Hidden, Owned, move
from netcode.turns.language.imagining import Place, hidden_places, imagine, seen_places, shuffle


class Kept(Game):
    """Keeps things of all shapes from everybody, and hands from the others."""

    one: Hidden[int] = 7
    pile: Hidden[list[int]] = [1, 2, 3]
    rows: Hidden[list[list[int]]] = [[1], [2, 3]]
    named: Hidden[dict[str, int]] = {"a": 1, "b": 2}
    pair: Hidden[tuple[int, ...]] = (5, 6)
    bag: Hidden[set[int]] = {8, 9}
    nothing: Hidden[list[int | None]] = [None]
    hands: Owned[list[list[int]]]

    def setup(self) -> None:
        self.hands = [[10], [20, 21]]

    @move
    def wait(self) -> None:
        """Do nothing."""


def game() -> Any:
    """Return a game as a table has it, with its fields."""
    return begin(Kept).course.game


def places(made: Any, name: str) -> list[Place]:
    definition = Kept._definition
    return [*hidden_places(made, definition.fields[name], definition.shapes[name], None)]


def test_every_value_inside_is_a_place_and_a_value_alone_is_like_itself_only() -> None:
    made = game()
    found = {name: [(place.kind, place.get()) for place in places(made, name)] for name in Kept._definition.fields}

    inside = ("", "int")
    assert found == {
        "one": [(("one", "int"), 7)],
        "pile": [(inside, 1), (inside, 2), (inside, 3)],
        "rows": [(inside, 1), (inside, 2), (inside, 3)],
        "named": [(inside, 1), (inside, 2)],
        "pair": [(inside, 5), (inside, 6)],
        "bag": [(inside, 8), (inside, 9)],
        "nothing": [(("", Kept._definition.shapes["nothing"].item.name), None)],  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        "hands": [(inside, 10), (inside, 20), (inside, 21)],
    }


class InTuples(Kept):
    """Keeps hands in tuples, whose entries may be of several types."""

    lists: Owned[tuple[list[int], list[str]]] = ([1, 2], ["a", "b"])
    tuples: Owned[tuple[tuple[int, ...], ...]] = ((3, 4), (5, 6, 7))


def test_entries_for_seats_may_be_in_a_tuple() -> None:
    made = begin(InTuples).course.game
    definition = InTuples._definition
    for name, entries in {"lists": ["a", "b"], "tuples": [5, 6, 7]}.items():
        found = [*hidden_places(made, definition.fields[name], definition.shapes[name], 0)]
        assert [place.get() for place in found] == entries
        for place, entry in zip(found, reversed(entries), strict=True):
            place.put(entry)
        assert all(place.is_whole() for place in found)

    assert (made.lists, made.tuples) == (([1, 2], ["b", "a"]), ((3, 4), (7, 6, 5)))


def test_a_seat_sees_its_own_hand_and_not_the_others() -> None:
    made = game()
    field, shape = Kept._definition.fields["hands"], Kept._definition.shapes["hands"]

    hidden = [place.get() for place in hidden_places(made, field, shape, 0)]
    seen = [place.get() for place in seen_places(made, field, shape, 0)]

    assert (hidden, seen) == ([20, 21], [10])


def test_what_is_put_stands_there_and_tuples_and_sets_are_made_anew() -> None:
    made = game()

    for name in Kept._definition.fields:
        for number, place in enumerate(places(made, name)):
            place.put(100 + number)
            assert place.get() == 100 + number
            assert place.is_whole()

    assert (made.one, made.pile, made.rows, made.named) == (
        100,
        [100, 101, 102],
        [[100], [101, 102]],
        {"a": 100, "b": 101},
    )
    assert (made.pair, made.bag, made.hands) == ((100, 101), {100, 101}, [[100], [101, 102]])


def test_a_set_that_is_given_one_twice_is_not_whole() -> None:
    made = game()
    one, other = places(made, "bag")

    one.put(9)

    assert not one.is_whole()
    other.put(8)
    assert (made.bag, other.is_whole()) == ({8, 9}, True)


class Always(random.Random):
    """Shuffles so that the first is what the last was, and so a set gets one twice whenever both are in it."""

    def shuffle(self, x: Any) -> None:
        x[:] = [x[-1], *x[1:]]


def test_where_no_shuffle_keeps_a_set_whole_nothing_moves() -> None:
    made = game()

    shuffle(places(made, "bag"), Always())

    assert made.bag == {8, 9}


def test_like_places_are_shuffled_among_each_other_and_what_is_seen_stays() -> None:
    made = game()

    imagine(made, Kept._definition, 1, random.Random(3))

    assert (made.one, made.hands[1], made.nothing) == (7, [20, 21], [None])
    values = [*made.pile, *made.rows[0], *made.rows[1], *made.named.values(), *made.pair, *made.bag, *made.hands[0]]
    assert sorted(values) == sorted([1, 2, 3, 1, 2, 3, 1, 2, 5, 6, 8, 9, 10])
    assert (len(made.pair), len(made.bag), type(made.pair), type(made.bag)) == (2, 2, tuple, set)
    assert (made.pile, made.rows) != ([1, 2, 3], [[1], [2, 3]])
