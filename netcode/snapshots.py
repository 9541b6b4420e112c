"""Smooth motion out of rare snapshots: a buffer by the server's time, and what the world looked like between two."""

import sys
import time as wall
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from math import isfinite
from typing import Any, Generic, TypeVar

from netcode.diagnostics.calls import explains_arguments
from netcode.diagnostics.mistakes import Hinted, hint, refuse_later
from netcode.limits import check_number, check_rate
from netcode.loop.clock import Clock, check_clock, monotonic

T = TypeVar("T")

KEPT = 256
"""Snapshots that are kept at most; twenty a second make thirteen seconds of them."""

WINDOW = 2.0
"""Seconds of arrivals of which the quickest tells the server's time: the others were held up on their way."""

LEAP = 0.25
"""Seconds by which the clock may be wrong and is still corrected little by little; beyond, it leaps."""

SLEW = 0.1
"""How much faster or slower than time the clock goes while it corrects itself; a tenth is not seen."""

DAY = 86_400.0
"""Seconds by which what is told for a tick is within the time of the wall clock, where it is meant."""


def blend(older: Any, newer: Any, share: float) -> Any:
    """Return what lies between two snapshots: `older` at share 0.0, `newer` at 1.0.

    Numbers are mixed, in lists, tuples and dicts too, and what has a method `lerp`, such as pygame's vectors. What only
    one of them has, appears and disappears when its time has come. Everything else is as it was in `older`.
    """
    kind: type[Any] = older.__class__
    other: type[Any] = newer.__class__
    if kind is other and hasattr(older, "lerp"):
        return older.lerp(newer, share)
    if issubclass(kind, bool) or issubclass(other, bool):
        return older
    if issubclass(kind, (int, float)) and issubclass(other, (int, float)):
        try:
            mixed = older + (newer - older) * share
        except OverflowError:  # an int of a stranger that is larger than any float
            return older
        if isinstance(mixed, int) or isfinite(mixed):
            return mixed
        return older  # or a stranger's `nan` would be seen before its time
    if issubclass(kind, dict) and issubclass(other, dict):
        return {key: blend(value, newer[key], share) if key in newer else value for key, value in older.items()}
    if issubclass(kind, (list, tuple)) and issubclass(other, (list, tuple)) and len(older) == len(newer):
        mixed = [blend(one, another, share) for one, another in zip(older, newer, strict=True)]
        return mixed if issubclass(kind, list) else tuple(mixed)
    return older


