"""Messages to bytes and back: what goes in comes out, and what a stranger sends is a message or a documented reason."""

import datetime
import gc
import itertools
import re
import struct
import sys
import time
from typing import Any

import msgpack
import msgspec
import pytest
from fuzz.cutting import cut
from hypothesis import given
from hypothesis import strategies as st

from netcode import ProtocolError, ReasonCode
from netcode.wire.codec import (
    CAREFUL_FROM,
    MAX_COLLISIONS,
    MAX_DEPTH,
    PLAIN,
    Bounds,
    Codec,
    PlainCodec,
    TypedCodec,
    carried,
    cost_of,
    cost_of_frames,
    is_harmless,
    is_simple,
    make_codec,
    undisturbed,
)
from netcode.wire.framing import frame, split

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


class Tree(msgspec.Struct, tag="tree"):
    inside: "Tree | None" = None


class Anything(msgspec.Struct):
    what: Any


class View(msgspec.Struct, tag="view"):
    raw: msgspec.Raw
    seen: memoryview


class Extended(msgpack.ExtType):
    pass


WINDING = dict.fromkeys(itertools.product((-1, -2), repeat=7))
"""128 keys that nobody made to collide, and do: the hash of -1 is that of -2."""


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


def endless() -> Any:
    """Return a list that contains itself."""
    inside: list[Any] = []
    inside.append(inside)
    return inside


CODECS: dict[str, Codec] = {"as it was built": make_codec(), "in Python": PlainCodec(kernel=None)}


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


