"""How what a person typed is understood: as a play of the list, as a move with its values, or as a command."""

import contextlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import product
from typing import Any

from netcode.turns.language.definition import MoveRule, definition_of
from netcode.turns.language.domains import Fixed, Open
from netcode.turns.language.plays import Play, answer
from netcode.turns.table import Asked
from netcode.turns.terminal.choices import LISTED, are_numbers, form_of
from netcode.turns.terminal.wording import said
from netcode.turns.values import check_bounds, plain, shape_of
from netcode.turns.values.single import SCALARS, Either

_WORDS = ("help", "quit", "undo", "start", "rematch", "leave", "yes", "no")
_COMMANDS = {word: f"/{word}" for word in _WORDS} | {"?": "/help", "exit": "/quit"}
_TEXT: Any = str
_MEANINGS = 256
"""In how many ways names in a line are read, at most."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)')


def wanted(
    text: str,
    game: type[Any],
    legal: Sequence[Play],
    unlisted: Iterable[str],
    question: Asked | None,
    *,
    names: Sequence[str] = (),
) -> Play | str:
    """Return the play that a person typed; else what is wrong.

    Where the words name a move and its values, it is that play, also if it is not legal: the rules say why not.

    Args:
        text: what was typed.
        game: of which class the moves are.
        legal: what is listed.
        unlisted: the moves that are legal and not listed; "" for a free answer.
        question: what the seat is asked.
        names: of the players, who may be called so where their seat is meant.
    """
    unlisted = [*unlisted]
    free = typed(text, game, unlisted, question, legal=legal)
    if free is not None:
        return free
    named = typed(text, game, definition_of(game).moves, question, legal=legal)
    found = understood(text, legal, named)
    if isinstance(found, str) or found is named:
        found = _by_name(text, legal, names) or _without_marks(text, legal) or found
    if isinstance(found, str) and text.startswith("/"):
        return no_command(text)
    word = text.strip().partition(" ")[0].lower()
    if word and isinstance(found, str) and word in unlisted:
        return f"that is not all of it, or too much; type {form_of(game, word)}"
    return found


def understood(text: str, legal: Sequence[Play], named: Play | None = None) -> Play | str:
    """Return the play that a person typed, by its number in the list or by its words; else what is wrong.

    What is like none in the list is the play that the words name, if they do. A number alone is always a place in the
    list, except in one of numbers, where it is itself.
    """
    text = " ".join(text.split())
    if text.isdecimal() and not are_numbers(legal):
        if 1 <= int(text) <= min(len(legal), LISTED):
            return legal[int(text) - 1]
        full = next((words for words in map(said, legal) if _fits([text], words.split())), "")
        more = f"; a number alone is a place in it, so type {full} for that" if full else ""
        return f"the list has no {text:.100}{more}" if legal else f"{text!r:.100} is no play; type its words"
    exact = [play for play in legal if said(play).lower() == text.lower()]
    if exact:
        return exact[0]
    words = text.lower().split()
    close = [play for play in legal if words and _fits(words, said(play).lower().split())]
    if len(close) == 1:
        return close[0]
    if close:
        return f"that could be {', '.join(said(play) for play in close[:5])}; say more of it"
    return named or f"{text!r:.100} is no play; type its number or its words"


def no_command(text: str) -> str:
    """Return what is said of a command that there is not, or not here."""
    return f"there is no {text.split(maxsplit=1)[0]:.100} here; /help says what can be typed"


def _without_marks(text: str, legal: Sequence[Play]) -> Play | None:
    """Return the play that was typed between quotes, or with a full stop behind it: `'mark 4'`, `3.`."""
    bare = text.strip("\"'“”‘’«».,;:() ")
    found = understood(bare, legal) if bare != text.strip() else None
    return found if isinstance(found, Play) else None


def _by_name(text: str, legal: Sequence[Play], names: Sequence[str]) -> Play | None:
    """Return the play in which seats are called by the names of their players, as in `accuse Ann`.

    A word may be a name and the value of something else: most names are read as seats with which one play is meant.
    """
    text = " ".join(text.lower().split())
    called = [name.lower() for name in names]
    longest = sorted(map(re.escape, {*called} - {""}), key=len, reverse=True)  # `Ann` may begin another name
    if not longest:
        return None
    asked = any(play.question is not None for play in legal)
    start = 0 if asked else len(text.partition(" ")[0])  # of which the first word is a move
    parts = re.split(rf"(?<!\S)({'|'.join(longest)})(?!\S)", text[start:])
    parts[0] = text[:start] + parts[0]
    meanings = [
        [part, *(str(seat) for seat, name in enumerate(called) if name == part)] if at % 2 else [part]
        for at, part in enumerate(parts)
    ]
    if math.prod(map(len, meanings)) > _MEANINGS:
        return None
    found: dict[int, list[Play]] = {}
    for meaning in product(*meanings):
        seats = sum(word is not part for word, part in zip(meaning, parts, strict=True))
        words = "".join(meaning)
        exact = [play for play in legal if said(play).lower() == words]
        # A name alone is no place in the list.
        play = next(iter(exact), None) if words.isdecimal() else understood(words, legal)
        if seats and isinstance(play, Play) and play not in found.setdefault(seats, []):
            found[seats].append(play)
    best = found[max(found)] if found else []
    return best[0] if len(best) == 1 else None


def meant(text: str, legal: Sequence[Play], unlisted: Iterable[str]) -> str:
    """Return what a person typed, as the command that it is: «help», «?», «undo», «quit» and others need no slash.

    That is, unless a play that is legal now begins so, or anything may be an answer.
    """
    word = text.strip().lower()
    command, unlisted = _COMMANDS.get(word.removeprefix("/")), [*unlisted]
    if command is None or word.startswith("/"):
        return command or text
    plays = (*(said(play).lower() for play in legal), *map(str.lower, unlisted))
    return text if "" in unlisted or any(_fits([word], play.split()) for play in plays) else command


def _fits(words: Sequence[str], full: Sequence[str]) -> bool:
    """Tell whether each word begins one of the play's, in their order; a number begins no longer one."""
    rest = iter(full)
    return all(any(_begins(word, other) for other in rest) for word in words)


