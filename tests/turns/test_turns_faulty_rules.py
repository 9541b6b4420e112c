"""Rules with a bug: what fails is refused or left out, the log and `check` are told, and every other table goes on."""

import random
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from netcode.turns import Free, Game, Hidden, Owned, RulesError, check, move, options, shown
from netcode.turns import table as table_module
from netcode.turns.events import Refused
from netcode.turns.table import Step, Table
from netcode.turns.values import unpack
from turns.hall import Hall, TicTacToe

REFUSED = "the rules failed at this, which is a bug in them; the game goes on without it"


class Faulty(Game):
    """Does something wrong on demand."""

    absent = "bot"
    grace = 5.0
    wrong: str = ""
    hands: Owned[list[list[int]]]
    stock: Hidden[list[int]]

    def setup(self) -> None:
        self.hands = [[1], [2]]
        self.stock = [3]

    def listed(self) -> list[int]:
        return [1 // (self.wrong != "domain")]

    @move(number=listed)
    def take(self, number: int) -> None: ...

    @move(what=Free(str, lambda dice: str(1 // 0), lambda what: what[20]))
    def say(self, what: str) -> None: ...

    @shown
    def sight(self, seat: int) -> int:
        return 1 // (self.wrong != "shown")

    @move(what=Free(str, lambda dice: "shown", lambda what: None))
    def fail(self, what: str) -> None:
        self.wrong = what
        self.turn_to(self.mover)
        everything: Any = self
        other = 1 - self.mover
        match what:
            case "option":
                self.ask(other, [object()])
            case "options":
                self.ask(other, range(4000), "x" * 16_000)
            case "prompt":
                everything.ask(other, [1], {1: 2})
            case "told":
                everything.tell(3)
            case "fact":
                self.tell("that", much=2**70)
            case "facts":
                self.tell("that", much=[1] * 4000, more=["x" * 100] * 4000)
            case "text":
                everything.finish(0, text=3)
            case "scores":
                everything.finish(0, scores="no")
            case "score":
                self.finish(0, scores=[2**70, 0])
            case _:
                self.spoil(what)

    def spoil(self, what: str) -> None:
        """Set a field to what its annotation does not say."""
        everything: Any = self
        match what:
            case "hands":
                everything.hands = None
            case "card":
                everything.hands[1 - self.mover] = ["an ace"]
            case "field":
                everything.wrong = 3
            case "hidden":
                everything.stock.append(None)
            case _:
                pass


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(Faulty, TicTacToe)
    yield hall
    hall.close()


@pytest.mark.parametrize(
    "what",
    [
        "option", "options", "prompt", "told", "fact", "facts", "text", "scores", "score",
        "hands", "card", "field", "hidden",
    ],
)  # fmt: skip
def test_what_could_not_be_told_is_refused_at_the_move(hall: Hall, what: str, caplog: pytest.LogCaptureFixture) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()
    faulty, other = hall.join(Faulty), hall.join(Faulty)

    hall.move(faulty, "fail", what=what)

    assert [event.text for event in hall.heard(faulty, Refused)] == [REFUSED]
    assert "RulesError" in caplog.text
    hall.move(faulty, "take", number=1)
    hall.until(lambda: other.my_turn)
    hall.finish(ann, bob)


@pytest.mark.parametrize("what", ["domain", "shown"])
def test_what_cannot_be_shown_is_left_out_and_the_server_goes_on(
    hall: Hall, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    hall.serve()
    ann, bob = hall.join(), hall.join()
    faulty = hall.join(Faulty)
    hall.join(Faulty)

    hall.move(faulty, "fail", what=what)

    assert faulty.view.wrong == what
    assert faulty.view.sight(0) == (None if what == "shown" else 1)  # and not as it was before
    assert "what is shown of it" in caplog.text or "what it lists failed in Faulty.take" in caplog.text
    hall.join(Faulty, watch=True)
    hall.join(Faulty, ticket=faulty.ticket)
    hall.kill()
    hall.serve()
    hall.play(20.0)  # bots play for who is absent, or cannot
    hall.finish(ann, bob)


def test_check_tells_of_a_view_that_fails() -> None:
    class Blind(Game):
        moves: int = 0

        @move
        def go(self) -> None:
            self.moves += 1
            if self.moves == 5:
                self.finish()

        @shown
        def sight(self, seat: int) -> int:
            return [1, 2, 3][self.moves]

    assert "Blind.sight fails: IndexError: list index out of range, at " in "".join(check(Blind, 3).problems)


def test_a_draw_that_fails_draws_nothing() -> None:
    table = Table.create(Faulty, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)

    assert table.draw(0, "say", random.Random(1)) is None
    (complaint,) = table.complaints.items()
    assert complaint[0] == "Faulty.say"
    assert complaint[1].startswith("fails: ZeroDivisionError: integer division or modulo by zero, at ")


def test_the_error_says_how_much_may_be_told() -> None:
    table = Table.create(Faulty, 2, secret=bytes(32))
    assert isinstance(table.start(0.0), Step)

    table.course.kit.begin(0)
    with pytest.raises(RulesError, match=r"tell\(\) says 20005 bytes, and at most 16384 are told at once"):
        table.course.kit.tell("x" * 20_000, None, {})


class Leaving(Game):
    """Rules that end the program wherever they run."""

    ends: ClassVar[bool] = False
    n: int = 0

    def setup(self) -> None:
        self.turn_to(*self.players)

    def targets(self) -> list[int]:
        if self.ends:
            sys.exit(3)
        return [1, 2]

    @shown
    def mine(self, seat: int) -> int:
        if self.ends:
            sys.exit(4)
        return seat

    @move(x=targets)
    def go(self, x: int) -> None:
        self.n = x

    @move
    def leave(self) -> None:
        sys.exit(5)


def test_rules_that_end_the_program_end_nothing_wherever_they_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table.create(Leaving, 2, {}, secret=bytes(32))
    table.start(0.0)

    assert isinstance(table.play(0, "leave", {}, 1, now=0.0), table_module.Refused)
    monkeypatch.setattr(Leaving, "ends", True)
    table.forget()
    assert unpack(table.view(0)["mine"]) is None
    assert [name for name, _ in table.legal(0).plays] == ["leave"]
    assert any("SystemExit: 3" in text for text in table.complaints.values())
    assert table.draw(0, "go", random.Random(1)) is None
    assert isinstance(table.play(0, "go", {"x": 1}, 1, now=0.0), table_module.Refused)


class Keeping(Game):
    """Keeps dice beside the game: those of the first dry run, with which no rule is to go on."""

    KEPT: ClassVar[list[random.Random]] = []
    number: int = 0

    @move
    def roll(self) -> None:
        self.KEPT.append(self.random)
        self.require(self.number < 3, "that is enough")
        self.number = self.KEPT[0].randrange(6)


def test_rules_that_keep_what_they_were_tried_with_end_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Keeping, "KEPT", [])
    hall.games = (Keeping, TicTacToe)
    hall.serve()
    cid, dan = hall.join(), hall.join()
    ann, _ = hall.join(Keeping), hall.join(Keeping)

    hall.move(ann, ann.legal[0])

    assert "Keeping.roll uses dice, or a game, that was kept beside the game when it was tried" in caplog.text
    assert [event.text for event in hall.heard(ann, Refused)] == [REFUSED]
    hall.finish(cid, dan)
    assert "Keeping.roll uses dice, or a game, that was kept beside the game" in " ".join(check(Keeping, 1).problems)


def test_a_text_with_half_of_a_surrogate_pair_is_told_written_out(hall: Hall) -> None:
    class Odd(Game):
        @move
        def go(self) -> None:
            self.require(False, "no \udcff")

    class Bad(Odd):
        def setup(self) -> None:
            raise OSError("cannot read '\udcff.txt'")

    hall.games = (Odd, Bad)
    hall.serve()
    ann, _ = hall.join(Odd), hall.join(Odd)
    cid, _ = hall.join(Bad), hall.join(Bad)
    hall.move(ann, "go")
    hall.play(1.0)

    assert [event.text for event in hall.heard(ann, Refused)] == ["no \\udcff"]
    assert cid.frozen == "the rules of Bad cannot begin: OSError: cannot read '\\udcff.txt'"


class Choosy(TicTacToe):
    @options(names=Free(list[str], lambda dice: ["x"], lambda names: None if names[0] else "none"))
    def setup(self, names: list[str] = ["x"]) -> None: ...  # noqa: B006 - each table gets its own


def test_an_option_at_which_rules_fail_is_refused_and_the_others_play_on() -> None:
    hall = Hall(Choosy)
    hall.serve()
    here, other = hall.join(Choosy), hall.join(Choosy)

    stranger = hall.join(Choosy, options={"names": []})

    assert stranger.reason == "names: the rules failed at this, which is a bug in them"
    hall.finish(here, other)
    hall.close()
