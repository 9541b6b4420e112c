"""Bytes in at the end, out at the front, without quadratic copying."""

from collections import deque
from collections.abc import Sequence
from itertools import groupby

from netcode.transport import Transport

JOIN_BELOW = 65_536
"""Chunks below this many bytes are joined; a larger one is sent from where it is."""

JOIN_EACH_BELOW = 4096
"""Of many chunks, those below this many bytes are joined: of what is larger, a copy costs more than another piece."""

JOIN_FROM = 16
"""Chunks that were not looked at yet, above which they are."""

MAX_CHUNKS = 1024
"""Chunks in one `send` at most: no system takes more (IOV_MAX), and fewer would be too little to offer at once."""

LEAST_ROOM = 65_536
"""Bytes that have come, and are still to come, from which on they are received in place, without being copied."""

MARK_EVERY = 0.25
"""Seconds between two notes of what was queued when, at least; the age of the oldest byte is no more exact."""


EASED = 64
"""What part of a queue has to be gone for it to count as getting shorter."""

EASED_AFTER_ALL = 16
"""What part of it has to be gone where it has become longer in between."""


class ReceiveBuffer:
    """What was received and not yet taken."""

    __slots__ = ("_data", "_end", "_start")

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def append(self, data: bytes | memoryview) -> None:
        """Add `data` at the end."""
        count = len(data)
        self._move_to_front(count)
        self._data[self._end : self._end + count] = data
        self._end += count

    def room(self, wanted: int) -> memoryview | None:
        """Return room at the end to receive into: `wanted` bytes, or as many as are there already, or were there once.

        So a stranger who promises much and sends little makes us hold little. Release the room before anything else is
        done with the buffer. None if it is not worth it.
        """
        held = len(self)
        count = min(wanted, max(held, len(self._data) - held))
        if count < LEAST_ROOM:
            return None
        self._move_to_front(count)
        end = self._end + count
        if end > len(self._data):
            self._data += bytes(end - len(self._data))
        return memoryview(self._data)[self._end : end]

    def owns(self, room: memoryview) -> bool:
        """Tell whether that is room of this buffer."""
        return room.obj is self._data

    def added(self, count: int) -> None:
        """Note that `count` bytes were received into the room."""
        self._end += count

    def view(self) -> memoryview:
        """Return everything, in place. Release it before anything else is done with the buffer."""
        return memoryview(self._data)[self._start : self._end]

    def drop(self, length: int) -> None:
        """Forget up to `length` bytes from the front."""
        self._start = min(self._start + length, self._end)
        if self._start == self._end:
            self._start = self._end = 0

    def _move_to_front(self, count: int) -> None:
        """Move what is held to the front if there is no room behind it for `count` bytes more, but before it."""
        held = self._end - self._start
        if self._end + count > len(self._data) and self._start >= held:
            # Not earlier: so each byte is moved once at most for each byte that was taken.
            self._data[:held] = self._data[self._start : self._end]
            self._start, self._end = 0, held


