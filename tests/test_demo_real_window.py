"""A real window of Broadside on an X server of its own, played with the keys and the mouse, from the first screen on."""

import itertools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from bounds import until
from programs import DEADLINE, Start
from quiet_pygame import pygame
from screens import XVFB, screen

from demo_game.rules import ALL_CELLS
from demo_game.window.battle_scene import FOOTER
from demo_game.window.board import two_seas
from demo_game.window.chat import height_of
from demo_game.window.header import HEIGHT
from demo_game.window.painter import Painter
from demo_game.window.run import SIZE

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        XVFB is None or shutil.which("xdotool") is None,
        reason="Xvfb and xdotool cannot be found: install xvfb and xdotool",
    ),
]


SCREEN = (1440, 900)
WINDOW = ("search", "--onlyvisible", "--class", "Broadside")
"""Looked for each time: the window is another one after it has filled the screen."""
CLICKS_AT_ONCE = 8
"""So few that the end is seen before its screen with the buttons is there."""


MAIN = """
import sys

sys.modules["zeroconf"] = None  # nothing is said on a real network: the extra that would is not there

from demo_game.__main__ import main
from demo_game.window.display import why_no_window

why_no_window()  # names the window, which has to be before pygame is there

import pygame

flip, before = pygame.display.flip, None


def flip_and_tell():
    global before
    flip()
    now = pygame.key.get_focused(), pygame.display.get_window_size()
    if now != before:
        before = now
        print("takes", "keys" if now[0] else "no keys", "at {}x{}".format(*now[1]))


pygame.display.flip = flip_and_tell
sys.exit(main(sys.argv[1:]))
"""
"""The game, which says when its window takes keys: without a window manager nothing else does."""


class Desk:
    """A screen that nobody sees, with a keyboard and a mouse."""

    def __init__(self, display: str) -> None:
        self.display = display

    def do(self, *words: object) -> str:
        """Let xdotool do something."""
        done = subprocess.run(
            ["xdotool", *map(str, words)],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return done.stdout.strip()

    def title(self) -> str:
        """Read what stands over the window."""
        return self.do(*WINDOW, "getwindowname", "%@")

    def until(self, look: Callable[[], str], good: Callable[[str], object]) -> str:
        """Look until one sees what is good."""
        deadline = time.monotonic() + DEADLINE
        while not good(seen := look()):
            assert time.monotonic() < deadline, f"the window says {seen!r}"
            time.sleep(0.02)
        return seen

    def click(self, place: tuple[int, int]) -> None:
        self.do("mousemove", *place, "click", 1)

    def press(self, *keys: str) -> None:
        """Press keys in the window; without a window manager it has no keyboard unless it is given it."""
        self.do(*WINDOW, "windowmove", "%@", 0, 0, "windowfocus", "%@")
        self.do("key", "--delay", 30, *keys)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with screen(*SCREEN) as display:
        yield Desk(display)


def test_a_game_from_the_first_screen_to_the_rematch(start: Start, desk: Desk, tmp_path: Path) -> None:
    environment = {
        "DISPLAY": desk.display,
        "SDL_VIDEODRIVER": "x11",
        "SDL_AUDIODRIVER": "dummy",
        "XDG_STATE_HOME": str(tmp_path),
    }
    program = start("-W", "ignore", "-c", MAIN, "--pace", 0, "--name", "Anne", environment=environment)

    def title() -> str:
        assert program.is_running(), program.output
        return desk.title()

    def says(pattern: str) -> str:
        return desk.until(title, re.compile(pattern).search)

    def presses(pattern: str, *keys: str) -> None:
        """Press keys that do no harm twice: without a window manager nothing says when a new window takes them."""

        def look() -> str:
            desk.press(*keys)
            return desk.title()

        desk.until(look, re.compile(pattern).search)

    says("^Broadside$")
    presses("Hide your fleet from Blackbeard", "Return")  # the first choice is the bot
    # By the keyboard one ship, by the mouse another, the rest by chance.
    desk.press("r", "Down", "Return")
    desk.click((600, 400))
    presses("Your turn|takes aim", "space", "Return")
    fire_until_it_is_over(desk)
    desk.press("Tab", "g", "g", "Return")
    presses("Hide your fleet from Blackbeard", "Return")  # the rematch, as soon as it is offered

    desk.press("Escape", "Escape")
    says("^Broadside$")
    told = ""
    for size in (SCREEN, SIZE):
        desk.press("F11")
        desk.until(
            lambda: desk.do(*WINDOW, "getwindowgeometry", "%@"), re.compile("Geometry: {}x{}".format(*size)).search
        )
        told += r"(?s:.*)takes keys at {}x{}\n".format(*size)
        program.until(told)  # what is pressed before that is lost
    desk.press("F2", "Escape")
    assert program.status() == 0
    assert "Traceback" not in program.output


def fire_until_it_is_over(desk: Desk) -> None:
    """Click into the own sea, which is refused, and then into the other one in any order, our turn or not."""
    painter = Painter(pygame.Surface(SIZE))
    painter.reserved = height_of(painter)
    near, far = two_seas(painter, painter.px(HEIGHT), painter.size[1] - painter.px(FOOTER))
    desk.click(near.centre_of(ALL_CELLS[0]))
    cells = itertools.cycle(Random(1).sample(ALL_CELLS, len(ALL_CELLS)))
    for _ in until(lambda: re.search("Victory|Defeat", desk.title())):  # a busy machine misses many a click
        clicks: list[object] = []
        for cell in itertools.islice(cells, CLICKS_AT_ONCE):
            clicks += ["mousemove", *far.centre_of(cell), "click", 1, "sleep", 0.07]
        desk.do(*clicks)
