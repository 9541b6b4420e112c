"""Messages to try on codecs, and what codecs say of them."""

from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from netcode import ProtocolError, ReasonCode

EMPTY: list[Any] = []


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=100)
)


keys = st.integers(-(2**63), 2**64 - 1) | st.text() | st.tuples(st.integers(0, 9), st.integers(0, 9))


messages = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5), max_leaves=30
)


class Move(msgspec.Struct, tag="move"):
    x: int
    y: int = 0


class Chat(msgspec.Struct, tag="chat"):
    text: str
    more: list[Any] = []


def refusal(codec: Any, payload: bytes) -> tuple[ReasonCode, str]:
    """Return why `codec` does not take `payload`."""
    with pytest.raises(ProtocolError) as caught:
        codec.decode(memoryview(payload))
    return caught.value.reason.code, caught.value.reason.text


def nested(depth: int, innermost: Any = None) -> Any:
    """Return lists in lists, `depth` of them."""
    for _ in range(depth):
        innermost = [] if innermost is None else [innermost]
    return innermost


def colliding(count: int) -> dict[tuple[int, int], None]:
    """Return a dict whose keys share one hash: that of tuples (xxHash, in CPython's way) can be reversed."""
    mask, one, two, five = (1 << 64) - 1, 11400714785074694791, 14029467366897019727, 2870177450012600261
    by_one, by_two = pow(one, -1, 1 << 64), pow(two, -1, 1 << 64)
    keys: dict[tuple[int, int], None] = {}
    first = 0
    while len(keys) < count:
        mixed = five + first * two & mask
        mixed = (mixed << 31 | mixed >> 33) * one & mask
        wanted = 12345 * one * by_one & mask
        second = ((wanted >> 31 | wanted << 33) - mixed) * by_two & mask
        second -= (second >> 63) << 64
        if second != -1 and abs(second) < 2**61 - 1:  # those are their own hash
            keys[first, second] = None
        first += 1
    return keys


def in_parts(codec: Any, payload: bytes) -> Any:
    """Decode `payload` in parts: the message and how many there were, or why it is none."""
    steps, count = codec.decode_in_parts(payload), 1
    try:
        while True:
            next(steps)
            count += 1
    except StopIteration as end:
        return end.value, count
    except ProtocolError as error:
        return error.reason.code, error.reason.text


def at_once(codec: Any, payload: bytes) -> Any:
    try:
        return codec.decode(memoryview(payload))
    except ProtocolError as error:
        return error.reason.code, error.reason.text
