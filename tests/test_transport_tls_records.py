"""Records of TLS: taken one at a time, whole, and bounded in number."""

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from bounds import until
from certificates import Certificate, needs_openssl

from netcode.address import Address
from netcode.transport.tcp_socket import TcpTransport, tune
from netcode.transport.tls_records import ALERT, HEADER, MAX_ANSWERS, MAX_BODY, Records
from netcode.waiting import CustomWaiter, wait

pytestmark = needs_openssl

LOOPBACK = "127.0.0.1"
ROOM = 16_384


@pytest.fixture
def pair() -> Iterator[tuple[TcpTransport, TcpTransport]]:
    with socket.create_server((LOOPBACK, 0)) as listening:
        here = socket.create_connection(listening.getsockname())
        there, _ = listening.accept()
    for sock in (here, there):
        tune(sock)
    ends = TcpTransport(here, Address(LOOPBACK, 1)), TcpTransport(there, Address(LOOPBACK, 2))
    yield ends
    for end in ends:
        end.close()


@pytest.fixture
def server(pair: tuple[TcpTransport, TcpTransport], certificate: Certificate) -> Records:
    return Records(pair[1], certificate.server(), None)


def agree(pair: tuple[TcpTransport, TcpTransport], server: Records, certificate: Certificate) -> Records:
    client = Records(pair[0], certificate.client(), "localhost")
    left = [client, server]
    for _ in until(lambda: not left):
        left[:] = [end for end in left if not end.shake_hands()]
    return client


def arrives(records: Records) -> bool:
    return wait(CustomWaiter(read=[records.socket.read_fd]), timeout=10.0)


def arrives_now(records: Records) -> bool:
    return wait(CustomWaiter(read=[records.socket.read_fd]), timeout=0.01)


def record(said: bytes, kind: int = 23, major: int = 3) -> bytes:
    return bytes((kind, major, 3)) + len(said).to_bytes(2, "big") + said


def test_one_record_is_taken_at_a_time(
    pair: tuple[TcpTransport, TcpTransport], server: Records, certificate: Certificate
) -> None:
    client = agree(pair, server, certificate)
    for message in (b"one", b"two"):
        client.tls.write(message)
    client.flush()
    room = memoryview(bytearray(ROOM))

    found: list[bytes] = []
    while len(found) < 2:
        assert arrives(server)
        assert server.hear()
        found.append(bytes(room[: server.read(room)]))

    assert found == [b"one", b"two"]
    assert (server.hear(), server.ended, server.blocked) == (False, False, False)


def test_a_record_counts_once_it_is_whole(pair: tuple[TcpTransport, TcpTransport], server: Records) -> None:
    data = record(b"0123456789")
    whole: list[bool] = []

    for part in (data[:2], data[2:HEADER], data[HEADER : HEADER + 4], data[HEADER + 4 :], record(b"")):
        pair[0].send(part)
        assert arrives(server)
        whole.append(server.hear())

    assert whole == [False, False, False, True, True]


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n",
        record(b"", kind=19),
        record(b"", major=2),
        b"\x17\x03\x03" + (MAX_BODY + 1).to_bytes(2, "big"),
    ],
)
def test_what_will_never_be_a_record_is_not_waited_for(
    pair: tuple[TcpTransport, TcpTransport], server: Records, said: bytes
) -> None:
    pair[0].send(said)
    assert arrives(server)

    assert server.hear() is True
    server.flush()
    assert wait(CustomWaiter(read=[pair[0].read_fd]), timeout=10.0)
    assert pair[0].recv(100) == ALERT


def test_who_has_greeted_by_tls_is_told_nothing_in_the_clear(
    pair: tuple[TcpTransport, TcpTransport], server: Records, certificate: Certificate
) -> None:
    client = agree(pair, server, certificate)
    while arrives_now(client):
        client.hear()
    pair[0].send(b"GET / HTTP/1.1\r\n")
    assert arrives(server)

    assert server.hear() is True
    server.flush()
    assert not arrives_now(client)


def test_the_end_is_heard_again_and_again(pair: tuple[TcpTransport, TcpTransport], server: Records) -> None:
    pair[0].close()
    assert arrives(server)

    assert (server.hear(), server.ended, server.hear()) == (True, True, True)
    with pytest.raises(ssl.SSLEOFError):
        server.shake_hands()


def test_what_does_not_fit_waits_and_goes_first(
    pair: tuple[TcpTransport, TcpTransport], server: Records, certificate: Certificate
) -> None:
    client = agree(pair, server, certificate)
    written = 0
    with pytest.raises(BlockingIOError):  # noqa: PT012 - how often it is taken is the kernel's affair
        for _ in until(lambda: False):
            written += client.tls.write(bytes(ROOM))
            client.flush()

    assert client.blocked
    client.flush_if_possible()
    parts, room = list[int](), memoryview(bytearray(ROOM))
    for _ in until(lambda: sum(parts) == written):
        client.flush_if_possible()
        if server.hear():
            parts.append(server.read(room))
    assert not client.blocked


def test_who_asks_and_takes_no_answer_is_cut_off(server: Records) -> None:
    server._unsent = bytes(MAX_ANSWERS)
    before = server.hear()
    server._unsent += b"x"

    with pytest.raises(ConnectionResetError):
        server.hear()
    assert before is False


def test_a_handshake_takes_a_few_records_at_a_time(
    pair: tuple[TcpTransport, TcpTransport],
    server: Records,
    certificate: Certificate,
) -> None:
    client = Records(pair[0], certificate.client(), "localhost")
    client.shake_hands()
    assert arrives(server)

    before = server.shake_hands(most=1)
    steps = 0
    for _ in until(lambda: client.shake_hands(most=1)):  # the server's answer has several records
        steps += 1

    assert (before, steps > 1) == (False, True)


class Narrow:
    """A socket that takes something unless a test gives it an error to raise."""

    def __init__(self, sock: TcpTransport) -> None:
        self.recv, self.read_fd = sock.recv, sock.read_fd
        self.error: OSError | None = None
        self._send = sock.send

    def send(self, data: bytes) -> int:
        if self.error is not None:
            raise self.error
        return int(self._send(data))


@pytest.mark.parametrize("error", [BlockingIOError(), BrokenPipeError()], ids=["full", "gone"])
def test_a_handshake_is_over_when_its_last_word_has_left(
    pair: tuple[TcpTransport, TcpTransport], certificate: Certificate, error: OSError
) -> None:
    context = certificate.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # where that is the server's
    client, server = Records(pair[0], certificate.client(), "localhost"), Records(pair[1], context, None)
    narrow: Any = Narrow(pair[1])
    server.socket = narrow
    for end, other in ((client, server), (server, client), (client, server)):
        while not arrives_now(other):
            end.shake_hands()

    narrow.error = error
    done: list[bool] = []
    for _ in until(lambda: server.blocked):
        try:
            done.append(server.shake_hands())
        except BlockingIOError:
            done.append(False)
    narrow.error = None

    assert done[-1] is isinstance(error, BrokenPipeError)
    assert server.shake_hands()
    assert not server.blocked
    for _ in until(client.shake_hands):
        assert arrives(client)


class Asked:
    """OpenSSL, that waits for something to read."""

    times = 0

    def do_handshake(self) -> None:
        self.times += 1
        raise ssl.SSLWantReadError


def test_a_handshake_of_who_is_silent_is_not_gone_on_with(server: Records) -> None:
    asked: Any = Asked()
    server.tls = asked

    for _ in range(10):
        assert not server.shake_hands()

    assert asked.times == 1
