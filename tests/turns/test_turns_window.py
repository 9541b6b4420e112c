"""The window of the examples plays both of its games by clicking, against one from the kit, and is forty lines."""

import pytest
from bounds import until
from programs import ROOT, Start

from netcode.turns.client import join
from netcode.turns.server import Server
from netcode.turns.terminal.game_file import load_game

pytest.importorskip("pygame")

FOLDER = ROOT / "examples" / "turns"
CLICKER = """
import itertools, runpy, sys, pygame
places = itertools.cycle([(50 + 100 * x, 50 + 100 * y) for y in range(3) for x in range(across)])
frames = itertools.count()
def get():
    if next(frames) % 3:
        return []
    return [pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=next(places), button=1)]
pygame.event.get = get
sys.path.insert(0, folder)
runpy.run_path(folder + "/window.py", run_name="__main__")
"""


def test_the_window_has_forty_lines_at_most() -> None:
    assert len((FOLDER / "window.py").read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.process
@pytest.mark.parametrize(("name", "across"), [("tictactoe", 3), ("connect_four", 7)])
def test_a_game_is_played_by_clicking(start: Start, name: str, across: int) -> None:
    game = load_game(str(FOLDER / f"{name}.py"))
    with Server(game, host="127.0.0.1", port=0, on_thread=False, moves_per_second=1000) as server:
        script = f"across, folder = {across}, {str(FOLDER)!r}\n{CLICKER}"
        port = server.address.port
        no_screen = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
        window = start("-W", "ignore", "-c", script, name, "127.0.0.1", port, environment=no_screen)
        with join(server.address, game, legal=True) as other:
            for _ in until(lambda: other.over):
                server.wait(0.005)
                server.update()
                other.update()
                if other.my_turn and other.pending is None and other.legal:
                    other.play(other.legal[-1])

            assert other.result is not None
            for _ in until(lambda: "Over(result=Result(winners=" in window.output or not window.is_running()):
                server.wait(0.005)
                server.update()
        window.until(r"Over\(result=Result\(winners=")
        assert "Traceback" not in window.output
