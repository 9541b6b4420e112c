"""Slips that rules can have and nobody sees: they are told, and stop no other table."""

import enum
import sys
import types
from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partialmethod
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeAlias, TypeVar, cast, get_args

import pytest

from netcode.turns import Clock, Free, Game, Hidden, Owned, RulesError, check, move, options, shown
from netcode.turns.errors import Unfit
from netcode.turns.language import domains
from netcode.turns.runtime.view import make_view
from netcode.turns.simulate import secret_of
from netcode.turns.table import Refused, Step, Table
from netcode.turns.terminal.game_file import Trouble, load_game
from netcode.turns.values import pack, shape_of, unpack
from turns.hall import Hall, TicTacToe

pytestmark = pytest.mark.usefixtures("forks_for_twins")

T = TypeVar("T")


def begin(game: type[Game]) -> Table:
    table = Table.create(game, 2, secret=secret_of(1))
    assert isinstance(table.start(0.0), Step)
    for seat in (0, 1):
        table.presence(seat, True, 0.0)
    return table


def seen(table: Table) -> Any:
    """Return what somebody sees who watches."""
    return make_view(table.game, table.view(None), None, names=table.names, options={})


# What is hidden.


@dataclass
class Person:
    hand: Hidden[list[int]]


class Pair(NamedTuple):
    person: Person


Deck = NewType("Deck", Hidden[list[int]])  # pyright: ignore
Hands = NewType("Hands", list[list[int]])


def test_a_mark_inside_a_record_is_refused_and_not_forgotten() -> None:
    for kind in (list[Person], Person, dict[int, Pair]):
        with pytest.raises(RulesError, match="has Hidden inside its type"):
            type("Cards", (TicTacToe,), {"__annotations__": {"people": kind}, "people": None})


def test_a_mark_behind_a_name_of_ones_own_counts() -> None:
    class Draw(TicTacToe):
        stock: Deck
        hands: Owned[Hands]

        def setup(self) -> None:
            self.stock, self.hands = Deck([3, 1]), Hands([[1], [2]])

    table = begin(Draw)

    assert seen(table).stock == [None, None]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
def test_a_mark_behind_a_type_statement_counts() -> None:
    made: dict[str, Any] = {"Hidden": Hidden}
    exec("type Deck = Hidden[list[int]]", made)
    draw = type("Draw", (TicTacToe,), {"__annotations__": {"stock": made["Deck"]}, "stock": [3, 1]})

    assert seen(begin(draw)).stock == [None, None]


V = TypeVar("V")


@dataclass
class Veiled(Generic[V]):
    inside: Hidden[V]


def test_a_mark_inside_a_generic_class_is_told() -> None:
    with pytest.raises(RulesError, match="stock has Hidden inside its type; a mark is for the whole field"):
        type("Draw", (TicTacToe,), {"__annotations__": {"stock": list[Veiled[int]]}, "stock": []})


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
def test_a_mark_behind_a_generic_type_statement_counts() -> None:
    made: dict[str, Any] = {"Hidden": Hidden}
    exec("type Deck[T] = Hidden[list[T]]", made)
    draw = type("Draw", (TicTacToe,), {"__annotations__": {"stock": made["Deck"][int]}, "stock": [3, 1]})

    assert seen(begin(draw)).stock == [None, None]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
def test_a_type_statement_says_what_it_names_or_is_told() -> None:
    made: dict[str, Any] = {"Owned": Owned}
    exec("type Seat = int\ntype Chair = Seat\nHands = Owned[dict[Chair, list[int]]]", made)
    exec("type Lost = list[Nowhere]\ntype Tree = dict[str, Tree]", made)

    def field(kind: Any) -> type[Game]:
        return type("Draw", (TicTacToe,), {"__annotations__": {"stock": kind}, "stock": {}, "Lost": made["Lost"]})

    assert seen(begin(field(made["Hands"]))).stock == {}
    with pytest.raises(RulesError, match=r"^Lost: an annotation cannot be evaluated: name 'Nowhere' is not defined"):
        field(made["Lost"])
    with pytest.raises(RulesError, match="holds itself without end; what may hold itself is a dataclass"):
        field(made["Tree"])


Chair = NewType("Chair", int)
Seat = NewType("Seat", Chair)


def test_entries_for_seats_may_be_by_a_name_for_their_numbers() -> None:
    class Draw(TicTacToe):
        hands: Owned[dict[Seat, list[int]]]

        def setup(self) -> None:
            self.hands = {Seat(Chair(seat)): [seat] for seat in self.players}

    assert seen(begin(Draw)).hands == {0: [None], 1: [None]}


