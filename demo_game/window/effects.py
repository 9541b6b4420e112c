"""What shots do to the sea: the shell in flight, a splash, a blast, a fire that goes on burning."""

import math
from random import Random

import pygame

from demo_game.window.barrage import IMPACT
from demo_game.window.painter import FINENESS, Painter, smooth_picture
from demo_game.window.palette import CORAL, EMBER, FLAME, FOAM, INK, NIGHT, Colour, blend

FRAMES = 24
"""Pictures of one splash or blast."""

TRAIL = 22
"""Dots of the trail behind a shell: so close that they are a line that tapers."""

FLAMES = 12
"""Pictures of a fire, before it begins again."""

FLAME_RATE = 11.0
"""Pictures of a fire in a second."""


def draw_splash(painter: Painter, centre: tuple[int, int], cell: int, age: float) -> None:
    """Draw a column of water that rises and falls, and the rings around it, `age` seconds after the impact."""
    _draw_frame(painter, "splash", centre, cell, age)


def draw_blast(painter: Painter, centre: tuple[int, int], cell: int, age: float) -> None:
    """Draw an explosion, `age` seconds after the impact."""
    _draw_frame(painter, "blast", centre, cell, age)


def draw_fire(painter: Painter, centre: tuple[int, int], cell: int, now: float) -> None:
    """Draw a fire that burns on a hit ship; no two neighbours flicker alike."""
    number = int(now * FLAME_RATE + centre[0] * 3.7 + centre[1] * 2.3) % FLAMES
    picture = painter.picture(
        ("fire", cell, number), lambda: smooth_picture((cell, cell), lambda large: _paint_fire(large, number), EMBER)
    )
    painter.surface.blit(picture, picture.get_rect(center=centre))


def draw_ember(painter: Painter, centre: tuple[int, int], cell: int) -> None:
    """Draw what is left where a ship has burnt out and sunk."""
    picture = painter.picture(("ember", cell), lambda: smooth_picture((cell, cell), _paint_ember, CORAL))
    painter.surface.blit(picture, picture.get_rect(center=centre))


def draw_miss(painter: Painter, centre: tuple[int, int], cell: int) -> None:
    """Draw the mark that a miss leaves: a ring of foam."""
    picture = painter.picture(("miss", cell), lambda: smooth_picture((cell, cell), _paint_miss, INK))
    painter.surface.blit(picture, picture.get_rect(center=centre))


def draw_shell(painter: Painter, start: tuple[int, int], end: tuple[int, int], cell: int, share: float) -> None:
    """Draw a shell on its arc with a trail behind it; `share` from 0 to 1 is how far it has come."""
    for lag in range(TRAIL, -1, -1):
        place = share - lag * 0.007
        if place > 0:
            fade = 1 - lag / (TRAIL + 1)
            radius = max(1.0, cell * (0.04 + 0.06 * math.sin(place * math.pi)) * fade)
            pygame.draw.circle(painter.surface, blend(EMBER, FLAME, fade * 1.4), _on_arc(start, end, place), radius)
    pygame.draw.circle(painter.surface, INK, _on_arc(start, end, share), max(1.5, cell * 0.07))


def _on_arc(start: tuple[int, int], end: tuple[int, int], share: float) -> tuple[float, float]:
    x = start[0] + (end[0] - start[0]) * share
    y = start[1] + (end[1] - start[1]) * share
    height = math.dist(start, end) * 0.28
    return x, y - height * math.sin(share * math.pi)


def _draw_frame(painter: Painter, kind: str, centre: tuple[int, int], cell: int, age: float) -> None:
    frame = int(age / IMPACT * FRAMES)
    if 0 <= frame < FRAMES:
        share = frame / FRAMES
        size = (cell * 3, cell * 3)
        paint, edge = (_paint_splash, INK) if kind == "splash" else (_paint_blast, EMBER)
        picture = painter.picture(
            (kind, cell, frame), lambda: smooth_picture(size, lambda large: paint(large, share), edge, 2)
        )
        painter.surface.blit(picture, picture.get_rect(center=centre))


def _dab(large: pygame.Surface, colour: Colour, alpha: float, spot: tuple[float, float], radius: float) -> None:
    """Lay a translucent disc over what is there; `pygame.draw` alone would replace it."""
    side = max(2, math.ceil(radius * 2))
    disc = pygame.Surface((side, side), pygame.SRCALPHA)
    pygame.draw.circle(disc, (*colour, round(min(max(alpha, 0), 255))), (side / 2, side / 2), side / 2)
    large.blit(disc, (spot[0] - side / 2, spot[1] - side / 2))


def _glow(large: pygame.Surface, colour: Colour, alpha: float, spot: tuple[float, float], radius: float) -> None:
    for step in range(8, 0, -1):
        _dab(large, colour, alpha / 4, spot, radius * step / 8)


