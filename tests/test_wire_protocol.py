"""The control messages as values: what is encoded is decoded, and what is wrong has a reason that says so."""

from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcode import Address, ProtocolError, Reason, ReasonCode
from netcode.wire import protocol
from netcode.wire.framing import HEADER_SIZE, frame
from netcode.wire.protocol import MAX_COUNT, MAX_TOKEN, Ack, Bye, Control, Hello, Ping, Pong, Welcome

counts = st.integers(0, MAX_COUNT)
HELLO = Hello("chess", "1", 65_536, b"", 0, None)
WELCOME = Welcome(1, 65_536, b"token", 0, 10.0, 10.0)


def body(*fields: Any) -> memoryview:
    """Return the payload of a control message with these fields."""
    return payload(msgpack.packb(fields))


def payload(data: bytes) -> memoryview:
    """Return the payload of a control message with this body."""
    return memoryview(msgpack.packb(msgpack.ExtType(protocol.EXTENSION, data)))


def decode(encoded: bytes) -> Control | None:
    """Take off the header, and decode."""
    assert int.from_bytes(encoded[:HEADER_SIZE], "big") == len(encoded) - HEADER_SIZE
    return protocol.decode(memoryview(encoded)[HEADER_SIZE:])


def refusal(data: memoryview) -> tuple[ReasonCode, str]:
    with pytest.raises(ProtocolError) as caught:
        protocol.decode(data)
    return caught.value.reason.code, caught.value.reason.text


@given(
    value=st.builds(
        Hello,
        st.text(max_size=64),
        st.text(max_size=64),
        st.integers(4096, 2**40),
        st.none() | st.binary(max_size=64),
        counts,
        st.text(max_size=100),
        st.booleans(),
    )
)
def test_hello_is_decoded_as_it_was_encoded(value: Hello) -> None:
    assert decode(protocol.hello(value)) == value


@given(
    value=st.builds(
        Welcome,
        counts,
        st.integers(4096, 2**40),
        st.binary(max_size=64),
        counts,
        st.floats(0, 1e8),
        st.floats(0, 1e8),
        counts,
    )
)
def test_welcome_is_decoded_as_it_was_encoded(value: Welcome) -> None:
    assert decode(protocol.welcome(value)) == value


@given(number=counts, received=counts)
def test_beats_are_decoded_as_they_were_encoded(number: int, received: int) -> None:
    assert decode(protocol.ping(number, received)) == Ping(number, received)
    assert decode(protocol.pong(number, received)) == Pong(number, received)
    assert decode(protocol.ack(received)) == Ack(received)


def test_whole_seconds_are_seconds_too() -> None:
    decoded = protocol.decode(body(2, 1, 1, 65_536, b"token", 0, 10, 10))

    assert decoded == WELCOME
    assert isinstance(decoded, Welcome)
    assert isinstance(decoded.timeout, float)


def test_a_goodbye_keeps_its_code_and_its_text() -> None:
    assert decode(protocol.bye(Reason(ReasonCode.GOODBYE, "see you"))) == Bye(Reason(ReasonCode.GOODBYE, "see you"))


def test_a_goodbye_may_say_where_to_go() -> None:
    moved = Reason(ReasonCode.MOVED, "go on", where=Address("::1", 7777))

    assert decode(protocol.bye(moved)) == Bye(moved)
    assert decode(protocol.bye(replace(moved, where=None))) == Bye(Reason(ReasonCode.MOVED, "go on"))


@pytest.mark.parametrize("where", ["nowhere", 7, {"host": "a"}, ["a", 1], "a:0", "a" * 260 + ":1"])
def test_a_goodbye_to_nowhere_is_a_goodbye(where: Any) -> None:
    decoded = protocol.decode(body(5, 31, "go on", where))

    assert isinstance(decoded, Bye)
    assert decoded.reason == Reason(ReasonCode.MOVED, "go on")


def test_only_who_moved_says_where() -> None:
    decoded = protocol.decode(body(5, 3, "see you", "a:1"))

    assert isinstance(decoded, Bye)
    assert decoded == Bye(Reason(ReasonCode.GOODBYE, "see you"))


