"""WebSocket (RFC 6455) without I/O: a server's end of a stream of bytes in binary messages, which may be cut anywhere.

What carries a stream needs no messages put together, no text, and no extensions, so there are none.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable

from netcode.wire.http import END, BadRequest, Request

PROTOCOLS = ("netcode", "binary")
"""Names of the stream, the best first; «binary» is what Emscripten's sockets ask for. No name at all is as good."""

MAX_CONTROL = 125
"""Bytes in a control message at most (section 5.5)."""

LARGEST = 65_536
"""Bytes that we put into one message: who counts silence hears of a large one long before its end."""

MANY = 1024
"""Messages in one read from which on they are many. A browser has an empty one to send once a second, for our pings;
of others it may have as many when it comes back to itself, and is then read in smaller parts for a while."""

LITTLE = 16
"""Bytes below which a part of a message counts as if it carried nothing: it costs as much. No browser sends such."""

FEW = 64
"""Parts of messages, control messages and empty ones in one read from which on they are many: each takes four times as
long as a small whole message."""

PART = 16
"""How much smaller those parts are: as much less is many in one of them."""

QUIET = 64
"""Parts in a row without many after which more is read at once again; twice as many after each further time."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

NORMAL, BROKEN_RULE, NO_TEXT = (code.to_bytes(2, "big") for code in (1000, 1002, 1003))

_SMALL = 300
"""Bytes up to which one large number is quicker than four tables."""
_ROOM = -(-_SMALL // 4)  # words
_IDENTITY = int.from_bytes(bytes(range(256)), "little")
_TABLES = [(_IDENTITY ^ int.from_bytes(bytes((key,)) * 256, "little")).to_bytes(256, "little") for key in range(256)]

_WHOLE = 0x80 | BINARY
_LEAST, _MOST = 7, 131
"""Bytes of a small whole message of a client that carries something."""

_number = int.from_bytes


def _small(size: int) -> tuple[Callable[..., tuple[int, int, bytes]], int, int, int]:
    """Return what is known of a small whole message that carries so many bytes.

    That is how to get at its first two bytes, its mask and the rest; what those two are; the number that makes of one mask
    as many as are needed, 1 0 0 0 1 0 0 0 …; and how many bytes those are.
    """
    masks = -(-size // 4)
    repeated = _number(b"\1\0\0\0" * masks, "little")
    return struct.Struct(f"<HI{size}s").unpack_from, _WHOLE | (0x80 | size) << 8, repeated, 4 * masks


_SMALL_ONES = [_small(size) for size in range(126)]

HEADERS = tuple(bytes((_WHOLE, size)) for size in range(126))
"""What comes before a message of so many bytes."""


def is_upgrade(request: Request) -> bool:
    """Tell whether somebody wants to leave HTTP for WebSocket."""
    return request.method == "GET" and "websocket" in [token.lower() for token in request.tokens("upgrade")]


def accept(request: Request) -> bytes:
    """Return the answer by which the protocol changes. Raises `BadRequest` for a request that is broken."""
    if request.version != "HTTP/1.1" or "upgrade" not in [token.lower() for token in request.tokens("connection")]:
        raise BadRequest(400, "that is not how WebSocket begins; does a proxy between leave headers out?")
    if request.header("sec-websocket-version") != "13":
        raise BadRequest(426, "version 13 of WebSocket is spoken here", "Sec-WebSocket-Version: 13")
    key = request.header("sec-websocket-key")
    try:
        is_key = len(binascii.a2b_base64(key.encode("latin-1"), strict_mode=True)) == 16
    except binascii.Error:
        is_key = False
    if not is_key:
        raise BadRequest(400, "the key of a WebSocket has to be 16 bytes in base64")
    offered = request.tokens("sec-websocket-protocol")
    chosen = [f"Sec-WebSocket-Protocol: {name}" for name in PROTOCOLS if name in offered]
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        *chosen[:1],
    )
    return "\r\n".join(lines).encode("latin-1") + END


def accept_key(key: str) -> str:
    """Return what proves that the request was read (section 4.2.2)."""
    digest = hashlib.sha1(
        f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode("latin-1"), usedforsecurity=False
    ).digest()
    return base64.b64encode(digest).decode("ascii")


def header(size: int) -> bytes:
    """Return what comes before a message of `size` bytes."""
    if size < 126:
        return HEADERS[size]
    if size < 0x10000:
        return bytes((0x80 | BINARY, 126)) + size.to_bytes(2, "big")
    return bytes((0x80 | BINARY, 127)) + size.to_bytes(8, "big")


def control(opcode: int, payload: bytes = b"") -> bytes:
    """Return a control message."""
    return bytes((0x80 | opcode, len(payload))) + payload


def unmask(data: bytes, key: bytes) -> bytes | bytearray:
    """Return `data` without the four bytes that a client's are masked with, over and over (section 5.3)."""
    size = len(data)
    if size <= _SMALL:
        mask = int.from_bytes((key * _ROOM)[:size], "little")
        return (int.from_bytes(data, "little") ^ mask).to_bytes(size, "little")
    result = bytearray(size)
    for lane in range(4):
        result[lane::4] = data[lane::4].translate(_TABLES[key[lane]])
    return result


