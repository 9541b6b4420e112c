"""What time demands of a table: clocks that ran out, and seats whose people have been away for longer than `grace`."""

from enum import Enum

from netcode.turns.language.clocks import Clocks
from netcode.turns.language.questions import ANY
from netcode.turns.runtime.course import Course
from netcode.turns.runtime.resuming import has_default

PAUSE = 1.0
"""Seconds between two looks at a table at which a seat is answered for again and again."""
GIVES_UP = ("forfeit", "out")
"""The settings of `absent` by which a seat is gone for good, once nobody has been there for `grace` seconds."""


class Demand(Enum):
    """What has to happen to a seat."""

    DEFAULT = "the question answers itself"
    TIMEOUT = "its time is up"
    FORFEIT = "it is gone for good"


class Absence:
    """Since when nobody sits at each seat, and when that was last looked at."""

    __slots__ = ("looked", "since")

    def __init__(self, players: int) -> None:
        self.since: list[float | None] = [0.0] * players
        self.looked = float("-inf")

    def begin(self, now: float) -> None:
        """Count from now for whoever is not there."""
        self.since = [None if since is None else now for since in self.since]

    def note(self, seat: int, present: bool, now: float) -> None:
        """Remember that somebody sits at the seat, or since when nobody does."""
        if present:
            self.since[seat] = None
        elif self.since[seat] is None:
            self.since[seat] = now

    def hold(self, began: float, now: float) -> None:
        """Let the time between not count; who has gone since then is gone from now on."""
        self.since = [None if since is None else since + now - max(since, began) for since in self.since]

    def beyond(self, seat: int, now: float, grace: float) -> bool:
        """Tell whether nobody has sat at the seat for longer than `grace`."""
        since = self.since[seat]
        return since is not None and now >= since + grace

    def due(self, course: Course, clocks: Clocks | None) -> float | None:
        """Return when something will be demanded; None for never."""
        grace = course.rules.grace
        times = [] if clocks is None else [self._not_without_pause(clocks.due())]
        for seat, since in enumerate(self.since):
            if since is None or not _minds(course, seat):
                continue
            if has_default(course, seat) or is_stuck_without(course, seat):  # as often as it is asked
                times.append(max(since + grace, self.looked + PAUSE))
            elif since + grace > self.looked:
                times.append(since + grace)
        return min((time for time in times if time is not None), default=None) if times else None

    def _not_without_pause(self, due: float | None) -> float | None:
        """Return when to look at what is due; what was due already when it was looked at last, comes up again and again."""
        return self.looked + PAUSE if due is not None and due <= self.looked else due

    def demanded(self, course: Course, clocks: Clocks | None, now: float) -> tuple[Demand, int] | None:
        """Return one thing that is due, and for which seat."""
        if clocks is not None:
            for seat in clocks.fallen(now):
                return (Demand.DEFAULT if has_default(course, seat) else Demand.TIMEOUT), seat
        for seat in course.kit.players:
            if _minds(course, seat) and self.beyond(seat, now, course.rules.grace):
                if has_default(course, seat):
                    return Demand.DEFAULT, seat
                if course.rules.absent in GIVES_UP:
                    return Demand.FORFEIT, seat
        return None


def matters(course: Course, seat: int) -> bool:
    """Tell whether it has consequences, or will have when it is the seat's turn, that nobody sits there."""
    return _minds(course, seat) or (course.rules.absent == "bot" and seat in course.kit.alive)


def _minds(course: Course, seat: int) -> bool:
    """Tell whether it has consequences that nobody sits at the seat."""
    if has_default(course, seat):
        return True
    if course.rules.absent in GIVES_UP:
        return seat in course.kit.alive or is_stuck_without(course, seat)
    return course.rules.absent == "bot" and seat in course.kit.to_move


def is_stuck_without(course: Course, seat: int) -> bool:
    """Tell whether a rule waits for the answer of a seat that is out, which no other seat could give."""
    suspension, out = course.suspension, course.kit.out
    if suspension is None or seat not in out or seat not in suspension.question.waiting:
        return False
    return suspension.question.kind is not ANY or all(other in out for other in suspension.question.waiting)
