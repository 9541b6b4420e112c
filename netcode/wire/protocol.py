"""The control messages as pure values: bytes to value, value to bytes, no I/O. The page «The wire» is the standard."""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import msgpack

from netcode.address import address_from_wire
from netcode.errors import ProtocolError
from netcode.reasons import Reason, ReasonCode, clip, reason_from_wire
from netcode.wire.codec import PLAIN
from netcode.wire.decoding import UNREADABLE
from netcode.wire.framing import HEADER_SIZE, frame
from netcode.wire.speed import KERNEL

MAGIC = "netcode"
VERSION = 1
EXTENSION = 78
"""The msgpack extension code of control messages: «N»."""

MAX_UNGREETED = 4096
"""Largest frame, in bytes, from an end that has not been welcomed; every `max_message` is at least this."""

MAX_NAME = 64
"""Longest name of a game or of its version, in characters."""

ASKING = "?"
"""The game of a HELLO that only asks what is played: no server plays it, and none has to be disturbed by it."""

MAX_TOKEN = 64
"""Longest resume token in bytes."""

MAX_COUNT = (1 << 64) - 1
"""The largest number that msgpack has room for."""

MAX_SECONDS = 1e9
"""Below this are all times that travel: 31 years."""

END_OF_LINES = "\r\n\r\n"
"""Ends a HELLO, for servers that wait for the end of a line, as web servers do: at a wrong port they answer at once."""

ACKNOWLEDGE_EVERY = 65_536
"""Bytes received after which the number of messages received is told at the latest."""


class Hello(NamedTuple):
    """The client's first frame."""

    game: str
    version: str
    max_message: int
    token: bytes | None
    """None: this client never resumes. Empty: it is new. Else: it comes back."""
    received: int
    credentials: Any
    anew: bool = False
    """Whether another program comes back with the token, which does not know what the one before it has received."""


class Welcome(NamedTuple):
    """The server's first frame, if it takes the client in."""

    peer_id: int
    max_message: int
    token: bytes
    received: int
    timeout: float
    grace: float
    first: int = 0
    """To a program that comes back anew: how many messages the one before it is known to have received."""


class Ping(NamedTuple):
    """Asks for a `Pong` with the same number, and says how many messages were received."""

    number: int
    received: int


class Pong(NamedTuple):
    """Answers a `Ping`, and says how many messages were received."""

    number: int
    received: int


class Bye(NamedTuple):
    """The last frame of an end that leaves on purpose."""

    reason: Reason
    about: Any = None
    """What a server says of itself to somebody who only asks, as it came; None elsewhere."""


class Ack(NamedTuple):
    """Says how many messages were received, where pings alone would say it too rarely."""

    received: int


Control = Hello | Welcome | Ping | Pong | Bye | Ack

PING, PONG = 3, 4
"""The kinds of the two messages that go each way once a second."""

BEAT_SIZE = 10
"""Bytes of the smallest frame of one of them."""

_BODY_START = EXTENSION << 8 | 0x93
"""The extension code, and the list of three that a beat is."""

_FIXED = {0xD6: 4 + 2, 0xD7: 8 + 2, 0xD8: 16 + 2}
"""Bytes of msgpack's extensions of a fixed size, with the two that announce them."""

_pack: Callable[[Any], bytes] = msgpack.packb  # a Packer has state, which ends in several threads would share
_BEAT_HEADS = [struct.pack(">IBBB", 3 + size, 0xC7, size, EXTENSION) for size in range(2 + 2 * 9 + 1)]
"""What stands before bodies of so many bytes: a frame's length, and msgpack's ext 8."""

_beat_start: Callable[..., tuple[int, int, int, int]] = struct.Struct(">IBBH").unpack_from
_unpackb: Callable[..., Any] = msgpack.unpackb
_LIST: Any = list  # of unknown type to the type checkers, as what is in a message is