def _begins(word: str, other: str) -> bool:
    return word == other if other.lstrip("-").isdecimal() else other.startswith(word)


class Reads(Enum):
    """How what is typed for one argument is read."""

    TEXT = "text"
    MAYBE = "text, or nothing"
    DATA = "what JSON makes of it"


def typed(
    text: str,
    game: type[Any],
    unlisted: Iterable[str],
    question: Asked | None,
    *,
    legal: Sequence[Play] = (),
) -> Play | None:
    """Return a play that is not listed, as a person typed it: the move and its values, or a free answer.

    Text is taken as it was typed, with quotes around it or without; the last one of a move takes what is left of the line.
    """
    text = text.strip()
    if question is not None:
        value = _value(text, Reads.TEXT if question.text else Reads.DATA)
        broken = not question.text and isinstance(value, str) and text[:1] in ("[", "{")
        return None if question.options is not None or not text or broken else answer(question.id, value)
    name, _, rest = text.partition(" ")
    move = definition_of(game).moves.get(name if name in unlisted else name.lower())
    if move is None or move.name not in unlisted:
        return None
    values = _values(rest.strip(), [_how(move, argument, legal) for argument in move.domains])
    return None if values is None else Play(move.name, dict(zip(move.domains, values, strict=True)))


def _how(move: MoveRule, argument: str, legal: Sequence[Play]) -> Reads:
    """Tell how an argument is read: by what is free, else by its annotation, else by what is listed."""
    domain, shape = move.domains[argument], move.shapes.get(argument)
    if isinstance(domain, Open):
        shape = shape_of(domain.free.type, argument)
    if shape is not None:
        if isinstance(shape, Either) and SCALARS[_TEXT] in shape.members:
            return Reads.MAYBE if len(shape.members) == 2 and SCALARS[type(None)] in shape.members else Reads.DATA
        return Reads.TEXT if shape is SCALARS[_TEXT] else Reads.DATA
    values: list[Any] = [*map(plain, domain.values(None, {}))] if isinstance(domain, Fixed) else []
    values = values or [play.wire()[argument] for play in legal if play.name == move.name]
    return Reads.TEXT if values and all(isinstance(value, str) for value in values) else Reads.DATA


def _values(text: str, arguments: Sequence[Reads]) -> list[Any] | None:
    """Return the values in a line; None if they are too few or too many."""
    values: list[Any] = []
    for number, how in enumerate(arguments, 1):
        if not text:
            return None
        rest = arguments[number:]
        alone = how is not Reads.DATA and all(other is Reads.DATA for other in rest)
        end = _end(text, how, len(rest) if alone else None)
        values.append(_value(text[:end], how))
        text = text[end:].strip()
    return None if text else values


def _end(text: str, how: Reads, left: int | None) -> int:
    """Return where the first value of a line ends; a text ends where no more words are left than the others need."""
    quoted = _QUOTED.match(text)
    if quoted is not None and (left != 0 or quoted.end() == len(text)):
        return quoted.end()
    if left is not None:
        return len(text.rsplit(maxsplit=left)[0]) if left else len(text)
    if how is Reads.DATA and text[0] in "[{":
        with contextlib.suppress(ValueError, RecursionError):
            return json.JSONDecoder().raw_decode(text)[1]
    return len(text.split(maxsplit=1)[0])


def _value(text: str, how: Reads) -> Any:
    """Return what was typed for one value: itself where text is meant, else what JSON makes of it, or itself."""
    if how is not Reads.TEXT and text in (".", "none", "None"):
        return None
    if how is not Reads.DATA and _QUOTED.fullmatch(text) is None:
        return text
    try:
        value = json.loads(text.lower() if text in ("True", "False") else text)
        check_bounds(value)
    except (ValueError, RecursionError):
        return text
    return value
