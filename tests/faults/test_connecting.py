"""Cases 1 to 14: what can go wrong before anybody is in."""

import errno
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bounds import as_long_as
from inside import has_link, link_of
from programs import DEADLINE, Start

import netcode
from benchmarks.ports import free_port
from netcode import Address, ReasonCode, State
from netcode.reasons import reason_from_error
from netcode.testing import MemoryNetwork
from netcode.transport import Connector, Network
from netcode.transport import tcp as tcp_module
from netcode.transport.tcp import TcpNetwork
from netcode.transport.tcp_socket import tune
from netcode.waiting import Descriptors

from .stage import TICK, Stage
from .wire import BYE, hello, message, welcome

CONNECT_TIMEOUT = 5.0


@pytest.fixture
def swallower() -> Iterator[Callable[[int], Address]]:
    """Make addresses at which connects are swallowed: their queue is full, and nobody ever takes anybody out."""
    sockets: list[socket.socket] = []

    def make(family: int) -> Address:
        listener = socket.socket(family)
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen(0)
        sockets.append(listener)
        for _ in range(4):
            guest = socket.socket(family)
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
            sockets.append(guest)
        return Address(*listener.getsockname()[:2])

    yield make
    for sock in sockets:
        sock.close()


class Resolver:
    """A name server that answers when it is told to."""

    def __init__(self, *answers: tuple[int, tuple[Any, ...]] | OSError) -> None:
        self.answers = answers
        self.asked = threading.Event()
        self.released = threading.Event()

    def __call__(self, host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        self.asked.set()
        assert self.released.wait(60)
        for answer in self.answers:
            if isinstance(answer, OSError):
                raise answer
        return [(a[0], socket.SOCK_STREAM, 6, "", a[1]) for a in self.answers if not isinstance(a, OSError)]


def until_answered(stage: Stage, client: netcode.Client, resolver: Resolver) -> None:
    """Let the name server answer, and the client hear it; its thread runs in real time."""
    resolver.released.set()
    deadline = time.monotonic() + DEADLINE
    while has_link(client) and (connecting := link_of(client).stream.connecting) is not None:
        connector = connecting._connector
        if not isinstance(connector, tcp_module.TcpConnector) or connector._lookup is None:
            break
        assert time.monotonic() < deadline
        netcode.wait(client, timeout=0.01)
        stage.actor(client).update()


class Unreachable:
    """A network that has no way to anywhere."""

    where = "far-away:7777"
    address: Address | None = None
    hint = ""

    def __init__(self, number: int) -> None:
        self._number = number

    def connect(self, host: str, port: int, now: float) -> Connector:
        return self

    def advance(self, now: float) -> netcode.Reason:
        return reason_from_error(OSError(self._number, os.strerror(self._number)), self.where)

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> None:
        return None

    def close(self) -> None:
        """There is nothing to close."""

    def listen(self, host: str, port: int) -> Any:
        raise NotImplementedError


@pytest.mark.fault(1, layer="memory")
def test_a_port_without_a_server_refuses_at_the_next_update(memory: Stage) -> None:
    memory.serve()
    client = memory.client(9)

    memory.play(TICK)

    assert client.reason is not None
    assert (client.reason.code, client.reason.text) == (
        ReasonCode.REFUSED,
        "nothing is listening on stage:9; is the server started?",
    )


@pytest.mark.fault(1, layer="loopback")
def test_a_real_port_without_a_server_refuses_at_the_next_update(loopback: Stage) -> None:
    loopback.serve()
    port = free_port()
    client = loopback.client(port)

    loopback.play(TICK)

    assert client.reason is not None
    assert client.reason.code is ReasonCode.REFUSED
    assert client.reason.text == f"nothing is listening on 127.0.0.1:{port}; is the server started?"
    assert client.reason.error is not None
    assert client.reason.error.errno == errno.ECONNREFUSED


@pytest.mark.fault(2, layer="memory")
def test_a_swallowed_connect_ends_by_our_own_timeout(memory: Stage) -> None:
    memory.serve()
    network = memory.network
    assert isinstance(network, MemoryNetwork)
    network.down = True
    client = memory.client()

    memory.play(CONNECT_TIMEOUT - 2 * TICK)
    waited = client.state
    memory.play(4 * TICK)

    assert waited is State.CONNECTING
    assert client.reason is not None
    assert client.reason.code is ReasonCode.CONNECT_TIMEOUT


@pytest.mark.fault(2, layer="loopback")
def test_a_connect_that_the_kernel_swallows_ends_by_our_own_timeout(
    loopback: Stage, swallower: Callable[[int], Address]
) -> None:
    loopback.serve()
    client = loopback.client(swallower(socket.AF_INET).port)

    loopback.play(CONNECT_TIMEOUT - 2 * TICK)
    waited = client.state
    loopback.play(4 * TICK)

    assert waited is State.CONNECTING
    assert client.reason is not None
    assert client.reason.code is ReasonCode.CONNECT_TIMEOUT


@pytest.mark.fault(3, layer="memory")
@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL])
def test_an_unreachable_host_is_told_at_once(memory: Stage, number: int) -> None:
    memory.serve()
    nowhere: Network = Unreachable(number)
    client = memory.client(7777, network=nowhere)

    memory.play(TICK)

    assert client.reason is not None
    assert client.reason.code is ReasonCode.UNREACHABLE
    assert client.reason.text.startswith("far-away:7777 cannot be reached from this computer")


