"""What the link does, in a corner of the window."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from quiet_pygame import pygame
from scene import Scene

from netcode.pygame import Overlay
from netcode.pygame.overlay import fit


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    pygame.display.set_mode((300, 200))
    scene = Scene(latency=0.02)
    yield scene
    scene.close()
    pygame.quit()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> defaultdict[int, bool]:
    """Which keys are held."""
    held: defaultdict[int, bool] = defaultdict(bool)
    monkeypatch.setattr(pygame.key, "get_pressed", lambda: held)
    return held


def is_drawn(overlay: Overlay) -> bool:
    """Draw a frame, and tell whether anything is on it."""
    surface = pygame.Surface((300, 200))
    overlay.draw(surface)
    return pygame.mask.from_threshold(surface, (235, 240, 245), (60, 60, 60)).count() > 20


def test_one_key_shows_and_hides_it(scene: Scene, keys: defaultdict[int, bool]) -> None:
    scene.serve()
    overlay = Overlay(scene.join())

    seen: list[bool] = []
    for held in (False, True, True, False, True, False):
        keys[pygame.K_F3] = held
        seen.append(is_drawn(overlay))

    assert seen == [False, True, True, True, False, False]


def test_a_game_may_have_another_key_or_none(scene: Scene, keys: defaultdict[int, bool]) -> None:
    scene.serve()
    client = scene.join()
    other, none = Overlay(client, key=pygame.K_TAB), Overlay(client, key=None, visible=True)

    keys[pygame.K_TAB] = True
    keys[pygame.K_F3] = True

    assert (is_drawn(other), is_drawn(none)) == (True, True)


def test_it_says_how_far_the_server_is_and_how_much_goes_each_way(scene: Scene, keys: defaultdict[int, bool]) -> None:
    server = scene.serve()
    client = scene.join()
    overlay = Overlay(client, clock=scene.clock)
    for _ in range(50):
        is_drawn(overlay)
        client.send(b"x" * 94)
        server.broadcast(b"x" * 2000)
        scene.play(0.1)

    trip, traffic = overlay.lines()[1:]

    assert overlay.lines()[0] == "player 1"
    assert trip.startswith("round trip 6")
    assert trip.endswith(" ms")
    assert traffic.startswith("in 20.")
    assert traffic.endswith("out 1.0 kB/s")


def test_before_it_is_in_and_after_it_is_over_it_says_so(scene: Scene, keys: defaultdict[int, bool]) -> None:
    server = scene.serve()
    client = scene.client()
    overlay = Overlay(client, visible=True)
    lines = [overlay.lines()]
    is_drawn(overlay)
    scene.play(0.5)
    lines.append(overlay.lines())

    server.close_nicely("good night \x1b " + "x" * 100)
    scene.play(1.0)
    lines.append(overlay.lines())

    assert lines[0] == ["connecting"]
    assert lines[1][2] == "in 0 B/s, out 0 B/s"
    assert lines[2][0].startswith(r"over: good night \x1b xxx")
    assert len(lines[2][0]) == 60


def test_why_it_is_over_is_whole_and_cut_between_words(scene: Scene, keys: defaultdict[int, bool]) -> None:
    server = scene.serve()
    client = scene.join()
    overlay = Overlay(client, visible=True)
    words = "the harbour is closed for the night because of the storm, so come again tomorrow"
    server.close_nicely(words)
    scene.play(1.0)

    lines = overlay.lines()

    assert len(lines) == 2
    assert " ".join(lines).startswith(f"over: {words}")
    assert all(len(line) <= 60 for line in lines)


def test_a_part_of_a_goodbye_of_which_nothing_is_seen_ends_no_game(scene: Scene, keys: defaultdict[int, bool]) -> None:
    server = scene.serve()
    client = scene.join()
    overlay = Overlay(client, visible=True)
    server.close_nicely(f"{'x' * 54} \ufe0f")
    scene.play(1.0)

    is_drawn(overlay)

    assert overlay.lines()[-1] == "\ufe0f"


def test_a_line_that_is_wider_than_the_window_goes_on_below(scene: Scene, keys: defaultdict[int, bool]) -> None:
    pygame.font.init()
    font = pygame.font.Font(None, 18)

    parts = fit("nothing is listening on localhost:7777", font, 100)

    assert " ".join(parts) == "nothing is listening on localhost:7777"
    assert len(parts) > 2
    assert all(font.size(part)[0] <= 100 for part in parts)
    assert fit("round trip", font, 1) == [*"roundtrip"]


def test_it_says_for_how_long_a_server_that_hangs_was_not_heard(scene: Scene, keys: defaultdict[int, bool]) -> None:
    server = scene.serve()
    client = scene.join()
    overlay = Overlay(client)
    scene.play(3.0)
    before = overlay.lines()
    scene.frozen.add(server)
    scene.play(4.0)
    frozen = overlay.lines()
    scene.frozen.clear()
    scene.play(1.0)

    assert not any("heard" in line for line in before)
    assert frozen[-1] == "nothing heard for 4 s"
    assert overlay.lines()[:1] == before[:1]
    assert not any("heard" in line for line in overlay.lines())


def test_where_pings_are_rare_a_silence_between_two_is_none(scene: Scene, keys: defaultdict[int, bool]) -> None:
    rare: Any = {"ping_interval": 6.0, "timeout": 30.0}
    scene.serve(**rare)
    overlay = Overlay(scene.join(**rare))
    heard = list[str]()
    for _ in range(20):
        scene.play(1.0)
        heard += [line for line in overlay.lines() if "heard" in line]

    assert heard == []


def test_a_keyword_that_it_does_not_take_is_told(scene: Scene) -> None:
    wrong: Any = {"sise": 20}
    with pytest.raises(
        TypeError, match=r"^Overlay\(\) got an unexpected keyword argument 'sise'; did you mean size\?$"
    ):
        Overlay(scene.client(), **wrong)


def test_while_away_it_says_what_waits(scene: Scene, keys: defaultdict[int, bool]) -> None:
    scene.serve()
    client = scene.join()
    overlay = Overlay(client)
    scene.network.down = True
    scene.network.cut()
    scene.play(0.2)
    client.send("one")
    client.send("two")

    lines = overlay.lines()

    assert lines[0] == "away: coming back"
    assert lines[1] == "round trip ?, jitter ?"
    assert lines[-1] == "2 messages wait"


def test_it_says_what_the_network_does_not_take(scene: Scene, keys: defaultdict[int, bool]) -> None:
    scene.serve()
    client = scene.join()
    overlay = Overlay(client)
    scene.network.rate = 1000.0
    for _ in range(4):
        client.send(b"x" * 60_000)
    scene.play(0.5)

    assert overlay.lines()[-1].startswith("waits 1")


def test_it_lives_on_when_pygame_was_quit_and_begun_again(scene: Scene, keys: defaultdict[int, bool]) -> None:
    scene.serve()
    overlay = Overlay(scene.join(), visible=True)
    seen = [is_drawn(overlay)]
    pygame.font.quit()
    scene.play(2.0)
    seen.append(is_drawn(overlay))
    pygame.font.quit()
    pygame.font.init()  # a font from before would end the process
    scene.play(2.0)
    seen.append(is_drawn(overlay))

    assert seen == [True, True, True]


def test_it_draws_on_a_surface_where_there_is_no_display(scene: Scene) -> None:
    scene.serve()
    overlay = Overlay(scene.join(), visible=True)
    pygame.quit()

    assert is_drawn(overlay)


def test_nothing_is_written_anew_that_has_not_changed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.serve()
    overlay = Overlay(scene.join(), key=None, visible=True)
    is_drawn(overlay)
    monkeypatch.delattr(pygame.font, "Font")

    assert is_drawn(overlay)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"key": "F3"}, r"key must be a key such as pygame\.K_F3, or None, not str"),
        ({"key": True}, r"key must be a key such as pygame\.K_F3, or None, not bool"),
        ({"size": 0}, "size must be above 0 and finite, not 0"),
        ({"size": "18"}, "size must be an int, not str"),
    ],
)
def test_what_cannot_be_shown_is_told_at_the_call(scene: Scene, options: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{says}$"):
        Overlay(scene.client(), **options)


def test_whose_link_it_shows_is_a_client(scene: Scene) -> None:
    server: Any = scene.serve()
    with pytest.raises(TypeError, match=r"^expected a netcode\.Client, not Server$"):
        Overlay(server)
