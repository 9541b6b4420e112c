"""The kernel says what the Python says that defines it, or leaves it to that."""

import contextlib
import gc
import importlib.util
import math
import struct
import sys
import tracemalloc
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from fuzz.cutting import SENDER, Came, cut
from hypothesis import example, given
from hypothesis import strategies as st

import netcode
from netcode.errors import ProtocolError
from netcode.wire.codec import CAREFUL_FROM, PLAIN, PlainCodec
from netcode.wire.cost import MAX_DEPTH
from netcode.wire.framing import HEADER_SIZE
from netcode.wire.speed import load

if TYPE_CHECKING:
    from netcode import _speed
else:
    _speed = pytest.importorskip("netcode._speed", reason="the kernel was not built: there was no compiler")

LIMIT = 65_536

EDGES = [
    sign * (1 << bits) + beside for bits in (5, 7, 8, 15, 16, 31, 32, 62) for sign in (1, -1) for beside in (-1, 0, 1)
]
"""Where a number takes one byte more, and its neighbours."""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from(EDGES)
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from([31, 32, 255, 256, 4000, 4095, 4096]).map("x".__mul__)
    | st.binary(max_size=40)
    | st.sampled_from([255, 256, 4000, 4095, 4096]).map(bytes)
)
MESSAGES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(SCALARS, inner, max_size=20) | st.tuples(inner, inner),
    max_leaves=40,
)


class Text(str):
    """No plain text."""


class Number(int):
    """No plain number."""


def header(size: int) -> bytes:
    return size.to_bytes(HEADER_SIZE)


def nested(depth: int) -> Any:
    message: Any = 1
    for _ in range(depth):
        message = [message]
    return message


def taken(data: bytes) -> tuple[list[Any], int] | None:
    """Return what the definition makes of what came: the messages at its front; None where one of them is none."""
    messages, at = list[Any](), 0
    while len(data) - at > HEADER_SIZE:
        size = int.from_bytes(data[at : at + HEADER_SIZE])
        if not 0 < size <= LIMIT:
            return None
        if at + HEADER_SIZE + size > len(data):
            break
        try:
            messages.append(PLAIN.decode(memoryview(data)[at + HEADER_SIZE : at + HEADER_SIZE + size]))
        except ProtocolError:
            return None
        at += HEADER_SIZE + size
    return messages, at


@pytest.mark.games
@given(MESSAGES)
@example(math.nan)
@example(-0.0)
@example("\ud800")
@example(2**64)
@example(-(2**63) - 1)
@example({(1, 2): 3})
@example([Text("a"), Number(1)])
@example(bytearray(b"a"))
@example(nested(MAX_DEPTH))
@example(nested(MAX_DEPTH + 1))
def test_what_is_framed_is_framed_as_the_definition_does(message: Any) -> None:
    framed = _speed.frame(message)

    if framed is not None:
        payload = PLAIN.encode(message)
        assert framed == header(len(payload)) + payload


@pytest.mark.parametrize("last", [7, -1, 300, -(2**40), 1.5, None, True, b"ab", "ab", "x" * 40, [], {}, [1] * 20])
def test_a_message_fills_the_room_for_it_to_the_byte(last: Any) -> None:
    for size in range(CAREFUL_FROM - 60, CAREFUL_FROM):
        message = [bytes(size), last]
        payload = msgpack.packb(message)

        assert _speed.frame(message) == (header(len(payload)) + payload if len(payload) <= CAREFUL_FROM else None)


@pytest.mark.games
@given(st.lists(MESSAGES, max_size=5), st.binary(max_size=6))
def test_what_is_cut_is_what_the_definition_decodes(messages: list[Any], rest: bytes) -> None:
    payloads = [msgpack.packb(message) for message in messages]
    data = b"".join(header(len(payload)) + payload for payload in payloads) + rest

    found = cut(_speed, data, LIMIT)

    if found is not None:
        assert repr(found) == repr(taken(data))


@pytest.mark.games
@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4), MESSAGES)
def test_any_bytes_are_what_the_definition_makes_of_them(
    junk: bytes, changes: list[tuple[int, int]], message: Any
) -> None:
    payload = bytearray(msgpack.packb([message, 7]))
    for place, byte in changes:
        payload[place % len(payload)] = byte
    for body in (bytes(payload), junk):
        data = header(len(body)) + body + header(1) + b"\x07"
        for size in (len(data), len(data) - 1, len(data) - 3):
            found = cut(_speed, data[:size], LIMIT)
            if found is not None:
                assert repr(found) == repr(taken(data[:size]))


