"""Bytes to messages and controls: frames, what a message may cost, and what is incomplete."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, assert_never

from netcode.errors import ProtocolError
from netcode.loop.budget import COSTLY, FREE
from netcode.reasons import Reason, ReasonCode
from netcode.session.contract import Ear
from netcode.session.costly import Costly, is_costly
from netcode.session.flood import Flood
from netcode.session.inbox import Inbox
from netcode.session.partial import Partial
from netcode.session.session import Session
from netcode.stream.buffer import ReceiveBuffer
from netcode.stream.contract import SCRATCH
from netcode.wire import protocol
from netcode.wire.codec import MOST_CUT, Codec, decode_each
from netcode.wire.cost import carried, cost_of, cost_of_frames, least_cost
from netcode.wire.framing import EXTENSIONS, HEADER_SIZE, breach, front, missing, share, split
from netcode.wire.protocol import ACKNOWLEDGE_EVERY, Ack, Bye, Control, Hello, Ping, Pong, Welcome

CONTROL = 16
"""What a control message costs, beside what is in it."""


class Reader:
    """The receiver of a link's stream: delivers messages to an inbox, and owns what is incomplete."""

    __slots__ = (
        "_acknowledge_at", "_codec", "_costly", "_cut", "_ear", "_flood", "_inbox", "hungry", "limit", "partial", "pong", "rest", "session",
    )  # fmt: skip

    believes_ends: ClassVar[bool] = False

    def __init__(self, ear: Ear, codec: Codec, inbox: Inbox[Any]) -> None:
        self._ear = ear
        self._codec = codec
        most = ear.limits.max_messages_per_update
        self._cut = codec.cut if most >= MOST_CUT else partial(_cut_few, codec.cut, most)
        self._inbox = inbox
        self.session: Session | None = None
        """Whose messages are delivered: from the greeting to the end."""
        self.limit = protocol.MAX_UNGREETED
        """The largest frame, in bytes, that is taken."""
        self.rest: ReceiveBuffer | None = None
        self.hungry = False
        self.partial: Partial | None = None
        """The message under way; None while none is."""
        self.pong: int | None = None
        """The number of the last ping, until it is answered: a flood of pings is not multiplied."""
        self._flood: Flood | None = None  # the last one, if there was any
        self._acknowledge_at = 0  # bytes received above which the other end is to be told
        self._costly: Costly | None = None  # at the front of the rest, and not yet done

    @property
    def reason(self) -> Reason | None:
        """Why nothing will be decoded any more; None while something may be."""
        return self._ear.reason

    @property
    def has_rest(self) -> bool:
        """Whether something was received and not used yet."""
        return self.rest is not None and len(self.rest) > 0

    @property
    def waits_for_game(self) -> bool:
        """Whether it delivers nothing more before the game has taken its events."""
        return self.session is not None and self._inbox.is_full()

    @property
    def stands_in_line(self) -> bool:
        """Whether something was received that cannot be decoded yet, because others are before it."""
        return self in self._inbox.budget

    # For the link.

    def begin(self, session: Session) -> None:
        """Deliver messages as those of `session` from now on."""
        self.session = session
        self.limit = self._codec.takes.size
        self._has_told(session)  # by the greeting

    def stop(self) -> None:
        """Deliver nothing more; what still comes is dropped."""
        self.session = None

    def forget(self) -> None:
        """Drop what is left over: nobody can take it."""
        self.rest = None

    def excuse(self, now: float) -> None:
        """Hear that we do not listen, so that what the other end has not completed means nothing."""
        if self.partial is not None:
            self.partial.excuse(now)

    # The receiver of its stream.

    def has_room(self) -> bool:
        return True

    def space(self, scratch: memoryview) -> memoryview:
        left = 0 if self.partial is None else self.partial.missing
        room = None if self.rest is None else self.rest.room(left)
        return scratch[:] if room is None else room

    def received(self, room: memoryview, count: int) -> bool:
        rest = self.rest
        if rest is None:
            taken = self._read(room, count)
            if taken != count and self._ear.stream.transport is not None:
                rest = self.rest = ReceiveBuffer()
                rest.append(room[taken:count])
            return self.hungry
        if rest.owns(room):
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
                taken = self._read(view, held)
            rest.drop(taken)
            if taken == held:
                self.partial = None
                if held <= SCRATCH:
                    self.rest = None  # a larger one is kept for the next large message
        return self.hungry

    def _read(self, data: memoryview, size: int) -> int:
        """Take the complete frames off the front of the first `size` bytes of `data`, and deliver what they carry."""
        session, inbox = self.session, self._inbox
        if session is None:
            return self._read_stranger(data[:size])
        if inbox.room < 0:
            self.hungry = True  # the game does not take its events: leave the rest where it is
            return 0
        found = self._cut(data, size, self.limit, inbox.message, session.peer)
        if found is None:
            if size > HEADER_SIZE and data[HEADER_SIZE] in EXTENSIONS:
                return self._read_beat(data, size, session, inbox)
            return self._read_carefully(data[:size], session, inbox)
        events, taken = found
        session.received += len(events)  # nothing can come between this and the next
        inbox.events += events
        inbox.room -= taken
        session.bytes_received += taken
        if taken != size or session.bytes_received > self._acknowledge_at or self._flood is not None:
            self._note_rest(data, size, taken, 0, session)
        return taken

    def _has_told(self, session: Session) -> None:
        """The other end has been told what was received."""
        self.pong, self._acknowledge_at = None, session.bytes_received + ACKNOWLEDGE_EVERY

    def _read_stranger(self, data: memoryview) -> int:
        """Take the greeting off the front of `data`, or anything off a link that is over."""
        if self._ear.reason is not None:
            return len(data)  # what still comes is read only to let the other end finish
        payloads, taken, rest, _ = split(data, self.limit, 1)
        if payloads and not self._may_decode(cost_of(payloads[0])):
            return 0
        try:
            self._sort(payloads)
            if rest < 0 and not payloads:
                raise breach(data[taken:], self.limit, False)  # behind a greeting, another limit applies
        except ProtocolError as error:
            self._ear.fail(error.reason)
        if self._ear.reason is not None:
            return len(data)
        if self.session is not None:
            return taken + self._read(data[taken:], len(data) - taken)
        if rest:
            self.hungry = True  # more than a greeting: it waits until that is answered
        return taken

    def _read_beat(self, data: memoryview, size: int, session: Session, inbox: Inbox[Any]) -> int:
        """Obey a PING or a PONG, which everybody sends once a second, and leave what else there is to the others."""
        beat = protocol.beat(data, size)
        if beat is None:
            return self._read_carefully(data[:size], session, inbox)
        kind, number, received, taken = beat
        if received != session.outbox.resend.acknowledged:
            try:
                session.acknowledge(received)
            except ProtocolError as error:
                self._ear.fail(error.reason)
                return size
        if kind == protocol.PING:
            self.pong = number
        else:
            self._ear.meter.pong(number, self._ear.stream.timeline.now)
        inbox.room -= taken
        session.bytes_received += taken
        self.partial = None  # what was begun is complete; what follows is another
        if taken == size:
            inbox.beats += 1
            if self._flood is not None:
                self._flood.calm(self._ear.now)
        elif size - taken > HEADER_SIZE and data[taken + HEADER_SIZE] in EXTENSIONS:
            # Not back to here, whence a flood would come.
            taken += self._read_carefully(data[taken:size], session, inbox)
        else:
            taken += self._read(data[taken:size], size - taken)  # a message, as likely as not a single one
        if self.pong is not None and self._ear.reason is None:
            self._ear.reply(session)
            self._has_told(session)
        return taken

    def _read_carefully(self, data: memoryview, session: Session, inbox: Inbox[Any]) -> int:
        """Do what `_read` does where that may cost much, or is no message."""
        if inbox.budget.holds(self):
            self.hungry = True
            return 0
        if self._costly is not None:
            return self._decode_on(self._costly, data, session, inbox)
        payloads, taken, rest, special = split(data, self.limit, self._ear.limits.max_messages_per_update)
        payloads, taken, rest = share(payloads, taken, rest, self.limit)
        if not self._may_look(payloads):
            return 0
        costly = next((i for i, one in enumerate(payloads) if is_costly(one)), -1)
        if costly == 0:
            return self._decode_on(Costly(self._codec, payloads[0]), data, session, inbox)
        if costly > 0:
            (payloads, taken), rest = front(payloads, costly), 2
        cost = cost_of_frames(data[:taken], payloads)
        if not self._may_decode(cost + len(payloads) * CONTROL if special else cost):
            return 0
        try:
            if special:
                self._sort(payloads)
            else:
                self._deliver(payloads, session, inbox)
            if rest < 0:
                raise breach(data[taken:], self.limit, True)
        except ProtocolError as error:
            self._ear.fail(error.reason)
        if self._ear.reason is not None:
            return len(data)
        if cost > FREE and len(payloads) == 1 and not special:
            inbox.budget.give_back(cost * carried(inbox.events[-1][-1]) // taken)
        self._note_taken(data, taken, rest, session)
        return taken

    def _note_taken(self, data: memoryview, taken: int, rest: int, session: Session) -> None:
        """Count what was taken off the front of `data`, and hear what is left over."""
        self._inbox.room -= taken
        session.bytes_received += taken
        self._note_rest(data, len(data), taken, rest, session)

    def _note_rest(self, data: memoryview, size: int, taken: int, rest: int, session: Session) -> None:
        """Hear what is left over, after so much was taken off the front of the first `size` bytes of `data`.

        That is complete frames beyond those that may be taken at once (1), others (2), or the beginning of one (0).
        """
        if taken:
            self.partial = None  # what was begun is complete; what follows is another
        if self.pong is not None or session.bytes_received > self._acknowledge_at:
            self._ear.reply(session)
            self._has_told(session)
        if rest == 1:
            self._too_much()
            return
        if self._flood is not None:
            self._flood.calm(self._ear.now)
        if rest:
            self.hungry = True
        elif taken != size:
            self._begin_partial(data[taken:size])

    def _begin_partial(self, data: memoryview) -> None:
        """A message has begun to arrive, or goes on to."""
        now, left = self._ear.now, missing(data)
        if self.partial is None:
            self.partial = Partial(now, left)
        elif not self.partial.goes_on(now, left):
            return
        self._ear.stream.reschedule()

    def _may_look(self, payloads: list[memoryview]) -> bool:
        """Tell whether payloads may be looked into for what they cost, which costs something, too; if not, they wait."""
        least = min(COSTLY, least_cost(payloads))  # of what costs more, a part may do for now
        self.hungry = least > FREE and not self._inbox.budget.admits(self, least)
        return not self.hungry

    def _may_decode(self, cost: int) -> bool:
        """Tell whether something that costs `cost` may be decoded now; if not, it waits for another update."""
        budget, stream = self._inbox.budget, self._ear.stream
        if (cost > FREE or self in budget) and not budget.allows(self, cost):
            self.hungry = True
            return False
        if self in budget:
            # It was we who did not read on, so what has piled up meanwhile is neither silence nor a flood.
            stream.heard = now = self._ear.now
            if self._flood is not None:
                self._flood.excuse(now)
            budget.done(self)
        return True

    def _decode_on(self, costly: Costly, data: memoryview, session: Session, inbox: Inbox[Any]) -> int:
        """Go on with a costly message, which is left where it is until it is done."""
        self._costly = None  # whatever interrupts it: what was decoded so far can be decoded again
        try:
            found = costly.go_on(inbox.budget, self)
        except ProtocolError as error:
            self._ear.fail(error.reason)
            return len(data)
        if found is None:
            self._costly, self.hungry = costly, True
            return 0
        self._may_decode(0)
        inbox.budget.give_back(found.cheaper)
        inbox.deliver([found.message], session)
        self._note_taken(data, costly.size, 0 if costly.size == len(data) else 2, session)
        return costly.size

    def _deliver(self, payloads: list[memoryview], session: Session, inbox: Inbox[Any]) -> None:
        """Deliver messages; those before one that is none are delivered, too."""
        messages, error = decode_each(self._codec, payloads)
        inbox.deliver(messages, session)
        if error is not None:
            raise error

    def _sort(self, payloads: list[memoryview]) -> None:
        """Deliver messages, and obey the control messages among them."""
        for payload in payloads:
            control = protocol.decode(payload) if payload[0] in EXTENSIONS else None
            if control is not None:
                self._obey(control)
                if self._ear.reason is not None:
                    return
            elif self.session is not None:
                self._deliver([payload], self.session, self._inbox)
            else:
                raise ProtocolError(ReasonCode.MALFORMED, "a message came before the greeting")

    def _too_much(self) -> None:
        """More was received than one update delivers: deliver the rest later, unless it never stops."""
        self.hungry = True
        now, limits = self._ear.now, self._ear.limits
        if self._flood is None:
            self._flood = Flood(now)
        elif self._flood.goes_on(now) >= limits.flood_timeout:
            most = limits.max_messages_per_update
            text = f"more than max_messages_per_update = {most} messages came, update after update"
            self._ear.fail(Reason(ReasonCode.FLOODING, text))

    def _obey(self, control: Control) -> None:
        if isinstance(control, Hello | Welcome | Bye):
            self._ear.hear(control)
            return
        if self.session is None:
            raise ProtocolError(ReasonCode.MALFORMED, "a control message came before the greeting")
        self.session.acknowledge(control.received)
        match control:
            case Ping(number):
                self.pong = number
            case Pong(number):
                self._ear.meter.pong(number, self._ear.now)
            case Ack():
                pass
            case _:  # pragma: no cover
                assert_never(control)


def _cut_few(
    cut: Callable[..., tuple[list[Any], int] | None], most: int, *arguments: Any
) -> tuple[list[Any], int] | None:
    """Do what a codec's `cut` does where that may be more than the `most` messages that one update delivers."""
    found = cut(*arguments)
    return None if found is None or len(found[0]) > most else found
