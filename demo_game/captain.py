"""How a bot thinks: from the chart of the enemy's sea to the cell to fire at. Pure."""

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
    unknown = [number for number, cell in enumerate(ALL_CELLS) if not chart.knows(cell)]
    best = max((likelihood[number] for number in unknown), default=0)
    return ALL_CELLS[random.choice([number for number in unknown if likelihood[number] == best])]


def _numbers(cells: Iterable[Cell]) -> list[int]:
    """Give where the cells stand in `ALL_CELLS`."""
    return [cell.row * SIZE + cell.column for cell in cells]


def _bits(cells: Iterable[Cell]) -> int:
    """Make a set of cells a number with a bit for each: what two have in common is found at once."""
    return sum(1 << number for number in _numbers(cells))


_PLACES = {length: [(_bits(ship.cells), _numbers(ship.cells)) for ship in all_places(length)] for length in {*FLEET}}


def _likelihood(chart: Chart) -> list[int]:
    wounded = chart.open_hits
    hits, closed = _bits(wounded), _bits(chart.misses | (chart.hits - wounded))
    likelihood = [0] * len(ALL_CELLS)
    for length in chart.afloat:
        for place, numbers in _PLACES[length]:
            if not place & closed:
                weight = HIT_WEIGHT ** (place & hits).bit_count()
                for number in numbers:
                    likelihood[number] += weight
    return likelihood
