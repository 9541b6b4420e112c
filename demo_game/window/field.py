"""A line in which one types."""

import pygame

from demo_game.window.clipboard import is_paste, pasted
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, INK, LINE, MUTED, NIGHT

BLINK = 1.0
"""Seconds in which the cursor comes and goes."""


class Field:
    """A text of at most `limit` characters, with a label and an example of what may stand there."""

    def __init__(self, label: str, text: str = "", *, limit: int = 40, example: str = "") -> None:
        self.label, self.text, self.limit, self.example = label, text[:limit], limit, example
        self.rect = pygame.Rect(0, 0, 0, 0)

    def handle(self, event: pygame.event.Event) -> bool:
        """Type, paste, or delete; say whether the event was for a text."""
        if event.type == pygame.TEXTINPUT or is_paste(event):
            text = event.text if event.type == pygame.TEXTINPUT else pasted().strip()
            typed = "".join(letter for letter in text if letter.isprintable())
            self.text = (self.text + typed)[: self.limit]
            return True
        if event.type == pygame.KEYDOWN and event.key == pygame.K_BACKSPACE:
            self.text = self.text[:-1]
            return True
        # What a letter types comes as an event of its own.
        return event.type == pygame.KEYDOWN and 32 <= event.key < 127

    def draw(self, painter: Painter, rect: pygame.Rect, now: float, *, focused: bool) -> None:
        """Draw it in a rectangle; the end of a text that is too long is what is seen."""
        self.rect = rect
        painter.panel(rect, NIGHT, radius=8)
        pygame.draw.rect(painter.surface, AMBER if focused else LINE, rect, 2, border_radius=painter.px(8))
        inset, size = painter.px(14), min(21.0, rect.height / painter.unit * 0.66)
        left = rect.left + inset
        if self.label:
            left = painter.text(self.label, (left, rect.centery), size * 0.86, MUTED, "midleft").right + inset
        shown = self.text
        while shown and painter.width_of(shown, size) > rect.right - inset - left:
            shown = shown[1:]
        if shown or focused:
            right = painter.text(shown, (left, rect.centery), size, INK, "midleft").right if shown else left
        else:
            right = painter.text(self.example, (left, rect.centery), size * 0.9, MUTED, "midleft").right
        if focused and now % BLINK < BLINK / 2:
            half = painter.px(size * 0.57)
            top, bottom = rect.centery - half, rect.centery + half
            pygame.draw.line(painter.surface, INK, (right + 3, top), (right + 3, bottom), 2)