@dataclass
class Lost:
    children: "list[Nowhere]"  # type: ignore[name-defined] # noqa: F821 # pyright: ignore


def test_a_record_with_an_annotation_that_means_nothing_is_told() -> None:
    with pytest.raises(RulesError, match=r"^Lost: an annotation cannot be evaluated: name 'Nowhere' is not defined"):
        type("Draw", (TicTacToe,), {"__annotations__": {"root": Lost}})


def test_a_name_for_a_type_is_no_state() -> None:
    class Draw(TicTacToe):
        Maybe = int | None
        Place = Optional[int]  # noqa: UP045 - an older way to write it
        Hand = list[int]
        Item = TypeVar("Item")
        Row: TypeAlias = dict[str, int]
        top: Maybe = None
        rows: list[Row] = []

    assert seen(begin(Draw)).rows == []


# What cannot be sent.


@dataclass(frozen=True)
class Attack:
    power: int


@dataclass(frozen=True)
class Heal:
    power: int


def test_two_values_that_are_one_once_they_are_sent_are_refused() -> None:
    with pytest.raises(
        RulesError, match=r"Attack\(power=1\) and Heal\(power=1\), which are one thing once they are sent"
    ):

        class Fight(Game):  # pyright: ignore[reportUnusedClass]
            @move(action=[Attack(1), Attack(2), Attack(1), Heal(1)])
            def act(self, action: Any) -> None: ...


def test_of_a_range_the_ends_say_whether_it_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[object] = []

    def remember(value: object) -> bytes:
        packed.append(value)
        return pack(value)

    monkeypatch.setattr(domains, "pack", remember)

    class Far(Game):  # pyright: ignore[reportUnusedClass]
        @move(number=range(1_000_000))
        def go(self, number: int) -> None: ...

    assert packed == [0, 999_999]
    with pytest.raises(RulesError, match="the domain of number holds what is of type int, which cannot be sent"):

        class TooFar(Game):  # pyright: ignore[reportUnusedClass]
            @move(number=range(2**64 - 2, 2**64 + 2))
            def go(self, number: int) -> None: ...


class Bits(Game):
    """Lists more and more of what cannot be sent."""

    count: int = 0
    puts: int = 0

    def squares(self) -> list[Any]:
        return [1, 1 << 65 * self.count]

    @move(square=squares)
    def put(self, square: int) -> None:
        self.count = 1
        self.puts += 1
        if self.puts == 20:
            self.finish()

    def things(self) -> list[Any]:
        return [self] if self.count else [1]

    @move(thing=things)
    def take(self, thing: Any) -> None:
        self.finish()


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(Bits, Exits, TicTacToe)
    yield hall
    hall.close()


