"""Ticks at a fixed rate: what a loop around a client or a server sleeps, updates and counts by."""

import math
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Protocol, Self

from netcode.diagnostics import log
from netcode.limits import check_rate
from netcode.loop.clock import Clock, sleep_of
from netcode.reasons import HOW_LONG, check_text
from netcode.stream.contract import State

LOOK = 1 / 50
"""Seconds between two updates at most, however rare the ticks: pings are answered and newcomers greeted meanwhile."""

MAX_BEHIND = 0.25
"""Seconds by which ticks may be late and are still made up for, or one tick if that is longer. What a longer pause
took is skipped: to make up for a minute would take longer than it lasted."""

SLOW = 0.8
"""The share of its rate below which a loop is clearly too slow, and not just a little late."""

SLOW_FOR = 5.0
"""Seconds for which it has to be."""

SLOW_TICKS = 10
"""Ticks in a row that have to be late: fewer are pauses."""


class Ticking(Protocol):
    """A client or a server."""

    @property
    def state(self) -> State:
        """Whether it still serves or is served."""
        ...

    def update(self) -> None:
        """Do what can be done now."""
        ...

    def close_nicely(self, text: str = "") -> None:
        """Say goodbye, and close once that was heard."""
        ...


def ticks(end: Ticking, rate: float, goodbye: str, clock: Clock) -> Iterator[int]:
    """Update `end`, and yield the number of each tick when it is due, until it is DISCONNECTED.

    Raises:
        TypeError, ValueError: `rate` is no number above 0.1, or `goodbye` no str.
    """
    check_rate(rate, "ticks")
    check_text(goodbye, HOW_LONG)
    return _tick(end, rate, goodbye, clock)


def _tick(end: Ticking, rate: float, goodbye: str, clock: Clock) -> Iterator[int]:
    period, pace = 1 / rate, _Pace(rate)
    number, due, over = 0, clock(), end.state is State.DISCONNECTED
    process = os.getpid()
    with _CtrlC() as ctrl_c:
        while not over:
            began = clock()
            for _ in _looks(end, due, period / math.ceil(period / LOOK), clock):
                if ctrl_c.pressed:
                    ctrl_c.pressed = False
                    end.close_nicely(goodbye)
                end.update()
            over = end.state is State.DISCONNECTED  # what the game itself ends in a tick has one more
            updated = clock()
            yield number
            over = over or os.getpid() != process  # and of what belongs to the parent a forked child has none
            now = clock()
            pace.note(late=began >= due, updating=updated - began, playing=now - updated)
            number += 1
            due = min(max(due + period, now - max(MAX_BEHIND, period)), now + 2 * period)  # the clock may be set back
    end.update()  # nothing, but that a forked child hears why this ends


class _Pace:
    """Notices a loop that cannot keep its rate, and tells once what takes the time."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._told = False
        self._forget()

    def note(self, *, late: bool, updating: float, playing: float) -> None:
        """Hear of one tick whether it was due before the last one was done, and what took how many seconds."""
        if not late or self._told:
            self._forget()
            return
        self._ticks += 1
        self._updating += updating
        self._playing += playing
        took = self._updating + self._playing
        if self._ticks < SLOW_TICKS or took < SLOW_FOR:
            return
        if self._ticks < SLOW * self._rate * took:
            self._told = True
            log.warn(
                "ticks",
                "ticks(%s) comes %s times a second: of each tick the game's own code takes %s ms and update() %s ms, "
                "and %s ms is all there is; let the game do less in a tick, or ask for fewer",
                *(f"{self._rate:g}", f"{self._ticks / took:.1f}"),
                *(f"{1000 * seconds:.0f}" for seconds in (self._playing / self._ticks, self._updating / self._ticks)),
                f"{1000 / self._rate:.0f}",
            )
        self._forget()

    def _forget(self) -> None:
        self._ticks, self._updating, self._playing = 0, 0.0, 0.0


def _looks(end: Ticking, due: float, step: float, clock: Clock) -> Iterator[None]:
    """Yield every `step` seconds, once at least and for the last time when `due` has come, or all is over."""
    sleep, began = sleep_of(clock), clock()
    while True:
        left = due - clock()
        if left > 0:
            sleep(left if left < 1.5 * step else step)
        yield
        if not began <= clock() < due - 1e-6 or end.state is State.DISCONNECTED:
            return


class _CtrlC:
    """Takes the first Ctrl-C as a wish while it is entered; a second one interrupts as ever.

    Only where nobody else handles it, and in the main thread, which alone may.
    """

    def __init__(self) -> None:
        self.pressed = False

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                signal.signal(signal.SIGINT, self._press)
            except ValueError:
                pass  # another thread: Ctrl-C goes to the main one
        return self

    def __exit__(self, *_: object) -> None:
        if signal.getsignal(signal.SIGINT) == self._press:
            try:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            except ValueError:
                pass  # dropped in another thread than the one it ran in
