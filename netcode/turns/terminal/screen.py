"""The two ends of a terminal: lines that go out, wherever that is, and lines that a person types."""

import queue
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

from netcode.console import escaped, is_terminal, put


class Screen:
    """Where lines go: with `rich`, if it is installed and somebody looks, else as plain text."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._console: Any = None
        if is_terminal(self._out):
            try:
                console: Any = import_module("rich.console").Console(file=self._out, highlight=False, emoji=False)
            except ImportError:
                return
            if not console.legacy_windows:  # that is drawn by calls, and not by what is written
                self._console = console

    def line(self, text: str = "") -> None:
        """Write a line; what a terminal would obey in it is escaped, for names and texts come from strangers."""
        if self._console is not None:
            self._draw(escaped(text), markup=False, soft_wrap=True)
        else:
            put(self._out, f"{escaped(text)}\n")

    def lines(self, text: str) -> None:
        """Write a text of several lines."""
        for line in text.split("\n"):
            self.line(line)

    def ask(self) -> str:
        """Return the next line that is typed. Raises `EOFError` when there will be none any more."""
        if is_terminal(sys.stdin) and is_terminal(sys.stdout) and self._out is sys.stdout:
            return input("> ")  # where one can go back in the line
        put(self._out, "> ")
        line = "" if sys.stdin is None else sys.stdin.readline()  # pyright: ignore[reportUnnecessaryComparison] # pythonw has none
        if not line:
            raise EOFError
        return line.rstrip("\n")

    def _draw(self, *what: Any, **how: Any) -> None:
        with self._console.capture() as drawn:
            self._console.print(*what, **how)
        put(self._out, drawn.get())

    def clear(self) -> None:
        """Wipe what the next one at the keyboard must not read."""
        if is_terminal(self._out):
            put(self._out, "\x1b[2J\x1b[3J\x1b[H")

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write names and values, one pair a line."""
        if self._console is not None:
            text: Any = import_module("rich.text").Text
            grid: Any = import_module("rich.table").Table(
                title=text(escaped(title)), title_justify="left", show_header=False, pad_edge=False
            )
            for name, value in rows:
                grid.add_row(text(escaped(name)), text(escaped(value)))
            self._draw(grid)
            return
        width = max((len(name) for name, _ in rows), default=0)
        self.line(f"-- {title}")
        for name, value in rows:
            self.line(f"   {name:<{width}}  {value}")


class Keyboard:
    """Lines that a person types, without waiting for them."""

    def __init__(self, source: TextIO | None = None) -> None:
        import threading

        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._source = sys.stdin if source is None else source
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
            raise EOFError
        return line
