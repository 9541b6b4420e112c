"""Strangers say anything, in any order: they get documented replies, and no other table notices. Links break anywhere."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcode.turns import Free, Game, Owned, move, protocol
from netcode.turns.events import Refused
from netcode.turns.language.plays import Play, answer
from netcode.turns.seat import Seat
from turns.hall import TICK, Hall, Secrets, TicTacToe


class Hiding(Game):
    """Both hide places at once, of any length and kind, and whoever hid more has won."""

    hidden: Owned[list[list[tuple[int, str]]]] = [[], []]
    said: list[str] = []

    @staticmethod
    def drawn(dice: random.Random) -> list[tuple[int, str]]:
        return [(dice.randrange(9), "here")]

    @staticmethod
    def wrong(places: list[tuple[int, str]]) -> str:
        return "" if places[0][0] < 9 else "that is too far"  # which fails for nothing at all, on purpose

    def setup(self) -> None:
        self.turn_to(*self.players)

    def round(self) -> None:
        if self.said:
            self.finish(int(len(self.hidden[1]) > len(self.hidden[0])))
        else:
            answers = self.ask_all(self.players, Free(list[str], lambda dice: ["ready"], lambda text: ""), "ready?")
            self.said = [word for seat in self.players for word in answers[seat]] or ["no"]
            self.turn_to(*self.players)

    @move(places=Free(list[tuple[int, str]], drawn, wrong))
    def hide(self, places: list[tuple[int, str]]) -> None:
        self.hidden[self.mover] = places


GAMES: tuple[type[Game], ...] = (TicTacToe, Secrets, Hiding)
words = st.sampled_from(
    ["mark", "draw", "hide", "add", "", "setup", "finish", "__init__", "_t", "cells", "places", "x" * 150]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
numbers = st.integers(0, 4) | st.sampled_from([2**53, 7, 100])
arguments: st.SearchStrategy[dict[str, Any]] = (
    st.just(dict[str, Any]())
    | st.fixed_dictionaries({"cell": st.integers(-1, 9) | values})
    | st.fixed_dictionaries(
        {"places": st.lists(st.tuples(st.integers(-1, 9), st.text(max_size=4)), max_size=3) | values}
    )
    | st.dictionaries(words, values, max_size=2)
)
clocks = st.sampled_from(["minutes", "increment", "per_move", "hours"])
wanted: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "room": st.sampled_from(["a", "b", "#", "#nothing", "ours"]),
        "players": st.integers(0, 6) | st.just(2),
        "options": st.dictionaries(st.sampled_from(["size", "colour", "clock"]), values, max_size=2)
        | st.fixed_dictionaries({"clock": st.dictionaries(clocks, st.floats() | st.integers(-1, 2**64 - 1))}),
        "watch": st.booleans(),
        "ticket": st.sampled_from(["", "x.y", "nothing"]),
        "key": st.sampled_from(["k" * 16, "l" * 16]),
        "name": st.text(max_size=10),
        "legal": st.booleans(),
    },
)
LEGAL, ASKED = "what is legal", "what is asked"
"""A play from the list, or with an argument of its own; an answer to the question, from its options or of its own."""
messages: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(["TicTacToe", "Secrets", "Hiding", "Chess"]), wanted),
    st.tuples(
        st.just("join"), st.sampled_from(["TicTacToe", "Secrets", "Hiding"]), st.just({"room": "a", "players": 2})
    ),
    st.tuples(st.just("play"), numbers, words, arguments),
    st.tuples(st.just("answer"), numbers, st.sampled_from(["", "0-0", "1-0"]) | st.text(max_size=5), values),
    *[st.tuples(st.sampled_from([LEGAL, ASKED]), st.integers(0, 20), own) for own in (st.none(), st.none(), values)],
    st.tuples(st.just("consent"), st.booleans()),
    st.tuples(st.just("say"), st.text(max_size=20)),
    st.tuples(st.sampled_from(protocol.WISHES)),
    st.tuples(st.just("tables"), st.none() | st.just("TicTacToe")),
    st.tuples(words, values),
)
steps = st.lists(st.tuples(st.integers(0, 2), messages), max_size=40)


def told(heard: list[Any]) -> dict[str, Any]:
    """Return what a guest knows of its table beside the fields, from all that it heard."""
    known: dict[str, Any] = {}
    for reply in heard:
        match reply:
            case ["sat", _, _, _, _, last, _]:
                known = {"last": last}
            case ["step", _, _, state]:
                known |= state
            case _:
                pass
    return known


def said(message: tuple[Any, ...], heard: list[Any]) -> list[Any]:
    """Return what a guest says who has listened, where that is what it wants."""
    kind, *rest = message
    if kind not in (LEGAL, ASKED):
        return [*message]
    which, own = rest
    known = told(heard)
    number = known.get("last", 0) + 1
    if kind == LEGAL:
        unlisted: list[Any] = [["hide", {"places": [[1, "here"]]}]]
        plays: list[Any] = known.get("legal") or unlisted
        name, arguments = plays[which % len(plays)]
        return ["play", number, name, arguments if own is None else dict.fromkeys(arguments, own)]
    asked, _, options = known.get("question") or ["0-0", "", None]
    options = options or [["ready"]]
    return ["answer", number, asked, options[which % len(options)] if own is None else own]


@given(opening=st.sampled_from([None, "TicTacToe", "Secrets", "Hiding"]), steps=steps)
@settings(max_examples=60)
def test_strangers_get_documented_replies_and_disturb_nobody(
    opening: str | None, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    hall = Hall(*GAMES)
    try:
        hall.serve(moves_per_second=1000)
        quiet = [hall.join(game, room="quiet", players=2) for game in GAMES for _ in range(2)]
        heard = [[*hall.told[seat]] for seat in quiet]
        guests = [hall.guest() for _ in range(3)]
        hall.play(5 * TICK)
        for guest in guests[:2]:
            if opening is not None:
                guest.send(["join", opening, {"room": "ours", "players": 2, "legal": True}])
        hall.play(5 * TICK)
        for who, message in steps:
            if guests[who].reason is not None:
                guests[who] = hall.guest()
                hall.play(5 * TICK)
            guests[who].send(said(message, hall.guests[guests[who]]))
            hall.play(2 * TICK)

        for replies in hall.guests.values():
            for reply in replies:
                protocol.read_reply(reply)
        assert [hall.told[seat] for seat in quiet] == heard
        finish(hall, quiet)
    finally:
        hall.close()


def finish(hall: Hall, seats: list[Seat[Any]]) -> None:
    """Play the quiet tables to their ends, as if nothing had been."""
    for ann, bob in zip(seats[::2], seats[1::2], strict=True):
        if "hide" in ann.unlisted:
            for _ in range(2):
                for seat in (ann, bob):
                    hall.move(seat, "hide", places=[[1, "here"]])
                if ann.question is not None:
                    for seat in (ann, bob):
                        assert seat.question is not None
                        hall.move(seat, answer(seat.question.id, ["ready"]))
        hall.finish(ann, bob)


def nested(depth: int) -> Any:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize("large", [["x" * 70_000], ["x"] * 5000, nested(11), [{str(n): n for n in range(5000)}]])
def test_what_is_too_long_or_too_deep_never_reaches_the_rules(large: Any) -> None:
    seen: list[object] = []

    def look(words: list[str]) -> str:
        seen.append(words)
        return ""

    free = Free(list[str], lambda dice: ["fine"], look)

    class Said(Game):
        words: list[str] = []

        @move(words=free)
        def say(self, words: list[str]) -> None:
            self.words = self.ask(1 - self.mover, free, "and you?")

    hall = Hall(Said)
    try:
        hall.serve(max_message=1_000_000)
        ann, bob = (hall.join(Said, max_message=1_000_000) for _ in range(2))
        hall.move(ann, "say", words=large)
        assert (seen, ann.reason, len(hall.heard(ann, Refused))) == ([], "", 1)
        hall.move(ann, "say", words=["hello"])
        question = bob.question
        assert question is not None
        hall.move(bob, answer(question.id, large))
        assert (bob.reason, len(hall.heard(bob, Refused))) == ("", 1)
        assert all(words == ["hello"] for words in seen)
        hall.move(bob, answer(question.id, ["good day"]))
        assert ann.view.words == ["good day"]
    finally:
        hall.close()


@pytest.mark.parametrize("seed", range(8))
def test_each_play_is_made_once_over_links_that_break_at_any_byte(seed: int) -> None:
    quiet, broken = game_over(seed, None), game_over(seed, 400.0)

    assert broken == quiet


def game_over(seed: int, cut_every: float | None) -> list[Any]:
    """Play one game whose choices come from a seed and return how it went, move by move."""
    hall = Hall(TicTacToe, seed=seed)
    try:
        hall.serve(moves_per_second=1000)
        seats = [hall.begin_to_join(room="ours", name=name) for name in ("Ann", "Bob")]
        hall.until(lambda: all(seat.started for seat in seats), 200.0)
        hall.network.cut_every, hall.network.latency, hall.network.jitter = cut_every, 0.02, 0.03
        hall.network.cut()
        seats.sort(key=lambda seat: seat.seat or 0)
        choice = random.Random(seed)
        moves: list[Any] = []
        for _ in range(9):
            if seats[0].over:
                break
            moves.append(one_move(hall, seats, choice))
        return [moves, seats[0].view.cells, seats[0].result]
    finally:
        hall.close()


def one_move(hall: Hall, seats: list[Seat[Any]], choice: random.Random) -> Play:
    """Have the seat to move play, and wait until everybody has seen exactly that."""
    seat = seats[seats[0].to_move[0]]
    hall.until(lambda: seat.seated and seat.my_turn and seat.legal != (), 200.0)
    play = choice.choice(seat.legal)
    seat.play(play)
    count = seat.view.cells.count(None)
    hall.until(lambda: seat.pending is None and seat.view.cells.count(None) < count, 200.0)
    assert seat.view.cells.count(None) == count - 1
    hall.until(lambda: all(other.view.cells == seat.view.cells for other in seats), 200.0)
    return play


@pytest.mark.parametrize("seed", range(6))
def test_a_server_that_dies_again_and_again_loses_nothing_that_it_told(seed: int) -> None:
    hall = Hall(Secrets, seed=seed, cut_every=3000.0)
    chance = random.Random(seed)
    try:
        hall.serve()
        seats = [hall.begin_to_join(Secrets, room="ours", players=3) for _ in range(3)]
        known: dict[int, int] = {}
        for _ in range(6000):
            if all(seat.over for seat in seats):
                break
            if chance.random() < 0.01:
                hall.kill()
                hall.serve()
            for seat in seats:
                if seat.seated and seat.my_turn and seat.pending is None and seat.legal:
                    seat.play(chance.choice(seat.legal))
                if seat.seated and seat.started and seat.seat is not None:
                    for number, hand in enumerate(seat.view.hands):
                        if number == seat.seat and hand:
                            assert known.setdefault(number, hand[0]) == hand[0], "what was told became untrue"
                            assert len(hand) == 1, "a play was made twice"
            hall.play(TICK)

        assert [len(seat.view.shown) for seat in seats] == [3, 3, 3]
        assert len({seat.seat for seat in seats}) == 3
        assert seats[0].result == seats[1].result == seats[2].result is not None
    finally:
        hall.close()
