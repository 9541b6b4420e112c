"""What the source of rules says of seats: which fields have an entry for each, and which numbers are some."""

from dataclasses import dataclass
from types import SimpleNamespace

from netcode.turns import Game, Owned, move
from netcode.turns.language.seating import Seating, seating_of


@dataclass
class Unit:
    owner: int
    strength: int = 1


class Seated(Game):
    scores: list[int]
    stores: list[dict[str, int]]
    bids: dict[int, int] = {}
    places: dict[int, int] = {}
    answers: dict[int, str] = {}
    coins: list[int] = [0, 0]
    points: list[int] = [0, 0]
    hands: Owned[list[list[str]]]
    trick: list[tuple[int, str]] = []
    safe: set[int] = set()
    order: list[int] = []
    dealer: int = 0
    first: int = 0
    units: list[Unit]
    cells: list[int | None] = [None] * 9
    board: list[list[int]] = [[0] * 3 for _ in range(3)]

    def setup(self) -> None:
        self.scores = [0] * len(self.players)
        self.stores = [{} for _ in sorted(self.players)]
        self.bids = dict.fromkeys(self.players, 0)
        self.places = {seat: seat for seat in self.players}
        self.hands = [[] for number, seat in enumerate(self.players) if number or seat]
        self.units = [Unit(0), Unit(1)]

    def round(self) -> None:
        self.answers = self.ask_all(self.players, ["yes", "no"])
        for who in reversed(self.alive):
            self.coins[who] += 1
        self.finish(scores=self.points)

    @move(cell=range(9), unit=range(2))
    def go(self, cell: int, unit: int) -> None:
        me = self.mover
        self.hands[1 - me].append("card")
        self.cells[cell] = me
        self.board[cell][unit] = self.after(me)
        self.safe.add(me)
        self.order.insert(0, self.mover)
        self.trick.append((unit, "card"))
        self.require(self.units[unit].owner == me and me != self.dealer, f"it is {self.names[self.first]}'s")

    def timeout(self, seat: int) -> None:
        self.coins[seat] = self.units[0].strength

    @staticmethod
    def nothing() -> None: ...


class Dice(Game):
    """Two dice, two cards and two players: nothing of it is for each seat."""

    dice: list[int] = [1, 2]
    cards: list[Unit]
    counts: dict[int, int] = {0: 1, 1: 2}

    def setup(self) -> None:
        self.cards = [Unit(number) for number in range(2)]

    @move(which=range(2))
    def roll(self, which: int) -> None:
        self.dice[which] = self.random.randint(1, 6)
        self.counts[which] += self.mover
        for count in self.dice:
            self.require(count == 3, "no three")


def test_the_source_tells_which_fields_have_an_entry_for_each_seat_and_which_hold_seats() -> None:
    assert seating_of(Seated) == Seating(
        {"scores", "stores", "bids", "places", "answers", "coins", "points", "hands"},
        {"safe", "order", "dealer", "first", "owner", "cells", "board"},
    )


def test_as_many_as_there_are_seats_is_not_one_for_each() -> None:
    assert seating_of(Dice) == Seating()


def test_rules_without_source_tell_nothing() -> None:
    rules = SimpleNamespace(Game=Game, move=move)
    exec(
        "class Typed(Game):\n    got: list[int] = []\n    @move\n    def go(self): self.got[self.mover] = 1",
        vars(rules),
    )

    assert seating_of(rules.Typed) == Seating()
