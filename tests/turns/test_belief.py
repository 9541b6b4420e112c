"""What a bot believes: what agrees with all that it saw, more of what is likelier, and nothing that it cannot know."""

import random
from collections import Counter
from typing import Any, ClassVar

import pytest

from benchmarks.turns import begin, example
from netcode.turns import Game, Hidden, Owned, move
from netcode.turns.bots import Belief, TreeSearch
from netcode.turns.bots.belief import DOUBT, ENOUGH
from netcode.turns.simulate import Choice, act, choices_of, simulate
from netcode.turns.table import Step, Table

LONG = 3600.0


class Highest(Game):
    """Who is to move plays the highest card, and draws another one."""

    stock: Hidden[list[int]]
    hands: Owned[list[list[int]]]
    played: list[int] = []

    def setup(self) -> None:
        self.stock = [*range(12)]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop(), self.stock.pop()] for _ in self.players]

    def highest(self) -> list[int]:
        return [max(self.hands[self.mover])]

    @move(card=highest)
    def play(self, card: int) -> None:
        self.hands[self.mover].remove(card)
        self.played.append(card)
        self.hands[self.mover].append(self.stock.pop())
        if not self.stock:
            self.finish()


def held_by_the_other(belief: Belief, table: Table, seat: int, count: int = 200) -> list[list[int]]:
    """Return what the other seat holds in worlds that are believed, each of which shows the seat what it sees."""
    found: list[list[int]] = []
    for _ in range(count):
        world = belief.world()
        assert world is not None
        assert world.view(seat) == table.view(seat)
        assert world.to_move == table.to_move
        found.append(world.course.values["hands"][1 - seat])
    return found


def go(table: Table, seat: int) -> Choice:
    [choice] = choices_of(table, seat, random.Random(1))
    assert isinstance(act(table, seat, choice), Step)
    return choice


def test_what_others_did_tells_what_they_hold() -> None:
    table, belief = begin(Highest), Belief(1, seed=1)
    for round_ in range(3):
        go(table, 0)
        shown = table.course.values["played"][-1]

        assert belief.stand(table, LONG, 6000) == ENOUGH

        assert impossible(held_by_the_other(belief, table, 1), shown) < 2 * DOUBT / ENOUGH, f"in round {round_}"
        guessed = [world.course.values["hands"][0] for world in imagined(table, 1)]
        assert round_ or impossible(guessed, shown) > 0.2
        belief.chose(go(table, 1))


def impossible(hands: list[list[int]], shown: int) -> float:
    """Return in how many hands the card that was held back is higher than the one that was played."""
    return sum(hand[0] > shown for hand in hands) / len(hands)


def imagined(table: Table, seat: int) -> list[Table]:
    dice = random.Random(1)
    return [world for world in (table.imagined(seat, dice) for _ in range(200)) if world is not None]


class Bluff(Game):
    """A hand is one of two, and the one shows itself three times as often as the other."""

    hands: Owned[list[list[int]]]
    stock: Hidden[list[int]]
    said: list[str] = []

    def setup(self) -> None:
        self.stock = [0, 1, 0, 1]
        self.random.shuffle(self.stock)
        self.hands = [[self.stock.pop()] for _ in self.players]

    def words(self) -> list[str]:
        return ["yes", "no", "maybe"] if self.hands[self.mover] == [0] else ["yes"]

    @move(word=words)
    def say(self, word: str) -> None:
        self.said.append(word)


def test_what_is_likelier_is_believed_more() -> None:
    table = begin(Bluff)
    for seed in range(2, 99):
        if table.course.values["hands"] == [[1], [0]]:
            break
        table = begin(Bluff, seed=seed)
    act(table, 0, ("say", {"word": "yes"}))
    held = Counter[int]()

    for seed in range(20):
        belief = Belief(1, seed)
        assert belief.stand(table, LONG, 400) == ENOUGH
        held.update(hand[0] for hand in held_by_the_other(belief, table, 1, 60))

    # Of the three left, two are ones; a one always says yes, and a nought one time in three.
    expected = (ENOUGH * 6 / 7 + DOUBT * 2 / 3) / (ENOUGH + DOUBT)
    assert expected - 0.04 < held[1] / held.total() < expected + 0.04


