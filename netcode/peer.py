"""The other end, as a game sees it: a `Peer` that outlives the links it is reached over."""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple, NoReturn, Self

from netcode.address import Address
from netcode.admission import moved
from netcode.diagnostics.calls import explain_close
from netcode.diagnostics.mistakes import FirmHint, Hinted, hint
from netcode.diagnostics.vocabulary import PEER
from netcode.reasons import HOW_LONG, Reason, check_text
from netcode.session.session import Session
from netcode.wire.codec import Codec


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


class Peer(metaclass=Hinted):
    """The other end of a link: at the server a player, at a client the server.

    It stays the same while its link breaks and comes back. After `Left`, sending does nothing.
    """

    __slots__ = ("_frame", "_outbox", "_session", "data")

    def __init__(self, session: Session, codec: Codec) -> None:
        self.data: Any = None
        """Yours; netcode does not look at it."""
        self._session = session
        self._outbox = session.outbox
        self._frame = codec.frame
        session.peer = self

    def __copy__(self) -> Self:
        """Return itself: there is one of each, also in a copy of the world that names it."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself, likewise."""
        return self

    def __reduce__(self) -> NoReturn:
        """Be not pickled."""
        raise TypeError("a Peer cannot be pickled: keep peer.id, and look it up among server.peers")

    def __repr__(self) -> str:
        return f"<Peer {self.id} at {self.address}>"

    @property
    def id(self) -> int:
        """At the server: a number from 1 up, never used again. At a client: the number it has at the server."""
        return self._session.id

    @property
    def address(self) -> Address:
        """Where the peer is, or was when its link broke."""
        return self._session.address

    @property
    def reason(self) -> Reason | None:
        """Why it is over; None while it is not."""
        return self._session.reason

    @property
    def alive(self) -> bool:
        """Whether `Left` is still to come."""
        return self._session.reason is None

    @property
    def away(self) -> bool:
        """Whether there is no link at present."""
        return self._session.away

    @property
    def rtt(self) -> float | None:
        """The round-trip time in seconds, smoothed (RFC 6298); None until measured on the present link, and while away."""
        return None if self._session.link is None else self._session.link.meter.rtt

    @property
    def jitter(self) -> float | None:
        """How much the round-trip time varies, in seconds, smoothed (RFC 6298); None like `rtt`."""
        return None if self._session.link is None else self._session.link.meter.jitter

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the peer, as of the last update; 0.0 without a link."""
        return 0.0 if self._session.link is None else self._session.link.now - self._session.link.stream.heard

    @property
    def queued(self) -> int:
        """How many messages wait here: while away for the return, else for the next update. After `Left`, none.

        What a link was given does not count, even if it broke and they may have to be sent again: see `stats` for
        the bytes that the network has not taken.
        """
        return self._session.queued

    @property
    def stats(self) -> Stats:
        """What went over the links so far."""
        session, batch, resend = self._session, self._outbox.batch, self._outbox.resend
        batched = sum(map(len, batch))
        queued, age, link = batched, 0.0, session.link
        if link is not None:
            queued += link.stream.waiting
            outgoing = link.stream.outgoing
            since = None if outgoing is None else outgoing.since()
            age = 0.0 if since is None else link.now - since
        sent, size = resend.sent + len(batch), resend.bytes_sent + batched
        return Stats(sent, session.received, size, session.bytes_received, queued, age)

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
        frame, outbox = self._frame, self._outbox
        data = frame(message)
        if data is None:
            outbox.send_carefully(message)
        elif len(outbox.batch) < outbox.look_at:
            outbox.batch.append(data)
        else:
            outbox.look(data)

    def discard_queued(self) -> int:
        """Withdraw the messages that are `queued`: the other end will never see them.

        For what is of no use to somebody who was away, such as moves of a game that went on. What a link was given
        before stays, since it may have arrived. Not for signal handlers: where one came, it may be being sent.

        Returns:
            How many messages were withdrawn.
        """
        return self._session.discard_queued()

    def close(self) -> None:
        """End it at once. What is queued may be lost; the other end is told if one `send` can still do that.

        In the middle of an `update()`, as from a signal handler, at the end of that.
        """
        self._session.do(partial(self._session.leave, None))

    def close_nicely(self, text: str = "") -> None:
        """End it after everything queued was sent; the other end reads `text` as its reason.

        `Left` comes once that is done, `close_timeout` seconds later at the most. The first text wins; of a long one, 128
        bytes of UTF-8 travel.
        In the middle of an `update()`, as from a signal handler, it begins at the end of that.

        Raises:
            TypeError: `text` is no str.
        """
        check_text(text, HOW_LONG)
        self._session.do(partial(self._session.leave, text))

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
        self._session.do(partial(self._session.leave, text, moved(address, text)))


hint(Peer, PEER, FirmHint)
explain_close(Peer)


def session_of(peer: Peer) -> Session:
    """Return what is behind `peer`, for the floors above: it is no business of the game."""
    return peer._session  # noqa: SLF001 - a friend of the class, in its module


def sessions_of(to: Iterable[Peer] | Peer) -> list[Session]:
    """Return the sessions of a peer or several, each once. Raises `TypeError` for what is neither."""
    if isinstance(to, Peer):
        return [session_of(to)]
    if not isinstance(to, Iterable):
        raise TypeError(f"to must be peers, as in server.peers, not {type(to).__name__}")
    return [*dict.fromkeys([session_of(_check_peer(peer)) for peer in to])]


def _check_peer(peer: Peer) -> Peer:
    if not isinstance(peer, Peer):
        raise TypeError(f"to must be peers, as in server.peers, not {type(peer).__name__}")
    return peer
