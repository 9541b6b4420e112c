"""A line in which one types."""

import pygame

from demo_game.window.clipboard import is_paste, pasted
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, INK, LINE, MUTED, NIGHT

BLINK = 1.0
"""Seconds in which the cursor comes and goes."""


class Field:
    """A text of at most `limit` characters, with a label and an example of what may stand there.

    The cursor goes with the arrow keys, Home and End.
    """

    def __init__(self, label: str, text: str = "", *, limit: int = 40, example: str = "") -> None:
        self.label, self.text, self.limit, self.example = label, text[:limit], limit, example
        self.rect = pygame.Rect(0, 0, 0, 0)
        self._after = 0
        """Letters after the cursor."""

    def handle(self, event: pygame.event.Event) -> bool:
        """Type, paste, or delete; say whether the event was for a text."""
        if event.type == pygame.TEXTINPUT or is_paste(event):
            text = event.text if event.type == pygame.TEXTINPUT else pasted().strip()
            typed = "".join(letter for letter in text if letter.isprintable())
            before, after = self._parts
            self.text = before + typed[: self.limit - len(self.text)] + after
            return True
        if event.type != pygame.KEYDOWN:
            return False
        # What a letter types comes as an event of its own.
        return self._edit(event.key) or 32 <= event.key < 127

    @property
    def _parts(self) -> tuple[str, str]:
        """What stands before the cursor and after it."""
        place = max(0, len(self.text) - self._after)
        return self.text[:place], self.text[place:]

    def _edit(self, key: int) -> bool:
        before, after = self._parts
        moves = {
            pygame.K_LEFT: len(after) + 1,
            pygame.K_RIGHT: len(after) - 1,
            pygame.K_HOME: len(self.text),
            pygame.K_END: 0,
        }
        if key in moves:
            self._after = min(max(moves[key], 0), len(self.text))
        elif key == pygame.K_BACKSPACE:
            self.text = before[:-1] + after
        elif key == pygame.K_DELETE:
            self.text, self._after = before + after[1:], max(len(after) - 1, 0)
        else:
            return False
        return True

    def draw(self, painter: Painter, rect: pygame.Rect, now: float, *, focused: bool) -> None:
        """Draw it in a rectangle; of a text that is too long one sees what is before the cursor."""
        self.rect = rect
        painter.panel(rect, NIGHT, radius=8)
        pygame.draw.rect(painter.surface, AMBER if focused else LINE, rect, 2, border_radius=painter.px(8))
        inset, size = painter.px(14), min(21.0, rect.height / painter.unit * 0.66)
        left = rect.left + inset
        if self.label:
            left = painter.text(self.label, (left, rect.centery), size * 0.86, MUTED, "midleft").right + inset
        before, after = self._parts if focused else (self.text, "")
        room = rect.right - inset - left
        while before and painter.width_of(before, size) > room:
            before = before[1:]
        while after and painter.width_of(before + after, size) > room:
            after = after[:-1]
        if before + after:
            painter.text(before + after, (left, rect.centery), size, INK, "midleft")
        elif not focused:
            painter.text(self.example, (left, rect.centery), size * 0.9, MUTED, "midleft")
        if focused and now % BLINK < BLINK / 2:
            half, right = painter.px(size * 0.57), left + painter.width_of(before, size)
            top, bottom = rect.centery - half, rect.centery + half
            pygame.draw.line(painter.surface, INK, (right + 3, top), (right + 3, bottom), 2)
