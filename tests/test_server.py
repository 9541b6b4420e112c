"""A server as a game uses it: what it is told, what it sends, how it ends."""

import errno
import logging
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import interrupted
import pytest
from bounds import Patience, as_long_as, until
from faults.wire import BYE, UPGRADE, frame, hello, reason_of
from inside import (
    doorway_of,
    link_of,
    peer_of,
)
from scene import HOST, PORT, TICK, Scene, only

import netcode
from netcode import Address, Away, Client, Left, MessageTooLarge, Reason, ReasonCode, Received, Server, State
from netcode.diagnostics import log
from netcode.observing import Observer
from netcode.testing import FakeClock

# What it says of itself on the local network.


def test_a_server_that_is_announced_tells_who_plays_until_it_ends(scene: Scene) -> None:
    server = scene.serve(game="chess", version="1", announce="Ann's game", max_peers=8)
    scene.join(game="chess", version="1")

    [sighting] = scene.network.sightings.values()

    assert sighting.addresses == (server.address,)
    assert sighting.said == {
        "name": "Ann's game", "game": "chess", "version": "1", "players": "1", "max_players": "8", "tls": "0",
    }  # fmt: skip
    server.close_nicely()
    scene.update()
    assert scene.network.sightings == {}


def test_what_cannot_be_announced_leaves_the_port_free(scene: Scene) -> None:
    with pytest.raises(ValueError, match="announce must be a name for this server"):
        scene.serve(announce="")

    scene.serve(announce="here")


# Those who look on.


def test_who_observes_hears_of_updates_and_of_everybody_who_comes_and_goes(scene: Scene) -> None:
    server = scene.serve(game="chess", grace=0)
    observer = Observer(server, scene.clock)
    client = scene.join(game="chess")
    scene.stranger(hello("go"))

    client.close_nicely()
    scene.play(1.0)
    server.close()

    assert observer.joined == 1
    assert observer.left == {"GOODBYE": 1}
    assert observer.refused == {"WRONG_GAME": 1}
    assert server._observers == [observer]


