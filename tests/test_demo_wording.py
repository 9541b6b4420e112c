"""Tests of the sentences that a player reads."""

from dataclasses import replace

import pytest
from broadside import TIDY_FLEET, changed, firing, placing

from demo_game.rules import Cell, Fired, Ship, Shot
from demo_game.session import Ended
from demo_game.view import Phase, View
from demo_game.window.headline import (
    Headline,
    Tone,
    ending_title,
    ending_words,
    headline,
    score,
    tell_shot,
    verdict,
    worth_retrying,
)
from demo_game.wording import NAME_LIMIT, ended, plain_text, refused, time_left, why
from netcode import ReasonCode
from netcode.turns import Play


@pytest.mark.parametrize(
    ("view", "line"),
    [
        (View(), Headline("Waiting for an opponent", Tone.CALM)),
        (placing(), Headline("Hide your fleet from Blackbeard", Tone.ACT)),
        (changed(placing(), 0, clock=9.2), Headline("Hide your fleet from Blackbeard: 0:10", Tone.ACT)),
        (placing(None), Headline("Anne Bonny and Blackbeard are hiding the fleet…", Tone.CALM)),
        (changed(placing(None), 0, placed=True), Headline("Blackbeard is hiding the fleet…", Tone.CALM)),
        (firing(2), Headline("Your turn: choose a target", Tone.ACT)),
        (firing(1), Headline("Blackbeard takes aim…", Tone.CALM)),
        (firing(2, aim=Cell(0, 0)), Headline("The shell is on its way…", Tone.CALM)),
        (
            changed(firing(2), 1, presence="away", patience=23.4),
            Headline("Blackbeard lost the connection, waiting for the return… 23 s", Tone.WARN),
        ),
        (
            changed(firing(2), 1, presence="away"),
            Headline("Blackbeard lost the connection, waiting for the return…", Tone.WARN),
        ),
        (firing(2, refusal="not so fast"), Headline("Not so fast", Tone.WARN)),
        (changed(firing(2, refusal="jo moved on"), 1, name="jo"), Headline("jo moved on", Tone.WARN)),  # that is a name
        (firing(200), Headline("Victory", Tone.CALM)),
        (changed(firing(200), 1, presence="away"), Headline("Victory", Tone.CALM)),
    ],
)
def test_the_headline_says_what_is_going_on(view: View, line: Headline) -> None:
    assert headline(view) == line


def test_after_placing_the_headline_says_whom_we_wait_for() -> None:
    view = changed(placing(to_place=False), 0, placed=True, fleet=TIDY_FLEET)
    assert headline(view).text == "Blackbeard is hiding the fleet…"

    assert headline(changed(view, 1, placed=True)).text == "Your fleet puts to sea…"


def test_trouble_with_our_own_link_comes_first() -> None:
    view = changed(firing(2), 1, presence="away")

    assert headline(view, silence=4).text == "The server has been silent for 4 s…"
    assert headline(view, silence=4, away=12.3) == Headline("Connection lost, trying to come back… 12 s", Tone.WARN)
    gone = headline(view, away=12.3, closed=True)
    assert gone == Headline("The server is gone, waiting for its return… 12 s", Tone.WARN)
    assert headline(firing(200), silence=4, away=12.3) == Headline("Victory", Tone.CALM)


@pytest.mark.parametrize(
    ("seat", "winner", "words"), [(0, 0, "Victory"), (0, 1, "Defeat"), (None, 1, "Blackbeard wins"), (0, None, "")]
)
def test_the_verdict_depends_on_who_reads_it(seat: int | None, winner: int | None, words: str) -> None:
    assert verdict(firing(seat=seat, winner=winner)) == words


def test_the_end_is_told_as_it_came_about() -> None:
    gave_up = firing(4, phase=Phase.OVER, winner=0, why="Blackbeard gave up")

    assert why(firing(200)) == "Anne Bonny has sunk the whole fleet of Blackbeard"
    assert why(changed(gave_up, 1, presence="left")) == "Blackbeard gave up"
    assert why(changed(gave_up, 1, presence="away")) == "Blackbeard lost the connection and did not come back in time"
    assert why(replace(gave_up, why="Blackbeard ran out of time")) == "Blackbeard ran out of time"