def test_a_goodbye_with_an_unknown_code_keeps_its_number_on_the_way() -> None:
    first = protocol.decode(body(5, 12_345, "because"))
    assert isinstance(first, Bye)

    second = decode(protocol.bye(first.reason))

    assert (first.reason.code, first.reason.number, first.reason.text) == (ReasonCode.OTHER, 12_345, "because")
    assert second == first


def test_a_long_goodbye_is_clipped_between_characters() -> None:
    decoded = decode(protocol.bye(Reason(ReasonCode.GOODBYE, "ä" * 100 + "x")))

    assert isinstance(decoded, Bye)
    assert decoded.reason.text == "ä" * 64


def test_a_goodbye_from_a_stranger_is_made_safe_to_print() -> None:
    decoded = protocol.decode(body(5, 3, "a\x1b[2J\n" + "b" * 1000))

    assert isinstance(decoded, Bye)
    assert decoded.reason.text == "a\\x1b[2J\\n" + "b" * 117 + "…"


def test_a_goodbye_in_broken_utf_8_is_heard() -> None:
    decoded = protocol.decode(payload(b"\x93\x05\x03\xa4no\xff\xfe"))

    assert decoded == Bye(Reason(ReasonCode.GOODBYE, "no\\xff\\xfe"))


@pytest.mark.parametrize(
    "data", [b"\x93\x01\x03\xa2\xff\xfe", b"\xa1\xff", b"\x93\x05\x03\xa4\xff", b"\x92\x05\x81\x90"]
)
def test_anything_else_that_is_broken_is_refused(data: bytes) -> None:
    code, text = refusal(payload(data))

    assert code is ReasonCode.MALFORMED
    assert text.startswith("bytes came that are no message: ")


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ((3, 1, 2, "more"), Ping(1, 2)),
        ((4, 1, 2, None, True), Pong(1, 2)),
        ((6, 1, [1]), Ack(1)),
        ((5, 3, "x", 7), Bye(Reason(ReasonCode.GOODBYE, "x"))),
        ((1, "netcode", 1, *HELLO, "more"), HELLO),
        ((2, 1, *WELCOME, "more"), WELCOME),
    ],
)
def test_what_a_newer_version_adds_is_ignored(fields: tuple[Any, ...], value: Control) -> None:
    assert protocol.decode(body(*fields)) == value


@pytest.mark.parametrize("head", [b"\xc7\x04\x4e", b"\xc8\0\x04\x4e", b"\xc9\0\0\0\x04\x4e", b"\xd6\x4e"])
def test_the_extension_may_come_in_any_of_its_forms(head: bytes) -> None:
    assert protocol.decode(memoryview(head + b"\x93\x03\x01\x02")) == Ping(1, 2)


