"""Frames: whatever a stream is cut into, the same payloads come out, and nothing that is too large begins."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcode import ProtocolError, ReasonCode
from netcode.wire.framing import EXTENSIONS, breach, frame, front, length_at, missing, share, split

LIMIT = 4096
payloads_of_strangers = st.lists(st.binary(min_size=1, max_size=300), max_size=30)


def take_all(stream: bytes, cuts: list[int], most: int) -> list[bytes]:
    """Receive `stream` in the parts that `cuts` makes of it, and return the payloads."""
    taken: list[bytes] = []
    buffer = b""
    for begin, end in pairwise([0, *sorted(cuts), len(stream)]):
        buffer += stream[begin:end]
        rest = 1
        while rest == 1:
            payloads, count, rest, _ = split(memoryview(buffer), LIMIT, most)
            assert len(payloads) == most if rest == 1 else len(payloads) <= most
            taken += map(bytes, payloads)
            buffer = buffer[count:]
    assert buffer == b""
    return taken


@given(payloads=payloads_of_strangers, cuts=st.lists(st.integers(0, 5000)), most=st.integers(1, 8))
def test_any_cut_of_a_stream_gives_the_same_payloads(payloads: list[bytes], cuts: list[int], most: int) -> None:
    stream = b"".join(map(frame, payloads))

    taken = take_all(stream, [min(cut, len(stream)) for cut in cuts], most)

    assert taken == payloads


@given(payloads=payloads_of_strangers)
def test_a_batch_is_special_if_one_of_it_is_an_extension(payloads: list[bytes]) -> None:
    stream = b"".join(map(frame, payloads))

    _, _, _, special = split(memoryview(stream), LIMIT, 100)

    assert special == any(payload[0] in EXTENSIONS for payload in payloads)


@pytest.mark.parametrize("length", [0, LIMIT + 1, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize("body", [b"", b"x"])
def test_a_wrong_length_is_refused_on_its_header(length: int, body: bytes) -> None:
    good = frame(b"good")

    payloads, *answer = split(memoryview(good + length.to_bytes(4, "big") + body), LIMIT, 10)

    assert [*map(bytes, payloads)] == [b"good"]
    assert answer == [len(good), -1, False]


def test_a_message_of_exactly_the_limit_is_taken() -> None:
    largest = bytes(LIMIT)

    payloads, *answer = split(memoryview(frame(largest)), LIMIT, 1)

    assert [*map(bytes, payloads)] == [largest]
    assert answer == [LIMIT + 4, 0, False]


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0", b"\0\0\0\5", b"\0\0\0\5abcd"])
def test_an_incomplete_frame_is_left_where_it_is(data: bytes) -> None:
    assert split(memoryview(data), LIMIT, 10) == ([], 0, 0, False)


@pytest.mark.parametrize(
    ("data", "lacking"), [(b"\0\0\0", 0), (b"\0\0\1\0", 256), (b"\0\0\1\0abc", 253), (b"\0\0\0\1a", 0)]
)
def test_what_a_frame_lacks_is_known_from_its_header_on(data: bytes, lacking: int) -> None:
    assert missing(memoryview(data)) == lacking


def test_the_length_of_a_frame_in_the_middle_can_be_read() -> None:
    frames = frame(b"one") + frame(b"longer")

    assert (length_at(frames, 0), length_at(memoryview(frames), 7)) == (3, 6)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "a web server; is the port right?"),
        (b"HTTP", "a web server; is the port right?"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "an SSH server; is the port right?"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "a TLS server; is tls= missing at this end, or the port wrong?"),
        (b"\x16\x03\x01\x02\x00", "a TLS program; is tls= missing at this end, or the port wrong?"),
        (b"220 mail.example ESMTP\r\n", "a mail or FTP server; is the port right?"),
        (b"220-welcome\r\n", "a mail or FTP server; is the port right?"),
        (b"+OK POP3 ready\r\n", "a mail server; is the port right?"),
        (b"RFB 003.008\n", "a VNC server; is the port right?"),
        (b"GET / HTTP/1.1\r\n", "a web browser; is the port right?"),
        (b"POST /form HTTP/1.1\r\n", "a web browser; is the port right?"),
        (b"HEAD / HTTP/1.1\r\n", "a web browser; is the port right?"),
        (b"OPTIONS * HTTP/1.1\r\n", "a web browser; is the port right?"),
        (b"<html>", "a web or XML server; is the port right?"),
    ],
)
def test_a_stranger_is_named(start: bytes, what: str) -> None:
    _, _, rest, _ = split(memoryview(start), LIMIT, 1)

    error = breach(memoryview(start), LIMIT, greeted=False)

    assert rest == -1
    assert error.reason.code is ReasonCode.NOT_NETCODE
    assert str(error) == f"that is not a netcode program, it looks like {what}"


def test_a_stranger_without_a_name_is_quoted_safely() -> None:
    error = breach(memoryview(b"\xff\x1b[2J\n\0" + b"x" * 1000), LIMIT, greeted=False)

    assert isinstance(error, ProtocolError)
    assert str(error) == ("that is not a netcode program: it began with «ÿ\\x1b[2J\\n\\x00xxxxx»; is the port right?")


def test_a_player_who_announces_too_much_is_told_the_limit() -> None:
    error = breach(memoryview((70_000).to_bytes(4, "big")), 65_536, greeted=True)

    assert error.reason.code is ReasonCode.TOO_LARGE
    assert str(error) == "the other end announced a message of 70000 bytes; max_message allows 65536 here"


def test_a_player_who_sends_nothing_in_a_frame_is_told_so() -> None:
    error = breach(memoryview(b"\0\0\0\0"), LIMIT, greeted=True)

    assert error.reason.code is ReasonCode.MALFORMED
    assert str(error) == "the other end sent an empty frame, which the protocol forbids"


def test_of_large_payloads_as_many_are_kept_as_fit_and_one_at_least() -> None:
    payloads = [memoryview(bytes(size)) for size in (90, 4, 2, 1)]

    assert share(payloads, 113, 0, 50) == (payloads[:1], 94, 2)
    assert share(payloads, 113, 1, 104) == (payloads[:2], 102, 1)
    assert share(payloads, 113, 1, 113) == (payloads, 113, 1)
    assert share(payloads[:1], 94, 0, 50) == (payloads[:1], 94, 0)
    assert front(payloads, 2) == (payloads[:2], 102)
