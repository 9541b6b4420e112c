"""The fourteen games of the examples: each is played to its end, and stands where it should at a few positions."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

import benchmarks.turns
from benchmarks.turns import example
from netcode.turns import Result, simulate
from netcode.turns.language.fields import pack_fields
from netcode.turns.simulate import act
from netcode.turns.table import Refused, Step, Table, Told
from netcode.turns.values import unpack

GAMES = (
    "battleship", "chess_game", "connect_four", "coup", "crazy_eights", "draft_and_tricks", "hanabi", "love_letter",
    "pig", "rock_paper_scissors", "tictactoe", "tictactoe_exact", "traders", "uno",
)  # fmt: skip
SEATS = [
    (name, players)
    for name in GAMES
    for players in {"pig": range(2, 9), "uno": range(2, 7), "coup": range(2, 7)}.get(name, (0,))
]


def begin(name: str, players: int | None = None, seed: int = 1) -> Table:
    return benchmarks.turns.begin(example(name), players, seed)


def play(table: Table, seat: int, name: str, **arguments: Any) -> str:
    """Play, and return the refusal; "" for none."""
    return outcome(table, seat, (name, arguments))


def answer(table: Table, seat: int, option: Any) -> str:
    return outcome(table, seat, ("", {"answer": option}))


def outcome(table: Table, seat: int, choice: tuple[str, Mapping[str, Any]]) -> str:
    done = act(table, seat, choice)
    return done.text if isinstance(done, Refused) else ""


def seen(table: Table, seat: int | None, field: str) -> Any:
    return unpack(table.view(seat)[field])


def legal(table: Table, seat: int, name: str) -> list[Any]:
    """Return the legal values of the one argument that a move has."""
    return [next(iter(arguments.values())) for move, arguments in table.legal(seat).plays if move == name]


def hold(table: Table, **fields: Any) -> None:
    """Have the fields of a table be these, as a test wants them."""
    table.course.values.update(fields)
    table.course.packed = pack_fields(table.course.game)
    table.forget()


@pytest.mark.parametrize(("name", "players"), SEATS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_game_is_played_to_its_end_by_random_legal_moves(name: str, players: int, seed: int) -> None:
    game = example(name)

    played = simulate(game, seed, players=players or game.seats[1])

    assert played.result is not None
    again = Table.restore(game, played.start, played.entries)
    assert (again.frozen, again.snapshot()) == ("", played.table.snapshot())


@pytest.mark.parametrize("name", GAMES)
def test_a_restart_at_every_move_changes_nothing(name: str) -> None:
    game = example(name)

    def choose(table: Table, seat: int, choices: Any, dice: Any) -> Any:
        back = Table.restore(game, table.snapshot())
        assert (back.frozen, back.snapshot()) == ("", table.snapshot())
        for viewer in (None, *range(table.players)):
            assert back.view(viewer) == table.view(viewer)
        assert (back.legal(seat), back.question(seat)) == (table.legal(seat), table.question(seat))
        return dice.choice(choices)

    assert simulate(game, 4, choose=choose, limit=150).moves


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe_exact"])
def test_three_in_a_row_win(name: str) -> None:
    table = begin(name)

    for seat, cell in ((0, 0), (1, 3), (0, 1), (1, 4)):
        assert play(table, seat, "mark", cell=cell) == ""
    assert legal(table, 0, "mark") == [2, 5, 6, 7, 8]
    assert play(table, 1, "mark", cell=5) == "it is not your turn"
    assert play(table, 0, "mark", cell=0) != ""
    assert play(table, 0, "mark", cell=True) != ""
    assert play(table, 0, "mark", cell=2) == ""

    assert (table.result, seen(table, None, "cells")) == (Result((0,)), [0, 0, 0, 1, 1, None, None, None, None])


def test_four_in_a_column_win_and_a_full_one_is_closed() -> None:
    table = begin("connect_four")
    for turn in range(6):
        assert play(table, turn % 2, "drop", column=0) == ""
    assert legal(table, 0, "drop") == [1, 2, 3, 4, 5, 6]

    for seat, column in ((0, 1), (1, 2), (0, 1), (1, 2), (0, 1), (1, 2), (0, 1)):
        assert play(table, seat, "drop", column=column) == ""

    assert table.result == Result((0,))


def test_throws_stay_sealed_until_both_are_there() -> None:
    table = begin("rock_paper_scissors")

    assert answer(table, 1, "rock") == ""
    assert (table.to_move, seen(table, 0, "thrown")) == ((0,), {})
    assert answer(table, 1, "scissors") == ""  # one may think again
    assert answer(table, 0, "rock") == ""

    assert (seen(table, None, "score"), seen(table, 1, "thrown")) == ([1, 0], {0: "rock", 1: "scissors"})


def test_who_rolls_a_one_in_pig_loses_the_pot() -> None:
    table = begin("pig")
    assert play(table, 0, "hold") == "roll first"
    assert [name for name, _ in table.legal(0).plays] == ["roll"]

    for _ in range(100):
        seat = table.to_move[0]
        assert play(table, seat, "roll") == ""
        die = seen(table, None, "die")
        assert (table.to_move == (seat,)) == (die > 1)
        if die == 1:
            break

    assert (seen(table, None, "pot"), seen(table, None, "score")) == (0, [0, 0])


def test_an_eight_asks_for_a_suit_and_the_hand_is_seen_by_its_owner_alone() -> None:
    table = begin("crazy_eights")
    hold(table, hands=[["8C", "2D"], ["3S", "4S"]], pile=["KH"], suit="H")

    assert (seen(table, 0, "hands"), seen(table, 1, "hands")) == (
        [["8C", "2D"], [None, None]],
        [[None, None], ["3S", "4S"]],
    )
    assert legal(table, 0, "play") == ["8C"]
    assert play(table, 0, "play", card="8C") == ""
    assert seen(table, 1, "pile") == ["KH", "8C"]  # what it did so far is visible
    assert table.question(1) is None
    assert legal(table, 0, "") == ["C", "D", "H", "S"]
    assert play(table, 1, "draw") == "wait: somebody has yet to answer a question"
    assert answer(table, 0, "S") == ""

    assert (seen(table, None, "suit"), table.to_move, legal(table, 1, "play")) == ("S", (1,), ["3S", "4S"])


def test_a_guard_that_guesses_right_takes_the_other_out() -> None:
    table = begin("love_letter")
    hold(table, hands=[["guard", "priest"], ["baron"]])

    assert ("play", {"card": "priest", "target": 1, "guess": None}) in table.legal(0).plays
    assert play(table, 0, "play", card="guard", target=1, guess="baron") == ""

    assert table.result == Result((0,))


def test_a_priest_is_told_in_private() -> None:
    table = begin("love_letter")
    hold(table, hands=[["guard", "priest"], ["baron"]])

    done = act(table, 0, ("play", {"card": "priest", "target": 1, "guess": None}))

    assert isinstance(done, Step)
    told = [one for one in done.happenings if isinstance(one, Told)]
    assert told == [Told("seat 1 holds the baron", {}, (0,))]


def test_a_wild_draw_four_may_be_challenged() -> None:
    table = begin("uno")
    hold(table, hands=[["*4", "R1"], ["G2"]], pile=["R5"], colour="R")
    assert play(table, 0, "play", card="*4") == ""
    assert answer(table, 0, "B") == ""
    assert table.to_move == (1,)

    assert answer(table, 1, "challenge") == ""

    # Seat 0 could have played red, so it draws the four itself, and loses its turn.
    assert ([*map(len, seen(table, None, "hands"))], table.to_move) == ([5, 1], (1,))


def test_no_game_of_uno_begins_with_a_wild_card() -> None:
    first = {seen(begin("uno", seed=seed), None, "pile")[0] for seed in range(100)}

    assert {card[0] for card in first} == set("RGBY")
    assert {card[1] for card in first} <= set("0123456789")


def test_hanabi_is_no_draw_but_so_many_points_or_a_last_fuse() -> None:
    for seed in range(8):
        result = simulate(example("hanabi"), seed=seed).result

        assert result is not None
        assert result.text in {"the last fuse is gone", f"{result.scores[0] if result.scores else None} of 25 points"}


def test_everybody_sees_the_cards_in_hanabi_but_who_holds_them() -> None:
    table = begin("hanabi", 3)

    assert seen(table, 0, "hands")[0] == [None] * 5
    assert None not in seen(table, 0, "hands")[1] + seen(table, 0, "hands")[2]
    assert seen(table, None, "hands") == [[None] * 5] * 3
    assert play(table, 0, "discard", place=0) == "there are eight hints already"
    feature = seen(table, 0, "hands")[1][0][0]
    assert play(table, 0, "hint", to=1, feature=feature) == ""

    assert (seen(table, 1, "known")[1][0], seen(table, 1, "hints")) == ([feature], 7)


def test_packs_are_drafted_sealed_and_passed_on() -> None:
    table = begin("draft_and_tricks")
    packs = [seen(table, seat, "packs")[seat] for seat in range(3)]

    for seat in (2, 0, 1):
        assert seat in table.to_move
        assert answer(table, seat, packs[seat][0]) == ""

    assert [seen(table, seat, "packs")[seat] for seat in range(3)] == [packs[2][1:], packs[0][1:], packs[1][1:]]
    assert [seen(table, seat, "hands")[seat] for seat in range(3)] == [[pack[0]] for pack in packs]


def test_a_trick_goes_to_the_highest_of_the_suit_that_was_led() -> None:
    table = begin("draft_and_tricks")
    hold(table, packs=[[], [], []], hands=[["2C"], ["KC", "AD"], ["AD"]], phase="play")
    table.course.suspension = None
    table.course.kit.to_move = (0,)

    assert play(table, 0, "lay", card="2C") == ""
    assert legal(table, 1, "lay") == ["KC"]
    assert play(table, 1, "lay", card="KC") == ""
    assert play(table, 2, "lay", card="AD") == ""

    assert (seen(table, None, "won"), table.to_move) == ([0, 1, 0], (1,))


def test_the_first_who_accepts_an_offer_gets_the_deal() -> None:
    table = begin("traders")
    hold(table, goods=[["ore"], ["wool"], ["wool"]])
    assert play(table, 0, "offer", give="ore", want="ore") == "that is no trade"
    assert play(table, 0, "offer", give="ore", want="wool") == ""
    assert (table.to_move, legal(table, 0, ""), legal(table, 2, "")) == ((1, 2, 0), ["withdraw"], ["accept", "decline"])
    late = table.question(1)

    assert answer(table, 2, "accept") == ""

    assert seen(table, 0, "goods")[0] == ["wool"]
    assert late is not None
    assert table.answer(1, late.id, "accept", 1, now=0.0) == Refused("too late: that is not asked any more")


def test_a_doubted_claim_costs_whoever_is_wrong() -> None:
    table = begin("coup", 3)
    hold(table, hands=[["duke", "captain"], ["contessa", "duke"], ["duke", "assassin"]], coins=[2, 3, 2])
    assert play(table, 0, "act", action="tax", victim=None) == ""
    assert legal(table, 1, "") == legal(table, 2, "") == ["let it pass", "challenge"]

    assert answer(table, 2, "challenge") == ""
    assert (legal(table, 1, ""), legal(table, 2, "")) == ([], ["duke", "assassin"])
    assert answer(table, 2, "assassin") == ""

    assert (seen(table, None, "lost"), seen(table, None, "coins"), table.to_move) == (
        [[], [], ["assassin"]],
        [5, 3, 2],
        (1,),
    )


def test_a_fleet_is_hidden_from_the_other_and_from_who_watches() -> None:
    table = begin("battleship")
    fleets = [[[length, 0, row, False] for row, length in enumerate((5, 4, 3, 3, 2))] for _ in range(2)]

    assert table.legal(0).unlisted == ("",)
    assert answer(table, 0, fleets[0][:4]) == "a fleet is ships of lengths [5, 4, 3, 3, 2]"
    assert answer(table, 0, [[5, 0, 0, 1], *fleets[0][1:]]) == "the answer[0][3] must be bool, not an int"
    for seat in range(2):
        assert answer(table, seat, fleets[seat]) == ""
    first = table.to_move[0]
    assert (seen(table, 0, "fleets"), seen(table, None, "fleets")) == (
        {0: fleets[0], 1: [None] * 5},
        {0: [None] * 5, 1: [None] * 5},
    )
    assert play(table, first, "fire", cell=0) == ""

    shots = seen(table, None, "shots")[1 - first]
    assert Counter(map(str, shots)) == {"None": 99, "True": 1}


def test_chess_ends_with_checkmate() -> None:
    table = begin("chess_game")
    assert len(legal(table, 0, "go")) == 20

    for turn, uci in enumerate(("f2f3", "e7e5", "g2g4", "d8h4")):
        assert play(table, turn % 2, "go", uci=uci) == ""

    assert table.result == Result((1,), None, "checkmate")


def test_a_flag_falls_in_chess_for_a_draw_if_nobody_could_mate() -> None:
    table = begin("chess_game")
    hold(table, fen="8/8/8/4k3/8/8/4K3/7Q w - - 0 1")

    assert table.advance(299.9) == ()
    assert table.due() == 300.0
    table.advance(300.0)

    assert table.result == Result((), None, "time")
