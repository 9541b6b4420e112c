"""Buttons that are pressed with the mouse or with a key."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pygame

from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, INK, LINE, NIGHT, PANEL, blend


class Button(NamedTuple):
    """Something to press: what it says, which key does the same, and what it does."""

    label: str
    key: int
    key_name: str
    action: Callable[[], None]
    primary: bool = False
    enabled: bool = True


class ButtonRow:
    """Buttons side by side or one under another, at the place where they were drawn last."""

    def __init__(self, buttons: Sequence[Button]) -> None:
        self.buttons = tuple(buttons)
        self._rects: list[pygame.Rect] = []

    def draw_row(self, painter: Painter, centre: tuple[int, int]) -> None:
        """Draw them side by side around a point."""
        gap = painter.px(18)
        width, height = self._size(painter)
        size = min(width, (painter.size[0] - gap) // len(self.buttons) - gap), height
        left = centre[0] - (len(self.buttons) * (size[0] + gap) - gap) // 2
        top = centre[1] - size[1] // 2
        places = [(left + number * (size[0] + gap), top) for number in range(len(self.buttons))]
        self._draw(painter, [pygame.Rect(place, size) for place in places])

    def draw_column(self, painter: Painter, rect: pygame.Rect) -> int:
        """Draw them one under another, upwards from the bottom of a rectangle, as wide as it; say how high they reach."""
        height, gap = self._size(painter)[1], painter.px(12)
        top = rect.bottom - len(self.buttons) * (height + gap) + gap
        self._draw(
            painter,
            [
                pygame.Rect(rect.left, top + number * (height + gap), rect.width, height)
                for number in range(len(self.buttons))
            ],
        )
        return top

    def press(self, event: pygame.event.Event) -> bool:
        """Do what the pressed button does; say whether the event pressed one."""
        for number, button in enumerate(self.buttons):
            if button.enabled and self._presses(event, number):
                button.action()
                return True
        return False

    def _presses(self, event: pygame.event.Event, number: int) -> bool:
        if event.type == pygame.KEYDOWN:
            return bool(event.key == self.buttons[number].key)
        if event.type != pygame.MOUSEBUTTONDOWN or event.button != pygame.BUTTON_LEFT:
            return False
        return number < len(self._rects) and self._rects[number].collidepoint(event.pos)

    def _size(self, painter: Painter) -> tuple[int, int]:
        widest = max(painter.width_of(f"{button.label}  {button.key_name}", 21) for button in self.buttons)
        return widest + painter.px(52), painter.px(48)

    def _draw(self, painter: Painter, rects: list[pygame.Rect]) -> None:
        self._rects = rects
        for button, rect in zip(self.buttons, rects, strict=True):
            _draw_button(painter, button, rect)


def _draw_button(painter: Painter, button: Button, rect: pygame.Rect) -> None:
    hovered = button.enabled and rect.collidepoint(pygame.mouse.get_pos())
    if button.primary and button.enabled:
        fill, ink = (blend(AMBER, INK, 0.35) if hovered else AMBER), NIGHT
    else:
        fill, ink = (LINE if hovered else blend(PANEL, LINE, 0.5)), (INK if button.enabled else blend(PANEL, INK, 0.35))
    painter.panel(rect, fill, radius=9)
    inset = painter.px(18)
    size = 21.0
    while size > 12 and painter.width_of(button.label, size) > rect.width - 2 * inset:
        size -= 1
    label = painter.text(button.label, (rect.left + inset, rect.centery), size, ink, "midleft")
    if label.right + painter.px(8) + painter.width_of(button.key_name, 16) > rect.right - inset:
        return
    painter.text(button.key_name, (rect.right - inset, rect.centery), 16, blend(ink, fill, 0.35), "midright")