def hello(value: Hello) -> bytes:
    """Encode a HELLO frame. Raises `TypeError` or `ValueError` if the credentials cannot be sent."""
    body = PLAIN.encode([1, MAGIC, VERSION, *value[:6], *([True] if value.anew else ()), END_OF_LINES])
    if len(body) + 4 > MAX_UNGREETED:
        raise ValueError(f"credentials make a greeting of {len(body)} bytes; at most {MAX_UNGREETED - 4} may travel")
    return _control(body)


def welcome(value: Welcome) -> bytes:
    """Encode a WELCOME frame."""
    return _control(_pack([2, VERSION, *(value if value.first else value[:6])]))


def ping(number: int, received: int) -> bytes:
    """Encode a PING frame."""
    body = _pack_beat((PING, number, received))
    return _BEAT_HEADS[len(body)] + body


def pong(number: int, received: int) -> bytes:
    """Encode a PONG frame."""
    body = _pack_beat((PONG, number, received))
    return _BEAT_HEADS[len(body)] + body


def bye(reason: Reason, about: Any = None) -> bytes:
    """Encode a BYE frame; the text is clipped to what may travel."""
    more = about if reason.where is None else str(reason.where)
    return _control(_pack((5, reason.number, clip(reason.text), *(() if more is None else (more,)))))


def ack(received: int) -> bytes:
    """Encode an ACK frame."""
    return _control(_pack((6, received)))


def decode(payload: memoryview) -> Control | None:
    """Decode a control message; None if the payload is another msgpack extension.

    Raises:
        ProtocolError: it is a control message, and a wrong one.
    """
    body = _body(payload)
    if body is None:
        return None
    kind, *rest = _fields(body)
    if type(kind) is not int:
        raise _wrong("its kind is no number")  # True would be HELLO, and 3.0 a PING
    if kind not in _KINDS:
        raise _wrong(f"its kind is {kind}")
    return _KINDS[kind](rest)


def beat_in_python(data: memoryview, size: int, /) -> tuple[int, int, int, int] | None:
    """Decode the PING or the PONG at the front of `data` the quick way.

    Args:
        data: what was received.
        size: how many bytes of it count.

    Returns:
        Its kind, its number, how many messages were received, and where its frame ends. None where it is neither, or not
        complete, or not written as msgpack libraries do: `decode` knows what it is then, or what is wrong.
    """
    if size < BEAT_SIZE:
        return None
    length, mark, told, start = _beat_start(data)
    end = HEADER_SIZE + length
    if mark == 0xC7:
        if start != _BODY_START or told != length - 3 or end > size:
            return None
        body = 7
    elif told == EXTENSION and start >> 8 == 0x93 and length == _FIXED.get(mark) and end <= size:
        body = 6
    else:
        return None
    try:
        kind, number, received = _unpackb(data[body:end])
    except (ValueError, TypeError):
        return None
    if type(number) is int is type(received) and type(kind) is int and PING <= kind <= PONG and number >= 0 <= received:
        return kind, number, received, end
    return None


beat = beat_in_python if KERNEL is None else KERNEL.beat
_frame: Any = None if KERNEL is None else KERNEL.frame
_pack_beat: Callable[[Any], bytes] = _pack if KERNEL is None else lambda fields: _frame(fields)[HEADER_SIZE:]


def _control(body: bytes) -> bytes:
    size = len(body)
    if size < 256:
        return frame(bytes((0xC7, size, EXTENSION)) + body)
    return frame(b"\xc8" + size.to_bytes(2, "big") + bytes((EXTENSION,)) + body)


def _body(payload: memoryview) -> memoryview | None:
    """Return the body of a control message in whichever way msgpack wrote the extension."""
    try:
        value = msgpack.unpackb(payload, strict_map_key=False)
    except UNREADABLE as error:
        raise _wrong("it is cut off") from error
    return memoryview(value.data) if isinstance(value, msgpack.ExtType) and value.code == EXTENSION else None


