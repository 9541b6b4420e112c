"""WebSocket without I/O: the examples of its standard, every rule, and no difference to a client of somebody else."""

import os
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from faults.wire import masked
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from netcode.wire.http import BadRequest, Request, parse
from netcode.wire.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FEW,
    LITTLE,
    MANY,
    PING,
    PONG,
    QUIET,
    TEXT,
    FrameReader,
    accept,
    accept_key,
    control,
    header,
    is_upgrade,
    unmask,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CASES = 20_000
"""Conversations with `websockets`, each of several messages, cut anywhere."""


def upgrade(**changes: str) -> Request:
    headers = {
        "Host": "a",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    return parse("\r\n".join(["GET /any HTTP/1.1", *lines]).encode())


# The handshake.


def test_the_key_of_the_standard_is_accepted_as_there() -> None:
    assert accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert accept(upgrade()).decode().split("\r\n") == [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("binary", "binary"), ("binary, netcode", "netcode"), ("netcode", "netcode"), ("mqtt", None), ("", None)],
)
def test_the_stream_has_two_names_or_none(offered: str, chosen: str | None) -> None:
    answer = parse_answer(accept(upgrade(Sec_WebSocket_Protocol=offered)))

    assert answer.get("sec-websocket-protocol") == chosen


def parse_answer(answer: bytes) -> dict[str, str]:
    lines = answer.decode().strip().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_who_wants_to_leave_http_says_so() -> None:
    assert is_upgrade(upgrade(Upgrade="h2c, WebSocket"))
    assert not is_upgrade(upgrade(Upgrade="h2c"))
    assert not is_upgrade(upgrade(Upgrade=""))
    assert not is_upgrade(upgrade()._replace(method="HEAD"))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Connection": "close"}, 400),
        ({"Connection": ""}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": ""}, 426),
        ({"Sec_WebSocket_Key": ""}, 400),
        ({"Sec_WebSocket_Key": "dGhl"}, 400),
        ({"Sec_WebSocket_Key": "no base64 at all, alas!!"}, 400),
        ({"Sec_WebSocket_Key": "\xe4" * 24}, 400),
    ],
)
def test_a_broken_handshake_is_refused(changes: dict[str, str], status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        accept(upgrade(**changes))

    assert caught.value.status == status


def test_the_handshake_needs_the_version_in_which_it_is_defined() -> None:
    with pytest.raises(BadRequest):
        accept(upgrade()._replace(version="HTTP/1.0"))


# What is sent.


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "8200"),
        (125, "827d"),
        (126, "827e007e"),
        (65_535, "827effff"),
        (65_536, "827f0000000000010000"),
        (1 << 40, "827f0000010000000000"),
    ],
)
def test_headers_are_as_short_as_they_may_be(size: int, expected: str) -> None:
    assert header(size).hex() == expected
    assert control(PING, b"Hello").hex() == "890548656c6c6f"  # section 5.7


# What comes.


def take(reader: FrameReader, data: bytes) -> bytes:
    """Have a reader take bytes, as from a network."""
    room = memoryview(bytearray(data))
    return bytes(room[: reader.take(room, len(data))])


def test_masking_is_that_of_the_standard() -> None:
    assert unmask(bytes.fromhex("7f9f4d5158"), bytes.fromhex("37fa213d")) == b"Hello"


@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, 4, 5, 124, 125, 126, 299, 300, 301, 302, 303, 304, 65_535, 65_536, 70_001]
)
def test_masking_twice_is_nothing(size: int) -> None:
    data, key = os.urandom(size), os.urandom(4)

    once = unmask(data, key)

    assert once == bytes(byte ^ key[i % 4] for i, byte in enumerate(data))
    assert unmask(bytes(once), key) == data
    assert take(FrameReader(), masked(data, key=key)) == data


@pytest.mark.games
@pytest.mark.parametrize("size", range(1, 130))
@pytest.mark.parametrize("before", [b"", b"x", b"before"])
def test_a_message_of_any_size_is_taken_alone_and_among_others(size: int, before: bytes) -> None:
    data, after = os.urandom(size), masked(b"after", key=os.urandom(4))
    said = masked(before, key=os.urandom(4)) + masked(data, key=os.urandom(4)) + after
    reader = FrameReader()

    assert take(reader, masked(data, key=os.urandom(4))) == data
    assert take(reader, said) == before + data + b"after"
    assert take(reader, said[:-1]) + take(reader, said[-1:]) == before + data + b"after"
    assert (reader.failure, reader.calm) == ("", True)


