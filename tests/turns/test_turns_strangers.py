"""Strangers say anything, in any order: they get documented replies, and no other table notices. Links break anywhere."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcode.turns import protocol
from netcode.turns.client import Seat
from netcode.turns.plays import Play
from turns.hall import TICK, Hall, Secrets, TicTacToe

words = st.sampled_from(["mark", "draw", "add", "", "setup", "finish", "__init__", "_t", "cells", "x" * 150])
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
    | st.dictionaries(words, values, max_size=2)
)
wanted: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "room": st.sampled_from(["a", "b", "#", "#nothing", "ours"]),
        "players": st.integers(0, 6),
        "options": st.dictionaries(st.sampled_from(["size", "colour"]), values, max_size=2),
        "watch": st.booleans(),
        "ticket": st.sampled_from(["", "x.y", "nothing"]),
        "key": st.sampled_from(["k" * 16, "l" * 16]),
        "name": st.text(max_size=10),
        "legal": st.booleans(),
    },
)
messages: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(["TicTacToe", "Secrets", "Chess"]), wanted),
    st.tuples(st.just("play"), numbers, words, arguments),
    st.tuples(st.just("answer"), numbers, st.sampled_from(["", "0-0", "1-0"]) | st.text(max_size=5), values),
    st.tuples(st.just("consent"), st.booleans()),
    st.tuples(st.just("say"), st.text(max_size=20)),
    st.tuples(st.sampled_from(protocol.WISHES)),
    st.tuples(st.just("tables"), st.none() | st.just("TicTacToe")),
    st.tuples(words, values),
)
steps = st.lists(st.tuples(st.integers(0, 2), messages), max_size=40)


@given(steps=steps)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_strangers_get_documented_replies_and_disturb_nobody(steps: list[tuple[int, tuple[Any, ...]]]) -> None:
    hall = Hall()
    try:
        hall.serve(moves_per_second=1000)
        ann, bob = hall.join(room="quiet"), hall.join(room="quiet")
        heard = [*hall.told[ann], *hall.told[bob]]
        guests = [hall.guest() for _ in range(3)]
        hall.play(5 * TICK)
        for who, message in steps:
            if guests[who].reason is not None:
                guests[who] = hall.guest()
                hall.play(5 * TICK)
            guests[who].send([*message])
            hall.play(2 * TICK)

        for told in hall.guests.values():
            for reply in told:
                protocol.read_reply(reply)
        assert [*hall.told[ann], *hall.told[bob]] == heard
        hall.finish(ann, bob)
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
