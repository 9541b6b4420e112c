"""The message under way: since when it has been, and whether it gets on. Pure."""

PACE = 65_536
"""Bytes of one message that may take `message_timeout`; a larger one has as long for each further so many."""


class Partial:
    """A message of which the beginning had come at `now`, and so many bytes were `missing`; 0 if that was not known."""

    __slots__ = ("_left", "missing", "since")

    def __init__(self, now: float, missing: int) -> None:
        self.since = now
        """Since when it has been under way, or has got on."""
        self.missing = missing
        """Bytes that it still lacks, if that is known; else 0."""
        self._left = missing  # what it lacked then, if that was known

    def goes_on(self, now: float, missing: int) -> bool:
        """Hear that at `now` so many bytes are missing, and return whether it has got on, and so has its time again."""
        self.missing = missing
        if missing <= self._left - PACE:
            self.since, self._left = now, missing
            return True
        if not self._left:
            self._left = missing  # its length was not yet known
        return False

    def excuse(self, now: float) -> None:
        """Hear that it was we who did not listen, so that what has not come until `now` means nothing."""
        self.since = now
