"""TLS: the contract of transports, and what each way in which two ends fail to agree is called."""

import errno
import gc
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bounds import Patience, as_long_as
from certificates import Certificate, make_expired, needs_openssl
from transport_contract import ROUNDS, Ends, TransportContract, receive, receive_until

import netcode
from benchmarks.ports import free_port
from netcode.address import Address
from netcode.connection_set import ConnectionSet
from netcode.reasons import Explained, Reason, ReasonCode, reason_from_error
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Connector, Transport
from netcode.transport.tcp import TCP, TcpNetwork
from netcode.transport.tcp_socket import TcpTransport
from netcode.transport.tls import (
    GREETING,
    HANDSHAKE_STEPS,
    OWN,
    RECORD,
    TlsConnector,
    TlsDoorway,
    TlsNetwork,
    TlsTransport,
    _explain,
    _translate,
)
from netcode.transport.tls_records import ALERT, RECORDS
from netcode.waiting import CustomWaiter, wait

pytestmark = needs_openssl

LOOPBACK = "127.0.0.1"
Outcome = Transport | Reason


@pytest.fixture
def door(certificate: Certificate) -> Iterator[TlsDoorway]:
    made = TlsNetwork(TCP, certificate.server()).listen(LOOPBACK, 0)
    yield made
    made.close()


def accept(door: TlsDoorway) -> TlsConnector:
    for _ in range(ROUNDS):
        newcomer = door.accept(0.0)
        if newcomer is not None:
            assert isinstance(newcomer, TlsConnector)
            return newcomer
        wait(CustomWaiter(read=[*door.doors()]), timeout=0.1)
    raise AssertionError("nobody came")


def decide(connector: Connector) -> Outcome:
    """Let one end go on until it is decided."""
    for _ in range(ROUNDS):
        outcome = connector.advance(0.0)
        if outcome is not None:
            return outcome
        wait(CustomWaiter(*connector.descriptors()), timeout=0.1)
    raise AssertionError("it does not come to an end")


def meet(door: TlsDoorway, client: Connector) -> tuple[Outcome, Outcome]:
    """Let both ends go on until both are decided: the client's outcome, the server's. Failed ends are closed."""
    outcomes: list[Outcome | None] = [None, None]
    connectors: list[Connector | None] = [client, None]
    for _ in range(ROUNDS):
        if connectors[1] is None:
            connectors[1] = door.accept(0.0)
        waits: list[CustomWaiter] = []
        for number, connector in enumerate(connectors):
            if connector is not None and outcomes[number] is None:
                outcome = outcomes[number] = connector.advance(0.0)
                waits.append(CustomWaiter(*connector.descriptors()))
                if isinstance(outcome, Reason):
                    connector.close()
        one, other = outcomes
        if one is not None and other is not None:
            return one, other
        wait(*waits, timeout=0.01)
    raise AssertionError(f"they do not come to an end: {outcomes}")


def connect(door: TlsDoorway, context: ssl.SSLContext, host: str = "localhost") -> tuple[Outcome, Outcome]:
    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, 1, 6, "", tuple(door.address))]

    names = TcpNetwork(resolve)
    return meet(door, TlsNetwork(names, context).connect(host, door.address.port, 0.0))


def both(door: TlsDoorway, certificate: Certificate) -> Ends:
    one, other = connect(door, certificate.client())
    assert isinstance(one, TlsTransport), one
    assert isinstance(other, TlsTransport), other
    with pytest.raises(BlockingIOError):  # takes the session tickets: closing over them would be a reset
        one.receive_into(memoryview(bytearray(RECORD)))
    return Ends(one, other, lambda: None)


def code_and_text(outcome: Outcome) -> tuple[ReasonCode, str]:
    assert isinstance(outcome, Reason)
    return outcome.code, outcome.text


class TestContract(TransportContract):
    @pytest.fixture
    def ends(self, door: TlsDoorway, certificate: Certificate) -> Iterator[Ends]:
        ends = both(door, certificate)
        yield ends
        ends.one.close()
        ends.other.close()


