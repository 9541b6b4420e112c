"""What is told when a class of rules is defined, or its first table made: each says how to write it right."""

import itertools
import re
import runpy
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partialmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import pytest

from netcode.turns import Clock, Free, Game, Hidden, Owned, RulesError, move, options, shown
from netcode.turns.table import Refused, Step, Table

T = TypeVar("T")


def told(define: Callable[[], Any]) -> str:
    """Return what defining a class, and making and starting its first table, says."""
    with pytest.raises(RulesError) as caught:
        begin(define())
    return str(caught.value)


def begin(game: type[Game], **chosen: Any) -> Table:
    table = Table.create(game, game.seats[0], chosen, secret=bytes(32))
    table.start(0.0)
    return table


class Base(Game):
    count: int = 0

    @move
    def add(self) -> None:
        self.count += 1


def test_a_field_without_annotation_in_the_class() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            size = 3

        return Wrong

    assert told(define) == (
        "Wrong.size has no annotation. If it changes during a game it is a field: `size: int = …`; "
        "if not: `size: ClassVar[int] = …`"
    )


def test_a_field_that_only_a_method_assigns() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            def setup(self) -> None:
                *self.rest, self.top = [1, 2]

        return Wrong

    assert told(define) == "Wrong.setup assigns self.rest, which is no field; annotate it in the class: `rest: int`"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("turn", "to say whose turn it is next, write `self.turn_to(seat)`; whose it is says `self.mover`"),
        ("winner", "to end the game, write `self.finish(winner)`, or `self.finish()` where nobody wins"),
        ("num_players", "how many play says `len(self.players)`"),
        ("message", "to tell the players something, write `self.tell(text)`"),
    ],
)
def test_a_field_for_what_the_kit_has_a_word_for(name: str, way: str, tmp_path: Path) -> None:
    told = assigning(name, tmp_path)

    assert told == (
        f"Wrong.go assigns self.{name}, which is no field; {way}; "
        f"or, to keep something there, annotate it in the class: `{name}: int`"
    )


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("mover", "to say whose turn it is next, write `self.turn_to(seat)`"),
        ("result", "to end the game, write `self.finish(winner)`"),
        ("out", "to take somebody out of the game, write `self.out(seat)`"),
        ("random", "what is drawn comes from `self.random`, which is there"),
        ("round", "to count rounds, annotate another word in the class: `rounds: int = 0`"),
    ],
)
def test_a_name_of_the_kit_that_a_move_assigns(name: str, way: str, tmp_path: Path) -> None:
    assert assigning(name, tmp_path).startswith(f"Wrong.go assigns self.{name}, which is the kit's own; {way}")


def test_a_setting_that_a_move_assigns(tmp_path: Path) -> None:
    assert assigning("grace", tmp_path).startswith("Wrong.grace cannot be a field: `grace` is a setting of the class")


def assigning(name: str, folder: Path) -> str:
    """Return what is told of a move that assigns an attribute; its source is in a file, where it is read."""
    file = folder / "assigning.py"
    file.write_text(
        "from netcode.turns import Game, move\n\n\nclass Wrong(Game):\n"
        f"    @move\n    def go(self):\n        self.{name} = 1\n",
        encoding="utf-8",
    )
    with pytest.raises(RulesError) as caught:
        runpy.run_path(str(file))
    return str(caught.value)


@pytest.mark.parametrize("name", ["__init__", "__new__", "__post_init__"])
def test_a_method_that_makes_things_elsewhere_and_is_never_called_here(name: str) -> None:
    def define() -> type[Game]:
        def make(self: Any) -> None: ...

        return type("Wrong", (Base,), {name: make})

    assert told(define) == (
        f"Wrong.{name} is never called; what it does belongs into `def setup(self): …`, or into the class: `heap: int = 5`"
    )


def test_what_dataclass_and_protocol_write_themselves_is_no_mistake() -> None:
    @dataclass
    class Board:
        cells: int = 3

    class Scored(Protocol):
        points: int = 0

    class Right(Board, Base, Scored):
        pass

    assert {"cells", "count", "points"} <= {*begin(Right).view(0)}


