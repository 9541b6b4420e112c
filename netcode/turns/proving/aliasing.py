"""What two fields share at the end of a rule, and no more once it is over: each is stored by itself, and comes back so."""

import dataclasses
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import combinations
from typing import Any

from netcode.turns.language.definition import definition_of

_CHANGING: Any = (list, dict, set)
_FIXED: Any = (tuple, frozenset)
_DICT: Any = dict


def shared(game: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the names of each two fields that hold one thing which can be changed, and of which type that is."""
    values: dict[str, Any] = game.__dict__
    held = {
        name: {id(part): part for part in _held(values[name])} for name in definition_of(game).fields if name in values
    }
    for one, other in combinations(held, 2):
        both = held[one].keys() & held[other].keys()
        if both:
            yield one, other, type(held[one][min(both)]).__name__


def _held(value: Any) -> Iterator[Any]:
    """Yield everything in a value that can be changed, itself included."""
    if isinstance(value, Enum):  # whose members are there once, also those that are dataclasses
        return
    parts: Iterable[Any] = ()
    if dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, _CHANGING + _FIXED):
        parts = value.values() if isinstance(value, _DICT) else value
    if isinstance(value, _CHANGING) or (dataclasses.is_dataclass(value) and not _is_frozen(value)):
        yield value
    for part in parts:
        yield from _held(part)


def _is_frozen(record: Any) -> bool:
    return bool(record.__dataclass_params__.frozen)