@pytest.mark.fault(4, layer="loopback")
def test_a_slow_name_server_blocks_no_frame_and_has_a_deadline(loopback: Stage) -> None:
    loopback.serve()
    resolver = Resolver((socket.AF_INET, ("127.0.0.1", loopback.server.address.port)))
    client = loopback.client(host="slow.example", network=TcpNetwork(resolver))

    loopback.play(CONNECT_TIMEOUT - 2 * TICK)
    waited = client.state
    loopback.play(4 * TICK)

    assert waited is State.CONNECTING
    assert client.reason is not None
    assert client.reason.code is ReasonCode.CONNECT_TIMEOUT
    resolver.released.set()


@pytest.mark.fault(4, layer="loopback")
def test_a_name_server_that_answers_late_is_no_obstacle(loopback: Stage) -> None:
    loopback.serve()
    resolver = Resolver((socket.AF_INET, ("127.0.0.1", loopback.server.address.port)))
    client = loopback.client(host="slow.example", network=TcpNetwork(resolver))
    loopback.play(1.0)

    until_answered(loopback, client, resolver)
    loopback.until(lambda: client.state is State.CONNECTED)

    assert loopback.kinds(client) == ["Joined"]


@pytest.mark.fault(4, layer="loopback")
def test_a_name_that_is_found_after_close_goes_nowhere(loopback: Stage) -> None:
    loopback.serve()
    resolver = Resolver((socket.AF_INET, ("127.0.0.1", loopback.server.address.port)))
    client = loopback.client(host="slow.example", network=TcpNetwork(resolver))
    assert resolver.asked.wait(60)

    client.close()
    resolver.released.set()
    loopback.play(1.0)

    assert [e.reason.code for e in loopback.diary(client) if isinstance(e, netcode.Left)] == [ReasonCode.CLOSED]
    assert loopback.kinds(client) == ["Left"]


@pytest.mark.fault(5, layer="loopback")
def test_a_dead_ipv6_address_costs_a_quarter_of_a_second(loopback: Stage, swallower: Callable[[int], Address]) -> None:
    loopback.serve()
    dead = swallower(socket.AF_INET6)
    resolver = Resolver(
        (socket.AF_INET6, ("::1", dead.port, 0, 0)), (socket.AF_INET, ("127.0.0.1", loopback.server.address.port))
    )
    client = loopback.client(host="both.example", network=TcpNetwork(resolver))
    until_answered(loopback, client, resolver)

    seconds = loopback.until(lambda: client.state is State.CONNECTED)

    assert 0.25 - 2 * TICK <= seconds <= 0.25 + 6 * TICK
    assert client.peer is not None
    assert client.peer.address == loopback.server.address