@given(payload=st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_reason(payload: bytes) -> None:
    codes: set[ReasonCode] = set()
    for codec in (PLAIN, make_codec(Move | Chat)):
        try:
            codec.decode(memoryview(payload))
        except ProtocolError as error:
            codes.add(error.reason.code)

    assert codes <= {ReasonCode.MALFORMED, ReasonCode.WRONG_SHAPE}


@pytest.mark.parametrize(
    ("first", "simple", "shallow"),
    [
        (b"\xc0", True, True),
        (b"\xc7", False, True),
        (b"\xd4", False, True),
        (b"\xd9", True, True),
        (b"\x90" * 32, True, True),
        (b"\x90" * 33, False, False),
        (b"\xdf" * 32 + b"\xc1" * 99, True, True),
        (b"\xde" * 33 + b"\xc1" * 99, False, False),
    ],
)
def test_extensions_and_many_containers_are_not_simple(first: bytes, simple: bool, shallow: bool) -> None:
    assert (is_simple(first), is_harmless(memoryview(first))) == (simple, shallow)


# Frames in a row.


def decoded(payloads: list[memoryview]) -> list[Any] | None:
    try:
        return [PLAIN.decode(payload) for payload in payloads]
    except ProtocolError:
        return None


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


def test_typed_frames_are_cut_as_well() -> None:
    codec = make_codec(Move | Chat)
    stream = frame(codec.encode(Move(1, 2))) + frame(codec.encode(Chat("hi", [])))

    assert cut(codec, stream, CAREFUL_FROM) == ([Move(1, 2), Chat("hi", [])], len(stream))
    assert cut(codec, frame(b"\x05"), CAREFUL_FROM) is None


@given(message=messages)
def test_a_message_is_framed_as_it_is_encoded_or_left_to_that(message: Any) -> None:
    for codec in CODECS.values():
        framed = codec.frame(message)
        if framed is not None:
            assert framed == frame(codec.encode(message))


@pytest.mark.parametrize("message", [bytes(5000), "x" * 5000, {1, 2}, nested(40), msgpack.ExtType(5, b"")])
def test_what_is_large_or_not_plain_is_left_to_those_who_look(message: Any) -> None:
    assert [codec.frame(message) for codec in CODECS.values()] == [None, None]


def test_typed_messages_are_framed_unless_they_are_large() -> None:
    codec = make_codec(Chat)

    assert codec.frame(Chat("hi", [])) == frame(codec.encode(Chat("hi", [])))
    assert codec.frame(Chat("x" * CAREFUL_FROM, [])) is None


def test_an_extension_has_no_place_in_a_typed_message_either() -> None:
    codec = TypedCodec(Anything)
    payload = msgpack.packb({"what": msgpack.ExtType(5, b"?")})

    with pytest.raises(ProtocolError, match="msgpack extension 5"):
        codec.decode(memoryview(payload))


def test_a_tuple_arrives_as_a_list_and_as_a_key_stays_a_tuple() -> None:
    message = {(1, 2): (3, [4, {"a": (5,)}])}

    assert PLAIN.decode(memoryview(PLAIN.encode(message))) == {(1, 2): [3, [4, {"a": [5]}]]}


def test_a_map_of_many_tiles_comes_back_as_it_was() -> None:
    tiles = {(x, y): [x, {(y, (x, ())): "in a tile"}] for x in range(-40, 40) for y in range(-40, 40)}

    assert PLAIN.decode(memoryview(PLAIN.encode(tiles))) == tiles


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


@pytest.mark.fault(88, "memory")
def test_keys_that_were_made_to_collide_are_refused_before_they_cost_a_frame() -> None:
    few, many, most = colliding(MAX_COLLISIONS), colliding(MAX_COLLISIONS + 1), colliding(4500)
    payload = PLAIN.pack(most)
    refused = ReasonCode.MALFORMED, "bytes came that are no message: over 64 keys of a map that share a hash"
    seconds: list[float] = []

    for _ in range(3):
        begin = time.thread_time()
        assert refusal(PLAIN, payload) == refused
        seconds.append(time.thread_time() - begin)

    assert len(set(map(hash, most))) == 1
    assert 60_000 < len(payload) < 65_536
    assert refusal(PLAIN, PLAIN.pack([many])) == refused
    assert PLAIN.decode(memoryview(PLAIN.encode(few))) == few
    assert min(seconds) < 0.05  # a quarter of a second otherwise


def stamps(count: int) -> bytes:
    """Return a map whose keys are timestamps that share one hash: that of (seconds, nanoseconds), reversed again."""
    mask, one, two, five = (1 << 64) - 1, 11400714785074694791, 14029467366897019727, 2870177450012600261
    by_one, by_two = pow(one, -1, 1 << 64), pow(two, -1, 1 << 64)
    keys: list[bytes] = []
    nanoseconds = 0
    while len(keys) < count:
        wanted = 12345 * one * by_one & mask
        mixed = (wanted >> 31 | wanted << 33) - nanoseconds * two & mask
        mixed = mixed * by_one & mask
        seconds = ((mixed >> 31 | mixed << 33) - five) * by_two & mask
        seconds -= (seconds >> 63) << 64
        if seconds != -1 and abs(seconds) < 2**61 - 1:
            keys.append(b"\xc7\x0c\xff" + struct.pack(">Iq", nanoseconds, seconds) + b"\xc0")
        nanoseconds += 1
    return b"\xde" + count.to_bytes(2, "big") + b"".join(keys)


def test_timestamps_that_were_made_to_collide_are_refused_as_well() -> None:
    payload = stamps(MAX_COLLISIONS + 1)

    assert refusal(PLAIN, payload) == (
        ReasonCode.MALFORMED,
        "bytes came that are no message: over 64 keys of a map that share a hash",
    )
    assert is_harmless(memoryview(payload)) is False
    assert len(PLAIN.decode(memoryview(stamps(MAX_COLLISIONS)))) == MAX_COLLISIONS


def test_a_timestamp_of_msgpack_passes() -> None:
    moment = msgpack.Timestamp(1_700_000_000, 5)

    assert PLAIN.decode(memoryview(PLAIN.encode([moment]))) == [moment]


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


class Row(list[Any]):
    """A list that may be a key."""

    def __init__(self, *items: Any, hashed: int | None = None) -> None:
        super().__init__(items)
        self.hashed = id(self) if hashed is None else hashed

    def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        return self.hashed


class Card(dict[Any, Any]):
    """A dict that may be a key."""

    def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        return 1


KERNELS = [PlainCodec(), PlainCodec(kernel=None)]


@pytest.mark.parametrize("codec", KERNELS, ids=["kernel", "Python"])
@pytest.mark.parametrize("padding", [0, CAREFUL_FROM])
@pytest.mark.parametrize("key", [Card(), Card(a=1), (1, Card()), ((Card(),), 2), Row(Card()), Row([Card()])], ids=repr)
def test_what_holds_a_dict_is_no_key_of_what_is_sent(codec: PlainCodec, padding: int, key: Any) -> None:
    for message in ({key: 1}, [{"a": {3: 4, key: 1}}], {(1, 2): {key: None}}):
        whole = [message, "x" * padding]

        assert codec.frame(whole) is None
        with pytest.raises(TypeError, match=r"^a message with a dict in a key cannot be sent: no dict can be a key"):
            codec.encode(whole)


@pytest.mark.parametrize("codec", KERNELS, ids=["kernel", "Python"])
def test_dicts_and_lists_of_types_of_their_own_are_sent_as_what_they_are(codec: PlainCodec) -> None:
    message: Any = {"a": Card(b=Card(c=1)), Row(1, Row(2)): Row(3), (4, Row(5)): {"d": {}}, Row(): 0}

    payload = codec.encode(message)

    arrived: Any = {"a": {"b": {"c": 1}}, (1, (2,)): [3], (4, (5,)): {"d": {}}, (): 0}
    assert codec.decode(memoryview(payload)) == arrived
    assert codec.frame(message) in {None, frame(payload)}


def test_keys_that_collide_only_where_they_arrive_are_not_sent() -> None:
    rows = {Row(*key): None for key in colliding(MAX_COLLISIONS + 1)}

    with pytest.raises(ValueError, match="share a hash"):
        PLAIN.encode(rows)

    assert len(PLAIN.decode(memoryview(PLAIN.encode({Row(n, hashed=7): 0 for n in range(MAX_COLLISIONS + 1)})))) == 65


def test_a_key_that_nests_too_deep_is_no_reason_to_follow_it() -> None:
    key: Any = ()
    for _ in range(400):
        key = (key,)

    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        PLAIN.encode({key: 1})


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


class Track(msgspec.Struct):
    points: list[float]
    title: str = "untitled " * 10


def test_a_typed_message_that_would_be_too_large_to_be_passed_on_is_not_taken() -> None:
    codec = make_codec(Track, Bounds(4_096), Bounds(8_192))
    taken, refused = ({"points": [1] * count} for count in (440, 450))

    assert codec.decode(memoryview(msgpack.packb(taken))) == Track([1.0] * 440)
    assert refusal(codec, msgpack.packb(refused)) == (
        ReasonCode.TOO_LARGE,
        "a message came that is 4159 bytes once its numbers and fields are written out; max_message is 4096",
    )
    with pytest.raises(ProtocolError, match="4159 bytes"):
        codec.unpack(memoryview(msgpack.packb(refused)))
    assert make_codec(Track).decode(memoryview(msgpack.packb(refused))) == Track([1.0] * 450)


@pytest.mark.parametrize("types", [None, Chat])
def test_what_is_sent_may_nest_deeper_than_what_is_taken(types: Any) -> None:
    server = make_codec(types, Bounds(depth=32), Bounds(depth=40))
    client = make_codec(types, Bounds(depth=40), Bounds(depth=32))
    inside = nested(38, 5)  # a Chat is a level, and its list another
    message = Chat("", [inside]) if types else [[inside]]

    with pytest.raises(ValueError, match="nests deeper than 40 levels"):
        server.encode(Chat("", [[inside]]) if types else [message])
    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        client.encode(message)
    assert client.decode(memoryview(server.encode(message))) == message
    assert refusal(server, server.encode(message)) == (
        ReasonCode.MALFORMED,
        "a message came that nests deeper than 32 levels",
    )


def test_a_message_may_nest_as_deep_as_is_said() -> None:
    deepest = nested(MAX_DEPTH)
    with_text = nested(MAX_DEPTH, "é" * 40)

    assert PLAIN.decode(memoryview(PLAIN.encode(deepest))) == deepest
    assert PLAIN.decode(memoryview(PLAIN.encode(with_text))) == with_text


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xc1", "bytes came that are no message: FormatError"),
        (b"\xa5abc", "bytes came that are no message: Unpack failed: incomplete input"),
        (b"\x01\x02", "bytes came that are no message: unpack(b) received extra data."),
        (b"\xa1\xff", "bytes came that are no message: 'utf-8' codec can't decode byte 0xff in positi"),
        (b"\xdd\xff\xff\xff\xff", "bytes came that are no message: 4294967295 exceeds max_array_len"),
        (b"\x81\x81\x01\x02\x03", "bytes came that are no message: unhashable type: 'dict'"),
        (b"\xd4\x05x", "msgpack extension 5 came, which is no message"),
        (b"\x91\xd4\x4ex", "msgpack extension 78 came, which is no message"),
        (b"\x81\x90\xd4\x05x", "msgpack extension 5 came, which is no message"),
        (b"\xd5\xffxx", "bytes came that are no message: "),
        (b"\x90", ""),
        (b"\x91" * 33 + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x91" * 200 + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x91" * 3000 + b"\x90", "bytes came that are no message: "),
        ((b"\x81\x01" * 33) + b"\x90", "a message came that nests deeper than 32 levels"),
        (b"\x81" + b"\x91" * 33 + b"\x90\x01", "a message came that nests deeper than 32 levels"),
    ],
)
def test_what_cannot_be_a_message_has_a_reason(payload: bytes, text: str) -> None:
    if not text:
        assert PLAIN.decode(memoryview(payload)) == []
        return

    code, said = refusal(PLAIN, payload)

    assert code is ReasonCode.MALFORMED
    assert said.startswith(text)


