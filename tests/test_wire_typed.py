"""Messages of types of the game's own: checked where they are sent and where they come, whatever the types do."""

import sys
from typing import Any, Generic, TypeVar

import msgpack
import msgspec
import pytest
from fuzz.cutting import cut
from hypothesis import given
from hypothesis import strategies as st
from wire_messages import EMPTY, Chat, Move, at_once, in_parts, messages, nested, refusal

from netcode import ProtocolError, ReasonCode
from netcode.wire.codec import CAREFUL_FROM, PLAIN, Bounds, PlainCodec, decode_each
from netcode.wire.cost import MAX_DEPTH
from netcode.wire.framing import frame
from netcode.wire.typed import TypedCodec, make_codec


class Tree(msgspec.Struct, tag="tree"):
    inside: "Tree | None" = None


class Anything(msgspec.Struct):
    what: Any


class View(msgspec.Struct, tag="view"):
    raw: msgspec.Raw
    seen: memoryview


T = TypeVar("T")


class Box(msgspec.Struct, Generic[T], tag="box"):
    inside: T


class Fragile(msgspec.Struct, tag="fragile"):
    """A type of a game that raises what `RAISES` says, or makes of itself what cannot be sent."""

    x: int
    more: Any = None

    def __post_init__(self) -> None:
        if self.x == 0:
            self.more = {object()}
        if self.x > 0:
            raise RAISES[self.x]


class Wild(msgspec.Struct, frozen=True, array_like=True):
    x: int

    def __hash__(self) -> int:
        return 10 // self.x


