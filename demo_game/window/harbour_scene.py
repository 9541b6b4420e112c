"""The screen without a game: on the way to a server, waiting for an opponent, or told why it did not work."""

import math
from collections.abc import Sequence

import pygame

from demo_game.window.button import Button, ButtonRow
from demo_game.window.painter import Painter, smooth_picture
from demo_game.window.palette import AMBER, INK, MUTED, NIGHT, Colour, blend

SKY: Colour = (14, 30, 48)
HORIZON: Colour = (64, 98, 118)
MOON: Colour = (240, 233, 210)

_LAYERS: tuple[tuple[float, float, float, Colour], ...] = (
    (0.60, 7.0, 0.35, (36, 84, 108)),
    (0.67, 9.0, 0.5, (27, 68, 92)),
    (0.76, 12.0, 0.65, (19, 51, 72)),
    (0.87, 16.0, 0.8, (12, 35, 52)),
)
"""Waves from far to near: height on the screen, swell, speed, colour."""


class HarbourScene:
    """A title and a sentence over a night sea, and buttons under them. `busy` shows that something is under way."""

    def __init__(self, title: str, text: str, buttons: Sequence[Button], *, busy: bool = False) -> None:
        self._title = title
        self._text = text
        self._buttons = ButtonRow(buttons)
        self._busy = busy

    def handle(self, event: pygame.event.Event) -> None:
        """Press the buttons."""
        self._buttons.press(event)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw the night sea, the words and the buttons."""
        width, height = painter.size
        draw_night(painter, now)
        painter.text("BROADSIDE", (width // 2, round(height * 0.1)), 34, blend(HORIZON, INK, 0.55))
        title = painter.text(self._title, (width // 2, round(height * 0.22)), 54, INK)
        room = min(width - painter.px(80), painter.px(860))
        text = painter.paragraph(self._text, (width // 2, title.bottom + painter.px(12)), room, 23, INK)
        if self._busy:
            _draw_beacon(painter, (width // 2, text.bottom + painter.px(22)), now)
        self._buttons.draw_row(painter, (width // 2, round(height * 0.91)))


def draw_night(painter: Painter, now: float) -> None:
    """Draw a moon, waves and a ship: what is behind everything that is no game."""
    width, height = painter.size
    painter.backdrop(SKY, HORIZON)
    moon = painter.picture(("moon", painter.px(120)), lambda: _moon(painter.px(120)))
    painter.surface.blit(moon, moon.get_rect(center=(round(width * 0.82), round(height * 0.17))))
    for number, layer in enumerate(_LAYERS):
        if number == 1:
            _draw_vessel(painter, now, layer)
        _draw_wave(painter, layer, now, number)


def _swell(x: float, now: float, layer: tuple[float, float, float, Colour], number: int) -> float:
    _, height, speed, _ = layer
    return height * (math.sin(x / 170 + now * speed + number * 2) + 0.4 * math.sin(x / 61 - now * speed * 1.3 + number))


def _draw_wave(painter: Painter, layer: tuple[float, float, float, Colour], now: float, number: int) -> None:
    width, height = painter.size
    base, _, _, colour = layer
    unit = painter.unit
    edge = [(float(x), height * base + unit * _swell(x / unit, now, layer, number)) for x in range(0, width + 12, 12)]
    pygame.draw.polygon(painter.surface, colour, [*edge, (width + 12, height), (0, height)])
    pygame.draw.aalines(painter.surface, blend(colour, INK, 0.25), False, edge)


def _draw_vessel(painter: Painter, now: float, layer: tuple[float, float, float, Colour]) -> None:
    width, height = painter.size
    size = (painter.px(330), painter.px(150))
    picture = painter.picture(("vessel", size), lambda: smooth_picture(size, _paint_vessel, NIGHT))
    x = width * 0.3
    here, ahead = (_swell(place / painter.unit, now, layer, 1) for place in (x, x + size[0] * 0.5))
    tilted = pygame.transform.rotozoom(picture, math.degrees(math.atan2(here - ahead, size[0])) * 0.6, 1.0)
    spot = (round(x), round(height * layer[0] + painter.unit * here * 0.6 - size[1] * 0.22))
    painter.surface.blit(tilted, tilted.get_rect(center=spot))


def _paint_vessel(large: pygame.Surface) -> None:
    """Paint a warship from the side, as a shape against the sky, with a few lit windows."""
    width, height = large.get_size()

    def part(*points: tuple[float, float]) -> None:
        pygame.draw.polygon(large, NIGHT, [(x * width, y * height) for x, y in points])

    part((0.02, 0.62), (0.2, 0.66), (0.8, 0.66), (0.99, 0.56), (0.93, 0.92), (0.1, 0.92))
    part((0.36, 0.66), (0.36, 0.5), (0.42, 0.5), (0.42, 0.4), (0.6, 0.4), (0.62, 0.52), (0.7, 0.52), (0.7, 0.66))
    part((0.46, 0.4), (0.465, 0.22), (0.535, 0.22), (0.55, 0.4))
    part((0.575, 0.42), (0.578, 0.04), (0.586, 0.04), (0.592, 0.42))
    part((0.54, 0.13), (0.62, 0.13), (0.62, 0.15), (0.54, 0.15))
    for left, ahead in ((0.24, -1), (0.74, 1), (0.82, 1)):
        part((left, 0.66), (left + 0.01, 0.56), (left + 0.06, 0.56), (left + 0.07, 0.66))
        start = left + (0.01 if ahead < 0 else 0.06)
        part((start, 0.58), (start + ahead * 0.08, 0.53), (start + ahead * 0.08, 0.55), (start, 0.6))
    for x in (0.44, 0.475, 0.51, 0.545):
        pygame.draw.circle(large, AMBER, (x * width, 0.46 * height), height * 0.012)


def _moon(side: int) -> pygame.Surface:
    def draw(large: pygame.Surface) -> None:
        middle = large.get_width() / 2
        for step in range(24, 0, -1):
            halo = round(26 * (1 - step / 25) ** 2)
            pygame.draw.circle(large, (*MOON, halo), (middle, middle), middle * (0.4 + 0.6 * step / 24))
        pygame.draw.circle(large, MOON, (middle, middle), middle * 0.38)

    return smooth_picture((side, side), draw, MOON)


def _draw_beacon(painter: Painter, centre: tuple[int, int], now: float) -> None:
    """Draw five lights of which one after another shines: something is under way."""
    for number in range(5):
        glow = max(0.0, math.cos((now * 1.1 - number / 5) * math.tau)) ** 3
        spot = (centre[0] + (number - 2) * painter.px(22), centre[1])
        pygame.draw.circle(painter.surface, blend(MUTED, AMBER, glow), spot, painter.px(4) + glow * painter.px(3))
