"""Messages over one stream: frames, greeting, pings, goodbye, and the deadlines of all of them."""

import math
from itertools import repeat
from typing import Any, ClassVar, Protocol, assert_never

from netcode import protocol
from netcode.budget import COSTLY, FREE
from netcode.buffer import ReceiveBuffer
from netcode.codec import (
    CAREFUL_FROM,
    CONTAINER,
    MARKS,
    MAX_DEPTH,
    PART,
    Codec,
    Decoding,
    carried,
    cost_of,
    cost_of_frames,
    is_harmless,
    undisturbed,
)
from netcode.errors import ProtocolError
from netcode.framing import EXTENSIONS, HEADER_SIZE, breach, missing, split
from netcode.limits import Limits
from netcode.meter import Meter
from netcode.protocol import Ack, Bye, Control, Hello, Ping, Pong, Welcome
from netcode.reasons import Reason, ReasonCode, closed_here
from netcode.session.inbox import Inbox
from netcode.session.session import Session
from netcode.stream.contract import SCRATCH, State
from netcode.stream.stream import Stream

PINGS_PER_SECOND = 20
"""Pings leave at multiples of this fraction of a second, so that those of a thousand peers share a wake-up."""

WAIT_FOR_THEIRS = 2.1
"""Intervals after a ping of the client until the server sends one by itself, within half the timeout: before that, the
client's next one comes, and the server's goes along with the answer. Both measure, and the server needs one `send`."""

MEASURE_EVERY = 3.5
"""Intervals after a ping of the server until its next one goes along with an answer. The client's pings show that both
live; the server's only measure, and each costs two messages to thousands of peers."""

MEASURE_FIRST = 4
"""Pings of the server until then, each with the next answer: what is measured once is not yet known."""

BROKEN_LINK = frozenset(
    {
        ReasonCode.RESET,
        ReasonCode.CLOSED_BY_PEER,
        ReasonCode.TIMEOUT,
        ReasonCode.HANDSHAKE_TIMEOUT,  # of an attempt to come back, read by a server that was away for a while itself
        ReasonCode.NETWORK,
        ReasonCode.UNREACHABLE,
    }
)
"""Ends that nobody wanted: a link that ended so may be resumed."""

PARTING = 0.1
"""Seconds in which a stranger whose time to greet is over may take our goodbye, before its slot at the door is free."""

LONGEST_FRAME = 0.05
"""Seconds that one update counts as part of a flood at most: where we update seldom, it is we who let it pile up."""

PACE = 65_536
"""Bytes of one message that may take `message_timeout`; a larger one has as long for each further so many."""

LARGE = 65_536
"""Bytes missing from a message from which on the rest is received in place instead of through the scratch."""

PATIENCE = 1.0
"""Seconds for which nothing was taken after which it is the other end that is too slow, and not we who are too fast."""

CONTROL = 16
"""What a control message costs, beside what is in it."""

CALM = 0.2
"""Seconds without a flood after which the next one is another. Between two reads, even a steady one pauses."""

# The constructor of the tuple that `Received` is takes half the time of its own.
_make: Any = vars(tuple)["__new__"]


class LinkOwner(Protocol):
    """The client or server that a link belongs to."""

    def greeted(self, link: "Link", greeting: Hello | Welcome) -> None:
        """Hear the first frame of the other end. Raises `ProtocolError` if it is not acceptable."""

    def link_opened(self, link: "Link") -> None:
        """Hear that bytes can be sent."""

    def link_over(self, link: "Link") -> None:
        """Hear that no more messages will come; `link.reason` says why. Said once."""

    def link_gone(self, link: "Link") -> None:
        """Hear that the connection is closed. Said once, after `link_over` or right before it."""


class _Nobody:
    """The owner of a link that has let go of it, and may be forgotten before it."""

    def greeted(self, link: "Link", greeting: Hello | Welcome) -> None: ...
    def link_opened(self, link: "Link") -> None: ...
    def link_over(self, link: "Link") -> None: ...
    def link_gone(self, link: "Link") -> None: ...