def test_what_is_listed_and_cannot_be_sent_stops_neither_the_server_nor_the_table(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()
    bits, other = hall.join(Bits), hall.join(Bits)

    hall.move(bits, "put", square=1)
    hall.until(lambda: other.my_turn)

    assert "the rules list or ask what cannot be sent" in caplog.text
    hall.move(other, "put", square=1)
    hall.until(lambda: bits.my_turn)
    hall.finish(ann, bob)


def test_check_tells_of_what_is_listed_and_cannot_be_sent() -> None:
    problems = " ".join(check(Bits, 5).problems)

    assert "Bits.take fails: TypeError: a Bits cannot be sent" in problems


@pytest.mark.parametrize(
    ("value", "wrong"),
    [(1 << 64, "more than 64 bits"), (-(1 << 63) - 1, "more than 64 bits"), ("\ud800", "no Unicode"), ("é", "")],
)
def test_arguments_that_cannot_be_sent_are_refused_also_on_this_computer(value: Any, wrong: str) -> None:
    outcome = begin(Bits).play(0, "put", {"square": value}, 1, now=0.0)

    assert isinstance(outcome, Refused)
    assert wrong in outcome.text


# What ends more than its game.


class Exits(Game):
    @move
    def go(self) -> None:
        sys.exit()

    @move
    def stop(self) -> None:
        self.finish()


def test_rules_that_exit_end_no_program(hall: Hall) -> None:
    hall.serve()
    one, other = hall.join(Exits), hall.join(Exits)

    hall.move(one, "go")
    hall.move(one, "stop")
    hall.until(lambda: other.over)

    told = str(check(Exits, 20))
    assert "Exits fails: RulesError: Exits.go ends the program, which has everybody's games" in told


def test_rules_that_exit_where_they_only_look_end_no_program() -> None:
    class Looks(Exits):
        @move
        def go(self) -> None:
            self.require(sys.exit(), "no")

    assert "Looks.go ends the program, which has everybody's games" in str(check(Looks, 20))


# Clocks.


class Timed(Game):
    clock = Clock(minutes=1, increment=5)
    cell: int | None = None

    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        self.cell = cell


class Moves(Timed):
    clock = Clock(per_move=30)
    lives: list[int] = [3, 3]

    def timeout(self, seat: int) -> None:
        self.lives[seat] -= 1
        if self.lives[seat]:
            self.turn_to(seat)
        else:
            self.finish(1 - seat)


@pytest.mark.parametrize(("game", "left"), [(Timed, (40.0, 60.0)), (Moves, (10.0, 30.0))])
def test_an_undo_gives_no_time_back(game: type[Game], left: tuple[float, float]) -> None:
    table, now = begin(game), 0.0

    for number in range(1, 11):
        now += 2.0
        assert isinstance(table.play(0, "mark", {"cell": 4}, number, now=now), Step)
        assert isinstance(table.undo(0, now), Step)

    clocks = table.status(now).clocks
    assert clocks is not None
    assert clocks == pytest.approx(left)
    assert Table.restore(game, table.snapshot(), now=now).status(now).clocks == pytest.approx(left)


def test_a_seat_that_is_to_move_again_after_its_time_was_up_has_the_time_of_a_move_again() -> None:
    table = begin(Moves)

    table.advance(31.0)
    clocks = table.status(31.0).clocks
    table.advance(62.0)
    table.advance(93.0)

    assert clocks == pytest.approx((30.0, 30.0))
    assert table.result is not None
    assert (table.result.winners, table.result.text) == ((1,), "")


def test_a_default_is_an_option_and_not_only_equal_to_one() -> None:
    class Asks(Game):
        @move
        def go(self) -> None:
            self.ask(1 - self.mover, [True, False], "sure?", default=0)

    assert "ask(default=0) is none of its options" in " ".join(check(Asks, 2).problems)


# Values that are others.


@dataclass
class Unit:
    most: int
    left: int = 0

    def __post_init__(self) -> None:
        self.left = self.most


def test_what_a_view_shows_is_what_is_there_whatever_a_record_does_at_first() -> None:
    class War(Game):
        units: list[Unit] = []

        def setup(self) -> None:
            self.units = [Unit(5), Unit(5)]

        @move(hit=(1, 2))
        def fire(self, hit: int) -> None:
            self.units[1 - self.mover].left -= hit

    table = begin(War)
    table.play(0, "fire", {"hit": 2}, 1, now=0.0)

    assert [unit.left for unit in seen(table).units] == [5, 3]


# More than `self`.

_history: list[int] = []


class Remembers(Game):
    last: int = 0

    def setup(self) -> None:
        _history.clear()

    @move(step=(1, 2))
    def add(self, step: int) -> None:
        _history.append(step)
        self.last = sum(_history)
        if self.last >= 12:
            self.finish(self.mover)


def test_a_rule_that_keeps_something_beside_the_game_is_found() -> None:
    report = check(Remembers, 5)

    assert "Remembers.add changes _history, at " in str(report)
    assert "a variable beside the game?" in str(report.follows)


def test_where_no_game_came_to_its_end_nothing_is_proved() -> None:
    report = check(Timed, 5, seconds=0.0)

    assert not report.ok
    assert "nothing is proved" in " ".join(report.problems)


# Refusals out of sight.


@dataclass
class Board:
    cells: list[int | None] = field(default_factory=lambda: [None] * 9)

    def put(self, game: Game, cell: int) -> None:
        game.require(self.cells[cell] is None, "taken")
        self.cells[cell] = game.mover


def _put(game: Any, cell: int) -> None:
    game.board.put(game=game, cell=cell)


EFFECTS: dict[str, Callable[[Any, int], None]] = {"put": _put}


class Method(Game):
    board: Board = Board()

    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        self.board.put(self, cell)
        self.end()

    def end(self) -> None:
        if None not in self.board.cells:
            self.finish()


class Tabled(Method):
    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        EFFECTS["put"](self, cell)
        self.end()


class Keyword(Method):
    @move(cell=range(9))
    def mark(self, cell: int) -> None:
        self.board.put(game=self, cell=cell)
        self.end()


@pytest.mark.parametrize("game", [Method, Tabled, Keyword])
def test_what_the_game_is_handed_to_may_refuse(game: type[Game]) -> None:
    table = begin(game)
    table.play(0, "mark", {"cell": 4}, 1, now=0.0)

    assert [arguments["cell"] for _, arguments in table.legal(1).plays] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert check(game, 4).ok


# What is written otherwise than the kit reads it at first.


def test_a_question_may_offer_what_a_type_lists() -> None:
    class Ask(Game):
        said: list[Any] = []

        @move
        def ask_all_kinds(self) -> None:
            sure = self.ask(self.mover, bool, "sure?")
            way = self.ask(self.mover, Way, "which way?")
            side: str = self.ask(self.mover, Literal["left", "right"], "which side?")  # type: ignore[arg-type]  # pyright: ignore
            self.said = [sure, way.name, side]

    table = begin(Ask)
    table.play(0, "ask_all_kinds", {}, 1, now=0.0)
    for number, option in ((2, True), (3, "UP"), (4, "right")):
        asked = table.question(0)
        assert asked is not None
        assert isinstance(table.answer(0, asked.id, option, number, now=0.0), Step)

    assert seen(table).said == [True, "UP", "right"]


class Way(enum.Enum):
    UP = 1
    DOWN = 2
    LEFT = 3


Direction = NewType("Direction", Way)  # pyright: ignore


def test_a_name_of_ones_own_for_a_type_lists_what_that_lists() -> None:
    class Lift(Game):
        said: list[Any] = []

        @options(first=cast("Any", Direction))
        def setup(self, first: Any = Way.UP, quick: Annotated[bool, "or slow"] = False) -> None:
            self.said = [first.name, quick]

        @move
        def go(self, way: Direction, far: Annotated[bool, "or near"] | None) -> None:
            then = self.ask(self.mover, cast("Any", Direction), "and then?")
            last = self.ask(self.mover, cast("Any", bool | None), "at last?")
            self.said = [way.name, far, then.name, last]

    table = Table.create(Lift, 2, {"first": "DOWN", "quick": True}, secret=secret_of(1))
    table.start(0.0)
    assert seen(table).said == ["DOWN", True]
    assert len(table.legal(0).plays) == 3 * 3
    table.play(0, "go", {"way": "UP", "far": None}, 1, now=0.0)
    for number, option in ((2, "LEFT"), (3, None)):
        asked = table.question(0)
        assert asked is not None
        assert isinstance(table.answer(0, asked.id, option, number, now=0.0), Step)

    assert seen(table).said == ["UP", None, "LEFT", None]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
def test_a_type_statement_lists_what_it_names() -> None:
    made: dict[str, Any] = {"Way": Way, "Literal": Literal, "Game": Game, "move": move}
    exec("type Course = Way\ntype Side = Literal['left', 'right']\ntype Maybe[T] = T | None", made)
    lift = "class Lift(Game):\n    @move(side=Side)\n    def go(self, way: Maybe[Course], side: str): pass"
    exec(lift, made)

    assert len(begin(made["Lift"]).legal(0).plays) == 4 * 2


@pytest.mark.parametrize("nothing", [None, 5, int])
def test_a_question_that_offers_nothing_says_how_it_is_written(nothing: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Ask(Game):
        @move
        def go(self) -> None:
            self.ask(self.mover, nothing, "which?")

    table = begin(Ask)

    assert isinstance(table.play(0, "go", {}, 1, now=0.0), Refused)
    assert "ask() is given nothing to choose from ('which?'); write a list: `self.ask(self.mover, [" in caplog.text


def test_a_literal_of_some_members_of_an_enum_is_those() -> None:
    class Lift(Game):
        way: Literal[Way.UP, Way.DOWN] = Way.UP

        @move
        def go(self, way: Literal[Way.UP, Way.DOWN]) -> None:
            self.way = way

        @move
        def derail(self) -> None:
            self.way = Way.LEFT  # type: ignore[assignment]  # pyright: ignore

    table = begin(Lift)

    assert table.play(0, "go", {"way": "LEFT"}, 1, now=0.0) == Refused("way must be one of UP, DOWN")
    assert isinstance(table.play(0, "derail", {}, 1, now=0.0), Refused)
    assert isinstance(table.play(0, "go", {"way": "DOWN"}, 1, now=0.0), Step)
    assert "Lift.way is Way.LEFT, which is none of Literal[Way.UP, Way.DOWN]" in table.complaints["Lift"]
    with pytest.raises(Unfit, match="way must be the name of a Way: UP, DOWN"):
        Lift._definition.shapes["way"].convert("LEFT", "way")


@dataclass
class Pawn:
    at: int
    moved = False

    @cached_property
    def label(self) -> str:
        return f"P{self.at}"


def test_what_is_assigned_beside_the_fields_of_a_record_is_told_and_what_is_worked_out_is_not() -> None:
    class Race(Game):
        pawns: list[Pawn] = [Pawn(0)]

        @move
        def look(self) -> None:
            assert self.pawns[0].label == "P0"

        @move
        def step(self) -> None:
            self.pawns[0].at += 1
            self.pawns[0].moved = True

    table = begin(Race)

    assert isinstance(table.play(0, "look", {}, 1, now=0.0), Step)
    assert isinstance(table.play(1, "step", {}, 1, now=0.0), Refused)
    assert table.complaints["Race"].endswith(
        "Race.pawns[0] is a Pawn with moved, which is no field of Pawn: annotate it there"
    )


class _Plain(NamedTuple):
    rank: int


class Marked(_Plain):
    """It has room for what is no item of it."""

    shown = False

    @cached_property
    def worth(self) -> int:
        return 2 * self.rank


def test_what_is_assigned_beside_the_items_of_a_tuple_is_told_too() -> None:
    class Deal(Game):
        cards: list[Marked] = [Marked(2)]

        @move
        def look(self) -> None:
            assert self.cards[0].worth == 4
            self.cards.append(Marked(3))

        @move
        def turn(self) -> None:
            self.cards[1].shown = True
            self.cards.reverse()

    table = begin(Deal)

    assert isinstance(table.play(0, "look", {}, 1, now=0.0), Step)
    assert isinstance(table.play(1, "turn", {}, 1, now=0.0), Refused)
    assert table.complaints["Deal"].endswith(
        "Deal.cards[0] is a Marked with shown, which is no item of it: annotate it in the NamedTuple"
    )


def test_private_names_and_properties_that_are_assigned_are_what_python_makes_of_them() -> None:
    class Hot(Game):
        __deck: list[int] = [1, 2]
        kelvin: int = 273

        @property
        def celsius(self) -> int:
            return self.kelvin - 273

        @celsius.setter
        def celsius(self, value: int) -> None:
            self.kelvin = value + 273

        @move
        def heat(self) -> None:
            self.celsius = self.celsius + self.__deck.pop()
            self.__deck = [5]

    table = begin(Hot)

    assert isinstance(table.play(0, "heat", {}, 1, now=0.0), Step)
    assert (seen(table).celsius, table.course.values["_Hot__deck"]) == (2, [5])


def test_what_rules_are_given_is_their_own_to_write_to() -> None:
    class Given(Game):
        deck: list[str] = []
        said: list[str] = []

        @options(cards=(["A", "B"], ["X"]))
        def setup(self, cards: list[str] = ["A", "B"]) -> None:  # noqa: B006
            self.deck = cards
            self.deck.append("C")

        @move(cards=[["1"], ["2"]])
        def take(self, cards: list[str]) -> None:
            cards.append("3")
            self.deck += cards
            names: Any = self.names
            names[0] = "King"
            self.said += self.names

    tables = [begin(Given) for _ in range(2)]
    for table in tables:
        for number in (1, 2):
            table.play(number % 2, "take", {"cards": ["1"]}, number, now=0.0)

    (first, second) = tables
    assert first.course.values == second.course.values
    assert (first.options, seen(first).deck[:5]) == ({"cards": ["A", "B"]}, ["A", "B", "C", "1", "3"])
    assert seen(first).said[:2] == ["seat 0", "seat 1"]
    assert Table.restore(Given, first.snapshot()).frozen == ""


LATER = """
from __future__ import annotations
from typing import TYPE_CHECKING, NamedTuple
from netcode.turns import Game, move
if TYPE_CHECKING:
    from collections.abc import Sequence

class Later(Game):
    class Card(NamedTuple):
        rank: int

    cards: list[Card] = []

    @move(card=lambda self: self.cards)
    def take(self, card: Card | Sequence[int]) -> None: ...

    @move(card=lambda self: self.cards)
    def give(self, card: Card) -> None: ...

    @move
    def turn(self, over: bool) -> None: ...
"""


def test_an_annotation_may_name_what_is_in_the_class_and_what_is_there_for_type_checkers_alone() -> None:
    module: dict[str, Any] = {"__name__": "later"}

    exec(LATER, module)

    moves = module["Later"]._definition.moves
    assert (list(moves), moves["take"].shapes["card"], moves["give"].shapes["card"].name) == (
        ["take", "give", "turn"], None, "Card",
    )  # fmt: skip
    with pytest.raises(
        RulesError, match=r"Later\.turn: an annotation cannot be evaluated: name 'Nothing' is not defined"
    ):
        exec(LATER.replace("over: bool", "over: Nothing"), module)


def test_what_other_games_build_on_needs_no_move() -> None:
    class Cards(Game, ABC):
        deck: Hidden[list[int]] = []

    class Draw(Cards):
        @move
        def draw(self) -> None:
            self.deck.pop()

    assert [*Draw._definition.fields] == ["deck"]


def put(self: Any, step: int, cell: int) -> None:
    self.require(self.cells[cell] is None, "taken")
    self.cells[cell] = step


def test_a_part_of_a_method_may_refuse() -> None:
    class Part(Game):
        cells: list[int | None] = [1, None]
        put_one = partialmethod(put, 1)

        @move(cell=range(2))
        def mark(self, cell: int) -> None:
            self.put_one(cell)

    assert begin(Part).legal(0).plays == (("mark", {"cell": 1}),)


@dataclass
class Numbered(Generic[T]):
    number: int


class Sides(enum.Flag):
    LEFT = 1
    RIGHT = 2


def test_what_python_keeps_in_a_record_is_no_field_that_was_forgotten() -> None:
    class Counts(Game):
        at: Numbered[str] = Numbered[str](3)

        @move
        def go(self) -> None:
            self.at.number += 1

    assert isinstance(begin(Counts).play(0, "go", {}, 1, now=0.0), Step)


def test_a_literal_of_sides_says_their_numbers() -> None:
    literal: Any = Literal
    shape = shape_of(literal[Sides.LEFT, Sides(0)], "it")

    assert (shape.convert(0), shape.convert(1)) == (Sides(0), Sides.LEFT)
    with pytest.raises(Unfit, match="it must be the name of a Sides: LEFT, 0"):
        shape.convert(2)


@dataclass
class Pile:
    cards: list[int]


def test_what_a_domain_lists_is_the_same_after_a_rule_has_written_to_it() -> None:
    class Takes(Game):
        @move(pile=[Pile([1]), Pile([2])], pair=[(1, [2])])
        def take(self, pile: Pile, pair: tuple[int, list[int]]) -> None:
            pile.cards.append(9)
            pair[1].append(9)

    before = begin(Takes).legal(0)
    name, arguments = before.plays[0]
    begin(Takes).play(0, name, arguments, 1, now=0.0)

    assert begin(Takes).legal(0) == before


def test_what_a_free_says_of_a_value_is_a_text(caplog: pytest.LogCaptureFixture) -> None:
    too_large: Any = lambda value: value > 3  # noqa: E731  # pyright: ignore

    class Says(Game):
        @move(number=Free(int, lambda dice: dice.randrange(9), too_large))
        def say(self, number: int) -> None:
            pass

    assert isinstance(begin(Says).play(0, "say", {"number": 5}, 1, now=0.0), Refused)
    assert "the check of a Free returned True; it says in a text what is wrong, or returns None" in caplog.text


@pytest.mark.parametrize(
    ("verb", "given", "named", "said"),
    [
        ("ask", [["a", "b"], "which?"], {}, "first comes who is asked"),
        ("ask", [0, "which?", ["a"]], {}, "the options come second, and the text third"),
        ("ask", [0, "yes or no?"], {}, "offers the letters of 'yes or no?'; the options come before the text"),
        ("tell", [0, "hello"], {}, "tell() says a text first, and then to whom"),
        ("finish", [0], {"scores": {0: 1}}, "finish(scores=…) is a dict of [0]; write the score of each seat"),
        ("turn_to", [0, 1], {}, None),
    ],
)
def test_words_in_another_order_are_told_the_right_one(
    verb: str, given: list[Any], named: dict[str, Any], said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Says(Game):
        @move
        def say(self) -> None:
            getattr(self, verb)(*given, **named)

    outcome = begin(Says).play(0, "say", {}, 1, now=0.0)

    assert isinstance(outcome, Step) == (said is None)
    assert (said or "") in caplog.text


@pytest.mark.parametrize(
    "code",
    [
        "for seat in range(self.players): self.heap += seat",
        "self.heap = [7][0 :: self.players][0]",
        "self.heap = 10 - self.players",
        "self.heap = sum([1] * self.players)",
        "if self.players > 2: self.heap = 5",
        "if self.players == 2: self.heap = 5",
    ],
)
def test_the_seats_are_not_taken_for_their_number(code: str, tmp_path: Path) -> None:
    source = (
        f"from netcode.turns import Game, move\nclass Heap(Game):\n  heap: int = 5\n  def setup(self):\n    {code}\n"
    )
    path = tmp_path / "heap.py"
    path.write_text(f"{source}  @move\n  def take(self): self.finish(self.mover)\n")

    with pytest.raises(
        Trouble, match=r"Heap.setup takes self.players for a number, .* `len\(self.players\)` is how many"
    ):
        load_game(str(path))


def test_what_is_done_with_the_seats_is_left_alone() -> None:
    class Seats(Game):
        log: list[str] = []

        def setup(self) -> None:
            self.log = [f"{seat}" for seat in self.players if seat in self.players and seat not in self.players[1:]]
            self.log += ["%s" % self.players, str(len(self.players) * 2)]  # noqa: UP031 - as a beginner writes it

        @move
        def go(self) -> None:
            self.finish(self.mover)

    assert begin(Seats).view(0)["log"] == pack(["0", "range(0, 2)", "4"])


def test_scores_may_be_given_by_seat() -> None:
    class Scored(Game):
        @move
        def end(self) -> None:
            self.finish(1, scores={1: 7, 0: 4})

    table = begin(Scored)
    table.play(0, "end", {}, 1, now=0.0)

    assert table.result is not None
    assert table.result.scores == (4, 7)


# Who is gone, or late.


class Vote(Game):
    seats = 3, 3
    grace = 5.0
    said: list[bool] = []

    @move
    def propose(self) -> None:
        self.said.append(self.ask(1, bool, "agree?", default=False))
        self.turn_to(0)

    @move
    def drop(self) -> None:
        self.out(2)


def test_who_is_absent_is_answered_for_as_often_as_there_is_a_default() -> None:
    table = Table.create(Vote, 3, secret=secret_of(1))
    table.start(0.0)
    for number, now in ((1, 10.0), (2, 20.0), (3, 30.0)):
        table.play(0, "propose", {}, number, now=now)
        due = table.due()
        assert due is not None
        assert due <= now
        table.advance(now)

    assert seen(table).said == [False, False, False]


def test_who_is_out_may_leave_and_ends_no_game(hall: Hall) -> None:
    table = Table.create(Vote, 3, secret=secret_of(1))
    table.start(0.0)
    table.play(0, "drop", {}, 1, now=0.0)

    assert table.forfeit(2, 0.0) == Refused("you are out of the game")
    assert table.result is None


def test_who_is_out_and_absent_is_answered_for_too_and_no_table_plays_itself_without_pause() -> None:
    class Last(Vote):
        @move
        def ask_who_is_out(self) -> None:
            self.out(2)
            self.ask(2, [1, 2], "a last word?", default=1)

    class Endless(Vote):
        asked: int = 0

        def round(self) -> None:
            self.ask(0, [1], "go on?", default=1)
            self.asked += 1

        def setup(self) -> None:
            self.turn_to()

    last, endless = (Table.create(game, 3, secret=secret_of(1)) for game in (Last, Endless))
    for table in (last, endless):
        table.start(0.0)
    last.play(0, "ask_who_is_out", {}, 1, now=20.0)

    assert (last.due(), len(last.advance(20.0)), last.to_move) == (5.0, 1, (1,))
    assert last.due() is None
    assert (len(endless.advance(20.0)), endless.due()) == (12, 21.0)


def test_hooks_and_shown_values_may_be_written_in_every_way_in_which_the_kit_can_call_them() -> None:
    class Ways(Game):
        @staticmethod
        def imagine(seat: int) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

        @staticmethod
        def timeout(*_: int) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

        @shown
        def by_default(self, seat: int, more: int = 2) -> int:
            return seat + more

        @shown
        def positional(self, seat: int, /) -> int:
            return seat

        @shown
        def several(self, *seats: int) -> int:
            return len(seats)

        @move
        def go(self) -> None:
            self.finish()

    table = Table.create(Ways, 2, secret=secret_of(1))
    table.start(0.0)

    assert {name: unpack(table.view(1)[name]) for name in ("by_default", "positional", "several")} == {
        "by_default": 3,
        "positional": 1,
        "several": 1,
    }
    assert check(Ways, 2).ok


def test_what_is_chosen_of_is_the_same_object_unless_a_rule_could_write_to_it() -> None:
    @dataclass(frozen=True)
    class Card:
        rank: int

    @dataclass
    class Pile:
        cards: int

    ace = Card(1)
    same: list[bool] = []

    class Laid(Game):
        @move(card=[ace, Card(2)], pile=[Pile(3)])
        def lay(self, card: Card, pile: Pile) -> None:
            same.append(card is ace)
            pile.cards -= 1
            self.require(pile.cards == 2, "it was written to")
            self.finish()

    table = Table.create(Laid, 2, secret=secret_of(1))
    table.start(0.0)

    assert len(table.legal(0).plays) == 2
    assert isinstance(table.play(0, "lay", table.legal(0).plays[0][1], 1, now=0.0), Step)
    assert same[-1] is True


def test_a_question_does_not_offer_two_options_that_are_one_thing_once_they_are_sent() -> None:
    class Letter(enum.Enum):
        A = 1

    class Asks(Game):
        @move
        def go(self) -> None:
            self.ask(self.mover, ["A", Letter.A], "which?")

    assert "which are one thing once they are sent" in "\n".join(check(Asks, 1).problems)


# Names that the module has only when the class is there.


def test_a_class_inside_of_the_rules_names_them_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def define() -> type[Game]:
        class Grow(Game):
            class Colour(enum.Enum):
                GREEN = 1

            @dataclass
            class Branch:
                colour: "Grow.Colour"
                parts: "list[Grow.Branch]" = field(default_factory=list)  # pyright: ignore

            root: Branch
            lost: "Hidden[list[Grow.Branch]]"

            def setup(self) -> None:
                self.root = self.Branch(self.Colour.GREEN)
                self.lost = [self.Branch(self.Colour.GREEN)]

            @move
            def grow(self, colour: "Grow.Colour") -> None:
                self.root.parts.append(self.Branch(colour))

        return Grow

    before = define()
    monkeypatch.setitem(globals(), "Grow", before)  # as in a notebook, where a cell runs again
    for game in (before, define()):
        table = begin(game)
        assert isinstance(table.play(0, "grow", {"colour": "GREEN"}, 1, now=0.0), Step)

        assert str(seen(table).root) == str(seen(Table.restore(game, table.snapshot())).root)
        assert len(seen(table).root.parts) == 1


def test_the_parts_of_a_class_inside_of_the_rules_are_found_where_they_are() -> None:
    class Grow(Game):
        class Colour(enum.Enum):
            GREEN = 1

        @dataclass
        class Branch:
            colour: "Colour"  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore

        root: Branch

        def setup(self) -> None:
            self.root = self.Branch(self.Colour.GREEN)

        @move
        def stay(self) -> None: ...

    assert seen(begin(Grow)).root.colour is Grow.Colour.GREEN


def written(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> Any:
    """Return a module of rules that evaluates no annotation by itself."""
    module: Any = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    head = (
        "from __future__ import annotations\nimport dataclasses, enum, typing\nfrom netcode.turns import Game, move\n"
    )
    names: dict[str, Any] = module.__dict__
    exec(compile(head + text, name, "exec", dont_inherit=True), names)
    return module


def fields_of(game: Any) -> dict[str, Any]:
    return {name: one.type for name, one in game._definition.fields.items()}


GO = "    @move\n    def go(self): pass\n"


def test_what_is_inside_of_a_class_goes_before_the_class_and_before_what_python_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = "    class {0}(enum.Enum):\n        A = 1\n    had: list[{0}] = []\n" + GO
    text = "class Domino(Game):\n" + inside.format("Domino") + "class Cake(Game):\n" + inside.format("slice")
    module = written(monkeypatch, "nested", text)
    names: dict[str, Any] = module.__dict__

    for _ in range(2):  # as in a notebook, where a cell runs again
        assert get_args(fields_of(module.Domino)["had"]) == (module.Domino.Domino,)
        assert get_args(fields_of(module.Cake)["had"]) == (module.Cake.slice,)
        exec(compile("from __future__ import annotations\n" + text, "nested", "exec", dont_inherit=True), names)


def test_a_base_is_read_with_the_names_of_its_own_module(monkeypatch: pytest.MonkeyPatch) -> None:
    written(monkeypatch, "cards_of_old", "Deck = list\nclass Base(Game):\n    deck: Deck[int] = []\n" + GO)
    text = "import cards_of_old\nclass Deck(cards_of_old.Base):\n    more: list[Deck.Card] = []\n"
    made = written(monkeypatch, "cards_of_now", text + "    class Card(enum.Enum):\n        ACE = 1\n").Deck

    assert [get_args(one) for one in fields_of(made).values()] == [(int,), (made.Card,)]


def test_a_class_of_the_module_is_not_read_with_what_is_inside_of_a_game(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "@dataclasses.dataclass\nclass Slot:\n    card: Card\nclass Mine(Game):\n    slots: list[Slot] = []\n"
    with pytest.raises(RulesError, match="Slot: an annotation cannot be evaluated: name 'Card' is not defined"):
        written(monkeypatch, "slots", text + "    class Card(enum.Enum):\n        ACE = 1\n" + GO)
