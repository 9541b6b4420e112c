"""Bounds for loops that wait for something: what never comes fails its test, and not the whole run."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

PATIENCE = 120.0
"""Seconds by the wall clock after which what a loop waits for will not come; this machine is shared."""
PULSE = 0.05
"""Seconds between two looks whether the machine stands still; what is later than that by as much counts."""


class DearError(AssertionError):
    """Something took more time of the processor than it may: in a test that is marked `costs`, each time it is run."""


class Patience:
    """Stands in the condition of a loop: `while patient() and ...`. True, until it fails because that took too long."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._turns = 0

    def __call__(self) -> bool:
        assert time.monotonic() < self._end, f"it goes on after {self._seconds:g} s and {self._turns} turns"
        self._turns += 1
        return True


def as_long_as(condition: Callable[[], object], seconds: float = PATIENCE) -> Iterator[None]:
    """Go on while `condition` holds, and fail once it has held for too long."""
    patient = Patience(seconds)
    while condition() and patient():
        yield


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> Iterator[None]:
    """Go on until `condition` holds, and fail if it does not come true."""
    return as_long_as(lambda: not condition(), seconds)


@contextmanager
def stalls() -> Generator[Callable[[], float]]:
    """Yield what tells for how many seconds the machine has stood still so far: a bound by the wall clock is longer by that.

    Who starts other programs and measures when they do something measures the whole machine as well.
    """
    lost, over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal lost
        before = time.monotonic()
        while not over.wait(PULSE):
            late, before = time.monotonic() - before - PULSE, time.monotonic()
            lost += late if late > PULSE else 0.0

    watcher = threading.Thread(target=watch, name="tests-stalls")
    watcher.start()
    try:
        yield lambda: lost
    finally:
        over.set()
        watcher.join()
