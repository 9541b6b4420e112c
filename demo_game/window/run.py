"""Opens the window and runs its loop: input, update, draw, flip."""

import time
from random import Random

import pygame

from demo_game.window.app import App
from demo_game.window.nearby import Nearby
from demo_game.window.painter import Painter, gradient
from demo_game.window.palette import DEEP_WATER, WATER
from demo_game.window.plan import Plan, plans_left
from demo_game.window.ships import ship_picture
from demo_game.window.sound import Sounds

SIZE = (1280, 720)
FRAME_RATE = 60
REPEATING = (pygame.K_BACKSPACE, pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN)
"""Keys that go on while they are held; all others count once."""


class Window:
    """The window of the desktop, which can fill the screen."""

    def __init__(self) -> None:
        self._full = False
        (width, height), *_ = pygame.display.get_desktop_sizes()
        self._size = min(SIZE[0], width), min(SIZE[1], height)
        self._open()

    def is_full(self) -> bool:
        """Tell whether it fills the screen."""
        return self._full

    def switch(self) -> None:
        """Let it fill the screen, or be a window again."""
        self._full = not self._full
        if self._full:
            self._size = pygame.display.get_window_size()
            pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
        else:
            self._open()

    def _open(self) -> None:
        pygame.display.set_mode(self._size, pygame.RESIZABLE)


def play(name: str, plan: Plan | None = None, *, pace: float = 1.2, sound: bool = True) -> int:
    """Show the window until it is closed, then say goodbye; the exit status is always 0.

    Args:
        name: what the player is called, unless they say otherwise.
        plan: what to do at once; without one the start screen asks.
        pace: seconds that a bot takes over a shot.
        sound: whether sounds are on at first.
    """
    pygame.display.init()
    pygame.font.init()
    pygame.key.set_repeat(400, 40)
    window = Window()
    app = App(
        name,
        plan,
        Random(),
        time.monotonic(),
        noise=Sounds(on=sound),
        pace=pace,
        switch_full_screen=window.switch,
        full_screen=window.is_full,
        nearby=Nearby() if plan is None else None,
        left=plans_left,
    )
    try:
        _loop(app)
    except KeyboardInterrupt:
        pass
    finally:
        pygame.quit()
        while not app.part(time.monotonic()):
            time.sleep(1 / FRAME_RATE)
        app.close()
    return 0


def _loop(app: App) -> None:
    painter, clock = Painter(pygame.display.get_surface()), pygame.time.Clock()
    pygame.display.set_icon(_icon(painter))
    held = set[int]()
    while app.running:
        for event in pygame.event.get():
            if not _repeats(event, held):
                app.handle(event)
        app.update(time.monotonic())
        if app.title != pygame.display.get_caption()[0]:
            pygame.display.set_caption(app.title)
        if pygame.display.get_active():  # not while it is minimised
            painter.paint_on(pygame.display.get_surface())
            app.draw(painter)
            pygame.display.flip()
        clock.tick(FRAME_RATE)


def _repeats(event: pygame.event.Event, held: set[int]) -> bool:
    """Tell whether a key is heard again that is held, and counts once; note in `held` which are."""
    if event.type == pygame.KEYUP:
        held.discard(event.key)
    elif event.type == pygame.KEYDOWN and event.key not in REPEATING:
        again = event.key in held
        held.add(event.key)
        return again
    return False


def _icon(painter: Painter) -> pygame.Surface:
    """Make the picture that the desktop shows for the window: a ship on the sea."""
    icon = gradient((64, 64), WATER, DEEP_WATER)
    icon.blit(ship_picture(painter, 2, 32, upright=True), (16, 0))
    return icon
