"""What a table keeps of a rule that is to run, or is suspended: which one, from where, with which answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from netcode.turns.language.fields import Packed
from netcode.turns.language.kit import Kit, Result
from netcode.turns.language.questions import Answered, Question
from netcode.turns.runtime.outcomes import result_of, said_of


class Turn(NamedTuple):  # made several times a move, and a frozen dataclass takes thrice as long
    """Everything about a game beside its fields that rules change."""

    number: int
    to_move: tuple[int, ...]
    mover: int | None
    out: tuple[int, ...]
    result: Result | None

    @classmethod
    def of(cls, kit: Kit) -> "Turn":
        """Read it off a kit."""
        return cls(kit.number, kit.to_move, kit.mover, kit.out, kit.result)

    def give(self, kit: Kit) -> None:
        """Write it to a kit."""
        kit.number, kit.to_move, kit.mover, kit.out, kit.result = (
            self.number, self.to_move, self.mover, self.out, self.result,
        )  # fmt: skip

    def stored(self) -> Sequence[Any]:
        """Return it as what `pack` takes."""
        if self.result is None:
            return self
        return [*self[:-1], said_of(self.result)]

    @classmethod
    def load(cls, data: Sequence[Any]) -> "Turn":
        """Make it of what `stored` returned."""
        number, to_move, mover, out, ended = data
        result = None if ended is None else result_of(ended)
        return cls(number, tuple(to_move), mover, tuple(out), result)


class Stand(NamedTuple):
    """Where a game stood: its fields and its turn."""

    fields: Packed
    turn: Turn

    def stored(self) -> list[Any]:
        """Return it as what `pack` takes."""
        return [self.fields, self.turn.stored()]

    @classmethod
    def load(cls, data: Sequence[Any]) -> "Stand":
        """Make it of what `stored` returned."""
        return cls(data[0], Turn.load(data[1]))


class Task(NamedTuple):
    """A rule to run.

    Its kind is "setup", "round", "move", "sealed" (a move of several at once), "late" (none of them, in time), "timeout"
    or "out" (a seat that is gone).
    """

    kind: str
    seat: int | None = None
    name: str = ""
    arguments: Mapping[str, Any] | None = None
    """Plain wire data: what they stand for is found again whenever the rule runs again."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A rule that waits for an answer: where it began, the answers so far, how much it told, what it asks now."""

    task: Task
    before: Stand
    answers: tuple[Answered, ...]
    told: int
    question: Question


@dataclass(slots=True)  # a frozen one takes thrice as long
class Undoable:
    """The last move, as long as it can be taken back: whose, to where, and whether nobody need agree."""

    seat: int
    before: Stand
    free: bool
