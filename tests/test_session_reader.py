"""Bytes to messages: whole and in order however they are cut, within bounds, and what is incomplete."""

from itertools import pairwise
from typing import Any

import msgpack
import msgspec
import pytest
from faults.wire import ACK, BYE, PING, PONG, WELCOME, control, frame, hello, message, reason_of, welcome
from hypothesis import given
from hypothesis import strategies as st
from inside import inbox_of, link_of
from scene import TICK, Scene, only

from netcode import ReasonCode, Received
from netcode.session import costly, reader
from netcode.session.partial import PACE
from netcode.wire import cost
from netcode.wire.cost import cost_of
from netcode.wire.protocol import ACKNOWLEDGE_EVERY

EMPTY: list[Any] = []


class Careful(msgspec.Struct):
    x: int

    def __post_init__(self) -> None:
        assert self.x < 8, "off the board"


class Move(msgspec.Struct):
    x: int


# Delivering.


@pytest.mark.games
@given(
    values=st.lists(st.lists(st.integers(-9, 300) | st.text(), max_size=3), min_size=1, max_size=20),
    cuts=st.integers(1, 40),
)
def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(values: list[Any], cuts: int) -> None:
    scene = Scene()
    server = scene.serve()
    guest = scene.guest()
    stream = b"".join([*map(message, values), control(PING, 1, 0), *map(message, values)])

    for begin in range(0, len(stream), cuts):
        guest.say(stream[begin : begin + cuts])
        scene.update()
    scene.play(2 * TICK)

    assert scene.heard(server) == values * 2
    assert only(server).stats.bytes_received == len(stream)
    scene.close()


def test_a_message_is_its_peers(scene: Scene) -> None:
    server = scene.serve()
    scene.guest(message("one"))

    assert scene.told[server][-1] == Received(only(server), "one")


@pytest.mark.parametrize("around", [b"", message(1) + control(PING, 1, 0)])
def test_a_message_that_needs_care_is_one_too(scene: Scene, around: bytes) -> None:
    server = scene.serve()
    careful: list[Any] = [{(1, 2): "list as a key"}, {"many": [[]] * 100}, "é" * 100, msgpack.Timestamp(1)]

    guest = scene.guest()
    for value in careful:
        packed = msgpack.packb(value)
        guest.say(around, frame(packed), message("after it"))
        scene.play(2 * TICK)
        guest.say(frame(packed))
        scene.play(2 * TICK)

    heard = [value for value in scene.heard(server) if value not in (1, "after it")]
    assert heard == [value for value in careful for _ in range(2)]


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (frame(b"\xc1"), ReasonCode.MALFORMED, "bytes came that are no message: FormatError"),
        (frame(b"\xd4\x05x"), ReasonCode.MALFORMED, "msgpack extension 5 came, which is no message"),
        (frame(b"\x91" * 40 + b"\x90"), ReasonCode.MALFORMED, "a message came that nests deeper than 32 levels"),
        (b"\0\0\0\0", ReasonCode.MALFORMED, "the other end sent an empty frame, which the protocol forbids"),
        (
            b"\0\1\0\1",
            ReasonCode.TOO_LARGE,
            "the other end announced a message of 65537 bytes; max_message allows 65536 here",
        ),
        (hello(), ReasonCode.MALFORMED, "a greeting came where none belongs"),
        (welcome(), ReasonCode.MALFORMED, "a greeting came where none belongs"),
        (control(9), ReasonCode.MALFORMED, "the other end sent a wrong control message: its kind is 9"),
    ],
)
@pytest.mark.parametrize("before", [b"", message("good")], ids=["alone", "after a message"])
def test_a_breach_ends_the_link_after_what_was_complete(
    scene: Scene, before: bytes, data: bytes, code: ReasonCode, text: str
) -> None:
    server = scene.serve()

    guest = scene.guest(before, data, message("never"))

    assert scene.heard(server) == ([] if not before else ["good"])
    assert (scene.left(server).code, scene.left(server).text) == (code, text)
    assert reason_of(guest) == (code, text)


