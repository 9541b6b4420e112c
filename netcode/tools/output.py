"""What a tool prints: lines for people, or one JSON object a line for scripts, to whatever is there to take them."""

import io
import json
import math
import re
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from netcode.console import escaped, is_closed, is_terminal, put, sentence_of

_NUMBER = re.compile(r"-|(\d[\d.e+-]*( ?[a-zA-Z%]+)?)?").fullmatch
"""Matches what stands to the right in a column: an amount, or nothing."""


class Output:
    """Where a tool writes. It cannot fail: what nobody reads is lost, and `is_closed` tells.

    Args:
        as_json: print the facts of each line as a JSON object, and nothing else.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._progress = ""

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at a terminal, on which a line may overwrite itself."""
        return not self.as_json and is_terminal(sys.stdout)

    def line(self, text: str, /, **facts: Any) -> None:
        """Print a line: `text`, or `facts` where scripts read. Without facts, only people are told."""
        self.progress("")
        if not self.as_json:
            _say(text)
        elif facts:
            _say(json.dumps(facts, default=str))

    def progress(self, text: str) -> None:
        """Show how far it is, in a line that the next one overwrites; nothing where nobody looks."""
        if not self.is_live:
            return
        # The last column stays free: a full line would wrap, and the next one could not overwrite it.
        text = text[: shutil.get_terminal_size().columns - 1]
        if text == self._progress:
            return
        blank = " " * len(self._progress)
        put(sys.stdout, f"\r{blank}\r{text}", piped=True)
        self._progress = text

    def clear(self) -> None:
        """Wipe the terminal, for what is to stand in the place of what stood there; nothing where nobody looks."""
        if self.is_live:
            put(sys.stdout, "\x1b[H\x1b[2J", piped=True)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table for people: with `rich`, if it is installed and somebody looks, else in plain columns."""
        if self.as_json:
            return
        self.progress("")
        columns = [*zip(heads, *rows, strict=True)]
        right = [all(map(_NUMBER, column[1:])) for column in columns]
        if self.is_live and _rich_table(heads, rows, right):
            return
        widths = [max(map(len, column)) for column in columns]
        for row in (heads, *rows):
            cells = zip(row, widths, right, strict=True)
            _say(
                "  ".join(
                    f"{cell:>{width}}" if number else f"{cell:<{width}}" for cell, width, number in cells
                ).rstrip()
            )

    def is_closed(self) -> bool:
        """Tell whether nobody reads any more: a tool that goes on for ever ends then."""
        return is_closed(sys.stdout)


def _say(text: str) -> None:
    put(sys.stdout, f"{escaped(text)}\n", piped=True)


def _rich_table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> bool:
    """Print a table with `rich`; return False where that is not installed."""
    try:
        page = io.StringIO()
        width = shutil.get_terminal_size().columns
        console: Any = import_module("rich.console").Console(file=page, width=width, highlight=False)
        table: Any = import_module("rich.table").Table(box=import_module("rich.box").SIMPLE_HEAD, pad_edge=False)
        text: Any = import_module("rich.text").Text
    except ImportError:
        return False
    for head, number in zip(heads, right, strict=True):
        table.add_column(text(head), justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(text, row))
    console.print(table)
    put(sys.stdout, page.getvalue(), piped=True)
    return True


def complain(tool: str, error: Exception, status: int = 1) -> int:
    """Say why a tool cannot do what it was asked for, and return the status for that."""
    put(sys.stderr, f"{tool}: {escaped(sentence_of(error))}\n", piped=True)
    return status


def milliseconds(seconds: float | None) -> str:
    """Return a time as people read it."""
    if seconds is None:
        return "-"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return what `percent` of the values do not exceed (nearest rank); None where there are none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def in_bytes(count: float, digits: int = 3) -> str:
    """Return an amount of bytes as people read it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.{digits}g} {unit}"
    return f"{count:.{digits}g} B"
