"""Requests to stop a program: Ctrl-C, SIGTERM, and the end of the program that started it."""

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":  # Ctrl-Break: the only one of them that reaches a process group of its own
    _SIGNALS.append(signal.SIGBREAK)


class StopRequests:
    """Counts the requests to stop while it is entered; call it for the count. Nothing is interrupted.

    With `leash` the end of standard input counts too: a child whose parent holds the other end lives no longer than it,
    however the parent ends.
    """

    def __init__(self, *, leash: bool = False) -> None:
        self._count = 0
        self._leash = leash
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> int:
        """Give the number of requests so far."""
        return self._count

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        if self._leash:
            threading.Thread(target=self._wait_for_end, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1

    def _wait_for_end(self) -> None:
        # Not sys.stdin: a thread that waits inside its lock makes the interpreter abort at exit.
        while os.read(0, 4096):
            pass
        self._count += 1