@pytest.mark.parametrize("data", [msgpack.packb(msgpack.ExtType(5, b"x")), msgpack.packb(msgpack.Timestamp(1))])
def test_another_extension_is_no_control_message(data: bytes) -> None:
    assert protocol.decode(memoryview(data)) is None


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ((3, 1), "its numbers are none"),
        ((3, 1, -1), "its numbers are none"),
        ((3, 1, "x"), "its numbers are none"),
        ((4, True, 1), "its numbers are none"),
        ((4, 1.0, 1), "its numbers are none"),
        ((6,), "its numbers are none"),
        ((5, 3), "BYE has fields of other types"),
        ((5, -3, "x"), "BYE has fields of other types"),
        ((5, 3, b"x"), "BYE has fields of other types"),
        ((7, 1), "its kind is 7"),
        ((2**63, 1), f"its kind is {2**63}"),
        (("x",), "its kind is no number"),
        ((True, "netcode"), "its kind is no number"),
        ((), "its body is no list"),
        ((1, "netcode", 1), "HELLO is too short"),
        ((2, 1), "WELCOME is too short"),
        ((1, "netcode", 1, *HELLO._replace(game=5)), "HELLO has fields of other types"),  # type: ignore[arg-type]
        ((1, "netcode", 1, *HELLO._replace(version="x" * 65)), "HELLO has fields of other types"),
        ((1, "netcode", 1, *HELLO._replace(max_message=4095)), "HELLO has fields of other types"),
        ((1, "netcode", 1, *HELLO._replace(token="x")), "HELLO has fields of other types"),  # type: ignore[arg-type]
        ((1, "netcode", 1, *HELLO._replace(token=bytes(MAX_TOKEN + 1))), "HELLO has fields of other types"),
        ((1, "netcode", 1, *HELLO._replace(received=-1)), "HELLO has fields of other types"),
        ((2, 1, *WELCOME._replace(peer_id=-1)), "WELCOME has fields of other types"),
        ((2, 1, *WELCOME._replace(max_message=4095)), "WELCOME has fields of other types"),
        ((2, 1, *WELCOME._replace(token=None)), "WELCOME has fields of other types"),  # type: ignore[arg-type]
        ((2, 1, *WELCOME._replace(timeout=float("nan"))), "WELCOME has fields of other types"),
        ((2, 1, *WELCOME._replace(grace=float("inf"))), "WELCOME has fields of other types"),
        ((2, 1, *WELCOME._replace(grace=True)), "WELCOME has fields of other types"),
    ],
)
def test_a_wrong_control_message_says_what_is_wrong(fields: tuple[Any, ...], text: str) -> None:
    assert refusal(body(*fields)) == (ReasonCode.MALFORMED, f"the other end sent a wrong control message: {text}")


@pytest.mark.parametrize("data", [b"\xc7\x09\x4e\x90", b"\xc7", b"\xd8\x4e"])
def test_a_control_message_that_is_cut_off_is_refused(data: bytes) -> None:
    text = "the other end sent a wrong control message: it is cut off"

    assert refusal(memoryview(data)) == (ReasonCode.MALFORMED, text)


def test_a_body_that_is_no_list_is_refused() -> None:
    text = "the other end sent a wrong control message: its body is no list"

    assert refusal(payload(b"\x80")) == (ReasonCode.MALFORMED, text)


def test_a_control_message_is_small_whatever_fields_are_still_to_come() -> None:
    text = "the other end sent a wrong control message: it is larger than 4096 bytes"
    fits = body(3, 1, 0, bytes(4096 - 7))

    assert protocol.decode(fits) == Ping(1, 0)
    assert refusal(body(3, 1, 0, bytes(4096 - 6))) == (ReasonCode.MALFORMED, text)


def test_a_beat_that_is_cut_off_is_refused() -> None:
    assert refusal(memoryview(b"\xc7\x04\x4e\x93\x03\xcd\x01"))[0] is ReasonCode.MALFORMED


@pytest.mark.parametrize("fields", [(1,), (1, "netcod", 1), (1, b"netcode", 1), (1, None)])
def test_another_magic_is_no_netcode_program(fields: tuple[Any, ...]) -> None:
    code, text = refusal(body(*fields))

    assert code is ReasonCode.NOT_NETCODE
    assert text == "that is not a netcode program: its greeting lacks the magic word; is the port right?"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ((1, "netcode", 2, "and", "who knows what"), "the client speaks protocol 2, this server speaks 1"),
        ((2, 7), "the server speaks protocol 7, this client speaks 1"),
        ((1, "netcode"), "the client speaks protocol ?, this server speaks 1"),
        ((2,), "the server speaks protocol ?, this client speaks 1"),
        ((2, "1"), "the server speaks protocol ?, this client speaks 1"),
        ((2, True), "the server speaks protocol ?, this client speaks 1"),
    ],
)
def test_another_protocol_names_both(fields: tuple[Any, ...], text: str) -> None:
    assert refusal(body(*fields)) == (ReasonCode.WRONG_PROTOCOL, f"{text}; update the older of the two")


def test_a_greeting_may_be_longer_than_a_byte_can_say() -> None:
    value = HELLO._replace(credentials="x" * 3000)

    encoded = protocol.hello(value)

    assert encoded[4:5] == b"\xc8"
    assert decode(encoded) == value


