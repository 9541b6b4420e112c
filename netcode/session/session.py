"""A session: what outlives the links between two ends, and what a return needs."""

from enum import Enum
from typing import Any, Protocol

from netcode.address import Address
from netcode.errors import ProtocolError
from netcode.limits import Limits
from netcode.loop.engine import Act, Engine
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.session.meter import Meter
from netcode.session.outbox import Judge, Outbox
from netcode.stream.contract import NOTHING
from netcode.stream.stream import Stream
from netcode.wire.codec import Codec

ANOTHER_SESSION = "the two ends do not mean the same session: one has received more than the other has sent"

VAIN_LINKS = 4
"""Links in a row over which a message may fail to arrive, if they were up for `VAIN_TIMEOUTS` in total."""
VAIN_TIMEOUTS = 3
MOST_VAIN_LINKS = 30
"""Links in a row over which it may fail to arrive, however soon they broke."""

TRIED = 0.05
"""Seconds for which a link has to carry messages to count: one that was given up before it was heard has tried nothing."""


class Told(Enum):
    """What the game was told last of a session, messages apart."""

    NOTHING = "nothing"
    IN = "in"
    """`Joined`, or `Back`."""
    AWAY = "away"
    LEFT = "left"


class Teller(Protocol):
    """Who tells the game what happens to a session."""

    def joined(self, session: "Session") -> None:
        """Tell that it is in."""

    def away(self, session: "Session", reason: Reason) -> None:
        """Tell that its link broke, and may come back."""

    def back(self, session: "Session") -> None:
        """Tell that it is back."""

    def left(self, session: "Session", reason: Reason) -> None:
        """Tell that it is over, unless the game knows that."""


class SessionOwner(Protocol):
    """The client or server that a session belongs to."""

    engine: Engine

    def do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way."""

    def drop(self, session: "Session", reason: Reason) -> None:
        """End a session that has no link."""

    def kept(self) -> None:
        """Hear that a message was kept for a link that is still to come."""


class Carrier(Judge, Protocol):
    """A link, as far as a session and its owner look at it: `netcode.session.link` is the only one."""

    stream: Stream
    meter: Meter
    reason: Reason | None
    session: "Session | None"

    @property
    def where(self) -> str:
        """The other end, for sentences."""
        ...

    @property
    def now(self) -> float:
        """The time of the present update."""
        ...

    @property
    def goodbye(self) -> Reason | None:
        """What we have said goodbye with; None if we have not."""
        ...

    @property
    def has_rest(self) -> bool:
        """Whether something was received and not used yet."""
        ...

    def disown(self) -> None:
        """Be nobody's from now on: it is over, and does not keep its owner."""

    def accept(self, session: "Session") -> None:
        """Carry messages for `session` from now on."""

    def fail(self, reason: Reason, told: str = "") -> None:
        """End the link for `reason`."""

    def say_goodbye(self, reason: Reason, here: str) -> None:
        """Leave on purpose."""

    def cut(self, reason: Reason | None = None) -> None:
        """End the link at once."""


class _Returns:
    """Notices that the other end comes back again and again, and never gets further."""

    __slots__ = ("links", "seconds", "stuck_at", "tried_for")

    def __init__(self) -> None:
        self.stuck_at = -1  # messages that it had when it last came back, if it lacked others
        self.links, self.seconds = 0, 0.0  # over which it got no further, and for which they were up
        self.tried_for = 0.0  # how long the last link carried messages

    def note(self, stuck_at: int, long: float) -> None:
        """Hear at which message it is stuck, or -1. Raises `ProtocolError` if that will not change.

        Args:
            long: seconds for which links must have been up before a few of them are enough.
        """
        if stuck_at < 0 or stuck_at != self.stuck_at:
            self.stuck_at, self.links, self.seconds = stuck_at, 0, 0.0
        if stuck_at >= 0 and self.tried_for >= TRIED:
            self.links += 1
            self.seconds += self.tried_for
        if (self.links >= VAIN_LINKS and self.seconds >= long) or self.links >= MOST_VAIN_LINKS:
            text = (
                f"over {self.links} links in a row one message never arrived: its packets are lost; is an MTU on the way too "
                "large, as of a VPN? Smaller messages may pass"
            )
            raise ProtocolError(ReasonCode.STALLED, text)


