"""The receiver of those who speak bytes: what came waits until it is taken, and silence has a limit."""

import math
import sys
from typing import ClassVar

from netcode.reasons import Reason, ReasonCode
from netcode.stream.contract import SCRATCH, State
from netcode.stream.stream import Stream

MAX_RECEIVE_BUFFER = 65_536
"""Bytes received and not taken at which reading stops until some are taken."""

MAX_SEND_BUFFER = 64 * 1024 * 1024
"""Bytes waiting to be sent at which the link is given up as too slow."""


TAKES = 0.5
"""Seconds for which a nice close, or an end behind what came before it, waits for somebody to take what fills the buffer.
Then it reads on all the same, and keeps nothing of that: who only wants to leave, or only sends, does not take, and the
other end may have to be rid of what it sends."""


class Intake:
    """What was received and not yet taken, with a bound, and the deadlines of the stream that it comes from and owns."""

    __slots__ = ("_drops", "_drops_at", "_taken", "hungry", "overfull", "ping", "pinged", "rest", "timeout")

    believes_ends: ClassVar[bool] = True

    def __init__(self, timeout: float | None, ping: bytes | None) -> None:
        check_silence(timeout, ping)
        self.timeout = timeout
        """Seconds of silence that end the stream, or None."""
        self.ping = None if ping is None else bytes(ping)
        """What is sent after half of `timeout` in silence, or None."""
        self.rest: bytes | None = None  # with what was taken from its front; None if nothing is left
        self._taken = 0
        self._drops = False  # for good: what comes is read only to let the other end finish
        self._drops_at = math.inf  # when that begins, if nobody takes anything until then
        self.hungry = False  # for good: it waits for whoever takes
        self.pinged = False
        self.overfull = 0
        """Bytes that waited to be sent when they became too many."""

    def held(self) -> int:
        """Return how many bytes are there."""
        return 0 if self.rest is None else len(self.rest) - self._taken

    def bound(self, stream: Stream) -> None:
        """Hear that something was sent: the next update ends the stream if too much waits."""
        queue = stream.outgoing  # without one, little waits
        if queue is not None and queue.size > MAX_SEND_BUFFER:
            self.overfull = queue.size
            stream.reschedule()

    def peek(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        start = self._taken + offset
        return b"" if self.rest is None else self.rest[start : start + length]

    def take(self, stream: Stream, length: int) -> bytes:
        """Hand over up to `length` bytes; there is room for as many again."""
        taken = self.peek(0, length)
        self.forget(stream, len(taken))
        return taken

    def forget(self, stream: Stream, length: int) -> None:
        """Drop exactly `length` bytes, or nothing if fewer are there."""
        left = self.held() - length
        if left < 0:
            return
        if left:
            self._taken += length
        else:
            self.rest, self._taken = None, 0
        if left + length >= MAX_RECEIVE_BUFFER:
            self._drops_at = math.inf
            stream.host.watch(stream)

    # Its stream's receiver.

    def has_room(self) -> bool:
        return self._drops or self.held() < MAX_RECEIVE_BUFFER

    @property
    def waits_for_game(self) -> bool:
        return False

    def space(self, scratch: memoryview) -> memoryview | None:
        left = SCRATCH if self._drops else MAX_RECEIVE_BUFFER - self.held()
        return scratch[:left] if left > 0 else None

    def received(self, room: memoryview, count: int) -> bool:
        self.pinged = False
        if self._drops:
            return False
        if self.rest is None:
            self.rest = bytes(room[:count])
            return count >= MAX_RECEIVE_BUFFER
        # Copied anew each time: a bound is on it, and nearly always nothing is left.
        self.rest, self._taken = self.peek(0, self.held()) + room[:count], 0
        return not self.has_room()

    def resume(self) -> bool:
        return False

    # Its stream's owner.

    def opened(self, stream: Stream) -> None: ...

    def ended(self, stream: Stream) -> None: ...

    def deadline(self, stream: Stream) -> float:
        if self.overfull:
            return stream.timeline.now
        when = min(self._drops_at, stream.timeline.now + TAKES) if self._is_in_the_way(stream) else math.inf
        if self.timeout is None or stream.transport is None:
            return when
        return min(when, stream.heard + (self.timeout if self.pinged else self.timeout / 2))

    def due(self, stream: Stream, now: float) -> float:
        if self.overfull:
            text = f"{self.overfull} bytes are waiting, over MAX_SEND_BUFFER = {MAX_SEND_BUFFER}"
            stream.end(Reason(ReasonCode.TOO_SLOW, f"{stream.describe()} does not take what is sent: {text}"))
        elif self.timeout is not None and stream.transport is not None:
            self._check_silence(stream, now, self.timeout)
        if self._is_in_the_way(stream):
            self._drops = now >= self._drops_at
            # From an update on, and no earlier: before it, time may have passed in which nobody could take.
            self._drops_at = min(self._drops_at, now + TAKES)
            if self._drops:
                stream.host.watch(stream)
        return stream.deadline()

    def _is_in_the_way(self, stream: Stream) -> bool:
        """Tell whether a nice close, or the end after a failed write, waits for somebody to take what is there."""
        ends = stream.state is State.DISCONNECTING or stream.draining is not None
        return ends and not stream.ended_input and not self.has_room()

    def _check_silence(self, stream: Stream, now: float, timeout: float) -> None:
        listens, queue = stream.wants_input(), stream.outgoing
        took = None if listens or queue is None else queue.stuck_since()
        if took is not None:
            stream.heard = max(stream.heard, took)  # what cannot be heard of it is told by what it takes
        # Compared as `deadline` computes it: what is due by the one must be due by the other, to the last bit.
        silent = now >= stream.heard + timeout
        if silent and not self.pinged:
            # A pause of ours took the time in which it would have been asked: it has the second half from now on.
            stream.heard = now - timeout / 2
            self._ask(stream)
        elif silent and (listens or stream.ended_input or took is not None):
            done = "heard from" if took is None else "taken by"
            text = f"nothing was {done} {stream.describe()} for timeout = {timeout:g} s"
            stream.end(Reason(ReasonCode.TIMEOUT, text))
        elif silent:
            stream.heard = now  # it is our side that does not listen: nobody takes what was received
            self.pinged = False
        elif now >= stream.heard + timeout / 2 and not self.pinged:
            self._ask(stream)

    def _ask(self, stream: Stream) -> None:
        """Send the ping, for the other end to say something."""
        self.pinged = True
        if self.ping and stream.state is State.CONNECTED:
            stream.send(self.ping)


def check_silence(timeout: float | None, ping: bytes | None) -> None:
    """Raise `ValueError` or `TypeError` for what cannot be the `timeout` and the `ping` of a connection."""
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise TypeError(f"timeout must be a number of seconds, or None, not {type(timeout).__name__}")
    if timeout is not None and not 0 < timeout <= sys.float_info.max:
        raise ValueError(f"timeout must be seconds above 0, or None, not {timeout}")
    if ping is not None and not isinstance(ping, bytes | bytearray | memoryview):
        kind = type(ping).__name__
        raise TypeError(f"ping must be the bytes to send after half of timeout in silence, or None, not {kind}")


def check_positive(number: int) -> None:
    """Raise `TypeError` or `ValueError` for what can be neither a length nor an offset."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a length or an offset must be an int, not {type(number).__name__}")
    if number < 0:
        raise ValueError(f"a length or an offset must be 0 or more, not {number}")


def check_receivable(length: int) -> None:
    """Raise `TypeError` or `ValueError` for so many bytes as can never be there at once."""
    check_positive(length)
    if length > MAX_RECEIVE_BUFFER:
        raise ValueError(
            f"{length} bytes can never be there at once: the receive buffer holds MAX_RECEIVE_BUFFER = "
            f"{MAX_RECEIVE_BUFFER}; take them in parts with receive_part"
        )


def copy_of(data: bytes | bytearray | memoryview) -> bytes:
    """Return `data` as bytes that nobody changes. Raises `TypeError` for what is not bytes-like."""
    try:
        view = memoryview(data)
    except TypeError:
        view = None
    if view is None or isinstance(data, str):  # numpy's has a buffer, of four bytes for each character
        kind = type(data).__name__
        text = (
            f"a connection sends bytes, not {kind}; for messages such as {kind} use netcode.Client and netcode.Server"
        )
        raise TypeError(text)
    return bytes(view)
