"""WebSocket: the contract of transports with a strange browser at the other end, and what it owes to its standard."""

import errno
import gc
import random
import socket
from collections.abc import Callable, Iterator

import pytest
from bounds import Patience, until
from certificates import Certificate, needs_openssl
from faults.wire import masked
from strange_browser import StrangeBrowser
from transport_contract import Ends, TransportContract, fill, receive, receive_until
from websockets.frames import Opcode

from netcode.address import Address
from netcode.reasons import Explained, ReasonCode
from netcode.stream.buffer import SendQueue
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Heard, Ready, Transport, send_each
from netcode.transport.tcp_socket import TcpTransport, tune
from netcode.transport.tls import RECORD, TlsTransport
from netcode.transport.tls_records import Records
from netcode.transport.websocket import Carrier, WebSocketTransport
from netcode.waiting import CustomWaiter, wait
from netcode.wire.websocket import BINARY, CLOSE, LARGEST, PING, PONG, QUIET, control, unmask

ADDRESS = Address("1.2.3.4", 5)
KEY = b"\x37\xfa\x21\x3d"
CLOSED = control(CLOSE, b"\x03\xe8")

Pair = tuple[Transport, Carrier]
Over = tuple[WebSocketTransport, "Narrow"]


def tcp_pair() -> tuple[TcpTransport, TcpTransport]:
    """Return a client's end and a server's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = socket.create_connection(listening.getsockname())
        there, _ = listening.accept()
    for sock in (here, there):
        tune(sock)
    return TcpTransport(here, ADDRESS), TcpTransport(there, ADDRESS)


def tls_pair(certificate: Certificate) -> Pair:
    from netcode.transport.tls import TlsConnector

    client, server = tcp_pair()
    connectors = [
        TlsConnector(Ready(client), certificate.client(), "localhost"),
        TlsConnector(Ready(server), certificate.server(), None),
    ]
    ends: list[object] = [None, None]
    patient = Patience()
    while patient() and not all(ends):
        ends = [end or connector.advance(0.0) for end, connector in zip(ends, connectors, strict=True)]
    one, other = ends
    assert isinstance(one, TlsTransport), one
    assert isinstance(other, TlsTransport), other
    with pytest.raises(BlockingIOError):  # takes the session tickets: closing over them would be a reset
        one.receive_into(memoryview(bytearray(16_384)))
    return one, other


def memory_pair() -> Pair:
    return MemoryNetwork(FakeClock()).make_link(ADDRESS)


@pytest.fixture(params=["tcp", pytest.param("tls", marks=needs_openssl), "memory"])
def pair(request: pytest.FixtureRequest) -> Pair:
    if request.param == "tls":
        return tls_pair(request.getfixturevalue("certificate"))
    return tcp_pair() if request.param == "tcp" else memory_pair()


class TestContractOfAServer(TransportContract):
    @pytest.fixture
    def ends(self, pair: Pair) -> Iterator[Ends]:
        browser = StrangeBrowser(pair[0])
        ends = Ends(WebSocketTransport(pair[1], ADDRESS), browser, browser.flush)
        yield ends
        ends.one.close()
        ends.other.close()

    def test_a_full_way_takes_no_more_until_it_is_emptied(self, ends: Ends) -> None:
        """A browser hands out whole messages, so the last of them has to be sent to its end."""
        data = bytes(range(256)) * 256

        taken = sent = fill(ends.one, data)
        received, room = bytearray(), memoryview(bytearray(100_000))
        patient = Patience()
        while patient() and len(received) < taken:
            try:
                received += bytes(room[: ends.other.receive_into(room)])
            except BlockingIOError:
                pass
            try:
                sent += ends.one.send(data[sent % len(data) :])
            except BlockingIOError:
                pass

        assert sent > taken
        assert received == (data * (len(received) // len(data) + 1))[: len(received)]


class TestContractOfABrowser(TransportContract):
    @pytest.fixture
    def ends(self, pair: Pair) -> Iterator[Ends]:
        browser = StrangeBrowser(pair[0])
        ends = Ends(browser, WebSocketTransport(pair[1], ADDRESS), browser.flush)
        yield ends
        ends.one.close()
        ends.other.close()


# What its standard asks for, with a browser at the other end.


@pytest.fixture
def browser(pair: Pair) -> Iterator[StrangeBrowser]:
    made = StrangeBrowser(pair[0])
    yield made
    made.close()


@pytest.fixture
def server(pair: Pair, browser: StrangeBrowser) -> Iterator[WebSocketTransport]:
    made = WebSocketTransport(pair[1], ADDRESS)
    yield made
    made.close()


def hear(browser: StrangeBrowser, server: Transport, what: Callable[[], object]) -> None:
    """Let the browser receive until something holds, and the server, which hears only what carries nothing."""
    for _ in until(what):
        for end in (browser, server):
            try:
                assert end.receive_into(memoryview(bytearray(65_536))) == 0
            except BlockingIOError:
                pass


def test_an_answer_to_a_probe_is_heard_and_is_no_end(server: WebSocketTransport, browser: StrangeBrowser) -> None:
    ends = Ends(server, browser, browser.flush)
    server.probe()
    server.send(b"hello?")
    assert receive_until(6, browser, ends) == b"hello?"
    if server.read_fd >= 0:
        assert wait(CustomWaiter(read=[server.read_fd]), timeout=10.0)

    with pytest.raises(Heard):
        server.receive_into(memoryview(bytearray(65_536)))
    with pytest.raises(BlockingIOError) as caught:
        server.receive_into(memoryview(bytearray(65_536)))

    assert [frame.opcode for frame in browser.heard] == [Opcode.PING, Opcode.BINARY]
    assert not isinstance(caught.value, Heard)


def test_only_the_last_ping_of_a_read_is_answered(server: WebSocketTransport, browser: StrangeBrowser) -> None:
    for number in range(3):
        browser.client.send_ping(bytes((number,)))
    browser.client.send_binary(b"x")
    browser.flush()

    assert receive(server, Ends(server, browser, browser.flush)) == b"x"
    hear(browser, server, lambda: browser.heard)

    assert [(frame.opcode, bytes(frame.data)) for frame in browser.heard] == [(Opcode.PONG, b"\x02")]


@pytest.mark.parametrize("finishes", [True, False])
def test_an_end_says_close_once(server: WebSocketTransport, browser: StrangeBrowser, finishes: bool) -> None:
    server.send(b"bye")
    if finishes:
        server.finish()
        server.finish()
    server.close()
    server.close()

    ends = Ends(server, browser, browser.flush)
    assert receive_until(3, browser, ends) == b"bye"
    assert receive(browser, ends) == b""
    assert [frame.opcode for frame in browser.heard] == [Opcode.BINARY, Opcode.CLOSE]
    assert browser.heard[-1].data == b"\x03\xe8"


def test_a_close_is_answered_with_what_it_said(server: WebSocketTransport, browser: StrangeBrowser) -> None:
    browser.client.send_binary(b"last")
    browser.client.send_close(4001, "I leave")
    browser.flush()
    ends = Ends(server, browser, browser.flush)

    assert receive(server, ends) == b"last"
    assert receive(server, ends) == b""
    server.close()

    assert receive(browser, ends) == b""
    assert browser.heard[-1].data == (4001).to_bytes(2, "big")


def test_a_broken_rule_comes_behind_the_bytes_before_it_and_is_said_in_the_close(pair: Pair) -> None:
    client, server = pair[0], WebSocketTransport(pair[1], ADDRESS)
    client.send(masked(b"fine") + b"\x81")
    assert server.write_fd == pair[1].write_fd
    ends = Ends(client, server, lambda: None)

    assert receive(server, ends) == b"fine"
    codes: list[ReasonCode] = []
    for _ in range(2):
        if server.read_fd >= 0:
            assert wait(CustomWaiter(read=[server.read_fd]), timeout=10.0)
        with pytest.raises(Explained, match="broke the rules of WebSocket: it sent a text message") as caught:
            receive(server, ends)
        codes.append(caught.value.code)
    server.close()

    assert codes == [ReasonCode.MALFORMED] * 2
    assert receive(client, ends) == control(CLOSE, b"\x03\xeb")
    client.close()


def test_a_close_alone_is_the_end_and_a_broken_rule_alone_is_told() -> None:
    closing, _ = over(0, masked(b"", CLOSE))
    breaking, _ = over(0, b"\xff")

    assert closing.receive_into(memoryview(bytearray(100))) == 0
    with pytest.raises(Explained):
        breaking.receive_into(memoryview(bytearray(100)))


def test_what_came_with_the_handshake_is_received_first(pair: Pair) -> None:
    client, server = pair[0], WebSocketTransport(pair[1], ADDRESS, masked(b"early, ") + masked(b"cut")[:7])
    client.send(masked(b"cut")[7:])
    ends = Ends(client, server, lambda: None)

    assert receive(server, ends) == b"early, c"
    assert receive(server, ends) == b"ut"
    assert server.address == ADDRESS
    server.close()
    client.close()


def test_who_sends_many_small_messages_is_received_in_small_parts(pair: Pair) -> None:
    client, server = pair[0], WebSocketTransport(pair[1], ADDRESS, masked(b"x") * 2000)
    ends = Ends(client, server, lambda: None)
    receive(server, ends)

    sent = client.send(masked(b"y") * 6000)
    first = receive(server, ends)
    rest = receive_until(sent // 7 - len(first), server, ends)
    server.close()
    client.close()

    assert len(first) <= 16_384 // 7 + 1
    assert {*first, *rest} == {*b"y"}


# What is sent in part.


class Narrow:
    """What carries so many bytes, then says «not now», or breaks."""

    read_fd = write_fd = -1
    lingers = True
    grain = 0
    drains = False
    address: Address | None = None

    def __init__(self, room: int, *incoming: bytes) -> None:
        self.room = room
        self.error: OSError = BlockingIOError()
        self.taken = b""
        self.incoming = [*incoming]
        self.ended = ""

    def receive_into(self, buffer: memoryview) -> int:
        if not self.incoming:
            raise BlockingIOError
        data = self.incoming.pop(0)
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        if not self.room:
            raise self.error
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return self.send(b"".join(chunks))

    def probe(self) -> None: ...

    def be_readable(self) -> None:
        self.ended += "r"

    def finish(self) -> None:
        self.ended += "f"

    def close(self) -> None:
        self.ended += "c"

    def abandon(self) -> None:
        self.ended += "a"


class Plenty(Narrow):
    """What gives as much as there is room for."""

    def receive_into(self, buffer: memoryview) -> int:
        (data,) = self.incoming
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        self.incoming = [data[count:]]
        return count


class Keeping(Narrow):
    """The same as TLS does it: what it was offered and did not take is to be offered again as it was, a record at least."""

    owed = b""

    def send(self, data: bytes | memoryview) -> int:
        assert bytes(data).startswith(self.owed)
        part = bytes(data[: self.room])
        self.owed = bytes(data[len(part) :])[:RECORD]
        return super().send(data)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        return send_each(self.send, chunks)


def over(room: int, *incoming: bytes) -> tuple[WebSocketTransport, Narrow]:
    below = Narrow(room, *incoming)
    return WebSocketTransport(below, ADDRESS), below


def over_tls(room: int, *incoming: bytes) -> tuple[WebSocketTransport, Keeping]:
    below = Keeping(room, *incoming)
    return WebSocketTransport(below, ADDRESS), below


def pump(transport: WebSocketTransport, below: Narrow, data: bytes, step: int) -> list[int]:
    """Send all of `data`, of which the network takes `step` bytes at a time; return what was taken by each call."""
    taken: list[int] = []
    for _ in until(lambda: sum(taken) == len(data)):
        below.room = step
        try:
            taken.append(transport.send(data[sum(taken) :]))
        except BlockingIOError:
            pass
    return taken


def understood(data: bytes) -> list[tuple[int, bytes]]:
    """Take apart what a server sends."""
    frames: list[tuple[int, bytes]] = []
    while data:
        size, start = data[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + size
        frames.append((data[0] & 15, data[start : start + size]))
        data = data[start + size :]
    return frames


def test_many_messages_are_received_in_parts_and_a_large_one_to_its_end() -> None:
    small = WebSocketTransport(Plenty(0, masked(b"x") * 10_000), ADDRESS)
    data = bytes(range(250)) * 240
    header = bytes((0x80 | BINARY, 0x80 | 126)) + len(data).to_bytes(2, "big") + KEY
    large = WebSocketTransport(Plenty(0, header + bytes(unmask(data, KEY))), ADDRESS)
    room = memoryview(bytearray(65_536))

    first = small.receive_into(room)
    received = bytes(room[: large.receive_into(room)])
    received += bytes(room[: large.receive_into(room)])

    assert first < 3000
    assert received == data


def test_a_large_message_of_who_sends_many_small_ones_is_received_to_its_end() -> None:
    large = bytes((0x80 | BINARY, 0x80 | 126)) + (60_000).to_bytes(2, "big") + KEY + bytes(unmask(bytes(60_000), KEY))
    busy = WebSocketTransport(Plenty(0, masked(b"x") * 2_400 + large), ADDRESS)
    room = memoryview(bytearray(65_536))

    counts = [busy.receive_into(room) for _ in range(3)]

    assert counts[1] < 1_024
    assert sum(counts) == 2_400 + 60_000


def test_who_has_sent_many_once_is_soon_received_as_others_are() -> None:
    back = WebSocketTransport(Plenty(0, masked(b"x") * 2_400 + masked(bytes(100)) * 1_000), ADDRESS)
    room = memoryview(bytearray(65_536))

    counts = [back.receive_into(room) for _ in range(QUIET + 4)]

    assert max(counts[1 : QUIET + 1]) < 1_024
    assert max(counts[QUIET:]) > 10_000


@pytest.mark.parametrize("step", [1, 2, 3, 7, 20, 1000])
@pytest.mark.parametrize("size", [1, 100, 125, 126, 3000])
@pytest.mark.parametrize("make", [over, over_tls])
def test_what_is_taken_in_parts_is_the_same_stream(make: Callable[[int], Over], size: int, step: int) -> None:
    transport, below = make(0)
    data = bytes(range(256)) * 12

    pump(transport, below, data[:size], step)
    transport.probe()
    pump(transport, below, b"next", step)
    below.room = 100
    transport.close()

    frames = understood(below.taken)
    assert b"".join(payload for opcode, payload in frames if opcode == BINARY) == data[:size] + b"next"
    assert [opcode for opcode, _ in frames] == [BINARY, PING, BINARY, CLOSE]


def test_a_rest_may_come_with_more_behind_it_and_in_chunks() -> None:
    transport, below = over(5)

    assert transport.send(b"abcdefg") == 3
    below.room = 100
    assert transport.send_chunks([b"de", memoryview(b"fghi"), b"j"]) == 7

    assert understood(below.taken) == [(BINARY, b"abcdefg"), (BINARY, b"hij")]


@pytest.mark.parametrize("more", [0, 1, 200, 100_000])
@pytest.mark.parametrize("size", [1, 125, 126, 16_383, 16_384, 16_385, 3 * LARGEST])
def test_what_was_refused_goes_later_as_it_was_with_more_behind_it(size: int, more: int) -> None:
    transport, below = over_tls(0)
    data = b"a" * size + b"b" * more

    for _ in range(2):
        with pytest.raises(BlockingIOError):
            transport.send(data[:size])
    sent, patient = 0, Patience()
    while patient() and sent < len(data):
        below.room = RECORD
        sent += transport.send_chunks([data[sent:]])

    first = min(size, LARGEST)
    frames = understood(below.taken)
    assert frames[0] == (BINARY, b"a" * first)
    assert b"".join(payload for _, payload in frames) == data


@pytest.mark.parametrize("room", [0, 2, 6])
def test_what_was_refused_behind_something_that_was_said_goes_later_as_it_was(room: int) -> None:
    transport, below = over_tls(0, masked(b"one", PING), masked(b"two", PING), masked(b"a longer one", PING))
    for _ in range(2):
        with pytest.raises(Heard):
            transport.receive_into(memoryview(bytearray(100)))
    below.room = room
    with pytest.raises(BlockingIOError):
        transport.send(b"message")
    with pytest.raises(Heard):
        transport.receive_into(memoryview(bytearray(100)))

    below.room = 100
    transport.send(b"message, and more")
    transport.close()

    said = [(PONG, b"one"), (PONG, b"two"), (BINARY, b"message")]
    assert understood(below.taken) == [*said, (PONG, b"a longer one"), (BINARY, b", and more"), (CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("opcode", [PONG, CLOSE])
def test_a_message_that_was_refused_is_not_mixed_with_what_is_to_be_said(opcode: int) -> None:
    transport, below = over_tls(0, masked(b"one", PING))
    with pytest.raises(BlockingIOError):
        transport.send(b"a" * 200)

    below.room = 1000
    if opcode == PONG:
        with pytest.raises(Heard):
            transport.receive_into(memoryview(bytearray(100)))
    else:
        transport.finish()
    untouched = below.taken
    transport.send(b"a" * 200 + b"b")

    assert untouched == b""
    assert [kind for kind, _ in understood(below.taken)] == [BINARY, opcode, BINARY]


def test_only_the_newest_answer_waits_behind_one_that_was_refused() -> None:
    words = [bytes([letter]) * (letter % 7) for letter in range(100)]
    transport, below = over_tls(0, *[masked(word, PING) for word in words])

    for _ in words:
        with pytest.raises(Heard):
            transport.receive_into(memoryview(bytearray(200)))
    below.room = 1000
    transport.finish()

    assert understood(below.taken) == [(PONG, words[0]), (CLOSE, b"\x03\xe8")]


def narrow_tls_pair(certificate: Certificate) -> Pair:
    """Return a browser's end and a server's, with room for little between them."""
    both = socket.socketpair()
    for sock in both:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sock.setblocking(False)
    one, other = (TcpTransport(sock, ADDRESS) for sock in both)
    client, server = Records(one, certificate.client(), "localhost"), Records(other, certificate.server(), None)
    for _ in range(4):
        for end in (client, server):
            end.shake_hands()
    return TlsTransport(client, ADDRESS), TlsTransport(server, ADDRESS)


@needs_openssl
@pytest.mark.parametrize("seed", range(8))
def test_a_browser_over_tls_that_falls_behind_gets_every_byte(certificate: Certificate, seed: int) -> None:
    client, carrier = narrow_tls_pair(certificate)
    browser, server = StrangeBrowser(client), WebSocketTransport(carrier, ADDRESS)
    chance, queue, received = random.Random(seed), SendQueue(), bytearray()
    data = bytes(range(251)) * 2000
    refused, offered, room = 0, 0, memoryview(bytearray(100_000))

    patient = Patience(20.0)
    while patient() and len(received) < len(data):
        more = data[offered : offered + chance.choice([1, 50, 122, 200, 3000, 70_000])]
        offered += len(more)
        queue.offer(server, more, 0.0, bulk=chance.random() < 0.5)
        refused += bool(queue.size)
        if chance.random() < 0.2:
            browser.client.send_ping(bytes(chance.randrange(20)))
            browser.flush()
        if chance.random() < 0.1:
            server.probe()
        for end in (server, browser) if chance.random() < 0.3 or offered == len(data) else (server,):
            try:
                count = end.receive_into(room)
                received += room[:count]
            except BlockingIOError:
                pass
    server.close()
    browser.close()

    assert received == data
    assert refused


def test_large_chunks_go_in_messages_of_a_bounded_size() -> None:
    transport, below = over(10**9)

    assert transport.send_chunks([b"a" * (2 * LARGEST + 1)]) == 2 * LARGEST + 1

    assert [len(payload) for _, payload in understood(below.taken)] == [LARGEST, LARGEST, 1]


@pytest.mark.parametrize("room", [1, 3, LARGEST // 2, LARGEST + 13])
def test_chunks_are_taken_as_far_as_there_is_room(room: int) -> None:
    transport, below = over(room)
    chunks: list[bytes | memoryview] = [b"a" * LARGEST, b"b" * 10]

    try:
        taken = transport.send_chunks(chunks)
    except BlockingIOError:
        taken = 0
    below.room = 10**9
    rest = (bytes(LARGEST).replace(b"\0", b"a") + b"b" * 10)[taken:]
    assert transport.send(rest) == len(rest)

    assert b"".join(payload for _, payload in understood(below.taken)) == b"a" * LARGEST + b"b" * 10


@pytest.mark.parametrize("call", ["send", "chunks", "between"])
def test_a_failure_behind_what_was_taken_is_told_by_the_next_call(call: str) -> None:
    room = 5 if call == "send" else LARGEST + 10
    transport, below = over(room)
    below.error = ConnectionResetError(errno.ECONNRESET, "reset")
    data = b"a" * (7 if call == "send" else 2 * LARGEST)

    if call == "chunks":
        assert transport.send_chunks([data[:LARGEST], data[LARGEST:]]) == LARGEST
    else:
        assert transport.send(data) > 0
    with pytest.raises(ConnectionResetError) as caught:
        transport.send(data)

    assert caught.value.__traceback__ is not None  # of this call alone
    assert caught.value.__context__ is None


def test_a_failure_of_chunks_of_which_nothing_was_taken_is_told_at_once() -> None:
    transport, below = over(0)
    below.error = ConnectionResetError(errno.ECONNRESET, "reset")

    with pytest.raises(ConnectionResetError):
        transport.send_chunks([b"a"])


def test_an_answer_waits_for_the_end_of_a_message_that_is_under_way() -> None:
    transport, below = over(4, masked(b"one", PING), masked(b"two", PING))
    assert transport.send(b"abcd") == 2

    for _ in range(2):
        with pytest.raises(Heard):
            transport.receive_into(memoryview(bytearray(100)))
    below.room = 100
    transport.send(b"cd")
    transport.send(b"e")

    assert understood(below.taken) == [(BINARY, b"abcd"), (PONG, b"two"), (BINARY, b"e")]


def test_an_answer_for_which_there_is_no_room_goes_with_the_next_message() -> None:
    transport, below = over(0, masked(b"one", PING))
    with pytest.raises(Heard):
        transport.receive_into(memoryview(bytearray(100)))

    for _ in range(2):
        transport.probe()
    below.room = 3
    with pytest.raises(BlockingIOError):
        transport.send(b"a")
    below.room = 100
    transport.send(b"a")

    assert understood(below.taken) == [(PONG, b"one"), (PING, b""), (BINARY, b"a")]


def test_what_was_said_between_two_messages_is_said_once() -> None:
    transport, below = over(100, masked(b"one", PING), masked(b"a"), masked(b"b") + masked(b"", PONG))
    room = memoryview(bytearray(100))

    with pytest.raises(Heard):
        transport.receive_into(room)
    transport.probe()
    sent = [transport.send(data) for data in (b"c", b"d")]
    received = [transport.receive_into(room) for _ in range(2)]

    assert (sent, received) == ([1, 1], [1, 1])
    assert understood(below.taken) == [(PONG, b"one"), (PING, b""), (BINARY, b"c"), (BINARY, b"d")]


def test_an_answer_that_was_begun_is_finished_before_the_next() -> None:
    transport, below = over(3, masked(b"one", PING), masked(b"two", PING))

    for _ in range(2):
        with pytest.raises(Heard):
            transport.receive_into(memoryview(bytearray(100)))
        below.room = 100

    assert understood(below.taken) == [(PONG, b"one"), (PONG, b"two")]


def test_a_reset_that_an_answer_meets_is_told_by_the_next_send() -> None:
    transport, below = over(0, masked(b"one", PING))
    below.error = ConnectionResetError(errno.ECONNRESET, "reset")

    with pytest.raises(Heard):
        transport.receive_into(memoryview(bytearray(100)))
    with pytest.raises(ConnectionResetError):
        transport.send(b"x")


def test_after_our_close_nothing_is_said() -> None:
    transport, below = over(100, masked(b"one", PING))
    transport.finish()
    transport.probe()

    with pytest.raises(Heard):
        transport.receive_into(memoryview(bytearray(100)))
    transport.close()

    assert (understood(below.taken), below.ended) == ([(CLOSE, b"\x03\xe8")], "fc")


def test_in_the_middle_of_a_message_no_close_can_be_said() -> None:
    transport, below = over(4)
    transport.send(b"abcd")
    below.room = 100

    transport.close()

    assert (below.taken, below.ended) == (b"\x82\x04ab", "c")


def test_a_child_that_was_forked_off_says_nothing() -> None:
    transport, below = over(100)

    transport.abandon()

    assert (below.taken, below.ended) == (b"", "a")


def test_the_end_of_what_carries_it_is_its_end() -> None:
    transport, _ = over(0, b"")

    assert transport.receive_into(memoryview(bytearray(100))) == 0


def test_who_is_forgotten_leaves_nothing_open() -> None:
    client, server = tcp_pair()
    WebSocketTransport(server, ADDRESS)
    del server
    gc.collect()

    assert receive(client, Ends(client, client, lambda: None)) == b""
    client.close()


@needs_openssl
def test_many_records_of_tls_are_received_at_once(certificate: Certificate) -> None:
    client, carrier = tls_pair(certificate)
    server = WebSocketTransport(carrier, ADDRESS)
    for _ in range(20):
        client.send(masked(b"a message of a browser"))
    room, received, patient = memoryview(bytearray(65_536)), list[int](), Patience()

    while patient() and sum(received) < 20 * 22:
        assert wait(CustomWaiter(read=[server.read_fd]), timeout=10.0)
        received.append(server.receive_into(room))
    for end in (client, server):
        end.close()

    assert len(received) <= 3
