"""What tools print: for people, for scripts, on a terminal, into a pipe that nobody reads."""

import io
import json
import os
import sys
from typing import Any

import pytest

from netcode.tools import output as module
from netcode.tools.output import Output, complain, in_bytes, milliseconds, percentile

HEADS = ("NAME", "PLAYERS")
ROWS = [("Ann's", "2"), ("Bob's game", "10")]


class Terminal(io.StringIO):
    """A terminal that somebody looks at."""

    broken = False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError("it has gone")
        return super().write(text)


def look_on(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of the output; in the test itself, because pytest puts its own there before that."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    return terminal


def test_people_read_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()

    output.line("two \x1b are there", count=2)
    output.line("that is all")

    assert capsys.readouterr().out == "two \\x1b are there\nthat is all\n"


def test_scripts_read_facts_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)

    output.line("two are there", count=2, who={3}, name="\x1b\U0001f600")
    output.line("that is all")
    output.table(HEADS, ROWS)
    output.progress("half")

    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"count": 2, "who": "{3}", "name": "\x1b\U0001f600"}
    assert line.isascii()


def test_a_table_in_a_pipe_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(HEADS, ROWS)

    assert capsys.readouterr().out == "NAME        PLAYERS\nAnn's             2\nBob's game       10\n"


def test_a_table_on_a_terminal_is_drawn_by_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    terminal = look_on(monkeypatch)

    Output().table(HEADS, [*ROWS, ("[red]", "-")])

    assert "Ann's" in terminal.getvalue()
    assert "[red]" in terminal.getvalue()
    assert "\u2500" in terminal.getvalue()


def test_without_rich_it_is_plain_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_on(monkeypatch)

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(module, "import_module", missing)

    Output().table(HEADS, ROWS)

    assert "Ann's             2\n" in terminal.getvalue()


def test_a_terminal_that_went_ends_no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    terminal = look_on(monkeypatch)
    terminal.broken = True

    Output().table(HEADS, ROWS)
    Output().progress("half")
    Output().clear()
    Output().line("lost")

    assert terminal.getvalue() == ""


def test_what_a_tool_cannot_do_is_said_and_is_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain("top", OSError("no \x1b file")) == 1
    assert capsys.readouterr().err == "top: no \\x1b file\n"


def test_progress_overwrites_itself_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_on(monkeypatch)
    monkeypatch.setenv("COLUMNS", "8")
    output = Output()

    output.progress("one of them all")
    output.progress("one of them all")
    output.progress("two")
    output.progress("two")
    output.line("done")

    assert terminal.getvalue() == "\r\rone of " + "\r       \rtwo" + "\r   \r" + "done\n"


def test_a_terminal_is_wiped_for_what_comes_next_and_a_pipe_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_on(monkeypatch)

    Output().clear()
    Output(as_json=True).clear()

    assert terminal.getvalue() == "\x1b[H\x1b[2J"


def test_a_program_without_output_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output = Output()

    output.line("nobody reads this")

    assert not output.is_live
    assert not output.is_closed()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no poll")
def test_it_notices_that_nobody_reads_any_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        before = Output().is_closed()
        os.close(reader)

        assert (before, Output().is_closed()) == (False, True)
        Output().line("lost")

    assert caplog.text == ""


@pytest.mark.parametrize(("percent", "expected"), [(1, 1.0), (50, 2.0), (75, 3.0), (99, 4.0), (100, 4.0), (0, 1.0)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == expected


def test_numbers_are_written_as_people_read_them() -> None:
    assert percentile([], 50) is None
    assert (milliseconds(None), milliseconds(0.0123456), milliseconds(2)) == ("-", "12.3 ms", "2 s")
    assert [in_bytes(count) for count in (0, 999, 1500, 2.5e6, 3e9)] == ["0 B", "999 B", "1.5 kB", "2.5 MB", "3 GB"]
