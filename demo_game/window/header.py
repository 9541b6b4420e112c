"""The top of every screen of a game: the name, what is going on, the link."""

import pygame

from demo_game.window.graph import draw_graph
from demo_game.window.headline import Headline, Tone, headline
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, INK, NIGHT, PANEL, Colour
from demo_game.window.scene import Play

HEIGHT = 84
"""Height of the header, at 1280×720."""

NAME = "BROADSIDE"
LEGIBLE = 18.0
"""The size of a headline below which the name gives way to it."""

_COLOURS: dict[Tone, tuple[Colour, Colour]] = {
    Tone.CALM: (PANEL, INK),
    Tone.ACT: (AMBER, NIGHT),
    Tone.WARN: (CORAL, NIGHT),
}


def draw_header(painter: Painter, play: Play) -> None:
    """Draw the name on the left, where there is room, the headline in the middle, the graph of the round-trip time on the right."""
    width = painter.size[0]
    margin, middle = painter.px(28), painter.px(HEIGHT) // 2
    graph = pygame.Rect(0, 0, painter.px(210), painter.px(54))
    graph.midright = (width - margin, middle)
    draw_graph(painter, graph, play.samples)
    gap = painter.px(20)
    line = headline(play.view, silence=play.silence, away=play.away, closed=play.closed)
    room = pygame.Rect(margin, 0, graph.left - gap - margin, painter.px(54))
    room.centery = middle
    beside = gap + painter.width_of(NAME, 30)
    if painter.width_of(line.text, LEGIBLE) <= room.width - beside - painter.px(36):  # what goes on comes first
        painter.text(NAME, (margin, middle), 30, INK, "midleft")
        room = pygame.Rect(room.left + beside, room.top, room.width - beside, room.height)
    _draw_headline(painter, room, line)


def _draw_headline(painter: Painter, room: pygame.Rect, line: Headline) -> None:
    fill, ink = _COLOURS[line.tone]
    size = 24.0
    while size > 12 and painter.width_of(line.text, size) > room.width - painter.px(36):
        size -= 1
    pill = pygame.Rect(0, 0, min(room.width, painter.width_of(line.text, size) + painter.px(44)), painter.px(46))
    pill.center = room.center
    painter.panel(pill, fill, radius=23)
    painter.text(line.text, pill.center, size, ink)