def test_a_text_that_is_required_to_be_true() -> None:
    def define_with_a_text() -> type[Game]:
        class Wrong(Base):
            @move
            def take(self) -> None:
                self.require("that is taken", self.count > 3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

        return Wrong

    def define_with_an_f_string() -> type[Game]:
        class Wrong(Base):
            def check(self) -> None:
                self.require(f"{self.count} is taken", self.count > 3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

            @move
            def take(self) -> None:
                self.check()

        return Wrong

    advice = (
        "`require` takes what has to be true, and then the text: "
        '`self.require(self.cells[cell] is None, "that cell is taken")`'
    )
    assert told(define_with_a_text) == f"Wrong.take: {advice}"
    assert told(define_with_an_f_string) == f"Wrong.check: {advice}"


def test_a_domain_for_an_argument_that_is_not_there() -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            @move(sell=range(9))
            def mark(self, cell: int) -> None: ...

        return Wrong

    assert told(define) == (
        "Wrong.mark has no argument sell, for which there is a domain; its arguments are cell: `def mark(self, sell): …`"
    )


def test_a_domain_that_lists_too_much() -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            @move(cell=range(10**12))
            def mark(self, cell: int) -> None: ...

        return Wrong

    assert told(define).startswith("Wrong.mark: the domain of cell lists more than 1,000,000 values;")


@pytest.mark.parametrize("options", [itertools.count, lambda: range(10**12)])
def test_options_of_a_question_that_never_end(options: Callable[[], Iterable[int]]) -> None:
    class Wrong(Game):
        @move
        def mark(self) -> None:
            self.ask(0, options(), "which?")

    table = begin(Wrong)

    assert isinstance(table.play(0, "mark", {}, 1, now=0.0), Refused)
    assert "a question lists more than 1,000,000 values;" in table.complaints["Wrong"]


@pytest.mark.parametrize("nothing", [range(0), [], "", {}, set[int]()])
def test_a_domain_that_lists_nothing(nothing: Any) -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            @move(cell=nothing)
            def mark(self, cell: int) -> None: ...

        return Wrong

    assert told(define) == "Wrong.mark: the domain of cell lists nothing; write what it may be: `@move(cell=range(9))`"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (3, "of type int"),
        (iter([1]), "of type list_iterator"),
        ((number for number in range(3)), "of type generator"),
        (int, "int, and nobody could list all of those"),
    ],
)
def test_a_domain_that_is_none(given: Any, what: str) -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            @move(cell=given)
            def mark(self, cell: int) -> None: ...

        return Wrong

    assert told(define) == (
        f"Wrong.mark: the domain of cell is {what}; write a range, a collection, a method that lists values, "
        "or Free(type, sample, check): `@move(cell=range(9))`"
    )


def test_a_domain_that_asks_for_a_later_argument() -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            def cells(self, size: int) -> list[int]:
                return [size]

            @move(cell=cells, size=range(3))
            def mark(self, cell: int, size: int) -> None: ...

        return Wrong

    assert told(define) == (
        "Wrong.mark: the domain of cell asks for size, and the arguments before cell are none; "
        "write `def mark(self, size, cell): …`"
    )


def test_a_domain_that_is_no_function_of_the_game() -> None:
    def define(given: Any) -> type[Game]:
        class Wrong(Game):
            @move(size=range(3), cell=given)
            def mark(self, size: int, cell: int) -> None: ...

        return Wrong

    def cells() -> list[int]:
        return [1]

    where = "Wrong.mark: the domain of cell"
    assert told(lambda: define(lambda: [1])) == f"{where} takes no game to look at; write `lambda self: …`"
    assert told(lambda: define(cells)) == f"{where} takes no game to look at; write `def cells(self)`"
    assert told(lambda: define(lambda _, kind: [kind])) == (  # pyright: ignore[reportUnknownLambdaType]
        f"{where} asks for kind, and the arguments before cell are size; write `lambda self, size: …`"
    )


