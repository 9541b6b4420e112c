"""Messages to bytes and back: what goes in comes out, and what a stranger sends is a message or a documented reason."""

import datetime
import itertools
import re
import sys
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from fuzz.cutting import cut
from hypothesis import given
from hypothesis import strategies as st
from wire_messages import EMPTY, at_once, in_parts, messages, nested, refusal

from netcode import ProtocolError, ReasonCode
from netcode.wire.codec import CAREFUL_FROM, PLAIN, Bounds, Codec, PlainCodec, decode_each
from netcode.wire.cost import MAX_DEPTH, is_simple
from netcode.wire.framing import frame, split

CODECS: dict[str, Codec] = {"as it was built": PlainCodec(), "in Python": PlainCodec(kernel=None)}


@given(message=messages)
def test_what_goes_in_comes_out(message: Any) -> None:
    assert PLAIN.decode(memoryview(PLAIN.encode(message))) == message


@given(message=messages)
def test_a_simple_payload_needs_no_second_look(message: Any) -> None:
    payload = PLAIN.pack(message)

    if is_simple(payload):
        assert PLAIN.encode(message) == payload
        if not any_list_keys(message):
            assert PLAIN.unpack(memoryview(payload)) == PLAIN.decode(memoryview(payload)) == message


def any_list_keys(message: Any) -> bool:
    return re.search(r"\(\d, \d\):", repr(message)) is not None


# Frames in a row.


def decoded(payloads: list[memoryview]) -> list[Any] | None:
    try:
        return [PLAIN.decode(payload) for payload in payloads]
    except ProtocolError:
        return None


@pytest.mark.games
@given(messages=st.lists(messages, max_size=8), more=st.binary(max_size=9), limit=st.integers(CAREFUL_FROM, 5000))
def test_frames_decoded_in_one_go_are_what_each_is(messages: list[Any], more: bytes, limit: int) -> None:
    stream = memoryview(b"".join(frame(PLAIN.pack(message)) for message in messages) + more)[:CAREFUL_FROM]

    for codec in CODECS.values():
        batch = cut(codec, stream, limit)

        payloads, taken, rest, _ = split(stream, limit, 1000)
        if batch is not None:
            assert (repr(batch[0]), batch[1], rest) == (repr(decoded(payloads)), taken, 0)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_frames_that_are_simple_are_decoded_in_one_go(codec: Codec) -> None:
    frames = b"".join(frame(PLAIN.pack(message)) for message in ([1, {2: "three"}], None, "x" * 100))

    assert cut(codec, frames, CAREFUL_FROM) == ([[1, {2: "three"}], None, "x" * 100], len(frames))
    assert cut(codec, frames + b"\0\0\0\x07half", CAREFUL_FROM) == (
        [[1, {2: "three"}], None, "x" * 100],
        len(frames),
    )
    assert cut(codec, frame(b"\x05") + b"\0\0", CAREFUL_FROM) == ([5], 5)


@pytest.mark.parametrize(
    "stream",
    [
        frame(b"\x01")[:4],  # a length of which nobody knows yet whether it is a wrong one
        b"\0\0\0\0" + frame(b"\x01"),
        frame(bytes(CAREFUL_FROM + 1))[:9],
        frame(b"\xc4"),  # shorter than it says
        frame(b"\x01\x02"),  # longer
        b"\0\0\0\x03" + frame(b"\xc0"),  # reaches into the next
        frame(b"\xc1"),
        frame(b"\xd4\x05\x00"),
        frame(b"\x91" * 40 + b"\xc0"),
        frame(b"\x81\x90\xc0"),  # a list as a key
        frame(msgpack.packb([0] * 250)) * 9,  # much
        frame(msgpack.packb([EMPTY] * 30)) * 40,
    ],
)
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_what_needs_a_closer_look_is_left_to_those_who_look(codec: Codec, stream: bytes) -> None:
    assert cut(codec, stream, CAREFUL_FROM) is None


def test_much_may_be_cut_where_it_costs_little() -> None:
    stream = frame(msgpack.packb(bytes(300))) * 10

    for codec in CODECS.values():
        assert cut(codec, stream, CAREFUL_FROM) == ([bytes(300)] * 10, len(stream))


@given(message=messages)
def test_a_message_is_framed_as_it_is_encoded_or_left_to_that(message: Any) -> None:
    for codec in CODECS.values():
        framed = codec.frame(message)
        if framed is not None:
            assert framed == frame(codec.encode(message))


