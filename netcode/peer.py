"""The other end, as a game sees it: a `Peer` that outlives the links it is reached over."""

from typing import Any, NamedTuple, Protocol

from netcode.address import Address
from netcode.buffer import JOIN_BELOW
from netcode.codec import CAREFUL_FROM, PLAIN, Codec, is_simple
from netcode.errors import MessageTooLarge, ProtocolError
from netcode.framing import HEADER
from netcode.limits import Limits
from netcode.link import Link
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.resend import Chunk, ResendQueue

_header = HEADER.pack


class Stats(NamedTuple):
    """What went over the links of a peer so far."""

    messages_sent: int
    messages_received: int
    bytes_sent: int
    """Bytes of the messages sent, with their headers, without control messages."""
    bytes_received: int
    """Bytes received, with headers and control messages."""
    queued: int
    """Bytes that wait to be taken by the network."""
    queued_for: float
    """Seconds for which the oldest of them has been waiting."""


class PeerOwner(Protocol):
    """The client or server that a peer belongs to."""

    def drop(self, peer: "Peer", reason: Reason) -> None:
        """End it with a peer that has no link."""


class Peer:
    """The other end of a link: at the server a player, at a client the server.

    It stays the same while its link breaks and comes back. After `Left`, sending does nothing.
    """

    __slots__ = (
        "_batch",
        "_batched",
        "_closed",
        "_encode",
        "_largest",
        "_limits",
        "_link",
        "_max_queue",
        "_owner",
        "_pack",
        "_resend",
        "_resumes",
        "_room",
        "_secret",
        "_theirs",
        "address",
        "away_reason",
        "away_until",
        "bytes_received",
        "bytes_sent",
        "data",
        "id",
        "reason",
        "received",
    )

    def __init__(self, owner: PeerOwner, peer_id: int, address: Address, limits: Limits, codec: Codec) -> None:
        self.id = peer_id
        """At the server: a number from 1 up, never used again. At a client: the number it has at the server."""
        self.address = address
        """Where the peer is, or was when its link broke."""
        self.data: Any = None
        """Yours; netcode does not look at it."""
        self.reason: Reason | None = None
        """Why it is over; None while it is not."""
        self.away_reason: Reason | None = None
        self.away_until = 0.0
        self.received = 0
        self.bytes_received = 0
        self.bytes_sent = 0
        self._owner = owner
        self._limits = limits
        self._pack, self._encode = codec.pack, codec.encode
        self._max_queue = limits.max_queue
        self._link: Link | None = None
        self._batch: list[bytes] = []  # frames sent since the link last asked for them
        self._batched = 0  # bytes of them
        self._room = 0  # bytes of them that the link takes
        self._closed = False  # the link takes no further messages
        self._resend = ResendQueue(limits.max_resend)
        self._resumes = True
        self._secret = b""
        self._theirs = self._largest = limits.max_message

    def __repr__(self) -> str:
        return f"<Peer {self.id} at {self.address}>"

    @property
    def alive(self) -> bool:
        """Whether `Left` is still to come."""
        return self.reason is None

    @property
    def away(self) -> bool:
        """Whether there is no link at present."""
        return self.reason is None and self._link is None

    @property
    def rtt(self) -> float | None:
        """The round-trip time in seconds, smoothed (RFC 6298); None until measured on the present link."""
        return None if self._link is None else self._link.meter.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds, smoothed (RFC 6298); None until measured."""
        return None if self._link is None else self._link.meter.jitter

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the peer, as of the last update; 0.0 without a link."""
        return 0.0 if self._link is None else self._link.now - self._link.connection._heard

    @property
    def stats(self) -> Stats:
        """What went over the links so far."""
        queued, age, link = self._batched, 0.0, self._link
        if link is not None and (outgoing := link.connection._outgoing) is not None:
            since = outgoing.since()
            queued += outgoing.size
            age = 0.0 if since is None else link.now - since
        sent, size = self._resend.sent + len(self._batch), self.bytes_sent + self._batched
        return Stats(sent, self.received, size, self.bytes_received, queued, age)

    def send(self, message: Any) -> None:
        """Send `message`: it leaves with the next `update()`. What it was at the call is what arrives.

        Away: it is kept, and sent when the peer is back. After `Left`: it is ignored. Never blocks.

        Raises:
            TypeError, ValueError: the message has parts that msgpack cannot say, or nests too deep.
            MessageTooLarge: one of the two ends does not take it.
        """
        if type(message) is bytes and len(message) >= JOIN_BELOW and self._encode == PLAIN.encode:
            self._send_large(message)
            return
        # Written out instead of called, down to the queue: this runs once per message.
        try:
            payload = self._pack(message)
        except Exception:  # noqa: BLE001 - whatever it was, the next line says why not
            payload = self._encode(message)
        size = len(payload)
        if size > CAREFUL_FROM or not is_simple(payload):
            payload = self._encode(message)
        if size > self._largest:
            raise MessageTooLarge(size, self._limits.max_message, self._theirs)
        data = _header(size) + payload
        batch = self._batch
        if not batch:
            if self._link is None or self._closed:
                self._keep(1, data)
                return
            self._begin_batch(self._link)
        batch.append(data)
        self._batched = waiting = self._batched + len(data)
        if waiting > self._room and self._link is not None:
            self._link.overflow()

    def close(self) -> None:
        """End it at once. What is queued may be lost; the other end is told if one `send` can still do that."""
        if self._link is not None:
            self._link.cut()
        elif self.reason is None:
            self._owner.drop(self, closed_here())

    def close_nicely(self, text: str = "") -> None:
        """End it after everything queued was sent; the other end reads `text` as its reason.

        `Left` comes once that is done, `close_timeout` seconds later at the most. The first text wins.
        """
        if self._link is not None:
            self._link.say_goodbye(Reason(ReasonCode.GOODBYE, text or "the other end left"))
        elif self.reason is None:
            self._owner.drop(self, closed_here(text))

    # For the owner and the link.

    def post(self, data: bytes) -> None:
        """Send the frame of a message, now or when the peer is back."""
        if self._link is None or self._closed:
            self._keep(1, data)
            return
        if not self._batch:
            self._begin_batch(self._link)
        self._batch.append(data)
        self._batched += len(data)
        if self._batched > self._room:
            self._link.overflow()

    def collect(self) -> None:
        """Hand what was sent since the last time to the link, as one chunk."""
        batch, link = self._batch, self._link
        if batch and link is not None:
            data = batch[0] if len(batch) == 1 else b"".join(batch)
            self._count(len(batch), data)
            batch.clear()
            self._batched = 0
            link.connection._queue(data)

    def _begin_batch(self, link: Link) -> None:
        """Make the link ask for what is about to be sent, and see how much it takes."""
        connection = link.connection
        connection._announce_output()
        self._room = self._max_queue - connection.send_buffer_length

    def _send_large(self, message: bytes) -> None:
        """Send bytes that cannot change, without copying them."""
        head = b"\xc6" + _header(len(message))  # msgpack's bin 32
        size = len(head) + len(message)
        if size > self._largest:
            raise MessageTooLarge(size, self._limits.max_message, self._theirs)
        chunks = _header(size) + head, message
        link = self._link
        if link is None or self._closed:
            self._keep(1, chunks)
            return
        self.collect()
        self._count(1, chunks)
        for chunk in chunks:
            link.connection._queue(chunk)
        if link.connection.send_buffer_length > self._max_queue:
            link.overflow()

    def _count(self, count: int, chunk: Chunk) -> None:
        """Account for messages that are sent now."""
        self.bytes_sent += len(chunk) if isinstance(chunk, bytes) else len(chunk[0]) + len(chunk[1])
        if self._resumes:
            self._resend.append(count, chunk)
            self._resend.trim()
        else:
            self._resend.count(count)

    def _keep(self, count: int, chunk: Chunk) -> None:
        """Keep messages for a link that is still to come."""
        if self.reason is not None or self._link is not None:
            return  # it is over, or about to be
        self.bytes_sent += len(chunk) if isinstance(chunk, bytes) else len(chunk[0]) + len(chunk[1])
        self._resend.append(count, chunk)
        if self._resend.size > self._resend.limit:
            most = self._limits.max_resend
            text = f"more than max_resend = {most} bytes were sent to {self.address} while there was no link to it"
            self._owner.drop(self, Reason(ReasonCode.RESUME_LOST, text))

    def take_limit(self, max_message: int) -> None:
        """Hear the largest message that the other end takes."""
        self._theirs = max_message
        self._largest = min(self._limits.max_message, max_message)

    def missing(self, received: int) -> list[bytes]:
        """Return what the other end lacks, which has said that it has `received` messages.

        Raises:
            ProtocolError: what it lacks is no longer kept, or does not fit through its `max_message`.
        """
        missing = self._resend.since(received)
        if missing is None:
            text = "the link came back too late: messages sent meanwhile are no longer kept (max_resend)"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        if self._resend.largest() > self._theirs:
            text = (
                f"a message is larger than the other end's max_message = {self._theirs}, known only after it was sent"
            )
            raise ProtocolError(ReasonCode.TOO_LARGE, text)
        return missing

    def carry_on(self, link: Link, missing: list[bytes]) -> None:
        """Use `link` from now on, and send what is `missing` over it."""
        link.accept(self)
        self._link = link
        self._closed = False
        # What is sent again was within its bound before, and leaves the game as much room as a new link does.
        self._max_queue = self._limits.max_queue + sum(map(len, missing))
        for chunk in missing:
            link.connection._queue(chunk)
        if not self._resumes:
            self._resend.forget()

    def close_batch(self, link: Link) -> None:
        """Hear that no further messages go over `link`; those sent before are on their way, or kept."""
        if link is self._link:
            self.collect()
            self._closed = True

    def let_go(self) -> None:
        """Have no link until `carry_on` brings another one."""
        self.collect()
        self._closed = True
        self._link = None

    def end(self, reason: Reason) -> None:
        """It is over: keep nothing for a return."""
        self.reason = reason
        self._secret = b""
        self._resend.forget()

    def acknowledge(self, received: int) -> None:
        """Hear how many messages the other end has. Raises `ProtocolError` if it cannot have so many."""
        if self._resumes and not self._resend.acknowledge(received):
            raise ProtocolError(ReasonCode.MALFORMED, "more messages were acknowledged than were sent")
