"""Bots: what is legal at random, and a search that wins, asks itself nothing it could not know, and gives up in time."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.turns import begin, example
from netcode.diagnostics import log
from netcode.turns import Game, Hidden, Owned, Play, move, simulate
from netcode.turns.bots import Belief, RandomBot, SearchBot, TreeSearch
from netcode.turns.bots.tree import worth
from netcode.turns.language.kit import Result
from netcode.turns.simulate import Choice, act
from netcode.turns.table import Step, Table
from netcode.turns.values import unpack

WORLDS = 60


class Duel:
    """A search at one seat, which thinks so much however busy the machine is, and chance at the others."""

    def __init__(self, seat: int, worlds: int, tries: int) -> None:
        self.seat, self.worlds, self.tries = seat, worlds, tries
        self.belief = Belief(seat, seed=1)

    def __call__(self, table: Table, mover: int, choices: list[Choice], dice: random.Random) -> Choice:
        if mover != self.seat:
            return dice.choice(choices)
        self.belief.stand(table, 3600.0, self.tries)
        search = TreeSearch(table, mover, seed=1, belief=self.belief)
        search.think(3600.0, self.worlds if len(choices) > 1 else 0)
        best = search.best()
        assert best is not None
        self.belief.chose(best)
        return best


def wins(game: type[Game], games: int, worlds: int = WORLDS, tries: int = 0) -> int:
    """Return how many games a search wins alone of a random player, each with the same thinking, from both seats."""
    results = [simulate(game, 100 + number, choose=Duel(number % 2, worlds, tries)).result for number in range(games)]
    return sum(result is not None and result.winners == (number % 2,) for number, result in enumerate(results))


def test_the_random_bot_plays_anything_legal_and_the_same_for_the_same_seed() -> None:
    legal = [Play("mark", {"cell": cell}) for cell in range(9)]

    one, other = RandomBot(7), RandomBot(7)

    assert [one(None, legal) for _ in range(20)] == [other(None, legal) for _ in range(20)]
    assert {str(one(None, legal)) for _ in range(200)} == {f"mark(cell={cell})" for cell in range(9)}


@pytest.mark.parametrize("bot", [RandomBot(), SearchBot()])
def test_a_bot_that_has_no_choice_says_when_to_ask_it(bot: Callable[[Any, list[Play]], Play]) -> None:
    with pytest.raises(ValueError, match=r"nothing is legal for this seat at present .*`if table\.legal: table\.play"):
        bot(None, [])


@pytest.mark.games
def test_a_search_beats_chance() -> None:
    assert wins(example("connect_four"), 10) >= 9
    assert wins(example("tictactoe"), 10, 100) >= 7
    # Of Love Letter three in four can be won, and not many more: `python -m benchmarks.love_letter`.
    assert wins(example("love_letter"), 30, tries=120) >= 17


def test_a_search_takes_the_win_that_is_there() -> None:
    table = begin(example("connect_four"))
    for seat, column in ((0, 3), (1, 0), (0, 3), (1, 0), (0, 3), (1, 0)):
        act(table, seat, ("drop", {"column": column}))
    looks = itertools.count()  # a busy machine thinks as long as any other

    choice = TreeSearch.choose(table, 0, 3600.0, seed=1, clock=lambda: float(next(looks)))

    assert choice == ("drop", {"column": 3})


class Guess(Game):
    """Guess the card on top of three, or the other's; the dice decide nothing."""

    stock: Hidden[list[int]]
    hands: Owned[list[list[int]]]
    seen: list[int] = []

    def setup(self) -> None:
        self.stock = [*range(12)]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop()] for _ in self.players]

    @move(card=range(12))
    def guess(self, card: int) -> None:
        if self.stock[-1] == card:
            self.finish(self.mover)
        else:
            self.finish(1 - self.mover)

    @move
    def ask_other(self) -> None:
        drawn = self.random.randrange(1000)
        self.seen.append(drawn)
        answer = self.ask(1 - self.mover, [*self.hands[1 - self.mover], 99], "which?")
        self.seen.append(self.random.randrange(1000))
        if answer == 99:
            self.finish()


def test_what_is_imagined_is_what_the_seat_sees_and_nothing_more() -> None:
    table = begin(Guess)
    dice = random.Random(1)
    worlds = [world for world in (table.imagined(0, dice) for _ in range(300)) if world is not None]

    assert len(worlds) == 300
    assert {world.view(0)["hands"] for world in worlds} == {table.view(0)["hands"]}
    tops = {world.course.values["stock"][-1] for world in worlds}
    own = unpack(table.view(0)["hands"])[0][0]
    assert tops == {*range(12)} - {own}


def test_what_is_yet_to_be_drawn_is_drawn_by_other_dice() -> None:
    table = begin(Guess)
    dice = random.Random(1)
    act(table, 0, ("ask_other", {}))
    known = unpack(table.view(1)["seen"])

    drawn: set[int] = set()
    for _ in range(20):
        world = table.imagined(1, dice)
        assert world is not None
        assert unpack(world.view(1)["seen"]) == known
        question = world.question(1)
        assert question is not None
        assert question == table.question(1)
        act(world, 1, ("", {"answer": 99}))
        drawn.add(unpack(world.view(1)["seen"])[1])

    assert len(drawn) > 10
    # Seat 0 is not asked, so there is nothing for it to think about.
    assert table.imagined(0, dice) is None


def test_a_search_in_the_middle_of_a_question_answers_it() -> None:
    table = begin(Guess)
    act(table, 0, ("ask_other", {}))

    search = TreeSearch(table, 1, seed=1)
    search.think(3600.0, 30)
    best = search.best()

    assert (search.worlds, best is not None and best[0]) == (30, "")


