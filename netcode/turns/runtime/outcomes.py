"""What a table says: what came of a play, what happened by it, what it asks, and how it stands."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from netcode.turns.language.kit import Result, Told


class Moved(NamedTuple):
    """A move or an answer happened. `name` is None where others shall not learn it: while several are to move."""

    seat: int
    name: str | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A move was taken back: by undo, or because its rule no longer asks what it asked.

    `alone`: it never was to be seen, so that nobody but the seat itself is told.
    """

    seat: int | None
    text: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """The game is over."""

    result: Result


def said_of(result: Result) -> tuple[tuple[int, ...], tuple[float, ...] | None, str]:
    """Return how a game ended as what `pack` takes."""
    return result.winners, result.scores, result.text


def result_of(data: Any) -> Result:
    """Make a result of what `said_of` returned, as it was sent or stored."""
    winners, scores, text = data
    return Result(tuple(winners), None if scores is None else tuple(scores), text)


Happening = Moved | Told | TakenBack | Over


class Step(NamedTuple):
    """Something was accepted. Store `entry` (msgpack) in the log, then tell `happenings` and the changed views.

    `entry` is b"" where nothing is to be stored: a resend (`again`), or a wish that others have yet to agree to.
    """

    entry: bytes
    happenings: tuple[Happening, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changed, and why: for the seat that asked, and nobody else."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the asked seat sees it. `options` is plain wire data; None where the answer is free."""

    id: str
    prompt: str
    options: tuple[Any, ...] | None
    text: bool = False
    """Whether a free answer is a text, whatever is in it."""


class Status(NamedTuple):
    """What is public beside the fields, and changes with them. Clocks are seconds left per seat."""

    started: bool
    number: int
    to_move: tuple[int, ...]
    mover: int | None
    out: tuple[int, ...]
    asked: bool
    result: Result | None
    clocks: tuple[float, ...] | None
    running: tuple[int, ...]
    secret: bytes | None
    """After the end of a game that reveals: the seed, with which a replay can be verified."""
    frozen: str = ""
    """Why this table takes no more moves, if it does not."""
