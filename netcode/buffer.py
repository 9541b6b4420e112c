"""Bytes in at the end, out at the front, without quadratic copying."""

from collections import deque

JOIN_BELOW = 65_536
"""Chunks below this many bytes are joined into one `send`; a larger one goes alone, uncopied."""

MARK_EVERY = 0.25
"""Seconds between two notes of what was queued when; the age of the oldest byte is that exact."""


class ReceiveBuffer:
    """What was received and not yet taken."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data = bytearray()

    def __len__(self) -> int:
        return len(self.data)

    def append(self, data: bytes | memoryview) -> None:
        """Add `data` at the end."""
        self.data += data

    def peek(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`, and leave them."""
        with memoryview(self.data) as view:
            return bytes(view[offset : offset + length])

    def take(self, length: int) -> bytes:
        """Take up to `length` bytes from the front."""
        taken = self.peek(0, length)
        self.drop(length)
        return taken

    def drop(self, length: int) -> None:
        """Forget up to `length` bytes from the front."""
        # CPython moves the start of a bytearray instead of its bytes, so this does not copy the rest.
        del self.data[:length]


class SendQueue:
    """What waits to be sent, and since when."""

    __slots__ = ("_marks", "_sent", "chunks", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview] = []
        self.size = 0
        self._sent = 0
        self._marks: deque[tuple[int, float]] | None = None  # (bytes ever queued, time): oldest first

    def append(self, data: bytes | memoryview) -> None:
        """Add `data` at the end. It must not change afterwards."""
        self.chunks.append(data)
        self.size += len(data)

    def head(self) -> bytes | memoryview:
        """Return what the next `send` should be given: everything where that is cheap."""
        chunks = self.chunks
        if self.size < JOIN_BELOW:
            chunks[:] = [b"".join(chunks)]
        elif len(chunks[0]) < JOIN_BELOW:
            count, size = 0, 0
            for chunk in chunks:
                if len(chunk) >= JOIN_BELOW:
                    break
                count, size = count + 1, size + len(chunk)
            if count > 1:
                chunks[:count] = [b"".join(chunks[:count])]
        return chunks[0]

    def sent(self, count: int, now: float) -> None:
        """Note that `count` bytes of `head()` are gone, at `now`."""
        self.size -= count
        if not self.size:
            self.chunks.clear()
            self._marks = None
            return
        self._sent += count
        first = self.chunks[0]
        if count == len(first):
            del self.chunks[0]
        else:
            self.chunks[0] = memoryview(first)[count:]
        self.mark(now)

    def mark(self, now: float) -> None:
        """Note that what is queued by `now` has been waiting since `now` at the latest."""
        total = self._sent + self.size
        marks = self._marks
        if marks is None:
            self._marks = deque([(total, now)])
            return
        while marks and marks[0][0] <= self._sent:
            marks.popleft()
        if not marks or (total > marks[-1][0] and now - marks[-1][1] >= MARK_EVERY):
            marks.append((total, now))

    def since(self) -> float | None:
        """Return the time at which the oldest waiting byte was first kept waiting, or None."""
        return self._marks[0][1] if self._marks else None

    def clear(self) -> None:
        """Forget everything."""
        self.chunks.clear()
        self.size = 0
        self._marks = None
