"""What was sent and not yet acknowledged: what a link that comes back needs again."""

from collections import deque
from itertools import groupby

from netcode.wire.framing import HEADER_SIZE, length_at

Large = tuple[bytes, bytes]
"""The frame of one message that is too large to be copied: its beginning, and the rest."""

Piece = bytes | bytearray | Large
"""Frames in a row, or a large one."""

PIECE = 4096
"""Bytes of small frames that are kept, and let go, together. A message a piece would cost more than the message."""


class ResendQueue:
    """The messages sent, from the first unacknowledged one on, bounded in bytes."""

    __slots__ = (
        "_base",
        "_before_open",
        "_full_at",
        "_gone",
        "_open",
        "_pieces",
        "_sealed",
        "acknowledged",
        "limit",
        "sent",
    )

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # (messages, the most bytes that one of them can have, frames); none until there are any
        self._pieces: deque[tuple[int, int, Piece]] | None = None
        self._base: int = 0  # messages before the first piece
        self._open: bytearray | None = None  # the frames behind the last piece
        self._before_open: int = 0  # messages before those
        self._sealed = 0  # bytes of the pieces
        self._gone = 0  # bytes that are kept no more
        self._full_at = min(PIECE, limit + 1)  # bytes at which the open piece becomes one of the others
        self.sent: int = 0
        """Messages sent since the beginning of the session."""
        self.acknowledged = 0
        """Messages that the other end is known to have."""

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._sealed if self._open is None else self._sealed + len(self._open)

    @property
    def bytes_sent(self) -> int:
        """Bytes of the messages sent, with their headers."""
        return self._gone + self.size

    def begin_at(self, number: int) -> None:
        """Count on from `number`: so many messages were sent, and arrived, before there was this queue."""
        self.acknowledged = number
        self.sent += number
        self._base += number
        self._before_open += number

    def take(self, batch: list[bytes]) -> bytes:
        """Keep the frames of a batch, and return them as one chunk. The oldest that are kept beyond the limit go.

        The batch is emptied in the same moment, so that an interrupt finds them in one place. A link that needs what is
        gone cannot be resumed.
        """
        count = len(batch)
        frames = batch[0] if count == 1 else b"".join(batch)
        if len(frames) >= PIECE:  # as it is: of what was broadcast, all peers keep the same
            self._seal()
            self._add_piece(frames, count, len(frames) - HEADER_SIZE, batch)
            self._trim()
            return frames
        kept = self._open
        if kept is None:
            kept = self._open = bytearray()
        # Without a call in between, nothing comes in between.
        kept += frames
        self.sent += count
        batch.clear()
        if len(kept) >= self._full_at:
            self._seal(PIECE)  # neither has one of so many, nor had what was there before become a piece
            self._trim()
        return frames

    def take_apart(self, batch: list[bytes], parts: list[tuple[int, bytes]]) -> list[bytes]:
        """Do what `take` does for what is much, and return it in chunks: those of its `parts`."""
        self._seal()
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = deque()
        kept = [(count, len(chunk) - HEADER_SIZE, chunk) for count, chunk in parts]
        chunks = [chunk for _, chunk in parts]
        count, size = len(batch), sum(map(len, chunks))
        # Without a call in between, nothing comes in between.
        pieces += kept
        self.sent += count
        self._before_open = self.sent
        self._sealed += size
        batch.clear()
        self._resized()
        self._trim()
        return chunks

    def take_large(self, frame: Large) -> None:
        """Keep the frame of one message without copying it. The oldest that are kept beyond the limit go."""
        self._seal()
        self._add_piece(frame, 1, _largest(frame))
        self._trim()

    def count(self, count: int, size: int, batch: list[bytes] | None = None) -> None:
        """Count messages, of `size` bytes together, that nobody will ask for again; empty what they came from."""
        self.sent += count
        self._gone += size
        self._base = self._before_open = self.sent
        if batch is not None:
            batch.clear()

    def forget(self) -> None:
        """Let go of everything."""
        size = self.size
        # Without a call in between, nothing comes in between.
        self._gone += size
        self._pieces = self._open = None
        self._base = self._before_open = self.sent
        self._sealed = 0
        self._resized()

    def acknowledge(self, received: int) -> bool:
        """Let go of what the other end has; False if it claims what cannot be."""
        if received > self.sent:
            return False
        if received > self.acknowledged:
            self.acknowledged = received
            if received == self.sent:
                self.forget()
        while self._pieces and self._base + self._pieces[0][0] <= received:
            self._drop()
        return True

    def since(self, received: int) -> list[bytes] | None:
        """Return the frames from message number `received` on, in chunks; None if some are no longer kept."""
        if not self._base <= received <= self.sent:
            return None
        self.acknowledge(received)
        self._seal()
        self._cut(received - self._base)
        chunks: list[bytes] = []
        for _, _, piece in self._pieces or ():
            chunks += piece if isinstance(piece, tuple) else (bytes(piece),)
        return chunks

    def withdraw(self, number: int) -> None:
        """Let go of the messages from `number` on, of which the other end cannot have any, as if never sent."""
        self._seal()
        pieces = self._pieces
        while self._before_open > number:
            assert pieces is not None  # what was let go had been sent over a link
            count, most, piece = pieces[-1]
            size, before = size_of(piece), self._before_open - count
            staying = number - before
            kept: tuple[tuple[int, int, Piece], ...] = ()
            if staying > 0:
                assert not isinstance(piece, tuple)  # which is one message
                rest = bytearray(piece[: _end_of(piece, staying)])
                kept, size, before = ((staying, most, rest),), size - len(rest), number
            # Without a call in between, nothing comes in between.
            del pieces[-1]
            pieces += kept
            self._before_open = self.sent = before
            self._sealed -= size
            self._resized()
        self.sent = number

    def largest(self, above: int) -> int:
        """Return the size in bytes of the largest message kept if it is `above` so many, else 0.

        It looks at the messages of a piece only where one of them may be, and then not again: who comes back often must
        not cost each time what was sent meanwhile.
        """
        self._seal()
        largest = 0
        for i, (count, most, piece) in enumerate([*(self._pieces or ())]):
            if most > above:
                assert self._pieces is not None
                exactly = _largest(piece)
                self._pieces[i] = count, exactly, piece
                largest = max(largest, exactly)
        return largest if largest > above else 0

    def _seal(self, most: int | None = None) -> None:
        """Make the open piece one of the others. If it is known, one of its messages has `most` bytes at most."""
        if self._open is not None:
            self._add_piece(self._open, 0, len(self._open) if most is None else most)

    def _add_piece(self, piece: Piece, more: int, most: int, batch: list[bytes] | None = None) -> None:
        """Add what was the open piece, or one of so many messages `more`; empty what they came from."""
        size = size_of(piece)
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = deque()
        # Without a call in between, nothing comes in between.
        self.sent += more
        pieces += ((self.sent - self._before_open, most, piece),)
        self._before_open = self.sent
        self._open = None
        self._sealed += size
        if batch is not None:
            batch.clear()
        self._resized()

    def _trim(self) -> None:
        while self._sealed > self.limit:
            self._drop()

    def _drop(self) -> None:
        pieces = self._pieces
        assert pieces is not None
        count, _, piece = pieces[0]
        size = size_of(piece)
        # Without a call in between, nothing comes in between.
        del pieces[0]
        self._base += count
        self._gone += size
        self._sealed -= size
        self._resized()

    def _cut(self, count: int) -> None:
        """Let go of the first `count` messages of the first piece: no later return has to look for where they end."""
        pieces = self._pieces
        if not count or not pieces:
            return
        messages, most, piece = pieces[0]
        assert not isinstance(piece, tuple)  # which is one message, and would be gone
        end = _end_of(piece, count)
        first = messages - count, most, piece[end:]
        # Without a call in between, nothing comes in between.
        pieces[0] = first
        self._base += count
        self._gone += end
        self._sealed -= end
        self._resized()

    def _resized(self) -> None:
        self._full_at = min(PIECE, self.limit - self._sealed + 1)


def size_of(piece: Piece) -> int:
    """Return the bytes of frames in a row, or of a large one."""
    return len(piece[0]) + len(piece[1]) if isinstance(piece, tuple) else len(piece)


def apart(batch: list[bytes]) -> list[tuple[int, bytes]]:
    """Return the frames of a batch in chunks, and how many are in each: large ones as they are, others joined."""
    parts: list[tuple[int, bytes]] = []
    for are_large, group in groupby(batch, _is_large):
        frames = [*group]
        parts += [(1, frame) for frame in frames] if are_large else [(len(frames), b"".join(frames))]
    return parts


def _is_large(frame: bytes) -> bool:
    return len(frame) >= PIECE


def _end_of(frames: bytes | bytearray, count: int) -> int:
    """Return where the first `count` of `frames` end."""
    position = 0
    for _ in range(count):
        position += HEADER_SIZE + length_at(frames, position)
    return position


def _largest(piece: Piece) -> int:
    """Return the size of the largest message in `piece`."""
    frames = piece[0] if isinstance(piece, tuple) else piece
    largest = position = 0
    while position < len(frames):
        length = length_at(frames, position)
        largest = max(largest, length)
        position += HEADER_SIZE + length
    return largest