def test_a_domain_may_have_defaults_of_its_own() -> None:
    class Right(Game):
        def cells(self, count: int = 3) -> range:
            return range(count)

        @move(cell=cells)
        def mark(self, cell: int) -> None: ...

    assert [arguments["cell"] for _, arguments in begin(Right).legal(0).plays] == [0, 1, 2]


def _none(_self: Any) -> None: ...


def _draws(self: Any) -> list[int]:
    return [self.random.randrange(3)]


def _fails(self: Any) -> list[int]:
    return [self.names[9]]


def _number(_self: Any) -> int:
    return 3


def _endless(_self: Any) -> Iterator[int]:
    return itertools.count()


def _more(_self: Any) -> range:
    return range(10**12)


_TOO_MANY = r"lists more than 1,000,000 values; does it come to an end\?"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (_none, "lists nothing that can be chosen from: it returned None; return a list"),
        (_draws, "draws, asks or ends the game; it only lists"),
        (_fails, "fails: IndexError: list index out of range"),
        (_number, "fails: TypeError: 'int' object is not iterable"),
        (_endless, _TOO_MANY),
        (_more, _TOO_MANY),
    ],
)
def test_a_domain_that_fails_is_told_whoever_looks(given: Any, text: str) -> None:
    class Wrong(Game):
        @move(cell=given)
        def mark(self, cell: int) -> None: ...

    table = begin(Wrong)

    assert table.legal(0).plays == ()
    assert re.match(f"the domain of cell {text}", table.complaints["Wrong.mark:"])


def test_what_python_keeps_in_an_abstract_or_a_generic_class_is_no_field() -> None:
    class Abstract(Base, ABC):
        @abstractmethod
        def size(self) -> int: ...

    class Boxed(Abstract, Generic[T]):
        def size(self) -> int:
            return 3

    assert [*begin(Boxed).course.values] == ["count"]


def test_a_default_as_dataclasses_write_it() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            cells: list[int] = field(default_factory=list[int])

        return Wrong

    assert told(define) == (
        "Wrong.cells: `field(…)` is for dataclasses; write the default itself, such as `cells: … = []`, "
        "of which each table gets a copy of its own"
    )


