"""Cases 41 to 51: links that fall silent, crawl or stutter, and clocks that lie."""

import ast
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bounds import as_long_as
from inside import link_of, stream_of
from programs import Start

import netcode
from netcode import ReasonCode, State
from netcode.testing import FakeClock, MemoryNetwork, play

from .stage import TICK, Stage
from .wire import BYE, PING, PONG, control, hello

TIMEOUT = 10.0
PING_INTERVAL = 1.0
GRACE = 10.0
PACKAGE = Path(netcode.__file__).parent


def network_of(stage: Stage) -> MemoryNetwork:
    """Return the network in memory of a stage, whose links the test will make bad for everybody."""
    network = stage.network
    assert isinstance(network, MemoryNetwork)
    stage.calm = False
    return network


class Mute:
    """One direction of one link that carries nothing any more, and tells nobody."""

    def __init__(self, client: netcode.Client, upwards: bool) -> None:
        transport: Any = link_of(client).stream.transport
        lane = transport._outgoing if upwards else transport._incoming
        lane.advance = self._nothing

    @staticmethod
    def _nothing(*_: object) -> int:
        return 0


def count_up(stage: Stage, client: netcode.Client, peer: netcode.Peer, seconds: float) -> int:
    """Send numbers both ways at a steady pace, and return how many were sent each way."""
    count = round(seconds * 20)
    for i in range(count):
        client.send(i)
        peer.send(i)
        stage.play(1 / 20)
    return count


@pytest.mark.fault(41, layer="memory")
@pytest.mark.parametrize("resume", [False, True])
def test_after_a_power_cut_both_ends_know_at_the_idle_timeout(memory: Stage, resume: bool) -> None:
    server = memory.serve()
    client = memory.join(resume=resume)
    peer = memory.newest()
    memory.play(3.0)
    Mute(client, upwards=True)
    Mute(client, upwards=False)
    begin = memory.clock()
    told: dict[str, float] = {}

    word = "Away" if resume else "Left"
    for _ in as_long_as(lambda: len(told) < 2):
        memory.play(TICK)
        for name, end in (("client", client), ("server", server)):
            if word in memory.kinds(end):
                told.setdefault(name, memory.clock() - begin)

    # What was heard last may have come a ping before the cut.
    assert all(TIMEOUT - PING_INTERVAL - TICK <= seconds <= TIMEOUT + 3 * TICK for seconds in told.values())
    if not resume:
        assert memory.fate(peer).code is ReasonCode.TIMEOUT


@pytest.mark.fault(42, layer="memory")
@pytest.mark.parametrize("upwards", [False, True])
def test_when_one_direction_is_dropped_both_ends_know(memory: Stage, upwards: bool) -> None:
    memory.serve()
    client = memory.join(resume=False)
    peer = memory.newest()
    memory.play(3.0)
    Mute(client, upwards)
    begin = memory.clock()

    reasons = {memory.reason(client).code, memory.fate(peer).code}

    assert memory.clock() - begin <= TIMEOUT + 0.1
    assert ReasonCode.TIMEOUT in reasons
    assert reasons <= {ReasonCode.TIMEOUT, ReasonCode.CLOSED_BY_PEER}


