"""Frames for the other end, bounded: gathered for the link there is, or kept for the next one."""

from functools import partial
from typing import Any, Protocol

from netcode.errors import MessageTooLarge
from netcode.limits import Limits
from netcode.loop.engine import Act, Engine
from netcode.session.resend import PIECE, Large, ResendQueue, apart, size_of
from netcode.stream.buffer import JOIN_BELOW
from netcode.stream.stream import Stream
from netcode.wire.codec import CAREFUL_FROM, Codec, PlainCodec
from netcode.wire.framing import HEADER, HEADER_SIZE

_header = HEADER.pack

SMALL = HEADER_SIZE + CAREFUL_FROM
"""Bytes of a frame up to which it is small: of so many there is room for a known number, and none has to be measured."""


class Judge(Protocol):
    """Who ends a link over which too much was sent."""

    @property
    def overfull(self) -> bool:
        """Whether that was heard, and not judged yet."""
        ...

    def overflow(self) -> None:
        """Hear that more waits to be sent than may."""

    def too_large(self, size: int) -> None:
        """Hear that a message is to be sent which the other end does not take."""


class OutboxOwner(Protocol):
    """Whose messages they are."""

    engine: Engine
    limits: Limits

    def do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way; not at all if it is over."""

    def keeps(self) -> bool:
        """Tell whether a message is to be kept for a link that is still to come."""
        ...

    def lost(self) -> None:
        """Hear that more would have to be kept than may."""


class Outbox:
    """What was sent, until the other end is known to have it. It is the source of the stream that it goes over."""

    __slots__ = (
        "_codec", "_counted", "_engine", "_owner", "_plenty", "_size", "batch", "judge", "look_at", "most", "resend", "resumes",
        "stream", "theirs",
    )  # fmt: skip

    def __init__(self, owner: OutboxOwner, codec: Codec) -> None:
        limits = owner.limits
        self._owner = owner
        self._engine = owner.engine
        self._codec = codec
        self.stream: Stream | None = None
        """That of the link, as long as it takes further messages."""
        self.judge: Judge | None = None
        """The link; None while there is none."""
        self.batch: list[bytes] = []
        """Frames sent since the stream last asked for them."""
        self._counted = self._size = 0  # of those: how many were measured, and their bytes
        self.look_at = 0
        """Frames in the batch up to which small ones need no further look; 0 while there are none."""
        self.most = limits.max_queue
        """Bytes that may wait to be sent over the present link."""
        self._plenty = self.most // SMALL  # small frames for which there is room in any case
        self.resend = ResendQueue(limits.max_resend)
        self.resumes = True
        """Whether what was sent may be needed again."""
        self.theirs = codec.sends.size
        """The largest message that the other end takes; until it has said so, what this end may send."""

    # For those who send.

    def post(self, data: bytes) -> None:
        """Send the frame of a message, now or when there is a link again."""
        small = len(data) <= SMALL
        if small and len(self.batch) < self.look_at:
            self.batch.append(data)
        else:
            self.look(data, small=small)

    def look(self, data: bytes, *, small: bool = True) -> None:
        """Send a frame that may be the first of a batch, or one too many."""
        stream, batch = self.stream, self.batch
        if stream is None or self._engine.busy:
            self._say_later(data)
            return
        plenty = self._plenty
        if batch or stream.outgoing is not None or not small:
            plenty = self._measure(data, stream)
            if not plenty:
                return
        if not batch:  # in this order: whatever comes in between, what is in the batch will be asked for
            stream.host.output(stream)
            self._counted = self._size = 0
        batch.append(data)
        self.look_at = plenty

    def send_carefully(self, message: Any) -> None:
        """Send what is large, or not plain, or cannot be sent."""
        most = self._codec.sends.size
        if type(message) is bytes and len(message) >= JOIN_BELOW and isinstance(self._codec, PlainCodec):
            head = b"\xc6" + _header(len(message))  # msgpack's bin 32; bytes cannot change, and need no copy
            size = len(head) + len(message)
            frame: bytes | Large = (_header(size) + head, message)
        else:
            payload = self._codec.encode(message)
            size = len(payload)
            frame = _header(size) + payload
        if size > most:
            raise MessageTooLarge(size, most, self._owner.limits.max_message)
        if isinstance(frame, tuple):
            self._say_later(frame)
        else:
            self.look(frame, small=False)

    # For the session.

    def collect(self) -> bytes:
        """Take what was sent since the last time, as one chunk. The batch is not empty."""
        batch = self.batch
        self.look_at = 0  # what a signal handler sends from here on comes behind it
        if self.resumes:
            return self.resend.take(batch)
        data = b"".join(batch)
        self.resend.count(len(batch), len(data), batch)
        return data

    def collect_apart(self) -> list[bytes]:
        """Take the same in chunks: for who queues it, and has no use for a copy of what others were sent, too."""
        batch, engine = self.batch, self._engine
        if sum(map(len, batch)) < PIECE:
            return [self.collect()]
        self.look_at = 0
        last, parts = engine.apart
        if batch != last:  # else others were sent the same, for whom it is looked at in the same moment
            parts = apart(batch)
            engine.apart = [*batch], parts
        if self.resumes:
            return self.resend.take_apart(batch, parts)
        chunks = [chunk for _, chunk in parts]
        self.resend.count(len(batch), sum(map(len, chunks)), batch)
        return chunks

    def clear(self) -> None:
        """Withdraw what was not collected."""
        self.batch.clear()
        self.look_at = 0

    def open(self, stream: Stream, judge: Judge, missing: list[bytes]) -> None:
        """Send over `stream` from now on, and first what is `missing`."""
        stream.source = self
        self.stream, self.judge = stream, judge
        # What is sent again was within its bound before, and leaves the game as much room as a new link does.
        self.most = self._owner.limits.max_queue
        if missing:
            self.most += sum(map(len, missing))
        self._plenty = self.most // SMALL
        for chunk in missing:
            stream.send(chunk)
        if not self.resumes:
            self.resend.forget()

    def close(self, stream: Stream) -> None:
        """Send nothing more over `stream`, the present one; what was sent before is on its way, or kept."""
        self._hand_over(stream)
        self.stream = None

    # Inside.

    def _measure(self, data: bytes, stream: Stream) -> int:
        """Return up to how many frames `data` and small ones behind it need no further look; 0 if it ends the link.

        They have room, or the next update judges how many there are.
        """
        judge = self.judge
        assert judge is not None  # whose stream it is
        if len(data) - HEADER_SIZE > self.theirs:
            self._owner.do(partial(judge.too_large, len(data) - HEADER_SIZE))
            return 0
        if not judge.overfull:
            room = self.most - stream.waiting - self._measure_batch() - len(data)
            if room >= 0:
                return len(self.batch) + 1 + room // SMALL
            self._owner.do(judge.overflow)  # it changes the table of deadlines
        return len(self.batch) + 1 + self._plenty

    def _measure_batch(self) -> int:
        """Return the bytes in the batch, of which none is looked at twice: a game may send much in one frame."""
        batch = self.batch
        if not self.look_at:  # it is another one, or about to be
            self._counted = self._size = 0
        count = len(batch)
        size = self._size + sum(map(len, batch[self._counted : count]))
        # Without a call in between, nothing comes in between.
        self._counted, self._size = count, size
        return size

    def _say_later(self, frame: bytes | Large) -> None:
        """Send a frame for which there is no usual way, as soon as nothing is under way."""
        self.look_at = 0  # nothing may overtake it
        self._owner.do(partial(self._say, [frame]))

    def _say(self, frames: list[bytes | Large]) -> None:
        """Send frames for which there was no usual way."""
        while frames:
            frame = frames.pop(0)
            stream = self.stream
            if stream is None:
                self._keep(frame)
            else:
                self._engine.stepping = stream
                self._hand_over(stream)
                self._queue(frame, stream)
                self._engine.stepping = None

    def _hand_over(self, stream: Stream) -> None:
        """Have the stream send what is in the batch."""
        for chunk in self.collect_apart() if self.batch else ():
            stream.send(chunk)

    def _queue(self, frame: bytes | Large, stream: Stream) -> None:
        """Have the stream send a frame, behind everything before it."""
        size = size_of(frame) - HEADER_SIZE
        assert self.judge is not None  # whose stream it is
        if size > self.theirs:
            self.judge.too_large(size)
            return
        if self.resumes:
            self._take(frame)
        else:
            self.resend.count(1, size + HEADER_SIZE)
        for chunk in frame if isinstance(frame, tuple) else (frame,):
            stream.send(chunk)
        if stream.waiting > self.most:
            self.judge.overflow()

    def _keep(self, chunk: bytes | Large) -> None:
        """Keep a message for a link that is still to come."""
        if not self._owner.keeps():
            return  # it is over, or about to be
        if self.batch:
            self.collect()  # what came when the link was about to go
        is_too_much = self.resend.size + size_of(chunk) > self.resend.limit
        self._take(chunk)
        if is_too_much:
            self._owner.lost()

    def _take(self, frame: bytes | Large) -> None:
        if isinstance(frame, tuple):
            self.resend.take_large(frame)
        else:
            self.resend.take([frame])
