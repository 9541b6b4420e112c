"""Large messages in one direction: what both kinds of ends share."""

import time
from collections.abc import Callable

PAUSE_AFTER = 0.3
"""Seconds without a message after which the sender has stopped."""


def count_for(seconds: float, received: Callable[[float], int]) -> float:
    """Count what arrives, from the first message on for so long, then let the rest pass.

    Args:
        seconds: how long to count.
        received: waits at most so many seconds and returns how many messages became complete.

    Returns:
        Messages per second.
    """
    while not received(1.0):
        pass
    count, start = 0, time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        count += received(0.1)
    took, last = now - start, now
    while time.perf_counter() < last + PAUSE_AFTER:
        if received(0.05):
            last = time.perf_counter()
    return count / took
