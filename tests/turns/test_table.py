"""One table: what is refused changes nothing, questions go on from where one was, views hide, clocks run, moves return."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import make_dataclass
from typing import Any, Literal, NamedTuple

import pytest

from netcode.turns import Clock, Free, Game, Hidden, Owned, Result, RulesError, move, options
from netcode.turns.runtime.legal import Budget
from netcode.turns.runtime.transactions import time_out
from netcode.turns.simulate import choices_of
from netcode.turns.table import Moved, Over, Refused, Step, Table, TakenBack, Told
from netcode.turns.values import MAX_DEPTH, pack, unpack
from turns.hall import Grab

SECRET = bytes(range(32))


def begin(game: type[Game], players: int | None = None, **chosen: Any) -> Table:
    table = Table.create(game, players or game.seats[0], chosen, secret=SECRET)
    assert isinstance(table.start(0.0), Step)
    for seat in range(table.players):
        table.presence(seat, True, 0.0)
    return table


def play(table: Table, seat: int, name: str, now: float = 0.0, **arguments: Any) -> Step | Refused:
    return table.play(seat, name, arguments, table.last_number(seat) + 1, now=now)


def answer(table: Table, seat: int, option: Any, now: float = 0.0) -> Step | Refused:
    asked = table.question(seat)
    assert asked is not None
    return table.answer(seat, asked.id, option, table.last_number(seat) + 1, now=now)


def happenings(step: Step | Refused) -> list[object]:
    assert isinstance(step, Step), step
    return [*step.happenings]


def seen(table: Table, seat: int | None = None) -> Mapping[str, Any]:
    return {name: unpack(data) for name, data in table.view(seat).items()}


def again(table: Table, now: float = 0.0) -> Table:
    """Return the table as it is after a restart."""
    back = Table.restore(table.game, table.snapshot(), now=now)
    assert back.frozen == ""
    return back


class Count(Game):
    total: int = 0

    @move(number=range(1, 4))
    def add(self, number: int) -> None:
        self.total += number
        self.require(self.total <= 10, "that is more than ten")
        if self.total == 10:
            self.finish(self.mover)


def test_a_refusal_undoes_what_the_rule_did() -> None:
    table = begin(Count)
    for seat in (0, 1, 0):
        play(table, seat, "add", number=3)
    before = table.snapshot()

    refused = play(table, 1, "add", number=2)

    assert refused == Refused("that is more than ten")
    assert (table.snapshot(), table.course.values) == (before, {"total": 9})
    assert table.legal(1).plays == (("add", {"number": 1}),)
    assert happenings(play(table, 1, "add", number=1)) == [Moved(1, "add"), Over(Result((1,)))]
    assert play(table, 0, "add", number=1) == Refused("the game is over")
    assert table.legal(0).plays == ()


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("add", {"number": 4}, "number must be one of 1, 2, 3"),
        ("add", {"number": True}, "number must be one of 1, 2, 3"),
        ("add", {"number": 1.0}, "number must be one of 1, 2, 3"),
        ("add", {"number": [[1]]}, "number must be one of 1, 2, 3"),
        ("add", {"numbers": 1}, "add takes number"),
        ("add", {"number": 1, "more": 2}, "add takes number"),
        ("sub", {"number": 1}, "there is no such move; Count has add"),
        (["add"], {"a": 1}, "there is no such move; Count has add"),
        ("add", [1], "add takes number"),
        ("add", {"number": "x" * 70_000}, "its texts are longer than 65536 characters together"),
    ],
)
def test_what_strangers_say_is_refused_with_a_sentence(name: Any, arguments: Any, text: str) -> None:
    table = begin(Count)

    assert table.play(0, name, arguments, 1, now=0.0) == Refused(text)
    assert table.course.values == {"total": 0}


def test_arguments_that_nest_too_deep_are_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]

    assert begin(Count).play(0, "add", {"number": deep}, 1, now=0.0) == Refused("it nests deeper than 12 levels")


def test_a_play_that_is_sent_again_is_answered_and_not_applied() -> None:
    table = begin(Count)
    table.play(0, "add", {"number": 2}, 1, now=0.0)

    resent = again(table).play(0, "add", {"number": 2}, 1, now=0.0)

    assert (resent, table.last_number(0), seen(table)) == (Step(b"", again=True), 1, {"total": 2})


@pytest.mark.parametrize(
    ("seats", "numbers"), [((1, 1), "1 player"), ((2, 2), "2 players"), ((2, 5), "2 to 5 players")]
)
def test_how_many_players_a_game_is_for_is_said_as_people_say_it(seats: tuple[int, int], numbers: str) -> None:
    game = type("Counted", (Count,), {"seats": seats, "__module__": __name__})

    with pytest.raises(ValueError, match=f"^Counted is for {numbers}, not 6$"):
        Table.create(game, 6, secret=SECRET)


@pytest.mark.parametrize(
    ("players", "secret", "names"), [(3, SECRET, ()), (2, b"short", ()), (2, SECRET, ("ann",)), (True, SECRET, ())]
)
def test_a_table_that_cannot_be(players: int, secret: bytes, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"Count is for 2 players|secret must be 32|names must be one"):
        Table.create(Count, players, secret=secret, names=names)


def test_a_table_that_has_not_begun_takes_no_moves() -> None:
    table = Table.create(Count, 2, secret=SECRET, names=("ann", "bob"))

    assert play(table, 0, "add", number=1) == Refused("the game has not begun")
    assert again(table).names == ["ann", "bob"]
    assert isinstance(table.start(0.0), Step)
    assert table.start(0.0) == Refused("the game has begun already")


class Bids(Game):
    """Draws, tells, asks twice, and tells what came of it."""

    stock: Hidden[list[int]]
    hands: Owned[list[list[int]]]
    log: list[str] = []
    dice: list[int] = []

    def setup(self) -> None:
        self.stock = [*range(10)]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop()] for _ in self.players]

    @move
    def bid(self) -> None:
        self.dice.append(self.random.randrange(10**9))
        self.tell("somebody bids", what=("a", 1))
        first = self.ask(1 - self.mover, ["low", "high"], "what do you bid?")
        self.dice.append(self.random.randrange(10**9))
        self.log.append(first)
        self.tell("one answered", to=self.mover, first=first)
        second = self.ask_all(self.players, lambda seat: [seat, seat + 1], "and now?")
        self.log.append(str(second))
        seat, third = self.ask_any(self.players, ["yes", "no"], "who is first?")
        self.require(third == "yes", "say yes")
        self.log.append(f"{seat}{third}")

    @move
    def pass_on(self) -> None:
        pass


def test_a_rule_goes_on_from_where_it_asked() -> None:
    table = begin(Bids)

    assert happenings(play(table, 0, "bid")) == [Moved(0, "bid"), Told("somebody bids", {"what": ["a", 1]})]
    first_die = seen(table)["dice"]
    table = again(table)
    assert (len(first_die), seen(table)["dice"], table.to_move) == (1, first_die, (1,))
    assert (table.question(0), table.legal(1).plays) == (None, (("", {"answer": "low"}), ("", {"answer": "high"})))
    assert answer(table, 1, "medium") == Refused("the answer must be one of low, high")
    assert happenings(answer(table, 1, "high")) == [Moved(1, None), Told("one answered", {"first": "high"}, (0,))]
    dice = seen(table)["dice"]
    assert (dice[0], len({*dice})) == (first_die[0], 2)

    assert happenings(answer(table, 1, 2)) == [Moved(1, None)]
    table = again(table)
    assert (table.to_move, seen(table)["log"], table.may_act(1)) == ((0,), ["high"], True)
    answer(table, 1, 1)
    answer(table, 0, 0)
    assert seen(table)["log"] == ["high", "{0: 0, 1: 1}"]

    assert answer(table, 0, "no") == Refused("say yes")
    assert (table.to_move, seen(table)["log"]) == ((0, 1), ["high", "{0: 0, 1: 1}"])
    answer(again(table), 0, "yes")
    late = table.question(0)
    assert late is not None
    answer(table, 1, "yes")

    assert (seen(table)["log"], seen(table)["dice"], table.to_move) == (["high", "{0: 0, 1: 1}", "1yes"], dice, (1,))
    assert table.answer(0, late.id, "yes", 9, now=0.0) == Refused("too late: that is not asked any more")


def test_nobody_answers_what_another_is_asked() -> None:
    table = begin(Bids)
    play(table, 0, "bid")
    asked = table.question(1)
    assert asked is not None

    assert table.answer(0, asked.id, "high", 2, now=0.0) == Refused("too late: that is not asked any more")
    assert seen(table)["log"] == []


def test_only_who_is_asked_sees_the_prompt_and_an_id_tells_nothing_of_others() -> None:
    table = begin(Bids)
    play(table, 0, "bid")
    answer(table, 1, "low")

    ids = [asked.id for asked in map(table.question, (0, 1)) if asked is not None]

    assert len({*ids}) == 2
    assert table.play(0, "pass_on", {}, 9, now=0.0) == Refused("answer the question first")


def test_hands_and_stocks_are_seen_as_their_marks_say() -> None:
    table = begin(Bids)
    hands = [hand[0] for hand in table.course.values["hands"]]

    assert seen(table, 0)["hands"] == [[hands[0]], [None]]
    assert seen(table, None)["hands"] == [[None], [None]]
    assert seen(table, 1)["stock"] == [None] * 8
    assert table.view(0) is table.view(0)


def test_dice_are_new_for_each_move_and_each_answer_and_the_same_when_tried_again() -> None:
    class Dice(Game):
        rolled: int = 0

        @move(sides=(6, 20))
        def roll(self, sides: int) -> None:
            self.rolled = self.random.randrange(10**12)

    one, other = begin(Dice), begin(Dice)
    rolls: list[int] = []
    for turn in range(50):
        play(one, turn % 2, "roll", sides=6)
        play(again(other), turn % 2, "roll", sides=6)
        play(other, turn % 2, "roll", sides=20)
        rolls.append(seen(one)["rolled"])
        assert seen(one) == seen(other)

    assert len({*rolls}) == 50


class Sealed(Game):
    """Both bid at once; equal bids clash."""

    seats = 3, 3
    bids: dict[int, int] = {}
    rounds: int = 0

    def round(self) -> None:
        self.rounds += 1
        if self.rounds == 3:
            self.finish()
        else:
            self.turn_to(*self.players)

    @move(amount=range(5))
    def bid(self, amount: int) -> None:
        self.require(amount not in self.bids.values(), "somebody bid that")
        self.bids[self.mover] = amount


def test_several_to_move_are_unseen_by_each_other_until_the_last() -> None:
    table = begin(Sealed)
    assert table.to_move == (0, 1, 2)

    assert happenings(play(table, 2, "bid", amount=1)) == [Moved(2, None)]
    table = again(table)
    assert play(table, 2, "bid", amount=3) == Refused("you have moved already; wait for the others")
    assert (table.to_move, seen(table, 2)["bids"], len(table.legal(0).plays)) == ((0, 1), {}, 5)
    play(table, 0, "bid", amount=1)
    assert table.play(1, "bid", {"amount": 9}, 1, now=0.0) == Refused("amount must be one of 0, 1, 2, 3, 4")
    play(table, 1, "bid", amount=0)

    # They are made in the order of the seats; what an earlier one made impossible lapses.
    assert (seen(table)["bids"], table.to_move, seen(table)["rounds"]) == ({0: 1, 1: 0}, (0, 1, 2), 2)
    assert play(table, 0, "bid", amount=1) == Refused("somebody bid that")


def test_a_round_that_asks_nobody_and_a_turn_that_is_nobodys() -> None:
    class Idle(Game):
        def round(self) -> None:
            pass

    class Nobody(Game):
        @move
        def go(self) -> None:
            self.out(0)
            self.out(1)

    with pytest.raises(RulesError, match="ran 1000 times and asked nobody"):
        begin(Idle)
    table = begin(Nobody)
    assert isinstance(play(table, 0, "go"), Refused)
    assert table.to_move == (0,)


def test_who_is_out_is_passed_by() -> None:
    class Out(Game):
        seats = 3, 3

        @move
        def leave(self) -> None:
            self.out(self.mover)
            if len(self.alive) == 1:
                self.finish(*self.alive, scores=[0, 0, 1], text="last")

        @move
        def stay(self) -> None:
            self.turn_to(self.mover)

    table = begin(Out)
    play(table, 0, "leave")
    play(table, 1, "stay")

    assert table.status(0.0).out == (0,)
    assert table.to_move == (1,)
    play(again(table), 1, "leave")
    play(table, 1, "leave")
    assert table.result == Result((2,), (0, 0, 1), "last")


def test_the_end_opens_the_fields_and_publishes_the_seed_unless_the_game_keeps_them() -> None:
    class Open(Game):
        card: Hidden[list[int]] = [7]
        _inside: int = 3

        @move
        def end(self) -> None:
            self.finish()

    class Closed(Open):
        reveal = False

    opened, closed = begin(Open), begin(Closed)
    assert (seen(opened), opened.status(0.0).secret) == ({"card": [None]}, None)
    play(opened, 0, "end")
    play(closed, 0, "end")

    assert (seen(opened), opened.status(0.0).secret) == ({"card": [7]}, SECRET)
    assert (seen(closed), closed.status(0.0).secret) == ({"card": [None]}, None)


def test_what_nothing_can_refuse_is_listed_without_being_tried() -> None:
    class Tried(Game):
        total: int = 0

        def small(self) -> list[int]:
            return [1, 2]

        @move(number=small)
        def add(self, number: int) -> None:
            self.total += number
            tried.append(number)

        @move(number=small)
        def careful(self, number: int) -> None:
            self.check(number)
            tried.append(-number)

        def check(self, number: int) -> None:
            if number == 2:
                raise ValueError

    tried = list[int]()

    listing = begin(Tried).legal(0)

    assert listing.plays == (("add", {"number": 1}), ("add", {"number": 2}), ("careful", {"number": 1}))
    assert tried == [-1]


def test_a_listing_has_a_budget_and_what_is_over_it_is_accepted_unlisted() -> None:
    class Huge(Game):
        place: int = 0

        @move(x=range(200), y=range(200))
        def go(self, x: int, y: int) -> None:
            self.place = x * y

        @move
        def stay(self) -> None:
            self.require(self.place >= 0, "never")

    table = begin(Huge)

    assert table.legal(0, Budget(seconds=60.0)).unlisted == ("go",)
    assert again(table).legal(0, Budget(100_000, seconds=-1.0)).unlisted == ("go",)
    assert isinstance(play(table, 0, "go", x=199, y=199), Step)


def test_what_is_drawn_for_a_free_move_is_what_the_rules_accept_now() -> None:
    class Bids(Game):
        bids: list[int] = []
        closed: bool = False

        def nobody(self) -> list[int]:
            self.require(self.closed, "not yet")
            return []

        @move(price=Free(int, lambda dice: dice.randrange(20), lambda price: None if price < 20 else "too much"))
        def bid(self, price: int) -> None:
            self.require(not self.closed, "the auction is over")
            self.require(price % 2 == 0, "only even prices")
            self.bids.append(price)

        @move
        def close(self) -> None:
            self.closed = True

        @move(seat=nobody, text=Free(str, lambda dice: "hello", lambda text: None))
        def whisper(self, seat: int, text: str) -> None: ...

    table, dice = begin(Bids), random.Random(1)

    drawn = [table.draw(0, "bid", dice) for _ in range(50)]
    assert {play["price"] for play in drawn if play is not None} == {*range(0, 20, 2)}
    assert table.draw(0, "whisper", dice) is None
    play(table, 0, "close")
    assert (table.legal(1).unlisted, table.draw(1, "bid", dice)) == (("bid", "whisper"), None)
    assert table.draw(1, "whisper", dice) is None
    assert choices_of(table, 1, dice) == [("close", {})]


def test_a_trial_stops_at_the_first_draw_and_is_no_oracle() -> None:
    class Oracle(Game):
        @move
        def roll(self) -> None:
            self.require(self.random.random() < 0.5, "bad luck")

    table = begin(Oracle)

    assert table.legal(0).plays == (("roll", {}),)
    play(table, 0, "roll")
    assert [*table.complaints] == ["Oracle.roll"]


def test_what_is_asked_must_have_options_and_nothing_may_catch_the_question() -> None:
    class Wrong(Game):
        @move
        def nothing(self) -> None:
            self.ask(0, list[int](), "which?")

        @move
        def nobody(self) -> None:
            self.ask_any([], [1], "which?")

        @move
        def stranger(self) -> None:
            self.ask(2, [1], "which?")

        @move
        def wrong_default(self) -> None:
            self.ask(0, [1], "which?", default=2)

        @move
        def catches(self) -> None:
            try:
                self.ask(0, [1], "which?")
            except BaseException:  # noqa: BLE001
                pass

    table = begin(Wrong)

    for name in ("nothing", "nobody", "stranger", "wrong_default", "catches"):
        assert isinstance(play(table, 0, name), Refused)
    assert (table.to_move, table.question(0)) == ((0,), None)


# -- clocks and absence


class Quick(Count):
    clock = Clock(minutes=1, increment=2)


def test_a_clock_runs_for_who_is_to_move_and_time_on_the_way_is_given_back_up_to_a_quota() -> None:
    table = begin(Quick)

    table.play(0, "add", {"number": 1}, 1, now=10.0, lag=0.5)
    table.play(1, "add", {"number": 1}, 1, now=20.0, lag=9.0)

    assert table.status(30.0).clocks == (60.0 - 10.0 + 0.5 + 2.0 - 10.0, 60.0 - 10.0 + 1.0 + 2.0)
    assert (table.status(30.0).running, table.due()) == ((0,), 20.0 + 52.5)


def test_who_is_out_of_time_has_lost() -> None:
    table = begin(Quick)

    assert table.advance(59.9) == ()
    assert play(table, 0, "add", now=60.0, number=1) == Refused("your time is up")
    (step,) = table.advance(60.0)

    assert happenings(step) == [Over(Result((1,), None, "seat 0 ran out of time"))]
    assert (table.due(), table.advance(99.0)) == (None, ())


def test_clocks_stand_while_the_server_is_down() -> None:
    table = begin(Quick)
    play(table, 0, "add", now=10.0, number=1)

    back = again(table, now=1000.0)

    assert (back.status(1000.0).clocks, back.status(1005.0).clocks) == ((52.0, 60.0), (52.0, 55.0))


def test_clocks_go_on_where_it_is_known_when_they_run_out() -> None:
    table = begin(Quick)
    play(table, 0, "add", now=10.0, number=1)
    back = again(table, now=1000.0)
    assert back.clock_due() == 1060.0

    back.run_out(1020.0)
    back.run_out(1090.0)  # nobody gets time by having slept

    assert (back.clock_due(), back.status(1000.0).clocks) == (1020.0, (52.0, 20.0))
    timeless = begin(Quick, clock=None)
    timeless.run_out(5.0)
    assert timeless.clock_due() is None


def test_a_table_may_choose_its_clock() -> None:
    table = begin(Quick, clock={"per_move": 5})
    play(table, 0, "add", now=4.0, number=1)

    assert table.status(4.0).clocks == (1.0, 5.0)
    assert begin(Quick, clock=None).status(0.0).clocks is None
    for wrong in ({"minutes": -1}, {"hours": 1}, {"minutes": 1, "per_move": 1}, 5, {"minutes": True}, {}):
        with pytest.raises(ValueError, match=r"clock (must be None, in JSON null, or like|is Clock\()"):
            begin(Quick, clock=wrong)


class Hasty(Game):
    """Asks with a default; who is out of time is out of the game."""

    seats = 3, 3
    clock = Clock(per_move=10)
    grace = 30.0
    said: str = ""

    @move
    def ask_next(self) -> None:
        self.said = self.ask(self.after(self.mover), ["a", "b"], "which?", default="b")

    @move
    def ask_hard(self) -> None:
        self.said = self.ask(self.after(self.mover), ["a", "b"], "which?")

    def timeout(self, seat: int) -> None:
        self.out(seat)


def test_a_question_with_a_default_is_answered_by_it_when_time_is_up() -> None:
    table = begin(Hasty)
    play(table, 0, "ask_next")

    (step,) = table.advance(10.0)

    assert (happenings(step), seen(table)["said"], table.to_move) == ([Moved(1, None)], "b", (1,))


def test_a_question_with_a_default_is_answered_by_it_for_who_is_absent() -> None:
    table = begin(Hasty, clock=None)
    table.presence(1, False, 0.0)
    play(table, 0, "ask_next", now=5.0)
    assert (table.due(), table.advance(29.0)) == (30.0, ())

    (step,) = table.advance(30.0)

    assert (happenings(step), seen(table)["said"]) == ([Moved(1, None)], "b")


def test_a_move_whose_question_ran_out_of_time_is_taken_back() -> None:
    table = begin(Hasty)
    play(table, 0, "ask_hard")

    (step,) = table.advance(10.0)

    assert happenings(step) == [TakenBack(0, "the move is taken back: the question was not answered in time")]
    assert (table.status(10.0).out, table.to_move) == ((1,), (0,))


class Timed(Game):
    """Three bid at once; who is out of time has bid nothing."""

    seats = 3, 3
    clock = Clock(per_move=10)
    bids: dict[int, int] = {}
    rounds: int = 0

    @move(much=range(9))
    def bid(self, much: int) -> None:
        self.bids[self.mover] = much

    @move
    def ask_first(self) -> None:
        self.bids[self.mover] = self.ask(self.mover, [1, 2], "how much?")

    def timeout(self, seat: int) -> None:
        self.bids[seat] = 0

    def round(self) -> None:
        self.rounds += bool(self.bids)
        self.turn_to(*self.players)


def test_what_others_have_moved_unseen_waits_when_the_time_of_one_is_up() -> None:
    table = begin(Timed)
    play(table, 0, "bid", now=1.0, much=4)
    play(table, 1, "bid", now=2.0, much=3)

    (step,) = again(table).advance(10.0)
    table.advance(10.0)

    assert happenings(step) == []
    assert (seen(table), table.to_move) == ({"bids": {2: 0, 0: 4, 1: 3}, "rounds": 1}, (0, 1, 2))


def test_who_has_time_left_moves_after_another_ones_time_is_up() -> None:
    class Slow(Timed):
        clock = Clock(minutes=1)

    table = begin(Slow)
    for seat, now in ((0, 0.0), (2, 0.0), (1, 50.0)):
        play(table, seat, "bid", now=now, much=seat)
    play(table, 0, "bid", now=55.0, much=4)

    (step,) = table.advance(60.0)

    assert (happenings(step), table.to_move) == ([], (2,))
    play(table, 2, "bid", now=61.0, much=6)
    assert seen(table)["bids"] == {0: 4, 1: 0, 2: 6}


def test_a_turn_that_is_given_anew_at_a_timeout_drops_what_was_moved_unseen_and_says_so() -> None:
    class Anew(Timed):
        def timeout(self, seat: int) -> None:
            self.turn_to(*self.players)

    table = begin(Anew)
    play(table, 0, "bid", now=1.0, much=4)
    play(table, 1, "bid", now=2.0, much=3)

    (step,) = table.advance(10.0)

    text = "the turn was given anew when the time was up, so what others had moved unseen is dropped"
    assert happenings(step) == [TakenBack(2, text)]
    assert (seen(table), table.to_move) == ({"bids": {}, "rounds": 0}, (0, 1, 2))


def test_the_moves_after_one_whose_question_ran_out_of_time_are_made() -> None:
    table = begin(Timed)
    play(table, 0, "ask_first", now=1.0)
    play(table, 1, "bid", now=2.0, much=3)
    play(table, 2, "bid", now=3.0, much=5)
    assert table.question(0) is not None

    (step,) = again(table).advance(13.0)
    table.advance(13.0)

    assert happenings(step) == [TakenBack(0, "the move is taken back: the question was not answered in time")]
    assert (seen(table), table.to_move) == ({"bids": {0: 0, 1: 3, 2: 5}, "rounds": 1}, (0, 1, 2))


def test_who_is_out_when_time_is_up_has_moved_nothing() -> None:
    class Strict(Timed):
        def timeout(self, seat: int) -> None:
            for other in (0, seat):
                self.out(other)

        def round(self) -> None:
            self.rounds += bool(self.bids)
            self.turn_to(*self.alive)

    table = begin(Strict)
    play(table, 0, "bid", now=1.0, much=4)
    play(table, 1, "bid", now=2.0, much=3)

    table.advance(10.0)

    assert (seen(table), table.to_move) == ({"bids": {1: 3}, "rounds": 1}, (1,))


def test_it_does_not_matter_who_of_several_is_late_first() -> None:
    class Slow(Timed):
        seats = 2, 2
        clock = Clock(minutes=1)

    ends: list[Any] = []
    for late_first in (True, False):
        table = begin(Slow)
        play(table, 1, "bid", now=50.0, much=1)
        play(table, 0, "bid", now=50.0, much=1)
        assert table.to_move == (0, 1)
        table.clocks = None  # who is late is said here
        if late_first:
            time_out(table, 0, 60.0)
            play(table, 1, "bid", now=60.0, much=7)
        else:
            play(table, 1, "bid", now=60.0, much=7)
            time_out(table, 0, 60.0)
        ends.append((seen(table), table.to_move))

    assert ends[0] == ends[1] == ({"bids": {1: 7, 0: 0}, "rounds": 2}, (0, 1))


def test_a_round_comes_also_where_all_are_late() -> None:
    table = begin(Timed)

    table.advance(10.0)

    assert (seen(table), table.to_move) == ({"bids": {0: 0, 1: 0, 2: 0}, "rounds": 1}, (0, 1, 2))


def test_who_was_late_is_told_so_and_stays_late_after_a_restart() -> None:
    class Slow(Timed):
        clock = Clock(minutes=1)

    table = begin(Slow)
    for seat, now in ((0, 0.0), (2, 0.0), (1, 50.0)):
        play(table, seat, "bid", now=now, much=seat)
    table.advance(60.0)

    for one in (table, again(table, 60.0)):
        assert play(one, 1, "bid", now=60.0, much=1) == Refused("you were late; wait for the others")
        assert one.to_move == (0, 2)


class Led(Game):
    """One of two leads, unseen: who is called moves next; the other one is asked something."""

    seats = 3, 3
    clock = Clock(per_move=10)
    log: list[str] = []

    def setup(self) -> None:
        self.turn_to(*self.players)

    @move(whom=range(3))
    def call(self, whom: int) -> None:
        self.log.append(f"{self.mover} calls")
        self.turn_to(whom)

    @move(whom=range(3))
    def ask_whom(self, whom: int) -> None:
        self.log.append(f"{self.mover} asks {self.ask(whom, [1, 2], 'how much?')}")

    @move
    def rest(self) -> None:
        self.log.append(f"{self.mover} rests")

    def timeout(self, seat: int) -> None:
        if seat == 2:
            self.out(2)


@pytest.mark.parametrize(("asks", "other"), [(1, 2), (2, 1)])
def test_who_was_called_unseen_moves_next_also_where_the_last_question_runs_out_of_time(asks: int, other: int) -> None:
    table = begin(Led)
    play(table, 0, "call", now=1.0, whom=1)
    play(table, asks, "ask_whom", now=1.0, whom=0)
    play(table, other, "rest", now=1.0)

    table.advance(11.0)

    assert table.to_move == (1,)
    assert not table.course.waiting


def test_a_queued_move_of_who_is_out_by_then_is_not_made() -> None:
    table = begin(Led)
    play(table, 0, "ask_whom", now=1.0, whom=2)
    play(table, 1, "rest", now=1.0)
    play(table, 2, "rest", now=1.0)
    assert table.question(2) is not None

    table.advance(11.0)

    assert (seen(table)["log"], table.status(11.0).out) == (["1 rests"], (2,))


class Asked(Led):
    def timeout(self, seat: int) -> None:
        self.log.append(f"{seat} late {self.ask(2, [1, 2], 'go on?')}")


def test_a_move_that_waits_beside_a_timeout_that_asks_outlives_changed_rules() -> None:
    def asks_no_more(self: Any, seat: int) -> None:
        self.log.append(f"{seat} late")

    def rest(self: Any, how: int) -> None:
        self.log.append(f"{self.mover} rests {how}")

    table = begin(Asked)
    play(table, 0, "rest", now=1.0)
    play(table, 2, "rest", now=1.0)
    table.advance(10.0)
    assert table.question(2) is not None

    silent = Table.restore(variant(Asked, timeout=asks_no_more), table.snapshot(), now=10.0)
    refused = Table.restore(variant(Asked, rest=move(how=[1, 2])(rest)), table.snapshot(), now=10.0)
    answer(refused, 2, 1, now=11.0)

    assert seen(silent)["log"] == ["0 rests", "2 rests"]
    assert [one.seat for one in silent.restored if isinstance(one, TakenBack)] == [1]
    assert [one.seat for one in refused.restored if isinstance(one, TakenBack)] == [0, 2]
    assert (refused.to_move, seen(refused)["log"]) == ((0, 2), ["1 late 1"])


def test_a_timeout_that_leaves_the_turn_to_who_has_no_time_leaves_nothing_else() -> None:
    class Late(Game):
        clock = Clock(minutes=1)
        late: int = 0

        @move
        def go(self) -> None:
            pass

        def timeout(self, seat: int) -> None:
            self.late += 1
            self.tell("late!")
            self.turn_to(seat)

    table = begin(Late)
    first = table.snapshot()

    (step,) = table.advance(60.0)

    assert happenings(step) == [Over(Result((1,), None, "seat 0 ran out of time"))]
    assert isinstance(step, Step)
    replayed = Table.restore(Late, first, [step.entry])
    assert (seen(table), seen(replayed), replayed.result) == ({"late": 0}, {"late": 0}, table.result)


def test_a_timeout_that_asks_who_has_no_time_either_is_the_end() -> None:
    class Asking(Rounds):
        @move
        def go(self) -> None:
            pass

        def setup(self) -> None:
            self.turn_to(0)

        def timeout(self, seat: int) -> None:
            self.ask(self.after(seat), [1, 2], "go on?")

    table = begin(Asking)
    table.advance(10.0)
    assert table.to_move == (1,)

    (step,) = table.advance(20.0)

    assert happenings(step) == [Over(Result((0,), None, "seat 1 ran out of time"))]


class Rounds(Game):
    """Nobody moves: a round asks all."""

    clock = Clock(per_move=10)
    said: list[dict[int, str]] = []
    late: int = 0

    def timeout(self, seat: int) -> None:
        self.late += 1

    def round(self) -> None:
        self.said.append(self.ask_all(self.players, ["a", "b"], "which?"))


def test_a_round_whose_question_ran_out_of_time_asks_again_and_says_what_is_dropped() -> None:
    table = begin(Rounds)
    answer(table, 0, "a", now=1.0)

    (step,) = again(table).advance(10.0)
    table.advance(10.0)

    assert happenings(step) == [
        TakenBack(None, "the question was not answered in time, so what others had answered is dropped")
    ]
    assert (seen(table), table.to_move) == ({"said": [], "late": 1}, (0, 1))


def test_who_lets_the_time_of_a_question_in_setup_run_out_has_lost() -> None:
    class Chosen(Rounds):
        def setup(self) -> None:
            self.said = [{0: self.ask(0, ["a", "b"], "which?")}]

    table = begin(Chosen)

    (step,) = table.advance(10.0)

    assert happenings(step) == [Over(Result((1,), None, "seat 0 ran out of time"))]


@pytest.mark.parametrize(("absent", "over"), [("wait", False), ("forfeit", True), ("bot", False)])
def test_absence_has_the_consequence_that_the_game_says(absent: str, over: bool) -> None:
    game: type[Game] = type("Left", (Count,), {"absent": absent, "grace": 5.0, "__module__": __name__})
    table = begin(game)

    table.presence(0, False, 1.0)
    assert (table.due(), table.stand_ins(5.9)) == (None if absent == "wait" else 6.0, ())
    table.advance(6.0)

    assert (table.result is not None, table.stand_ins(6.0)) == (over, (0,) if absent == "bot" else ())
    assert table.due() is None
    assert (table.absent(0, 6.0), table.absent(1, 6.0)) == (True, False)


# -- taking back


def test_a_move_in_the_open_is_taken_back_freely_until_somebody_moves() -> None:
    table = begin(Count)
    play(table, 0, "add", number=3)
    assert (table.can_undo(0), table.can_undo(1), table.undo(1, 0.0)) == (
        "free", "", Refused("there is no move of yours to take back"),
    )  # fmt: skip

    step = again(table).undo(0, 0.0)
    table.undo(0, 0.0)

    assert happenings(step) == [TakenBack(0, "seat 0 took a move back")]
    assert (seen(table), table.to_move, table.can_undo(0)) == ({"total": 0}, (0,), "")
    play(table, 0, "add", number=1)
    play(table, 1, "add", number=1)
    assert (table.can_undo(0), table.can_undo(1)) == ("", "free")


def test_what_was_drawn_or_hidden_is_taken_back_by_consent_alone_and_drawn_anew() -> None:
    class Roll(Game):
        seats = 3, 3
        die: int = 0

        @move
        def roll(self) -> None:
            self.die = self.random.randrange(10**9)

        @move
        def hide(self) -> None: ...

    table = begin(Roll)
    play(table, 0, "roll")
    first = seen(table)
    assert (table.can_undo(0), table.undo(0, 0.0), table.undo_wanted_by()) == ("consent", Step(b""), 0)
    assert table.consent(1, True, 0.0) == Step(b"")
    assert seen(table) == first

    assert happenings(table.consent(2, True, 0.0)) == [TakenBack(0, "seat 0 took a move back")]
    play(table, 0, "roll")

    second = seen(table)
    assert second not in ({"die": 0}, first)
    table.undo(0, 0.0)
    table.consent(1, False, 0.0)
    assert (seen(table), table.undo_wanted_by()) == (second, None)
    assert table.consent(2, True, 0.0) == Refused("nobody wants to take a move back")


def test_who_is_out_is_not_asked_whether_a_move_is_taken_back() -> None:
    class Roll(Game):
        seats = 3, 3
        absent = "out"

        @move
        def roll(self) -> None:
            self.random.random()

    table = begin(Roll)
    table.forfeit(2, 0.0)
    play(table, 0, "roll")
    table.undo(0, 0.0)

    assert table.consent(2, False, 0.0) == Refused("you are out of the game")
    assert happenings(table.consent(1, True, 0.0)) == [TakenBack(0, "seat 0 took a move back")]


def test_a_game_may_forbid_taking_back_and_a_move_may_claim_that_nothing_is_learnt() -> None:
    class Never(Count):
        undo = False

    class Claims(Game):
        secret: Hidden[int] = 3

        @move(undo=True)
        def look(self) -> None: ...

        @move
        def peek(self) -> None: ...

    never, claims = begin(Never), begin(Claims)
    play(never, 0, "add", number=1)
    play(claims, 0, "look")
    play(claims, 1, "peek")

    assert (never.can_undo(0), claims.can_undo(1)) == ("", "consent")
    play(claims, 0, "look")
    assert claims.can_undo(0) == "free"


def test_who_moves_last_of_several_at_once_takes_nothing_back_that_the_others_showed() -> None:
    class Fists(Game):
        shown: list[int] = []

        def setup(self) -> None:
            self.turn_to(*self.players)

        @move(fingers=range(6))
        def show(self, fingers: int) -> None:
            self.shown = [*self.shown, fingers]

        def round(self) -> None:
            self.turn_to(*self.players)

    table = begin(Fists)
    play(table, 0, "show", fingers=1)
    play(table, 1, "show", fingers=2)

    assert seen(table) == {"shown": [1, 2]}
    assert [(table.can_undo(seat), table.undo(seat, 0.0)) for seat in range(2)] == [
        ("", Refused("there is no move of yours to take back"))
    ] * 2


# -- storing, and rules that have changed


def log_of(table: Table, *choices: tuple[int, str, Mapping[str, Any]]) -> list[bytes]:
    entries: list[bytes] = []
    for seat, name, arguments in choices:
        step = play(table, seat, name, **arguments) if name else answer(table, seat, arguments["answer"])
        assert isinstance(step, Step), step
        entries.append(step.entry)
    return entries


def test_a_log_leads_to_the_same_state() -> None:
    table = Table.create(Bids, 2, secret=SECRET)
    state = table.snapshot()
    start = table.start(0.0)
    assert isinstance(start, Step)
    entries = [start.entry, *log_of(table, (0, "bid", {}), (1, "", {"answer": "low"}), (1, "", {"answer": 1}))]
    entries += log_of(table, (0, "", {"answer": 0}), (1, "", {"answer": "yes"}), (1, "pass_on", {}))
    undo = table.undo(1, 0.0)
    assert undo == Step(b"")
    agreed = table.consent(0, True, 0.0)
    assert isinstance(agreed, Step)
    left = table.forfeit(0, 0.0)
    assert isinstance(left, Step)

    back = Table.restore(Bids, state, [*entries, agreed.entry, left.entry])

    assert (back.frozen, back.snapshot()) == ("", table.snapshot())


def test_times_that_ran_out_are_in_the_log() -> None:
    table = Table.create(Hasty, 3, secret=SECRET)
    state, entries = table.snapshot(), list[bytes]()
    steps = [table.start(0.0), play(table, 0, "ask_next"), *table.advance(10.0), play(table, 1, "ask_hard", now=10.0)]
    steps += table.advance(20.0)
    entries = [step.entry for step in steps if isinstance(step, Step)]

    back = Table.restore(Hasty, state, entries)

    assert (len(entries), back.frozen, back.snapshot()) == (5, "", table.snapshot())


def _changed(what: str) -> str:
    """Return why a table is frozen whose state does not fit, in words that say what to do."""
    return f"the rules have changed: {what}; write upgrade(cls, old)"


UNFIT = _changed("total must be str, not an int")


def variant(base: type[Game], **changes: Any) -> type[Game]:
    """Return rules of the same name that have changed."""
    annotations = {**changes.pop("annotations", {})}
    return type(base.__name__, (base,), {"__annotations__": annotations, "__module__": __name__, **changes})


def test_changed_rules_go_on_from_the_state_if_it_fits() -> None:
    table = begin(Count)
    play(table, 0, "add", number=3)

    back = Table.restore(variant(Count, annotations={"bonus": int}, bonus=5), table.snapshot())

    assert (back.frozen, back.course.values, back.to_move) == ("", {"total": 3, "bonus": 5}, (1,))


def test_a_field_that_may_have_another_name_is_told_of_unless_it_is_upgraded() -> None:
    class Other(Game):
        sum: int

        @move
        def add(self) -> None: ...

        @classmethod
        def upgrade(cls, old: dict[str, Any]) -> dict[str, Any]:
            return {**old, "sum": old["total"]}

    table = begin(Count)
    play(table, 0, "add", number=3)

    upgraded = Table.restore(Other, table.snapshot())
    silent = Table.restore(variant(Other, sum=0), table.snapshot())

    assert (upgraded.frozen, upgraded.course.values, upgraded.dropped) == ("", {"sum": 3}, ())
    assert (silent.frozen, silent.course.values) == ("", {"sum": 0})
    [said] = silent.dropped
    assert "games that run are without total, and begin with sum as a new game does; if one of these" in said


def test_an_option_that_may_have_another_name_is_told_of() -> None:
    class Sized(Count):
        @options(size=range(3, 9))
        def setup(self, size: int = 8) -> None: ...

    class Large(Count):
        @options(length=range(3, 9))
        def setup(self, length: int = 8) -> None: ...

    table = begin(Sized, size=4)

    back = Table.restore(Large, table.snapshot())
    assert (back.options, back.frozen) == ({"length": 8}, "")
    [said] = back.dropped
    assert "games that run are without size, and have length as if nobody had chosen; if one of these" in said


def rules_of(card: Any) -> type[Any]:
    """Return rules whose source is always the same, and whose cards are those of somebody else."""

    class Cards(Game):
        cards: list[card] = []  # pyright: ignore

        @move
        def draw(self) -> None:
            self.cards.append(card(len(self.cards)))  # pyright: ignore

        @classmethod
        def upgrade(cls, old: dict[str, Any]) -> dict[str, Any]:
            return {"cards": [{**one, "suit": "S"} for one in old["cards"]]}

    return Cards


def test_a_class_beside_the_rules_that_changed_is_changed_rules_and_no_damage() -> None:
    fields: list[list[Any]] = [[("rank", int)], [("rank", int), ("suit", str, "S")], [("number", int)]]
    old, longer, other = (rules_of(make_dataclass("Card", named)) for named in fields)
    named_tuple = rules_of(NamedTuple("Card", [("rank", int)]))
    table = Table.create(old, 2, secret=bytes(32))
    table.start(0.0)
    play(table, 0, "draw")

    upgraded, frozen, kind = (Table.restore(rules, table.snapshot()) for rules in (longer, other, named_tuple))

    [card] = upgraded.course.values["cards"]
    assert (upgraded.frozen, card.rank, card.suit) == ("", 0, "S")
    unfit = "what Cards.upgrade returned does not fit: cards[0] must "
    assert (frozen.frozen, frozen.damage) == (f"{unfit}have the entries number", "")
    assert (kind.frozen, kind.damage) == (f"{unfit}be Card, not a dict", "")
    assert Table.restore(old, table.snapshot()).frozen == ""


def test_a_name_of_a_type_beside_the_rules_that_means_another_is_changed_rules_and_no_damage() -> None:
    def rules(colour: Any, fleet: Any) -> type[Any]:
        class Named(Game):
            shade: colour = "red"  # pyright: ignore
            sunk: int = 0

            @move(fleet=Free(fleet, lambda _: {}, lambda _: None))
            def sink(self, fleet: Any) -> None:
                self.sunk += len(fleet)

        return Named

    old = rules(Literal["red", "green"], dict[str, int])
    table = Table.create(old, 2, secret=bytes(32))
    table.start(0.0)
    state = table.snapshot()
    sunk = play(table, 0, "sink", fleet={"a": 1})
    assert isinstance(sunk, Step)

    other = Table.restore(rules(Literal["green", "blue"], dict[str, int]), state)
    assert (other.frozen, other.damage) == (_changed("shade must be one of 'green', 'blue'"), "")
    other = Table.restore(rules(Literal["red", "green"], list[int]), state, [sunk.entry])
    assert (other.frozen, other.damage) == (
        "the rules refuse what they once accepted: fleet must be list[int], not a dict",
        "",
    )


def test_a_type_beside_the_rules_that_changed_is_changed_rules_and_no_damage() -> None:
    def rules(kind: Any, first: Any) -> type[Game]:
        class Purse(Game):
            gold: kind = first  # pyright: ignore

            @move
            def earn(self) -> None:
                pass

        return Purse

    table = Table.create(rules(list[int], [5, 7]), 2, secret=bytes(32))
    table.start(0.0)

    wider = Table.restore(rules(tuple[int, ...], ()), table.snapshot())
    other = Table.restore(rules(dict[int, int], {}), table.snapshot())

    assert (wider.frozen, wider.course.values) == ("", {"gold": (5, 7)})
    assert (other.frozen, other.damage) == (_changed("gold must be dict[int, int], not a list"), "")
    assert Table.restore(rules(list[int], []), table.snapshot()).frozen == ""


def test_a_list_beside_the_rules_that_changed_is_changed_rules_and_no_damage() -> None:
    def rules(sizes: range, cards: str) -> type[Game]:
        class Lists(Game):
            size: int
            card: str = ""

            @options(size=sizes)
            def setup(self, size: int = 8) -> None:
                self.size = size

            @move(card=cards)
            def play(self, card: str) -> None:
                self.card = card

        return Lists

    old = rules(range(3, 9), "ab")
    table = Table.create(old, 2, {"size": 4}, secret=bytes(32))
    table.start(0.0)
    state = table.snapshot()
    entry = table.play(0, "play", {"card": "a"}, 1, now=0.0)
    assert isinstance(entry, Step)

    assert Table.restore(old, state, [entry.entry]).frozen == ""
    other = Table.restore(rules(range(6, 9), "ab"), state)
    assert (other.frozen, other.damage, other.options) == ("", "", {"size": 4})  # with which it began
    other = Table.restore(rules(range(3, 9), "bc"), state, [entry.entry])
    assert (other.frozen, other.damage) == ("the rules refuse what they once accepted: card must be one of b, c", "")


class Words(Game):
    total: str = ""

    @move
    def add(self) -> None:
        self.total += "I"


def test_a_frozen_table_shows_nothing_that_its_rules_do_not_know() -> None:
    class Keeps(Count):
        _kept: str = "a secret of the rules before"

    frozen = Table.restore(Words, begin(Keeps).snapshot())

    assert frozen.frozen == UNFIT
    assert [frozen.view(viewer).keys() for viewer in (None, 0)] == [{"total"}, {"total"}]


def test_changed_rules_may_upgrade_an_old_state_and_else_the_table_is_frozen_and_readable() -> None:
    def upgrade(_cls: type[Game], old: dict[str, Any]) -> dict[str, Any]:
        return {"total": "I" * old["total"]}

    table = begin(Count)
    play(table, 0, "add", number=3)

    frozen = Table.restore(Words, table.snapshot())
    upgraded = Table.restore(variant(Words, upgrade=classmethod(upgrade)), table.snapshot())

    assert frozen.frozen == UNFIT
    assert (seen(frozen), frozen.snapshot()) == ({"total": 3}, table.snapshot())
    assert play(frozen, 1, "add") == Refused(f"this table is frozen: {UNFIT}")
    assert (upgraded.frozen, upgraded.course.values) == ("", {"total": "III"})
    assert isinstance(play(upgraded, 1, "add"), Step)


def test_a_set_takes_no_list_of_older_rules_that_has_something_twice() -> None:
    class Bag(Game):
        total: set[int] = set()

        @move
        def add(self) -> None: ...

    class Pair(Game):
        total: list[int] = [5, 5]

        @move
        def add(self) -> None: ...

    table = begin(Pair)

    assert Table.restore(Bag, table.snapshot()).frozen == _changed("total must be set[int], and has something twice")


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "Words.upgrade returned nothing; it returns the fields by name: `return {**old, …}`"),
        ([], "Words.upgrade returned a list; it returns the fields by name: `return {**old, …}`"),
        ({"totla": "I"}, "Words.upgrade returned 'totla', which is no field of Words, and was none"),
    ],
)
def test_an_upgrade_that_returns_no_fields_is_told_so(returned: Any, reason: str) -> None:
    class Words(Game):
        total: str = ""

        @move
        def add(self) -> None: ...

        @staticmethod
        def upgrade(_old: dict[str, Any]) -> Any:
            return returned

    table = begin(Count)

    assert Table.restore(Words, table.snapshot()).frozen == reason


def test_an_upgrade_that_fails_is_named_and_logged_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    class Words(Game):
        total: str = ""

        @move
        def add(self) -> None: ...

        @classmethod
        def upgrade(cls, old: dict[str, Any]) -> dict[str, Any]:
            return {"total": old["totla"]}

    assert Table.restore(Words, begin(Count).snapshot()).frozen == "Words.upgrade fails: KeyError: 'totla'"
    assert 'return {"total": old["totla"]}' in caplog.text


def test_a_method_that_is_called_upgrade_is_one_of_the_game() -> None:
    class Towers(Game):
        total: str = ""

        @move
        def build(self) -> None:
            self.upgrade(1)

        def upgrade(self, by: int) -> dict[str, Any]:
            return {"total": "I" * by}

    assert Table.restore(Towers, begin(Count).snapshot()).frozen == UNFIT


def test_a_suspended_move_runs_again_under_changed_rules() -> None:
    def same_question(self: Any) -> None:
        self.dice.append(1)
        self.log.append("new rules: " + self.ask(1 - self.mover, ["low", "high"], "what do you bid?"))

    def another(self: Any) -> None:
        self.ask(1 - self.mover, ["more", "less"], "what do you bid?")

    def none(self: Any) -> None:
        self.log.append("none")

    def wrong(self: Any) -> None:
        self.require(False, "no more")

    table = begin(Bids)
    play(table, 0, "bid")
    for rule in (same_question, another, none, wrong):
        rule.__name__ = "bid"

    goes_on = Table.restore(variant(Bids, bid=move(same_question)), table.snapshot())
    assert (goes_on.frozen, goes_on.restored, goes_on.to_move) == ("", (), (1,))
    answer(goes_on, 1, "low")
    assert seen(goes_on)["log"] == ["new rules: low"]

    for rule in (another, none, wrong):
        back = Table.restore(variant(Bids, bid=move(rule)), table.snapshot())
        assert back.restored == (TakenBack(0, "Bids.bid asks something else than before, so it is taken back"),)
        assert (back.frozen, back.to_move, seen(back)["log"], back.question(1)) == ("", (0,), [], None)
        assert isinstance(play(back, 0, "pass_on"), Step)


def test_rules_that_refuse_their_past_freeze_the_table() -> None:
    class Strict(Count):
        @move(number=range(1, 3))
        def add(self, number: int) -> None:
            self.total += number

    table = Table.create(Count, 2, secret=SECRET)
    state = table.snapshot()
    start = table.start(0.0)
    assert isinstance(start, Step)
    entries = [start.entry, *log_of(table, (0, "add", {"number": 3}))]

    back = Table.restore(Strict, state, entries)

    assert back.frozen == "the rules refuse what they once accepted: number must be one of 1, 2"


def test_what_is_refused_by_the_same_class_is_damage_or_what_stands_beside_it() -> None:
    most = [3]

    class Capped(Game):
        total: int = 0

        @move
        def add(self) -> None:
            self.require(self.total < most[0], "enough")
            self.total += 1

    table = Table.create(Capped, 2, secret=SECRET)
    state, start = table.snapshot(), table.start(0.0)
    assert isinstance(start, Step)
    entries = [start.entry, *log_of(table, (0, "add", {}))]
    most[0] = 0

    back = Table.restore(Capped, state, entries)

    assert back.frozen == "the rules refuse what they once accepted: enough"
    beside = "it goes on if something beside its class was changed, such as a function, and is put back"
    assert back.damage == f"{beside}; else {back.frozen}"


@pytest.mark.parametrize("state", [b"", b"\xc1", b"\x80", pack(3), pack({"version": 2})])
def test_what_is_no_state_is_told(state: bytes) -> None:
    with pytest.raises(ValueError, match=r"no state of a table|version 2"):
        Table.restore(Count, state)


def test_an_entry_that_is_none_freezes_the_table() -> None:
    table = begin(Count)

    back = Table.restore(Count, table.snapshot(), [pack(["dance", 0, None])])

    assert back.frozen == "the log has an entry that is none: ['dance']"


def test_seven_thousand_dice_do_not_tell_the_next() -> None:
    """The state of a Mersenne Twister that lives on follows from 624 draws; these are none of one twister."""

    class Roll(Game):
        die: int = 0

        @move
        def roll(self) -> None:
            self.die = self.random.getrandbits(32)

    table = begin(Roll)
    drawn: list[int] = []
    for turn in range(700):
        play(table, turn % 2, "roll")
        drawn.append(seen(table)["die"])

    twister = random.Random()
    state = tuple(map(_untemper, drawn[:624]))
    twister.setstate((3, (*state, 624), None))

    assert Counter(twister.getrandbits(32) == die for die in drawn[624:]) == {False: 76}


def _untemper(value: int) -> int:
    """Invert the tempering of MT19937 (Matsumoto and Nishimura, 1998)."""
    value ^= value >> 18
    value ^= (value << 15) & 0xEFC60000
    lower = value
    for _ in range(5):
        lower = value ^ ((lower << 7) & 0x9D2C5680)
    upper = lower
    for _ in range(3):
        upper = lower ^ (upper >> 11)
    return upper & 0xFFFFFFFF


def test_a_check_that_fails_at_a_free_answer_refuses_it_and_the_game_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Asks(Game):
        got: list[int] = []

        @move
        def go(self) -> None:
            self.got = self.ask(1 - self.mover, Free(list[int], lambda dice: [1], lambda got: "" if got[0] else "no 0"))

    table = begin(Asks)
    play(table, 0, "go")

    refused = answer(table, 1, [])

    assert refused == Refused("the rules failed at this, which is a bug in them; the game goes on without it")
    assert "IndexError" in caplog.text
    assert answer(table, 1, [0]) == Refused("no 0")
    assert isinstance(answer(table, 1, [1]), Step)
    assert seen(table)["got"] == [1]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_gets_past_no_check_of_a_free_argument(number: float) -> None:
    class Aims(Game):
        angles: list[float] = []

        @move(
            angles=Free(
                list[float], lambda dice: [1.0], lambda angles: "0 to 90" if angles[0] < 0 or angles[0] > 90 else ""
            )
        )
        def aim(self, angles: list[float]) -> None:
            self.angles = angles

    table = begin(Aims)

    assert play(table, 0, "aim", angles=[number]) == Refused("a number in it is infinite, or none")
    assert play(table, 0, "aim", angles=[91.0]) == Refused("0 to 90")
    assert isinstance(play(table, 0, "aim", angles=[45]), Step)


def test_a_sealed_move_that_another_one_made_impossible_lapses_and_tells_its_seat_alone() -> None:
    table = begin(Grab, 3)
    for seat in (0, 1):
        play(table, seat, "take", thing="a")

    last = play(table, 2, "take", thing="b")

    text = "the move of seat 1 could not be made: thing must be one of b, c"
    assert happenings(last) == [Moved(2, None), TakenBack(1, text, alone=True)]
    assert seen(table) == {"things": ["c"], "got": ["a for 0", "b for 2"]}
    assert table.to_move == (0, 1, 2)


def test_a_bug_in_a_sealed_move_lapses_that_move_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(Grab):
        @move
        def roll(self) -> None:
            self.things[self.random.randint(10, 20)] = "nothing"

    table = begin(Buggy, 2)
    play(table, 0, "roll")

    last = play(table, 1, "take", thing="a")

    text = "the move of seat 0 could not be made: the rules failed at this, which is a bug in them; the game goes on without it"
    assert happenings(last) == [Moved(1, None), TakenBack(0, text, alone=True)]
    assert seen(table)["got"] == ["a for 1"]
    assert "IndexError" in caplog.text
    assert "fails: IndexError" in table.complaints["Buggy"]


def test_a_sealed_move_that_the_rules_no_longer_have_is_made_again() -> None:
    class Renamed(Game):
        seats = 2, 3
        things: list[str] = []
        got: list[str] = []

        def round(self) -> None:
            self.turn_to(*self.players)

        @move(thing=("b", "c"))
        def grab(self, thing: str) -> None:
            self.got.append(thing)

    class Fewer(Grab):
        @move(thing=("b", "c"))
        def take(self, thing: str) -> None:
            self.got.append(thing)

    table = begin(Grab, 3)
    play(table, 0, "take", thing="a")
    play(table, 2, "take", thing="b")

    renamed, fewer = (Table.restore(rules, table.snapshot()) for rules in (Renamed, Fewer))

    text = "the rules of {} have changed, so seat {} moves again"
    assert renamed.restored == tuple(TakenBack(seat, text.format("Renamed", seat)) for seat in (0, 2))
    assert (renamed.frozen, renamed.to_move) == ("", (0, 1, 2))
    assert fewer.restored == (TakenBack(0, text.format("Fewer", 0)),)
    assert (fewer.frozen, fewer.to_move) == ("", (0, 1))
    for seat in (0, 1):
        assert isinstance(play(fewer, seat, "take", thing="c"), Step)
    assert seen(fewer)["got"] == ["c", "c", "b"]


def test_a_suspended_move_that_fails_under_changed_rules_is_taken_back(caplog: pytest.LogCaptureFixture) -> None:
    def broken(self: Any) -> None:
        self.log.append(self.dice[99])

    broken.__name__ = "bid"
    without = {name: thing for name, thing in vars(Bids).items() if name not in {"bid", "_definition", "__dict__"}}
    table = begin(Bids)
    play(table, 0, "bid")

    fails = Table.restore(variant(Bids, bid=move(broken)), table.snapshot())
    gone = Table.restore(type("Bids", (Game,), without), table.snapshot())

    assert "IndexError" in caplog.text
    for back in (fails, gone):
        assert back.restored == (TakenBack(0, "Bids.bid asks something else than before, so it is taken back"),)
        assert (back.frozen, back.to_move, back.question(1)) == ("", (0,), None)
        assert isinstance(play(back, 0, "pass_on"), Step)