def test_cut_anywhere_it_is_the_same_stream() -> None:
    stream = (
        masked(b"a" * 5)
        + masked(b"b" * 300, last=False)
        + masked(b"now?", PING)
        + masked(b"", CONTINUATION, last=False)
        + masked(b"c" * 7, CONTINUATION)
        + masked(b"x" * 125, PONG)
        + masked(b"")
        + masked(b"d")
    )
    for step in range(1, len(stream)):
        reader = FrameReader()
        got = b"".join(take(reader, stream[start : start + step]) for start in range(0, len(stream), step))

        assert got == b"a" * 5 + b"b" * 300 + b"c" * 7 + b"d"
        assert (reader.ping, reader.closed, reader.failure) == (b"now?", False, "")


def test_only_the_last_ping_is_kept() -> None:
    reader = FrameReader()

    assert take(reader, masked(b"one", PING) + masked(b"two", PING) + masked(b"three", PONG)) == b""
    assert reader.ping == b"two"


@pytest.mark.parametrize(
    ("payload", "farewell"), [(b"", b"\x03\xe8"), (b"\x03\xe9", b"\x03\xe9"), (b"\x0f\xa0why", b"\x0f\xa0")]
)
def test_close_is_the_end_and_what_follows_it_is_nothing(payload: bytes, farewell: bytes) -> None:
    reader = FrameReader()

    assert take(reader, masked(b"last") + masked(payload, CLOSE) + masked(b"more")) == b"last"
    assert (reader.closed, reader.farewell) == (True, farewell)
    assert take(reader, masked(b"more")) == b""


BROKEN = {
    "it sent a message without a mask": [control(BINARY, b"x"), control(PING), b"\x82\x7f"],
    "it sent a text message, and only binary ones are taken": [masked(b"x", TEXT), b"\x01"],
    "it used an extension that was not agreed on": [b"\xc2", b"\xa2\x81", b"\x92"],
    "it sent a message of the unknown kind 3": [masked(b"x", 3), b"\x83"],
    "it sent a message of the unknown kind 11": [masked(b"x", 11), b"\x8b"],
    "it sent a control message of more than 125 bytes": [masked(b"x" * 126, PING), b"\x89\xfe", b"\x88\xff"],
    "it sent a control message in parts": [masked(b"x", PING, last=False), b"\x08"],
    "it announced a message of 2^63 bytes or more": [b"\x82\xff\x80" + bytes(7), b"\x82\xff" + b"\xff" * 8],
    "it began a message within another": [masked(b"", last=False) + b"\x82"],
    "it went on with no message": [masked(b"x", CONTINUATION), b"\x80", b"\x00"],
    "it said Close for a reason that cannot be one": [
        masked(b"x", CLOSE),
        masked(b"\x03\xed", CLOSE),
        masked(b"\x00\x00", CLOSE),
        masked(b"\xff\xff", CLOSE),
    ],
}


@pytest.mark.parametrize(("failure", "data"), [(text, data) for text, examples in BROKEN.items() for data in examples])
def test_a_broken_rule_is_named_as_soon_as_it_is_broken(failure: str, data: bytes) -> None:
    reader = FrameReader()

    assert take(reader, masked(b"fine") + data) == b"fine"
    assert (reader.failure, reader.closed) == (failure, False)
    assert reader.farewell == (1003 if "text" in failure else 1002).to_bytes(2, "big")
    assert take(reader, masked(b"more")) == b""


@pytest.mark.parametrize("nothing", [masked(b"", PING), masked(b"x", PONG), masked(b"")])
def test_many_messages_that_carry_nothing_are_too_many_at_once_and_not_one_after_another(nothing: bytes) -> None:
    patient, hasty = FrameReader(), FrameReader()

    for _ in range(3):
        assert take(patient, nothing * MANY) == b""
    take(hasty, nothing * (MANY + 1))

    assert (patient.failure, hasty.failure) == ("", "it sent too many messages at once that carry next to nothing")


