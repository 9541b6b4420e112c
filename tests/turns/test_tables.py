"""One table through time: clocks, absence, undo, questions, storing and restoring, and rules that changed meanwhile."""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from netcode.diagnostics import log
from netcode.turns import Clock, Free, Game, Hidden, Owned, Result, RulesError, move, options
from netcode.turns.table import Over, Refused, Step, Table, TakenBack, Told
from netcode.turns.values import same, unpack

SECRET = bytes(range(32))


def begin(game: type[Game], players: int = 2, **chosen: Any) -> Table:
    table = Table.create(game, players, chosen, secret=SECRET, names=[*"ABCDE"[:players]])
    for seat in range(players):
        table.presence(seat, True, 0.0)
    step = table.start(0.0)
    assert isinstance(step, Step)
    return table


def done(outcome: Step | Refused) -> Step:
    assert isinstance(outcome, Step), outcome
    return outcome


def field(table: Table, seat: int | None, name: str) -> Any:
    return unpack(table.view(seat)[name])


def restored(table: Table, game: type[Game] | None = None, now: float = 0.0) -> Table:
    return Table.restore(game or table.game, table.snapshot(), now=now)


class Count(Game):
    seats = 2, 4
    total: int = 0
    last: int | None = None

    @move(by=range(1, 4))
    def add(self, by: int) -> None:
        self.require(by != self.last, "not the same number again")
        self.total, self.last = self.total + by, by
        if self.total >= 10:
            self.finish(self.mover)


# Clocks.


class Patient(Count):
    clock = Clock(per_move=5)

    def timeout(self, seat: int) -> None:
        self.total += 1


def test_a_game_says_what_a_timeout_means() -> None:
    table = begin(Patient)

    table.advance(5.0)

    assert (field(table, None, "total"), table.to_move, table.result) == (1, (1,), None)


class Refusing(Patient):
    def timeout(self, seat: int) -> None:
        self.require(self.total, "nothing was added yet")


class Failing(Patient):
    def timeout(self, seat: int) -> None:
        self.total //= self.total


