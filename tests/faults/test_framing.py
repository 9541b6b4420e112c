"""Cases 23 to 34: what can be wrong with the bytes that came, and with those that are to be sent."""

import socket
import struct
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import hypothesis
import msgpack
import msgspec
import pytest
from bounds import as_long_as
from hypothesis import strategies as st
from inside import link_of

import netcode
from netcode import ReasonCode
from netcode.wire.codec import ENVELOPE
from netcode.wire.cost import MAX_DEPTH

from .stage import TICK, Stage, memory_stage
from .wire import BYE, MAX_MESSAGE, PONG, Stranger, control, frame, hello, message, welcome

MESSAGE_TIMEOUT = 20.0
MEGABYTE = 1_048_576


class Move(msgspec.Struct, tag=True):
    x: int


class Chat(msgspec.Struct, tag=True):
    text: str


class Allocated:
    """How much memory was taken at once, in bytes."""

    peak = 0


@contextmanager
def allocations() -> Generator[Allocated]:
    """Measure the memory that is taken meanwhile."""
    taken = Allocated()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield taken
        taken.peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def refusal(stage: Stage, stranger: Stranger) -> tuple[ReasonCode, str]:
    """Wait until the stranger is told why it was sent away, and return that."""
    stage.until(lambda: bool(stranger.told(BYE)), 5.0)
    code, text = stranger.told(BYE)[0]
    return ReasonCode(code), text


@pytest.mark.fault(23, layer="memory")
@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 2**31 - 1, 2**32 - 1])
def test_a_wrong_length_is_refused_on_its_header(memory: Stage, length: int) -> None:
    memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    with allocations() as taken:
        guest.say(struct.pack(">I", length))
        code, text = refusal(memory, guest)

    assert code is (ReasonCode.TOO_LARGE if length else ReasonCode.MALFORMED)
    assert str(length) in text or not length
    assert taken.peak < MEGABYTE
    assert memory.fate(peer).code is code


@pytest.mark.fault(23, layer="memory")
@pytest.mark.parametrize("length", [0, 4_097, 2**31 - 1, 2**32 - 1])
def test_a_wrong_length_before_the_greeting_is_refused_on_its_header(memory: Stage, length: int) -> None:
    memory.serve()
    stranger = memory.stranger()

    stranger.say(struct.pack(">I", length))

    assert refusal(memory, stranger)[0] is ReasonCode.NOT_NETCODE


@pytest.mark.fault(23, layer="loopback")
def test_a_real_socket_that_promises_four_gigabytes_is_refused_at_once(loopback: Stage) -> None:
    loopback.serve()
    guest = loopback.guest()

    guest.say(b"\xff\xff\xff\xff")

    assert refusal(loopback, guest)[0] is ReasonCode.TOO_LARGE


TOLD = [0, "one", [2, 3], {"four": 5.0}, b"six", None, "7" * 300]


@pytest.mark.fault(24, layer="memory")
@hypothesis.given(cuts=st.lists(st.integers(0, 400), max_size=12))
@hypothesis.settings(max_examples=40)
def test_any_split_of_the_stream_gives_the_same_messages(cuts: list[int]) -> None:
    stage = memory_stage()
    server = stage.serve()
    stream = hello() + b"".join(map(message, TOLD)) + control(3, 7, 0)
    stranger = stage.stranger()

    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        stranger.say(stream[begin:end])
        stage.play(TICK)
    stage.play(2 * TICK)
    received, answered = stage.received(server), stranger.told(PONG)
    stage.leave()

    assert received == TOLD
    assert answered == [[7, len(TOLD)]]


@pytest.mark.fault(25, layer="memory")
def test_a_frame_that_is_never_completed_ends_the_link_and_holds_only_what_came(memory: Stage) -> None:
    memory.serve()
    guest = memory.guest(struct.pack(">I", MAX_MESSAGE) + bytes(1_000))
    peer = memory.newest()
    memory.play(2 * TICK)
    rest = link_of(peer).reader.rest
    held = 0 if rest is None else len(rest)

    seconds = 0.0
    for _ in as_long_as(lambda: peer.alive):  # it answers to nothing, but it says something every second
        guest.say(b"\0")
        memory.play(1.0)
        seconds += 1.0

    assert held == 1_004
    assert MESSAGE_TIMEOUT - 1 <= seconds <= MESSAGE_TIMEOUT + 1
    assert memory.fate(peer).code is ReasonCode.STALLED
    assert refusal(memory, guest)[0] is ReasonCode.STALLED


