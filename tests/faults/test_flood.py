"""Cases 35 to 40: too much of everything."""

import contextlib
import socket
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from inside import inbox_of, stream_of

import netcode
from netcode import ReasonCode, State
from netcode.testing import MemoryNetwork

from .stage import TICK, Stage
from .wire import BYE, PING, PONG, Stranger, control, hello, message

MAX_MESSAGES_PER_UPDATE = 256
FLOOD_TIMEOUT = 5.0
MEGABYTE = 1_048_576


def flood(stage: Stage, guest: Stranger, data: bytes) -> None:
    """Have `guest` send as much of `data` as the network takes, for long or until it is sent away."""
    end = stage.clock() + 3 * FLOOD_TIMEOUT
    while stage.clock() < end and guest.connection.alive:
        if guest.connection.send_buffer_length < len(data):
            guest.say(data)
        stage.play(TICK)


def loudest(stage: Stage, server: netcode.Server) -> int:
    """Play one update, and return how many messages it delivered."""
    before = stage.actor(server).received
    stage.play(TICK)
    return stage.actor(server).received - before


TINY = message(1) * 40_000
SMALL = message("x" * 90) * 2_000


@pytest.mark.fault(35, layer="memory")
def test_one_update_delivers_a_bounded_number_of_messages_of_one_peer(memory: Stage) -> None:
    server = memory.serve()
    guests = [memory.guest() for _ in range(3)]

    for guest in guests:
        guest.say(message("tiny") * 2_000)
    delivered = [loudest(memory, server) for _ in range(8)]

    # Round-robin: each of the three has its share of each update.
    assert max(delivered) == 3 * MAX_MESSAGES_PER_UPDATE
    assert delivered.count(3 * MAX_MESSAGES_PER_UPDATE) >= 5


@pytest.mark.fault(35, layer="memory")
@pytest.mark.parametrize("data", [TINY, SMALL], ids=["tiny", "small"])
def test_a_flood_that_goes_on_ends_the_peer(memory: Stage, data: bytes) -> None:
    server = memory.serve()
    memory.actor(server).forgets_messages = True
    guest = memory.guest()
    peer = memory.newest()

    flood(memory, guest, data)

    assert memory.fate(peer).code is ReasonCode.FLOODING
    assert memory.fate(peer).text == "more than max_messages_per_update = 256 messages came, update after update"
    assert guest.told(BYE)[0][0] == ReasonCode.FLOODING.value


@pytest.mark.fault(35, layer="loopback")
@pytest.mark.parametrize("data", [TINY, SMALL], ids=["tiny", "small"])
def test_a_real_flood_that_goes_on_ends_the_peer(loopback: Stage, data: bytes) -> None:
    server = loopback.serve()
    loopback.actor(server).forgets_messages = True
    guest = loopback.guest()
    peer = loopback.newest()

    flood(loopback, guest, data)

    assert loopback.fate(peer).code is ReasonCode.FLOODING


