"""Slips that rules can have and nobody sees: they are told, and stop no other table."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NewType

import pytest

from netcode.turns import Clock, Game, Hidden, Owned, RulesError, check, move
from netcode.turns.runtime.view import make_view
from netcode.turns.simulate import secret_of
from netcode.turns.table import Refused, Step, Table
from turns.hall import Hall, TicTacToe


def begin(game: type[Game]) -> Table:
    table = Table.create(game, 2, secret=secret_of(1))
    assert isinstance(table.start(0.0), Step)
    for seat in (0, 1):
        table.presence(seat, True, 0.0)
    return table


def seen(table: Table) -> Any:
    """Return what somebody sees who watches."""
    return make_view(table.game, table.view(None), None, players=2, names=["Ann", "Bob"], options={})


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


class Bits(Game):
    """Lists more and more of what cannot be sent."""

    count: int = 0

    def squares(self) -> list[Any]:
        return [1, 1 << 65 * self.count]

    @move(square=squares)
    def put(self, square: int) -> None:
        self.count = 1

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
    problems = " ".join(check(Bits, 3).problems)

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

    assert "Looks.go fails: SystemExit" in str(check(Looks, 20))


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
    assert "a variable beside the game?" in str(check(Remembers, 5))


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
