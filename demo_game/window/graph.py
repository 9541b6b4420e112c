"""The round-trip time as a small live graph."""

from collections.abc import Sequence

import pygame

from demo_game.window.link import LinkSample
from demo_game.window.painter import Painter
from demo_game.window.palette import FOAM, INK, LINE, MUTED, PANEL, blend

SLOTS = 60
"""Samples that the graph shows side by side."""

LEAST_TOP = 0.02
"""Seconds at the top edge at least: the tremble of a fast link is not blown up to mountains."""


def draw_graph(painter: Painter, rect: pygame.Rect, samples: Sequence[LinkSample]) -> None:
    """Draw the newest samples as a line with the jitter as a band around it, and the last one as a number."""
    painter.panel(rect, PANEL)
    inset = painter.px(10)
    number = f"{_milliseconds(samples[-1].rtt)} ms" if samples else "…"
    plot = pygame.Rect(rect.left + inset, rect.top + inset, rect.width - painter.px(92), rect.height - 2 * inset)
    painter.text(number, (rect.right - inset, rect.centery - painter.px(8)), 21, INK, "midright")
    painter.text("round trip", (rect.right - inset, rect.centery + painter.px(10)), 14, MUTED, "midright")
    pygame.draw.line(painter.surface, LINE, plot.bottomleft, plot.bottomright)
    shown = list(samples)[-SLOTS:]
    if len(shown) > 1:
        _draw_line(painter, plot, shown)


def _draw_line(painter: Painter, plot: pygame.Rect, shown: Sequence[LinkSample]) -> None:
    top = max(LEAST_TOP, *((sample.rtt + sample.jitter) * 1.1 for sample in shown))

    def spot(number: int, seconds: float) -> tuple[float, float]:
        x = plot.right - (len(shown) - 1 - number) * plot.width / (SLOTS - 1)
        return x, plot.bottom - plot.height * min(max(seconds / top, 0.0), 1.0)

    upper = [spot(number, sample.rtt + sample.jitter) for number, sample in enumerate(shown)]
    lower = [spot(number, sample.rtt - sample.jitter) for number, sample in enumerate(shown)]
    pygame.draw.polygon(painter.surface, blend(PANEL, FOAM, 0.22), upper + lower[::-1])
    pygame.draw.aalines(painter.surface, FOAM, False, [spot(number, s.rtt) for number, s in enumerate(shown)])
    pygame.draw.circle(painter.surface, INK, spot(len(shown) - 1, shown[-1].rtt), painter.px(3))


def _milliseconds(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:.0f}"
