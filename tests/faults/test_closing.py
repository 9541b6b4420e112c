"""Cases 52 to 60: ends, wanted and unwanted."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bounds import as_long_as
from inside import link_of, stream_of
from programs import DEADLINE, ROOT, Start

import netcode
from netcode import ReasonCode, State

from .stage import TICK, Stage
from .wire import BYE, FalseServer, bye, control, frame, hello, message, welcome

CLOSE_TIMEOUT = 5.0
MEGABYTE = 1_048_576
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@pytest.mark.fault(52, layer="loopback")
def test_a_goodbye_behind_four_megabytes_arrives_with_every_byte(loopback: Stage) -> None:
    server = loopback.serve(max_queue=16 * MEGABYTE, max_resend=16 * MEGABYTE)
    client = loopback.join(max_queue=16 * MEGABYTE)
    peer = loopback.newest()
    # What the client still sends lies unread in the server's kernel when it closes; closing at once would destroy it.
    for i in range(40):
        client.send([i, bytes(50_000)])
    loopback.actor(client).update()
    for i in range(80):
        peer.send([i, bytes(50_000)])

    peer.close_nicely("that is all")
    reason = loopback.reason(client)

    assert [number for number, _ in loopback.received(client)] == [*range(80)]
    assert (reason.code, reason.text) == (ReasonCode.GOODBYE, "that is all")
    assert loopback.fate(peer).code is ReasonCode.CLOSED
    assert peer not in server.peers


@pytest.mark.fault(52, layer="memory")
def test_what_a_client_had_sent_before_the_servers_goodbye_is_delivered(memory: Stage) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()

    client.send("under way")
    memory.actor(client).update()
    peer.close_nicely("bye")
    memory.reason(client)
    memory.fate(peer)

    assert memory.received(server, peer) == ["under way"]
    assert memory.kinds(server)[-1] == "Left"


@pytest.mark.fault(53, layer="memory")
def test_a_peer_that_does_not_read_is_closed_at_the_close_timeout(memory: Stage) -> None:
    memory.serve(timeout=60.0, max_queue_age=60.0)
    guest = memory.guest()
    peer = memory.newest()
    guest.frozen = True
    for _ in range(3):
        peer.send(bytes(60_000))
    memory.play(1.0)

    peer.close_nicely("nobody hears this")
    begin = memory.clock()
    reason = memory.fate(peer)

    assert CLOSE_TIMEOUT - TICK <= memory.clock() - begin <= CLOSE_TIMEOUT + 2 * TICK
    assert reason.code is ReasonCode.CLOSE_TIMEOUT
    guest.frozen = False


@pytest.mark.fault(53, layer="loopback")
@pytest.mark.parametrize("reads", [False, True])
def test_a_peer_that_sends_for_ever_is_closed_at_the_close_timeout(loopback: Stage, reads: bool) -> None:
    loopback.serve()
    guest = loopback.guest()
    peer = loopback.newest()

    peer.close_nicely("enough")
    begin = loopback.clock()
    for _ in as_long_as(lambda: peer.alive):
        guest.connection.send(message("x" * 1_000) * 20)
        if reads:
            guest.update()
        else:
            stream_of(guest.connection).flush(stream_of(guest.connection).timeline.tick())
            guest.frozen = True
        loopback.play(TICK)

    assert loopback.clock() - begin <= CLOSE_TIMEOUT + 3 * TICK
    guest.frozen = False


@pytest.mark.fault(54, layer="memory")
def test_when_both_say_goodbye_in_one_frame_both_end_clean(memory: Stage) -> None:
    memory.serve()
    client = memory.join()
    peer = memory.newest()

    client.close_nicely("mine")
    peer.close_nicely("yours")
    ours, theirs = memory.reason(client), memory.fate(peer)

    assert (ours.code, ours.text) == (ReasonCode.CLOSED, "mine")
    assert (theirs.code, theirs.text) == (ReasonCode.CLOSED, "yours")


@pytest.mark.fault(54, layer="loopback")
def test_when_both_say_goodbye_in_one_real_frame_both_end_clean(loopback: Stage) -> None:
    loopback.serve()
    client = loopback.join()
    peer = loopback.newest()

    client.send("the last word")
    peer.send("no, mine")
    client.close_nicely("mine")
    peer.close_nicely("yours")
    ours, theirs = loopback.reason(client), loopback.fate(peer)

    assert (ours.code, theirs.code) == (ReasonCode.CLOSED, ReasonCode.CLOSED)
    assert loopback.received(client) == ["no, mine"]
    assert loopback.received(loopback.server, peer) == ["the last word"]


@pytest.mark.fault(55, layer="memory")
def test_of_two_goodbyes_the_first_is_heard(memory: Stage) -> None:
    server = memory.serve()
    client, other = memory.join(), memory.join()
    _, first, second = server.peers

    first.close_nicely("the first")
    first.close_nicely("the second")
    other.close_nicely("the first")
    other.close_nicely("the second")
    other.send("and another thing")

    assert memory.reason(client).text == "the first"
    assert memory.fate(second).text == "the first"
    assert memory.received(server, second) == []


@pytest.mark.fault(55, layer="memory")
def test_of_two_goodbyes_of_the_server_the_first_is_heard(memory: Stage) -> None:
    memory.serve()
    server = netcode.Server("stage", 0, network=memory.network, clock=memory.clock)
    client = memory.client(server.address.port)
    with server:
        for _ in range(4):
            server.update()
            memory.play(TICK)

        server.close_nicely("the first")
        server.close_nicely("the second")
        for _ in as_long_as(lambda: server.state is not State.DISCONNECTED):
            server.update()
            memory.play(TICK)

    reason = memory.reason(client)
    assert (reason.code, reason.text) == (ReasonCode.SHUTDOWN, "the first")


@pytest.mark.fault(56, layer="loopback")
def test_what_a_peer_sent_before_it_died_comes_before_the_reason(loopback: Stage) -> None:
    server = loopback.serve()
    with socket.create_connection(server.address) as sock:
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        peer.send("unread")
        loopback.play(2 * TICK)
        sock.sendall(b"".join(message(i) for i in range(1_000)))
    # Closed with "unread" unread, so its kernel sends a reset behind what it had sent.

    assert loopback.fate(peer).code in {ReasonCode.RESET, ReasonCode.CLOSED_BY_PEER}
    assert loopback.received(server, peer) == [*range(1_000)]


@pytest.mark.fault(56, layer="loopback")
def test_our_goodbye_to_a_peer_that_was_reset_raises_nothing(loopback: Stage) -> None:
    server = loopback.serve()
    with socket.create_connection(server.address) as sock:
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)

    peer.send("into the void")
    peer.close_nicely("and goodbye")
    reason = loopback.fate(peer)

    assert reason.code in {ReasonCode.RESET, ReasonCode.CLOSED}


@pytest.mark.fault(56, layer="process")
@pytest.mark.process
def test_a_killed_process_leaves_its_last_messages_and_a_reason(start: Start, loopback: Stage) -> None:
    server = loopback.serve()
    program = start("tests/faults/players.py", "shout", server.address.port)
    process = int(program.until(r"process (\d+)\n")[1])
    loopback.until_program(lambda: len(server.peers) == 2)
    peer = loopback.newest()
    loopback.until_program(lambda: len(loopback.received(server, peer)) > 50)
    peer.send("it never reads this")
    loopback.play(2 * TICK)

    os.kill(process, signal.SIGKILL)
    program.status()
    reason = loopback.fate(peer)

    received = loopback.received(server, peer)
    assert reason.code in {ReasonCode.RESET, ReasonCode.CLOSED_BY_PEER}
    assert received == [*range(len(received))]
    assert loopback.kinds(server)[-1] == "Left"


@pytest.mark.fault(57, layer="loopback")
def test_a_goodbye_is_read_although_the_write_failed_first(loopback: Stage) -> None:
    loopback.serve()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = loopback.client(listener.getsockname()[1])
        loopback.play(2 * TICK)
        sock, _ = listener.accept()
        with sock:
            sock.sendall(welcome())
            loopback.until(lambda: client.state is State.CONNECTED)
            client.send("unread")
            loopback.play(2 * TICK)
            loopback.actor(client).frozen = True
            sock.sendall(message("last words") + bye(text="you were kicked"))
        # It was closed with "unread" unread: a reset follows, and every write fails from now on.
        client.send("again")
        stream = link_of(client).stream
        stream.flush(stream.timeline.tick())
        stream.flush(stream.timeline.tick())
        loopback.actor(client).frozen = False
        loopback.play(TICK)
        reason = loopback.reason(client)

    assert (reason.code, reason.text) == (ReasonCode.GOODBYE, "you were kicked")
    assert loopback.received(client) == ["last words"]


@pytest.mark.fault(58, layer="memory")
def test_a_long_text_is_clipped_at_both_ends(memory: Stage) -> None:
    memory.serve()
    client, guest = memory.join(), memory.guest()
    _, first, second = memory.server.peers

    first.close_nicely("ü" * MEGABYTE)
    guest.say(bye(text="x" * 60_000))

    assert memory.reason(client).text == "ü" * 64
    assert len(memory.fate(second).text) <= 128


@pytest.mark.fault(58, layer="memory")
def test_a_text_that_breaks_utf8_is_escaped_and_one_that_is_none_a_breach(memory: Stage) -> None:
    memory.serve()
    memory.guest(frame(b"\xc7\x05\x4e\x93\x05\x03\xa1\xff"))
    broken = memory.newest()
    guest = memory.guest(control(BYE, 3, b"\xff\xfe"))
    peer = memory.newest()

    assert (memory.fate(broken).code, memory.fate(broken).text) == (ReasonCode.GOODBYE, r"\xff")
    assert memory.fate(peer).code is ReasonCode.MALFORMED
    assert guest.told(BYE)[0][0] == ReasonCode.MALFORMED.value


@pytest.mark.fault(58, layer="memory")
@pytest.mark.parametrize("number", [32, 999, 2**40])
def test_an_unknown_code_is_kept_as_a_number(memory: Stage, number: int) -> None:
    memory.serve()
    memory.guest(bye(number, "from the future"))
    reason = memory.fate(memory.newest())

    assert (reason.code, reason.number, reason.text) == (ReasonCode.OTHER, number, "from the future")


@pytest.mark.fault(58, layer="memory")
def test_what_a_terminal_would_obey_is_escaped(memory: Stage) -> None:
    memory.serve()
    memory.guest(bye(text="\x1b[2J\r\nroot#\u202e"))

    assert memory.fate(memory.newest()).text == r"\x1b[2J\r\nroot#\u202e"


@pytest.mark.fault(58, layer="memory")
def test_a_client_reads_the_same_from_its_server(memory: Stage) -> None:
    memory.serve()
    false: FalseServer = memory.false_server(welcome() + bye(777, "\x1b[31m" + "x" * 500))
    reason = memory.reason(memory.client(false.address.port))

    assert (reason.code, reason.number) == (ReasonCode.OTHER, 777)
    assert reason.text.startswith(r"\x1b[31mxxx")
    assert len(reason.text) <= 128


def players(count: int, port: int) -> list[netcode.Client]:
    """Let so many players join the server on that port, in real time."""
    clients = [netcode.Client("127.0.0.1", port, handshake_timeout=DEADLINE) for _ in range(count)]
    deadline = time.monotonic() + DEADLINE
    while any(client.state is not State.CONNECTED for client in clients):
        assert time.monotonic() < deadline, [str(client.reason) for client in clients if client.reason]
        netcode.wait(*clients, timeout=0.1)
        for client in clients:
            client.update()
    return clients


def all_told(clients: list[netcode.Client]) -> list[netcode.Reason | None]:
    """Update the players until they have left, and return why each did."""
    deadline = time.monotonic() + DEADLINE
    while any(client.state is not State.DISCONNECTED for client in clients) and time.monotonic() < deadline:
        netcode.wait(*clients, timeout=0.1)
        for client in clients:
            client.update()
    reasons = [client.reason for client in clients]
    for client in clients:
        client.close()
    return reasons


@pytest.mark.fault(59, layer="process")
@pytest.mark.process
def test_a_terminated_server_tells_two_hundred_players_within_the_grace(start: Start) -> None:
    program = start("tests/faults/players.py", "serve", DEADLINE)
    started = program.until(r"process (\d+) listening on (\d+)\n")
    clients = players(200, int(started[2]))

    os.kill(int(started[1]), signal.SIGTERM)
    begin = time.monotonic()
    reasons = all_told(clients)

    assert {reason and (reason.code, reason.text) for reason in reasons} == {
        (ReasonCode.SHUTDOWN, "server is shutting down")
    }
    assert program.status() == 0
    assert time.monotonic() - begin < DEADLINE / 2
    assert program.output.endswith("over\n")
    assert len(re.findall(r"left \d+ CLOSED\n", program.output)) == 200


@pytest.mark.fault(59, layer="process")
@pytest.mark.process
def test_a_second_signal_means_now(start: Start) -> None:
    program = start("tests/faults/players.py", "serve", DEADLINE)
    started = program.until(r"process (\d+) listening on (\d+)\n")
    clients = players(20, int(started[2]))

    # Nobody reads, so nicely would take the whole close timeout.
    os.kill(int(started[1]), signal.SIGTERM)
    program.until("closing nicely")
    begin = time.monotonic()
    os.kill(int(started[1]), signal.SIGTERM)
    status = program.status()
    seconds = time.monotonic() - begin
    reasons = all_told(clients)

    assert status == 0
    assert seconds < DEADLINE / 2
    assert {reason and reason.code for reason in reasons} == {ReasonCode.SHUTDOWN}


ENDS = {
    "an exception in the game loop": "raise KeyError('the game is broken')",
    "the end of the program": "",
    "sys.exit": "sys.exit(0)",
    "a cycle of garbage": "server.itself = server; client.itself = client; del server, client; gc.collect()",
    "a name that goes": "del server, client, connection",
}
PROGRAM = """
import gc, sys, socket
import netcode
server = netcode.Server("127.0.0.1", 0)
client = netcode.Client("127.0.0.1", server.address.port)
connection = netcode.connect("127.0.0.1", server.address.port)
lookup = netcode.connect("nobody.invalid", 7777)
listener = netcode.Listener("127.0.0.1", 0)
connections = netcode.ConnectionSet()
pair = socket.socketpair()
both = netcode.custom(input=pair[0], output=pair[0])
other = netcode.custom(input=pair[1].detach(), output=None)
pair[0].detach()
for _ in range(20):
    connections.update()
    for thing in (server, client, connection, lookup, both, other):
        thing.update()
client.send("unsent")
print("up", client.state.name)
"""


@pytest.mark.fault(60, layer="process")
@pytest.mark.process
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whatever_is_left_open_is_closed_without_a_warning(end: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + end, encoding="utf-8")

    ended = subprocess.run(
        check=False,
        args=[sys.executable, "-X", "dev", "-W", "error", str(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=DEADLINE,
        text=True,
    )

    assert ended.stdout == "up CONNECTED\n"
    if "raise" in end:
        assert ended.returncode == 1
        assert ended.stderr.endswith("KeyError: 'the game is broken'\n")
        assert "Warning" not in ended.stderr
    else:
        assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.fault(55, layer="memory")
def test_a_goodbye_that_is_closed_over_in_the_same_frame_is_still_heard(memory: Stage) -> None:
    memory.serve()
    client = memory.join()
    peer = memory.newest()

    peer.close_nicely("the first")
    peer.close()

    assert memory.reason(client).text == "the first"
