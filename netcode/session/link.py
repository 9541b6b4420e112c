"""Messages over one stream: greeting, pings, goodbye, and the deadlines of all of them."""

import math
from typing import Any

from netcode.errors import ProtocolError
from netcode.limits import Limits
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.session.contract import NOBODY, LinkOwner
from netcode.session.inbox import Inbox
from netcode.session.meter import Meter
from netcode.session.reader import Reader
from netcode.session.session import Session
from netcode.stream.contract import State
from netcode.stream.stream import Stream
from netcode.wire import protocol
from netcode.wire.codec import Codec
from netcode.wire.protocol import Bye, Hello, Welcome

PINGS_PER_SECOND = 20
"""Pings leave at multiples of this fraction of a second, so that those of a thousand peers share a wake-up."""

WAIT_FOR_THEIRS = 2.1
"""Intervals after a ping of the client until the server sends one by itself, within half the timeout: before that, the
client's next one comes, and the server's goes along with the answer. Both measure, and the server needs one `send`."""

MEASURE_EVERY = 3.5
"""Intervals after a ping of the server until its next one goes along with an answer. The client's pings show that both
live; the server's only measure, and each costs two messages to thousands of peers."""

MEASURE_SOON = 0.5
"""The same after each of the first `MEASURE_FIRST`, so that these go with each answer: what is measured once is not yet
known."""
MEASURE_FIRST = 4

PARTING = 0.1
"""Seconds in which a stranger whose time to greet is over may take our goodbye, before its slot at the door is free."""

PATIENCE = 1.0
"""Seconds for which nothing was taken after which it is the other end that is too slow, and not we who are too fast."""


