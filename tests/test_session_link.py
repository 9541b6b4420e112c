"""One stream that carries messages: greeting, pings, deadlines and goodbyes."""

import math
from typing import Any

import msgspec
import pytest
from faults.wire import ACK, BYE, PING, PONG, WELCOME, bye, control, frame, hello, message, reason_of, welcome
from hypothesis import given
from hypothesis import strategies as st
from inside import doorway_of, has_link, link_of, links_of, session_of, stream_of
from scene import HOST, PORT, TICK, Listening, Scene, only

from netcode import Address, Reason, ReasonCode, State
from netcode.session.comeback import GREETINGS
from netcode.session.link import PARTING, PATIENCE
from netcode.testing.network import MemoryTransport
from netcode.transport import Connector
from netcode.waiting import Descriptors

EMPTY: list[Any] = []


class Move(msgspec.Struct):
    x: int


# Greeting.


def test_who_only_asks_is_answered_and_that_is_the_end_of_it(scene: Scene) -> None:
    server = scene.serve(game="chess", version="2", max_peers=3)

    asker = scene.stranger(hello("?"), message("never"))

    about = {"game": "chess", "version": "2", "players": 0, "max_players": 3}
    assert asker.told(BYE) == [[ReasonCode.WRONG_GAME.value, "the server runs chess 2; this only asked", about]]
    assert asker.messages == []
    assert scene.told[server] == []


def test_a_goodbye_instead_of_a_greeting_is_one(scene: Scene) -> None:
    server = scene.serve()

    stranger = scene.stranger(bye())

    assert stranger.told(BYE) == []
    assert not stranger.connection.alive
    assert scene.told[server] == []


def test_a_second_greeting_is_none_even_while_the_first_waits(scene: Scene) -> None:
    class Oops(BaseException):
        pass

    def authenticate(credentials: Any, address: Any) -> None:
        raise Oops

    server = scene.serve(authenticate=authenticate)
    scene.frozen.add(server)
    strangers = [scene.stranger(hello(), hello()) for _ in range(2)]

    def update_often() -> None:
        for _ in range(10):
            server.update()

    with pytest.raises(Oops):  # which keeps the second waiting for another update
        update_often()
    scene.frozen.clear()
    scene.play(5 * TICK)

    assert [reason_of(stranger)[0] for stranger in strangers] == [ReasonCode.DENIED, ReasonCode.MALFORMED]
    assert server.peers == ()


def test_who_does_not_greet_in_time_is_told_so_however_much_it_trickles(scene: Scene) -> None:
    scene.serve(handshake_timeout=2.0)
    stranger = scene.stranger()

    for byte in hello()[:20]:
        stranger.say(bytes((byte,)))
        scene.play(0.11)

    code, text = reason_of(stranger)
    assert code is ReasonCode.HANDSHAKE_TIMEOUT
    assert "did not greet within handshake_timeout = 2 s; is it a netcode program?" in text


class NeverReady:
    """A connector that gets nowhere, such as TLS with somebody who does not speak it."""

    where = "somewhere"
    hint = "does not matter"
    address: Address | None = None

    def __init__(self, inner: Connector) -> None:
        self._inner = inner

    def advance(self, now: float) -> None:
        """Get nowhere."""

    def descriptors(self) -> Descriptors:
        return [], [], []

    def due(self) -> None:
        """Be due at no time."""

    def close(self) -> None:
        self._inner.close()


def test_who_does_not_even_get_so_far_as_to_greet_is_dropped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scene.serve(handshake_timeout=1.0)
    accept = doorway_of(server).accept

    def never_ready(now: float) -> Connector | None:
        newcomer = accept(now)
        return None if newcomer is None else NeverReady(newcomer)

    monkeypatch.setattr(doorway_of(server), "accept", never_ready)
    stranger = scene.stranger(hello())

    scene.play(1.2)

    assert not stranger.connection.alive
    assert stranger.told(BYE) == []
    assert len(links_of(server)) == 0


