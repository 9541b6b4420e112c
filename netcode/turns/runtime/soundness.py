"""What a stored state has to look like before anything is made of it: a disk that fails gives back what nobody wrote."""

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from netcode.turns.errors import BUGS, Unfit
from netcode.turns.language.clocks import Clock
from netcode.turns.language.definition import definition_of
from netcode.turns.language.fields import Packed
from netcode.turns.language.randomness import SECRET_SIZE
from netcode.turns.values import Shape, unpack

_LIST: Any = list  # of unknown types to the type checkers, as what is stored is
_DICT: Any = dict
KINDS = frozenset({"setup", "round", "move", "sealed", "late", "timeout"})
"""Of rules that run."""

REMEMBERED = 4096
"""Bytes of a field up to which it is remembered that it was sound."""

DAMAGED = "what is stored of this table is damaged, and nobody can play on; it is kept for whoever runs the server"
"""Why a table cannot go on, for those who sit there."""


def check_lasting(data: Mapping[str, Any]) -> None:
    """Raise `Unfit`, or what `Clock` does, for a state of which nothing can be made: no seats, secret, clock or fields."""
    players = data["players"]
    _need(type(players) is int and players > 0, "players")
    _need(_is_list_of(data["names"], str, players), "names")
    _need(_is_list_of(data["numbers"], int, players) and min(data["numbers"]) >= 0, "numbers")
    _need(type(data["secret"]) is bytes and len(data["secret"]) == SECRET_SIZE, "secret")
    for what, kind in (("game", str), ("rules", bytes), ("started", bool), ("frozen", str)):
        _need(type(data[what]) is kind, what)
    _need(_has_names(data["options"]), "options")
    _need(_is_packed(data["fields"]), "fields")
    if data["clock"] is not None:
        Clock(*data["clock"])


def check_course(data: Mapping[str, Any]) -> None:
    """Raise `Unfit` for what cannot be how a game stands, where `check_lasting` had nothing to say."""
    players = data["players"]
    _need(_is_turn(data["turn"], players), "turn")
    for what in ("sealed", "queue"):
        tasks: list[Any] = data[what]
        _need(type(tasks) is _LIST and all(_is_task(task, players) and task[1] is not None for task in tasks), what)
    _need(data["called"] is None or _are_seats(data["called"], players), "called")
    if data["undo"] is not None:
        seat, before, free = data["undo"]
        _need(_is_seat(seat, players) and _is_stand(before, players) and type(free) is bool, "undo")
    if data["suspension"] is not None:
        task, before, answers, told, number, given, signature = data["suspension"]
        _need(_is_task(task, players) and _is_stand(before, players) and type(signature) is bytes, "suspension")
        _need(all(type(mark) is bytes and _is_by_seat(by_seat, players) for mark, by_seat in answers), "answers")
        _need(_is_by_seat(given, players), "answers")
        _need(_is_count(told) and _is_count(number), "suspension")
    if data["clocks"] is not None:
        left, running = data["clocks"]
        check_times(left, players)
        _need(_are_seats(running, players), "clocks")


def check_times(left: Any, players: int) -> None:
    """Raise `Unfit` for what cannot be left on clocks: what is no number is never due, and nothing after it."""
    _need(type(left) is _LIST and len(left) == players and all(map(_is_number, left)), "clocks")


def check_fields(rules: type[Any], fields: Packed, sound: Packed, *, whole: bool) -> None:
    """Raise `Unfit`, or what a type makes of what is none of its values, for fields that these rules never had.

    What is as in `sound` is not looked at: it was checked before. Where they need not be `whole`, what has no default may
    be missing: `setup` has yet to set it.
    """
    definition = definition_of(rules)
    there = definition.shapes if whole else definition.defaults
    _need(there.keys() <= fields.keys() <= definition.shapes.keys(), "fields")
    for name, data in fields.items():
        if sound.get(name) != data:
            is_sound = _was_sound if len(data) <= REMEMBERED else _is_sound
            _need(is_sound(definition.shapes[name], data), name)


def _is_sound(shape: Shape, data: bytes) -> bool:
    return shape.fits(shape.load(unpack(data)))


# Those who look at what might be load a state again and again in which one field or none is another.
_was_sound = lru_cache(256)(_is_sound)


def readable(rules: type[Any], fields: Packed, *, same_rules: bool) -> Packed:
    """Return those of the fields that can be shown to somebody, who reads them as the rules have them."""
    shapes = definition_of(rules).shapes
    found: dict[str, bytes] = {}
    for name, shape in shapes.items():
        try:
            value = unpack(fields[name])
            if same_rules and not shape.fits(shape.load(value)):
                continue
        except BUGS:  # it is not there, or whatever a type makes of what is none of its values
            continue
        found[name] = fields[name]
    return found


def _need(sound: bool, what: str) -> None:
    if not sound:
        raise Unfit(f"its {what} cannot be what was stored")


def _is_list_of(value: Any, kind: type[Any], length: int) -> bool:
    return type(value) is _LIST and len(value) == length and all(type(item) is kind for item in value)


def _has_names(value: Any) -> bool:
    return type(value) is _DICT and all(type(name) is str for name in value)


def _is_packed(value: Any) -> bool:
    return _has_names(value) and all(type(data) is bytes for data in value.values())


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_seat(value: Any, players: int) -> bool:
    return type(value) is int and 0 <= value < players


def _are_seats(value: Any, players: int) -> bool:
    return type(value) is _LIST and all(_is_seat(seat, players) for seat in value)


def _is_by_seat(value: Any, players: int) -> bool:
    return type(value) is _DICT and all(_is_seat(seat, players) for seat in value)


def _is_turn(turn: Any, players: int) -> bool:
    number, to_move, mover, out, ended = turn
    if not (_is_count(number) and _are_seats(to_move, players) and _are_seats(out, players)):
        return False
    if mover is not None and not _is_seat(mover, players):
        return False
    if ended is None:
        return True
    winners, scores, text = ended
    is_scored = scores is None or (type(scores) is _LIST and all(isinstance(score, int | float) for score in scores))
    return _are_seats(winners, players) and is_scored and type(text) is str


def _is_stand(stand: Any, players: int) -> bool:
    fields, turn = stand
    return _is_packed(fields) and _is_turn(turn, players)


def _is_task(task: Any, players: int) -> bool:
    kind, seat, name, arguments = task
    return (
        type(kind) is str
        and kind in KINDS
        and (seat is None or _is_seat(seat, players))
        and type(name) is str
        and (arguments is None or _has_names(arguments))
    )