@pytest.mark.fault(35, layer="memory")
def test_a_burst_is_no_flood(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()

    for _ in range(10):  # a level that is uploaded in pieces, say: two thirds of the time there is too much
        for i in range(10_000):
            client.send(i)
        memory.play(1.0)

    assert peer.alive
    assert memory.received(server, peer) == [*range(10_000)] * 10


@pytest.mark.fault(35, layer="memory")
@pytest.mark.parametrize("more", [1, 2, 255])
def test_bursts_of_a_little_more_than_a_share_are_no_flood(memory: Stage, more: int) -> None:
    memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    for _ in range(4):
        guest.say(message(1) * (MAX_MESSAGES_PER_UPDATE + more))
        memory.play(FLOOD_TIMEOUT)

    assert peer.alive


@pytest.mark.fault(35, layer="memory")
def test_bulk_is_no_flood_however_long_it_takes(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()

    for _ in range(600):
        if peer.alive and client.peer is not None and client.peer.stats.queued < 400_000:
            client.send(bytes(60_000))
        memory.play(TICK)

    assert peer.alive
    assert len(memory.received(server, peer)) > 300


@pytest.mark.fault(36, layer="memory")
def test_a_flood_of_pings_gets_one_answer_an_update(memory: Stage) -> None:
    memory.serve()
    guest = memory.guest()

    guest.say(*[control(PING, i, 0) for i in range(200)])
    memory.play(4 * TICK)

    assert guest.told(PONG) == [[199, 0]]


@pytest.mark.fault(36, layer="memory")
def test_a_flood_of_pings_that_goes_on_ends_the_peer(memory: Stage) -> None:
    memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    flood(memory, guest, control(PING, 1, 0) * 3_000)

    assert memory.fate(peer).code is ReasonCode.FLOODING


@pytest.mark.fault(36, layer="memory")
def test_answers_to_pings_wait_within_the_limits_of_what_is_sent(memory: Stage) -> None:
    memory.serve(max_queue_age=4.0)
    guest = memory.guest()
    peer = memory.newest()
    connection = guest.connection
    for _ in range(2):  # more than the network takes, so that every answer waits
        peer.send(bytes(60_000))
    memory.actor(memory.server).update()
    waiting = peer.stats.queued
    most = updates = 0

    begin = memory.clock()
    while peer.alive and memory.clock() - begin < 10.0:
        connection.send(control(PING, 1, 0) * 50)
        stream_of(connection).flush(stream_of(connection).timeline.tick())
        guest.frozen = True
        memory.play(TICK)
        updates += 1
        most = max(most, peer.stats.queued)

    assert memory.fate(peer).code is ReasonCode.TOO_SLOW
    assert memory.clock() - begin < 6.0
    assert waiting > 50_000
    # An answer an update, and perhaps a ping of its own: not one for each of the fifty that came.
    assert waiting + updates * 5 < most < waiting + updates * 40
    guest.frozen = False


def by_bytes(stage: Stage) -> dict[str, Any]:
    return {"max_queue": 200_000, "max_queue_age": 1_000.0}


def by_age(stage: Stage) -> dict[str, Any]:
    return {"max_queue": 100 * MEGABYTE, "max_queue_age": 3.0}


@pytest.mark.fault(37, layer="memory")
@pytest.mark.parametrize("limits", [by_bytes, by_age])
def test_who_never_reads_is_ended_by_a_limit(memory: Stage, limits: Callable[[Stage], dict[str, Any]]) -> None:
    server = memory.serve(timeout=1_000.0, **limits(memory))
    guest = memory.guest()
    peer = memory.newest()
    guest.frozen = True
    sent = 0

    while peer.alive and sent < 600:
        server.broadcast(bytes(5_000), to=[peer])
        sent += 1
        memory.play(TICK)
    guest.frozen = False

    reason = memory.fate(peer)
    assert reason.code is ReasonCode.TOO_SLOW
    assert ("max_queue = 200000" if limits is by_bytes else "max_queue_age = 3 s") in reason.text


@pytest.mark.fault(37, layer="loopback")
def test_a_real_client_that_never_reads_is_ended_and_delays_nobody(loopback: Stage) -> None:
    server = loopback.serve(max_queue=500_000, timeout=1_000.0, max_queue_age=1_000.0)
    guest = loopback.guest()
    peer = loopback.newest()
    guest.frozen = True
    sent = 0

    while peer.alive and sent < 3_000:
        server.broadcast(bytes(5_000))
        sent += 1
        loopback.play(TICK)
    loopback.play(4 * TICK)

    assert loopback.fate(peer).code is ReasonCode.TOO_SLOW
    assert len(loopback.received(loopback.bystander)) == sent


@pytest.mark.fault(38, layer="memory")
def test_events_that_are_not_taken_hold_the_peers_back_and_lose_nothing(memory: Stage) -> None:
    memory.calm = False  # who does not take events takes nobody's
    server = memory.serve(max_backlog=200_000)
    client = memory.join(max_queue_age=60.0)
    actor = memory.actor(server)
    actor.takes_events = False
    sent = 0

    begin = memory.clock()
    tracemalloc.start()
    while memory.clock() - begin < 10.0:
        if client.peer is not None and client.peer.stats.queued < 500_000:
            client.send([sent, bytes(10_000)])
            sent += 1
        memory.play(TICK)
    held = inbox_of(server).limit - inbox_of(server).room
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    actor.takes_events = True
    memory.play(5.0)

    assert 200_000 < held < 200_000 + 400_000
    assert taken < 4 * MEGABYTE
    assert [message[0] for message in memory.received(server)] == [*range(sent)]
    assert memory.kinds(client) == ["Joined"]


@pytest.mark.fault(38, layer="memory")
def test_a_message_half_received_while_events_are_not_taken_is_not_held_against_its_sender(memory: Stage) -> None:
    memory.calm = False  # who does not take events takes nobody's
    server = memory.serve(max_backlog=1_000, message_timeout=2.0)
    guest = memory.guest()
    peer = memory.newest()
    whole = message("x" * 3_000)

    memory.actor(server).takes_events = False
    guest.say(whole, whole[:100])
    memory.play(4 * TICK)
    for i in range(6):
        guest.say(whole[100 + i : 101 + i])
        memory.play(1.0)
    memory.actor(server).takes_events = True
    memory.play(2 * TICK)
    alive = peer.alive
    guest.say(whole[106:])
    memory.play(4 * TICK)

    assert alive
    assert memory.received(server, peer) == ["x" * 3_000] * 2


@pytest.mark.fault(39, layer="memory")
def test_an_exception_of_the_game_leaves_the_server_sound(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    for i in range(5):
        client.send(i)
    memory.actor(server).takes_events = False
    memory.play(4 * TICK)

    handled: list[Any] = []

    def game() -> None:
        for event in server.events():
            assert isinstance(event, netcode.Received)
            handled.append(event)
            handled.append(1 / event.message)

    with pytest.raises(ZeroDivisionError):
        game()
    memory.actor(server).takes_events = True
    client.send("after")
    memory.play(4 * TICK)

    assert len(handled) == 1
    assert memory.received(server) == [1, 2, 3, 4, "after"]


@pytest.mark.fault(39, layer="memory")
def test_an_exception_of_authenticate_refuses_one_and_is_logged(
    memory: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def authenticate(credentials: Any, address: netcode.Address) -> Any:
        return credentials["name"] if credentials else "nobody"

    server = memory.serve(authenticate=authenticate)
    bad = memory.client(credentials=["no name"])

    memory.play(1.0)
    reason = memory.reason(bad)
    good = memory.join(credentials={"name": "Ada"})

    assert reason.code is ReasonCode.DENIED
    assert "TypeError: list indices" in caplog.text
    assert [peer.data for peer in server.peers] == ["nobody", "Ada"]
    assert good.state is State.CONNECTED


@pytest.mark.fault(39, layer="memory")
def test_a_server_that_its_game_closes_while_somebody_comes_in_has_told_everything(memory: Stage) -> None:
    memory.serve()

    def authenticate(credentials: Any, address: netcode.Address) -> Any:
        server.close()

    server = memory.serve(authenticate=authenticate)
    client = memory.client(server.address.port)
    reason = memory.reason(client)

    assert reason.code in {ReasonCode.SHUTDOWN, ReasonCode.CLOSED_BY_PEER}
    assert memory.diary(server) == []


@pytest.mark.fault(40, layer="memory")
def test_a_set_that_changes_while_it_is_iterated_gives_each_connection_once(memory: Stage) -> None:
    memory.serve()
    network = memory.network
    assert isinstance(network, MemoryNetwork)
    other = memory.false_server()
    connections: netcode.ConnectionSet[int] = netcode.ConnectionSet(clock=memory.clock)

    def connect(number: int) -> netcode.Connection[int]:
        return netcode.connect("stage", other.address.port, number, network=network, clock=memory.clock)

    for i in range(6):
        connections.add(connect(i))
    seen: list[int] = []
    for connection in connections:
        seen.append(connection.data)
        if connection.data % 2:
            connection.close()
            connections.update()
        elif connection.data < 6:
            connections.add(connect(connection.data + 10))
    memory.play(4 * TICK)
    connections.update()

    assert seen == [*range(6)]
    assert sorted(c.data for c in connections) == [0, 2, 4, 10, 12, 14]
    connections.close()


@pytest.mark.fault(40, layer="memory")
def test_peers_that_leave_while_the_game_walks_through_them_are_each_seen_once(memory: Stage) -> None:
    server = memory.serve()
    clients = [memory.join() for _ in range(4)]
    seen: list[int] = []

    for peer in server.peers:
        seen.append(peer.id)
        if peer.id > 1:
            for other in server.peers:
                if other.id > 1:
                    other.close()
            server.broadcast("gone")
    memory.play(1.0)

    assert seen == [1, 2, 3, 4, 5]
    assert [memory.reason(client).code for client in clients] == [ReasonCode.GOODBYE] * 4


@pytest.mark.fault(35, layer="loopback")
def test_a_flood_that_ends_in_a_reset_is_read_in_shares(loopback: Stage) -> None:
    server = loopback.serve(flood_timeout=60.0)
    with socket.create_connection(server.address) as sock:
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        sock.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 60_000:
                sock.sendall(message(sent))
                sent += 1
        loopback.play(2 * TICK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    peer.send("into the void")
    largest = max(loudest(loopback, server) for _ in range(300))

    assert largest <= 2 * MAX_MESSAGES_PER_UPDATE
    assert loopback.received(server, peer) == [*range(len(loopback.received(server, peer)))]
    assert len(loopback.received(server, peer)) > 5_000
    assert loopback.fate(peer).code is ReasonCode.RESET
