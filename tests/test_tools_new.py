"""A game of one's own, written by a tool: it runs at once, its tests pass, and its windows show a game."""

import argparse
import os
import runpy
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from programs import DEADLINE, ROOT, Start

from benchmarks.ports import free_port
from netcode.__main__ import main
from netcode.tools import new
from netcode.tools.new import TEMPLATES, add_arguments, class_name

FILES = ["README.md", "client.py", "rules.py", "server.py", "test_game.py"]

WATCHED = """
import sys
import pygame
sys.path.insert(0, sys.argv[1])

class Font:
    '''Tells what is written into the window, and refuses what pygame's own refuses.'''
    told, own = set(), pygame.font.Font

    def __init__(self, *arguments):
        self.size = 20

    def render(self, text, *arguments):
        if text not in Font.told:
            Font.told.add(text)
            print(text)
            Font.own(None, 20).render(text, True, "white")
        return pygame.Surface((10, 10))

frames = [0]
real = pygame.event.get

def get():
    # Somebody clicks on the third line, again and again, and closes the window in the end.
    frames[0] += 1
    click = pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(40, 70), button=1)
    return [*real(), *([click] if frames[0] % 20 == 0 else []), *([pygame.event.Event(pygame.QUIT)] if CLOSES() else [])]

def CLOSES():
    over = any(text.startswith(("you have won", "you have lost")) for text in Font.told)
    coin = Font.told & {"Ann: 1", "Bob: 1"} and {text[:4] for text in Font.told} >= {"Ann:", "Bob:"}
    return over or bool(coin) or frames[0] > 1500

class Held(dict):
    def __missing__(self, key):
        return key in (pygame.K_LEFT, pygame.K_UP)

pygame.font.Font = Font
pygame.event.get = get
pygame.key.get_pressed = Held
import client
client.main("127.0.0.1", int(sys.argv[2]), sys.argv[3])
"""
"""A client of such a game, with somebody at its window who plays: left and up, where the coin is."""


def write(folder: Path, *options: str) -> Path:
    assert main(["new", str(folder), *options]) == 0
    return folder


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder of a game, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=2 * DEADLINE,
        check=False,
    )


