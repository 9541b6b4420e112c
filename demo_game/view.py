"""What one end knows of its game: built from the server's news alone, and all that a screen needs to draw it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from demo_game.messages import (
    Anew,
    Fired,
    Missing,
    News,
    Over,
    Paired,
    Placed,
    Refused,
    Returned,
    Silent,
    Turn,
    Waiting,
    Yours,
)
from demo_game.rules import Cell, Chart, Ship


class Phase(Enum):
    """How far the game is."""

    WAITING = "waiting"
    PLACING = "placing"
    FIRING = "firing"
    OVER = "over"


@dataclass(slots=True)
class Side:
    """One seat, as far as it is known: `fleet` is empty until it is our own or the game is over."""

    name: str
    chart: Chart = field(default_factory=Chart)
    fleet: tuple[Ship, ...] = ()
    placed: bool = False
    silent_for: int = 0
    missing: bool = False


@dataclass(slots=True)
class View:
    """One game as one end sees it; the next game is a new view. `seat` is our own, None for a spectator.

    `log` keeps every shot in order, with the seat that fired it: the pictures of the shots come from it.
    """

    phase: Phase = Phase.WAITING
    number: int = 0
    seat: int | None = None
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(""), Side("")))
    turn: int | None = None
    aim: Cell | None = None
    winner: int | None = None
    why: str = ""
    refusal: str = ""
    silence_limit: int = 0
    log: list[Fired] = field(default_factory=list[Fired])

    @property
    def near(self) -> int:
        """The seat whose sea is shown first: our own, or for a spectator seat 0."""
        return 0 if self.seat is None else self.seat

    @property
    def far(self) -> int:
        """The other seat."""
        return 1 - self.near

    @property
    def my_turn(self) -> bool:
        """Whether we are to fire, and have not fired yet."""
        return self.turn is not None and self.turn == self.seat and self.aim is None

    @property
    def to_place(self) -> bool:
        """Whether our fleet is still to be hidden."""
        return self.phase is Phase.PLACING and self.seat is not None and not self.sides[self.seat].fleet

    def hide(self, fleet: Sequence[Ship]) -> None:
        """Remember where our own fleet lies: the server tells it to nobody before the end."""
        self.sides[self.near].fleet = tuple(fleet)

    def learn(self, news: News) -> None:
        """Take in one piece of news."""
        match news:
            case Waiting() | Anew():
                self.phase = Phase.WAITING
            case Paired(number, names, seat):
                self.number, self.seat, self.phase = number, seat, Phase.PLACING
                self.sides = (Side(names[0]), Side(names[1]))
            case Yours(fleet):
                self.hide(fleet)
            case Placed(seat):
                self.sides[seat].placed = True
            case Turn(seat):
                self.turn, self.phase = seat, Phase.FIRING
            case Fired():
                self._see(news)
            case Silent(seat, seconds, limit):
                self.sides[seat].silent_for, self.silence_limit = seconds, limit
            case Missing(seat):
                self.sides[seat].missing, self.sides[seat].silent_for = True, 0
            case Returned(seat):
                self.sides[seat].missing, self.sides[seat].silent_for = False, 0
            case Refused(why):
                self._take_back(why)
            case Over():
                self._finish(news)
            case _:
                assert_never(news)

    def _see(self, news: Fired) -> None:
        self.log.append(news)
        self.sides[1 - news.seat].chart.mark(news.shot)
        self.aim, self.refusal = None, ""

    def _take_back(self, why: str) -> None:
        self.aim, self.refusal = None, why
        if self.phase is Phase.PLACING and not self.sides[self.near].placed:
            self.sides[self.near].fleet = ()

    def _finish(self, news: Over) -> None:
        self.phase, self.turn = Phase.OVER, None
        self.winner, self.why = news.winner, news.why
        for side, fleet in zip(self.sides, news.fleets, strict=True):
            side.fleet = fleet or side.fleet
            side.silent_for, side.missing = 0, False


def advance(view: View, news: News) -> View:
    """Take in one piece of news, and give the view to go on with: a new one where a new game begins."""
    if isinstance(news, Waiting | Paired | Anew):
        view = View()
    view.learn(news)
    return view
