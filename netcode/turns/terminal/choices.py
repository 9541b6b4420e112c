"""What may be played, written down: a numbered list, and how what is not in it is typed."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.plays import Play
from netcode.turns.terminal.columns import columns
from netcode.turns.terminal.screen import Screen
from netcode.turns.terminal.wording import said

LISTED = 40
"""Plays that are shown; more are there, and may be typed all the same."""


DRAW = "/draw draws one at random"
"""What who has no idea reads of what is not listed."""
ALL_LISTED = "everything is listed: type its number or its words"
STUCK = (
    "nothing can be done, and the game is not over: the rules are stuck; if no bug of theirs was logged, they have to end it "
    "by self.finish(…), or to give the turn to who can move, by self.turn_to(…)"
)
"""What is said where it is somebody's turn, and nothing is legal."""
NOTHING_DRAWN = "nothing is drawn yet: /draw draws one at random of what is not listed"


def are_numbers(legal: Sequence[Play]) -> bool:
    """Tell whether plays are nothing but numbers, so that each stands for itself."""
    return bool(legal) and all(said(play).removeprefix("-").isdecimal() for play in legal)


def form_of(game: type[Any], name: str) -> str:
    """Return how a move is typed: its name, and those of its arguments in capitals; one of other rules has its name."""
    move = definition_of(game).moves.get(name)
    return " ".join([name, *map(str.upper, () if move is None else move.domains)])


def show_plays(
    screen: Screen, game: type[Any], legal: Sequence[Play], unlisted: Iterable[str], prompt: str, *, text: bool = False
) -> None:
    """Write down what may be played, numbered; numbers stand for themselves.

    Args:
        screen: where.
        game: of which class the moves are.
        legal: what is listed.
        unlisted: the moves that are legal and not listed; "" for a free answer.
        prompt: what the seat is asked.
        text: whether a free answer is a text, whatever is in it.
    """
    if prompt:
        screen.lines(prompt)
    unlisted = [*unlisted]
    if not legal and not unlisted:
        screen.text(STUCK)
    bare, line, width = are_numbers(legal), "", screen.width - 3
    for number, play in enumerate(legal[:LISTED], 1):
        part = said(play) if bare else f"{number}: {said(play)}"
        if line and columns(line) + columns(part) + 3 > width:
            screen.line("   " + line)
            line = ""
        line += ("   " if line else "") + part
    if line:
        screen.line("   " + line)
    if len(legal) > LISTED:
        names = dict.fromkeys(play.name for play in legal[LISTED:] if play.question is None)
        more = f": {', '.join(form_of(game, name) for name in names)}" if names else ""
        screen.text(f"   … and {len(legal) - LISTED} more{more}")
    _show_unlisted(screen, unlisted, game, text=text)


def _show_unlisted(screen: Screen, unlisted: Sequence[str], game: type[Any], *, text: bool) -> None:
    if "" in unlisted:
        lists = "" if text else "; lists as JSON, such as [1, 2]"
        screen.text(f"   type your answer{lists}; {DRAW}")
    elif unlisted:
        screen.text(f"   type {' or '.join(form_of(game, name) for name in unlisted)}; {DRAW}")


def drawn(play: Play | None) -> str:
    """Return what is said of a play that was drawn, or that none could be."""
    if play is None:
        return "nothing could be drawn that the rules take; try again, or type it"
    words = [play.name, *map(_typed, play.wire().values())]
    return f"drawn: {' '.join(words).strip()}\n/play plays it, /draw draws another one"


def _typed(value: Any) -> str:
    """Return a value as it is typed where nothing lists it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
