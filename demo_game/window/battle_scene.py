"""The screen on which the fleets fire at each other."""

from collections.abc import Callable

import pygame

from demo_game.rules import SIZE, Cell
from demo_game.window.barrage import Barrage
from demo_game.window.board import Moment, draw_board, draw_impacts, draw_shells, two_seas
from demo_game.window.header import HEIGHT, draw_header
from demo_game.window.headline import tell_shot
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, DUSK, INK, LINE, MUTED, NIGHT, blend
from demo_game.window.scene import Play
from demo_game.window.sea import SeaFrame

FOOTER = 38
"""Height of the line at the bottom, at 1280×720."""

NO_TIME = 2.5
"""Seconds for which it is told why a shot could not be."""

ENTERS = {pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE}
ARROWS = {pygame.K_LEFT: (-1, 0), pygame.K_RIGHT: (1, 0), pygame.K_UP: (0, -1), pygame.K_DOWN: (0, 1)}


class BattleScene:
    """Fire with a click into the enemy's sea, or with the arrow keys and Enter, when it is our turn.

    Spectators see both seas and no ship that floats. `refuse` is called whenever a shot cannot be.
    """

    def __init__(self, play: Play, barrage: Barrage, refuse: Callable[[], None] = lambda: None) -> None:
        self._play = play
        self._barrage = barrage
        self._refuse = refuse
        self._target = self._own = SeaFrame(0, 0, 1)
        self._cursor: Cell | None = None
        self._no = ""
        self._no_until: float | None = None

    def handle(self, event: pygame.event.Event) -> None:
        """Fire where the click is or where the arrow keys have led, if that is allowed; else say why not."""
        if event.type == pygame.MOUSEMOTION:
            self._cursor = None
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
            cell = self._target.cell_at(event.pos)
            if cell is not None:
                self._fire(cell)
            elif self._own.cell_at(event.pos) is not None and self._play.view.seat is not None:
                self._say_no("That is your own sea: fire into the other one")
        elif event.type == pygame.KEYDOWN and event.key in ARROWS:
            column, row = self._cursor or Cell(SIZE // 2, SIZE // 2)
            across, down = ARROWS[event.key]
            self._cursor = Cell((column + across) % SIZE, (row + down) % SIZE)
        elif event.type == pygame.KEYDOWN and event.key in ENTERS and self._cursor is not None:
            self._fire(self._cursor)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw both seas, what flies between them, and the last shot in words."""
        view = self._play.view
        moment = Moment(view, self._barrage, now)
        painter.backdrop(NIGHT, DUSK)
        draw_header(painter, self._play)
        near, far = two_seas(painter, painter.px(HEIGHT), painter.size[1] - painter.px(FOOTER))
        self._own, self._target = near, far
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

    def _fire(self, cell: Cell) -> None:
        """Fire at a cell, or say why that cannot be."""
        view = self._play.view
        if view.seat is None:
            self._say_no("You are watching: the captains fire")
        elif view.aim is not None:
            self._say_no("Your shell is on its way")
        elif not view.my_turn:
            self._say_no(f"It is {view.sides[view.far].name}'s turn")
        elif view.sides[view.far].chart.knows(cell):
            self._say_no(f"You have fired at {cell} already")
        else:
            self._play.fire(cell)

    def _say_no(self, why: str) -> None:
        self._no, self._no_until = why, None
        self._refuse()

    def _aimed_at(self) -> Cell | None:
        """Give the cell under the cursor or the mouse if it can be fired at now."""
        view = self._play.view
        cell = self._cursor or self._target.cell_at(pygame.mouse.get_pos())
        if cell is None or not view.my_turn or view.sides[view.far].chart.knows(cell):
            return None
        return cell

    def _draw_sight(self, painter: Painter) -> None:
        view = self._play.view
        cell = view.aim or self._aimed_at()
        if self._cursor is not None and self._cursor != cell:
            pygame.draw.rect(painter.surface, CORAL, self._target.rect_of(self._cursor), 2, border_radius=4)
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
        if self._no and self._no_until is None:
            self._no_until = now + NO_TIME
        if self._no_until is not None and now >= self._no_until:
            self._no, self._no_until = "", None
        last = self._barrage.last_landed(now)
        words = self._no or (self._play.view.told if last is None else tell_shot(self._play.view, last))
        left = painter.text(words, (margin, line), 19, AMBER if self._no else INK, "midleft")
        watching = self._play.view.spectators
        hint = f"{watching} watching   " if watching else ""
        hint += "" if self._play.view.seat is None else "Arrows, Enter: fire   "
        hint += "F2: sound   F11: full screen   Esc: leave"
        for shown in (hint, "F2: sound   Esc: leave", "Esc: leave"):
            if left.right + painter.width_of(shown, 16) + margin < width:
                painter.text(shown, (width - margin, line), 16, MUTED, "midright")
                break