@pytest.mark.parametrize("message", [bytes(5000), "x" * 5000, {1, 2}, nested(40), msgpack.ExtType(5, b"")])
def test_what_is_large_or_not_plain_is_left_to_those_who_look(message: Any) -> None:
    assert [codec.frame(message) for codec in CODECS.values()] == [None, None]


def test_a_tuple_arrives_as_a_list_and_as_a_key_stays_a_tuple() -> None:
    message = {(1, 2): (3, [4, {"a": (5,)}])}

    assert PLAIN.decode(memoryview(PLAIN.encode(message))) == {(1, 2): [3, [4, {"a": [5]}]]}


WINDING = dict.fromkeys(itertools.product((-1, -2), repeat=7))
"""128 keys that nobody made to collide, and do: the hash of -1 is that of -2."""


class Extended(msgpack.ExtType):
    pass


def endless() -> Any:
    """Return a list that contains itself."""
    inside: list[Any] = []
    inside.append(inside)
    return inside


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ({1, 2}, TypeError, "a message of type set cannot be sent: it is of type set, which msgpack has no form for"),
        ([object()], TypeError, r"a message of type list cannot be sent: message\[0\] is of type object, which"),
        (2**64, ValueError, "a message of type int cannot be sent: it is a number of 65 bits"),
        (memoryview(b"abc")[::2], ValueError, "a message of type memoryview cannot be sent: it is a view that"),
        ([memoryview(b"abc")[::-1]], ValueError, r"a message of type list cannot be sent: message\[0\] is a view that"),
        (datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), TypeError, "a message of type datetime cannot be sent"),
        ("\ud800", ValueError, "a message of type str cannot be sent"),
        (
            endless(),
            ValueError,
            "a message of type list cannot be sent: it nests too deep; does a list or a dict contain itself",
        ),
        (nested(MAX_DEPTH + 1), ValueError, "a message that nests deeper than 32 levels cannot be sent"),
        ([nested(MAX_DEPTH, 5)], ValueError, "a message that nests deeper than 32 levels cannot be sent"),
        (msgpack.ExtType(78, b"x"), TypeError, "msgpack extension types are the protocol's own"),
        ({"a": [msgpack.ExtType(5, b"x")]}, TypeError, "msgpack extension types are the protocol's own"),
        ([Extended(5, b"x")], TypeError, "msgpack extension types are the protocol's own"),
        ([{"a": WINDING}], ValueError, "a message with over 64 keys of a map that share a hash cannot be sent; choose"),
    ],
)
def test_what_cannot_be_sent_raises_at_the_caller(message: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match="^" + text):
        PLAIN.encode(message)

    assert PLAIN.encode("fine") == b"\xa4fine"


def test_a_dict_is_no_key_of_what_is_sent() -> None:
    class Card(dict[Any, Any]):
        def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
            return 1

    with pytest.raises(TypeError, match=r"^a message with a dict in a key cannot be sent: no dict can be a key"):
        PLAIN.encode({(1, Card()): 1, "a": {}})


