"""What the window shows and does: which scene belongs to what the session knows."""

from collections.abc import Callable, Hashable, Sequence
from random import Random
from typing import Protocol

import pygame

from demo_game.session import Session
from demo_game.view import Phase, View
from demo_game.window.barrage import FLIGHT, Barrage
from demo_game.window.battle_scene import BattleScene
from demo_game.window.button import Button
from demo_game.window.chat import Chat, height_of
from demo_game.window.ending_scene import EndingScene
from demo_game.window.harbour_scene import HarbourScene
from demo_game.window.headline import (
    ending_title,
    ending_words,
    headline,
    is_taken,
    plays_others,
    worth_retrying,
)
from demo_game.window.link import Link
from demo_game.window.nearby import Found, Nearby
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, NIGHT
from demo_game.window.placing_scene import PlacingScene
from demo_game.window.plan import Plan, Voyage, Way
from demo_game.window.replay_scene import ReplayScene
from demo_game.window.scene import Scene
from demo_game.window.start_scene import StartScene, Switches
from demo_game.wording import ended, sentence
from netcode.turns import Unavailable

SURE_TIME = 2.5
"""Seconds in which a second Esc leaves a game."""

SAMPLE_INTERVAL = 0.5
"""Seconds between samples of the round-trip time."""

LAST_LOOK = 1.4
"""Seconds for which the battle stays on the screen after the last splash."""

GOODBYES = {Way.WATCH: "enough seen"}
GOODBYE = "I strike my colours"
LOOKING = "Looking for the server…"

PARTING = 5.0
"""Seconds that a goodbye may take to go out. Nobody waits for it: the first screen is shown, or no window any more."""


class Noise(Protocol):
    """What makes the sounds."""

    on: bool

    def play(self, name: str) -> None:
        """Play a sound, if sounds are on."""
        ...


