"""The two ends of a terminal: lines that go out, wherever that is, and lines that a person types."""

import contextlib
import io
import os
import queue
import select
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

from netcode.console import escaped, is_closed, is_terminal, put
from netcode.turns.terminal.columns import columns, padded

WIDTH = 100
"""Columns of a line, where nobody says how many there are."""
NARROW = 40
"""Columns that are used at least."""
_SECOND = "\0"
"""Stands behind a character of two columns while lines are cut: no text has it any more that was escaped."""


class Screen:
    """Where lines go: with `rich`, if it is installed and somebody looks, else as plain text."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._console: Any = None
        if is_terminal(self._out) and not _is_dumb():
            try:
                console: Any = import_module("rich.console").Console(file=self._out, highlight=False, emoji=False)
            except ImportError:
                return
            if not console.legacy_windows:  # that is drawn by calls, and not by what is written
                self._console = console

    def line(self, text: str = "") -> None:
        """Write a line; what a terminal would obey in it is escaped, for names and texts come from strangers."""
        if self._console is not None:
            self._draw(self._shown(text), markup=False, soft_wrap=True)
        else:
            self._put(f"{self._shown(text)}\n")

    def _put(self, text: str) -> None:
        put(self._out, text, piped=True)

    @property
    def is_closed(self) -> bool:
        """Whether nobody reads any more what is written here."""
        return is_closed(self._out)

    def _shown(self, text: str) -> str:
        """Return a text as it stands there in the end, which is as wide: also what the output cannot encode is escaped."""
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        return escaped(text).encode(encoding, "backslashreplace").decode(encoding)

    def text(self, text: str) -> None:
        """Write a line that is read, cut between its words for a terminal; what is copied, as a command, goes by `line`."""
        if not is_terminal(self._out):
            self.line(text)
            return
        for part in _wrapped(self._shown(text), _columns(), is_prose=True):
            self.line(part)

    def lines(self, text: str) -> None:
        """Write a text of several lines that are read."""
        for line in text.split("\n"):
            self.text(line)

    @property
    def width(self) -> int:
        """How many columns a line has."""
        if not is_terminal(self._out):
            return WIDTH
        return max(NARROW, min(WIDTH, _columns()))

    def ask(self, seconds: float | None = None) -> str | None:
        """Return the next line that is typed, or None after so many seconds.

        Raises `EOFError` when there will be none any more, or nobody reads for what is asked.
        """
        if self.is_closed:
            raise EOFError
        _take_any_text(sys.stdin)
        if seconds is not None and is_terminal(sys.stdin):
            return self._ask_within(seconds)
        if is_terminal(sys.stdin) and is_terminal(sys.stdout) and self._out is sys.stdout:
            return input("> ")  # where one can go back in the line
        self._put("> ")
        return _read_line()

    def _ask_within(self, seconds: float) -> str | None:
        """Return the next line of a terminal. One cannot go back in it: what edits a line does not wait for less."""
        self._put("> ")
        try:
            came = bool(select.select([sys.stdin], [], [], seconds)[0])
        except (OSError, ValueError):
            came = True  # on Windows only sockets are waited for
        if not came:
            self._put("\n")
            return None
        return _read_line()

    def forget_typed(self, seconds: float = 0.0) -> None:
        """Throw away what was typed ahead, also half a line: it was meant for what is not asked any more.

        Args:
            seconds: for how long what is still typed belongs to it.
        """
        if not is_terminal(sys.stdin):
            return
        time.sleep(seconds)
        try:
            termios = import_module("termios")
        except ImportError:
            console = import_module("msvcrt")
            while console.kbhit():
                console.getwch()
            return
        with contextlib.suppress(termios.error, OSError, ValueError):  # it was just hung up
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def _draw(self, *what: Any, **how: Any) -> None:
        with self._console.capture() as drawn:
            self._console.print(*what, **how)
        self._put(drawn.get())

    def clear(self) -> bool:
        """Wipe what the next one at the keyboard must not read; return whether that was possible."""
        terminal = is_terminal(self._out)
        if terminal:  # a dumb one obeys nothing, and can only be scrolled
            wiped = "\n" * shutil.get_terminal_size().lines if _is_dumb() else "\x1b[2J\x1b[3J\x1b[H"
            self._put(wiped)
        return terminal

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write names and values, one pair a line."""
        if self._console is not None:
            text: Any = import_module("rich.text").Text
            grid: Any = import_module("rich.table").Table(show_header=False)
            for _ in range(2):
                grid.add_column(overflow="fold")  # else it cuts what has no blanks in it
            for name, value in rows:
                grid.add_row(text(self._shown(name)), text(self._shown(value)))
            self._draw(text(self._shown(title), style="italic"))  # above, for it would be as narrow as the table
            self._draw(grid)
            return
        shown = [(self._shown(name), self._shown(value)) for name, value in rows]
        width = max((columns(name) for name, _ in shown), default=0)
        self.line(f"-- {title}")
        for name, value in shown:
            for number, part in enumerate(_wrapped(value, self.width - width - 5)):
                self.line(f"   {padded(name if not number else '', width)}  {part}")


def _read_line() -> str:
    line = "" if sys.stdin is None else sys.stdin.readline()  # pyright: ignore[reportUnnecessaryComparison] # pythonw has none
    if not line:
        raise EOFError
    return line.rstrip("\n")


def _wrapped(text: str, width: int, *, is_prose: bool = False) -> list[str]:
    """Cut a line between its words, and a word, but for one in prose, only where it is too long by itself.

    The terminal cuts that as well, so that what is copied of it, such as an address, is still one word.
    """
    cut = textwrap.TextWrapper(
        max(NARROW // 2, width),
        drop_whitespace=is_prose,
        break_long_words=not is_prose,
        break_on_hyphens=False,
        replace_whitespace=False,
        expand_tabs=False,
    )
    return [line.replace(_SECOND, "") for line in cut.wrap(_in_columns(text))] or [""]


def _columns() -> int:
    """Return how many columns the terminal has."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def _in_columns(text: str) -> str:
    """Return a text with as many characters as it takes columns, but for accents."""
    return text if text.isascii() else "".join(one + _SECOND * (columns(one) - 1) for one in text)


def _is_dumb() -> bool:
    """Tell whether the terminal says that it obeys nothing; nor does it say there how wide it is, for `rich`."""
    return os.environ.get("TERM") == "dumb"


def _take_any_text(source: TextIO | None) -> None:
    """Have what is no text in the encoding of a keyboard be written out, instead of ending the game."""
    if isinstance(source, io.TextIOWrapper):
        with contextlib.suppress(OSError, ValueError):  # it is closed, or was read from already
            source.reconfigure(errors="backslashreplace")


class Keyboard:
    """Lines that a person types, without waiting for them."""

    def __init__(self, source: TextIO | None = None) -> None:
        import threading

        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._source = sys.stdin if source is None else source
        _take_any_text(self._source)
        # It ends with the program: nothing can wake a thread that waits for a person.
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._source or ():
                self._lines.put(line.strip())
        except (OSError, ValueError):
            pass  # a terminal that is gone, or what is no text: nobody types any more
        self._lines.put(None)

    def line(self) -> str | None:
        """Return the next line, or None if there is none yet. Raises `EOFError` when there will be none any more."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)  # for whoever asks again
            raise EOFError
        return line
