"""What was sent and not yet acknowledged: what a link that comes back needs again."""

from collections import deque

from netcode.framing import HEADER_SIZE, length_at

Chunk = bytes | tuple[bytes, bytes]
"""Frames in a row, as they were sent together; one that is too large to be copied comes in two parts."""


class ResendQueue:
    """The messages sent, from the first unacknowledged one on, bounded in bytes."""

    __slots__ = ("_base", "_chunks", "acknowledged", "limit", "sent", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._chunks: deque[tuple[int, Chunk]] | None = None  # (messages, frames); none until there are any
        self._base = 0  # messages before the first chunk
        self.sent = 0
        """Messages sent since the beginning of the session."""
        self.acknowledged = 0
        """Messages that the other end is known to have."""
        self.size = 0
        """Bytes kept."""

    def append(self, count: int, chunk: Chunk) -> None:
        """Keep the frames of `count` more messages."""
        if self._chunks is None:
            self._chunks = deque()
        self._chunks.append((count, chunk))
        self.sent += count
        self.size += _size(chunk)

    def count(self, count: int) -> None:
        """Count messages that nobody will ask for again."""
        self.sent += count
        self._base = self.sent

    def trim(self) -> None:
        """Let go of the oldest frames beyond the limit. A link that needs them cannot be resumed."""
        while self.size > self.limit:
            self._drop()

    def forget(self) -> None:
        """Let go of everything."""
        self._chunks = None
        self._base, self.size = self.sent, 0

    def acknowledge(self, received: int) -> bool:
        """Let go of what the other end has; False if it claims what cannot be."""
        if received > self.sent:
            return False
        if received > self.acknowledged:
            self.acknowledged = received
            while self._chunks and self._base + self._chunks[0][0] <= received:
                self._drop()
        return True

    def since(self, received: int) -> list[bytes] | None:
        """Return the frames from message number `received` on, in chunks; None if some are no longer kept."""
        if not self._base <= received <= self.sent:
            return None
        self.acknowledge(received)
        chunks: list[bytes] = []
        skip = received - self._base
        for _, chunk in self._chunks or ():
            chunks += (_without(chunk, skip),) if isinstance(chunk, bytes) else chunk
            skip = 0
        return chunks

    def largest(self) -> int:
        """Return the size in bytes of the largest message kept, 0 if there is none."""
        return max((_largest(chunk) for _, chunk in self._chunks or ()), default=0)

    def _drop(self) -> None:
        assert self._chunks is not None
        count, chunk = self._chunks.popleft()
        self._base += count
        self.size -= _size(chunk)


def _size(chunk: Chunk) -> int:
    return len(chunk) if isinstance(chunk, bytes) else len(chunk[0]) + len(chunk[1])


def _without(frames: bytes, skip: int) -> bytes:
    """Return `frames` without the first `skip` of them."""
    position = 0
    for _ in range(skip):
        position += HEADER_SIZE + length_at(frames, position)
    return frames[position:]


def _largest(chunk: Chunk) -> int:
    frames = chunk if isinstance(chunk, bytes) else chunk[0]
    largest = position = 0
    while position < len(frames):
        length = length_at(frames, position)
        largest = max(largest, length)
        position += HEADER_SIZE + length
    return largest