@pytest.mark.fault(26, layer="memory")
@pytest.mark.parametrize("rest", [b"\0\0", b"\0\0\0\x08", b"\0\0\0\x08abc"])
def test_an_end_in_mid_frame_comes_after_the_complete_messages(memory: Stage, rest: bytes) -> None:
    server = memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    guest.say(message("first"), message("second"), rest)
    guest.connection.close_nicely()

    assert memory.fate(peer).code is ReasonCode.CLOSED_BY_PEER
    assert memory.received(server, peer) == ["first", "second"]


@pytest.mark.fault(26, layer="loopback")
def test_a_reset_in_mid_frame_comes_after_the_complete_messages(loopback: Stage) -> None:
    server = loopback.serve()
    with socket.create_connection(server.address) as sock:
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        sock.sendall(message("first") + message("second") + b"\0\0\0\x08abc")
        loopback.play(2 * TICK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert loopback.fate(peer).code is ReasonCode.RESET
    assert loopback.received(server, peer) == ["first", "second"]


BOMBS = {
    "maps": b"\xdc" + struct.pack(">H", 65_000) + b"\x80" * 65_000,
    "arrays": b"\xdc" + struct.pack(">H", 65_000) + b"\x90" * 65_000,
    "strings": b"\xdc" + struct.pack(">H", 65_000) + b"\xa0" * 65_000,
    "nested maps": b"\xdc" + struct.pack(">H", 30_000) + b"\x81\x80" * 30_000,
    "small maps": b"\xdc" + struct.pack(">H", 21_000) + b"\x81\x01\x80" * 21_000,
}


@pytest.mark.fault(27, layer="memory")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_an_expansion_bomb_is_bounded_in_memory_and_time(memory: Stage, bomb: bytes) -> None:
    server = memory.serve()
    guest = memory.guest()

    with allocations() as taken:
        guest.say(frame(bomb))
        memory.play(4 * TICK)
    memory.actor(server).costs_less_than(1.0)
    memory.actor(server).worst_cpu = 0.0  # the memory was counted meanwhile, which takes long

    assert taken.peak < 12 * MEGABYTE


@pytest.mark.fault(27, layer="memory")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_row_of_bombs_costs_no_frame(memory: Stage, bomb: bytes) -> None:
    server = memory.serve()
    memory.actor(server).forgets_messages = True  # a game that keeps bombs has to have them collected, too
    memory.guest(*[frame(bomb)] * 12)

    memory.play(1.0)  # the witness measures


@pytest.mark.fault(27, layer="memory")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_typed_messages_refuse_bombs(memory: Stage, bomb: bytes) -> None:
    memory.serve(messages=Move | Chat)
    guest = memory.guest(frame(bomb))
    peer = memory.newest()

    assert refusal(memory, guest)[0] in {ReasonCode.WRONG_SHAPE, ReasonCode.MALFORMED}
    assert memory.fate(peer).code in {ReasonCode.WRONG_SHAPE, ReasonCode.MALFORMED}


@pytest.mark.fault(28, layer="memory")
@pytest.mark.parametrize(
    "first", [b"\xc6", b"\xdb", b"\xdd", b"\xdf", b"\xc9"], ids=["bin", "str", "list", "dict", "ext"]
)
@pytest.mark.parametrize("claim", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\xff\xff\xff"])
def test_a_claim_of_four_gigabytes_in_five_bytes_is_refused(memory: Stage, first: bytes, claim: bytes) -> None:
    memory.serve()
    guest = memory.guest()
    peer = memory.newest()

    with allocations() as taken:
        guest.say(frame(first + claim))
        code, _ = refusal(memory, guest)

    assert code is ReasonCode.MALFORMED
    assert taken.peak < MEGABYTE
    assert memory.fate(peer).code is ReasonCode.MALFORMED


def nested(kind: str, depth: int) -> bytes:
    """Return msgpack of `depth` lists or dicts, one inside the other."""
    inner, outer = {"list": (b"\x90", b"\x91"), "dict": (b"\x80", b"\x81\xc0"), "key": (b"\x90", b"\x91")}[kind]
    value = outer * (depth - 1) + inner
    return b"\x81" + value + b"\xc0" if kind == "key" else value


@pytest.mark.fault(29, layer="memory")
@pytest.mark.parametrize("kind", ["list", "dict"])
def test_what_nests_as_deep_as_it_may_arrives(memory: Stage, kind: str) -> None:
    server = memory.serve()
    memory.guest(frame(nested(kind, MAX_DEPTH)))

    memory.play(4 * TICK)

    assert len(memory.received(server)) == 1


@pytest.mark.fault(29, layer="memory")
@pytest.mark.parametrize("kind", ["list", "dict", "key"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 511, 1_024, 1_025, 30_000])
def test_what_nests_deeper_is_refused_and_never_shown(
    memory: Stage, kind: str, depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    memory.serve()
    guest = memory.guest(frame(nested(kind, depth)))
    peer = memory.newest()

    code, text = refusal(memory, guest)

    assert code is ReasonCode.MALFORMED
    assert "[[" not in caplog.text + text
    assert memory.fate(peer).code is ReasonCode.MALFORMED


@pytest.mark.fault(29, layer="memory")
@pytest.mark.parametrize("depth", [MAX_DEPTH, 1_020, 1_500])
def test_deep_credentials_are_refused_like_deep_messages(memory: Stage, depth: int) -> None:
    memory.serve()
    stranger = memory.stranger()
    body = b"\x99\x01" + msgpack.packb("netcode") + b"\x01\xa0\xa0" + msgpack.packb(MAX_MESSAGE) + b"\xc0\x00"

    stranger.say(frame(b"\xc8" + struct.pack(">Hb", len(body) + depth, 78) + body + nested("list", depth)))

    assert refusal(memory, stranger)[0] is ReasonCode.MALFORMED


WRONG = {
    "invalid UTF-8": b"\xa2\xff\xfe",
    "a lone surrogate": b"\xa3\xed\xa0\x80",
    "the byte that msgpack never uses": b"\xc1",
    "a list cut off": b"\x92\x01",
    "a str cut off": b"\xa5abc",
    "a dict without its last value": b"\x82\x01\x02\x03",
    "a float cut off": b"\xcb\0\0",
    "bytes behind the message": b"\x01\x02",
    "an unknown extension": msgpack.packb(msgpack.ExtType(5, b"five")),
    "an unknown extension inside": msgpack.packb([msgpack.ExtType(5, b"five")]),
    "a control message inside": msgpack.packb([msgpack.ExtType(78, b"\x92\x03\x00")]),
    "a timestamp out of range": b"\xc7\x0c\xff" + b"\xff" * 12,
    "a timestamp of nanoseconds out of range": b"\xd7\xff" + b"\xff" * 8,
    "a timestamp of a wrong length": b"\xc7\x05\xff" + bytes(5),
    "an extension cut off": b"\xc7\xff\x4e",
    "a control message cut off": b"\xc7\x02\x4e\x92",
    "a control message that is no list": b"\xc7\x01\x4e\x05",
    "a control message that is empty": b"\xc7\x01\x4e\x90",
    "a control message of no bytes": b"\xc7\x00\x4e",
    "a control message of an unknown kind": b"\xc7\x02\x4e\x91\x63",
    "a control message of a kind that is no number": b"\xc7\x03\x4e\x91\xa1x",
    "a control message of a kind that is true": b"\xc7\x02\x4e\x91\xc3",
    "a ping without its fields": b"\xc7\x02\x4e\x91\x03",
    "a ping with a negative number": b"\xc7\x04\x4e\x93\x03\xff\x00",
    "a ping with a float": b"\xc7\x0c\x4e\x93\x03\xcb" + bytes(8) + b"\x00",
    "a ping that claims what was never sent": b"\xc7\x04\x4e\x93\x03\x01\x7f",
    "a second greeting": hello()[4:],
    "a control message with deep fields": b"\xc8\x04\x02\x4e\x92\x03" + b"\x91" * 1_023 + b"\x90",
}


@pytest.mark.fault(30, layer="memory")
@pytest.mark.parametrize("payload", WRONG.values(), ids=WRONG)
def test_what_is_no_message_is_a_documented_reason(memory: Stage, payload: bytes) -> None:
    server = memory.serve(grace=10.0)
    guest = memory.stranger()
    guest.say(hello(token=b""), message("before"))
    memory.until(lambda: len(memory.received(server)) == 1)
    peer = memory.newest()

    guest.say(frame(payload), message("after"))

    assert refusal(memory, guest)[0] is ReasonCode.MALFORMED
    assert memory.fate(peer).code is ReasonCode.MALFORMED
    assert memory.received(server, peer) == ["before"]


@pytest.mark.fault(30, layer="memory")
@pytest.mark.parametrize("payload", WRONG.values(), ids=WRONG)
def test_a_client_takes_no_more_from_its_server(memory: Stage, payload: bytes) -> None:
    memory.serve()
    bad = memory.false_server(welcome(token=b"t" * 32, grace=10.0) + message("before") + frame(payload))
    client = memory.client(bad.address.port)

    reason = memory.reason(client, 5.0)

    assert reason.code is ReasonCode.MALFORMED
    assert memory.received(client) == ["before"]


@pytest.mark.fault(30, layer="memory")
def test_a_timestamp_within_range_is_a_value_like_any_other(memory: Stage) -> None:
    server = memory.serve()
    memory.guest(message(msgpack.Timestamp(1, 2)))

    memory.play(4 * TICK)

    assert memory.received(server) == [msgpack.Timestamp(1, 2)]


@pytest.mark.fault(31, layer="memory")
@pytest.mark.parametrize("value", [{"type": "Move", "x": "no"}, {"type": "Move"}, {"type": "Other"}, 7, None, [1]])
def test_a_message_of_another_shape_ends_its_sender_alone(memory: Stage, value: Any) -> None:
    server = memory.serve(messages=Move | Chat)
    guest = memory.guest(message({"type": "Move", "x": 1}), message(value), message({"type": "Move", "x": 2}))
    peer = memory.newest()

    code, text = refusal(memory, guest)

    assert code is ReasonCode.WRONG_SHAPE
    assert text.startswith("a message came that is none of Move | Chat")
    assert memory.fate(peer).code is ReasonCode.WRONG_SHAPE
    assert memory.received(server, peer) == [Move(1)]


CANNOT_BE_SENT: list[tuple[Any, type[Exception]]] = [
    ({1, 2}, TypeError),
    (object(), TypeError),
    ([*[[]] * 40, object()], TypeError),
    (2**64, ValueError),
    (-(2**63) - 1, ValueError),
    ("\ud800", ValueError),
    ({"key": ["\udfff"]}, ValueError),
    (msgpack.ExtType(78, b"\x91\x05"), TypeError),
    (bytes(10 * MEGABYTE), netcode.MessageTooLarge),
    ([[]] * (MAX_MESSAGE + ENVELOPE), netcode.MessageTooLarge),
]


@pytest.mark.fault(32, layer="memory")
@pytest.mark.parametrize(("value", "error"), CANNOT_BE_SENT)
def test_what_cannot_be_sent_raises_at_the_caller_and_the_stream_goes_on(
    memory: Stage, value: Any, error: type[Exception]
) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()

    client.send("before")
    for send in (client.send, peer.send, server.broadcast):
        with pytest.raises(error):
            send(value)
    client.send("after")
    peer.send("there too")
    memory.play(4 * TICK)

    assert memory.received(server, peer) == ["before", "after"]
    assert memory.received(client) == ["there too"]


@pytest.mark.fault(32, layer="memory")
def test_what_contains_itself_raises_at_the_caller(memory: Stage) -> None:
    memory.serve()
    client = memory.join()
    itself: list[Any] = []
    itself.append(itself)

    with pytest.raises(ValueError, match="cannot be sent"):
        client.send(itself)


@pytest.mark.fault(32, layer="memory")
def test_a_typed_end_refuses_other_types_at_the_caller(memory: Stage) -> None:
    memory.serve(messages=Move | Chat)
    client = memory.join(messages=Move | Chat)

    with pytest.raises(TypeError, match=r"expected a message of Move \| Chat, not dict"):
        client.send({"x": 1})
    with pytest.raises(ValueError, match="cannot be sent"):
        client.send(Move(x="no"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.send(Chat("still here"))
    memory.play(4 * TICK)

    assert memory.received(memory.server) == [Chat("still here")]


def change_list(value: Any) -> None:
    value["list"].append("changed")


def change_bytes(value: Any) -> None:
    value["bytes"][0] = 255


@pytest.mark.fault(33, layer="memory")
@pytest.mark.parametrize("change", [change_list, change_bytes])
def test_a_message_is_what_it_was_at_the_call(memory: Stage, change: Callable[[Any], None]) -> None:
    server = memory.serve()
    client = memory.join()
    peer = memory.newest()
    value = {"list": [1], "bytes": bytearray(b"\0")}

    client.send(value)
    peer.send(value)
    server.broadcast(value, to=[peer])
    change(value)
    memory.play(4 * TICK)

    assert memory.received(server) == [{"list": [1], "bytes": b"\0"}]
    assert memory.received(client) == [{"list": [1], "bytes": b"\0"}] * 2


@pytest.mark.fault(34, layer="loopback")
def test_urgent_bytes_are_ignored(loopback: Stage) -> None:
    server = loopback.serve()
    with socket.create_connection(server.address) as sock:
        sock.sendall(hello())
        loopback.until(lambda: len(server.peers) == 2)
        peer = loopback.newest()
        for i in range(3):
            sock.send(b"!", socket.MSG_OOB)
            loopback.play(2 * TICK)
            sock.sendall(message(i))
            loopback.play(2 * TICK)

        alive = peer.alive

    assert alive
    assert loopback.received(server, peer) == [0, 1, 2]


@pytest.mark.fault(34, layer="loopback")
def test_urgent_bytes_do_not_break_a_connect(loopback: Stage) -> None:
    loopback.serve()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = loopback.client(listener.getsockname()[1])
        loopback.play(TICK)
        accepted, _ = listener.accept()
        with accepted:
            accepted.send(b"!", socket.MSG_OOB)
            woken = netcode.wait(client, timeout=0.01)
            loopback.play(4 * TICK)

            state = client.state

    assert state is netcode.State.CONNECTING
    assert woken in {False, True}
