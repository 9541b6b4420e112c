"""The contract of what comes from a stranger: a message or a documented reason, nothing else.

The first byte chooses what the others are fed to; everything below is pure, so an input is a test.
"""

from typing import Any

import msgpack

from netcode import ProtocolError, ReasonCode
from netcode.reasons import Reason
from netcode.wire import protocol
from netcode.wire.codec import CAREFUL_FROM, PLAIN, Codec, PlainCodec
from netcode.wire.cost import MAX_DEPTH
from netcode.wire.framing import EXTENSIONS, HEADER_SIZE, breach, frame, split
from netcode.wire.typed import make_codec

from .cutting import cut as take_off

LIMIT = 65_536
SMALL_LIMIT = 64
"""One that inputs get beyond: those that are kept and grown are short."""
MOST = 64

_PLAIN = (type(None), bool, int, float, str, bytes, msgpack.Timestamp)


def make_typed() -> Codec:
    """Return the codec of a game with typed messages."""
    import msgspec

    class Move(msgspec.Struct, tag=True):
        x: int
        path: list[tuple[int, int]] = []

    class Chat(msgspec.Struct, tag=True):
        text: str
        extra: dict[str, object] | None = None

    return make_codec(Move | Chat)


TYPED = make_typed()
STREAMS: tuple[Codec, ...] = (make_codec(), PlainCodec(kernel=None))  # as it was built here, and in Python


def fuzz_wire(data: bytes) -> None:
    """Feed `data` to framing, codecs and protocol. Raises `AssertionError` where the contract is broken."""
    if not data:
        return
    target, rest = data[0], memoryview(data)[1:]
    match target % 4:
        case 0:
            fuzz_stream(rest, LIMIT)
        case 1:
            fuzz_stream(rest, SMALL_LIMIT)
        case 2:
            fuzz_payload(rest)
        case _:
            fuzz_split(rest)


def fuzz_stream(data: memoryview, limit: int) -> None:
    """Cut frames off a stream, and decode each."""
    payloads, taken, rest, special = split(data, limit, MOST)
    assert 0 <= taken <= len(data)
    assert taken == sum(HEADER_SIZE + len(payload) for payload in payloads)
    assert len(payloads) <= MOST
    assert special == any(payload[0] in EXTENSIONS for payload in payloads)
    assert all(0 < len(payload) <= limit for payload in payloads)
    if rest < 0:
        for greeted in (False, True):
            check_reason(breach(data[taken:], limit, greeted).reason)
    for stream in STREAMS if limit >= CAREFUL_FROM else ():
        if (batch := take_off(stream, data, limit)) is not None:
            messages = [PLAIN.decode(payload) for payload in payloads]
            assert (repr(batch[0][: len(messages)]), rest) == (repr(messages), 1 if len(batch[0]) > MOST else 0)
    for payload in payloads:
        fuzz_payload(payload)


def fuzz_split(data: memoryview) -> None:
    """Cut the same stream at any byte: the frames are the same."""
    if len(data) < 2:
        return
    cut = data[0] * len(data) // 256
    stream = data[1:]
    whole, taken, rest, _ = split(stream, LIMIT, 1 << 30)
    first, used, broken, _ = split(stream[:cut], LIMIT, 1 << 30)
    pieces = [bytes(payload) for payload in first]
    if broken >= 0:
        second, more, rest_of_it, _ = split(stream[used:], LIMIT, 1 << 30)
        pieces += [bytes(payload) for payload in second]
        assert (used + more, rest_of_it) == (taken, rest)
    assert pieces == [bytes(payload) for payload in whole][: len(pieces)]