def _fields(body: memoryview) -> list[Any]:
    """Decode the body of a control message: a list that is not empty."""
    if len(body) > MAX_UNGREETED:
        raise _wrong(f"it is larger than {MAX_UNGREETED} bytes")
    try:
        fields = PLAIN.decode(body)
    except ProtocolError:
        # A goodbye in broken UTF-8 is still a goodbye, and says why.
        fields = _escaped(body)
        if not isinstance(fields, _LIST) or fields[:1] != [5]:
            raise
    if not isinstance(fields, _LIST) or not fields:
        raise _wrong("its body is no list")
    return [*fields]


def _escaped(body: memoryview) -> Any:
    """Decode what may have broken UTF-8 in it; None where that was not all."""
    try:
        return msgpack.unpackb(body, strict_map_key=False, unicode_errors="backslashreplace")
    except UNREADABLE:
        return None


def _hello(rest: list[Any]) -> Hello:
    if rest[:1] != [MAGIC]:
        text = "that is not a netcode program: its greeting lacks the magic word; is the port right?"
        raise ProtocolError(ReasonCode.NOT_NETCODE, text)
    _check_version(rest[1:2], "client", "server")
    if len(rest) < 8:
        raise _wrong("HELLO is too short")
    game, version, max_message, token, received, credentials = rest[2:8]
    if not (_is_name(game) and _is_name(version) and _is_count(max_message) and _is_count(received)):
        raise _wrong("HELLO has fields of other types")
    if not (token is None or _is_token(token)) or max_message < MAX_UNGREETED:
        raise _wrong("HELLO has fields of other types")
    return Hello(game, version, max_message, token, received, credentials, len(rest) > 8 and rest[8] is True)


def _welcome(rest: list[Any]) -> Welcome:
    _check_version(rest[:1], "server", "client")
    if len(rest) < 7:
        raise _wrong("WELCOME is too short")
    peer_id, max_message, token, received, timeout, grace = rest[1:7]
    numbers = _is_count(peer_id) and _is_count(max_message) and _is_count(received)
    if not (numbers and _is_token(token) and _is_seconds(timeout) and _is_seconds(grace)):
        raise _wrong("WELCOME has fields of other types")
    if max_message < MAX_UNGREETED:
        raise _wrong("WELCOME has fields of other types")
    first = rest[7] if len(rest) > 7 and _is_count(rest[7]) else 0
    return Welcome(peer_id, max_message, token, received, float(timeout), float(grace), first)


def _bye(rest: list[Any]) -> Bye:
    if len(rest) < 2 or not _is_count(rest[0]) or not isinstance(rest[1], str):
        raise _wrong("BYE has fields of other types")
    more = rest[2] if len(rest) > 2 else None
    where = address_from_wire(more) if rest[0] == ReasonCode.MOVED.value else None
    return Bye(reason_from_wire(rest[0], rest[1], where), more if isinstance(more, dict) else None)


def _ping(rest: list[Any]) -> Ping:
    return Ping(*_counts(rest, 2))


def _pong(rest: list[Any]) -> Pong:
    return Pong(*_counts(rest, 2))


def _ack(rest: list[Any]) -> Ack:
    return Ack(*_counts(rest, 1))


def _counts(rest: list[Any], count: int) -> list[int]:
    fields = rest[:count]
    if len(fields) < count or not all(map(_is_count, fields)):
        raise _wrong("its numbers are none")
    return fields


def _check_version(field: list[Any], theirs: str, ours: str) -> None:
    version = field[0] if field else None
    if type(version) is not int or version != VERSION:
        shown = version if type(version) is int else "?"
        text = f"the {theirs} speaks protocol {shown}, this {ours} speaks {VERSION}; update the older of the two"
        raise ProtocolError(ReasonCode.WRONG_PROTOCOL, text)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_token(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) <= MAX_TOKEN


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < MAX_SECONDS


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME


def _wrong(what: str) -> ProtocolError:
    return ProtocolError(ReasonCode.MALFORMED, f"the other end sent a wrong control message: {what}")


_KINDS: dict[int, Callable[[list[Any]], Control]] = {1: _hello, 2: _welcome, 3: _ping, 4: _pong, 5: _bye, 6: _ack}
