"""Opens the window and runs its loop: input, update, draw, flip."""

import time
from collections.abc import Callable
from random import Random

import pygame

from demo_game.kept_seat import KeptSeat
from demo_game.programs import part
from demo_game.session import Session, open_session
from demo_game.window.app import App
from demo_game.window.painter import Painter, gradient
from demo_game.window.palette import DEEP_WATER, WATER
from demo_game.window.ships import ship_picture

SIZE = (1280, 720)
FRAME_RATE = 60


def play(
    host: str,
    port: int,
    name: str,
    *,
    code: str = "",
    per_move: float = 0.0,
    watching: bool = False,
    kept: KeptSeat | None = None,
    tend: Callable[[], None] = lambda: None,
) -> int:
    """Play or watch in a window until it is closed, then say goodbye; the exit status is always 0.

    `kept` keeps what the next run needs if this one is killed. `tend` is called in every frame: for whoever has more to
    look after than the window.
    """

    def connect() -> Session:
        return open_session(host, port, name, code=code, per_move=per_move, watching=watching, kept=kept)

    pygame.display.init()
    pygame.font.init()
    pygame.display.set_caption(f"Broadside: {name}")
    app = App(connect, Random(), time.monotonic())
    try:
        _loop(app, pygame.display.set_mode(SIZE, pygame.RESIZABLE), tend)
    except KeyboardInterrupt:
        pass
    finally:
        pygame.quit()
        part(app.session, "enough seen" if watching else "I strike my colours")
    return 0


def _loop(app: App, screen: pygame.Surface, tend: Callable[[], None]) -> None:
    painter, clock = Painter(screen), pygame.time.Clock()
    pygame.display.set_icon(_icon(painter))
    while app.running:
        for event in pygame.event.get():
            app.handle(event)
        app.update(time.monotonic())
        tend()
        painter.paint_on(pygame.display.get_surface())
        app.draw(painter)
        pygame.display.flip()
        clock.tick(FRAME_RATE)


def _icon(painter: Painter) -> pygame.Surface:
    """Make the picture that the desktop shows for the window: a ship on the sea."""
    icon = gradient((64, 64), WATER, DEEP_WATER)
    icon.blit(ship_picture(painter, 2, 32, upright=True), (16, 0))
    return icon
