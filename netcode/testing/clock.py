"""A clock that stands still until it is told to move."""

import sys
from typing import Protocol

from netcode.limits import check_number
from netcode.session.inbox import Inbox


class Updates(Protocol):
    """Anything with an `update()`: a server, a client, a connection, a set, or a part of your game."""

    def update(self) -> object:
        """Do one frame."""
        ...


class FakeClock:
    """A clock for tests: give it as `clock=`, and call `advance` to let time pass.

    Raises:
        TypeError, ValueError: `now` is no number of seconds from 0 up.
    """

    def __init__(self, now: float = 1000.0) -> None:
        check_number("now", now, zero=True)
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass.

        Raises:
            TypeError: `seconds` is no number.
            ValueError: it is negative or not finite: a monotonic clock never goes back, and never ends.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"seconds must be a number, not {type(seconds).__name__}")
        if not 0 <= seconds <= sys.float_info.max:
            raise ValueError(f"time goes forward only, not by {seconds}")
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, as `time.sleep` would; what sleeps by this clock does not sleep in a test."""
        self.advance(0.0 if seconds < 0 else seconds)


def play(clock: FakeClock, seconds: float, *parts: Updates, tick: float = 1 / 60) -> None:
    """Let `seconds` of play pass: call `update()` on each of `parts`, every `tick` seconds.

    Raises:
        TypeError, ValueError: an argument cannot be what it should be.
    """
    if not isinstance(clock, FakeClock):
        raise TypeError(f"play takes a FakeClock, the seconds, and what is updated, not {type(clock).__name__} first")
    check_number("seconds", seconds, zero=True)
    check_number("tick", tick)
    for part in parts:
        if not callable(getattr(part, "update", None)):
            raise TypeError(
                f"each part must have an update(), and what is of type {type(part).__name__} has none: "
                "play(clock, 1.0, server, client)"
            )
    end = clock.now + seconds
    while clock.now < end:
        clock.advance(min(tick, end - clock.now))
        for part in parts:
            part.update()
            inbox = getattr(part, "_inbox", None)
            if isinstance(inbox, Inbox):
                inbox.excuse()  # the test takes them when all is played
