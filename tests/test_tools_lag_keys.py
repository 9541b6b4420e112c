"""The keyboard of the lag tool: what each key changes, and a terminal that gets its manners back."""

import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from netcode.faults import Ending, Faults
from netcode.tools import lag_keys
from netcode.tools.lag_keys import NoKeyboard, Terminal, in_foreground, open_keyboard, plain, press

ORIGINAL = Faults(latency=0.1, cut_with=Ending.END)


def press_all(keys: str, faults: Faults) -> Faults:
    for key in keys:
        faults = press(key, faults, ORIGINAL)
    return faults


@pytest.mark.parametrize(
    ("keys", "before", "after"),
    [
        ("L", Faults(), Faults(latency=0.01)),
        ("LLLlll", Faults(), Faults()),
        ("l", Faults(), Faults()),
        ("J", Faults(jitter=0.1), Faults(jitter=0.11)),
        ("jj", Faults(jitter=0.015), Faults()),
        ("r", Faults(), Faults(rate=5e7)),
        ("rr", Faults(rate=50_000), Faults(rate=10_000)),
        ("r", Faults(rate=60_000), Faults(rate=50_000)),
        ("r", Faults(rate=1000), Faults(rate=1000)),
        ("r", Faults(rate=10), Faults(rate=10)),
        ("R", Faults(rate=60_000), Faults(rate=100_000)),
        ("R", Faults(rate=5e7), Faults()),
        ("R", Faults(), Faults()),
        ("S", Faults(), Faults(stall=0.5, stall_every=10)),
        ("S" * 30, Faults(), Faults(stall=9.5, stall_every=10)),
        ("S", Faults(stall=1.9, stall_every=2), Faults(stall=1.9, stall_every=2)),
        ("sss", Faults(stall=1, stall_every=3), Faults(stall_every=3)),
        ("S", Faults(stall_every=0.3), Faults(stall_every=0.3)),
        (" ", Faults(), Faults(held=True)),
        ("  ", Faults(), Faults()),
        ("0", Faults(latency=1, cut_after=3, cut_with=Ending.END), Faults(cut_with=Ending.END)),
        ("o", Faults(rate=3), ORIGINAL),
        ("x", Faults(rate=3), Faults(rate=3)),
    ],
)
def test_each_key_changes_one_value(keys: str, before: Faults, after: Faults) -> None:
    assert press_all(keys, before) == after


def test_a_stream_that_is_no_terminal_has_no_keys() -> None:
    for stream in (io.StringIO("q"), None):
        keyboard = open_keyboard(stream)

        assert isinstance(keyboard, NoKeyboard)
        assert keyboard.read() == ""
        keyboard.close()


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """Open both ends of a terminal: the fingers, and the standard input of a program."""
    if sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminals; the console needs a human")
    else:
        fingers, program = os.openpty()
        with open(program, encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor, not a path
            yield fingers, stream
        os.close(fingers)


def stand_in_foreground(_: int) -> bool:
    return True


def test_keys_are_read_one_by_one_and_never_waited_for(
    terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag_keys, "in_foreground", stand_in_foreground)
    fingers, stream = terminal
    keyboard = open_keyboard(stream)

    assert isinstance(keyboard, Terminal)
    assert keyboard.read() == ""
    os.write(fingers, b"Lq\xff")
    assert keyboard.read() == "Lq"
    assert keyboard.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a console says it otherwise")
@pytest.mark.parametrize(
    "special", ["\x1b[A", "\x1bOA", "\x1bOR", "\x1bOS", "\x1b[20~", "\x1b[1;5R", "\x1bq", "\x1b", "\x1b\x1b[B"]
)
def test_keys_without_a_character_change_nothing(special: str) -> None:
    assert plain(f"L{special}") == "L"
    assert plain(f"{special}") == ""
    assert plain(f"{special}lr") == "lr" or special == "\x1b"


def test_the_terminal_is_given_back_as_it_was(terminal: tuple[int, TextIO]) -> None:
    if sys.platform == "win32":
        return
    import termios

    _, stream = terminal
    before = termios.tcgetattr(stream)
    keyboard = Terminal(stream.fileno())
    assert termios.tcgetattr(stream) != before

    keyboard.close()

    assert termios.tcgetattr(stream) == before


def test_a_terminal_of_somebody_else_has_no_keys(terminal: tuple[int, TextIO]) -> None:
    fingers, stream = terminal
    os.write(fingers, b"q\n")

    assert isinstance(open_keyboard(stream), NoKeyboard)
    assert Terminal(stream.fileno()).read() == ""


def test_a_process_is_in_the_foreground_of_the_terminal_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def foreground_group(_: int) -> int:
        return os.getpgrp()

    monkeypatch.setattr(os, "tcgetpgrp", foreground_group, raising=False)

    assert in_foreground(0)