def test_a_greeting_is_whole_around_what_a_byte_can_say() -> None:
    for size in range(190, 260):
        value = HELLO._replace(credentials="x" * size)

        assert decode(protocol.hello(value)) == value


def test_a_greeting_ends_with_the_end_of_a_line_and_need_not() -> None:
    with_it = protocol.hello(HELLO)
    without_it = bytes((0x99,)) + with_it[8:-5]

    assert with_it.endswith(b"\xa4\r\n\r\n")
    assert protocol.decode(payload(without_it)) == decode(with_it) == HELLO


def test_a_greeting_that_no_server_would_take_raises() -> None:
    with pytest.raises(ValueError, match="credentials make a greeting of 5035 bytes; at most 4092 may travel"):
        protocol.hello(HELLO._replace(credentials="x" * 5000))
    with pytest.raises(TypeError, match="is of type object, which msgpack has no form for"):
        protocol.hello(HELLO._replace(credentials=object()))


def test_the_largest_greeting_fits_into_the_largest_frame() -> None:
    longest = 4092 - (len(protocol.hello(HELLO._replace(credentials="x" * 300))) - 8 - 300)

    encoded = protocol.hello(HELLO._replace(credentials="x" * longest))

    assert len(encoded) == len(frame(bytes(protocol.MAX_UNGREETED)))


# The quick way for what comes once a second.


def beat(data: bytes | memoryview) -> tuple[int, ...] | None:
    """Have a payload told the quick way, in a frame before others; without where the frame ends."""
    whole = frame(bytes(data))
    room = memoryview(whole + bytes(protocol.BEAT_SIZE))
    told = protocol.beat(room, len(whole) + 3)
    assert told == protocol.beat_in_python(room, len(whole) + 3)
    assert told is None or told[3] == len(whole)
    return None if told is None else told[:3]


@given(value=st.builds(Ping, counts, counts) | st.builds(Pong, counts, counts), more=st.lists(counts, max_size=2))
def test_a_beat_is_told_the_quick_way_however_msgpack_wrote_it(value: Ping | Pong, more: list[int]) -> None:
    kind = protocol.PING if isinstance(value, Ping) else protocol.PONG
    ours = protocol.ping(*value) if isinstance(value, Ping) else protocol.pong(*value)

    assert beat(ours[HEADER_SIZE:]) == beat(body(kind, *value)) == (kind, *value)
    assert beat(body(kind, *value, *more)) == (None if more else (kind, *value))


@pytest.mark.parametrize("fields", [(3, 0, 0), (4, 70_000, 1), (3, 2**33, 2**17), (4, 1000, 7)])
def test_an_extension_of_another_type_is_no_beat(fields: tuple[int, ...]) -> None:
    data = msgpack.packb(fields)
    size = len(data)
    marks = {6: [b"\xc7\x06"], 4: [b"\xc7\x04", b"\xd6"], 8: [b"\xc7\x08", b"\xd7"], 16: [b"\xc7\x10", b"\xd8"]}

    told = {code: [beat(mark + bytes([code]) + data) for mark in marks[size]] for code in (0, 77, 78, 79, 127, 255)}

    assert told.pop(protocol.EXTENSION) == [fields] * len(marks[size])
    assert {answer for answers in told.values() for answer in answers} == {None}


@pytest.mark.parametrize("fields", [(3, 5, 7), (4, 70_000, 5), (3, 300, 400), (4, 2**40, 300), (3, 2**33, 2**17)])
def test_half_a_beat_is_none_whatever_was_there_before(fields: tuple[int, ...]) -> None:
    data = msgpack.packb(fields)
    for told in (bytes(body(*fields)), b"\xc7" + bytes((len(data), protocol.EXTENSION)) + data):
        whole = memoryview(frame(told) + bytes(protocol.BEAT_SIZE))
        size = len(whole) - protocol.BEAT_SIZE

        for quick in (protocol.beat, protocol.beat_in_python):
            assert [quick(whole, count) for count in range(size)] == [None] * size


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_half_a_beat_is_none(number: int, received: int) -> None:
    whole = protocol.ping(number, received)
    room = memoryview(whole + b"\x00")

    for quick in (protocol.beat, protocol.beat_in_python):
        assert {quick(room, size) for size in range(protocol.BEAT_SIZE, len(whole))} == {None}


