"""What the window shows and does: which scene belongs to what the session knows."""

from collections.abc import Callable, Hashable
from random import Random

import pygame

from demo_game.session import Session
from demo_game.view import Phase, View
from demo_game.window.barrage import Barrage
from demo_game.window.battle_scene import BattleScene
from demo_game.window.button import Button
from demo_game.window.ending_scene import EndingScene
from demo_game.window.harbour_scene import HarbourScene
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, NIGHT
from demo_game.window.placing_scene import PlacingScene
from demo_game.window.scene import Scene
from demo_game.wording import ended, ending_title, worth_retrying

SURE_TIME = 2.5
"""Seconds in which a second Esc leaves a game."""

SAMPLE_INTERVAL = 0.5
"""Seconds between samples of the round-trip time."""

LAST_LOOK = 1.4
"""Seconds for which the battle stays on the screen after the last splash."""


class App:
    """One player or spectator in a window. Per frame: `handle` each event, then `update`, then `draw`."""

    def __init__(self, connect: Callable[[], Session], random: Random, now: float) -> None:
        """Connect; `connect` is called again when the player tries again."""
        self.running = True
        self.session = connect()
        self._connect = connect
        self._random = random
        self._now = now
        self._next_sample = now
        self._sure_until = now
        self._over_since: float | None = None
        self._number = self.session.view.number
        self._barrage = Barrage()
        self._shown: Hashable = None
        self._scene: Scene = self._connecting()

    def handle(self, event: pygame.event.Event) -> None:
        """Take one event of the window."""
        if event.type == pygame.QUIT:
            self._quit()
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE and self._in_game():
            self._leave_if_sure()
        else:
            self._scene.handle(event)

    def update(self, now: float) -> None:
        """Let the network do its work, and choose the scene that fits what is known now."""
        self._now = now
        self.session.update()
        if now >= self._next_sample:
            self._next_sample = now + SAMPLE_INTERVAL
            self.session.sample()
        self._follow(self.session.view)
        self._choose_scene()

    def draw(self, painter: Painter) -> None:
        """Draw the scene, and the question before a game is left."""
        self._scene.draw(painter, self._now)
        if self._now < self._sure_until and self._in_game():
            _draw_note(painter, "Press Esc again to leave the game")

    def _follow(self, view: View) -> None:
        if view.number != self._number:
            self._number, self._barrage, self._over_since = view.number, Barrage(), None
        self._barrage.follow(view.log, self._now)
        if view.phase is Phase.OVER and self._over_since is None and self._barrage.quiet(self._now):
            self._over_since = self._now

    def _choose_scene(self) -> None:
        wanted, make = self._wanted()
        if wanted != self._shown:
            self._shown, self._scene = wanted, make()

    def _wanted(self) -> tuple[Hashable, Callable[[], Scene]]:
        """Name the scene that fits now, and how to make it if it is not the one that is shown."""
        view, reason = self.session.view, self.session.reason
        if view.phase is Phase.OVER:
            if self._over_since is not None and self._now >= self._over_since + LAST_LOOK:
                return ("ending", view.number, reason), self._ending
            return ("battle", view.number), self._battle
        if reason is not None:
            return ("ended", reason), self._ended
        if view.phase is Phase.WAITING:
            return ("waiting", self._waiting) if self.session.joined else ("connecting", self._connecting)
        if view.to_place:
            return ("placing", view.number), self._placing
        return ("battle", view.number), self._battle

    def _connecting(self) -> Scene:
        return HarbourScene("Setting sail", "Looking for the server…", [self._quit_button()], busy=True)

    def _waiting(self) -> Scene:
        text = "No game is on. The next one is shown here." if self.session.watching else "Waiting for an opponent."
        return HarbourScene("In the harbour", text, [self._quit_button()], busy=True)

    def _ended(self) -> Scene:
        reason = self.session.reason
        assert reason is not None
        buttons = [self._quit_button()]
        if worth_retrying(reason.code):
            buttons.insert(0, Button("Try again", pygame.K_RETURN, "Enter", self._again, primary=True))
        return HarbourScene(ending_title(reason.code), ended(reason.text), buttons)

    def _placing(self) -> Scene:
        return PlacingScene(self.session, self._random)

    def _battle(self) -> Scene:
        return BattleScene(self.session, self._barrage)

    def _ending(self) -> Scene:
        trouble = "" if self.session.reason is None else ended(self.session.reason.text)
        return EndingScene(self.session, self._barrage, again=self._again, leave=self._quit, trouble=trouble)

    def _again(self) -> None:
        if self.session.reason is None:
            self.session.again()
        else:
            self.session.close()
            self.session = self._connect()

    def _in_game(self) -> bool:
        return self.session.reason is None and self.session.view.phase in {Phase.PLACING, Phase.FIRING}

    def _leave_if_sure(self) -> None:
        if self._now < self._sure_until or self.session.watching:
            self._quit()
        self._sure_until = self._now + SURE_TIME

    def _quit(self) -> None:
        self.running = False

    def _quit_button(self) -> Button:
        return Button("Quit", pygame.K_ESCAPE, "Esc", self._quit)


def _draw_note(painter: Painter, words: str) -> None:
    width, height = painter.size
    note = pygame.Rect(0, 0, painter.width_of(words, 24) + painter.px(48), painter.px(56))
    note.center = (width // 2, height // 2)
    painter.panel(note, AMBER, radius=12)
    painter.text(words, note.center, 24, NIGHT)