def activate(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    """Have a terminal find this where somebody types `python`."""

    def which(name: str) -> str | None:
        return found

    monkeypatch.setattr(shutil, "which", which)


@pytest.mark.parametrize("options", [[], ["--turns"]], ids=["real time", "turns"])
def test_it_writes_a_game_and_says_how_to_start_it(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    activate(monkeypatch, sys.executable)
    folder = write(tmp_path / "games" / "my-duel", *options)

    assert sorted(path.name for path in folder.iterdir()) == FILES
    texts = [path.read_text(encoding="utf-8") for path in folder.iterdir()]
    assert not any("@NAME@" in text or "@CLASS@" in text for text in texts)
    assert all("my-duel" in text for text in texts)
    # As formatters and linters want it: what is one's own apart from what is installed.
    assert sum("\n\nfrom rules import " in text for text in texts) == 3
    said = capsys.readouterr().out
    assert f"    cd {folder}\n    python server.py\n" in said


@pytest.mark.parametrize("found", [None, str(Path("usr", "bin", "python").absolute())], ids=["none", "another"])
@pytest.mark.parametrize("folder", ["netcode", "Ann's games"])
def test_it_names_its_own_python_where_that_is_not_what_a_terminal_finds(
    found: str | None, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = str(tmp_path / folder / "bin" / "python")
    activate(monkeypatch, found)
    monkeypatch.setattr(sys, "executable", mine)

    write(tmp_path / "duel")

    typed = f'"{mine}"' if " " in mine else mine
    said = capsys.readouterr().out
    assert f"    {typed} server.py\n    {typed} client.py localhost 7777 Ann\n" in said


@pytest.mark.parametrize("is_there", [True, False])
def test_it_says_what_the_windows_need(
    is_there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> object:
        return is_there or None

    monkeypatch.setattr(new, "find_spec", find)
    write(tmp_path / "duel")

    said = capsys.readouterr().out
    assert ('-m pip install "netcode[pygame]"' in said) is not is_there


@pytest.mark.process
@pytest.mark.parametrize("options", [[], ["--turns"]], ids=["real time", "turns"])
def test_the_tests_of_the_game_pass(options: list[str], tmp_path: Path) -> None:
    folder = write(tmp_path / "duel", *options)

    tested = run_in(folder, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "passed" in tested.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "told"), [([], ["Ann: [01]", "Bob: [01]"]), (["--turns"], ["15 sticks: |||||||||||||||", "your turn"])]
)
def test_its_server_and_two_windows_play(options: list[str], told: list[str], start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel", *options)
    server = start("-c", SERVED, folder, tmp_path)
    port = server.until(r"duel is open on port (\d+)")[1]
    environment = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}

    ann, bob = (
        start("-c", WATCHED, folder, port, name, environment=environment, folder=tmp_path) for name in ("Ann", "Bob")
    )

    for text in told:
        ann.until(f"(?m)^{text.replace('|', '.')}$")
    outcome = r"you have (won|lost)" if options else r"(Ann|Bob): 1\n"
    ann.until(outcome)
    bob.until(outcome)
    assert (ann.status(), bob.status()) == (0, 0)
    assert "Traceback" not in server.output + ann.output + bob.output


@pytest.mark.process
def test_its_window_says_that_the_link_broke(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel")
    server = start("-c", SERVED, folder, tmp_path)
    port = server.until(r"duel is open on port (\d+)")[1]
    closing = WATCHED.replace("over or bool(coin)", "any('way back' in text for text in Font.told)")
    ann = start("-c", closing, folder, port, "Ann", environment={"SDL_VIDEODRIVER": "dummy"}, folder=tmp_path)
    ann.until("Ann: 0")

    server.stop()

    ann.until("; looking for the way back")
    assert ann.status() == 0
    assert "Traceback" not in ann.output


THREE = """
from netcode.turns import Game, move

class Duel(Game):
    seats = 2, 4
    sticks: int = 1

    @move
    def take(self) -> None:
        self.tell("gone", to=self.mover)
        self.finish(self.ask(self.after(self.mover), [0, 1, 2], "who shall win?"), text="as you like it")
"""


@pytest.mark.process
def test_its_window_carries_a_game_for_more_who_are_asked_and_told(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel", "--turns")
    (folder / "rules.py").write_text(THREE, encoding="utf-8")
    server = start("-c", SERVED, folder, tmp_path)
    port = server.until(r"duel is open on port (\d+)")[1]
    environment = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    # Of three, who came last sees the names of all, and `begin` below them; the others do not click.
    waiting = WATCHED.replace("frames[0] % 20 == 0", "'1 sticks: |' in Font.told and frames[0] % 20 == 0")
    last = WATCHED.replace("pos=(40, 70)", "pos=(40, 70 if '1 sticks: |' in Font.told else 130)")
    windows = [
        start("-c", waiting, folder, port, name, environment=environment, folder=tmp_path) for name in ("Ann", "Bob")
    ]
    for window in windows:
        window.until("begin")
    unseen = "\ufe0f"  # a name that may be printed, and has no width
    windows.append(start("-c", last, folder, port, unseen, environment=environment, folder=tmp_path))

    for window in windows:
        window.until("you have (won|lost): as you like it")
        assert window.status() == 0
    output = "".join(window.output for window in windows)
    for text in ("Ann to move", "who shall win?", "gone", f"- {unseen}"):
        assert f"{text}\n" in output
    assert "Traceback" not in server.output + output


@pytest.mark.process
def test_a_window_that_is_closed_in_the_middle_of_a_game_finds_its_seat_again(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel", "--turns")
    server = start("-c", SERVED, folder, tmp_path)
    port = server.until(r"duel is open on port (\d+)")[1]
    environment = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    closing = WATCHED.replace("frames[0] % 20 == 0", "False").replace("over or bool(coin)", "'your turn' in Font.told")
    ann = start("-c", closing, folder, port, "Ann/?", environment=environment, folder=tmp_path)
    ann.until("waiting for somebody")
    bob = start("-c", WATCHED, folder, port, "Bob", environment=environment, folder=tmp_path)
    bob.until(r"Ann/\? is away; the seat is kept")
    assert ann.status() == 0

    again = start("-c", WATCHED, folder, port, "Ann/?", environment=environment, folder=tmp_path)

    again.until("you have (won|lost)")
    bob.until("you have (won|lost)")
    assert (again.status(), bob.status()) == (0, 0)
    assert "Traceback" not in server.output + ann.output + bob.output + again.output


@pytest.mark.process
@pytest.mark.parametrize("options", [[], ["--turns"]], ids=["real time", "turns"])
def test_a_port_that_is_taken_or_none_is_told_in_a_line(options: list[str], tmp_path: Path) -> None:
    folder = write(tmp_path / "duel", *options)
    with socket.create_server(("", 0)) as taken:
        said = [run_in(folder, "server.py", port).stderr for port in (str(taken.getsockname()[1]), "abc")]

    assert "the port is taken; is another server running on it?" in said[0]
    assert "argument port: invalid int value: 'abc'" in said[1]
    assert "Traceback" not in "".join(said)


def run_here(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    """Run a program of the present folder in this process, in which its `rules` are those of no other test."""
    with monkeypatch.context() as there:
        there.setattr(sys, "argv", [*typed])
        there.setattr(sys, "path", [str(Path.cwd()), *sys.path])
        there.delitem(sys.modules, "rules", raising=False)
        try:
            runpy.run_path(typed[0], run_name="__main__")
        finally:
            sys.modules.pop("rules", None)


@pytest.mark.parametrize("options", [[], ["--turns"]], ids=["real time", "turns"])
def test_what_is_no_address_and_ctrl_c_end_the_window_without_a_traceback(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pygame = pytest.importorskip("pygame")
    began: list[int] = []

    def interrupt() -> None:
        began.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(pygame, "init", interrupt)
    monkeypatch.chdir(write(tmp_path / "duel", *options))
    run_here(monkeypatch, "client.py")
    with pytest.raises(SystemExit):
        run_here(monkeypatch, "client.py", "a b")
    with pytest.raises(SystemExit) as ended:
        run_here(monkeypatch, "server.py", "99999")

    assert began == [1]
    said = capsys.readouterr().err
    assert "host must be a name or an address without blanks, not 'a b'" in said
    assert "port must be from 0 to 65535, not 99999" in f"{said}{ended.value.code}"


@pytest.mark.parametrize(("options", "fails"), [([], "Server.ticks"), (["--turns"], "turns.serve")])
def test_an_error_of_ones_own_in_a_server_is_no_sentence_of_the_librarys(
    options: list[str], fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        int("nothing")

    monkeypatch.setattr(f"netcode.{fails}", fail)
    monkeypatch.chdir(write(tmp_path / "duel", *options))

    with pytest.raises(ValueError, match="invalid literal for int"):
        run_here(monkeypatch, "server.py", "0")


STRANGE = """
import netcode
with netcode.Server("127.0.0.1", 0, game="go") as server:
    print("port", server.address.port)
    for tick in server.ticks(60):
        server.events()
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "told"), [([], "the server runs go, this is duel"), (["--turns"], "is of another kind, with no tables")]
)
def test_its_window_says_why_there_is_no_game_until_a_key_is_pressed(
    options: list[str], told: str, start: Start, tmp_path: Path
) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel", *options)
    port = start("-c", STRANGE).until(r"port (\d+)")[1]
    pressing = "frames[0] += 100 * ('press a key' in Font.told)"  # it counts to 1,500, and then the window is closed
    watched = WATCHED.replace("frames[0] += 1\n", f"frames[0] += 1\n    {pressing}\n", 1)

    window = start("-c", watched, folder, port, "Ann", environment={"SDL_VIDEODRIVER": "dummy"})

    window.until("press a key")
    assert told in " ".join(window.output.split())
    assert window.status() == 0


@pytest.mark.process
def test_the_key_of_a_seat_outlives_a_server_that_does_not_answer(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    folder = write(tmp_path / "duel", "--turns")
    kept = tmp_path / "Ann.seat"
    kept.write_text("c0ffee.key")
    pressing = "frames[0] += 100 * ('press a key' in Font.told)"
    watched = WATCHED.replace("frames[0] += 1\n", f"frames[0] += 1\n    {pressing}\n", 1)
    environment = {"SDL_VIDEODRIVER": "dummy"}

    window = start("-c", watched, folder, free_port(), "Ann", environment=environment, folder=tmp_path)

    window.until("nothing is listening on")
    assert window.status() == 0
    assert kept.read_text() == "c0ffee.key"
    assert "Traceback" not in window.output


SERVED = """
import os, runpy, sys
folder, place = sys.argv[1:]
os.chdir(place)
sys.path.insert(0, folder)
sys.argv[1:] = ["0"]
runpy.run_path(os.path.join(folder, "server.py"), run_name="__main__")
"""


def test_what_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "occupied"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")

    assert main(["new", str(folder)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["", "..", "1st", "a b", "a.b", "é", "x" * 41])
def test_a_name_is_one_for_a_folder_a_class_and_a_game(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    with pytest.raises(SystemExit):
        parser.parse_args([name])

    assert "is no name for a game" in capsys.readouterr().err


def test_a_game_without_a_name_is_asked_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["new"])

    assert capsys.readouterr().err.endswith("the following arguments are required: NAME\n")


@pytest.mark.parametrize("option", [[], ["--turns"]])
def test_two_words_are_joined_in_what_it_says_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    assert main(["new", *option, f"{tmp_path / 'my'}", "card", "game"]) == 2

    said = f"the name of a game is one word: python -m netcode new {tmp_path / 'my-card-game'}\n"
    assert capsys.readouterr().err.endswith(said)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("duel", "Duel"),
        ("my-game_2", "MyGame2"),
        ("none", "NoneGame"),
        ("game", "GameGame"),
        ("myOwn", "MyOwn"),
        ("test", "MyTest"),
    ],
)
def test_a_class_is_called_as_the_game(name: str, kind: str) -> None:
    assert class_name(name) == kind


def test_no_class_is_called_as_something_else_in_the_files() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (TEMPLATES / "turns").iterdir()]
    imports = [
        line.partition(" import ")[2] for text in texts for line in text.splitlines() if line.startswith("from ")
    ]
    names = {name.strip() for names in imports for name in names.split(",") if name.strip().istitle()}

    assert {"Path", "Seat"} <= names
    assert {class_name(name.lower()) for name in names} == {f"{name}Game" for name in names}


def test_templates_are_no_modules_of_the_package() -> None:
    assert {path.suffix for path in TEMPLATES.rglob("*") if path.is_file()} == {".txt"}