def nearly_a_beat(fields: list[Any], fixed: bool, code: int, edit: tuple[int, int] | None) -> bytes:
    """Write an extension as msgpack may, and change one byte of it."""
    packed = msgpack.packb(fields)
    marks = {4: 0xD6, 8: 0xD7, 16: 0xD8}
    head = [marks[len(packed)]] if fixed and len(packed) in marks else [0xC7, len(packed)]
    data = bytearray(bytes([*head, code]) + packed)
    if edit is not None:
        data[edit[0] % len(data)] = edit[1]
    return bytes(data)


numbers = (
    counts
    | counts
    | st.sampled_from([0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**32])
    | st.booleans()
    | st.floats(0, 9)
)
almost = st.builds(
    nearly_a_beat,
    st.tuples(st.sampled_from([3, 3, 4, 4, 2, 5, True]), numbers, numbers).map(list),
    st.booleans(),
    st.sampled_from([protocol.EXTENSION] * 5 + [77]),
    st.none() | st.none() | st.tuples(st.integers(0, 30), st.integers(0, 255)),
)


def test_the_quick_way_says_what_the_long_way_says_or_nothing() -> None:
    answers: list[Control | None] = []

    @given(almost)
    @settings(max_examples=500)
    def check(data: bytes) -> None:
        told = beat(data)
        if told is not None:
            kind, *rest = told
            answers.append(protocol.decode(memoryview(data)))
            assert answers[-1] == {protocol.PING: Ping, protocol.PONG: Pong}[kind](*rest)

    check()

    assert sum(isinstance(answer, Ping) for answer in answers) >= 10
    assert sum(isinstance(answer, Pong) for answer in answers) >= 10


@pytest.mark.parametrize(
    "fields",
    [(3, -1, 0), (3, 0, -1), (3, True, 0), (3, 0, 1.0), (2, 0, 0), (5, 0, 0), (3, 0), (3, "x", 0), (True, 0, 0)],
)
def test_what_is_no_usual_beat_is_left_to_the_long_way(fields: tuple[Any, ...]) -> None:
    assert beat(body(*fields)) is None


@pytest.mark.parametrize("data", [b"\x93\x03\xc1\x00", b"\x93\x03\x00\x00\x00", b"\x93\x03\xd4\x05\x00", b"x"])
def test_what_cannot_be_decoded_is_no_beat(data: bytes) -> None:
    assert beat(payload(data)) is None
    assert beat(b"\xc7" + bytes([len(data) + 1, 78]) + data + b"\x00") is None
    assert beat(b"\xc7\x29\x4e" + data + b"\x00") is None


@pytest.mark.parametrize("item", [1, 1.0, "\r\n\r\n", None, False, [True]])
def test_only_true_says_that_another_program_comes_back(item: Any) -> None:
    body = msgpack.packb([1, "netcode", 1, "chess", "1", 65_536, b"token", 0, None, item])
    decoded = protocol.decode(memoryview(bytes((0xC7, len(body), 78)) + body))

    assert isinstance(decoded, Hello)
    assert decoded.anew is False


@pytest.mark.parametrize("item", [True, -1, 1.0, "5", None])
def test_what_is_no_number_is_no_first_message(item: Any) -> None:
    body = msgpack.packb([2, 1, 1, 65_536, b"token", 0, 10, 10, item])
    decoded = protocol.decode(memoryview(bytes((0xC7, len(body), 78)) + body))

    assert isinstance(decoded, Welcome)
    assert decoded.first == 0


def test_who_has_nothing_to_add_writes_as_before() -> None:
    assert decode(protocol.hello(HELLO._replace(anew=True))) == HELLO._replace(anew=True)
    assert protocol.hello(HELLO) != protocol.hello(HELLO._replace(anew=True))
    assert protocol.welcome(WELCOME._replace(first=0)) == protocol.welcome(WELCOME)
    assert len(protocol.welcome(WELCOME._replace(first=5))) == len(protocol.welcome(WELCOME)) + 1
