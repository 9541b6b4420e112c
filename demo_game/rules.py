"""The rules of Broadside: a sea, a fleet, hiding it, firing, winning. `netcode.turns` plays them; no pictures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from netcode.turns import Free, Game, Owned, move

SIZE = 10
"""Cells along each side of a sea."""
FLEET: tuple[int, ...] = (5, 4, 3, 3, 2)
"""The lengths of the ships that each player hides."""
SHIP_NAMES = {5: "carrier", 4: "battleship", 3: "cruiser", 2: "destroyer"}


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


class Fired(NamedTuple):
    """A shot, and the seat that fired it."""

    seat: int
    shot: Shot


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


def wrong_with(fleet: Sequence[Ship]) -> str | None:
    """Say why these are not the ships of `FLEET`, all in the sea, none across another; None if they are."""
    if Counter(ship.length for ship in fleet) != Counter(FLEET):
        return f"a fleet is ships of lengths {', '.join(map(str, FLEET))}"
    for number, ship in enumerate(fleet):
        if not ship_fits(ship, fleet[:number]):
            return f"the {SHIP_NAMES[ship.length]} lies outside the sea or across another ship"
    return None


def random_fleet(random: Random) -> list[Ship]:
    """Place a whole fleet at random; every legal place of each ship is as likely as any other."""
    fleet: list[Ship] = []
    for length in FLEET:
        places = [*all_places(length)]
        fleet.append(next(ship for ship in random.sample(places, len(places)) if ship_fits(ship, fleet)))
    return fleet


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
    def open_hits(self) -> set[Cell]:
        """The hits on ships that still float."""
        return self.hits - {cell for ship in self.sunk for cell in ship.cells}

    @property
    def afloat(self) -> tuple[int, ...]:
        """The lengths of the ships that still float, longest first."""
        left = Counter(FLEET) - Counter(ship.length for ship in self.sunk)
        return tuple(sorted(left.elements(), reverse=True))


def shoot(fleet: Iterable[Ship], chart: Chart, cell: Cell) -> Shot:
    """Fire at a cell where this fleet lies and this is known of it, enter what the shot did, and give it."""
    struck = next((ship for ship in fleet if cell in ship.cells), None)
    finished = struck is not None and chart.hits.issuperset({*struck.cells} - {cell})
    shot = Shot(cell, struck is not None, struck if finished else None)
    chart.mark(shot)
    return shot


class Broadside(Game):
    """Both hide a fleet, then they fire in turns until one fleet is gone.

    A fleet is its owner's secret until the end. The log is public: a chart, which is all that one may know of the other
    sea, is made of it.
    """

    absent = "forfeit"
    grace = 30.0
    fleets: Owned[dict[int, list[Ship]]]
    log: list[Fired]

    def setup(self) -> None:
        """Begin with two empty seas."""
        self.fleets, self.log = {}, []

    def round(self) -> None:
        """Let all hide their fleets who have none yet, then draw who fires first."""
        if asked := [seat for seat in self.players if seat not in self.fleets]:
            self.fleets |= self.ask_all(asked, Free(list[Ship], random_fleet, wrong_with), "hide your fleet")
        self.turn_to(self.random.randrange(2))

    def timeout(self, seat: int) -> None:
        """Hide the fleet of who was too slow for that at random; in battle the other has won."""
        if len(self.fleets) == len(self.players):
            super().timeout(seat)
            return
        self.fleets[seat] = random_fleet(self.random)
        self.tell(f"The fleet of {self.names[seat]} was hidden at random: the time was up")

    def chart(self, seat: int) -> Chart:
        """Give what the shots have shown of a seat's sea."""
        chart = Chart()
        for fired in self.log:
            if fired.seat != seat:
                chart.mark(fired.shot)
        return chart

    def unknown(self) -> list[Cell]:
        """Give the cells at which the mover has not fired yet."""
        chart = self.chart(1 - self.mover)
        return [cell for cell in ALL_CELLS if not chart.knows(cell)]

    @move(cell=unknown)
    def fire(self, cell: Cell) -> None:
        """Fire at a cell of the other sea."""
        chart = self.chart(1 - self.mover)
        self.log.append(Fired(self.mover, shoot(self.fleets[1 - self.mover], chart, cell)))
        if not chart.afloat:
            names = self.names[self.mover], self.names[1 - self.mover]
            self.finish(self.mover, text="{} has sunk the whole fleet of {}".format(*names))
