"""Time for tests, which passes when a test says so."""

from collections.abc import Callable

from netcode.testing import FakeClock

MAX_TOLD = 10_000
"""Characters of how things stand: there may be messages of megabytes."""


class Hours:
    """Those who have one time."""

    tick = 1 / 60
    """Seconds of a frame."""
    patience = 60.0
    """Seconds of their time after which what a test waits for will not come."""

    def __init__(self) -> None:
        self.clock = FakeClock()

    def update(self) -> None:
        """Do one frame of everybody."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait for whatever has no part in this time."""

    def picture(self) -> object:
        """Return how things stand, for who reads that something never came true."""
        raise NotImplementedError

    def play(self, seconds: float, tick: float | None = None) -> None:
        """Let time pass for everybody."""
        end = self.clock.now + seconds
        while self.clock.now < end - 1e-9:
            self.clock.advance(tick or self.tick)
            self.update()

    def until(self, condition: Callable[[], object], seconds: float | None = None) -> float:
        """Let time pass until something is so, and return how many seconds that took."""
        begin, patience = self.clock.now, seconds or self.patience
        while not condition():
            assert self.clock.now < begin + patience, f"it never came true: {self.picture()}"[:MAX_TOLD]
            self.play(self.tick)
            self.settle()
        return self.clock.now - begin
