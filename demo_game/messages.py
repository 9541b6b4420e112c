"""What the two ends of Broadside say to each other: orders from a player, news from the server.

On the wire each is a dict with its `kind` and its fields. Nothing that was received is believed before it has been
through `read_order` or `read_news`: every field is checked for type and range, and what is left over is refused.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from demo_game.rules import FLEET, SIZE, Cell, Ship, Shot

NAME_LIMIT = 16
"""Characters of a player's name; a longer one is cut."""

TEXT_LIMIT = 300
"""Characters of a sentence from the server; a longer one is cut."""


class BadMessageError(ValueError):
    """A message that is not one of Broadside's; the text says what is wrong, without repeating what was sent."""


@dataclass(frozen=True, slots=True)
class Enter:
    """The first order: play under this name, or only watch. After a return: tell me again how things stand."""

    name: str
    watching: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Hide this fleet."""

    fleet: tuple[Ship, ...]


@dataclass(frozen=True, slots=True)
class Fire:
    """Fire at this cell of the enemy's sea."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class Again:
    """Find another game; legal once the last one is over."""


Order: TypeAlias = Enter | Place | Fire | Again


@dataclass(frozen=True, slots=True)
class Waiting:
    """There is no opponent yet, or for a spectator no game."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A game begins between these two; `seat` is the reader's own, None for a spectator."""

    number: int
    names: tuple[str, ...]
    seat: int | None


@dataclass(frozen=True, slots=True)
class Anew:
    """What follows is told from the beginning, to a program that came back and asked for it. What came before is old."""


@dataclass(frozen=True, slots=True)
class Yours:
    """The reader's own fleet lies here: for a program that was started anew and does not know it."""

    fleet: tuple[Ship, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """This seat has hidden its fleet. Where, it does not say."""

    seat: int


@dataclass(frozen=True, slots=True)
class Turn:
    """This seat fires next."""

    seat: int


@dataclass(frozen=True, slots=True)
class Fired:
    """This seat has fired; what the shot did is public, and so is a ship once it is sunk."""

    seat: int
    shot: Shot


@dataclass(frozen=True, slots=True)
class Over:
    """The game has a winner, and this is why. The fleets are shown now; one that was never placed is empty."""

    winner: int
    why: str
    fleets: tuple[tuple[Ship, ...], ...]


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing has been heard from this seat for so many seconds, and `limit` ends its link; 0 means it speaks again."""

    seat: int
    seconds: int
    limit: int


@dataclass(frozen=True, slots=True)
class Missing:
    """The link to this seat is lost, and the server waits for its return."""

    seat: int


@dataclass(frozen=True, slots=True)
class Returned:
    """This seat is back; the game goes on where it was."""

    seat: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The reader's last order is against the rules, for this reason."""

    why: str


News: TypeAlias = Waiting | Paired | Anew | Yours | Placed | Turn | Fired | Over | Silent | Missing | Returned | Refused

_Check: TypeAlias = Callable[[object], object]
_Vocabulary: TypeAlias = Mapping[str, tuple[Callable[..., object], Mapping[str, _Check]]]


def plain_text(text: str, limit: int) -> str:
    """Make a stranger's text fit to be shown: printable characters alone, at most `limit` of them."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:limit]).strip()


def _number(low: int, high: int) -> _Check:
    def check(value: object) -> int:
        # True is an int to Python, not to us.
        if type(value) is not int or not low <= value <= high:
            raise BadMessageError(f"a number from {low} to {high} was expected")
        return value

    return check


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadMessageError("true or false was expected")
    return value


def _text(limit: int) -> _Check:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise BadMessageError("text was expected")
        return plain_text(value, limit)

    return check


def _items(value: object, most: int) -> list[object]:
    if not isinstance(value, list | tuple):
        raise BadMessageError("a list was expected")
    items = list(cast("list[object]", value))
    if len(items) > most:
        raise BadMessageError(f"a list of at most {most} was expected")
    return items


def _several(check: _Check, least: int, most: int) -> _Check:
    def check_all(value: object) -> tuple[object, ...]:
        items = _items(value, most)
        if len(items) < least:
            raise BadMessageError(f"a list of at least {least} was expected")
        return tuple(check(item) for item in items)

    return check_all


def _record(make: Callable[..., object], *checks: _Check) -> _Check:
    def check(value: object) -> object:
        items = _items(value, len(checks))
        if len(items) != len(checks):
            raise BadMessageError(f"a list of {len(checks)} was expected")
        return make(*(each(item) for each, item in zip(checks, items, strict=True)))

    return check


def _or_none(check: _Check) -> _Check:
    return lambda value: None if value is None else check(value)


_SEAT = _number(0, 1)
_SECONDS = _number(0, 1_000_000)
_CELL = _record(Cell, _number(0, SIZE - 1), _number(0, SIZE - 1))
_SHIP = _record(Ship, _number(min(FLEET), max(FLEET)), _CELL, _flag)
_SHOT = _record(Shot, _CELL, _flag, _or_none(_SHIP))
_NAME = _text(NAME_LIMIT)
_SENTENCE = _text(TEXT_LIMIT)

_ORDERS: _Vocabulary = {
    "enter": (Enter, {"name": _NAME, "watching": _flag}),
    "place": (Place, {"fleet": _several(_SHIP, 0, len(FLEET))}),
    "fire": (Fire, {"cell": _CELL}),
    "again": (Again, {}),
}

_NEWS: _Vocabulary = {
    "waiting": (Waiting, {}),
    "paired": (
        Paired,
        {"number": _number(1, 2**63), "names": _several(_NAME, 2, 2), "seat": _or_none(_SEAT)},
    ),
    "anew": (Anew, {}),
    "yours": (Yours, {"fleet": _several(_SHIP, 0, len(FLEET))}),
    "placed": (Placed, {"seat": _SEAT}),
    "turn": (Turn, {"seat": _SEAT}),
    "fired": (Fired, {"seat": _SEAT, "shot": _SHOT}),
    "over": (
        Over,
        {"winner": _SEAT, "why": _SENTENCE, "fleets": _several(_several(_SHIP, 0, len(FLEET)), 2, 2)},
    ),
    "silent": (Silent, {"seat": _SEAT, "seconds": _SECONDS, "limit": _SECONDS}),
    "missing": (Missing, {"seat": _SEAT}),
    "returned": (Returned, {"seat": _SEAT}),
    "refused": (Refused, {"why": _SENTENCE}),
}

_KINDS = {make: kind for vocabulary in (_ORDERS, _NEWS) for kind, (make, _) in vocabulary.items()}


def write(value: Order | News) -> dict[str, object]:
    """Turn an order or a piece of news into what goes over the wire."""
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {"kind": _KINDS[type(value)], **fields}


def read_order(message: object) -> Order:
    """Turn what a client sent into an order; raise `BadMessageError` if it is not one."""
    return cast("Order", _read(message, _ORDERS))


def read_news(message: object) -> News:
    """Turn what a server sent into news; raise `BadMessageError` if it is none."""
    return cast("News", _read(message, _NEWS))


def _read(message: object, vocabulary: _Vocabulary) -> object:
    if not isinstance(message, dict):
        raise BadMessageError("a map was expected")
    fields = dict(cast("dict[object, object]", message))
    kind = fields.pop("kind", None)
    if not isinstance(kind, str) or kind not in vocabulary:
        raise BadMessageError("it is of no known kind")
    make, checks = vocabulary[kind]
    if fields.keys() != checks.keys():
        raise BadMessageError(f"{kind} has other fields than that")
    return make(**{name: check(fields[name]) for name, check in checks.items()})
