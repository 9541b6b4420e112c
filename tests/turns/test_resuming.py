"""Rules that ask something else when they run again: what was begun is taken back, and what nobody chose begins anew."""

from typing import Any, ClassVar

import pytest

from netcode.turns import Clock, Free, Game, move
from netcode.turns.table import Refused, Step, Table, TakenBack


class Moody(Game):
    """Asks what stands outside of its fields, which no rule may look at."""

    MOOD: ClassVar[list[int]] = [1]
    clock = Clock(per_move=10)
    log: list[str] = []

    def setup(self) -> None:
        self.turn_to(*self.players)

    @move
    def show(self) -> None:
        self.log.append(f"{self.mover} showed {self.ask(self.mover, self.MOOD, 'how?')}")

    def timeout(self, seat: int) -> None:
        self.log.append(f"{seat} was late, {self.ask(1 - seat, self.MOOD, 'go on?')}")
        self.turn_to(*self.players)

    def round(self) -> None:
        self.log.append(f"a round, {self.ask(0, self.MOOD, 'again?')}")
        self.turn_to(*self.players)


class Late(Moody):
    def setup(self) -> None:
        self.turn_to(0)


class MoodyMove(Game):
    MOOD: ClassVar[list[int]] = [1]
    log: list[int] = []

    @move
    def go(self) -> None:
        self.log.append(self.ask(self.mover, self.MOOD, "which?"))


@pytest.fixture(autouse=True)
def calm() -> None:
    Moody.MOOD[:] = MoodyMove.MOOD[:] = [1]


def begin(game: type[Game]) -> Table:
    table = Table.create(game, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)
    return table


def do(table: Table, seat: int, name: str, option: Any = None, now: float = 0.0) -> Step:
    number, asked = table.last_number(seat) + 1, table.question(seat)
    if name:
        step = table.play(seat, name, {}, number, now=now)
    else:
        assert asked is not None
        step = table.answer(seat, asked.id, option, number, now=now)
    assert isinstance(step, Step), step
    return step


def taken_back(step: Step) -> list[TakenBack]:
    return [one for one in step.happenings if isinstance(one, TakenBack)]


def test_a_move_is_taken_back_and_its_mover_moves_again() -> None:
    table = begin(MoodyMove)
    do(table, 0, "go")
    MoodyMove.MOOD[:] = [1, 2]

    step = do(table, 0, "", 1)

    assert [one.seat for one in taken_back(step)] == [0]
    assert (table.to_move, table.course.values, table.question(0)) == ((0,), {"log": []}, None)
    assert "asks something else" in table.complaints["MoodyMove.go"]
    do(table, 0, "go")
    do(table, 0, "", 2)
    assert table.course.values == {"log": [2]}


def test_a_move_of_several_at_once_lapses_and_the_others_go_on() -> None:
    table = begin(Moody)
    for seat in range(2):
        do(table, seat, "show")
    Moody.MOOD[:] = [1, 2]

    step = do(table, 0, "", 1)

    assert [one.seat for one in taken_back(step)] == [0]
    assert table.question(1) is not None
    do(table, 1, "", 2)
    assert table.course.values == {"log": ["1 showed 2"]}
    assert table.question(0) is not None  # of the round


def test_the_last_of_several_at_once_lapses_and_the_round_begins() -> None:
    table = begin(Moody)
    for seat in range(2):
        do(table, seat, "show")
    do(table, 0, "", 1)
    Moody.MOOD[:] = [2]

    step = do(table, 1, "", 1)

    assert [one.seat for one in taken_back(step)] == [1]
    asked = table.question(0)
    assert asked is not None
    assert (asked.prompt, asked.options) == ("again?", (2,))


def test_a_round_begins_again() -> None:
    table = begin(Moody)
    for seat in range(2):
        do(table, seat, "show")
    for seat in range(2):
        do(table, seat, "", 1)
    Moody.MOOD[:] = [3]

    step = do(table, 0, "", 1)

    assert [one.seat for one in taken_back(step)] == [None]
    do(table, 0, "", 3)
    assert (table.course.values["log"][-1], table.to_move) == ("a round, 3", (0, 1))


def test_a_timeout_is_over_and_the_turn_passes() -> None:
    table = begin(Late)
    table.advance(20.0)
    assert table.question(1) is not None
    Moody.MOOD[:] = [4]

    step = do(table, 1, "", 1, now=20.0)

    assert [one.seat for one in taken_back(step)] == [0]
    assert table.course.values == {"log": []}
    assert table.to_move == (1,)