def test_one_wrong_message_alone_is_a_breach_too(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()

    guest.say(frame(b"\xc1"))
    scene.play(3 * TICK)

    assert reason_of(guest)[0] is scene.left(server).code is ReasonCode.MALFORMED


def test_a_message_of_another_shape_ends_the_link(scene: Scene) -> None:
    server = scene.serve(messages=Move)

    guest = scene.guest(message({"x": 1}), message({"x": "one"}))

    assert scene.heard(server) == [Move(1)]
    assert reason_of(guest)[0] is scene.left(server).code is ReasonCode.WRONG_SHAPE


def test_what_a_type_of_the_game_raises_ends_the_link_and_no_update(scene: Scene) -> None:
    server = scene.serve(messages=Careful)

    guest = scene.guest(message({"x": 1}), message({"x": 9}))

    assert scene.heard(server) == [Careful(1)]
    assert reason_of(guest)[0] is scene.left(server).code is ReasonCode.WRONG_SHAPE


# What goes along.


def test_every_ping_has_its_answer_but_of_many_at_once_the_last(scene: Scene) -> None:
    scene.serve()
    guest = scene.guest(control(PING, 7, 0))

    guest.say(*[control(PING, number, 0) for number in range(100, 200)])
    scene.play(2 * TICK)

    assert guest.told(PONG) == [[7, 0], [199, 0]]


def test_a_read_with_nothing_but_pings_is_counted_as_one(scene: Scene) -> None:
    server = scene.serve(ping_interval=50.0, timeout=100.0)
    guest = scene.guest()
    scene.play(1.0)

    counts: list[int] = []
    for said in (
        [control(PING, 1, 0)],
        [control(PONG, 1, 0)],
        [control(PING, 2, 0), message("x")],
    ):
        before = inbox_of(server).beats
        guest.say(*said)
        scene.play(2 * TICK)
        counts.append(inbox_of(server).beats - before)

    assert counts == [1, 1, 0]


@pytest.mark.fault(51, "memory")
@pytest.mark.parametrize("kind", [PING, PONG])
def test_more_than_was_sent_cannot_be_acknowledged(scene: Scene, kind: int) -> None:
    server = scene.serve()

    guest = scene.guest(token=b"")
    guest.say(control(kind, 1, 1))
    scene.play(3 * TICK)

    assert reason_of(guest) == (ReasonCode.MALFORMED, "more messages were acknowledged than were sent")
    assert scene.left(server).code is ReasonCode.MALFORMED


def test_who_receives_much_acknowledges_between_pings(scene: Scene) -> None:
    scene.serve(ping_interval=100.0, timeout=200.0)
    guest = scene.guest()
    large = message(bytes(30_000))

    for _ in range(5):
        guest.say(large)
        scene.play(TICK)
    scene.play(3 * TICK)
    alone = guest.told(ACK)
    guest.say(large, large)
    scene.play(3 * TICK)
    guest.say(large, message(1), message(2))
    scene.play(3 * TICK)

    assert len(large) * 3 > ACKNOWLEDGE_EVERY > len(large) * 2
    assert alone == [[3]]
    assert guest.told(ACK) == [[3], [7]]


def test_a_ping_behind_more_than_one_update_delivers_is_answered_in_the_next(scene: Scene) -> None:
    server = scene.serve(ping_interval=100.0, timeout=200.0, flood_timeout=0.2)
    guest = scene.guest()

    for number in range(1, 30):
        guest.say(message("x") * 256 + control(PING, number, 0))
        scene.play(0.5)

    assert guest.told(PONG) == [[number, 256 * number] for number in range(1, 30)]
    assert scene.heard(server) == ["x"] * 256 * 29


@pytest.mark.parametrize(
    "more",
    [message("x"), message("x") + message("y"), control(ACK, 0) + message("x"), message("x")[:-1], message("x")[:3]],
)
def test_what_comes_behind_a_ping_is_delivered_and_the_ping_answered_once(scene: Scene, more: bytes) -> None:
    server = scene.serve(ping_interval=100.0, timeout=200.0)
    guest = scene.guest()

    guest.say(control(PONG, 9, 0) + control(PING, 1, 0) + more)
    scene.play(2 * TICK)
    told = guest.told(PONG)
    guest.say(message("x")[len(more) :] if len(more) < len(message("x")) else b"")
    scene.play(2 * TICK)

    assert [pong[0] for pong in told] == [1]
    assert scene.heard(server)[:1] == ["x"]
    assert only(server).stats.bytes_received >= len(more)


@pytest.mark.parametrize(
    "data",
    [message("hi"), control(PING, 1, 0), control(PONG, 1, 0), control(ACK, 0), welcome(), b"\0\0\0\0", frame(b"\xc1")],
)
def test_nothing_but_a_greeting_comes_first(scene: Scene, data: bytes) -> None:
    server = scene.serve()

    stranger = scene.stranger(data)

    assert reason_of(stranger)[0] in {ReasonCode.MALFORMED, ReasonCode.NOT_NETCODE}
    assert scene.told[server] == []


def test_what_follows_a_greeting_at_once_waits_for_the_answer(scene: Scene) -> None:
    server = scene.serve()

    stranger = scene.stranger(hello(), message("impatient"), message("very"))

    assert len(stranger.told(WELCOME)) == 1
    assert scene.heard(server) == ["impatient", "very"]


@pytest.mark.parametrize("size", [5_000, 60_000])
def test_a_large_message_may_follow_a_greeting_in_the_same_read(scene: Scene, size: int) -> None:
    server = scene.serve()

    scene.stranger(hello(), message(bytes(size)))

    assert scene.heard(server) == [bytes(size)]


def test_a_large_message_has_its_time_for_each_part(scene: Scene) -> None:
    server = scene.serve(message_timeout=2.0, max_message=1_000_000)
    guest = scene.guest()
    data = message(bytes(400_000))

    for begin in range(0, len(data), 50_000):
        guest.say(data[begin : begin + 50_000])
        scene.play(0.9)
    whole = scene.heard(server)
    guest.say(data[:3])
    scene.play(0.5)
    guest.say(data[3:70_000])
    scene.play(1.0)
    for _ in range(8):
        guest.say(bytes(1_000))
        scene.play(0.25)

    assert whole == [bytes(400_000)]
    assert scene.left(server).code is ReasonCode.STALLED


def test_a_large_message_has_its_time_again_for_exactly_a_part(scene: Scene) -> None:
    server = scene.serve(message_timeout=2.0, max_message=1_000_000)
    guest = scene.guest()
    data = message(bytes(400_000))

    guest.say(data[:10])
    scene.play(1.5)
    guest.say(data[10 : 10 + PACE])
    scene.play(1.5)
    after_a_part = scene.news(server)
    guest.say(data[10 + PACE : 9 + 2 * PACE])
    scene.play(1.0)

    assert after_a_part == ["Joined"]
    assert scene.left(server).code is ReasonCode.STALLED


def test_a_large_message_that_began_with_half_a_length_has_its_time_for_each_part(scene: Scene) -> None:
    server = scene.serve(message_timeout=2.0, max_message=1_000_000)
    guest = scene.guest()
    data = message(bytes(400_000))

    guest.say(data[:2])
    scene.play(0.25)
    guest.say(data[2:10])
    for begin in range(10, len(data), 100_000):
        scene.play(1.5)
        guest.say(data[begin : begin + 100_000])
    scene.play(0.1)

    assert scene.heard(server) == [bytes(400_000)]


def test_a_slow_message_that_ends_in_time_is_one(scene: Scene) -> None:
    server = scene.serve(message_timeout=3.0)
    data = message("slowly")
    guest = scene.guest()

    for _ in range(4):
        for byte in data:
            guest.say(bytes((byte,)))
            scene.play(0.2)

    assert scene.heard(server) == ["slowly"] * 4


@pytest.mark.games
@pytest.mark.fault(82, "memory")
@pytest.mark.parametrize(
    "frame",
    [
        control(PING, 1, 0),
        control(PONG, 1, 0),
        control(PING, 2**40, 0),
        control(ACK, 0),
        message("x"),
        message("x" * 20),
    ],
    ids=["ping", "pong", "large ping", "ack", "message", "longer message"],
)
@pytest.mark.parametrize("together", [1, 2, 3])
def test_frames_that_each_come_in_time_stall_nothing_wherever_the_reads_end(
    scene: Scene, frame: bytes, together: int
) -> None:
    server = scene.serve(message_timeout=1.0, timeout=1_000.0)

    for cut in range(1, len(frame)):
        guest = scene.guest()
        guest.say(frame[:cut])
        for _ in range(5):
            scene.play(0.25)
            guest.say(frame[cut:], frame * (together - 1), frame[:cut])
        scene.play(TICK)
        guest.say(frame[cut:])
        scene.play(2 * TICK)

    assert all(peer.alive for peer in server.peers)
    assert len(server.peers) == len(frame) - 1


def test_a_ping_in_two_parts_is_complete_with_the_second(scene: Scene) -> None:
    server = scene.serve(message_timeout=3.0)
    ping = control(PING, 1, 0)
    guest = scene.guest()

    guest.say(ping[:6])
    scene.play(TICK)
    guest.say(ping[6:])
    scene.play(4.0)

    assert only(server).alive


# What decoding costs.

COSTLY = [
    b"\xdc\xff\xf0" + b"\x90" * 65_520,
    b"\xdc\x7f\xf0" + b"\x91\x90" * 32_752,
    b"\xdc\x50\x00" + b"\x81\x90\0" * 0x5000,
    b"\xdc\x02\x00" + (b"\x81\x90" * 30 + b"\0") * 0x200,
]


def spend(scene: Scene, server: Any, updates: int) -> list[int]:
    """Let some updates pass, and return what was spent in each."""
    spent: list[int] = []
    for _ in range(updates):
        scene.play(TICK)
        spent.append(inbox_of(server).budget.spent)
    return spent


@pytest.mark.games
@pytest.mark.fault(75, "memory")
@pytest.mark.parametrize("payload", COSTLY, ids=["lists", "lists in lists", "list keys", "maps in maps"])
def test_costly_messages_wait_for_each_other_and_nobody_for_them(scene: Scene, payload: bytes) -> None:
    limits: Any = {"timeout": 1.0, "ping_interval": 0.3, "message_timeout": 0.3, "flood_timeout": 0.3}
    server = scene.serve(**limits)
    inbox_of(server).budget.share = 8_200  # so that they wait longer than the limits have it
    hostile = [scene.guest() for _ in range(6)]
    honest = scene.guest()
    for _ in range(2):
        for guest in hostile:
            guest.say(frame(payload), message("behind it"))
    heard: list[int] = []

    spent: list[int] = []
    for number in range(300):
        honest.say(message(number))
        for guest in hostile:
            guest.say(control(PING, number, 0))
        spent += spend(scene, server, 1)
        heard.append(max(one for one in [*scene.heard(server), -1] if isinstance(one, int)))
        if scene.heard(server).count("behind it") == 12:
            break

    decoded: list[Any] = [one for one in scene.heard(server) if isinstance(one, list)]
    assert decoded == [msgpack.unpackb(payload, strict_map_key=False, object_pairs_hook=as_dict)] * 12
    assert len(heard) * TICK > limits["timeout"]
    assert scene.heard(server).count("behind it") == 12
    assert all(number - one <= 2 for number, one in enumerate(heard))
    assert max(spent) <= 8_200
    assert sum(spent) >= 12 * cost_of(memoryview(payload))
    assert scene.news(server) == ["Joined"] * 7


def as_dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    return {() if key == [] else key: value for key, value in pairs}


@pytest.mark.fault(75, "memory")
def test_who_waits_its_turn_gets_it_however_much_the_others_have(scene: Scene) -> None:
    server = scene.serve()
    hostile = [scene.guest() for _ in range(5)]
    modest = scene.guest()
    for _ in range(10):
        for guest in hostile:
            guest.say(frame(COSTLY[0]))
    modest.say(message([EMPTY] * 2_000), message("mine"))

    scene.until(lambda: "mine" in scene.heard(server), seconds=60 * TICK)

    assert len(scene.heard(server)) <= 2 + len(hostile)


@pytest.mark.games
@pytest.mark.fault(75, "memory")
def test_of_what_many_send_at_once_no_more_is_looked_into_than_may_be_decoded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def is_costly(payload: memoryview) -> bool:
        looked.append(len(payload))
        return costly.is_costly(payload)

    monkeypatch.setattr(reader, "is_costly", is_costly)
    server = scene.serve()
    hostile = [scene.guest() for _ in range(40)]
    for guest in hostile:
        guest.say(frame(COSTLY[0]))

    most = 0
    while len(scene.heard(server)) < 40:
        before = len(looked)
        scene.play(TICK)
        most = max(most, len(looked) - before)

    assert most <= 3
    assert len(looked) >= 40


@pytest.mark.fault(75, "memory")
def test_who_leaves_while_it_waits_holds_up_nobody(scene: Scene) -> None:
    server = scene.serve()
    hostile = [scene.guest() for _ in range(4)]
    for guest in hostile:
        guest.say(frame(COSTLY[0]))
    scene.play(TICK)
    for guest in hostile[:3]:
        guest.connection.close()
    scene.play(30 * TICK)

    assert len(scene.heard(server)) >= 1
    assert hostile[3].told(BYE) == []
    scene.play(1.0)
    assert [event.peer.id for event in scene.told[server] if isinstance(event, Received)][-1] == 4


def test_a_breach_in_the_middle_of_a_costly_message_ends_the_link(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest(message("before"))

    guest.say(message(1), frame(COSTLY[0][:40_000] + b"\xc1" + COSTLY[0][40_001:]), message("never"))
    scene.play(1.0)

    assert scene.heard(server) == ["before", 1]
    assert reason_of(guest)[0] is scene.left(server).code is ReasonCode.MALFORMED


def test_an_interrupt_while_a_costly_message_is_decoded_loses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scene.serve()
    client = scene.join()
    client.send([EMPTY] * 65_520)
    client.send("behind it")
    real, calls = cost.carried, iter(range(3))

    def interrupted(value: Any) -> int:
        if next(calls, None) == 0:
            raise KeyboardInterrupt
        return real(value)

    monkeypatch.setattr("netcode.session.costly.carried", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scene.play(1.0)
    scene.play(5.0)

    assert scene.heard(server) == [[EMPTY] * 65_520, "behind it"]
    assert scene.news(server) == ["Joined", "Away", "Back"]


def test_what_waited_because_others_had_their_turn_is_no_flood_behind_one_that_was(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=4, flood_timeout=1.0)
    guest = scene.guest()

    guest.say(*[message(number) for number in range(9)])
    scene.play(3 * TICK)
    guest.say(message([EMPTY] * 65_520), message("behind it"))
    scene.play(1.0)

    assert scene.heard(server) == [*range(9), [EMPTY] * 65_520, "behind it"]


def test_what_just_carries_bytes_does_not_wait(scene: Scene) -> None:
    server = scene.serve()
    guests = [scene.guest() for _ in range(6)]
    carrier = {"picture": b"\x90" * 10_000, "large": b"\x90" * 30_000}

    for guest in guests:
        guest.say(message({"picture": b"\x90" * 10_000}), message(b"\x90" * 40_000))
    scene.play(3 * TICK)
    for guest in guests[:2]:
        guest.say(message(carrier))
    scene.play(8 * TICK)

    assert len(scene.heard(server)) == 14


def test_a_control_message_is_not_large(scene: Scene) -> None:
    scene.serve()
    guest = scene.guest()

    guest.say(control(PING, 1, 0, [EMPTY] * 5_000))
    scene.play(3 * TICK)

    text = "the other end sent a wrong control message: it is larger than 4096 bytes"
    assert reason_of(guest) == (ReasonCode.MALFORMED, text)


# Bounds.


def test_a_burst_is_delivered_over_several_updates(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=10)
    guest = scene.guest()
    guest.say(*map(message, range(35)))
    counts: list[int] = []

    for _ in range(6):
        scene.update()
        counts.append(len(scene.heard(server)))

    assert counts[-5:] == [10, 20, 30, 35, 35] or counts[:4] == [10, 20, 30, 35]
    assert scene.heard(server) == [*range(35)]


def test_a_flood_that_does_not_stop_ends_the_link(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=10, flood_timeout=2.0)
    guest = scene.guest()

    for _ in range(200):
        guest.say(*map(message, range(15)))
        scene.update()
        scene.clock.advance(TICK)

    assert scene.left(server).code is ReasonCode.FLOODING
    assert reason_of(guest)[1] == "more than max_messages_per_update = 10 messages came, update after update"


def test_what_piles_up_between_rare_updates_is_no_flood(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=10, flood_timeout=2.0)
    guest = scene.guest()

    for _ in range(8):
        guest.say(*[message(1)] * 40)
        scene.play(1.0, tick=1.0)

    assert scene.news(server) == ["Joined"]
    assert len(scene.heard(server)) == 70


def test_bursts_with_pauses_are_no_flood(scene: Scene) -> None:
    server = scene.serve(max_messages_per_update=10, flood_timeout=2.0)
    guest = scene.guest()

    for _ in range(6):
        guest.say(*map(message, range(100)))
        scene.play(1.0)

    assert len(scene.heard(server)) == 600
    assert scene.news(server) == ["Joined"]


def test_large_messages_share_an_update_in_bytes(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    scene.frozen.add(server)
    guest.say(*[message(bytes(20_000)) for _ in range(7)], message(b"last")[:-1])
    scene.play(5 * TICK)
    scene.frozen.clear()
    counts: list[int] = []

    for _ in range(8):
        scene.update()
        counts.append(len(scene.heard(server)))
    guest.say(b"t")
    scene.play(2 * TICK)

    assert max(b - a for a, b in pairwise(counts)) <= 3
    assert [len(data) for data in scene.heard(server)] == [20_000] * 7 + [4]


def test_a_game_that_takes_no_events_holds_its_peers_back_and_keeps_them(scene: Scene) -> None:
    server = scene.serve(max_backlog=50_000)
    client = scene.join()
    scene.deaf.add(server)

    for number in range(300):
        client.send((number, bytes(1000)))
        scene.play(2 * TICK)
    waiting = inbox_of(server).limit - inbox_of(server).room
    scene.deaf.clear()
    scene.play(5.0)

    assert waiting < 50_000 + 65_536 + 1_000
    assert [number for number, _ in scene.heard(server)] == [*range(300)]
    assert scene.news(server) == scene.news(client) == ["Joined"]


def test_who_is_held_back_by_a_game_that_takes_no_events_wakes_nobody(scene: Scene) -> None:
    server = scene.serve(max_backlog=50_000)
    client = scene.join(max_backlog=50_000)
    scene.deaf |= {server, client}
    for _ in range(40):
        client.send(bytes(5000))
        server.broadcast(bytes(5000))
        scene.play(TICK)

    held = [end._seconds_left() or 0.0 for end in (server, client)]
    for end in (server, client):
        end.events()
    taken = [end._seconds_left() for end in (server, client)]

    assert all(left > 0.0 for left in held)  # until the next ping
    assert taken == [0.0, 0.0]


@pytest.mark.parametrize("more", [b"", message(1)])
def test_pings_take_room_as_well_while_the_game_takes_no_events(scene: Scene, more: bytes) -> None:
    server = scene.serve()
    guest = scene.guest()
    scene.deaf.add(server)
    said = control(PING, 1, 0) + control(PONG, 1, 0) + more
    before = inbox_of(server).room

    guest.say(said)
    scene.play(2 * TICK)

    assert before - inbox_of(server).room == len(said)


def test_a_message_is_not_late_because_we_do_not_read(scene: Scene) -> None:
    server = scene.serve(max_backlog=1_000, message_timeout=2.0, timeout=30.0)
    guest = scene.guest(message(bytes(2_000)), message("whole")[:-1])
    scene.deaf.add(server)
    guest.say(message("x")[:0])
    scene.play(TICK)
    guest.say(b"e", message("more"))

    scene.play(6.0)
    before = scene.news(server)
    scene.deaf.clear()
    scene.play(1.0)

    assert before == ["Joined"]
    assert scene.heard(server)[1:] == ["whole", "more"]


def test_a_peer_is_not_silent_because_we_do_not_read(scene: Scene) -> None:
    server = scene.serve(max_backlog=1_000, timeout=2.0)
    client = scene.join()
    scene.deaf.add(server)
    client.send(bytes(2_000))

    scene.play(6.0)
    scene.deaf.clear()
    client.send("more")
    scene.play(1.0)

    assert scene.heard(server) == [bytes(2_000), "more"]
    assert scene.news(server) == scene.news(client) == ["Joined"]


def test_a_reader_has_room_whatever_it_owns_and_may_be_resumed_with_nothing(scene: Scene) -> None:
    server = scene.serve()
    guest = scene.guest()
    reader = link_of(only(server)).reader
    nothing = reader.has_rest, reader.resume()

    guest.say(message("whole")[:-1])
    scene.play(2 * TICK)

    assert nothing == (False, False)
    assert (reader.has_room(), reader.has_rest) == (True, True)
    assert reader.partial is not None
    assert reader.partial.missing == 1


def test_a_greeting_that_costs_much_is_left_where_it_is_until_it_is_its_turn(scene: Scene) -> None:
    server = scene.serve()
    hostile = scene.guest()
    for _ in range(3):
        hostile.say(frame(COSTLY[0]))
    greeting = control(1, "netcode", 1, "", "", 65_536, None, 0, [EMPTY] * 3_500)

    newcomer = scene.stranger(greeting)
    scene.play(2.0)

    assert len(newcomer.told(WELCOME)) == 1
    assert len(server.peers) == 2