def test_a_search_gives_up_where_the_rules_object_to_every_world() -> None:
    class Stubborn(Guess):
        def imagine(self, seat: int) -> None:
            raise ZeroDivisionError

    search = TreeSearch(begin(Stubborn), 0, seed=1)
    search.think(3600.0)

    assert search.worlds == 0
    assert search.best() in [("ask_other", {}), *[("guess", {"card": card}) for card in range(12)]]


def test_a_search_for_who_can_do_nothing() -> None:
    assert TreeSearch.choose(begin(Guess), 1) is None


def test_a_search_plays_what_cannot_be_listed_too() -> None:
    table = begin(example("battleship"))

    choice = TreeSearch.choose(table, 0, 0.1, seed=1)

    assert choice is not None
    assert isinstance(act(table, 0, choice), Step)


def test_thinking_ends_when_its_time_is_over() -> None:
    ticks = iter(range(10_000))
    search = TreeSearch(begin(Guess), 0, seed=1, clock=lambda: float(next(ticks)))

    search.think(10.0)

    assert 5 <= search.worlds <= 10


def test_a_bot_for_which_nothing_can_be_imagined_falls_back_on_chance_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unguessed(Guess):
        def imagine(self, seat: int) -> None:
            self.require(False, "who knows?")

    monkeypatch.setattr(log, "_next_warning", {})
    search = TreeSearch(begin(Unguessed), 0, seed=1)

    search.think(3600.0, 1000)

    assert search.worlds == 0
    assert search.best() is not None
    assert caplog.messages == [
        "Unguessed.imagine refused or failed 21 times of 21, so a bot chooses at random; `check` says more"
    ]


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (None, 0.5),
        (Result((0,)), 1.0),
        (Result((1,)), 0.0),
        (Result(()), 0.5),
        (Result((), (2.0, 0.0)), 0.75),
        (Result((), (-2.0, 0.0)), 0.25),
        (Result((), (0.0, 0.0)), 0.5),
    ],
)
def test_what_an_end_is_worth(result: Result | None, value: float) -> None:
    table: Any = begin(Guess)
    table.course.kit.result = result

    assert worth(table, 0) == value


class Bids(Game):
    """Deals in each round, throws a die for all to see, and then asks who dares."""

    hands: Owned[list[list[int]]]
    die: int = 0
    secret: Hidden[int] = 0
    bids: dict[int, bool] = {}

    def setup(self) -> None:
        self.deal()
        self.ask(0, bool, "another hand?")

    def deal(self) -> None:
        self.hands = [[self.random.randrange(9)] for _ in self.players]

    def round(self) -> None:
        self.deal()
        self.die = self.random.randrange(6)
        self.bids = self.ask_all(self.players, bool, "do you dare?")
        self.finish(*(seat for seat in self.players if self.bids[seat]))


@pytest.mark.parametrize("rounds", [0, 1])
def test_what_a_rule_that_asks_has_dealt_unseen_is_imagined_and_not_known(rounds: int) -> None:
    table = begin(Bids)
    dice = random.Random(1)
    for _ in range(rounds):
        act(table, 0, ("", {"answer": True}))

    worlds = [world for world in (table.imagined(0, dice) for _ in range(3000)) if world is not None]

    assert {world.view(0)["hands"] for world in worlds} == {table.view(0)["hands"]}
    assert {world.view(0)["die"] for world in worlds} == {table.view(0)["die"]}
    assert {world.course.values["hands"][1][0] for world in worlds} == {*range(9)}


def test_what_a_rule_that_asks_has_drawn_for_all_to_see_is_known() -> None:
    class Thrown(Bids):
        def deal(self) -> None:
            self.hands = [[] for _ in self.players]
            self.die = self.random.randrange(1000)

    table = begin(Thrown)
    worlds = [table.imagined(0, random.Random(seed)) for seed in range(5)]

    assert [None if world is None else world.course.values["die"] for world in worlds] == [
        table.course.values["die"]
    ] * 5


def test_a_bot_that_cannot_guess_what_was_dealt_chooses_at_random_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Many(Bids):
        def deal(self) -> None:
            self.hands = [[self.random.randrange(10**9)] for _ in self.players]

    monkeypatch.setattr(log, "_next_warning", {})
    search = TreeSearch(begin(Many), 0, seed=1)

    search.think(3600.0, 1000)

    assert (search.worlds, search.best() is not None) == (0, True)
    text = "Many: nothing of 101 guesses at what a bot cannot see could be, so it chooses at random"
    assert caplog.messages == [text]


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_bot_guesses_what_was_dealt_where_one_rule_deals_and_the_next_one_asks(rounds: int) -> None:
    class Apart(Game):
        hands: Owned[list[list[int]]]
        dealt: bool = False
        count: int = 0

        def setup(self) -> None:
            self.deal()

        def deal(self) -> None:
            self.hands = [[self.random.randrange(10**9)] for _ in self.players]
            self.dealt = True

        def round(self) -> None:
            if not self.dealt:
                self.deal()
                return  # and round() runs once more
            self.ask_all(self.players, bool, "do you dare?")
            self.dealt, self.count = False, self.count + 1
            if self.count == 3:
                self.finish(self.hands.index(max(self.hands)))

    table = begin(Apart)
    for seat in range(2 * rounds):
        act(table, seat, ("", {"answer": True}))
    search = TreeSearch(table, 0, seed=1)

    search.think(3600.0, 20)

    assert (table.course.values["count"], search.worlds) == (rounds, 20)