class Snapshots(Generic[T], metaclass=Hinted):
    """Snapshots of a server's world, and what it looked like at any moment between two of them.

    Usage::

        snapshots = netcode.Snapshots(rate=20)  # the server: for tick in server.ticks(20)

        case netcode.Received(_, {"tick": tick, "dots": dots}):
            snapshots.add(tick, dots)

        shown = snapshots.at(snapshots.now() - 0.1)  # each frame, a tenth of a second behind

    The delay is what smoothness costs: two snapshots' time, and something for what comes late. What is shown lags by so
    much, and by the way from the server.

    After `Away` the last snapshot stands still, and after `Back` it goes on by itself: what was missed is not played
    again, and nothing glides over the gap. Call `clear()` then if the world must not even be seen as it was. A server
    that counts from the beginning again has been restarted: what was before is forgotten.

    Args:
        rate: how many ticks of the server make a second; 1 if `add` is given seconds.
        blend: returns what lies between two snapshots, given both and a share from 0.0 to 1.0; `netcode.blend` if left
            out, which mixes numbers.
        max_gap: seconds between two snapshots beyond which nothing is blended: the older stands until the newer is due.
        clock: tells the time, for tests.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """

    @explains_arguments("Snapshots")
    def __init__(
        self,
        rate: float,
        *,
        blend: Callable[[T, T, float], T] = blend,
        max_gap: float = 0.5,
        clock: Clock = monotonic,
    ) -> None:
        check_rate(rate, "Snapshots")
        check_number("max_gap", max_gap)
        if not callable(blend):
            raise TypeError(f"blend must be a function of two snapshots and a share, not {type(blend).__name__}")
        check_clock(clock)
        self._rate, self._blend, self._max_gap, self._clock = rate, blend, max_gap, clock
        self._times: list[float] = []  # of the server, ascending
        self._worlds: list[T] = []
        self._lags: deque[tuple[float, float]] = deque()  # when one arrived, and its age then if it took no time
        self._lag: float | None = None  # what the clock goes by; None until the first one
        self._read_at = 0.0

    @property
    def newest(self) -> float | None:
        """The server's time of the newest snapshot in seconds; None if there is none."""
        return self._times[-1] if self._times else None

    def add(self, tick: float, snapshot: T) -> None:
        """Keep the snapshot of a tick. One of the same tick takes its place.

        Raises:
            TypeError, ValueError: `tick` is no number from 0 up, or the time of day where `rate` counts ticks.
        """
        check_number("tick", tick, zero=True)
        if isinstance(tick, float) and self._rate != 1 and tick % 1 and abs(tick - wall.time()) < DAY:
            raise ValueError(
                f"tick is the number of a tick, of which {self._rate:g} make a second, not the time {tick:g}: send what "
                "server.ticks() gives, or make it Snapshots(1), which counts seconds"
            )
        time, now = tick / self._rate, self._clock()
        if not isfinite(time):
            raise ValueError(f"tick {tick:g} is at no time that a number can say, where {self._rate:g} make a second")
        if self._times and time < self._times[-1]:
            self.clear()
        if self._times and time == self._times[-1]:
            self._worlds[-1] = snapshot
            return
        self._times.append(time)
        self._worlds.append(snapshot)
        if len(self._times) > KEPT:
            del self._times[0], self._worlds[0]
        self._lags.append((now, now - time))
        while now - self._lags[0][0] > WINDOW:
            self._lags.popleft()

    def now(self) -> float:
        """Return the server's time in seconds, as it would be told by a snapshot that arrives just now.

        It runs smoothly: where it finds itself wrong, it goes a tenth faster or slower for a while. The moment in which
        the server is by now is later by the way from there, of which half the round-trip time is a guess. 0.0 until
        the first snapshot.
        """
        now = self._clock()
        if not self._lags:
            return 0.0
        wanted = min(lag for _, lag in self._lags)
        if self._lag is None or abs(wanted - self._lag) > LEAP:
            self._lag = wanted
        else:
            most = (now - self._read_at) * SLEW
            self._lag += max(-most, min(most, wanted - self._lag))
        self._read_at = now
        return now - self._lag

    def at(self, time: float) -> T | None:
        """Return what the world looked like at a moment of the server's time.

        Before the first snapshot it is that, after the last one the last: nothing is made up. None if there is none.

        Raises:
            TypeError, ValueError: `time` is no finite number.
        """
        if isinstance(time, bool) or not isinstance(time, (int, float)):
            raise TypeError(f"time must be a number of seconds, not {type(time).__name__}")
        if not -sys.float_info.max <= time <= sys.float_info.max:
            raise ValueError(f"time must be finite, not {time}")
        if not self._times:
            return None
        after = bisect_right(self._times, time)
        if after == 0:
            return self._worlds[0]
        older = self._worlds[after - 1]
        if after == len(self._times):
            return older
        begin, end = self._times[after - 1], self._times[after]
        if end - begin > self._max_gap:
            return older
        return self._blend(older, self._worlds[after], (time - begin) / (end - begin))

    def clear(self) -> None:
        """Forget all snapshots, and what they told of the server's time."""
        self._times.clear()
        self._worlds.clear()
        self._lags.clear()
        self._lag = None

    def __len__(self) -> int:
        return len(self._times)

    def __repr__(self) -> str:
        return f"<Snapshots: {len(self._times)}, the newest of {self.newest}>"


hint(Snapshots, {})
refuse_later(Snapshots, "rate", "blend", "max_gap", "clock")
