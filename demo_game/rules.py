"""The rules of Broadside: a sea, a fleet, placing, firing, winning. No network and no pictures.

Two things are kept apart on purpose: a `Sea` knows where the ships are, a `Chart` knows only what the shots have shown.
Whoever must not see a fleet is given the chart.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

SIZE = 10
"""Cells along each side of a sea."""

FLEET: tuple[int, ...] = (5, 4, 3, 3, 2)
"""The lengths of the ships that each player hides."""

SHIP_NAMES = {5: "carrier", 4: "battleship", 3: "cruiser", 2: "destroyer"}


class RuleError(Exception):
    """A move that the rules forbid; the text tells the player why."""


class Cell(NamedTuple):
    """One square of a sea; `Cell(0, 0)` is A1."""

    column: int
    row: int

    def __str__(self) -> str:
        return f"{chr(ord('A') + self.column)}{self.row + 1}"


class Ship(NamedTuple):
    """A ship that lies from its bow to the right, or downwards if it is upright."""

    length: int
    bow: Cell
    upright: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell that the ship covers, from the bow on, whether or not it lies in the sea."""
        column, row = self.bow
        if self.upright:
            return tuple(Cell(column, row + step) for step in range(self.length))
        return tuple(Cell(column + step, row) for step in range(self.length))


class Shot(NamedTuple):
    """What one shot did; `sunk` is the ship that it finished, if it finished one."""

    cell: Cell
    hit: bool
    sunk: Ship | None = None


ALL_CELLS = tuple(Cell(column, row) for row in range(SIZE) for column in range(SIZE))


def in_sea(cell: Cell) -> bool:
    """Say whether the cell lies in the sea."""
    return 0 <= cell.column < SIZE and 0 <= cell.row < SIZE


def ship_fits(ship: Ship, others: Iterable[Ship]) -> bool:
    """Say whether the ship lies in the sea and crosses none of the others; ships may touch."""
    taken = {cell for other in others for cell in other.cells}
    return all(in_sea(cell) and cell not in taken for cell in ship.cells)


def all_places(length: int) -> Iterable[Ship]:
    """Give every way in which a ship of that length lies in an empty sea."""
    for upright in (False, True):
        for cell in ALL_CELLS:
            ship = Ship(length, cell, upright)
            if in_sea(ship.cells[-1]):
                yield ship


def check_fleet(fleet: Sequence[Ship]) -> None:
    """Raise `RuleError` unless these are exactly the ships of `FLEET`, all in the sea, none across another."""
    if Counter(ship.length for ship in fleet) != Counter(FLEET):
        raise RuleError(f"a fleet is ships of lengths {', '.join(map(str, FLEET))}")
    for number, ship in enumerate(fleet):
        if not all(in_sea(cell) for cell in ship.cells):
            raise RuleError(f"the {SHIP_NAMES[ship.length]} at {ship.bow} does not lie in the sea")
        if not ship_fits(ship, fleet[:number]):
            raise RuleError(f"the {SHIP_NAMES[ship.length]} at {ship.bow} lies across another ship")


def random_fleet(random: Random) -> tuple[Ship, ...]:
    """Place a whole fleet at random; every legal place of each ship is as likely as any other."""
    fleet: list[Ship] = []
    for length in FLEET:
        fleet.append(random.choice([ship for ship in all_places(length) if ship_fits(ship, fleet)]))
    return tuple(fleet)


@dataclass(slots=True)
class Chart:
    """What the shots have shown of one sea: all that its enemy and the spectators may know."""

    hits: set[Cell] = field(default_factory=set[Cell])
    misses: set[Cell] = field(default_factory=set[Cell])
    sunk: list[Ship] = field(default_factory=list[Ship])

    def mark(self, shot: Shot) -> None:
        """Enter what a shot did."""
        (self.hits if shot.hit else self.misses).add(shot.cell)
        if shot.sunk is not None:
            self.sunk.append(shot.sunk)

    def knows(self, cell: Cell) -> bool:
        """Say whether the cell has been fired at."""
        return cell in self.hits or cell in self.misses

    @property
    def shots(self) -> int:
        """How many shots have fallen into this sea."""
        return len(self.hits) + len(self.misses)

    @property
    def open_hits(self) -> set[Cell]:
        """The hits on ships that still float."""
        return self.hits - {cell for ship in self.sunk for cell in ship.cells}

    @property
    def afloat(self) -> tuple[int, ...]:
        """The lengths of the ships that still float, longest first."""
        left = Counter(FLEET) - Counter(ship.length for ship in self.sunk)
        return tuple(sorted(left.elements(), reverse=True))


class Sea:
    """One player's sea with the hidden fleet, and the chart of what has been shown of it."""

    def __init__(self, fleet: Sequence[Ship]) -> None:
        """Hide the fleet; raise `RuleError` if it is not a legal one."""
        check_fleet(fleet)
        self.fleet = tuple(fleet)
        self.chart = Chart()

    def fire(self, cell: Cell) -> Shot:
        """Fire at a cell and say what happened; raise `RuleError` if it cannot be fired at (again)."""
        if not in_sea(cell):
            raise RuleError("that shot would leave the sea")
        if self.chart.knows(cell):
            raise RuleError(f"{cell} has been fired at already")
        shot = self._look(cell)
        self.chart.mark(shot)
        return shot

    def _look(self, cell: Cell) -> Shot:
        struck = next((ship for ship in self.fleet if cell in ship.cells), None)
        if struck is None:
            return Shot(cell, hit=False)
        finished = all(part == cell or part in self.chart.hits for part in struck.cells)
        return Shot(cell, hit=True, sunk=struck if finished else None)

    @property
    def lost(self) -> bool:
        """Whether every ship has been sunk."""
        return not self.chart.afloat


class Game:
    """One game between seat 0 and seat 1: both place, then they fire in turns until one fleet is gone.

    `turn` is the seat that fires next: None before both have placed and after the end. `winner` is None until the end.
    """

    def __init__(self, first: int = 0) -> None:
        """Prepare a game in which seat `first` fires first."""
        self.seas: list[Sea | None] = [None, None]
        self.turn: int | None = None
        self.winner: int | None = None
        self._first = first

    def place(self, seat: int, fleet: Sequence[Ship]) -> None:
        """Hide the seat's fleet, once; when both have, the first turn begins. Raise `RuleError` if that is illegal."""
        if self.winner is not None:
            raise RuleError("the game is over")
        if self.seas[seat] is not None:
            raise RuleError("the fleet has been placed already")
        self.seas[seat] = Sea(fleet)
        if None not in self.seas:
            self.turn = self._first

    def fire(self, seat: int, cell: Cell) -> Shot:
        """Fire the seat's shot into the other sea and pass the turn, or win. Raise `RuleError` if that is illegal."""
        target = self.seas[1 - seat]
        if self.winner is not None:
            raise RuleError("the game is over")
        if self.turn is None or target is None:
            raise RuleError("wait until both fleets are placed")
        if self.turn != seat:
            raise RuleError("it is not your turn")
        shot = target.fire(cell)
        self._pass_turn(seat, target)
        return shot

    def forfeit(self, seat: int) -> None:
        """End the game in favour of the other seat, at any time; after the end it changes nothing."""
        if self.winner is None:
            self.turn, self.winner = None, 1 - seat

    def _pass_turn(self, seat: int, target: Sea) -> None:
        if target.lost:
            self.turn, self.winner = None, seat
        else:
            self.turn = 1 - seat