@pytest.mark.parametrize(
    "name",
    ["setup", "round", "timeout", "imagine", "players", "names", "mover", "to_move", "alive", "after", "random", "result",
     "require", "turn_to", "ask", "ask_all", "ask_any", "out", "finish", "tell", "options", "seats", "reveal", "undo",
     "clock", "absent", "grace"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["field", "move"])
def test_the_names_of_the_kit(name: str, kind: str) -> None:
    def rule(self: Any) -> None: ...

    rule.__name__ = name
    body: dict[str, Any] = {"__annotations__": {name: int}} if kind == "field" else {name: move(rule)}

    with pytest.raises(RulesError, match=rf"Wrong.{name} ") as caught:
        type("Wrong", (Base,), {**body, "__module__": __name__})

    assert f"`{name}" in str(caught.value)


def test_a_move_with_the_option_of_move_for_an_argument() -> None:
    def define() -> type[Game]:
        class Wrong(Game):
            @move(undo=True)
            def mark(self, undo: bool) -> None: ...

        return Wrong

    assert told(define) == (
        "Wrong.mark: `undo` cannot be an argument: it is an option of `@move` itself, `@move(undo=True)`; "
        "call the argument by another word"
    )


def test_two_marks_on_a_field() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            deck: Hidden[Owned[list[int]]]

        return Wrong

    assert told(define) == "Wrong.deck has two marks, Owned and Hidden; give it one: `deck: Owned[…]`"


def test_a_mark_inside_a_type() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            decks: list[Hidden[list[int]]]

        return Wrong

    assert told(define) == "Wrong.decks has Hidden inside its type; a mark is for the whole field: `decks: Hidden[…]`"


def test_a_private_field_with_a_mark() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            _deck: Hidden[list[int]]

        return Wrong

    assert told(define) == "Wrong._deck is private by its underscore, which Hidden contradicts; drop one"


def owned(kind: Any) -> Any:
    mark: Any = Owned
    return mark[kind]


WORDS: Any = dict[str, int]


@pytest.mark.parametrize("kind", [int, WORDS])
def test_an_owned_field_without_entries_for_seats(kind: Any) -> None:
    with pytest.raises(RulesError, match=r"Wrong.hands needs an entry for each seat"):
        type("Wrong", (Base,), {"__annotations__": {"hands": owned(kind)}, "__module__": __name__})


class Plain:
    pass


UNCLEAR: Any = int | list[int] | set[int]


@pytest.mark.parametrize("kind", [Plain, deque, list[complex], dict[bool, int], UNCLEAR])
def test_a_type_that_is_not_stored(kind: Any) -> None:
    with pytest.raises(RulesError, match=r"Wrong.board: .*(cannot be stored|keys of a dict|told apart)"):
        type("Wrong", (Base,), {"__annotations__": {"board": kind}, "__module__": __name__})


@pytest.mark.parametrize(
    ("setting", "value", "instead"),
    [
        ("seats", 3, "the fewest and the most who can play: `seats = 2, 5`"),
        ("seats", (3, 2), "the fewest and the most who can play: `seats = 2, 5`"),
        ("seats", (0, 2), "the fewest and the most who can play: `seats = 2, 5`"),
        ("absent", "leave", '`absent = "wait"`, "forfeit", "out" or "bot"'),
        ("clock", 5, "`clock = Clock(minutes=5, increment=3)`"),
        ("grace", -1, "seconds: `grace = 60`"),
        ("reveal", 1, "`reveal = False` or `reveal = True`"),
        ("undo", "yes", "`undo = False` or `undo = True`"),
    ],
)
def test_a_setting_that_is_none(setting: str, value: Any, instead: str) -> None:
    with pytest.raises(RulesError) as caught:
        type("Wrong", (Base,), {setting: value, "__module__": __name__})

    assert str(caught.value) == f"Wrong.{setting} is {value!r}; write {instead}"


def test_a_rule_that_is_no_plain_function() -> None:
    def define() -> type[Game]:
        async def go(_self: Any) -> None: ...

        rule: Any = go
        return type("Wrong", (Game,), {"go": move(rule), "__module__": __name__})

    assert "without `async` or `yield`" in told(define)


def test_options_of_setup() -> None:
    class Board(Base):
        cells: list[int]

        @options(size=range(3, 8))
        def setup(self, size: int = 3) -> None:
            self.cells = [0] * size

    with pytest.raises(ValueError, match="size must be one of 3, 4, 5, 6, 7"):
        begin(Board, size=8)
    with pytest.raises(ValueError, match="Board has no option of that name; it has size, clock"):
        begin(Board, colour="red")
    assert [len(begin(Board, **chosen).course.values["cells"]) for chosen in ({}, {"size": 7})] == [3, 7]


def test_an_option_for_an_argument_that_is_not_there() -> None:
    def define() -> type[Game]:
        class Wrong(Base):
            @options(size=range(3))
            def setup(self) -> None: ...

        return Wrong

    assert (
        told(define)
        == "Wrong.setup has no argument size, for which there is an option; write `def setup(self, size=…)`"
    )


@pytest.mark.parametrize(
    ("kind", "value", "where"),
    [
        (list[list[int]], [[1], [2, "3"]], "Wrong.board[1][1] is a str; its annotation says int"),
        (list[list[int]], [[1, True], [1.5]], "Wrong.board[1][0] is a float"),
        (list[list[int]], [[None]], "Wrong.board[0][0] is a NoneType"),
        (list[list[int]], {}, "Wrong.board is a dict"),
        (list[int], (1, 2), "Wrong.board is a tuple"),
        (dict[str, Any], {"a": {"b": Plain()}}, "Wrong.board['a']['b'] is a Plain"),
        (dict[int, int], {"a": 1}, "the key 'a' of Wrong.board is a str"),
        (int, 2**64, "Wrong.board is too large a number"),
        (set[int], {1, "2"}, "an item of Wrong.board is a str"),
        (list[Any], [(1, 2)], "Wrong.board[0] is a tuple"),
        (Literal["a"], "b", "Wrong.board is none of Literal['a']"),
        (str, "\ud800", "Wrong.board is a str that is no Unicode text"),
    ],
)
def test_a_value_that_cannot_be_stored_is_told_with_its_path(kind: Any, value: Any, where: str) -> None:
    def setup(self: Any) -> None:
        self.board = value

    game = type("Wrong", (Base,), {"__annotations__": {"board": kind}, "setup": setup, "__module__": __name__})

    assert told(lambda: game).startswith(where)


def test_what_is_right() -> None:
    class Colour(Enum):
        RED = 1

    @dataclass(frozen=True)
    class Piece:
        colour: Colour
        at: tuple[int, int]

    class Right(Game):
        seats = 1, 4
        clock = Clock(per_move=3)
        LIMIT: ClassVar[int] = 3
        pieces: list[Piece]
        names_of: dict[str, set[Colour]] = {"a": {Colour.RED}}
        _secret: int = 3

        def setup(self) -> None:
            self.pieces = [Piece(Colour.RED, (1, 2))]

        @property
        def total(self) -> int:
            return len(self.pieces)

        @staticmethod
        def twice(number: int) -> int:
            return 2 * number

        @move
        def go(self, colour: Colour, far: bool, how: Literal["a", "b"] | None) -> None: ...

        @move(number=Free(int, lambda dice: dice.randrange(3), lambda number: None if number < 3 else "too large"))
        def say(self, number: int) -> None: ...

        @shown
        def sight(self, seat: int) -> list[Colour]:
            return [Colour.RED]

    table = begin(Right)

    assert [*table.view(0)] == ["pieces", "names_of", "sight"]
    assert len(table.legal(0).plays) == 1 * 2 * 3
    assert table.legal(0).unlisted == ("say",)
    assert table.play(0, "say", {"number": 3}, 1, now=0.0) == Refused("too large")
    assert table.play(0, "say", {"number": True}, 1, now=0.0) == Refused("number must be int, not a bool")
    assert isinstance(table.play(0, "go", {"colour": "RED", "far": True, "how": None}, 1, now=0.0), Step)
    back = Table.restore(Right, table.snapshot())
    assert back.course.values == table.course.values


def test_a_constant_may_be_what_a_field_is_at_first_and_a_domain_as_well() -> None:
    prices = {"wood": 1, "clay": 2}

    class Market(Game):
        stock: dict[str, int] = prices

        @move(what=prices)
        def buy(self, what: str) -> None:
            self.stock[what] -= 1

    assert [arguments["what"] for _, arguments in begin(Market).legal(0).plays] == ["wood", "clay"]


def test_what_uses_a_setup_with_options_is_no_setup_without_any() -> None:
    @options(size=range(3, 8))
    def setup(self: Any, size: int = 3) -> None:
        self.count = size

    def anew_with(setup: Callable[[Any, int], None]) -> Callable[[Any], None]:
        def begin_anew(self: Any) -> None:
            setup(self, 7)

        return begin_anew

    members = {"sized": setup, "setup": setup, "small": partialmethod(setup, 4), "anew": anew_with(setup)}
    sized: Any = type("Sized", (Base,), members)
    fixed: Any = type("Fixed", (sized,), {"of_base": sized.setup, "setup": lambda self: self.of_base(5)})  # pyright: ignore

    game: Any = begin(sized, size=6).course.game
    assert game.count == 6
    game.small()
    assert game.count == 4
    game.anew()
    assert game.count == 7
    assert begin(fixed).course.values["count"] == 5


def test_a_method_that_uses_a_move_or_a_setup_from_around_its_class_hides_none() -> None:
    @move
    def undo_all(self: Any) -> None:
        self.count = 0

    @options(size=range(3, 8))
    def sized(self: Any, size: int = 3) -> None:
        self.count = size

    class Uses(Base):
        def undo_all(self) -> None:
            undo_all.rule(self)

        def anew(self) -> None:
            sized(self, 4)

    game = begin(Uses).course.game
    assert isinstance(game, Uses)
    game.anew()
    assert game.count == 4
    game.undo_all()
    assert game.count == 0
