"""Pictures of ships, seen from above."""

import math
from typing import NamedTuple

import pygame

from demo_game.window.painter import FINENESS, Painter, smooth_picture
from demo_game.window.palette import DECK, NIGHT, STEEL, STEEL_DARK, WRECK, Colour, blend

Point = tuple[float, float]

_TURRETS: dict[int, tuple[float, ...]] = {5: (), 4: (0.24, 0.36, 0.8), 3: (0.27, 0.78), 2: (0.36,)}
"""Where along a ship of each length its guns stand, from the bow."""


class Paint(NamedTuple):
    """The colours of one ship."""

    hull: Colour
    deck: Colour
    dark: Colour


AFLOAT = Paint(STEEL, DECK, STEEL_DARK)
SUNK = Paint(blend(WRECK, NIGHT, 0.15), blend(WRECK, NIGHT, 0.4), blend(WRECK, NIGHT, 0.7))


def ship_picture(
    painter: Painter, length: int, cell: int, *, upright: bool = False, sunk: bool = False
) -> pygame.Surface:
    """Give the picture of a ship, afloat or wrecked, as large as the cells that it covers."""

    def make() -> pygame.Surface:
        flat = smooth_picture(
            (length * cell, cell), lambda large: _draw(large, length, SUNK if sunk else AFLOAT), NIGHT
        )
        # The bow is on the left, and on top when the ship is upright.
        return pygame.transform.rotate(flat, -90) if upright else flat

    return painter.picture(("ship", length, cell, upright, sunk), make)


def _draw(large: pygame.Surface, length: int, paint: Paint) -> None:
    height = large.get_height()
    outline = _hull(large.get_size(), 0.0)
    shadow = [(x + height * 0.03, y + height * 0.07) for x, y in outline]
    pygame.draw.polygon(large, (*NIGHT, 110), shadow)
    pygame.draw.polygon(large, paint.dark, outline)
    pygame.draw.polygon(large, paint.hull, _hull(large.get_size(), 0.035))
    pygame.draw.polygon(large, paint.deck, _hull(large.get_size(), 0.1))
    if length == 5:
        _draw_flight_deck(large, paint)
    else:
        _draw_bridge(large, paint, length)
    for place in _TURRETS[length]:
        _draw_turret(large, paint, place)


def _hull(size: tuple[int, int], inset: float) -> list[Point]:
    """Give the outline: a bow that narrows to a point on the left, a stern that is nearly square."""
    width, height = size
    left, right = height * (0.06 + inset * 1.6), width - height * (0.07 + inset)
    half = height * (0.29 - inset)
    entry = height * 1.15
    upper: list[Point] = []
    for step in range(13):
        share = step / 12
        upper.append((left + entry * share, height / 2 - half * math.sin(share * math.pi / 2) ** 0.8))
    corner = height * 0.12
    upper += [(right - corner, height / 2 - half), (right, height / 2 - half * 0.62)]
    lower = [(x, height - y) for x, y in reversed(upper)]
    return upper + lower


def _draw_flight_deck(large: pygame.Surface, paint: Paint) -> None:
    width, height = large.get_size()
    thick = max(1, round(height * 0.035))
    for step in range(7):
        start = width * (0.2 + step * 0.1)
        pygame.draw.line(large, paint.hull, (start, height / 2), (start + width * 0.05, height / 2), thick)
    island = pygame.Rect(0, 0, round(width * 0.13), round(height * 0.15))
    island.center = (round(width * 0.62), round(height * 0.3))
    pygame.draw.rect(large, paint.dark, island, border_radius=FINENESS * 2)
    pygame.draw.rect(large, paint.hull, island.inflate(-thick * 2, -thick * 2), border_radius=FINENESS)


def _draw_bridge(large: pygame.Surface, paint: Paint, length: int) -> None:
    width, height = large.get_size()
    block = pygame.Rect(0, 0, round(height * (0.5 + 0.16 * (length - 2))), round(height * 0.27))
    block.center = (round(width * 0.57), height // 2)
    pygame.draw.rect(large, paint.dark, block, border_radius=FINENESS * 3)
    pygame.draw.rect(large, paint.hull, block.inflate(-height * 0.06, -height * 0.06), border_radius=FINENESS * 2)
    for step in range(max(1, length - 2)):
        funnel = (block.left + block.width * (0.62 - 0.3 * step), height / 2)
        pygame.draw.circle(large, paint.dark, funnel, height * 0.075)


def _draw_turret(large: pygame.Surface, paint: Paint, place: float) -> None:
    width, height = large.get_size()
    x, y = width * place, height / 2
    ahead = -1 if place < 0.5 else 1
    thick = max(2, round(height * 0.045))
    for side in (-0.055, 0.055):
        start = (x, y + height * side)
        pygame.draw.line(large, paint.dark, start, (x + ahead * height * 0.3, y + height * side), thick)
    pygame.draw.circle(large, paint.dark, (x, y), height * 0.14)
    pygame.draw.circle(large, paint.hull, (x, y), height * 0.095)