@pytest.mark.fault(43, layer="memory")
def test_a_peer_that_stops_for_a_second_survives(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()
    memory.play(2.0)

    memory.actor(client).frozen = True
    memory.play(1.0)
    peer.send("while you slept")
    memory.actor(client).frozen = False
    memory.play(1.0)

    assert memory.received(client) == ["while you slept"]
    assert memory.kinds(server) == ["Joined", "Joined"]


@pytest.mark.fault(43, layer="memory")
@pytest.mark.parametrize(
    ("resume", "slept", "end"),
    [
        (False, TIMEOUT + 2, ReasonCode.TIMEOUT),
        (True, TIMEOUT + GRACE / 2, None),
        (True, TIMEOUT + GRACE + 2, ReasonCode.RESUME_LOST),
    ],
)
def test_a_peer_that_stops_for_longer_is_told_when_it_wakes(
    memory: Stage, resume: bool, slept: float, end: ReasonCode | None
) -> None:
    memory.serve()
    client = memory.join(resume=resume)
    peer = memory.newest()

    memory.actor(client).frozen = True
    memory.play(slept)
    memory.actor(client).frozen = False
    memory.play(2.0)

    assert (None if client.reason is None else client.reason.code) is end
    assert peer.alive is (end is None)
    if end is None:
        assert memory.kinds(client) == ["Joined", "Away", "Back"]


@pytest.mark.fault(43, layer="process")
@pytest.mark.process
def test_a_stopped_process_is_ended_and_told_when_it_wakes(start: Start, loopback: Stage) -> None:
    server = loopback.serve(grace=0.0)
    program = start("tests/faults/players.py", "play", server.address.port)
    process = int(program.until(r"process (\d+)\n")[1])
    loopback.until_program(lambda: len(server.peers) == 2)
    peer = loopback.newest()

    os.kill(process, signal.SIGSTOP)
    reason = loopback.fate(peer)
    os.kill(process, signal.SIGCONT)
    told = program.until(r"left (\w+) (.*)\n")

    assert reason.code is ReasonCode.TIMEOUT
    assert told.groups() == ("TIMEOUT", "nothing was heard from here for timeout = 10 s")
    assert program.status() == 0


@pytest.mark.fault(44, layer="memory")
def test_a_window_that_stays_closed_ends_the_link_by_the_age_of_its_oldest_byte(memory: Stage) -> None:
    memory.serve(max_queue_age=4.0)
    guest = memory.guest()
    peer = memory.newest()
    connection = guest.connection

    guest.frozen = True
    peer.send(bytes(60_000))
    peer.send(bytes(60_000))
    begin = memory.clock()
    for _ in as_long_as(lambda: peer.alive):  # it lives, and says so; it only reads nothing
        connection.send(control(PING, 1, 0))
        stream_of(connection).flush(stream_of(connection).timeline.tick())
        memory.play(0.25)

    assert 4.0 <= memory.clock() - begin <= 4.5
    assert memory.fate(peer).code is ReasonCode.TOO_SLOW
    assert "max_queue_age = 4 s" in memory.fate(peer).text
    guest.frozen = False


@pytest.mark.fault(44, layer="loopback")
def test_a_real_zero_window_ends_the_link_by_the_age_of_its_oldest_byte(loopback: Stage) -> None:
    server = loopback.serve(max_queue_age=4.0)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.connect(server.address)
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        for _ in range(15):
            peer.send(bytes(60_000))
        begin = loopback.clock()
        for _ in as_long_as(lambda: peer.alive):
            sock.sendall(control(PING, 1, 0))
            loopback.play(0.25)

    assert 4.0 <= loopback.clock() - begin <= 4.6
    assert loopback.fate(peer).code is ReasonCode.TOO_SLOW


@pytest.mark.fault(45, layer="memory")
@pytest.mark.parametrize(("jitter", "burst", "every"), [(0.0, 0.2, 5.0), (0.05, 0.4, 2.0), (0.2, 1.5, 2.0)])
def test_a_bad_link_loses_nothing_and_times_nobody_out(
    memory: Stage, jitter: float, burst: float, every: float
) -> None:
    # In memory, lost packets are what TCP makes of them: stalls, and then everything at once.
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()
    network = network_of(memory)
    network.latency, network.jitter = 0.05, jitter
    sent = 0

    for _ in range(10):
        network.stall(network.random.uniform(0.0, burst))
        for _ in range(round(every * 20)):
            client.send(sent)
            peer.send(sent)
            sent += 1
            memory.play(0.05)
    memory.play(4.0)

    assert memory.received(server) == [*range(sent)]
    assert memory.received(client) == [*range(sent)]
    assert memory.kinds(server)[:2] == ["Joined", "Joined"]
    assert {"Away", "Left"}.isdisjoint(memory.kinds(client))


@pytest.mark.fault(46, layer="memory")
def test_a_link_slower_than_what_is_sent_is_ended_before_its_latency_grows(memory: Stage) -> None:
    memory.serve(max_queue_age=3.0, timeout=60.0, grace=0.0)
    client = memory.join(timeout=60.0)
    peer = memory.newest()
    network = network_of(memory)
    network.rate, network.capacity = 2_000, 4_000
    begin = memory.clock()

    oldest = 0.0
    while peer.alive and memory.clock() - begin < 30.0:
        peer.send(bytes(200))
        memory.play(0.02)
        oldest = max(oldest, peer.stats.queued_for)

    assert memory.fate(peer).code is ReasonCode.TOO_SLOW
    assert memory.clock() - begin < 10.0
    assert oldest < 3.5
    network.rate = None
    assert memory.reason(client).code is ReasonCode.TOO_SLOW


@pytest.mark.fault(47, layer="memory")
def test_a_link_that_is_down_for_three_seconds_survives(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()
    network = network_of(memory)

    network.stall(3.0)
    sent = count_up(memory, client, peer, 5.0)
    memory.play(1.0)

    assert memory.received(server) == [*range(sent)]
    assert memory.received(client) == [*range(sent)]
    assert {"Away", "Left"}.isdisjoint(memory.kinds(server))


@pytest.mark.fault(48, layer="memory")
@pytest.mark.parametrize("slept", [9.9, 60.0, 3_600.0])
def test_a_server_that_slept_reads_first_and_then_judges(memory: Stage, slept: float) -> None:
    memory.calm = False  # the bystander's server sleeps, too
    server = memory.serve()
    clients = [memory.join(timeout=5_000.0) for _ in range(20)]
    # The bystander has a timeout of its own to keep, and leaves for good.
    memory.actor(memory.bystander).frozen = True
    memory.actor(server).frozen = True

    for _ in range(3):
        for client in clients:
            client.send("while you slept")
        memory.play(slept / 3, tick=slept / 60)
    memory.actor(server).frozen = memory.actor(memory.bystander).frozen = False
    memory.play(3.0)

    assert memory.received(server) == ["while you slept"] * 60
    assert "Left" not in memory.kinds(server)
    assert {peer.alive for peer in server.peers} == {True}


@pytest.mark.fault(48, layer="memory")
def test_a_client_that_slept_does_not_blame_its_server(memory: Stage) -> None:
    memory.calm = False  # updates twice a second make a long round trip
    memory.serve(timeout=5_000.0)
    client = memory.join()

    memory.actor(client).frozen = True
    memory.play(60.0, tick=0.5)
    memory.actor(client).frozen = False
    memory.play(3.0)

    assert memory.kinds(client) == ["Joined"]


@pytest.mark.fault(49, layer="memory")
@pytest.mark.parametrize("jump", [1e9, -1e9])
def test_a_wall_clock_that_jumps_changes_nothing(memory: Stage, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    memory.serve()
    client = memory.join()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)

    memory.play(3.0)

    assert memory.kinds(client) == ["Joined"]


@pytest.mark.fault(49, layer="memory")
def test_nothing_here_reads_the_wall_clock() -> None:
    read = {
        f"{module.name}: {node.value.id}.{node.attr}"
        for module in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) in {("time", "time"), ("datetime", "now"), ("time", "localtime")}
    }

    assert read == set()


@pytest.mark.fault(50, layer="memory")
@pytest.mark.parametrize("rate", [1.0, 10.0, 1_000.0])
def test_an_update_once_a_second_or_a_thousand_times_keeps_the_link(memory: Stage, rate: float) -> None:
    memory.serve()
    client = memory.join()
    peer = memory.newest()
    memory.actor(client).frozen = True
    seconds = 30.0 if rate < 100 else 3.0

    next_update = memory.clock()
    end = memory.clock() + seconds
    while memory.clock() < end:
        if memory.clock() >= next_update:
            client.update()
            next_update += 1 / rate
        memory.play(1 / 1_000 if rate > 60 else TICK)
    memory.actor(client).frozen = False

    assert client.state is State.CONNECTED
    assert peer.alive
    assert memory.kinds(client) == ["Joined"]


@pytest.mark.fault(50, layer="memory")
@pytest.mark.parametrize("who", ["client", "server"])
def test_no_update_for_thirty_seconds_ends_or_resumes_the_link_and_never_confuses_it(memory: Stage, who: str) -> None:
    memory.calm = False
    server = memory.serve(grace=60.0)
    client = memory.join()
    memory.actor(server if who == "server" else client).frozen = True

    for i in range(30):
        client.send(i)
        memory.play(1.0)
    memory.actor(server if who == "server" else client).frozen = False
    memory.play(40.0)

    assert memory.received(server) == [*range(30)]
    assert client.state is State.CONNECTED


@pytest.mark.fault(50, layer="memory")
def test_an_update_from_another_thread_meanwhile_is_refused(memory: Stage) -> None:
    inside, leave = threading.Event(), threading.Event()

    def authenticate(credentials: Any, address: netcode.Address) -> bool:
        inside.set()
        return leave.wait(60)

    server = netcode.Server("stage", 0, network=memory.network, clock=memory.clock, authenticate=authenticate)
    client = netcode.Client("stage", server.address.port, network=memory.network, clock=memory.clock)
    with server, client:
        play(memory.clock, 2 * TICK, client)
        thread = threading.Thread(target=play, args=(memory.clock, 4 * TICK, server, client))
        thread.start()
        assert inside.wait(60)

        with pytest.raises(RuntimeError, match="already running"):
            server.update()
        leave.set()
        thread.join()

        assert client.state is State.CONNECTED
    memory.serve()


PONGS: dict[str, Callable[[int], list[int]]] = {
    "future": lambda number: [number + 1_000_000],
    "unknown": lambda number: [0, 2**62],
    "repeated": lambda number: [number, number, number],
    "all of them": lambda number: [*range(200)],
}


@pytest.mark.fault(51, layer="memory")
@pytest.mark.parametrize("pongs", PONGS.values(), ids=PONGS)
def test_hostile_answers_to_pings_never_poison_the_round_trip(memory: Stage, pongs: Callable[[int], list[int]]) -> None:
    memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    for _ in range(300):
        for number, _received in guest.told(PING)[-1:]:
            guest.say(*[control(PONG, answer, 0) for answer in pongs(number)])
        memory.play(TICK)
        if peer.rtt is not None:
            assert peer.jitter is not None
            assert 0.0 <= peer.rtt <= 1.0
            assert 0.0 <= peer.jitter <= 1.0

    assert peer.alive
    assert guest.told(BYE) == []


def test_the_garbage_of_a_silent_hour_is_nothing() -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    with (
        netcode.Server("stage", 0, network=network, clock=clock) as server,
        netcode.Client("stage", server.address.port, network=network, clock=clock) as client,
    ):
        play(clock, 60.0, server, client)
        gc.collect()
        before = len(gc.get_objects())
        play(clock, 600.0, server, client, tick=0.1)
        gc.collect()

        assert len(gc.get_objects()) - before < 100
        assert client.state is State.CONNECTED
