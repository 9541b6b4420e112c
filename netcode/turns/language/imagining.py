"""How a seat's ignorance is filled in: the places of a game's fields that it does not see, and a shuffle of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from netcode.turns.language.marks import Field, Mark
from netcode.turns.values import Fixed, Mapping, Sequence, Shape


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands that somebody does not see: `kind` tells which others could stand there as well."""

    kind: tuple[str, str]
    get: Callable[[], Any]
    put: Callable[[Any], None]


def is_open(mark: Mark, entry: int, seat: int | None) -> bool:
    """Tell whether a seat (None for a spectator) sees an entry of a field that has entries for seats."""
    if mark is Mark.OWNED:
        return entry == seat
    return seat is not None and entry != seat


def hidden_places(game: Any, field: Field, shape: Shape, seat: int | None) -> Iterator[Place]:
    """Yield the places in one field that the seat does not see."""
    return _chosen_places(game, field, shape, lambda entry: not _sees(field.mark, entry, seat))


def seen_places(game: Any, field: Field, shape: Shape, seat: int | None) -> Iterator[Place]:
    """Yield the places in one field that the seat sees."""
    return _chosen_places(game, field, shape, lambda entry: _sees(field.mark, entry, seat))


def _sees(mark: Mark, entry: int, seat: int | None) -> bool:
    return is_open(mark, entry, seat) if mark in (Mark.OWNED, Mark.OTHERS) else mark is Mark.OPEN


def _chosen_places(game: Any, field: Field, shape: Shape, chosen: Callable[[int], bool]) -> Iterator[Place]:
    """Yield the places in those entries of a field that are chosen; a field without entries for seats is one."""
    values: dict[str, Any] = game.__dict__
    if field.mark not in (Mark.OWNED, Mark.OTHERS):
        if chosen(0):
            yield from _places(shape, values, field.name, field.name)
        return
    whole = values[field.name]
    entries: list[Any] = [*whole] if type(whole) is dict else [*range(len(whole))]
    item = shape.item if isinstance(shape, Sequence | Mapping) else None
    for entry in entries:
        if item is not None and chosen(entry):
            yield from _places(item, whole, entry, f"{field.name} of a seat")


def _places(shape: Shape, holder: Any, key: Any, alone: str) -> Iterator[Place]:
    """Yield the place at `holder[key]`, or those inside it; what is not in a collection is only like itself."""
    value = holder[key]
    if isinstance(shape, Sequence) and isinstance(value, _LIST):
        for index in range(len(value)):
            yield from _places(shape.item, value, index, "")
    elif isinstance(shape, Mapping):
        for inner in value:
            yield from _places(shape.item, value, inner, "")
    elif type(holder) in (list, dict) and (isinstance(shape, Fixed) or value is None or not _collects(shape)):
        yield Place((alone, shape.name), lambda: holder[key], lambda new: holder.__setitem__(key, new))


_LIST: Any = list
_DICT: Any = dict


def _collects(shape: Shape) -> bool:
    return isinstance(shape, Sequence | Mapping)


def imagine(game: Any, definition: Any, seat: int, dice: random.Random) -> None:
    """Shuffle what a seat cannot see among like places."""
    kinds: dict[tuple[str, str], list[Place]] = {}
    for name, field in definition.fields.items():
        for place in hidden_places(game, field, definition.shapes[name], seat):
            kinds.setdefault(place.kind, []).append(place)
    for places in kinds.values():
        values = [place.get() for place in places]
        dice.shuffle(values)
        for place, value in zip(places, values, strict=True):
            place.put(value)
