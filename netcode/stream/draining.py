"""A write has failed: what came before that is read out first, and then the error is the reason."""

import errno

from netcode.reasons import without_traceback

DRAIN = 8_388_608
"""Bytes that are read after a failed write, at most: more than a system holds of what came before it."""


class Draining:
    """The error that is kept meanwhile, and how much may still come.

    Args:
        believes_ends: whether a clean end of the other end counts behind it.
    """

    __slots__ = ("_left", "error", "outranks_an_end", "unsent")

    def __init__(self, error: OSError, *, believes_ends: bool) -> None:
        self.error = without_traceback(error)
        self.outranks_an_end = not believes_ends or error.errno != errno.EPIPE
        """Whether it is the reason also behind a clean end, as which the kernel shows it once it is known. EPIPE alone
        just follows an end."""
        self.unsent = 0
        """Bytes that were to be sent, and never will be."""
        self._left = DRAIN

    def is_over(self, count: int) -> bool:
        """Hear that `count` bytes came; tell whether those are more than can have come before the write failed."""
        self._left -= count
        return self._left < 0


def unsent(waiting: int, draining: Draining | None) -> int:
    """Return how many bytes are lost where so many still wait: with those that a failed write has lost."""
    return waiting if draining is None else waiting + draining.unsent
