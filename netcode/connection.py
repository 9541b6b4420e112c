"""One link that carries bytes: its state, its buffers, its deadlines."""

import errno
import math
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar, assert_never, overload

from netcode import log
from netcode.address import Address
from netcode.buffer import JOIN_BELOW, ReceiveBuffer, SendQueue
from netcode.clock import Clock, Timeline, monotonic
from netcode.forks import TEXT, keep_from_children
from netcode.mistakes import CONNECTION, explains_keywords, hint
from netcode.reasons import Reason, ReasonCode, closed_here, interrupted, reason_from_error
from netcode.transport import Connector, Heard, Network, Ready, Transport, abandon
from netcode.transport.pipe import PipeTransport
from netcode.transport.tcp import TCP
from netcode.waiting import Descriptors, Waiter, check_timeout

CONNECT_TIMEOUT = 5.0
"""Seconds until a connect is given up; the kernel alone would take 127."""

LINGER = 2.0
"""Seconds that `close_nicely()` without a timeout waits for the other end's end once everything is sent."""

MAX_RECEIVE_BUFFER = 65_536
"""Bytes received and not taken at which reading stops until some are taken."""

MAX_SEND_BUFFER = 64 * 1024 * 1024
"""Bytes waiting to be sent at which the link is given up as too slow."""

SCRATCH = 65_536
"""Bytes read from one connection in one update at most."""

LARGE = 65_536
"""Bytes missing from a message from which on the rest is received in place instead of through the scratch."""

DRAIN_READS = 64
"""Reads after a failed write, to find the goodbye that explains it."""

D = TypeVar("D")
D_co = TypeVar("D_co", covariant=True)


class State(Enum):
    """Where a connection, a client or a server is in its life.

    It moves down this list, with one exception: a `Client` whose link broke goes from CONNECTED back to CONNECTING with
    `Away`, and with `Back` it is CONNECTED again. DISCONNECTED is the end of each of them.
    """

    CONNECTING = "connecting"
    """The name is looked up, or an address is being tried. A client also: it is not welcomed yet, or it is away."""
    CONNECTED = "connected"
    """Bytes flow both ways. A client also: it is welcomed. A server: it serves, from the start."""
    DISCONNECTING = "disconnecting"
    """`close_nicely` was called: what is queued is still sent, and what the other end sends still arrives."""
    DISCONNECTED = "disconnected"
    """It is over. A connection and a client have a `reason` that says why."""


_DISCONNECTING = State.DISCONNECTING  # looked up once per message; a member of an Enum takes long to look up


class Sink(Protocol):
    """Who takes the bytes of a connection as they come, instead of its receive buffer."""

    connection: "Connection[Any]"
    """The connection; set by it."""
    missing: int
    """Bytes that the message under way still lacks, if that is known; else 0."""

    def feed(self, data: memoryview, size: int) -> int:
        """Take from the front of the first `size` bytes of `data`, and return how many bytes were taken."""
        ...

    def opened(self) -> None:
        """Hear that the connection is established."""

    def ended(self) -> None:
        """Hear that the connection is over."""

    def deadline(self) -> float:
        """Return when `due` wants to be called; infinity for never."""
        ...

    def due(self, now: float) -> float:
        """Do what is due at `now`, and return when it wants to be called again."""
        ...


class Source(Protocol):
    """Who gathers what is to be sent, and is asked for it right before it leaves."""

    _batch: list[bytes]
    """What was gathered."""

    def _collect(self) -> bytes:
        """Hand over what is in the batch, which is not empty."""
        ...


class Keeper(Protocol):
    """The set that a connection lives in."""

    _with_output: "list[Connection[Any]]"
    """Who has something to send, for the connections to enter themselves."""
    _answering: "list[Connection[Any]]"
    """Who has an answer to send that may wait for the next wait, because more may go with it until then."""

    def _forget(self, connection: "Connection[Any]") -> None:
        """Hear that the connection is over, before its descriptors are closed."""

    def _schedule(self, connection: "Connection[Any]", when: float) -> None:
        """Have the connection looked at when `when` comes."""

    def _watch(self, connection: "Connection[Any]") -> None:
        """Hear that the connection waits for something else than before."""

    def _interrupted(self) -> None:
        """Hear that an exception left a call of the connection half-way."""

    def _tell_again(self, connection: "Connection[Any]") -> None:
        """Hear that there may be more to receive than was received."""