def test_a_bomb_is_looked_at_a_level_at_a_time() -> None:
    bomb: list[Any] = [{}] * 65_000
    calls: list[str] = []

    def count(frame: Any, event: str, argument: Any) -> None:
        calls.append(event)

    payload = memoryview(PLAIN.pack(bomb))
    sys.setprofile(count)
    try:
        PLAIN.decode(payload)
    finally:
        sys.setprofile(None)

    assert len(calls) < 1000


def test_without_types_there_is_one_codec_for_everybody() -> None:
    assert isinstance(make_codec(), PlainCodec)
    assert make_codec(None) is not make_codec()  # each has a stream to decode, which is in the middle of something


def test_typed_messages_come_back_as_what_they_were() -> None:
    codec = make_codec(Move | Chat)

    there = [codec.decode(memoryview(codec.encode(message))) for message in (Move(1, 2), Chat("hi", [1]))]

    assert there == [Move(1, 2), Chat("hi", [1])]


def test_typed_messages_are_plain_msgpack_on_the_wire() -> None:
    assert msgpack.unpackb(make_codec(Move).encode(Move(1, 2))) == {"type": "move", "x": 1, "y": 2}


def test_a_typed_message_owns_its_bytes() -> None:
    codec = make_codec(View)
    received = bytearray(codec.encode(View(msgspec.Raw(b"\xa3raw"), memoryview(b"seen"))))
    message = codec.unpack(memoryview(received))

    received[:] = bytes(len(received))

    assert (bytes(message.raw), bytes(message.seen)) == (b"\xa3raw", b"seen")


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ({"x": 1}, TypeError, r"expected a message of Move \| Chat, not dict"),
        (Tree(), TypeError, r"expected a message of Move \| Chat, not Tree"),
        (Move("one"), ValueError, "a message of type Move cannot be sent: a message came that is none of"),  # type: ignore[arg-type]
        (
            Chat("x", [object()]),
            TypeError,
            r"a message of type Chat cannot be sent: message.more\[0\] is of type object, which",
        ),
        (Chat("x", nested(40)), ValueError, "a message of type Chat cannot be sent: .* nests deeper than 32 levels"),
        (
            Chat("\ud800"),
            ValueError,
            "a message of type Chat cannot be sent: message.text is text with half a character in it",
        ),
    ],
)
def test_a_typed_message_is_checked_where_it_is_sent(message: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make_codec(Move | Chat).encode(message)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (
            {"type": "move", "x": "one"},
            ReasonCode.WRONG_SHAPE,
            "a message came that is none of Move | Chat: Expected `int`",
        ),
        (
            {"type": "other"},
            ReasonCode.WRONG_SHAPE,
            "a message came that is none of Move | Chat: Invalid value 'other'",
        ),
        (
            [None] * 1000,
            ReasonCode.WRONG_SHAPE,
            "a message came that is none of Move | Chat: Expected `object`, got `array`",
        ),
        ({"type": "chat", "text": "", "more": nested(40)}, ReasonCode.MALFORMED, "a message came that nests deeper"),
    ],
)
def test_a_message_of_another_shape_has_a_reason(value: Any, code: ReasonCode, text: str) -> None:
    said = refusal(make_codec(Move | Chat), msgpack.packb(value))

    assert (said[0], said[1][: len(text)]) == (code, text)