def test_both_ends_know_each_others_address(door: TlsDoorway, certificate: Certificate) -> None:
    ends = both(door, certificate)
    addresses = ends.one.address, ends.other.address
    ends.one.close()
    ends.other.close()

    assert addresses[0] == door.address
    assert addresses[1] is not None
    assert addresses[1].host == LOOPBACK


def test_a_write_that_has_to_be_repeated_may_have_grown(door: TlsDoorway, certificate: Certificate) -> None:
    ends = both(door, certificate)
    data = bytes(range(256)) * 4096
    taken = 0
    with pytest.raises(BlockingIOError):  # noqa: PT012 - how often it is taken is the kernel's affair
        patient = Patience()
        while patient():
            taken += ends.one.send(data[taken % 256 : taken % 256 + 5000])

    received = receive_until(taken, ends.other, ends)
    repeated = ends.one.send(bytes(data[taken % 256 : taken % 256 + 60_000]))
    received += receive_until(repeated, ends.other, ends)
    ends.one.close()
    ends.other.close()

    assert repeated >= 5000
    assert received == (data * 4)[: taken + repeated]


def test_many_records_are_received_at_once_while_there_is_room(door: TlsDoorway, certificate: Certificate) -> None:
    ends = both(door, certificate)
    for _ in range(3):
        ends.one.send(b"x" * 1000)
    receive_until(1000, ends.other, ends)

    ends.one.send(bytes(2 * RECORD))
    ends.one.finish()
    parts: list[int] = []
    while part := receive(ends.other, ends, 4 * RECORD):
        parts.append(len(part))
    ends.one.close()
    ends.other.close()

    assert sum(parts) >= 2 * RECORD
    assert ends.other.grain == RECORD


def test_a_receive_may_leave_room_and_records_behind_so_that_a_poller_has_to_go_on_telling(
    door: TlsDoorway, certificate: Certificate
) -> None:
    ends = both(door, certificate)

    ends.one.send(bytes(2 * RECORD))
    room = 2 * RECORD - 1
    first = len(receive(ends.other, ends, room))
    second = len(receive(ends.other, ends, room))
    ends.one.close()
    ends.other.close()

    assert (first, second) == (RECORD, RECORD)
    assert ends.other.drains is False


def test_before_the_door_is_another_and_what_is_done_in_between(door: TlsDoorway, certificate: Certificate) -> None:
    before, encrypt = door.unwrap()
    client = TlsNetwork(TCP, certificate.client()).connect("localhost", door.address.port, 0.0)
    newcomer, patient = None, Patience()
    while patient() and newcomer is None:
        client.advance(0.0)
        newcomer = before.accept(0.0)

    assert newcomer is not None
    secure = encrypt(newcomer)
    assert isinstance(secure, TlsConnector)
    secure.close()
    client.close()


def test_an_end_without_a_farewell_of_tls_is_an_end(door: TlsDoorway, certificate: Certificate) -> None:
    ends = both(door, certificate)
    assert isinstance(ends.one, TlsTransport)

    ends.one.send(b"last")
    socket.socket.shutdown(ends.one._socket, socket.SHUT_RDWR)
    received = receive(ends.other, ends), receive(ends.other, ends)
    ends.one.close()
    ends.other.close()

    assert received == (b"last", b"")


def test_a_farewell_of_tls_is_an_end_too(door: TlsDoorway, certificate: Certificate) -> None:
    plain = socket.create_connection(door.address)
    newcomer = accept(door)
    plain.setblocking(False)
    with certificate.client().wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False) as polite:
        server: Outcome | None = None
        done = False
        patient = Patience()
        while patient() and (server is None or not done):
            try:
                polite.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            server = server or newcomer.advance(0.0)
        assert isinstance(server, TlsTransport)
        try:
            polite.unwrap()
        except ssl.SSLWantReadError:
            pass
        end = receive(server, Ends(server, server, lambda: None))
        server.close()

    assert end == b""


