"""One sea on the screen: where its cells are, and the moving water under them."""

import math
from random import Random
from typing import NamedTuple

import pygame

from demo_game.rules import SIZE, Cell, Ship, in_sea
from demo_game.window.painter import Painter, gradient
from demo_game.window.palette import CREST, DEEP_WATER, INK, LINE, MUTED, WATER, Colour, blend

CRESTS = 70
"""Waves drawn on one sea."""

PATCHES = 9
"""Patches of lighter and darker water along each side of a sea."""


class SeaFrame(NamedTuple):
    """Where a sea lies on the screen: its left and top edge, and the side of a cell, in pixels."""

    left: int
    top: int
    cell: int

    @property
    def rect(self) -> pygame.Rect:
        """All the cells together."""
        return pygame.Rect(self.left, self.top, self.cell * SIZE, self.cell * SIZE)

    def cell_at(self, place: tuple[int, int]) -> Cell | None:
        """Give the cell under a point of the screen."""
        cell = Cell((place[0] - self.left) // self.cell, (place[1] - self.top) // self.cell)
        return cell if in_sea(cell) else None

    def rect_of(self, cell: Cell) -> pygame.Rect:
        """Give the rectangle of a cell."""
        return pygame.Rect(self.left + cell.column * self.cell, self.top + cell.row * self.cell, self.cell, self.cell)

    def centre_of(self, cell: Cell) -> tuple[int, int]:
        """Give the middle of a cell."""
        return self.rect_of(cell).center

    def rect_of_ship(self, ship: Ship) -> pygame.Rect:
        """Give the rectangle that a ship covers."""
        return self.rect_of(ship.cells[0]).union(self.rect_of(ship.cells[-1]))


def draw_sea(painter: Painter, frame: SeaFrame, now: float, *, border: Colour = LINE, shade: float = 0.0) -> None:
    """Draw the water with its waves, the grid and the names of columns and rows; `shade` from 0 to 1 darkens it."""
    rect = frame.rect
    top, bottom = blend(WATER, (0, 0, 0), shade), blend(DEEP_WATER, (0, 0, 0), shade)
    painter.surface.blit(painter.picture(("sea", rect.size, shade), lambda: _water(rect.size, top, bottom)), rect)
    _draw_crests(painter.surface, rect, now, shade)
    painter.surface.blit(painter.picture(("grid", frame.cell), lambda: _grid(frame.cell)), rect)
    pygame.draw.rect(painter.surface, border, rect.inflate(4, 4), 2, border_radius=4)
    _draw_names(painter, frame)


def _water(size: tuple[int, int], top: Colour, bottom: Colour) -> pygame.Surface:
    """Make a picture of still water: lighter where it is near, with patches of another depth."""
    picture, dice = gradient(size, top, bottom), Random(PATCHES)
    patches = pygame.Surface((PATCHES, PATCHES), 0, 32)
    for x in range(PATCHES):
        for y in range(PATCHES):
            light = dice.randrange(14)
            patches.set_at((x, y), (light // 3, light, light))
    picture.blit(pygame.transform.smoothscale(patches, size), (0, 0), special_flags=pygame.BLEND_RGB_ADD)
    return picture


def _draw_crests(surface: pygame.Surface, rect: pygame.Rect, now: float, shade: float) -> None:
    dice = Random(rect.width)
    for _ in range(CRESTS):
        x, y = dice.random(), dice.random()
        phase, speed = dice.uniform(0, math.tau), dice.uniform(0.5, 0.9)
        swell = math.sin(now * speed + phase)
        if swell > 0:
            drift = 0.012 * math.sin(now * 0.31 + phase * 2)
            water = blend(WATER, DEEP_WATER, y)
            colour = blend(blend(water, CREST, swell * 0.6), (0, 0, 0), shade)
            _draw_crest(surface, rect, (x + drift, y + 0.008 * swell), colour)


def _draw_crest(surface: pygame.Surface, rect: pygame.Rect, place: tuple[float, float], colour: Colour) -> None:
    half = rect.width * 0.026
    x = rect.left + half + 2 + (place[0] % 1.0) * (rect.width - 2 * half - 4)
    y = rect.top + 8 + (place[1] % 1.0) * (rect.height - 16)
    points = [
        (x + half * step / 8, y - half * 0.16 * math.sin(math.pi * step / 8) * (1.2 - abs(step) / 8))
        for step in range(-8, 9)
    ]
    pygame.draw.aalines(surface, colour, False, points)


def _grid(cell: int) -> pygame.Surface:
    side = cell * SIZE
    picture = pygame.Surface((side, side), pygame.SRCALPHA)
    for step in range(1, SIZE):
        pygame.draw.line(picture, (*INK, 26), (step * cell, 0), (step * cell, side))
        pygame.draw.line(picture, (*INK, 26), (0, step * cell), (side, step * cell))
    return picture


def _draw_names(painter: Painter, frame: SeaFrame) -> None:
    size = min(19.0, frame.cell * 0.46 / painter.unit)
    gap = round(frame.cell * 0.3) + 3
    for step in range(SIZE):
        middle = frame.centre_of(Cell(step, step))
        painter.text(chr(ord("A") + step), (middle[0], frame.top - gap), size, MUTED)
        painter.text(str(step + 1), (frame.left - gap, middle[1]), size, MUTED)
