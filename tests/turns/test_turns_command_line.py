"""`python -m netcode.turns` as people use it: real programs that play, are closed, and find their seats again."""

import argparse
import contextlib
import importlib
import io
import math
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate
from programs import DEADLINE, ROOT, Program, Start

import netcode.turns.__main__ as command_line
from benchmarks.ports import free_port
from netcode import Certificate
from netcode.turns import Game, Lost, Play, Presence, check, join, move, options
from netcode.turns.__main__ import main
from netcode.turns.proving import twin
from netcode.turns.seat import Seat
from netcode.turns.server import Server
from netcode.turns.store import Entry, NewTable
from netcode.turns.store.sqlite import SqliteStore
from netcode.turns.table import Step, Table
from netcode.turns.terminal.arguments import addresses_of, make_parser, options_of
from netcode.turns.terminal.game_file import Trouble, load_game, path_of
from netcode.turns.values import pack

TWELVE_LINES = (ROOT / "examples" / "turns" / "tictactoe.py").read_text(encoding="utf-8")

PICKY = """\
from netcode.turns import Free, Game, move


class Picky(Game):
    @move
    def go(self):
        self.ask(self.mover, Free(str, lambda dice: "no", lambda text: f"{text} is not the word"), "the word?")
"""


@pytest.fixture
def game(tmp_path: Path) -> Path:
    path = tmp_path / "game" / "tictactoe.py"
    path.parent.mkdir()
    path.write_text(TWELVE_LINES, encoding="utf-8")
    return path


@pytest.mark.process
def test_a_person_plays_a_friend_in_the_terminal(start: Start, game: Path) -> None:
    program = start("-m", "netcode.turns", "play", game)
    for line in ("mark 0", "mark 3", "mark 1", "mark 4", "mark 2"):
        program.say(line)

    program.until("player 1 won")
    assert program.status() == 0


@pytest.mark.process
def test_a_person_plays_a_bot_and_ctrl_c_ends_nicely(start: Start, game: Path) -> None:
    program = start("-m", "netcode.turns", "play", game, "--bots", 1, "--name", "Ann")
    program.until("Ann to move")
    program.say("mark 4")
    program.until("bot 1 moved: mark")

    while program.is_running():
        program.interrupt()  # again where the first came in the very moment before it waits for a line: Python misses that
        with contextlib.suppress(AssertionError):
            program.status(5.0)

    assert program.status() == 130
    assert "Traceback" not in program.output


@pytest.mark.process
def test_two_windows_and_a_server_are_killed_and_go_on(start: Start, game: Path, tmp_path: Path) -> None:
    def serve(port: str) -> tuple[Program, str]:
        program = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", port)
        return program, program.until(r"served on port (\d+)")[1]

    server, port = serve(str(free_port()))
    at = ("-m", "netcode.turns", "play", game, "--at", f"127.0.0.1:{port}", "--room", "ours")
    ann = start(*at, "--name", "Ann")
    ann.until("you sit at seat 0")
    bob = start(*at, "--name", "Bob")
    ann.until("your turn")
    ann.say("mark 4")
    bob.until("your turn")
    server.stop()
    bob.stop()
    serve(port)
    ann.until("back at the table")

    bob = start(*at, "--name", "Bob")
    bob.until("your turn")
    assert "you sit at seat 1" in bob.output
    bob.say("mark 0")
    ann.until("(?s)Bob moved: mark.*your turn")
    watcher = start("-m", "netcode.turns", "watch", game, "--at", f"127.0.0.1:{port}", "--room", "ours")
    watcher.until("you look on")
    ann.say("/leave")
    bob.until("Bob won")
    ann.until("you left the table")


@pytest.mark.process
def test_two_terminals_of_nobody_with_a_name_play_each_other(start: Start, game: Path) -> None:
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0, "--store", "memory")
    port = server.until(r"served on port (\d+)")[1]
    at = "-m", "netcode.turns", "play", game, "--at", f"127.0.0.1:{port}"
    first = start(*at)
    first.until("you sit at seat 0")

    second = start(*at)

    second.until("the game begins")
    first.until("the game begins")


@pytest.mark.process
def test_bots_play_each_other_and_the_game_is_replayed(start: Start, game: Path) -> None:
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)
    port = server.until(r"served on port (\d+), and kept in \S*tictactoe.db")[1]
    bots = [start("-m", "netcode.turns", "bot", game, "--at", f"127.0.0.1:{port}") for _ in range(2)]
    for bot in bots:
        bot.until("over: ")
    server.interrupt()
    server.until("the tables are stored")

    listing = start("-m", "netcode.turns", "replay", game, game.with_suffix(".db"))
    table = listing.until(r"([0-9a-f]+)  \d+ entries")[1]
    replay = start("-m", "netcode.turns", "replay", game, game.with_suffix(".db"), table)

    replay.until(r"(?s)0: bot to move.*: over.*that was bot, bot 2")