def send_for_ever(transport: Transport) -> None:
    while True:
        transport.send(b"hello")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_send_to_who_is_gone_is_an_error_and_no_signal(
    door: TlsDoorway, certificate: Certificate, broken_pipes: list[int]
) -> None:
    ends = both(door, certificate)
    ends.other.close()

    with pytest.raises(ConnectionError):  # a reset, or a broken pipe
        send_for_ever(ends.one)
    with pytest.raises(BrokenPipeError):
        ends.one.send(b"hello")
    ends.one.close()

    assert broken_pipes == []


# What is behind something else in one read.

RESET_ON_CLOSE = b"\1\0\0\0\0\0\0\0"


def told(transport: Transport) -> bytes | type[OSError]:
    """Return what is received next, or what kind of error is, once a poller tells of something."""
    assert wait(CustomWaiter(read=[transport.read_fd]), timeout=10.0)
    buffer = memoryview(bytearray(4 * RECORD))
    try:
        return bytes(buffer[: transport.receive_into(buffer)])
    except OSError as error:
        return type(error)


@pytest.mark.fault(89, "loopback")
def test_what_came_before_a_reset_is_received_before_it(door: TlsDoorway, certificate: Certificate) -> None:
    ends = both(door, certificate)
    assert isinstance(ends.one, TlsTransport)
    socket.socket.setsockopt(ends.one._socket, socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    ends.one.send(b"last words")
    ends.one.close()
    received = told(ends.other), told(ends.other)
    ends.other.close()

    assert received[0] == b"last words"
    assert received[1] in {ConnectionResetError, b""}  # before Python 3.13, TLS shows a reset as an end


def test_what_came_before_a_tampered_record_is_received_before_the_error(
    door: TlsDoorway, certificate: Certificate
) -> None:
    ends = both(door, certificate)
    assert isinstance(ends.one, TlsTransport)

    ends.one.send(b"last words")
    socket.socket.send(ends.one._socket, b"\x17\x03\x03\x00\x20" + bytes(32))
    received = told(ends.other), told(ends.other), told(ends.other)
    ends.one.close()
    ends.other.close()

    assert received == (b"last words", Explained, b"")


@pytest.mark.fault(89, "loopback")
def test_a_farewell_behind_a_message_is_told_though_the_kernel_has_nothing_more(
    door: TlsDoorway, certificate: Certificate
) -> None:
    ends = both(door, certificate)
    assert isinstance(ends.one, TlsTransport)

    ends.one.send(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        ends.one._records.tls.unwrap()
    ends.one._records.flush()
    received = told(ends.other), told(ends.other)
    ends.one.close()
    ends.other.close()

    assert received == (b"last words", b"")


def test_records_that_carry_nothing_are_taken_a_few_at_a_time(certificate: Certificate) -> None:
    context = certificate.server()
    context.num_tickets = 3 * RECORDS  # each is one, and sent behind the handshake
    door = TlsNetwork(TCP, context).listen(LOOPBACK, 0)
    one, other = connect(door, certificate.client())
    assert isinstance(one, TlsTransport), one
    assert isinstance(other, TlsTransport), other
    other.send(b"x")

    calls, received, patient = 0, 0, Patience()
    while patient() and not received:
        calls += 1
        assert wait(CustomWaiter(read=[one.read_fd]), timeout=10.0)
        try:
            received = one.receive_into(memoryview(bytearray(RECORD)))
        except BlockingIOError:
            pass
    for end in (one, other, door):
        end.close()

    assert (received, calls >= 3) == (1, True)


def test_a_greeting_in_records_of_one_byte_is_taken_a_few_records_at_a_time(
    door: TlsDoorway, certificate: Certificate
) -> None:
    said = ssl.MemoryBIO()
    speaker = certificate.client().wrap_bio(ssl.MemoryBIO(), said, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        speaker.do_handshake()
    begin, *greeting = (b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in said.read()[5:])
    with socket.create_connection(door.address) as client:
        client.sendall(begin)
        connector = accept(door)
        client.sendall(b"".join(greeting))
        client.settimeout(0.0)

        steps, patient = 0, Patience()
        while patient() and not wait(CustomWaiter(read=[client]), timeout=0.0):
            assert connector.advance(float(steps)) is None
            steps += 1
        connector.close()

    assert steps >= len(greeting) // GREETING


def test_small_records_beyond_the_first_few_share_a_bound_and_who_was_cut_off_comes_first(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.transport.tls.SHARED", 9)  # one of which finds that there is no more
    door = TlsNetwork(TCP, certificate.server()).listen(LOOPBACK, 0)
    pairs = [both(door, certificate) for _ in range(3)]

    def taken_in_one_update(more: int) -> list[int]:
        door.begin_update()
        taken = list[int]()
        for ends in pairs:
            for _ in range(more):
                ends.one.send(b"x")
            assert wait(CustomWaiter(read=[ends.other.read_fd]), timeout=10.0)
            taken.append(ends.other.receive_into(memoryview(bytearray(2 * RECORD))))
        return taken

    usual = taken_in_one_update(OWN)
    flood = [taken_in_one_update(OWN + 6) for _ in range(3)]
    for ends in pairs:
        ends.one.close()
        ends.other.close()
    door.close()

    assert usual == [OWN] * 3
    assert flood == [[OWN + 6, OWN + 2, OWN], [OWN + 1, OWN + 4, OWN + 4], [OWN + 3] * 3]


class Failing:
    """Records that fare as they are told, one call each."""

    ended = False

    def __init__(self, *fates: int | OSError) -> None:
        self.socket = TcpTransport(socket.socket(), Address(LOOPBACK, 1))
        self.tls = self
        self._fates = [*fates]

    def _next(self, *_: Any) -> int:
        fate = self._fates.pop(0)
        if isinstance(fate, OSError):
            raise fate
        return fate

    def hear(self) -> bool:
        return True

    def flush(self) -> None:
        """Everything is taken."""

    read = write = _next
    flush_if_possible = flush


@pytest.mark.parametrize("call", ["receive_into", "send"])
def test_a_failure_behind_a_success_comes_with_the_next_call(call: str) -> None:
    reset = ConnectionResetError(errno.ECONNRESET, "reset")
    records: Any = Failing(RECORD, RECORD, reset, BrokenPipeError(errno.EPIPE, "pipe"))
    transport = TlsTransport(records, None)
    do = getattr(transport, call)
    data = memoryview(bytearray(4 * RECORD))

    count = do(data)
    with pytest.raises(ConnectionResetError) as first:
        do(data)
    with pytest.raises(BrokenPipeError):
        do(data)
    transport.close()

    assert count == 2 * RECORD
    assert first.value is reset


def test_a_failure_that_was_not_told_keeps_nothing_alive() -> None:
    records: Any = Failing(RECORD, ConnectionResetError(errno.ECONNRESET, "reset"))
    records.tls = None  # else it keeps itself
    number = records.socket.fileno()
    transport: TlsTransport | None = TlsTransport(records, None)
    assert transport is not None
    gc.disable()
    try:
        transport.receive_into(memoryview(bytearray(4 * RECORD)))
        transport = records = None

        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
    finally:
        gc.enable()


def test_a_dropped_link_closes_without_a_warning(door: TlsDoorway, certificate: Certificate) -> None:
    ends: Any = both(door, certificate)
    numbers = ends.one.read_fd, ends.other.read_fd
    half: Any = TlsNetwork(TCP, certificate.client()).connect(LOOPBACK, door.address.port, 0.0)
    patient = Patience()
    while patient() and half._records is None:
        half.advance(0.0)
    newcomer = accept(door)

    cycle = [ends, half]
    cycle.append(cycle)
    del ends, half, cycle
    gc.collect()
    newcomer.close()

    for number in numbers:
        with pytest.raises(OSError, match="Bad file descriptor"):
            socket.socket(fileno=number)


# What goes wrong.


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(door: TlsDoorway) -> None:
    client, server = connect(door, ssl.create_default_context())

    code, text = code_and_text(client)
    assert code is ReasonCode.BROKEN_TLS
    assert "has a certificate that is not trusted: self-signed certificate" in text
    code, text = code_and_text(server)
    assert code is ReasonCode.BROKEN_TLS
    assert "could not agree on TLS: tlsv1 alert unknown ca" in text


def test_authorities_that_could_not_be_read_for_want_of_descriptors_are_read_later(
    door: TlsDoorway, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert.with_name("missing.pem")))
    with monkeypatch.context() as short:
        short.setattr("netcode.transport.tls.os.open", fail)
        network = TlsNetwork(TCP)
        meanwhile, _ = meet(door, network.connect("localhost", door.address.port, 0.0))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))
    client, server = meet(door, network.connect("localhost", door.address.port, 0.0))

    assert code_and_text(meanwhile)[0] is ReasonCode.BROKEN_TLS
    assert isinstance(client, TlsTransport), client
    assert isinstance(server, TlsTransport), server
    client.close()
    server.close()


def test_a_certificate_for_another_name_is_not_trusted(door: TlsDoorway, certificate: Certificate) -> None:
    client, _ = connect(door, certificate.client(), "other.example")

    code, text = code_and_text(client)
    assert code is ReasonCode.BROKEN_TLS
    assert "has a certificate that is not trusted: Hostname mismatch" in text


def test_a_name_that_ends_in_a_dot_is_the_one_without_it(door: TlsDoorway, certificate: Certificate) -> None:
    client, server = connect(door, certificate.client(), "localhost.")

    assert isinstance(client, TlsTransport), client
    assert isinstance(server, TlsTransport), server
    client.close()
    server.close()


def test_an_expired_certificate_is_not_trusted(certificate: Certificate, tmp_path: Path) -> None:
    expired = make_expired(tmp_path)
    door = TlsNetwork(TCP, expired.server()).listen(LOOPBACK, 0)

    client, _ = connect(door, expired.client())
    door.close()

    assert code_and_text(client) == (
        ReasonCode.BROKEN_TLS,
        f"localhost:{door.address.port} has a certificate that is not trusted: certificate has expired",
    )


@pytest.mark.parametrize("said", [b"\0\0\0\x20" + bytes(32), b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" * 3])
def test_a_plain_client_at_a_tls_port_is_told_apart(door: TlsDoorway, said: bytes) -> None:
    with socket.create_connection(door.address) as plain:
        plain.sendall(said)
        newcomer = accept(door)
        outcome = decide(newcomer)
        newcomer.close()
        heard = plain.recv(100)

    code, text = code_and_text(outcome)
    assert code is ReasonCode.BROKEN_TLS
    assert text.endswith("does not speak TLS; use tls= at both ends or at none")
    assert heard == ALERT


def test_a_tls_client_at_a_plain_port_is_told_apart(certificate: Certificate) -> None:
    with socket.create_server((LOOPBACK, 0)) as plain:
        connector = TlsNetwork(TCP, certificate.client()).connect(LOOPBACK, plain.getsockname()[1], 0.0)
        assert connector.advance(0.0) is None
        server, _ = plain.accept()
        server.sendall(b"\0\0\0\x05\x92hello")
        outcome = decide(connector)
        connector.close()
        server.close()

    code, text = code_and_text(outcome)
    assert code is ReasonCode.BROKEN_TLS
    assert text.endswith("does not speak TLS; use tls= at both ends or at none")


@pytest.mark.parametrize("reset", [False, True])
def test_who_leaves_during_the_handshake_is_a_reason(door: TlsDoorway, reset: bool) -> None:
    plain = socket.create_connection(door.address)
    newcomer = accept(door)
    assert newcomer.advance(0.0) is None
    if reset:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    plain.close()
    outcome = decide(newcomer)
    newcomer.close()

    code, text = code_and_text(outcome)
    assert code is (ReasonCode.RESET if reset else ReasonCode.BROKEN_TLS)
    assert "broke" in text


def test_a_stalled_handshake_waits_and_says_what_for(door: TlsDoorway) -> None:
    with socket.create_connection(door.address):
        newcomer = accept(door)

        before = newcomer.descriptors(), newcomer.due()
        outcome = newcomer.advance(0.0)

        assert [len(fds) for fds in before[0]] == [1, 1, 0]
        assert before[1] == 0.0
        assert outcome is None
        assert newcomer.hint == "did not finish the TLS handshake; does that port speak TLS?"
        assert ([len(fds) for fds in newcomer.descriptors()], newcomer.due()) == ([1, 0, 0], None)
        newcomer.close()


class Greeter:
    """A client of TLS in pieces: what it says is sent when a test says so."""

    def __init__(self, door: TlsDoorway, certificate: Certificate, version: ssl.TLSVersion) -> None:
        context = certificate.client()
        context.maximum_version = version
        self.sock = socket.create_connection(door.address, timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._heard, self._said, server_hostname="localhost")
        self.greeting = self.answer()

    def answer(self) -> bytes:
        """Return what has to be said now."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._said.read()

    def hear(self) -> bool:
        """Take what was said to it; tell whether that was anything."""
        self.sock.settimeout(0.0)
        try:
            self._heard.write(self.sock.recv(65_536))
        except BlockingIOError:
            return False
        return True


def arrive(newcomers: list[TlsConnector]) -> None:
    """Wait until something has come from everybody."""
    for newcomer in newcomers:
        assert wait(CustomWaiter(*newcomer.descriptors()), timeout=10.0)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_flood_of_handshakes_is_spread_over_updates(
    door: TlsDoorway, certificate: Certificate, version: ssl.TLSVersion
) -> None:
    greeters = [Greeter(door, certificate, version) for _ in range(HANDSHAKE_STEPS + 5)]
    newcomers = [accept(door) for _ in greeters]
    assert [newcomer.advance(1.0) for newcomer in newcomers] == [None] * len(newcomers)
    for greeter in greeters:
        greeter.sock.sendall(greeter.greeting)
    arrive(newcomers)

    outcomes: list[list[Outcome | None]] = []
    dues: list[list[float | None]] = []
    answered: list[int] = []
    for now in (2.0, 3.0):
        outcomes += [[newcomer.advance(now) for newcomer in newcomers]]
        dues.append([newcomer.due() for newcomer in newcomers])
        answered.append(sum(greeter.hear() for greeter in greeters))
    for greeter in greeters:
        greeter.sock.sendall(greeter.answer())
    arrive(newcomers)
    for now in (4.0, 5.0):
        outcomes += [[newcomer.advance(now) for newcomer in newcomers if newcomer._records is not None]]

    assert answered == [HANDSHAKE_STEPS, 5]
    assert dues == [[None] * HANDSHAKE_STEPS + [2.0] * 5, [None] * len(newcomers)]
    assert [sum(outcome is not None for outcome in row) for row in outcomes] == [0, 0, HANDSHAKE_STEPS, 5]
    for greeter in greeters:
        greeter.sock.close()
    for row in outcomes:
        for outcome in row:
            assert outcome is None or isinstance(outcome, TlsTransport)
            if outcome is not None:
                outcome.close()


def test_bytes_of_greetings_that_are_not_complete_cost_the_others_nothing(
    door: TlsDoorway, certificate: Certificate
) -> None:
    slow = [Greeter(door, certificate, ssl.TLSVersion.TLSv1_3) for _ in range(HANDSHAKE_STEPS + 5)]
    newcomers = [accept(door) for _ in slow]
    assert [newcomer.advance(1.0) for newcomer in newcomers] == [None] * len(newcomers)
    for greeter in slow:
        greeter.sock.sendall(greeter.greeting[:100])
    arrive(newcomers)
    honest = Greeter(door, certificate, ssl.TLSVersion.TLSv1_3)
    newcomers.append(accept(door))
    assert newcomers[-1].advance(1.0) is None
    honest.sock.sendall(honest.greeting)
    arrive(newcomers)

    outcomes = [newcomer.advance(2.0) for newcomer in newcomers]

    assert outcomes == [None] * len(newcomers)
    assert [newcomer.due() for newcomer in newcomers] == [None] * len(newcomers)
    assert (honest.hear(), any(greeter.hear() for greeter in slow)) == (True, False)
    for greeter in (*slow, honest):
        greeter.sock.close()
    for newcomer in newcomers:
        newcomer.close()


def test_a_postponed_handshake_needs_no_descriptor_to_go_on(
    door: TlsDoorway, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netcode.transport.tls.HANDSHAKE_STEPS", 1)
    clock = FakeClock()
    everybody: ConnectionSet[None] = ConnectionSet(clock=clock)
    greeters = [Greeter(door, certificate, ssl.TLSVersion.TLSv1_3) for _ in range(3)]
    for _ in as_long_as(lambda: len(everybody) < 3):
        everybody.accept(door, lambda address: None)
    for greeter in greeters:
        greeter.sock.sendall(greeter.greeting)
    for connection in everybody:
        assert wait(CustomWaiter(*connection.instantiate()), timeout=10.0)

    rows: list[tuple[int, bool]] = []
    for _ in range(3):
        clock.advance(0.01)
        everybody.update()
        rows.append((sum(greeter.hear() for greeter in greeters), everybody._seconds_left() == 0.0))

    assert rows == [(1, True), (1, True), (1, False)]
    for greeter in greeters:
        greeter.sock.close()
    everybody.close()


def test_a_connect_that_fails_below_fails_with_that_reason(certificate: Certificate) -> None:
    port = free_port()
    connector = TlsNetwork(TCP, certificate.client()).connect(LOOPBACK, port, 0.0)

    before = connector.where, connector.hint
    outcome = decide(connector)
    connector.close()

    assert code_and_text(outcome)[0] is ReasonCode.REFUSED
    assert before == (f"{LOOPBACK}:{port}", "did not answer; is the address right, and does a firewall block the port?")


def test_what_is_said_of_silence_is_what_is_waited_for_below(certificate: Certificate) -> None:
    network = MemoryNetwork(FakeClock())
    network.down = True
    below: Any = network.connect("game.example", 7777, 0.0)
    below.hint = "was not found in time"
    connector = TlsConnector(below, certificate.client(), None)

    found = connector.hint
    below.hint = "did not answer"
    came = connector.advance(0.0)

    assert (found, came, connector.hint) == ("was not found in time", None, "did not answer")
    connector.close()


class Full:
    """Records for which there is no room on the way out."""

    blocked = True

    def __init__(self) -> None:
        self.socket = self

    def shake_hands(self, _most: int) -> bool:
        raise BlockingIOError

    def fileno(self) -> int:
        return 7

    def close(self) -> None:
        pass


def test_a_handshake_may_wait_for_room_to_write(certificate: Certificate) -> None:
    connector = TlsNetwork(TCP, certificate.client()).connect(LOOPBACK, 7777, 0.0)
    connector._records = Full()  # type: ignore[assignment]  # pyright: ignore

    assert connector.advance(0.0) is None
    assert connector.descriptors() == ([], [7], [])


def test_a_socket_that_cannot_be_wrapped_is_a_reason(certificate: Certificate, door: TlsDoorway) -> None:
    class Refuses(ssl.SSLContext):
        def wrap_bio(self, *arguments: object, **options: object) -> ssl.SSLObject:
            raise ValueError("no\nway")

    connector = TlsNetwork(TCP, Refuses(ssl.PROTOCOL_TLS_CLIENT)).connect(LOOPBACK, door.address.port, 0.0)
    outcome = decide(connector)
    connector.close()
    accept(door).close()

    assert code_and_text(outcome) == (ReasonCode.BROKEN_TLS, f"TLS to {connector.where} failed: no\\nway")


def test_tls_runs_over_tcp_with_a_context_of_its_side(certificate: Certificate) -> None:
    with pytest.raises(TypeError, match="TLS runs over TCP only, not over MemoryNetwork"):
        TlsNetwork(MemoryNetwork(FakeClock()))
    with pytest.raises(TypeError, match=r"not str: make one by .*; for a client, True, or .*\(cafile=…\)$"):
        TlsNetwork(TCP, "cert.pem")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(
        TypeError,
        match=r"tls must be a netcode.Certificate or an ssl\.SSLContext, not bool: make one by netcode.Certificate\(.* key$",
    ):
        TlsNetwork(TCP, True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="tls is a client's context"):
        TlsNetwork(TCP).listen(LOOPBACK, 0)
    with pytest.raises(ValueError, match="tls is a server's context"):
        TlsNetwork(TCP, certificate.server()).connect(LOOPBACK, 7777, 0.0)
    with pytest.raises(TypeError, match="tls is a server's certificate; a client needs True, or ssl"):
        TlsNetwork(TCP, netcode.Certificate(*certificate)).connect(LOOPBACK, 7777, 0.0)


def test_a_certificate_in_files_is_asked_for_its_context_at_each_link(certificate: Certificate) -> None:
    door = TlsNetwork(TCP, netcode.Certificate(*certificate)).listen(LOOPBACK, 0)

    outcomes = [outcome for _ in range(2) for outcome in connect(door, certificate.client())]
    for outcome in outcomes:
        outcome.close() if isinstance(outcome, TlsTransport) else None
    door.close()

    assert [type(outcome) for outcome in outcomes] == [TlsTransport] * 4


def test_a_door_rests_as_the_one_below_does(door: TlsDoorway) -> None:
    assert (door.accept(0.0), door.due(), door.doors()) == (None, None, door._below.doors())


def raises(error: Exception) -> OSError:
    """Return what a transport makes of an error of an SSL socket."""

    def call(data: memoryview) -> int:
        raise error

    with pytest.raises(OSError) as caught:
        _translate(call, memoryview(b""))
    return caught.value


def test_errors_of_tls_become_what_a_transport_may_raise() -> None:
    reset = ConnectionResetError(errno.ECONNRESET, "reset")

    assert isinstance(raises(ssl.SSLWantReadError()), BlockingIOError)
    assert raises(reset) is reset
    for broken in (ssl.SSLEOFError(8, ""), ssl.SSLSyscallError(5, ""), ssl.SSLZeroReturnError(6, "")):
        assert reason_from_error(raises(broken), "h:1").code is ReasonCode.RESET


def test_a_server_without_a_certificate_is_told_at_both_ends(certificate: Certificate) -> None:
    bare = TlsNetwork(TCP, ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)).listen(LOOPBACK, 0)

    outcomes = connect(bare, certificate.client())
    bare.close()

    for code, text in map(code_and_text, outcomes):
        assert code is ReasonCode.BROKEN_TLS
        assert text.endswith("; did the server's context load its certificate, by load_cert_chain()?")


def test_a_break_during_the_handshake_is_told_from_a_disagreement() -> None:
    codes = [
        reason_from_error(_explain(error), "h:1").code
        for error in (ssl.SSLEOFError(8, ""), ssl.SSLZeroReturnError(6, ""), ssl.SSLSyscallError(5, ""))
    ]

    assert codes == [ReasonCode.BROKEN_TLS, ReasonCode.BROKEN_TLS, ReasonCode.RESET]


def test_a_tampered_stream_is_a_reason() -> None:
    error = raises(ssl.SSLError(1, "[SSL: SOMETHING] something\n"))

    assert isinstance(error, Explained)
    assert reason_from_error(error, "h:1") == Reason(
        ReasonCode.BROKEN_TLS, "h:1 and this end could not agree on TLS: [SSL: SOMETHING] something\\n"
    )


def test_other_errors_explain_themselves() -> None:
    error = OSError(errno.EIO, "broken")

    assert _explain(error) is error
