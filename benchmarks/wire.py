"""netcode's wire as the load generator speaks it, written from `docs/protocol.md` and not from the package.

A load generator that shared code with the server could hide a mistake of both.
"""

from typing import Any

import msgpack

CONTROL = 78
HELLO, WELCOME, PING, PONG, BYE, ACK = range(1, 7)


def pack(value: object) -> bytes:
    """Return a value in msgpack."""
    return msgpack.packb(value)


def unpack(data: bytes | memoryview) -> Any:  # noqa: ANN401 - msgpack decodes to anything
    """Return the value of some msgpack."""
    return msgpack.unpackb(data, strict_map_key=False)


def framed(payload: bytes) -> bytes:
    """Return a payload behind its length of four bytes."""
    return len(payload).to_bytes(4, "big") + payload


def message(value: object) -> bytes:
    """Return the frame of one application message."""
    return framed(pack(value))


def control(*fields: object) -> bytes:
    """Return the frame of one control message: its kind and what belongs to it."""
    return framed(pack(msgpack.ExtType(CONTROL, pack(fields))))


def hello(*, max_message: int = 65536) -> bytes:
    """Return the first frame of a client that plays no game in particular."""
    return control(HELLO, "netcode", 1, "", "", max_message, b"", 0, None)


def control_fields(payload: bytes) -> list[Any] | None:
    """Return what a control message says, or None for an application message."""
    value = unpack(payload)
    if isinstance(value, msgpack.ExtType) and value.code == CONTROL:
        fields: list[Any] = unpack(value.data)
        return fields
    return None


def take_frames(buffer: bytearray) -> list[bytes]:
    """Take the payloads of all complete frames out of the front of a buffer."""
    payloads: list[bytes] = []
    start = 0
    while len(buffer) - start >= 4:
        end = start + 4 + int.from_bytes(buffer[start : start + 4], "big")
        if len(buffer) < end:
            break
        payloads.append(bytes(buffer[start + 4 : end]))
        start = end
    del buffer[:start]
    return payloads
