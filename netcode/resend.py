"""What was sent and not yet acknowledged: what a link that comes back needs again."""

from collections import deque
from collections.abc import Iterable

Frame = bytes | tuple[bytes, bytes]
"""A frame; a large one in two parts, so that its message is not copied."""


class ResendQueue:
    """The frames of application messages from the first unacknowledged one on, bounded in bytes."""

    __slots__ = ("acknowledged", "frames", "limit", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.frames: deque[Frame] | None = None  # none until needed: most of a thousand peers are silent
        self.acknowledged = 0
        """Messages whose frames are no longer kept."""
        self.size = 0
        """Bytes kept."""

    @property
    def sent(self) -> int:
        """Messages sent since the beginning of the session."""
        return self.acknowledged + (len(self.frames) if self.frames else 0)

    def start(self) -> None:
        """Keep frames from now on."""
        if self.frames is None:
            self.frames = deque()

    def extend(self, frames: Iterable[Frame], size: int, *, trim: bool = True) -> None:
        """Keep the frames of further messages, `size` bytes in all; or only count them, if nothing is kept.

        Args:
            trim: let go of the oldest beyond the limit. A link that needs them cannot be resumed.
        """
        if self.frames is None:
            self.acknowledged += sum(1 for _ in frames)
            return
        self.frames.extend(frames)
        self.size += size
        while trim and self.size > self.limit:
            self._drop()

    def largest(self) -> int:
        """Return the size in bytes of the largest frame kept, 0 if there is none."""
        return max(map(_size, self.frames), default=0) if self.frames else 0

    def is_full(self) -> bool:
        """Tell whether more is kept than the limit."""
        return self.size > self.limit

    def acknowledge(self, received: int) -> bool:
        """Let go of what the other end has; False if it claims what cannot be."""
        if received > self.sent:
            return False
        while self.acknowledged < received:
            self._drop()
        return True

    def since(self, received: int) -> list[bytes] | None:
        """Return the bytes from message number `received` on, in chunks; None if some are no longer kept."""
        if not self.acknowledged <= received <= self.sent:
            return None
        self.acknowledge(received)
        chunks: list[bytes] = []
        for frame in self.frames or ():
            chunks += (frame,) if isinstance(frame, bytes) else frame
        return chunks

    def forget(self) -> None:
        """Keep nothing: this link will not be resumed."""
        self.acknowledged, self.size = self.sent, 0
        self.frames = None

    def _drop(self) -> None:
        assert self.frames is not None
        frame = self.frames.popleft()
        self.size -= _size(frame)
        self.acknowledged += 1


def _size(frame: Frame) -> int:
    return len(frame) if isinstance(frame, bytes) else len(frame[0]) + len(frame[1])