@pytest.mark.process
def test_nobody_waits_for_another_game_with_a_bot_that_has_ended(start: Start, game: Path) -> None:
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)
    port = int(server.until(r"served on port (\d+)")[1])
    told: list[tuple[int | None, str]] = []
    deadline = time.monotonic() + DEADLINE

    ann: Seat[Any] = join(("127.0.0.1", port), "TicTacToe", name="Ann")
    with ann:
        bot = start("-m", "netcode.turns", "bot", game, "--at", f"127.0.0.1:{port}", "--think", 0)
        while (1, "left") not in told:
            assert time.monotonic() < deadline, told
            ann.wait(0.05)
            ann.update()
            told += [(event.seat, event.state) for event in ann.events() if isinstance(event, Presence)]
            if ann.my_turn and ann.pending is None and ann.legal:
                ann.play(ann.legal[0])

    assert ann.over
    assert bot.status() == 0
    assert "over: " in bot.output


@pytest.mark.process
def test_where_no_table_is_stored_the_replay_says_so(start: Start, game: Path) -> None:
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)
    server.until("served on port")
    server.interrupt()
    server.until("the tables are stored")

    listing = start("-m", "netcode.turns", "replay", game, game.with_suffix(".db"))

    listing.until(r"tictactoe\.db has no tables of TicTacToe")
    assert listing.status() == 0


@pytest.mark.process
def test_a_bot_that_finds_nothing_to_answer_says_so(start: Start, game: Path) -> None:
    game.write_text(PICKY, encoding="utf-8")
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)
    port = server.until(r"served on port (\d+)")[1]

    # Fifty tries, a tenth of a second apart, are those of test_turns_bots_network.py.
    soon = (
        "from netcode.turns.terminal import bot_play; bot_play.MAX_REFUSED = 3; from netcode.turns.__main__ import main"
    )
    words = ("bot", game, "--at", f"127.0.0.1:{port}", "--think", 0)
    bots = [start("-c", f"{soon}; raise SystemExit(main())", *words) for _ in range(2)]

    assert {bot.status() for bot in bots} == {0, 1}
    texts = sorted(bot.output.strip().rpartition("\n")[2] for bot in bots)
    assert texts[0] in ("over: bot 2 won: bot gave up", "over: bot won: bot 2 gave up")
    assert texts[1] == "the bot gives up its seat: the rules refused 3 tries, at last with: no is not the word"


@pytest.mark.parametrize("command", ["play", "bot"])
def test_the_help_says_how_a_bot_plays(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])

    text = " ".join(capsys.readouterr().out.split())
    assert "in worlds that might be" in text or "plays anything legal at random" in text
    assert "how long a bot thinks about a move (0.08); 0 plays at random" in text


def test_a_game_is_checked(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(game), "--games", "4", "--seconds", "60"]) == 0
    assert capsys.readouterr().out.startswith("TicTacToe: 4 games")

    stuck = "    def nothing(self):\n        return []\n\n    @move(cell=nothing"
    game.write_text(TWELVE_LINES.replace("    @move(cell=range(9)", stuck), encoding="utf-8")
    assert main(["check", str(game), "--games", "4"]) == 1
    assert "PROBLEM" in capsys.readouterr().out


