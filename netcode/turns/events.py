"""What a player's end of a table gives from `events()`: small immutable values that `match` takes apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from netcode.diagnostics.mistakes import tell_from_classes
from netcode.turns.language.plays import Play
from netcode.turns.runtime.outcomes import result_of
from netcode.turns.table import Result


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody sat down; `seat` is its number, and one's own comes first. `name` is what the table calls them.

    For who watches, `seat` is None, and `name` what was asked for.
    """

    seat: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Started:
    """The game begins, the first or another one. Who comes to a game that is on hears `Seated` alone."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A seat moved or answered. `name` is None for an answer, and while several are to move; arguments nobody is told.

    `before` and `after` are views, for animation; everything that happened at once shares them.
    """

    seat: int
    name: str | None
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A move was taken back: by undo, because its rule no longer asks what it asked, or was not answered in time.

    `seat` is None where it was no seat's move: what `round` or `setup` asked. It is the one whose time was up where
    `timeout` gave the turn anew, and what others had moved unseen is dropped.

    A move of several at once that another one has made impossible is taken back when all are made; its seat alone hears it.
    """

    seat: int | None
    text: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Told:
    """The rules told something."""

    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for did not happen, and why. `play` is None where it was no play."""

    play: Play | None
    text: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody is "here", "away" or "left". `seconds` is when absence has consequences, None if it has none.

    `seat` is None for one's own link to the server. A question or a move may change `seconds`: `Seat.presence` has them.
    """

    seat: int | None
    state: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something; `seat` is None for who watches."""

    seat: int | None
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Over:
    """The game is over, now or before we came. A rematch begins with `Started`."""

    result: Result


@dataclass(frozen=True, slots=True)
class Gone:
    """One is at no table any more. The last event."""

    reason: str


Event = Seated | Started | Moved | TakenBack | Told | Refused | Presence | Said | Over | Gone
tell_from_classes("turns", *get_args(Event))


def event_of(data: Any, before: Any, after: Any, own: int | None) -> Event | None:
    """Return what a step tells our `own` seat as an event between two views; None for what only a newer server tells.

    None, too, for what the seat is told otherwise, that it sits, and what concerns another one alone.
    """
    match data:
        case ["seated", int(seat), str(name)]:
            return None if seat == own else Seated(seat, name)
        case ["started"]:
            return Started()
        case ["moved", int(seat), name]:
            return Moved(seat, name, before, after)
        case ["told", str(text), facts, *_] if isinstance(facts, dict):
            return Told(text, facts)  # pyright: ignore[reportUnknownArgumentType]
        case ["taken back", seat, str(text)]:
            return TakenBack(seat, text, before, after)
        case ["not taken back", seat, str(text)]:
            return Refused(None, text) if seat == own else None
        case ["presence", int(seat), str(state), seconds]:
            return Presence(seat, state, seconds)
        case ["over", *result]:
            return Over(result_of(result))
        case _:
            return None
