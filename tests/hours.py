"""Time for tests, which passes when a test says so."""

from collections.abc import Callable

from netcode.testing import FakeClock


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
            assert self.clock.now < begin + patience, "it never came true"
            self.play(self.tick)
            self.settle()
        return self.clock.now - begin
