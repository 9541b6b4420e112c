"""Thinking time: a clock for each seat, which runs while the seat is to move or asked. Times are seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, SupportsFloat

from netcode.turns.errors import Unfit

_DICT: Any = dict  # of unknown type to the type checkers, as what strangers send is
QUOTA = 1.0
"""The most, in seconds, that one play gives back for the way it travelled."""
SHORTEST = 1.0
"""Seconds of the shortest clock that the founder of a table may wish for: times that run out are work for the server."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How long each seat may think: so many minutes for the whole game with an increment a move, or so long per move.

    Args:
        minutes: for all moves of a seat together.
        increment: seconds that each move gives back.
        per_move: seconds for each move, in place of the two.

    Raises:
        ValueError: they are no clock, or one of them is no number from 0 to 1,000,000.
    """

    minutes: float = 0.0
    increment: float = 0.0
    per_move: float = 0.0

    def __post_init__(self) -> None:
        times = (_plain(self.minutes), _plain(self.increment), _plain(self.per_move))
        fit = all(isinstance(time, (int, float)) and 0 <= time <= 1_000_000 for time in times)
        if not fit or (self.minutes > 0) == (self.per_move > 0):
            raise ValueError(
                "a clock is Clock(minutes=5, increment=3) or Clock(per_move=30), "
                f"not Clock(minutes={self.minutes!r}, increment={self.increment!r}, per_move={self.per_move!r})"
            )
        if self.per_move and self.increment:
            raise ValueError("a clock with per_move has no increment: each move has its own time")
        for name, time in zip(("minutes", "increment", "per_move"), times, strict=True):
            object.__setattr__(self, name, time)

    @property
    def at_first(self) -> float:
        """How many seconds a seat begins with."""
        return self.per_move or self.minutes * 60


def _plain(time: Any) -> Any:
    """Return a number of whatever kind, such as a Fraction or one of NumPy's, as one that can be stored; else what it is."""
    if type(time) is int or not isinstance(time, SupportsFloat):
        return time
    try:
        return float(time)
    except (TypeError, ValueError, ArithmeticError):  # a class, a Decimal that is none, a Fraction beyond all floats
        return time


def clock_from(data: Any) -> Clock | None:
    """Make the clock that a table's option says: None for no clock, else a dict like `{"minutes": 3, "increment": 2}`."""
    if data is None:
        return None
    names = ("minutes", "increment", "per_move")
    if not isinstance(data, _DICT) or not all(name in names and type(data[name]) in (int, float) for name in data):
        raise Unfit('clock must be None, in JSON null, or like {"minutes": 5, "increment": 3} or {"per_move": 30}')
    try:
        clock = Clock(**{str(name): float(data[name]) for name in data})
    except (ValueError, OverflowError) as error:
        raise Unfit(str(error)) from error
    if clock.at_first < SHORTEST:
        raise Unfit(f"a clock begins with {SHORTEST:g} second at least, not {clock.at_first:g}")
    return clock


def wire_clock(clock: Clock) -> dict[str, float]:
    """Return the option of a table that `clock_from` reads."""
    times = {"minutes": clock.minutes, "increment": clock.increment, "per_move": clock.per_move}
    return {name: time for name, time in times.items() if time}


class Clocks:
    """The clocks of one table. Each seat's time is counted from when it came to be to move."""

    __slots__ = ("_clock", "_left", "_running", "_since")

    def __init__(self, clock: Clock, players: int) -> None:
        self._clock = clock
        self._left = [clock.at_first] * players
        self._running: tuple[int, ...] = ()
        self._since = 0.0

    @property
    def is_per_move(self) -> bool:
        """Whether each move has its own time."""
        return self._clock.per_move > 0

    @property
    def running(self) -> tuple[int, ...]:
        """The seats whose time is running out."""
        return self._running

    def left(self, now: float) -> tuple[float, ...]:
        """Return how many seconds each seat has left."""
        elapsed = now - self._since
        return tuple(
            max(0.0, left - elapsed) if seat in self._running else left for seat, left in enumerate(self._left)
        )

    def due(self) -> float | None:
        """Return when the first of the running clocks is at zero, or None."""
        return min((self._since + self._left[seat] for seat in self._running), default=None)

    def fallen(self, now: float) -> tuple[int, ...]:
        """Return the seats whose time is up, those first who are longest without."""
        fallen = [seat for seat in self._running if self._since + self._left[seat] <= now]
        return tuple(sorted(fallen, key=lambda seat: self._left[seat]))

    def switch(self, running: Iterable[int], now: float, mover: int | None = None, lag: float = 0.0) -> None:
        """Let other clocks run from now on.

        Args:
            mover: the seat that has just moved or answered: it gets its increment, or its time for the next move.
            lag: seconds that its play was on the way, given back up to the quota.
        """
        self.stand(now)
        running = tuple(running)
        if mover is not None and mover in self._running:
            self._left[mover] += max(0.0, min(lag, QUOTA)) + self._clock.increment
        if self._clock.per_move:
            for seat in running:
                if seat == mover or seat not in self._running:
                    self._left[seat] = self._clock.per_move
        self._running = running

    def may_take_back(self, seat: int, now: float) -> bool:
        """Tell whether a seat would have time left to think on with."""
        return self.left(now)[seat] > self._clock.increment

    def take_back(self, seat: int, now: float) -> None:
        """Let a seat think on with what it had left at its last move: what it was given for that is gone."""
        self.stand(now)
        self._left[seat] = max(0.0, self._left[seat] - self._clock.increment)
        if seat not in self._running:
            self._running = (*self._running, seat)

    def stand(self, now: float) -> None:
        """Count what has passed until now."""
        if now > self._since:
            elapsed = now - self._since
            for seat in self._running:
                self._left[seat] = max(0.0, self._left[seat] - elapsed)
        self._since = now

    def resume(self, left: Iterable[float], running: Iterable[int], *, now: float) -> None:
        """Go on with the clocks as they stood when they were stored."""
        self._left, self._running, self._since = [*left], tuple(running), now

    def run_out(self, due: float) -> None:
        """Let the first of the running clocks be at zero at `due`, or earlier: they ran also where nobody looked."""
        first = self.due()
        if first is not None and due < first:
            self._since -= first - due

    def hold(self, began: float, now: float) -> None:
        """Let the time between not count."""
        self._since += now - max(self._since, began)

    def stored(self) -> tuple[list[float], tuple[int, ...]]:
        """Return what `resume` takes, as of the last switch."""
        return [*self._left], self._running
