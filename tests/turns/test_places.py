"""Where a move goes is made of its arguments and its mover, said with each listed play, and wrong only to its author."""

from typing import Any

import pytest

from netcode.turns import Game, Hidden, Owned, RulesError, move, shown
from netcode.turns.language.places import read_places
from turns.hall import TICK, Hall


def place(text: str, mover: int = 0, **arguments: Any) -> list[Any]:
    [read] = read_places(text, "G.go", ["cells"], arguments)
    return read.of(mover, arguments)


@pytest.mark.parametrize(
    ("text", "arguments", "found"),
    [
        ("cells", {}, ["cells"]),
        ("cells[4]", {}, ["cells", 4]),
        ("cells[cell]", {"cell": 4}, ["cells", 4]),
        ("cells[mover][card]", {"card": "8C"}, ["cells", 1, "8C"]),
        ("cells[mover][card]", {"card": {"suit": "C"}}, ["cells", 1, {"suit": "C"}]),
        ("cells[cell]", {"cell": [1, 2]}, ["cells", [1, 2]]),
        ("cells[1 - mover][cell]", {"cell": 7}, ["cells", 0, 7]),
        ("cells[8 * y + x % 8 // 2]", {"x": 7, "y": 2}, ["cells", 19]),
        ("cells[spot[1]][spot[0]]", {"spot": [3, 5]}, ["cells", 5, 3]),
        ("cells['deck']", {}, ["cells", "deck"]),
    ],
)
def test_a_place_is_made_of_the_arguments(text: str, arguments: dict[str, Any], found: list[Any]) -> None:
    assert place(text, 1, **arguments) == found


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("cells[cell]", {"cell": None}),
        ("cells[cell]", {"cell": True}),
        ("cells[cell]", {"cell": 1.5}),
        ("cells[8 * cell]", {"cell": "x"}),
        ("cells[8 // cell]", {"cell": 0}),
        ("cells[cell[9]]", {"cell": [1]}),
        ("cells[cell['x']]", {"cell": {}}),
    ],
)
def test_what_leads_nowhere_is_no_place(text: str, arguments: dict[str, Any]) -> None:
    assert place(text, **arguments) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (3, "G.go: at=3 is no place; write a field and an entry of it"),
        (("cells", 3), r"G.go: at=\('cells', 3\) is no place"),
        ("cells[", r"G.go: at='cells\[' is no place"),
        ("self.cells[0]", r"G.go: at='self.cells\[0\]' is no place"),
        ("cell", "G.go: at='cell' is in cell, which is no field that players are shown; those are cells"),
        ("cells[other]", r"G.go: at='cells\[other\]' asks for other; it may use the arguments of the move, cell, and"),
        ("cells[cell ** 9]", "is more than a sum of numbers and arguments"),
        ("cells[f(cell)]", "is more than a sum of numbers and arguments"),
        ("cells[1.5]", "is more than a sum of numbers and arguments"),
        ("cells[" * 3000 + "0" + "]" * 3000, "is no place"),
    ],
)
def test_what_is_no_place_is_told_with_how_to_write_one(given: Any, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        read_places(given, "G.go", ["cells"], ["cell"])


class Board(Game):
    cells: list[int | None] = [None] * 4
    _secret: int = 0
    deck: Hidden[list[int]] = [1, 2]
    hands: Owned[list[list[str]]]

    def setup(self) -> None:
        self.hands = [["a", "b"], ["c"]]

    @shown
    def sight(self, seat: int) -> list[int]:
        return [seat]

    def hand(self) -> list[str]:
        return self.hands[self.mover]

    @move(source=range(2), target=range(2), at=("cells[source]", "cells[2 + target]"))
    def go(self, source: int, target: int) -> None:
        self.cells[source] = target

    @move(card=hand, at="hands[mover][card]")
    def lay(self, card: str) -> None:
        self.hands[self.mover].remove(card)

    @move
    def rest(self) -> None:
        self.tell("rested")

    @move(word=("one",), at="sight[word]")
    def look(self, word: str) -> None:
        self.tell(word)


def test_a_place_in_what_nobody_sees_is_refused() -> None:
    def define() -> type[Game]:
        class Peeks(Game):
            cells: list[int] = []
            _secret: list[int] = []

            @move(cell=range(3), at="_secret[cell]")
            def go(self, cell: int) -> None: ...

        return Peeks

    with pytest.raises(RulesError, match=r"no field that players are shown; those are cells"):
        define()


def test_the_places_of_the_legal_plays_are_told_in_their_order() -> None:
    hall = Hall(Board)
    hall.serve()
    ann, bob = hall.join(Board), hall.join(Board)
    hall.play(4 * TICK)

    assert [(play.name, [*play.arguments.values()]) for play in ann.legal] == [
        ("go", [0, 0]),
        ("go", [0, 1]),
        ("go", [1, 0]),
        ("go", [1, 1]),
        ("lay", ["a"]),
        ("lay", ["b"]),
        ("rest", []),
        ("look", ["one"]),
    ]
    assert ann._known.state["places"] == [
        [["cells", 0], ["cells", 2]],
        [["cells", 0], ["cells", 3]],
        [["cells", 1], ["cells", 2]],
        [["cells", 1], ["cells", 3]],
        [["hands", 0, "a"]],
        [["hands", 0, "b"]],
        [],
        [["sight", "one"]],
    ]
    assert bob._known.state["places"] == []
    hall.close()


def test_a_place_that_is_known_already_is_that_of_the_same_arguments() -> None:
    class Clicks(Game):
        cells: list[int] = []

        @move(cell=(1, True, "x", (1, 2)), row=range(2), at=("cells[cell]", "cells[row]"))
        def click(self, cell: object, row: int) -> None: ...

    [rule] = Clicks._definition.moves.values()
    for _ in range(2):
        assert rule.places_of(0, {"cell": 1, "row": 0}) == [["cells", 1], ["cells", 0]]
        assert rule.places_of(0, {"cell": True, "row": 1}) == []
        assert rule.places_of(0, {"cell": "x", "row": 1}) == [["cells", "x"], ["cells", 1]]
        assert rule.places_of(0, {"cell": [1, 2], "row": 1}) == [["cells", [1, 2]], ["cells", 1]]


def test_a_place_depends_on_whose_move_it_is() -> None:
    class Rows(Game):
        rows: list[int] = []

        @move(at="rows[mover]")
        def take(self) -> None: ...

    [rule] = Rows._definition.moves.values()
    assert [rule.places_of(seat, {}) for seat in (0, 1, 0)] == [[["rows", 0]], [["rows", 1]], [["rows", 0]]]
