"""Flags in plays by their names: on the wire they are numbers, which tell a person nothing."""

from collections.abc import Iterable
from enum import Flag
from typing import Any

from netcode.turns.language.definition import MoveRule, definition_of
from netcode.turns.language.domains import Fixed
from netcode.turns.language.plays import Play
from netcode.turns.values.single import Named


def with_flags(game: type[Any], plays: Iterable[Play]) -> tuple[Play, ...]:
    """Return plays with the arguments that are flags as what they are, as far as the rules say so."""
    return tuple(_revived(definition_of(game).moves.get(play.name), play) for play in plays)


def _revived(move: MoveRule | None, play: Play) -> Play:
    if move is None or play.question is not None:
        return play
    kinds = {name: kind for name in play.arguments if (kind := _kind_of(move, name)) is not None}
    if not kinds:
        return play
    said = {name: _flag(kinds[name], value) if name in kinds else value for name, value in play.arguments.items()}
    return Play(play.name, said)


def _kind_of(move: MoveRule, argument: str) -> type[Flag] | None:
    """Return which flags an argument is made of; None where it is none, or where nothing tells."""
    shape, domain = move.shapes.get(argument), move.domains.get(argument)
    if isinstance(shape, Named):
        return shape.kind if issubclass(shape.kind, Flag) else None
    kinds: set[type[Any]] = {*map(type, domain.values(None, {}))} if isinstance(domain, Fixed) else set()
    kind: Any = kinds.pop() if len(kinds) == 1 else object
    return kind if issubclass(kind, Flag) else None


def _flag(kind: type[Flag], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:  # the server has other rules
        return value
