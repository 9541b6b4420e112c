"""What a program is told that updates its seat and takes no events: the same, and as soon, as who has a `Client`."""

from netcode.diagnostics import log
from netcode.diagnostics.advice import OFTEN, PATIENCE, advise

LONG_PAUSE = 30.0
"""Seconds for which who has taken events before may leave them, as in a menu, before the log says so."""


class Untaken:
    """Notices that events wait for a program that goes on updating.

    A warning is for who has never taken any. Who pauses for long may mean it, and is told by the log.

    Args:
        limit: how many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._asked = self._told = False
        self._rounds = 0
        self._since = 0.0

    def taken(self) -> None:
        """Hear that the program has asked for events."""
        self._asked, self._told, self._rounds = True, False, 0

    def leave(self, count: int, now: float) -> None:
        """Hear, before an update, that so many events are left."""
        if not self._rounds:
            self._since = now
        self._rounds += 1
        if self._told or self._rounds < OFTEN or now - self._since < (LONG_PAUSE if self._asked else PATIENCE):
            return
        self._told = True
        text = (
            f"seat.events() has not been called for {now - self._since:.0f} seconds, and {count} events wait: "
            f"take them after each update, for event in seat.events(); of more than {self._limit} the oldest are dropped"
        )
        if self._asked:
            log.warn("events of a seat", "%s", text)
        else:
            advise(text)
