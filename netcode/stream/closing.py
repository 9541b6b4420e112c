"""When a nice close is over in any case, and what is said of that."""

import math

from netcode.reasons import Reason, ReasonCode, closed_here, reason_from_error

LINGER = 2.0
"""Seconds that a nice close without a timeout waits for the other end's end once everything is sent."""


class Closing:
    """The time that a nice close has: none was given yet.

    Args:
        theirs: what is said of the other end, if it has ended its side first.
    """

    __slots__ = ("_at", "_theirs", "_within", "done")

    def __init__(self, theirs: Reason | None = None) -> None:
        self._theirs = theirs
        self.done = theirs or closed_here()
        """What is said when everything was sent."""
        self._at = math.inf  # when it is over in any case
        self._within = ""  # the limit that set that; "" where none did

    def limit(self, now: float, timeout: float, name: str) -> None:
        """Give it `timeout` seconds from `now` on, if it has not less. `name` is what those are called."""
        if now + timeout < self._at:
            self._at, self._within = now + timeout, f"{name} = {timeout:g} s"

    def linger(self, now: float) -> None:
        """Hear that everything is sent: from `now` on the other end has a moment to finish, if nobody said how long."""
        if self._at == math.inf:
            self._at = now + LINGER

    def due(self) -> float:
        """Return when it is over in any case; infinity for never."""
        return self._at

    def shift(self, seconds: float) -> None:
        """Hear that what was 0 is `seconds` from now on."""
        self._at += seconds

    def reason(self, whom: str, waiting: int) -> Reason:
        """Return what is said when that time comes: the connection to `whom` is over, and so many bytes still wait."""
        if not self._within:  # everything was sent, and nobody said how long the other end has
            return self.done
        left = f"{waiting} bytes were not sent" if waiting else "it did not finish"
        text = f"gave up closing the connection to {whom} nicely: {left} within {self._within}"
        return Reason(ReasonCode.CLOSE_TIMEOUT, text)

    def broken(self, error: OSError, whom: str, waiting: int) -> Reason:
        """Return what is said if the connection to `whom` breaks before that, when so many bytes still wait."""
        if self._theirs is None:
            return reason_from_error(error, whom)
        return Reason(self.done.code, f"{self.done.text}; {waiting} bytes were not sent") if waiting else self.done
