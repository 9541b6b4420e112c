"""One stream of bytes: its four states, its way in and out, and who ended what first."""

import math
from collections.abc import Callable
from operator import methodcaller

from netcode.diagnostics import log
from netcode.loop.clock import Timeline
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted, reason_from_error
from netcode.stream.buffer import SendQueue, rest_of
from netcode.stream.closing import Closing
from netcode.stream.connecting import Connecting
from netcode.stream.contract import ALONE, NOTHING, SCRATCH, Host, Owner, Receiver, Source, State
from netcode.stream.draining import Draining, unsent
from netcode.transport import Heard, Transport, abandon

LOOSE = 4096
"""Bytes that may wait without a queue, at most: they are copied to be joined with others."""

DRAIN_READS = 64
"""Reads after a failed write, to find the end that explains it at once."""

# Looked up once per message; a member of an Enum takes long to look up.
_DISCONNECTING, _DISCONNECTED = State.DISCONNECTING, State.DISCONNECTED


class Stream:
    """Moves bytes between a transport and a receiver.

    It is the only writer of its state and of what waits to be sent. What came belongs to the receiver.
    """

    __slots__ = (
        "_buried", "_closing", "_finished", "_loose", "blocked", "connecting", "draining", "ended_input", "heard",
        "host", "outgoing", "owner", "reason", "receiver", "remote_address", "source", "state", "timeline", "torn", "transport",
        "wake", "watched", "where",
    )  # fmt: skip

    def __init__(self, connecting: Connecting, receiver: Receiver, owner: "Owner[Stream]", timeline: Timeline) -> None:
        self.receiver = receiver
        self.owner: Owner[Stream] = owner
        self.source: Source = NOTHING
        self.host: Host[Stream] = ALONE
        self.timeline = timeline
        self.state = State.CONNECTING
        self.reason: Reason | None = None
        self.connecting: Connecting | None = connecting
        self.transport: Transport | None = None
        self.remote_address = connecting.address
        self.heard = timeline.now
        """When something came last. The receiver and the owner move it: what we did not read is no silence."""
        self.ended_input = False
        """Whether the other end has ended its side."""
        self.outgoing: SendQueue | None = None
        """What waits to be sent; None if nothing does, but for a few bytes."""
        self.blocked = False
        """Whether the network did not take everything when it was last offered it."""
        self.where: str | None = connecting.where
        """What it connects to, for sentences; None once it is there."""
        self.draining: Draining | None = None
        """What came before a write failed, from then on: it ends when there is no more of it, of which nobody tells."""
        self.torn = False  # whether an exception left it half-way
        self.watched = -1  # what the host's poller watches for; -1 while it does not watch. The host's
        self.wake = math.inf  # when the host looks at it. The host's
        self._buried = False  # it is over, and everything is given back
        self._loose = b""  # what waits to be sent while there is no queue
        self._closing: Closing | None = None  # once it was to close nicely
        self._finished = False

    # What others may ask.

    @property
    def alive(self) -> bool:
        """Whether it is not over yet."""
        return self.state is not State.DISCONNECTED

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._loose) if self.outgoing is None else self.outgoing.size

    def describe(self) -> str:
        """Return the other end, for sentences."""
        return str(self.remote_address or self.where or "the other end")

    def wants_input(self) -> bool:
        """Tell whether what comes would be read."""
        return not self.ended_input and not self.receiver.hungry and self.receiver.has_room()

    def has_to_send(self) -> bool:
        """Tell whether there is something to send, as far as that can be."""
        ends = self.state is _DISCONNECTING and not self._finished  # the end of our side is what has to be sent
        return self.draining is None and (bool(self.source.batch) or ends or bool(self.waiting))

    def deadline(self) -> float:
        """Return the earliest time at which `check` or the connector has something to do; infinity for never."""
        if self.state is State.DISCONNECTED:
            return math.inf
        when = self.owner.deadline(self)
        for part in (self.connecting, self._closing):
            if part is not None:
                when = min(when, part.due())
        return when

    # Sending and ending.

    def send(self, data: bytes) -> None:
        """Queue bytes that cannot change any more."""
        if self.outgoing is None and not self._loose:  # else the host knows
            self.host.output(self)  # first: an interrupt in between leaves it there for nothing, not never
        if self.outgoing is not None:
            self.outgoing.append(data)
        elif self._loose or len(data) > LOOSE:
            self.outgoing, self._loose = SendQueue(self._loose, data), b""
        else:
            self._loose = data

    def answer(self, data: bytes) -> None:
        """Queue bytes that need not leave before what the game may have to say to what just came."""
        if self.outgoing is not None:
            self.outgoing.append(data)
            return
        if not self._loose:
            self.host.answer(self)
        self._loose += data

    def close(self) -> None:
        """End it at once; what waits to be sent is lost."""
        try:
            self.end(closed_here())
        except BaseException:
            self.interrupted()
            self.torn = True  # what is left of it can only end
            raise

    def close_nicely(self, timeout: float | None, limit: str = "timeout") -> None:
        """End it once everything queued is sent and the other end has had it; after `timeout` seconds in any case.

        None for no limit to the sending. `limit` is what that is called where it was given.
        """
        if self.connecting is not None and not self.waiting:
            self.end(closed_here())
        if self.state is State.DISCONNECTED:
            return
        closing = self._closing = self._closing or Closing()
        if timeout is not None:
            closing.limit(self.timeline.now, timeout, limit)
        if self.state is not _DISCONNECTING:
            self._become(_DISCONNECTING)
            self.host.output(self)  # with nothing queued, the end of our side is what has to be sent
        self.reschedule()

    def end(self, reason: Reason) -> None:
        """End it for `reason`, if it is not over."""
        if self.state is State.DISCONNECTED:
            return
        self.reason = reason
        self._become(State.DISCONNECTED)
        self._bury()

    def interrupted(self) -> None:
        """Note that an exception left a call half-way."""
        self.torn = self.state is State.DISCONNECTED
        self.host.interrupted()

    def break_off(self) -> None:
        """End it because an exception came when it was being stepped; or bring that end to its own."""
        if self.state is not State.DISCONNECTED:
            self.reason = self.reason or interrupted(self.describe())
            self._become(State.DISCONNECTED)
        self._bury()

    def abandon(self) -> None:
        """Be over in a child of the process that it belongs to."""
        self.reason = self.reason or closed_here(TEXT)
        self.state, self.torn, self._buried = State.DISCONNECTED, False, True
        self._give_back(abandon)
        self.source, self.host = NOTHING, ALONE

    # Driving.

    def advance(self, now: float) -> None:
        """Go on connecting."""
        assert self.connecting is not None
        result = self.connecting.advance(now)
        if isinstance(result, Reason):
            self.end(result)
        if result is None or isinstance(result, Reason):
            return
        self.connecting, self.transport, self.where = None, result, None
        self.heard = now
        self.remote_address = result.address or self.remote_address
        if self.state is State.CONNECTING:
            self._become(State.CONNECTED)
        self.host.watch(self)
        self.owner.opened(self)

    def receive(self, now: float, scratch: memoryview) -> bool:
        """Receive once, or have the receiver go on with what it owns; tell whether there may be more at once."""
        transport, receiver = self.transport, self.receiver
        if receiver.hungry:
            if receiver.resume():
                self.host.hold(self)
            return True
        if transport is None or self.ended_input:
            return False
        room: memoryview | None
        room, size = scratch, SCRATCH
        if receiver.rest is not None:
            room = receiver.space(scratch)
            if room is None:
                return False
            if len(room) < transport.grain:
                room = scratch[: transport.grain]
            size = len(room)
        try:
            count = transport.receive_into(room)
        except OSError as error:
            room = None  # it may be the receiver's, who is to hear of this
            self._receive_failed(error)
            return False
        if not count:
            room = None
            self._input_ended()
            return False
        self.heard = now
        if count == size:
            self.host.tell_again(self)
        if receiver.received(room, count):
            self.host.hold(self)
        if self.draining is not None and self.draining.is_over(count):
            self._broke(self.draining.error)
        return True

    def check(self, now: float) -> float:
        """Do what is due at `now`, and return when there is something to do again."""
        closing = self._closing
        if closing is not None and now >= closing.due():
            self.end(closing.reason(self.describe(), unsent(self.waiting, self.draining)))
        if self.blocked and self.outgoing is not None:
            self.outgoing.mark(now)
        if self.state is _DISCONNECTED:
            return math.inf
        when = self.owner.due(self, now)
        return when if closing is None and self.connecting is None else self.deadline()

    def flush(self, now: float) -> None:
        """Send what the network takes, in one call; end our side when we are closing and all is sent."""
        transport, source, queue = self.transport, self.source, self.outgoing
        if transport is None:
            return
        data, self._loose = self._loose, b""
        if source.batch and queue is not None:
            queue.extend(source.collect_apart())
        elif source.batch:
            data = data + source.collect() if data else source.collect()
        try:
            if queue is not None:
                queue.offer(transport, data, now, bulk=self.blocked)
                self.outgoing = queue if queue.size else None  # a signal handler may have added to it since
            elif data and (count := transport.send(data)) != len(data):  # nearly always, the network takes it at once
                self._keep(rest_of(data, count, now))
        except BlockingIOError:
            self._keep(rest_of(data, 0, now))
        except OSError as error:
            self._loose = data if queue is None else b""
            self.send_failed(error, now)
            return
        if queue is not None or self.outgoing is not None:  # else nothing can have changed
            blocked = self.outgoing is not None
            if self.blocked is not blocked:
                self.blocked = blocked
                self.host.watch(self)
            if blocked:
                self.reschedule()
        if self.state is _DISCONNECTING and self.outgoing is None:
            self._finish(transport, now)

    def send_failed(self, error: OSError, now: float) -> None:
        """The other end takes nothing any more: look for what it said first, and keep the error until that is read."""
        if self.ended_input:
            self._broke(error)
            return
        self.draining = self.draining or Draining(error, believes_ends=self.receiver.believes_ends)
        self.draining.unsent += self.waiting
        self.outgoing, self._loose, self.blocked = None, b"", False
        scratch = memoryview(bytearray(SCRATCH))
        # Else one share now, and the rest in the updates to come: a goodbye behind a flood must not cost a frame.
        for _ in range(DRAIN_READS if self.receiver.believes_ends else 1):
            if self.receiver.hungry or not self.receive(now, scratch):
                break
        self.reschedule()

    def reschedule(self) -> None:
        """Tell the host when it has to be looked at."""
        self.host.schedule(self, self.deadline())

    def move_to(self, host: "Host[Stream]", timeline: Timeline) -> None:
        """Live with another host, by another timeline: what was noted by the old one moves along."""
        shift = timeline.now - self.timeline.now
        self.host, self.timeline = host, timeline
        self.heard += shift
        for deadline in (self.connecting, self._closing):
            if deadline is not None:
                deadline.shift(shift)

    # Inside: one writer of the state, one way to end.

    def _become(self, state: State) -> None:
        log.debug("%s: %s -> %s", self.describe(), self.state.value, state.value)
        self.state = state

    def _bury(self) -> None:
        """Give back everything of a stream that is over. Twice is fine."""
        self.host.forget(self)
        if not self._buried:
            self._give_back(methodcaller("close"))
            self.owner.ended(self)
            self._buried = True

    def _give_back(self, how: Callable[[Connecting | Transport], None]) -> None:
        for holder in (self.connecting, self.transport):
            if holder is not None:
                how(holder)
        self.connecting = self.transport = None
        self.outgoing, self._loose = None, b""

    def _keep(self, left: SendQueue) -> None:
        """Keep what the network did not take, in front of what a signal handler has sent meanwhile."""
        while self.outgoing is not None or self._loose:
            queue, data, self.outgoing, self._loose = self.outgoing, self._loose, None, b""
            left.extend([data] if queue is None else queue.chunks)
        self.outgoing = left

    def _receive_failed(self, error: OSError) -> None:
        """There is nothing to receive now, or never again."""
        if not isinstance(error, BlockingIOError):
            self._broke(error)
        elif self.draining is not None:
            self._broke(self.draining.error)
        elif isinstance(error, Heard):
            self.heard = self.timeline.now

    def _input_ended(self) -> None:
        """The other end has ended its side. Who believes that sends first what it was given before."""
        self.ended_input, draining = True, self.draining
        if self._closing is None and (draining is None or not draining.outranks_an_end):
            self._closing = Closing(Reason(ReasonCode.CLOSED_BY_PEER, f"{self.describe()} closed the connection"))
            self.flush(self.timeline.now)
            if self.waiting and self.receiver.believes_ends:
                self._become(_DISCONNECTING)
        if draining is not None:
            self._broke(draining.error)
        elif self._closing is not None and (self._finished or self.state is not _DISCONNECTING):
            self.end(self._closing.done)
        self.host.watch(self)  # it may still read what we are sending

    def _broke(self, error: OSError) -> None:
        closing, waiting = self._closing, unsent(self.waiting, self.draining) if self.receiver.believes_ends else 0
        if closing is None:
            self.end(reason_from_error(error, self.describe()))
        else:  # once everything is sent, how the other end leaves is its own affair
            self.end(closing.done if self._finished else closing.broken(error, self.describe(), waiting))

    def _finish(self, transport: Transport, now: float) -> None:
        """Everything is sent: end our side, and wait for the other end's if that protects what it has not read."""
        if self._finished or self.draining is not None:
            return
        self._finished = True
        transport.finish()
        assert self._closing is not None
        if self.ended_input or not transport.lingers:
            self.end(self._closing.done)
        else:
            self._closing.linger(now)
            self.reschedule()