def test_the_count_of_games_is_there_at_once_and_gone_before_the_report_also_where_the_time_was_over(
    game: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def yes(_: object) -> bool:
        return True

    monkeypatch.setattr("netcode.turns.terminal.check_command.is_terminal", yes)

    main(["check", str(game), "--seconds", "0"])

    said = capsys.readouterr().err
    assert said.startswith("\r0 of 200 games")
    assert said.endswith(f"\r{' ' * 40}\r")


def test_a_game_is_found_in_its_file_by_its_name_or_alone(tmp_path: Path) -> None:
    path = tmp_path / "several_of_them.py"
    path.write_text(TWELVE_LINES.replace("TicTacToe", "One"), encoding="utf-8")
    assert load_game(str(path)).__name__ == load_game(f"{path}:One").__name__ == "One"
    path.write_text(TWELVE_LINES + "\n\nclass Larger(TicTacToe):\n    pass\n", encoding="utf-8")
    assert load_game(str(path)).__name__ == "Larger"
    assert load_game(f"{path}:TicTacToe").__name__ == "TicTacToe"


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("ttt.py", "ttt.py"),
        ("ttt.py:Larger", "ttt.py"),
        ("a:b/ttt.py", "a:b/ttt.py"),
        ("a:b/ttt.py:Larger", "a:b/ttt.py"),
        (r"C:\games\ttt.py", r"C:\games\ttt.py"),
        (r"C:\games\ttt.py:Larger", r"C:\games\ttt.py"),
    ],
)
def test_a_colon_in_a_path_begins_no_class(where: str, path: str) -> None:
    assert path_of(where) == Path(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no file has a colon there")
def test_a_game_whose_path_has_a_colon_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a:b" / "ttt.py"
    path.parent.mkdir()
    path.write_text(TWELVE_LINES, encoding="utf-8")

    assert [load_game(f"{path}{name}").__name__ for name in ("", ":TicTacToe")] == ["TicTacToe"] * 2
    assert path_of(str(path)) == path


@pytest.mark.parametrize("name", ["sqlite3", "netcode", "__main__"])
def test_a_game_in_a_file_that_is_called_as_another_module_takes_its_place_from_nobody(
    tmp_path: Path, name: str
) -> None:
    path, known = tmp_path / f"{name}.py", importlib.import_module(name)
    path.write_text(TWELVE_LINES, encoding="utf-8")

    games = [load_game(str(path)) for _ in range(2)]

    assert (sys.modules[name], [game.__module__ for game in games]) == (known, [f"game_{name}"] * 2)


def test_a_game_may_import_what_its_file_is_called_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, installed = tmp_path / "boards_of_nine.py", tmp_path / "installed"
    installed.mkdir()
    (installed / path.name).write_text("SIZE = 9\n", encoding="utf-8")
    path.write_text(f"from boards_of_nine import SIZE\n{TWELVE_LINES}\n    size: int = SIZE\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(installed), *sys.path])
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "boards_of_nine", raising=False)

    assert load_game(str(path)).__dict__["size"] == 9


def test_a_game_in_the_folder_where_one_is_takes_the_place_of_no_other_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text(TWELVE_LINES, encoding="utf-8")
    (tmp_path / "beside_it.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])  # as `python -m` has it
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.delitem(sys.modules, "beside_it", raising=False)

    game = load_game(str(tmp_path / "colorsys.py"))

    assert game.__module__ == "game_colorsys"
    assert hasattr(importlib.import_module("colorsys"), "rgb_to_hsv")
    assert importlib.import_module("beside_it").__file__ == str(tmp_path / "beside_it.py")


def test_a_game_in_a_package_may_import_from_around_it_by_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / "box_of_games" / "small"
    part.mkdir(parents=True)
    for folder in (part.parent, part):
        (folder / "__init__.py").write_text("", encoding="utf-8")
    (part.parent / "sizes.py").write_text("SIZE = 9\n", encoding="utf-8")
    (part / "beside.py").write_text("from ..sizes import SIZE\n", encoding="utf-8")
    game = part / "game_of_dots.py"
    game.write_text(f"from .beside import SIZE\n{TWELVE_LINES}\n    size: int = SIZE\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])

    found = load_game(str(game))

    assert (found.__module__, found.__dict__["size"]) == ("box_of_games.small.game_of_dots", 9)
    assert load_game(f"{game}:TicTacToe") is found
    assert twin.load(found.__module__, str(game), found.__qualname__) is found
    game.write_text("from ....beside import SIZE\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, found.__module__)
    with pytest.raises(Trouble, match=r"game_of_dots\.py, line 1: ImportError: attempted relative import beyond top"):
        load_game(str(game))


def test_a_package_of_the_same_name_elsewhere_is_not_taken_for_that_of_a_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("here", "there"):
        package = tmp_path / folder / "two_of_a_name"
        package.mkdir(parents=True)
        for file in ("__init__.py", "game_of_dots.py"):
            (package / file).write_text("from . import __name__ as it\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "there"), *sys.path])

    with pytest.raises(Trouble, match="attempted relative import with no known parent package"):
        load_game(str(tmp_path / "here" / "two_of_a_name" / "game_of_dots.py"))


def test_a_file_has_the_game_that_it_imports_if_it_makes_none(tmp_path: Path) -> None:
    (tmp_path / "rules_of_three.py").write_text(
        f"from abc import ABC\n{TWELVE_LINES}\n\nclass Base(Game, ABC): ...\n", encoding="utf-8"
    )
    path = tmp_path / "main_of_three.py"
    path.write_text("from netcode.turns import Game\nfrom rules_of_three import Base, TicTacToe\n", encoding="utf-8")

    assert load_game(str(path)).__name__ == load_game(f"{path}:TicTacToe").__name__ == "TicTacToe"


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        ("class TicTacToe: ...", "", r"no game: no class made from Game, as in `class TicTacToe\(Game\): …`"),
        ("\n", "", ".py is empty; has it been saved?"),
        (TWELVE_LINES, ":Chess", "has no game called Chess; it has TicTacToe"),
        (
            TWELVE_LINES + "\n\nclass Other(Game):\n    mark = TicTacToe.mark\n    cells: list[int] = []\n",
            "",
            "some_game.py has the games TicTacToe and Other; say which, as in .*some_game.py:Other",
        ),
        ("import nowhere_to_be_found", "", "line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("\n\nint('play')\n", "", r"some_game.py, line 3: ValueError: invalid literal for int\(\)"),
        ("raise SystemExit('bye')", "", "some_game.py, line 1: SystemExit: bye"),
        ("x = '\0'", "", "some_game.py(, line 1)?: source code .*null bytes; save the file as UTF-8$"),
        ("nothing", "", "line 1: NameError: name 'nothing' is not defined"),
        ("def", "", r"some_game.py, line 1: invalid syntax: def"),
        ("x = 1\n\tif x:\n", "", r"some_game.py, line 2: unexpected indent: if x:"),
        ("from netcode import Game", "", "line 1: ImportError: .*; write `from netcode.turns import Game`"),
        ("from .cards import Deck", "", r"line 1: ImportError: .*; what lies beside .* `from cards import Deck`"),
        ("from netcode import Nothing", "", r"ImportError: cannot import name 'Nothing' [^;]*$"),
        (
            TWELVE_LINES + "\nfrom netcode.turns import serve\nserve(TicTacToe)\n",
            "",
            (
                r"some_game.py calls serve\(…\) while it is read for its game; put that, and what follows, below "
                '`if __name__ == "__main__":`'
            ),
        ),
        (TWELVE_LINES + "\nfrom netcode.turns import Server\nServer(TicTacToe, port=0)\n", "", r"turns.Server\(…\)"),
        (TWELVE_LINES + "\nfrom netcode.turns import join\njoin(('localhost', 1), TicTacToe)\n", "", r"join\(…\)"),
        (TWELVE_LINES + "\nfrom netcode.turns import tables\ntables(('localhost', 1))\n", "", r"tables\(…\)"),
    ],
)
def test_a_file_without_the_game_is_explained(tmp_path: Path, source: str, name: str, text: str) -> None:
    path = tmp_path / "some_game.py"
    path.write_text(source, encoding="utf-8")

    with pytest.raises(Trouble, match=text):
        load_game(f"{path}{name}")


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_file_that_was_saved_otherwise_is_asked_for_as_utf_8(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "some_game.py"
    path.write_text('said = "tschüs"', encoding=encoding)

    with pytest.raises(Trouble, match="; save the file as UTF-8"):
        load_game(str(path))


@pytest.mark.parametrize("error", ["ZeroDivisionError('no')", "ValueError('no')"])
def test_a_bug_in_how_a_game_begins_is_told_with_its_line(
    tmp_path: Path, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some_game.py"
    path.write_text(f"{TWELVE_LINES}\n    def setup(self):\n        raise {error}\n", encoding="utf-8")
    line = path.read_text("utf-8").count("\n")

    assert main(["play", str(path)]) == 1

    assert capsys.readouterr().out == f"{path}, line {line}: {error.partition('(')[0]}: no\n"


def test_a_bug_that_is_not_of_the_game_is_no_sentence(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command_line, "play_locally", fail)

    with pytest.raises(ZeroDivisionError):
        main(["play", str(game)])


def test_a_file_that_is_not_there_is_explained_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "nowhere.py"]) == 1
    said = f"nowhere.py is not there; give the file with your game, such as tictactoe.py; you are in {Path.cwd()}\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("typed", ["go", "Go.py", "GO", "goo.py", "go.py:", "“go.py”", "."])
def test_a_file_that_was_meant_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    (tmp_path / "go.py").write_text("")
    monkeypatch.chdir(tmp_path)
    if Path(typed).is_file():
        pytest.skip("names differ in more than their case here")

    assert main(["play", typed]) == 1
    assert capsys.readouterr().out.endswith("; did you mean go.py?\n")


def test_a_file_in_a_folder_that_is_not_there_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "/nowhere/go.py"]) == 1
    assert capsys.readouterr().out == "/nowhere/go.py is not there; there is no folder /nowhere\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["play", "{game}", "--players", "3"], "TicTacToe is for 2 players, not 3"),
        (["play", "{game}", "--bots", "3"], "3 bots are more than 2 players"),
        (["play", "{game}", "--option", "size"], "'size' is no option; write name=value"),
        (["play", "{game}", "--option", "size=3"], "TicTacToe has no option of that name"),
        (["play", "{game}", "--option", "size=--3"], "TicTacToe has no option of that name"),
        (["play", "{game.parent}"], "is a folder; did you mean {game}?"),
        (["play", "{game.parent.parent}"], "is a folder; give the file with your game, such as tictactoe.py"),
        (["watch", "{game}", "--at", "host:port"], "'host:port' is no address"),
        (["replay", "{game}", "nowhere.db"], "nowhere.db is not there; give the database of a server"),
        (["serve", "{game}", "--port", "0", "--store", "{game}"], "is damaged, or no database"),
        (["serve", "{game}", "--metrics", "h:p"], "there is no place for numbers: 'h:p' is no address"),
        (["serve", "{game}", "--metrics", "65536"], "'65536' is no address: a port is a number from 0 to 65535"),
        (["serve", "{game}", "--metrics", "[::1"], "'[::1' is no address: brackets are for an IPv6 address"),
    ],
)
def test_what_cannot_be_done_is_said(
    game: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main([word.format(game=game) for word in arguments]) == 1
    assert text.format(game=game) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["play", "{game}", "--bots", "-1"], "--bots: -1 is not a whole number from 0 on"),
        (["play", "{game}", "--players", "two"], "--players: two is not a whole number from 1 on"),
        (["play", "{game}", "--think", "nan"], "--think: nan is not a number of seconds"),
        (["check", "{game}", "--games", "0"], "--games: 0 is not a whole number from 1 on"),
        (["check", "{game}", "--seconds", "-1"], "--seconds: -1 is not a number of seconds"),
        (["bot", "{game}", "--at", "h", "--pace", "slow"], "--pace: slow is not a number of seconds"),
    ],
)
def test_a_number_that_is_none_is_refused_with_what_it_may_be(
    game: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(SystemExit):
        main([word.format(game=game) for word in arguments])

    assert text in capsys.readouterr().err


def reached(*words: str) -> argparse.Namespace:
    """Return what was typed to say at which server."""
    return argparse.Namespace(at=[*words], room=None, tls=False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("h", ("h", 7777)),
        ("h:1", ("h", 1)),
        ("[::1]:80", ("::1", 80)),
        ("[::1]", ("::1", 7777)),
        ("::1", ("::1", 7777)),
        ("fe80::1:2", ("fe80::1:2", 7777)),
        ("10.0.0.1:2", ("10.0.0.1", 2)),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port(text: str, address: tuple[str, int]) -> None:
    assert addresses_of(reached(text)) == [address]


@pytest.mark.parametrize(
    "text",
    ["", ":1", "h:", "h:0", "h:65536", "h:x", "[]", "[]:1", "[::1", "::1]", "[::1]:", "h]:1", "h:1:2", "ws://h:1"],
)
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(Trouble, match="is no address"):
        addresses_of(reached(text))


@pytest.mark.parametrize(
    ("words", "addresses"),
    [
        (["h"], [("h", 7777)]),
        (["a:1,b:2, [::1]:3"], [("a", 1), ("b", 2), ("::1", 3)]),
        (["a:1", "b,c:4"], [("a", 1), ("b", 7777), ("c", 4)]),
        (["a,a:7777", "b", "a"], [("a", 7777), ("b", 7777)]),
    ],
)
def test_addresses_have_commas_between_them_or_are_said_one_by_one(
    words: list[str], addresses: list[tuple[str, int]]
) -> None:
    assert addresses_of(reached(*words)) == addresses


@pytest.mark.parametrize(
    ("link", "room", "said"),
    [
        ("http://h:1/#room=KTQXB&game=TicTacToe", None, (("h", 1), False, "KTQXB")),
        (" https://h/#room=%23c0ffee&game=TicTacToe", None, (("h", 443), True, "#c0ffee")),
        ("http://[::1]:2", "ours", (("::1", 2), False, "ours")),
        ("http://h/#room=KTQXB", "ours", (("h", 80), False, "ours")),
        ("h:1/", None, (("h", 1), False, None)),
        ("h,https://h:2/#room=KTQXB", None, (("h", 7777), ("h", 2), True, "KTQXB")),
    ],
)
def test_a_link_to_a_page_says_where_and_in_which_room(link: str, room: str | None, said: tuple[Any, ...]) -> None:
    arguments = argparse.Namespace(at=[link], room=room, tls=False)

    assert (*addresses_of(arguments), arguments.tls, arguments.room) == said


@pytest.mark.parametrize("link", ["http://[::1", "https://[", "//[::1", "http://h\u2100.example/"])
def test_half_a_link_is_told_as_any_other_address_that_is_none(link: str) -> None:
    with pytest.raises(Trouble, match=" is no address"):
        addresses_of(reached(link))


def test_options_are_numbers_truths_and_texts() -> None:
    words = ["size=5", "fast=true", "slow=False", "name=x=y", "low=-1", "odd=--5", "part=0.5", "half=1.", "other=none"]

    assert options_of(words) == {
        "size": 5,
        "fast": True,
        "slow": False,
        "name": "x=y",
        "low": -1,
        "odd": "--5",
        "part": 0.5,
        "half": "1.",
        "other": "none",
    }


class Decks(Game):
    @options(deck=("10", "32", "[2]", "{2"), size=(10, "ten"), either=(1, "1"), fast=("true",), real=(True, False))
    def setup(
        self, deck: str = "32", size: int | str = 10, either: int | str = 1, fast: str = "true", real: bool = True
    ) -> None: ...

    @move
    def end(self) -> None:
        self.finish()


def test_an_option_is_a_text_where_the_rules_have_a_text() -> None:
    words = ["deck=10", "size=10", "either=1", "fast=true", "real=true"]

    assert options_of(words, Decks) == {"deck": "10", "size": 10, "either": 1, "fast": "true", "real": True}
    assert [options_of([f"deck={text}"], Decks)["deck"] for text in ("[2]", "{2", "11")] == ["[2]", "{2", 11]
    with pytest.raises(Trouble, match="which is no JSON"):
        options_of(["deck={3"], Decks)
    assert check(Decks, 1, options=options_of(words, Decks)).ok


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"per_move": 20}', {"per_move": 20}), ("[1, 2]", [1, 2]), ("none", None), ("fast", "fast")],
)
def test_a_clock_is_given_as_json_or_none(text: str, value: Any) -> None:
    assert options_of([f"clock={text}"]) == {"clock": value}