def test_who_has_not_greeted_is_told_when_the_server_closes(scene: Scene) -> None:
    server = scene.serve()
    stranger = scene.stranger()

    server.close()
    scene.play(2 * TICK)

    assert reason_of(stranger) == (ReasonCode.SHUTDOWN, "server is shutting down")


def test_a_server_that_closes_without_a_greeting_is_named(scene: Scene) -> None:
    door = scene.network.listen(HOST, PORT)
    client = scene.client()

    for _ in range(GREETINGS):
        scene.until(lambda: bool(door.queue))
        door.queue.popleft().close()
    scene.play(3 * TICK)

    assert scene.left(client).code is ReasonCode.CLOSED_BY_PEER
    assert "closed the connection without a greeting" in scene.left(client).text


def test_who_did_not_greet_in_time_has_a_moment_for_the_goodbye(scene: Scene) -> None:
    server = scene.serve(handshake_timeout=2.0)
    stranger = scene.stranger()
    stranger.frozen = True  # it does not close
    scene.until(lambda: not [link for link in links_of(server) if link.reason is None])

    scene.play(PARTING / 2)
    before = len(links_of(server))
    scene.play(PARTING)

    assert (before, len(links_of(server))) == (1, 0)


def test_who_is_not_let_in_may_take_the_goodbye_until_its_time_to_greet_is_over(scene: Scene) -> None:
    server = scene.serve(handshake_timeout=2.0)
    stranger = scene.stranger()
    stranger.say(hello(version="2"))
    stranger.update()
    stranger.frozen = True  # it does not close

    scene.play(1.7)
    before = len(links_of(server))
    scene.play(0.4)

    assert (before, len(links_of(server))) == (1, 0)


# Pings.


def test_both_ends_ping_and_measure(scene: Scene) -> None:
    scene.network.latency = 0.05
    server = scene.serve()
    client = scene.join()

    scene.play(3.0)

    for measured in (client.rtt, only(server).rtt):
        assert measured is not None
        assert 0.1 <= round(measured, 9) <= 0.1 + 4 * TICK


def test_the_servers_ping_goes_along_with_the_answer_to_the_clients(scene: Scene) -> None:
    scene.serve(ping_interval=5.0, timeout=100.0)
    guest = scene.guest()
    scene.until(lambda: len(guest.told(PING)) == 1)

    counts: list[tuple[int, int]] = []
    for seconds in (1.0, 3.0, 5.0, 5.0):
        scene.play(seconds)
        guest.say(control(PING, 1, 0))
        scene.play(2 * TICK)
        counts.append((len(guest.told(PING)), len(guest.told(PONG))))

    assert counts == [(1, 1), (2, 2), (3, 3), (4, 4)]  # the first was too soon after the server's own


@pytest.mark.parametrize(("timeout", "wait"), [(100.0, 2.1 * 5.0), (12.0, 6.0), (6.0, 5.0)])
def test_who_stops_to_ping_is_pinged_before_it_could_lose_patience(scene: Scene, timeout: float, wait: float) -> None:
    scene.serve(ping_interval=5.0, timeout=timeout)
    guest = scene.guest(control(PING, 1, 0))
    scene.play(2 * TICK)
    before = len(guest.told(PING))

    scene.play(wait - 4 * TICK)
    early = len(guest.told(PING))
    scene.play(8 * TICK)

    assert (early - before, len(guest.told(PING)) - before) == (0, 1)


def test_with_the_servers_ping_the_carrier_is_asked_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    probes: list[int] = []
    scene.serve()
    guest = scene.guest()

    def note(_: MemoryTransport) -> None:
        probes.append(len(guest.told(PING)))

    monkeypatch.setattr(MemoryTransport, "probe", note)

    scene.play(8.0)

    assert len(probes) >= 8
    assert probes == [*range(len(guest.told(PING)))]  # right before each


