"""The other end, as a game sees it: a `Peer` that outlives the links it is reached over."""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from netcode.address import Address, check_address
from netcode.buffer import JOIN_BELOW
from netcode.codec import CAREFUL_FROM, Codec, PlainCodec
from netcode.engine import Act, Engine
from netcode.errors import MessageTooLarge, ProtocolError
from netcode.framing import HEADER, HEADER_SIZE
from netcode.limits import Limits
from netcode.link import Link
from netcode.mistakes import PEER, FirmHint, Hinted, hint
from netcode.reasons import Reason, ReasonCode, check_text, closed_here
from netcode.resend import Large, ResendQueue
from netcode.stream.stream import Stream

if TYPE_CHECKING:
    from netcode.events import Event

_header = HEADER.pack

SMALL = HEADER_SIZE + CAREFUL_FROM
"""Bytes of a frame up to which it is small: of so many there is room for a known number, and none has to be measured."""


ANOTHER_SESSION = "the two ends do not mean the same session: one has received more than the other has sent"

VAIN_LINKS = 4
"""Links in a row over which a message may fail to arrive, if they were up for `VAIN_TIMEOUTS` in total."""
VAIN_TIMEOUTS = 3
MOST_VAIN_LINKS = 30
"""Links in a row over which it may fail to arrive, however soon they broke."""

TRIED = 0.05
"""Seconds for which a link has to carry messages to count: one that was given up before it was heard has tried nothing."""


