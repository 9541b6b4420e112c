"""Frames cut by a codec or by the kernel, and only the messages of the events that they make."""

from typing import Any, NamedTuple

SENDER = object()


class Came(NamedTuple):
    """An event with a message."""

    sender: object
    message: Any


def cut(codec: Any, data: bytes | memoryview, limit: int) -> tuple[list[Any], int] | None:
    """Return the messages that were cut off the front of `data`, and how many bytes they took; None as the codec does."""
    view = memoryview(bytes(data) + b"\0\0\0\x01\x07")  # behind what is there is more, which is not to be looked at
    found = codec.cut(view, len(data), limit, Came, SENDER)
    if found is None:
        return None
    events, taken = found
    assert all(type(event) is Came and event.sender is SENDER for event in events)
    return [event.message for event in events], taken