@pytest.mark.parametrize("number", [*EDGES, 0, -1, 2**63, 2**64 - 1, -(2**63)])
def test_a_number_of_any_size_is_what_it_was(number: int) -> None:
    payload = msgpack.packb({number: [number]})

    assert cut(_speed, header(len(payload)) + payload, LIMIT) == ([{number: [number]}], len(payload) + HEADER_SIZE)
    assert _speed.frame({number: [number]}) == header(len(payload)) + payload


@pytest.mark.parametrize("size", range(2030, 2060))
def test_from_which_cost_on_it_is_left_to_python_is_what_python_says(size: int) -> None:
    python = PlainCodec(kernel=None)
    for payload in (
        msgpack.packb([1] * size),
        msgpack.packb("x" * size),
        msgpack.packb([[1]] * 20 + [1] * (size - 50)),
    ):
        data = header(len(payload)) + payload

        assert (cut(_speed, data, LIMIT) is None) == (cut(python, data, LIMIT) is None)


@pytest.mark.parametrize("single", [True, False])
def test_floats_come_in_both_sizes(single: bool) -> None:
    payload = msgpack.packb([1.5, -0.0, math.inf], use_single_float=single)

    assert repr(cut(_speed, header(len(payload)) + payload, LIMIT)) == repr(([[1.5, -0.0, math.inf]], len(payload) + 4))


USUAL: list[Any] = [
    None, True, 0, -1, -32, -33, 127, 128, 2**64 - 1, -(2**63), 1.5, "text", "é" * 20, b"bytes", [], {}, (1, 2),
    {"turn": 17, "move": [3, 4], "fire": True}, {1: "one", b"two": 2, None: 3}, nested(MAX_DEPTH), "x" * 1000, b"x" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("message", USUAL, ids=lambda message: repr(message)[:20])
def test_what_is_usual_is_not_left_to_python(message: Any) -> None:
    framed = _speed.frame(message)

    assert framed is not None
    count = 3 if len(framed) < 300 else 1  # those cost too much together
    heard = [1, 2] if message == (1, 2) else message
    assert cut(_speed, framed * count, LIMIT) == ([heard] * count, count * len(framed))


UNUSUAL: dict[str, Any] = {
    "a number that is too large": 2**64,
    "a number that is too small": -(2**63) - 1,
    "half a character": "\ud800",
    "half a character in a key": {"\ud800": 1},
    "what nests too deep": nested(MAX_DEPTH + 1),
    "text of a type of its own": Text("a"),
    "a number of a type of its own": [Number(1)],
    "bytes that can change": bytearray(b"a"),
    "a key that is a tuple": {(1, 2): 3},
    "something else": {"a": object()},
    "a set": {1},
    "what is large": ["x" * 3000, "y" * 3000],
    "many values": [0] * 5000,
    "many keys": dict.fromkeys(range(5000)),
    "large bytes": bytes(5000),
    "long text": "x" * 5000,
}


@pytest.mark.parametrize("message", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_to_send_is_left_to_python(message: Any) -> None:
    assert _speed.frame(message) is None


LEFT: dict[str, bytes] = {
    "a length of nothing": header(0) + b"\x01",
    "a length above the limit": header(LIMIT + 1) + b"\x01",
    "a length alone": header(1),
    "no message": header(1) + b"\xc1",
    "an extension": header(3) + b"\xd4\x01\x00",
    "a list without its end": header(2) + b"\x92\x01",
    "a list of four billion": header(5) + b"\xdd\xff\xff\xff\xff",
    "a dict of four billion": header(5) + b"\xdf\xff\xff\xff\xff",
    "text without its end": header(2) + b"\xa5a",
    "text of four gigabytes": header(5) + b"\xdb\xff\xff\xff\xff",
    "bytes without their end": header(3) + b"\xc4\x05a",
    "bytes of four gigabytes": header(5) + b"\xc6\xff\xff\xff\xff",
    "text that is none": header(2) + b"\xa1\xff",
    "half a number": header(3) + b"\xcf\x00\x00",
    "half a float": header(3) + b"\xcb\x00\x00",
    "half a float of 32 bits": header(3) + b"\xca\x00\x00",
    "half a length": header(2) + b"\xdc\x00",
    "more than a message": header(2) + b"\x01\x01",
    "a key that is a list": header(4) + b"\x81\x91\x01\x01",
    "a key that is a dict": header(3) + b"\x81\x80\x01",
    "a key without its value": header(2) + b"\x81\x01",
    "what nests too deep": header(MAX_DEPTH + 2) + b"\x91" * (MAX_DEPTH + 1) + b"\x01",
    "many lists": header(41) + b"\xdc\x00\x26" + b"\x90" * 38,
    "what is large": header(CAREFUL_FROM + 4) + b"\xc5" + struct.pack(">H", CAREFUL_FROM + 1) + bytes(CAREFUL_FROM + 1),
}


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_what_is_unusual_to_come_is_left_to_python_and_so_is_what_came_with_it(data: bytes) -> None:
    assert cut(_speed, data, LIMIT) is None
    assert cut(_speed, header(1) + b"\x01" + data, LIMIT) is None


NO_CALLS: list[tuple[Any, ...]] = [
    (),
    (b"",),
    (b"", 0, 1),
    ("text", 4, 1, Came, SENDER),
    (b"", 0, -1, Came, SENDER),
    (b"", 0, "1", Came, SENDER),
    (b"", "0", 1, Came, SENDER),
    (b"", 0, 1 << 64, Came, SENDER),
    (b"", 1 << 64, 1, Came, SENDER),
    (b"", 0, 1, list, SENDER),
    (b"", 0, 1, SENDER, Came),
]


@pytest.mark.parametrize("arguments", NO_CALLS)
def test_calls_that_are_none_raise(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, OverflowError, BufferError, ValueError)):
        _speed.cut(*arguments)


@pytest.mark.parametrize("size", [-1, 100])
def test_a_size_beyond_what_is_there_is_what_is_there(size: int) -> None:
    assert _speed.cut(header(1) + b"\x07", size, LIMIT, Came, SENDER) == ([Came(SENDER, 7)], 5)


BEAT = header(13) + b"\xc7\x0a\x4e\x93\x03\xce\0\1\0\0\xcd\1\0"
"""A PING."""


@pytest.mark.parametrize("size", [len(BEAT), 100])
def test_a_beat_beyond_which_nothing_came_ends_with_it(size: int) -> None:
    assert _speed.beat(BEAT, size) == (3, 65_536, 256, len(BEAT))
    assert _speed.beat(BEAT, -1) is _speed.beat(BEAT[:-1], size) is None


@pytest.mark.parametrize("arguments", [(), (BEAT,), (BEAT, 0, 1), ("text", 4), (BEAT, "4"), (BEAT, 1 << 64)])
def test_calls_for_a_beat_that_are_none_raise(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, OverflowError, BufferError)):
        _speed.beat(*arguments)