class _PerMessage:
    """What is looked up for each message, side by side in memory: a base class's slots lie before its heirs' own."""

    __slots__ = (
        "_answer",
        "_blocked",
        "_ended_input",
        "_has_output",
        "_heard",
        "_hungry",
        "_incoming",
        "_keeper",
        "_outgoing",
        "_sink",
        "_source",
        "_state",
        "_transport",
    )


class Connection(_PerMessage, Waiter, Generic[D_co]):
    """A link that carries bytes, driven by `update()`.

    Make one with `connect` or `custom`, or let `ConnectionSet.accept` make it. Call `update()` once a frame:
    it moves bytes between the network and the buffers, and never blocks or raises for what the network does.
    Everything else only looks at the buffers.
    """

    __slots__ = (
        "__weakref__",
        "_bits",
        "_buried",
        "_close_at",
        "_close_within",
        "_connector",
        "_data",
        "_finished",
        "_give_up_at",
        "_lingering",
        "_overfull",
        "_ping",
        "_pinged",
        "_reason",
        "_remote_address",
        "_scratch",
        "_send_error",
        "_timeline",
        "_timeout",
        "_torn",
        "_wake",
        "_where",
    )

    def __init__(
        self,
        connector: Connector,
        data: D_co,
        *,
        timeout: float | None,
        ping: bytes | None,
        timeline: Timeline,
        remote_address: Address | None = None,
        sink: Sink | None = None,
    ) -> None:
        check_silence(timeout, ping)
        self._data = data
        self._timeout = timeout
        self._ping = None if ping is None else bytes(ping)
        self._timeline = timeline
        self._connector: Connector | None = connector
        self._transport: Transport | None = None
        self._where: str | None = connector.where
        self._state = State.CONNECTING
        self._torn = False  # an exception left it half-way
        self._buried = False  # it is over, and everything is given back
        self._reason: Reason | None = None
        self._sink = sink
        if sink is not None:
            sink.connection = self
        self._source: Source | None = None
        self._keeper: Keeper | None = None
        self._incoming: ReceiveBuffer | None = None
        self._outgoing: SendQueue | None = None
        self._answer = b""  # to be sent before anything else, but not alone if more comes in time; then nothing waits
        self._overfull = 0  # bytes that waited to be sent when they became too many
        self._scratch: memoryview | None = None
        self._heard = timeline.now
        self._pinged = False
        self._give_up_at: float | None = timeline.now + min(CONNECT_TIMEOUT, timeout or CONNECT_TIMEOUT)
        self._close_at: float | None = None
        self._close_within = 0.0  # the timeout that set it
        self._finished = False
        self._send_error: OSError | None = None
        self._lingering = False
        self._hungry = False
        self._ended_input = False
        self._blocked = False
        self._bits = -1  # what the set's poller watches for; -1 while it does not watch
        self._has_output = False
        self._wake = math.inf
        self._remote_address = remote_address or connector.address

    # What a caller may ask.

    @property
    def state(self) -> State:
        """The state as of the last `update()`, `wait`, `close()` or `close_nicely()`."""
        return self._state

    @property
    def reason(self) -> Reason | None:
        """Why the connection is `DISCONNECTED`; None in every other state. The first reason stays."""
        return self._reason

    @property
    def alive(self) -> bool:
        """Whether the state is anything but `DISCONNECTED`. A dead one may still have bytes to be received."""
        return self._state is not State.DISCONNECTED

    @property
    def data(self) -> D_co:
        """What was given as `data`: yours, netcode does not look at it."""
        return self._data

    @property
    def timeout(self) -> float | None:
        """Seconds of silence that end the connection, or None."""
        return self._timeout

    @property
    def ping(self) -> bytes | None:
        """What is sent by itself after half of `timeout` in silence, or None."""
        return self._ping

    @property
    def remote_address(self) -> Address | None:
        """The other end's address; None while connecting, and for descriptors without one."""
        return self._remote_address

    @property
    def send_buffer_length(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._answer) if self._outgoing is None else self._outgoing.size

    @property
    def receive_buffer_length(self) -> int:
        """Bytes that were received and not taken."""
        return 0 if self._incoming is None else len(self._incoming)

    @property
    def receive_buffer_empty(self) -> bool:
        """Whether there is nothing to receive now."""
        return not self.receive_buffer_length

    def __repr__(self) -> str:
        return f"<Connection {self._state.value} to {self._remote_address or self._where}>"

    # Sending and receiving.

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Queue `data` to be sent by the following updates.

        CONNECTING: it is sent once the connection is established. DISCONNECTING, DISCONNECTED: it is ignored.
        `data` may be changed afterwards; what is sent is what it was. Never blocks.

        If more than `MAX_SEND_BUFFER` bytes are waiting, the next update ends the connection with `TOO_SLOW`; what
        is sent until then is ignored.

        Raises:
            TypeError: `data` is not bytes-like.
        """
        copy = data if type(data) is bytes else _copy(data)
        if self._state in (State.CONNECTING, State.CONNECTED) and copy and not self._overfull:
            try:
                self._queue(copy)
                if self.send_buffer_length > MAX_SEND_BUFFER:
                    self._overfull = self.send_buffer_length
                    self._reschedule()
            except BaseException:
                self._interrupted()
                raise

    def receive(self, length: int) -> bytes | None:
        """Take exactly `length` bytes, or None if fewer are there yet. Works in every state; never blocks.

        Raises:
            TypeError: `length` is no int.
            ValueError: `length` is negative, or above `MAX_RECEIVE_BUFFER`: it could never be there.
        """
        _check_receivable(length)
        return self._take(length) if self.receive_buffer_length >= length else None

    def receive_poll(self, offset: int, length: int) -> bytes | None:
        """Return exactly `length` bytes from `offset` and leave them in the buffer; None if they are not there yet.

        Raises:
            TypeError: `offset` or `length` is no int.
            ValueError: `offset` or `length` is negative, or their sum is above `MAX_RECEIVE_BUFFER`.
        """
        _check_receivable(length)
        _check_receivable(offset)
        _check_receivable(offset + length)
        return self.receive_poll_part(offset, length) if self.receive_buffer_length >= offset + length else None

    def receive_poll_part(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`, perhaps none, and leave them in the buffer.

        Raises:
            TypeError: `offset` or `length` is no int.
            ValueError: `offset` or `length` is negative.
        """
        _check_positive(offset)
        _check_positive(length)
        return b"" if self._incoming is None else self._incoming.peek(offset, length)

    def receive_all(self) -> bytes:
        """Take everything that is there, perhaps nothing."""
        return self._take(self.receive_buffer_length)

    def receive_part(self, length: int) -> bytes:
        """Take up to `length` bytes, perhaps none.

        Raises:
            TypeError: `length` is no int.
            ValueError: `length` is negative.
        """
        _check_positive(length)
        return self._take(length)

    def receive_forget(self, length: int) -> None:
        """Drop exactly `length` bytes unread, or nothing if fewer are there yet: `receive` without the copy.

        Raises:
            TypeError, ValueError: as for `receive`.
        """
        _check_receivable(length)
        if self._incoming is not None and len(self._incoming) >= length:
            self._incoming.drop(length)
            self._rewatch()

    # Ending.

    def close(self) -> None:
        """End the connection at once; what waits to be sent is lost. Does nothing if it is over already."""
        try:
            self._end(closed_here())
        except BaseException:
            self._interrupted()
            self._torn = True  # what is left of it can only end
            raise

    def close_nicely(self, timeout: float | None = None) -> None:
        """End the connection once everything queued is sent and the other end has had it.

        The state is DISCONNECTING meanwhile: bytes that arrive are still received, and `send` is ignored.
        After the last byte, our side of the stream is ended and the other end's end is awaited, because closing
        earlier would destroy what it has not yet read. Keep calling `update()`. Never blocks.

        CONNECTING: with nothing queued, closes at once; else goes on connecting to send it.
        DISCONNECTING: only a shorter `timeout` has an effect. DISCONNECTED: does nothing.

        Args:
            timeout: seconds after which it is over in any case, with `CLOSE_TIMEOUT`. None: no limit for sending,
                and `LINGER` seconds for the other end to finish.

        Raises:
            ValueError: `timeout` is negative or not a number.
        """
        check_timeout(timeout)
        try:
            self._close_nicely(timeout)
        except BaseException:
            self._interrupted()
            raise

    def _close_nicely(self, timeout: float | None) -> None:
        if self._state is State.DISCONNECTED:
            return
        if self._connector is not None and not self.send_buffer_length:
            self._end(closed_here())
            return
        if timeout is not None and (self._close_at is None or self._timeline.now + timeout < self._close_at):
            self._lingering = False
            self._close_within = timeout
            self._close_by(self._timeline.now + timeout)
        if self._state is not State.DISCONNECTING:
            self._become(State.DISCONNECTING)
            self._announce_output()  # with nothing queued, the end of our side is what has to be sent

    # Driving.

    def update(self) -> None:
        """Do what can be done now: connect, receive, send, ping, time out. Call it once a frame. Never blocks.

        CONNECTING: goes on connecting; the state changes when that worked or failed. CONNECTED, DISCONNECTING:
        moves bytes. DISCONNECTED: does nothing. If an exception leaves it, such as Ctrl-C, the next call ends the
        connection, because nobody knows how far it got.
        """
        if self._torn:
            self._break()
            self._torn = False
        now = self._timeline.tick()
        match self._state:
            case State.CONNECTING | State.CONNECTED | State.DISCONNECTING:
                if self._scratch is None:
                    self._scratch = memoryview(bytearray(MAX_RECEIVE_BUFFER if self._sink is None else SCRATCH))
                try:
                    self._step(now, self._scratch)
                except BaseException:
                    self._torn = True
                    raise
            case State.DISCONNECTED:
                pass
            case _:  # pragma: no cover
                assert_never(self._state)

    def instantiate(self) -> Descriptors:
        """Return what `update` waits for: reading if there is room, writing if something is to be sent or connects."""
        if self._connector is not None:
            return self._connector.descriptors()
        transport = self._transport
        if transport is None:
            return [], [], []
        read = [transport.read_fd] if transport.read_fd >= 0 and self._wants_input() else []
        write = [transport.write_fd] if transport.write_fd >= 0 and self._has_to_send() else []
        return read, write, []

    def _before_sleep(self) -> None:
        if not self._blocked and self._has_to_send():
            self._flush(self._timeline.now)

    def _seconds_left(self) -> float | None:
        if self._hungry:
            return 0.0
        deadline = self._deadline()
        return None if deadline == math.inf else self._timeline.until(deadline)

    def _slept(self, seconds: float) -> None:
        self._timeline.tick(seconds)

    def _is_over(self) -> bool:
        return not self.alive  # while it lives, what it waits for may be that somebody takes what was received

    # Inside: one writer of the state, one way to end.

    def _become(self, state: State) -> None:
        log.debug("%s: %s -> %s", self._describe(), self._state.value, state.value)
        self._state = state

    def _end(self, reason: Reason) -> None:
        if self._state is State.DISCONNECTED:
            return
        self._reason = reason
        self._become(State.DISCONNECTED)
        self._bury()

    def _break(self) -> None:
        """End it because an exception came when it was being stepped; or bring that end to its own."""
        if self._state is not State.DISCONNECTED:
            self._reason = self._reason or interrupted(self._describe())
            self._become(State.DISCONNECTED)
        if not self._buried:
            self._bury()
        elif self._keeper is not None:
            self._keeper._forget(self)

    def _abandon(self) -> None:
        """Be over in a child of the process that it belongs to."""
        self._reason = self._reason or closed_here(TEXT)
        self._state = State.DISCONNECTED
        self._torn, self._buried = False, True
        for holder in (self._connector, self._transport):
            if holder is not None:
                abandon(holder)
        self._connector = self._transport = self._keeper = None
        self._outgoing, self._answer, self._source = None, b"", None

    def _interrupted(self) -> None:
        """Note that an exception left a call half-way."""
        self._torn = self._state is State.DISCONNECTED
        if self._keeper is not None:
            self._keeper._interrupted()

    def _bury(self) -> None:
        """Give back everything of a connection that is over. Twice is fine."""
        if self._keeper is not None:
            self._keeper._forget(self)
        for holder in (self._connector, self._transport):
            if holder is not None:
                holder.close()
        self._connector = self._transport = None
        self._outgoing, self._answer = None, b""
        if self._sink is not None:
            self._sink.ended()
            self._incoming = None  # nobody can take what it left over
        self._buried = True

    def _describe(self) -> str:
        return str(self._remote_address or self._where or "the other end")

    def _step(self, now: float, scratch: memoryview) -> None:
        """Do everything, for a connection of which nobody tells us when it is ready."""
        if self._connector is not None:
            self._advance(now)
        if self._transport is not None:
            self._receive(now, scratch)
        if self._state is not State.DISCONNECTED:
            self._check(now)
        if self._transport is not None:
            self._flush(now)

    def _advance(self, now: float) -> None:
        """Go on connecting."""
        assert self._connector is not None
        result = self._connector.advance(now)
        if result is None:
            return
        if isinstance(result, Reason):
            self._end(result)
            return
        self._connector = None
        self._transport = result
        self._where = None
        self._give_up_at = None
        self._heard = now
        self._remote_address = result.address or self._remote_address
        if self._state is State.CONNECTING:
            self._become(State.CONNECTED)
        if self._keeper is not None:
            self._keeper._watch(self)
        if self._sink is not None:
            self._sink.opened()

    def _receive(self, now: float, scratch: memoryview) -> bool:
        """Receive once; tell whether there may be more at once."""
        transport, sink = self._transport, self._sink
        if transport is None or sink is None or self._incoming is not None or self._hungry or self._ended_input:
            return self._receive_otherwise(now, scratch)
        # The usual way, which runs once per message.
        try:
            count = transport.receive_into(scratch)
        except OSError as error:
            self._receive_failed(error)
            return False
        if not count:
            self._input_ended()
            return False
        self._heard = now
        if count == SCRATCH and self._keeper is not None:
            self._keeper._tell_again(self)
        taken = sink.feed(scratch, count)
        if taken != count and self._transport is not None:
            self._keep(scratch[taken:count])
        return True

    def _receive_otherwise(self, now: float, scratch: memoryview) -> bool:
        """Receive for the receive buffer, or behind what was left over, or take only from what was."""
        transport, sink = self._transport, self._sink
        if self._hungry:
            self._hungry = False
            self._feed()
            return True
        if transport is None or self._ended_input:
            return False
        room = SCRATCH
        if sink is None:
            room = MAX_RECEIVE_BUFFER - self.receive_buffer_length
            if room > 0:
                scratch = scratch[: max(room, transport.grain)]
            elif self._state is not State.DISCONNECTING:
                return False
        elif self._incoming is not None and sink.missing >= LARGE:
            return self._receive_large(sink, transport, now, self._incoming)
        count = self._receive_into(scratch, transport, now)
        if not count:
            return False
        if sink is None:
            self._pinged = False
            if room > 0:  # else it is closing, and reads only to let the other end finish
                self._keep(scratch[:count])
            if room <= count:
                self._rewatch()
        else:
            self._keep(scratch[:count])
            self._feed()
        return True

    def _receive_failed(self, error: OSError) -> None:
        """There is nothing to receive now, or never again."""
        if not isinstance(error, BlockingIOError):
            self._broke(error)
        elif self._send_error is not None:
            self._broke(self._send_error)
        elif isinstance(error, Heard):
            self._heard = self._timeline.now

    def _receive_large(self, sink: Sink, transport: Transport, now: float, incoming: ReceiveBuffer) -> bool:
        """Receive more of a large message, straight to where the rest of it is."""
        with incoming.room(sink.missing) as room:
            count = self._receive_into(room, transport, now)
        if not count:
            return False
        incoming.added(count)
        self._feed()
        return True

    def _receive_into(self, room: memoryview, transport: Transport, now: float) -> int:
        """Receive into `room`, and return how many bytes; 0 where there is nothing now, or will never be."""
        try:
            count = transport.receive_into(room)
        except OSError as error:
            self._receive_failed(error)
            return 0
        if count:
            self._heard = now
            if count == len(room) and self._keeper is not None:
                self._keeper._tell_again(self)
        else:
            self._input_ended()
        return count

    def _keep(self, data: memoryview) -> None:
        if self._incoming is None:
            self._incoming = ReceiveBuffer()
        self._incoming.append(data)

    def _feed(self) -> None:
        """Offer the sink what it left over."""
        incoming, sink = self._incoming, self._sink
        if incoming is None or sink is None:
            return
        held = len(incoming)
        with incoming.view() as view:
            taken = sink.feed(view, held)
        incoming.drop(taken)
        if taken == held <= SCRATCH:
            self._incoming = None  # a larger one is kept for the next large message

    def _input_ended(self) -> None:
        """The other end has ended its side."""
        if self._send_error is not None:
            self._broke(self._send_error)
        elif self._state is not State.DISCONNECTING:
            self._ended_input = True
            self._flush(self._timeline.now)
            self._end(Reason(ReasonCode.CLOSED_BY_PEER, f"{self._describe()} closed the connection"))
        elif self._finished:
            self._end(closed_here())
        else:
            self._ended_input = True  # it may still read what we are sending
            self._rewatch()

    def _broke(self, error: OSError) -> None:
        if self._finished:
            self._end(closed_here())  # everything was sent; how the other end leaves is its own affair
        else:
            self._end(reason_from_error(error, self._describe()))

    def _queue(self, data: bytes) -> None:
        """Queue bytes that cannot change any more."""
        outgoing = self._outgoing
        if outgoing is None:
            outgoing = self._outgoing = SendQueue()
        if self._answer:
            outgoing.append(self._answer)
            self._answer = b""
        if not self._has_output:
            self._announce_output()
        outgoing.append(data)

    def _queue_answer(self, data: bytes) -> None:
        """Queue bytes that need not leave before what the game may have to say to what just came."""
        if self._outgoing is not None:
            self._queue(data)
            return
        self._answer += data
        if not self._has_output and self._keeper is not None:
            self._keeper._answering.append(self)

    def _move_to(self, timeline: Timeline) -> None:
        """Live by another timeline: what was noted by the old one moves along."""
        shift = timeline.now - self._timeline.now
        self._timeline = timeline
        self._heard += shift
        self._give_up_at = None if self._give_up_at is None else self._give_up_at + shift
        self._close_at = None if self._close_at is None else self._close_at + shift

    def _announce_output(self) -> None:
        if not self._has_output and self._keeper is not None:
            self._keeper._with_output.append(self)  # first: an interrupt in between leaves it there twice, not never
            self._has_output = True

    def _flush(self, now: float) -> None:
        """Send what the network takes, in one call; end our side when we are closing and all is sent."""
        self._has_output = False
        transport, source, queue = self._transport, self._source, self._outgoing
        if transport is None:
            return
        data = self._answer
        if source is not None and source._batch:
            data = data + source._collect() if data else source._collect()
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
                self._send_failed(error, now)
                return
            if count != len(data):
                queue = self._outgoing = SendQueue()
                queue.append(data)
                self._sent_in_part(queue, count, now)
                return
        if self._state is _DISCONNECTING and not self._finished and self._send_error is None:
            self._finish(transport, now)

    def _send_queued(self, transport: Transport, queue: SendQueue, now: float) -> bool:
        """Send from the queue; tell whether the network took it all."""
        try:
            chunks = queue.join()
            alone = len(chunks) == 1 and queue.size < JOIN_BELOW and not self._blocked  # else it may end a bulk
            count = transport.send(chunks[0]) if alone else transport.send_chunks(chunks)
        except BlockingIOError:
            count = 0
        except OSError as error:
            self._send_failed(error, now)
            return False
        if count != queue.size:
            self._sent_in_part(queue, count, now)
            return False
        self._outgoing = None
        if self._blocked:
            self._blocked = False
            self._rewatch()
        return True

    def _sent_in_part(self, queue: SendQueue, count: int, now: float) -> None:
        """The network took the first `count` bytes: wait until it takes more."""
        queue.sent(count, now)
        if not self._blocked:
            self._blocked = True
            self._rewatch()
        self._reschedule()

    def _finish(self, transport: Transport, now: float) -> None:
        """Everything is sent: end our side, and wait for the other end's if that protects what it has not read."""
        self._finished = True
        transport.finish()
        if self._ended_input or not transport.lingers:
            self._end(closed_here())
        elif self._close_at is None:
            self._lingering = True
            self._close_by(now + LINGER)

    def _send_failed(self, error: OSError, now: float) -> None:
        """The other end takes nothing any more: look for what it said first."""
        if self._ended_input and self._state is not State.DISCONNECTING:
            return  # the other end's end has been heard, and is the reason
        self._outgoing = None
        scratch = self._scratch or memoryview(bytearray(MAX_RECEIVE_BUFFER))
        if self._sink is not None or error.errno != errno.EPIPE:
            # It outranks a clean end, as which the kernel shows it once it is known. EPIPE alone just follows an end.
            error.__traceback__ = error.__context__ = None  # they would keep the frames of the game
            self._send_error = self._send_error or error
        if self._sink is not None and not self._ended_input:
            # One share now, and the rest in the updates to come: a goodbye behind a flood must not cost a frame.
            if not self._hungry:
                self._receive(now, scratch)
            return
        for _ in range(DRAIN_READS):
            if not self._receive(now, scratch):
                break
        self._broke(error)

    def _check(self, now: float) -> float:
        """Do what is due at `now`, and return when there is something to do again."""
        sink = self._sink
        if sink is None or self._transport is None or self._close_at is not None or self._blocked:
            return self._check_otherwise(now)
        return sink.due(now)  # the usual way, which runs once a second for each of thousands

    def _check_otherwise(self, now: float) -> float:
        if self._give_up_at is not None and now >= self._give_up_at:
            hint = "" if self._connector is None else self._connector.hint
            self._end(Reason(ReasonCode.CONNECT_TIMEOUT, f"{self._describe()} {hint}"))
        elif self._overfull:
            text = f"{self._overfull} bytes are waiting, over MAX_SEND_BUFFER = {MAX_SEND_BUFFER}"
            self._end(Reason(ReasonCode.TOO_SLOW, f"{self._describe()} does not take what is sent: {text}"))
        elif self._close_at is not None and now >= self._close_at:
            self._close_timed_out()
        elif self._timeout is not None and self._transport is not None:
            self._check_silence(now, self._timeout)
        if self._state is State.DISCONNECTED:
            return math.inf
        if self._blocked and self._outgoing is not None:
            self._outgoing.mark(now)
        if self._sink is not None:
            self._sink.due(now)
        return self._deadline()

    def _check_silence(self, now: float, timeout: float) -> None:
        # Compared as `_deadline` computes it: what is due by the one must be due by the other, to the last bit.
        silent = now >= self._heard + timeout
        if silent and not self._pinged:
            # A pause of ours took the time in which it would have been asked: it has the second half from now on.
            self._heard = now - timeout / 2
            self._ping_for_silence()
        elif silent and (self._ended_input or self._wants_input()):
            text = f"nothing was heard from {self._describe()} for timeout = {timeout:g} s"
            self._end(Reason(ReasonCode.TIMEOUT, text))
        elif silent:
            self._heard = now  # it is our side that does not listen: nobody takes what was received
            self._pinged = False
        elif now >= self._heard + timeout / 2 and not self._pinged:
            self._ping_for_silence()

    def _ping_for_silence(self) -> None:
        self._pinged = True
        if self._ping and self._state is State.CONNECTED:
            self._queue(self._ping)

    def _close_timed_out(self) -> None:
        unsent = self.send_buffer_length
        if self._lingering:
            self._end(closed_here())
            return
        left = f"{unsent} bytes were not sent" if unsent else "it did not finish"
        limit = "timeout" if self._sink is None else "close_timeout"  # what it is called where it was given
        within = f"within {limit} = {self._close_within:g} s"
        text = f"gave up closing the connection to {self._describe()} nicely: {left} {within}"
        self._end(Reason(ReasonCode.CLOSE_TIMEOUT, text))

    def _close_by(self, when: float) -> None:
        self._close_at = when if self._close_at is None else min(self._close_at, when)
        self._reschedule()

    def _deadline(self) -> float:
        """Return the earliest time at which `_check` or the connector has something to do; infinity for never."""
        if self._state is State.DISCONNECTED:
            return math.inf
        if self._overfull:
            return self._timeline.now
        when = math.inf
        if self._give_up_at is not None:
            when = self._give_up_at
        if self._close_at is not None and self._close_at < when:
            when = self._close_at
        if self._timeout is not None and self._transport is not None:
            when = min(when, self._heard + (self._timeout if self._pinged else self._timeout / 2))
        if self._connector is not None and (due := self._connector.due()) is not None:
            when = min(when, due)
        if self._sink is not None:
            when = min(when, self._sink.deadline())
        return when

    def _reschedule(self) -> None:
        """Tell the set when we have to be looked at, if that is earlier than it knows."""
        if self._keeper is not None:
            deadline = self._deadline()
            if deadline < self._wake:
                self._wake = deadline
                self._keeper._schedule(self, deadline)

    def _wants_input(self) -> bool:
        if self._ended_input or self._hungry:
            return False
        if self._sink is not None or self._state is State.DISCONNECTING:
            return True
        return self._incoming is None or len(self._incoming) < MAX_RECEIVE_BUFFER

    def _has_to_send(self) -> bool:
        if self._source is not None and self._source._batch:
            return True
        # With nothing queued, the end of our side is what has to be sent when we are closing.
        return bool(self.send_buffer_length) or (self._state is State.DISCONNECTING and not self._finished)

    def _rewatch(self) -> None:
        if self._keeper is not None:
            self._keeper._watch(self)

    def _take(self, length: int) -> bytes:
        if self._incoming is None:
            return b""
        taken = self._incoming.take(length)
        if taken:
            self._rewatch()
        return taken


