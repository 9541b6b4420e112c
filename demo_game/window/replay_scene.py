"""The screen on which a game that is over is seen once more, shot by shot, with both fleets uncovered."""

from collections.abc import Callable

import pygame

from demo_game.view import View
from demo_game.window.barrage import Barrage
from demo_game.window.board import Moment, draw_board, draw_impacts, draw_shells, two_seas
from demo_game.window.button import Button, ButtonRow
from demo_game.window.headline import tell_shot
from demo_game.window.painter import Painter
from demo_game.window.palette import DUSK, INK, MUTED, NIGHT

PACE = 0.8
"""Seconds from one shot to the next."""


class ReplayScene:
    """Runs by itself; Space stops it and lets it go on, the arrow keys go back and forth."""

    def __init__(self, view: View, leave: Callable[[], None]) -> None:
        self._view = view
        self._barrage = Barrage()
        self._shown = 0
        self._running = True
        self._due: float | None = None
        self._leave = leave
        self._buttons = ButtonRow(self._make_buttons())

    def handle(self, event: pygame.event.Event) -> None:
        """Press the buttons."""
        self._buttons.press(event)
        self._buttons.buttons = self._make_buttons()

    def draw(self, painter: Painter, now: float) -> None:
        """Draw both seas as they were after so many shots."""
        self._run(now)
        self._buttons.buttons = self._make_buttons()
        width, height = painter.size
        painter.backdrop(NIGHT, DUSK)
        log = self._view.log[: self._shown]
        title = f"Replay: shot {self._shown} of {len(self._view.log)}"
        written = painter.text(title, (width // 2, painter.px(14)), 34, INK, "midtop")
        words = tell_shot(self._view, log[-1]) if log else "Nobody has fired yet"
        told = painter.text(words, (width // 2, written.bottom + painter.px(2)), 20, MUTED, "midtop")
        near, far = two_seas(painter, told.bottom + painter.px(4), height - painter.px(84))
        frames = (near, far) if self._view.near == 0 else (far, near)
        moment = Moment(self._view, self._barrage, now)
        for seat in (0, 1):
            draw_board(painter, frames[seat], moment, seat, shade=0.1)
        for seat in (0, 1):
            draw_impacts(painter, frames[seat], moment, seat)
        draw_shells(painter, frames, moment)
        self._buttons.draw_row(painter, (width // 2, height - painter.px(44)))

    @property
    def _at_end(self) -> bool:
        return self._shown >= len(self._view.log)

    def _make_buttons(self) -> tuple[Button, ...]:
        goes = "From the start" if self._at_end else "Pause" if self._running else "Go on"
        return (
            Button("Back", pygame.K_LEFT, "Left", lambda: self._step(-1)),
            Button(goes, pygame.K_SPACE, "Space", self._toggle, primary=True),
            Button("Forward", pygame.K_RIGHT, "Right", lambda: self._step(1)),
            Button("Result", pygame.K_ESCAPE, "Esc", self._leave),
        )

    def _run(self, now: float) -> None:
        if self._due is None:
            self._due = now + PACE
        if self._running and now >= self._due and self._shown < len(self._view.log):
            self._due = now + PACE
            self._shown += 1
        if self._shown < len(self._barrage.shells):
            self._barrage = Barrage()
            self._barrage.follow(self._view.log[: self._shown], now - 60.0)  # all of them have landed
        self._barrage.follow(self._view.log[: self._shown], now)

    def _toggle(self) -> None:
        self._running = self._at_end or not self._running
        if self._at_end:
            self._shown, self._due = 0, None

    def _step(self, way: int) -> None:
        self._running = False
        self._shown = min(max(self._shown + way, 0), len(self._view.log))
