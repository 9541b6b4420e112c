"""The moves of several at once that have come, and wait for the others or for their turn to be made."""

from collections.abc import Container
from dataclasses import dataclass, field

from netcode.turns.runtime.pending import Task


@dataclass(slots=True)
class WaitingMoves:
    """What waits at one table while several move at once; nothing, at all other times."""

    sealed: dict[int, Task] = field(default_factory=dict[int, Task])
    """The moves of those who have moved already, and of those who were late, by seat."""
    queue: tuple[Task, ...] = ()
    """Those of them that have yet to be made, once all have come."""
    called: tuple[int, ...] | None = None
    """Whom one of them called with `turn_to`."""

    def __bool__(self) -> bool:
        return bool(self.sealed or self.queue)

    def copy(self) -> "WaitingMoves":
        """Return the same in an object of its own."""
        return WaitingMoves(dict(self.sealed), self.queue, self.called)

    def next(self) -> Task:
        """Take the next one to be made; the first once all have come."""
        first, *rest = self.queue or (self.sealed[seat] for seat in sorted(self.sealed))
        self.sealed, self.queue = {}, tuple(rest)
        return first

    def put_back(self, task: Task) -> None:
        """Have one be made anew, before those that have yet to be made."""
        self.queue = (task, *self.queue)

    def drop(self) -> bool:
        """Forget all of them; return whether there were any."""
        there = bool(self)
        self.sealed, self.queue, self.called = {}, (), None
        return there

    def pass_over(self, out: Container[int | None]) -> None:
        """Let those who are out have moved nothing."""
        self.sealed = {seat: _late(seat) if seat in out else task for seat, task in self.sealed.items()}
        self.queue = tuple(Task("late", task.seat) if task.seat in out else task for task in self.queue)

    def note_late(self, seat: int) -> None:
        """Let a seat have moved nothing, since its time was up."""
        self.sealed[seat] = _late(seat)


def _late(seat: int) -> Task:
    return Task("late", seat)
