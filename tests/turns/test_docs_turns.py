"""The pages on turn-based games are followed to the letter: their files, their commands, their players, their tests."""

import re
import sys
import time
from ast import literal_eval
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from docs_blocks import blocks_of, code_of
from programs import ROOT, Program, Start

from benchmarks.ports import free_port
from netcode.turns import Game, Play, check
from netcode.turns.events import Event
from netcode.turns.language.class_checks import SETTINGS, VERBS
from netcode.turns.proving import variants
from netcode.turns.server import BREATH, BREATH_EACH
from netcode.turns.serving import keeper
from netcode.turns.simulate import simulate
from netcode.turns.table import Refused, Step, Table
from netcode.turns.terminal import arguments

GAME, PLAYER, HIGH_CARD, TEST = code_of("first-turn-based-game.md")
PLAY, SERVE, SIT_DOWN, CHECK = (
    line.removeprefix("python ").split() for line in code_of("first-turn-based-game.md", "sh")
)
SMUGGLERS, MARKET, PINNED, CHECKERS = code_of("turns-rules.md")
[PRINTED] = code_of("turns-rules.md", "text")
[EPISODES] = [block.code for block in blocks_of(ROOT / "docs" / "pettingzoo.md") if block.language == "python"]


def game_of(code: str, name: str) -> type[Game]:
    module = ModuleType("page")
    module.__dict__["__file__"] = name
    exec(compile(code, name, "exec"), module.__dict__)
    game: type[Game] = module.__dict__[name]
    return game


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reader put what the page says into files."""
    (tmp_path / "tictactoe.py").write_text(GAME, encoding="utf-8")
    (tmp_path / "player.py").write_text(PLAYER, encoding="utf-8")
    (tmp_path / "test_tictactoe.py").write_text(TEST, encoding="utf-8")
    return tmp_path


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    (tmp_path / "high_card.py").write_text(HIGH_CARD, encoding="utf-8")
    (tmp_path / "test_high_card.py").write_text(PINNED, encoding="utf-8")
    return tmp_path


def in_folder(command: list[str], folder: Path) -> list[object]:
    return [folder / word if word == "tictactoe.py" else word for word in command]


@pytest.mark.process
def test_one_plays_the_bot(start: Start, folder: Path) -> None:
    program = start(*in_folder(PLAY, folder))
    program.until("Ann to move")
    program.say("mark 4")

    program.until("bot 1 moved: mark")


@pytest.mark.process
def test_two_sit_down_and_a_window_and_the_server_are_killed(start: Start, folder: Path) -> None:
    def serve(port: str) -> tuple[Program, str]:
        program = start(*in_folder(SERVE, folder), "--port", port)
        return program, program.until(r"served on port (\d+)")[1]

    server, port = serve(str(free_port()))
    sit_down = [word.replace("localhost", f"localhost:{port}") for word in SIT_DOWN]
    ann = start(*in_folder(sit_down, folder))
    ann.until("you sit at seat 0")
    bob = start(*in_folder([word.replace("Ann", "Bob") for word in sit_down], folder))
    ann.until("your turn")
    ann.say("mark 4")
    bob.until("your turn")
    bob.stop()
    server.stop()
    serve(port)
    ann.until("back at the table")

    bob = start(*in_folder([word.replace("Ann", "Bob") for word in sit_down], folder))
    bob.until("your turn")
    bob.say("mark 0")
    ann.until("Bob moved: mark")


@pytest.mark.process
def test_two_programs_of_ones_own_play_to_the_end(start: Start, folder: Path) -> None:
    server = start(*in_folder(SERVE, folder), "--port", "0")
    port = server.until(r"served on port (\d+)")[1]

    programs = [start(folder / "player.py", port, name, folder=folder) for name in ("Ann", "Bob")]

    assert sorted(program.until("won|lost")[0] for program in programs) == ["lost", "won"]
    assert [program.status() for program in programs] == [0, 0]


def test_a_player_of_ones_own_says_that_there_is_no_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    module = ModuleType("tictactoe")
    module.__dict__["TicTacToe"] = game_of(GAME, "TicTacToe")
    monkeypatch.setitem(sys.modules, "tictactoe", module)
    monkeypatch.setattr(sys, "argv", ["player.py", port := str(free_port()), "Ann"])

    exec(PLAYER, {})

    assert capsys.readouterr().out == f"nothing is listening on localhost:{port}; is the server started?\n"


@pytest.mark.process
def test_a_player_of_ones_own_that_was_killed_has_its_seat_again(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    server = start(*in_folder(SERVE, folder), "--port", "0")
    port = server.until(r"served on port (\d+)")[1]
    ann = start(folder / "player.py", port, "Ann", folder=folder)
    while not (folder / "Ann.seat").exists() or not (folder / "Ann.seat").read_text(encoding="utf-8"):
        assert ann.is_running(), ann.output
        time.sleep(0.02)
    ann.stop()

    programs = [start(folder / "player.py", port, name, folder=folder) for name in ("Ann", "Bob")]

    assert sorted(program.until("won|lost")[0] for program in programs) == ["lost", "won"]
    assert [program.status() for program in programs] == [0, 0]
    assert [*folder.glob("*.seat")] == []


def test_the_settings_and_the_events_of_a_table_are_all_there() -> None:
    text = (ROOT / "docs" / "turns-rules.md").read_text(encoding="utf-8")
    settings = dict(re.findall(r"^\| `(\w+) = [^`]*` \| `?(.*?)`? \|", text, re.MULTILINE))
    events = re.findall(r"^\| `([A-Z]\w+)\((.*?)\)` \|", text, re.MULTILINE)

    assert {name: literal_eval(value) for name, value in settings.items()} == {
        name: getattr(Game, name) for name in SETTINGS
    }
    assert events == [(kind.__name__, ", ".join(kind.__match_args__)) for kind in get_args(Event)]


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (r"plays (\d+) random games", signature(check).parameters["games"].default),
        (r"for (ten) minutes at most", arguments.CHECK / 60),
        (r"an option with more than (\d+) values", variants.VALUES),
        (r"(\d+) with each at most", variants.EACH),
        (r"up to (\d+) ms from a hundred on", BREATH * 1000),
        (r"from (a hundred) on", BREATH / BREATH_EACH),
        (r"larger than (\d+) KiB", keeper.SMALL_STATE / 1024),
        (r"as it was up to (\d+) steps ago", keeper.STEPS_BETWEEN),
    ],
)
def test_the_numbers_of_the_rules_of_rules_are_those_of_the_kit(words: str, number: float) -> None:
    [said] = re.findall(words, (ROOT / "docs" / "turns-rules.md").read_text(encoding="utf-8"))

    assert float(str(said).replace("ten", "10").replace("a hundred", "100")) == number


@pytest.mark.process
def test_its_test_passes(start: Start, folder: Path) -> None:
    program = start("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder)

    program.until("1 passed")
    assert program.status() == 0


@pytest.mark.process
def test_check_prints_what_the_page_says(start: Start, cards: Path) -> None:
    program = start(*(cards / word if word == "high_card.py" else word for word in CHECK))

    program.until(r"no problems")
    assert (program.status(), program.output) == (0, PRINTED)


@pytest.mark.process
def test_what_a_move_tells_is_pinned_by_a_test(start: Start, cards: Path) -> None:
    program = start("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", cards, cards)

    program.until("1 passed")
    assert program.status() == 0


def test_the_cards_are_hidden_and_each_game_ends() -> None:
    game = game_of(HIGH_CARD, "HighCard")

    for seed in range(20):
        played = simulate(game, seed=seed)
        assert played.result is not None
        assert played.result.winners

    assert b"".join(Table.create(game, 2, secret=bytes(32)).view(1).values()) == b""


def test_a_rule_that_runs_three_times_happens_once() -> None:
    game = game_of(MARKET, "Market")
    table = Table.create(game, 2, secret=bytes(32), names=["Ann", "Bob"])
    told: list[object] = []

    def happens(step: Step | Refused) -> None:
        assert isinstance(step, Step), step
        told.extend(step.happenings)

    happens(table.start(0.0))
    happens(table.play(0, Play("offer", {}).name, {}, 1, now=0.0))
    for seat, option, number in ((0, 3, 2), (1, True, 1)):
        question = table.question(seat)
        assert question is not None
        happens(table.answer(seat, question.id, option, number, now=0.0))

    assert str(told).count("Ann offers a deal") == 1
    assert table.result is not None
    assert table.result.winners == (0,)


def test_the_game_that_says_everything_is_sound_and_tells_what_it_means_to() -> None:
    game = game_of(SMUGGLERS, "Smugglers")

    report = check(game, games=6)

    assert report.problems == {}
    assert report.flow_lines() == ["carry: bags"]
    table = Table.create(game, 3, {"coins": 20}, secret=bytes(32))
    table.start(0.0)
    assert table.course.values["coins"] == [20, 20, 20]


def test_each_word_of_a_rule_is_on_the_page() -> None:
    text = (ROOT / "docs" / "turns-rules.md").read_text(encoding="utf-8")

    assert [verb for verb in VERBS if f"self.{verb}" not in text] == []


@pytest.mark.process
def test_a_hundred_games_are_played_by_agents(start: Start, folder: Path) -> None:
    pytest.importorskip("pettingzoo", reason="PettingZoo is not installed: pip install -e '.[pettingzoo]'")
    # Dice of their own would have the second seat win more often once in some hundred runs.
    (folder / "episodes.py").write_text(f"import random\n\nrandom.seed(1)\n{EPISODES}", encoding="utf-8")

    program = start(folder / "episodes.py")

    won = program.until(r"\{'seat_0': (\d+), 'seat_1': (\d+)\}")
    assert program.status() == 0
    assert 60 < int(won[1]) + int(won[2]) <= 100
    assert int(won[1]) > int(won[2])


def test_the_move_of_the_page_says_both_squares() -> None:
    game = game_of(CHECKERS, "Checkers")

    move = game._definition.moves["go"]

    assert [place.of(0, {"x": 1, "y": 2, "to_x": 3, "to_y": 4}) for place in move.places] == [
        ["board", 2, 1],
        ["board", 4, 3],
    ]