hint(Connection, CONNECTION)


def _copy(data: bytes | bytearray | memoryview) -> bytes:
    try:
        return bytes(memoryview(data))
    except TypeError:
        kind = type(data).__name__
        text = (
            f"a connection sends bytes, not {kind}; for messages such as {kind} use netcode.Client and netcode.Server"
        )
        raise TypeError(text) from None


@overload
def connect(
    host: str,
    port: int,
    data: None = None,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[None]: ...
@overload
def connect(
    host: str,
    port: int,
    data: D,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[D]: ...
@explains_keywords("connect")
def connect(
    host: str,
    port: int,
    data: Any = None,
    *,
    timeout: float | None = None,
    ping: bytes | None = None,
    network: Network = TCP,
    clock: Clock = monotonic,
) -> Connection[Any]:
    """Start to connect to a server. Returns at once; call `update()` until `state` is no longer CONNECTING.

    Names are looked up beside the game, and IPv6 and IPv4 addresses are raced, so nothing here ever blocks.
    What goes wrong on the network becomes `reason`.

    Args:
        host: an IPv4 or IPv6 address, or a name.
        port: from 1 to 65535.
        data: anything of yours to keep with the connection.
        timeout: seconds of nothing received after which the connection ends by itself; None for never.
            Connecting itself takes at most `CONNECT_TIMEOUT` seconds, or `timeout` if that is less.
        ping: sent by itself when nothing was received for half of `timeout`.
        network, clock: what to connect over and how to tell the time, for tests.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    timeline = Timeline(clock)
    connector = network.connect(host, port, timeline.now)
    return keep_from_children(Connection(connector, data, timeout=timeout, ping=ping, timeline=timeline))


@overload
def custom(
    data: None = None,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[None]: ...
@overload
def custom(
    data: D,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[D]: ...
@explains_keywords("custom")
def custom(
    data: Any = None,
    *,
    input: object | None = None,
    output: object | None = None,
    timeout: float | None = None,
    ping: bytes | None = None,
    remote_address: Address | None = None,
    clock: Clock = monotonic,
) -> Connection[Any]:
    """Make a connection of descriptors that are there already: pipes, standard input and output, a socketpair.

    The first `update()` makes it CONNECTED. It owns the descriptors from now on: they are made non-blocking,
    and closed at its end (a terminal's blocking mode is given back).

    Args:
        data, timeout, ping: as for `connect`.
        input: a descriptor, or an object with `fileno()`, to receive from. None: nothing will ever be received.
        output: where to send to; may be the same as `input`. None: what is sent is ignored.
        remote_address: what the property of that name shall say.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be; on Windows, a descriptor is no socket.
        OSError: a descriptor is closed.
    """
    check_silence(timeout, ping)  # before the descriptors change hands
    transport = PipeTransport(input, output, remote_address)
    timeline = Timeline(clock)
    return keep_from_children(
        Connection(Ready(transport), data, timeout=timeout, ping=ping, timeline=timeline, remote_address=remote_address)
    )


def check_silence(timeout: float | None, ping: bytes | None) -> None:
    """Raise `ValueError` or `TypeError` for what cannot be the `timeout` and the `ping` of a connection."""
    if timeout is not None and not 0 < timeout < math.inf:
        raise ValueError(f"timeout must be seconds above 0, or None, not {timeout}")
    if ping is not None:
        memoryview(ping)


def _check_positive(number: int) -> None:
    if not isinstance(number, int):
        raise TypeError(f"a length or an offset must be an int, not {type(number).__name__}")
    if number < 0:
        raise ValueError(f"a length or an offset must be 0 or more, not {number}")


def _check_receivable(length: int) -> None:
    _check_positive(length)
    if length > MAX_RECEIVE_BUFFER:
        raise ValueError(
            f"{length} bytes can never be there at once: the receive buffer holds MAX_RECEIVE_BUFFER = "
            f"{MAX_RECEIVE_BUFFER}; take them in parts with receive_part"
        )
