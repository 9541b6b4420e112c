"""Tests of the window of Broadside: every screen is drawn without a display, and played with made-up events."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from broadside import Sea, changed, firing, placing
from hypothesis import given
from hypothesis import strategies as st
from quiet_pygame import pygame
from turns.hall import Full

import netcode
from demo_game.captain import choose_target
from demo_game.rules import ALL_CELLS, FLEET, Cell, Ship
from demo_game.session import Session
from demo_game.view import Phase, View
from demo_game.window.app import App
from demo_game.window.barrage import Barrage
from demo_game.window.battle_scene import FOOTER, BattleScene
from demo_game.window.board import MIN_CELL, two_seas
from demo_game.window.button import Button
from demo_game.window.chat import LIMIT, TEXT, height_of
from demo_game.window.ending_scene import EndingScene
from demo_game.window.harbour_scene import HarbourScene
from demo_game.window.header import HEIGHT
from demo_game.window.kept_seat import KeptSeat
from demo_game.window.link import LinkSample
from demo_game.window.nearby import Found, Nearby
from demo_game.window.painter import Painter
from demo_game.window.placing_scene import PlacingScene
from demo_game.window.plan import Plan, Voyage, Way, own_address, plans_left
from demo_game.window.replay_scene import PACE, ReplayScene
from demo_game.window.run import SIZE, Window, play
from demo_game.window.scene import Scene
from demo_game.window.sea import SeaFrame
from demo_game.window.sound import LOUD, RATE, SOUNDS, Sounds, samples
from demo_game.window.start_scene import StartScene, Switches
from netcode.lan import Sighting
from netcode.turns import Said

SIZES = [(1280, 720), (640, 480), (480, 800), (320, 240)]


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    pygame.font.init()
    pygame.display.set_mode((64, 64))
    yield
    pygame.quit()


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[int, int]], None]:
    """Put the mouse somewhere."""
    return lambda place: monkeypatch.setattr(pygame.mouse, "get_pos", lambda: place)


@dataclass
class Table:
    """What a scene needs of a session, without a network; remembers the orders."""

    view: View = field(default_factory=View)
    samples: Sequence[LinkSample] = ()
    silence: int = 0
    away: float | None = None
    closed: bool = False
    placed: list[tuple[Ship, ...]] = field(default_factory=list[tuple[Ship, ...]])
    fired: list[Cell] = field(default_factory=list[Cell])

    def place(self, fleet: Sequence[Ship]) -> None:
        self.placed.append(tuple(fleet))

    def fire(self, cell: Cell) -> None:
        self.fired.append(cell)


def table(view: View) -> Table:
    dice = Random(2)
    samples = [LinkSample(0.02 + dice.random() * 0.01, 0.002 + dice.random() * 0.004) for _ in range(80)]
    return Table(view, samples)


def barrage(made: Table, now: float = 0.0) -> Barrage:
    shots = Barrage()
    shots.follow(made.view.log, now)
    return shots


def nothing() -> None:
    """Do nothing."""


QUIT = Button("Quit", pygame.K_ESCAPE, "Esc", nothing)
AGAIN = Button("Try again", pygame.K_RETURN, "Enter", nothing, primary=True)


SWITCHES = Switches(lambda: True, nothing, lambda: False, nothing)


def start_screen() -> Scene:
    return StartScene("Anne Bonny", 1.2, SWITCHES, lambda _: None, nothing)


def start_screen_with_an_address_that_cannot_be() -> Scene:
    scene = start_screen()
    for event in (key(pygame.K_TAB),) * 6 + (text("192.168.1.7:http"), key(pygame.K_RETURN)):
        scene.handle(event)
    return scene


def start_screen_with_games_nearby() -> Scene:
    found = [Found("Grace", ("192.168.1.7", 7777)), Found("Jean", ("fe80::1", 7777))]
    return StartScene("Anne Bonny", 1.2, SWITCHES, lambda _: None, nothing, nearby=lambda: found)


def hosting() -> Scene:
    words = "Waiting for an opponent. A friend on the same network chooses «Join a game» and types 192.168.1.7:7777"
    return HarbourScene("In the harbour", words, [AGAIN, QUIT], busy=True)


def connecting() -> Scene:
    return HarbourScene("Setting sail", "Looking for the server…", [QUIT], busy=True)


def no_server() -> Scene:
    sentence = "Nothing is listening on 192.168.1.7:7777; is the server started?"
    return HarbourScene("No server there", sentence, [AGAIN, QUIT])


def hiding() -> Scene:
    return PlacingScene(table(placing()), Random(1))


def shuffled() -> Scene:
    scene = PlacingScene(table(placing()), Random(4))
    scene.handle(key(pygame.K_SPACE))
    return scene


def our_turn() -> Scene:
    made = table(firing(52))
    return BattleScene(made, barrage(made))


def under_fire() -> Scene:
    made = table(firing(31, seat=1))
    return BattleScene(made, barrage(made, 19.2))


def shell_in_flight() -> Scene:
    made = table(firing(30))
    return BattleScene(made, barrage(made, 19.75))


def silent_server() -> Scene:
    made = table(firing(24))
    made.silence = 4
    return BattleScene(made, barrage(made))


def lost_server() -> Scene:
    made = table(firing(24))
    made.away = 42.0
    return BattleScene(made, barrage(made))


def missing_opponent() -> Scene:
    made = table(changed(firing(24), 1, presence="away", patience=17.0))
    return BattleScene(made, barrage(made))


def spectator() -> Scene:
    made = table(firing(40, seat=None))
    return BattleScene(made, barrage(made))


def defeat() -> Scene:
    made = table(firing(200, seat=1))
    return EndingScene(made, barrage(made), again=nothing, another=nothing, replay=nothing, leave=nothing)


def defeat_without_a_server() -> Scene:
    made = table(firing(200, seat=1))
    return EndingScene(
        made,
        barrage(made),
        again=nothing,
        another=nothing,
        replay=nothing,
        leave=nothing,
        trouble="Server is shutting down",
    )


def replay() -> Scene:
    scene = ReplayScene(firing(200), nothing)
    for _ in range(30):
        scene.handle(key(pygame.K_RIGHT))
    return scene


def key(code: int) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code)


def text(typed: str) -> pygame.event.Event:
    return pygame.event.Event(pygame.TEXTINPUT, text=typed)


def click(place: tuple[int, int], button: int = pygame.BUTTON_LEFT) -> pygame.event.Event:
    return pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=place, button=button)


def draw(scene: Scene, size: tuple[int, int] = (1280, 720), now: float = 20.0) -> pygame.Surface:
    surface = pygame.Surface(size)
    scene.draw(Painter(surface), now)
    return surface


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "make",
    [
        start_screen,
        start_screen_with_an_address_that_cannot_be,
        start_screen_with_games_nearby,
        hosting,
        connecting,
        no_server,
        hiding,
        shuffled,
        our_turn,
        under_fire,
        shell_in_flight,
        silent_server,
        lost_server,
        missing_opponent,
        spectator,
        defeat,
        defeat_without_a_server,
        replay,
    ],
)
def test_every_screen_is_a_picture(make: Callable[[], Scene], size: tuple[int, int], tmp_path: Path) -> None:
    picture = draw(make(), size)

    # To look at them: pytest --basetemp=somewhere, then somewhere/*/*.png.
    path = tmp_path / f"{make.__name__}-{size[0]}x{size[1]}.png"
    pygame.image.save(picture, str(path))
    colours = {tuple(picture.get_at((x, y))) for x in range(0, size[0], 7) for y in range(0, size[1], 7)}
    assert len(colours) > 50


@given(st.integers(200, 2600), st.integers(200, 1500))
def test_both_seas_fit_into_windows_of_any_shape(width: int, height: int) -> None:
    window = pygame.Rect(0, 0, width, height)

    left, right = two_seas(Painter(pygame.Surface(window.size)), 60, height - 30)

    assert not left.rect.colliderect(right.rect)
    assert left.rect.width == right.rect.width >= 10 * MIN_CELL
    assert left.cell == MIN_CELL or (window.contains(left.rect) and window.contains(right.rect))


@given(st.sampled_from(ALL_CELLS), st.integers(8, 80))
def test_a_point_in_a_cell_is_in_no_other(cell: Cell, side: int) -> None:
    frame = SeaFrame(30, 50, side)
    rect = frame.rect_of(cell)

    assert frame.cell_at(rect.topleft) == frame.cell_at(rect.center) == cell
    assert frame.cell_at((rect.right - 1, rect.bottom - 1)) == cell
    assert frame.cell_at((29, 50)) is frame.cell_at((30, 50 + 10 * side)) is None


def test_a_window_without_room_is_drawn_all_the_same() -> None:
    for make in (connecting, hiding, our_turn, defeat):
        draw(make(), (120, 90))


def test_names_in_any_script_can_be_drawn() -> None:
    made = table(firing(10))
    for name in ("", "鄭一嫂", "🏴‍☠️ Jack", "\u0301\u0301", "W" * 16):
        made.view = changed(made.view, 0, name=name)
        draw(BattleScene(made, barrage(made)), (800, 600))


class Reading(Painter):
    """A painter that remembers what it writes."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(pygame.Surface(size))
        self.read: list[str] = []

    def text(self, words: str, *how: Any, **more: Any) -> pygame.Rect:
        self.read.append(words)
        return super().text(words, *how, **more)