def test_nothing_is_left_behind() -> None:
    def use() -> None:
        for message in (*USUAL, *UNUSUAL.values()):
            framed = _speed.frame(message)
            if framed is not None:
                cut(_speed, framed + b"\0\0", LIMIT)
                cut(_speed, framed[:-1] + b"\xc1", LIMIT)
        for data in LEFT.values():
            cut(_speed, data, LIMIT)
            cut(_speed, header(1) + b"\x01" + data, LIMIT)
        for size in range(len(BEAT) + 1):
            _speed.beat(BEAT, size)

    use()
    tracemalloc.start()
    try:
        use()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            use()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 1_000  # the 20 × 180 objects of a leak take far more


def inside(thing: Any) -> list[Any]:
    """Return a message and everything in it."""
    found, level = [thing], [thing]
    while level:
        level = [part for one in level if isinstance(one, list | tuple | dict) for part in gc.get_referents(one)]
        found += level
    return found


SHARED: list[Any] = [None, True, False, 0, 1, -1, 17, 255, "", b"", ()]
"""What there is once in a process, so that a reference too much or too few shows nowhere at first."""
OFTEN = 200


def references(things: Iterable[Any]) -> "array[int]":
    """Count who refers to each of them, in numbers that are no objects: those would be counted, too."""
    gc.collect()  # what is garbage already is not to go in between
    return array("q", map(sys.getrefcount, things))


