"""How a bot thinks: from the chart of the enemy's sea to the cell to fire at. Pure."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from demo_game.rules import ALL_CELLS, FLEET, SIZE, Cell, Chart, all_places

HIT_WEIGHT = 20
"""How much likelier a place becomes with each open hit that it explains: enough that a wounded ship is always finished."""


def choose_target(chart: Chart, random: Random) -> Cell:
    """Pick the unknown cell that the most possible places of the ships still afloat would cover.

    Raise `IndexError` when every cell has been fired at: then the game is over and there is nothing to choose.
    """
    likelihood = _likelihood(chart)
    unknown = [cell for cell in ALL_CELLS if not chart.knows(cell)]
    best = max((likelihood[cell] for cell in unknown), default=0)
    return random.choice([cell for cell in unknown if likelihood[cell] == best])


def _bits(cells: Iterable[Cell]) -> int:
    """Make a set of cells a number with a bit for each, as they stand in `ALL_CELLS`: two are compared at once."""
    return sum(1 << cell.row * SIZE + cell.column for cell in cells)


_PLACES = {length: [(_bits(ship.cells), ship.cells) for ship in all_places(length)] for length in {*FLEET}}


def _likelihood(chart: Chart) -> Counter[Cell]:
    wounded = chart.open_hits
    hits, closed = _bits(wounded), _bits(chart.misses | (chart.hits - wounded))
    likelihood = Counter[Cell]()
    for length in chart.afloat:
        for place, cells in _PLACES[length]:
            if not place & closed:
                weight = HIT_WEIGHT ** (place & hits).bit_count()
                for cell in cells:
                    likelihood[cell] += weight
    return likelihood
