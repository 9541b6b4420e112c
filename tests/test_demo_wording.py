"""Tests of the sentences that a player reads."""

import pytest

from demo_game.messages import Fired, Missing, News, Over, Paired, Placed, Refused, Silent, Turn
from demo_game.rules import FLEET, Cell, Ship, Shot
from demo_game.view import View, advance
from demo_game.wording import Headline, Tone, ending_title, headline, score, tell_shot, verdict, worth_retrying
from netcode import ReasonCode

FLEET_AT_THE_TOP = tuple(Ship(length, Cell(0, row)) for row, length in enumerate(FLEET))
PAIRED, PAIRED_WATCHING = Paired(1, ("Anne", "Bob"), 0), Paired(1, ("Anne", "Bob"), None)


def told(*news: News) -> View:
    view = View()
    for each in news:
        view = advance(view, each)
    return view


@pytest.mark.parametrize(
    ("news", "line"),
    [
        ((), Headline("Waiting for an opponent", Tone.CALM)),
        ((PAIRED,), Headline("Hide your fleet from Bob", Tone.ACT)),
        ((PAIRED_WATCHING,), Headline("Anne and Bob are hiding the fleet…", Tone.CALM)),
        ((PAIRED_WATCHING, Placed(0)), Headline("Bob is hiding the fleet…", Tone.CALM)),
        ((PAIRED, Turn(0)), Headline("Your turn: choose a target", Tone.ACT)),
        ((PAIRED, Turn(1)), Headline("Bob takes aim…", Tone.CALM)),
        ((PAIRED, Silent(1, 4, 10)), Headline("Bob silent for 4 s… (the link ends at 10 s)", Tone.WARN)),
        ((PAIRED, Missing(1)), Headline("Bob lost the connection, waiting for the return…", Tone.WARN)),
        ((PAIRED, Refused("not your turn")), Headline("Not your turn", Tone.WARN)),
        ((PAIRED, Over(1, "", ((), ()))), Headline("Defeat", Tone.CALM)),
    ],
)
def test_the_headline_says_what_is_going_on(news: tuple[News, ...], line: Headline) -> None:
    assert headline(told(*news)) == line


def test_after_placing_the_headline_says_whom_we_wait_for() -> None:
    view = told(PAIRED, Placed(0))
    view.hide(FLEET_AT_THE_TOP)
    assert headline(view).text == "Bob is hiding the fleet…"

    view.learn(Placed(1))

    assert headline(view).text == "Your fleet puts to sea…"


def test_after_firing_the_headline_does_not_ask_for_a_shot() -> None:
    view = told(PAIRED, Turn(0))
    view.aim = Cell(0, 0)

    assert headline(view) == Headline("The shell is on its way…", Tone.CALM)


def test_trouble_with_our_own_link_comes_first() -> None:
    view = told(PAIRED, Missing(1))

    assert headline(view, silence=4).text == "The server has been silent for 4 s…"
    assert headline(view, silence=4, away=True) == Headline("Connection lost, trying to come back…", Tone.WARN)


@pytest.mark.parametrize(
    ("seat", "winner", "words"), [(0, 0, "Victory"), (0, 1, "Defeat"), (None, 1, "Bob wins"), (0, None, "")]
)
def test_the_verdict_depends_on_who_reads_it(seat: int | None, winner: int | None, words: str) -> None:
    view = told(Paired(1, ("Anne", "Bob"), seat))
    view.winner = winner

    assert verdict(view) == words


@pytest.mark.parametrize(
    ("fired", "words"),
    [
        (Fired(0, Shot(Cell(2, 6), hit=False)), "You fired at C7: a miss"),
        (Fired(1, Shot(Cell(2, 6), hit=True)), "Bob fired at C7: a hit"),
        (Fired(1, Shot(Cell(2, 6), True, Ship(5, Cell(2, 6)))), "Bob fired at C7: the carrier sinks"),
    ],
)
def test_a_shot_is_told_in_a_sentence(fired: Fired, words: str) -> None:
    assert tell_shot(told(PAIRED), fired) == words


def test_the_score_counts_shots_and_hits() -> None:
    hit, miss = Fired(0, Shot(Cell(0, 0), hit=True)), Fired(0, Shot(Cell(1, 0), hit=False))

    assert [score([]), score([hit]), score([hit, miss, miss])] == [
        "no shot yet",
        "1 shot, 100 % hits",
        "3 shots, 33 % hits",
    ]


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_a_title(code: ReasonCode) -> None:
    assert ending_title(code)


def test_trying_again_is_offered_where_it_could_help() -> None:
    assert worth_retrying(ReasonCode.REFUSED)
    assert worth_retrying(ReasonCode.SERVER_FULL)
    assert worth_retrying(ReasonCode.SHUTDOWN)
    assert not worth_retrying(ReasonCode.WRONG_VERSION)
