"""Time: an injected monotonic clock, the time that peers are charged for, and deadlines."""

import heapq
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Clock = Callable[[], float]
"""A function that returns seconds and never goes back, such as `time.monotonic`."""

MAX_GAP = 1.0
"""The most, in seconds, that one pause between two updates counts against a peer."""

T = TypeVar("T")

monotonic: Clock = time.monotonic


def sleep_of(clock: Clock) -> Callable[[float], None]:
    """Return what lets time pass by `clock`: a sleep of its own, as that of a test has, or Python's."""
    sleep: Callable[[float], None] = getattr(clock, "sleep", time.sleep)
    return sleep


def earliest(*moments: float | None) -> float | None:
    """Return the first of several moments, of which None never comes; None if all are that."""
    return min((moment for moment in moments if moment is not None), default=None)


def check_clock(clock: Clock) -> None:
    """Raise `TypeError` for what cannot tell the time."""
    if not callable(clock):
        raise TypeError(f"clock must be a function that tells the time, not {type(clock).__name__}")


class Timeline:
    """Time as peers are charged for it: it runs while we attend, and stands still while we do not.

    A game that loads a level for ten seconds does not read for ten seconds, and silence in that time is
    its own. So a pause between two ticks counts for `MAX_GAP` at most. Every deadline lives on this line;
    the clock behind it is read once a tick.
    """

    __slots__ = ("_seen", "clock", "missed", "now")

    def __init__(self, clock: Clock = monotonic) -> None:
        check_clock(clock)
        self.clock = clock
        """The clock behind it."""
        self._seen = self.now = clock()
        self.missed = 0.0
        """Seconds of pauses so far that did not count."""

    def tick(self, asleep: float = 0.0) -> float:
        """Read the clock, move on, and return the time of this update.

        Args:
            asleep: seconds that we meant to sleep in a `wait`: that was attending, not a pause.
        """
        seen = self.clock()
        elapsed = seen - self._seen
        self._seen = seen
        if elapsed > MAX_GAP + asleep:
            self.missed += elapsed - MAX_GAP - asleep
            elapsed = MAX_GAP + asleep
        elif elapsed < 0.0:
            elapsed = 0.0  # somebody gave the time of day, which is set back now and then
        self.now += elapsed
        return self.now

    def since(self) -> float:
        """Return how many seconds have passed since the last tick, attended or not."""
        return max(0.0, self.clock() - self._seen)

    def until(self, deadline: float) -> float:
        """Return how many seconds from this moment `deadline` comes due if we attend; 0.0 if it is past."""
        left = deadline - self.now - min(self.since(), MAX_GAP)
        return left if left > 0 else 0.0


class Deadlines(Generic[T]):
    """Who has to be looked at when. Costs what is due, not what is pending: a heap of times, and no scan.

    Those of one time are kept together, so that thousands who share a few times cost an append each.

    Each holder keeps the time it was last scheduled for; an entry that no longer agrees is stale, and its
    holder drops it when it comes out.
    """

    __slots__ = ("_count", "_holders", "_times")

    def __init__(self) -> None:
        self._times: list[float] = []
        self._holders: dict[float, list[T]] = {}
        self._count = 0

    def push(self, when: float, holder: T) -> None:
        """Have `holder` come out of `pop` once `when` is reached."""
        self._count += 1
        try:
            self._holders[when].append(holder)
        except KeyError:
            self._holders[when] = [holder]
            heapq.heappush(self._times, when)

    def pop(self, now: float) -> tuple[float, list[T]] | None:
        """Take out the earliest time that is due with all its holders, in the order in which they came, or None."""
        if not self._times or self._times[0] > now:
            return None
        when = heapq.heappop(self._times)
        holders = self._holders.pop(when)
        self._count -= len(holders)
        return when, holders

    def is_due(self, now: float) -> bool:
        """Tell whether `pop` has anything."""
        return bool(self._times) and self._times[0] <= now

    def next(self) -> float | None:
        """Return the earliest time that is scheduled, or None."""
        return self._times[0] if self._times else None

    def prune(self, is_current: Callable[[float, T], bool]) -> None:
        """Drop the entries that are stale already, which would keep their holders alive until their time comes."""
        current = {
            when: [holder for holder in holders if is_current(when, holder)] for when, holders in self._holders.items()
        }
        self._holders = {when: holders for when, holders in current.items() if holders}
        self._times = sorted(self._holders)  # a sorted list is a heap
        self._count = sum(map(len, self._holders.values()))

    def __len__(self) -> int:
        return self._count
