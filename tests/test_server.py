"""A dedicated server: who gets in, who is told what, who may come back, and how it ends."""

import errno
import logging
import select
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import interrupted
import pytest
from bounds import as_long_as, until
from faults.wire import ACK, BYE, HELLO, MAX_MESSAGE, WELCOME, Stranger, bye, control, frame, hello, message
from inside import (
    crowd_of,
    doorway_of,
    engine_of,
    graces_of,
    keys_of,
    link_of,
    linked_at,
    links_of,
    origins_of,
    peer_of,
    session_of,
)
from scene import HOST, PORT, TICK, Scene, only

import netcode
from netcode import (
    Address,
    Away,
    Back,
    Client,
    Elsewhere,
    Joined,
    Left,
    MessageTooLarge,
    Reason,
    ReasonCode,
    Received,
    Refusal,
    Server,
    State,
    Web,
    log,
)
from netcode.connection_set import ACCEPTS_PER_UPDATE
from netcode.observing import Observer
from netcode.server import KEY_SIZE, SECRET_SIZE, TOLD_AT_THE_DOOR
from netcode.testing import FakeClock, MemoryNetwork
from netcode.transport import Connector
from netcode.waiting import Descriptors


@pytest.fixture
def scene() -> Any:
    """A scene that is closed in the end."""
    scene = Scene()
    yield scene
    scene.close()


def reason_of(stranger: Stranger) -> tuple[ReasonCode, str]:
    """Return the only goodbye that a stranger was told."""
    [[code, text]] = stranger.told(BYE)
    return ReasonCode(code), text


def token_of(stranger: Stranger) -> bytes:
    """Return the token that a stranger was given."""
    [[_, _, _, token, *_]] = stranger.told(WELCOME)
    assert isinstance(token, bytes)
    return token


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


def test_a_server_that_is_closed_at_once_is_announced_no_more(scene: Scene) -> None:
    server = scene.serve(announce="here")

    server.close()

    assert scene.network.sightings == {}


def test_a_forked_child_leaves_the_announcement_to_its_parent(scene: Scene) -> None:
    server = scene.serve(announce="here")

    server._abandon()

    assert len(scene.network.sightings) == 1


def test_what_cannot_be_announced_leaves_the_port_free(scene: Scene) -> None:
    with pytest.raises(ValueError, match="announce must be a name for this server"):
        scene.serve(announce="")

    scene.serve(announce="here")


# Somebody who only asks what is played.