@pytest.mark.parametrize(
    ("fired", "words"),
    [
        (Fired(0, Shot(Cell(2, 6), hit=False)), "You fired at C7: a miss"),
        (Fired(1, Shot(Cell(2, 6), hit=True)), "Blackbeard fired at C7: a hit"),
        (Fired(1, Shot(Cell(2, 6), True, Ship(5, Cell(2, 6)))), "Blackbeard fired at C7: the carrier sinks"),
    ],
)
def test_a_shot_is_told_in_a_sentence(fired: Fired, words: str) -> None:
    assert tell_shot(firing(), fired) == words


def test_the_score_counts_shots_and_hits() -> None:
    hit, miss = Fired(0, Shot(Cell(0, 0), hit=True)), Fired(0, Shot(Cell(1, 0), hit=False))

    assert [score([]), score([hit]), score([hit, miss, miss])] == [
        "no shot yet",
        "1 shot, 100 % hits",
        "3 shots, 33 % hits",
    ]


def test_what_a_table_says_to_programmers_is_not_shown_to_players() -> None:
    assert refused(Play("fire", {"cell": Cell(0, 0)}), "cell must be one of [0, 1], [0, 2], …").startswith("that shot")
    assert refused(None, "too fast: moves_per_second is 20; try again in a moment").startswith("not so fast")
    assert refused(None, "Bob has left; join another table") == "Bob has left; join another table"
    told = [
        ended("the game has begun; to look on, join with watch"),
        ended("the table is full; to look on, join with watch"),
        ended("enough people watch: max_spectators is 100"),
        ended("enough tables wait for players: max_waiting is 1000; sit down at one of them"),
        ended("this ticket opens no seat at its table"),
        ended("you founded enough tables: tables_per_peer is 20"),
        ended("this server does not play 'Broadside'; it plays TicTacToe"),
        ended("you sat down at this seat from elsewhere"),
    ]
    assert [text for text in told if "_" in text or "join with" in text or text[0].islower()] == []
    assert ended("pluto:7777 does not speak TLS; use tls= at both ends or at none").endswith(
        "use --tls at both ends or at none"
    )
    assert ended("nothing is listening on pluto:7777") == "Nothing is listening on pluto:7777"


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0:00"), (0.1, "0:01"), (59.9, "1:00"), (60, "1:00"), (61.5, "1:02"), (600, "10:00")]
)
def test_a_clock_has_sixty_seconds_to_a_minute_and_shows_nothing_only_when_nothing_is_left(
    seconds: float, written: str
) -> None:
    assert time_left(seconds) == written


def test_a_strangers_text_is_made_plain() -> None:
    assert plain_text("\x1b[31mAnne\udcff") == "[31mAnne"
    assert plain_text("x" * 100) == "x" * NAME_LIMIT


@pytest.mark.parametrize("code", [None, *ReasonCode])
def test_every_reason_has_a_title(code: ReasonCode | None) -> None:
    assert ending_title(code)


def test_a_server_that_hangs_is_told_without_a_word_of_ours() -> None:
    silent = Ended("pluto:7777 did not greet within handshake_timeout = 3 s", ReasonCode.HANDSHAKE_TIMEOUT)

    assert ending_words(silent) == "The server is there, but says nothing. Try again: a game that had begun is kept."
    assert ending_words(Ended("the table is full", None)) == ended("the table is full")


def test_trying_again_is_offered_where_it_could_help() -> None:
    assert worth_retrying(ReasonCode.REFUSED)
    assert worth_retrying(ReasonCode.SERVER_FULL)
    assert worth_retrying(ReasonCode.SHUTDOWN)
    assert worth_retrying(None)
    assert not worth_retrying(ReasonCode.WRONG_VERSION)
