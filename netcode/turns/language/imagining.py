"""How a seat's ignorance is filled in: the places of a game's fields that it does not see, and a shuffle of them."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from netcode.turns.language.marks import Field, Mark
from netcode.turns.values import Bag, Fixed, Mapping, Sequence, Shape, pack, plain

TRIES = 20
"""How often values are shuffled among sets, until none has one of them twice."""


class Place:
    """Where a value stands that somebody does not see: `kind` tells which others could stand there as well."""

    __slots__ = ("_holder", "_key", "kind")

    def __init__(self, kind: tuple[str, str], holder: Any, key: Any) -> None:
        self.kind, self._holder, self._key = kind, holder, key

    def get(self) -> Any:
        """Return what stands there."""
        return self._holder[self._key]

    def data(self) -> bytes:
        """Return what stands there as bytes, the same for the same value."""
        return pack(plain(self.get()))

    def put(self, new: Any) -> None:
        """Put something else there."""
        self._holder[self._key] = new

    def is_whole(self) -> bool:
        """Tell whether what it stands in has as many entries as before: a set that is given one twice has not."""
        return True


class _Rebuilt(Place):
    """A place in a tuple or a set, which is made anew, where `inside` has its items, whenever one is given something."""

    __slots__ = ("_inside", "_items", "_make")

    def __init__(
        self, inside: Place, items: list[Any], make: Callable[[list[Any]], Any], holder: Any, key: Any
    ) -> None:
        super().__init__(inside.kind, holder, key)
        self._inside, self._items, self._make = inside, items, make

    def get(self) -> Any:
        return self._inside.get()

    def put(self, new: Any) -> None:
        self._inside.put(new)
        self._holder[self._key] = self._make(self._items)

    def is_whole(self) -> bool:
        return len(self._holder[self._key]) == len(self._items)


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
    whole: Any = values[field.name]
    rebuilt = isinstance(whole, _TUPLE)
    items: Any = list[Any](whole) if rebuilt else whole
    entries: list[Any] = list[Any](whole) if isinstance(whole, _DICT) else [*range(len(whole))]
    for entry in entries:
        if chosen(entry):
            for place in _places(entry_of(shape, entry), items, entry, f"{field.name} of a seat"):
                yield _Rebuilt(place, items, tuple, values, field.name) if rebuilt else place


def entry_of(shape: Shape, entry: int) -> Shape:
    """Return the shape of one entry of a list, a dict or a tuple."""
    if isinstance(shape, Fixed):
        return shape.items[entry]
    assert isinstance(shape, Sequence | Mapping)
    item: Shape = shape.item
    return item


def _places(shape: Shape, holder: Any, key: Any, alone: str) -> Iterator[Place]:
    """Yield the place at `holder[key]`, or those inside it; what is not in a collection is only like itself."""
    value = holder[key]
    if isinstance(shape, _ENTRIES) and shape.kind is not list and isinstance(value, _SEVERAL):
        yield from _rebuilt(shape, holder, key)
    elif isinstance(shape, Sequence) and isinstance(value, _LIST):
        yield from _inside(shape.item, value, range(len(value)))
    elif isinstance(shape, Mapping):
        yield from _inside(shape.item, value, value)
    elif type(holder) in (list, dict) and (value is None or not isinstance(shape, _COLLECTIONS)):
        yield Place((alone, shape.name), holder, key)


def _inside(shape: Shape, holder: Any, keys: Iterable[Any]) -> Iterable[Place]:
    """Return the places at these entries of a list or a dict."""
    if not isinstance(shape, _COLLECTIONS):
        kind = "", shape.name
        return [Place(kind, holder, key) for key in keys]
    return (place for key in keys for place in _places(shape, holder, key, ""))


def _rebuilt(shape: Sequence | Bag, holder: Any, key: Any) -> Iterator[Place]:
    """Yield the places in a tuple or a set."""
    value = holder[key]
    # The order of a set depends on the process; and a view has a list, of nothing, where somebody else's was.
    items: list[Any] = sorted(value, key=lambda item: pack(plain(item))) if type(value) in _SETS else [*value]
    for place in _inside(shape.item, items, range(len(items))):
        yield _Rebuilt(place, items, shape.kind, holder, key)


_LIST: Any = list
_TUPLE: Any = tuple
_DICT: Any = dict
_SETS: Any = (set, frozenset)
_SEVERAL: Any = (list, tuple, *_SETS)
_ENTRIES = (Sequence, Bag)
_COLLECTIONS = (*_ENTRIES, Mapping)


def by_kind(places: Iterable[Place]) -> dict[tuple[str, str], list[Place]]:
    """Return places with those at which the same could stand together."""
    kinds: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        kinds.setdefault(place.kind, []).append(place)
    return kinds


def shuffle_alike(places: Iterable[Place], dice: random.Random) -> None:
    """Shuffle what stands at places among those at which it could stand as well."""
    for alike in by_kind(places).values():
        shuffle(alike, dice)


def shuffle(places: list[Place], dice: random.Random) -> None:
    """Shuffle what stands at like places; where each try gives a set the same entry twice, nothing moves."""
    values = [place.get() for place in places]
    for _ in range(TRIES):
        shuffled = [*values]
        dice.shuffle(shuffled)
        _put(places, shuffled)
        if all(place.is_whole() for place in places):
            return
    _put(places, values)


def _put(places: list[Place], values: list[Any]) -> None:
    for place, value in zip(places, values, strict=True):
        place.put(value)


def imagine(game: Any, definition: Any, seat: int, dice: random.Random) -> None:
    """Shuffle what a seat cannot see among like places."""
    hidden = (hidden_places(game, field, definition.shapes[name], seat) for name, field in definition.fields.items())
    shuffle_alike(chain.from_iterable(hidden), dice)
