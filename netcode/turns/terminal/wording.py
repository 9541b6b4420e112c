"""How a view and the legal plays are written down for a person, and how what the person types is understood."""

import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from netcode.turns.language.definition import definition_of
from netcode.turns.language.plays import Play, answer
from netcode.turns.player.sight import fields_of
from netcode.turns.table import Asked, Result
from netcode.turns.terminal.screen import Screen

WIDTH = 100
"""Columns of a line; a field that is longer goes on below."""
CHANGES = 3
"""Changes that the line of a move tells; the table below shows all."""
_COMMANDS = {"help": "/help", "?": "/help", "quit": "/quit", "exit": "/quit"}
LISTED = 40
"""Plays that are shown; more are there, and may be typed all the same."""


def written(value: Any) -> str:
    """Return a value as a person reads it: `.` for what is not there, rows for lists of lists."""
    match value:
        case None:
            return "."
        case str():
            return value or "''"
        case list() | tuple() if value and all(isinstance(item, list) for item in value):  # pyright: ignore[reportUnknownVariableType]
            return "  |  ".join(written(item) for item in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case list() | tuple() | set() | frozenset():
            between = ", " if any(isinstance(item, tuple) for item in value) else " "  # pyright: ignore[reportUnknownVariableType]
            return between.join(map(written, value)) or "-"  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) or "-"  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)


def rows_of(view: Any) -> list[tuple[str, str]]:
    """Return the fields of a view, written down; a square of nine or more values in rows."""
    rows: list[tuple[str, str]] = []
    for name, value in fields_of(view).items():
        side = _side(value)
        if side:
            cells = [*value]
            rows += [
                (name if not row else "", " ".join(f"{written(cell):>2}" for cell in cells[row : row + side]))
                for row in range(0, len(cells), side)
            ]
        else:
            parts = [
                line[start : start + WIDTH]
                for line in written(value).split("\n")
                for start in range(0, len(line) or 1, WIDTH)
            ]
            rows += [(name if not number else "", part) for number, part in enumerate(parts)]
    return rows


