"""What is sent: encoded at the call, bounded to the byte, and each batch in one piece."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from faults.wire import BYE, HELLO, WELCOME, control, frame, hello, message
from hypothesis import example, given, settings
from hypothesis import strategies as st
from inside import engine_of, link_of, links_of, peer_of, resend_of, session_of
from scene import TICK, Scene, only

from netcode import Client, Joined, MessageTooLarge, Reason, ReasonCode, Received, Server, wait
from netcode.limits import Limits
from netcode.loop.engine import Engine
from netcode.session.outbox import Outbox
from netcode.stream.buffer import JOIN_BELOW
from netcode.wire.typed import make_codec


class Say(msgspec.Struct):
    text: str


# Sending.


EMPTY: list[Any] = []
CAREFUL: dict[str, Any] = {
    "list as key": {(1, 2): "key"},
    "many lists": [EMPTY] * 50,
    "many bytes like lists": "é" * 100,
    "large": "x" * 10_000,
    "large and many": [1.5] * 3_000,
}


@pytest.mark.parametrize("value", CAREFUL.values(), ids=CAREFUL)
def test_what_is_not_simple_arrives_as_well(scene: Scene, value: Any) -> None:
    server = scene.serve()
    client = scene.join()

    only(server).send(value)
    client.send(value)
    scene.play(2 * TICK)

    assert scene.heard(client) == scene.heard(server) == [value]


@pytest.mark.parametrize("value", ["x" * 150_000, bytes(150_000)], ids=["text", "bytes"])
def test_a_message_that_is_too_large_for_this_end_names_the_limit(scene: Scene, value: Any) -> None:
    server = scene.serve(max_message=100_000)
    client = scene.join(max_message=100_000)

    for send, ours in ((only(server).send, "100000 here and 4096 for an envelope"), (client.send, "100000 here")):
        with pytest.raises(MessageTooLarge) as caught:
            send(value)
        assert caught.value.size == 150_005
        assert str(caught.value) == (
            f"a message of 150005 bytes is over the limit: max_message is {ours}; "
            "send less at once, or raise max_message at both ends"
        )
    scene.play(2 * TICK)

    assert scene.heard(server) == scene.heard(client) == []
    assert scene.news(server) == scene.news(client) == ["Joined"]


@pytest.mark.parametrize("most", [4096, 5000, 65_000])
@pytest.mark.parametrize("kind", [bytes, "x".__mul__])
def test_what_the_other_end_takes_is_bounded_to_the_byte(scene: Scene, most: int, kind: Callable[[int], Any]) -> None:
    server = scene.serve()
    scene.stranger(control(HELLO, "netcode", 1, "", "", most, None, 0, None))
    peer = only(server)
    fits, over = kind(most - 3), kind(most - 2)
    assert (len(message(fits)), len(message(over))) == (4 + most, 5 + most)

    peer.send(fits)
    scene.play(2 * TICK)
    before = peer.alive
    peer.send(over)
    scene.play(2 * TICK)

    assert (before, peer.alive) == (True, False)
    assert scene.left(server).code is ReasonCode.TOO_LARGE


@pytest.mark.fault(73, "memory")
@pytest.mark.parametrize("value", ["x" * 150_000, bytes(150_000)], ids=["text", "bytes"])
@pytest.mark.parametrize("by_server", [True, False])
def test_a_message_that_is_too_large_for_the_other_end_ends_the_link(scene: Scene, value: Any, by_server: bool) -> None:
    server = scene.serve(max_message=200_000 if by_server else 100_000)
    client = scene.join(max_message=100_000 if by_server else 200_000)
    peer = only(server)
    send, most = (peer.send, 104_096) if by_server else (client.send, 100_000)

    send("before")
    send(value)
    send("after")
    scene.play(10 * TICK)

    where = peer.address if by_server else peer_of(client).address
    sender, other = (server, client) if by_server else (client, server)
    assert scene.heard(other) == ["before"]
    assert scene.left(sender) == Reason(
        ReasonCode.TOO_LARGE,
        f"{where} takes messages of {most} bytes at most, and one of 150005 was sent; raise max_message there",
    )
    assert scene.left(other) == Reason(
        ReasonCode.TOO_LARGE,
        f"a message of 150005 bytes was to come here, where {most} are taken at most; raise max_message",
    )


def test_a_message_that_is_too_large_for_who_is_away_ends_the_return(scene: Scene) -> None:
    server = scene.serve(max_message=200_000)
    stranger = scene.guest(token=b"")
    [[_, _, _, token, *_]] = stranger.told(WELCOME)
    stranger.connection.close()
    peer = only(server)
    scene.until(lambda: peer.away)

    peer.send("x" * 150_000)
    returning = scene.stranger(hello(token=token))

    text = (
        "a message of 150005 bytes, sent while there was no link, is over the 65536 that the other end takes; "
        "raise max_message"
    )
    assert returning.told(BYE) == [[ReasonCode.TOO_LARGE.value, text]]
    assert scene.left(server) == Reason(ReasonCode.TOO_LARGE, text)


@pytest.mark.parametrize("size", [JOIN_BELOW - 1, JOIN_BELOW, 3 * JOIN_BELOW])
def test_large_bytes_arrive_between_small_messages(scene: Scene, size: int) -> None:
    server = scene.serve(max_message=1_000_000)
    client = scene.join(max_message=1_000_000)
    sent = ["before", bytes(size), "after", bytes(size), bytes(size)]

    for value in sent:
        only(server).send(value)
    scene.play(30 * TICK)

    assert scene.heard(client) == sent


@pytest.mark.parametrize("large", ["x" * 10_000, bytes(JOIN_BELOW)], ids=["text", "bytes"])
def test_nothing_overtakes_what_waits_for_the_end_of_an_update(scene: Scene, large: Any) -> None:
    server = scene.serve(max_message=JOIN_BELOW + 5)
    client = scene.join(max_message=JOIN_BELOW + 5)
    peer, engine = only(server), engine_of(server)

    peer.send("before")
    engine.busy = True  # as for a signal handler that comes into an update
    for value in (large, "behind", large, "and at last"):
        peer.send(value)
    engine.busy = False
    scene.play(3 * TICK)

    assert scene.heard(client) == ["before", large, "behind", large, "and at last"]


def test_typed_messages_go_both_ways(scene: Scene) -> None:
    server = scene.serve(messages=Say)
    client = scene.join(messages=Say)

    client.send(Say("up"))
    only(server).send(Say("down"))
    with pytest.raises(TypeError, match="expected a message of Say, not bytes"):
        client.send(bytes(JOIN_BELOW))
    scene.play(2 * TICK)

    assert (scene.heard(server), scene.heard(client)) == ([Say("up")], [Say("down")])


def test_large_bytes_are_counted_where_nobody_comes_back(scene: Scene) -> None:
    server = scene.serve(max_message=200_000, grace=0)
    client = scene.join(max_message=200_000)

    only(server).send(bytes(JOIN_BELOW))
    scene.play(2.0)

    assert scene.heard(client) == [bytes(JOIN_BELOW)]
    assert only(server).stats[:3:2] == (1, JOIN_BELOW + 9)


def test_large_bytes_beyond_what_is_kept_are_let_go_the_oldest_first(scene: Scene) -> None:
    server = scene.serve(max_message=200_000, max_queue=10_000_000, max_resend=250_000)
    client = scene.join(max_message=200_000)
    scene.frozen.add(client)
    peer = only(server)

    for _ in range(4):
        peer.send(bytes(100_000))
        scene.play(TICK)

    assert (resend_of(peer).size, resend_of(peer).since(1)) == (2 * 100_009, None)
    assert resend_of(peer).since(2) is not None


@pytest.mark.parametrize("large", [False, True])
def test_more_than_may_wait_ends_the_peer(scene: Scene, large: bool) -> None:
    limits: Any = {"max_message": 100_000, "max_queue": 150_000}
    server = scene.serve(**limits)
    scene.frozen.add(scene.join(**limits))
    peer = only(server)

    for _ in range(4):
        peer.send(bytes(90_000) if large else "x" * 90_000)
    peer.send("ignored")
    scene.update()

    assert scene.left(server).code is ReasonCode.TOO_SLOW
    assert scene.left(server).text.endswith("over max_queue = 150000")
    assert not peer.alive


def test_what_is_broadcast_counts_like_what_is_sent(scene: Scene) -> None:
    server = scene.serve(max_queue=100_000)
    guest = scene.guest()
    guest.frozen = True

    for _ in range(4):
        server.broadcast(bytes(50_000))
    scene.update()

    assert scene.left(server).code is ReasonCode.TOO_SLOW


@pytest.mark.parametrize("resumes", [True, False])
@pytest.mark.parametrize("sizes", [[100], [20_000], [*[100] * 20, 20_000]], ids=["small", "large", "mixed"])
def test_what_is_broadcast_to_many_who_take_nothing_is_there_once(
    scene: Scene, resumes: bool, sizes: list[int]
) -> None:
    server = scene.serve()
    scene.frozen |= {scene.join(resume=resumes) for _ in range(3)}
    scene.network.capacity = 0

    for _ in range(4):
        for number in range(200_000 // sum(sizes)):
            for size in sizes:
                server.broadcast([number, bytes(size)])
        server.update()
    for peer in server.peers:
        peer.close_nicely()  # which hands over what waits

    waiting = [link_of(peer).stream.outgoing for peer in server.peers]
    # The first is what was offered to the network in one piece, before anybody knew that it takes nothing.
    chunks = [[] if queue is None else [chunk for chunk in queue.chunks[1:] if len(chunk) > 1_000] for queue in waiting]
    assert min(sum(map(len, several)) for several in chunks) > 500_000
    assert all(one is several[0] for several in zip(*chunks, strict=True) for one in several)
    assert engine_of(server).apart == ([], []), "nothing is kept for those to come"


@given(
    st.lists(st.tuples(st.sampled_from([1, 1_000, 4_000, 4_093, 4_094, 9_000]), st.booleans()), max_size=30),
    st.booleans(),
)
@example([(4_000, False)] * 12, True)
@example([(9_000, False)] + [(4_000, False)] * 12, False)
@example([(9_993, False)] * 5 + [(1, False)], True)
@example([(9_993, True)] * 5 + [(1, True)], False)
@example([(9_993, False)] * 4 + [(9_994, False)], True)
@settings(max_examples=50)
def test_what_waits_is_bounded_to_the_byte_whatever_was_sent_how(sends: list[tuple[int, bool]], together: bool) -> None:
    scene = Scene()
    # Of what is sent at once, a quarter more than max_queue may wait.
    limits: Any = {"max_message": 10_000, "max_queue": 40_000, "ping_interval": 500.0, "timeout": 1_000.0}
    server = scene.serve(**limits)
    scene.frozen.add(scene.join(**limits))
    scene.network.capacity = 0
    peer = only(server)

    total = 0
    for size, to_all in sends:
        sent = "x" * size
        server.broadcast(sent) if to_all else peer.send(sent)
        total += len(message(sent))
        if not together:
            server.update()
            assert peer.alive == (total <= 50_000)
        if not peer.alive:
            break
    server.update()

    assert peer.alive == (total <= 50_000)

    scene.close()


class Measured(bytes):
    """A frame that counts how often it was measured."""

    times = 0

    def __len__(self) -> int:
        self.times += 1
        return super().__len__()


def test_what_is_sent_in_one_frame_is_not_measured_anew_for_each_large_message(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    first = Measured(message("x"))

    outbox = session_of(only(server)).outbox
    outbox.post(first)
    for _ in range(100):
        outbox.post(message("y" * 9_000))
    times = first.times
    scene.until(lambda: len(scene.heard(client)) == 101)

    assert times <= 3


def test_what_was_too_much_counts_as_sent_and_waits_no_more(scene: Scene) -> None:
    limits: Any = {"max_message": 10_000, "max_queue": 40_000}
    server = scene.serve(**limits)
    scene.frozen.add(scene.join(**limits))
    scene.network.capacity = 0
    peer = only(server)

    for _ in range(6):
        peer.send("x" * 9_000)
    scene.update()

    assert scene.left(server).text.endswith(" 54042 bytes wait, over max_queue = 40000")
    assert (peer.stats.messages_sent, peer.stats.bytes_sent) == (6, 54_042)
    assert (peer.stats.queued, peer.stats.queued_for) == (0, 0.0)


def test_each_batch_leaves_by_itself() -> None:
    quiet: Any = {"ping_interval": 50.0, "timeout": 100.0}
    with Server("127.0.0.1", 0, **quiet) as server, Client("127.0.0.1", server.address.port, **quiet) as client:
        heard: list[Any] = []
        for _ in range(100):
            wait(server, client, timeout=0.1)
            client.update()
            server.update()
            for event in server.events():
                if isinstance(event, Joined):
                    event.peer.send(1)
            for event in client.events():
                if isinstance(event, Received):
                    heard.append(event.message)
                    if len(heard) < 3:
                        only(server).send(len(heard) + 1)
            if len(heard) == 3:
                break

    assert heard == [1, 2, 3]


class Keeping:
    """Who has no link, and keeps what is sent."""

    def __init__(self, keeping: bool) -> None:
        self.engine, self.limits = Engine(), Limits(max_resend=100_000)
        self.keeping = keeping
        self.losses = 0

    def do(self, act: Callable[[], None]) -> None:
        act()

    def keeps(self) -> bool:
        return self.keeping

    def lost(self) -> None:
        self.losses += 1


def without_a_link(*, keeping: bool) -> tuple[Keeping, Outbox]:
    owner = Keeping(keeping)
    return owner, Outbox(owner, make_codec())


@pytest.mark.parametrize("value", ["x" * 60_000, bytes(70_000)], ids=["small enough to copy", "large"])
def test_more_than_may_be_kept_without_a_link_is_told(value: Any) -> None:
    owner, outbox = without_a_link(keeping=True)

    outbox.send_carefully(value)
    within = owner.losses
    outbox.send_carefully(value)

    assert (within, owner.losses) == (0, 1)
    assert outbox.resend.sent == 2


def test_nothing_is_kept_for_who_is_over() -> None:
    _, outbox = without_a_link(keeping=False)

    outbox.post(message("too late"))

    assert (outbox.resend.sent, outbox.resend.size) == (0, 0)


def test_what_came_when_the_link_was_about_to_go_is_kept_before_what_comes_now() -> None:
    _, outbox = without_a_link(keeping=True)
    outbox.batch.append(message("first"))

    outbox.post(message("second"))

    assert outbox.resend.since(0) == [message("first") + message("second")]


def test_what_was_not_collected_can_be_withdrawn(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    session = session_of(only(server))

    only(server).send("never mind")
    withdrawn = session.discard_queued(), session.discard_queued()
    only(server).send("but this")
    scene.play(2 * TICK)

    assert withdrawn == (1, 0)
    assert scene.heard(client) == ["but this"]


def test_what_follows_what_was_withdrawn_is_sent(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    peer = only(server)

    peer.send("withdrawn")
    count = peer.discard_queued()
    scene.play(2 * TICK)
    before = links_of(server).seconds_left()
    peer.send("sent")
    told = links_of(server).seconds_left()
    scene.play(2 * TICK)

    assert (count, scene.heard(client)) == (1, ["sent"])
    assert before != told == 0.0  # the set knows that there is something to send


def test_what_is_missing_is_sent_first_and_leaves_as_much_room_as_a_new_link(scene: Scene) -> None:
    server = scene.serve()
    client = scene.join()
    session = session_of(only(server))
    least = session.outbox.most
    scene.network.cut()
    scene.update()
    only(server).send("first")
    scene.until(lambda: scene.heard(client) == ["first"])

    assert session.outbox.most == least + len(message("first"))


def test_the_oldest_of_what_is_more_than_may_be_kept_is_let_go_while_there_is_a_link() -> None:
    _, outbox = without_a_link(keeping=True)
    outbox.batch += [frame(b"\xc4\xff" + bytes(60_000))] * 2

    outbox.collect()

    assert (outbox.resend.sent, outbox.resend.since(0)) == (2, None)