def most(before: "array[int]", after: "array[int]") -> int:
    return max(abs(one - other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("message", [*USUAL, *UNUSUAL.values()], ids=lambda message: repr(message)[:20])
def test_a_message_is_referred_to_as_often_as_before_it_was_framed(message: Any) -> None:
    parts = inside(message)
    before = references(parts)

    for _ in range(OFTEN):
        _speed.frame(message)

    assert most(before, references(parts)) < OFTEN // 2


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_what_is_left_to_python_is_referred_to_as_often_as_before(data: bytes) -> None:
    # What was decoded before what is unusual is dropped again, and not once too often.
    good = b"".join(framed for framed in map(_speed.frame, SHARED) if framed is not None)
    stream = good + data
    view, limit = memoryview(stream), LIMIT
    things = [*SHARED, stream, view, limit, Came, SENDER]
    before = references(things)

    for _ in range(OFTEN):
        assert _speed.cut(view, len(stream), limit, Came, SENDER) is None
        with contextlib.suppress(TypeError, BufferError, ValueError, OverflowError):
            _speed.cut(view, len(stream), -1, Came, SENDER)

    assert most(before, references(things)) < OFTEN // 2


def test_what_is_cut_and_dropped_is_referred_to_by_nobody() -> None:
    stream = b"".join(framed for framed in map(_speed.frame, [*SHARED, [*SHARED], {"a": None, 1: True}]) if framed)
    before = references((*SHARED, stream, Came, SENDER))

    for _ in range(OFTEN):
        assert _speed.cut(stream, len(stream), LIMIT, Came, SENDER) is not None

    assert most(before, references((*SHARED, stream, Came, SENDER))) < OFTEN // 2


def keyed(*keys: str) -> list[str]:
    """Return the keys that come of a message that has those."""
    framed = _speed.frame(dict.fromkeys(keys))
    assert framed is not None
    found = _speed.cut(framed, len(framed), LIMIT, Came, SENDER)
    assert found is not None
    [(_, message)], _ = found
    return [*message]


@pytest.mark.parametrize("key", ["", "x", "ключ", "k" * 24, "k" * 25, "k" * 300])
def test_the_same_short_key_of_all_messages_is_one_text(key: str) -> None:
    [first], [second] = keyed(key), keyed(key)

    assert first == second == key
    assert (first is second) is (len(key) <= 24)


def test_a_stranger_s_key_is_freed_with_its_message_on_every_python() -> None:
    """From 3.12.0 to 3.12.6 it would be kept for ever if it were interned."""
    before = sys.getrefcount(f"nobody's {id(sys)}")

    [key] = keyed("k" * 25)

    assert sys.getrefcount(key) <= before + 1


def test_more_keys_than_are_remembered_are_all_themselves() -> None:
    keys = [f"{number:x}" for number in range(5_000)] + ["ä" * size for size in range(40)]

    for _ in range(2):
        for start in range(0, len(keys), 20):
            assert keyed(*keys[start : start + 20]) == keys[start : start + 20]


def test_of_the_keys_that_strangers_make_up_few_are_remembered() -> None:
    keys = [key for number in range(5_000) for key in keyed(f"stranger {number}")]

    references = [*map(sys.getrefcount, keys)]

    assert 0 < sum(count > min(references) for count in references) <= 256


def test_a_module_that_is_over_remembers_no_keys() -> None:
    spec = importlib.util.spec_from_file_location("netcode._speed", _speed.__file__)
    assert spec is not None
    assert spec.loader is not None
    kernels = [importlib.util.module_from_spec(spec)]
    framed = header(12) + b"\x81\xa9only here\x01"

    def key_of() -> str:
        (_, message), *_ = kernels[0].cut(framed, len(framed), LIMIT, Came, SENDER)[0]
        [key] = message
        return str(key)

    before = sys.getrefcount(key := key_of())  # it is not executed yet
    spec.loader.exec_module(kernels[0])
    during = sys.getrefcount(key := key_of())
    kernels.clear()
    gc.collect()

    assert (during - before, sys.getrefcount(key) - before) == (1, 0)


def test_who_wants_no_kernel_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, kernel in (("1", None), ("0", _speed), ("", _speed)):
        monkeypatch.setenv("NETCODE_PURE", value)
        assert load() is kernel


def test_without_a_compiler_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETCODE_PURE", raising=False)
    monkeypatch.delattr(netcode, "_speed", raising=False)
    monkeypatch.setitem(sys.modules, "netcode._speed", None)

    assert load() is None


class Numbered:
    """Has the number of a descriptor, as a socket has."""

    def __init__(self, number: Any) -> None:
        self.read_fd = number


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are asked by Python there")
@pytest.mark.parametrize("call", ["send", "receive_into"])
def test_what_is_no_socket_is_refused_and_its_number_referred_to_as_often_as_before(call: str) -> None:
    ask, number, buffer = getattr(_speed, call), 2**30, bytearray(8)
    before = sys.getrefcount(number)

    for _ in range(100):
        with pytest.raises(OSError, match="descriptor"):
            ask(Numbered(number), buffer)
    for nothing in (Numbered(None), Numbered("1"), Numbered(2**80), object()):
        with pytest.raises((TypeError, OverflowError, AttributeError)):
            ask(nothing, buffer)

    assert sys.getrefcount(number) == before
    buffer.clear()  # as nobody looks at it any more
