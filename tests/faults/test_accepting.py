"""Cases 15 to 22: what can go wrong at the door."""

import errno
import logging
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
from bounds import until
from inside import doorway_of, link_of, links_of, origins_of

import netcode
from netcode import Address, ReasonCode, State
from netcode.address import bucket, from_socket
from netcode.stream.driver import descriptors
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport.tcp_listener import SHORTAGE_PAUSE, TcpDoorway

from .stage import TICK, Stage
from .wire import BYE, hello

ACCEPTS_PER_UPDATE = 64
TOLD_AT_THE_DOOR = 16
HANDSHAKE_TIMEOUT = 3.0
NO_LINGER = struct.pack("ii", 1, 0)


def knock(stage: Stage, count: int = 1) -> list[socket.socket]:
    """Connect real sockets that say nothing."""
    return [socket.create_connection(stage.server.address, timeout=5) for _ in range(count)]


@contextmanager
def no_more_descriptors() -> Generator[None]:
    """Let this process open no further descriptor."""
    import resource  # unknown to Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = [os.open(os.devnull, os.O_RDONLY)]
    while fillers[-1] < 200:  # the limit is on the number of the descriptor, so no number below it may be free
        fillers.append(os.dup(fillers[0]))
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    while fillers[-1] < highest:
        fillers.append(os.dup(fillers[0]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1] + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


class EmptyTable:
    """A listening socket of a system that has no room for another file (ENFILE)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.asked = 0

    def accept(self) -> Any:
        self.asked += 1
        raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def is_told(sock: socket.socket) -> bool:
    """Tell whether somebody was sent away with a reason, and not reset."""
    try:
        return b"as many connections as its system lets it have" in sock.recv(4096)
    except BlockingIOError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="counts the descriptors in /proc")
@pytest.mark.fault(15, layer="loopback")
def test_without_descriptors_the_door_rests_and_recovers(loopback: Stage, caplog: pytest.LogCaptureFixture) -> None:
    server = loopback.serve()
    sockets = [socket.socket() for _ in range(5)]
    with ExitStack() as closing:
        for sock in sockets:
            closing.enter_context(sock).setblocking(False)
        with no_more_descriptors():
            for sock in sockets:
                sock.connect_ex(server.address)
            loopback.play(3 * SHORTAGE_PAUSE)
            resting = doorway_of(server).doors()
            warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
            joined = loopback.kinds(server).count("Joined")
        told = [sock for sock in sockets if is_told(sock)]

        loopback.play(2 * SHORTAGE_PAUSE)
        newcomer = loopback.join()

    assert resting == ()
    assert 1 <= len(told) < len(sockets)
    assert [r.getMessage() for r in warnings] == [
        f"{server.address}: cannot accept: Too many open files; is the limit of open files too low?"
    ]
    assert joined == 1
    assert loopback.kinds(newcomer) == ["Joined"]


@pytest.mark.fault(15, layer="loopback")
def test_a_system_without_files_is_asked_ten_times_a_second(loopback: Stage, caplog: pytest.LogCaptureFixture) -> None:
    server = loopback.serve()
    door = doorway_of(server)
    assert isinstance(door, TcpDoorway)
    table = EmptyTable(door._socket)
    with ExitStack() as closing:
        closing.enter_context(knock(loopback)[0])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(door, "_socket", table)

            loopback.play(1.0)
        loopback.play(0.2)

    # Each rest asks once more, to turn one of them away with the descriptor that is kept for it.
    assert 10 <= table.asked <= 22
    assert len([r for r in caplog.records if "cannot accept" in r.getMessage()]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="counts the descriptors in /proc")
@pytest.mark.fault(15, layer="loopback")
def test_a_door_that_rests_does_not_wake_a_waiting_server(loopback: Stage) -> None:
    server = netcode.Server("127.0.0.1", 0)
    with server, ExitStack() as closing:
        sock = closing.enter_context(socket.socket())
        sock.setblocking(False)
        with no_more_descriptors():
            sock.connect_ex(server.address)
            begin, cpu, wakes = time.monotonic(), time.process_time(), 0
            while time.monotonic() - begin < 0.5:
                server.wait(0.25)
                server.update()
                wakes += 1

    assert wakes < 40
    assert time.process_time() - cpu < 0.25
    loopback.serve()


@pytest.mark.fault(16, layer="loopback")
def test_who_resets_before_the_door_opens_is_passed_over(loopback: Stage) -> None:
    loopback.serve()
    for sock in knock(loopback, 20):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        sock.close()

    newcomer = loopback.join()

    assert loopback.kinds(newcomer) == ["Joined"]
    assert loopback.kinds(loopback.server).count("Joined") == 2


@pytest.mark.fault(16, layer="loopback")
@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.ENOTCONN, errno.EPROTO, errno.ENETDOWN])
def test_an_accept_that_fails_for_one_takes_the_next(loopback: Stage, number: int) -> None:
    server = loopback.serve()
    door = doorway_of(server)
    assert isinstance(door, TcpDoorway)
    failures = [OSError(number, os.strerror(number))] * 3

    class Fails(EmptyTable):
        def accept(self) -> Any:
            if failures:
                raise failures.pop()
            return self._socket.accept()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "_socket", Fails(door._socket))
        newcomer = loopback.join()

    assert failures == []
    assert loopback.kinds(newcomer) == ["Joined"]


@pytest.mark.fault(17, layer="loopback")
def test_a_flood_of_connects_from_one_address_is_capped_and_told(loopback: Stage) -> None:
    server = loopback.serve(max_peers_per_address=10)
    flood = knock(loopback, 300)
    before = len(links_of(server))

    loopback.play(TICK)
    after_one_update = len(links_of(server))
    told_in_one_update, _, _ = select.select(flood, [], [], 0)
    loopback.play(10 * TICK)
    after_all = len(links_of(server))
    speaks, silent = flood[9:17], flood[17 : 9 + TOLD_AT_THE_DOOR]
    for sock in speaks:
        sock.sendall(hello())
    loopback.play(HANDSHAKE_TIMEOUT + TICK)
    refused = [bye_of(sock) for sock in [*speaks, *flood[9 + TOLD_AT_THE_DOOR :]]]
    waited_for = [bye_of(sock)[0] for sock in [*flood[:9], *silent]]
    loopback.play(10 * TICK)

    assert (before, after_one_update, after_all) == (1, 10 + TOLD_AT_THE_DOOR, 10 + TOLD_AT_THE_DOOR)
    assert len(told_in_one_update) == ACCEPTS_PER_UPDATE - 9 - TOLD_AT_THE_DOOR
    text = "too many are playing from your address already; try again later"
    assert refused == [(ReasonCode.TOO_MANY, text)] * (291 - len(silent))
    assert waited_for == [ReasonCode.HANDSHAKE_TIMEOUT] * (9 + len(silent))
    for sock in flood:
        sock.close()


def bye_of(sock: socket.socket) -> tuple[ReasonCode, str]:
    """Read the goodbye that a socket was sent, which ends its stream."""
    data = b""
    sock.settimeout(10)
    while part := sock.recv(4096):
        data += part
    assert data[4:7] == bytes((0xC7, len(data) - 7, 78))
    _, code, text = msgpack.unpackb(data[7:])
    return ReasonCode(code), text


@pytest.mark.fault(17, layer="memory")
def test_a_flood_of_greetings_does_not_keep_others_out(memory: Stage) -> None:
    memory.serve(max_peers_per_address=400, max_pending=100)

    for _ in range(20):
        for _ in range(10):
            memory.stranger().say(hello())
        memory.play(TICK)
    newcomer = memory.client()

    assert memory.until(lambda: newcomer.state is State.CONNECTED) < 1.0


class Origins(MemoryNetwork):
    """A network whose clients come from the addresses that the test gives."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.next_address = "127.0.0.1"

    def make_link(self, server: Address) -> Any:
        there, back = super().make_link(server)
        back.address = from_socket((self.next_address, self.free_port()))
        return there, back


@pytest.mark.fault(18, layer="memory")
@pytest.mark.parametrize(
    ("first", "second", "other"),
    [
        ("10.1.2.3", "::ffff:10.1.2.3", "10.1.2.4"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"),
        ("fe80::1%eth0", "fe80::2%eth0", "fe81::1%eth0"),
    ],
)
def test_one_place_of_origin_has_one_share(memory: Stage, first: str, second: str, other: str) -> None:
    network = memory.network = Origins(memory.clock)
    memory.serve(max_peers_per_address=1)

    network.next_address = first
    memory.join()
    network.next_address = second
    same = memory.reason(memory.client())
    network.next_address = other
    elsewhere = memory.join()

    assert same.code is ReasonCode.TOO_MANY
    assert elsewhere.state is State.CONNECTED


@pytest.mark.fault(18, layer="loopback")
def test_an_ipv4_client_of_a_dual_stack_server_shows_as_ipv4(loopback: Stage) -> None:
    server = netcode.Server("", 0, clock=loopback.clock, max_peers_per_address=1)
    with server, socket.create_connection(("127.0.0.1", server.address.port)) as first:
        server.update()
        with socket.create_connection(("127.0.0.1", server.address.port), timeout=5) as second:
            second.sendall(hello())
            for _ in until(lambda: select.select([second], [], [], 0.01)[0]):
                server.update()
            refusal = bye_of(second)

            addresses = [bucket(link.stream.remote_address) for link in links_of(server) if link.stream.remote_address]

        assert addresses == ["127.0.0.1", "127.0.0.1"]
        assert {bucket(Address(*first.getsockname())), *origins_of(server)} == {"127.0.0.1"}
        assert refusal[0] is ReasonCode.TOO_MANY
    loopback.serve()


@pytest.mark.fault(19, layer="memory")
def test_who_never_speaks_is_gone_at_the_handshake_deadline(memory: Stage) -> None:
    memory.serve()
    silent = memory.stranger()

    seconds = memory.until(lambda: bool(silent.told(BYE)))

    assert HANDSHAKE_TIMEOUT - 2 * TICK <= seconds <= HANDSHAKE_TIMEOUT + 2 * TICK
    assert silent.told(BYE)[0][0] == ReasonCode.HANDSHAKE_TIMEOUT.value


@pytest.mark.fault(19, layer="memory")
def test_a_byte_a_second_does_not_buy_time(memory: Stage) -> None:
    memory.serve()
    slow = memory.stranger()
    begin = memory.clock()

    for byte in hello():
        slow.say(bytes((byte,)))
        memory.play(0.5)
        if slow.told(BYE):
            break

    assert HANDSHAKE_TIMEOUT <= memory.clock() - begin <= HANDSHAKE_TIMEOUT + 0.6
    assert slow.told(BYE)[0][0] == ReasonCode.HANDSHAKE_TIMEOUT.value


@pytest.mark.fault(19, layer="memory")
def test_those_who_wait_at_the_door_have_a_cap_of_their_own(memory: Stage) -> None:
    memory.serve(max_pending=5)
    waiting = [memory.stranger() for _ in range(5)]
    memory.play(2 * TICK)

    turned_away = memory.stranger()
    memory.play(2 * TICK)
    code, text = turned_away.told(BYE)[0]
    memory.play(HANDSHAKE_TIMEOUT + 1.0)
    newcomer = memory.join()

    assert code == ReasonCode.SERVER_FULL.value
    assert text == "the server is busy: many want to come in; try again in a moment"
    assert [guest.told(BYE)[0][0] for guest in waiting] == [ReasonCode.HANDSHAKE_TIMEOUT.value] * 5
    assert newcomer.state is State.CONNECTED


@pytest.mark.fault(20, layer="loopback")
def test_a_backlog_of_those_who_left_is_passed_within_the_frame(loopback: Stage) -> None:
    server = loopback.serve()
    actor = loopback.actor(server)
    actor.frozen = True  # the server's process is stopped; its kernel goes on accepting
    gone = knock(loopback, 500)
    for i, sock in enumerate(gone):
        if i % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        sock.close()
    newcomer = loopback.client()
    loopback.play(2.5)  # the newcomer's own deadline is at three seconds
    actor.frozen = False

    seconds = loopback.until(lambda: newcomer.state is State.CONNECTED)
    loopback.play(2 * TICK)

    assert seconds <= 12 * TICK  # 64 in each update
    actor.costs_less_than(0.03)
    assert len(links_of(server)) == 2


@pytest.mark.fault(21, layer="loopback")
def test_a_second_server_on_the_port_is_told_so(loopback: Stage) -> None:
    server = loopback.serve()

    with pytest.raises(OSError, match=r"the port is taken; is another server running on it\?") as raised:
        netcode.Server("127.0.0.1", server.address.port)

    assert raised.value.errno == errno.EADDRINUSE


@pytest.mark.fault(21, layer="loopback")
def test_a_server_restarts_while_its_old_links_are_in_time_wait(loopback: Stage) -> None:
    first = loopback.serve()
    clock = loopback.clock
    old = netcode.Server("127.0.0.1", 0, clock=clock)
    client = loopback.client(old.address.port)
    for _ in range(5):
        old.update()
        loopback.play(TICK)
    old.close()  # the server ends first, so the TIME_WAIT is on its side
    loopback.reason(client)

    with netcode.Server("127.0.0.1", old.address.port, clock=clock) as new:
        assert new.address == old.address
    assert first.state is State.CONNECTED


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has its own limits")
@pytest.mark.fault(22, layer="loopback")
def test_descriptors_above_1024_are_like_any_other(loopback: Stage) -> None:
    import resource  # unknown to Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1_300:
        pytest.skip(f"this process may have {hard} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_300), hard))
    fillers = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    try:
        server = loopback.serve()
        client = loopback.join()
        client.send("from above")
        read = descriptors(link_of(client).stream)[0]
        woken = netcode.wait(client, server, timeout=5)
        loopback.play(4 * TICK)
    finally:
        for filler in fillers:
            os.close(filler)

    assert read[0] > 1_024
    assert woken
    assert loopback.received(server) == ["from above"]
