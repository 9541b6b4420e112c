"""The first screen: whom to play against and where, one's name, sound and full screen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pygame

from demo_game.hosting import LOCALHOST, PORT
from demo_game.window.field import Field
from demo_game.window.harbour_scene import draw_night
from demo_game.window.nearby import Found
from demo_game.window.painter import Painter
from demo_game.window.palette import AMBER, CORAL, INK, LINE, MUTED, NIGHT, PANEL, blend
from demo_game.window.plan import Plan, Way
from demo_game.wording import NAME_LIMIT, sentence
from netcode import Address
from netcode.turns import read_invitation

CLOCKS = (0.0, 60.0, 30.0)
"""Seconds for each shot among which one chooses; 0 is without a clock."""
ROW, GAP = 46, 10
"""Height of a row and the room between two, at 1280×720."""
NARROW = 900
"""Width in pixels below which everything is in one column."""


class Item(NamedTuple):
    """Something to press: what it says now, and what it does."""

    label: Callable[[], str]
    action: Callable[[], None]
    primary: bool = False


class Switches(NamedTuple):
    """What can be switched on and off anywhere: whether it is on, and what to call."""

    sound: Callable[[], bool]
    switch_sound: Callable[[], None]
    full_screen: Callable[[], bool]
    switch_full_screen: Callable[[], None]


class StartScene:
    """Choose with the mouse, or with the arrow keys and Enter; what is typed goes into the field that has the frame."""

    def __init__(
        self,
        name: str,
        pace: float,
        switches: Switches,
        go: Callable[[Plan], None],
        leave: Callable[[], None],
        *,
        nearby: Callable[[], Sequence[Found]] = tuple,
        left: Callable[[], Sequence[Plan]] = tuple,
    ) -> None:
        self._pace, self._go, self._leave = pace, go, leave
        self.trouble = ""
        self.name = Field("Your name", name, limit=NAME_LIMIT, example="what the others read")
        self.server = Field("Server", "", limit=120, example="192.168.1.7, or a link")
        self.code = Field("Code", "", limit=NAME_LIMIT, example="a word that you and a friend agree on")
        self._clock = 0
        self._left = left
        self._choices = [
            Item(lambda: "Play against the bot", lambda: self._start(Way.BOT), primary=True),
            Item(lambda: "Host a game", lambda: self._start(Way.HOST)),
            Item(lambda: "Join a game", lambda: self._start(Way.JOIN)),
            Item(lambda: "Watch a game", lambda: self._start(Way.WATCH)),
            Item(lambda: "Quit", leave),
        ]
        self._switches = [
            Item(self._say_clock, self._turn_clock),
            Item(lambda: f"Sound: {_on(switches.sound())}   F2", switches.switch_sound),
            Item(lambda: f"Full screen: {_on(switches.full_screen())}   F11", switches.switch_full_screen),
        ]
        self._nearby = nearby
        self._order: list[Item | Field] = []
        self._rects: list[pygame.Rect] = []
        self._focus = 0
        self.refresh()

    def refresh(self) -> None:
        """Look whether there is a game to go on with: one that a window was killed in, or that lost its server."""
        plan = next(iter(self._left()), None)
        self._return = [] if plan is None else [self._offer_return(plan)]
        self._choices[0] = self._choices[0]._replace(primary=not self._return)
        self._focus = 0
        self._arrange()

    def handle(self, event: pygame.event.Event) -> None:
        """Move, press, type."""
        chosen = self._order[self._focus]
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
            for number, rect in enumerate(self._rects):
                if rect.collidepoint(event.pos):
                    self._focus = number
                    self._press(self._order[number])
        elif isinstance(chosen, Field) and chosen.handle(event):
            self.trouble = ""
        elif event.type == pygame.KEYDOWN:
            self._key(event, chosen)

    def draw(self, painter: Painter, now: float) -> None:
        """Draw the night sea, and over it everything that can be chosen, with the games that are nearby now."""
        self._arrange()
        self._rects = [pygame.Rect(0, 0, 0, 0)] * len(self._order)
        width, height = painter.size
        draw_night(painter, now)
        title = painter.text("BROADSIDE", (width // 2, painter.px(20)), 64, INK, "midtop")
        said = self.trouble or "Hide a fleet, fire in turns."
        place = (width // 2, title.bottom + painter.px(2))
        told = painter.paragraph(
            said, place, width - painter.px(60), 22, CORAL if self.trouble else blend(MUTED, INK, 0.5)
        )
        columns = 1 if width < NARROW else 2
        room = (width - painter.px(60 + 30 * (columns - 1))) // columns
        column = min(room, painter.px(480))
        left = (width - columns * column - (columns - 1) * painter.px(30)) // 2
        top = max(told.bottom + painter.px(14), round(height * 0.26)) if columns == 2 else told.bottom + painter.px(6)
        step = self._step(painter, top, height, columns)
        for number, item in enumerate(self._order):
            second = columns == 2 and number >= self._first
            row = number - self._first if second else number
            x = left + (column + painter.px(30)) * second
            rect = pygame.Rect(x, top + row * step, column, step - max(2, round(step * GAP / (ROW + GAP))))
            self._rects[number] = rect
            if isinstance(item, Field):
                item.draw(painter, rect, now, focused=number == self._focus)
            else:
                self._draw_item(painter, item, rect, focused=number == self._focus)
        hint = "Arrow keys and Enter, or the mouse. A friend on the same network joins with the address that the host sees."
        painter.paragraph(hint, (width // 2, height - painter.px(50)), width - painter.px(60), 16, INK)

    def _step(self, painter: Painter, top: int, height: int, columns: int) -> int:
        """Say how far one row is from the next, so that all have room above the hint."""
        rows = len(self._order) if columns == 1 else len(self._order) - self._first
        return min(painter.px(ROW + GAP), max(8, (height - top - painter.px(56)) // rows))

    def _draw_item(self, painter: Painter, item: Item, rect: pygame.Rect, *, focused: bool) -> None:
        hovered = rect.collidepoint(pygame.mouse.get_pos())
        fill = AMBER if item.primary else blend(PANEL, LINE, 0.5)
        if hovered:
            fill = blend(fill, INK, 0.2)
        painter.panel(rect, fill, radius=8)
        pygame.draw.rect(painter.surface, LINE, rect, 1, border_radius=painter.px(8))
        if focused:
            pygame.draw.rect(painter.surface, INK, rect.inflate(4, 4), 2, border_radius=painter.px(9))
        size = min(22.0, rect.height / painter.unit * 0.62)
        painter.text(item.label(), rect.center, size, NIGHT if item.primary else INK)

    def _key(self, event: pygame.event.Event, chosen: "Item | Field") -> None:
        back = event.key == pygame.K_UP or (event.key == pygame.K_TAB and getattr(event, "mod", 0) & pygame.KMOD_SHIFT)
        if event.key in {pygame.K_UP, pygame.K_DOWN, pygame.K_TAB}:
            self._focus = (self._focus + (-1 if back else 1)) % len(self._order)
        elif event.key in {pygame.K_LEFT, pygame.K_RIGHT}:
            self._focus = self._first if self._focus < self._first else 0
        elif event.key in {pygame.K_RETURN, pygame.K_KP_ENTER} and chosen in {self.server, self.code}:
            self._start(Way.JOIN)
        elif event.key in {pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE}:
            self._press(chosen)
        elif event.key == pygame.K_ESCAPE:
            self._leave()

    def _press(self, item: "Item | Field") -> None:
        if isinstance(item, Item):
            item.action()

    @property
    def _first(self) -> int:
        """How many things stand in the first column."""
        return len(self._return) + len(self._choices)

    def _arrange(self) -> None:
        fields = (self.name, self.server, self.code)
        offers = map(self._offer, self._nearby())
        self._order = [*self._return, *self._choices, *fields, *self._switches, *offers]
        self._focus = min(self._focus, len(self._order) - 1)

    def _offer_return(self, plan: Plan) -> Item:
        """Offer the seat in a game that goes on; what it was reached with stands in the fields."""
        self.name.text, self.code.text = plan.name, plan.code
        if plan.way is Way.JOIN:
            self.server.text = str(Address(*plan.server))
        again = replace(plan, pace=self._pace)
        return Item(lambda: f"Back to your game as {plan.name}", lambda: self._go(again), primary=True)

    def _offer(self, found: Found) -> Item:
        """Offer a game that was found on the network."""

        def join() -> None:
            self.server.text = str(Address(*found.server))
            self._start(Way.JOIN)

        return Item(lambda: f"Join {found.name}, nearby", join, primary=True)

    def _say_clock(self) -> str:
        seconds = CLOCKS[self._clock]
        return f"Clock: {seconds:.0f} seconds a shot" if seconds else "Clock: none"

    def _turn_clock(self) -> None:
        self._clock = (self._clock + 1) % len(CLOCKS)

    def _start(self, way: Way) -> None:
        typed = self.server.text.strip()
        if way in {Way.JOIN, Way.WATCH} and not typed:
            self._focus = self._order.index(self.server)
            self.trouble = (
                "Type the address of the server: the host sees it, for instance 192.168.1.7; "
                "a second window on one computer types localhost"
            )
            return
        try:
            to = read_invitation(typed if way in {Way.JOIN, Way.WATCH} else LOCALHOST, PORT)
        except ValueError as error:
            self._focus = self._order.index(self.server)
            self.trouble = sentence(str(error))
            return
        code = "" if way is Way.BOT else self.code.text.strip() or to.room or ""
        name = self.name.text.strip() or "Nameless"
        self._go(Plan(way, name, to.address, code, CLOCKS[self._clock], self._pace, tls=to.tls))


def _on(value: bool) -> str:
    return "on" if value else "off"