def test_bytes_that_are_no_msgpack_have_another_reason_than_those_of_another_shape() -> None:
    assert refusal(make_codec(Move), b"\x81\xa4ty")[0] is ReasonCode.MALFORMED


def test_a_type_that_contains_itself_is_bounded_too() -> None:
    codec = make_codec(Tree)
    tree = Tree()
    for _ in range(40):
        tree = Tree(tree)

    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        codec.encode(tree)


@pytest.mark.parametrize("types", [int, dict[str, int], Move | int, "Move", Move(1)])
def test_types_that_are_no_structs_are_refused_at_once(types: Any) -> None:
    with pytest.raises(TypeError, match=r"messages must be msgspec.Struct types joined by \|, not "):
        make_codec(types)


def test_without_msgspec_typed_messages_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)

    with pytest.raises(ImportError, match=r"messages= needs msgspec: pip install 'netcode\[typed\]'"):
        TypedCodec(Move)


def test_what_is_not_small_is_not_decoded_in_one_go() -> None:
    data = memoryview(frame(PLAIN.encode("x")) * 700)

    assert len(data) > CAREFUL_FROM
    assert cut(PlainCodec(kernel=None), data, CAREFUL_FROM) is None
    assert cut(PlainCodec(kernel=None), data[:600], CAREFUL_FROM) == (["x"] * 100, 600)


