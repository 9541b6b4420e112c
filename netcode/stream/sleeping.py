"""Sleeping for many streams: on after the first nap, and where the poller does not know everybody."""

from collections.abc import Callable
from typing import Protocol

from netcode.loop.clock import Timeline
from netcode.loop.poller import NAP
from netcode.waiting import Descriptors, Waiter

Ready = list[tuple[int, int]]


class Sleeper(Protocol):
    """Many streams, of which the poller does not know all."""

    closed: bool
    timeline: Timeline

    def descriptors(self) -> Descriptors:
        """Return what to wait on."""
        ...

    def seconds_left(self) -> float | None:
        """Return in how many seconds an update is due even if nothing arrives; None for never."""
        ...


class Everybody(Waiter):
    """Has `wait` sleep for streams of which the poller does not know everybody."""

    def __init__(self, streams: Sleeper) -> None:
        self._streams = streams

    def instantiate(self) -> Descriptors:
        return self._streams.descriptors()

    def _seconds_left(self) -> float | None:
        return self._streams.seconds_left()

    def _slept(self, seconds: float) -> None:
        self._streams.timeline.tick(seconds)

    def _is_over(self) -> bool:
        return self._streams.closed


def sleep_on(
    poll: Callable[[float, int | None], Ready], seconds: float | None, most: int | None, has_reason: Callable[[], bool]
) -> Ready | None:
    """Go on with a sleep whose first `NAP` brought nothing; return who is ready.

    Args:
        seconds: those of the whole sleep, the first nap included; None for no limit.
        has_reason: asked between two naps whether a signal handler has given a reason to end.

    Returns:
        None where it has.
    """
    ready: Ready = []
    while not ready and (seconds is None or seconds > NAP):
        if has_reason():
            return None
        seconds = None if seconds is None else seconds - NAP
        ready = poll(NAP if seconds is None or seconds > NAP else seconds, most)
    return ready
