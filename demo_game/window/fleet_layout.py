"""How a player lays out a fleet before hiding it: what is held, what is placed, what fits. Pure."""

from random import Random

from demo_game.rules import FLEET, SIZE, Cell, Ship, random_fleet, ship_fits


class FleetLayout:
    """A fleet that is being laid out: one ship may be held in the hand, the others lie in the sea or wait.

    `ships` has a place for each length of `FLEET`, None where the ship does not lie in the sea.
    """

    def __init__(self) -> None:
        """Start with an empty sea and the longest ship in the hand."""
        self.ships: list[Ship | None] = [None] * len(FLEET)
        self.held: int | None = 0
        self.upright = False

    @property
    def fleet(self) -> tuple[Ship, ...]:
        """The ships that lie in the sea."""
        return tuple(ship for ship in self.ships if ship is not None)

    @property
    def complete(self) -> bool:
        """Whether every ship lies in the sea."""
        return None not in self.ships

    def preview(self, cell: Cell) -> Ship | None:
        """Give the held ship as it would lie with its middle at the cell, moved into the sea; None with empty hands."""
        if self.held is None:
            return None
        length = FLEET[self.held]
        along = cell.row if self.upright else cell.column
        start = min(max(along - length // 2, 0), SIZE - length)
        bow = Cell(cell.column, start) if self.upright else Cell(start, cell.row)
        return Ship(length, bow, self.upright)

    def fits(self, ship: Ship) -> bool:
        """Say whether a ship may be put down there."""
        return ship_fits(ship, self.fleet)

    def touch(self, cell: Cell) -> bool:
        """Put the held ship down, or with empty hands pick up what lies there; say whether anything happened."""
        ship = self.preview(cell)
        if ship is None:
            return self._pick_up(cell)
        if self.held is None or not self.fits(ship):
            return False
        self.ships[self.held] = ship
        self._hold_next()
        return True

    def hold(self, number: int) -> None:
        """Take this ship of the fleet into the hand, out of the sea if it lies there."""
        ship = self.ships[number]
        if ship is not None:
            self.upright = ship.upright
        self.ships[number] = None
        self.held = number

    def rotate(self) -> None:
        """Turn the held ship."""
        self.upright = not self.upright

    def clear(self) -> None:
        """Take every ship out of the sea."""
        self.ships = [None] * len(FLEET)
        self.held = 0

    def randomise(self, random: Random) -> None:
        """Lay out the whole fleet at random."""
        self.ships = list(random_fleet(random))
        self.held = None

    def _pick_up(self, cell: Cell) -> bool:
        for number, ship in enumerate(self.ships):
            if ship is not None and cell in ship.cells:
                self.hold(number)
                return True
        return False

    def _hold_next(self) -> None:
        self.held = next((number for number, ship in enumerate(self.ships) if ship is None), None)
