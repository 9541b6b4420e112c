"""The screen after a game: who won and why, and where everything was."""

from collections.abc import Callable

import pygame

from demo_game.view import View
from demo_game.window.barrage import Barrage
from demo_game.window.board import Moment, draw_board, two_seas
from demo_game.window.button import Button, ButtonRow
from demo_game.window.headline import own_trouble, rematch, verdict
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, DUSK, INK, MUTED, NIGHT
from demo_game.window.scene import Play
from demo_game.wording import sentence, why


class EndingScene:
    """Shows both fleets, and offers another game. `trouble` tells why the link has ended since, if it has."""

    def __init__(
        self,
        play: Play,
        barrage: Barrage,
        *,
        again: Callable[[], None],
        another: Callable[[], None],
        replay: Callable[[], None],
        leave: Callable[[], None],
        trouble: str = "",
    ) -> None:
        self._play = play
        self._barrage = barrage
        self._trouble = trouble
        self._again, self._another = again, another
        self._always = Button("Replay", pygame.K_r, "R", replay), Button("Leave", pygame.K_ESCAPE, "Esc", leave)
        self._buttons = ButtonRow([*self._offers(), *self._always])

    def handle(self, event: pygame.event.Event) -> None:
        """Play again or leave."""
        self._buttons.buttons = *self._offers(), *self._always
        self._buttons.press(event)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw the verdict, the reason, both seas uncovered, and the buttons."""
        view = self._play.view
        width, height = painter.size
        painter.backdrop(NIGHT, DUSK)
        lost = view.seat is not None and view.winner != view.seat
        room, words, size = width - painter.px(80), verdict(view), 66.0
        while size > 20 and painter.width_of(words, size) > room:
            size -= 2
        title = painter.text(words, (width // 2, painter.px(24)), size, CORAL if lost else AMBER, "midtop")
        told = painter.paragraph(_ended(why(view), view), (width // 2, title.bottom + painter.px(4)), room, 21, INK)
        trouble = self._trouble or own_trouble(self._play.silence, self._play.away, closed=self._play.closed)
        news = trouble or rematch(view)
        if news:
            place = (width // 2, told.bottom)
            told = painter.paragraph(_ended(news, view), place, room, 18, AMBER if trouble else MUTED)
        near, far = two_seas(painter, told.bottom + painter.px(6), height - painter.px(84))
        for seat, frame in ((view.near, near), (view.far, far)):
            draw_board(painter, frame, Moment(view, self._barrage, now), seat, shade=0.1)
        self._buttons.buttons = *self._offers(), *self._always
        self._buttons.draw_row(painter, (width // 2, height - painter.px(44)))

    def _offers(self) -> list[Button]:
        """Offer what can be had now: nobody to play again with, no server to ask for it."""
        view, lost = self._play.view, self._play.away is not None
        if view.seat is None:
            return [Button("Watch on", pygame.K_RETURN, "Enter", self._again, primary=True)]
        if view.sides[view.far].presence == "left":
            return [Button("Another opponent", pygame.K_RETURN, "Enter", self._another, primary=True)]
        return [
            Button("Play again", pygame.K_RETURN, "Enter", self._again, primary=True, enabled=not lost),
            Button("Another opponent", pygame.K_n, "N", self._another),
        ]


def _ended(text: str, view: View) -> str:
    """Make a whole sentence of a reason."""
    return sentence(text, *(side.name for side in view.sides)) + ("" if text.endswith((".", "!", "?", "…")) else ".")
