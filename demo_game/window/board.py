"""One side of a game on the screen: the sea, the ships that may be seen, what the shots have done, name and fleet."""

from collections.abc import Sequence
from typing import NamedTuple

import pygame

from demo_game.rules import FLEET, SIZE, Ship
from demo_game.view import View
from demo_game.window.barrage import AT_ONCE, Barrage, Shell
from demo_game.window.effects import draw_blast, draw_ember, draw_fire, draw_miss, draw_shell, draw_splash
from demo_game.window.headline import score
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, INK, LINE, MUTED, Colour
from demo_game.window.sea import SeaFrame, draw_sea
from demo_game.window.ships import ship_picture
from demo_game.wording import time_left


class Moment(NamedTuple):
    """What is to be shown: the game, its shots on the screen, and the time on the clock of the animations."""

    view: View
    barrage: Barrage
    now: float


STRIP = 70
"""Height of the name and the fleet under a sea, at 1280×720."""

NAMES = 28
"""Width of the names of the rows, and height of those of the columns, at 1280×720."""

GAP = 84
"""Width between two seas, with the names of the rows of the second one, at 1280×720."""

MIN_CELL = 4
"""Pixels that a cell has at least, in a window without room."""


HURRY = 10.0
"""Seconds on a clock from which on it is shown in another colour."""


def two_seas(painter: Painter, top: int, bottom: int) -> tuple[SeaFrame, SeaFrame]:
    """Give the two largest seas that fit between two heights, with room for the names around them.

    They lie side by side, or one under the other where that makes them larger.
    """
    beside, under = (_largest_cell(painter, bottom - top, across) for across in (2, 1))
    across = 2 if beside >= under else 1
    cell = max(MIN_CELL, beside, under)
    width, names, gap, strip = painter.size[0], painter.px(NAMES), painter.px(GAP), painter.px(STRIP)
    left = (width - names - (across - 1) * gap - across * SIZE * cell) // 2 + names
    row = names + SIZE * cell + strip
    first_row = top + names + max(0, (bottom - top - (3 - across) * row) // 2)
    second = (left + SIZE * cell + gap, first_row) if across == 2 else (left, first_row + row)
    return SeaFrame(left, first_row, cell), SeaFrame(*second, cell)


def _largest_cell(painter: Painter, height: int, across: int) -> int:
    """Say how large the cells of two seas can be with so many of them side by side."""
    down = 3 - across
    free_width = painter.size[0] - 2 * painter.px(30) - painter.px(NAMES) - (across - 1) * painter.px(GAP)
    free_height = height - down * (painter.px(NAMES) + painter.px(STRIP))
    return min(free_width // (across * SIZE), free_height // (down * SIZE))


def draw_board(
    painter: Painter, frame: SeaFrame, moment: Moment, seat: int, *, border: Colour = LINE, shade: float
) -> None:
    """Draw the sea of a seat with everything that has landed in it."""
    view, barrage, now = moment
    landed = barrage.landed(seat, now)
    sunk = [shell.fired.shot.sunk for shell in landed if shell.fired.shot.sunk is not None]
    draw_sea(painter, frame, now, border=border, shade=shade)
    for ship in view.sides[seat].fleet:
        if ship not in sunk:
            _draw_ship(painter, frame, ship, sunk=False)
    for ship in sunk:
        _draw_ship(painter, frame, ship, sunk=True)
    _draw_marks(painter, frame, landed, sunk, now)
    aimed = score([shell.fired for shell in barrage.landed(1 - seat, now)])
    _draw_name(painter, frame.rect, view, seat, aimed)
    _draw_fleet(painter, frame.rect, [ship.length for ship in sunk])


def draw_impacts(painter: Painter, frame: SeaFrame, moment: Moment, seat: int) -> None:
    """Draw the splashes and blasts of the moment over the sea of a seat."""
    for shell in moment.barrage.landed(seat, moment.now):
        age = shell.impact_age(moment.now)
        if age is not None:
            shot = shell.fired.shot
            cells = shot.sunk.cells if shot.sunk is not None else (shot.cell,)
            draw = draw_blast if shot.hit else draw_splash
            for cell in cells:
                draw(painter, frame.centre_of(cell), frame.cell, age)


def draw_shells(painter: Painter, frames: Sequence[SeaFrame], moment: Moment) -> None:
    """Draw the shells in the air, from the sea of the seat that fired into the other one; `frames` are by seat."""
    for shell in moment.barrage.shells[-AT_ONCE:]:
        share = shell.flight(moment.now)
        if share is not None:
            target = frames[1 - shell.fired.seat]
            start = frames[shell.fired.seat].rect.center
            draw_shell(painter, start, target.centre_of(shell.fired.shot.cell), target.cell, share)


def _draw_ship(painter: Painter, frame: SeaFrame, ship: Ship, *, sunk: bool) -> None:
    picture = ship_picture(painter, ship.length, frame.cell, upright=ship.upright, sunk=sunk)
    painter.surface.blit(picture, frame.rect_of_ship(ship))


def _draw_marks(painter: Painter, frame: SeaFrame, landed: list[Shell], sunk: list[Ship], now: float) -> None:
    burnt_out = {cell for ship in sunk for cell in ship.cells}
    for shell in landed:
        shot = shell.fired.shot
        centre = frame.centre_of(shot.cell)
        if not shot.hit:
            draw_miss(painter, centre, frame.cell)
        elif shot.cell in burnt_out:
            draw_ember(painter, centre, frame.cell)
        else:
            draw_fire(painter, centre, frame.cell, now)


def _draw_name(painter: Painter, rect: pygame.Rect, view: View, seat: int, aimed: str) -> None:
    """Write under a sea whose it is, their clock, and how well they have fired where there is room for that, too."""
    line, right, gap = rect.bottom + painter.px(22), rect.right, painter.px(12)
    clock = view.sides[seat].clock
    if clock is not None and view.winner is None:
        colour = MUTED if seat != view.turn else CORAL if clock < HURRY else AMBER
        right = painter.text(time_left(clock), (right, line), 24, colour, "midright").left - gap
    own = painter.width_of("you", 17) + painter.px(8) if seat == view.seat else 0
    name = painter.cut(view.sides[seat].name, right - rect.left - own, 24)
    written = painter.text(name, (rect.left, line), 24, INK, "midleft")
    if own:
        written = painter.text("you", (written.right + painter.px(8), line + 1), 17, MUTED, "midleft")
    if written.right + painter.width_of(aimed, 17) + gap < right:
        painter.text(aimed, (right, line), 17, MUTED, "midright")


def _draw_fleet(painter: Painter, rect: pygame.Rect, lost: list[int]) -> None:
    """Draw the fleet in small under a sea, the lost ships dark and struck out."""
    top = rect.bottom + painter.px(40)
    gap = painter.px(12)
    cell = max(3, min(painter.px(20), (rect.width - gap * (len(FLEET) - 1)) // sum(FLEET)))
    left = rect.left
    for length in FLEET:
        sunk = length in lost
        if sunk:
            lost.remove(length)
        place = pygame.Rect(left, top, length * cell, cell)
        painter.surface.blit(ship_picture(painter, length, cell, sunk=sunk), place)
        if sunk:
            pygame.draw.line(painter.surface, CORAL, place.midleft, place.midright, max(1, cell // 9))
        left = place.right + gap