def read(scene: Scene, size: tuple[int, int] = (1280, 720), now: float = 20.0) -> list[str]:
    painter = Reading(size)
    scene.draw(painter, now)
    return painter.read


class Measuring(Painter):
    """A painter that remembers how many pixels high it writes what, and where."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(pygame.Surface(size))
        self.written: dict[str, tuple[float, pygame.Rect]] = {}

    def text(self, words: str, place: tuple[int, int], size: float = 20, *how: Any, **more: Any) -> pygame.Rect:
        rect = super().text(words, place, size, *how, **more)
        self.written[words] = size * self.unit, rect
        return rect


def measured(scene: Scene) -> dict[str, tuple[float, pygame.Rect]]:
    painter = Measuring((480, 800))
    scene.draw(painter, 20.0)
    return painter.written


def test_an_upright_window_has_text_as_large_as_a_small_one_that_lies() -> None:
    assert Painter(pygame.Surface((500, 900))).unit == Painter(pygame.Surface((640, 480))).unit
    assert min(size for size, _ in measured(our_turn()).values()) > 9


def test_where_there_is_no_room_for_both_the_headline_is_read_and_not_the_name() -> None:
    [(size, _)] = [at for words, at in measured(missing_opponent()).items() if "lost the conn" in words]

    assert size > 10
    assert "BROADSIDE" not in measured(missing_opponent())
    assert "BROADSIDE" in measured(our_turn())


def test_no_button_is_narrower_than_what_it_says() -> None:
    written = measured(defeat())
    labels = [written[label][1] for label in ("Play again", "Another opponent", "Replay", "Leave")]

    assert all(one.right + 12 < other.left for one, other in pairwise(labels))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_both_clocks_are_read_whatever_the_names_are(size: tuple[int, int]) -> None:
    made = table(firing(20))
    for seat, clock in enumerate((29.9, 59.9)):
        made.view = changed(made.view, seat, name="W" * 16, clock=clock)

    assert {"0:30", "1:00"} <= {*read(BattleScene(made, barrage(made)), size)}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_clock_is_read_while_the_fleet_is_hidden(size: tuple[int, int]) -> None:
    scene = PlacingScene(table(changed(placing(), 0, clock=29.9)), Random(1))

    words = read(scene, size)

    assert "0:30" in words
    assert "hidden at random" in " ".join(words)


def test_text_without_letters_is_nothing() -> None:
    painter = Painter(pygame.Surface((100, 100)))

    assert painter.text("", (10, 10)).width <= 1


def test_a_click_fires_where_the_enemy_has_not_been_hit_yet(point: Callable[[tuple[int, int]], None]) -> None:
    made = table(firing(20))
    scene = BattleScene(made, barrage(made))
    draw(scene)
    near, far = two_seas(Painter(pygame.Surface((1280, 720))), 84, 720 - FOOTER)
    known = next(iter(made.view.sides[1].chart.misses))
    unknown = next(cell for cell in ALL_CELLS if not made.view.sides[1].chart.knows(cell))
    for cell in (known, unknown):
        point(far.centre_of(cell))
        draw(scene)
        scene.handle(click(far.centre_of(cell)))
    scene.handle(click(near.centre_of(unknown)))

    assert made.fired == [unknown]
    made.view = replace(made.view, turn=1)
    scene.handle(click(far.centre_of(unknown)))
    assert made.fired == [unknown]


def test_a_shot_that_cannot_be_is_answered_for_a_while() -> None:
    made = table(firing(20))
    refused: list[str] = []
    scene = BattleScene(made, barrage(made), lambda: refused.append(scene._no))
    draw(scene)
    near, far = two_seas(Painter(pygame.Surface((1280, 720))), 84, 720 - FOOTER)
    known = next(iter(made.view.sides[1].chart.misses))

    scene.handle(click(near.centre_of(known)))
    scene.handle(click(far.centre_of(known)))
    made.view = replace(made.view, aim=known)
    scene.handle(click(far.centre_of(known)))
    made.view = replace(made.view, aim=None, turn=1)
    scene.handle(click(far.centre_of(known)))
    made.view = replace(made.view, seat=None)
    scene.handle(click(far.centre_of(known)))
    scene.handle(click((1279, 719)))

    assert refused == [
        "That is your own sea: fire into the other one",
        f"You have fired at {known} already",
        "Your shell is on its way",
        "It is Blackbeard's turn",
        "You are watching: the captains fire",
    ]
    assert made.fired == []
    draw(scene, now=20.0)
    draw(scene, now=22.0)
    assert scene._no
    draw(scene, now=23.0)
    assert not scene._no


def test_the_arrow_keys_aim_and_enter_fires(point: Callable[[tuple[int, int]], None]) -> None:
    made = table(firing(20))
    scene = BattleScene(made, barrage(made))
    unknown = next(cell for cell in ALL_CELLS if not made.view.sides[1].chart.knows(cell))
    scene.handle(key(pygame.K_RETURN))
    draw(scene)
    for code, steps in ((pygame.K_RIGHT, unknown.column - 5), (pygame.K_DOWN, unknown.row - 5)):
        for _ in range(steps % 10):
            scene.handle(key(code))
    draw(scene)
    scene.handle(key(pygame.K_LEFT))
    scene.handle(key(pygame.K_UP))
    for code in (pygame.K_RIGHT, pygame.K_DOWN, pygame.K_RETURN):
        scene.handle(key(code))

    assert made.fired == [unknown]


def test_a_fleet_is_placed_with_the_keyboard_alone() -> None:
    made = table(placing())
    scene = PlacingScene(made, Random(1))
    draw(scene)
    for row in range(len(FLEET)):
        scene.handle(key(pygame.K_DOWN if row else pygame.K_UP))
        scene.handle(key(pygame.K_RETURN))
    assert (len(scene._layout.fleet), made.placed) == (5, [])
    scene.handle(key(pygame.K_5))
    scene.handle(key(pygame.K_r))
    scene.handle(key(pygame.K_DOWN))
    scene.handle(key(pygame.K_RETURN))
    draw(scene)

    scene.handle(key(pygame.K_RETURN))

    assert [ship.upright for ship in made.placed[0]] == [False] * 4 + [True]


def test_a_fleet_is_placed_by_hand(point: Callable[[tuple[int, int]], None]) -> None:
    made = table(placing())
    scene = PlacingScene(made, Random(1))
    draw(scene)
    frame = scene._frame
    for row, _ in enumerate(FLEET):
        point(frame.centre_of(Cell(4, row)))
        draw(scene)
        scene.handle(key(pygame.K_RETURN))
        scene.handle(click(frame.centre_of(Cell(4, row))))
    draw(scene)
    assert made.placed == []

    scene.handle(key(pygame.K_RETURN))

    assert [[ship.length for ship in fleet] for fleet in made.placed] == [[5, 4, 3, 3, 2]]


@pytest.mark.parametrize(
    "turn",
    [
        key(pygame.K_r),
        click((0, 0), pygame.BUTTON_RIGHT),
        pygame.event.Event(pygame.MOUSEWHEEL, y=1),
    ],
    ids=["r", "right click", "wheel"],
)
def test_a_ship_is_turned_in_the_hand(turn: pygame.event.Event) -> None:
    scene = PlacingScene(table(placing()), Random(1))
    draw(scene)

    scene.handle(turn)
    scene.handle(click(scene._frame.centre_of(Cell(4, 4))))

    assert scene._layout.fleet == (Ship(5, Cell(4, 2), upright=True),)


def test_a_ship_is_taken_from_the_list_and_buttons_are_pressed_with_the_mouse() -> None:
    made = table(placing())
    scene = PlacingScene(made, Random(1))
    draw(scene)
    scene.handle(click(scene._rows[4].center))
    scene.handle(click(scene._frame.centre_of(Cell(4, 4))))
    assert scene._layout.fleet == (Ship(2, Cell(3, 4)),)

    for number in (0, 1, 0, 2):
        draw(scene)
        scene.handle(click(scene._buttons._rects[number].center))

    assert len(made.placed) == 1


def test_the_window_opens_runs_and_is_closed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)  # nothing is said on a real network
    pygame.event.post(pygame.event.Event(pygame.QUIT))

    assert play("Anne") == 0

    assert not pygame.display.get_init()
    assert capsys.readouterr().err == ""


class Trip(Voyage):
    """A plan carried out on a server in memory."""

    def __init__(self, plan: Plan, sea: Sea) -> None:
        self.sea = sea
        self.plan, self.host, self._kept, self._server = plan, None, None, ("server", 7777)
        self.session = self._enter()

    def call_bot(self) -> None:
        self.sea.enter_bot("Bob")

    def _enter(self) -> Session:
        session = self.sea.enter(self.plan.name, watching=self.plan.way is Way.WATCH, code=self.plan.code)
        self.sea.sessions.remove(session)  # the app updates it
        return session


@dataclass
class Quiet:
    """Remembers the sounds."""

    on: bool = True
    played: list[str] = field(default_factory=list[str])

    def play(self, name: str) -> None:
        self.played.append(name)


JOIN = Plan(Way.JOIN, "Anne")


class Stage:
    """An app that plays on a server in memory, with a clock that runs as fast as it can."""

    def __init__(self) -> None:
        self.sea = Sea()
        self.sea.serve()
        self.noise = Quiet()
        self.filled: list[bool] = []
        self.painter = Painter(pygame.Surface((640, 480)))
        self.set_out(JOIN)

    def set_out(self, plan: Plan | None) -> None:
        self.app = App(
            "Anne",
            plan,
            Random(1),
            self.sea.clock.now,
            noise=self.noise,
            embark=lambda wanted: Trip(wanted, self.sea),
            switch_full_screen=lambda: self.filled.append(True),
        )

    @property
    def session(self) -> Session:
        assert self.app.voyage is not None
        return self.app.voyage.session

    def step(self) -> None:
        self.sea.play(0.04)
        self.app.update(self.sea.clock.now)

    def until(self, done: Callable[[], object]) -> None:
        end = self.sea.clock.now + 300.0
        while not done():
            assert self.sea.clock.now < end, (self.app._shown, self.app.voyage)
            self.step()
        self.app.draw(self.painter)

    def press(self, *codes: int) -> None:
        for code in codes:
            self.app.handle(key(code))

    def write(self, words: str) -> None:
        for letter in words:
            self.app.handle(text(letter))

    def waits(self) -> bool:
        return self.session.joined and self.session.view.phase is Phase.WAITING

    def shows(self, kind: type[Scene]) -> bool:
        return isinstance(self.app._scene, kind)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.app.close()
    made.sea.close()
    del made.painter  # its fonts hold open files


def test_who_waits_for_a_seat_because_nothing_can_be_stored_reads_so(stage: Stage) -> None:
    store, sea = Full(), Sea()
    store.full = True
    stage.sea.close()
    sea.serve(store=store)
    stage.sea = sea
    stage.app.close()
    stage.set_out(JOIN)

    stage.until(lambda: "Looking for the server" not in stage.app.title)
    title = stage.app.title
    store.full = False
    stage.until(stage.waits)

    assert title == "Broadside: The disk is full"
    assert stage.app.title == "Broadside: Waiting for an opponent"


def play_to_the_end(stage: Stage) -> None:
    stage.press(pygame.K_SPACE)
    stage.press(pygame.K_RETURN)
    dice = Random(3)

    def over() -> bool:
        view = stage.session.view
        if view.my_turn:
            stage.session.fire(choose_target(view.sides[view.far].chart, dice))
        return view.phase is Phase.OVER

    stage.until(over)


def test_a_whole_game_and_another_one(stage: Stage) -> None:
    stage.until(lambda: stage.waits() and stage.shows(HarbourScene))
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    assert stage.shows(BattleScene)
    stage.until(lambda: stage.shows(EndingScene))
    stage.press(pygame.K_RETURN)

    stage.until(lambda: stage.shows(PlacingScene))

    assert {side.name for side in stage.session.view.sides} == {"Anne", "Bob"}
    assert stage.app.running


def test_escape_asks_before_it_leaves_a_game(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))

    stage.press(pygame.K_ESCAPE)
    assert stage.app.running
    stage.app.draw(stage.painter)
    stage.press(pygame.K_ESCAPE)

    assert not stage.app.running


def test_closing_the_window_does_not_ask(stage: Stage) -> None:
    stage.app.handle(pygame.event.Event(pygame.QUIT))

    assert not stage.app.running


def test_a_server_that_is_not_there_is_read_and_tried_again(stage: Stage) -> None:
    assert stage.sea.server is not None
    stage.sea.server.close()
    stage.sea.server = None
    stage.set_out(JOIN)
    stage.until(lambda: stage.session.reason)
    reason = stage.session.reason
    stage.sea.serve()

    stage.press(pygame.K_RETURN)
    stage.until(stage.waits)

    assert reason is not None
    assert reason.code is netcode.ReasonCode.REFUSED


def test_after_the_end_the_loss_of_the_server_is_told_beside_the_verdict(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    stage.until(lambda: stage.shows(EndingScene))

    assert stage.sea.server is not None
    stage.sea.server.close()
    stage.sea.server = None
    stage.until(lambda: stage.session.reason is not None)

    assert stage.shows(EndingScene)
    stage.press(pygame.K_ESCAPE)
    assert not stage.app.running


def test_each_way_to_a_game_is_chosen_with_the_keyboard(stage: Stage) -> None:
    gone: list[Plan] = []
    for downs in range(2):
        scene = StartScene("Anne", 0.5, SWITCHES, gone.append, nothing)
        for _ in range(downs):
            scene.handle(key(pygame.K_DOWN))
        scene.handle(key(pygame.K_RETURN))

    assert gone == [Plan(Way.BOT, "Anne", pace=0.5), Plan(Way.HOST, "Anne", pace=0.5)]


def test_what_is_typed_on_the_start_screen_is_what_is_done() -> None:
    gone: list[Plan] = []
    scene = StartScene("A", 1.2, SWITCHES, gone.append, nothing)
    for event in (
        *(key(pygame.K_TAB),) * 5,
        key(pygame.K_BACKSPACE),
        *map(text, ("Grace", " ", "O'Malley", " and all her ships")),
        key(pygame.K_DOWN),
        text("pluto:8000"),
        key(pygame.K_DOWN),
        text("\x00parrot"),
        key(pygame.K_p),
        key(pygame.K_DOWN),
        key(pygame.K_SPACE),
        pygame.event.Event(pygame.KEYDOWN, key=pygame.K_TAB, mod=pygame.KMOD_SHIFT),
        key(pygame.K_RETURN),
    ):
        scene.handle(event)

    assert gone == [Plan(Way.JOIN, "Grace O'Malley a", ("pluto", 8000), "parrot", 60.0)]


def test_games_on_the_network_are_offered_and_joined() -> None:
    sea = Sea()
    gone: list[Plan] = []
    nearby = Nearby(lambda: netcode.discover("netcode.turns", network=sea.network))
    scene = StartScene("Anne", 1.2, SWITCHES, gone.append, nothing, nearby=lambda: nearby.games)
    draw(scene)
    before = len(scene._order)
    sea.serve(announce="Broadside of Grace")
    sea.play(1.0)
    nearby.update()

    draw(scene)
    scene.handle(click(scene._rects[-1].center))

    assert len(scene._order) == before + 1
    assert nearby.games == (Found("Grace", ("server", 7777)),)
    assert gone == [Plan(Way.JOIN, "Anne", ("server", 7777))]
    nearby.close()
    sea.close()


def test_a_window_that_was_killed_is_offered_its_game_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME", str(tmp_path))
    gone: list[Plan] = []
    plan = Plan(Way.JOIN, "Grace", ("127.0.0.1", 9), "parrot")
    killed = Voyage(plan)
    assert killed._kept is not None
    killed._kept.keep("a ticket")
    held = plans_left()
    killed.close()
    strange = KeptSeat("elsewhere", "Anne", about={"way": "SWIM"})
    strange.keep("a ticket")
    strange.close()
    scene = StartScene("Anne", 0.5, SWITCHES, gone.append, nothing, left=plans_left)
    draw(scene)

    scene.handle(key(pygame.K_RETURN))

    assert held == []
    assert gone == [replace(plan, pace=0.5)]
    assert (scene.name.text, scene.server.text, scene.code.text) == ("Grace", "127.0.0.1:9", "parrot")


def test_a_server_that_was_killed_and_started_again_is_offered_once() -> None:
    sea = Sea()
    nearby = Nearby(lambda: netcode.discover("netcode.turns", network=sea.network))
    said = {"name": "Broadside of Grace", "game": "netcode.turns", "players": "0", "max_players": "9", "tls": "0"}
    sighting = Sighting((netcode.Address("server", 7777),), said)
    sea.network.sightings = {"the killed one": sighting, "the new one": sighting}
    nearby.update()

    assert nearby.games == (Found("Grace", ("server", 7777)),)
    nearby.close()


def test_where_nothing_can_be_found_nothing_is() -> None:
    def no_such_extra() -> netcode.Discovery:
        raise ImportError("finding games on the LAN needs zeroconf")

    nearby = Nearby(no_such_extra)
    nearby.update()
    nearby.close()

    assert nearby.games == ()


def test_whoever_joins_without_an_address_is_asked_for_it() -> None:
    gone: list[Plan] = []
    scene = StartScene("Anne", 1.2, SWITCHES, gone.append, nothing)
    draw(scene)
    scene.handle(click(scene._rects[3].center))
    asked = scene.trouble
    scene.handle(text("[::1"))
    assert scene.trouble == ""
    scene.handle(key(pygame.K_RETURN))

    assert asked.startswith("Type the address of the server")
    assert "is no address" in scene.trouble
    assert gone == []


def test_a_link_for_a_friend_is_an_address_with_its_code() -> None:
    gone: list[Plan] = []
    scene = StartScene("Anne", 1.2, SWITCHES, gone.append, nothing)
    draw(scene)
    scene.handle(click(scene._rects[3].center))
    scene.handle(text("https://h:1/#room=KTQXB&game=Broadside"))
    scene.handle(key(pygame.K_RETURN))

    assert gone == [Plan(Way.JOIN, "Anne", ("h", 1), "KTQXB", pace=1.2, tls=True)]


def test_the_start_screen_leads_to_a_game_and_leaving_leads_back(stage: Stage) -> None:
    stage.app.close()
    stage.set_out(None)
    stage.step()
    assert stage.shows(StartScene)
    stage.press(pygame.K_DOWN, pygame.K_RETURN)
    stage.until(stage.waits)
    stage.press(pygame.K_ESCAPE)
    stage.until(lambda: stage.shows(StartScene))
    assert stage.app.running

    stage.press(pygame.K_ESCAPE)

    assert not stage.app.running
    stage.until(lambda: stage.app.part(stage.sea.clock.now))


def test_where_no_server_can_be_opened_the_start_screen_says_why(stage: Stage) -> None:
    def taken(_: Plan) -> Voyage:
        raise OSError(98, "cannot listen on [::]:7777: the port is taken; is another server running on it?")

    stage.app.close()
    stage.app = App("Anne", None, Random(1), 0.0, noise=stage.noise, embark=taken)

    stage.press(pygame.K_RETURN)
    stage.app.update(0.1)

    assert isinstance(stage.app._scene, StartScene)
    assert stage.app._scene.trouble.startswith("A game is hosted on this computer already")
    stage.app.draw(stage.painter)


def test_the_window_says_goodbye_however_it_is_closed(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 10)
    stage.until(lambda: stage.shows(PlacingScene))
    [bot] = stage.sea.bots
    stage.app.handle(pygame.event.Event(pygame.QUIT))

    def parted() -> bool:
        stage.sea.play(0.04)
        return stage.app.part(stage.sea.clock.now)

    assert [parted() for _ in range(20)][-1]
    stage.sea.play(0.2)

    assert [said.text for said in bot.session.chat] == ["I strike my colours"]
    assert bot.session.view.why == "Anne gave up"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_said_covers_nothing(stage: Stage, size: tuple[int, int]) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    stage.press(pygame.K_SPACE, pygame.K_RETURN)
    stage.until(lambda: stage.shows(BattleScene))
    surface, pictures = pygame.Surface(size), list[bytes]()
    painter = Painter(surface)
    for lines in range(2):
        stage.session.chat.extend([Said(0, "Anne", "W" * 500), Said(None, "Grace", "what a shot")] * lines)
        stage.press(*[pygame.K_TAB] * lines)
        stage.app.draw(painter)
        pictures.append(pygame.image.tobytes(surface.subsurface((0, 0, *painter.size)), "RGB"))
        pictures.append(pygame.image.tobytes(surface.subsurface(stage.app._chat.rect), "RGB"))

    silent, empty, loud, full = pictures
    assert silent == loud
    assert empty != full
    assert stage.app._chat.rect == pygame.Rect(0, painter.size[1], size[0], size[1] - painter.size[1])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_typed_can_be_read_to_its_end(stage: Stage, size: tuple[int, int]) -> None:
    painter = Painter(pygame.Surface(size))
    said = Said(0, "Anne Bonny", ("as long a line as one can type here " * 9)[:LIMIT])

    rows = height_of(painter) // painter.px(26)
    lines = stage.app._chat._lines(painter, [said], size[0] - painter.px(56), rows)

    assert " ".join(text for _, text, _ in lines) == said.text.strip()
    assert len(lines) <= rows


def test_a_text_that_is_too_long_ends_in_dots_and_an_earlier_one_gives_way_whole(stage: Stage) -> None:
    painter = Painter(pygame.Surface((640, 480)))
    long, short = Said(0, "Anne", "W" * 500), Said(1, "Bob", "ahoy")

    def shown(*said: Said) -> list[str]:
        return [f"{who} {text}" for who, text, _ in stage.app._chat._lines(painter, said, 300, 2)]

    assert shown(short, short, short) == ["Bob: ahoy", "Bob: ahoy"]
    assert [line[-3:] for line in shown(short, long)] == ["WWW", "WW…"]
    assert shown(long, short) == ["Bob: ahoy"]
    assert shown() == []


@given(st.text("ab ", max_size=60), st.integers(1, 200), st.integers(0, 100))
def test_a_text_is_broken_to_any_width_and_loses_nothing(words: str, width: int, indent: int) -> None:
    painter = Painter(pygame.Surface((640, 480)))

    lines = painter.broken(words, width, TEXT, indent=indent)

    assert "".join("".join(lines).split()) == "".join(words.split())
    for line in lines[1:]:
        assert len(line) == 1 or painter.width_of(line, TEXT) <= width


def test_what_is_typed_while_the_server_is_away_is_kept_until_it_is_back(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    stage.sea.kill()
    stage.until(lambda: not stage.session.table.seated)
    stage.app.draw(stage.painter)
    stage.app.handle(click(stage.app._chat.rect.center))
    stage.app.handle(click(stage.app._chat.rect.center))
    stage.write("ahoy")

    stage.press(pygame.K_RETURN)
    stage.app.draw(stage.painter)

    assert stage.app._chat.field is not None
    assert (stage.app._chat.field.label, stage.app._chat.field.text) == ("Say, once the server is back", "ahoy")


@given(st.integers(320, 2600), st.integers(240, 1500))
def test_the_list_of_ships_covers_nothing_else(width: int, height: int) -> None:
    painter = Painter(pygame.Surface((width, height)))
    painter.reserved = height_of(painter)
    scene = PlacingScene(table(placing()), Random(1))

    panel = scene._arrange(painter)

    assert painter.surface.get_rect().contains(panel)
    assert not panel.colliderect(scene._frame.rect)
    assert painter.px(HEIGHT) <= panel.top < panel.bottom <= painter.size[1]


def test_players_talk_and_what_they_type_is_no_order(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    [bot] = stage.sea.bots
    stage.press(pygame.K_TAB)
    stage.write("ahoy")
    stage.press(pygame.K_SPACE, pygame.K_r)
    stage.app.draw(stage.painter)
    stage.press(pygame.K_RETURN)

    stage.until(lambda: bot.session.chat and stage.session.chat)

    assert bot.session.chat[0].text == "ahoy"
    assert stage.session.view.to_place
    assert "said" in stage.noise.played
    stage.press(pygame.K_TAB, pygame.K_ESCAPE)
    assert stage.app._chat.field is None
    assert not stage.app._now < stage.app._sure_until
    assert stage.app._now < stage.app._chat._until


def test_a_game_is_heard(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 0.5)
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    stage.until(lambda: stage.shows(EndingScene))

    assert {*stage.noise.played} >= {"fire", "splash", "hit", "sunk"}
    assert stage.noise.played[-1] in {"victory", "defeat"}


def test_sound_and_full_screen_have_keys_of_their_own_everywhere(stage: Stage) -> None:
    stage.press(pygame.K_F2, pygame.K_F11)
    assert (stage.noise.on, stage.filled) == (False, [True])
    stage.until(stage.waits)
    stage.press(pygame.K_F2, pygame.K_F11)

    assert (stage.noise.on, stage.filled) == (True, [True, True])


def test_the_host_reads_the_address_and_may_call_a_bot(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_the_lan(port: int) -> str:
        return f"192.168.1.7:{port}"

    monkeypatch.setattr("demo_game.window.plan.own_address", in_the_lan)
    stage.app.close()
    stage.set_out(Plan(Way.HOST, "Anne", code="parrot"))
    stage.until(stage.waits)
    scene = stage.app._scene
    assert isinstance(scene, HarbourScene)
    assert "types 192.168.1.7:7777 and the code «parrot»." in scene._text
    stage.app.close()
    stage.set_out(Plan(Way.HOST, "Anne"))
    stage.until(stage.waits)

    stage.press(pygame.K_b)

    stage.until(lambda: stage.shows(PlacingScene))


def test_after_the_end_the_same_opponent_or_another(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 0.2)
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    stage.sea.bots.clear()
    stage.until(lambda: stage.shows(EndingScene))
    stage.press(pygame.K_RETURN)
    stage.until(lambda: stage.session.view.again)
    carl = stage.sea.enter("Carl")

    stage.press(pygame.K_n)

    stage.until(lambda: carl.view.to_place and stage.shows(PlacingScene))
    assert {side.name for side in carl.view.sides} == {"Anne", "Carl"}


def ending(made: Table, gone: list[str]) -> EndingScene:
    """The ending, which notes what is chosen."""

    def chosen(what: str) -> Callable[[], None]:
        return lambda: gone.append(what)

    shots = barrage(made)
    return EndingScene(
        made, shots, again=chosen("again"), another=chosen("another"), replay=chosen("replay"), leave=chosen("leave")
    )


def test_a_server_that_is_lost_after_the_game_is_told_and_not_asked_for_another_one() -> None:
    made, gone = table(firing(200)), list[str]()
    made.away = 42.0
    scene = ending(made, gone)

    words = read(scene)
    scene.handle(key(pygame.K_RETURN))
    made.away = None
    scene.handle(key(pygame.K_RETURN))

    assert "Connection lost, trying to come back… 42 s." in words
    assert gone == ["again"]


def test_a_sentence_about_the_end_begins_with_a_name_as_it_is_written() -> None:
    made = table(changed(firing(200, why="jo has sunk the whole fleet of Blackbeard"), 0, name="jo"))

    assert "jo has sunk the whole fleet of Blackbeard." in read(ending(made, []))


def test_an_opponent_who_has_left_is_no_more_asked_to_play_again() -> None:
    made, gone = table(firing(200)), list[str]()
    scene = ending(made, gone)
    before = read(scene)
    made.view = changed(made.view, 1, presence="left")

    after = read(scene)
    scene.handle(key(pygame.K_RETURN))

    assert ("Play again" in before, "Play again" in after) == (True, False)
    assert gone == ["another"]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_who_wins_is_read_whole_whatever_the_name_is(size: tuple[int, int]) -> None:
    made = table(changed(firing(200, seat=None), 0, name="W" * 16))
    written: list[pygame.Rect] = []

    class Measuring(Painter):
        def text(self, words: str, *how: Any, **more: Any) -> pygame.Rect:
            rect = super().text(words, *how, **more)
            written.extend([rect] * words.endswith(" wins"))
            return rect

    ending(made, []).draw(Measuring(pygame.Surface(size)), 20.0)

    assert [pygame.Rect(0, 0, *size).contains(rect) for rect in written] == [True]


def test_the_link_that_is_lost_after_the_game_is_looked_for(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    stage.until(lambda: stage.shows(EndingScene))
    stage.sea.kill()
    stage.until(lambda: stage.session.table.trouble)
    painter = Reading((640, 480))

    stage.app.draw(painter)

    assert [words for words in painter.read if words.startswith("Connection lost, trying to come back")]
    assert "29 ms" not in painter.read
    assert "…" not in stage.app.title


def test_the_end_is_not_given_away_before_the_last_shell_lands(stage: Stage) -> None:
    stage.sea.enter_bot("Bob")
    stage.until(lambda: stage.shows(PlacingScene))
    play_to_the_end(stage)
    stage.step()
    assert stage.app._barrage.flying(stage.sea.clock.now)
    painter = Reading((1280, 720))
    stage.app.draw(painter)
    early = stage.app.title
    ships = [side.fleet for side in stage.app._link_to(stage.session).view.sides]

    stage.until(lambda: not stage.app._barrage.flying(stage.sea.clock.now))

    assert early == "Broadside: The shell is on its way…"
    assert "The shell is on its way…" in painter.read
    assert [*map(bool, ships)] == [number == stage.session.view.seat for number in (0, 1)]
    assert stage.app.title in {"Broadside: Victory", "Broadside: Defeat"}


def test_who_comes_too_late_to_a_table_looks_on_or_finds_another(stage: Stage) -> None:
    stage.app.close()
    anne, bob = stage.sea.enter("Anne", code="parrot"), stage.sea.enter("Bob", code="parrot")
    stage.sea.until(lambda: anne.view.to_place and bob.view.to_place)
    stage.set_out(Plan(Way.JOIN, "Carl", code="parrot"))
    stage.until(lambda: stage.session.reason)
    painter = Reading((1280, 720))
    stage.app.draw(painter)

    stage.press(pygame.K_w)
    stage.until(lambda: stage.session.view.phase is Phase.PLACING)
    watching = stage.session.watching
    stage.app.close()
    stage.set_out(Plan(Way.JOIN, "Carl", code="parrot"))
    stage.until(lambda: stage.session.reason)
    stage.press(pygame.K_RETURN)
    stage.until(stage.waits)

    assert {"Another opponent", "Watch", "No seat there"} <= {*painter.read}
    assert "Try again" not in painter.read
    assert (watching, stage.session.code) == (True, "")
    dora = stage.sea.enter("Dora")
    stage.until(lambda: dora.view.to_place)


def test_another_opponent_is_not_looked_for_with_the_code_of_this_one(stage: Stage) -> None:
    stage.app.close()
    stage.set_out(Plan(Way.JOIN, "Anne", code="parrot"))
    bob = stage.sea.enter("Bob", code="parrot")
    stage.until(lambda: stage.shows(PlacingScene))
    bob.leave()
    stage.until(lambda: stage.shows(EndingScene))

    stage.press(pygame.K_RETURN)
    stage.until(stage.waits)

    scene = stage.app._scene
    assert isinstance(scene, HarbourScene)
    assert scene._text == "Waiting for an opponent."
    carl = stage.sea.enter("Carl")
    stage.until(lambda: carl.view.to_place)


def test_nobody_strikes_their_colours_after_the_game(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 1000)
    stage.until(lambda: stage.shows(PlacingScene))
    stage.press(pygame.K_SPACE, pygame.K_RETURN)
    carl = stage.sea.enter("Carl", watching=True)
    stage.until(lambda: carl.view.phase is not Phase.WAITING)
    stage.sea.bots[0].session.leave()
    stage.until(lambda: stage.shows(EndingScene))

    stage.press(pygame.K_ESCAPE)
    for _ in range(20):
        stage.step()

    assert [*carl.chat] == []


def test_a_bot_that_was_called_is_not_called_twice() -> None:
    voyage = Voyage(Plan(Way.BOT, "Anne", server=("127.0.0.1", 0)))
    voyage.call_bot()
    assert voyage.host is not None

    bots = len(voyage.host.bots)
    voyage.close()

    assert bots == 1


def test_the_title_says_that_the_server_is_looked_for_until_it_is_found(stage: Stage) -> None:
    looking = stage.app.title
    stage.until(stage.waits)

    assert (looking, stage.app.title) == ("Broadside: Looking for the server…", "Broadside: Waiting for an opponent")


def test_who_watches_is_not_told_how_to_fire() -> None:
    made = table(firing(40, seat=None))

    assert not [words for words in read(BattleScene(made, barrage(made))) if "fire " in words or "Enter" in words]


def test_the_arrow_keys_belong_to_the_field_that_is_typed_in() -> None:
    scene = StartScene("Anne", 1.2, SWITCHES, lambda _: None, nothing)
    for event in (
        *(key(pygame.K_TAB),) * 5,
        *(key(pygame.K_LEFT),) * 2,
        key(pygame.K_BACKSPACE),
        text("ni"),
        key(pygame.K_DELETE),
        key(pygame.K_HOME),
        text("St. "),
        key(pygame.K_RIGHT),
        key(pygame.K_END),
        key(pygame.K_RIGHT),
        text("a"),
    ):
        scene.handle(event)
        draw(scene, (640, 480))

    assert scene.name.text == "St. Aniea"


def test_the_arrow_keys_do_not_aim_while_one_types(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 1000)
    stage.until(lambda: stage.shows(PlacingScene))
    stage.press(pygame.K_SPACE, pygame.K_RETURN)
    stage.until(lambda: stage.shows(BattleScene))
    stage.press(pygame.K_TAB)
    stage.write("ahoy")

    stage.press(pygame.K_LEFT, pygame.K_LEFT, pygame.K_BACKSPACE, pygame.K_UP)

    scene, chat = stage.app._scene, stage.app._chat.field
    assert isinstance(scene, BattleScene)
    assert chat is not None
    assert (scene._cursor, chat.text) == (None, "aoy")


def test_a_game_that_is_over_can_be_seen_again(stage: Stage) -> None:
    stage.sea.enter_bot("Bob", 1000)
    stage.until(lambda: stage.shows(PlacingScene))
    stage.press(pygame.K_SPACE, pygame.K_RETURN)
    stage.until(lambda: stage.shows(BattleScene))
    stage.sea.bots[0].session.leave()
    stage.until(lambda: stage.shows(EndingScene))
    stage.press(pygame.K_r)
    stage.until(lambda: stage.shows(ReplayScene))

    stage.press(pygame.K_ESCAPE)

    stage.until(lambda: stage.shows(EndingScene))
    assert stage.app.running


def test_a_replay_runs_stops_and_goes_back() -> None:
    scene = ReplayScene(firing(200), nothing)
    for step in range(4):
        draw(scene, now=20 + step * (PACE + 0.01))
    assert scene._shown == len(scene._barrage.shells) == 3
    scene.handle(key(pygame.K_SPACE))
    draw(scene, now=40)
    assert scene._shown == 3
    scene.handle(key(pygame.K_LEFT))
    scene.handle(key(pygame.K_LEFT))
    draw(scene, now=41)
    assert [shell.fired for shell in scene._barrage.shells] == [*firing(200).log][:1]
    for _ in range(5):
        scene.handle(key(pygame.K_LEFT))
    draw(scene, now=42)
    assert (scene._shown, scene._barrage.shells) == (0, [])
    assert "Go on" in read(scene, now=42)
    for _ in range(300):
        scene.handle(key(pygame.K_RIGHT))

    assert "From the start" in read(scene, now=43)

    assert scene._shown == len(firing(200).log)
    scene.handle(key(pygame.K_SPACE))
    assert "Pause" in read(scene, now=44)
    assert scene._shown == 0


def test_what_a_friend_types_is_an_address_of_ours_and_never_every_one() -> None:
    host, port = netcode.read_address(own_address(8000), 7777)

    assert port == 8000
    assert host.count(".") == 3
    assert host != "0.0.0.0"


@pytest.mark.parametrize("name", SOUNDS)
def test_each_sound_is_one_and_too_loud_nowhere(name: str) -> None:
    made = samples(name)

    assert len(made) == round(SOUNDS[name][0] * RATE)
    assert 0.9 * LOUD * 32767 < max(map(abs, made)) <= LOUD * 32767
    assert abs(made[-1]) < 300


def test_sounds_are_made_when_they_are_first_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    sounds = Sounds(on=False)
    sounds.play("fire")
    assert sounds._made == {}
    sounds.on = True
    sounds.play("fire")
    first = sounds._made["fire"]
    sounds.play("fire")

    assert sounds._made == {"fire": first}


def test_without_anything_to_play_sounds_on_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "no such driver")
    sounds = Sounds()
    sounds.play("fire")

    assert (sounds.possible, sounds._made) == (False, {})


@pytest.mark.parametrize(
    ("screen", "size"), [((1024, 600), (1024, 600)), ((1920, 1080), SIZE), ((480, 800), (480, 720))]
)
def test_the_window_is_no_larger_than_the_screen_and_has_its_size_again_after_filling_it(
    screen: tuple[int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[int, int]] = []
    monkeypatch.setattr(pygame.display, "get_desktop_sizes", lambda: [screen])

    def set_mode(wanted: tuple[int, int], _flags: int) -> None:
        opened.append(wanted)

    monkeypatch.setattr(pygame.display, "set_mode", set_mode)
    monkeypatch.setattr(pygame.display, "get_window_size", lambda: (801, 502))  # somebody has made it smaller
    window = Window()
    window.switch()
    window.switch()

    assert opened == [size, (0, 0), (801, 502)]


def test_nothing_is_drawn_while_the_window_is_minimised_and_held_keys_count_once_but_for_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames, drawn, heard = [0], [0], list[tuple[int, int]]()

    def get() -> list[pygame.event.Event]:
        frames[0] += 1
        keys = [pygame.K_F2, pygame.K_BACKSPACE]
        events = [pygame.event.Event(pygame.KEYDOWN, key=key, unicode="") for key in keys for _ in range(3)]
        events += [pygame.event.Event(pygame.KEYUP, key=key) for key in keys]
        return [pygame.event.Event(pygame.QUIT)] if frames[0] == 5 else events

    def handle(app: App, event: pygame.event.Event) -> None:
        if event.type == pygame.KEYDOWN:
            heard.append((frames[0], event.key))
        app.running = event.type != pygame.QUIT

    def flip() -> None:
        drawn[0] += 1

    monkeypatch.setattr(pygame.event, "get", get)
    monkeypatch.setattr(App, "handle", handle)
    monkeypatch.setattr(pygame.display, "flip", flip)
    monkeypatch.setattr(pygame.display, "get_active", lambda: frames[0] > 3)

    play("Ann", sound=False)

    assert drawn == [2]
    assert heard == [(frame, key) for frame in range(1, 5) for key in [pygame.K_F2, *[pygame.K_BACKSPACE] * 3]]