class SendQueue:
    """What waits to be sent, and since when."""

    __slots__ = ("_eased_at", "_joined", "_low", "_marks", "_peak", "_sent", "chunks", "left", "size")

    def __init__(self, *data: bytes) -> None:
        self.chunks: list[bytes | memoryview] = [chunk for chunk in data if chunk]
        self.size = sum(map(len, data))
        self._sent = 0
        self._joined = 0  # chunks at the front among which no small ones are left to be joined
        self._marks: deque[tuple[int, float]] | None = None  # (bytes ever queued, time): oldest first
        self.left = 0
        """Bytes that the network did not take when it was last offered them."""
        self._low = self._peak = 0  # the fewest and the most bytes that waited since it last got shorter
        self._eased_at = 0.0  # when that was

    def append(self, data: bytes | memoryview) -> None:
        """Add `data` at the end. It must not change afterwards."""
        size = len(data)
        self.size += size  # nothing can come between this and the next
        self.chunks.append(data)

    def extend(self, chunks: Sequence[bytes | memoryview]) -> None:
        """Add all of `chunks` at the end."""
        size = sum(map(len, chunks))
        self.size += size  # nothing can come between this and the next
        self.chunks += chunks

    def offer(self, transport: Transport, data: bytes, now: float, *, bulk: bool) -> None:
        """Send what `transport` takes of it all, and of `data` behind it, in one call.

        Args:
            bulk: whether this may be the end of what was too much for the network before.

        Raises:
            OSError: the transport takes nothing any more.
        """
        if data:
            self.append(data)
        chunks = self.join()
        alone = len(chunks) == 1 and self.size < JOIN_BELOW and not bulk
        try:
            count = transport.send(chunks[0]) if alone else transport.send_chunks(chunks)
        except BlockingIOError:
            count = 0
        if count == self.size:  # and in one go nothing is here any more: a signal handler may add to it
            self.chunks, self.size, self._marks, self._joined = [], 0, None, 0
        else:
            self.sent(count, now)

    def join(self) -> list[bytes | memoryview]:
        """Return what the next `send` should be given, in few chunks: small ones joined, others uncopied.

        Each is looked at once: much may wait for somebody who takes little, or nothing.
        """
        chunks = self.chunks
        count = len(chunks)  # behind which a signal handler may add some meanwhile
        if count > 1 and self.size < JOIN_BELOW:
            chunks[:count] = [b"".join(chunks[:count])]
            self._joined = 0
        elif count - self._joined > JOIN_FROM:
            joined: list[bytes | memoryview] = []
            for are_small, group in groupby(chunks[self._joined : count], _is_small):
                run = [*group]
                joined += [b"".join(run)] if are_small else run
            chunks[self._joined : count] = joined
            self._joined += len(joined) - _is_small(joined[-1])  # which is joined with those to come
        return chunks[:MAX_CHUNKS]

    def sent(self, count: int, now: float) -> None:
        """Note that the first `count` bytes are gone, at `now`."""
        self.size -= count
        if not self.size:
            self.clear()
            return
        self._sent += count
        gone = 0
        while count >= len(self.chunks[gone]):
            count -= len(self.chunks[gone])
            gone += 1
        self._joined = max(0, self._joined - gone)
        del self.chunks[:gone]
        if count:
            self.chunks[0] = memoryview(self.chunks[0])[count:]
        self.left = self.size
        self.mark(now)

    def mark(self, now: float) -> None:
        """Note that what is queued by `now` has been waiting since `now` at the latest."""
        total = self._sent + self.size
        marks = self._marks
        if marks is None:
            self._marks = deque([(total, now)])
            self._ease(now)
            return
        self._peak = max(self._peak, self.size)
        if self.size < self._low - self._low // EASED:
            self._ease(now)
        while marks and marks[0][0] <= self._sent:
            marks.popleft()
        if not marks or (total > marks[-1][0] and now - marks[-1][1] >= MARK_EVERY):
            marks.append((total, now))

    def since(self) -> float | None:
        """Return the time at which the oldest waiting byte was first kept waiting, or None."""
        return self._marks[0][1] if self._marks else None

    def stuck_since(self) -> float | None:
        """Return since when bytes have been waiting that do not become fewer, or None."""
        since = self.since()
        return None if since is None else max(since, self._eased_at)

    def eases(self, now: float) -> bool:
        """Look closer at a queue that seems to be stuck: tell whether it did become shorter since it was longest."""
        eases = self.size <= self._peak - max(1, self._peak // EASED_AFTER_ALL)
        if eases:
            self._ease(now)
        return eases

    def _ease(self, now: float) -> None:
        self._low = self._peak = self.size
        self._eased_at = now

    def clear(self) -> None:
        """Forget everything."""
        self.chunks.clear()
        self.size = self._joined = 0
        self._marks = None


def _is_small(chunk: bytes | memoryview) -> bool:
    return len(chunk) < JOIN_EACH_BELOW


def rest_of(data: bytes, count: int, now: float) -> SendQueue:
    """Return a queue of what is left of `data`, of which the network took the first `count` bytes at `now`."""
    queue = SendQueue(data)
    queue.sent(count, now)
    return queue
