"""The screen on which a fleet is hidden: with the mouse, or at random."""

from random import Random

import pygame

from demo_game.rules import FLEET, SHIP_NAMES, SIZE, Cell, Ship
from demo_game.window.battle_scene import ARROWS
from demo_game.window.board import HURRY, MIN_CELL
from demo_game.window.button import Button, ButtonRow
from demo_game.window.fleet_layout import FleetLayout
from demo_game.window.header import HEIGHT, draw_header
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, DUSK, FOAM, INK, LINE, MUTED, NIGHT, PANEL, blend
from demo_game.window.scene import Play
from demo_game.window.sea import SeaFrame, draw_sea
from demo_game.window.ships import ship_picture
from demo_game.wording import time_left

PANEL_WIDTH = 380
"""Width of the list of ships, at 1280×720."""

PANEL_HEIGHT = 500
"""Height of the list of ships with the buttons under it where there is room for that, at 1280×720."""

ROW = 44
"""Height of a row of that list where there is room for it, at 1280×720."""

HINT = "Click, or arrows and Enter: put down. 1 to 5: pick up. R, wheel or right click: turn."
IN_TIME = "Be ready in time: else your fleet is hidden at random."
HINT_SIZE = 16


class PlacingScene:
    """Lay out the fleet. Left click puts a ship down or picks it up; R, the wheel or a right click turns it."""

    def __init__(self, play: Play, random: Random) -> None:
        self._play = play
        self._random = random
        self._layout = FleetLayout()
        self._frame = SeaFrame(0, 0, 1)
        self._cursor: Cell | None = None
        self._rows: list[pygame.Rect] = []
        self._buttons = self._make_buttons()

    def handle(self, event: pygame.event.Event) -> None:
        """Place, turn, shuffle, or hide what is laid out."""
        if self._puts_down(event):
            self._layout.touch(self._cursor or Cell(0, 0))
        elif self._buttons.press(event):
            pass
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
            self._click(event.pos)
        elif _turns(event):
            self._layout.rotate()
        elif event.type == pygame.MOUSEMOTION:
            self._cursor = None
        elif event.type == pygame.KEYDOWN:
            self._key(event.key)
        self._buttons = self._make_buttons(self._buttons)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw the sea with the fleet so far, and beside it what is still to be placed."""
        painter.backdrop(NIGHT, DUSK)
        draw_header(painter, self._play)
        panel = self._arrange(painter)
        draw_sea(painter, self._frame, now)
        for ship in self._layout.fleet:
            self._draw_ship(painter, ship)
        self._draw_preview(painter)
        self._draw_panel(painter, panel)

    def _make_buttons(self, before: ButtonRow | None = None) -> ButtonRow:
        buttons = [
            Button("Shuffle", pygame.K_SPACE, "Space", lambda: self._layout.randomise(self._random)),
            Button("Clear", pygame.K_BACKSPACE, "Backspace", self._layout.clear),
            Button("Ready", pygame.K_RETURN, "Enter", self._hide, primary=True, enabled=self._layout.complete),
        ]
        if before is None:
            return ButtonRow(buttons)
        before.buttons = tuple(buttons)
        return before

    def _puts_down(self, event: pygame.event.Event) -> bool:
        """Say whether Enter puts a ship down where the arrow keys have led, in place of hiding a whole fleet."""
        pressed = event.type == pygame.KEYDOWN and event.key in {pygame.K_RETURN, pygame.K_KP_ENTER}
        return pressed and self._cursor is not None and self._layout.held is not None

    def _key(self, key: int) -> None:
        if key in ARROWS:
            column, row = self._cursor or Cell(SIZE // 2, SIZE // 2)
            across, down = ARROWS[key]
            self._cursor = Cell((column + across) % SIZE, (row + down) % SIZE)
        elif pygame.K_1 <= key < pygame.K_1 + len(FLEET):
            self._layout.hold(key - pygame.K_1)

    def _hide(self) -> None:
        self._play.place(self._layout.fleet)

    def _click(self, place: tuple[int, int]) -> None:
        cell = self._frame.cell_at(place)
        if cell is not None:
            self._layout.touch(cell)
        for number, row in enumerate(self._rows):
            if row.collidepoint(place):
                self._layout.hold(number)

    def _arrange(self, painter: Painter) -> pygame.Rect:
        """Lay out the screen: the sea, and right of it or under it, where that makes it larger, the panel; give that."""
        width, height = painter.size
        top, margin, names = painter.px(HEIGHT), painter.px(30), painter.px(28)
        panel_width, panel_height = painter.px(PANEL_WIDTH if width >= 1000 else 290), painter.px(PANEL_HEIGHT)
        beside = min(width - panel_width - names - 3 * margin, height - top - names - margin) // SIZE
        under = min(width - names - 2 * margin, height - top - names - panel_height - margin) // SIZE
        cell = max(MIN_CELL, beside, under)
        side = SIZE * cell
        if beside < under:
            self._frame = SeaFrame((width - names - side) // 2 + names, top + names, cell)
            below = self._frame.rect.bottom + margin // 2
            return pygame.Rect(self._frame.left, below, side, min(panel_height, height - painter.px(12) - below))
        self._frame = SeaFrame((width - panel_width - names - margin - side) // 2 + names, top + names, cell)
        # Where its rows would stand too close, it begins as high as the names of the columns.
        tall = min(max(side, panel_height), height - painter.px(12) - top)
        bottom = max(self._frame.rect.bottom, min(self._frame.top + tall, height - painter.px(12)))
        return pygame.Rect(self._frame.rect.right + margin, bottom - tall, panel_width, tall)

    def _draw_ship(self, painter: Painter, ship: Ship) -> None:
        picture = ship_picture(painter, ship.length, self._frame.cell, upright=ship.upright)
        painter.surface.blit(picture, self._frame.rect_of_ship(ship))

    def _draw_preview(self, painter: Painter) -> None:
        cell = self._cursor or self._frame.cell_at(pygame.mouse.get_pos())
        ship = self._layout.preview(cell) if cell is not None else None
        if ship is None:
            self._draw_grip(painter, cell)
            return
        colour = FOAM if self._layout.fits(ship) else CORAL
        rect = self._frame.rect_of_ship(ship)
        painter.panel(rect.inflate(-2, -2), colour, alpha=110, radius=6)
        pygame.draw.rect(painter.surface, colour, rect, 2, border_radius=painter.px(6))
        if colour is CORAL:  # crossed out, too: not everybody tells the colours apart
            pygame.draw.line(painter.surface, colour, rect.topleft, rect.bottomright, 3)
            pygame.draw.line(painter.surface, colour, rect.bottomleft, rect.topright, 3)
        picture = ship_picture(painter, ship.length, self._frame.cell, upright=ship.upright).copy()
        picture.set_alpha(205)
        painter.surface.blit(picture, rect)

    def _draw_grip(self, painter: Painter, cell: Cell | None) -> None:
        """Show with empty hands which ship a click would pick up."""
        for ship in self._layout.fleet:
            if cell in ship.cells:
                pygame.draw.rect(painter.surface, AMBER, self._frame.rect_of_ship(ship), 2, border_radius=painter.px(6))

    def _draw_panel(self, painter: Painter, panel: pygame.Rect) -> None:
        painter.panel(panel, PANEL, radius=12)
        inner = panel.inflate(-painter.px(36), -painter.px(32))
        title = painter.text("Your fleet", inner.topleft, 26, INK, "topleft")
        view = self._play.view
        clock = view.sides[view.near].clock
        if clock is not None:
            painter.text(time_left(clock), inner.topright, 26, CORAL if clock < HURRY else AMBER, "topright")
        buttons = self._buttons.draw_column(painter, inner)
        words = HINT if clock is None else f"{IN_TIME} {HINT}"
        lines = len(painter.broken(words, inner.width, HINT_SIZE))
        hint = buttons - painter.px(10 + lines * HINT_SIZE * 1.25)
        self._draw_rows(painter, inner, title.bottom + painter.px(6), min(hint, title.bottom + painter.px(6 + 5 * ROW)))
        painter.paragraph(words, (inner.centerx, hint), inner.width, HINT_SIZE, MUTED)

    def _draw_rows(self, painter: Painter, inner: pygame.Rect, top: int, bottom: int) -> None:
        height = (bottom - top) // len(FLEET)
        cell = min(painter.px(24), inner.width // 9)
        self._rows = []
        for number, length in enumerate(FLEET):
            row = pygame.Rect(inner.left, top + number * height, inner.width, max(1, height - painter.px(4)))
            self._rows.append(row)
            held, lies = number == self._layout.held, self._layout.ships[number] is not None
            if held or row.collidepoint(pygame.mouse.get_pos()):
                painter.panel(row, blend(PANEL, AMBER if held else LINE, 0.3), radius=7)
            picture = ship_picture(painter, length, cell)
            painter.surface.blit(picture, picture.get_rect(midleft=(row.left + painter.px(8), row.centery)))
            words, colour = ("in hand", AMBER) if held else ("placed", FOAM) if lies else (SHIP_NAMES[length], MUTED)
            painter.text(words, (row.right - painter.px(10), row.centery), 18, colour, "midright")


def _turns(event: pygame.event.Event) -> bool:
    if event.type == pygame.KEYDOWN:
        return bool(event.key == pygame.K_r)
    if event.type == pygame.MOUSEWHEEL:
        return True
    return bool(event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_RIGHT)
