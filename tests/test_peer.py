"""The other end, as a game sees it: what is known about it, and how it is sent to and sent away."""

import copy
import dataclasses
import pickle
from typing import Any

import msgspec
import pytest
from faults.wire import message
from inside import peer_of, session_of
from scene import TICK, Scene, only

from netcode import Peer, ReasonCode, Stats
from netcode.peer import sessions_of


class Say(msgspec.Struct):
    text: str


# What is known about it.


def test_a_peer_says_who_and_where_it_is(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    peer.data = {"name": "Ann"}

    assert (peer.id, client.id, peer.alive, peer.away) == (1, 1, True, False)
    assert (peer.address.host, peer.data) == ("127.0.0.1", {"name": "Ann"})
    assert repr(peer) == f"<Peer 1 at {peer.address}>"


def test_silence_grows_until_something_is_heard(scene: Scene) -> None:
    server = scene.serve(ping_interval=9.0)
    guest = scene.guest()
    peer = only(server)
    begin = peer.silence

    scene.play(2.0)
    before = peer.silence
    guest.say(message(1))
    scene.play(2 * TICK)
    after = peer.silence
    guest.connection.close()
    scene.play(2 * TICK)

    assert begin < 0.2
    assert before > 1.9
    assert after < 0.1
    assert peer.silence == 0.0


def test_stats_count_messages_and_bytes_both_ways(scene: Scene) -> None:
    server = scene.serve(ping_interval=9.0)
    guest = scene.guest(message("abc"), message(1))
    peer = only(server)

    peer.send("hello")
    peer.send("hello")
    before = peer.stats
    scene.play(3 * TICK)

    assert before == Stats(2, 2, 20, 13, 20, 0.0)
    assert peer.stats == Stats(2, 2, 20, 13, 0, 0.0)
    assert guest.messages == ["hello", "hello"]


def test_stats_tell_what_waits_and_for_how_long(scene: Scene) -> None:
    scene.network.capacity = 1_000
    server = scene.serve()
    guest = scene.guest()
    guest.frozen = True
    peer = only(server)

    peer.send(bytes(5_000))
    scene.play(2.0)
    peer.send(bytes(100))
    stats = peer.stats

    assert 4_000 < stats.queued < 5_300
    assert 1.8 < stats.queued_for < 2.0
    assert stats.bytes_sent == 5_007 + 106
    guest.connection.close()
    scene.play(2 * TICK)
    assert (peer.stats.queued, peer.stats.queued_for) == (0, 0.0)


def test_without_a_link_nothing_is_measured(scene: Scene) -> None:
    scene.serve()
    client = scene.client()

    assert peer_of(client).stats == Stats(0, 0, 0, 0, 0, 0.0)
    assert (client.rtt, client.jitter, peer_of(client).silence) == (None, None, 0.0)


# What is done with it.


def test_what_is_small_large_or_one_of_many_is_sent_as_it_was(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    for value in ("one", "two", [1.5] * 100):
        only(server).send(value)
    server.broadcast("to one", to=only(server))
    waiting = only(server).queued
    scene.play(2 * TICK)

    assert (waiting, only(server).queued) == (4, 0)
    assert scene.heard(client) == ["one", "two", [1.5] * 100, "to one"]


def test_what_waits_can_be_withdrawn(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).send("never mind")
    withdrawn = only(server).discard_queued()
    scene.play(2 * TICK)

    assert (withdrawn, scene.heard(client)) == (1, [])


@pytest.mark.parametrize("how", ["close", "close_nicely"])
def test_it_can_be_sent_away(scene: Scene, how: str) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    getattr(peer, how)()
    scene.play(3 * TICK)

    assert (peer.alive, peer.away, peer.queued) == (False, False, 0)
    assert scene.left(client).code is ReasonCode.GOODBYE
    assert repr(peer).startswith("<Peer 1 at 127.0.0.1:")


@pytest.mark.parametrize(
    ("address", "text", "says"),
    [
        ("b.example:7777", "", "this game goes on at b.example:7777"),
        (None, "", "another server has this; come back in a moment"),
        (None, "this one is closed for today", "this one is closed for today"),
    ],
)
def test_it_can_be_sent_to_another_server(scene: Scene, address: str | None, text: str, says: str) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).move(address, text)
    scene.play(3 * TICK)

    reason = scene.left(client)
    assert (reason.code, reason.text, str(reason.where)) == (ReasonCode.MOVED, says, str(address))


def test_where_nobody_can_be_sent_it_raises_and_stays(scene: Scene) -> None:
    server = scene.serve()
    scene.join()

    with pytest.raises(ValueError, match="address"):
        only(server).move("nowhere")
    scene.play(TICK)

    assert only(server).alive


def test_a_peer_is_alive_until_it_has_left(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    alive = peer.alive
    client.close()
    scene.play(1.0)

    assert alive
    assert not peer.alive
    assert peer.reason is not None


# Several.


def test_what_is_sent_to_several_goes_to_peers_and_nothing_else(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    scene.join()
    one, other = server.peers
    strange: Any

    assert sessions_of(one) == [session_of(one)]
    assert sessions_of(iter([one, other])) == [session_of(one), session_of(other)]
    for strange in (7, [7], [one, "other"]):
        with pytest.raises(TypeError, match=r"to must be peers, as in server\.peers, not (int|str)"):
            sessions_of(strange)


def test_a_copy_of_the_world_has_the_same_peers_in_it(scene: Scene) -> None:
    @dataclasses.dataclass
    class Player:
        peer: Peer
        hits: list[int]

    server = scene.serve()
    scene.join()
    peer = only(server)
    player = Player(peer, [1])

    copied = copy.deepcopy({peer: player})
    assert copied == {peer: player}
    assert copied[peer].hits is not player.hits
    assert dataclasses.asdict(player) == {"peer": peer, "hits": [1]}
    assert copy.copy(peer) is peer
    with pytest.raises(TypeError, match=r"^a Peer cannot be pickled: keep peer\.id"):
        pickle.dumps(peer)
