"""Frames: a 4-byte big-endian length, then so many bytes of payload. Pure, bounded, no I/O."""

import struct
from collections.abc import Callable

from netcode.errors import ProtocolError
from netcode.reasons import ReasonCode, printable

HEADER = struct.Struct(">I")
HEADER_SIZE = HEADER.size

EXTENSIONS = frozenset(b"\xc7\xc8\xc9\xd4\xd5\xd6\xd7\xd8")
"""The first bytes by which msgpack announces an extension type."""

_unpack_length = HEADER.unpack_from
lead: Callable[..., tuple[int, int]] = struct.Struct(">IB").unpack_from
"""Return the length that the header at a position announces, and the first byte of what follows."""

_STRANGERS = (
    (b"HTTP", "a web server"),
    (b"SSH-", "an SSH server"),
    (b"\x15\x03", "a TLS server"),
    (b"\x16\x03", "a TLS program"),
    (b"220 ", "a mail or FTP server"),
    (b"220-", "a mail or FTP server"),
    (b"+OK", "a mail server"),
    (b"RFB ", "a VNC server"),
    (b"GET ", "a web browser"),
    (b"POST", "a web browser"),
    (b"HEAD", "a web browser"),
    (b"OPTI", "a web browser"),
    (b"<", "a web or XML server"),
)


def length_at(data: bytes | bytearray | memoryview, position: int) -> int:
    """Return the length that the header at `position` announces."""
    length: int = _unpack_length(data, position)[0]
    return length


def frame(payload: bytes) -> bytes:
    """Return `payload` with its length in front."""
    return HEADER.pack(len(payload)) + payload


def missing(data: memoryview) -> int:
    """Return how many bytes the frame at the front of `data` still lacks, as far as that is known."""
    if len(data) < HEADER_SIZE:
        return 0
    return length_at(data, 0) + HEADER_SIZE - len(data)


def split(data: memoryview, limit: int, most: int) -> tuple[list[memoryview], int, int, bool]:
    """Cut the complete frames off the front of `data`.

    Args:
        data: what was received and not yet taken.
        limit: the largest payload, in bytes, that is taken.
        most: how many frames to cut off at most.

    Returns:
        The payloads, as views into `data`; the number of bytes they took with their headers; 1 if a further
        frame was left over because of `most`, -1 if the next length is 0 or above `limit`, else 0; and whether
        any of the payloads is a msgpack extension, as control messages are.
    """
    payloads: list[memoryview] = []
    position, size = 0, len(data)
    special = False
    while size - position > HEADER_SIZE:
        length, first = lead(data, position)
        if not 0 < length <= limit:
            return payloads, position, -1, special
        end = position + HEADER_SIZE + length
        if end > size:
            return payloads, position, 0, special
        if len(payloads) == most:
            return payloads, position, 1, special
        if first > 0xC6 and first in EXTENSIONS:
            special = True
        payloads.append(data[position + HEADER_SIZE : end])
        position = end
    if size - position == HEADER_SIZE and not 0 < length_at(data, position) <= limit:
        return payloads, position, -1, special
    return payloads, position, 0, special


def share(payloads: list[memoryview], taken: int, rest: int, limit: int) -> tuple[list[memoryview], int, int]:
    """Of payloads that take more than `limit` bytes, keep the first and what fits into `limit` with it.

    So what few large ones cost is bounded too. Takes and returns what `split` says of them.
    """
    if taken <= limit or len(payloads) == 1:
        return payloads, taken, rest
    count, size = 0, 0
    while count == 0 or size + HEADER_SIZE + len(payloads[count]) <= limit:
        size += HEADER_SIZE + len(payloads[count])
        count += 1
    return payloads[:count], size, 1 if rest == 1 else 2


def front(payloads: list[memoryview], count: int) -> tuple[list[memoryview], int]:
    """Return so many payloads, and how many bytes their frames take."""
    kept = payloads[:count]
    return kept, sum(map(len, kept)) + HEADER_SIZE * count


def breach(data: memoryview, limit: int, greeted: bool) -> ProtocolError:
    """Say what is wrong with the header at the front of `data`, for which `split` stopped with -1."""
    start = bytes(data[:64])
    if not greeted:
        for prefix, name in _STRANGERS:
            if start.startswith(prefix):
                why = "is tls= missing at this end, or the port wrong?" if "TLS" in name else "is the port right?"
                text = f"that is not a netcode program, it looks like {name}; {why}"
                return ProtocolError(ReasonCode.NOT_NETCODE, text)
        shown = printable(start[:12].decode("latin-1"), 48)
        text = f"that is not a netcode program: it began with «{shown}»; is the port right?"
        return ProtocolError(ReasonCode.NOT_NETCODE, text)
    length = length_at(data, 0)
    if length == 0:
        return ProtocolError(ReasonCode.MALFORMED, "the other end sent an empty frame, which the protocol forbids")
    text = f"the other end announced a message of {length} bytes; max_message allows {limit} here"
    return ProtocolError(ReasonCode.TOO_LARGE, text)
