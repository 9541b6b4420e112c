"""What a payload costs and what it may hide, seen at a glance: without a step of Python for what is in it."""

from collections.abc import Iterable, Sequence
from typing import Any

MAX_DEPTH = 32
"""How deep lists and dicts may nest in a message of a client. msgpack itself decodes 1,024 levels, and then `repr` of
the result, in somebody's log line, raises RecursionError."""

ENVELOPE_DEPTH = 8
"""Levels that a message of a server may nest deeper, so that what came from a stranger can be passed on in an envelope."""

MAX_COLLISIONS = 64
"""Keys of one dict that may share a hash. 64 KiB of keys that all do cost a quarter of a second."""

FEW = 32
"""Payloads up to which each is looked at for what it costs, instead of all as one."""

CONTAINER, EXTENSION = 1, 2
MARKS = bytes(
    CONTAINER
    if 0x80 <= byte <= 0x9F or 0xDC <= byte <= 0xDF
    else EXTENSION
    if 0xC7 <= byte <= 0xC9 or 0xD4 <= byte <= 0xD8
    else 0
    for byte in range(256)
)
"""What each byte of a payload may begin: a list or a dict, an extension of msgpack, or neither.

`bytes.translate` marks a whole payload without a step of Python. Most are simple by their marks alone: nothing in them
can be an extension, and there are too few containers for deep nesting."""

UNMARKED = bytes(byte for byte, mark in enumerate(MARKS) if not mark)
"""The bytes that begin neither."""

_DICT: Any = dict  # of unknown type to the type checkers, as what is in a message is
_LIST: Any = list


def is_simple(payload: bytes) -> bool:
    """Tell whether a payload can be seen at a glance to hold no extension and no deep nesting."""
    marks = payload.translate(MARKS)
    return EXTENSION not in marks and marks.count(CONTAINER) <= MAX_DEPTH


def is_harmless(payload: memoryview) -> bool:
    """Tell whether a payload can be seen at a glance to hold neither deep nesting nor keys that were made to collide.

    Each level of nesting takes a byte at least, and each timestamp that can be a key of a chosen hash 15.
    """
    if len(payload) <= MAX_DEPTH:
        return True
    data = payload.tobytes()
    return data.translate(MARKS).count(CONTAINER) <= MAX_DEPTH and not has_many_stamps(data)


def cost_of(payload: memoryview) -> int:
    """Return what decoding a payload costs, seen at a glance: at least as many as the lists and dicts that are in it."""
    size, first = len(payload), payload[0]
    if 0xC4 <= first <= 0xC6:
        return 1 + (size >> 10)  # bytes, which are only copied
    cost = 1 + (size >> 3)
    return cost if not MARKS[first] else cost + _cost_of_marks(payload.tobytes())


def least_cost(payloads: Iterable[memoryview]) -> int:
    """Return what decoding payloads costs at least, by their sizes alone: to look into all of them costs something, too."""
    return sum([len(payload) >> 3 for payload in payloads if MARKS[payload[0]]])


def cost_of_frames(data: memoryview, payloads: Sequence[memoryview]) -> int:
    """Return what decoding the frames in `data` costs, in which these payloads are."""
    if len(payloads) <= FEW:
        return sum(map(cost_of, payloads))
    return 2 * len(payloads) + (len(data) >> 3) + _cost_of_marks(data.tobytes())


def carried(message: Any) -> int:
    """Return how many bytes of a message are in bytes that it just carries, which look as if they might cost a lot."""
    values: Iterable[Any] = (
        message.values() if isinstance(message, _DICT) else message if isinstance(message, _LIST) else ()
    )
    return sum([len(value) for value in values if type(value) is bytes]) if values and len(message) <= FEW else 0


def _cost_of_marks(data: bytes) -> int:
    marks = data.translate(MARKS, UNMARKED)
    return len(marks) + marks.count(EXTENSION)  # which are worth two: timestamps are made in Python


def has_many_stamps(data: bytes) -> bool:
    """Tell whether a payload may have more timestamps that can be made to collide than may be."""
    # Those of 12 bytes alone have room for a number beside the one that gives the hash.
    return len(data) > 15 * MAX_COLLISIONS and data.count(b"\x0c\xff") > MAX_COLLISIONS
