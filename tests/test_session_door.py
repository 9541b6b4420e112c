"""The door of a server: who gets in, how many and from where, and what the others are told."""

import logging
from typing import Any

import pytest
from bounds import until
from faults.wire import ACK, BYE, HELLO, MAX_MESSAGE, WELCOME, Stranger, bye, control, hello, reason_of, token_of
from inside import (
    crowd_of,
    doorway_of,
    engine_of,
    inbox_of,
    linked_at,
    links_of,
    origins_of,
)
from scene import HOST, PORT, TICK, Scene, only

import netcode
from netcode import Joined, Left, Reason, ReasonCode, Received, Server, State
from netcode.diagnostics import log
from netcode.session.door import SENT_AGAIN, TOLD_AT_THE_DOOR
from netcode.session.seats import KEY_SIZE, OVERTAKEN, SECRET_SIZE
from netcode.stream.contract import ACCEPTS_PER_UPDATE
from netcode.transport import Connector
from netcode.waiting import Descriptors

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


@pytest.mark.fault(12, "memory")
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


def test_of_many_returns_of_a_player_in_one_update_only_the_newest_gets_its_seat(scene: Scene) -> None:
    server = scene.serve()
    old = scene.guest(token=b"")
    token = token_of(old)
    only(server).send("missed")
    scene.frozen.add(server)
    back = [scene.stranger(hello(token=token)) for _ in range(5)]

    scene.frozen.clear()
    scene.play(3 * TICK)

    assert [stranger.messages for stranger in back] == [[], [], [], [], ["missed"]]
    assert [reason_of(stranger) for stranger in back[:-1]] == [(ReasonCode.REPLACED, OVERTAKEN)] * 4
    assert len(server.peers) == 1


def test_a_program_that_takes_a_seat_over_in_the_same_update_wins_over_the_one_before_it(scene: Scene) -> None:
    server = scene.serve()
    token = token_of(scene.guest(token=b""))
    scene.frozen.add(server)
    new = scene.stranger(control(HELLO, "netcode", 1, "", "", MAX_MESSAGE, token, 0, None, True))
    old = scene.stranger(hello(token=token))

    scene.frozen.clear()
    scene.play(3 * TICK)

    assert reason_of(old) == (ReasonCode.REPLACED, OVERTAKEN)
    assert (len(new.told(WELCOME)), new.told(BYE)) == (1, [])


def test_returns_share_what_is_sent_again_in_one_update(scene: Scene) -> None:
    server = scene.serve(handshake_timeout=4 * TICK, max_resend=2 * SENT_AGAIN)
    players = [scene.guest(control(ACK, 0), token=b"") for _ in range(6)]
    scene.network.cut()
    scene.play(3 * TICK)
    count = 1 + SENT_AGAIN // 50_000
    for _ in range(count):
        server.broadcast(bytes(50_000))
    scene.frozen.add(server)
    back = [scene.stranger(hello(token=token_of(player))) for player in players]
    newcomer = scene.stranger(hello())

    scene.frozen.clear()
    updates: list[tuple[list[str], bool]] = []
    for _ in range(8):
        scene.told[server] = []
        scene.clock.advance(TICK)
        server.update()
        scene.told[server] = server.events()
        updates.append((scene.news(server), server.wait(1e-4)))
    scene.play(1.0)

    # It does not sleep while somebody waits, who is given more time than there is to greet.
    waiting = [(["Back"], True)] * 4
    assert [one for one in updates if one[0]] == [(["Back", "Joined"], True), *waiting, (["Back"], False)]
    assert (newcomer.told(BYE), [len(one.messages) for one in back]) == ([], [count] * 6)


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


def test_who_plays_takes_no_room_at_the_door(scene: Scene) -> None:
    server = scene.serve(max_pending=2)

    for _ in range(4):
        scene.join()

    assert len(server.peers) == 4


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


def test_who_stands_at_the_door_wakes_nobody_before_the_game_has_taken_its_events() -> None:
    with Server("127.0.0.1", 0, max_backlog=1) as server, netcode.Client(*server.address) as client:
        for _ in until(lambda: client.state is State.CONNECTED):
            server.update()
            client.update()
        inbox_of(server).room = -1
        with netcode.Client(*server.address) as late:
            for _ in until(lambda: links_of(server).watcher.doors == ()):
                late.update()
                server.update()
            woken = server._seconds_left()
            server.events()
            then = server._seconds_left()
            for _ in until(lambda: late.state is State.CONNECTED):
                late.update()
                server.update()
                server.events()

    assert woken is not None
    assert (woken > 0.0, then) == (True, 0.0)


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


