"""Frames: a 4-byte big-endian length, then so many bytes of payload. Pure, bounded, no I/O."""

import struct

from netcode.errors import ProtocolError
from netcode.reasons import ReasonCode, printable

HEADER = struct.Struct(">I")
HEADER_SIZE = HEADER.size

_unpack_from = HEADER.unpack_from

_STRANGERS = (
    (b"HTTP/", "a web server"),
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


def frame(payload: bytes) -> bytes:
    """Return `payload` with its length in front."""
    return HEADER.pack(len(payload)) + payload


def split(data: memoryview, limit: int, most: int) -> tuple[list[memoryview], int, int]:
    """Cut the complete frames off the front of `data`.

    Args:
        data: what was received and not yet taken.
        limit: the largest payload, in bytes, that is taken.
        most: how many frames to cut off at most.

    Returns:
        The payloads, as views into `data`; the number of bytes they took with their headers; and the number
        of frames left over because of `most` (0 or 1 is enough to know: 1 means at least one).

        A length of 0 or above `limit` ends the cutting in front of it, and the count is then -1.
    """
    payloads: list[memoryview] = []
    position, size = 0, len(data)
    while size - position >= HEADER_SIZE:
        length = _unpack_from(data, position)[0]
        if not 0 < length <= limit:
            return payloads, position, -1
        end = position + HEADER_SIZE + length
        if end > size:
            break
        if len(payloads) == most:
            return payloads, position, 1
        payloads.append(data[position + HEADER_SIZE : end])
        position = end
    return payloads, position, 0


def breach(data: memoryview, limit: int, greeted: bool) -> ProtocolError:
    """Say what is wrong with the header at the front of `data`, for which `split` stopped with -1."""
    start = bytes(data[:64])
    if not greeted:
        for prefix, name in _STRANGERS:
            if start.startswith(prefix):
                text = f"that is not a netcode program, it looks like {name}; is the port right?"
                return ProtocolError(ReasonCode.NOT_NETCODE, text)
        shown = printable(start[:12].decode("latin-1"), 48)
        text = f"that is not a netcode program: it began with «{shown}»; is the port right?"
        return ProtocolError(ReasonCode.NOT_NETCODE, text)
    length = _unpack_from(data, 0)[0]
    if length == 0:
        return ProtocolError(ReasonCode.MALFORMED, "the other end sent an empty frame, which the protocol forbids")
    text = f"the other end announced a message of {length} bytes; max_message here is {limit}"
    return ProtocolError(ReasonCode.TOO_LARGE, text)