def moved(address: Address | tuple[str, int] | str | None, text: str) -> Reason:
    """Make the reason of who is sent to another server. Raises `TypeError` or `ValueError` for what is no address."""
    where = None if address is None else check_address(address, "address")
    text = text or (
        "another server has this; come back in a moment" if where is None else f"this game goes on at {where}"
    )
    return Reason(ReasonCode.MOVED, text, where=where)


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

    _engine: Engine

    def _do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way."""

    def _drop(self, peer: "Peer", reason: Reason) -> None:
        """End it with a peer that has no link."""

    def _kept(self) -> None:
        """Hear that a message was kept for a link that is still to come."""


class _PerMessage:
    """What is looked up for each message, side by side in memory: a base class's slots lie before its heirs' own."""

    __slots__ = (
        "_batch",
        "_bytes_received",
        "_engine",
        "_frame",
        "_look_at",
        "_received",
        "_resend",
        "_resumes",
        "_way",
    )


class Peer(_PerMessage, metaclass=Hinted):
    """The other end of a link: at the server a player, at a client the server.

    It stays the same while its link breaks and comes back. After `Left`, sending does nothing.
    """

    __slots__ = (
        "_away_reason",
        "_away_until",
        "_codec",
        "_farewell",
        "_former_secret",
        "_limits",
        "_link",
        "_link_number",
        "_max_queue",
        "_offered",
        "_owner",
        "_secret",
        "_stuck_at",
        "_theirs",
        "_told",
        "_tried_for",
        "_tried_from",
        "_vain",
        "_vain_for",
        "address",
        "data",
        "id",
        "reason",
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
        self._told: type[Event] | None = None  # the last that the game was told of it, messages apart
        self._away_reason: Reason | None = None
        self._away_until = 0.0
        self._offered = 0  # messages that links were given, as of the end of the last one
        self._link_number = 0
        self._received = 0
        self._bytes_received = 0
        self._owner: PeerOwner | None = owner  # None when it is over: neither keeps the other
        self._engine = owner._engine
        self._limits = limits
        self._codec = codec
        self._frame = codec.frame
        self._max_queue = limits.max_queue
        self._link: Link | None = None
        self._way: Stream | None = None  # that of the link, as long as it takes further messages
        self._batch: list[bytes] = []  # frames sent since the link last asked for them
        self._look_at = 0  # frames up to which small ones need no further look; 0 while there are none
        self._resend = ResendQueue(limits.max_resend)
        self._resumes = True
        self._secret = b""
        self._theirs = codec.sends.size  # until the other end has said what it takes
        self._former_secret = b""  # that of the program before the one that came back anew
        self._farewell: Reason | None = None  # what the other end was told when it was ended, and may not have heard
        self._stuck_at = -1  # messages that it had when it last came back, if it lacked others
        self._vain, self._vain_for = 0, 0.0  # links over which it got no further, and seconds for which they were up
        self._tried_from = 0.0  # when the present link began to carry messages
        self._tried_for = 0.0  # how long the last one did

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
        return 0.0 if self._link is None else self._link.now - self._link.stream.heard

    @property
    def queued(self) -> int:
        """How many messages wait here: while away for the return, else for the next update. After `Left`, none.

        What a link was given does not count, even if it broke and they may have to be sent again: see `stats` for
        the bytes that the network has not taken.
        """
        if self.reason is not None:
            return 0
        return len(self._batch) if self._link is not None else self._resend.sent - self._offered

    @property
    def stats(self) -> Stats:
        """What went over the links so far."""
        batched = sum(map(len, self._batch))
        queued, age, link = batched, 0.0, self._link
        if link is not None:
            queued += link.stream.waiting
            outgoing = link.stream.outgoing
            since = None if outgoing is None else outgoing.since()
            age = 0.0 if since is None else link.now - since
        sent, size = self._resend.sent + len(self._batch), self._resend.bytes_sent + batched
        return Stats(sent, self._received, size, self._bytes_received, queued, age)

    def send(self, message: Any) -> None:
        """Send `message`: it leaves with the next `update()`. What it was at the call is what arrives.

        It may be None, a bool, an int of 64 bits, a float, a str, bytes, a list or a dict, and nest; keys may be any of
        the first six. Tuples arrive as lists, those in keys as tuples; bytearrays and memoryviews as bytes. For
        anything else, the error says where in the message it is, and what to send instead.

        Away: it is kept, and sent when the peer is back. After `Left`: it is ignored. Never blocks.
        A signal handler may call it, also in the middle of an `update()`.

        Raises:
            TypeError, ValueError: the message has parts that msgpack cannot say, nests too deep, or has a dict of more
                than 64 keys that share a hash, which receivers refuse.
            MessageTooLarge: it is larger than this end may send. Where the other end takes less than that, the link
                ends with `TOO_LARGE` instead.
        """
        data = self._frame(message)
        if data is None:
            self._send_carefully(message)
        elif len(self._batch) < self._look_at:
            self._batch.append(data)
        else:
            self._look(data)

    def discard_queued(self) -> int:
        """Withdraw the messages that are `queued`: the other end will never see them.

        For what is of no use to somebody who was away, such as moves of a game that went on. What a link was given
        before stays, since it may have arrived.

        Returns:
            How many messages were withdrawn.
        """
        count = self.queued
        if self._link is not None:
            self._batch.clear()
            self._look_at = 0
        elif count:
            self._resend.withdraw(self._offered)
        return count

    def close(self) -> None:
        """End it at once. What is queued may be lost; the other end is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        if self._owner is not None:
            self._owner._do(partial(self._leave, None))

    def close_nicely(self, text: str = "") -> None:
        """End it after everything queued was sent; the other end reads `text` as its reason.

        `Left` comes once that is done, `close_timeout` seconds later at the most. The first text wins.
        In the middle of an `update()`, as from a signal handler, it begins at the end of that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text)
        if self._owner is not None:
            self._owner._do(partial(self._leave, text))

    def move(self, address: Address | tuple[str, int] | str | None = None, text: str = "") -> None:
        """Send a player to another server of the game, after everything queued was sent.

        The player reads `MOVED` with `address` as its `reason.where`, and its session here is over; whether it goes
        there is up to its game. Everything else is as with `close_nicely`.

        Args:
            address: an `Address`, `(host, port)` or `"host:port"`; None for any server of the game that it knows.
            text: what is shown to somebody who does not go there.

        Raises:
            TypeError, ValueError: `address` is none that can be told, or `text` is no str.
        """
        check_text(text)
        if self._owner is not None:
            self._owner._do(partial(self._leave, text, moved(address, text)))

    # For the owner and the link.

    def _leave(self, text: str | None, reason: Reason | None = None) -> None:
        """End it: nicely, or at once without a text."""
        link, engine = self._link, self._engine
        reason = reason or Reason(ReasonCode.GOODBYE, text or "the other end left")
        if link is None:
            if self._owner is not None:
                self._farewell = reason
                self._owner._drop(self, closed_here(text or ""))
            return
        engine.stepping = link.stream
        if text is None:
            link.cut()
        else:
            link.say_goodbye(reason)
        engine.stepping = None

    def _post(self, data: bytes) -> None:
        """Send the frame of a message, now or when the peer is back."""
        if len(data) <= SMALL and len(self._batch) < self._look_at:
            self._batch.append(data)
        else:
            self._look(data)

    def _collect(self) -> bytes:
        """Take what was sent since the last time, as one chunk. The batch is not empty."""
        batch, resend = self._batch, self._resend
        self._look_at = 0  # what a signal handler sends from here on comes behind it
        count = len(batch)
        data = batch[0] if count == 1 else b"".join(batch)
        if not self._resumes:
            resend.count(count, len(data), batch)
        elif resend.append(count, data, batch):
            resend.trim()
        return data

    def _look(self, data: bytes) -> None:
        """Send a frame that may be the first of a batch, or one too many."""
        stream, batch = self._way, self._batch
        if stream is None or self._engine.busy:
            self._say_later(data)
            return
        if not batch and stream.outgoing is None and len(data) <= SMALL:
            plenty = self._max_queue // SMALL  # the usual way
        else:
            plenty = self._measure(data, stream)
            if not plenty:
                return
        # In this order: whatever comes in between, what is in the batch will be asked for.
        if not stream.announced:
            stream.announce()
        batch.append(data)
        self._look_at = plenty

    def _measure(self, data: bytes, stream: Stream) -> int:
        """Return up to how many frames `data` and small ones behind it need no further look; 0 if it ends the link.

        They have room, or the next update judges how many there are.
        """
        link, owner = self._link, self._owner
        assert link is not None  # whose connection it is
        assert owner is not None
        if len(data) - HEADER_SIZE > self._theirs:
            owner._do(partial(link.too_large, len(data) - HEADER_SIZE))
            return 0
        if not link.overfull:
            room = self._max_queue - stream.waiting - sum(map(len, self._batch)) - len(data)
            if room >= 0:
                return len(self._batch) + 1 + room // SMALL
            owner._do(link.overflow)  # it changes the table of deadlines
        return len(self._batch) + 1 + self._max_queue // SMALL

    def _say_later(self, frame: bytes | Large) -> None:
        """Send a frame for which there is no usual way, as soon as nothing is under way."""
        self._look_at = 0  # nothing may overtake it
        if self._owner is not None:
            self._owner._do(partial(self._say, [frame]))

    def _say(self, frames: list[bytes | Large]) -> None:
        """Send frames for which there was no usual way."""
        while frames:
            frame = frames.pop(0)
            stream = self._way
            if stream is None:
                self._keep(frame)
            else:
                self._engine.stepping = stream
                self._hand_over()
                self._queue(frame, stream)
                self._engine.stepping = None

    def _queue(self, frame: bytes | Large, stream: Stream) -> None:
        """Have the connection send a frame, behind everything before it."""
        chunks = frame if isinstance(frame, tuple) else (frame,)
        size = sum(map(len, chunks)) - HEADER_SIZE
        if size > self._theirs:
            assert self._link is not None  # whose connection it is
            self._link.too_large(size)
            return
        resend = self._resend
        if not self._resumes:
            resend.count(1, sum(map(len, chunks)))
        elif resend.append_large(frame) if isinstance(frame, tuple) else resend.append(1, frame):
            resend.trim()
        for chunk in chunks:
            stream.send(chunk)
        if stream.waiting > self._max_queue:
            assert self._link is not None  # whose connection it is
            self._link.overflow()

    def _hand_over(self) -> None:
        """Queue what was sent since the last time at the connection."""
        if self._batch and self._link is not None:
            self._link.stream.send(self._collect())

    def _send_carefully(self, message: Any) -> None:
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
            raise MessageTooLarge(size, most, self._limits.max_message)
        if isinstance(frame, tuple):
            self._say_later(frame)
        else:
            self._look(frame)

    def _keep(self, chunk: bytes | Large) -> None:
        """Keep a message for a link that is still to come."""
        if self._owner is None or self._link is not None:
            return  # it is over, or about to be
        self._owner._kept()
        if self._batch:
            self._collect()  # what came when the link was about to go
        resend = self._resend
        if resend.append_large(chunk) if isinstance(chunk, tuple) else resend.append(1, chunk):
            most = self._limits.max_resend
            text = f"more than max_resend = {most} bytes were sent to {self.address} while there was no link to it"
            self._farewell = Reason(ReasonCode.RESUME_LOST, text)
            self._owner._drop(self, self._farewell)

    def _take_limit(self, max_message: int) -> None:
        """Hear the largest message that the other end takes."""
        if max_message != self._theirs:  # else all peers share one number
            self._theirs = max_message

    def _missing(self, received: int) -> list[bytes]:
        """Return what the other end lacks, which has said that it has `received` messages.

        Raises:
            ProtocolError: it cannot have so many, what it lacks is no longer kept, a part of that is larger than it takes,
                or it never arrives.
        """
        if received > self._resend.sent:
            raise ProtocolError(ReasonCode.RESUME_LOST, ANOTHER_SESSION)
        missing = self._resend.since(received)
        if missing is None:
            text = "the link came back too late: messages sent meanwhile are no longer kept (max_resend)"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        largest = self._resend.largest()
        if largest > self._theirs:
            sent = f"a message of {largest} bytes, sent while there was no link"
            text = f"{sent}, is over the {self._theirs} that the other end takes; raise max_message"
            raise ProtocolError(ReasonCode.TOO_LARGE, text)
        self._note_return(received if missing else -1)
        return missing

    def _note_return(self, stuck_at: int) -> None:
        """Hear at which message the other end is stuck, or -1. Raises `ProtocolError` if that will not change."""
        if stuck_at < 0 or stuck_at != self._stuck_at:
            self._stuck_at, self._vain, self._vain_for = stuck_at, 0, 0.0
        if stuck_at >= 0 and self._tried_for >= TRIED:
            self._vain += 1
            self._vain_for += self._tried_for
        long = self._vain >= VAIN_LINKS and self._vain_for >= VAIN_TIMEOUTS * self._limits.timeout
        if long or self._vain >= MOST_VAIN_LINKS:
            text = (
                f"over {self._vain} links in a row one message never arrived: its packets are lost; is an MTU on the way too "
                "large, as of a VPN? Smaller messages may pass"
            )
            raise ProtocolError(ReasonCode.STALLED, text)

    def _carry_on(self, link: Link, missing: list[bytes]) -> None:
        """Use `link` from now on, and send what is `missing` over it."""
        link.accept(self)
        link.stream.source = self
        self._link = link
        self._way = link.stream
        self._farewell = None
        self._tried_from = link.now
        # What is sent again was within its bound before, and leaves the game as much room as a new link does.
        self._max_queue = self._limits.max_queue
        if missing:
            self._max_queue += sum(map(len, missing))
        for chunk in missing:
            link.stream.send(chunk)
        if not self._resumes:
            self._resend.forget()

    def _has_spoken(self) -> bool:
        """Tell whether anything came since our greeting: then that has arrived, for nothing may come before it."""
        return self._bytes_received > 0 or (
            self._link is not None and self._link.rest is not None and len(self._link.rest) > 0
        )

    def _close_batch(self, link: Link) -> None:
        """Hear that no further messages go over `link`; those sent before are on their way, or kept."""
        if link is self._link:
            self._hand_over()
            self._way = None

    def _let_go(self) -> None:
        """Have no link until `carry_on` brings another one."""
        self._hand_over()
        self._way = None
        if self._link is not None:
            self._link.stream.source = None
            self._offered = self._resend.sent
            self._tried_for = self._link.now - self._tried_from
        self._link = None

    def _end(self, reason: Reason) -> None:
        """It is over: keep nothing for a return."""
        self.reason = reason
        self._owner = None
        self._secret = self._former_secret = b""
        self._resend.forget()

    def _acknowledge(self, received: int) -> None:
        """Hear how many messages the other end has. Raises `ProtocolError` if it cannot have so many."""
        if not self._resend.acknowledge(received):
            raise ProtocolError(ReasonCode.MALFORMED, "more messages were acknowledged than were sent")


hint(Peer, PEER, FirmHint)