@pytest.mark.parametrize(
    ("name", "players"),
    [
        ("battleship", 2),
        ("coup", 3),
        ("crazy_eights", 2),
        ("hanabi", 2),
        ("love_letter", 4),
        ("traders", 3),
        ("uno", 2),
    ],
)
def test_in_any_game_what_is_believed_is_what_one_sees(name: str, players: int) -> None:
    beliefs, stood = [Belief(seat, seat) for seat in range(players)], Counter[bool]()

    def choose(table: Table, seat: int, choices: list[Choice], dice: random.Random) -> Choice:
        stood[beliefs[seat].stand(table, LONG, 20) > 0] += 1
        world = beliefs[seat].world()
        if world is not None:
            assert world.view(seat) == table.view(seat)
            assert world.question(seat) == table.question(seat)
            assert world.may_act(seat)
        choice = dice.choice(choices)
        beliefs[seat].chose(choice)
        return choice

    simulate(example(name), 3, players=players, choose=choose, limit=25)

    assert stood.total() > 5
    assert stood[True] or name == "battleship"


def test_who_found_nothing_goes_by_what_it_sees() -> None:
    table, belief = begin(Highest), Belief(1, seed=1)
    go(table, 0)

    assert belief.stand(table, LONG, 0) == 0
    assert len({*map(str, held_by_the_other(belief, table, 1))}) > 5

    belief.chose(("play", {"card": 77}))  # which nobody could
    go(table, 1)
    go(table, 0)
    assert belief.stand(table, LONG, 50) == 0
    assert held_by_the_other(belief, table, 1)


def test_choices_without_a_look_in_between_are_played_on_as_well() -> None:
    table, belief = begin(Highest), Belief(1, seed=1)
    go(table, 0)
    belief.stand(table, LONG, 2000)
    for _ in range(2):
        belief.chose(go(table, 1))
        go(table, 0)

    assert belief.stand(table, LONG, 4_000) > 0


class Stumbling(Highest):
    """Rules that stumble over any world but the first."""

    def imagine(self, seat: int) -> None:
        raise ZeroDivisionError

    def setup(self) -> None:
        self.stock = []
        self.hands = [[1], [2]]

    def highest(self) -> list[int]:
        return [1] if self.hands[0] == [1] else [1 // 0]

    @move(card=highest)
    def play(self, card: int) -> None:
        self.played.append(self.random.randrange(10**9))


def test_where_no_world_could_be_there_is_none() -> None:
    table, belief = begin(Stumbling), Belief(1, seed=1)
    go(table, 0)

    assert belief.stand(table, LONG, 20) == 0
    assert belief.world() is None
    assert TreeSearch.choose(table, 1, 0.01, 1, belief=belief) == ("play", {"card": 1})


def test_nothing_is_to_be_believed_where_nobody_holds_anything() -> None:
    table, belief = begin(example("connect_four")), Belief(0, seed=1)

    assert (belief.stand(table, LONG), belief.world()) == (0, None)


def test_looking_ends_when_its_time_is_over() -> None:
    ticks = iter(range(10_000))
    belief = Belief(1, seed=1, clock=lambda: float(next(ticks)))
    table: Any = begin(Highest)
    go(table, 0)

    assert belief.stand(table, 10.0) <= 10


def test_imagining_ends_when_its_time_is_over() -> None:
    class Imagined(Stumbling):
        calls: ClassVar[list[int]] = []

        def imagine(self, seat: int) -> None:
            self.calls.append(seat)

    ticks = iter(range(10_000))
    table = begin(Imagined)
    go(table, 0)
    for seconds, most in ((10.0, 10), (0.0, 1)):
        Imagined.calls.clear()

        Belief(1, seed=1, clock=lambda: float(next(ticks))).stand(table, seconds)

        assert 1 <= len(Imagined.calls) <= most