def test_a_client_pings_once_an_interval_and_the_server_a_quarter_as_often_once_it_has_measured(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    assert client.peer is not None
    meters = [link_of(peer).meter for peer in (only(server), client.peer) if has_link(peer)]

    scene.play(4.5)
    early = [meter.pings for meter in meters]
    scene.play(40.0)
    late = [meter.pings - before for meter, before in zip(meters, early, strict=True)]

    assert early[0] in (4, 5)
    assert late[0] in (9, 10)
    assert 36 <= late[1] <= 40
    assert only(server).silence < 1.1


def test_the_server_sees_a_round_trip_change_within_seconds(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    scene.play(20.0)
    before = only(server).rtt

    scene.network.latency = 0.2
    scene.play(20.0)

    assert before is not None
    assert before < 0.1
    assert (only(server).rtt or 0.0) > 0.2
    assert client.state is State.CONNECTED


@given(pongs=st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 5), st.floats(0, 0.5)), max_size=20))
def test_whatever_pongs_come_the_round_trip_is_a_time(pongs: list[tuple[int, float]]) -> None:
    scene = Scene()
    server = scene.serve(ping_interval=0.1)
    guest = scene.guest()

    for number, seconds in pongs:
        guest.say(control(PONG, number, 0))
        scene.play(seconds)

    peer = only(server)
    assert peer.rtt is None or (0.0 <= peer.rtt < 60.0 and math.isfinite(peer.rtt))
    assert (peer.rtt is None) == (peer.jitter is None)
    scene.close()


def test_who_receives_many_small_messages_acknowledges_them_as_well(scene: Scene) -> None:
    scene.serve(ping_interval=100.0, timeout=200.0)
    guest = scene.guest()
    small = message(bytes(4000))

    for _ in range(17):
        guest.say(small)
        scene.play(2 * TICK)

    assert guest.told(ACK) == [[17]]


# Deadlines.


def test_silence_ends_the_link_and_the_silent_are_told(scene: Scene) -> None:
    server = scene.serve(grace=0)
    guest = scene.guest()

    scene.play(10.2)

    assert reason_of(guest) == (ReasonCode.TIMEOUT, "nothing was heard from here for timeout = 10 s")
    assert scene.left(server).code is ReasonCode.TIMEOUT
    assert scene.left(server).text.endswith(" for timeout = 10 s; its program or the network stopped")


@pytest.mark.fault(83, "memory")
def test_our_own_pause_is_nobodys_silence(scene: Scene) -> None:
    server = scene.serve()
    clients = [scene.join() for _ in range(3)]

    scene.clock.advance(60.0)
    scene.update()
    scene.play(1.0)

    assert scene.news(server) == ["Joined"] * 3
    assert all(client.state is State.CONNECTED for client in clients)


def test_a_message_that_never_ends_ends_the_link(scene: Scene) -> None:
    server = scene.serve(message_timeout=3.0)
    guest = scene.guest(message(1), message("a long message"))
    guest.say(message("another one")[:6])

    for byte in b"tri":
        scene.play(0.9)
        guest.say(bytes((byte,)))
    before = scene.news(server)
    scene.play(1.0)

    assert before == ["Joined"]
    assert scene.left(server).code is ReasonCode.STALLED
    assert reason_of(guest)[1] == "a message was begun and not completed within message_timeout = 3 s"


def test_who_does_not_read_is_ended_by_the_size_of_what_waits(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000)
    guest = scene.guest()
    guest.frozen = True
    peer = only(server)

    for _ in range(6):
        peer.send(bytes(30_000))
        scene.play(0.5)

    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert "does not take what is sent: " in scene.left(server).text
    assert scene.left(server).text.endswith("bytes wait, over max_queue = 100000")
    assert int(scene.left(server).text.split()[-7]) > 100_000
    guest.frozen = False
    scene.play(1.0)
    assert reason_of(guest)[1].startswith("this end did not take what was sent")


def test_what_one_update_sends_may_be_a_little_too_much(scene: Scene) -> None:
    scene.network.capacity = 10_000
    server = scene.serve(max_queue=1_000_000)
    guest = scene.guest()
    peer = only(server)

    for _ in range(20):
        peer.send(bytes(60_000))
    for _ in range(200):
        peer.send("and on it goes")
        scene.play(TICK)

    assert len(guest.messages) == 220
    assert scene.news(server) == ["Joined"]


