"""Plain data: what msgpack says and gives back, what is the same, and how much of it a stranger may send."""

import dataclasses
import enum
import re
from collections.abc import Callable
from functools import partial
from itertools import chain
from math import isfinite
from typing import Any

import msgpack

from netcode.reasons import is_unicode
from netcode.turns.errors import Unfit

MAX_ITEMS = 4096
"""How many values a stranger's argument may hold, counting every entry of every collection."""
MAX_DEPTH = 12
"""How deep it may nest."""
MAX_LENGTH = 65_536
"""How many characters and bytes all its texts may have together."""

NATIVE = frozenset((type(None), bool, int, float, str, bytes))
"""What msgpack says and gives back as it was."""

_SUBCLASSED: tuple[Any, ...] = (int, float, str, bytes)
_COLLECTIONS: tuple[Any, ...] = (list, tuple)
_SETS: tuple[Any, ...] = (set, frozenset)
_DICT: Any = dict
_TEXTS = (str, bytes)
_CONTAINERS = frozenset((list, dict))
_NESTED = frozenset((list, tuple, dict))
_VOWEL = re.compile("(?!eu|uni|us|uu|ut)[aeiou]", re.IGNORECASE)
"""What begins with a vowel, as it is spoken: a UUID, a User and a Unit do not."""
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1


def pack(value: Any) -> bytes:
    """Return a value as msgpack says it."""
    data: bytes = msgpack.Packer().pack(value)  # one for each: it has state, which two threads would share
    return data


def join_maps(one: bytes, other: bytes) -> bytes:
    """Return a map with the entries of two small ones, of which each is packed, has at most 15, and none of the other's."""
    count = (one[0] & 0x0F) + (other[0] & 0x0F)
    return b"\xde" + count.to_bytes(2, "big") + one[1:] + other[1:]


unpack: Callable[[bytes], Any] = partial(msgpack.unpackb, strict_map_key=False)
"""Decode what `pack` made."""


def plain(value: Any) -> Any:
    """Return a value as plain wire data by what it is: an Enum by its name, a set in a fixed order, tuples as lists.

    Raises `TypeError` for what cannot be said.
    """
    kind: Any = value.__class__
    if kind in NATIVE:
        return value
    if isinstance(value, enum.Flag):
        return flags(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, _COLLECTIONS):
        return [plain(item) for item in value]
    if isinstance(value, _SETS):
        return sorted((plain(item) for item in value), key=pack)
    if isinstance(value, _DICT):
        return {_plain_key(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    for native in _SUBCLASSED:
        if isinstance(value, native):
            return native(value)
    raise TypeError(f"{a(kind.__name__)} cannot be sent" + of_python(value))


def of_python(value: Any) -> str:
    """Return how to make what one of Python's own is from a number or an array of numpy; nothing for anything else."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not hasattr(value, "dtype"):
        return ""
    return "; `.tolist()` makes it one of Python's" if shape else "; `.item()` makes it one of Python's"


def flags(value: enum.Flag) -> str | int:
    """Return flags by their names, `READ|WRITE`; none at all, and bits that have no name, by their number."""
    name, known = value.name, type(value).__members__
    return name if name is not None and all(part in known for part in name.split("|")) else value.value


def plain_all(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values as plain wire data: the same tuple, where they are that already."""
    return values if NATIVE.issuperset(map(type, values)) else tuple(map(plain, values))


def _plain_key(key: Any) -> Any:
    said = plain(key)
    if said.__class__ in _CONTAINERS:
        raise TypeError(
            f'the keys of a dict are int or str, not {a(type(key).__name__)}; write keys such as f"{{x}},{{y}}"'
        )
    return said


def ordered(data: Any) -> Any:
    """Return plain wire data with the entries of a dict in one order: to say them in another one says the same."""
    if isinstance(data, _DICT):
        return {key: ordered(data[key]) for key in sorted(data, key=pack)}
    return [ordered(item) for item in data] if isinstance(data, _COLLECTIONS) else data


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of the same types through and through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, _COLLECTIONS):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, _DICT):
        items, others = list(one.items()), list(other.items())
        return len(items) == len(others) and all(
            same(k, m) and same(v, w) for (k, v), (m, w) in zip(items, others, strict=True)
        )
    if isinstance(one, _SETS):
        return bool(one == other) and sorted(map(repr, map(type, one))) == sorted(map(repr, map(type, other)))
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - nan is not itself


def a(kind: str) -> str:
    """Return the name of a type with its article."""
    return f"{'an' if _VOWEL.match(kind) else 'a'} {kind}"


def check_numbers(data: Any) -> None:
    """Raise `Unfit` for a number in a stranger's plain data that is infinite or none; its bounds were checked before."""
    if data.__class__ is float:
        if not isfinite(data):
            raise Unfit("a number in it is infinite, or none")
    elif isinstance(data, _COLLECTIONS):
        for item in data:
            check_numbers(item)
    elif isinstance(data, _DICT):
        for item in data.values():
            check_numbers(item)


def check_bounds(data: Any) -> None:
    """Raise `Unfit` for a stranger's plain data that is too large or nests too deep."""
    items, length = 0, 0
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH + 1):
        items += len(level)
        deeper: list[Any] = []
        for item in level:
            kind: Any = item.__class__
            if kind is int:
                if not _LEAST <= item <= _MOST:
                    raise Unfit("a number in it has more than 64 bits, and cannot be sent")
            elif kind in _TEXTS:
                length += len(item)
                if kind is str and not item.isascii() and not is_unicode(item):
                    raise Unfit("a text in it is no Unicode, and cannot be sent")
            elif kind in _NESTED:
                deeper += chain(item, item.values()) if kind is dict else item
                if items + len(deeper) > MAX_ITEMS:
                    raise Unfit(f"it holds more than {MAX_ITEMS} values")
        if length > MAX_LENGTH:
            raise Unfit(f"its texts are longer than {MAX_LENGTH} characters together")
        if not deeper:
            return
        level = deeper
    raise Unfit(f"it nests deeper than {MAX_DEPTH} levels")
