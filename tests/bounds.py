"""Bounds for loops that wait for something: what never comes fails its test, and not the whole run."""

import time
from collections.abc import Callable, Iterator

PATIENCE = 60.0
"""Seconds by the wall clock after which what a loop waits for will not come; this machine is shared."""


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
