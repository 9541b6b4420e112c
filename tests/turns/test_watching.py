"""Rules that never come to an end: they are named with the line where they are, and stopped."""

import _thread
import faulthandler
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from netcode.turns import Game, move
from netcode.turns.__main__ import main
from netcode.turns.proving import watching
from netcode.turns.proving.watching import LOOKS, Running, Watch, running_at, running_in, watched
from netcode.turns.table import Table

HERE = str(Path(__file__))

SOURCE = """
import time
from netcode.turns import Game, move, shown

class Spins(Game):
    count: int = 0
    def few(self):
        {domain}
        return [1, 2]
    @move(number=few)
    def add(self, number):
        self.spin()
        self.count += 1
        if self.count == 4: self.finish()
    def spin(self):
        {called}
    @shown
    def sight(self, seat):
        {shown}
        return self.count
"""
ENDLESS = "if self.count == 2:\n            while True: pass"


@pytest.fixture
def spins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what writes the file with the game, and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watching, "LIMIT", 0.1)

    def write(**lines: str) -> str:
        source = SOURCE.format(**{"domain": "pass", "called": "pass", "shown": "pass"} | lines)
        Path("spins.py").write_text(source, encoding="utf-8")
        return "spins.py"

    return write


@pytest.mark.parametrize(
    ("where", "line", "rule"),
    [
        ({"domain": ENDLESS}, 9, "Spins.few"),
        ({"called": ENDLESS}, 17, "Spins.add"),
        ({"called": "if self.count == 2:\n            time.sleep(1000)"}, 17, "Spins.add"),
        ({"shown": ENDLESS}, 20, "Spins.sight"),
    ],
)
def test_a_rule_that_never_ends_is_a_finding_with_its_line(
    where: dict[str, str],
    line: int,
    rule: str,
    spins: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", spins(**where)]) == 1

    out = capsys.readouterr().out
    assert f"  PROBLEM {rule}, at spins.py:{line}, had run for 0.1 seconds when it was stopped" in out
    assert "not one game came to its end" not in out
    assert "first seen with seed 1 and 2 players, after 2 moves" in out
    assert "note: stopped after 0 of 200 games by that rule" in out
    assert threading.active_count() == 1


def test_ctrl_c_says_which_rule_was_running_and_what_was_found_so_far(
    spins: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = spins(called="if self.count == 2: raise KeyboardInterrupt")

    assert main(["check", file]) == 130

    out = capsys.readouterr().out
    assert "note: stopped with seed 1 and 2 players, after 2 moves, in the middle of Spins.add, at spins.py:16" in out
    assert out.startswith("Spins: 0 games")


def test_ctrl_c_between_two_rules_says_how_far_it_came(
    spins: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Table, "snapshot", staticmethod(partial(signal.default_int_handler, 2, None)))

    assert main(["check", spins()]) == 130
    assert "note: stopped with seed 1 and 2 players, at the start\n" in capsys.readouterr().out


def test_ctrl_c_in_any_command_says_which_rule_was_running(
    spins: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", spins(shown="raise KeyboardInterrupt")]) == 130
    assert capsys.readouterr().out.splitlines()[-1] == "stopped in the middle of Spins.sight, at spins.py:19"

    Path("spins.py").write_text("\nraise KeyboardInterrupt\n", encoding="utf-8")
    assert main(["play", "spins.py"]) == 130
    assert capsys.readouterr().out == "stopped in the middle of spins.py:2\n"


class Frames(Game):
    """Shows the frames in which its rules run."""

    @move
    def go(self) -> None:
        look(sys._getframe())
        look(sys._getframe())


def look(frame: FrameType) -> None:
    LOOKED.append((frame, running_at(frame)))


LOOKED: list[tuple[FrameType, Running | None]] = []


def play_frames() -> tuple[FrameType, FrameType]:
    """Return the frames of two calls of a rule."""
    LOOKED.clear()
    table = Table.create(Frames, 2, secret=bytes(32))
    table.start(0.0)
    for seat, number in ((0, 1), (1, 1)):
        table.play(seat, "go", {}, number, now=0.0)
    return LOOKED[0][0], LOOKED[2][0]


def test_the_same_call_that_is_seen_again_and_again_runs_too_long() -> None:
    first, second = play_frames()
    watch = Watch()

    looks = [watch.look(frame) for frame in (None, *[first] * LOOKS, *[second] * LOOKS)]
    again = watch.look(second)

    assert (looks, again) == ([False] * (1 + 2 * LOOKS), True)
    assert watch.found is not None
    assert (watch.found.rule, Path(watch.found.file).name) == ("Frames.go", Path(HERE).name)


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be deleted there")
def test_a_rule_is_named_where_the_folder_of_the_program_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()

    play_frames()

    assert {running.file for _, running in LOOKED if running is not None} == {HERE}


def test_where_no_rule_runs_none_is_named() -> None:
    assert running_at(sys._getframe()) is None
    assert running_in(None) is None


def test_a_thread_that_cannot_be_interrupted_is_not_watched() -> None:
    known: list[int] = []

    def inside() -> None:
        with watched(Watch(), 0.1):
            known.append(threading.active_count())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()

    assert known == [2]


def test_where_it_is_goes_to_the_standard_error_if_no_thread_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def dump(seconds: float, file: object) -> None:
        asked.append(seconds)

    monkeypatch.setattr(faulthandler, "dump_traceback_later", dump)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: asked.append(0.0))

    with watched(Watch(), 20.0):
        pass

    assert asked == [60.0, 0.0]


def test_a_program_without_a_standard_error_is_watched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", None)
    monkeypatch.setattr(sys, "stderr", None)

    with watched(Watch(), 20.0):
        assert threading.active_count() == 2


def test_where_threads_get_no_signals_the_main_one_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(watching, "signal", SimpleNamespace())
    monkeypatch.setattr(_thread, "interrupt_main", lambda: asked.append("interrupted"))

    with watched(Watch(), 20.0):
        watching._interrupt(0)

    assert asked == ["interrupted"]


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="there are no such signals")
def test_a_check_in_the_background_which_ignores_ctrl_c_is_interrupted_too(
    spins: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    was = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.getsignal(signal.SIGALRM)
    try:
        assert main(["check", spins(called=ENDLESS)]) == 1
    finally:
        signal.signal(signal.SIGINT, was[0])

    assert "PROBLEM Spins.add, at spins.py:17" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGALRM) is was[1]