@pytest.mark.fault(77, "memory")
@pytest.mark.parametrize("size", [3_000, 60_000])
def test_what_is_too_much_is_offered_to_the_network_before_it_is_judged(scene: Scene, size: int) -> None:
    scene.network.capacity = 1_000_000
    server = scene.serve(max_queue=100_000)
    guest = scene.guest()
    peer = only(server)
    count = 600_000 // size

    for number in range(count):
        peer.send(bytes(size) if number % 2 else "x" * size)
    scene.play(1.0)

    assert len(guest.messages) == count
    assert scene.news(server) == ["Joined"]


def test_what_is_too_much_is_judged_by_the_next_update_whoever_is_asked_when_it_is_due(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000)
    scene.guest()
    link = link_of(only(server))
    before = link.deadline(link.stream)

    for _ in range(4):
        only(server).send(bytes(30_000))

    assert before > link.now == link.deadline(link.stream)


def test_what_is_sent_at_once_to_who_was_slow_before_is_not_its_fault(scene: Scene) -> None:
    scene.network.capacity = 1_000
    server = scene.serve(max_queue=100_000)
    guest = scene.guest()
    guest.frozen = True
    peer = only(server)
    peer.send(bytes(5_000))
    scene.play(2 * PATIENCE)

    for _ in range(10):
        peer.send(bytes(30_000))
    scene.update()

    assert scene.left(server).text.startswith(f"this program sent {peer.address} more than the network takes so soon")


@pytest.mark.fault(77, "memory")
def test_what_is_too_much_at_once_is_not_the_other_ends_fault(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000)
    guest = scene.guest()
    peer = only(server)

    for _ in range(100):
        peer.send(bytes(30_000))
    assert peer.alive
    scene.update()

    reason = scene.left(server)
    assert reason.code is ReasonCode.TOO_SLOW
    assert reason.text.startswith(
        f"this program sent {peer.address} more than the network takes so soon; send less at once"
    )
    assert reason.text.endswith("bytes wait, over max_queue = 100000")
    scene.play(1.0)
    assert reason_of(guest)[1].startswith("the other end sent too much at once")


@pytest.mark.fault(77, "memory")
def test_what_is_taken_steadily_may_take_longer_than_its_age(scene: Scene) -> None:
    scene.network.capacity = 10_000
    server = scene.serve(max_queue=2_000_000, max_queue_age=3.0)
    guest = scene.guest()
    scene.network.rate = 50_000
    peer = only(server)

    for _ in range(8):
        peer.send(bytes(60_000))
    for _ in range(60):
        peer.send(bytes(4_000))  # faster than they are taken, for a while
        scene.play(TICK)
    oldest = 0.0
    for _ in range(100):
        guest.say(control(PING, 1, 0))
        scene.play(0.25)
        oldest = max(oldest, peer.stats.queued_for)

    assert oldest > 6.0
    assert len(guest.messages) == 68
    assert scene.news(server) == ["Joined"]


@pytest.mark.fault(77, "memory")
def test_what_is_taken_no_more_after_all_ends_the_link(scene: Scene) -> None:
    scene.network.capacity = 10_000
    server = scene.serve(max_queue=2_000_000, max_queue_age=3.0)
    guest = scene.guest()
    scene.network.rate = 50_000
    peer = only(server)

    for _ in range(8):
        peer.send(bytes(60_000))
    for _ in range(16):
        guest.say(control(PING, 1, 0))
        scene.play(0.25)
    before = scene.news(server)
    guest.frozen = True
    for _ in range(7 * 4):
        guest.connection.send(control(PING, 1, 0))
        stream_of(guest.connection).flush(stream_of(guest.connection).timeline.tick())
        scene.play(0.25)

    assert before == ["Joined"]
    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert "bytes wait longer than max_queue_age = 3 s" in scene.left(server).text


