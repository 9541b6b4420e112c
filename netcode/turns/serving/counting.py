"""The numbers of a server of tables, written down once a second, so that any thread may read them."""

from netcode.turns.serving.crowd import Crowd
from netcode.turns.serving.keeper import Keeper
from netcode.turns.stats import Stats

STATS = 1.0
"""Seconds between two moments at which the numbers are written down."""


class Counting:
    """Writes down what a server is and did."""

    def __init__(self, keeper: Keeper, crowd: Crowd, now: float) -> None:
        self._keeper, self._crowd = keeper, crowd
        self.stats = self.count(now)
        """As they were written down last."""

    def step(self, now: float) -> None:
        """Write them down anew, if it is time."""
        if now >= self.stats.at + STATS:
            self.count(now)

    def count(self, now: float) -> Stats:
        """Write them down as of now."""
        keeper = self._keeper
        self.stats = keeper.writer.tally.stats(
            now,
            tables=len(keeper.rooms),
            waiting=keeper.lobby.waiting,
            people=len(self._crowd.viewers),
            since=keeper.writer.since,
            trouble=keeper.writer.trouble,
            failing_since=keeper.writer.failing_since,
        )
        return self.stats
