"""What outlives a link: what waits for a return, what a return brings, and when it is given up."""

from typing import Any

import msgspec
import pytest
from faults.wire import BYE, PING, WELCOME, control, hello, message
from inside import resend_of, session_of
from scene import TICK, Scene, only

from netcode import Reason, ReasonCode, State
from netcode.session.session import MOST_VAIN_LINKS, VAIN_LINKS
from netcode.stream.buffer import JOIN_BELOW


class Say(msgspec.Struct):
    text: str


# Away and back.


def test_what_is_sent_while_away_arrives_on_return(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    scene.network.down = True
    scene.network.cut()
    scene.until(lambda: peer.away)

    for number in range(3):
        peer.send(number)
        client.send(number)
    server.broadcast("all")
    scene.network.down = False
    scene.until(lambda: not peer.away)
    scene.play(5 * TICK)

    assert scene.heard(client) == [0, 1, 2, "all"]
    assert scene.heard(server) == [0, 1, 2]
    assert scene.news(server) == scene.news(client) == ["Joined", "Away", "Back"]
    assert (peer.id, client.id) == (1, 1)


def test_what_waits_while_away_is_counted_and_can_be_withdrawn(scene: Scene) -> None:
    server = scene.serve(max_message=1_000_000)
    client = scene.join(max_message=1_000_000)
    peer = only(server)
    for number in range(3):
        peer.send(["before", number])
    waiting = peer.queued
    scene.update()
    scene.network.cut()  # with those under way
    scene.network.down = True
    scene.until(lambda: peer.away)
    broken = (peer.queued, peer.discard_queued())

    peer.send("stale")
    peer.send(bytes(3 * JOIN_BELOW))
    server.broadcast(["stale"] * 2000)
    queued = (peer.queued, peer.stats.messages_sent)
    withdrawn = peer.discard_queued()
    left = (peer.queued, peer.discard_queued(), peer.stats.messages_sent)
    peer.send("fresh")
    scene.network.down = False
    scene.until(lambda: not peer.away)
    scene.play(5 * TICK)
    back = peer.queued
    peer.send("later")
    scene.play(2.0)

    assert (waiting, broken) == (3, (0, 0))
    assert (queued, withdrawn, left, back) == ((3, 6), 3, (0, 0, 3), 0)
    assert scene.heard(client) == [["before", 0], ["before", 1], ["before", 2], "fresh", "later"]
    assert resend_of(peer).acknowledged == peer.stats.messages_sent == 5


def test_what_was_withdrawn_leaves_its_room_to_others(scene: Scene) -> None:
    server = scene.serve(max_resend=100_000)
    client = scene.join()
    peer = only(server)
    scene.network.cut()
    scene.until(lambda: peer.away)

    for number in range(20):
        peer.discard_queued()
        peer.send([number, bytes(30_000)])
    scene.until(lambda: not peer.away)
    scene.play(5 * TICK)

    assert scene.heard(client) == [[19, bytes(30_000)]]


def test_what_was_sent_since_the_last_update_can_be_withdrawn(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    peer.send("stale")
    server.broadcast("stale")
    withdrawn = (peer.queued, peer.discard_queued(), peer.queued)
    peer.send("fresh")
    scene.play(2.0)

    assert withdrawn == (2, 2, 0)
    assert scene.heard(client) == ["fresh"]
    assert resend_of(peer).acknowledged == 1


def test_the_client_withdraws_what_waits_for_its_return(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.network.cut()
    scene.update()
    assert client.peer is not None

    client.send("stale")
    withdrawn = (client.peer.queued, client.peer.discard_queued())
    client.send("fresh")
    scene.play(2.0)

    assert withdrawn == (1, 1)
    assert scene.heard(server) == ["fresh"]


def test_nothing_waits_for_who_has_left(scene: Scene) -> None:
    server = scene.serve(grace=0.5)
    scene.join()
    peer = only(server)
    scene.network.down = True
    scene.network.cut()
    scene.until(lambda: peer.away)
    peer.send("stale")

    scene.play(1.0)

    assert (peer.alive, peer.queued, peer.discard_queued()) == (False, 0, 0)


def test_large_bytes_are_kept_while_away_too(scene: Scene) -> None:
    server = scene.serve(max_message=1_000_000)
    client = scene.join(max_message=1_000_000)
    peer = only(server)
    scene.network.cut()
    scene.until(lambda: peer.away)

    peer.send(bytes(3 * JOIN_BELOW))
    scene.until(lambda: not peer.away)
    scene.play(20 * TICK)

    assert scene.heard(client) == [bytes(3 * JOIN_BELOW)]


def test_what_is_sent_again_leaves_room_for_what_is_new(scene: Scene) -> None:
    limits: Any = {"max_message": 60_000, "max_queue": 100_000, "max_resend": 1_000_000}
    server = scene.serve(**limits)
    client = scene.join(**limits)
    peer = only(server)
    scene.network.cut()
    scene.until(lambda: peer.away)
    for _ in range(10):
        peer.send(bytes(50_000))

    scene.until(lambda: not peer.away)
    peer.send(bytes(50_000))
    scene.play(2.0)

    assert scene.heard(client) == [bytes(50_000)] * 11
    assert scene.news(server) == ["Joined", "Away", "Back"]


@pytest.mark.parametrize("value", [bytes(50_000), "x" * 50_000])
def test_more_than_is_kept_while_away_ends_the_peer(scene: Scene, value: Any) -> None:
    server = scene.serve(max_resend=100_000)
    client = scene.join()
    peer = only(server)
    scene.network.cut()
    scene.until(lambda: peer.away)

    for _ in range(4):
        peer.send(value)
    scene.until(lambda: client.state is State.DISCONNECTED)

    assert scene.left(server) == Reason(
        ReasonCode.RESUME_LOST,
        f"more than max_resend = 100000 bytes were sent to {peer.address} while there was no link to it",
    )
    assert scene.left(client).code is ReasonCode.RESUME_LOST


def test_a_peer_that_cannot_return_keeps_nothing(scene: Scene) -> None:
    server = scene.serve(grace=0)
    client = scene.join()
    peer = only(server)

    for _ in range(5):
        peer.send("gone for good")
    scene.play(2 * TICK)

    assert len(scene.heard(client)) == 5
    assert (peer.stats.messages_sent, resend_of(peer).size) == (5, 0)


def test_what_was_let_go_while_the_link_was_up_cannot_be_sent_again(scene: Scene) -> None:
    server = scene.serve(max_resend=70_000)
    guest = scene.guest(token=b"")
    [[_, _, _, token, *_]] = guest.told(WELCOME)
    peer = only(server)
    for _ in range(3):
        peer.send(bytes(60_000))
        scene.play(2 * TICK)
    guest.connection.close()
    scene.until(lambda: peer.away)

    returning = scene.stranger(hello(token=token, received=1))

    text = "the link came back too late: messages sent meanwhile are no longer kept (max_resend)"
    assert returning.told(BYE) == [[ReasonCode.RESUME_LOST.value, text]]
    assert returning.told(WELCOME) == []
    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.RESUME_LOST, text)


def test_who_comes_back_and_has_more_than_was_sent_means_another_session(scene: Scene) -> None:
    server = scene.serve()
    stranger = scene.guest(token=b"")
    [[_, _, _, token, *_]] = stranger.told(WELCOME)
    only(server).send("one")
    scene.play(2 * TICK)
    stranger.connection.close()
    scene.until(lambda: only(server).away)

    returning = scene.stranger(hello(token=token, received=2))

    text = "the two ends do not mean the same session: one has received more than the other has sent"
    assert returning.told(BYE) == [[ReasonCode.RESUME_LOST.value, text]]
    assert scene.left(server) == Reason(ReasonCode.RESUME_LOST, text)


@pytest.mark.fault(73, "memory")
def test_a_message_sent_before_the_other_ends_limit_was_known_ends_the_client(scene: Scene) -> None:
    server = scene.serve()
    client = scene.client(max_message=200_000)
    client.send("fits")
    client.send("x" * 100_000)

    scene.until(lambda: client.state is State.DISCONNECTED)
    scene.play(5 * TICK)

    assert scene.left(client).code is ReasonCode.TOO_LARGE
    assert scene.left(client).text == (
        "a message of 100005 bytes, sent while there was no link, is over the 65536 that the other end takes; "
        "raise max_message"
    )
    assert scene.left(server) == scene.left(client)
    assert scene.heard(server) == []


def test_a_peer_that_comes_back_counts_on(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(message("one"), token=b"")
    [[_, peer_id, _, token, *_]] = guest.told(WELCOME)
    peer = only(server)
    peer.send("first")
    peer.send("second")
    scene.play(2 * TICK)
    guest.connection.close()
    scene.until(lambda: peer.away)

    returning = scene.stranger(hello(token=token, received=1), message("two"))

    assert returning.told(WELCOME)[0][1:2] == [peer_id]
    assert returning.told(WELCOME)[0][4] == 1
    assert returning.messages == ["second"]
    assert scene.heard(server) == ["one", "two"]
    assert peer.stats.messages_received == 2


def test_acknowledged_messages_are_no_longer_kept(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(token=b"")
    peer = only(server)
    peer.send("kept")
    scene.play(2 * TICK)
    before = resend_of(peer).size

    guest.say(control(6, 1))
    scene.play(2 * TICK)

    assert (before, resend_of(peer).size) == (9, 0)


@pytest.mark.parametrize(("grace", "token"), [(10.0, b""), (0, b""), (10.0, None)])
def test_more_than_was_sent_cannot_be_acknowledged(scene: Scene, grace: float, token: bytes | None) -> None:
    server = scene.serve(grace=grace)
    guest = scene.guest(token=token)
    only(server).send("one")
    scene.play(2 * TICK)

    guest.say(control(6, 1), control(6, 0))
    scene.play(2 * TICK)
    before = scene.news(server)
    guest.say(control(6, 2))
    scene.play(2 * TICK)

    assert before == ["Joined"]
    assert scene.left(server) == Reason(ReasonCode.MALFORMED, "more messages were acknowledged than were sent")


def test_a_new_link_takes_over_what_the_old_one_did_not_carry(scene: Scene) -> None:
    server = scene.serve()
    first = scene.guest(token=b"")
    [[_, _, _, token, *_]] = first.told(WELCOME)
    first.frozen = True
    peer = only(server)
    peer.send("one")

    second = scene.stranger(hello(token=token))
    peer.send("two")
    scene.play(2 * TICK)
    first.frozen = False
    scene.play(2 * TICK)

    assert second.messages == ["one", "two"]
    assert first.told(BYE)[0][0] == ReasonCode.REPLACED.value
    assert scene.news(server) == ["Joined"]


# Ending.


def test_closing_at_once_tells_what_one_send_can_tell(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).close()
    scene.play(2 * TICK)

    assert scene.left(server) == Reason(ReasonCode.CLOSED, "closed by this program")
    assert scene.left(client) == Reason(ReasonCode.GOODBYE, "the other end left")


def test_after_left_everything_is_ignored(scene: Scene) -> None:
    server = scene.serve(grace=0)
    client = scene.join()
    peer = only(server)
    client.close_nicely("so long")
    scene.play(10 * TICK)

    peer.send("too late")
    peer.send(bytes(JOIN_BELOW - 10))
    peer.close()
    peer.close_nicely("again")
    scene.play(2 * TICK)

    assert scene.news(server) == ["Joined", "Left"]
    assert peer.reason == scene.left(server) == Reason(ReasonCode.GOODBYE, "so long")
    assert (peer.alive, peer.away) == (False, False)
    with pytest.raises(TypeError):
        peer.send(object())


@pytest.mark.parametrize(("text", "said"), [("", "closed by this program"), ("kicked", "kicked")])
def test_who_is_away_can_be_ended_too(scene: Scene, text: str, said: str) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    scene.network.cut()
    scene.until(lambda: peer.away)

    if text:
        peer.close_nicely(text)
    else:
        peer.close()
    scene.until(lambda: client.state is State.DISCONNECTED)

    assert scene.left(server) == Reason(ReasonCode.CLOSED, said)
    assert scene.left(client) == Reason(ReasonCode.GOODBYE, text or "the other end left")


@pytest.mark.parametrize(
    ("verb", "words", "said", "told"),
    [
        ("close_nicely", (), "closed by this program", "the other end left"),
        ("close_nicely", ("kicked",), "kicked", "kicked"),
        ("move", ("b.example:1",), "closed by this program", "this game goes on at b.example:1"),
        ("move", (None, "closed for today"), "closed for today", "closed for today"),
    ],
)
def test_each_end_reads_of_a_goodbye_what_it_did(
    scene: Scene, verb: str, words: tuple[Any, ...], said: str, told: str
) -> None:
    server = scene.serve()
    client = scene.join()

    getattr(only(server), verb)(*words)
    scene.play(3 * TICK)

    assert scene.left(server) == Reason(ReasonCode.CLOSED, said)
    assert scene.left(client).text == told


def test_what_was_sent_before_a_goodbye_arrives_before_it(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    peer.send("first")
    server.broadcast("second")
    peer.close_nicely()
    peer.send("too late")
    server.broadcast("too late")
    scene.play(5 * TICK)

    assert scene.heard(client) == ["first", "second"]
    assert scene.left(client) == Reason(ReasonCode.GOODBYE, "the other end left")


@pytest.mark.parametrize("text", [2.0, None, b"bye"])
def test_a_goodbye_that_is_no_text_raises_and_ends_nothing(scene: Scene, text: Any) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    with pytest.raises(TypeError, match=f"text must be a str, not {type(text).__name__}"):
        peer.close_nicely(text)
    peer.send("still here")
    scene.play(5 * TICK)

    assert scene.heard(client) == ["still here"]
    assert scene.news(server) == ["Joined"]


def test_what_came_when_the_link_was_about_to_go_is_not_overtaken(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)
    scene.network.cut()
    scene.frozen.add(client)
    scene.play(TICK)
    session_of(peer).outbox.batch.append(
        message("first")
    )  # as a signal handler leaves it that closed what a `send` was about to use

    peer.send("second")
    scene.frozen.clear()
    scene.until(lambda: "Back" in scene.news(client))
    scene.play(2 * TICK)

    assert scene.heard(client) == ["first", "second"]


def test_a_goodbye_that_comes_after_the_end_does_nothing(scene: Scene) -> None:
    server = scene.serve()
    scene.join()
    peer = only(server)
    peer.close()
    scene.play(TICK)

    session_of(peer).leave("bye")  # asked for in the middle of the update in which it ended
    scene.play(TICK)

    assert scene.news(server) == ["Joined", "Left"]


# What never arrives.


@pytest.mark.fault(78, "memory")
def test_a_message_that_never_reaches_the_server_ends_the_session_and_says_so(scene: Scene) -> None:
    server = scene.serve(grace=6.0)
    client = scene.join()
    scene.network.latency = 0.3
    client.send("it never passes")
    breaks = 0

    for _ in range(2 * MOST_VAIN_LINKS):
        scene.play(0.1)  # too short for a message
        scene.network.cut()
        breaks += 1
        scene.until(lambda: client.state is not State.CONNECTED)
        scene.until(lambda: client.state is not State.CONNECTING)
        if client.state is State.DISCONNECTED:
            break
    scene.play(2.0)

    assert scene.left(server).code is scene.left(client).code is ReasonCode.STALLED
    text = (
        "links in a row one message never arrived: its packets are lost; is an MTU on the way too large, as of a VPN?"
    )
    assert text in scene.left(client).text
    assert text in scene.left(server).text
    assert breaks == MOST_VAIN_LINKS


@pytest.mark.fault(78, "memory")
@pytest.mark.parametrize(("seconds", "links"), [(1.0, 18), (5.0, VAIN_LINKS), (9.0, VAIN_LINKS)])
def test_a_message_that_never_reaches_the_client_ends_the_session_and_says_so(
    scene: Scene, seconds: float, links: int
) -> None:
    server = scene.serve(grace=100.0, timeout=6.0)
    guest = scene.guest(token=b"")
    token = guest.told(WELCOME)[0][3]
    only(server).send("it never passes")
    welcomes = 1

    for _ in range(30):
        for _ in range(4):
            scene.play(seconds / 4)
            guest.say(control(PING, 1, 0))
        guest.connection.close()
        scene.play(3 * TICK)
        guest = scene.stranger(hello(token=token, received=0))
        welcomes += len(guest.told(WELCOME))
        if not server.peers:
            break

    [[code, text]] = guest.told(BYE)
    assert ReasonCode(code) is scene.left(server).code is ReasonCode.STALLED
    assert text.startswith(f"over {welcomes} links in a row one message never arrived")
    assert abs(welcomes - links) <= 2
    assert welcomes >= VAIN_LINKS


def test_what_arrives_at_last_begins_anew(scene: Scene) -> None:
    server = scene.serve(grace=100.0, timeout=6.0)
    guest = scene.guest(token=b"")
    token = guest.told(WELCOME)[0][3]

    for number in range(4):
        for _ in range(VAIN_LINKS - 1):
            only(server).send("it passes at last")
            scene.play(5.5)
            guest.connection.close()
            guest = scene.stranger(hello(token=token, received=number))
        guest.say(control(PING, 1, number + 1))
        scene.play(1.0)
        guest.connection.close()
        guest = scene.stranger(hello(token=token, received=number + 1))

    assert len(guest.told(WELCOME)) == 1
    assert "Left" not in scene.news(server)


@pytest.mark.fault(78, "memory")
def test_links_that_break_often_end_nothing_where_each_brings_something(scene: Scene) -> None:
    server = scene.serve(grace=100.0)
    client = scene.join()
    peer = only(server)
    scene.network.latency = 0.1

    for number in range(30):
        peer.send(number)
        client.send(number)
        scene.play(0.5)
        peer.send("on its way")
        client.send("on its way")
        scene.update()
        scene.network.cut()
        scene.until(lambda: client.state is State.CONNECTED and not peer.away)
    scene.play(20.0)  # the last link may have been cut before either end knew of it

    numbers = [*range(30)]
    assert [one for one in scene.heard(client) if one != "on its way"] == numbers
    assert [one for one in scene.heard(server) if one != "on its way"] == numbers
    assert "Left" not in scene.news(client)


def test_some_breaks_in_a_short_time_end_nothing(scene: Scene) -> None:
    scene.serve(grace=6.0)
    client = scene.join()
    scene.network.latency = 0.3
    client.send("some time")

    for _ in range(MOST_VAIN_LINKS - 1):
        scene.play(0.1)
        scene.network.cut()
        scene.until(lambda: client.state is State.CONNECTED)
    scene.play(2.0)

    assert "Left" not in scene.news(client)