def fuzz_payload(payload: memoryview) -> None:
    """Decode one payload in each way that a link does."""
    if not len(payload):
        return
    if payload[0] in EXTENSIONS:
        try:
            control = protocol.decode(payload)
        except ProtocolError as error:
            check_reason(error.reason)
            return
        if control is not None:
            check_control(control)
            return
    for codec in (PLAIN, TYPED):
        try:
            message = codec.decode(payload)
        except ProtocolError as error:
            check_reason(error.reason)
            continue
        repr(message)
        # What came can be sent on: it means the same at the next end.
        again = codec.decode(memoryview(codec.encode(message)))
        assert repr(again) == repr(message)
        if codec is PLAIN:
            check_message(message, MAX_DEPTH)


def check_message(message: Any, depth: int) -> None:
    """Assert that a message is made of what messages are made of, and not deeper than it may be."""
    if isinstance(message, (list, tuple, dict)):
        assert depth > 0
        parts: list[Any] = [*message, *(message.values() if isinstance(message, dict) else ())]
        for part in parts:
            check_message(part, depth - 1)
    else:
        assert isinstance(message, _PLAIN)


def check_control(control: protocol.Control) -> None:
    """Assert that a control message is within its bounds, and comes through as it is."""
    match control:
        case protocol.Bye(reason):
            check_reason(reason)
            again = protocol.decode(memoryview(protocol.bye(reason))[HEADER_SIZE:])
            assert isinstance(again, protocol.Bye)
            assert again.reason.number == reason.number
        case protocol.Hello():
            assert len(control.game) <= protocol.MAX_NAME
            assert len(control.version) <= protocol.MAX_NAME
            assert control.max_message >= protocol.MAX_UNGREETED
            assert 0 <= control.received < 1 << 63
        case protocol.Welcome():
            assert control.max_message >= protocol.MAX_UNGREETED
            assert 0 <= control.timeout < 1e9
            assert 0 <= control.grace < 1e9
        case protocol.Ping(number, received):
            assert protocol.decode(memoryview(protocol.ping(number, received))[HEADER_SIZE:]) == control
        case protocol.Pong(number, received):
            assert protocol.decode(memoryview(protocol.pong(number, received))[HEADER_SIZE:]) == control
        case protocol.Ack(received):
            assert protocol.decode(memoryview(protocol.ack(received))[HEADER_SIZE:]) == control


def check_reason(reason: Reason) -> None:
    """Assert that a reason is one: a code, and a sentence that can be printed."""
    assert isinstance(reason.code, ReasonCode)
    assert reason.text
    assert reason.text.isprintable(), ascii(reason.text)
    assert len(reason.text) <= 300


def seeds() -> dict[str, bytes]:
    """Return inputs from which the others grow."""
    bye = protocol.bye(Reason(ReasonCode.GOODBYE, "so long"))
    hello = protocol.hello(protocol.Hello("chess", "1", LIMIT, b"", 0, {"name": "Ada"}))
    welcome = protocol.welcome(protocol.Welcome(1, LIMIT, bytes(32), 7, 10.0, 10.0))
    values = [None, True, -1, 1.5, "ü", b"\0\1", [1, [2]], {1: {"a": [b""]}}, {(1, 2): 3}, 2**63]
    messages = b"".join(frame(msgpack.packb(value)) for value in values)
    found = {
        "hello": b"\1" + hello,
        "welcome": b"\0" + welcome + messages,
        "pings": b"\0" + protocol.ping(1, 2) + protocol.pong(3, 4) + protocol.ack(5) + bye,
        "split": b"\3\x80" + messages + bye,
        "web": b"\1HTTP/1.1 400 Bad Request\r\n\r\n",
        "deep": b"\2" + b"\x91" * 40 + b"\x90",
        "timestamp": b"\2\xd6\xff\0\0\0\1",
        "typed": b"\2" + msgpack.packb({"type": "Move", "x": 1, "path": [[1, 2]]}),
        "typed chat": b"\2" + msgpack.packb({"type": "Chat", "text": "hi", "extra": {"a": [None]}}),
    }
    return found | {f"value {i}": b"\2" + msgpack.packb(value) for i, value in enumerate(values)}