def test_who_comes_back_too_late_is_logged_as_that(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_next_warning", {})
    scene.serve()

    scene.stranger(hello(token=bytes(KEY_SIZE + SECRET_SIZE)))

    assert "did not get its old session back: the server does not know this session any more" in caplog.text
    assert "did not get in" not in caplog.text


def test_what_the_game_says_of_somebody_counts(scene: Scene) -> None:
    def known(credentials: Any, address: object) -> Any:
        return credentials or False

    server = scene.serve(authenticate=known)

    scene.join(credentials="ann")
    unknown = scene.guest()

    assert [peer.data for peer in server.peers] == ["ann"]
    assert reason_of(unknown)[0] is ReasonCode.DENIED


def test_a_game_that_fails_while_it_is_asked_refuses_one(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def fails(credentials: Any, address: object) -> Any:
        return credentials["name"]

    scene.serve(authenticate=fails)

    assert reason_of(scene.guest()) == (ReasonCode.DENIED, "the server failed while it let you in")
    assert "authenticate failed for" in caplog.text


def test_an_interrupt_while_the_game_is_asked_refuses_one_and_is_the_games(scene: Scene) -> None:
    def interrupted(credentials: object, address: object) -> bool:
        raise KeyboardInterrupt

    server = scene.serve(authenticate=interrupted)
    with pytest.raises(KeyboardInterrupt):
        scene.guest()
    scene.play(3 * TICK)

    assert (server.peers, server.state) == ((), State.CONNECTED)


def test_a_door_that_is_closed_while_the_game_is_asked_lets_nobody_in(scene: Scene) -> None:
    def close(credentials: object, address: object) -> bool:
        server.close_nicely("closed")
        return True

    server = scene.serve(authenticate=close)
    guests = [scene.guest(), scene.guest()]

    assert (server.peers, scene.told[server]) == ((), [])
    assert [guest.told(WELCOME) for guest in guests] == [[], []]


def test_links_are_counted_anew_after_an_exception(scene: Scene) -> None:
    server = scene.serve(max_peers_per_address=1)
    scene.guest()
    crowding = scene.stranger()
    before = {**origins_of(server)}, len(crowd_of(server))

    engine_of(server).torn = True
    scene.update()

    assert ({**origins_of(server)}, len(crowd_of(server))) == before == ({"127.0.0.1": 2}, 1)
    [gone] = crowd_of(server)
    crowding.connection.close()
    scene.play(2 * TICK)
    crowd_of(server).add(gone)  # as if an interrupt had come before it was taken out
    engine_of(server).torn = True
    scene.update()
    assert crowd_of(server) == set()


@pytest.mark.parametrize("limit", ["max_peers", "max_peers_per_address"])
def test_who_does_not_know_that_it_is_in_makes_room(scene: Scene, limit: str) -> None:
    options: dict[str, Any] = {limit: 1}
    server = scene.serve(**options)
    ghost = scene.stranger(hello(token=b""))
    ghost.frozen = True
    scene.play(4.0)

    scene.guest()
    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left", "Joined"]


# Who waited before the door.


def test_who_waited_before_a_door_for_browsers_gets_in_when_its_first_byte_has_come(scene: Scene) -> None:
    server = scene.serve(web=True)
    silent, slow = scene.stranger(), scene.stranger()
    scene.play(1.0)
    slow.say(hello())
    scene.play(1.0)
    assert slow.told(WELCOME)
    slow.connection.close()
    client = scene.join()
    scene.play(server._limits.handshake_timeout + 1.0)

    assert client.state is State.CONNECTED
    assert silent.connection.state is State.DISCONNECTED
    assert len(origins_of(server)) == 1


def test_a_page_from_elsewhere_is_told_why_it_does_not_get_in(scene: Scene) -> None:
    server = scene.serve(web=True)
    request = (
        b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://elsewhere\r\n\r\n"
    )
    guest = scene.stranger(request)
    scene.play(1.0)

    assert b"http://elsewhere" in guest._incoming  # no frame of its own: it comes inside a message of WebSocket
    assert not server.peers