def test_a_rule_that_comes_to_no_question_when_it_is_restored_is_taken_back() -> None:
    table = begin(MoodyMove)
    do(table, 0, "go")
    state = table.snapshot()
    MoodyMove.MOOD[:] = [1, 2]

    back = Table.restore(MoodyMove, state)

    assert [type(one) for one in back.restored] == [TakenBack]
    assert (back.to_move, back.question(0)) == ((0,), None)
    assert isinstance(back.answer(0, "0-0", 1, 9, now=0.0), Refused)


class Fewer(Game):
    """Asks but once, and does not ask again when it runs with the answer."""

    RUNS: ClassVar[list[int]] = []
    log: list[int] = []

    @move
    def go(self) -> None:
        self.RUNS.append(1)
        self.log.append(self.ask(self.mover, [1], "which?") if len(self.RUNS) == 1 else 7)


def test_a_rule_that_asks_fewer_questions_when_it_runs_again_is_taken_back() -> None:
    Fewer.RUNS.clear()
    table = begin(Fewer)
    do(table, 0, "go")

    step = do(table, 0, "", 1)

    assert [one.seat for one in taken_back(step)] == [0]
    assert (table.to_move, table.course.values) == ((0,), {"log": []})
    assert "asks something else" in table.complaints["Fewer.go"]


class Shared(Game):
    """A move leaves two names for one list, and a set in an order of its own; the round that follows asks."""

    heap: list[int] = [1]
    last: list[int] = []
    some: set[int] = set()
    taken: list[int] = []

    begun: bool = False

    @move
    def go(self) -> None:
        self.last = self.heap
        self.some = {8, 0}
        self.begun = True
        self.turn_to()

    def round(self) -> None:
        if not self.begun:
            self.turn_to(0)
            return
        self.heap.append(9)
        for number in self.some:
            if self.ask(0, ["yes", "no"], f"{number}?") == "yes":
                self.taken.append(number)
        self.finish()


def test_a_round_finds_what_the_move_before_it_left_as_it_is_stored() -> None:
    table = begin(Shared)
    do(table, 0, "go")
    asked = dict(table.course.values)

    steps = [do(table, 0, "", "yes") for _ in range(2)]

    assert (asked["heap"], asked["last"]) == ([1, 9], [1])
    assert [taken_back(step) for step in steps] == [[], []]
    assert table.course.values == {"heap": [1, 9], "last": [1], "some": {0, 8}, "begun": True, "taken": [*{0, 8}]}
    assert table.complaints == {}


class WrongBefore(Game):
    """A move leaves what cannot be stored, and the round after it does not look there."""

    cards: list[int] = []

    @move
    def go(self) -> None:
        self.cards = (1, 2)  # type: ignore[assignment]
        self.turn_to()

    def round(self) -> None:
        self.turn_to(0)


def test_what_a_move_leaves_is_looked_at_before_the_round_that_follows() -> None:
    table = Table.create(WrongBefore, 2, secret=bytes(32))
    table.start(0.0)

    refused = table.play(0, "go", {}, 1, now=0.0)

    assert isinstance(refused, Refused)
    assert "WrongBefore.cards is a tuple" in table.complaints["WrongBefore"]


class Backwards(Game):
    total: int = 0

    @move
    def go(self) -> None:
        self.total += 1
        self.finish(self.mover)
        self.ask(self.mover, ["C", "D"], "which suit?")


def test_what_asks_when_the_game_is_over_is_a_bug_of_the_rules() -> None:
    table = begin(Backwards)

    refused = table.play(0, "go", {}, 1, now=0.0)

    assert isinstance(refused, Refused)
    assert "ask() after finish(), when nobody can answer any more" in table.complaints["Backwards"]
    assert (table.result, table.question(0), table.course.values) == (None, None, {"total": 0})


class Unsayable(Game):
    clock = Clock(per_move=10)
    said: str = ""

    @move
    def go(self) -> None:
        words: Any = Free(str, lambda _dice: "a", lambda _text: None)
        default: Any = object()
        self.said = self.ask(self.mover, words, "what?", default=default)


def test_a_default_that_cannot_be_sent_is_said_where_it_is_given() -> None:
    table = begin(Unsayable)

    refused = table.play(0, "go", {}, 1, now=0.0)

    assert isinstance(refused, Refused)
    assert "the default of ask() holds what is of type object, which cannot be sent" in table.complaints["Unsayable"]
