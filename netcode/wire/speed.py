"""The hot path, in C where that was built and is wanted.

Of messages, `netcode.wire.codec` says what it means, of pings `netcode.wire.protocol`. Where sockets are POSIX's it has
their two calls as well, for `netcode.transport.tcp_socket`.
"""

import os
from typing import Any, Protocol, TypeVar

E = TypeVar("E")


class Kernel(Protocol):
    """What was built: of messages it does what `netcode.wire.codec.Codec` says, for plain values."""

    def frame(self, message: Any, /) -> bytes | None:
        """Encode a small message, with its header."""

    def cut(
        self, data: memoryview, size: int, limit: int, event: type[E], sender: Any, /
    ) -> tuple[list[E], int] | None:
        """Decode the complete frames at the front of what came, and make events of them."""

    def beat(self, data: memoryview, size: int, /) -> tuple[int, int, int, int] | None:
        """Do what `netcode.wire.protocol.beat_in_python` says."""


def load() -> Kernel | None:
    """Return what was built, if there was a compiler for this Python, unless `NETCODE_PURE=1` says to do without."""
    if os.environ.get("NETCODE_PURE", "0") not in ("", "0"):
        return None
    try:
        from netcode import _speed
    except ImportError:
        return None
    return _speed


KERNEL = load()
SPEEDUPS = KERNEL is not None
"""Whether messages are encoded and decoded in C."""