def _side(value: Any) -> int:
    """Return the side of the square that a list of single values could be: 3 for 9, 8 for 64; else 0."""
    if not isinstance(value, list) or len(value) < 9:  # pyright: ignore[reportUnknownArgumentType]
        return 0
    side = round(len(value) ** 0.5)  # pyright: ignore[reportUnknownArgumentType]
    simple = all(item is None or (isinstance(item, int | str) and len(str(item)) < 3) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return side if side * side == len(value) and simple else 0  # pyright: ignore[reportUnknownArgumentType]


def said(play: Play) -> str:
    """Return a play as a person types it."""
    if play.question is not None:
        return written(play.wire()["answer"])
    return " ".join([play.name, *(written(value) for value in play.wire().values())])


def wanted(
    text: str, game: type[Any], legal: Sequence[Play], unlisted: Iterable[str], question: Asked | None
) -> Play | str:
    """Return the play that a person typed; else what is wrong.

    Where the words name a move and its values, it is that play, also if it is not legal: the rules say why not.
    """
    named = typed(text, game, definition_of(game).moves, question)
    return typed(text, game, unlisted, question) or understood(text, legal, named)


def understood(text: str, legal: Sequence[Play], named: Play | None = None) -> Play | str:
    """Return the play that a person typed, by its number in the list or by its words; else what is wrong.

    What is like none in the list is the play that the words name, if they do. A number alone is always a place in the
    list, except in one of numbers, where it is itself.
    """
    text = " ".join(text.split())
    if text.isdecimal() and not _are_numbers(legal):
        if 1 <= int(text) <= min(len(legal), LISTED):
            return legal[int(text) - 1]
        full = next((words for words in map(said, legal) if _fits([text], words.split())), "")
        more = f"; a number alone is a place in it, so type {full} for that" if full else ""
        return f"the list has no {text}{more}" if legal else f"{text!r} is no play; type its words"
    exact = [play for play in legal if said(play).lower() == text.lower()]
    if exact:
        return exact[0]
    words = text.lower().split()
    close = [play for play in legal if words and _fits(words, said(play).lower().split())]
    if len(close) == 1:
        return close[0]
    if close:
        return f"that could be {', '.join(said(play) for play in close[:5])}; say more of it"
    return named or f"{text!r} is no play; type its number or its words"


def _are_numbers(legal: Sequence[Play]) -> bool:
    return bool(legal) and all(said(play).lstrip("-").isdecimal() for play in legal)


def meant(text: str, legal: Sequence[Play], unlisted: Iterable[str]) -> str:
    """Return what a person typed, as the command that it is: «help», «?», «quit» and «exit» need no slash.

    That is, unless a play that is legal now begins so.
    """
    word = text.strip().lower()
    command = _COMMANDS.get(word.removeprefix("/"))
    plays = () if word.startswith("/") else (*(said(play).lower() for play in legal), *map(str.lower, unlisted))
    return text if command is None or any(_fits([word], play.split()) for play in plays) else command


def _fits(words: Sequence[str], full: Sequence[str]) -> bool:
    """Tell whether each word begins one of the play's, in their order; a number begins no longer one."""
    rest = iter(full)
    return all(any(_begins(word, other) for other in rest) for word in words)


def _begins(word: str, other: str) -> bool:
    return word == other if other.lstrip("-").isdecimal() else other.startswith(word)


def typed(text: str, game: type[Any], unlisted: Iterable[str], question: Asked | None) -> Play | None:
    """Return a play that is not listed, as a person typed it: the move and its values, or a free answer as JSON."""
    if question is not None:
        if question.options is not None:
            return None
        try:
            return answer(question.id, json.loads(text))
        except ValueError:
            return None
    name, *values = text.split()
    if name not in unlisted:
        return None
    names = list(inspect.signature(getattr(game, name).rule).parameters)[1:]
    return Play(name, dict(zip(names, map(_value, values), strict=True))) if len(names) == len(values) else None


def _value(word: str) -> Any:
    """Return what a word says: a number, a truth, nothing, a list as JSON, or itself."""
    if word in (".", "none", "None"):
        return None
    try:
        return json.loads(word.lower() if word in ("True", "False") else word)
    except ValueError:
        return word


def show_plays(screen: Screen, legal: Sequence[Play], unlisted: Iterable[str], prompt: str) -> None:
    """Write down what may be played, numbered; numbers stand for themselves."""
    if prompt:
        screen.lines(prompt)
    bare = _are_numbers(legal)
    shown = [said(play) if bare else f"{number}: {said(play)}" for number, play in enumerate(legal[:LISTED], 1)]
    line = ""
    for part in shown:
        if line and len(line) + len(part) + 3 > WIDTH:
            screen.line("   " + line)
            line = ""
        line += ("   " if line else "") + part
    if line:
        screen.line("   " + line)
    if len(legal) > LISTED:
        screen.line(f"   … and {len(legal) - LISTED} more")
    more = [name or "an answer, typed as JSON" for name in unlisted]
    if more:
        screen.line(f"   also, not listed: {', '.join(more)}")


def changed(before: Any, after: Any) -> str:
    """Return what a move changed in what one sees, as far as that is short: `cells 4: . → 0`; else nothing."""
    if before is None or after is None:
        return ""
    old, new = fields_of(before), fields_of(after)
    parts = [part for name in new if name in old for part in _changes(name, old[name], new[name])]
    return ", ".join([*parts[:CHANGES], "…"] if len(parts) > CHANGES else parts)


def moved(who: str, name: str | None, changes: str) -> str:
    """Return that somebody moved; where several are to move at once, not even how is told."""
    return f"{who} moved: {name}{f' ({changes})' if changes else ''}" if name else f"{who} moved"


def _changes(name: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    match old, new:
        case list(), list() if len(old) == len(new):  # pyright: ignore[reportUnknownArgumentType]
            for place, (was, now) in enumerate(zip(old, new, strict=True)):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                yield from _changes(f"{name} {place}", was, now)
        case dict(), dict() if old.keys() == new.keys():  # pyright: ignore[reportUnknownMemberType]
            for key, now in new.items():  # pyright: ignore[reportUnknownVariableType]
                yield from _changes(f"{name} {written(key)}", old[key], now)
        case ((list() | dict() | set()), (list() | dict() | set())):
            yield f"{name}: {len(old)} → {len(new)} of them" if len(old) != len(new) else name  # pyright: ignore[reportUnknownArgumentType]
        case _:
            text = f"{name}: {written(old)} → {written(new)}"
            yield text if len(text) <= WIDTH // 2 and "\n" not in text else name


def ended(result: Result, names: Sequence[str]) -> str:
    """Return how a game ended, as a sentence."""
    winners = " and ".join(names[seat] for seat in result.winners if seat < len(names))
    text = f"{winners} won" if winners else "a draw"
    if result.scores is not None:
        scores = (f"{name} {score:g}" for name, score in zip(names, result.scores, strict=False))
        text += f" ({', '.join(scores)})"
    return f"{text}: {result.text}" if result.text else text