@pytest.mark.parametrize(
    ("text", "hint"),
    [("{per_move: 20}", "; in a shell it stands between single quotes"), ('{"per_move"}', ""), ("[" * 9_999, "")],
)
def test_json_that_is_none_is_told(text: str, hint: str) -> None:
    with pytest.raises(Trouble) as told:
        options_of([f"clock={text}"])

    assert str(told.value).startswith(f"the option clock is {text[:100]}, which is no JSON{hint}")


def test_a_name_in_the_encoding_of_another_terminal_is_written_out() -> None:
    read = make_parser().parse_args(["play", "game.py", "--name", "Jos\udce9 é", "--room", "\udcff"])

    assert (read.name, read.room) == (r"Jos\xe9 é", r"\xff")  # a server refuses what is no UTF-8


def test_the_help_names_a_clock_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["play", "--help"])

    assert """'clock={"per_move": 20}'""" in capsys.readouterr().out


@pytest.mark.process
def test_a_port_that_is_taken_is_said(start: Start, game: Path, tmp_path: Path) -> None:
    first = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)
    port = first.until(r"served on port (\d+)")[1]

    second = start(
        "-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", port, "--store", tmp_path / "other.db"
    )
    third = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0)

    assert second.status() == 1
    assert third.status() == 1
    assert "Traceback" not in second.output + third.output
    assert "in use by another server" in third.output
    said = f"cannot listen on 127.0.0.1:{port}: the port is taken; is another server running on it?"
    assert second.output.split("\n")[:1] == [said]


