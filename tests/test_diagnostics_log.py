"""The log: no cost for who does not use it, and no flood for who does."""

import builtins
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from types import ModuleType

import pytest

from netcode.diagnostics import log
from netcode.testing import FakeClock


@pytest.fixture(autouse=True)
def nothing_was_warned_of() -> Iterator[None]:
    before = dict(log._next_warning)
    log._next_warning.clear()
    log._has_failed = False

    yield

    log._next_warning.clear()
    log._next_warning.update(before)
    log._has_failed = False


def test_a_debug_line_reaches_a_program_that_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "netcode")

    log.debug("%s: %s -> %s", "1.2.3.4:5", "connecting", "connected")

    assert caplog.record_tuples == [("netcode", logging.DEBUG, "1.2.3.4:5: connecting -> connected")]


def test_a_debug_line_does_not_load_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "logging")

    log.debug("nobody listens")

    assert "logging" not in sys.modules


def test_one_cause_warns_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()

    for _ in range(25):
        log.warn("flood", "too much from %s", "1.2.3.4", clock=clock)
        clock.advance(0.1)
    log.warn("other", "something else", clock=clock)

    assert caplog.messages == ["too much from 1.2.3.4"] * 3 + ["something else"]


def test_who_tries_everything_warns_of_each_cause_once_and_is_told_how_often_it_came_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    log.warn("rule", "it failed", clock=clock)

    with log.each_once() as counts:
        for _ in range(25):
            log.warn("rule", "it failed", clock=clock)
            clock.advance(0.1)
        log.warn("other", "something else", clock=clock)
    log.warn("rule", "it failed", clock=clock)
    log.warn("other", "something else", clock=clock)

    assert (caplog.messages, counts) == (["it failed"] * 2 + ["something else", "it failed"], {"rule": 25, "other": 1})


def test_a_traceback_is_told_once_a_second_and_can_neither_forge_nor_command(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    said_to_be = ValueError("\x1b[2J\nERROR forged" + "x" * 2 * log.MAX_TRACEBACK + "\x1b\nERROR too")

    for _ in range(3):
        log.error("authenticate", "it failed for %s", "1.2.3.4", error=said_to_be, clock=clock)

    [said] = caplog.messages
    first, *lines = said.split("\n")
    assert first == "it failed for 1.2.3.4"
    assert lines[-1] == "    ERROR too"
    assert all(line.startswith("    ") and line.isprintable() for line in lines)
    assert len(said) < 2 * log.MAX_TRACEBACK


def test_a_warning_without_descriptors_to_load_logging_is_left_out_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = builtins.__import__

    def out_of_descriptors(name: str, *arguments: object) -> object:
        if name == "logging":
            raise OSError(24, "Too many open files")
        return real(name, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", out_of_descriptors)
        log.warn("accept", "cannot accept")
    log.warn("accept", "cannot accept")

    assert caplog.messages == ["cannot accept"]


class Failing(logging.Handler):
    """Writes to a window that was closed, say, and does not know of `handleError`."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("the window is gone")


@pytest.fixture
def failing() -> Iterator[None]:
    handler = Failing()
    logging.getLogger("netcode").addHandler(handler)

    yield

    logging.getLogger("netcode").removeHandler(handler)


@pytest.mark.usefixtures("failing")
def test_a_handler_that_raises_ends_nothing_and_is_told_once(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "netcode")

    log.warn("refused", "somebody did not get in")
    log.debug("connecting -> connected")

    said = capsys.readouterr().err.splitlines()
    assert said[0] == "the log cannot be written, for a handler of this program fails:"
    assert [line for line in said if line.startswith("RuntimeError")] == ["RuntimeError: the window is gone"]


class Console:
    """The window of a game in the place of a stream, which is gone."""

    def write(self, text: str) -> int:
        raise RuntimeError("the window is gone")


def closed() -> StringIO:
    stream = StringIO()
    stream.close()
    return stream


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("stderr", [None, closed(), Console()], ids=["none", "closed", "failing"])
def test_nor_does_it_where_that_cannot_be_told(stderr: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)

    log.warn("refused", "somebody did not get in")


def test_a_file_of_the_game_that_is_called_logging_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "logging", ModuleType("logging"))

    log.debug("connecting -> connected")
    log.warn("refused", "somebody did not get in")
