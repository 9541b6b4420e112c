"""What rules print, warn of and log while games are simulated: kept back and counted, since they run for every move that is tried."""

import io
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO

from netcode.turns.proving.watching import Running, call_at, running_at

SAMPLE = 60
"""Characters that are shown of the first line."""


class Hush:
    """Keeps back what rules say, and what the library is told of it; what anybody else says comes through."""

    def __init__(self) -> None:
        self.lines = 0
        self.first = ""
        self.by: Running | None = None
        """Where the first line was said."""

    def note(self) -> str:
        """Return what their author is told; nothing where they said nothing."""
        if self.by is None:
            return ""
        return (
            f"the rules print or log, {_times(self.lines)}, which was kept back; first {self.first!r} by {self.by}. "
            "Rules run for every move that is tried, so a server says it over and over: tell players by self.tell(…), "
            "and leave this out"
        )

    def heard(self, text: str) -> bool:
        """Note what is written, if rules write it."""
        frame = sys._getframe(2)
        if call_at(frame) is None:
            return False
        if self.by is None and text.strip():
            self.first, self.by = text.strip().splitlines()[0][:SAMPLE], running_at(frame)
        self.lines += text.count("\n")
        return True

    @contextmanager
    def on(self) -> Generator[None]:
        """Stand between the rules and the standard streams, also for what logs to them; there is nothing to be read."""
        out, err, typed = sys.stdout, sys.stderr, sys.stdin
        ears = {id(stream): _Ear(self, stream) for stream in (out, err)}
        logging = sys.modules.get("logging")
        moved = [] if logging is None else [one for one in _handlers(logging) if id(one.stream) in ears]
        streams = [one.stream for one in moved]
        sys.stdout, sys.stderr, sys.stdin = ears[id(out)], ears[id(err)], io.StringIO()
        try:
            for handler in moved:
                handler.setStream(ears[id(handler.stream)])
            yield
        finally:
            sys.stdout, sys.stderr, sys.stdin = out, err, typed
            for handler, stream in zip(moved, streams, strict=True):
                handler.setStream(stream)


def _times(lines: int) -> str:
    return f"{lines:,} lines" if lines > 1 else "a line"


def _handlers(logging: Any) -> list[Any]:
    """Return every handler that writes to a stream."""
    named = [*logging.Logger.manager.loggerDict.values()]
    found = {id(one): one for logger in (logging.root, *named) for one in getattr(logger, "handlers", ())}
    return [one for one in found.values() if isinstance(one, logging.StreamHandler)]


class _Ear(io.TextIOBase):
    """Stands for a standard stream; None where there is none."""

    def __init__(self, hush: Hush, stream: TextIO | None) -> None:
        self._hush, self._stream = hush, stream

    def write(self, text: str) -> int:
        if not self._hush.heard(text) and self._stream is not None:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()