@pytest.mark.parametrize(
    ("game", "logged"),
    [
        (
            Refusing,
            "Refusing.timeout refuses by require() that the time of a seat is up (nothing",
        ),
        (
            Failing,
            "a timeout failed in Failing.timeout:",
        ),
    ],
)
def test_that_a_timeout_of_the_rules_did_not_come_to_its_end_is_told_and_why_is_logged(
    game: type[Game], logged: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    table = begin(game)

    (step,) = table.advance(5.0)

    who = table.names[0]
    assert step.happenings == (
        Told(f"{who} has lost, since the rules did not go on when that time was up", {}),
        Over(Result((1,), None, f"{who} ran out of time")),
    )
    assert [message.startswith(logged) for message in caplog.messages] == [True]


class Unwilling(Count):
    clock = Clock(per_move=5)

    @move
    def choose(self) -> None:
        by = self.ask(self.mover, (1, 2), "how many?", default=1)
        self.require(by == 2, "two at least")
        self.total += by


def test_rules_that_refuse_their_own_default_are_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    table = begin(Unwilling)
    done(table.play(0, "choose", {}, 1, now=0.0))

    table.advance(5.0)

    assert table.result is not None
    (logged,) = caplog.messages
    assert logged == (
        "Unwilling.choose refuses the default of its own question (two at least), so that the time of the asked seat is "
        "up instead; let the default be what it can go on with"
    )


# Absence.


class Forfeit(Count):
    absent = "forfeit"
    grace = 30.0


def test_who_is_gone_for_longer_than_the_grace_forfeits() -> None:
    table = begin(Forfeit)
    table.presence(1, False, 10.0)

    before = table.due(), table.advance(39.0)
    table.advance(40.0)

    assert before == (40.0, ())
    assert table.result is not None
    assert table.result.winners == (0,)


def test_who_comes_back_in_time_plays_on() -> None:
    table = begin(Forfeit)
    table.presence(1, False, 10.0)
    table.presence(1, True, 39.0)

    table.advance(100.0)

    assert table.result is None


class StandIn(Count):
    absent = "bot"
    grace = 5.0


def test_a_bot_is_asked_for_who_is_absent_and_to_move() -> None:
    table = begin(StandIn)
    table.presence(0, False, 0.0)

    assert (table.stand_ins(4.9), table.stand_ins(5.0)) == ((), (0,))
    done(table.play(0, "add", {"by": 1}, 1, now=5.0))
    assert table.stand_ins(6.0) == ()


def test_who_gives_up_has_lost() -> None:
    table = begin(Count, 3)

    done(table.forfeit(1, 0.0))

    assert table.result is not None
    assert (table.result.winners, table.result.text) == ((0, 2), "B gave up")
    assert table.play(0, "add", {"by": 1}, 1, now=0.0) == Refused("the game is over")
    assert table.forfeit(0, 0.0) == Refused("the game is over")


class OnWithout(Count):
    absent = "out"
    grace = 30.0


def out(table: Table, seat: int) -> Told:
    return Told(f"{table.names[seat]} is out of the game, which goes on", {})


def test_a_game_goes_on_without_who_leaves_while_two_stay() -> None:
    table = begin(OnWithout, 4)

    steps = [done(table.forfeit(2, 0.0)), done(table.forfeit(0, 1.0))]

    assert [step.happenings for step in steps] == [(out(table, 2),), (out(table, 0),)]
    assert (table.result, table.to_move, table.status(1.0).out) == (None, (1,), (2, 0))
    assert table.forfeit(0, 2.0) == Refused("you are out of the game")
    for seat in (1, 3, 1):
        assert table.to_move == (seat,)
        done(table.play(seat, "add", {"by": 1 + seat // 3}, 0, now=2.0))
    done(table.forfeit(3, 3.0))
    assert table.result is not None
    assert (table.result.winners, table.result.text) == ((1,), "D gave up")


def test_a_game_goes_on_without_who_is_gone_for_longer_than_the_grace() -> None:
    table = begin(OnWithout, 3)
    table.presence(0, False, 10.0)

    (due, (step,)), again = (table.due(), table.advance(40.0)), table.advance(400.0)

    assert (due, step.happenings, again) == (40.0, (out(table, 0),), ())
    assert (table.result, table.to_move, table.due()) == (None, (1,), None)


def test_who_is_put_out_stays_out_after_a_restart_from_the_state_and_from_the_log() -> None:
    table = begin(OnWithout, 3)
    before = table.snapshot()

    step = done(table.forfeit(0, 0.0))

    for back in (restored(table), Table.restore(OnWithout, before, [step.entry], now=0.0)):
        assert back.snapshot() == table.snapshot()
        assert (back.status(0.0).out, back.to_move) == ((0,), (1,))


class Asking(Game):
    seats = 2, 4
    absent = "out"
    said: list[str] = []
    rounds: int = 0

    def setup(self) -> None:
        self.turn_to(*self.players)

    @move(word=("yes", "no"))
    def say(self, word: str) -> None:
        self.said.append(f"{self.mover} {word}")

    def round(self) -> None:
        self.rounds += 1
        self.said.append(self.ask(self.alive[-1], ("a", "b"), "which?"))
        self.turn_to(*self.alive)


def test_the_unseen_move_of_who_is_put_out_is_dropped_and_the_others_are_made() -> None:
    table = begin(Asking, 4)
    done(table.play(1, "say", {"word": "yes"}, 1, now=0.0))
    done(table.play(2, "say", {"word": "no"}, 1, now=0.0))
    done(table.play(3, "say", {"word": "no"}, 1, now=0.0))

    done(table.forfeit(1, 0.0))
    assert (table.to_move, field(table, None, "said")) == ((0,), [])
    done(table.forfeit(0, 0.0))

    assert (field(table, None, "said"), field(table, None, "rounds")) == (["2 no", "3 no"], 1)
    assert (table.status(0.0).asked, table.to_move) == (True, (3,))


def test_a_question_to_who_is_put_out_is_asked_of_others() -> None:
    table = begin(Asking, 4)
    for seat in range(4):
        done(table.play(seat, "say", {"word": "no"}, 1, now=0.0))
    assert table.question(3) is not None

    step = done(table.forfeit(3, 0.0))

    assert step.happenings == (out(table, 3),)
    asked = table.question(2)
    assert asked is not None
    done(table.answer(2, asked.id, "a", 2, now=0.0))
    assert (field(table, None, "said")[-1], table.to_move) == ("a", (0, 1, 2))


class Polite(Count):
    absent = "out"

    @move
    def trade(self) -> None:
        self.total += self.ask(self.after(self.mover), (1, 2), "how many?")


def test_a_move_that_waits_for_an_answer_is_taken_back_where_somebody_is_put_out() -> None:
    table = begin(Polite, 4)
    done(table.play(0, "trade", {}, 1, now=0.0))

    step = done(table.forfeit(1, 0.0))

    assert step.happenings == (TakenBack(0, "the move is taken back: B is out of the game"), out(table, 1))
    assert (table.to_move, table.status(0.0).asked) == ((0,), False)
    done(table.play(0, "trade", {}, 2, now=0.0))
    assert table.to_move == (2,)


class Bargain(Asking):
    @move
    def bid(self) -> None:
        answers = self.ask_all([seat for seat in self.alive if seat != self.mover], ("a", "b"), "for whom?")
        self.said.append(f"{self.mover} of {sorted(answers)}")


def test_a_move_of_several_at_once_that_waits_for_answers_is_made_anew_where_another_seat_is_put_out() -> None:
    table = begin(Bargain, 4)
    for seat in (0, 1, 3):
        done(table.play(seat, "bid", {}, 1, now=0.0))
    done(table.play(2, "say", {"word": "no"}, 1, now=0.0))
    asked = table.question(1)
    assert asked is not None
    done(table.answer(1, asked.id, "a", 2, now=0.0))

    step = done(table.forfeit(3, 0.0))

    dropped = TakenBack(None, "D is out of the game, so what others had answered is dropped")
    assert step.happenings == (dropped, out(table, 3))
    for number, mover, seats in ((3, 0, (1, 2)), (3, 1, (0, 2))):
        assert table.to_move == seats
        for seat in seats:
            asked = table.question(seat)
            assert asked is not None
            done(table.answer(seat, asked.id, "a", number + (mover == 1 and seat == 2), now=0.0))
    assert field(table, None, "said")[:3] == ["0 of [1, 2]", "1 of [0, 2]", "2 no"]

    again = begin(Bargain, 4)
    for seat in range(4):
        done(again.play(seat, "bid", {}, 1, now=0.0))
    step = done(again.forfeit(0, 0.0))
    assert step.happenings == (TakenBack(0, "the move is taken back: A is out of the game"), out(again, 0))
    assert again.to_move == (2, 3)


class Eager(Count):
    absent = "out"

    def setup(self) -> None:
        self.total = self.ask(0, (1, 2), "from where?")


class Stuck(Count):
    absent = "out"

    def setup(self) -> None:
        self.turn_to(*self.players)

    def round(self) -> None:
        self.require(len(self.alive) == len(self.players), "all have to be there")
        self.turn_to(*self.players)


def test_a_game_whose_setup_asks_ends_where_somebody_leaves() -> None:
    step = done(begin(Eager, 3).forfeit(0, 0.0))

    assert step.happenings == (Over(Result((1, 2), None, "A gave up")),)


def test_where_the_rules_refuse_to_go_on_without_a_seat_the_others_have_won_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    table = begin(Stuck, 3)
    for seat in (1, 2):
        done(table.play(seat, "add", {"by": seat}, 1, now=0.0))
    again = Table.restore(Stuck, table.snapshot())

    step = done(table.forfeit(0, 0.0))

    assert again.replay(step.entry, 0.0) == step.happenings
    told = Told("the game is over, since the rules did not go on without A", {})
    assert step.happenings == (told, Over(Result((1, 2), None, "A gave up")))
    refuses = "Stuck.round refuses by require() to go on without a seat that is gone (all have to be there), so that"
    assert [message.startswith(refuses) for message in caplog.messages] == [True]
    assert table.complaints["Stuck.round"].startswith("refuses by require() what nobody has asked for: decide there")


class Throws(Game):
    """Asks everybody, also those who are out."""

    seats = 3, 4
    absent = "out"
    grace = 5
    thrown: list[str] = []

    def round(self) -> None:
        self.thrown += self.ask_all(self.players, ("rock", "paper"), "what do you throw?").values()
        if self.ask_any(self.players, ("on", "off"), "once more?")[1] == "off":
            self.finish()


def test_a_game_is_over_where_a_rule_waits_for_a_seat_that_is_out_and_gone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    table = begin(Throws, 3)
    for seat in range(3):
        table.presence(seat, seat != 0, 1.0)

    out, over = table.advance(6.0)

    assert out.happenings[0] == Told("A is out of the game, which goes on", {})
    told = Told("the game is over, since the rules did not go on without A", {})
    assert over.happenings == (told, Over(Result((1, 2), None, "A gave up")))
    asks = "Throws.round asks a seat that is out, at which nobody is any more, so that the others have won; "
    assert caplog.messages == [f"{asks}ask `self.alive`"]


def test_whoever_is_here_answers_for_a_seat_that_is_out_and_gone_where_any_may() -> None:
    table = begin(Throws, 3)
    for seat in range(3):
        table.presence(seat, True, 1.0)
    done(table.forfeit(0, 1.0))
    for seat in range(3):
        asked = table.question(seat)
        assert asked is not None
        done(table.answer(seat, asked.id, "rock", 1, now=1.0))

    table.presence(0, False, 2.0)

    assert (table.due(), table.advance(9.0), table.to_move) == (None, (), (0, 1, 2))
    asked = table.question(2)
    assert asked is not None
    done(table.answer(2, asked.id, "on", 2, now=9.0))
    assert (table.due(), restored(table).due(), table.result) == (10.0, 5.0, None)
    [over] = table.advance(10.0)
    assert over.happenings[-1] == Over(Result((1, 2), None, "A gave up"))


# Questions.


class Auction(Game):
    seats = 2, 4
    hands: Owned[list[list[int]]]
    stock: Hidden[list[int]] = [1, 2, 3, 4, 5, 6, 7, 8]
    bids: dict[int, int] = {}
    first: tuple[int, str] | None = None

    def setup(self) -> None:
        self.hands = [[self.stock.pop()] for _ in self.players]

    @move
    def bid(self) -> None:
        self.tell("the bidding begins", lots=1)
        self.bids = self.ask_all(self.players, lambda seat: range(1 + seat, 4 + seat), "how much?")
        self.stock.insert(self.random.randrange(len(self.stock) + 1), 99)

    @move
    def call(self) -> None:
        self.first = self.ask_any([seat for seat in self.players if seat != self.mover], ["snap", "pass"], "quick!")


def ask(table: Table, seat: int) -> str:
    question = table.question(seat)
    assert question is not None
    return question.id


def test_sealed_answers_come_in_any_order_and_may_change_until_the_last() -> None:
    table = begin(Auction, 3)
    step = done(table.play(0, "bid", {}, 1, now=0.0))
    assert [told.text for told in step.happenings if isinstance(told, Told)] == ["the bidding begins"]

    done(table.answer(2, ask(table, 2), 3, 1, now=0.0))
    done(table.answer(2, ask(table, 2), 5, 2, now=0.0))
    done(table.answer(0, ask(table, 0), 1, 2, now=0.0))
    early = field(table, None, "bids")
    last = done(table.answer(1, ask(table, 1), 4, 1, now=0.0))

    assert (early, field(table, None, "bids")) == ({}, {0: 1, 1: 4, 2: 5})
    assert not any(isinstance(told, Told) for told in last.happenings)


def test_only_who_is_asked_sees_the_question() -> None:
    table = begin(Auction, 3)
    done(table.play(0, "call", {}, 1, now=0.0))

    assert table.question(0) is None
    assert [table.question(seat) is None for seat in (1, 2)] == [False, False]
    assert table.legal(1).plays == (("", {"answer": "snap"}), ("", {"answer": "pass"}))
    assert table.legal(0).plays == ()


def test_the_first_answer_counts_and_a_late_one_is_told() -> None:
    table = begin(Auction, 3)
    done(table.play(0, "call", {}, 1, now=0.0))
    question = ask(table, 1)

    done(table.answer(2, ask(table, 2), "snap", 1, now=0.0))
    late = table.answer(1, question, "snap", 1, now=0.0)

    assert field(table, None, "first") == [2, "snap"]
    assert isinstance(late, Refused)
    assert late.text.startswith("too late")


def test_a_table_is_stored_and_goes_on_at_each_point_of_a_question() -> None:
    straight, broken = begin(Auction, 2), begin(Auction, 2)

    for table in (straight, broken):
        for seat, option, number in ((None, None, 1), (1, 3, 1), (0, 2, 2)):
            if table is not straight:
                broken = restored(broken)
            now = straight if table is straight else broken
            if seat is None:
                done(now.play(0, "bid", {}, number, now=0.0))
            else:
                done(now.answer(seat, ask(now, seat), option, number, now=0.0))

    assert broken.snapshot() == straight.snapshot()


def test_a_log_leads_where_the_table_stood() -> None:
    table = Table.create(Auction, 2, secret=SECRET)
    at_first = table.snapshot()
    steps = [table.start(0.0), table.play(0, "bid", {}, 1, now=0.0)]
    steps += [table.answer(1, ask(table, 1), 3, 1, now=0.0), table.answer(0, ask(table, 0), 2, 2, now=0.0)]

    again = Table.restore(Auction, at_first, [done(step).entry for step in steps])

    assert again.snapshot() == table.snapshot()


# Rules that changed.


class Sized(Count):
    size: int = 0

    @options(size=range(3, 8))
    def setup(self, size: int = 3) -> None:
        self.size = size


def test_a_table_goes_on_with_an_option_that_its_rules_no_longer_have() -> None:
    class Smaller(Sized):
        @options(size=range(3, 5))
        def setup(self, size: int = 3) -> None:
            self.size = size

    later = restored(restored(begin(Sized, size=7), Smaller))

    done(later.play(0, "add", {"by": 2}, 1, now=0.0))
    assert (later.options, later.course.game.options, later.course.game.size) == ({"size": 7}, {"size": 7}, 7)


@dataclass
class Soldier:
    """It is made of a text, and never of one that says nothing."""

    health: int

    def __init__(self, text: str) -> None:
        self.health = int(text)
        if not self.health:
            raise ValueError("dead at birth")


class War(Game):
    soldier: Soldier = Soldier("1")
    ahead: int = 0
    wins: dict[int, int] = {}

    @move
    def strike(self) -> None:
        self.soldier.health -= 1
        self.ahead = self.soldier.health == 0
        self.wins[True] = 1


def test_a_table_goes_on_with_what_its_rules_stored_whatever_makes_such_a_value() -> None:
    table = begin(War)
    done(table.play(0, "strike", {}, 1, now=0.0))

    class Later(War):
        @move
        def strike(self) -> None:
            self.soldier.health -= 2

    later = restored(table, Later)
    done(later.play(1, "strike", {}, 1, now=0.0))

    assert (later.frozen, later.course.values["soldier"].health) == ("", -2)
    assert same([later.course.values["ahead"], later.course.values["wins"]], [True, {True: 1}])


def test_a_state_that_no_longer_fits_is_frozen_with_the_reason() -> None:
    table = begin(Count)

    class Renamed(Game):
        points: int

        @move
        def go(self) -> None: ...

    later = restored(table, Renamed)

    reason = "the rules have changed: points is new and has no default; write upgrade(cls, old)"
    assert later.play(0, "go", {}, 1, now=0.0) == Refused(f"this table is frozen: {reason}")


# Dice.


class Dice(Game):
    seats = 2, 3
    rolled: list[int] = []

    @move
    def roll(self) -> None:
        self.rolled.append(self.random.randrange(1_000_000))


def test_dice_do_not_depend_on_anything_but_the_secret_and_the_move() -> None:
    first, second = begin(Dice), begin(Dice)
    random.seed(1)
    done(first.play(0, "roll", {}, 1, now=0.0))
    random.seed(2)
    done(second.play(0, "roll", {}, 1, now=99.0))

    other = Table.create(Dice, 2, secret=bytes(32))
    done(other.start(0.0))
    done(other.play(0, "roll", {}, 1, now=0.0))

    assert field(first, None, "rolled") == field(second, None, "rolled") != field(other, None, "rolled")


def test_what_a_rule_does_to_its_arguments_is_not_stored() -> None:
    class Writes(Game):
        kept: list[Any] = []

        @move(x=Free(list, lambda _dice: [[1]], lambda _x: None))
        def put(self, x: list[Any]) -> None:
            x[0].append(99)
            self.ask(self.mover, [1, 2], "sure?")
            self.kept = x
            self.turn_to(0)

        @move(x=Free(list, lambda _dice: [[1]], lambda _x: None))
        def drop(self, x: list[Any]) -> None:
            x[0].append(7)
            answer = self.ask(self.mover, Free(list, lambda _dice: [], lambda _x: None), "more?")
            answer.append(5)
            self.kept = [*x, answer]
            self.turn_to(0)

    table = Table.create(Writes, 2, {}, secret=SECRET)
    state = table.snapshot()
    entries = [done(table.start(0.0)).entry]
    for number, (name, option) in enumerate((("put", 1), ("drop", [7]), ("put", 2))):
        entries.append(done(table.play(0, name, {"x": [[1]]}, 2 * number + 1, now=0.0)).entry)
        asked = table.question(0)
        assert asked is not None
        entries.append(done(table.answer(0, asked.id, option, 2 * number + 2, now=0.0)).entry)
        again = Table.restore(Writes, state, entries)
        assert again.view(None) == table.view(None)
        assert field(table, None, "kept") == ([[1, 7], [7, 5]] if name == "drop" else [[1, 99]])


def test_the_check_of_a_free_answer_may_refuse_and_what_else_it_does_is_undone() -> None:
    class Checked(Game):
        n: int = 0

        @move
        def go(self) -> None:
            def check(x: int) -> None:
                self.require(x < 5, "too large")
                if x == 4:
                    self.finish(0)
                    raise ValueError("no four")

            self.n = self.ask(self.mover, Free(int, lambda _dice: 1, check), "n?")

    table = begin(Checked)
    done(table.play(0, "go", {}, 1, now=0.0))
    asked = table.question(0)
    assert asked is not None

    assert table.answer(0, asked.id, 9, 2, now=0.0) == Refused("too large")
    assert isinstance(table.answer(0, asked.id, 4, 2, now=0.0), Refused)
    assert (table.result, table.question(0)) == (None, asked)
    done(table.answer(0, asked.id, 3, 2, now=0.0))
    assert field(table, None, "n") == 3


def test_a_start_that_fails_late_has_not_begun() -> None:
    class Late(Game):
        tries: ClassVar[list[int]] = []
        v: int = 0

        def setup(self) -> None:
            self.tries.append(1)
            self.turn_to(1)
            if len(self.tries) == 1:
                self.v = "x"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

        @move
        def go(self) -> None: ...

    table = Table.create(Late, 2, {}, secret=SECRET)
    with pytest.raises(RulesError, match="v is a str"):
        table.start(0.0)

    assert (table.started, table.to_move) == (False, ())
    done(table.start(0.0))
    assert table.to_move == (1,)


def test_an_undo_that_the_clock_cannot_pay_is_refused() -> None:
    class Added(Game):
        clock = Clock(minutes=1, increment=10)
        n: int = 0

        @move
        def go(self) -> None:
            self.n += 1
            self.turn_to(self.mover)

    class Hidden_(Added):  # noqa: N801
        secret: Hidden[int] = 1

    free, agreed = begin(Added), begin(Hidden_)
    for table in (free, agreed):
        done(table.play(0, "go", {}, 1, now=59.0))
    done(agreed.undo(0, 59.5))

    refused = Refused("there is too little time on the clock to take a move back: what was added for it would be gone")
    assert free.undo(0, 65.0) == agreed.consent(1, True, 65.0) == refused
    for table in (free, agreed):
        assert table.status(65.0).clocks == (5.0, 60.0)
        assert table.advance(65.0) == ()
    done(free.undo(0, 59.5))
    assert free.status(59.5).clocks == (0.5, 60.0)


def test_a_clock_at_zero_with_a_default_is_looked_at_once_a_second() -> None:
    class Loop(Game):
        clock = Clock(minutes=1)
        n: int = 0

        def round(self) -> None:
            self.n += self.ask(0, [1, 2], "go on?", default=1)

    table = begin(Loop)

    assert table.due() == 60.0
    assert len(table.advance(61.0)) == 8
    assert table.due() == 62.0


def test_grace_begins_for_all_at_once_though_it_is_none() -> None:
    class Strict(Game):
        absent = "forfeit"
        grace = 0

        @move
        def go(self) -> None: ...

    table = Table.create(Strict, 2, {}, secret=SECRET)
    table.start(0.0)
    for seat in (0, 1):
        table.note_presence(seat, True, 0.0)

    assert table.advance(0.0) == ()
    assert len(table.presence(1, False, 1.0)) == 1


def test_time_that_is_held_counts_for_nobody() -> None:
    class Timed(Count):
        clock = Clock(minutes=1)
        absent = "forfeit"
        grace = 20

    table = begin(Timed)
    table.presence(1, False, 10.0)

    table.hold(5.0, 35.0)

    assert table.due() == 55.0
    assert table.status(35.0).clocks == (55.0, 60.0)
    assert table.advance(54.0) == ()
    table.hold(60.0, 60.0)
    assert len(table.advance(55.0)) == 1


# What a rule has done that waits for an answer.


class Trade(Game):
    """Lays on the table what it asks about, and has told it."""

    seats = 2, 4
    coins: list[int]
    goods: Owned[list[list[str]]]
    rounds: int = 0

    def setup(self) -> None:
        self.coins = [10 for _ in self.players]
        if self.ask(0, (True, False), "with goods?"):
            self.goods = [["silk"] for _ in self.players]
        self.turn_to(0)

    @move
    def offer(self) -> None:
        self.coins[self.mover] -= 3
        self.tell("three coins for silk")
        self.ask(self.after(self.mover), ("yes", "no"), "is it a deal?")
        self.turn_to()

    def round(self) -> None:
        self.rounds += 1
        self.require(len(self.alive) == len(self.players), "there is nobody to trade with")
        self.ask_all(self.alive, ("on", "off"), "another round?")
        self.turn_to(0)

    def timeout(self, seat: int) -> None:
        raise ValueError(seat)


class TradeOn(Trade):
    absent = "out"
    clock = Clock(per_move=10)


def traded(game: type[Game], *steps: str) -> Table:
    """Return a table at which a rule waits after these steps: those of moves, and answers."""
    table = begin(game, 3)
    for step in steps:
        seat = table.to_move[0]
        question = table.question(seat)
        if question is None:
            done(table.play(seat, step, {}, 0, now=0.0))
        else:
            done(table.answer(seat, question.id, step == "yes" if "with" in question.prompt else step, 0, now=0.0))
    return table


@pytest.mark.parametrize(
    ("game", "steps", "seat", "failed"),
    [
        (Trade, (), 0, False),
        (Trade, ("yes",), 1, False),
        (Trade, ("yes", "offer"), 0, False),
        (Trade, ("yes", "offer"), 1, False),
        (Trade, ("yes", "offer"), 2, False),
        (Trade, ("yes", "offer", "yes", "on"), 1, False),
        (TradeOn, ("yes", "offer", "yes", "on"), 1, True),
    ],
)
def test_it_stays_as_all_have_seen_it_where_the_game_is_over_since_somebody_leaves(
    game: type[Game], steps: tuple[str, ...], seat: int, failed: bool
) -> None:
    table = traded(game, *steps)
    views = [dict(table.view(viewer)) for viewer in (None, *range(3))]
    again = restored(table)

    step = done(table.forfeit(seat, 0.0))

    told = (Told(f"the game is over, since the rules did not go on without {'ABC'[seat]}", {}),) if failed else ()
    winners = tuple(other for other in range(3) if other != seat)
    assert step.happenings == (*told, Over(Result(winners, None, f"{'ABC'[seat]} gave up")))
    opened = {name: table.course.packed[name] for name in ("goods",) if name in table.course.packed}
    assert [dict(table.view(viewer)) for viewer in (None, *range(3))] == [{**view, **opened} for view in views]
    assert (table.to_move, [*map(table.question, range(3))], table.undoing.last) == ((), [None] * 3, None)
    assert again.replay(step.entry, 0.0) == step.happenings
    assert (again.snapshot(), restored(again).snapshot()) == (table.snapshot(), table.snapshot())
    assert restored(again).frozen == ""


def test_it_stays_as_all_have_seen_it_where_the_rules_fail_when_the_time_is_up() -> None:
    table = traded(TradeOn, "yes", "offer")
    coins = field(table, None, "coins")

    [step] = table.advance(10.0)

    told = "B has lost, since the rules did not go on when that time was up"
    assert step.happenings == (Told(told, {}), Over(Result((0, 2), None, "B ran out of time")))
    assert (field(table, None, "coins"), coins) == ([7, 10, 10], [7, 10, 10])


def test_it_is_taken_back_and_all_are_told_where_the_game_goes_on_without_who_leaves() -> None:
    table = traded(TradeOn, "yes", "offer")
    number = table.number

    step = done(table.forfeit(2, 0.0))

    gone = TakenBack(0, "the move is taken back: C is out of the game")
    assert step.happenings == (gone, Told("C is out of the game, which goes on", {}))
    assert (field(table, None, "coins"), table.to_move, table.can_undo(0)) == ([10, 10, 10], (0,), "")
    assert (table.number, table.last_number(0)) == (number + 1, 0)


# What cannot be stored.


class Rings(Game):
    links: list[Any] = []

    @move
    def close(self) -> None:
        self.links.append(self.links)


def test_what_holds_itself_is_told_with_the_field_that_does() -> None:
    table = Table.create(Rings, 2, secret=bytes(32))
    table.start(0.0)

    refused = table.play(0, "close", {}, 1, now=0.0)

    assert isinstance(refused, Refused)
    assert table.complaints["Rings"].startswith(
        "fails: RulesError: after Rings.close, Rings.links holds itself, or nests without end; it cannot"
    )