class Liar(list[int]):
    """A list that is not as long as it says, such as one of rows that are fetched when they are looked at."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])


class Changing(dict[int, int]):
    def items(self) -> Any:
        raise RuntimeError("dictionary changed size during iteration")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Liar([1, 2]), "a message of type Liar cannot be sent: it cannot be packed"),
        ({"rows": [Liar()]}, r"a message of type dict cannot be sent: message\['rows'\]\[0\] cannot be packed"),
        ([Changing()], "a message of type list cannot be sent: dictionary changed size during iteration$"),
    ],
)
def test_what_is_another_than_it_says_raises_at_the_caller_and_not_at_the_other_end(message: Any, text: str) -> None:
    assert [codec.frame(message) for codec in CODECS.values()] == [None, None]
    for codec in CODECS.values():
        with pytest.raises(ValueError, match="^" + text):
            codec.encode(message)

        assert codec.encode(["fine"]) == b"\x91\xa4fine"


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_signal_handler_may_send_while_a_message_is_framed(codec: Codec) -> None:
    inner, outer = ["in", (1,)], ("out", (1, 2))
    expected = codec.frame(inner), codec.frame(outer)
    heard: list[bytes | None] = []

    def handle(_frame: Any, event: str, _argument: Any) -> None:
        """Come wherever a handler can: where Python code is called, or returns."""
        if event in {"call", "return"}:
            heard.append(codec.frame(inner))

    sys.setprofile(handle)
    try:
        framed = codec.frame(outer)
    finally:
        sys.setprofile(None)

    assert (framed, codec.frame(outer)) == (expected[1], expected[1])
    assert heard == [expected[0]] * len(heard)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_an_interrupt_while_a_message_is_framed_leaves_nothing_of_it_in_the_next(codec: Codec) -> None:
    expected = codec.frame(["next"])
    comes = itertools.count()

    def interrupt(_frame: Any, event: str, _argument: Any) -> None:
        if event == "call" and next(comes) == 1:  # in the middle, where that is Python
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        codec.frame(("out", (1, 2)))
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)

    assert codec.frame(["next"]) == expected


def floats(count: int) -> bytes:
    """Return the payload of a list of floats of 32 bits."""
    return b"\xdc" + count.to_bytes(2, "big") + b"\xca\x3d\xcc\xcc\xcd" * count


@pytest.mark.parametrize("payload", [floats(1_111), b"\x92\xc0" + floats(1_111), b"\x81\xc0" + floats(1_111)])
def test_what_would_be_too_large_to_be_passed_on_is_not_taken(payload: bytes) -> None:
    codec = PlainCodec(Bounds(10_000), Bounds(14_096))
    size = len(msgpack.packb(msgpack.unpackb(payload, strict_map_key=False)))

    assert len(payload) < 5_600
    assert refusal(codec, payload) == (
        ReasonCode.TOO_LARGE,
        f"a message came that is {size} bytes once its numbers and fields are written out; max_message is 10000",
    )
    assert len(PLAIN.decode(memoryview(payload))) > 0
    assert len(PlainCodec(Bounds(10_000), Bounds(10_000)).decode(memoryview(payload))) > 0


@pytest.mark.games
@given(message=messages, room=st.integers(0, 9))
def test_what_is_taken_can_be_passed_on(message: Any, room: int) -> None:
    payload = b"\x92" + PLAIN.encode(message) + floats(900)
    grown = len(PLAIN.encode([message, [0.1] * 900]))
    codec = PlainCodec(Bounds(grown - 4 + room), Bounds(grown + 4096))

    if len(payload) > CAREFUL_FROM and room < 4:
        assert refusal(codec, payload)[0] is ReasonCode.TOO_LARGE
    else:
        assert len(codec.encode([codec.decode(memoryview(payload))])) <= codec.sends.size


def test_bytes_that_look_like_floats_do_not_grow() -> None:
    codec = PlainCodec(Bounds(6_000), Bounds(10_096))
    message = [b"\xca" * 5_900]

    assert codec.decode(memoryview(codec.encode(message))) == message


def test_what_is_not_small_is_not_decoded_in_one_go() -> None:
    data = memoryview(frame(PLAIN.encode("x")) * 700)

    assert len(data) > CAREFUL_FROM
    assert cut(PlainCodec(kernel=None), data, CAREFUL_FROM) is None
    assert cut(PlainCodec(kernel=None), data[:600], CAREFUL_FROM) == (["x"] * 100, 600)


def test_what_grows_is_refused_in_parts_too() -> None:
    payload = msgpack.Packer(use_single_float=True).pack([1.5] * 2000)
    for size, taken in ((len(payload), False), (2 * len(payload), True)):
        codec = PlainCodec(Bounds(size, MAX_DEPTH), Bounds(size + 1, MAX_DEPTH))
        whole, parts = at_once(codec, payload), in_parts(codec, payload)
        assert (whole == parts[0] == [1.5] * 2000) if taken else (whole == parts)
        assert taken or whole[0] is ReasonCode.TOO_LARGE


# What it costs.


def test_each_message_before_one_that_is_none_is_decoded() -> None:
    good: list[Any] = ["small", "x" * 100, "x" * 5000, [nested(20)] * 3, {(1, 2): 3}]
    payloads = [memoryview(PLAIN.encode(message)) for message in good]

    for codec in CODECS.values():
        assert decode_each(codec, payloads[:4]) == (good[:4], None)
        assert decode_each(codec, payloads) == (good, None)  # lists as keys need a closer look
        messages, error = decode_each(codec, [*payloads, memoryview(b"\xc1"), payloads[0]])
        assert (messages, error and error.reason.code) == (good, ReasonCode.MALFORMED)