@pytest.mark.fault(6, layer="loopback")
@pytest.mark.parametrize("host", ["a..b", "x" * 300, "-", "no\x00name", "ü" * 70])
def test_what_can_be_no_name_is_a_reason(loopback: Stage, host: str) -> None:
    loopback.serve()
    client = loopback.client(host=host)

    netcode.wait(client, timeout=10)
    reason = loopback.reason(client, 5.5)

    assert reason.code in {ReasonCode.NAME_NOT_FOUND, ReasonCode.CONNECT_TIMEOUT}
    assert len(reason.text) < 250


@pytest.mark.fault(6, layer="loopback")
@pytest.mark.parametrize("answer", [[socket.gaierror(socket.EAI_NONAME, "unknown")], []])
def test_a_name_without_an_address_is_a_reason(loopback: Stage, answer: list[OSError]) -> None:
    loopback.serve()
    resolver = Resolver(*answer)
    client = loopback.client(host="nobody.example", network=TcpNetwork(resolver))

    until_answered(loopback, client, resolver)
    reason = loopback.reason(client, 1.0)

    assert reason.code is ReasonCode.NAME_NOT_FOUND
    assert reason.text.startswith("the name nobody.example has no address")


@pytest.mark.fault(7, layer="loopback")
def test_a_client_that_meets_itself_is_refused(loopback: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.serve()
    port = free_port()

    def leave_by_that_port(sock: socket.socket) -> None:
        # What the kernel does by chance in a reconnect loop: it gives the socket the very port it connects to.
        tune(sock)
        sock.bind(("127.0.0.1", port))

    with monkeypatch.context() as patch:
        patch.setattr(tcp_module, "tune", leave_by_that_port)
        client = loopback.client(port)
        loopback.actor(client).update()
        reason = loopback.reason(client, 1.0)

    assert reason.code is ReasonCode.REFUSED
    assert reason.text == f"nothing is listening on 127.0.0.1:{port}; is the server started?"


@pytest.mark.fault(8, layer="loopback")
def test_a_kernel_that_accepts_for_a_stopped_server_is_no_welcome(loopback: Stage) -> None:
    loopback.serve()
    with socket.create_server(("127.0.0.1", 0)) as stopped:
        client = loopback.client(stopped.getsockname()[1])

        reason = loopback.reason(client)

    assert reason.code is ReasonCode.HANDSHAKE_TIMEOUT
    assert loopback.kinds(client) == ["Left"]


@pytest.mark.fault(8, layer="process")
@pytest.mark.process
def test_a_stopped_server_process_is_no_welcome(start: Start, loopback: Stage) -> None:
    loopback.serve()
    program = start("tests/faults/players.py", "serve")
    started = program.until(r"process (\d+) listening on (\d+)\n")
    os.kill(int(started[1]), signal.SIGSTOP)
    client = loopback.client(int(started[2]))

    reason = loopback.reason(client)

    assert reason.code is ReasonCode.HANDSHAKE_TIMEOUT
    assert loopback.kinds(client) == ["Left"]


STRANGERS = {
    "a web server": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "an SSH server": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a TLS server": b"\x15\x03\x01\x00\x02\x02\x46",
    "a mail or FTP server": b"220 mail.example ESMTP\r\n",
    "": bytes(range(160, 255)) * 600,
}


@pytest.mark.fault(9, layer="loopback")
@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_game_server_is_named_within_one_frame(loopback: Stage, name: str) -> None:
    loopback.serve()
    stranger = loopback.false_server(STRANGERS[name])
    client = loopback.client(stranger.address.port)

    loopback.until(lambda: bool(stranger.guests))
    loopback.play(2 * TICK)

    assert client.reason is not None
    assert client.reason.code is ReasonCode.NOT_NETCODE
    assert client.reason.text.startswith("that is not a netcode program, it looks like " + name if name else "that")


@pytest.mark.fault(9, layer="process")
@pytest.mark.process
@pytest.mark.parametrize("game", ["chess", "a game of several words", "\n"])
def test_a_real_web_server_is_named_at_once(start: Start, loopback: Stage, game: str) -> None:
    loopback.serve()
    web = start("-m", "http.server", "--bind", "127.0.0.1", "0")
    port = int(web.until(r"port (\d+)")[1])

    begin = time.monotonic()
    with netcode.Client("127.0.0.1", port, game=game, handshake_timeout=DEADLINE) as client:
        for _ in as_long_as(lambda: client.state is State.CONNECTING):
            client.wait(1.0)
            client.update()
    seconds = time.monotonic() - begin

    assert client.reason is not None
    assert client.reason.code is ReasonCode.NOT_NETCODE
    assert re.match("that is not a netcode program, it looks like a web (or XML )?server", client.reason.text)
    assert seconds < DEADLINE / 2  # long before HANDSHAKE_TIMEOUT


@pytest.mark.fault(9, layer="memory")
def test_a_web_browser_at_the_door_is_sent_away(memory: Stage, caplog: pytest.LogCaptureFixture) -> None:
    memory.serve()
    browser = memory.stranger()

    browser.say(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    memory.play(4 * TICK)

    assert browser.told(BYE)[0][0] == ReasonCode.NOT_NETCODE.value
    assert "it looks like a web browser" in caplog.text


@pytest.mark.fault(10, layer="memory")
@pytest.mark.parametrize(
    ("game", "version", "code"), [("chess", "1", ReasonCode.WRONG_VERSION), ("go", "2", ReasonCode.WRONG_GAME)]
)
def test_another_game_or_version_is_named_at_both_ends(
    memory: Stage, caplog: pytest.LogCaptureFixture, game: str, version: str, code: ReasonCode
) -> None:
    memory.serve(game="chess", version="2")
    client = memory.client(game=game, version=version)

    reason = memory.reason(client)

    assert (reason.code, reason.text) == (code, f"the server runs chess 2, this is {game} {version}; get the same one")
    assert reason.text in caplog.text


@pytest.mark.fault(10, layer="memory")
def test_a_client_of_another_protocol_is_told_both_versions(memory: Stage, caplog: pytest.LogCaptureFixture) -> None:
    memory.serve()
    other = memory.stranger()

    other.say(hello(protocol=2))
    memory.play(4 * TICK)

    code, text = other.told(BYE)[0]
    assert code == ReasonCode.WRONG_PROTOCOL.value
    assert text == "the client speaks protocol 2, this server speaks 1; update the older of the two"
    assert text in caplog.text


@pytest.mark.fault(10, layer="memory")
def test_a_server_of_another_protocol_is_told_both_versions(memory: Stage) -> None:
    memory.serve()
    other = memory.false_server(welcome(protocol=2))
    client = memory.client(other.address.port)

    reason = memory.reason(client)
    memory.play(4 * TICK)

    assert reason.code is ReasonCode.WRONG_PROTOCOL
    assert reason.text == "the server speaks protocol 2, this client speaks 1; update the older of the two"
    assert other.guests[0].told(BYE)[0] == [reason.code.value, reason.text]


@pytest.mark.fault(11, layer="memory")
def test_more_than_the_servers_max_message_ends_the_link_of_the_client_that_sends_it(memory: Stage) -> None:
    memory.serve(max_message=8_192)
    client = memory.join(max_message=16_384)
    peer = memory.newest()

    with pytest.raises(netcode.MessageTooLarge, match="max_message is 8192 here and 4096 for an envelope"):
        peer.send(bytes(12_288))
    client.send(bytes(8_189))
    peer.send(bytes(12_285))
    memory.play(4 * TICK)
    client.send(bytes(8_190))
    memory.play(4 * TICK)

    assert memory.received(client) == [bytes(12_285)]
    assert memory.received(memory.server, peer) == [bytes(8_189)]
    assert memory.reason(client).code is ReasonCode.TOO_LARGE
    assert memory.fate(peer).code is ReasonCode.TOO_LARGE


def connecting(stage: Stage) -> netcode.Client:
    return stage.client()


def greeting(stage: Stage) -> netcode.Client:
    client = stage.client(stage.false_server().address.port)
    stage.play(4 * TICK)
    return client


def connected(stage: Stage) -> netcode.Client:
    return stage.join()


def away(stage: Stage) -> netcode.Client:
    client = stage.join()
    link_of(client).stream._broke(ConnectionResetError(errno.ECONNRESET, "cut by the test"))
    stage.until(lambda: "Away" in stage.kinds(client))
    return client


def disconnecting(stage: Stage) -> netcode.Client:
    client = stage.join()
    client.send(bytes(60_000))
    client.close_nicely()
    return client


def disconnected(stage: Stage) -> netcode.Client:
    client = stage.client(9)
    stage.reason(client)
    return client


STATES = [connecting, greeting, connected, away, disconnecting, disconnected]


@pytest.mark.fault(13, layer="memory")
@pytest.mark.parametrize("bring", STATES)
@pytest.mark.parametrize("nicely", [False, True])
def test_a_client_closes_once_in_every_state(
    memory: Stage, bring: Callable[[Stage], netcode.Client], nicely: bool
) -> None:
    memory.serve()
    client = bring(memory)

    for _ in range(2):
        if nicely:
            client.close_nicely("enough")
        client.close()
        client.send("ignored")
        client.update()
    memory.play(1.0)

    assert client.state is State.DISCONNECTED
    assert memory.kinds(client).count("Left") == 1


@pytest.mark.fault(13, layer="loopback")
@pytest.mark.parametrize("bring", STATES)
def test_a_real_client_closes_once_in_every_state(loopback: Stage, bring: Callable[[Stage], netcode.Client]) -> None:
    loopback.serve()
    client = bring(loopback)

    client.close()
    client.close()
    loopback.play(1.0)

    assert loopback.kinds(client).count("Left") == 1


@pytest.mark.fault(13, layer="memory")
def test_closing_while_events_are_handled_ends_each_peer_once(memory: Stage) -> None:
    server = memory.serve()
    clients = [memory.join() for _ in range(3)]
    for client in clients:
        client.send("one")
        client.send("two")
    memory.actor(server).takes_events = False
    memory.play(4 * TICK)
    before = server.events()

    for event in before:
        event.peer.close()
        event.peer.close_nicely("too late")
    memory.diary(server).extend(before)
    memory.actor(server).takes_events = True
    reasons = [memory.reason(client) for client in clients]

    assert [reason.code for reason in reasons] == [ReasonCode.GOODBYE] * 3
    assert memory.kinds(server).count("Left") == 3


@pytest.mark.fault(14, layer="loopback")
def test_a_thousand_clients_of_one_frame_leave_nothing_over(loopback: Stage) -> None:
    loopback.serve(max_peers_per_address=2_000, max_pending=2_000)
    clients: list[netcode.Client] = []

    for i in range(1_000):
        client = netcode.Client("127.0.0.1", loopback.server.address.port, clock=loopback.clock)
        if i % 3:
            client.update()
        client.close()
        clients.append(client)
    last = loopback.join()
    loopback.play(1.0)

    assert [[type(e) for e in client.events()] for client in clients] == [[netcode.Left]] * 1_000
    assert loopback.kinds(last) == ["Joined"]
    assert loopback.received(last) == []


@pytest.mark.fault(14, layer="memory")
def test_what_was_meant_for_the_old_link_never_reaches_the_new_one(memory: Stage) -> None:
    server = memory.serve()
    old = memory.join(resume=False)
    peer = memory.newest()

    peer.send("for the old one")
    old.close()
    new = memory.join()
    memory.play(1.0)

    assert memory.received(new) == []
    assert memory.fate(peer).code is ReasonCode.GOODBYE
    assert server.peers[-1] is memory.newest()


@pytest.mark.fault(14, layer="memory")
def test_a_message_before_the_greeting_is_refused(memory: Stage) -> None:
    memory.serve()
    rude = memory.stranger()
    early = memory.false_server(message("early") + welcome())
    client = memory.client(early.address.port)

    rude.say(message("early"), hello())
    reason = memory.reason(client)
    memory.play(4 * TICK)

    assert rude.told(BYE)[0][0] == ReasonCode.MALFORMED.value
    assert reason.code is ReasonCode.MALFORMED