@pytest.mark.process
def test_a_server_tells_its_numbers(start: Start, game: Path) -> None:
    pytest.importorskip("prometheus_client")
    server = start("-m", "netcode.turns", "serve", game, "--host", "127.0.0.1", "--port", 0, "--metrics", 0)
    where = server.until(r"its numbers are at (http://127.0.0.1:\d+/metrics)")[1]
    server.until("served on port")

    with urllib.request.urlopen(where, timeout=20) as answer:
        said = answer.read().decode()

    assert "netcode_moves_total" in said
    assert "python_info" not in said
    assert ("process_start_time_seconds" in said) == (sys.platform == "linux")
    server.interrupt()
    assert server.status() == 0


def test_a_taken_port_for_numbers_is_said(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status = main(["serve", str(game), "--host", "127.0.0.1", "--port", "0", "--metrics", str(port)])

    said = f"cannot tell numbers on 127.0.0.1:{port}: the port is taken; is another server running on it?\n"
    assert (status, capsys.readouterr().out) == (1, said)


def test_numbers_can_be_told_to_others_where_that_is_possible(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("prometheus_client")

    status = main(["serve", str(game), "--host", "127.0.0.1", "--port", "0", "--metrics", "192.0.2.1:9100"])

    assert status == 1
    assert capsys.readouterr().out.startswith("cannot tell numbers on 192.0.2.1:9100: ")


def test_a_server_that_lost_its_tables_says_so_and_ends(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(*_games: type[Any], **_options: Any) -> None:
        raise Lost("another process has taken the tables over")

    monkeypatch.setattr("netcode.turns.server.serve", serve)

    assert main(["serve", str(game)]) == 1
    assert capsys.readouterr().out == "another process has taken the tables over\n"


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="what reads a pipe is told there in another way")
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("play", "--bots", "2", "--think", "0"), 0),
        (("play", "--bots", "1"), 130),
        (("check", "--games", "5"), 0),
        (("replay", "nowhere.db"), 1),
        (("serve", "--port", "70000"), 1),
    ],
)
def test_a_reader_who_has_had_enough_is_no_mistake(game: Path, words: tuple[str, ...], status: int) -> None:
    command, *rest = words
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "netcode.turns", command, game, *rest],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    program.stdout.close()  # before anything is said
    _, said = program.communicate(timeout=DEADLINE)

    assert (program.returncode, said) == (status, b"")