class FrameReader:
    """Takes what a client sends apart, in place."""

    __slots__ = (
        "_begun",
        "_empty",
        "_frames",
        "_is_open",
        "_key",
        "_left",
        "_quiet",
        "_term",
        "calm",
        "closed",
        "dense",
        "failure",
        "farewell",
        "ping",
    )

    def __init__(self) -> None:
        self._begun = b""  # of a header, or of a control message
        self._is_open = False  # a message of several frames is
        self._left = 0  # bytes of the present frame
        self._key = b""  # for the next of them
        self._empty = 0  # messages that carry next to nothing, in this read
        self._frames = 0  # parts, control messages and empty ones, in this read
        self._quiet = 0  # reads in a row without many of anything, since it sent many
        self._term = QUIET // 2  # of which so many are enough
        self.calm = True
        """Nothing is begun, nothing is over, no ping waits for its answer, and little is sent at once."""
        self.dense = False
        """It has lately sent many messages in one read, each of which costs the same, however little it carries."""
        self.ping: bytes | None = None
        """What the last ping said that was not answered yet."""
        self.closed = False
        """The other end has said Close."""
        self.failure = ""
        """What it did that it may not do, or ""."""
        self.farewell = NORMAL
        """What our own Close says."""

    def take(self, data: memoryview, count: int) -> int:
        """Take the first `count` bytes of `data` apart, put what they carry at its front, and return how much that is.

        Nothing is taken in after `closed` and `failure`, which may come behind bytes.
        """
        if self.calm and _LEAST <= count <= _MOST:
            # One small whole message is nearly always all that there is.
            size = count - 6
            unpack, lead, repeated, padded = _SMALL_ONES[size]
            first, mask, masked = unpack(data)
            if first == lead:
                data[:padded] = (_number(masked, "little") ^ mask * repeated).to_bytes(padded, "little")
                return size
        return self._take_several(data, count)

    def _take_several(self, data: memoryview, count: int) -> int:
        """Take apart what is not exactly one small message."""
        raw = bytes(data[:count])
        parts: list[bytes | bytearray] = []  # not `list[…]()`, which costs as much as the rest
        position = self._take_small(raw, 0, parts) if self.calm else 0
        self._empty = self._frames = 0
        if position < count:
            self._take(self._begun + raw[position:], parts)
        if self.dense or len(parts) > MANY or self._frames > FEW:
            self._judge(len(parts))
        taken = b"".join(parts)
        size = len(taken)
        data[:size] = taken
        return size

    def _judge(self, parts: int) -> None:
        """Tell by what was in this read whether the next is to be a small one."""
        self.calm = False
        if not self.dense:
            self.dense, self._quiet, self._term = True, 0, 2 * self._term
        elif parts > MANY // PART or self._frames > FEW // PART:
            self._quiet = 0
        else:
            self._quiet += 1
            self.dense = self._quiet < self._term

    def _take_small(self, raw: bytes, position: int, parts: list[bytes | bytearray]) -> int:
        """Take small whole messages as long as such come from `position` on, and return where they end."""
        count = len(raw)
        while count - position >= _LEAST:
            size = raw[position + 1] - 0x80
            end = position + 6 + size
            if not 0 < size < 126 or end > count:
                break
            unpack, lead, repeated, padded = _SMALL_ONES[size]
            first, mask, masked = unpack(raw, position)
            if first != lead:
                break
            parts.append((_number(masked, "little") ^ mask * repeated).to_bytes(padded, "little")[:size])
            position = end
        return position

    def _take(self, raw: bytes, parts: list[bytes | bytearray]) -> None:
        """Take apart whatever may come."""
        position, size = 0, len(raw)
        while position < size and not self.closed and not self.failure:
            if self._left:
                part = raw[position : position + self._left]
                parts.append(unmask(part, self._key))
                position += len(part)
                self._left -= len(part)
                turn = len(part) & 3
                self._key = self._key[turn:] + self._key[:turn]
                continue
            if raw[position] == _WHOLE and not self._is_open:
                before, position = position, self._take_small(raw, position, parts)
                if position > before:
                    continue
            taken = self._begin(raw, position)
            if not taken:
                break
            position += taken
        is_over = self.closed or bool(self.failure)
        self._begun = b"" if is_over else raw[position:]
        self.calm = not (is_over or self._begun or self._left or self._is_open or self.ping is not None)

    def _begin(self, raw: bytes, position: int) -> int:
        """Take a header, or a whole control message, and return how many bytes that is; 0 if some are missing."""
        first = raw[position]
        opcode, is_last = first & 0x0F, first >= 0x80
        if not self._may_begin(first, opcode, is_last):
            return 0
        start = position + 2
        if start > len(raw):
            return 0
        size = raw[position + 1] - 0x80
        if size < 0:
            return self._fail("it sent a message without a mask")
        if opcode >= CLOSE and size > MAX_CONTROL:
            return self._fail("it sent a control message of more than 125 bytes")
        if size > 125:
            more = 2 if size == 126 else 8
            if start + more > len(raw):
                return 0
            size = int.from_bytes(raw[start : start + more], "big")
            start += more
            if size >> 63:
                return self._fail("it announced a message of 2^63 bytes or more")
        end = start + 4
        if end > len(raw):
            return 0
        key = raw[start:end]
        if opcode < CLOSE:
            self._left, self._key, self._is_open = size, key, not is_last
            self._count(size, is_whole=opcode == BINARY and is_last)
            return end - position
        if end + size > len(raw):
            return 0
        self._hear(opcode, bytes(unmask(raw[end : end + size], key)))
        return end + size - position

    def _may_begin(self, first: int, opcode: int, is_last: bool) -> bool:
        """Tell whether a frame may begin with this byte now."""
        if first & 0x70:
            self._fail("it used an extension that was not agreed on")
        elif opcode == TEXT:
            self._fail("it sent a text message, and only binary ones are taken", NO_TEXT)
        elif opcode not in (CONTINUATION, BINARY, CLOSE, PING, PONG):
            self._fail(f"it sent a message of the unknown kind {opcode}")
        elif opcode >= CLOSE:
            if not is_last:
                self._fail("it sent a control message in parts")
        elif self._is_open != (opcode == CONTINUATION):
            self._fail("it began a message within another" if self._is_open else "it went on with no message")
        return not self.failure

    def _count(self, size: int, *, is_whole: bool = False) -> None:
        """Count what carries nothing, or next to nothing, and yet costs as much."""
        self._frames += not is_whole or size < 126  # and whole ones that are small, though not in the quick form
        self._empty += size < (1 if is_whole else LITTLE)
        if self._empty > MANY:
            self._fail("it sent too many messages at once that carry next to nothing")

    def _hear(self, opcode: int, payload: bytes) -> None:
        """Hear a control message."""
        self._count(0)
        if opcode == PING:
            self.ping = payload
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            if payload and not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
                self._fail("it said Close for a reason that cannot be one")
                return
            self.closed = True
            self.farewell = payload[:2] or self.farewell

    def _fail(self, text: str, code: bytes = BROKEN_RULE) -> int:
        self.failure = text
        self.farewell = code
        return 0
