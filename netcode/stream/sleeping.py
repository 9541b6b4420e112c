"""Sleeping for many streams: on after the first nap."""

from collections.abc import Callable

from netcode.loop.poller import NAP

Ready = list[tuple[int, int]]


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