def test_a_status_file_is_written_where_it_was_asked_for_and_goes_with_the_server(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    server = scene.serve(status=path)
    scene.update()
    there = path.exists()

    server.close()

    assert (there, path.exists()) == (True, False)


# What an argument can be.


def test_a_port_that_is_taken_says_so() -> None:
    with Server("127.0.0.1", 0) as server, pytest.raises(OSError, match="taken") as caught:
        Server("127.0.0.1", server.address.port)

    assert caught.value.errno == errno.EADDRINUSE


def test_a_server_says_where_it_listens(scene: Scene) -> None:
    server = scene.serve()

    assert server.address == Address(HOST, PORT)
    assert repr(server) == f"<Server connected on {HOST}:{PORT}, 0 peers>"
    assert (server.state, server.peers) == (State.CONNECTED, ())


# Sending to all.


def test_a_broadcast_is_encoded_once_and_reaches_everybody(scene: Scene) -> None:
    server = scene.serve()
    clients = [scene.join() for _ in range(3)]
    encoded: list[Any] = []
    encode = server._codec.encode

    class Counting:
        pack = unpack = decode = None

        def encode(self, message: Any) -> bytes:
            encoded.append(message)
            return encode(message)

    server._codec = Counting()  # type: ignore[assignment]
    server.broadcast({"hello": "all"})
    server.broadcast("to some", to=server.peers[1:])
    scene.play(2 * TICK)

    assert encoded == [{"hello": "all"}, "to some"]
    assert [scene.heard(client) for client in clients] == [
        [{"hello": "all"}],
        [{"hello": "all"}, "to some"],
        [{"hello": "all"}, "to some"],
    ]


@pytest.mark.fault(11, layer="memory")
def test_a_broadcast_that_one_cannot_take_ends_its_link_and_reaches_the_others(scene: Scene) -> None:
    server = scene.serve(max_message=200_000)
    clients = [scene.join(max_message=size) for size in (200_000, 100_000, 200_000)]
    small = server.peers[1]

    server.broadcast("before")
    server.broadcast("x" * 150_000)
    server.broadcast("after")
    scene.play(20 * TICK)

    assert [[len(said) for said in scene.heard(client)] for client in clients] == [
        [6, 150_000, 5],
        [6],
        [6, 150_000, 5],
    ]
    assert small not in server.peers
    assert scene.left(server) == Reason(
        ReasonCode.TOO_LARGE,
        f"{small.address} takes messages of 104096 bytes at most, and one of 150005 was sent; raise max_message there",
    )
    assert scene.left(clients[1]) == Reason(
        ReasonCode.TOO_LARGE,
        "a message of 150005 bytes was to come here, where 104096 are taken at most; raise max_message",
    )


@pytest.mark.fault(73, "memory")
def test_a_broadcast_beyond_our_own_limit_goes_to_none(scene: Scene) -> None:
    server = scene.serve(max_message=200_000)
    client = scene.join(max_message=300_000)

    server.broadcast("x" * (204_096 - 5))
    with pytest.raises(MessageTooLarge, match="max_message is 200000 here and 4096 for an envelope"):
        server.broadcast("x" * (204_096 - 4))
    with pytest.raises(MessageTooLarge):
        server.broadcast("x" * 250_000, to=())
    with pytest.raises(TypeError, match="cannot be sent"):
        server.broadcast(object())
    scene.play(20 * TICK)

    assert [len(said) for said in scene.heard(client)] == [204_091]


# Passing on what came from a stranger.


def nested(depth: int, kind: str) -> bytes:
    """Return a payload that nests so deep."""
    return {"list": b"\x91", "dict": b"\x81\x01", "both": b"\x91\x81\xa1k"}[kind] * depth + b"\xc0"


LARGEST = {
    "text": b"\xda" + (65_533).to_bytes(2, "big") + b"x" * 65_533,
    "bytes": b"\xc5" + (65_533).to_bytes(2, "big") + bytes(65_533),
    "bytes that look like floats": b"\x92\xc5" + (65_531).to_bytes(2, "big") + b"\xca" * 65_531 + b"\xc0",
    "as many floats of 32 bits": b"\xdc" + (7_281).to_bytes(2, "big") + b"\xca\x3d\xcc\xcc\xcd" * 7_281,
    "as many small floats in one small message": b"\xdc" + (818).to_bytes(2, "big") + b"\xca\x3d\xcc\xcc\xcd" * 818,
    "as many floats of 64 bits": b"\xdc" + (7_281).to_bytes(2, "big") + b"\xcb" * 9 * 7_281,
    "timestamps": b"\xdc" + (10_922).to_bytes(2, "big") + b"\xd6\xff\0\0\0\1" * 10_922,
    "empty lists": b"\xdc" + (65_533).to_bytes(2, "big") + b"\x90" * 65_533,
    "numbers": b"\xdc" + (13_106).to_bytes(2, "big") + b"\xce\xff\xff\xff\xff" * 13_106,
    "numbers written long": b"\xdd" + (7_281).to_bytes(4, "big") + b"\xcf\0\0\0\0\0\0\0\1" * 7_281,
    "tuples for keys": b"\xde"
    + (13_106).to_bytes(2, "big")
    + b"".join(b"\x91\xcd" + number.to_bytes(2, "big") + b"\xc0" for number in range(13_106)),
    "lists in lists": nested(32, "list"),
    "dicts in dicts": nested(32, "dict"),
    "lists in dicts": nested(16, "both"),
}
"""The largest and the deepest that a client may say, in as many ways as there are to write it."""


@pytest.mark.fault(68, layer="memory")
@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_message_of_a_stranger_can_be_passed_on_in_an_envelope(scene: Scene, name: str) -> None:
    server = scene.serve()
    clients = [scene.join(), scene.join(resume=False)]
    scene.guest(frame(LARGEST[name])).frozen = True  # most are too large for what it says that it takes
    scene.until(lambda: bool(scene.heard(server)))
    [said] = scene.heard(server)
    envelope = {"event": {"from": server.peers[-1].id, "name": "\U0001f600" * 64, "said": said}}

    server.broadcast(envelope)
    for peer in server.peers:
        peer.send([envelope])
    scene.play(20 * TICK)

    assert [scene.heard(client) for client in clients] == [[envelope, [envelope]]] * 2


def test_a_message_that_would_be_too_large_to_be_passed_on_is_refused(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    stranger = scene.guest(frame(b"\xdc" + (13_000).to_bytes(2, "big") + b"\xca\x3d\xcc\xcc\xcd" * 13_000))
    scene.play(5 * TICK)

    text = "a message came that is 117003 bytes once its numbers and fields are written out; max_message is 65536"
    assert stranger.told(BYE) == [[ReasonCode.TOO_LARGE.value, text]]
    assert (scene.heard(server), client.state) == ([], State.CONNECTED)


@pytest.mark.parametrize(
    ("limit", "text", "logged"),
    [
        ("max_peers", "the server is full; try again later", "max_peers = 1 are playing"),
        ("max_pending", "the server is busy: ", "max_pending = 1 are at the door"),
        ("max_peers_per_address", "too many are playing from your address ", "max_peers_per_address = 1 are there"),
    ],
)
def test_who_does_not_get_in_reads_a_sentence_for_players_and_the_log_has_the_limit(
    scene: Scene, caplog: pytest.LogCaptureFixture, limit: str, text: str, logged: str
) -> None:
    log._next_warning.clear()
    scene.serve(**{limit: 1})
    with caplog.at_level(logging.WARNING, "netcode"):
        strangers = [scene.stranger(*([] if limit == "max_pending" else [hello()])) for _ in range(2)]

    said = reason_of(strangers[1])[1]
    assert said.startswith(text)
    assert limit not in said
    assert [message for message in caplog.messages if message.endswith(logged)] != []


def test_who_is_named_twice_gets_a_broadcast_once(scene: Scene) -> None:
    server = scene.serve()
    first, second = scene.join(), scene.join()
    one, other = server.peers

    server.broadcast("players and those who look on", to=[other, one, *server.peers])
    server.broadcast("a stream of them", to=(peer for peer in (other, other)))
    scene.play(0.2)

    assert scene.heard(first) == ["players and those who look on"]
    assert scene.heard(second) == ["players and those who look on", "a stream of them"]


def test_a_broadcast_to_a_single_peer_is_for_that_one(scene: Scene) -> None:
    server = scene.serve()
    clients = [scene.join(), scene.join()]

    server.broadcast("you alone", to=server.peers[1])
    scene.play(3 * TICK)

    assert [scene.heard(client) for client in clients] == [[], ["you alone"]]


@pytest.mark.parametrize("wrong", [5, [5], [None], "all"])
def test_a_broadcast_to_what_is_no_peer_goes_to_none(scene: Scene, wrong: Any) -> None:
    server = scene.serve()
    client = scene.join()
    peers: Any = wrong if wrong == 5 else [only(server), *wrong]

    with pytest.raises(TypeError, match=r"to must be peers, as in server\.peers, not|'int' object is not iterable"):
        server.broadcast("hi", to=peers)
    scene.play(2 * TICK)

    assert scene.heard(client) == []


def test_a_broadcast_survives_that_it_ends_a_peer(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000)
    slow = scene.guest()
    slow.frozen = True
    client = scene.join()

    for number in range(4):
        server.broadcast([number, bytes(60_000)])
        scene.play(2 * TICK)

    assert [number for number, _ in scene.heard(client)] == [0, 1, 2, 3]
    assert scene.left(server).code is ReasonCode.TOO_SLOW


# Ending.


def test_a_goodbye_that_is_no_text_raises_and_ends_nothing(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    seconds: Any = 2.0

    with pytest.raises(TypeError, match="text must be a str, not float"):
        server.close_nicely(seconds)
    state = server.state
    late = scene.join()
    server.close_nicely("now")
    scene.play(1.0)

    assert (state, server.state) == (State.CONNECTED, State.DISCONNECTED)
    assert scene.left(client) == scene.left(late) == Reason(ReasonCode.SHUTDOWN, "now")


def test_a_server_that_winds_down_lets_nobody_in(scene: Scene) -> None:
    server = scene.serve(close_timeout=1.0)
    guest = scene.guest()
    guest.frozen = True
    server.close_nicely()

    client = scene.client()
    scene.play(0.5)

    state = server.state
    scene.play(1.0)

    assert (state, server.state) == (State.DISCONNECTING, State.DISCONNECTED)
    assert scene.left(client).code is ReasonCode.REFUSED
    assert scene.left(server).code is ReasonCode.CLOSE_TIMEOUT


def test_after_the_end_everything_is_ignored(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    server.close()
    events = server.events()

    peer.send("nobody")
    server.broadcast("nobody")
    server.update()

    assert [type(event) for event in events] == [Left]
    assert server.events() == []
    assert server.wait(0.0)
    assert server._seconds_left() == 0.0


@pytest.mark.parametrize("timeout", [None, 0.0, 3600.0])
def test_there_is_nothing_to_wait_for_after_the_end(timeout: float | None) -> None:
    server = Server("127.0.0.1", 0)
    server.close()

    assert server.events() == []
    assert server.wait(timeout) is True
    assert netcode.wait(server, timeout=timeout) is True
    assert server.instantiate() == ([], [], [])


def test_an_exception_in_the_game_closes_the_server(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    with pytest.raises(ZeroDivisionError), server:
        raise ZeroDivisionError
    scene.play(3 * TICK)

    assert server.state is State.DISCONNECTED
    assert scene.left(client).code is ReasonCode.SHUTDOWN


def test_an_error_while_events_are_handled_leaves_the_server_sound(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    client.send("bad")
    client.send("good")
    scene.frozen.add(server)
    scene.play(2 * TICK)
    server.update()

    def handle(events: list[netcode.Event]) -> None:
        for event in events:
            assert isinstance(event, Received)
            raise ValueError(event.message)

    with pytest.raises(ValueError, match="bad"):
        handle(server.events())
    scene.frozen.clear()
    client.send("next")
    scene.play(3 * TICK)

    assert scene.heard(server) == ["good", "next"]
    assert client.state is State.CONNECTED


# Driving.


@pytest.mark.parametrize("how", [Server.wait, netcode.wait])
def test_waiting_sends_what_is_queued_before_it_sleeps(scene: Scene, how: Callable[..., bool]) -> None:
    server = scene.serve()
    client = scene.join()

    server.broadcast("at once")
    how(server, timeout=0.0)
    client.update()

    assert client.events() == [Received(peer_of(client), "at once")]


def test_waiting_wakes_for_connects_messages_and_deadlines() -> None:
    heard: list[netcode.Event] = []
    with Server("127.0.0.1", 0, grace=0.2) as server:
        nothing = server.wait(0.0)
        read, write, exceptional = server.instantiate()
        with Client("127.0.0.1", server.address.port) as client:
            for _ in as_long_as(lambda: client.state is not State.CONNECTED):
                client.update()
                server.wait(0.01)
                server.update()
            with_events = server.wait(0.0)
            server.events()
            client.send("hi")
            client.update()
            woken = netcode.wait(server, timeout=10.0)
            patient = Patience()
            while not heard and patient():
                server.update()
                heard = server.events()
            for _ in until(lambda: (seconds := server._seconds_left()) is not None and 0.0 < seconds <= 1.1):
                server.update()  # what is due is done
            link_of(peer_of(client)).stream.close()
            for _ in until(lambda: any(isinstance(event, Away) for event in server.events())):
                server.wait(1.0)
                server.update()
            for _ in until(lambda: any(isinstance(event, Left) for event in server.events())):
                assert server.wait(10.0)
                server.update()

    assert (nothing, with_events, woken) == (False, True, True)
    assert heard == [Received(heard[0].peer, "hi")]
    assert (len(read), write, exceptional) == (1, [], [])


def test_waiting_for_a_tick_that_is_late_does_not_wait(scene: Scene) -> None:
    assert not scene.serve().wait(-1.0)


def test_waiting_knows_of_a_grace(scene: Scene) -> None:
    server = scene.serve(grace=3.0, ping_interval=9.0)
    guest = scene.guest(token=b"")
    guest.connection.close()
    scene.play(3 * TICK)

    seconds = server._seconds_left()

    assert seconds is not None
    assert 2.8 < seconds <= 3.0
    server._slept(0.0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("taken", [["epoll", "kqueue"], ["epoll", "kqueue", "poll"]], ids="+".join)
def test_where_the_best_ways_to_wait_are_taken_away_others_serve(
    taken: list[str], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_away() -> None:
        for name in taken:
            monkeypatch.delattr(select, name, raising=False)

    if when == "before":
        take_away()
    with Server("127.0.0.1", 0) as server, Client("127.0.0.1", server.address.port) as client:
        take_away()
        client.send("x" * 50_000)
        got: list[str] = []
        for _ in range(100):
            server.wait(0.05)
            server.update()
            client.update()
            client.wait(0.0)
            got += [type(event).__name__ for event in server.events()]
            if len(got) == 2:
                break

        assert got == ["Joined", "Received"]


def test_a_loop_of_ticks_ends_when_the_server_has_closed(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    told: list[Any] = []

    for tick in server.ticks(30):
        client.update()
        told += server.events()
        if tick == 2:
            server.close_nicely("enough")

    assert server.state is State.DISCONNECTED
    assert [type(event) for event in told][-1] is Left


def test_a_program_that_only_waits_is_told_to_update() -> None:
    clock = FakeClock()

    def wait_on(server: Server) -> None:
        for _ in range(1_000):
            clock.advance(0.1)
            server.wait(0.0)

    with (
        Server("127.0.0.1", 0, clock=clock) as server,
        socket.create_connection(server.address),
        pytest.warns(RuntimeWarning, match=r"update\(\)"),
    ):
        wait_on(server)


@pytest.mark.games
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("case", "step"),
    [
        (interrupted.loaded_server, 13),
        (interrupted.cut_off_server, 7),
        (interrupted.returning_at_the_server, 41),
        (interrupted.joining_at_the_server, 13),
        (interrupted.leaving_server, 19),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_interrupt_leaves_a_server_whole(case: interrupted.Case, step: int) -> None:
    may_end = case in {interrupted.joining_at_the_server, interrupted.leaving_server}

    assert interrupted.audit(case, "memory", step, may_end=may_end) > 5


def test_in_a_child_a_server_is_over_and_nobody_is_told(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    scene.frozen.add(client)

    server._abandon()
    server.close()
    with pytest.warns(RuntimeWarning, match=r"^this server belongs to the process that made it"):
        server.update()
    peer.send("to nobody")

    assert (server.state, server.peers, server.events()) == (State.DISCONNECTED, (), [])
    assert not peer.alive


def test_who_is_seen_off_while_the_peers_are_listed_is_not_among_them(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    scene.join()
    seats = server._seats
    one, other = server.peers

    class Seen:
        """The seats, and a signal handler that comes when they are listed."""

        def __iter__(self) -> Iterator[Any]:
            found = [*seats]
            one.close()
            return iter(found)

    server._seats = Seen()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    listed = server.peers
    server._seats = seats

    assert listed == (other,)


def test_a_server_that_is_about_to_end_is_worth_an_update(scene: Scene) -> None:
    server = scene.serve()

    server.close_nicely()

    assert server._seconds_left() == 0.0


def test_an_update_that_an_exception_leaves_is_recovered_from_and_none_runs_within_another(scene: Scene) -> None:
    server = scene.serve()
    scene.join()

    class Pressed(Observer):
        def begin(self) -> None:
            with pytest.raises(RuntimeError, match=r"Server\.update\(\) is already running"):
                server.update()
            self.stop()
            server.broadcast("later")
            raise KeyboardInterrupt

    Pressed(server)
    with pytest.raises(KeyboardInterrupt):
        server.update()
    scene.play(2 * TICK)

    assert [peer.alive for peer in server.peers] == [True]


def test_what_is_asked_for_in_the_middle_of_an_update_is_done_at_its_end(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    class Leaving(Observer):
        def begin(self) -> None:
            server.close_nicely("bye")

    Leaving(server)
    server.update()

    assert server.state is State.DISCONNECTING
    scene.play(3 * TICK)
    assert scene.left(client).text == "bye"


# Browsers.


@pytest.mark.parametrize(
    ("origin", "hears"),
    [(b"", b"\x82"), (b"Origin: http://game\r\n", b"\x82"), (b"Origin: null\r\n", b"origin of its own")],
)
def test_a_page_may_come_in_or_hears_why_not(scene: Scene, origin: bytes, hears: bytes) -> None:
    server = scene.serve(web=True)
    browser = netcode.connect(HOST, PORT, network=scene.network, clock=scene.clock)
    browser.send(UPGRADE + origin + b"\r\n")
    for _ in range(20):
        browser.update()
        scene.play(TICK)

    unmasked = bytes((0x82, 0x80 | len(hello()))) + bytes(4) + hello()  # a key of zeros changes nothing
    browser.send(unmasked)
    for _ in range(20):
        browser.update()
        scene.play(TICK)

    assert hears in browser.receive_all()
    assert len(server.peers) == (origin != b"Origin: null\r\n")
    browser.close()


def test_who_waits_before_the_door_is_let_go_in_time_although_nothing_else_happens() -> None:
    clock = FakeClock()
    with (
        netcode.Server("127.0.0.1", 0, web=True, clock=clock) as server,
        socket.create_connection(server.address) as silent,
    ):
        silent.setblocking(False)
        for _ in until(lambda: doorway_of(server).due() is not None):
            server.update()
        for _ in range(4):
            clock.advance(0.9)
            server.update()
        for _ in until(lambda: select.select([silent], [], [], 0.01)[0]):
            pass

        assert silent.recv(10) == b""
        assert doorway_of(server).due() is None
