"""How a server ends, and is made whole again."""

import pytest
from faults.wire import ACK, control, hello, reason_of, token_of
from inside import (
    engine_of,
    link_of,
    links_of,
    session_of,
)
from scene import PORT, TICK, Scene, only

from netcode import Left, Reason, ReasonCode, State
from netcode.reasons import closed_here
from netcode.session.door import SENT_AGAIN


def test_a_server_that_is_closed_at_once_is_announced_no_more(scene: Scene) -> None:
    server = scene.serve(announce="here")

    server.close()

    assert scene.network.sightings == {}


def test_a_forked_child_leaves_the_announcement_to_its_parent(scene: Scene) -> None:
    server = scene.serve(announce="here")

    server._abandon()
    unannounced = scene.serve()
    unannounced._abandon()

    assert len(scene.network.sightings) == 1
    assert {server.state, unannounced.state} == {State.DISCONNECTED}


def test_a_forked_child_that_updates_it_is_told_once(scene: Scene) -> None:
    server = scene.serve()
    server._abandon()

    with pytest.warns(RuntimeWarning, match=r"^this server belongs to the process that made it, .* make a server in"):
        server.update()
    server.update()


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


def test_a_goodbye_that_an_exception_came_into_breaks_the_link_off(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    link = link_of(only(server))
    link.goodbye = closed_here("bye")  # decided, and nothing done yet
    engine_of(server).torn = True

    scene.play(TICK)

    assert not link.stream.alive


def test_what_an_exception_left_half_way_is_made_whole(scene: Scene) -> None:
    server = scene.serve()
    client, other = scene.join(), scene.join()
    peer = server.peers[0]
    session_of(peer).link = None  # it was about to get another one
    link = next(iter(links_of(server)))
    engine_of(server).torn = True

    scene.play(1.0)

    assert not link.stream.alive
    assert scene.news(server) == ["Joined", "Joined", "Away", "Back"]
    assert [client.state, other.state] == [State.CONNECTED, State.CONNECTED]
    assert server.peers[1].alive


def test_the_first_goodbye_wins_if_it_has_to_be_said_again(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    server._hosting.leave("first")
    server._hosting.leave("second")
    scene.play(1.0)

    assert scene.left(client).text == "first"


def test_a_server_waits_for_the_end_of_a_grace(scene: Scene) -> None:
    server = scene.serve(grace=5.0, ping_interval=60.0, timeout=300.0)
    before = server._hosting.until_due()

    scene.guest(token=b"").connection.close()
    scene.play(1.0)
    due = server._hosting.until_due()

    assert before is None
    assert due is not None
    assert 0.0 < due <= 5.0


def test_a_server_does_not_sleep_while_somebody_comes_back_who_has_to_wait(scene: Scene) -> None:
    server = scene.serve(max_resend=2 * SENT_AGAIN)
    players = [scene.guest(control(ACK, 0), token=b"") for _ in range(2)]
    scene.network.cut()
    scene.play(3 * TICK)
    for _ in range(1 + SENT_AGAIN // 50_000):
        server.broadcast(bytes(50_000))
    scene.frozen.add(server)
    for player in players:
        scene.stranger(hello(token=token_of(player)))

    scene.frozen.clear()
    scene.until(lambda: "Back" in scene.news(server))
    back, slept_for = scene.news(server).count("Back"), server._seconds_left()
    scene.play(TICK)

    assert (back, slept_for) == (1, 0.0)
    assert scene.news(server) == ["Joined", "Joined", "Away", "Away", "Back", "Back"]
