"""What players say to each other: a place of its own under every screen of a game, and a field to type in."""

from collections.abc import Sequence

import pygame

from demo_game.session import Session
from demo_game.window.field import Field
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, INK, LINE, MUTED, NIGHT
from netcode.turns import Said

ROW, INSET = 26, 6
"""Height of a line, and room over and under all of them, at 1280×720."""
TEXT = 18
"""Size of the letters, at 1280×720."""
LASTS = 12.0
"""Seconds for which the name over what was said just now is bright."""
LIMIT = 160
"""Characters of a line that is typed here: with a name they fit into the place at every size."""
EMPTY, TALK = "Tab: talk to everybody at the table", "Tab: talk"
UNHEARD = "Say, once the server is back"


class Chat:
    """Tab or a click opens the field, Enter says what is in it, Esc closes it."""

    def __init__(self) -> None:
        self.field: Field | None = None
        self.rect = pygame.Rect(0, 0, 0, 0)
        self._last: Said | None = None
        self._until = 0.0

    def handle(self, event: pygame.event.Event, session: Session) -> bool:
        """Take an event of the window; say whether it was for the chat."""
        if event.type == pygame.MOUSEBUTTONDOWN and self.rect.collidepoint(event.pos):
            self._open()
            return True
        if self.field is None:
            if event.type == pygame.KEYDOWN and event.key == pygame.K_TAB:
                self._open()
                return True
            return False
        if event.type == pygame.KEYDOWN and event.key in {pygame.K_RETURN, pygame.K_KP_ENTER}:
            text = self.field.text.strip()
            if text and session.table.seated:
                session.table.say(text)
            if not text or session.table.seated:
                self.field = None
            return True
        if event.type == pygame.KEYDOWN and event.key in {pygame.K_ESCAPE, pygame.K_TAB}:
            self.field = None
            return True
        return self.field.handle(event) or event.type == pygame.KEYDOWN  # what is typed is no order

    def follow(self, session: Session, now: float) -> bool:
        """Look at what was said; say whether there is something new."""
        last = session.chat[-1] if session.chat else None
        new, self._last = last is not self._last, last
        if new:
            self._until = now + LASTS
        return new

    def draw(self, painter: Painter, session: Session, now: float) -> None:
        """Draw the last lines under the screen, and the field in place of the lowest while it is open."""
        chat = session.chat
        width, top = painter.size
        self.rect = pygame.Rect(0, top, width, painter.reserved)
        pygame.draw.rect(painter.surface, NIGHT, self.rect)
        pygame.draw.line(painter.surface, LINE, self.rect.topleft, self.rect.topright)
        margin, row = painter.px(28), painter.px(ROW)
        bottom = self.rect.bottom - painter.px(INSET)
        room = _rows(painter)
        if self.field is not None:
            rect = pygame.Rect(margin, bottom - row, width - 2 * margin, row)
            self.field.label = "Say" if session.table.seated else UNHEARD
            self.field.draw(painter, rect, now, focused=True)
            bottom, room = rect.top, room - 1
        lines = self._lines(painter, chat, width - 2 * margin, room)
        top, right = bottom - room * row, margin
        for number, (who, text, new) in enumerate(lines):
            middle = top + number * row + row // 2
            left = margin
            if who:
                name = painter.text(
                    who, (margin, middle), TEXT, AMBER if new and now < self._until else MUTED, "midleft"
                )
                left = name.right + painter.px(8)
            right = painter.text(text, (left, middle), TEXT, INK, "midleft").right
        hint = (width - margin, bottom - row // 2)
        if self.field is None and (len(lines) < room or right + painter.px(20) + painter.width_of(TALK, 16) < hint[0]):
            painter.text(TALK if lines else EMPTY, hint, 16, MUTED, "midright")

    def _lines(self, painter: Painter, chat: Sequence[Said], width: int, room: int) -> list[tuple[str, str, bool]]:
        """Give the last lines that there is room for: who says it where it begins, the text, whether it is the last."""
        lines: list[tuple[str, str, bool]] = []
        for said in reversed(chat):
            who = f"{said.name}:"
            indent = painter.width_of(who, TEXT) + painter.px(8)
            broken = painter.broken(said.text, width, TEXT, indent=indent)
            if lines and len(broken) + len(lines) > room:
                break
            if len(broken) > room:  # of what is longer than the place, the beginning
                last = " ".join(broken[room - 1 :])
                broken[room - 1 :] = [painter.cut(last, width - indent * (room == 1), TEXT)]
            lines[:0] = [(who if number == 0 else "", text, said is chat[-1]) for number, text in enumerate(broken)]
        return lines

    def _open(self) -> None:
        if self.field is None:
            self.field = Field("Say", limit=LIMIT, example="")


def height_of(painter: Painter) -> int:
    """Say how high the place for the chat is."""
    return _rows(painter) * painter.px(ROW) + 2 * painter.px(INSET)


def _rows(painter: Painter) -> int:
    """Say how many lines there are: a window that is high for its width has more room, and breaks more lines."""
    width, height = painter.surface.get_size()
    return 2 if height < 0.65 * width else 3