class App:
    """One player or spectator in a window. Per frame: `handle` each event, then `update`, then `draw`.

    Args:
        name: what the player is called, unless they say otherwise.
        plan: what to do at once; without one the start screen asks.
        embark: carries a plan out.
        noise: makes the sounds.
        switch_full_screen, full_screen: make the window fill the screen or not, and tell whether it does.
        nearby: finds games on the local network for the start screen.
        left: gives the games that a window was killed in.
    """

    def __init__(
        self,
        name: str,
        plan: Plan | None,
        random: Random,
        now: float,
        *,
        noise: Noise,
        embark: Callable[[Plan], Voyage] = Voyage,
        pace: float = 1.2,
        switch_full_screen: Callable[[], None] = lambda: None,
        full_screen: Callable[[], bool] = lambda: False,
        nearby: Nearby | None = None,
        left: Callable[[], Sequence[Plan]] = tuple,
    ) -> None:
        self.running = True
        self.voyage: Voyage | None = None
        self._random, self._now, self._embark, self._noise = random, now, embark, noise
        self._switch_full_screen = switch_full_screen
        self._parting: list[tuple[Voyage, Callable[[], bool], float]] = []
        self._next_sample = self._sure_until = now
        self._over_since: float | None = None
        self._link: Link | None = None
        self._game = -1
        self._barrage, self._chat = Barrage(), Chat()
        self._heard = (0, 0)
        self._my_turn = False
        self._replaying = False
        self._shown: Hashable = None
        switches = Switches(lambda: noise.on, self._switch_sound, full_screen, switch_full_screen)
        self._nearby = nearby
        found: Callable[[], Sequence[Found]] = tuple if nearby is None else lambda: nearby.games
        self._start = StartScene(name, pace, switches, self.go, self._quit, nearby=found, left=left)
        self._scene: Scene = self._start
        self._comes_from_start = plan is None
        if plan is not None:
            self.go(plan)

    @property
    def title(self) -> str:
        """What stands over the window: what is going on, also for who looks at another one."""
        if self.voyage is None:
            return "Broadside"
        session = self.voyage.session
        if session.reason is not None and session.view.phase is not Phase.OVER:
            return f"Broadside: {ending_title(session.reason.code)}"
        link = self._link_to(session)
        if session.view.phase is Phase.WAITING and not session.joined and not session.watching:
            return f"Broadside: {_looking(session)}"
        return f"Broadside: {headline(link.view, silence=link.silence, away=link.away, closed=link.closed).text}"

    def go(self, plan: Plan) -> None:
        """Set out to do what the player wants; if that cannot be, the start screen says why."""
        try:
            self.voyage = self._embark(plan)
        except (OSError, Unavailable) as error:
            self._start.trouble = ended((isinstance(error, OSError) and error.strerror) or str(error))

    def handle(self, event: pygame.event.Event) -> None:
        """Take one event of the window."""
        if event.type == pygame.QUIT:
            self._quit()
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_F2:
            self._switch_sound()
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_F11:
            self._switch_full_screen()
        elif self._can_talk() and self.voyage is not None and self._chat.handle(event, self.voyage.session):
            pass
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE and self._in_game():
            self._leave_if_sure()
        else:
            self._scene.handle(event)

    def update(self, now: float) -> None:
        """Let the network do its work, and choose the scene that fits what is known now."""
        self._now = now
        self._part(now)
        if self.voyage is None and self._nearby is not None:
            self._nearby.update()
        if self.voyage is not None:
            self.voyage.update()
            link = self._link_to(self.voyage.session)
            if now >= self._next_sample:
                self._next_sample = now + SAMPLE_INTERVAL
                link.sample()
            self._follow(link.session, link.session.view)
        self._choose_scene()

    def draw(self, painter: Painter) -> None:
        """Draw the scene, under it what was said, and the question before a game is left."""
        talks = self._can_talk()
        painter.reserved = height_of(painter) if talks else 0
        self._scene.draw(painter, self._now)
        if talks and self.voyage is not None:
            self._chat.draw(painter, self.voyage.session, self._now)
        if self._now < self._sure_until and self._in_game():
            _draw_note(painter, "Press Esc again to give up and leave")

    def leave(self) -> None:
        """Say goodbye, and go back to the start screen, or out if the command line brought us here."""
        voyage, self.voyage, self._replaying = self.voyage, None, False
        if voyage is not None:
            over = voyage.session.view.phase is Phase.OVER
            parted = voyage.leave("" if over else GOODBYES.get(voyage.plan.way, GOODBYE))
            self._parting.append((voyage, parted, self._now + PARTING))
        self._link, self._sure_until = None, self._now
        self.running = self.running and self._comes_from_start

    def part(self, now: float) -> bool:
        """After the window: say goodbye wherever we still are; call it until it says that this is done."""
        self.leave()
        self._part(now)
        return not self._parting

    def close(self) -> None:
        """End everything at once."""
        if self._nearby is not None:
            self._nearby.close()
        for voyage in [*([] if self.voyage is None else [self.voyage]), *(parting[0] for parting in self._parting)]:
            voyage.close()

    def _part(self, now: float) -> None:
        for parting in [*self._parting]:
            voyage, parted, until = parting
            if parted() or now >= until:
                voyage.close()
                self._parting.remove(parting)

    def _link_to(self, session: Session) -> Link:
        if self._link is None or self._link.session is not session:
            self._link, self._chat, self._game = Link(session), Chat(), -1
        return self._link

    def _follow(self, session: Session, view: View) -> None:
        if self._game != view.number:
            self._game, self._barrage, self._over_since = view.number, Barrage(), None
            self._heard, self._my_turn, self._replaying = (0, 0), False, False
        self._barrage.follow(view.log, self._now)
        if self._link is not None:
            self._link.flying = view.phase is Phase.OVER and self._barrage.flying(self._now)
        self._make_noise(session, view)
        if view.phase is Phase.OVER and self._over_since is None and self._barrage.quiet(self._now):
            self._over_since = self._now
            self._noise.play("defeat" if view.seat not in {None, view.winner} else "victory")

    def _make_noise(self, session: Session, view: View) -> None:
        """Play what has happened since the last frame; of many shots at once only the last is heard."""
        shells = self._barrage.shells
        landed = sum(shell.start + FLIGHT <= self._now for shell in shells)
        fired_before, landed_before = self._heard
        self._heard = len(shells), landed
        if len(shells) > fired_before and shells[-1].flight(self._now) is not None:
            self._noise.play("fire")
        if landed > landed_before and shells[landed - 1].impact_age(self._now) is not None:
            shot = shells[landed - 1].fired.shot
            self._noise.play("sunk" if shot.sunk is not None else "hit" if shot.hit else "splash")
        if view.my_turn and not self._my_turn and not shells:
            self._noise.play("turn")
        self._my_turn = view.my_turn
        if self._chat.follow(session, self._now):
            self._noise.play("said")

    def _choose_scene(self) -> None:
        wanted, make = self._wanted()
        if wanted != self._shown:
            self._shown, self._scene = wanted, make()

    def _wanted(self) -> tuple[Hashable, Callable[[], Scene]]:
        """Name the scene that fits now, and how to make it if it is not the one that is shown."""
        if self.voyage is None:
            return "start", self._begin
        session = self.voyage.session
        link, view, reason = self._link_to(session), session.view, session.reason
        if view.phase is Phase.OVER:
            if self._replaying:
                return ("replay", view.number), lambda: ReplayScene(view, lambda: self._replay(False))
            if self._over_since is not None and self._now >= self._over_since + LAST_LOOK:
                return ("ending", view.number, reason), lambda: self._ending(link)
            return ("battle", view.number), lambda: self._battle(link)
        if reason is not None:
            return ("ended", reason), lambda: self._ended(session)
        if view.phase is Phase.WAITING:
            if session.joined or session.watching:
                return ("waiting", view.number), lambda: self._waiting(session)
            text = _looking(session)
            return ("connecting", text), lambda: self._connecting(text)
        if view.to_place:
            return ("placing", view.number), lambda: PlacingScene(link, self._random)
        return ("battle", view.number), lambda: self._battle(link)

    def _begin(self) -> Scene:
        self._start.refresh()
        return self._start

    def _connecting(self, text: str) -> Scene:
        return HarbourScene("Setting sail", text, [self._leave_button()], busy=True)

    def _waiting(self, session: Session) -> Scene:
        assert self.voyage is not None
        invitation = self.voyage.invitation
        buttons = [self._leave_button()]
        text = "No game is on. The next one is shown here." if session.watching else "Waiting for an opponent."
        if invitation:
            text += f" A friend on the same network chooses «Join a game» and types {invitation}"
            text += f" and the code «{session.code}»." if session.code else "."
            buttons.insert(0, Button("Play a bot", pygame.K_b, "B", self.voyage.call_bot))
        elif session.code:
            text += f" The code is «{session.code}»."
        return HarbourScene("In the harbour", text, buttons, busy=True)

    def _ended(self, session: Session) -> Scene:
        reason = session.reason
        assert reason is not None
        assert self.voyage is not None
        voyage, buttons = self.voyage, [self._leave_button()]
        if is_taken(reason) and not session.watching:
            other = Button("Another opponent", pygame.K_RETURN, "Enter", voyage.another, primary=True)
            buttons = [other, Button("Watch", pygame.K_w, "W", voyage.watch), *buttons]
        elif worth_retrying(reason.code) and not plays_others(reason):
            buttons.insert(0, Button("Try again", pygame.K_RETURN, "Enter", voyage.retry, primary=True))
        return HarbourScene(ending_title(reason.code), ending_words(reason), buttons)

    def _battle(self, link: Link) -> Scene:
        return BattleScene(link, self._barrage, lambda: self._noise.play("no"))

    def _ending(self, link: Link) -> Scene:
        assert self.voyage is not None
        session = link.session
        reason = session.reason
        again, another = (
            (session.again, self.voyage.another) if reason is None else (self.voyage.retry, self.voyage.retry)
        )
        return EndingScene(
            link,
            self._barrage,
            again=again,
            another=another,
            replay=lambda: self._replay(True),
            leave=self.leave,
            trouble="" if reason is None else ending_words(reason),
        )

    def _replay(self, on: bool) -> None:
        self._replaying = on

    def _in_game(self) -> bool:
        session = None if self.voyage is None else self.voyage.session
        return session is not None and session.reason is None and session.view.phase in {Phase.PLACING, Phase.FIRING}

    def _can_talk(self) -> bool:
        """Say whether there is a table: a link that is lost is no reason to move the seas under the mouse."""
        session = None if self.voyage is None else self.voyage.session
        if session is None or session.reason is not None:
            return False
        return session.table.seated or session.view.phase is not Phase.WAITING

    def _leave_if_sure(self) -> None:
        if self._now < self._sure_until or (self.voyage is not None and self.voyage.session.watching):
            self.leave()
        else:
            self._sure_until = self._now + SURE_TIME

    def _switch_sound(self) -> None:
        self._noise.on = not self._noise.on

    def _quit(self) -> None:
        self.running = False

    def _leave_button(self) -> Button:
        return Button("Leave", pygame.K_ESCAPE, "Esc", self.leave)


def _looking(session: Session) -> str:
    """Say what somebody waits for who has no seat yet."""
    return sentence(session.table.frozen) or LOOKING


def _draw_note(painter: Painter, words: str) -> None:
    width, height = painter.size
    note = pygame.Rect(0, 0, painter.width_of(words, 24) + painter.px(48), painter.px(56))
    note.center = (width // 2, height // 2)
    painter.panel(note, AMBER, radius=12)
    painter.text(words, note.center, 24, NIGHT)