def test_who_asks_is_told_what_is_played_and_disturbs_nobody(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    server = scene.serve(game="chess", version="2", max_peers=8)
    scene.join(game="chess", version="2")

    asker = scene.guest(game="?")

    assert asker.told(BYE) == [
        [
            ReasonCode.WRONG_GAME.value,
            "the server runs chess 2; this only asked",
            {"game": "chess", "version": "2", "players": 1, "max_players": 8},
        ]
    ]
    assert scene.news(server) == ["Joined"]
    assert len(server.peers) == 1
    asker.connection.close()
    scene.play(TICK)
    assert caplog.text == ""
    assert len(links_of(server)) == 1


def test_who_plays_another_game_is_told_no_more_than_which(scene: Scene) -> None:
    scene.serve(game="chess", version="2")

    stranger = scene.stranger(hello("go"))

    assert stranger.told(BYE) == [
        [ReasonCode.WRONG_GAME.value, "the server runs chess 2, this is go; get the same one"]
    ]


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


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"port": -1}, ValueError, "port must be from 0 to 65535, not -1"),
        ({"port": "7777"}, TypeError, "port must be an int, not str"),
        ({"game": b"chess"}, TypeError, "game must be a str, not bytes"),
        ({"messages": dict}, TypeError, "messages must be msgspec.Struct types joined by"),
        ({"status": 7}, TypeError, "status must be the path of a file, or True, not int"),
        ({"game": "?"}, ValueError, "game '\\?' is what programs say that only ask"),
        ({"max_peers": 0}, ValueError, "max_peers must be above 0 and finite, not 0"),
        ({"max_peers": 2.5}, TypeError, "max_peers must be an int, not float"),
        ({"max_peers_per_address": -1}, ValueError, "max_peers_per_address must be above 0 and finite, not -1"),
        ({"max_pending": True}, TypeError, "max_pending must be an int, not bool"),
        ({"grace": -1.0}, ValueError, "grace must be 0 or more and finite, not -1.0"),
        ({"grace": "10"}, TypeError, "grace must be a number, not str"),
        ({"authenticate": 5}, TypeError, "authenticate must be a function of credentials and an address, not int"),
        ({"max_message": 100}, ValueError, "max_message must be from 4096 to 2147483647, not 100"),
        ({"max_mesage": 100_000}, TypeError, r"Server\(\) got an unexpected keyword argument 'max_mesage'"),
    ],
)
def test_what_an_argument_cannot_be_raises_at_once(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    clock = FakeClock()
    network = MemoryNetwork(clock)
    arguments = {"host": HOST, "port": PORT, "network": network, "clock": clock, **arguments}

    with pytest.raises(kind, match=text):
        Server(**arguments)

    assert network.door(PORT) is None


def test_a_port_that_is_taken_says_so() -> None:
    with Server("127.0.0.1", 0) as server, pytest.raises(OSError, match="taken") as caught:
        Server("127.0.0.1", server.address.port)

    assert caught.value.errno == errno.EADDRINUSE


def test_a_server_says_where_it_listens(scene: Scene) -> None:
    server = scene.serve()

    assert server.address == Address(HOST, PORT)
    assert repr(server) == f"<Server connected on {HOST}:{PORT}, 0 peers>"
    assert (server.state, server.peers) == (State.CONNECTED, ())


def test_tls_is_put_between() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with Server("127.0.0.1", 0, tls=context) as server:
        assert type(doorway_of(server)).__module__ == "netcode.transport.tls"


# Who gets in.


def test_the_events_of_a_peer_begin_with_joined_and_end_with_left(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    client.send("hi")
    client.close_nicely("bye")
    scene.play(10 * TICK)

    left = Left(peer, Reason(ReasonCode.GOODBYE, "bye"))
    assert scene.told[server] == [Joined(peer), Received(peer, "hi"), left]
    assert server.peers == ()


def test_peers_are_numbered_and_listed_in_the_order_of_joining(scene: Scene) -> None:
    server = scene.serve()
    clients = [scene.join() for _ in range(3)]

    clients[1].close()
    scene.play(3 * TICK)
    scene.join()

    assert [peer.id for peer in server.peers] == [1, 3, 4]


@pytest.mark.parametrize(
    ("game", "version", "code", "text"),
    [
        ("chess", "1", ReasonCode.WRONG_VERSION, "the server runs chess 2, this is chess 1; get the same one"),
        ("go", "2", ReasonCode.WRONG_GAME, "the server runs chess 2, this is go 2; get the same one"),
        ("", "", ReasonCode.WRONG_GAME, "the server runs chess 2, this is a game without a name; get the same one"),
        ("a\nb", "", ReasonCode.WRONG_GAME, "the server runs chess 2, this is a\\nb; get the same one"),
    ],
)
def test_another_game_or_version_is_told_both(
    scene: Scene, game: str, version: str, code: ReasonCode, text: str
) -> None:
    server = scene.serve(game="chess", version="2")

    stranger = scene.stranger(hello(game, version))

    assert reason_of(stranger) == (code, text)
    assert scene.told[server] == []


def test_a_full_server_says_so_at_once_and_counts_who_is_away(scene: Scene) -> None:
    server = scene.serve(max_peers=1)
    first = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.play(2 * TICK)
    away = only(server).away
    scene.network.down = False
    scene.frozen.add(first)

    stranger = scene.stranger(hello())

    assert away
    assert reason_of(stranger) == (ReasonCode.SERVER_FULL, "the server is full; try again later")


def test_too_many_from_one_address_are_told_so(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=2)

    guests = [scene.guest() for _ in range(3)]
    guests[0].connection.close()
    scene.play(3 * TICK)
    after = scene.guest()

    text = "too many are playing from your address already; try again later"
    assert reason_of(guests[2]) == (ReasonCode.TOO_MANY, text)
    assert [len(guest.told(WELCOME)) for guest in [*guests, after]] == [1, 1, 0, 1]
    assert [peer.id for peer in server.peers] == [2, 3]


def test_too_many_from_one_address_keep_nobody_out_who_comes_back(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=2, close_timeout=2.0)
    old = [scene.guest(token=b"") for _ in range(2)]
    for guest in old:
        guest.frozen = True  # the server does not know that these links broke

    back = [scene.stranger(hello(token=token_of(guest))) for guest in old]
    forged = scene.stranger(hello(token=bytes(KEY_SIZE + SECRET_SIZE)))
    new = scene.stranger(hello())
    scene.play(4.0)

    assert [guest.told(WELCOME)[0][1] for guest in back] == [1, 2]
    assert reason_of(forged)[0] is ReasonCode.RESUME_LOST
    assert reason_of(new)[0] is ReasonCode.TOO_MANY
    assert scene.news(server) == ["Joined", "Joined"]
    assert (crowd_of(server), [*origins_of(server).values()]) == ({*links_of(server)}, [2])


def test_who_greets_when_there_is_room_again_is_let_in(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=1)
    first = scene.guest()
    second = scene.stranger()

    first.say(bye())
    scene.play(3 * TICK)
    second.say(hello())
    scene.play(3 * TICK)

    assert len(second.told(WELCOME)) == 1
    assert scene.news(server) == ["Joined", "Left", "Joined"]


def test_who_does_not_greet_has_no_place_for_long_among_too_many(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=1, handshake_timeout=2.0)
    scene.guest()
    silent = [scene.stranger() for _ in range(TOLD_AT_THE_DOOR)]
    while_they_wait = scene.stranger(hello())

    scene.play(2.2)

    assert {reason_of(stranger)[0] for stranger in silent} == {ReasonCode.HANDSHAKE_TIMEOUT}
    assert reason_of(while_they_wait)[0] is ReasonCode.TOO_MANY
    assert (len(links_of(server)), crowd_of(server)) == (1, set())


def test_a_flood_from_one_address_takes_no_room_from_others(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=2, max_pending=100)
    connections = [
        netcode.connect(HOST, PORT, network=scene.network, clock=scene.clock) for _ in range(2 * ACCEPTS_PER_UPDATE)
    ]
    flood = [Stranger(connection) for connection in connections]

    for _ in range(6):
        for stranger in flood:
            stranger.update()
        scene.play(TICK)

    told = [stranger.told(BYE)[0][0] for stranger in flood if stranger.told(BYE)]
    assert told == [ReasonCode.TOO_MANY.value] * (2 * ACCEPTS_PER_UPDATE - 2 - TOLD_AT_THE_DOOR)
    assert len(links_of(server)) == len(crowd_of(server)) + 2 == 2 + TOLD_AT_THE_DOOR
    for connection in connections:
        connection.close()


def test_who_comes_while_too_many_are_at_the_door_is_turned_away(scene: Scene) -> None:
    scene.serve(max_pending=3)

    strangers = [scene.stranger() for _ in range(4)]

    text = "the server is busy: many want to come in; try again in a moment"
    assert reason_of(strangers[3]) == (ReasonCode.SERVER_FULL, text)
    assert [stranger.connection.alive for stranger in strangers] == [True, True, True, False]


@pytest.mark.fault(76, "memory")
@pytest.mark.parametrize(
    "late",
    [b"", b"\x00\x00", b"\x00\x00\x00\x01\xc0", hello(version="2"), bye()],
    ids=["silence", "a beginning", "nonsense", "the wrong version", "a goodbye"],
)
@pytest.mark.parametrize("limit", ["max_pending", "max_peers_per_address"])
def test_a_slot_at_the_door_is_free_when_the_time_to_greet_is_over(scene: Scene, late: bytes, limit: str) -> None:
    server = scene.serve(**{limit: 3})
    strangers = [scene.stranger() for _ in range(3 if limit == "max_pending" else 3 + TOLD_AT_THE_DOOR)]
    came = scene.clock.now - 5 * TICK  # the last of them
    scene.play(2.8 - (scene.clock.now - came))
    for stranger in strangers:
        if stranger.connection.alive and late:
            stranger.say(late)
            stranger.update()
        stranger.frozen = True  # it takes no goodbye, and says none

    scene.play(came + 3.2 - scene.clock.now)
    client = scene.join()

    assert client.state is State.CONNECTED
    assert len(links_of(server)) == linked_at(server) == 1
    last = strangers[-1]
    last.frozen = False
    scene.play(2 * TICK)
    assert len(last.told(BYE)) == (late != bye())


class Half:
    """A newcomer that gets no further than a test says."""

    where = "somewhere"
    hint = "does not matter"

    def __init__(self, inner: Connector, answer: Reason | None) -> None:
        self._inner, self._answer = inner, answer
        self.address = inner.address

    def advance(self, now: float) -> Reason | None:
        return self._answer

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> None:
        """Be due at no time."""

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("kind", ["not ready", "failed", "broken"])
def test_who_cannot_even_be_told_is_turned_away_in_silence(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    server = scene.serve(max_pending=1)
    scene.stranger()
    accept = doorway_of(server).accept

    def accept_another_way(now: float) -> Connector | None:
        newcomer = accept(now)
        if newcomer is None:
            return None
        if kind == "broken":
            scene.network.cut()
            return newcomer
        return Half(newcomer, None if kind == "not ready" else Reason(ReasonCode.BROKEN_TLS, "broken"))

    monkeypatch.setattr(doorway_of(server), "accept", accept_another_way)
    stranger = scene.stranger(hello())

    assert stranger.told(BYE) == []
    assert not stranger.connection.alive


def test_who_gets_no_further_than_the_door_does_not_count_from_its_address_any_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve(max_peers_per_address=2)
    accept = doorway_of(server).accept

    def accept_halfway(now: float) -> Connector | None:
        newcomer = accept(now)
        return newcomer and Half(newcomer, Reason(ReasonCode.BROKEN_TLS, "no agreement"))

    with monkeypatch.context() as broken:
        broken.setattr(doorway_of(server), "accept", accept_halfway)
        for _ in range(TOLD_AT_THE_DOOR + 5):
            scene.stranger(hello())
    counted = dict(origins_of(server))
    scene.join()

    assert counted == {}
    assert [*origins_of(server).values()] == [1]


def test_connects_wait_at_the_door_while_nobody_takes_events(scene: Scene) -> None:
    server = scene.serve(max_backlog=1_000)
    scene.deaf.add(server)
    for _ in range(4):
        scene.guest()

    late = scene.stranger(hello())
    before = late.told(WELCOME)
    scene.deaf.clear()
    scene.play(5 * TICK)

    assert before == []
    assert len(late.told(WELCOME)) == 1
    assert scene.news(server) == ["Joined"] * 5


# Credentials.


def always(answer: Any) -> Callable[[Any, Address], Any]:
    """Return an `authenticate` that gives everybody the same answer."""

    def authenticate(credentials: Any, address: Address) -> Any:
        return answer

    return authenticate


def test_what_authenticate_returns_is_the_data_of_the_peer(scene: Scene) -> None:
    seen: list[Any] = []

    def authenticate(credentials: Any, address: Address) -> Any:
        seen.append((credentials, address))
        return {"name": credentials}

    server = scene.serve(authenticate=authenticate)
    scene.join(credentials="Ann")

    assert seen == [("Ann", only(server).address)]
    assert only(server).data == {"name": "Ann"}


@pytest.mark.parametrize(
    ("answer", "text"),
    [(Refusal("you are banned"), "you are banned"), (False, "the server does not accept these credentials")],
)
def test_who_is_refused_reads_why(scene: Scene, answer: Any, text: str) -> None:
    server = scene.serve(authenticate=always(answer))
    client = scene.client(credentials="x")

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(TICK)

    assert scene.told[client] == [Left(peer_of(client), Reason(ReasonCode.DENIED, text))]
    assert scene.told[server] == []
    assert server.peers == ()


def test_a_refusal_that_is_no_text_keeps_out_all_the_same(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    number: Any = 5

    def authenticate(credentials: Any, address: Address) -> Any:
        return Refusal(number)

    server = scene.serve(authenticate=authenticate)
    client = scene.client()

    scene.play(1.0)

    assert "TypeError: text must be a str, not int" in caplog.text
    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server failed while it let you in")
    assert server.state is State.CONNECTED
    assert Refusal("no") == Refusal("no") != Refusal("never")


def test_a_forgotten_return_lets_nobody_in_and_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    server = scene.serve(authenticate=always(None))
    client = scene.client()

    scene.until(lambda: client.state is State.DISCONNECTED)

    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server does not accept these credentials")
    assert (server.peers, scene.told[server]) == ((), [])
    assert "returned None for 127.0.0.1" in caplog.text
    assert "return what becomes peer.data, or True" in caplog.text


async def _async() -> bool:
    return True


def _yielding() -> Iterator[bool]:
    yield True


async def _both() -> AsyncIterator[bool]:
    yield True


@pytest.mark.fault(74, "memory")
@pytest.mark.parametrize(
    ("make", "called"),
    [
        (_async, "a thing of type coroutine"),
        (_yielding, "a thing of type generator"),
        (_both, "a thing of type async_generator"),
        (lambda: Refusal, "the class Refusal"),
        (lambda: NotImplemented, "a thing of type NotImplementedType"),
        (lambda: ValueError("no"), "a thing of type ValueError"),
        (lambda: PermissionError, "the class PermissionError"),
    ],
)
def test_what_decides_nothing_lets_nobody_in_and_is_told(
    scene: Scene, make: Callable[[], Any], called: str, caplog: pytest.LogCaptureFixture
) -> None:
    def authenticate(credentials: Any, address: Address) -> Any:
        return make()

    server = scene.serve(authenticate=authenticate)
    client = scene.client()

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(TICK)

    assert scene.left(client) == Reason(ReasonCode.DENIED, "the server does not accept these credentials")
    assert (scene.told[server], server.peers) == ([], ())
    assert f"authenticate returned {called} for " in caplog.text


@pytest.mark.parametrize("answer", [0, "", True])
def test_everything_else_lets_in(scene: Scene, answer: Any) -> None:
    server = scene.serve(authenticate=always(answer))

    scene.join()

    assert only(server).data is answer


@pytest.mark.fault(74, "memory")
@pytest.mark.parametrize("error", [KeyError("boom"), AssertionError("boom"), KeyboardInterrupt("boom")])
def test_an_error_in_authenticate_refuses_one_and_the_server_goes_on(
    scene: Scene, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def authenticate(credentials: Any, address: Address) -> bool:
        if credentials == "boom":
            raise error
        return True

    server = scene.serve(authenticate=authenticate)
    good = scene.join(credentials="fine")
    scene.frozen.add(server)
    bad = scene.client(credentials="boom")
    later = scene.client(credentials="fine")
    scene.play(5 * TICK)

    def update_often() -> None:
        for _ in range(5):
            server.update()

    if isinstance(error, Exception):
        update_often()
        assert "authenticate failed for 127.0.0.1" in caplog.text
        assert f"    {type(error).__name__}" in caplog.text
    else:
        with pytest.raises(KeyboardInterrupt, match="boom"):  # Ctrl-C is not the stranger's doing
            update_often()
    scene.frozen.clear()
    scene.play(5 * TICK)

    assert scene.left(bad) == Reason(ReasonCode.DENIED, "the server failed while it let you in")
    assert (good.state, later.state) == (State.CONNECTED, State.CONNECTED)
    assert len(server.peers) == 2


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_a_server_may_be_closed_from_within_authenticate(scene: Scene, how: str) -> None:
    def authenticate(credentials: Any, address: Address) -> bool:
        getattr(server, how)()
        return True

    server = scene.serve(authenticate=authenticate)
    clients = [scene.client(), scene.client()]

    scene.play(1.0)

    assert server.state is State.DISCONNECTED
    assert scene.told[server] == []
    assert [scene.left(client).code for client in clients] == [ReasonCode.SHUTDOWN] * 2


def test_update_from_within_itself_raises_and_the_server_goes_on(scene: Scene) -> None:
    raised: list[str] = []

    def authenticate(credentials: Any, address: Address) -> bool:
        try:
            server.update()
        except RuntimeError as error:
            raised.append(str(error))
        return True

    server = scene.serve(authenticate=authenticate)
    client = scene.join()

    assert raised == ["Server.update() is already running: call it from one place, in one thread"]
    assert client.state is State.CONNECTED


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


# Another program in the same seat.


def anew(token: bytes) -> bytes:
    """Return the HELLO of a program that has a token, and nothing else, of the one before it."""
    return control(HELLO, "netcode", 1, "", "", MAX_MESSAGE, token, 0, None, True)


def test_another_program_hears_from_where_it_is_told_and_gets_a_token_of_its_own(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(message("up"), token=b"")
    for number in range(4):
        only(server).send(number)
    scene.play(TICK)
    guest.say(control(ACK, 3))
    scene.play(2 * TICK)
    guest.connection.close()
    scene.play(2 * TICK)

    other = scene.stranger(anew(token_of(guest)))

    [[_, peer_id, _, token, received, _, _, first]] = other.told(WELCOME)
    assert (peer_id, received, first, other.messages) == (1, 1, 3, [3])
    assert (token[:KEY_SIZE], len(token)) == (token_of(guest)[:KEY_SIZE], KEY_SIZE + SECRET_SIZE)
    assert token != token_of(guest)
    assert scene.news(server) == ["Joined", "Away", "Back"]


def test_the_token_before_is_good_for_another_program_alone(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(control(ACK, 0), token=b"")
    other = scene.stranger(anew(token_of(guest)))

    late = scene.stranger(hello(token=token_of(guest)))
    third = scene.stranger(anew(token_of(guest)))

    assert reason_of(guest)[0] is ReasonCode.REPLACED
    assert reason_of(late)[0] is ReasonCode.REPLACED
    assert reason_of(other)[0] is ReasonCode.REPLACED
    assert third.connection.alive
    assert len({token_of(one) for one in (guest, other, third)}) == 3
    assert scene.news(server) == ["Joined", *["Away", "Back"] * 2]


def test_what_is_kept_no_more_cannot_be_given_to_another_program(scene: Scene) -> None:
    server = scene.serve(max_resend=5_000, max_message=4_096)
    guest = scene.guest(control(ACK, 0), token=b"")
    for _ in range(4):
        only(server).send(bytes(4_000))
        scene.play(TICK)
    guest.connection.close()
    scene.play(2 * TICK)

    other = scene.stranger(anew(token_of(guest)))

    assert reason_of(other)[0] is ReasonCode.RESUME_LOST
    assert scene.news(server) == ["Joined", "Away", "Left"]
    assert keys_of(server) == {}


# Who does not know that it is in.


@pytest.mark.fault(76, "memory")
@pytest.mark.parametrize("reset", [True, False])
def test_a_seat_whose_greeting_broke_yields_to_a_newcomer(scene: Scene, reset: bool) -> None:
    server = scene.serve(max_peers=1)
    scene.guest(token=b"")
    scene.network.cut(reset=reset)
    scene.play(2 * TICK)
    before = scene.news(server)

    client = scene.join()

    assert before == ["Joined", "Away"]
    assert scene.news(server) == ["Joined", "Away", "Left", "Joined"]
    assert only(server).id == client.id == 2
    assert len(keys_of(server)) == linked_at(server) == len(origins_of(server)) == 1


def test_a_seat_whose_greeting_broke_is_kept_as_long_as_a_greeting_is_waited_for(scene: Scene) -> None:
    server = scene.serve()
    scene.guest(token=b"")
    scene.network.cut()

    scene.play(2.9)
    before = scene.news(server)
    scene.play(0.2)

    assert (before, scene.news(server)) == (["Joined", "Away"], ["Joined", "Away", "Left"])


def test_who_got_the_greeting_after_all_may_come_back_for_so_long(scene: Scene) -> None:
    server = scene.serve(max_peers=1)
    guest = scene.guest(token=b"")
    scene.network.cut()
    scene.play(2.5)

    scene.guest(token=token_of(guest))
    scene.network.cut()
    scene.play(3.5)
    turned_away = scene.stranger(hello())

    assert scene.news(server) == ["Joined", "Away", "Back", "Away"]
    assert reason_of(turned_away)[0] is ReasonCode.SERVER_FULL


@pytest.mark.parametrize("limit", ["max_peers", "max_peers_per_address"])
def test_a_silent_link_that_never_took_its_greeting_yields_after_a_while(scene: Scene, limit: str) -> None:
    server = scene.serve(**{limit: 1})
    ghost = scene.stranger(hello(token=b""))
    scene.play(2.8)
    early = scene.stranger(hello())
    scene.play(0.3)

    client = scene.join()

    assert reason_of(early)[0] in {ReasonCode.SERVER_FULL, ReasonCode.TOO_MANY}
    assert scene.left(server).code is ReasonCode.HANDSHAKE_TIMEOUT
    assert scene.left(server).text.endswith("did not take its seat within handshake_timeout = 3 s")
    assert reason_of(ghost) == (ReasonCode.HANDSHAKE_TIMEOUT, scene.left(server).text)
    assert (only(server).id, client.state, linked_at(server)) == (client.id, State.CONNECTED, 1)
    assert sum(origins_of(server).values()) == 1


@pytest.mark.parametrize("proof", [control(ACK, 0), message("hi"), message(bytes(100))[:50]])
def test_who_has_said_anything_keeps_the_seat(scene: Scene, proof: bytes) -> None:
    server = scene.serve(max_peers=1, max_peers_per_address=1)
    guest = scene.guest(proof, token=b"")
    scene.play(4.0)
    same_address = scene.stranger(hello())
    guest.connection.close()
    scene.play(4.0)

    other = scene.stranger(hello())

    assert reason_of(same_address)[0] is ReasonCode.TOO_MANY
    assert reason_of(other)[0] is ReasonCode.SERVER_FULL
    assert scene.news(server) == ["Joined", "Away"]


def test_who_is_not_let_in_takes_nobodys_seat(scene: Scene) -> None:
    def authenticate(credentials: Any, address: Address) -> Any:
        return credentials == "Ann" or Refusal("no")

    server = scene.serve(max_peers=1, authenticate=authenticate)
    ann = scene.client(credentials="Ann")
    scene.until(lambda: len(server.peers) == 1)
    scene.frozen.add(ann)
    scene.network.cut()
    mallory = scene.client(credentials="Mallory")

    scene.play(1.0)

    assert scene.left(mallory).text == "no"
    assert scene.news(server) == ["Joined", "Away"]


# Coming back.


def test_a_token_is_random_and_its_own(scene: Scene) -> None:
    scene.serve()

    tokens = {token_of(scene.guest(token=b"")) for _ in range(10)}

    assert len(tokens) == 10
    assert {len(token) for token in tokens} == {KEY_SIZE + SECRET_SIZE}


def test_who_does_not_want_to_come_back_is_given_no_token(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=None)

    guest.connection.close()
    scene.play(3 * TICK)

    assert guest.told(WELCOME)[0][3] == b""
    assert guest.told(WELCOME)[0][6] == 0.0
    assert scene.news(server) == ["Joined", "Left"]
    assert keys_of(server) == {}


def test_a_new_client_cannot_take_a_seat_that_nobody_can_leave(scene: Scene) -> None:
    server = scene.serve()

    guest = scene.guest(message("hi"), token=b"", received=7)

    assert guest.told(WELCOME)[0][4] == 0
    assert scene.heard(server) == ["hi"]
    guest.say(bye())
    scene.play(3 * TICK)
    assert scene.news(server) == ["Joined", "Left"]
    assert server.peers == ()


@pytest.mark.parametrize("spoiled", ["forged", "truncated", "key only", "extended", "other key", "short"])
def test_a_token_that_is_not_exactly_right_is_refused(scene: Scene, spoiled: str) -> None:
    server = scene.serve()
    first = scene.guest(token=b"")
    peer = only(server)
    token = token_of(first)
    wrong = {
        "forged": token[:-1] + bytes((token[-1] ^ 1,)),
        "truncated": token[:-1],
        "key only": token[:KEY_SIZE],
        "extended": token + b"\0",
        "other key": bytes(KEY_SIZE) + token[KEY_SIZE:],
        "short": b"x",
    }

    thief = scene.stranger(hello(token=wrong[spoiled]))
    first.say(message("still here"))
    scene.play(3 * TICK)

    text = "the server does not know this session any more: it was restarted, or you were away for too long"
    assert reason_of(thief) == (ReasonCode.RESUME_LOST, text)
    assert scene.told[server] == [Joined(peer), Received(peer, "still here")]


def test_a_token_of_a_session_that_is_over_is_refused(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    token = token_of(first)
    first.connection.close()

    scene.play(1.9)
    before = scene.news(server)
    scene.play(0.3)
    late = scene.stranger(hello(token=token))

    assert before == ["Joined", "Away"]
    assert scene.news(server) == ["Joined", "Away", "Left"]
    assert scene.left(server).code is ReasonCode.CLOSED_BY_PEER
    assert reason_of(late)[0] is ReasonCode.RESUME_LOST
    assert (keys_of(server), server.peers) == ({}, ())


def test_a_return_in_time_ends_the_grace(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    peer = only(server)
    first.connection.close()
    scene.play(1.0)

    scene.stranger(hello(token=token_of(first)))
    scene.play(2.0)

    assert scene.told[server] == [Joined(peer), Away(peer, scene.away(server)), Back(peer)]
    assert scene.away(server).code is ReasonCode.CLOSED_BY_PEER


def test_each_break_has_a_grace_of_its_own(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    first = scene.guest(token=b"")
    peer = only(server)
    first.connection.close()
    scene.play(1.0)
    second = scene.stranger(hello(token=token_of(first)))

    second.connection.close()
    scene.play(1.5)  # beyond the end of the first grace
    before = scene.news(server)
    scene.play(0.6)

    assert before == ["Joined", "Away", "Back", "Away"]
    assert scene.told[server][-1] == Left(peer, scene.left(server))
    assert scene.left(server).code is ReasonCode.CLOSED_BY_PEER


def test_graces_that_ended_early_are_not_kept(scene: Scene) -> None:
    server = scene.serve(grace=3600.0)
    leaver = scene.guest(control(ACK, 0), token=b"")  # who says nothing keeps no seat for so long
    leaver.connection.close()
    guest = scene.guest(token=b"")
    token = token_of(guest)
    most = 0

    for _ in range(100):
        guest.connection.close()
        scene.play(2 * TICK)
        guest = scene.stranger(hello(token=token))
        most = max(most, len(graces_of(server)))
    scene.play(3580.0, tick=1.0)
    before = scene.news(server).count("Left")
    scene.play(15.0, tick=1.0)

    assert most <= 64 + 4 * 2 + 1
    assert scene.news(server).count("Back") == 100
    assert (before, scene.news(server).count("Left")) == (0, 1)


def test_who_is_sent_away_while_away_leaves_once(scene: Scene) -> None:
    server = scene.serve(grace=2.0)
    guest = scene.guest(token=b"")
    peer = only(server)
    guest.connection.close()
    scene.play(1.0)

    peer.close_nicely("kicked")
    scene.play(2.0)

    assert scene.told[server] == [
        Joined(peer),
        Away(peer, scene.away(server)),
        Left(peer, Reason(ReasonCode.CLOSED, "kicked")),
    ]


def test_the_new_link_wins_and_the_old_one_is_told(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)

    new = scene.stranger(hello(token=token_of(old)), message("from the new"))
    old.say(message("from the old"))
    scene.play(3 * TICK)

    assert reason_of(old) == (ReasonCode.REPLACED, "the same player connected again from elsewhere")
    assert new.told(WELCOME)[0][1] == peer.id == 1
    assert scene.told[server] == [Joined(peer), Received(peer, "from the new")]
    assert linked_at(server) == 1


@pytest.mark.parametrize(("text", "told"), [("you are banned", "you are banned"), ("", "the other end left")])
def test_who_was_sent_away_does_not_come_back_by_keeping_the_old_link_open(scene: Scene, text: str, told: str) -> None:
    server = scene.serve(close_timeout=2.0)
    old = scene.guest(token=b"")
    old.frozen = True

    only(server).close_nicely(text)
    new = scene.stranger(hello(token=token_of(old)), message("still here"))
    again = scene.stranger(hello(token=token_of(old)))
    before = scene.news(server)
    scene.play(2.5)
    late = scene.stranger(hello(token=token_of(old)))

    assert (new.told(WELCOME), again.told(WELCOME), late.told(WELCOME)) == ([], [], [])
    assert reason_of(new) == reason_of(again) == (ReasonCode.GOODBYE, told)
    assert reason_of(late) == (ReasonCode.GOODBYE, told)
    assert before == ["Joined"]
    assert scene.heard(server) == []
    assert scene.left(server).code is ReasonCode.CLOSE_TIMEOUT
    assert (linked_at(server), server.peers, keys_of(server)) == (0, (), {})


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_nobody_comes_back_to_a_server_that_closes(scene: Scene, how: str) -> None:
    server = scene.serve(close_timeout=1.0)
    old = scene.guest(token=b"")
    new = scene.stranger()

    getattr(server, how)()
    new.say(hello(token=token_of(old)))
    scene.play(2.0)

    assert (new.told(WELCOME), reason_of(new)[0]) == ([], ReasonCode.SHUTDOWN)
    assert scene.news(server) == ["Joined", "Left"]


def test_who_was_cut_off_does_not_come_back(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")

    only(server).close()
    new = scene.stranger(hello(token=token_of(old)))

    assert (new.told(WELCOME), reason_of(new)) == ([], (ReasonCode.GOODBYE, "the other end left"))
    assert scene.news(server) == ["Joined", "Left"]


@pytest.mark.fault(79, "memory")
def test_a_session_that_was_ended_on_purpose_answers_a_return_with_it_until_its_grace_is_over(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000, close_timeout=0.5, grace=4.0)
    scene.network.capacity = 1_000
    old = scene.guest(token=b"")
    token = token_of(old)
    old.frozen = True
    for _ in range(20):
        only(server).send(bytes(60_000))
    scene.play(1.0)

    early = scene.stranger(hello(token=token))
    forged = scene.stranger(hello(token=token[:-1] + bytes((token[-1] ^ 1,))))
    scene.play(4.0)
    late = scene.stranger(hello(token=token))

    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert reason_of(early)[0] is ReasonCode.TOO_SLOW
    assert reason_of(early)[1].startswith("the other end sent too much at once: ")
    assert [reason_of(one)[0] for one in (forged, late)] == [ReasonCode.RESUME_LOST] * 2


def test_a_program_that_never_heard_its_new_token_hears_why_the_session_was_ended(scene: Scene) -> None:
    server = scene.serve(grace=100.0)
    guest = scene.guest(token=b"")
    other = scene.stranger(anew(token_of(guest)))
    only(server).close_nicely("good night")
    scene.play(1.0)

    told = [reason_of(scene.stranger(anew(token_of(one)))) for one in (guest, other)]

    assert token_of(guest) != token_of(other)
    assert told == [(ReasonCode.GOODBYE, "good night")] * 2


def test_why_sessions_were_ended_is_remembered_for_so_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcode.server.MAX_ENDINGS", 3)
    server = scene.serve(grace=100.0)
    guests = [scene.guest(token=b"") for _ in range(5)]
    for peer in server.peers:
        peer.close_nicely(f"goodbye {peer.id}")
    scene.play(1.0)

    told = [reason_of(scene.stranger(hello(token=token_of(guest)))) for guest in guests]

    assert [code for code, _ in told[:2]] == [ReasonCode.RESUME_LOST] * 2
    assert told[2:] == [(ReasonCode.GOODBYE, f"goodbye {number}") for number in (3, 4, 5)]


def test_who_left_by_itself_is_not_told_anything_by_a_return(scene: Scene) -> None:
    server = scene.serve(grace=100.0)
    old = scene.guest(token=b"")
    scene.network.cut()
    scene.play(1.0)
    second = scene.stranger(hello(token=token_of(old)))
    third = scene.stranger(hello(token=token_of(old)))  # the second is replaced, and the session goes on
    third.say(bye())
    scene.play(1.0)

    again = scene.stranger(hello(token=token_of(old)))

    assert reason_of(second)[0] is ReasonCode.REPLACED
    assert scene.left(server).code is ReasonCode.GOODBYE
    assert reason_of(again)[0] is ReasonCode.RESUME_LOST


def test_a_return_that_cannot_be_served_is_told_before_it_is_welcomed(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)
    peer.send("acknowledged")
    scene.play(2 * TICK)
    old.say(control(ACK, 1))
    scene.play(2 * TICK)

    new = scene.stranger(hello(token=token_of(old), received=0))
    peer.send("to nobody")
    scene.play(2 * TICK)

    assert (new.told(WELCOME), reason_of(new)[0]) == ([], ReasonCode.RESUME_LOST)
    assert reason_of(old)[0] is ReasonCode.REPLACED
    assert old.messages == ["acknowledged"]
    assert scene.left(server).code is ReasonCode.RESUME_LOST
    assert (linked_at(server), server.peers) == (0, ())


def test_an_attempt_that_was_overtaken_by_the_next_one_takes_no_seat(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)
    token = token_of(old)
    given_up = scene.stranger()  # its greeting is still on its way
    new = scene.stranger(hello(token=token))

    given_up.say(hello(token=token))
    scene.play(2 * TICK)
    new.say(message("still here"))
    scene.play(2 * TICK)

    assert reason_of(given_up) == (ReasonCode.REPLACED, "the same player has connected again since")
    assert (given_up.told(WELCOME), new.told(BYE)) == ([], [])
    assert scene.told[server] == [Joined(peer), Received(peer, "still here")]
    assert linked_at(server) == 1


def test_an_attempt_that_was_overtaken_does_not_end_a_session_that_went_on_without_it(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    peer = only(server)
    token = token_of(old)
    given_up = scene.stranger()
    new = scene.stranger(hello(token=token))
    peer.send("acknowledged")
    scene.play(2 * TICK)
    new.say(control(ACK, 1))
    scene.play(2 * TICK)
    new.connection.close()
    scene.play(2 * TICK)

    given_up.say(hello(token=token, received=0))  # what it lacks is no longer kept: the client has had it since
    scene.play(2 * TICK)
    newest = scene.stranger(hello(token=token, received=1))

    assert reason_of(given_up)[0] is ReasonCode.REPLACED
    assert newest.told(WELCOME)[0][1] == peer.id
    assert scene.told[server] == [Joined(peer), Away(peer, scene.away(server)), Back(peer)]
    assert scene.away(server).code is ReasonCode.CLOSED_BY_PEER


def test_a_return_to_another_version_is_refused(scene: Scene) -> None:
    server = scene.serve(version="2")
    old = scene.guest(token=b"", version="2")

    new = scene.stranger(hello(version="1", token=token_of(old)))

    assert reason_of(new)[0] is ReasonCode.WRONG_VERSION
    assert scene.news(server) == ["Joined"]


# Ending.


def test_close_nicely_tells_everybody_and_winds_down(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    pending = scene.stranger()
    gone = scene.guest(token=b"")
    gone.connection.close()
    scene.play(3 * TICK)
    away = server.peers[1]
    server.peers[0].send("last")

    server.close_nicely("back at eight")
    server.close_nicely("or at nine")
    state = server.state
    scene.play(1.0)

    assert (state, server.state) == (State.DISCONNECTING, State.DISCONNECTED)
    assert scene.heard(client) == ["last"]
    assert scene.left(client) == Reason(ReasonCode.SHUTDOWN, "back at eight")
    assert reason_of(pending) == (ReasonCode.SHUTDOWN, "back at eight")
    left = [event for event in scene.told[server] if isinstance(event, Left)]
    assert {event.reason for event in left} == {Reason(ReasonCode.CLOSED, "back at eight")}
    assert len(left) == 2
    assert away in {event.peer for event in left}
    assert scene.network.links == 0


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


def test_a_link_that_breaks_while_the_server_winds_down_keeps_no_seat(scene: Scene) -> None:
    server = scene.serve()
    scene.guest(token=b"")
    server.close_nicely("bye")

    scene.network.cut()
    scene.play(3 * TICK)

    assert scene.news(server) == ["Joined", "Left"]
    assert scene.left(server) == Reason(ReasonCode.CLOSED, "bye")


@pytest.mark.parametrize("nicely_before", [False, True])
def test_close_ends_everything_at_once_and_says_so_once(scene: Scene, nicely_before: bool) -> None:
    server = scene.serve()
    client = scene.join()
    gone = scene.guest(token=b"")
    gone.connection.close()
    scene.play(3 * TICK)
    if nicely_before:
        server.close_nicely("server is shutting down")

    server.close()
    server.close()
    server.close_nicely("too late")
    state = server.state
    scene.play(3 * TICK)

    assert state is State.DISCONNECTED
    assert scene.left(client) == Reason(ReasonCode.SHUTDOWN, "server is shutting down")
    assert scene.news(server).count("Left") == 2
    assert scene.network.links == 0
    assert scene.network.door(PORT) is None


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
            server.update()
            heard = server.events()
            seconds = server._seconds_left()
            link_of(peer_of(client)).stream.close()
            for _ in until(lambda: any(isinstance(event, Away) for event in server.events())):
                server.wait(1.0)
                server.update()
            for _ in until(lambda: any(isinstance(event, Left) for event in server.events())):
                assert server.wait(10.0)
                server.update()

    assert (nothing, with_events, woken) == (False, True, True)
    assert heard == [Received(heard[0].peer, "hi")]
    assert seconds is not None
    assert 0.0 < seconds <= 1.1
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


def test_a_door_that_rests_is_not_watched_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server("127.0.0.1", 0) as server:
        door = doorway_of(server).doors()
        monkeypatch.setattr(doorway_of(server), "doors", lambda: ())
        links_of(server).watcher.knocked = True
        server.update()
        resting = server.instantiate()
        monkeypatch.setattr(doorway_of(server), "due", lambda: links_of(server).timeline.now + 0.05)
        due = server._seconds_left()
        descriptors = server._descriptors()
        monkeypatch.undo()
        server.update()
        awake = server.instantiate()

    assert resting == ([], [], [])
    assert due is not None
    assert due <= 0.05
    assert len(descriptors[0]) <= 1
    assert awake == ([*door], [], [])


def test_who_did_not_get_in_is_logged_without_its_secrets(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, logger="netcode")
    monkeypatch.setattr(log, "_next_warning", {})
    scene.serve(game="chess")

    scene.stranger(hello("evil\x1b[2J", token=b"top secret token"))

    assert "did not get in: the server runs chess, this is evil\\x1b[2J" in caplog.text
    assert "top secret" not in caplog.text


def test_our_own_pause_ends_nobody(scene: Scene) -> None:
    server = scene.serve()
    clients = [scene.join() for _ in range(5)]

    scene.clock.advance(60.0)
    for _ in range(2):
        scene.update()
    scene.play(1.0)

    assert scene.news(server) == ["Joined"] * 5
    assert {client.state for client in clients} == {State.CONNECTED}


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
    server.update()
    peer.send("to nobody")

    assert (server.state, server.peers, server.events()) == (State.DISCONNECTED, (), [])
    assert not peer.alive


def test_a_server_that_is_about_to_end_is_worth_an_update(scene: Scene) -> None:
    server = scene.serve()

    server.close_nicely()

    assert server._seconds_left() == 0.0


def test_a_seat_that_lost_its_link_to_an_exception_is_away_and_comes_back(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    session_of(only(server)).let_go()  # its next link was about to come
    engine_of(server).torn = True

    scene.until(lambda: "Back" in scene.news(server))

    assert scene.news(server) == ["Joined", "Away", "Back"]
    assert client.state is State.CONNECTED
    assert "interrupted" in scene.away(server).text


def test_a_return_of_which_an_exception_kept_the_game_from_hearing_is_told(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    session_of(only(server)).told = netcode.Away  # its link has come, and nobody was told
    engine_of(server).torn = True

    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Back"]


def test_an_end_of_which_an_exception_kept_the_game_from_hearing_is_told(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    session_of(peer).end(netcode.Reason(ReasonCode.TIMEOUT, "nothing was heard"))  # and it was about to be told
    engine_of(server).torn = True

    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left"]
    assert scene.left(server).text == "nothing was heard"
    assert server.peers == ()


def test_it_is_over_with_a_player_once(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    peer.close()
    scene.play(TICK)

    server._drop(session_of(peer), netcode.Reason(ReasonCode.OTHER, "again"))
    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left"]


def test_a_ghost_without_a_link_makes_no_room_for_links(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=1)
    ghost = scene.stranger(hello(token=b""))
    scene.play(TICK)
    ghost.connection.close()
    scene.play(2 * TICK)
    player = scene.join()

    newcomer = scene.stranger(hello())

    assert reason_of(newcomer)[0] is ReasonCode.TOO_MANY
    assert player.state is State.CONNECTED
    assert [peer.away for peer in server.peers] == [True, False]


# Somewhere else.


def answering(answer: object) -> Callable[[Any, Address], Any]:
    """Return what gives everybody the same answer at the door."""
    return lambda _credentials, _address: answer


@pytest.mark.parametrize(
    ("elsewhere", "text", "where"),
    [
        (Elsewhere("b:1"), "this game goes on at b:1", ["b:1"]),
        (Elsewhere(("::1", 1)), "this game goes on at [::1]:1", ["[::1]:1"]),
        (Elsewhere(Address("b", 1), "to the next hall"), "to the next hall", ["b:1"]),
        (Elsewhere(None), "another server has this; come back in a moment", []),
    ],
)
def test_who_is_sent_elsewhere_reads_where_and_is_not_let_in(
    scene: Scene, elsewhere: Elsewhere, text: str, where: list[str]
) -> None:
    server = scene.serve(authenticate=answering(elsewhere))

    guest = scene.guest()

    assert guest.told(BYE) == [[ReasonCode.MOVED.value, text, *where]]
    assert server.peers == ()


@pytest.mark.parametrize(
    ("address", "text", "error"),
    [("b", "", ValueError), (7, "", TypeError), (("b", 0), "", ValueError), ("b:1", 7, TypeError)],
)
def test_who_cannot_be_sent_there_is_misuse(scene: Scene, address: Any, text: Any, error: type[Exception]) -> None:
    server = scene.serve()
    scene.join()

    with pytest.raises(error):
        Elsewhere(address, text)
    with pytest.raises(error):
        only(server).move(address, text)

    assert only(server).alive


def test_a_class_without_its_address_lets_nobody_in(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.serve(authenticate=answering(Elsewhere))

    guest = scene.guest()

    assert guest.told(BYE)[0][0] == ReasonCode.DENIED.value
    assert "the class Elsewhere" in caplog.text


def test_who_was_sent_elsewhere_while_away_is_told_at_the_return(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.network.down = True
    scene.network.cut()
    scene.play(0.2)

    only(server).move("b:1")
    scene.network.down = False
    scene.until(lambda: client.reason is not None)

    assert scene.left(client) == Reason(ReasonCode.MOVED, "this game goes on at b:1", where=Address("b", 1))
    assert scene.left(server).code is ReasonCode.CLOSED


def test_who_was_sent_elsewhere_and_keeps_the_link_open_hears_it_again_at_the_return(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=b"")
    guest.frozen = True
    peer = only(server)
    peer.move("b:1")

    again = scene.stranger(hello(token=token_of(guest)))

    assert again.told(BYE) == [[ReasonCode.MOVED.value, "this game goes on at b:1", "b:1"]]
    server.close()
    peer.move("c:1")
    scene.play(TICK)
    assert scene.left(server).code is ReasonCode.CLOSED


# Browsers.

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize("web", [True, Web(page="<p>chess")])
def test_browsers_are_shown_a_page_where_they_are_wanted(scene: Scene, web: Web | bool) -> None:
    scene.serve(web=web)
    browser = netcode.connect(HOST, PORT, network=scene.network, clock=scene.clock)
    browser.send(b"GET / HTTP/1.1\r\n\r\n")

    for _ in until(lambda: not browser.alive):
        browser.update()
        scene.play(TICK)

    assert browser.receive_all().startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("web", [None, False])
def test_browsers_are_strangers_where_they_are_not(scene: Scene, web: bool | None) -> None:
    scene.serve(web=web)

    browser = scene.stranger(b"GET / HTTP/1.1\r\n\r\n")

    assert reason_of(browser)[0] is ReasonCode.NOT_NETCODE


@pytest.mark.parametrize("web", ["true", 1])
def test_what_cannot_be_shown_to_browsers_is_named(scene: Scene, web: Any) -> None:
    with pytest.raises(TypeError, match=f"web must be True or a netcode.Web, not {type(web).__name__}"):
        scene.serve(web=web)


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
        for _ in until(lambda: server._doorway.due() is not None):
            server.update()
        for _ in range(4):
            clock.advance(0.9)
            server.update()
        for _ in until(lambda: select.select([silent], [], [], 0.01)[0]):
            pass

        assert silent.recv(10) == b""
        assert server._doorway.due() is None
