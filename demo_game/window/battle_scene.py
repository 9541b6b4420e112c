"""The screen on which the fleets fire at each other."""

import pygame

from demo_game.rules import Cell
from demo_game.window.barrage import Barrage
from demo_game.window.board import Moment, draw_board, draw_impacts, draw_shells, two_seas
from demo_game.window.header import HEIGHT, draw_header
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, DUSK, INK, LINE, MUTED, NIGHT, blend
from demo_game.window.scene import Play
from demo_game.window.sea import SeaFrame
from demo_game.wording import tell_shot

FOOTER = 44
"""Height of the line at the bottom, at 1280×720."""


class BattleScene:
    """Fire with a click into the enemy's sea, when it is our turn. Spectators see both seas and no ship that floats."""

    def __init__(self, play: Play, barrage: Barrage) -> None:
        self._play = play
        self._barrage = barrage
        self._target = SeaFrame(0, 0, 1)

    def handle(self, event: pygame.event.Event) -> None:
        """Fire where the click is, if that is allowed."""
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
            cell = self._aimed_at(event.pos)
            if cell is not None:
                self._play.fire(cell)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw both seas, what flies between them, and the last shot in words."""
        view = self._play.view
        moment = Moment(view, self._barrage, now)
        painter.backdrop(NIGHT, DUSK)
        draw_header(painter, self._play)
        near, far = two_seas(painter, painter.px(HEIGHT), painter.size[1] - painter.px(FOOTER))
        self._target = far
        frames = (near, far) if view.near == 0 else (far, near)
        for seat in (view.near, view.far):
            lit = view.turn == 1 - seat
            border = (AMBER if view.my_turn else blend(LINE, INK, 0.4)) if lit else LINE
            shade = 0.0 if lit or view.turn is None else 0.22
            draw_board(painter, frames[seat], moment, seat, border=border, shade=shade)
        self._draw_sight(painter)
        for seat in (0, 1):
            draw_impacts(painter, frames[seat], moment, seat)
        draw_shells(painter, frames, moment)
        self._draw_footer(painter, now)

    def _aimed_at(self, place: tuple[int, int]) -> Cell | None:
        """Give the cell under the mouse if it can be fired at now."""
        view = self._play.view
        cell = self._target.cell_at(place)
        if cell is None or not view.my_turn or view.sides[view.far].chart.knows(cell):
            return None
        return cell

    def _draw_sight(self, painter: Painter) -> None:
        view = self._play.view
        cell = view.aim or self._aimed_at(pygame.mouse.get_pos())
        if cell is None:
            return
        rect = self._target.rect_of(cell)
        painter.panel(rect, AMBER, alpha=60, radius=4)
        pygame.draw.rect(painter.surface, AMBER, rect, 2, border_radius=4)
        pygame.draw.circle(painter.surface, AMBER, rect.center, rect.width * 0.28, 2)
        reach, gap = rect.width * 0.4, rect.width * 0.16
        x, y = rect.center
        for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            start, end = (x + across * gap, y + down * gap), (x + across * reach, y + down * reach)
            pygame.draw.line(painter.surface, AMBER, start, end, 2)

    def _draw_footer(self, painter: Painter, now: float) -> None:
        width, height = painter.size
        line = height - painter.px(FOOTER) // 2
        margin = painter.px(28)
        last = self._barrage.last_landed(now)
        words = tell_shot(self._play.view, last) if last is not None else ""
        left = painter.text(words, (margin, line), 19, INK, "midleft")
        hint = "Esc: leave"
        if left.right + painter.width_of(hint, 16) + margin < width:
            painter.text(hint, (width - margin, line), 16, MUTED, "midright")
