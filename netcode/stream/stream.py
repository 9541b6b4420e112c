"""One stream of bytes: its four states, its way in and out, and who ended what first."""

import errno
import math

from netcode.address import Address
from netcode.diagnostics import log
from netcode.loop.clock import Timeline
from netcode.loop.forks import TEXT
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted, reason_from_error
from netcode.stream.buffer import JOIN_BELOW, SendQueue
from netcode.stream.closing import Closing
from netcode.stream.connecting import CONNECT_TIMEOUT, Connecting
from netcode.stream.contract import ALONE, SCRATCH, Host, Owner, Receiver, Source, State
from netcode.transport import Connector, Heard, Transport, abandon

DRAIN_READS = 64
"""Reads after a failed write, to find the end that explains it."""

_DISCONNECTING = State.DISCONNECTING  # looked up once per message; a member of an Enum takes long to look up


class Stream:
    """Moves bytes between a transport and a receiver.

    It is the only writer of its state and of what waits to be sent. What came belongs to the receiver.
    """

    __slots__ = (
        "_answer",
        "_buried",
        "_closing",
        "_finished",
        "_send_error",
        "announced",
        "blocked",
        "connecting",
        "ended_input",
        "heard",
        "host",
        "outgoing",
        "owner",
        "reason",
        "receiver",
        "remote_address",
        "source",
        "state",
        "timeline",
        "torn",
        "transport",
        "wake",
        "watched",
        "where",
    )

    def __init__(
        self,
        connector: Connector,
        receiver: Receiver,
        owner: "Owner[Stream]",
        timeline: Timeline,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        remote_address: Address | None = None,
    ) -> None:
        self.receiver = receiver
        self.owner: Owner[Stream] = owner
        self.source: Source | None = None
        self.host: Host[Stream] = ALONE
        self.timeline = timeline
        self.state = State.CONNECTING
        self.reason: Reason | None = None
        self.connecting: Connecting | None = Connecting(connector, timeline.now + connect_timeout)
        self.transport: Transport | None = None
        self.remote_address = remote_address or connector.address
        self.heard = timeline.now
        """When something came last. The receiver and the owner move it: what we did not read is no silence."""
        self.ended_input = False
        """Whether the other end has ended its side."""
        self.outgoing: SendQueue | None = None
        """What waits to be sent; None if nothing does."""
        self.blocked = False
        """Whether the network did not take everything when it was last offered it."""
        self.torn = False
        """Whether an exception left it half-way."""
        self.announced = False
        """Whether the host knows that it has something to send."""
        self.watched = -1
        """What the host's poller watches for; -1 while it does not watch. The host's."""
        self.wake = math.inf
        """When the host looks at it. The host's."""
        self.where: str | None = connector.where
        """What it connects to, for sentences; None once it is there."""
        self._buried = False  # it is over, and everything is given back
        self._answer = b""  # to be sent before anything else, but not alone if more comes in time; then nothing waits
        self._closing: Closing | None = None  # once it was to close nicely
        self._finished = False
        self._send_error: OSError | None = None

    # What others may ask.

    @property
    def alive(self) -> bool:
        """Whether it is not over yet."""
        return self.state is not State.DISCONNECTED

    @property
    def now(self) -> float:
        """The time of the present update."""
        return self.timeline.now

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._answer) if self.outgoing is None else self.outgoing.size

    def describe(self) -> str:
        """Return the other end, for sentences."""
        return str(self.remote_address or self.where or "the other end")

    def wants_input(self) -> bool:
        """Tell whether what comes would be read."""
        if self.ended_input or self.receiver.hungry:
            return False
        return self.state is _DISCONNECTING or self.receiver.has_room()

    def has_to_send(self) -> bool:
        """Tell whether there is something to send."""
        if self.source is not None and self.source.batch:
            return True
        # With nothing queued, the end of our side is what has to be sent when we are closing.
        return bool(self.waiting) or (self.state is _DISCONNECTING and not self._finished)

    def deadline(self) -> float:
        """Return the earliest time at which `check` or the connector has something to do; infinity for never."""
        if self.state is State.DISCONNECTED:
            return math.inf
        when = self.owner.deadline(self)
        if self.connecting is not None:
            when = min(when, self.connecting.due())
        if self._closing is not None:
            when = min(when, self._closing.at)
        return when

    # Sending and ending.

    def send(self, data: bytes) -> None:
        """Queue bytes that cannot change any more."""
        outgoing = self.outgoing
        if outgoing is None:
            outgoing = self.outgoing = SendQueue()
        if self._answer:
            outgoing.append(self._answer)
            self._answer = b""
        if not self.announced:
            self.announce()
        outgoing.append(data)

    def answer(self, data: bytes) -> None:
        """Queue bytes that need not leave before what the game may have to say to what just came."""
        if self.outgoing is not None:
            self.send(data)
            return
        self._answer += data
        if not self.announced:
            self.host.answer(self)

    def probe(self) -> None:
        """Ask what carries the bytes for a sign of life, without one of ours."""
        if self.transport is not None:
            self.transport.probe()

    def announce(self) -> None:
        """Have the host ask for what is to be sent."""
        if not self.announced:
            tell = self.host.output
            tell(self)  # first: an interrupt in between leaves it there twice, not never
            self.announced = True

    def close(self) -> None:
        """End it at once; what waits to be sent is lost."""
        try:
            self.end(closed_here())
        except BaseException:
            self.interrupted()
            self.torn = True  # what is left of it can only end
            raise

    def close_nicely(self, timeout: float | None, limit: str = "timeout") -> None:
        """End it once everything queued is sent and the other end has had it.

        Args:
            timeout: seconds after which it is over in any case; None for no limit to the sending.
            limit: what that is called where it was given.
        """
        if self.state is State.DISCONNECTED:
            return
        if self.connecting is not None and not self.waiting:
            self.end(closed_here())
            return
        closing = self._closing = self._closing or Closing()
        if timeout is not None:
            closing.limit(self.now, timeout, limit)
            self.reschedule()
        if self.state is not _DISCONNECTING:
            self._become(_DISCONNECTING)
            self.announce()  # with nothing queued, the end of our side is what has to be sent

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
        if self._buried:
            self.host.forget(self)
        else:
            self._bury()

    def abandon(self) -> None:
        """Be over in a child of the process that it belongs to."""
        self.reason = self.reason or closed_here(TEXT)
        self.state = State.DISCONNECTED
        self.torn, self._buried = False, True
        if self.connecting is not None:
            self.connecting.abandon()
        if self.transport is not None:
            abandon(self.transport)
        self.connecting = self.transport = None
        self.outgoing, self._answer, self.source, self.host = None, b"", None, ALONE

    # Driving.

    def advance(self, now: float) -> None:
        """Go on connecting."""
        assert self.connecting is not None
        result = self.connecting.advance(now)
        if result is None:
            return
        if isinstance(result, Reason):
            self.end(result)
            return
        self.connecting = None
        self.transport = result
        self.where = None
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
        room, size = scratch, SCRATCH
        if receiver.rest is not None:
            behind = self._room_behind(transport, scratch)
            if behind is None:
                return False
            room, size = behind, len(behind)
        try:
            count = transport.receive_into(room)
        except OSError as error:
            if room is not scratch:
                room.release()
            self._receive_failed(error)
            return False
        if not count:
            if room is not scratch:
                room.release()
            self._input_ended()
            return False
        self.heard = now
        if count == size:
            self.host.tell_again(self)
        if receiver.received(room, count):
            self.host.hold(self)
        return True

    def check(self, now: float) -> float:
        """Do what is due at `now`, and return when there is something to do again."""
        if self.transport is None or self._closing is not None or self.blocked:
            return self._check_otherwise(now)
        return self.owner.due(self, now)  # the usual way, which runs once a second for each of thousands

    def flush(self, now: float) -> None:
        """Send what the network takes, in one call; end our side when we are closing and all is sent."""
        self.announced = False
        transport, source, queue = self.transport, self.source, self.outgoing
        if transport is None:
            return
        data = self._answer
        if source is not None and source.batch:
            data = data + source.collect() if data else source.collect()
        if queue is not None:
            if data:
                queue.append(data)
            if not self._send_queued(transport, queue, now):
                return
        elif data:  # nothing waits before it: nearly always, the network takes it at once
            self._answer = b""
            try:
                count = transport.send(data)
            except BlockingIOError:
                count = 0
            except OSError as error:
                self.send_failed(error, now)
                return
            if count != len(data):
                queue = self.outgoing = SendQueue()
                queue.append(data)
                self._sent_in_part(queue, count, now)
                return
        if self.state is _DISCONNECTING and not self._finished and self._send_error is None:
            self._finish(transport, now)

    def send_failed(self, error: OSError, now: float) -> None:
        """The other end takes nothing any more: look for what it said first."""
        if self.ended_input and self.state is not _DISCONNECTING:
            return  # the other end's end has been heard, and is the reason
        self.outgoing = None
        scratch = memoryview(bytearray(SCRATCH))
        if not self.receiver.believes_ends or error.errno != errno.EPIPE:
            # It outranks a clean end, as which the kernel shows it once it is known. EPIPE alone just follows an end.
            error.__traceback__ = error.__context__ = None  # they would keep the frames of the game
            self._send_error = self._send_error or error
        if not self.receiver.believes_ends and not self.ended_input:
            # One share now, and the rest in the updates to come: a goodbye behind a flood must not cost a frame.
            if not self.receiver.hungry:
                self.receive(now, scratch)
            return
        for _ in range(DRAIN_READS):
            if not self.receive(now, scratch):
                break
        self._broke(error)

    # For the host.

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
        self.announced = False

    # Inside: one writer of the state, one way to end.

    def _become(self, state: State) -> None:
        log.debug("%s: %s -> %s", self.describe(), self.state.value, state.value)
        self.state = state

    def _bury(self) -> None:
        """Give back everything of a stream that is over. Twice is fine."""
        self.host.forget(self)
        for holder in (self.connecting, self.transport):
            if holder is not None:
                holder.close()
        self.connecting = self.transport = None
        self.outgoing, self._answer = None, b""
        self.owner.ended(self)
        self._buried = True

    def _room_behind(self, transport: Transport, scratch: memoryview) -> memoryview | None:
        """Return where to receive to behind what the receiver owns; None for nowhere."""
        room = self.receiver.space(scratch)
        if room is None:
            return scratch if self.state is _DISCONNECTING else None
        return room if len(room) >= transport.grain else scratch[: transport.grain]

    def _receive_failed(self, error: OSError) -> None:
        """There is nothing to receive now, or never again."""
        if not isinstance(error, BlockingIOError):
            self._broke(error)
        elif self._send_error is not None:
            self._broke(self._send_error)
        elif isinstance(error, Heard):
            self.heard = self.now

    def _input_ended(self) -> None:
        """The other end has ended its side."""
        if self._send_error is not None:
            self._broke(self._send_error)
        elif self.state is not _DISCONNECTING:
            self.ended_input = True
            self.flush(self.now)
            self.end(Reason(ReasonCode.CLOSED_BY_PEER, f"{self.describe()} closed the connection"))
        elif self._finished:
            self.end(closed_here())
        else:
            self.ended_input = True  # it may still read what we are sending
            self.host.watch(self)

    def _broke(self, error: OSError) -> None:
        if self._finished:
            self.end(closed_here())  # everything was sent; how the other end leaves is its own affair
        else:
            self.end(reason_from_error(error, self.describe()))

    def _send_queued(self, transport: Transport, queue: SendQueue, now: float) -> bool:
        """Send from the queue; tell whether the network took it all."""
        try:
            chunks = queue.join()
            alone = len(chunks) == 1 and queue.size < JOIN_BELOW and not self.blocked  # else it may end a bulk
            count = transport.send(chunks[0]) if alone else transport.send_chunks(chunks)
        except BlockingIOError:
            count = 0
        except OSError as error:
            self.send_failed(error, now)
            return False
        if count != queue.size:
            self._sent_in_part(queue, count, now)
            return False
        self.outgoing = None
        if self.blocked:
            self.blocked = False
            self.host.watch(self)
        return True

    def _sent_in_part(self, queue: SendQueue, count: int, now: float) -> None:
        """The network took the first `count` bytes: wait until it takes more."""
        queue.sent(count, now)
        if not self.blocked:
            self.blocked = True
            self.host.watch(self)
        self.reschedule()

    def _finish(self, transport: Transport, now: float) -> None:
        """Everything is sent: end our side, and wait for the other end's if that protects what it has not read."""
        self._finished = True
        transport.finish()
        if self.ended_input or not transport.lingers:
            self.end(closed_here())
        else:
            assert self._closing is not None
            self._closing.linger(now)
            self.reschedule()

    def _check_otherwise(self, now: float) -> float:
        if self._closing is not None and now >= self._closing.at:
            self.end(self._closing.reason(self.describe(), self.waiting))
        if self.blocked and self.outgoing is not None:
            self.outgoing.mark(now)
        if self.state is not State.DISCONNECTED:
            self.owner.due(self, now)
        return self.deadline()