class Zoo(msgspec.Struct, tag="zoo"):
    wild: dict[Wild, int] = {}
    default: int = msgspec.field(default_factory=lambda: 1 // 0)


RAISES: dict[int, BaseException] = {
    1: AssertionError("off the board"),
    2: KeyError("x"),
    3: RuntimeError(),
    4: OverflowError(),
    5: RecursionError(),
    6: ExceptionGroup("all", [OSError()]),
    7: KeyboardInterrupt(),
}


@given(payload=st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_reason(payload: bytes) -> None:
    codes: set[ReasonCode] = set()
    for codec in (PLAIN, make_codec(Move | Chat)):
        try:
            codec.decode(memoryview(payload))
        except ProtocolError as error:
            codes.add(error.reason.code)

    assert codes <= {ReasonCode.MALFORMED, ReasonCode.WRONG_SHAPE}


def test_typed_frames_are_cut_as_well() -> None:
    codec = make_codec(Move | Chat)
    stream = frame(codec.encode(Move(1, 2))) + frame(codec.encode(Chat("hi", [])))

    assert cut(codec, stream, CAREFUL_FROM) == ([Move(1, 2), Chat("hi", [])], len(stream))
    assert cut(codec, frame(b"\x05"), CAREFUL_FROM) is None


def test_typed_messages_are_framed_unless_they_are_large() -> None:
    codec = make_codec(Chat)

    assert codec.frame(Chat("hi", [])) == frame(codec.encode(Chat("hi", [])))
    assert codec.frame(Chat("x" * CAREFUL_FROM, [])) is None


def test_an_extension_has_no_place_in_a_typed_message_either() -> None:
    codec = TypedCodec(Anything)
    payload = msgpack.packb({"what": msgpack.ExtType(5, b"?")})

    with pytest.raises(ProtocolError, match="msgpack extension 5"):
        codec.decode(memoryview(payload))


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
        (Move("one"), ValueError, "a message of type Move cannot be sent: it is none of"),  # type: ignore[arg-type]
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


@pytest.mark.parametrize("x", [1, 2, 3, 4, 5, 6])
def test_whatever_a_type_of_the_game_raises_is_a_wrong_shape(x: int, caplog: pytest.LogCaptureFixture) -> None:
    codec = make_codec(Fragile)
    payload = msgpack.packb({"type": "fragile", "x": x})
    name = type(RAISES[x]).__name__
    said = ReasonCode.WRONG_SHAPE, f"a message came that is none of Fragile: it raised {name}"

    assert refusal(codec, payload) == in_parts(codec, payload)[:2] == said
    first, *further = caplog.messages or [""]
    assert (f"raised {name} in a type of yours" in first, "__post_init__" in first) == (x != 5, x != 5)
    assert further == []  # one a second
    caplog.clear()
    message = Fragile(-1)
    message.x = x
    with pytest.raises(ValueError, match=f"a message of type Fragile cannot be sent: .* it raised {name}"):
        codec.encode(message)
    assert caplog.messages == []


@pytest.mark.parametrize("payload", [{"type": "zoo", "wild": {(0,): 1}, "default": 1}, {"type": "zoo"}])
def test_hashes_and_defaults_of_the_game_may_raise_too(payload: Any, caplog: pytest.LogCaptureFixture) -> None:
    packed = msgpack.packb(payload)

    messages, error = decode_each(make_codec(Zoo), [memoryview(packed)])

    assert (messages, error and error.reason.code) == ([], ReasonCode.WRONG_SHAPE)
    assert caplog.text.count("Traceback") == 1


def test_an_interrupt_in_a_type_of_the_game_is_none_of_its_errors() -> None:
    codec = make_codec(Fragile)
    payload = msgpack.packb({"type": "fragile", "x": 7})

    with pytest.raises(KeyboardInterrupt):
        codec.decode(memoryview(payload))
    with pytest.raises(KeyboardInterrupt):
        in_parts(codec, payload)


@pytest.mark.parametrize("more", [None, "x" * 1000])
def test_a_message_that_its_type_makes_unsendable_is_taken_whatever_its_size(more: Any) -> None:
    codec = make_codec(Fragile)
    payload = msgpack.packb({"type": "fragile", "x": 0, "more": more})

    assert isinstance(at_once(codec, payload), Fragile)
    assert isinstance(in_parts(codec, payload)[0], Fragile)


@pytest.mark.parametrize("types", [Box[int], Box[int] | Move])
def test_a_generic_struct_is_a_type_of_messages(types: Any) -> None:
    codec = make_codec(types)

    assert at_once(codec, codec.encode(Box(5))) == Box(5)
    assert refusal(codec, msgpack.packb({"type": "box", "inside": "five"}))[0] is ReasonCode.WRONG_SHAPE
    with pytest.raises(ValueError, match=r"a message of type Box cannot be sent: .* Expected `int`, got `str`"):
        codec.encode(Box("five"))
    with pytest.raises(TypeError, match=r"expected a message of Box( \| Move)?, not Chat"):
        codec.encode(Chat("x"))


def test_bytes_that_are_no_msgpack_have_another_reason_than_those_of_another_shape() -> None:
    assert refusal(make_codec(Move), b"\x81\xa4ty")[0] is ReasonCode.MALFORMED


def test_a_type_that_contains_itself_is_bounded_too() -> None:
    codec = make_codec(Tree)
    tree = Tree()
    for _ in range(40):
        tree = Tree(tree)

    with pytest.raises(ValueError, match="nests deeper than 32 levels"):
        codec.encode(tree)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
@pytest.mark.parametrize("written", ["type Named = Move | Chat", "type Said = Chat; type Named = Move | Said"])
def test_types_of_messages_may_have_a_name(written: str) -> None:
    names: dict[str, Any] = {"Move": Move, "Chat": Chat}
    exec(written, names)
    codec = make_codec(names["Named"])

    assert at_once(codec, codec.encode(Chat("x"))) == Chat("x")
    with pytest.raises(TypeError, match=r"expected a message of Move \| Chat, not int"):
        codec.encode(5)
    with pytest.raises(TypeError, match="not <class 'int'>"):
        make_codec(names["Named"] | int)


@pytest.mark.parametrize("types", [int, dict[str, int], Move | int, "Move", Move(1), list[Move], msgspec.Struct])
def test_types_that_are_no_structs_are_refused_at_once(types: Any) -> None:
    with pytest.raises(TypeError, match=r"messages must be msgspec.Struct types joined by \|, not "):
        make_codec(types)


def test_without_msgspec_typed_messages_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)

    with pytest.raises(ImportError, match=r'messages= needs msgspec: python -m pip install "netcode\[typed\]"'):
        TypedCodec(Move)


@pytest.fixture(scope="module")
def small_parts() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netcode.wire.decoding.PART", 3)
        yield


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


def test_messages_with_types_are_decoded_in_parts_and_checked() -> None:
    codec = make_codec(Chat | Move)
    many = Chat("x", [EMPTY] * 20_000)
    payload = codec.encode(many)

    decoded, count = in_parts(codec, payload)

    assert (decoded, count >= 5) == (many, True)
    assert in_parts(codec, msgpack.packb({"type": "move", "x": "one"}))[0] is ReasonCode.WRONG_SHAPE
    assert in_parts(codec, msgpack.packb({"type": "chat", "text": "", "more": nested(40)}))[0] is ReasonCode.MALFORMED
