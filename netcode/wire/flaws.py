"""What is wrong with a message that msgpack can say and nobody should."""

import gc
from collections.abc import Iterable
from itertools import chain, compress, repeat
from operator import is_
from typing import Any

import msgpack

from netcode.wire.cost import ENVELOPE_DEPTH, MAX_COLLISIONS, MAX_DEPTH
from netcode.wire.decoding import COLLIDING, CONTAINERS, SCALARS, collide

_LISTS: Any = (list, tuple)
_PLAIN = SCALARS.union(CONTAINERS)
_DICT: Any = dict  # of unknown type to the type checkers, as what is in a message is
_NO_MAPS = bytes(byte for byte in range(256) if not 0x80 <= byte <= 0x8F and byte not in {0xDE, 0xDF})
"""The bytes that begin no dict."""


def has_plain_keys(message: Any, payload: bytes) -> bool:
    """Tell whether it can be seen at a glance that no key of a message is a dict, or has one in it.

    Only a dict of a type of its own, with a hash, can be a key. Most messages have no second dict that might be one.
    """
    if len(payload.translate(None, _NO_MAPS)) < 2:
        return True
    level: list[Any] = [message]
    while level:
        if not _PLAIN.issuperset(map(type, level)):
            return False
        level = gc.get_referents(*level)
    return True


def check_flaws(message: Any, depth: int, what: str) -> None:
    """Raise `TypeError` or `ValueError` for a message that msgpack can say and nobody should: for its depth or its keys, say.

    Args:
        depth: levels that it may nest.
        what: the name by which it goes.
    """
    # All of a level at once, by types, and no step of Python per item: 64 KiB of empty dicts are 65,000 of them.
    level: list[Any] = [message]
    for _ in range(depth):
        kinds = {*map(type, level)}
        if any(issubclass(kind, msgpack.ExtType) for kind in kinds):
            raise TypeError("msgpack extension types are the protocol's own; send bytes or a dict instead")
        full = [*filter(None, level)]  # without what is empty, or 0
        level = [*chain.from_iterable(_inside(full, kind, len(kinds) == 1, what) for kind in kinds - SCALARS)]
        if not level:
            return
    if any(isinstance(item, CONTAINERS) for item in level):
        raise ValueError(f"a {what} that nests deeper than {depth} levels cannot be sent")


def _inside(level: list[Any], kind: type[Any], alone: bool, what: str) -> Iterable[Any]:
    """Return what is in those items of a level that are of one type, which may be `alone` there."""
    if not issubclass(kind, CONTAINERS):
        return ()
    containers = level if alone else compress(level, map(is_, map(type, level), repeat(kind)))
    if not issubclass(kind, _DICT):
        return chain.from_iterable(containers)
    dicts: list[dict[Any, Any]] = [*containers]
    keys: list[Any] = [*chain.from_iterable(dicts)]
    values = chain.from_iterable(map(_DICT.values, dicts))
    if {*map(type, keys)} <= SCALARS:
        return values
    for one in dicts:
        received = [_as_received(key, what) for key in one if type(key) not in SCALARS]
        if len(received) > MAX_COLLISIONS and collide(received):
            raise ValueError(f"a {what} with {COLLIDING} cannot be sent; choose other keys, or send a list of pairs")
    return chain(keys, values)


def _as_received(key: Any, what: str, room: int = MAX_DEPTH + ENVELOPE_DEPTH) -> Any:
    """Return what a key is where it arrives; what is in it deeper than a message may nest is left as it is."""
    if isinstance(key, _DICT):
        raise TypeError(f"a {what} with a dict in a key cannot be sent: no dict can be a key where it arrives")
    return tuple([_as_received(item, what, room - 1) for item in key]) if isinstance(key, _LISTS) and room else key
