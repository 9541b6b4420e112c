"""What a server of tables did so far: counted as it happens, and once a second one value that any thread may read."""

from bisect import bisect_left
from typing import NamedTuple

COMMIT_BUCKETS = (0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Upper bounds, in seconds, of the histogram of commits: a disk next to the processor takes the first of them."""


class Stats(NamedTuple):
    """What a server of tables was at one moment, and what it did up to then."""

    at: float
    """The moment, by the server's clock: ages below are as of then."""
    tables: int
    """Tables in memory."""
    waiting: int
    """Tables that wait for players."""
    people: int
    """Who sits at a table or watches one."""
    moves: int
    """Plays and answers that are stored."""
    entries: int
    """All that is stored of what happened at tables: those, and who sits down, starts, leaves, is out of time."""
    commits: int
    """Commits that stored some of them, so `entries / commits` is the size of a batch."""
    commit_seconds: float
    """Seconds that those commits took in total."""
    commit_times: tuple[int, ...]
    """How many of them fell into each of `COMMIT_BUCKETS`, and how many into none."""
    unstored: float
    """Seconds for which the oldest move has waited to be stored; 0 where none waits."""
    renewed: float
    """Seconds since the store last heard that this process lives."""
    redirects: int
    """Players who were sent to another process."""
    unavailable: int
    """Attempts to store that failed, to be made again."""
    lost: int
    """Times that tables were found to belong to another process."""
    trouble: str
    """Why nothing can be stored at present, as a sentence; empty while all is well."""
    outage: float
    """Seconds for which that has been so by now; 0 while all is well."""


class Tally:
    """What a server counts while it runs.

    Args:
        now: when it begins; a store that was just opened knows that the process lives.
    """

    __slots__ = ("commit_seconds", "commit_times", "commits", "entries", "lost", "moves", "redirects", "renewed_at",
                 "unavailable")  # fmt: skip

    def __init__(self, now: float = 0.0) -> None:
        self.moves = self.entries = self.commits = 0
        self.redirects = self.unavailable = self.lost = 0
        self.commit_seconds = 0.0
        self.commit_times = [0] * (len(COMMIT_BUCKETS) + 1)
        self.renewed_at = now

    def committed(self, seconds: float, entries: int, moves: int) -> None:
        """Count a commit."""
        self.commits += 1
        self.entries += entries
        self.moves += moves
        self.commit_seconds += seconds
        self.commit_times[bisect_left(COMMIT_BUCKETS, seconds)] += 1

    def stats(
        self,
        now: float,
        *,
        tables: int,
        waiting: int,
        people: int,
        since: float | None,
        trouble: str,
        failing_since: float | None,
    ) -> Stats:
        """Return what it is at this moment.

        Args:
            since: when the oldest move was made that is not stored; None where there is none.
            failing_since: since when nothing can be stored; None while all is well.
        """
        return Stats(
            at=now,
            tables=tables,
            waiting=waiting,
            people=people,
            moves=self.moves,
            entries=self.entries,
            commits=self.commits,
            commit_seconds=self.commit_seconds,
            commit_times=tuple(self.commit_times),
            unstored=0.0 if since is None else max(0.0, now - since),
            renewed=max(0.0, now - self.renewed_at),
            redirects=self.redirects,
            unavailable=self.unavailable,
            lost=self.lost,
            trouble=trouble,
            outage=0.0 if failing_since is None else max(0.0, now - failing_since),
        )
