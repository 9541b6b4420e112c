"""What a bad link does to two streams of bytes: pure and seeded, with time as an argument.

Bytes and the time go in, and the same bytes come out when they are due. Nothing here has a socket or a clock, so a test
can live an hour in a millisecond. TCP keeps the order of bytes: whatever delay each piece draws, none overtakes another.

`python -m netcode lag` carries bytes between sockets by it, and `netcode.testing.MemoryNetwork` between the ends of a test.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Protocol

PACKET = 1460
"""Bytes that travel together at most: the payload of a TCP segment over Ethernet."""

PIECES_PER_SECOND = 50
"""A slow link carries smaller pieces than a packet, so that its stream trickles and a new rate acts at once."""


class Ending(Enum):
    """How a stream stops: FIN after its last byte, or RST."""

    END = "end"
    RESET = "reset"


class Conditions(Protocol):
    """What is wrong with links just now. The model asks again each time, so that it may change while bytes are under way."""

    @property
    def rate(self) -> float | None:
        """Bytes per second that pass, each way, or None for no limit."""
        ...

    @property
    def piece(self) -> int | None:
        """Bytes that travel together at most, or None for all that were fed at once."""
        ...

    def delay(self, random: Random) -> float:
        """Draw the seconds that one piece takes from one end to the other."""
        ...

    def passes_at(self, now: float) -> float | None:
        """Tell the first moment from `now` on at which bytes arrive, or None where only a change lets them."""
        ...

    def last_byte(self, share: float) -> int | None:
        """Tell the byte, both ways counted together, behind which a link is cut that drew `share` of one; None for never."""
        ...

    def last_moment(self, opened: float) -> float | None:
        """Tell when a link is cut that was made at `opened`, or None for never."""
        ...

    def ending(self, share: float, /) -> Ending:
        """Tell how a link is cut that drew `share` of one."""
        ...


@dataclass(frozen=True, slots=True)
class Faults:
    """Say what is wrong with a link; the default is a link with which nothing is wrong.

    Args:
        latency: Seconds that a byte takes longer, each way: the round trip grows by twice that.
        jitter: Seconds by which the latency varies, up and down, evenly spread.
        rate: Bytes per second that pass, each way, or None for no limit.
        stall: Seconds for which nothing passes, either way, at the end of every `stall_every` seconds.
        stall_every: Seconds from one stall to the next.
        cut_after: Seconds after which a link is cut, or None.
        cut_within: Each link is cut at a random byte of its first so many, both ways counted together, or None.
        cut_with: Whether a cut is a reset or a clean end.
        held: Whether nothing passes until further notice.

    Raises:
        ValueError: If a number is negative, or the stall does not leave a part of its period.
    """

    latency: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    stall: float = 0.0
    stall_every: float = 0.0
    cut_after: float | None = None
    cut_within: int | None = None
    cut_with: Ending = Ending.RESET
    held: bool = False

    def __post_init__(self) -> None:
        for name in ("latency", "jitter", "stall", "stall_every", "cut_after"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value!r}: give seconds, 0 or more")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ValueError(f"rate is {self.rate!r}: give bytes per second above 0, or None for no limit")
        if self.stall and self.stall >= self.stall_every:
            raise ValueError(
                f"stall is {self.stall!r} of every {self.stall_every!r} seconds: leave time for bytes to pass"
            )
        if self.cut_within is not None and self.cut_within < 1:
            raise ValueError(f"cut_within is {self.cut_within!r}: give 1 byte or more, or None for no cut")

    @property
    def piece(self) -> int | None:
        """Bytes that travel together at most: with a limit they trickle, without one they stay together."""
        return None if self.rate is None else piece_at(self.rate)

    def delay(self, random: Random) -> float:
        """Draw the seconds that one piece takes from one end to the other."""
        return max(0.0, self.latency + random.uniform(-self.jitter, self.jitter))

    def last_byte(self, share: float) -> int | None:
        """Tell the byte behind which a link is cut that drew `share` of one, or None for never."""
        return None if self.cut_within is None else 1 + int(share * self.cut_within)

    def last_moment(self, opened: float) -> float | None:
        """Tell when a link is cut that was made at `opened`, or None for never."""
        return None if self.cut_after is None else opened + self.cut_after

    def ending(self, _: float, /) -> Ending:
        """Tell how a link is cut: as was said, whatever it drew."""
        return self.cut_with

    def passes_at(self, now: float) -> float | None:
        """Tell the first moment from `now` on at which bytes pass, or None where only a change of the faults lets them."""
        if self.held:
            return None
        if not self.stall:
            return now
        phase = now % self.stall_every
        return now if phase < self.stall_every - self.stall else now - phase + self.stall_every


def piece_at(rate: float) -> int:
    """Tell how many bytes travel together at most over a link that carries `rate` bytes per second."""
    return max(1, min(PACKET, int(rate / PIECES_PER_SECOND)))


class Lane:
    """Carry one direction of a link: bytes wait for their turn, travel, and are ready when they are due.

    All that it holds counts against `capacity`: who feeds it reads no more than `room` from its source, so that a slow
    link pushes back on the sender instead of swallowing everything.

    Args:
        random: Where the jitter is drawn from.
        capacity: Bytes that it holds at most.
    """

    def __init__(self, random: Random, capacity: int) -> None:
        self._random = random
        self.capacity = capacity
        self._waiting: deque[tuple[float, memoryview | Ending]] = deque()
        self._flight: deque[tuple[float, memoryview | Ending]] = deque()
        self._held = 0
        self._sender_free_at = 0.0
        self._last_due = 0.0
        self.finished: Ending | None = None
        """How the stream was stopped at its near end, or None."""
        self._arrived: Ending | None = None
        self.ready = bytearray()
        """Bytes that are due: send them, and say how many with `sent`."""

    @property
    def room(self) -> int:
        """Tell how many bytes `feed` takes now."""
        return self.capacity - self._held

    @property
    def ended(self) -> Ending | None:
        """Tell how the stream stopped, once all its bytes are sent; None until then."""
        return None if self.ready else self._arrived

    def feed(self, data: bytes, now: float) -> None:
        """Put bytes in at the near end; ignored after `finish`.

        Raises:
            ValueError: If there are more than `room`.
        """
        if self.finished is not None:
            return
        if len(data) > self.room:
            raise ValueError(f"{len(data)} bytes do not fit into a room of {self.room}: read no more than `room`")
        if data:
            self._held += len(data)
            self._waiting.append((now, memoryview(data)))

    def finish(self, ending: Ending, now: float) -> None:
        """Put the end in behind the bytes; it takes as long as they do. After it only a reset counts, and once."""
        if self.finished is None or (self.finished, ending) == (Ending.END, Ending.RESET):
            self.finished = ending
            self._waiting.append((now, ending))

    def cut(self, ending: Ending) -> None:
        """Drop what is not yet ready, and stop the stream behind what is."""
        self._drop()
        self.finished = self._arrived = ending

    def abandon(self) -> None:
        """Drop everything, and what is still fed: nobody is left to send it to."""
        self.ready.clear()
        self._drop()
        self.finished = Ending.RESET

    def _drop(self) -> None:
        self._waiting.clear()
        self._flight.clear()
        self._held = len(self.ready)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._flight and not self._waiting

    def advance(self, now: float, faults: Conditions, allowance: int | None = None) -> int:
        """Make ready what is due at `now`, `allowance` bytes at most, and tell how many bytes that was."""
        self._depart(now, faults)
        passes_at = faults.passes_at(now)
        if passes_at is None or passes_at > now:
            return 0
        before = len(self.ready)
        while self._flight and self._flight[0][0] <= now and allowance != 0:
            due, load = self._flight.popleft()
            if isinstance(load, Ending):
                self._arrived = load
                continue
            if allowance is not None:
                if len(load) > allowance:
                    self._flight.appendleft((due, load[allowance:]))
                    load = load[:allowance]
                allowance -= len(load)
            self.ready += load
        return len(self.ready) - before

    def _depart(self, now: float, faults: Conditions) -> None:
        """Let what waits set off, one piece after the other, as fast as the rate allows."""
        while self._waiting and self._sender_free_at <= now:
            arrived, load = self._waiting.popleft()
            free_at = max(self._sender_free_at, arrived)
            if faults.rate is not None and not isinstance(load, Ending):
                size = faults.piece
                if size is not None and len(load) > size:
                    self._waiting.appendleft((arrived, load[size:]))
                    load = load[:size]
                free_at += len(load) / faults.rate
            self._sender_free_at = free_at
            self._last_due = max(self._last_due, free_at + faults.delay(self._random))
            self._flight.append((self._last_due, load))

    def sent(self, count: int) -> None:
        """Take the first `count` bytes out of `ready`."""
        del self.ready[:count]
        self._held -= count

    def due(self, now: float, faults: Conditions) -> float | None:
        """Tell when `advance` has something to do next, or None where only new bytes or other faults change that."""
        moments = [self._sender_free_at] if self._waiting else []
        if self._flight:
            passes_at = faults.passes_at(max(now, self._flight[0][0]))
            if passes_at is not None:
                moments.append(passes_at)
        return min(moments, default=None)


class LinkModel:
    """Carry both directions of a link, and decide when it is cut.

    Args:
        opened: When the link was made, in seconds.
        seed: The same seed draws the same jitter for the same pieces, and the same byte and kind for the cut.
        capacity: Bytes that each direction holds at most.
    """

    def __init__(self, opened: float, seed: str, capacity: int) -> None:
        self._opened = opened
        self._carried = 0
        # Dice of their own, so that what one direction carries changes nothing in the other.
        cut = _dice(f"{seed}/cut")
        self._share, self._kind = cut.random(), cut.random()
        self.up = Lane(_dice(f"{seed}/up"), capacity)
        self.down = Lane(_dice(f"{seed}/down"), capacity)
        self.cut_with: Ending | None = None
        """How the link was cut, or None."""

    def cut(self, ending: Ending) -> None:
        """Cut both directions behind what is ready; the first cut counts."""
        if self.cut_with is None:
            self.cut_with = ending
            self.up.cut(ending)
            self.down.cut(ending)

    def advance(self, now: float, faults: Conditions) -> None:
        """Make ready what is due at `now`, and cut the link where its time or its byte has come."""
        last_byte, last_moment = faults.last_byte(self._share), faults.last_moment(self._opened)
        for lane in (self.up, self.down):
            if not lane.idle:
                allowance = None if last_byte is None else max(0, last_byte - self._carried)
                self._carried += lane.advance(now, faults, allowance)
        if (last_byte is not None and self._carried >= last_byte) or (last_moment is not None and now >= last_moment):
            self.cut(faults.ending(self._kind))

    def due(self, now: float, faults: Conditions) -> float | None:
        """Tell when `advance` has something to do next, or None."""
        if self.cut_with is not None:
            return None
        moments = (self.up.due(now, faults), self.down.due(now, faults), faults.last_moment(self._opened))
        return min((moment for moment in moments if moment is not None), default=None)


def _dice(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - faults, not keys