class Session:
    """Everything about the other end that is no business of the game.

    It stays the same while its link breaks and comes back.
    """

    __slots__ = (
        "_owner",
        "_returns",
        "_tried_from",
        "address",
        "away_reason",
        "away_until",
        "bytes_received",
        "engine",
        "farewell",
        "former_secret",
        "id",
        "limits",
        "link",
        "link_since",
        "offered",
        "outbox",
        "peer",
        "reason",
        "received",
        "secret",
        "told",
    )

    def __init__(self, owner: SessionOwner, session_id: int, address: Address, limits: Limits, codec: Codec) -> None:
        self.id = session_id
        self.address = address
        self.peer: Any = None
        """What stands for it in events; None when it is over, so that neither keeps the other."""
        self.reason: Reason | None = None
        """Why it is over; None while it is not."""
        self.told = Told.NOTHING
        self.away_reason: Reason | None = None
        self.away_until = 0.0
        self.received = 0
        """Messages received."""
        self.bytes_received = 0
        """Bytes received, with headers and control messages."""
        self.engine = owner.engine
        self.limits = limits
        self.outbox = Outbox(self, codec)
        self.offered = 0
        """Messages that links were given, as of the end of the last one."""
        self.link: Carrier | None = None
        self.link_since = 0.0
        self.secret = b""
        self.former_secret = b""
        """That of the program before the one that came back anew."""
        self.farewell: Reason | None = None
        """What the other end was told when it was ended, and may not have heard."""
        self._owner: SessionOwner | None = owner  # None when it is over: neither keeps the other
        self._tried_from = 0.0  # when the present link began to carry messages
        self._returns: _Returns | None = None  # none before the first link has ended

    @property
    def away(self) -> bool:
        """Whether there is no link at present."""
        return self.reason is None and self.link is None

    @property
    def queued(self) -> int:
        """Messages that no link was given yet."""
        if self.reason is not None:
            return 0
        return len(self.outbox.batch) if self.link is not None else self.outbox.resend.sent - self.offered

    # For the peer.

    def do(self, act: Act) -> None:
        """Do `act` now, or at the end of what is under way; not at all if it is over."""
        if self._owner is not None:
            self._owner.do(act)

    def leave(self, text: str | None, reason: Reason | None = None) -> None:
        """End it: nicely, or at once without a text."""
        link, engine = self.link, self.engine
        reason = reason or Reason(ReasonCode.GOODBYE, text or "the other end left")
        if link is None:
            if self._owner is not None:
                self.farewell = reason
                self._owner.drop(self, closed_here(text or ""))
            return
        engine.stepping = link.stream
        if text is None:
            link.cut()
        else:
            link.say_goodbye(reason, text)
        engine.stepping = None

    def discard_queued(self) -> int:
        """Withdraw what no link was given yet, and return how many messages that were."""
        count = self.queued
        if self.link is not None:
            self.outbox.clear()
        elif count:
            self.outbox.resend.withdraw(self.offered)
        return count

    # For the outbox.

    def keeps(self) -> bool:
        """Tell whether a message is to be kept for a link that is still to come."""
        if self._owner is None or self.link is not None:
            return False
        self._owner.kept()
        return True

    def lost(self) -> None:
        """Hear that more would have to be kept than may: it is over."""
        assert self._owner is not None  # it has just said that it keeps
        most = self.limits.max_resend
        text = f"more than max_resend = {most} bytes were sent to {self.address} while there was no link to it"
        self.farewell = Reason(ReasonCode.RESUME_LOST, text)
        self._owner.drop(self, self.farewell)

    # For the owner and the link.

    def take_limit(self, max_message: int) -> None:
        """Hear the largest message that the other end takes."""
        if max_message != self.outbox.theirs:  # else all sessions share one number
            self.outbox.theirs = max_message

    def missing(self, received: int) -> list[bytes]:
        """Return what the other end lacks, which has said that it has `received` messages.

        Raises:
            ProtocolError: it cannot have so many, what it lacks is no longer kept, a part of that is larger than it takes,
                or it never arrives.
        """
        resend = self.outbox.resend
        if received > resend.sent:
            raise ProtocolError(ReasonCode.RESUME_LOST, ANOTHER_SESSION)
        missing = resend.since(received)
        if missing is None:
            text = "the link came back too late: messages sent meanwhile are no longer kept (max_resend)"
            raise ProtocolError(ReasonCode.RESUME_LOST, text)
        theirs = self.outbox.theirs
        largest = resend.largest(above=theirs)
        if largest:
            sent = f"a message of {largest} bytes, sent while there was no link"
            text = f"{sent}, is over the {theirs} that the other end takes; raise max_message"
            raise ProtocolError(ReasonCode.TOO_LARGE, text)
        self._returns = self._returns or _Returns()
        self._returns.note(received if missing else -1, VAIN_TIMEOUTS * self.limits.timeout)
        return missing

    def carry_on(self, link: Carrier, missing: list[bytes]) -> None:
        """Use `link` from now on, and send what is `missing` over it."""
        link.accept(self)
        self.link = link
        self.farewell = None
        self._tried_from = link.now
        self.outbox.open(link.stream, link, missing)

    def has_spoken(self) -> bool:
        """Tell whether anything came since our greeting: then that has arrived, for nothing may come before it."""
        return self.bytes_received > 0 or (self.link is not None and self.link.has_rest)

    def close_batch(self, link: Carrier) -> None:
        """Hear that no further messages go over `link`; those sent before are on their way, or kept."""
        if link is self.link:
            self.outbox.close(link.stream)

    def let_go(self) -> None:
        """Have no link until `carry_on` brings another one."""
        link, outbox = self.link, self.outbox
        if link is not None:
            outbox.close(link.stream)
            link.stream.source = NOTHING
            self.offered = outbox.resend.sent
            self._returns = self._returns or _Returns()
            self._returns.tried_for = link.now - self._tried_from
        outbox.stream = outbox.judge = None
        self.link = None

    def end(self, reason: Reason) -> None:
        """It is over: keep nothing for a return."""
        self.reason = reason
        self._owner = None
        self.secret = self.former_secret = b""
        self.outbox.resend.forget()

    def acknowledge(self, received: int) -> None:
        """Hear how many messages the other end has. Raises `ProtocolError` if it cannot have so many."""
        if not self.outbox.resend.acknowledge(received):
            raise ProtocolError(ReasonCode.MALFORMED, "more messages were acknowledged than were sent")