# In parts.


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


@pytest.fixture(scope="module")
def small_parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netcode.wire.codec.PART", 3)
        yield


@given(message=messages)
def test_what_is_decoded_in_parts_is_the_same(small_parts: None, message: Any) -> None:
    payload = PLAIN.encode(message)

    decoded, count = in_parts(PLAIN, payload)

    assert decoded == message == at_once(PLAIN, payload)
    assert count >= len(payload) / 3


@given(payload=st.binary(min_size=1, max_size=60))
def test_what_is_no_message_is_none_in_parts_either(small_parts: None, payload: bytes) -> None:
    for codec in (PLAIN, make_codec(Move | Chat)):
        whole, parts = at_once(codec, payload), in_parts(codec, payload)
        assert repr(whole) in (repr(parts), repr(parts[0]))  # NaN is unlike itself


@pytest.mark.parametrize(
    "payload",
    [
        b"\x91" * 31 + b"\x90",
        b"\x91" * 32 + b"\x90",
        b"\x91" * 32 + b"\x01",
        b"\x91" * 33 + b"\x01",
        b"\x92" + msgpack.packb(msgpack.Timestamp(1)) + b"\x91" * 31 + b"\x90",
        b"\x92" + msgpack.packb(msgpack.Timestamp(1)) + b"\x91" * 30 + b"\x90",
        b"\x93\x90\x81\x91\x01\x02\x81" + msgpack.packb(msgpack.Timestamp(1)) + b"\x00",
        b"\xdf\x7f\xff\xff\xff\x00",
        b"\xdd\xff\xff\xff\xff\x00",
        b"\x93" + b"\x90" * 40,
        b"\xdc\xff\xff" + b"\x90" * 65_534,
        b"\xdc\xff\xff" + b"\x90" * 65_535,
        b"\xdc\xff\xff" + b"\x90" * 65_536,
    ],
)
def test_the_bounds_are_the_same_in_parts(payload: bytes) -> None:
    whole, parts = at_once(PLAIN, payload), in_parts(PLAIN, payload)

    assert (parts == whole) if isinstance(whole, tuple) else (parts[0] == whole)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw what is, or nearly is, a message with types: extensions, deep nesting, bytes that are no text among it."""
    tag = draw(st.sampled_from(["move", "chat", "anything"]))
    deep = st.builds(nested, st.integers(28, 42))
    inside = messages | deep | st.just(msgpack.Timestamp(1)) | st.just([1.5] * 80)
    fields = st.dictionaries(
        st.sampled_from(["x", "y", "text", "more", "other"]), inside | st.text() | st.integers(-9, 9)
    )
    payload = bytearray(msgpack.packb({"type": tag, **draw(fields)}))
    for _ in range(draw(st.integers(0, 2))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.sampled_from(b"\xc1\xc7\xd4\xdd\x90\xff\x00"))
    return bytes(payload) + draw(st.sampled_from([b"", b"\x01"]))


@given(payload=damaged(), room=st.sampled_from([0, 60, 4096]))
def test_in_parts_the_same_is_said_of_anything(small_parts: None, payload: bytes, room: int) -> None:
    takes = Bounds(len(payload), MAX_DEPTH)
    sends = Bounds(len(payload) + room, MAX_DEPTH + 8)
    for codec in (PlainCodec(takes, sends), TypedCodec(Move | Chat, takes, sends)):
        whole, parts = at_once(codec, payload), in_parts(codec, payload)
        assert repr(whole) in (repr(parts), repr(parts[0]))  # NaN is unlike itself


def test_what_types_leave_out_is_looked_at_in_parts_where_it_is_at_once() -> None:
    unread = msgpack.packb({"type": "chat", "text": "x", "other": 1}).replace(b"other", b"othe\xff")
    codec = make_codec(Chat)

    assert in_parts(codec, unread)[0] == at_once(codec, unread) == Chat("x")


@pytest.mark.parametrize("size", [10, 3000])
def test_an_extension_is_refused_in_parts_too(size: int) -> None:
    payload = msgpack.packb({"type": "chat", "text": "x" * size, "more": [msgpack.ExtType(5, b"")]})
    for codec in (PLAIN, make_codec(Chat)):
        assert in_parts(codec, payload) == at_once(codec, payload)
        assert in_parts(codec, payload)[0] is ReasonCode.MALFORMED


def test_a_wrong_shape_is_told_after_it_was_looked_at_in_parts() -> None:
    payload = msgpack.packb({"type": "move", "x": "one", "other": [EMPTY] * 20_000})
    parts: list[None] = []

    with pytest.raises(ProtocolError) as caught:
        parts.extend(make_codec(Move).decode_in_parts(payload))

    assert caught.value.reason.code is ReasonCode.WRONG_SHAPE
    assert len(parts) > len(payload) // 4096


def test_what_grows_is_refused_in_parts_too() -> None:
    payload = msgpack.Packer(use_single_float=True).pack([1.5] * 2000)
    for size, taken in ((len(payload), False), (2 * len(payload), True)):
        codec = PlainCodec(Bounds(size, MAX_DEPTH), Bounds(size + 1, MAX_DEPTH))
        whole, parts = at_once(codec, payload), in_parts(codec, payload)
        assert (whole == parts[0] == [1.5] * 2000) if taken else (whole == parts)
        assert taken or whole[0] is ReasonCode.TOO_LARGE


def test_keys_made_to_collide_are_refused_in_parts_too() -> None:
    payload = msgpack.packb(dict.fromkeys(colliding(4500)))

    assert in_parts(PLAIN, payload) == at_once(PLAIN, payload)
    assert in_parts(PLAIN, payload)[0] is ReasonCode.MALFORMED


def test_messages_with_types_are_decoded_in_parts_and_checked() -> None:
    codec = make_codec(Chat | Move)
    many = Chat("x", [EMPTY] * 20_000)
    payload = codec.encode(many)

    decoded, count = in_parts(codec, payload)

    assert (decoded, count >= 5) == (many, True)
    assert in_parts(codec, msgpack.packb({"type": "move", "x": "one"}))[0] is ReasonCode.WRONG_SHAPE
    assert in_parts(codec, msgpack.packb({"type": "chat", "text": "", "more": nested(40)}))[0] is ReasonCode.MALFORMED


# What it costs.


@given(message=messages)
def test_a_message_costs_as_many_as_it_has_lists_and_dicts_at_least(message: Any) -> None:
    payload = PLAIN.encode(message)

    assert cost_of(memoryview(payload)) >= containers_in(message)


def containers_in(message: Any) -> int:
    name = type(message).__name__
    if name not in ("list", "tuple", "dict"):
        return 0
    return 1 + sum(map(containers_in, [*message, *(message.values() if name == "dict" else ())]))


def test_bytes_cost_next_to_nothing_and_text_its_length() -> None:
    values: tuple[Any, ...] = b"\x90" * 60_000, "é" * 30_000, [EMPTY] * 60_000
    carrying, text, lists = [cost_of(memoryview(msgpack.packb(value))) for value in values]

    assert carrying < 100 < text < 8_000
    assert lists > 60_000


def test_the_frames_of_many_cost_what_each_costs_or_more() -> None:
    for count in (3, 300):
        payloads = [memoryview(msgpack.packb([[number], b"x" * 50])) for number in range(count)]
        data = memoryview(b"".join(frame(bytes(payload)) for payload in payloads))

        assert 2 * count <= sum(map(cost_of, payloads)) <= cost_of_frames(data, payloads) + 10 * count


@pytest.mark.parametrize(
    ("message", "count"),
    [({"a": b"xyz", "b": 1}, 3), ([b"xy", b"z", "text"], 3), (b"xyz", 0), ([b"x"] * 100, 0), (None, 0)],
)
def test_bytes_that_are_carried_are_counted(message: Any, count: int) -> None:
    assert carried(message) == count


def test_the_collector_is_as_it_was_whatever_happens() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            with undisturbed():
                during = gc.isenabled()
            assert (during, gc.isenabled()) == (False, enabled)
            with pytest.raises(ValueError, match="invalid literal"), undisturbed():
                int("x")
            assert gc.isenabled() == enabled
        finally:
            gc.enable()
