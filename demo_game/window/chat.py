"""What players say to each other: the last lines over the picture, and a field to type in."""

import pygame

from demo_game.session import Session
from demo_game.window.field import Field
from demo_game.window.painter import Painter
from demo_game.window.palette import INK, MUTED, PANEL
from netcode.turns import Said

SHOWN = 4
"""Lines that are shown at most."""
LASTS = 12.0
"""Seconds for which a line is shown while nobody types."""
LIMIT = 200
"""Characters of a line."""


class Chat:
    """Tab opens the field, Enter says what is in it, Esc closes it. What was said just now is shown for a while."""

    def __init__(self) -> None:
        self.field: Field | None = None
        self._last: Said | None = None
        self._until = 0.0

    def handle(self, event: pygame.event.Event, session: Session) -> bool:
        """Take an event of the window; say whether it was for the chat."""
        if self.field is None:
            if event.type == pygame.KEYDOWN and event.key == pygame.K_TAB:
                self.field = Field("Say", limit=LIMIT, example="")
                return True
            return False
        if event.type == pygame.KEYDOWN and event.key in {pygame.K_RETURN, pygame.K_KP_ENTER}:
            text, self.field = self.field.text.strip(), None
            if text:
                session.table.say(text)
            return True
        if event.type == pygame.KEYDOWN and event.key in {pygame.K_ESCAPE, pygame.K_TAB}:
            self.field = None
            return True
        return self.field.handle(event)

    def follow(self, session: Session, now: float) -> bool:
        """Look at what was said; say whether there is something new."""
        last = session.chat[-1] if session.chat else None
        new, self._last = last is not self._last, last
        if new:
            self._until = now + LASTS
        return new

    def draw(self, painter: Painter, session: Session, now: float) -> None:
        """Draw the last lines above the bottom of the window, and the field under them while it is open."""
        width, height = painter.size
        row = painter.px(34)
        bottom = height - painter.px(50)
        if self.field is not None:
            rect = pygame.Rect(
                painter.px(28), bottom - row - painter.px(6), width - painter.px(56), row + painter.px(6)
            )
            self.field.draw(painter, rect, now, focused=True)
            bottom = rect.top - painter.px(6)
        if self.field is None and now >= self._until:
            return
        for said in reversed([*session.chat][-SHOWN:]):
            who = f"{said.name}:"
            text = said.text
            room = width - painter.px(110) - painter.width_of(who, 18)
            while text and painter.width_of(text, 18) > room:
                text = text[:-1]
            wide = painter.width_of(who, 18) + painter.width_of(text, 18) + painter.px(36)
            panel = pygame.Rect(painter.px(28), bottom - row, wide, row - painter.px(4))
            painter.panel(panel, PANEL, alpha=225, radius=8)
            name = painter.text(who, (panel.left + painter.px(12), panel.centery), 18, MUTED, "midleft")
            painter.text(text, (name.right + painter.px(8), panel.centery), 18, INK, "midleft")
            bottom -= row
