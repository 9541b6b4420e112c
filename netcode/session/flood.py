"""Whether what comes never stops: for how long more has come than one update delivers. Pure."""

LONGEST_FRAME = 0.05
"""Seconds that one update counts as part of a flood at most: where we update seldom, it is we who let it pile up."""

CALM = 0.2
"""Seconds without a flood after which the next one is another. Between two reads, even a steady one pauses."""


class Flood:
    """More than one update delivers, from `now` on."""

    __slots__ = ("_calm_since", "_lasted", "_seen")

    def __init__(self, now: float) -> None:
        self._lasted = 0.0
        self._seen = now
        self._calm_since: float | None = None

    def calm(self, now: float) -> None:
        """Hear that all was delivered that had come."""
        if self._calm_since is None:
            self._calm_since = now

    def excuse(self, now: float) -> None:
        """Hear that it was we who did not read on, so that what has piled up meanwhile is no flood."""
        self._seen = now

    def goes_on(self, now: float) -> float:
        """Hear that more came than is delivered again, and return for how many seconds it has."""
        if self._calm_since is not None and now - self._calm_since >= CALM:
            self._lasted = 0.0
        else:
            self._lasted += min(now - self._seen, LONGEST_FRAME)
        self._calm_since, self._seen = None, now
        return self._lasted
