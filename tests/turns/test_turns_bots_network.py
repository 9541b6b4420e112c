"""Bots that have nothing but what a player has: what they find out from a view, what they draw, when they give up."""

import io
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.turns import example
from netcode.turns import Free, Game, Hidden, Owned, Play, move
from netcode.turns.bots import Drawer, RandomBot, SearchBot, drawing
from netcode.turns.bots.rebuilding import Rebuilder
from netcode.turns.player.sight import View
from netcode.turns.seat import Seat
from netcode.turns.simulate import Choice, act, choices_of
from netcode.turns.table import Result, Table
from netcode.turns.terminal.bot_play import BotSeat, GaveUp
from netcode.turns.terminal.local_play import play_locally
from netcode.turns.terminal.local_table import LocalTable
from netcode.turns.terminal.screen import Screen
from turns.hall import TICK, Hall, TicTacToe


def counted() -> Callable[[], float]:
    """Return a clock on which each look takes a second, so that a machine that is busy thinks as long as any other."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def local(game: type[Game], players: int = 2) -> LocalTable:
    return LocalTable(game, ["Ann", "Bob", "Cid", "Dot"][:players], {}, bytes(range(32)))


@pytest.mark.parametrize(
    ("name", "players"),
    [
        ("connect_four", 2), ("crazy_eights", 3), ("love_letter", 2), ("love_letter", 4), ("chess_game", 2),
        ("pig", 2), ("uno", 3), ("tictactoe", 2),
    ],
)  # fmt: skip
def test_a_table_is_made_again_from_a_view_as_the_seat_sees_it(name: str, players: int) -> None:
    table, dice, rebuilder, made = local(example(name), players), random.Random(1), Rebuilder(), 0

    for _ in range(60):
        if table.table.result is not None:
            break
        seat = table.table.to_move[0]
        if table.table.question(seat) is None:
            again = rebuilder.table(table.view(seat), dice)
            if again is not None:
                made += 1
                assert again.view(seat) == table.table.view(seat)
                assert again.legal(seat) == table.table.legal(seat)
                assert (again.to_move, again.status(0.0).out) == (table.table.to_move, table.table.status(0.0).out)
        act(table.table, seat, dice.choice(choices_of(table.table, seat, dice)))

    assert made >= 2


def test_what_is_filled_in_is_what_could_be_there_and_nothing_else() -> None:
    table, dice, rebuilder = local(example("love_letter")), random.Random(1), Rebuilder()
    own = table.view(0).hands[0]

    worlds = [rebuilder.table(table.view(0), dice) for _ in range(200)]

    held = {world.course.values["hands"][1][0] for world in worlds if world is not None}
    assert held == {"guard", "priest", "baron", "handmaid", "prince", "king", "countess", "princess"} - {
        card for card in own if card in ("king", "countess", "princess")
    }


class Dealt(Game):
    """Hidden numbers that nobody can count, because each game has others."""

    hands: Owned[list[list[int]]]
    _count: int = 7

    def setup(self) -> None:
        self.hands = [[self.random.randrange(10**6)] for _ in self.players]

    @move(number=range(3))
    def go(self, number: int) -> None:
        self.finish(number % 2)


class Bags(Game):
    """Cards in sets and in a tuple."""

    seats = 3, 3
    hands: Owned[list[set[int]]]
    stock: Hidden[tuple[int, ...]]

    def setup(self) -> None:
        cards = [*range(12)]
        self.random.shuffle(cards)
        self.hands = [{*cards[:3]}, {*cards[3:6]}, {*cards[6:9]}]
        self.stock = tuple(cards[9:])

    def held(self) -> set[int]:
        return self.hands[self.mover]

    @move(card=held)
    def lay(self, card: int) -> None:
        self.hands[self.mover].remove(card)


def test_sets_and_tuples_are_filled_in_with_what_is_not_seen() -> None:
    table, dice = local(Bags, 3), random.Random(1)
    own = table.view(0).hands[0]

    worlds = [Rebuilder().table(table.view(0), dice) for _ in range(30)]

    for world in worlds:
        assert world is not None
        hands, stock = world.course.values["hands"], world.course.values["stock"]
        assert hands[0] == own
        assert ([*map(type, hands)], type(stock)) == ([set] * 3, tuple)
        assert [len(hand) for hand in hands] == [3, 3, 3]
        assert {*stock}.union(*hands) == {*range(12)}
    assert len({str(world and world.course.values) for world in worlds}) > 20


class Short(Dealt):
    """Cards that are the same in every game, one of which is lost without a trace."""

    def setup(self) -> None:
        self.hands = [[1, 2], [3, 4, 5]]

    @move(number=range(3))
    def go(self, number: int) -> None:
        self.hands[1].pop()


def test_where_nothing_can_be_counted_there_is_no_table() -> None:
    dealt, short = local(Dealt), local(Short)
    assert Rebuilder().table(dealt.view(0), random.Random(1)) is None
    assert Rebuilder().table(short.view(0), random.Random(1)) is not None
    act(short.table, 0, ("go", {"number": 0}))
    assert Rebuilder().table(short.view(1), random.Random(1)) is None
    assert Rebuilder().table(short.view(0), random.Random(1)) is None
    assert Rebuilder().table(short.view(None), random.Random(1)) is None


def test_a_bot_that_cannot_search_plays_anything_legal() -> None:
    table, bot = local(Dealt), SearchBot(0.02, seed=1)

    chosen = {str(bot(table.view(0), table.legal(0))) for _ in range(40)}

    assert (chosen, bot.searched) == ({f"go(number={number})" for number in range(3)}, 0)


def test_a_bot_that_does_not_know_the_rules_plays_anything_legal() -> None:
    legal = [Play("go", {"number": number}) for number in range(3)]
    bot = SearchBot(60.0, seed=1)

    assert {str(bot(View("Dealt", {"cells": []}), legal)) for _ in range(40)} == {str(play) for play in legal}


def test_a_bot_takes_the_win_that_its_view_shows() -> None:
    table = local(example("connect_four"))
    for seat, column in ((0, 3), (1, 0), (0, 3), (1, 0), (0, 3), (1, 0)):
        act(table.table, seat, ("drop", {"column": column}))
    bot = SearchBot(300.0, seed=1, clock=counted())

    assert bot(table.view(0), table.legal(0)) == Play("drop", {"column": 3})
    assert bot.searched == 1


@pytest.mark.games
def test_a_bot_wins_of_chance_with_nothing_but_its_view() -> None:
    game, won = example("connect_four"), 0
    for number in range(6):
        table, seat = LocalTable(game, ["Ann", "Bob"], {}, bytes([number] * 32)), number % 2
        bots: list[Any] = [RandomBot(number), RandomBot(number)]
        bots[seat] = SearchBot(60.0, seed=1, clock=counted())
        for _ in range(42):
            if table.table.result is not None:
                break
            mover = table.table.to_move[0]
            assert table.play(mover, bots[mover](table.view(mover), table.legal(mover))) == ""
        won += table.table.result is not None and table.table.result.winners == (seat,)

    assert won >= 5


# At a server.


@pytest.fixture
def hall(request: pytest.FixtureRequest) -> Iterator[Hall]:
    hall = Hall(*getattr(request, "param", ()))
    hall.serve()
    yield hall
    hall.close()


class Auction(Game):
    """A bid is any even number above the last one, and what it is for is asked afterwards."""

    bids: list[int] = []
    words: list[str] = []

    @move(price=Free(int, lambda dice: dice.randrange(30), lambda price: None if price < 30 else "too much"))
    def bid(self, price: int) -> None:
        self.require(price % 2 == 0, "only even prices")
        self.bids.append(price)
        word = self.ask(self.mover, Free(str, lambda dice: dice.choice("abc"), lambda text: None), f"for {price}?")
        self.require(word != "c", "not for c")
        self.words.append(word)
        if len(self.bids) == 6:
            self.finish(self.mover)


class Picky(Game):
    """What may be said is refused, whatever it is."""

    @move
    def go(self) -> None:
        self.ask(self.mover, Free(str, lambda dice: "no", lambda text: f"{text} is not the word"), "the word?")


def sit(hall: Hall, game: type[Game], seed: int) -> BotSeat:
    seat: Seat[Any] = hall.begin_to_join(game)
    hall.seats.remove(seat)
    return BotSeat(seat, Drawer(game, seed), RandomBot(seed))


def play(hall: Hall, *bots: BotSeat, seconds: float = 120.0) -> Result | None:
    """Let bots play to the end."""
    for _ in range(round(seconds / TICK)):
        hall.play(TICK)
        for bot in bots:
            bot.update(hall.clock.now)
        if all(bot.seat.over for bot in bots):
            break
    return bots[0].seat.result


@pytest.mark.parametrize("hall", [(Auction,)], indirect=True)
def test_bots_bid_and_say_anything_until_the_rules_accept_it(hall: Hall) -> None:
    ann, bob = sit(hall, Auction, 1), sit(hall, Auction, 2)

    result = play(hall, ann, bob)

    assert result is not None
    assert len(ann.seat.view.words) == 6
    assert {*ann.seat.view.words} <= {"a", "b"}
    ann.seat.close()
    bob.seat.close()


def test_bots_hide_their_fleets_and_fight_at_a_server() -> None:
    game = example("battleship")
    hall = Hall(game)
    hall.serve()
    ann, bob = sit(hall, game, 1), sit(hall, game, 2)

    assert play(hall, ann, bob, seconds=600.0) is not None
    for bot in (ann, bob):
        bot.seat.close()
    hall.close()


@pytest.mark.parametrize("hall", [(Picky,)], indirect=True)
def test_a_bot_whose_every_answer_is_refused_says_so_and_leaves(hall: Hall) -> None:
    ann, bob = sit(hall, Picky, 1), sit(hall, Picky, 2)

    with pytest.raises(GaveUp, match=r"the rules refused 50 tries, at last with: no is not the word"):
        play(hall, ann, bob)

    for _ in range(30):
        hall.play(TICK)
        ann.seat.update()
        bob.seat.update()
    assert {ann.seat.reason, bob.seat.reason} == {"you left the table", ""}
    assert {bot.seat.result.winners for bot in (ann, bob) if bot.seat.result is not None and not bot.seat.reason} == {
        (1,)
    }
    ann.seat.close()
    bob.seat.close()


@pytest.mark.parametrize("hall", [(Picky,)], indirect=True)
def test_a_bot_that_knows_no_answer_says_so_and_leaves(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MAX_GAMES", 0)
    ann, bob = sit(hall, Picky, 1), sit(hall, Picky, 2)

    with pytest.raises(GaveUp, match=r"gives up its seat: it knows no way to answer 'the word\?'"):
        play(hall, ann, bob)

    ann.seat.close()
    bob.seat.close()


def test_a_bot_waits_between_its_moves_if_it_shall(hall: Hall) -> None:
    ann, bob = sit(hall, TicTacToe, 1), sit(hall, TicTacToe, 2)
    ann._pace = bob._pace = 2.0
    began = hall.clock.now

    assert play(hall, ann, bob) is not None

    assert hall.clock.now - began > 4.0
    ann.seat.close()
    bob.seat.close()


class Elsewhere(Game):
    """A free argument beside one that is hidden from the view, and one that a rule stumbles over."""

    secret: Hidden[list[int]] = [1, 2]

    def rest(self) -> list[int]:
        return [number + 1 for number in self.secret]

    def none(self) -> list[int]:
        return []

    @move(number=rest, text=Free(str, lambda dice: "a", lambda text: None))
    def look(self, number: int, text: str) -> None: ...

    @move(number=none, text=Free(str, lambda dice: "a", lambda text: None))
    def wait(self, number: int, text: str) -> None: ...

    @move(number=range(3), text=Free(str, lambda dice: "a", lambda text: None))
    def say(self, number: int, text: str) -> None: ...


def test_what_cannot_be_drawn_from_a_view_is_not_drawn() -> None:
    view, drawer = local(Elsewhere).view(0), Drawer(Elsewhere, 1)

    assert [drawer.draw(view, name, None) for name in ("look", "wait", "")] == [None] * 3
    drawn = {drawer.draw(view, "say", None) for _ in range(40)}
    assert drawn == {Play("say", {"number": number, "text": "a"}) for number in range(3)}


# At this keyboard.


def nobody(_seconds: float | None) -> str:
    raise EOFError


@pytest.mark.parametrize(("game", "last"), [(Auction, "won\n"), (Picky, "finds nothing to do: no is not the word\n")])
def test_bots_at_one_keyboard_try_anything_and_say_when_nothing_is_left(game: type[Game], last: str) -> None:
    out, dice = io.StringIO(), random.Random(3)

    def choose(table: Table, seat: int) -> Choice | None:
        return dice.choice(choices_of(table, seat, dice))

    play_locally(local(game), (0, 1), Screen(out), nobody, choose)

    assert last in out.getvalue()