NOBODY = _Nobody()


class _PerMessage:
    """What is looked up for each message, side by side in memory: a base class's slots lie before its heirs' own."""

    __slots__ = (
        "_acknowledge_at",
        "_calm_since",
        "_codec",
        "_cut",
        "_inbox",
        "_partial_since",
        "_speaker",
        "hungry",
        "rest",
        "stream",
    )


class Link(_PerMessage):
    """Carries messages for a session over one stream, whose receiver and owner it is."""

    __slots__ = (
        "_close_reason",
        "_decoding",
        "_flood_seen",
        "_flooded",
        "_greet_by",
        "_greeted",
        "_greeting",
        "_hears_pings",
        "_limit",
        "_limits",
        "_next_ping",
        "_overfull",
        "_owner",
        "_partial_left",
        "_pinged_at",
        "_pong",
        "meter",
        "missing",
        "number",
        "reason",
        "session",
    )

    believes_ends: ClassVar[bool] = False

    stream: Stream

    def __init__(
        self, owner: LinkOwner, limits: Limits, codec: Codec, inbox: Inbox[Any], greeting: type[Hello | Welcome]
    ) -> None:
        self._owner: LinkOwner = owner
        self._limits = limits
        self._codec = codec
        self._inbox = inbox
        self._hears_pings = greeting is Hello  # who waits for a greeting waits for pings, too: the server
        self._greeting: type[Hello | Welcome] | None = greeting  # what must come first; None once accepted
        self._greeted = False
        self._limit = protocol.MAX_UNGREETED
        self._cut = codec.cut
        self._greet_by = math.inf
        self._next_ping = math.inf
        self._pinged_at = 0.0
        self._partial_since: float | None = None
        self._partial_left = 0  # what the message lacked then, if that was known
        self._flooded = self._flood_seen = 0.0
        self._calm_since: float | None = 0.0
        self._pong: int | None = None
        self._acknowledge_at = 0
        self._close_reason: Reason | None = None
        self._overfull = -1  # what waited before too much was sent; -1 if there was not
        self._decoding: tuple[Decoding, int, int] | None = None  # of a costly message, its frame's size, a part's cost
        self.rest: ReceiveBuffer | None = None
        self.hungry = False
        self.missing = 0
        """Bytes that the message under way still lacks, if that is known; else 0."""
        self.number = 0  # at the server: later links have larger ones
        self.meter = Meter()
        self.session: Session | None = None
        self._speaker: Session | None = None  # the same, from the greeting to the end: whose messages are delivered
        self.reason: Reason | None = None

    @property
    def where(self) -> str:
        """The other end, for sentences."""
        return self.stream.describe()

    @property
    def has_rest(self) -> bool:
        """Whether something was received and not used yet."""
        return self.rest is not None and len(self.rest) > 0

    @property
    def goodbye(self) -> Reason | None:
        """What we have said goodbye with, while the other end may still be talking; None if we have not."""
        return self._close_reason

    @property
    def is_half_closed(self) -> bool:
        """Whether an interrupt came between the decision to end it and the ending of its connection."""
        over = self.reason is not None or self._close_reason is not None
        return over and self.stream.state in (State.CONNECTING, State.CONNECTED)

    @property
    def now(self) -> float:
        """The time of the present update."""
        return self.stream.timeline.now

    # The receiver and the owner of its stream.

    def opened(self, stream: Stream) -> None:
        if self._greet_by == math.inf:
            self._greet_by = self.now + self._limits.handshake_timeout
        self._owner.link_opened(self)
        stream.reschedule()

    def has_room(self) -> bool:
        return True

    def space(self, scratch: memoryview) -> memoryview:
        if self.rest is not None and self.missing >= LARGE:
            return self.rest.room(self.missing)
        return scratch[:]

    def received(self, room: memoryview, count: int) -> bool:
        rest = self.rest
        if rest is None:
            taken = self.feed(room, count)
            if taken != count and self.stream.transport is not None:
                rest = self.rest = ReceiveBuffer()
                rest.append(room[taken:count])
            return self.hungry
        if self.missing >= LARGE:
            room.release()
            rest.added(count)
        else:
            rest.append(room[:count])
        return self.resume()

    def resume(self) -> bool:
        self.hungry = False
        rest = self.rest
        if rest is not None:
            held = len(rest)
            with rest.view() as view:
                taken = self.feed(view, held)
            rest.drop(taken)
            if taken == held <= SCRATCH:
                self.rest = None  # a larger one is kept for the next large message
        return self.hungry

    def feed(self, data: memoryview, size: int) -> int:
        """Take the complete frames off the front of the first `size` bytes of `data`, and deliver what they carry."""
        session, inbox = self._speaker, self._inbox
        if session is None:
            return self._feed_stranger(data[:size])
        room = inbox.room
        if room < 0:
            self.hungry = True  # the game does not take its events: leave the rest where it is
            return 0
        if size > HEADER_SIZE and (first := data[HEADER_SIZE]) > 0xC6 and first in EXTENSIONS:
            return self._feed_beats(data, size, session, inbox)
        found = self._cut(data, size, self._limit, inbox.message, session.peer)
        if found is None or len(found[0]) > self._limits.max_messages_per_update:
            return self._feed_carefully(data[:size], session, inbox)
        events, taken = found
        session.received += len(events)  # nothing can come between this and the next
        inbox.events += events
        self._note_taken(data, size, taken, 0, session)
        return taken

    def ended(self, stream: Stream) -> None:
        reason = stream.reason
        assert reason is not None
        if self._close_reason is not None and reason.code is not ReasonCode.CLOSE_TIMEOUT:
            reason = self._close_reason
        elif self._greeting is Welcome and reason.code in {ReasonCode.CLOSED_BY_PEER, ReasonCode.RESET}:
            text = (
                f"{self.where} closed the connection without a greeting; is that a netcode server, with tls= as here?"
            )
            reason = Reason(reason.code, text, reason.error)
        self._owner.link_gone(self)
        self._over(reason)
        self.rest = None  # nobody can take what it left over

    def deadline(self, stream: Stream) -> float:
        if self.reason is not None or self._close_reason is not None:
            return math.inf  # the connection has a deadline for closing
        if self._greeting is not None:
            return self._greet_by
        if self._overfull >= 0:
            return self.now
        limits, outgoing = self._limits, stream.outgoing
        when = min(self._ping_at(), stream.heard + limits.timeout)
        if self._partial_since is not None:
            when = min(when, self._partial_since + limits.message_timeout)
        if outgoing is not None and (since := outgoing.stuck_since()) is not None:
            when = min(when, since + limits.max_queue_age)
        return when

    def due(self, stream: Stream, now: float) -> float:
        limits = self._limits
        silent = stream.heard + limits.timeout
        usual = (
            self._speaker is not None
            and self._close_reason is None
            and self._partial_since is None
            and stream.outgoing is None
            and self._overfull < 0
            and not self.hungry
            and now < silent
        )
        if not usual:
            self._end_what_is_overdue(now)
        if self._speaker is None or self._close_reason is not None:
            return self.deadline(stream)
        ping_at = self._ping_at()
        if now >= ping_at:
            stream.probe()  # it may be a page that sleeps, and its browser is awake
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
        self.session = self._speaker = session
        self._limit = self._codec.takes.size
        self._acknowledge_at = session.bytes_received + protocol.ACKNOWLEDGE_EVERY  # the greeting has just told
        # The first ping comes at a time that differs from one to the next, and from then on once an interval.
        self._pinged_at = self.now
        self._next_ping = self.now + self._limits.ping_interval * (session.id * 0.618034 % 1.0)
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
        if self._close_reason is None:
            self._end(reason)
            self._say_bye(Reason(reason.code, told or reason.text, None, reason.number, reason.where))
        else:
            self._end(self._close_reason)  # we have left already, and said why
        self._owner.link_over(self)

    def answer(self, reason: Reason, about: Any) -> None:
        """End the link of somebody who is not known and only asks, which is no failure: it is told `about`."""
        self._end(reason)
        self._say_bye(reason, about)

    def say_goodbye(self, reason: Reason) -> None:
        """Leave on purpose: the other end reads `reason`; what it still sends is still delivered."""
        if self.reason is None and self._close_reason is None:
            assert self.session is not None
            self._close_reason = closed_here(reason.text)
            self.session.close_batch(self)
            self._say_bye(reason)

    def cut(self, reason: Reason | None = None) -> None:
        """End the link at once; what fits into one `send` is the last that the other end hears."""
        stream = self.stream
        can_send = stream.transport is not None and not stream.blocked
        if self.reason is None and self._close_reason is None:
            self._close_reason = closed_here("" if reason is None else reason.text)
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

    # Inside.

    def _end_what_is_overdue(self, now: float) -> None:
        """End the link if one of its times is over."""
        if self.reason is not None or self._close_reason is not None:
            return
        if self._greeting is not None:
            if self in self._inbox.budget:
                self._greet_by = now + self._limits.handshake_timeout  # it has greeted, and waits for us
            elif now >= self._greet_by:
                within = f"handshake_timeout = {self._limits.handshake_timeout:g} s"
                text = f"{self.where} did not greet within {within}; is it a netcode program?"
                self.fail(Reason(ReasonCode.HANDSHAKE_TIMEOUT, text))
            return
        stream, limits = self.stream, self._limits
        if self.hungry:
            # We do not listen, so neither its silence nor what it has not completed means anything.
            stream.heard = now
            self._partial_since = None if self._partial_since is None else now
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
        elif self._partial_since is not None and now - self._partial_since >= limits.message_timeout:
            text = f"a message was begun and not completed within message_timeout = {limits.message_timeout:g} s"
            self.fail(Reason(ReasonCode.STALLED, text))

    def _begin_partial(self, data: memoryview) -> None:
        """A message has begun to arrive, or goes on to."""
        left = self.missing = missing(data)
        if self._partial_since is None or left <= self._partial_left - PACE:
            self._partial_since, self._partial_left = self.now, left
            self.stream.reschedule()
        elif not self._partial_left:
            self._partial_left = left  # its length was not yet known

    def _feed_stranger(self, data: memoryview) -> int:
        """Take the greeting off the front of `data`, or anything off a link that is over."""
        if self.reason is not None:
            return len(data)  # what still comes is read only to let the other end finish
        payloads, taken, rest, _ = split(data, self._limit, 1)
        if payloads and not self._may_decode(cost_of(payloads[0])):
            return 0
        try:
            self._sort(payloads)
            if rest < 0 and not payloads:
                raise breach(data[taken:], self._limit, False)  # behind a greeting, another limit applies
        except ProtocolError as error:
            self.fail(error.reason)
        if self.reason is not None:
            return len(data)
        if self.session is not None:
            return taken + self.feed(data[taken:], len(data) - taken)
        if rest:
            self.hungry = True  # more than a greeting: it waits until that is answered
        return taken

    def _feed_beats(self, data: memoryview, size: int, session: Session, inbox: Inbox[Any]) -> int:
        """Obey the PING and the PONG that everybody sends once a second, and leave what else there is to the others."""
        position = 0
        while size - position >= protocol.BEAT_SIZE:
            beat = protocol.beat(data, position, size)
            if beat is None:
                break
            kind, number, received, end = beat
            if received != session.outbox.resend.acknowledged:
                try:
                    session.acknowledge(received)
                except ProtocolError as error:
                    self.fail(error.reason)
                    return size
            if kind == protocol.PING:
                self._pong = number
            else:
                self.meter.pong(number, self.stream.timeline.now)
            if position:  # a flood of them is counted elsewhere
                position = end
                break
            position = end
        inbox.room -= position
        session.bytes_received += position
        if position and self._partial_since is not None:
            self._partial_since, self.missing = None, 0  # what was begun is complete; what follows is another
        if position == size:
            inbox.beats += 1
            if self._calm_since is None:
                self._calm_since = self.now
        elif position + HEADER_SIZE < size and data[position + HEADER_SIZE] in EXTENSIONS:
            position += self._feed_carefully(
                data[position:size], session, inbox
            )  # not back to here, whence a flood would
        else:
            position += self.feed(data[position:size], size - position)  # a message, as likely as not a single one
        if self._pong is not None and self.reason is None:
            self._answer(session)
        return position

    def _feed_carefully(self, data: memoryview, session: Session, inbox: Inbox[Any]) -> int:
        """Do what `feed` does where that may cost much, or is no message."""
        if inbox.budget.holds(self):
            self.hungry = True
            return 0
        if self._decoding is not None:
            return self._decode_on(self._decoding, data, session, inbox)
        payloads, taken, rest, special = split(data, self._limit, self._limits.max_messages_per_update)
        if taken > self._limit and len(payloads) > 1:
            payloads, taken, rest = _share(payloads, rest, self._limit)
        costly = next((i for i, one in enumerate(payloads) if _is_costly(one)), -1)
        if costly == 0:
            return self._begin_decoding(payloads[0], data, session, inbox)
        if costly > 0:
            (payloads, taken), rest = _first(payloads, costly), 2
        cost = cost_of_frames(data[:taken], payloads)
        if not self._may_decode(cost + len(payloads) * CONTROL if special else cost):
            return 0
        try:
            if special:
                self._sort(payloads)
            else:
                self._deliver(payloads, session, inbox)
            if rest < 0:
                raise breach(data[taken:], self._limit, True)
        except ProtocolError as error:
            self.fail(error.reason)
        if self.reason is not None:
            return len(data)
        if cost > FREE and len(payloads) == 1 and not special:
            inbox.budget.give_back(cost * carried(inbox.events[-1][-1]) // taken)
        self._note_taken(data, len(data), taken, rest, session)
        return taken

    def _note_taken(self, data: memoryview, size: int, taken: int, rest: int, session: Session) -> None:
        """Count what was taken off the front of the first `size` bytes of `data`, and hear what is left over.

        That is complete frames beyond those that may be taken at once (1), others (2), or the beginning of one (0).
        """
        self._inbox.room -= taken
        session.bytes_received += taken
        if taken:
            self._partial_since, self.missing = None, 0  # what was begun is complete; what follows is another
        if self._pong is not None or session.bytes_received > self._acknowledge_at:
            self._answer(session)
        if rest == 1:
            self._too_much()
            return
        if self._calm_since is None:
            self._calm_since = self.now
        if rest:
            self.hungry = True
        elif taken != size:
            self._begin_partial(data[taken:size])

    def _may_decode(self, cost: int) -> bool:
        """Tell whether something that costs `cost` may be decoded now; if not, it waits for another update."""
        budget, stream = self._inbox.budget, self.stream
        if (cost > FREE or self in budget) and not budget.allows(self, cost):
            self.hungry = True
            return False
        if self in budget:
            # It was we who did not read on, so what has piled up meanwhile is neither silence nor a flood.
            stream.heard = self._flood_seen = self.now
            budget.done(self)
        return True

    def _begin_decoding(self, payload: memoryview, data: memoryview, session: Session, inbox: Inbox[Any]) -> int:
        """Decode a costly message in parts, over several updates if need be; it is left where it is until then."""
        cost, size = cost_of(payload), len(payload)
        part = min(COSTLY, cost * PART // size + 1)
        self._decoding = decoding = self._codec.decode_in_parts(bytes(payload)), HEADER_SIZE + size, part
        return self._decode_on(decoding, data, session, inbox)

    def _decode_on(
        self, decoding: tuple[Decoding, int, int], data: memoryview, session: Session, inbox: Inbox[Any]
    ) -> int:
        """Go on with a costly message, as far as it may go in this update."""
        steps, size, cost = decoding
        spent = 0
        self._decoding = None  # whatever interrupts it: what was decoded so far can be decoded again
        try:
            with undisturbed():
                while inbox.budget.allows(self, cost):
                    spent += cost
                    next(steps)
        except StopIteration as end:
            message: Any = end.value
        except ProtocolError as error:
            self.fail(error.reason)
            return len(data)
        else:
            self._decoding = decoding
            self.hungry = True
            return 0
        self._may_decode(0)
        inbox.budget.give_back(spent * carried(message) // size)
        self._put([message], session, inbox)
        self._note_taken(data, len(data), size, 0 if size == len(data) else 2, session)
        return size

    def _put(self, messages: list[Any], session: Session, inbox: Inbox[Any]) -> None:
        count, received = len(messages), map(_make, repeat(inbox.message), zip(repeat(session.peer), messages))
        session.received += count  # nothing can come between this and the next
        inbox.events.extend(received)

    def _deliver(self, payloads: list[memoryview], session: Session, inbox: Inbox[Any]) -> None:
        """Deliver messages; those before one that is none are delivered, too."""
        codec, messages = self._codec, list[Any]()
        unpack = codec.unpack
        try:
            messages += [unpack(one) if len(one) <= MAX_DEPTH else self._decode(one) for one in payloads]
        except Exception:  # noqa: BLE001 - whatever it was, the careful way knows what to make of it, or to say
            try:
                for payload in payloads:
                    messages.append(codec.decode(payload))
            finally:
                self._put(messages, session, inbox)
        else:
            self._put(messages, session, inbox)

    def _decode(self, payload: memoryview) -> Any:
        plainly = len(payload) <= CAREFUL_FROM and is_harmless(payload)
        return self._codec.unpack(payload) if plainly else self._codec.decode(payload)

    def _sort(self, payloads: list[memoryview]) -> None:
        """Deliver messages, and obey the control messages among them."""
        for payload in payloads:
            control = protocol.decode(payload) if payload[0] in EXTENSIONS else None
            if control is not None:
                self._control(control)
                if self.reason is not None:
                    return
            elif self.session is not None:
                self._deliver([payload], self.session, self._inbox)
            else:
                raise ProtocolError(ReasonCode.MALFORMED, "a message came before the greeting")

    def _control(self, control: Control) -> None:
        greeting, session = self._greeting, self.session
        match control:
            case Bye(reason):
                self._hear_bye(reason)
            case Hello() | Welcome():
                if greeting is None or self._greeted or not isinstance(control, greeting):
                    raise ProtocolError(ReasonCode.MALFORMED, "a greeting came where none belongs")
                self._greeted = True
                self._owner.greeted(self, control)
            case Ping(number, received) | Pong(number, received):
                self._acknowledge(session, received)
                if isinstance(control, Pong):
                    self.meter.pong(number, self.now)
                else:
                    self._pong = number  # the last of an update is answered: a flood of pings is not multiplied
            case Ack(received):
                self._acknowledge(session, received)
            case _:  # pragma: no cover
                assert_never(control)

    def _acknowledge(self, session: Session | None, received: int) -> None:
        if session is None:
            raise ProtocolError(ReasonCode.MALFORMED, "a control message came before the greeting")
        session.acknowledge(received)

    def _answer(self, session: Session) -> None:
        """Send the control messages that what was just received calls for."""
        if self._close_reason is not None:
            return  # after a goodbye nothing is sent: our side of the stream has ended, or is about to
        if self._pong is not None:
            answer = protocol.pong(self._pong, session.received)
            self._pong = None
            if self._hears_pings:
                interval, now = self._limits.ping_interval, self.stream.timeline.now
                enough = MEASURE_EVERY if self.meter.pings >= MEASURE_FIRST else 0.5
                if now - self._pinged_at >= interval * enough:
                    answer += self._make_ping(now)
                self._next_ping = now + min(interval * WAIT_FOR_THEIRS, max(interval, self._limits.timeout / 2))
        else:
            answer = protocol.ack(session.received)
        self.stream.answer(answer)
        self._acknowledge_at = session.bytes_received + protocol.ACKNOWLEDGE_EVERY

    def _make_ping(self, now: float) -> bytes:
        assert self.session is not None
        self._pinged_at = now
        return protocol.ping(self.meter.ping(now), self.session.received)

    def _ping_at(self) -> float:
        """Return when the next ping is to leave: when it is due, or soon after, together with those of others."""
        return math.ceil(self._next_ping * PINGS_PER_SECOND) / PINGS_PER_SECOND

    def _too_much(self) -> None:
        """More was received than one update delivers: deliver the rest later, unless it never stops."""
        self.hungry = True
        now, limits = self.now, self._limits
        if self._calm_since is not None and now - self._calm_since >= CALM:
            self._flooded = 0.0
        else:
            self._flooded += min(now - self._flood_seen, LONGEST_FRAME)
        self._calm_since, self._flood_seen = None, now
        if self._flooded >= limits.flood_timeout:
            most = limits.max_messages_per_update
            text = f"more than max_messages_per_update = {most} messages came, update after update"
            self.fail(Reason(ReasonCode.FLOODING, text))

    def _judge_overflow(self, now: float) -> None:
        """Offer the network what is too much, and end the link if too much of it is left."""
        left, self._overfull = self._overfull, -1
        stream, session = self.stream, self.session
        stream.flush(now)
        waiting, outgoing = stream.waiting, stream.outgoing
        if outgoing is None or session is None or self.reason is not None or waiting <= session.outbox.most:
            return
        since = outgoing.stuck_since()
        what = f"{waiting} bytes wait, over max_queue = {self._limits.max_queue}"
        if left >= waiting // 2 and since is not None and now - since >= PATIENCE:
            self._too_slow(what)
        elif waiting > session.outbox.most + session.outbox.most // 4:
            text = f"this program sent {self.where} more than the network takes so soon; send less at once, or raise max_queue"
            self.fail(Reason(ReasonCode.TOO_SLOW, f"{text}: {what}"), f"the other end sent too much at once: {what}")

    def _too_slow(self, what: str) -> None:
        text = f"{self.where} does not take what is sent: {what}"
        self.fail(Reason(ReasonCode.TOO_SLOW, text), f"this end did not take what was sent: {what}")

    def _hear_bye(self, reason: Reason) -> None:
        self._end(self._close_reason or reason)
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
        longest = self._limits.close_timeout
        if self._greeting is Hello:
            longest = min(longest, max(PARTING, self._greet_by - self.now))
        return longest

    def _over(self, reason: Reason) -> None:
        if self.reason is None:
            self._end(reason)
            self._owner.link_over(self)

    def _end(self, reason: Reason) -> None:
        self.reason = reason
        self._speaker = None
        if self.session is not None:
            self.session.close_batch(self)


def _share(payloads: list[memoryview], rest: int, limit: int) -> tuple[list[memoryview], int, int]:
    """Of payloads that take more than `limit` bytes, keep the first and what fits into `limit` with it.

    So what few large ones cost is bounded too.
    """
    count, size = 0, 0
    while count == 0 or size + HEADER_SIZE + len(payloads[count]) <= limit:
        size += HEADER_SIZE + len(payloads[count])
        count += 1
    return payloads[:count], size, 1 if rest == 1 else 2


def _is_costly(payload: memoryview) -> bool:
    """Tell whether a payload is decoded in parts."""
    return len(payload) > CAREFUL_FROM and MARKS[payload[0]] == CONTAINER and cost_of(payload) >= COSTLY


def _first(payloads: list[memoryview], count: int) -> tuple[list[memoryview], int]:
    """Return so many payloads, and how many bytes their frames take."""
    kept = payloads[:count]
    return kept, sum(map(len, kept)) + HEADER_SIZE * count