def test_a_server_has_a_name_and_an_address(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def serve(*_games: type[Any], **options: Any) -> None:
        given.update(options)

    monkeypatch.setattr("netcode.turns.server.serve", serve)

    options = ["--announce", "at Ann's", "--address", "play1.example.org:7777"]
    assert main(["serve", str(game), *options]) == 0
    assert (given["announce"], given["address"]) == ("at Ann's", "play1.example.org:7777")
    assert "max_peers" not in given
    assert main(["serve", str(game), "--peers", "5000", "--ping", "5"]) == 0
    assert given["announce"] is None
    assert (given["max_peers"], given["max_peers_per_address"]) == (5000, 5000)
    assert (given["ping_interval"], given["timeout"]) == (5.0, 15.0)


def test_a_server_encrypts_with_a_certificate(
    game: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def serve(*_games: type[Any], **options: Any) -> None:
        given.update(options)

    monkeypatch.setattr("netcode.turns.server.serve", serve)

    assert main(["serve", str(game), "--tls", "nowhere.pem", "key.pem"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("the certificate in nowhere.pem, with the key in key.pem, cannot be used: ")
    if shutil.which("openssl"):
        made = make_certificate(tmp_path)
        assert main(["serve", str(game), "--tls", str(made.cert), str(made.key)]) == 0
        assert isinstance(given["tls"], Certificate)


def test_bots_play_each_other_here(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", str(game), "--bots", "2", "--think", "0"]) == 0

    out = capsys.readouterr().out
    assert "bot 1 moved: mark" in out
    assert "-- at the end" in out


@pytest.mark.parametrize("command", ["play", "watch", "bot"])
def test_where_nobody_serves_the_status_says_so_too(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # who types nothing learns it all the same
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can begin to
        where = f"127.0.0.1:{taken.getsockname()[1]}"

        assert main([command, str(game), "--at", where]) == 1

    assert f"nothing is listening on {where}; is the server started?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["play", "{game}", "--players", "3"], "TicTacToe is for 2 players, not 3"),
        (["play", "{game}", "--bots", "3"], "3 bots are more than 2 players"),
        (["play", "{game}", "--option", "size"], "'size' is no option; write name=value"),
        (["play", "{game}", "--option", "size=3"], "TicTacToe has no option of that name"),
        (["play", "{game}", "--room", "ours"], "--room is for a table at a server; say at which, as in --at localhost"),
        (["play", "{game}", "--tls"], "--tls is for a table at a server; say at which, as in --at localhost"),
        (["play", "{game}", "--at", "h", "--bots", "1"], "of its own: python -m netcode.turns bot {game} --at h"),
        (["play", "{game}", "--at", "h:x"], "'h:x' is no address"),
        (["bot", "{game}", "--at", "h:x"], "'h:x' is no address"),
        (["watch", "{game}", "--at", "h:x"], "'h:x' is no address"),
        (["watch", "{game}", "--at", "h,"], "'' is no address"),
        (["bot", "{game}", "--at", "h h"], "host must be a name or an address without blanks"),
    ],
)
def test_what_cannot_be_played_is_said(
    game: Path, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(game=game) for argument in arguments]) == 1

    assert text.format(game=game) in capsys.readouterr().out


def test_who_types_no_more_ends_the_game_as_ctrl_c_does(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("mark 4\n"))

    assert main(["play", str(game), "--name", "Ann", "--bots", "1", "--think", "0"]) == 130

    out = capsys.readouterr().out
    assert "Ann moved: mark" in out
    assert out.endswith("> \n")


MARK = Play("mark", {"cell": 4})


def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Have what needs a server done by nobody; return what it was asked to do."""
    asked: list[tuple[str, Any]] = []

    def over_network(address: Any, _game: Any, _screen: Any, keyboard: Any, _file: Any = None, **wanted: Any) -> bool:
        asked.append(("watch" if keyboard is None else "play", (address, wanted)))
        return True

    def bot(address: Any, _game: Any, choose: Any, pace: float, say: Any, **wanted: Any) -> str:
        asked.append(("bot", (address, pace, wanted, choose(None, [MARK]))))
        if len(asked) == 3:
            say("waiting for 1 more")
            raise ConnectionError("the server is gone")
        return "bot won" if len(asked) == 1 else "a draw"

    monkeypatch.setattr(command_line, "play_over_network", over_network)
    monkeypatch.setattr(command_line, "run_bot", bot)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return asked


def test_what_is_typed_reaches_the_server(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = commands(monkeypatch)

    assert main(["bot", str(game), "--at", "h:1", "--games", "3", "--pace", "0.5", "--players", "2"]) == 1
    assert main(["play", str(game), "--at", "[::1]:9", "--name", "Ann", "--players", "2", "--option", "fast=true"]) == 0
    assert main(["watch", str(game), "--at", "h", "--room", "ours"]) == 0
    assert main(["watch", str(game), "--at", "h,k:2"]) == 0
    assert main(["play", str(game), "--at", "h", "--at", "k:2", "--tls"]) == 0

    wanted = {"room": None, "players": 2, "name": "bot"}
    assert asked == [("bot", (("h", 1), 0.5, wanted, MARK))] * 3 + [
        ("play", (("::1", 9), {"room": None, "players": 2, "name": "Ann", "options": {"fast": True}})),
        ("watch", (("h", 7777), {"watch": True, "room": "ours", "name": ""})),
        ("watch", (("h", 7777), {"watch": True, "room": None, "name": "", "addresses": [("k", 2)]})),
        (
            "play",
            (
                ("h", 7777),
                {"room": None, "players": None, "name": "", "options": {}, "addresses": [("k", 2)], "tls": True},
            ),
        ),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "game 1 of 3", "over: bot won", "game 2 of 3", "over: a draw",
        "game 3 of 3", "waiting for 1 more", "the server is gone",
    ]  # fmt: skip


def test_a_server_is_started_and_a_stored_game_is_shown(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.turns.server.Server.wait", at_once)
    database = game.with_suffix(".db")

    assert main(["serve", str(game), "--host", "127.0.0.1", "--port", "0"]) == 0
    assert main(["replay", str(game), str(database)]) == 0
    assert main(["replay", str(game), str(database), "abc"]) == 1

    out = capsys.readouterr().out
    assert "is served on port" in out
    assert f"to sit down: python -m netcode.turns play {game} --at 127.0.0.1:" in out
    assert "the tables are stored" in out
    assert "has no table abc" in out


@pytest.mark.parametrize("nothing", ["memory", ":memory:"])
def test_a_server_that_shall_keep_nothing_leaves_nothing_and_says_so(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    def at_once(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.turns.server.Server.wait", at_once)
    monkeypatch.chdir(game.parent)

    assert main(["serve", str(game), "--host", "127.0.0.1", "--port", "0", "--store", nothing]) == 0

    out = capsys.readouterr().out
    assert "kept in memory alone" in out
    assert "the tables are gone: they were in memory alone" in out
    assert not [path for path in game.parent.iterdir() if "db" in path.suffix or "memory" in path.name]


@pytest.mark.parametrize(
    ("allowed", "options", "most", "said"),
    [
        (1024, ["--peers", "5000"], 974, "1024 open files are too few for 5000 people, so 974 are let in: raise LimitNOFILE, ulimit -n, or say --peers 974"),
        (40, [], 1, "40 open files are too few for 1000 people, so 1 are let in: raise LimitNOFILE, ulimit -n, or say --peers 1"),
        (1050, [], 1000, ""),
        (math.inf, ["--peers", "50000"], 50_000, ""),
    ],
)  # fmt: skip
def test_a_server_that_may_open_too_few_files_for_its_players_says_so_and_lets_in_fewer(
    game: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    allowed: float,
    options: list[str],
    most: int,
    said: str,
) -> None:
    let_in: list[int] = []

    def at_once(server: Server, *_: Any) -> None:
        let_in.append(server._net._door._house.max_peers)
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.turns.server.Server.wait", at_once)
    monkeypatch.setattr("netcode.turns.terminal.serve_command.raise_descriptor_limit", lambda: allowed)

    assert main(["serve", str(game), "--host", "127.0.0.1", "--port", "0", "--store", "memory", *options]) == 0

    out = capsys.readouterr().out
    assert let_in == [most]
    assert ([*out.splitlines()][:1] == [said]) == bool(said)
    assert "is served on port" in out


def test_a_server_that_could_not_store_all_says_so(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(server: Server) -> None:
        monkeypatch.setattr(server._keeper.writer, "trouble", "the disk is full")
        raise KeyboardInterrupt

    monkeypatch.setattr("netcode.turns.server.Server.wait", fails)

    assert main(["serve", str(game), "--host", "127.0.0.1", "--port", "0"]) == 1

    out = capsys.readouterr().out
    assert "the last moves are not stored, and nobody was told that they count: the disk is full" in out
    assert "the tables are stored" not in out


def test_a_stored_game_is_listed_and_shown_move_by_move(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database, known = game.with_suffix(".db"), "0" * 24
    table = Table.create(load_game(str(game)), 2, secret=bytes(32), names=["Ann", "Bob"])
    bodies = [pack(["sit", "Ann", b""]), pack(["begin", table.snapshot()])]
    for step in (table.start(0.0), table.play(0, "mark", {"cell": 4}, 1, now=0.0)):
        assert isinstance(step, Step)
        bodies.append(pack(["step", step.entry]))
    store = SqliteStore(database)
    store.open("here")
    store.create([NewTable(known, "TicTacToe", b"", None)])
    store.append([Entry(known, number, body) for number, body in enumerate(bodies, 1)], [], [])
    alone = "1" * 24
    store.create([NewTable(alone, "TicTacToe", b"", None)])
    store.append([Entry(alone, 1, bodies[0])], [], [])
    store.close()

    assert main(["replay", str(game), str(database)]) == 0
    assert main(["replay", str(game), str(database), known]) == 0

    out = capsys.readouterr().out
    assert f"{known}  4 entries  Ann, Bob\n" in out
    assert f"{alone}  1 entry  Ann\n" in out
    assert "-- 0: Ann to move" in out
    assert "Ann moved: mark (cells 4: . → 0)\n-- 1: Bob to move" in out
    assert "1: Bob to move" in out
    assert out.endswith("that was Ann, Bob\n")


TELLING = """\
from netcode.turns import Game, Hidden, move


class Telling(Game):
    pile: Hidden[list[int]] = [1, 2]

    @move
    def draw(self) -> None:
        self.tell(f"a {self.random.choice([1])} was drawn")

    @move
    def end(self) -> None:
        self.finish(1, text="enough")
"""


def test_a_replay_tells_what_all_were_told_and_opens_what_was_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, database, known = tmp_path / "telling.py", tmp_path / "telling.db", "0" * 24
    path.write_text(TELLING, encoding="utf-8")
    table = Table.create(load_game(str(path)), 2, secret=bytes(32), names=["Ann", "Bob"])
    bodies = [pack(["begin", table.snapshot()])]
    table_steps = [
        table.start(0.0),
        table.play(0, "draw", {}, 1, now=0.0),
        table.undo(0, 0.0),
        table.consent(1, True, 0.0),
    ]
    for step in (*table_steps, table.play(0, "end", {}, 2, now=0.0)):
        assert isinstance(step, Step)
        bodies += [pack(["step", step.entry])] if step.entry else []
    store = SqliteStore(database)
    store.open("here")
    store.create([NewTable(known, "Telling", b"", None)])
    store.append([Entry(known, number, body) for number, body in enumerate(bodies, 1)], [], [])
    store.close()

    assert main(["replay", str(path), str(database), known]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "-- 0: Ann to move",
        "   pile  2 hidden",
        "Ann moved: draw",
        "a 1 was drawn",
        "-- 1: Bob to move",
        "   pile  2 hidden",
        "taken back: Ann took a move back",
        "-- 2: Ann to move",
        "   pile  2 hidden",
        "Ann moved: end (pile 0: . → 1, pile 1: . → 2)",
        "Bob won: enough",
        "-- 3: over",
        "   pile  1 2",
        "that was Ann, Bob",
    ]


def test_a_game_in_a_file_that_is_called_as_a_module_is_checked(
    game: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = game.parent / "elsewhere"
    other.mkdir()
    (other / "tictactoe.py").write_text("raise RuntimeError('this is another file')", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(other), *sys.path])

    status = main(["check", str(game), "--games", "4"])

    assert (status, "no problems" in capsys.readouterr().out) == (0, True)
