"""TCP: racing with fake look-ups."""

import errno
import gc
import os
import socket
import sys
import threading
from typing import Any

import pytest
from bounds import Patience, until
from loopback import LOOPBACK, accept, needs_ipv6, settle

from benchmarks.ports import free_port
from netcode.reasons import NEEDS_ZONE, Reason, ReasonCode
from netcode.transport import tcp as module
from netcode.transport.lookup import MAX_LOOKUPS
from netcode.transport.tcp import ATTEMPT_DELAY, LOOKUP_PAUSE, TCP, TcpConnector, TcpNetwork
from netcode.transport.tcp_listener import Listener
from netcode.transport.tcp_socket import TcpTransport, tune
from netcode.waiting import CustomWaiter, wait


def test_where_nothing_listens_a_connect_is_refused() -> None:
    port = free_port()

    reason = settle(TCP.connect(LOOPBACK, port, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUSED
    assert reason.text == f"nothing is listening on 127.0.0.1:{port}; is the server started?"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux lets a socket connect to itself")
def test_a_socket_connected_to_itself_counts_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()

    def tune_and_bind(sock: socket.socket) -> None:
        tune(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, port))  # the kernel may choose this one by itself, if rarely

    monkeypatch.setattr(module, "tune", tune_and_bind)

    reason = settle(TCP.connect(LOOPBACK, port, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUSED


def test_misuse_raises_at_the_call() -> None:
    with pytest.raises(ValueError, match="both must be given"):
        TCP.connect("", 7777, 0.0)
    with pytest.raises(TypeError, match="host must be a str, not int"):
        Listener(127001, 0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="port must be from 0 to 65535"):
        Listener("", -1)


class Names:
    """A resolver that answers when it is told to."""

    def __init__(self, *hosts: str, error: OSError | None = None) -> None:
        self.hosts = hosts
        self.error = error
        self.told = threading.Event()
        self.told.set()

    def __call__(self, host: str, port: int, **options: object) -> list[tuple[Any, ...]]:
        assert self.told.wait(60)
        if self.error is not None:
            raise self.error
        return [
            (socket.AF_INET6, 1, 6, "", (one, port, 0, 0)) if ":" in one else (socket.AF_INET, 1, 6, "", (one, port))
            for one in self.hosts
        ]


class BlackHole:
    """Lets connects to some addresses go unanswered, as a firewall that drops them does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
        self.tried: list[str] = []
        hole = self

        class Socket(socket.socket):
            def connect_ex(self, address: Any, /) -> int:
                hole.tried.append(address[0])
                return errno.EINPROGRESS if address[0] in hosts else super().connect_ex(address)

        monkeypatch.setattr(socket, "socket", Socket)


def test_a_connect_that_asks_nobody_can_be_waited_for_from_the_beginning(listener: Listener) -> None:
    connector = TCP.connect(LOOPBACK, listener.address.port, 0.0)

    woken = wait(CustomWaiter(*connector.descriptors()), timeout=10.0)
    due = connector.due()
    transport = connector.advance(0.0)

    assert (woken, due) == (True, None)
    assert isinstance(transport, TcpTransport)
    transport.close()
    accept(listener).close()


def test_a_connect_that_fails_at_once_wakes_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Socket(socket.socket):
        def connect_ex(self, address: Any, /) -> int:
            return errno.EHOSTUNREACH

    monkeypatch.setattr(socket, "socket", Socket)
    connector = TCP.connect("localhost", 7777, 0.0)

    woken = wait(CustomWaiter(*connector.descriptors()), timeout=10.0)
    due = connector.due()
    reason = connector.advance(0.0)

    assert (woken, due) == (True, 0.0)
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.UNREACHABLE
    assert connector.descriptors() == ([], [], [])


def test_a_name_is_looked_up_and_connected_to(listener: Listener) -> None:
    names = Names(LOOPBACK)
    names.told.clear()
    connector = TcpNetwork(names).connect("game.example", listener.address.port, 0.0)

    early = connector.advance(0.0), connector.due(), len(connector.descriptors()[0])
    names.told.set()
    transport = settle(connector)

    assert early == (None, None, 1)
    assert isinstance(transport, TcpTransport)
    assert transport.address == listener.address
    transport.close()
    accept(listener).close()


def test_a_dead_ipv6_address_costs_a_quarter_of_a_second(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    hole = BlackHole(monkeypatch, "2001:db8::1")
    connector = TcpNetwork(Names("2001:db8::1", LOOPBACK)).connect("game.example", listener.address.port, 0.0)
    for _ in until(lambda: connector._attempts):
        connector.advance(10.0)
        wait(CustomWaiter(*connector.descriptors()), timeout=0.1)

    early = connector.advance(10.0 + ATTEMPT_DELAY * 0.99), [*hole.tried], connector.due()
    loser = connector._attempts[0]
    transport = settle(connector, 10.0 + ATTEMPT_DELAY)

    assert early == (None, ["2001:db8::1"], 10.0 + ATTEMPT_DELAY)
    assert hole.tried == ["2001:db8::1", LOOPBACK]
    assert isinstance(transport, TcpTransport)
    assert transport.address == listener.address
    assert (loser.fileno(), connector._attempts, connector.due()) == (-1, [], None)
    transport.close()
    accept(listener).close()


def test_an_address_that_fails_at_once_costs_nothing(listener: Listener) -> None:
    port = listener.address.port
    connector = TcpNetwork(Names("::1", LOOPBACK)).connect("game.example", port, 0.0)

    transport = settle(connector)

    assert isinstance(transport, TcpTransport)
    transport.close()
    accept(listener).close()


def test_of_all_failures_a_refusal_says_most(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"192.0.2.1": errno.EHOSTUNREACH, "192.0.2.2": errno.ECONNREFUSED, "192.0.2.3": errno.ENETUNREACH}

    class Socket(socket.socket):
        def connect_ex(self, address: Any, /) -> int:
            return answers[address[0]]

    monkeypatch.setattr(socket, "socket", Socket)

    reason = settle(TcpNetwork(Names(*answers)).connect("game.example", 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUSED
    assert reason.error is not None
    assert reason.error.errno == errno.ECONNREFUSED


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), OSError("a broken stack")])
def test_a_connect_that_raises_is_a_reason(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    class Socket(socket.socket):
        def connect_ex(self, address: object, /) -> int:
            raise error

    monkeypatch.setattr(socket, "socket", Socket)

    reason = settle(TCP.connect(LOOPBACK, 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.NETWORK
    assert reason.error is not None
    assert reason.error.errno == (error.errno or errno.EINVAL)


def test_a_connect_without_descriptors_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*arguments: object) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "socket", none_left)

    reason = settle(TCP.connect(LOOPBACK, 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.NO_DESCRIPTORS


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (Names(), ReasonCode.NAME_NOT_FOUND),
        (Names(error=socket.gaierror(socket.EAI_NONAME, "unknown")), ReasonCode.NAME_NOT_FOUND),
        (Names(error=OSError(errno.EMFILE, "too many")), ReasonCode.NO_DESCRIPTORS),
    ],
)
def test_a_name_that_leads_nowhere_is_a_reason(names: Names, code: ReasonCode) -> None:
    reason = settle(TcpNetwork(names).connect("gmae.example", 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is code
    if code is ReasonCode.NAME_NOT_FOUND:
        assert reason.text == "the name gmae.example has no address; is it spelled right, and is this computer online?"


@pytest.mark.parametrize("host", ["192.168.1.300", "192.168.1,5", "192.168.1.1.1", "192.168.1.5."])
def test_an_address_that_is_mistyped_is_no_name(host: str) -> None:
    reason = settle(TcpNetwork(Names()).connect(host, 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.NAME_NOT_FOUND
    assert reason.text.startswith(f"{host} is no address; an IPv4 address has four numbers from 0 to 255")


@needs_ipv6
def test_a_name_of_a_link_local_address_alone_is_told_to_name_the_interface() -> None:
    reason = settle(TcpNetwork(Names("fe80::7")).connect("printer.example", 7777, 0.0))

    assert isinstance(reason, Reason)
    assert (reason.code, reason.text) == (
        ReasonCode.UNREACHABLE,
        f"printer.example:7777 cannot be reached: {NEEDS_ZONE}",
    )


@pytest.mark.parametrize("host", ["a" * 300, "bad..label", "new\nline.example"])
def test_a_name_that_cannot_be_one_is_a_reason_safe_to_print(host: str) -> None:
    reason = settle(TCP.connect(host, 7777, 0.0))

    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.NAME_NOT_FOUND
    assert reason.text.isprintable()
    assert len(reason.text) < 200


def test_who_waits_for_a_name_learns_that_it_is_the_name_servers_that_are_silent(listener: Listener) -> None:
    names = Names(LOOPBACK)
    names.told.clear()
    connector = TcpNetwork(names).connect("game.example", listener.address.port, 0.0)
    known = TcpNetwork(names).connect(LOOPBACK, listener.address.port, 0.0)

    hints = connector.hint, known.hint
    names.told.set()
    transport = settle(connector)

    assert hints == ("was not found in time: no name server answered; is this computer online?", TcpConnector.hint)
    assert connector.hint == TcpConnector.hint
    assert isinstance(transport, TcpTransport)
    known.close()
    transport.close()
    accept(listener).close()


def test_a_look_up_that_waits_for_its_turn_is_looked_at_now_and_then(listener: Listener) -> None:
    names = Names(LOOPBACK)
    names.told.clear()
    network = TcpNetwork(names)
    busy = [network.connect(f"busy{number}.example", 7777, 0.0) for number in range(MAX_LOOKUPS)]
    last = network.connect("last.example", listener.address.port, 0.0)

    before = last.due(), last.advance(5.0), last.due(), last.descriptors()
    names.told.set()
    for connector in busy:
        patient = Patience()
        while patient() and connector._lookup is not None and connector._lookup.poll() is None:
            wait(CustomWaiter(*connector.descriptors()), timeout=0.1)
        connector.close()
    transport = settle(last)

    assert before == (0.0, None, 5.0 + LOOKUP_PAUSE, ([], [], []))
    assert isinstance(transport, TcpTransport)
    transport.close()
    accept(listener).close()


def test_a_connect_given_up_closes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    BlackHole(monkeypatch, "192.0.2.1", "192.0.2.2")
    under_way = TCP.connect("192.0.2.1", 7777, 0.0)
    dropped: Any = TCP.connect("192.0.2.2", 7777, 0.0)
    asked = TcpNetwork(Names(LOOPBACK)).connect("game.example", 7777, 0.0)
    assert under_way.advance(0.0) is None
    assert dropped.advance(0.0) is None
    socks = [*under_way._attempts, *dropped._attempts]
    waits = under_way.descriptors()

    under_way.close()
    under_way.close()
    asked.close()
    cycle = [dropped]
    cycle.append(cycle)
    del dropped, cycle
    gc.collect()

    assert (waits[0], len(waits[1])) == ([], 1)
    assert [sock.fileno() for sock in socks] == [-1, -1]


def test_a_connector_that_never_came_to_be_is_dropped_in_silence() -> None:
    with pytest.raises(ValueError, match="port"):
        TcpNetwork().connect("host", 70_000, 0.0)

    TcpConnector.__new__(TcpConnector)
    TcpTransport.__new__(TcpTransport)
    gc.collect()


def test_the_network_listens_as_a_listener_does() -> None:
    listener = TCP.listen(LOOPBACK, 0)

    assert isinstance(listener, Listener)
    listener.close()