def _paint_splash(large: pygame.Surface, share: float) -> None:
    middle = large.get_width() / 2
    cell = large.get_width() / 3
    for lag in (0.0, 0.16, 0.32):
        ring = share - lag
        if ring > 0:
            fade = round(200 * (1 - ring) ** 1.6)
            thick = max(2, round(cell * 0.08 * (1 - ring)))
            pygame.draw.circle(large, (*INK, fade), (middle, middle), cell * (0.15 + 0.9 * ring), thick)
    rise = math.sin(min(1.0, share * 1.3) * math.pi)
    fade = 230 * (1 - share) ** 0.8
    dice = Random(7)
    for step in range(60):
        # Drops near the middle are thrown highest: together they are a column that opens at the top.
        lean = dice.gauss(0, 0.45)
        height = rise * dice.uniform(0.1, 1.15) * max(0.1, 1 - abs(lean))
        spot = (middle + lean * cell * (0.14 + 0.5 * share), middle - height * cell)
        _dab(
            large,
            blend(INK, FOAM, dice.random() * 0.7),
            fade,
            spot,
            cell * dice.uniform(0.025, 0.085) * (1 + step / 90),
        )
    _glow(large, INK, fade * 0.5, (middle, middle), cell * 0.3 * (1 - share * 0.5))


def _paint_blast(large: pygame.Surface, share: float) -> None:
    middle = large.get_width() / 2
    cell = large.get_width() / 3
    _paint_smoke(large, share, Random(5))
    dice = Random(11)
    for _ in range(34):
        angle, speed, size = dice.uniform(0, math.tau), dice.uniform(0.1, 1.0), dice.uniform(0.07, 0.2)
        out = cell * 1.1 * speed * (1 - (1 - share) ** 2.4)
        spot = (middle + math.cos(angle) * out, middle + math.sin(angle) * out * 0.85)
        colour = blend(blend(FLAME, EMBER, share * 2.2), CORAL, share * 1.2 - 0.2)
        _dab(large, colour, 235 * (1 - share) ** 1.1, spot, cell * size * (1.15 - share))
    _glow(large, EMBER, 200 * (1 - share) ** 2, (middle, middle), cell * (0.6 + share * 0.6))
    _glow(large, FLAME, 255 * max(0.0, 1 - share * 2.2), (middle, middle), cell * (0.35 + share))


def _paint_smoke(large: pygame.Surface, share: float, dice: Random) -> None:
    middle = large.get_width() / 2
    cell = large.get_width() / 3
    for _ in range(12):
        lean, size = dice.uniform(-0.4, 0.4), dice.uniform(0.12, 0.26)
        spot = (middle + lean * cell, middle - cell * share * dice.uniform(0.3, 1.1))
        _dab(large, blend(NIGHT, INK, 0.22), 85 * math.sin(share * math.pi), spot, cell * size * (0.5 + share))


def _paint_fire(large: pygame.Surface, number: int) -> None:
    cell = large.get_width()
    phase = number / FLAMES * math.tau
    for step in range(6, 0, -1):
        pygame.draw.circle(large, (*EMBER, 9 + (6 - step) * 5), (cell / 2, cell * 0.54), cell * (0.07 + 0.065 * step))
    for lean, height, offset in ((-0.15, 0.3, 0.0), (0.16, 0.34, 2.1), (0.0, 0.5, 4.0)):
        sway = 0.05 * math.sin(phase + offset)
        tall = height * (0.86 + 0.16 * math.sin(2 * phase + offset))
        _paint_tongue(large, (0.5 + lean, 0.74), (lean * 0.3 + sway, tall), 0.15, CORAL)
        _paint_tongue(large, (0.5 + lean, 0.73), (lean * 0.3 + sway, tall * 0.78), 0.11, EMBER)
        _paint_tongue(large, (0.5 + lean, 0.72), (lean * 0.2 + sway * 0.6, tall * 0.5), 0.07, FLAME)


def _paint_tongue(
    large: pygame.Surface, foot: tuple[float, float], tip: tuple[float, float], half: float, colour: Colour
) -> None:
    """Paint one tongue of flame, in shares of the picture: round at the foot, pointed where it ends."""
    cell = large.get_width()
    (x, y), (lean, tall) = foot, tip
    points: list[tuple[float, float]] = []
    for step in range(-10, 11):
        share = step / 10
        # A drop: the width falls off towards the tip faster than the height grows.
        width = half * math.copysign(math.sin(math.pi * (1 - abs(share))) ** 0.8 * (0.35 + 0.65 * abs(share)), share)
        rise = (1 - abs(share)) * tall
        points.append(((x + width * 1.5 + lean * (rise / tall)) * cell, (y - rise) * cell))
    pygame.draw.polygon(large, colour, points)
    pygame.draw.ellipse(
        large,
        colour,
        pygame.Rect(
            round((x - half) * cell), round((y - half * 0.7) * cell), round(half * 2 * cell), round(half * 1.4 * cell)
        ),
    )


def _paint_ember(large: pygame.Surface) -> None:
    cell = large.get_width()
    arm = cell * 0.17
    thick = round(cell * 0.085)
    for side in (-1, 1):
        start = (cell / 2 - arm, cell / 2 - arm * side)
        end = (cell / 2 + arm, cell / 2 + arm * side)
        pygame.draw.line(large, CORAL, start, end, thick)
        for spot in (start, end):
            pygame.draw.circle(large, CORAL, spot, thick / 2)


def _paint_miss(large: pygame.Surface) -> None:
    cell = large.get_width()
    pygame.draw.circle(large, (*NIGHT, 70), (cell / 2, cell / 2), cell * 0.2)
    pygame.draw.circle(large, (*INK, 210), (cell / 2, cell / 2), cell * 0.19, max(1, round(FINENESS * cell / 110)))
    pygame.draw.circle(large, (*INK, 235), (cell / 2, cell / 2), cell * 0.065)
