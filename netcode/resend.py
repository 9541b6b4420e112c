"""What was sent and not yet acknowledged: what a link that comes back needs again."""

from collections import deque


class ResendQueue:
    """The frames of application messages from the first unacknowledged one on, bounded in bytes."""

    __slots__ = ("_frames", "_limit", "acknowledged", "sent", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: deque[bytes] | None = None  # none until needed: most of a thousand peers are silent
        self.sent = 0
        """Messages sent since the beginning of the session."""
        self.acknowledged = 0
        """Messages whose frames are no longer kept."""
        self.size = 0
        """Bytes kept."""

    def append(self, frame: bytes) -> None:
        """Keep the frame of one more message."""
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame)
        self.sent += 1
        self.size += len(frame)

    def trim(self) -> None:
        """Let go of the oldest frames beyond the limit. A link that needs them cannot be resumed."""
        while self.size > self._limit:
            self._drop()

    def is_full(self) -> bool:
        """Tell whether more is kept than the limit."""
        return self.size > self._limit

    def acknowledge(self, received: int) -> bool:
        """Let go of what the other end has; False if it claims what cannot be."""
        if received > self.sent:
            return False
        while self.acknowledged < received:
            self._drop()
        return True

    def since(self, received: int) -> list[bytes] | None:
        """Return the frames from message number `received` on, or None if some of them are no longer kept."""
        if not self.acknowledged <= received <= self.sent:
            return None
        self.acknowledge(received)
        return [*self._frames] if self._frames else []

    def forget(self) -> None:
        """Keep nothing: this link will not be resumed."""
        self._frames = None
        self.acknowledged, self.size = self.sent, 0

    def _drop(self) -> None:
        assert self._frames is not None
        self.size -= len(self._frames.popleft())
        self.acknowledged += 1