class Link:
    """Carries messages for a session over one stream, which its reader reads."""

    __slots__ = (
        "_alone_after",
        "_greet_by",
        "_greeted",
        "_greeting",
        "_hears_pings",
        "_measure_at",
        "_next_ping",
        "_overfull",
        "_owner",
        "goodbye",
        "limits",
        "meter",
        "reader",
        "reason",
        "session",
        "since",
        "stream",
    )

    stream: Stream

    def __init__(
        self, owner: "LinkOwner[Link]", limits: Limits, codec: Codec, inbox: Inbox[Any], greeting: type[Hello | Welcome]
    ) -> None:
        self._owner: LinkOwner[Link] = owner
        self.limits = limits
        self._hears_pings = greeting is Hello  # who waits for a greeting waits for pings, too: the server
        interval = limits.ping_interval
        # Seconds after a ping of the other end until one leaves that answers none.
        self._alone_after = min(interval * WAIT_FOR_THEIRS, max(interval, limits.timeout / 2))
        self._greeting: type[Hello | Welcome] | None = greeting  # what must come first; None once accepted
        self._greeted = False
        self._greet_by = math.inf
        self._next_ping = math.inf
        self._measure_at = math.inf  # when a ping of the server goes along with an answer
        self._overfull = -1  # what waited before too much was sent; -1 if there was not
        self.since = 0.0  # at the server: when it came to the door, which no two do at the same time
        self.meter = Meter()
        self.reader = Reader(self, codec, inbox)
        self.session: Session | None = None
        self.reason: Reason | None = None
        self.goodbye: Reason | None = None
        """What we have said goodbye with, while the other end may still be talking; None if we have not."""

    @property
    def where(self) -> str:
        """The other end, for sentences."""
        return self.stream.describe()

    @property
    def has_rest(self) -> bool:
        """Whether something was received and not used yet."""
        return self.reader.has_rest

    @property
    def is_half_closed(self) -> bool:
        """Whether an interrupt came between the decision to end it and the ending of its connection."""
        over = self.reason is not None or self.goodbye is not None
        return over and self.stream.state in (State.CONNECTING, State.CONNECTED)

    @property
    def now(self) -> float:
        """The time of the present update."""
        return self.stream.timeline.now

    # The owner of its stream.

    def opened(self, stream: Stream) -> None:
        if self._greet_by == math.inf:
            self._greet_by = self.now + self.limits.handshake_timeout
        self._owner.link_opened(self)
        stream.reschedule()

    def ended(self, stream: Stream) -> None:
        reason = stream.reason
        assert reason is not None
        if self.goodbye is not None and reason.code is not ReasonCode.CLOSE_TIMEOUT:
            reason = self.goodbye
        elif self._greeting is Welcome and reason.code in {ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET}:
            text = (
                f"{self.where} closed the connection without a greeting; is that a netcode server, with tls= as here?"
            )
            reason = Reason(reason.code, text, reason.error)
        self._owner.link_gone(self)
        if self.reason is None:
            self._end(reason)
            self._owner.link_over(self)
        self.reader.forget()

    def deadline(self, stream: Stream) -> float:
        if self.reason is not None or self.goodbye is not None:
            return math.inf  # the connection has a deadline for closing
        if self._greeting is not None:
            return self._greet_by
        if self._overfull >= 0:
            return self.now
        limits, outgoing = self.limits, stream.outgoing
        when = min(self._ping_at(), stream.heard + limits.timeout)
        if self.reader.partial is not None:
            when = min(when, self.reader.partial.since + limits.message_timeout)
        if outgoing is not None and (since := outgoing.stuck_since()) is not None:
            when = min(when, since + limits.max_queue_age)
        return when

    def due(self, stream: Stream, now: float) -> float:
        limits, reader = self.limits, self.reader
        silent = stream.heard + limits.timeout
        usual = (
            reader.session is not None
            and self.goodbye is None
            and reader.partial is None
            and stream.outgoing is None
            and self._overfull < 0
            and not reader.hungry
            and now < silent
        )
        if not usual:
            self._end_what_is_overdue(now)
        if reader.session is None or self.goodbye is not None:
            return self.deadline(stream)
        ping_at = self._ping_at()
        if now >= ping_at:
            assert stream.transport is not None
            stream.transport.probe()  # it may be a page that sleeps, and its browser is awake
            stream.answer(self._make_ping(now))
            self._next_ping = now + limits.ping_interval
            ping_at = self._ping_at()
        if usual:
            return min(silent, ping_at)
        return self.deadline(stream)

    # For the owner and the session.

    def greet_by(self, when: float) -> None:
        """End the link at `when` if the other end has not greeted by then."""
        self._greet_by = when

    def greet(self, frame: bytes) -> None:
        """Send our greeting. It may be sent before the other end's, and nothing else may."""
        self.stream.send(frame)

    def accept(self, session: Session) -> None:
        """Carry messages for `session` from now on."""
        self._greeting = None
        self._greet_by = math.inf
        self.session = session
        self.reader.begin(session)
        # The first ping comes at a time that differs from one to the next, and from then on once an interval.
        self._measure_at = self.now + self.limits.ping_interval * MEASURE_SOON
        self._next_ping = self.now + self.limits.ping_interval * (session.id * 0.618034 % 1.0)
        self.stream.reschedule()

    def disown(self) -> None:
        """Be nobody's from now on: it is over, and does not keep its owner."""
        self._owner = NOBODY

    def overflow(self) -> None:
        """Hear that more waits to be sent than may: the next update offers it to the network, and judges then."""
        if self._overfull < 0:
            outgoing = self.stream.outgoing
            self._overfull = 0 if outgoing is None else outgoing.left
        self.stream.reschedule()

    @property
    def overfull(self) -> bool:
        """Whether that was heard, and not judged yet."""
        return self._overfull >= 0

    def too_large(self, size: int) -> None:
        """Hear that a message is to be sent which the other end does not take."""
        assert self.session is not None
        most = self.session.outbox.theirs
        text = f"{self.where} takes messages of {most} bytes at most, and one of {size} was sent"
        told = f"a message of {size} bytes was to come here, where {most} are taken at most; raise max_message"
        self.fail(Reason(ReasonCode.TOO_LARGE, f"{text}; raise max_message there"), told)

    def fail(self, reason: Reason, told: str = "") -> None:
        """End the link for `reason`: the other end is told, in the words of `told` where they must differ."""
        if self.reason is not None:
            return
        if self.goodbye is None:
            self._end(reason)
            self._say_bye(Reason(reason.code, told or reason.text, None, reason.number, reason.where))
        else:
            self._end(self.goodbye)  # we have left already, and said why
        self._owner.link_over(self)

    def answer(self, reason: Reason, about: Any) -> None:
        """End the link of somebody who is not known and only asks, which is no failure: it is told `about`."""
        self._end(reason)
        self._say_bye(reason, about)

    def say_goodbye(self, reason: Reason, here: str) -> None:
        """Leave on purpose: the other end reads `reason`, this one `here`; what still comes is still delivered."""
        if self.reason is None and self.goodbye is None:
            assert self.session is not None
            self.goodbye = closed_here(here)
            self.session.close_batch(self)
            self._say_bye(reason)

    def cut(self, reason: Reason | None = None) -> None:
        """End the link at once; what fits into one `send` is the last that the other end hears."""
        stream = self.stream
        can_send = stream.transport is not None and not stream.blocked
        if self.reason is None and self.goodbye is None:
            self.goodbye = closed_here("" if reason is None else reason.text)
            if self.session is not None:
                self.session.close_batch(self)
            reason = reason or Reason(ReasonCode.GOODBYE, "the other end left")
            if self.session is not None:
                self.session.farewell = reason
            if can_send:
                stream.send(protocol.bye(reason))
        if can_send:
            stream.flush(self.now)  # an earlier goodbye, too, may not have left yet
        stream.close()

    # What its reader tells it.

    def hear(self, control: Hello | Welcome | Bye) -> None:
        """Hear a greeting or a goodbye. Raises `ProtocolError` if it is not acceptable."""
        if isinstance(control, Bye):
            self._hear_bye(control.reason)
            return
        greeting = self._greeting
        if greeting is Welcome and not self._greeted and isinstance(control, Hello):
            text = "that is not a netcode server: it sends back what it gets, or is a client; is the port right?"
            raise ProtocolError(ReasonCode.MALFORMED, text)
        if greeting is None or self._greeted or not isinstance(control, greeting):
            raise ProtocolError(ReasonCode.MALFORMED, "a greeting came where none belongs")
        self._greeted = True
        self._owner.greeted(self, control)

    def reply(self, session: Session) -> None:
        """Answer what was just received: a ping, or so much that it has to be acknowledged."""
        if self.goodbye is not None:
            return  # after a goodbye nothing is sent: our side of the stream has ended, or is about to
        pong = self.reader.pong
        if pong is not None:
            answer = protocol.pong(pong, session.received)
            if self._hears_pings:
                now = self.stream.timeline.now
                if now >= self._measure_at:
                    answer += self._make_ping(now)
                self._next_ping = now + self._alone_after
        else:
            answer = protocol.ack(session.received)
        self.stream.answer(answer)

    # Inside.

    def _end_what_is_overdue(self, now: float) -> None:
        """End the link if one of its times is over."""
        if self.reason is not None or self.goodbye is not None:
            return
        if self._greeting is not None:
            if self.reader.stands_in_line:
                self._greet_by = now + self.limits.handshake_timeout  # it has greeted, and waits for us
            elif now >= self._greet_by:
                within = f"handshake_timeout = {self.limits.handshake_timeout:g} s"
                text = f"{self.where} did not greet within {within}; is it a netcode program?"
                self.fail(Reason(ReasonCode.HANDSHAKE_TIMEOUT, text))
            return
        stream, limits = self.stream, self.limits
        if self.reader.hungry:
            # We do not listen, so neither its silence nor what it has not completed means anything.
            stream.heard = now
            self.reader.excuse(now)
        if self._overfull >= 0:
            self._judge_overflow(now)
            if self.reason is not None:
                return
        outgoing = stream.outgoing
        since = None if outgoing is None else outgoing.stuck_since()
        if now - stream.heard >= limits.timeout:
            silent = f"for timeout = {limits.timeout:g} s"
            text = f"nothing was heard from {self.where} {silent}; its program or the network stopped"
            self.fail(Reason(ReasonCode.TIMEOUT, text), f"nothing was heard from here {silent}")
        elif since is not None and now - since >= limits.max_queue_age and not (outgoing and outgoing.eases(now)):
            self._too_slow(f"bytes wait longer than max_queue_age = {limits.max_queue_age:g} s")
        elif self.reader.partial is not None and now - self.reader.partial.since >= limits.message_timeout:
            text = f"a message was begun and not completed within message_timeout = {limits.message_timeout:g} s"
            self.fail(Reason(ReasonCode.STALLED, text))

    def _make_ping(self, now: float) -> bytes:
        assert self.session is not None
        number = self.meter.ping(now)
        self._measure_at = now + self.limits.ping_interval * (
            MEASURE_EVERY if number >= MEASURE_FIRST else MEASURE_SOON
        )
        return protocol.ping(number, self.session.received)

    def _ping_at(self) -> float:
        """Return when the next ping is to leave: when it is due, or soon after, together with those of others."""
        return math.ceil(self._next_ping * PINGS_PER_SECOND) / PINGS_PER_SECOND

    def _judge_overflow(self, now: float) -> None:
        """Offer the network what is too much, and end the link if too much of it is left."""
        left, self._overfull = self._overfull, -1
        stream, session = self.stream, self.session
        stream.flush(now)
        waiting, outgoing = stream.waiting, stream.outgoing
        if outgoing is None or session is None or self.reason is not None or waiting <= session.outbox.most:
            return
        since = outgoing.stuck_since()
        what = f"{waiting} bytes wait, over max_queue = {self.limits.max_queue}"
        if left >= waiting // 2 and since is not None and now - since >= PATIENCE:
            self._too_slow(what)
        elif waiting > session.outbox.most + session.outbox.most // 4:
            text = f"this program sent {self.where} more than the network takes so soon; send less at once, or raise max_queue"
            self.fail(Reason(ReasonCode.TOO_SLOW, f"{text}: {what}"), f"the other end sent too much at once: {what}")

    def _too_slow(self, what: str) -> None:
        text = f"{self.where} does not take what is sent: {what}"
        self.fail(Reason(ReasonCode.TOO_SLOW, text), f"this end did not take what was sent: {what}")

    def _hear_bye(self, reason: Reason) -> None:
        self._end(self.goodbye or reason)
        self.stream.close_nicely(self._close_within(), "close_timeout")
        self._owner.link_over(self)

    def _say_bye(self, reason: Reason, about: Any = None) -> None:
        if self.session is not None:
            self.session.farewell = reason
        if self.stream.transport is None:
            self.stream.close()
            return
        self.stream.send(protocol.bye(reason, about))
        self.stream.close_nicely(self._close_within(), "close_timeout")

    def _close_within(self) -> float:
        """Return for how many seconds the other end may take our goodbye: a stranger's slot at the door is lent."""
        longest = self.limits.close_timeout
        if self._greeting is Hello:
            longest = min(longest, max(PARTING, self._greet_by - self.now))
        return longest

    def _end(self, reason: Reason) -> None:
        self.reason = reason
        self.reader.stop()
        if self.session is not None:
            self.session.close_batch(self)