def test_too_much_in_several_large_messages_is_judged_once_they_were_offered(scene: Scene) -> None:
    server = scene.serve(max_queue=200_000, max_message=200_000)
    client = scene.join(max_message=200_000)
    peer = only(server)

    for _ in range(20):
        peer.send(bytes(100_000))
    before = peer.alive
    scene.update()

    assert before
    assert scene.left(server).text.startswith(f"this program sent {peer.address} more than the network takes")
    scene.play(1.0)
    assert client.reason is not None
    assert client.reason.text.startswith("the other end sent too much at once")


# Goodbyes.


def test_a_goodbye_is_read_by_the_other_end(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).close_nicely("no cheating")
    scene.play(5 * TICK)

    assert (scene.left(client).code, scene.left(client).text) == (ReasonCode.GOODBYE, "no cheating")
    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.CLOSED, "no cheating")


def test_after_our_goodbye_the_others_messages_still_come_and_nothing_is_sent(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    peer = only(server)
    scene.network.latency = 0.3  # what the guest says is on its way
    guest.say(message("last words"), control(PING, 5, 0), message(bytes(60_000)), message(bytes(10_000)))
    scene.play(2 * TICK)

    peer.close_nicely("bye")
    peer.close_nicely("bye again")
    peer.send("too late")
    scene.play(2.0)

    assert reason_of(guest) == (ReasonCode.GOODBYE, "bye")
    assert (guest.messages, guest.told(PONG), guest.told(ACK)) == ([], [], [])
    assert scene.heard(server) == ["last words", bytes(60_000), bytes(10_000)]
    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.CLOSED, "bye")


def test_a_breach_after_our_goodbye_changes_nothing(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    scene.network.latency = 0.3
    guest.say(b"\0\0\0\0")
    scene.play(2 * TICK)

    only(server).close_nicely("bye")
    scene.play(2.0)

    assert len(guest.told(BYE)) == 1
    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.CLOSED, "bye")


def test_who_never_finishes_is_given_up(scene: Scene) -> None:
    server = scene.serve(close_timeout=2.0, timeout=1.5)
    guest = scene.guest()
    guest.frozen = True
    only(server).close_nicely("bye")

    scene.play(1.8)
    before = scene.news(server)
    scene.play(0.5)

    assert before == ["Joined"]
    assert scene.left(server).code is ReasonCode.CLOSE_TIMEOUT
    assert scene.left(server).text.endswith("within close_timeout = 2 s")


def test_both_may_leave_in_the_same_moment(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).close_nicely("from the server")
    client.close_nicely("from the client")
    scene.play(10 * TICK)

    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.CLOSED, "from the server")
    assert (scene.left(client).code, scene.left(client).text) == (ReasonCode.CLOSED, "from the client")
    assert scene.network.links == 0


@pytest.mark.parametrize("after", [message("after"), b"\0\0\0\0"], ids=["a message", "a breach"])
def test_what_follows_a_goodbye_is_ignored(scene: Scene, after: bytes) -> None:
    server = scene.serve()

    guest = scene.guest(message("before"), bye(3, "so long"), after)
    guest.say(message("long after"))
    scene.play(2 * TICK)

    assert scene.heard(server) == ["before"]
    assert scene.left(server).text == "so long"
    assert guest.told(BYE) == []


