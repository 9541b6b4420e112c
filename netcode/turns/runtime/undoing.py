"""Taking the last move back: whose it was, to where, and who has to agree."""

from netcode.turns.runtime.course import Course
from netcode.turns.runtime.outcomes import TakenBack
from netcode.turns.runtime.pending import Stand, Undoable


class Undoing:
    """What can be taken back at one table, and who wants to."""

    __slots__ = ("_consents", "last", "wanted")

    def __init__(self) -> None:
        self.last: Undoable | None = None
        self.wanted: int | None = None
        """The seat that waits for the others to agree."""
        self._consents: frozenset[int] = frozenset()

    def moved(self, course: Course, seat: int, name: str, before: Stand) -> None:
        """Remember where the move of one who was alone to move can be taken back to."""
        self.wanted = None
        claimed = course.definition.moves[name].undo
        unseen = not course.touched and course.suspension is None
        self.last = Undoable(seat, before, unseen and (course.definition.all_open or claimed))

    def forget(self) -> None:
        """Let nothing be taken back any more."""
        self.last, self.wanted = None, None

    def want(self, seat: int) -> None:
        """Ask the others whether one may."""
        self.wanted, self._consents = seat, frozenset((seat,))

    def agree(self, seat: int, everybody: list[int]) -> bool:
        """Take a consent; return whether all have agreed now."""
        self._consents |= {seat}
        return self._consents >= {*everybody}

    def take_back(self, course: Course, text: str) -> None:
        """Make everything as it was before the last move; what it drew is known, so it draws otherwise next time."""
        last = self.last
        assert last is not None
        course.return_to(last.before)
        course.taken_back.append(TakenBack(last.seat, text))
        self.forget()
