"""WebSocket over what carries bytes: TCP, TLS, or the network in memory.

What was offered below and not taken is offered again as it was, and not in less: TLS has made a record of it by then.
So a header that was offered once is the one of the next message, and a control message that was is not replaced.
"""

from typing import Protocol

from netcode.address import Address
from netcode.reasons import Explained, ReasonCode, without_traceback
from netcode.transport import Heard, Transport, abandon, in_pieces
from netcode.wire.websocket import CLOSE, HEADERS, LARGEST, PART, PING, PONG, FrameReader, control, header

_PING = control(PING)

_JOINED = 16_384
"""Bytes up to which one copy is cheaper than handing over two pieces; as many as a record of TLS has, or more."""


_PIECE = 16_384
"""Bytes that are received at once, but for the rest of a message that has begun, and twice as many over TLS: of the
smallest messages there are 2,300 in it, which take a millisecond."""

_SHARE = _PIECE // PART
"""Bytes that are received at once from who sends many messages in few bytes, but for the rest of one that has begun: a
third of a millisecond's work at most, for fifty of them take turns in an update."""


class Carrier(Transport, Protocol):
    """What carries a WebSocket."""

    def be_readable(self) -> None:
        """Have pollers tell of it, because there is something to be said that the kernel does not know.

        Nothing more is received from it after that.
        """
        ...


class WebSocketTransport(FrameReader):
    """The server's end of a WebSocket.

    Args:
        below: what carries it, from behind the handshake on.
        address: the other end, as far as it is known.
        early: what came along with the handshake.
    """

    __slots__ = (
        "_below",
        "_control",
        "_early",
        "_free",
        "_has_said_close",
        "_piece",
        "_rest",
        "_send_failure",
        "_unsent",
        "_usual",
        "address",
    )

    drains = False

    def __init__(self, below: Carrier, address: Address | None, early: bytes = b"") -> None:
        super().__init__()
        self._below = below
        self.address = address
        self._early = early
        self._piece = _PIECE + below.grain  # TLS receives no further record where one has no room
        self._usual = not early  # all that comes is received, and from below
        self._free = True  # nothing waits to be sent before the next message
        self._unsent = b""  # of what was offered: control messages, and the header of the next message
        self._rest = 0  # bytes of that message, which have to be sent before anything else
        self._control = b""  # what has to be said between two messages; the newest alone
        self._has_said_close = False
        self._send_failure: OSError | None = None

    # Asked for now and then, of thousands: what is below has all of it.

    @property
    def read_fd(self) -> int:
        return self._below.read_fd

    @property
    def write_fd(self) -> int:
        return self._below.write_fd

    @property
    def lingers(self) -> bool:
        return self._below.lingers

    @property
    def grain(self) -> int:
        return max(self._below.grain, len(self._early))

    def receive_into(self, buffer: memoryview) -> int:
        """Receive once, and return the number of bytes that were carried.

        Raises:
            Heard: something came that carries none.
        """
        if self._usual:
            count = self._below.receive_into(buffer[: max(self._piece, self._left)])
        else:
            count = self._receive_otherwise(buffer)
        taken = self.take(buffer, count)
        return taken if taken and self.calm else self._tell(taken, count)

    def send(self, data: bytes | memoryview) -> int:
        size = len(data)
        if not self._free or size > _JOINED:
            return self._send_parts(data, size)
        head = HEADERS[size] if size < 126 else header(size)
        try:
            sent = self._below.send(head + data) - len(head)
        except BlockingIOError:
            sent = -len(head)
        return size if sent == size else self._sent_in_part(head, size, sent)

    def send_chunks(self, chunks: list[bytes | memoryview]) -> int:
        total = 0
        for chunk in in_pieces(chunks):
            try:
                count = self._send_parts(chunk, len(chunk))
            except OSError as error:
                if not total:
                    raise
                self._keep(error)
                break
            total += count
            if count < len(chunk):
                break
        return total

    def probe(self) -> None:
        if not self._control and not self._has_said_close:
            self._control = _PING
            self._free = False

    def finish(self) -> None:
        self._say_close()
        self._below.finish()

    def close(self) -> None:
        self._say_close()
        self._below.close()

    def abandon(self) -> None:
        """Give back this process's copies of descriptors, without a word."""
        abandon(self._below)

    def _receive_otherwise(self, buffer: memoryview) -> int:
        """Receive what came early, nothing any more, or a small part."""
        if self._early:
            count = len(self._early)
            buffer[:count] = self._early
            self._early, self._usual = b"", True
            return count
        if self.closed or self.failure:
            return 0
        return self._below.receive_into(buffer[: max(_SHARE, self.grain, self._left)])

    def _tell(self, taken: int, count: int) -> int:
        """Answer a ping, and tell of the end, or of what carries no bytes; what came behind bytes is told by the next call."""
        if self.ping is not None:
            self._say(control(PONG, self.ping))
            self.ping = None
        is_over = self.closed or bool(self.failure)
        self._usual = not (is_over or self.dense)
        if taken:
            if is_over:
                self._below.be_readable()
        elif self.failure:
            raise Explained(ReasonCode.MALFORMED, f"broke the rules of WebSocket: {self.failure}")
        elif count and not is_over:
            raise Heard
        return taken

    def _sent_in_part(self, head: bytes, size: int, sent: int) -> int:
        """Note what of a message has to be sent before anything else; `sent` is below 0 if that begins with its header."""
        self._free = False
        self._rest = size - max(sent, 0)
        if sent <= 0:
            self._unsent = head[len(head) + sent :]
            raise BlockingIOError
        return sent

    def _send_parts(self, data: bytes | memoryview, size: int) -> int:
        """Send what waits, and `data` behind it in messages of a bounded size."""
        if self._send_failure is not None:
            failure, self._send_failure = self._send_failure, None
            raise failure
        view, taken, self._free = memoryview(data), 0, False
        while taken < size:
            if not self._rest:
                self._rest = min(LARGEST, size - taken)
                self._unsent += self._control + header(self._rest)
                self._control = b""
            before, piece = self._unsent, view[taken : taken + self._rest]
            try:
                sent = self._offer(before, piece)
            except OSError as error:
                if not taken:
                    raise
                self._keep(error)
                break
            carried = max(sent - len(before), 0)
            self._unsent = before[sent:]
            self._rest -= carried
            taken += carried
            if carried < len(piece):
                break
        self._note_whether_free()
        if not taken:
            raise BlockingIOError
        return taken

    def _offer(self, before: bytes, piece: memoryview) -> int:
        """Offer both, and in one piece what may be one record of TLS."""
        if not before:
            return self._below.send(piece)
        room = _JOINED - len(before)
        first = before + piece[:room]
        return self._below.send_chunks([first, piece[room:]] if len(piece) > room else [first])

    def _keep(self, error: OSError) -> None:
        """Have the next call tell why this one could not do more: the kernel tells it but once."""
        if not isinstance(error, BlockingIOError):
            self._send_failure, self._free = without_traceback(error), False

    def _say_close(self) -> None:
        self._say(control(CLOSE, self.farewell))
        self._has_said_close = True

    def _say(self, message: bytes) -> None:
        """Say something between two messages, now if possible."""
        if self._has_said_close:
            return
        self._control, self._free = message, False
        try:
            while not self._rest and (self._unsent or self._control):
                if not self._unsent:
                    self._unsent, self._control = self._control, b""
                self._unsent = self._unsent[self._below.send(self._unsent) :]
        except OSError as error:
            self._keep(error)
        self._note_whether_free()

    def _note_whether_free(self) -> None:
        self._free = not (self._unsent or self._rest or self._control or self._send_failure)