def test_closing_at_once_still_sends_what_fits(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    peer = only(server)
    peer.send("last")

    peer.close()
    peer.close()
    scene.play(2 * TICK)

    assert guest.messages == ["last"]
    assert reason_of(guest) == (ReasonCode.GOODBYE, "the other end left")
    assert (scene.left(server).code, scene.left(server).text) == (ReasonCode.CLOSED, "closed by this program")


def test_closing_at_once_does_not_wait_for_a_link_that_is_full(scene: Scene) -> None:
    scene.network.capacity = 1_000
    server = scene.serve()
    guest = scene.guest()
    guest.frozen = True
    only(server).send(bytes(5_000))
    scene.play(2 * TICK)

    only(server).close()
    scene.update()

    assert scene.left(server).code is ReasonCode.CLOSED
    assert scene.network.links == 0


def test_a_link_that_breaks_while_we_leave_has_ended_as_we_wanted(scene: Scene) -> None:
    server = scene.serve()
    scene.guest()
    only(server).close_nicely("bye")
    scene.network.cut()

    scene.play(2 * TICK)

    assert scene.left(server).code is ReasonCode.CLOSED


def test_a_link_that_is_over_is_not_ended_again(scene: Scene) -> None:
    server = scene.serve()
    scene.guest()
    link = link_of(only(server))
    only(server).close_nicely("bye")
    link.stream.close()
    scene.update()

    link.fail(scene.left(server))
    scene.update()

    assert scene.news(server) == ["Joined", "Left"]


@pytest.mark.parametrize(
    "last", [message("hi"), control(PING, 1, 0), message("hi") + control(PING, 1, 0)], ids=["message", "ping", "both"]
)
def test_bursts_that_leave_one_for_the_next_update_do_not_add_up_to_a_flood(scene: Scene, last: bytes) -> None:
    server = scene.serve(max_messages_per_update=10, flood_timeout=0.5, ping_interval=50.0, timeout=100.0)
    guest = scene.guest()
    (peer,) = server.peers

    for _ in range(15):
        guest.say(message("hi") * 10 + last)
        scene.play(0.25)
        guest.say(last)
        scene.play(0.25)

    assert scene.news(server) == ["Joined"]
    assert peer.alive


def test_a_message_left_alone_by_a_flood_begins_the_calm(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=10, flood_timeout=2.0)
    guest = scene.guest()
    (peer,) = server.peers

    guest.say(message("hi") * 11)
    scene.play(2.5)

    assert peer.alive
    assert session_of(peer).received == 11


@pytest.mark.fault(73, "memory")
def test_a_message_that_the_other_end_does_not_take_ends_that_link_and_tells_both(scene: Scene) -> None:
    server = scene.serve(max_message=200_000)
    small = scene.join(max_message=100_000)

    only(server).send("fits")
    only(server).send("x" * 150_000)
    scene.play(10 * TICK)

    assert scene.heard(small) == ["fits"]
    assert scene.left(small).text.startswith("a message of 150005 bytes was to come here")
    assert scene.left(server).text.startswith("127.0.0.1:")
    assert scene.left(server).code is scene.left(small).code is ReasonCode.TOO_LARGE


def test_a_link_knows_whether_something_was_left_over(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    link = link_of(only(server))
    before = link.has_rest

    guest.say(message("whole")[:-1])
    scene.play(2 * TICK)

    assert (before, link.has_rest) == (False, True)


def test_who_is_greeted_twice_or_by_the_wrong_end_is_no_peer(scene: Scene) -> None:
    scene.serve()
    twice, wrong = scene.guest(), scene.stranger(welcome())

    twice.say(hello())
    scene.play(2 * TICK)

    assert [reason_of(guest)[0] for guest in (twice, wrong)] == [ReasonCode.MALFORMED] * 2


@pytest.mark.fault(75, "memory")
def test_a_greeting_that_costs_much_waits_and_is_not_late(scene: Scene) -> None:
    server = scene.serve(handshake_timeout=0.3)
    hostile = [scene.guest() for _ in range(12)]
    credentials: list[Any] = [EMPTY] * 3_500
    for guest in hostile:
        for _ in range(2):
            guest.say(frame(b"\xdc\xff\xf0" + b"\x90" * 65_520))
    scene.play(TICK)
    greeting = control(1, "netcode", 1, "", "", 65_536, None, 0, credentials)
    newcomers = [scene.stranger(greeting) for _ in range(3)]
    scene.play(4.0)

    assert [len(one.told(WELCOME)) for one in newcomers] == [1, 1, 1]
    assert len(server.peers) == 15


def test_who_sends_back_the_greeting_is_told_to_be_no_server(scene: Scene) -> None:
    listening = Listening(scene, control(1, "netcode", 1, "", "", 65536, None, 0, None))
    client = listening.client()

    listening.play(1.0)

    text = "that is not a netcode server: it sends back what it gets, or is a client; is the port right?"
    assert scene.left(client) == Reason(ReasonCode.MALFORMED, text)
    listening.server.close()
