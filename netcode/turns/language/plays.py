"""A move with its arguments, before it is made: what one plays, and what is listed as legal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from netcode.turns.values import ordered, plain


@dataclass(frozen=True, slots=True)
class Play:
    """A move and its arguments, as `TicTacToe.mark(4)` makes it; or an answer, which has the id of its question.

    Two plays are equal if they say the same on the wire.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    question: str | None = None

    def __post_init__(self) -> None:
        name, arguments = cast("Any", self.name), cast("Any", self.arguments)
        if not isinstance(name, str) or not (arguments.__class__ is dict or isinstance(arguments, Mapping)):
            raise TypeError(
                f'a play is a move\'s name and its arguments by name, Play("mark", {{"cell": 4}}), or Play("turn") where it '
                f"has none, not Play({name!r}, {arguments!r})"
            )

    def wire(self) -> dict[str, Any]:
        """Return the arguments as plain wire data."""
        return {name: plain(value) for name, value in self.arguments.items()}

    @property
    def option(self) -> Any:
        """What an answer answers."""
        return self.arguments["answer"]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Play):
            return NotImplemented
        return self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self._said())

    def _said(self) -> tuple[str, str | None, str]:
        return self.name, self.question, repr(ordered(self.wire()))

    def __str__(self) -> str:
        if self.question is not None:
            return str(plain(self.option))
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


def answer(question: str, option: Any) -> Play:
    """Make the play that answers the question of this id."""
    return Play("", {"answer": option}, question)