def test_parts_of_a_message_that_carry_next_to_nothing_count_as_nothing() -> None:
    begun, enough = masked(b"", last=False), masked(bytes(LITTLE), CONTINUATION, last=False)
    little = masked(bytes(LITTLE - 1), CONTINUATION, last=False)
    patient, hasty = FrameReader(), FrameReader()

    assert take(patient, begun + enough * MANY + little * (MANY - 1)) == bytes((2 * LITTLE - 1) * MANY - LITTLE + 1)
    take(hasty, begun + little * MANY)

    assert (bool(patient.failure), bool(hasty.failure)) == (False, True)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        (masked(b"x"), MANY),
        (masked(b"x", PING), FEW),
        (masked(b""), FEW),
        (masked(bytes(LITTLE), CONTINUATION, last=False), FEW),
        (b"\x82\xfe\0\x01\0\0\0\0x", FEW),
    ],
    ids=["small", "pings", "empty", "parts", "small in a long form"],
)
def test_many_messages_in_one_read_are_noticed_as_long_as_they_come(one: bytes, many: int) -> None:
    reader = FrameReader()
    if one[0] == CONTINUATION:
        take(reader, masked(b"x", last=False))

    take(reader, one * many)
    few = reader.dense
    take(reader, one * (many + 1))
    for _ in range(2 * QUIET):
        take(reader, one * (1_024 // len(one)))  # as much as is read of it now

    assert (few, reader.dense) == (False, True)


def test_who_sent_many_messages_once_is_forgiven_and_the_next_time_later() -> None:
    reader, usual = FrameReader(), masked(bytes(30)) * 10 + masked(b"", PONG)
    reads: list[int] = []

    for _ in range(3):
        take(reader, masked(b"x") * (MANY + 1))
        take(reader, usual * 5)  # which is not usual
        for number in range(500):
            if reader.dense:
                take(reader, usual if number % 2 else masked(b"x"))
                reads += [number] if not reader.dense else []

    assert reads == [QUIET - 1, 2 * QUIET - 1, 4 * QUIET - 1]
    assert (take(reader, masked(b"x")), reader.calm) == (b"x", True)


def test_large_messages_are_never_many() -> None:
    reader, one = FrameReader(), masked(bytes(126))

    assert take(reader, one * 2 * FEW) == bytes(126) * 2 * FEW
    assert (reader.dense, reader.calm) == (False, True)


def test_small_messages_are_as_quick_behind_one_that_was_cut() -> None:
    reader, one = FrameReader(), masked(b"x")

    take(reader, one[:3])
    taken = take(reader, one[3:] + one * FEW)

    assert (taken, reader.dense) == (b"x" * (FEW + 1), False)  # of which only the first took long


def test_a_length_of_63_bits_is_only_a_long_stream() -> None:
    reader = FrameReader()

    assert take(reader, b"\x82\xff\x7f" + b"\xff" * 7 + bytes(4) + b"begin") == b"begin"
    assert take(reader, b"more") == b"more"


# Somebody else's client: `websockets`.


def cuts(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """Yield `data` in a few pieces, cut anywhere, and mostly near its beginning, where the headers are."""
    places = sorted({0, len(data), *(chance.randrange(min(len(data), most) + 1) for most in (8, 8, 20, 400, 10_000))})
    for start, end in pairwise(places):
        yield data[start:end]


def stranger() -> ClientProtocol:
    client = ClientProtocol(parse_uri("ws://a/"), max_size=None)
    client.send_request(client.connect())
    data = b"".join(client.data_to_send())
    client.receive_data(accept(parse(data[:-4])))
    assert client.handshake_exc is None
    return client


def speak(client: ClientProtocol, chance: random.Random) -> bytes:
    """Have the stranger say something that is right; return the bytes that it means."""
    kind = chance.randrange(8)
    payload = chance.randbytes(chance.choice((0, 1, 5, 20, 125, 126, 200, 300, 301, 4000)))
    if kind == 0:
        client.send_ping(payload[:125])
        return b""
    if kind == 1:
        client.send_pong(payload[:125])
        return b""
    if kind == 2:
        client.send_binary(payload[:50], fin=False)
        client.send_ping(b"within")
        client.send_continuation(payload[50:], fin=True)
        return payload
    client.send_binary(payload)
    return payload


@pytest.mark.games
def test_nothing_that_a_strange_client_says_is_understood_otherwise() -> None:
    chance = random.Random(14)
    reader, client = FrameReader(), stranger()
    for case in range(CASES):
        meant = b"".join(speak(client, chance) for _ in range(chance.choice((1, 1, 1, 3))))
        if case % 50 == 49:
            client.send_close(chance.choice((1000, 1001, 3000)), "bye")
        said = b"".join(client.data_to_send())

        understood = b"".join(take(reader, piece) for piece in cuts(said, chance))

        assert (understood, reader.failure) == (meant, ""), case
        reader.ping = None  # it is answered
        if case % 50 == 49:
            assert reader.closed
            client.receive_data(control(CLOSE, reader.farewell))
            assert client.parser_exc is None
            reader, client = FrameReader(), stranger()
        else:
            assert not reader.closed


@pytest.mark.games
def test_nothing_that_we_say_is_understood_otherwise_by_a_strange_client() -> None:
    chance = random.Random(15)
    client = stranger()
    for case in range(CASES):
        size = chance.choice((0, 1, 9, 125, 126, 500, 3000) if case % 500 else (65_535, 65_536))
        payload = chance.randbytes(size)
        said = header(size) + payload
        pinged = case % 3 == 0
        if pinged:
            said = control(PING, payload[:125]) + said

        for piece in cuts(said, chance):
            client.receive_data(piece)

        frames = [event for event in client.events_received() if isinstance(event, Frame)]
        assert client.parser_exc is None, case
        assert [(frame.opcode, bytes(frame.data)) for frame in frames] == [
            *([(Opcode.PING, payload[:125])] if pinged else []),
            (Opcode.BINARY, payload),
        ]
        answer = take_ping(b"".join(client.data_to_send()))
        assert answer == (payload[:125] if pinged else None)


def take_ping(data: bytes) -> bytes | None:
    """Return what a pong says that was masked, by what the standard says of it."""
    if not data:
        return None
    assert data[0] == 0x80 | PONG
    return bytes(unmask(data[6:], data[2:6]))


def test_what_a_strange_server_refuses_is_refused() -> None:
    chance = random.Random(16)
    refused = 0
    for _ in range(CASES // 10):
        data = b"".join(scramble(chance) for _ in range(chance.randrange(1, 4)))
        reader, server = FrameReader(), ServerProtocol(max_size=None)
        server.state = State.OPEN
        server.parser = server.parse()
        next(server.parser)

        ours = b"".join(take(reader, piece) for piece in cuts(data, chance))
        server.receive_data(data)

        frames = [event for event in server.events_received() if isinstance(event, Frame)]
        theirs = b"".join(bytes(frame.data) for frame in frames if frame.opcode in (Opcode.BINARY, Opcode.CONT))
        about_text = reader.farewell == (1003).to_bytes(2, "big") or isinstance(server.parser_exc, UnicodeDecodeError)
        if "incomplete fragmented message" in str(server.parser_exc):
            assert reader.closed  # a Close in the middle of a message is the end, whatever else it is
        elif not about_text:  # of which we take none, and look at none
            assert ours.startswith(theirs)
            assert server.parser_exc is None or reader.failure, data.hex()
            refused += server.parser_exc is not None

    assert refused > CASES // 50


def scramble(chance: random.Random) -> bytes:
    """Return a message of which a byte may be wrong."""
    opcode = chance.choice((BINARY, BINARY, BINARY, CONTINUATION, PING, PONG, CLOSE))
    payload = chance.choice((b"", b"\x03\xe8", b"\x03\xe8bye", chance.randbytes(chance.randrange(200))))
    data = bytearray(masked(payload, opcode, last=chance.random() < 0.8, key=chance.randbytes(4)))
    if chance.random() < 0.5:
        data[chance.randrange(min(len(data), 12))] ^= 1 << chance.randrange(8)
    return bytes(data)
