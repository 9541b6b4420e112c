"""Rules that ask something else when they run again: what was begun is taken back, and what nobody chose begins anew."""

from enum import Flag
from typing import Any, ClassVar

import pytest

from netcode.turns import Clock, Free, Game, Owned, move, shown
from netcode.turns.player.sight import make_view
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


class Heroes(Game):
    """Asks in its setup who plays whom, before it deals."""

    seats = 2, 3
    score: list[int] = [0, 0]
    heroes: list[str]
    hands: Owned[list[list[int]]]

    def setup(self) -> None:
        self.heroes = [self.ask(seat, ["knight", "witch"], "who are you?") for seat in self.players]
        self.hands = [[self.random.randrange(100)] for _ in self.players]

    @shown
    def best(self, seat: int) -> int:
        return max(self.hands[seat])

    @move
    def go(self) -> None:
        self.finish(self.mover)


def test_a_setup_that_asks_outlives_a_restart_before_it_has_set_everything() -> None:
    table, other = begin(Heroes), begin(Heroes)
    do(table, 0, "", "witch")
    do(other, 0, "", "witch")

    back = Table.restore(Heroes, table.snapshot())

    assert (back.frozen, back.damage, back.snapshot()) == ("", "", table.snapshot())
    do(back, 1, "", "knight")
    do(other, 1, "", "knight")
    assert (back.course.values["heroes"], back.to_move) == (["witch", "knight"], (0,))
    assert back.view(0) == other.view(0)


def test_a_game_that_somebody_left_while_its_setup_asked_is_over_after_a_restart_too() -> None:
    table = begin(Heroes)
    table.forfeit(1, 0.0)

    back = Table.restore(Heroes, table.snapshot())

    assert (back.frozen, back.snapshot(), back.result) == ("", table.snapshot(), table.result)
    assert back.result is not None


def test_a_setup_that_asks_goes_on_under_changed_rules_from_the_defaults_of_those() -> None:
    class Changed(Heroes):
        score: list[str]  # type: ignore[assignment] # pyright: ignore[reportIncompatibleVariableOverride]
        bonus: dict[str, int] = {}
        lives: int

        def setup(self) -> None:
            super().setup()
            self.score = ["none" for _ in self.players]  # pyright: ignore[reportIncompatibleVariableOverride]
            self.lives = 3

        @classmethod
        def upgrade(cls, old: dict[str, Any]) -> dict[str, Any]:
            raise AssertionError("there is no state yet that could be upgraded")

    table = begin(Heroes)
    do(table, 0, "", "witch")

    back = Table.restore(Changed, table.snapshot())
    do(back, 1, "", "knight")

    assert back.frozen == ""
    assert back.course.values["heroes"] == ["witch", "knight"]
    assert (back.course.values["score"], back.course.values["bonus"]) == (["none", "none"], {})


def test_what_a_setup_that_asks_has_yet_to_set_is_said(caplog: pytest.LogCaptureFixture) -> None:
    table = begin(Heroes)

    seen = make_view(Heroes, table.view(0), 0, {"names": table.names, "to_move": (0,)})

    assert seen.score == [0, 0]
    with pytest.raises(AttributeError, match=r"the view of Heroes has no 'hands': setup\(\) has yet to set it"):
        _ = seen.hands
    with pytest.raises(AttributeError, match="'Heroes' object has no attribute 'hand'"):
        _ = seen.hand
    hint = "setup() has yet to set hands; with a default it is there from the beginning: `hands: … = …`"
    assert hint in table.complaints["Heroes.best"]
    assert caplog.text.rstrip().endswith(hint)


def test_what_is_taken_back_already_is_not_taken_back_once_more() -> None:
    table = begin(MoodyMove)
    do(table, 0, "go")
    waiting = table.snapshot()
    MoodyMove.MOOD[:] = [1, 2]

    do(table, 0, "", 1)
    back = Table.restore(MoodyMove, waiting)

    assert [len(back.restored), back.to_move] == [1, (0,)]
    assert [one.can_undo(0) for one in (table, back)] == ["", ""]
    assert [one.undo(0, 0.0) for one in (table, back)] == [Refused("there is no move of yours to take back")] * 2


class Colours(Flag):
    RED = 1
    GREEN = 2
    BLUE = 4


class Painted(Game):
    """Asks for flags, some at once, and for none."""

    colours: Colours = Colours(0)

    @move
    def paint(self) -> None:
        offered = [Colours(0), Colours.RED, Colours.BLUE | Colours.GREEN, Colours.RED | Colours.GREEN | Colours.BLUE]
        self.colours = self.ask(self.mover, offered, "which?")


class Repainted(Painted):
    """Other rules, which ask the same."""

    times: int = 0


@pytest.mark.parametrize("rules", [Painted, Repainted])
def test_flags_that_are_asked_for_are_the_same_question_under_other_rules(rules: type[Game]) -> None:
    table = begin(Painted)
    do(table, 0, "paint")

    back = Table.restore(rules, table.snapshot())

    assert (back.restored, back.frozen, back.question(0)) == ((), "", table.question(0))
    do(back, 0, "", "GREEN|BLUE")
    assert back.course.values["colours"] is Colours.GREEN | Colours.BLUE
