"""What is heard and said at the door for browsers: each step over a socket of which a test knows what is in it."""

import socket
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple, TypeVar, cast

import pytest

from netcode import Address
from netcode.loop.poller import READ, WRITE
from netcode.transport import Transport
from netcode.transport.exchange import deliver, introduce, peek, read_request, send_all
from netcode.transport.tcp_socket import TcpTransport
from netcode.wire.http import MAX_HEAD, BadRequest
from netcode.wire.proxies import MAX_HEADER, V2

T = TypeVar("T")

PROXY = Address("127.0.0.1", 4000)
HEAD = b"GET /page HTTP/1.1\r\nHost: game\r\n"
STEPS = 100
"""More than anything here takes."""


class Line(NamedTuple):
    """A transport, and the socket at its other end."""

    transport: TcpTransport
    other: socket.socket


@pytest.fixture
def line() -> Iterator[Line]:
    here, other = socket.socketpair()
    transport = TcpTransport(here, PROXY)
    other.setblocking(False)
    yield Line(transport, other)
    transport.close()
    other.close()


class Reads:
    """A transport out of which nothing can be taken without receiving it: what a network in memory has, or TLS."""

    grain = MAX_HEAD + 1

    def __init__(self, *parts: bytes) -> None:
        self.parts = [*parts]

    def receive_into(self, buffer: memoryview) -> int:
        part = self.parts.pop(0)
        if not part:
            raise BlockingIOError
        assert len(buffer) >= self.grain
        buffer[: len(part)] = part
        return len(part)


def reads(*parts: bytes) -> Transport:
    return cast("Transport", Reads(*parts))


def result(steps: Generator[int, None, T]) -> T:
    """Return how steps end that wait for nothing any more."""
    with pytest.raises(StopIteration) as end:
        next(steps)
    found: T = end.value.value
    return found


def waits(steps: Generator[int, None, Any], line: Line, *parts: bytes) -> None:
    """Have parts come one by one to somebody who waits for each, and for more."""
    for part in parts:
        assert next(steps) == READ
        line.other.send(part)
    assert next(steps) == READ


@pytest.mark.parametrize("cut", [0, 1, 11, 20])
def test_a_proxy_tells_for_whom_it_speaks_and_what_follows_is_left(line: Line, cut: int) -> None:
    header = b"PROXY TCP4 192.0.2.7 10.0.0.1 5555 7777\r\n"
    steps = introduce(line.transport)
    waits(steps, line, *[header[:cut]] * bool(cut))

    line.other.send(header[cut:] + HEAD)
    result(steps)

    assert line.transport.address == Address("192.0.2.7", 5555)
    assert line.transport.recv(100) == HEAD


def test_what_is_no_header_is_left_where_it_is(line: Line) -> None:
    line.other.send(HEAD)

    result(introduce(line.transport))

    assert line.transport.address == PROXY
    assert line.transport.recv(100) == HEAD


def test_a_header_whose_size_is_known_is_awaited_to_its_last_byte(line: Line) -> None:
    body = bytes((192, 0, 2, 7, 10, 0, 0, 1)) + (5555).to_bytes(2, "big") + (7777).to_bytes(2, "big")
    header = V2 + b"\x21\x11" + len(body).to_bytes(2, "big") + body
    steps = introduce(line.transport)
    waits(steps, line, header[:18], header[18:20])

    line.other.send(header[20:] + HEAD)
    result(steps)

    assert line.transport.address == Address("192.0.2.7", 5555)
    assert line.transport.recv(100) == HEAD


@pytest.mark.parametrize(
    "parts", [(b"PRO", b"fit"), (V2[:5], b""), (V2 + b"\x21\x11" + MAX_HEADER.to_bytes(2, "big"),)]
)
def test_a_header_that_does_not_go_on_as_one_is_refused(line: Line, parts: tuple[bytes, ...]) -> None:
    steps = introduce(line.transport)
    *before, last = parts
    if before:
        waits(steps, line, *before)
    if last:
        line.other.send(last)
    else:
        line.other.close()

    if before:
        with pytest.raises(ValueError, match=r"^$"):
            next(steps)
    else:
        result(steps)  # too large to be one at all

    assert line.transport.address == PROXY


def test_the_first_byte_is_seen_and_stays(line: Line) -> None:
    steps = peek(line.transport)
    waits(steps, line)

    line.other.send(HEAD)

    assert result(steps) == (HEAD[:1], b"")
    assert line.transport.recv(100) == HEAD


def test_where_nothing_can_be_left_all_is_taken() -> None:
    steps = peek(reads(b"", HEAD))
    assert next(steps) == READ

    assert result(steps) == (HEAD, HEAD)


@pytest.mark.parametrize("early", [b"", HEAD[:7], HEAD, HEAD + b"\r\nbehind"])
def test_a_request_may_come_in_any_parts(line: Line, early: bytes) -> None:
    whole = HEAD + b"\r\nbehind"
    steps = read_request(line.transport, early)
    if early != whole:
        waits(steps, line, *(bytes((byte,)) for byte in (HEAD + b"\r")[len(early) :]))
        line.other.send(b"\nbehind")

    request, behind = result(steps)

    assert (request.method, request.target, request.header("host")) == ("GET", "/page", "game")
    assert behind == b"behind"


@pytest.mark.parametrize(
    ("data", "status"), [(b"POST" + HEAD[3:] + b"\r\n", 405), (b"GET nothing\r\n\r\n", 400), (b"x" * MAX_HEAD, 431)]
)
def test_what_is_no_request_for_a_page_is_a_bad_one(line: Line, data: bytes, status: int) -> None:
    steps = read_request(line.transport, b"")
    line.other.send(data)

    with pytest.raises(BadRequest) as error:
        next(steps)

    assert error.value.status == status


def test_who_goes_in_the_middle_of_a_request_has_asked_for_nothing(line: Line) -> None:
    steps = read_request(line.transport, HEAD)
    line.other.close()

    with pytest.raises(ConnectionResetError):
        next(steps)


def test_room_is_as_large_as_the_transport_needs_it() -> None:
    request, behind = result(read_request(reads(HEAD + b"\r\n"), b""))

    assert (request.name, behind) == ("page", b"")


def hear(line: Line) -> int:
    """Take what is there at the other end, and return how many bytes."""
    count = 0
    try:
        for _ in range(STEPS):
            count += len(line.other.recv(1_000_000))
    except BlockingIOError:
        pass
    return count


def test_what_does_not_fit_is_sent_when_there_is_room(line: Line) -> None:
    data = bytes(3_000_000)
    heard = 0

    for bits in send_all(line.transport, data):
        assert bits == WRITE
        before, heard = heard, heard + hear(line)
        assert heard > before

    assert heard + hear(line) == len(data)


def test_an_answer_is_delivered_once_the_other_end_ends_whatever_it_says_before(line: Line) -> None:
    steps = deliver(line.transport, b"the page")
    waits(steps, line, b"more", b"and more")

    assert line.other.recv(100) == b"the page"
    assert line.other.recv(100) == b""
    assert next(steps) == READ

    line.other.close()
    result(steps)
