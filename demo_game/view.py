"""What one end knows of its game: all that a screen needs to draw it. Made of the kit's view, and thrown away with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from demo_game.rules import Broadside, Cell, Chart, Fired, Ship
from netcode.turns import Seat


class Phase(Enum):
    """How far the game is."""

    WAITING = "waiting"
    PLACING = "placing"
    FIRING = "firing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Side:
    """One seat, as far as it is known: `fleet` is empty until it is our own or the game is over.

    `presence` is "here", "away" or "left"; `patience` the seconds after which absence loses the game, `clock` those left
    for thinking, where time counts.
    """

    name: str = ""
    chart: Chart = field(default_factory=Chart)
    fleet: tuple[Ship, ...] = ()
    placed: bool = False
    presence: str = "here"
    patience: float | None = None
    clock: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One game as one end sees it, at one moment. `seat` is our own, None for a spectator.

    `log` keeps every shot in order, with the seat that fired it: the pictures of the shots come from it. `aim` is what we
    have fired at and not been answered, `again` are the seats that want another game, and `told` is what the rules said
    last.
    """

    phase: Phase = Phase.WAITING
    number: int = 0
    seat: int | None = None
    sides: tuple[Side, Side] = (Side(), Side())
    turn: int | None = None
    aim: Cell | None = None
    winner: int | None = None
    why: str = ""
    refusal: str = ""
    told: str = ""
    log: Sequence[Fired] = ()
    to_place: bool = False
    again: tuple[int, ...] = ()
    spectators: int = 0

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


def before_the_end(view: View) -> View:
    """Give a game that is over as it was while the last shell flew."""
    sides = [replace(side, fleet=side.fleet if seat == view.seat else ()) for seat, side in enumerate(view.sides)]
    return replace(view, phase=Phase.FIRING, winner=None, why="", turn=None, sides=(sides[0], sides[1]))


def view_of(table: Seat[Broadside], number: int, fleet: tuple[Ship, ...], refusal: str, told: str = "") -> View:
    """Look at a table. `fleet` is where we hid our own: before both are hidden, the table does not say it even to us."""
    if not table.started:
        return View(number=number, seat=table.seat)
    game, play, result = table.view, table.pending, table.view.result
    hidden = len(game.fleets) == len(table.names)  # who was too slow has a fleet before the other one
    phase = Phase.OVER if result else Phase.FIRING if hidden else Phase.PLACING
    to_hide = game.to_move if phase is Phase.PLACING else ()
    return View(
        phase,
        number,
        table.seat,
        (_side(table, 0, to_hide, fleet), _side(table, 1, to_hide, fleet)),
        turn=game.to_move[0] if phase is Phase.FIRING else None,
        aim=play.arguments["cell"] if play is not None and play.name == "fire" else None,
        winner=next(iter(result.winners), None) if result else None,
        why=result.text if result else "",
        refusal=refusal,
        told=told,
        log=game.log,
        to_place=table.seat in to_hide and play is None and not (fleet and table.frozen),
        again=table.rematch_wanted_by,
        spectators=table.spectators,
    )


def _side(table: Seat[Broadside], seat: int, to_hide: Sequence[int], own: tuple[Ship, ...]) -> Side:
    game = table.view
    # While we are on the way back to our seat, the table has said nothing yet of who is there.
    presence, patience = table.presence[seat] if table.presence else ("here", None)
    known = seat == table.seat or game.result is not None
    fleet = tuple(game.fleets.get(seat, ()) if known else ()) or (own if seat == table.seat else ())
    clock = table.clocks[seat] if table.clocks else None
    if not clock and seat not in game.to_move:
        clock = None  # who was too slow has the time of a shot again when it is their turn
    return Side(game.names[seat], game.chart(seat), fleet, seat not in to_hide, presence, patience, clock)
